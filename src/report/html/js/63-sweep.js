'use strict';
// A metric by the value that is swept: a line a strategy, its interval as a band.

function sweepPoints(own, metric) {
  return ABOUT.sweep.points.filter(point => !point.overloaded).map(point => ({ point, row: sweptAt(point, own.name, metric.name) }))
    .filter(one => known(one.row.estimate) && known(one.row.at)).map(({ point, row }) => ({ at: row.at, name: point.value, value: row.estimate, half: row.half_width_95 || 0 }));
}

/** Where the values stand, those that were not measured included, whose place no row may tell. */
function sweepPlaces() {
  const places = new Map();
  for (const row of rowsOf('sweep')) if (known(row.at)) places.set(row.at, row.value);
  return places;
}

function band(own, context, points, low, axis) {
  return {
    type: 'custom', name: own.name, silent: true, z: 1, clip: true, data: [[points[0].at, points[0].value]], ...axis,
    renderItem: (_, api) => ({
      type: 'polygon', shape: { points: [...points.map(one => api.coord([one.at, one.value + one.half])), ...[...points].reverse().map(one => api.coord([one.at, Math.max(low, one.value - one.half)]))] },
      style: { fill: context.paint.of(own), opacity: 0.18 },
    }),
  };
}

function sweepOption(context) {
  const metric = metricOf(context.choice.metric);
  const lines = [...context.grey, ...context.shown].map(own => ({ own, points: sweepPoints(own, metric), grey: !isOn(own.name) })).filter(line => line.points.length);
  if (!lines.length) return null;
  const values = lines.flatMap(line => line.points.map(one => one.value));
  const log = context.choice.scale === 'log' && metric.unit !== 'share' && extent(values)[0] > 0;
  const low = log ? extent(values)[0] / 3 : -Infinity;
  const range = extent(lines.flatMap(line => line.points.flatMap(one => [Math.max(log ? extent(values)[0] * 0.9 : 0, one.value - one.half), one.value + one.half])));
  const places = sweepPlaces();
  const at = [...places.keys()].sort((a, b) => a - b);
  const style = axisStyle(context);
  const over = ABOUT.sweep.points.filter(point => point.overloaded).map(point => [...places].find(([, name]) => name === point.value)?.[0]).filter(known);
  const series = lines.flatMap(({ own, points, grey }) => [
    grey || points.every(one => one.half === 0) ? null : band(own, context, points, low, {}),
    { type: 'line', name: own.name, data: points.map(one => [one.at, one.value, one.half, one.name]), symbol: grey ? 'none' : own.symbol, symbolSize: 8, lineStyle: grey ? greyLine(context) : lineStyle(own, context), itemStyle: { color: context.paint.of(own) }, z: grey ? 1 : 3 },
  ].filter(Boolean));
  if (over.length) series.push(overloadedBand(context, over, at));
  const height = context.narrow ? 340 : 440;
  const room = context.narrow ? 18 : 172;
  const yAxis = valueAxis(context, metric.unit, range, { log, zero: metric.unit !== 'share' || range[0] < 0.6, name: metric.label });
  const ends = lines.filter(line => !line.grey).map(({ own, points }) => {
    const last = points[points.length - 1];
    return { series: own, text: own.name, x: pixelOf({ min: at[0], max: at[at.length - 1] || 1 }, last.at, 72, context.width - room), y: pixelOf(yAxis, last.value, height - 58, 36) };
  });
  return {
    option: {
      graphic: namesAtEnds(context, ends) ? sideLabels(context, ends, { left: context.width - room + 12, width: room - 14, top: 22, bottom: height - 44 }) : [],
      grid: { left: 72, right: room, top: 36, bottom: 58, outerBoundsMode: 'none' },
      xAxis: { ...style, type: 'value', axisPointer: { triggerEmphasis: false }, min: at[0], max: at[at.length - 1] + (at.length === 1 ? 1 : 0), name: ABOUT.sweep.label, nameLocation: 'middle', nameGap: 32,
        axisLabel: { ...style.axisLabel, customValues: at, formatter: value => places.get(value) ?? '' }, axisTick: { ...style.axisTick, customValues: at }, splitLine: { ...style.splitLine, customValues: at } },
      yAxis: { ...yAxis, nameTextStyle: { ...style.nameTextStyle, align: 'left', padding: [0, 0, 0, -64] } },
      series, tooltip: tooltip(context, points => sweepTip(metric, points), { trigger: 'axis', axisPointer: { snap: true, lineStyle: { color: context.paint.muted } } }),
    },
    height, unnamed: !namesAtEnds(context, ends), drawn: context.shown.map(own => own.name),
    text: lines.filter(line => !line.grey).map(({ own, points }) => `${own.name}: from ${amount(metric.unit, points[0].value)} at ${points[0].name} to ${amount(metric.unit, points[points.length - 1].value)} at ${points[points.length - 1].name}.`).join(' '),
  };
}

/** Values at which more is asked for than the servers can do. */
function overloadedBand(context, over, at) {
  const before = at.filter(place => place < Math.min(...over)).pop() ?? Math.min(...over);
  const from = (before + Math.min(...over)) / 2;
  return { type: 'line', name: '', data: [], silent: true, markArea: { silent: true, itemStyle: { color: context.paint.fault, opacity: 0.12 }, label: { show: true, position: 'insideTopRight', color: context.paint.bad, fontSize: 11, formatter: () => 'overloaded' }, data: [[{ xAxis: from }, { xAxis: at[at.length - 1] }]] } };
}

function sweepTip(metric, points) {
  const lines = points.filter(point => point.componentSubType === 'line' && isOn(point.seriesName) && point.seriesName)
    .sort((a, b) => b.value[1] - a.value[1]).map(point => [BY_NAME.get(point.seriesName), point.seriesName, amount(metric.unit, point.value[1], point.value[2])]);
  return tip(`${ABOUT.sweep.label}: ${points.find(point => point.value?.[3])?.value[3] ?? ''}`, lines);
}

const SWEPT_METRICS = ABOUT.sweep ? sweptMetrics() : [];

const SWEEP_CHART = {
  id: 'sweep', title: context => `${metricOf(context.choice.metric).label}, by ${inSentence(ABOUT.sweep.label)}`,
  says: () => ['A line a strategy; bands are 95% intervals. No mark: nothing could be measured there.'],
  choices: [
    { name: 'metric', label: 'Metric', initial: JUDGE.name, options: metricOptions(SWEPT_METRICS) },
    { name: 'scale', label: 'Scale', initial: 'log', options: [['log', 'Log'], ['linear', 'Linear']] },
  ],
  option: sweepOption,
  rows: context => rowsAsTable('sweep', ['value', 'strategy', 'metric', 'estimate', 'half_width_95', 'n'], context, row => row.metric === context.choice.metric),
};
