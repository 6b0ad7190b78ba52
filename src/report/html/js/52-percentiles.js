'use strict';
// The response time at each percentile. The axis counts nines, so that the tail has as much room as
// it matters.

const NINES = [0, 50, 90, 99, 99.9, 99.99, 99.999];

/** The place of a percentile: the number of its nines. */
function ninesOf(percentile) {
  return -Math.log10(1 - percentile / 100);
}

/** A point with fewer requests above it is not to be relied on. */
const RELIED_ON = 100;

function spectrumOf(name, file) {
  return rowsOf(file).filter(row => row.strategy === name && row.percentile < 100 && row.response_ms > 0).map(row => [ninesOf(row.percentile), row.response_ms, row.percentile, row.requests_above]);
}

function measurements() {
  const names = distinct(rowsOf('measured').map(row => row.measurement));
  return names.map(name => ({ name, symbol: 'none', dash: [2, 3] }));
}

function percentilesOption(context) {
  const series = [];
  const drawn = [];
  let most = 0;
  const seen = [];
  const ends = [];
  const draw = (own, line, extra = {}) => {
    const points = spectrumOf(own.name, 'latency');
    const sure = points.filter(([, , , above]) => !known(above) || above >= RELIED_ON);
    if (!points.length) return;
    most = Math.max(most, points[points.length - 1][0]);
    if (!extra.quiet) ends.push({ series: own, text: nameAndSuccess(own.name), point: points[points.length - 1] });
    seen.push(...points.filter(([place]) => place >= ninesOf(20)).map(point => point[1]));
    series.push({ type: 'line', name: own.name, data: sure, showSymbol: false, symbol: own.symbol, symbolSize: 7, lineStyle: line, itemStyle: { color: line.color }, clip: true, emphasis: { lineStyle: { width: 4, opacity: 1 } }, z: 3, ...extra });
    const open = points.slice(Math.max(0, sure.length - 1));
    if (open.length > 1) series.push({ type: 'line', name: own.name, data: open, showSymbol: false, symbol: 'none', lineStyle: { ...line, type: [1, 4], width: 1.6 }, itemStyle: { color: line.color }, clip: true, z: 2 });
  };
  for (const own of context.grey) draw(own, greyLine(context), { z: 1, quiet: true });
  for (const own of context.shown) { draw(own, lineStyle(own, context)); drawn.push(own.name); }
  for (const own of measurements()) draw(own, { color: context.paint.ink, width: 2, type: own.dash });
  for (const own of context.shown) {
    const exact = spectrumOf(own.name, 'exact-latency');
    if (exact.length) series.push({ type: 'line', name: own.name, data: exact, showSymbol: false, symbol: 'none', lineStyle: { color: context.paint.ink, width: 1, type: [2, 3] }, itemStyle: { color: context.paint.ink }, z: 5, tooltip: { show: false } });
  }
  if (!series.length) return null;
  const style = axisStyle(context);
  const ticks = NINES.filter(percentile => ninesOf(percentile) <= most + 0.001);
  const customValues = ticks.map(ninesOf);
  const height = context.narrow ? 340 : 440;
  const room = context.narrow ? 16 : 172;
  const yAxis = valueAxis(context, 'time', extent(seen), { log: context.choice.scale === 'log', zero: true, name: 'Response time' });
  const placed = ends.map(end => ({ ...end, x: 66 + (context.width - 66 - room) * end.point[0] / most, y: pixelOf(yAxis, end.point[1], height - 54, 34) }));
  return {
    option: {
      graphic: namesAtEnds(context, ends) ? sideLabels(context, placed, { left: context.width - room + 12, width: room - 14, top: 20, bottom: height - 40 }) : [],
      grid: { left: 66, right: room, top: 34, bottom: 54, outerBoundsMode: 'none' },
      xAxis: { ...style, type: 'value', axisPointer: { triggerEmphasis: false }, min: 0, max: most, name: 'Percentile of the requests that succeeded', nameLocation: 'middle', nameGap: 32,
        axisLabel: { ...style.axisLabel, customValues, hideOverlap: true, formatter: value => (value === 0 ? '0' : `${Number((100 * (1 - 10 ** -value)).toFixed(4))}`) },
        axisTick: { ...style.axisTick, customValues }, splitLine: { ...style.splitLine, customValues } },
      yAxis: { ...yAxis, nameTextStyle: { ...style.nameTextStyle, align: 'left', padding: [0, 0, 0, -58] } },
      series,
      tooltip: tooltip(context, points => spectrumTip(points), { trigger: 'axis', axisPointer: { lineStyle: { color: context.paint.muted } } }),
    },
    height, drawn, unnamed: !namesAtEnds(context, ends), text: spectrumText(context),
  };
}

function spectrumTip(points) {
  const seen = new Set();
  const lines = [];
  for (const point of [...points].sort((a, b) => b.value[1] - a.value[1])) {
    if (seen.has(point.seriesName) || !isOn(point.seriesName)) continue;
    seen.add(point.seriesName);
    lines.push([BY_NAME.get(point.seriesName), nameAndSuccess(point.seriesName), amount('time', point.value[1])]);
  }
  const percentile = points.length ? points[0].value[2] : 0;
  return tip(`${Number(percentile.toFixed(percentile > 99 ? 4 : 1))} of 100 requests took less than`, lines);
}

function spectrumText(context) {
  return context.shown.map(own => `${nameAndSuccess(own.name)}: ${['p50_ms', 'p99_ms'].map(name => `${metricOf(name).short} ${amount('time', summaryOf(own.name, name).estimate)}`).join(', ')}.`).join(' ');
}

const PERCENTILES_CHART = {
  id: 'percentiles', title: 'Response time at each percentile',
  says: context => {
    const theory = rowsOf('exact-latency').length ? ' Thin dotted lines: as queueing theory has it.' : '';
    const measured = measurements().length ? ` Dotted: measured (${listed(measurements().map(own => own.name))}).` : '';
    return [`The axis counts nines: half of the requests are left of 50, one in a hundred is right of 99. Lines end in dots where fewer than ${RELIED_ON} requests took longer.${theory}${measured} ${failingSentence(context.shown.map(own => own.name))}`];
  },
  choices: [{ name: 'scale', label: 'Scale', initial: 'log', options: [['log', 'Log'], ['linear', 'Linear']] }],
  option: percentilesOption,
  rows: context => rowsAsTable('latency', ['strategy', 'percentile', 'response_ms', 'requests_above'], context),
};
