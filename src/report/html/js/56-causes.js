'use strict';
// Bars of parts: why requests failed, and why sessions lost their state.

const CAUSES = {
  failed_no_server: 'no server could be picked', failed_crash: 'the server was dead or died', failed_queue_full: 'the queue was full', failed_timeout: 'timeout',
  failed_error: 'answered with an error', failed_gave_up: 'the client gave up', failed_limited: 'a limit was reached', unfinished: 'still under way at the end',
  crash: 'its server died', moved: 'went to another server', unreachable: 'its server was thought down', 'scale-in': 'its server left the pool', drained: 'its server was drained',
  evicted: 'there was no room', expired: 'it was forgotten too early', 'table-lost': 'the table was lost', 'store-lost': 'it died with the store', 'key-rotated': 'the key held no longer',
  'cookie-dropped': 'the client keeps no cookies', 'store-away': 'the store did not answer',
};
// Apart from each other in hue and lightness; patterns tell them apart without colour.
const PART_COLOURS = [['#b3412f', '#e0715f'], ['#e8a33d', '#f3bd6a'], ['#3a7ca5', '#6fb1da'], ['#88619e', '#b795cc'], ['#5c8d63', '#8fc197'], ['#8c8c8c', '#b5b5b5'], ['#7a2f4f', '#c2708f'], ['#c9c04a', '#ded778'], ['#2f4858', '#8aa5b5'], ['#d98ca6', '#efb6c8'], ['#4f3a2e', '#b39b8d'], ['#9fc5c9', '#c3e0e3']];
const PART_DECALS = [null, { symbol: 'rect', dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: Math.PI / 4 }, null, { symbol: 'circle', symbolSize: 0.5, dashArrayX: [[6, 6], [0, 6, 6, 0]], dashArrayY: [6, 0] }, { symbol: 'rect', dashArrayX: [1, 0], dashArrayY: [2, 6] }, null];

/**
 * Bars on top of each other. `parts` are `{name, value(series)}`; `totals(series)` is a text at
 * the end of the bar, `range` what the axis shows.
 */
function stackOption(context, { parts, kind, axis, total, textOf: text }) {
  const names = context.shown.map(own => own.name);
  const left = context.narrow ? 118 : 190;
  const tallest = Math.max(...names.map(name => linesOf(name, left - 20)));
  const tall = names.length * Math.max(34, tallest * 15 + 8) + 12;
  const most = Math.max(...context.shown.map(total), 0);
  const seen = parts.filter(part => context.shown.some(own => part.value(own) > 0));
  if (!seen.length || most <= 0) return null;
  const style = axisStyle(context);
  const series = seen.map((part, at) => ({
    type: 'bar', name: part.name, stack: 'all', barMaxWidth: 22, data: context.shown.map(own => part.value(own) || 0),
    itemStyle: { color: partColour(parts, part, context), decal: PART_DECALS[parts.indexOf(part) % PART_DECALS.length], borderColor: context.paint.paper, borderWidth: 1 },
    label: at === seen.length - 1 ? { show: true, position: 'right', color: context.paint.ink, fontSize: 12, formatter: point => text(context.shown[point.dataIndex]) } : { show: false },
  }));
  return {
    option: {
      grid: { left, right: context.narrow ? 56 : 90, top: 6, height: tall, outerBoundsMode: 'none' },
      xAxis: { ...valueAxis(context, kind, [0, most], { zero: true }), name: axis, nameLocation: 'middle', nameGap: 30, nameTextStyle: { ...style.nameTextStyle, width: context.width - left - 20, overflow: 'break' } },
      yAxis: nameAxis(context, names, { width: left - 16 }), series,
      tooltip: tooltip(context, points => tip(points[0]?.name || '', points.filter(point => point.value > 0).map(point => [null, point.seriesName, amount(kind, point.value)])), { trigger: 'axis', axisPointer: { type: 'shadow' } }),
    },
    height: tall + 62, drawn: names,
    text: context.shown.map(own => `${own.name}: ${seen.filter(part => part.value(own) > 0).map(part => `${part.name} ${amount(kind, part.value(own))}`).join(', ') || 'none'}.`).join(' '),
  };
}

function partColour(parts, part, { paint: colours }) {
  const pair = part.colour || PART_COLOURS[parts.indexOf(part) % PART_COLOURS.length];
  return pair[colours.dark ? 1 : 0];
}

/** What the colours of the parts are. */
function partKey(context, parts) {
  return el('ul', { class: 'key' }, parts.map(part => el('li', {}, el('span', { class: 'patch', 'aria-hidden': 'true', style: `background:${partColour(parts, part, context)}` }), ` ${part.name}`)));
}

function causeParts(file, column, causeOf) {
  const rows = rowsOf(file);
  const causes = distinct(rows.filter(row => row[column] > 0).map(row => row.cause));
  return causes.map(cause => ({
    name: causeOf(cause), cause, value: own => rows.find(row => row.strategy === own.name && row.cause === cause)?.[column] ?? 0,
  }));
}

function causeName(cause) {
  return CAUSES[cause] || cause.replace(/^failed_/, '').replaceAll('_', ' ');
}

function sumOf(parts, own) {
  return parts.reduce((sum, part) => sum + part.value(own), 0);
}

const FAILURES_CHART = {
  id: 'failures', title: 'Why requests failed',
  says: () => ['Share of all requests in the measured window, by cause.'],
  legend: context => partKey(context, causeParts('failures', 'failed_share', causeName)),
  option: context => {
    const parts = causeParts('failures', 'failed_share', causeName);
    return stackOption(context, { parts, kind: 'share', axis: 'Failed requests, of all', total: own => sumOf(parts, own), textOf: own => percentText(sumOf(parts, own)) });
  },
  rows: context => rowsAsTable('failures', ['strategy', 'cause', 'failed', 'failed_half_width_95', 'failed_share'], context),
};

const SESSIONS_CHART = {
  id: 'sessions', title: context => (context.choice.what === 'lost' ? 'Times that sessions lost their state, by cause' : 'Sessions that lost their state, by the cause of the first loss'),
  says: context => [context.choice.what === 'lost' ? 'A session that is sent about may lose its state often.' : 'Each session counts once: the share of users who noticed.'],
  choices: [{ name: 'what', label: 'Count', initial: 'hurt_share', options: [['hurt_share', 'Sessions'], ['lost', 'Losses']] }],
  legend: context => partKey(context, causeParts('sessions', context.choice.what, causeName)),
  option: context => {
    const { what } = context.choice;
    const parts = causeParts('sessions', what, causeName);
    const kind = what === 'lost' ? 'count' : 'share';
    return stackOption(context, { parts, kind, axis: what === 'lost' ? 'Losses of a state, a replication' : 'Sessions that lost their state, of all', total: own => sumOf(parts, own), textOf: own => amount(kind, sumOf(parts, own)) });
  },
  rows: context => rowsAsTable('sessions', ['strategy', 'cause', 'sessions', 'lost', 'lost_half_width_95', 'hurt', 'hurt_half_width_95', 'hurt_share'], context),
};
