'use strict';
// Differences to the baseline with their intervals: an interval that leaves out zero is a verdict,
// one that does not is none.

function pairedMetrics() {
  const names = distinct(rowsOf('paired').filter(row => known(row.difference) && row.difference !== 0).map(row => row.metric));
  const wanted = distinct([JUDGE.name, 'mean_ms', 'p50_ms', 'p90_ms', 'p99_ms', 'p999_ms', 'success_share', 'goodput_rps', 'utilization_spread', ...names]);
  return wanted.filter(name => name === JUDGE.name || names.includes(name)).map(metricOf);
}

/**
 * Differences of very different sizes are drawn on a scale that is logarithmic away from zero, and
 * linear about it.
 */
function signedLog(values) {
  const sizes = values.map(Math.abs).filter(value => value > 0);
  if (!sizes.length) return null;
  const [low, high] = extent(sizes);
  const unit = Math.max(low, high / 1e4);
  return { to: value => Math.sign(value) * Math.log10(1 + Math.abs(value) / unit), unit, high };
}

function pairedAxis(context, kind, values, scale) {
  const style = axisStyle(context);
  const range = extent([0, ...values]);
  if (!scale) {
    const axis = valueAxis(context, kind, range, { zero: true, cut: false });
    return { ...axis, axisLine: { show: false }, axisLabel: { ...axis.axisLabel, formatter: value => (value === 0 ? '0' : kind === 'count' ? axisText(kind, value, axis.max) : signedText(kind, value)) } };
  }
  const decades = [];
  for (let power = Math.ceil(Math.log10(scale.unit)); 10 ** power <= scale.high * 1.5; power += 1) decades.push(10 ** power);
  const every = Math.max(1, Math.ceil(decades.length / (context.narrow ? 2 : 5)));
  const kept = decades.filter((_, at) => (decades.length - 1 - at) % every === 0);
  const ticks = [...(range[0] < 0 ? kept.map(own => -own) : []), 0, ...(range[1] > 0 ? kept : [])].sort((a, b) => a - b);
  const customValues = ticks.map(scale.to);
  const text = new Map(ticks.map(tick => [scale.to(tick).toFixed(6), tick === 0 ? '0' : signedText(kind, tick)]));
  const [low, high] = [Math.min(0, scale.to(range[0])), Math.max(0, scale.to(range[1]))];
  const room = (high - low) * 0.05;
  return {
    ...style, type: 'value', min: low < 0 ? low - room : 0, max: high > 0 ? high + room : 0, axisLabel: { ...style.axisLabel, customValues, formatter: value => text.get(value.toFixed(6)) || '' },
    axisTick: { ...style.axisTick, customValues }, splitLine: { ...style.splitLine, customValues },
  };
}

function signedText(kind, value) {
  const text = kind === 'share' || kind === 'relative' ? axisText('share', value, 0).replace(/%$/, kind === 'share' ? ' pp' : '%') : amount(kind, value);
  return value > 0 ? `+${text}` : text;
}

/**
 * Differences with their intervals, above each other. `rows` are `{series, label, row}`, the row
 * with `difference`, `half_width_95`, `relative`, `p_adjusted`, and `verdict`, if any; they are
 * differences to what `against` calls.
 */
function differencesOption(context, metric, rows, against) {
  if (!rows.length) return null;
  const ends = rows.flatMap(({ row }) => [row.difference - (row.half_width_95 || 0), row.difference + (row.half_width_95 || 0)]);
  const log = context.choice.scale === 'log' || (context.choice.scale === 'auto' && spreadOf(rows.map(own => Math.abs(own.row.difference))) > 30);
  const scale = log ? signedLog(rows.flatMap(({ row }) => [row.difference])) : null;
  const to = scale ? scale.to : value => value;
  const names = rows.map(own => own.label);
  const left = context.narrow ? 118 : 190;
  // Room for what is written beside the mark that is furthest right.
  const right = context.narrow ? 62 : 130;
  const tallest = Math.max(...names.map(name => linesOf(name, left - 20)));
  const tall = rows.length * Math.max(48, tallest * 15 + 20) + 12;
  const colours = context.paint;
  const xAxis = pairedAxis(context, metric.unit, ends, scale);
  const tone = verdict => ({ good: colours.good, bad: colours.bad }[(VERDICTS[verdict] || [])[2]] || colours.muted);
  const series = rows.flatMap(({ series: own, label, row }) => {
    const [low, high] = [row.difference - (row.half_width_95 || 0), row.difference + (row.half_width_95 || 0)];
    const said = verdictWords(row.verdict);
    const text = [said, said && context.narrow ? '' : change(metric.unit, row.difference, row.half_width_95)].filter(Boolean).join('  ');
    const [at, zero] = [to(row.difference), 0].map(value => pixelOf(xAxis, value, left, context.width - right));
    const wide = textWidth(text, { size: 12, weight: 600 }) + 6;
    // A label crosses neither the edge nor the line of no difference, if it can be.
    const fits = (from, end) => from >= left - 4 && end <= context.width && !(from < zero && end > zero && Math.abs(at - zero) > 4);
    const align = fits(at, at + wide) || !fits(at - wide, at) && at + wide <= context.width ? 'left' : 'right';
    return [
      known(row.half_width_95) && row.half_width_95 > 0 ? whiskers(own, colours.of(own), [[to(row.difference), label, to(low), to(high)]], { across: true }) : null,
      marks(own, context, [[to(row.difference), label]], {
        label: { show: true, position: 'top', distance: 5, align, color: tone(row.verdict), fontSize: 12, fontWeight: 600, backgroundColor: colours.paper, padding: [1, 2], formatter: () => text },
        tooltip: { formatter: () => tip(`${metric.label}, less ${against}`, [[own, label, `${change(metric.unit, row.difference, row.half_width_95)} ${relative(row.relative) && `(${relative(row.relative)})`}`, said], [null, 'p-value (Holm)', known(row.p_adjusted) ? Number(row.p_adjusted.toPrecision(2)).toString() : NONE]]) },
      }),
    ].filter(Boolean);
  });
  series.unshift({ type: 'line', name: '', data: [], silent: true, markLine: { silent: true, z: 1, symbol: 'none', data: [{ xAxis: 0 }], label: { show: true, formatter: () => 'no difference', position: 'start', color: colours.muted, fontSize: 11 }, lineStyle: { color: colours.ink, type: 'solid', width: 1.2 } } });
  return {
    option: {
      grid: { left, right, top: 34, height: tall, outerBoundsMode: 'none' },
      xAxis: { ...xAxis, name: context.narrow ? `Difference${scale ? ' (log away from zero)' : ''}` : `${metric.label}, less that of ${against}${scale ? ' (log away from zero)' : ''}`, nameLocation: 'middle', nameGap: 30, nameTextStyle: { color: colours.muted, width: context.width - left - 20, overflow: 'break' } },
      yAxis: nameAxis(context, names, { width: left - 16 }), series, tooltip: tooltip(context, () => '', { trigger: 'item' }),
    },
    height: tall + 100, drawn: distinct(rows.map(own => own.series.name)),
    text: rows.map(({ label, row }) => `${label}: ${change(metric.unit, row.difference, row.half_width_95)}, ${verdictWords(row.verdict)}.`).join(' '),
  };
}

/** A verdict with its sign; nothing where none is to be given. */
function verdictWords(verdict) {
  if (verdict === undefined) return '';
  return (VERDICTS[verdict] || ['–', 'not known']).slice(0, 2).join(' ');
}

function pairedOption(context) {
  const metric = metricOf(context.choice.metric);
  const rows = context.shown.filter(series => series.name !== BASELINE)
    .map(series => ({ series, label: series.name, row: differenceOf(series.name, metric.name) })).filter(own => own.row && known(own.row.difference));
  return differencesOption(context, metric, rows, BASELINE);
}

/** On which side of no difference it is better. */
function betterSide({ better }) {
  return better === 'less' ? 'Left of the line is better. ' : better === 'more' ? 'Right of the line is better. ' : '';
}

const SCALES = { name: 'scale', label: 'Scale', initial: 'auto', options: [['auto', 'Scale as it suits'], ['linear', 'Linear'], ['log', 'Log']] };

const PAIRED_CHART = {
  id: 'paired', title: context => `${metricOf(context.choice.metric).label}: difference to ${BASELINE}`,
  says: context => [`${betterSide(metricOf(context.choice.metric))}Means of the differences on the same requests, replication by replication, with their 95% intervals. The verdict takes all comparisons together (Holm).`],
  choices: [
    { name: 'metric', label: 'Metric', initial: JUDGE.name, options: metricOptions(pairedMetrics()) },
    SCALES,
  ],
  option: pairedOption,
  rows: context => rowsAsTable('paired', ['strategy', 'metric', 'difference', 'half_width_95', 'relative', 'p_adjusted', 'verdict', 'n'], context, row => row.metric === context.choice.metric),
};
