'use strict';
// A search drawn: what was gained, the values, the course of the search, and how much each matters.

const GAIN_METRICS = distinct(rowsOf('check').filter(row => row.difference !== 0).map(row => row.metric)).map(metricOf);

/** The rows of a metric; of the objective as shares, for what it is counted in tells nobody. */
function gainRows(name) {
  return name === 'objective' ? objectives() : rowsOf('check').filter(row => row.metric === name);
}

const GAINS_CHART = {
  id: 'gains', title: context => `${metricOf(context.choice.metric).label}: what was found less other configurations`,
  says: context => [`${betterSide(metricOf(context.choice.metric))}Differences with their 95% intervals, on requests that the search has not seen. A verdict is given of the objective alone, for all configurations together (Holm).`],
  choices: [{ name: 'metric', label: 'Metric', initial: GAIN_METRICS[0]?.name, options: metricOptions(GAIN_METRICS) }, SCALES],
  option: context => {
    const rows = gainRows(context.choice.metric).filter(row => isOn(row.with));
    const several = distinct(rows.map(row => row.situation)).length > 1;
    const metric = metricOf(context.choice.metric);
    return differencesOption(context, metric.name === 'objective' ? { ...metric, unit: 'relative' } : metric, rows.map(row => ({
      series: BY_NAME.get(row.with) || lookOf(row.with, 0), label: several ? `${row.with}, ${row.situation}` : row.with, row,
    })), 'the other');
  },
  rows: context => rowsAsTable('check', ['with', 'situation', 'metric', 'other', 'tuned', 'difference', 'half_width_95', 'relative', 'p_value'], context, row => row.metric === context.choice.metric),
};

const VALUE_COLUMNS = ['current', 'capacity', 'tuned'];

/** Whether all values are numbers, which an axis has a place for. */
function areNumbers() {
  return rowsOf('weights').every(row => VALUE_COLUMNS.every(column => (row[column] === '' && column === 'capacity') || Number(row[column]) > 0));
}

const VALUES_CHART = {
  id: 'values', title: 'The values found, beside those that stand there now',
  says: () => ['Lines through what was found: how far it can be moved, all else as found, at a loss of less than 1% of the objective.'],
  option: context => {
    const rows = rowsOf('weights');
    const shown = context.shown.filter(own => VALUE_COLUMNS.includes(own.name));
    const left = context.narrow ? 118 : 190;
    const row = 20 + shown.length * 12;
    const tall = rows.length * row + 12;
    const ends = rows.flatMap(one => [...shown.map(own => Number(one[own.name])), ...[one.within_low, one.within_high].filter(known).map(factor => factor * Number(one.tuned))]);
    const series = shown.flatMap((own, at) => {
      const offset = shown.length > 1 ? (at / (shown.length - 1) - 0.5) * (row - 16) : 0;
      const data = rows.filter(one => one[own.name] !== '');
      const within = own.name === 'tuned' ? data.filter(one => known(one.within_low)).map(one => [Number(one.tuned), one.value, one.within_low * one.tuned, one.within_high * one.tuned]) : [];
      return [{ ...marks(own, context, data.map(one => [Number(one[own.name]), one.value])), symbolOffset: [0, offset], tooltip: { formatter: point => tip(data[point.dataIndex].value, [[own, own.name, data[point.dataIndex][own.name]]]) } },
        ...(within.length ? [shifted(whiskers(own, context.paint.of(own), within, { across: true }), offset)] : [])];
    });
    if (!shown.length) return null;
    return {
      option: {
        grid: { left, right: 24, top: 10, height: tall, outerBoundsMode: 'none' }, xAxis: { ...valueAxis(context, 'count', extent(ends), { log: true, few: true }), name: 'Value (log)', nameLocation: 'middle', nameGap: 30 },
        yAxis: { ...nameAxis(context, rows.map(one => one.value), { width: left - 12 }), splitLine: { show: true, lineStyle: { color: context.paint.grid } } }, series, tooltip: tooltip(context, () => '', { trigger: 'item' }),
      },
      height: tall + 66, unnamed: true, drawn: shown.map(own => own.name),
    };
  },
  rows: context => rowsAsTable('weights', ['value', ...VALUE_COLUMNS, 'within_low', 'within_high'], context),
};

// A loss beyond is no measurement: a constraint is broken.
const BROKEN = 1e6;
const LENGTHS = ['short runs', 'longer runs', 'whole runs'];

function searchOption(context) {
  const rows = rowsOf('search').filter(row => known(row.loss) && row.loss < BROKEN);
  const lengths = distinct(rows.map(row => row.parts)).sort();
  const looks = new Map(lengths.map(parts => [parts, lookOf(LENGTHS[parts - 1] || `runs of ${parts}`, parts - 1)]));
  const range = extent(rows.flatMap(row => [row.loss, row.best]));
  if (!range) return null;
  const log = context.choice.scale === 'log' && range[0] > 0;
  const style = axisStyle(context);
  const tipOf = row => tip(`Candidate ${row.evaluation}, ${row.strategy}`, [[looks.get(row.parts), looks.get(row.parts).name, plain(row.loss)], [null, 'from', row.from], [null, 'values', row.values]]);
  return {
    option: {
      grid: { left: 66, right: 20, top: 34, bottom: 54, outerBoundsMode: 'none' },
      xAxis: { ...style, type: 'value', min: 0, max: rows[rows.length - 1].evaluation, name: 'Candidate', nameLocation: 'middle', nameGap: 30, splitLine: { show: false } },
      yAxis: { ...valueAxis(context, 'count', range, { log, name: `Loss${log ? ' (log)' : ''}: 1 is what stands there now` }), nameTextStyle: { ...style.nameTextStyle, align: 'left', padding: [0, 0, 0, -58] } },
      series: lengths.flatMap(parts => {
        const own = rows.filter(row => row.parts === parts);
        const look = looks.get(parts);
        return [
          { ...marks(look, context, own.map(row => [row.evaluation, row.loss])), symbolSize: 6, itemStyle: { color: context.paint.of(look), opacity: 0.65 }, tooltip: { formatter: point => tipOf(own[point.dataIndex]) } },
          { type: 'line', name: look.name, step: 'end', showSymbol: false, silent: true, data: own.map(row => [row.evaluation, row.best]), lineStyle: lineStyle(look, context), itemStyle: { color: context.paint.of(look) }, z: 3 },
        ];
      }),
      tooltip: tooltip(context, () => '', { trigger: 'item' }),
    },
    height: context.narrow ? 320 : 400, drawn: [], unnamed: [...looks.values()],
    text: `The least loss of ${lengths.map(parts => `${looks.get(parts).name}: ${plain(rows.filter(row => row.parts === parts).slice(-1)[0].best)}`).join('; ')}.`,
  };
}

const SEARCH_CHART = {
  id: 'search', always: true, title: 'The course of the search',
  says: () => {
    const broken = rowsOf('search').filter(row => row.loss >= BROKEN).length;
    return [`A mark a candidate; lines are the least loss so far, by how long the runs were.${broken ? ` ${counted(broken, 'candidate')} broke a constraint, and ${broken === 1 ? 'is' : 'are'} not drawn.` : ''}`];
  },
  choices: [{ name: 'scale', label: 'Scale', initial: 'log', options: [['log', 'Log'], ['linear', 'Linear']] }],
  option: searchOption,
  rows: context => rowsAsTable('search', ['evaluation', 'from', 'values', 'loss', 'parts', 'best', 'requests'], context),
};

function sensitivityOption(context) {
  const names = distinct(rowsOf('sensitivity').map(row => row.value));
  const lines = names.map((name, at) => ({ own: lookOf(name, at), points: rowsOf('sensitivity').filter(row => row.value === name && known(row.loss)).map(row => ({ at: Math.log2(row.factor), factor: row.factor, value: row.loss, half: row.half_width_95 || 0 })) }))
    .filter(line => line.points.length);
  if (!lines.length) return null;
  const style = axisStyle(context);
  const room = context.narrow ? 18 : 172;
  const height = context.narrow ? 320 : 400;
  const factors = distinct([...rowsOf('sensitivity').map(row => row.factor), 1]).sort((a, b) => a - b);
  const customValues = factors.map(Math.log2);
  const [min, max] = extent(customValues);
  const yAxis = valueAxis(context, 'share', extent([0, ...lines.flatMap(line => line.points.map(point => point.value))]), { cut: false, name: 'Loss of the objective' });
  const ends = lines.map(({ own, points }) => { const last = points[points.length - 1]; return { series: own, text: own.name, x: pixelOf({ min, max }, last.at, 66, context.width - room), y: pixelOf(yAxis, last.value, height - 54, 34) }; });
  return {
    option: {
      graphic: namesAtEnds(context, ends) ? sideLabels(context, ends, { left: context.width - room + 12, width: room - 14, top: 20, bottom: height - 40 }) : [],
      grid: { left: 66, right: room, top: 34, bottom: 54, outerBoundsMode: 'none' },
      xAxis: { ...style, type: 'value', min, max, name: 'The value, multiplied by', nameLocation: 'middle', nameGap: 30, axisLabel: { ...style.axisLabel, customValues, formatter: value => plain(Number((2 ** value).toPrecision(3))) }, axisTick: { ...style.axisTick, customValues }, splitLine: { show: false } },
      yAxis: { ...yAxis, axisLine: { ...yAxis.axisLine, onZero: false }, nameTextStyle: { ...style.nameTextStyle, align: 'left', padding: [0, 0, 0, -58] } },
      series: lines.flatMap(({ own, points }) => [
        band(own, context, points, -Infinity, {}),
        { type: 'line', name: own.name, data: points.map(point => [point.at, point.value, point.half, point.factor]), symbol: own.symbol, symbolSize: 7, lineStyle: lineStyle(own, context), itemStyle: { color: context.paint.of(own) }, z: 3 },
      ]),
      tooltip: tooltip(context, points => tip(`multiplied by ${plain(points[0]?.value[3] ?? 1)}`, points.filter(point => point.componentSubType === 'line').map(point => [lines.find(line => line.own.name === point.seriesName).own, point.seriesName, change('relative', point.value[1], point.value[2])])), { trigger: 'axis', axisPointer: { snap: true, lineStyle: { color: context.paint.muted } } }),
    },
    height, drawn: [], unnamed: namesAtEnds(context, ends) ? false : lines.map(line => line.own),
    text: lines.map(({ own, points }) => `${own.name}: ${points.map(point => `${plain(point.factor)} loses ${change('relative', point.value, point.half)}`).join(', ')}.`).join(' '),
  };
}

const SENSITIVITY_CHART = {
  id: 'sensitivity', always: true, title: 'How much each value matters',
  says: () => ['What it loses to multiply one value, all else as found; bands are 95% intervals. A flat line: the value matters little.'],
  option: sensitivityOption,
  rows: context => rowsAsTable('sensitivity', ['value', 'factor', 'loss', 'half_width_95'], context),
};

function landscapeOption(context) {
  const rows = rowsOf('landscape');
  const [across, up] = [distinct(rows.map(row => row.factor)), distinct(rows.map(row => row.and_factor))].map(all => all.map(String));
  const most = extent(rows.map(row => row.loss));
  if (!most) return null;
  const place = loss => (known(loss) ? Math.sqrt(Math.max(0, (loss - most[0]) / (most[1] - most[0] || 1))) : 0);
  const style = axisStyle(context);
  const tall = up.length * 36;
  return {
    option: {
      grid: { left: 66, right: 16, top: 30, height: tall, outerBoundsMode: 'none' }, visualMap: { show: false, min: 0, max: 1, dimension: 2, seriesIndex: [] },
      xAxis: { ...style, type: 'category', data: across, name: `${rows[0].value}, multiplied by`, nameLocation: 'middle', nameGap: 30, splitLine: { show: false } },
      yAxis: { ...style, type: 'category', data: up, name: `${rows[0].and}, multiplied by`, nameTextStyle: { ...style.nameTextStyle, align: 'left', padding: [0, 0, 0, -58] }, splitLine: { show: false } },
      series: [{ type: 'heatmap', data: rows.map(row => ({
        value: [String(row.factor), String(row.and_factor), place(row.loss)], itemStyle: { color: known(row.loss) ? heatColour(place(row.loss)) : 'rgba(128,128,128,.15)' },
        label: { show: true, formatter: () => (known(row.loss) ? change('relative', Number(row.loss.toPrecision(2)), null) : NONE), color: place(row.loss) > 0.55 ? '#111827' : '#ffffff', fontSize: context.narrow ? 9 : 11 },
      })) }],
      tooltip: tooltip(context, point => tip(`${rows[0].value} × ${rows[point.dataIndex].factor}, ${rows[0].and} × ${rows[point.dataIndex].and_factor}`, [[null, 'loss', known(rows[point.dataIndex].loss) ? change('relative', rows[point.dataIndex].loss, null) : NONE]]), { trigger: 'item' }),
    },
    height: tall + 84, drawn: [],
  };
}

const LANDSCAPE_CHART = {
  id: 'landscape', always: true, title: 'The two values that matter most',
  says: () => ['What it loses of the objective to multiply both, all else as found. Colours have more room where little is lost.'],
  option: landscapeOption,
  rows: context => rowsAsTable('landscape', ['value', 'factor', 'and', 'and_factor', 'loss'], context),
};

const FRONT_CHART = {
  id: 'front', always: true, title: 'What can be had of one metric for the other',
  says: () => ['A mark a configuration of which none of the others found is better in both. The hollow mark: what stands there now.'],
  option: context => {
    const rows = rowsOf('front');
    const [x, y] = [metricOf(rows[0].metric), metricOf(rows[0].and)];
    const look = lookOf('found', 0);
    const style = axisStyle(context);
    const sorted = [...rows].sort((a, b) => a.mean - b.mean);
    return {
      option: {
        grid: { left: 66, right: 24, top: 36, bottom: 54, outerBoundsMode: 'none' },
        xAxis: { ...valueAxis(context, x.unit, extent(rows.flatMap(row => [row.mean, row.current]))), name: x.label, nameLocation: 'middle', nameGap: 32 },
        yAxis: { ...valueAxis(context, y.unit, extent(rows.flatMap(row => [row.and_mean, row.and_current]))), name: y.label, nameTextStyle: { ...style.nameTextStyle, align: 'left', padding: [0, 0, 0, -58] } },
        series: [
          { type: 'line', name: 'found', data: sorted.map(row => [row.mean, row.and_mean]), symbol: look.symbol, symbolSize: 9, lineStyle: { ...lineStyle(look, context), type: [6, 4], width: 1.3 }, itemStyle: { color: context.paint.of(look) }, tooltip: { formatter: point => tip(sorted[point.dataIndex].values, [[look, x.label, amount(x.unit, sorted[point.dataIndex].mean)], [null, y.label, amount(y.unit, sorted[point.dataIndex].and_mean)]]) } },
          { type: 'scatter', name: 'now', data: [[rows[0].current, rows[0].and_current]], symbol: 'circle', symbolSize: 13, itemStyle: { color: context.paint.paper, borderColor: context.paint.ink, borderWidth: 2.5 }, tooltip: { formatter: () => tip('what stands there now', [[null, x.label, amount(x.unit, rows[0].current)], [null, y.label, amount(y.unit, rows[0].and_current)]]) } },
        ],
        tooltip: tooltip(context, () => '', { trigger: 'item' }),
      },
      height: context.narrow ? 340 : 420, drawn: [],
    };
  },
  rows: context => rowsAsTable('front', ['values', 'metric', 'mean', 'current', 'and', 'and_mean', 'and_current'], context),
};
