'use strict';
// Who asks whom: clients and services from the left to the right, on a narrow page from the top
// down.

/** Nodes in columns: each one further than the furthest that asks it. */
function topology() {
  const nodes = new Map();
  const edges = [];
  const node = (name, clients) => {
    const key = `${clients ? 'clients' : 'service'}\n${name}`;
    if (!nodes.has(key)) nodes.set(key, { key, name, clients, column: 0, rate: null, zones: '', servers: null });
    return nodes.get(key);
  };
  for (const row of rowsOf('topology')) {
    const from = node(row.from, truth(row.from_clients));
    const to = node(row.to, false);
    to.zones = row.zones;
    to.servers = row.servers;
    edges.push({ from, to, rate: row.rate_rps });
  }
  // As often as there are nodes at most: services may ask each other in a ring.
  for (let round = 0; round < nodes.size; round += 1) {
    for (const { from, to } of edges) if (to !== from && to.column <= from.column && from.column + 1 < nodes.size) to.column = from.column + 1;
  }
  return { nodes: [...nodes.values()], edges };
}

/** The mean utilization of the servers of a service under a strategy. */
function busyOf(service, strategy) {
  const own = rowsOf('servers').filter(row => row.strategy === strategy && serviceOf(row.server) === service && known(row.utilization)).map(row => row.utilization);
  return own.length ? own.reduce((sum, share) => sum + share, 0) / own.length : null;
}

function topologyOption(context) {
  const strategy = context.choice.strategy;
  const { nodes, edges } = topology();
  const columns = [];
  for (const node of nodes) (columns[node.column] ||= []).push(node);
  const used = columns.filter(Boolean);
  const most = Math.max(...used.map(column => column.length));
  const across = !context.narrow && used.length * 150 <= context.width;
  const size = across ? [Math.min(170, context.width / used.length - 54), 86] : [Math.min(150, (context.width - 20) / most - 12), 86];
  const height = across ? most * 108 + 20 : used.length * 138 + 20;
  used.forEach((column, at) => column.forEach((node, place) => {
    const along = used.length > 1 ? at / (used.length - 1) : 0.5;
    const beside = (place + 0.5) / column.length;
    node.x = across ? size[0] / 2 + along * (context.width - size[0] - 8) + 4 : beside * context.width;
    node.y = across ? 10 + beside * (height - 20) : size[1] / 2 + 10 + along * (height - size[1] - 20);
  }));
  const colours = context.paint;
  const data = nodes.map(node => {
    const row = rowsOf('services').find(own => own.service === node.name && own.strategy === strategy);
    const busy = node.clients ? null : busyOf(node.name, strategy);
    const lines = node.clients ? ['clients'] : [counted(node.servers, 'server'), known(busy) ? `${percentText(Number(busy.toFixed(3)))} busy` : '', row ? `mean ${amount('time', row.mean_ms)}` : ''];
    return {
      name: node.key, symbol: 'rect', symbolSize: size, value: [node.x, height - node.y], about: [node, row, busy],
      itemStyle: { color: colours.panel, borderColor: busy >= 0.8 ? colours.bad : node.clients ? colours.muted : colours.accent, borderWidth: busy >= 0.8 ? 3 : 1.5, borderType: node.clients ? 'dashed' : 'solid' },
      label: { show: true, formatter: () => `{n|${plainLabel(node.name)}}\n${lines.filter(Boolean).map(line => `{t|${line}}`).join('\n')}`, rich: { n: { fontWeight: 600, fontSize: 12, color: colours.ink, width: size[0] - 10, overflow: 'truncate', lineHeight: 17 }, t: { fontSize: 11, color: colours.muted, lineHeight: 15 } } },
    };
  });
  const links = edges.map(edge => ({
    source: edge.from.key, target: edge.to.key, lineStyle: { color: colours.muted, width: 1.5, curveness: edge.to.column <= edge.from.column ? 0.3 : 0 },
  }));
  // Between the frames, and not on them.
  const rates = edges.filter(edge => known(edge.rate) && edges.length <= 24).map(({ from, to, rate }) => {
    const [dx, dy] = across ? [Math.sign(to.x - from.x) * size[0] / 2, 0] : [0, Math.sign(to.y - from.y) * size[1] / 2];
    const share = Math.abs(across ? size[0] / (to.x - from.x || 1) : size[1] / (to.y - from.y || 1)) / 2;
    const slope = across ? (to.y - from.y) * share : (to.x - from.x) * share;
    const start = [from.x + dx + (across ? 0 : slope), from.y + dy + (across ? slope : 0)];
    const end = [to.x - dx - (across ? 0 : slope), to.y - dy - (across ? slope : 0)];
    return { type: 'text', silent: true, z: 100, x: (start[0] + end[0]) / 2, y: (start[1] + end[1]) / 2 - (across ? 9 : 0), style: { text: amount('rate', rate), fill: colours.ink, font: `11px ${colours.font}`, align: 'center', verticalAlign: 'middle', backgroundColor: across ? 'transparent' : colours.paper, padding: 2 } };
  });
  return {
    option: {
      graphic: rates, series: [{ type: 'graph', layout: 'none', coordinateSystem: 'cartesian2d', data, links, edgeSymbol: ['none', 'arrow'], edgeSymbolSize: 8, cursor: 'default' }],
      grid: { left: 0, right: 0, top: 0, bottom: 0, outerBoundsMode: 'none' }, xAxis: { type: 'value', show: false, min: 0, max: context.width }, yAxis: { type: 'value', show: false, min: 0, max: height },
      tooltip: tooltip(context, point => topologyTip(point), { trigger: 'item' }),
    },
    height, drawn: [],
    text: edges.map(edge => `${edge.from.name} asks ${edge.to.name}${known(edge.rate) ? ` ${amount('rate', edge.rate)}` : ''}.`).join(' '),
  };
}

/** Braces and bars mean something in labels with styles. */
function plainLabel(text) {
  return text.replaceAll('{', '(').replaceAll('}', ')').replaceAll('|', '¦');
}

function topologyTip(point) {
  if (point.dataType !== 'node') return '';
  const [node, row, busy] = point.data.about;
  const lines = [];
  if (node.zones) lines.push([null, 'zones', node.zones]);
  if (known(busy)) lines.push([null, 'mean utilization', amount('share', busy)]);
  if (row) lines.push([null, 'mean response time', amount('time', row.mean_ms, row.mean_half_width_95)], ...TIME_PARTS.map(part => [null, part.name, amount('time', row[part.column])]));
  return tip(node.name, lines);
}

const TOPOLOGY_CHART = {
  id: 'topology', always: true, title: 'Who asks whom',
  says: () => ['Numbers on the lines: requests a second that are to be, each call made once. A thick red frame: servers that are busy for 80% of the time or more.'],
  choices: [{ name: 'strategy', label: 'Under', initial: BASELINE, options: SERIES.map(series => [series.name, series.name]) }],
  option: topologyOption,
  rows: context => rowsAsTable('topology', ['from', 'to', 'rate_rps', 'zones', 'servers'], { ...context, shown: SERIES }),
};
