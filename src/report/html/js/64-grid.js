'use strict';
// A metric by two values that are swept: a panel a strategy, a cell a pair of values, its figure in
// it.

function gridOption(context) {
  const metric = metricOf(context.choice.metric);
  const { points } = ABOUT.sweep;
  const [across, up] = [distinct(points.map(point => point.value)), distinct(points.map(point => point.value_2))];
  const values = context.shown.flatMap(own => points.filter(point => !point.overloaded).map(point => sweptAt(point, own.name, metric.name).estimate));
  const range = extent(values);
  if (!range) return null;
  const log = context.choice.scale === 'log' && range[0] > 0 && metric.unit !== 'share';
  const share = value => {
    const [low, high, own] = log ? [range[0], range[1], value].map(Math.log) : [range[0], range[1], value];
    return high > low ? (own - low) / (high - low) : 0.5;
  };
  const perRow = context.narrow || context.width < 700 ? 1 : Math.min(2, context.shown.length);
  const left = 58;
  const wide = (context.width - perRow * (left + 12)) / perRow;
  const tall = up.length * 34;
  const option = { grid: [], xAxis: [], yAxis: [], series: [], title: [] };
  const style = axisStyle(context);
  context.shown.forEach((own, at) => {
    const [x, y] = [left + (at % perRow) * (wide + left + 12), 46 + Math.floor(at / perRow) * (tall + 96)];
    option.grid.push({ left: x, top: y, width: wide, height: tall, outerBoundsMode: 'none' });
    option.title.push(panelTitle(own.name, x - left, y - 44, context, wide + left));
    option.xAxis.push({ gridIndex: at, ...style, type: 'category', data: across, name: ABOUT.sweep.label, nameLocation: 'middle', nameGap: 26, splitLine: { show: false } });
    option.yAxis.push({ gridIndex: at, ...style, type: 'category', data: up, name: ABOUT.sweep.and, nameTextStyle: { ...style.nameTextStyle, align: 'left', padding: [0, 0, -4, -left] }, splitLine: { show: false }, axisLabel: { ...style.axisLabel, interval: 0 } });
    option.series.push({
      type: 'heatmap', name: own.name, xAxisIndex: at, yAxisIndex: at,
      data: points.map(point => gridCell(point, own, metric, share, wide / across.length)), tooltip: { formatter: cell => gridTip(own, metric, points[cell.dataIndex]) },
    });
  });
  // The colours are those of the cells; ECharts wants a scale for heat maps all the same.
  option.visualMap = { show: false, min: 0, max: 1, dimension: 2, seriesIndex: [] };
  option.tooltip = tooltip(context, () => '', { trigger: 'item' });
  return { option, height: 46 + Math.ceil(context.shown.length / perRow) * (tall + 96) - 40, drawn: context.shown.map(own => own.name) };
}

function gridCell(point, own, metric, share, wide) {
  const row = sweptAt(point, own.name, metric.name);
  const value = point.overloaded ? null : row.estimate;
  const place = known(value) ? share(value) : 0;
  const best = metric.name === JUDGE.name && bestAt(point) === own;
  const text = known(value) ? gridText(metric, value) : point.overloaded ? 'over' : NONE;
  return {
    value: [point.value, point.value_2, place], itemStyle: { color: known(value) ? heatColour(place) : 'rgba(128,128,128,.15)', borderColor: 'rgba(255,255,255,.35)', borderWidth: 1 },
    label: { show: true, formatter: () => (best ? `★${wide < 62 ? '\n' : ' '}${text}` : text), color: !known(value) ? '#808080' : place > 0.55 ? '#111827' : '#ffffff', fontSize: wide < 56 ? 9 : 11, lineHeight: 11, fontWeight: best ? 700 : 400 },
  };
}

/** Three digits are enough in a cell. */
function gridText(metric, value) {
  return amount(metric.unit, Number(value.toPrecision(3)));
}

function gridTip(own, metric, point) {
  const row = sweptAt(point, own.name, metric.name);
  const apart = apartAt(point, own.name, metric.name);
  const lines = [[own, own.name, point.overloaded ? 'overloaded' : amount(metric.unit, row.estimate, row.half_width_95)]];
  if (apart && known(apart.difference)) lines.push([null, `less ${BASELINE}`, change(metric.unit, apart.difference, apart.half_width_95), (VERDICTS[apart.verdict] || ['', ''])[1]]);
  return tip(`${ABOUT.sweep.label} ${point.value}, ${ABOUT.sweep.and} ${point.value_2}`, lines);
}

function gridKey(context) {
  const metric = metricOf(context.choice.metric);
  const range = extent(context.shown.flatMap(own => ABOUT.sweep.points.filter(point => !point.overloaded).map(point => sweptAt(point, own.name, metric.name).estimate)));
  return range && heatKey(gridText(metric, range[0]), gridText(metric, range[1]), `${inSentence(metric.label)}; ★ the ${superlative(JUDGE)} at these values`);
}

const GRID_CHART = {
  id: 'grid', title: context => `${metricOf(context.choice.metric).label}, by ${ABOUT.sweep.label} and ${ABOUT.sweep.and}`,
  says: () => ['A panel a strategy, all in the same colours; figures are in the cells, intervals in the table.'],
  choices: [
    { name: 'metric', label: 'Metric', initial: JUDGE.name, options: metricOptions(SWEPT_METRICS) },
    { name: 'scale', label: 'Scale of colours', initial: 'log', options: [['log', 'Log'], ['linear', 'Linear']] },
  ],
  legend: gridKey, option: gridOption,
  rows: context => rowsAsTable('sweep', ['value', 'value_2', 'strategy', 'metric', 'estimate', 'half_width_95', 'n'], context, row => row.metric === context.choice.metric),
};
