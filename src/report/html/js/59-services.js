'use strict';
// Where the time goes: of each service how long requests wait there, are worked on, and wait for
// what the service calls.

const TIME_PARTS = [
  { name: 'wait for a slot', column: 'wait_ms', colour: ['#c2402f', '#e57563'] }, { name: 'work', column: 'work_ms', colour: ['#2f7f5f', '#63b796'] },
  { name: 'calls to other services', column: 'called_ms', colour: ['#e0a93b', '#f2c76e'] }, { name: 'rest: network and retries', column: 'rest_ms', colour: ['#7b8494', '#aab2c0'] },
];

function servicesOption(context) {
  const rows = rowsOf('services');
  const services = distinct(rows.map(row => row.service));
  const left = context.narrow ? 118 : 190;
  const tallest = Math.max(...context.shown.map(own => linesOf(own.name, left - 20)));
  const each = context.shown.length * Math.max(26, tallest * 15 + 4) + 8;
  const option = { grid: [], xAxis: [], yAxis: [], series: [], title: [] };
  const most = Math.max(...rows.filter(row => isOn(row.strategy)).map(row => row.mean_ms || 0));
  if (!(most > 0)) return null;
  services.forEach((service, at) => {
    const top = 26 + at * (each + 34);
    const last = at === services.length - 1;
    const own = context.shown.map(series => rows.find(row => row.service === service && row.strategy === series.name));
    option.grid.push({ left, right: context.narrow ? 64 : 92, top, height: each, outerBoundsMode: 'none' });
    option.title.push(panelTitle(service, 0, top - 20, context, context.width));
    const axis = valueAxis(context, 'time', [0, most], { zero: true });
    option.xAxis.push({ gridIndex: at, ...axis, ...(last ? { name: 'Mean response time', nameLocation: 'middle', nameGap: 30 } : { axisLabel: { ...axis.axisLabel, show: false }, axisTick: { show: false } }) });
    option.yAxis.push({ gridIndex: at, ...nameAxis(context, context.shown.map(series => series.name), { width: left - 16 }) });
    TIME_PARTS.forEach((part, place) => option.series.push({
      type: 'bar', name: part.name, stack: service, xAxisIndex: at, yAxisIndex: at, barMaxWidth: 18, data: own.map(row => (row ? row[part.column] || 0 : 0)),
      itemStyle: { color: partColour(TIME_PARTS, part, context), decal: PART_DECALS[place], borderColor: context.paint.paper, borderWidth: 1 },
      label: { show: place === TIME_PARTS.length - 1, position: 'right', fontSize: 12, color: context.paint.ink, formatter: point => amount('time', own[point.dataIndex]?.mean_ms, own[point.dataIndex]?.mean_half_width_95).replace(/±.*\s/, '') },
      tooltip: { formatter: point => serviceTip(service, context.shown[point.dataIndex], own[point.dataIndex]) },
    }));
  });
  option.tooltip = tooltip(context, () => '', { trigger: 'item' });
  return { option, height: 26 + services.length * (each + 34) + 40, drawn: context.shown.map(own => own.name) };
}

function serviceTip(service, own, row) {
  if (!row) return '';
  return tip(service, [[own, own.name, amount('time', row.mean_ms, row.mean_half_width_95)], ...TIME_PARTS.map(part => [null, part.name, amount('time', row[part.column])]),
    [null, 'attempts for each client’s request', plain(row.attempts_per_client_request)], [null, 'succeed', known(row.success_share) ? percentText(row.success_share) : NONE]]);
}

const SERVICES_CHART = {
  id: 'services', title: 'Where the time goes, service by service',
  says: () => ['Mean response time of each service as whoever asks it sees it. What a service waits for in others is the time of those again.'],
  legend: context => partKey(context, TIME_PARTS),
  option: servicesOption,
  rows: context => rowsAsTable('services', ['service', 'strategy', 'requests', 'attempts_per_client_request', 'success_share', 'mean_ms', 'mean_half_width_95', 'wait_ms', 'work_ms', 'called_ms', 'rest_ms', 'p99_ms'], context),
};
