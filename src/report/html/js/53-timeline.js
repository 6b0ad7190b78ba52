'use strict';
// How it went over time: what came and was answered, what failed, response times, and what else
// there is to see.

const answeredIn = row => Math.max(0, row.requests - row.failed - row.unfinished);
const TIME_PANELS = [
  { title: 'Succeeded a second (dotted: what came)', short: 'succeeded', kind: 'rate', value: row => answeredIn(row) / (row.to_s - row.from_s), zero: true, when: () => anyFails() || ABOUT.rates_change || hasServers() },
  { title: 'Failed, of all that came', short: 'failed', kind: 'share', value: row => (row.requests > 0 ? (row.failed + row.unfinished) / row.requests : null), zero: true, when: () => anyFails() },
  { title: 'Median response time', short: 'median', kind: 'time', value: row => row.p50_ms, log: true },
  { title: '99th percentile of the response time', short: 'p99', kind: 'time', value: row => row.p99_ms, log: true },
  { title: 'Sent again a second, by clients and balancers', short: 'sent again', kind: 'rate', value: row => row.repeats / (row.to_s - row.from_s), zero: true, when: () => extent(TIMELINE.map(row => row.repeats))?.[1] > 0 && anyFails() },
  { title: 'Servers in the pools', short: 'servers', kind: 'count', value: row => row.servers, zero: true },
];

function anyFails() {
  return TIMELINE.some(row => row.failed + row.unfinished > 0);
}

function hasServers() {
  return TIMELINE.some(row => known(row.servers));
}

const TIME_OF = new Map();

function timesOf(name) {
  if (!TIME_OF.has(name)) TIME_OF.set(name, TIMELINE.filter(row => row.strategy === name));
  return TIME_OF.get(name);
}

function middleOf(row) {
  return (row.from_s + row.to_s) / 2 * TIME.factor;
}

/** Panels of lines over time, above each other, with one zoom. */
function timeOption(context, panels) {
  const tall = context.narrow ? 150 : 170;
  const option = { grid: [], xAxis: [], yAxis: [], series: [], title: [] };
  const all = [...context.grey, ...context.shown];
  let end = 14;
  panels.forEach((panel, at) => {
    const top = end + 10 + 16 * linesOf(`${panel.title} (log)`, context.width, 13);
    end = top + tall + 26;
    const values = all.flatMap(own => timesOf(own.name).map(panel.value));
    if (panel.short === 'succeeded') values.push(...all.flatMap(own => timesOf(own.name).map(row => row.requests / (row.to_s - row.from_s))));
    const range = panel.kind === 'share' ? [0, extent(values)?.[1] || 0.01] : extent(values);
    const log = panel.log && context.choice.scale === 'log';
    option.grid.push({ left: 66, right: 18, top, height: tall, outerBoundsMode: 'none' });
    option.title.push(panelTitle(panel.title + (log ? ' (log)' : ''), 0, top - 8 - 16 * linesOf(`${panel.title} (log)`, context.width, 13), context, context.width));
    option.xAxis.push({ gridIndex: at, ...timeAxis(context, at === panels.length - 1 ? { name: `Simulated time (${TIME.unit})`, nameLocation: 'middle', nameGap: 28 } : {}) });
    option.yAxis.push({ gridIndex: at, ...valueAxis(context, panel.kind, range, { log, zero: panel.zero || !log }) });
    const marked = timeMarks(context, { xAxisIndex: at, yAxisIndex: at, named: true });
    if (marked) option.series.push(marked);
    option.series.push(...panelLines(context, panel, at));
  });
  option.dataZoom = timeZoom(context, panels.map((_, at) => at), 8);
  option.axisPointer = { link: [{ xAxisIndex: 'all' }], lineStyle: { color: context.paint.muted } };
  option.tooltip = tooltip(context, points => timeTip(context, panels, points), { trigger: 'axis' });
  return { option, height: end + 62, unnamed: true, drawn: context.shown.filter(own => timesOf(own.name).some(row => panels.some(panel => known(panel.value(row))))).map(own => own.name) };
}

function panelLines(context, panel, at) {
  const line = (own, style, extra) => ({
    type: 'line', name: own.name, xAxisIndex: at, yAxisIndex: at, showSymbol: false, symbol: own.symbol, symbolSize: 6, data: timesOf(own.name).map(row => [middleOf(row), panel.value(row) ?? null]),
    lineStyle: style, itemStyle: { color: style.color }, emphasis: { lineStyle: { width: 3.5, opacity: 1 } }, ...extra,
  });
  const lines = [...context.grey.map(own => line(own, greyLine(context), { z: 1 })), ...context.shown.map(own => line(own, lineStyle(own, context, 1.8), { z: 3 }))];
  if (panel.short === 'succeeded' && context.shown.length) {
    const first = context.shown[0];
    lines.unshift({ type: 'line', name: '', xAxisIndex: at, yAxisIndex: at, showSymbol: false, silent: true, data: timesOf(first.name).map(row => [middleOf(row), row.requests / (row.to_s - row.from_s)]), lineStyle: { color: context.paint.ink, width: 1.2, type: [2, 3] }, z: 2 });
  }
  return lines;
}

/** A line a strategy, a column a panel. */
function timeTip(context, panels, points) {
  if (!points.length) return '';
  const at = points[0].axisValue / TIME.factor;
  const stretch = timesOf(context.shown[0]?.name).find(row => row.from_s <= at && at < row.to_s) || timesOf(context.shown[0]?.name).slice(-1)[0];
  if (!stretch) return '';
  const lines = context.shown.slice(0, 12).map(own => {
    const row = timesOf(own.name).find(one => one.from_s === stretch.from_s);
    return [own, own.name, ...panels.map(panel => (row ? amount(panel.kind, panel.value(row)) : NONE))];
  });
  const heads = el('tr', {}, el('td', {}), el('th', {}), panels.map(panel => el('td', { class: 'tip-head' }, panel.short)));
  const box = tip(stretchText(stretch.from_s, stretch.to_s), lines);
  box.querySelector('table').prepend(heads);
  return box;
}

function shownPanels() {
  return TIME_PANELS.filter(panel => (!panel.when || panel.when()) && TIMELINE.some(row => known(panel.value(row))));
}

const TIMELINE_CHART = {
  id: 'timeline', time: true, title: 'Over time: answers and response times',
  says: context => [`Requests stand where they arrived. A gap: too few succeeded to tell.${markedSentence()} ${failingSentence(context.shown.map(own => own.name))}`],
  choices: [{ name: 'scale', label: 'Scale of response times', initial: 'log', options: [['log', 'Log'], ['linear', 'Linear']] }],
  option: context => timeOption(context, shownPanels()),
  rows: context => rowsAsTable('timeline', ['strategy', 'from_s', 'to_s', 'requests', 'failed', 'unfinished', 'repeats', 'p50_ms', 'p99_ms'], context),
};

/** Of the sessions that were on when the first thing happened: how many have kept their state. */
const KEPT_CHART = {
  id: 'sessions-kept', time: true, title: 'Sessions that still have their state, over time',
  says: () => [`Of the sessions that were on when the first thing happened to servers.${markedSentence()}`],
  option: context => timeOption({ ...context, choice: {} }, [{ title: 'Sessions that have not lost their state', short: 'kept', kind: 'share', value: row => row.sessions_kept_share, zero: true }]),
  rows: context => rowsAsTable('timeline', ['strategy', 'from_s', 'to_s', 'sessions_kept_share'], context, row => known(row.sessions_kept_share)),
};

/** Faults at drawn times: for how much of each stretch they held. */
const FAULTS_CHART = {
  id: 'faults', time: true, title: 'For how long faults held that come at drawn times',
  says: () => ['Share of each stretch of time in which the fault held, mean over what it strikes and over replications. All strategies meet the same faults.'],
  always: true,
  option: context => {
    const own = context.shown[0] || SERIES[0];
    const rows = rowsOf('faults').filter(row => row.strategy === own.name);
    const names = distinct(rows.map(row => row.fault)).slice(0, 8);
    const option = { grid: [], xAxis: [], yAxis: [], series: [], title: [] };
    names.forEach((name, at) => {
      const top = 34 + at * 120;
      const data = rows.filter(row => row.fault === name).map(row => [middleOf(row), row.held_share]);
      option.grid.push({ left: 66, right: 18, top, height: 66, outerBoundsMode: 'none' });
      option.title.push(panelTitle(name, 0, top - 24, context, context.width));
      option.xAxis.push({ gridIndex: at, ...timeAxis(context, at === names.length - 1 ? { name: `Simulated time (${TIME.unit})`, nameLocation: 'middle', nameGap: 28 } : {}) });
      option.yAxis.push({ gridIndex: at, ...valueAxis(context, 'share', [0, extent(data.map(point => point[1]))?.[1] || 0.01], { zero: true }) });
      option.series.push({ type: 'line', name: '', step: 'middle', xAxisIndex: at, yAxisIndex: at, showSymbol: false, data, lineStyle: { color: context.paint.bad, width: 1 }, areaStyle: { color: context.paint.fault, opacity: 0.35 }, itemStyle: { color: context.paint.bad } });
    });
    option.dataZoom = timeZoom(context, names.map((_, at) => at), 8);
    option.tooltip = tooltip(context, points => tip(`at ${clock((points[0]?.axisValue || 0) / TIME.factor)}`, points.map(point => [null, names[point.axisIndex] || '', amount('share', point.value[1])])), { trigger: 'axis' });
    return { option, height: 34 + names.length * 120 + 34, drawn: [] };
  },
  rows: context => rowsAsTable('faults', ['strategy', 'fault', 'targets', 'from_s', 'to_s', 'held_share'], context),
};
