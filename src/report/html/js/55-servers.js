'use strict';
// What each server gets: its share of the requests, how busy it is, how long requests wait at it.

const SERVER_METRICS = [
  ['request_share', 'Share of requests', 'share', 'request_share_half_width_95'], ['utilization', 'Utilization in the measured window', 'share', 'utilization_half_width_95'],
  ['wait_ms', 'Mean time in the queue', 'time', null], ['failures', 'Failed attempts', 'count', null],
];
// Beyond so many servers names cannot be read, and servers are ranked.
const NAMED_SERVERS = 40;

function manyServers(service) {
  return distinct(rowsOf('servers').filter(row => serviceOf(row.server) === service).map(row => row.server)).length > NAMED_SERVERS;
}

function serviceOf(server) {
  return String(server).split('/')[0];
}

/** Services, those first of which strategies make the most difference. */
function servedServices() {
  const rows = rowsOf('servers');
  const names = distinct(rows.map(row => serviceOf(row.server)));
  const apart = name => {
    const range = extent(rows.filter(row => serviceOf(row.server) === name).map(row => (row.request_share ?? 0) - (row.capacity_share ?? 0)));
    return range ? range[1] - range[0] : 0;
  };
  return names.map(name => [apart(name), name]).sort((a, b) => b[0] - a[0]).map(([, name]) => name);
}

function serverMetrics() {
  return SERVER_METRICS.filter(([column]) => rowsOf('servers').some(row => row[column] > 0));
}

/** The rows of a service, of servers that were there: who never was has no share, not one of 0. */
function servedRows(service) {
  return rowsOf('servers').filter(row => serviceOf(row.server) === service && !wasNever(row.strategy, row.server));
}

function serversOption(context) {
  const [column, title, kind, half] = SERVER_METRICS.find(([name]) => name === context.choice.metric);
  const rows = servedRows(context.choice.service);
  const servers = distinct(rows.map(row => row.server));
  return servers.length > NAMED_SERVERS ? rankedServers(context, rows, column, title, kind) : namedServers(context, rows, servers, column, title, kind, half);
}

/** A row a server, a mark a strategy. */
function namedServers(context, rows, servers, column, title, kind, half) {
  const short = withoutService(servers);
  const left = context.narrow ? 96 : 160;
  const row = Math.max(24, Math.min(64, context.shown.length * 9 + 8));
  const tall = servers.length * row + 12;
  const ends = rows.filter(own => isOn(own.strategy)).flatMap(own => (known(own[column]) ? [Math.max(0, own[column] - (own[half] || 0)), own[column] + (own[half] || 0)] : []));
  if (column === 'request_share') ends.push(...rows.map(own => own.capacity_share).filter(known));
  const range = extent(column === 'request_share' ? ends : [0, ...ends]);
  const colours = context.paint;
  const series = context.shown.flatMap((own, at) => {
    const offset = context.shown.length > 1 ? (at / (context.shown.length - 1) - 0.5) * (row - 12) : 0;
    const data = rows.filter(one => one.strategy === own.name && known(one[column]));
    return [
      { ...marks(own, context, data.map(one => [one[column], short(one.server)])), symbolSize: 8, symbolOffset: [0, offset], tooltip: { formatter: point => serverTip(title, kind, half, column, own, data[point.dataIndex]) } },
      half ? shifted(whiskers(own, colours.of(own), data.filter(one => one[half] > 0).map(one => [one[column], short(one.server), Math.max(0, one[column] - one[half]), one[column] + one[half]]), { across: true }), offset) : null,
    ].filter(Boolean);
  });
  if (column === 'request_share') {
    const capacity = distinct(rows.map(one => one.server)).map(server => rows.find(one => one.server === server)).filter(one => known(one.capacity_share));
    series.push({ type: 'scatter', name: '', silent: true, symbol: 'rect', symbolSize: [2, row - 4], z: 2, data: capacity.map(one => [one.capacity_share, short(one.server)]), itemStyle: { color: colours.muted, opacity: 0.8 } });
  }
  return {
    option: {
      grid: { left, right: 24, top: 10, height: tall, outerBoundsMode: 'none' },
      xAxis: { ...valueAxis(context, kind, range), name: title, nameLocation: 'middle', nameGap: 30 },
      yAxis: { ...nameAxis(context, servers.map(short), { width: left - 12 }), splitLine: { show: true, lineStyle: { color: colours.grid } } },
      series, tooltip: tooltip(context, () => '', { trigger: 'item' }),
    },
    height: tall + 66, unnamed: true, drawn: context.shown.map(own => own.name).filter(name => rows.some(one => one.strategy === name && known(one[column]))),
  };
}

/** Intervals beside each other in one row. */
function shifted(series, offset) {
  const draw = series.renderItem;
  return { ...series, renderItem: (params, api) => { const made = draw(params, api); return made && { ...made, y: offset }; } };
}

function serverTip(title, kind, half, column, own, row) {
  return tip(row.server, [[own, own.name, amount(kind, row[column], half ? row[half] : null)], [null, 'weight', plain(row.weight)], ...(known(row.capacity_share) ? [[null, 'share of capacity', amount('share', row.capacity_share)]] : [])]);
}

/** Very many servers: each strategy's in the order of the value. */
function rankedServers(context, rows, column, title, kind) {
  const lines = [...context.grey, ...context.shown].map(own => {
    const values = rows.filter(row => row.strategy === own.name && known(row[column])).map(row => row[column]).sort((a, b) => b - a);
    const every = Math.max(1, Math.floor(values.length / 250));
    return { own, points: values.map((value, at) => [at + 1, value]).filter((_, at) => at % every === 0 || at === values.length - 1) };
  });
  const range = extent(lines.flatMap(line => line.points.map(point => point[1])));
  const most = Math.max(...lines.map(line => line.points.slice(-1)[0]?.[0] || 1));
  const style = axisStyle(context);
  const height = context.narrow ? 320 : 380;
  const room = context.narrow ? 16 : 172;
  const yAxis = valueAxis(context, kind, range, { name: title });
  const ends = lines.filter(line => isOn(line.own.name) && line.points.length).map(({ own, points }) => ({ series: own, text: own.name, x: context.width - room, y: pixelOf(yAxis, points[points.length - 1][1], height - 54, 34) }));
  return {
    option: {
      graphic: namesAtEnds(context, ends) ? sideLabels(context, ends, { left: context.width - room + 12, width: room - 14, top: 20, bottom: height - 40 }) : [],
      grid: { left: 66, right: room, top: 34, bottom: 54, outerBoundsMode: 'none' },
      xAxis: { ...style, type: 'value', axisPointer: { triggerEmphasis: false }, min: 1, max: most, name: 'Servers, the one with most first', nameLocation: 'middle', nameGap: 30, splitLine: { show: false } },
      yAxis: { ...yAxis, nameTextStyle: { ...style.nameTextStyle, align: 'left', padding: [0, 0, 0, -58] } },
      series: lines.map(({ own, points }) => ({ type: 'line', name: own.name, data: points, showSymbol: false, symbol: own.symbol, lineStyle: isOn(own.name) ? lineStyle(own, context) : greyLine(context), itemStyle: { color: context.paint.of(own) } })),
      tooltip: tooltip(context, points => tip(`Server number ${points[0]?.value[0]} by ${inSentence(title)}`, points.filter(point => isOn(point.seriesName)).map(point => [BY_NAME.get(point.seriesName), point.seriesName, amount(kind, point.value[1])])), { trigger: 'axis' }),
    },
    height, unnamed: !namesAtEnds(context, ends), drawn: context.shown.map(own => own.name),
  };
}

const SERVERS_CHART = {
  id: 'servers', title: context => `${SERVER_METRICS.find(([name]) => name === context.choice.metric)[1]}, by server${servedServices().length > 1 ? ` of ${context.choice.service}` : ''}`,
  says: context => [[manyServers(context.choice.service) ? 'Servers in the order of the value, each strategy by itself: the flatter, the more alike they are.' : context.choice.metric === 'request_share' ? 'Bars across a row: the share of the capacity that the server has. Marks right of it: more than its share.' : 'A mark a strategy; lines are 95% intervals.',
    servedRows(context.choice.service).length < rowsOf('servers').filter(row => serviceOf(row.server) === context.choice.service).length && ' No mark: the server never was there under that strategy.'].filter(Boolean)],
  choices: [
    { name: 'metric', label: 'Show', initial: serverMetrics()[0]?.[0] || 'request_share', options: serverMetrics().map(([column, title]) => [column, title]) },
    { name: 'service', label: 'Service', initial: servedServices()[0], options: servedServices().map(name => [name, name]) },
  ],
  option: serversOption,
  rows: context => rowsAsTable('servers', ['strategy', 'server', 'weight', 'capacity_share', 'request_share', 'utilization', 'wait_ms', 'failures'], context, row => serviceOf(row.server) === context.choice.service),
};
