'use strict';
// What is paid for what: two metrics held against each other. Whoever is beaten in both by nobody
// is efficient.

function tradeMetrics() {
  const names = distinct([...TRADED, JUDGE.name]);
  return names.filter(name => SERIES.some(own => known(summaryOf(own.name, name).estimate)) && varies(name)).map(metricOf);
}

const TRADED = ['cost_per_hour', 'cost_per_million', 'sessions_hurt_share', 'changes_lost_share', 'stale_reads_share', 'success_share', 'utilization_max', 'attempts_per_request', 'servers_mean', 'mean_ms', 'p50_ms', 'p99_ms', 'goodput_rps'];

/**
 * What is paid: a cost where strategies cost differently, what sessions lose, or what fails;
 * against the tail.
 */
function tradeDefaults() {
  const names = tradeMetrics().map(metric => metric.name);
  const paid = [JUDGE.unit === 'time' ? '' : JUDGE.name, 'cost_per_hour', 'sessions_hurt_share', 'changes_lost_share', 'success_share', 'attempts_per_request'].find(name => names.includes(name));
  const took = ['p99_ms', 'mean_ms'].find(name => names.includes(name));
  return [paid, took];
}

function isTraded() {
  const [paid, took] = tradeDefaults();
  return SERIES.length > 1 && Boolean(paid && took);
}

/** Whether a strategy is beaten in both by one that fails no more. */
function isBeaten(one, all, [x, y]) {
  const good = metric => value => (metric.better === 'more' ? -value : value);
  const [gx, gy] = [good(x), good(y)];
  return all.some(other => other !== one && other.success >= one.success && gx(other.x) <= gx(one.x) && gy(other.y) <= gy(one.y) && (gx(other.x) < gx(one.x) || gy(other.y) < gy(one.y)));
}

function tradeOption(context) {
  const [x, y] = [metricOf(context.choice.x), metricOf(context.choice.y)];
  const all = context.shown.map(own => {
    const [a, b] = [x, y].map(metric => summaryOf(own.name, metric.name));
    return { own, x: a.estimate, y: b.estimate, dx: a.half_width_95 || 0, dy: b.half_width_95 || 0, success: successOf(own.name) };
  }).filter(one => known(one.x) && known(one.y));
  if (!all.length) return null;
  const colours = context.paint;
  const efficient = all.filter(one => !isBeaten(one, all, [x, y])).sort((a, b) => a.x - b.x);
  const range = which => extent(all.flatMap(one => [Math.max(0, one[which] - one[`d${which}`]), one[which] + one[`d${which}`]]));
  const series = all.flatMap(one => {
    const colour = colours.of(one.own);
    const hollow = !efficient.includes(one);
    const log = (name, value) => floor(value, context.choice.scale === 'log' && (name === 'x' ? x : y).unit !== 'share', range(name));
    return [
      one.dx > 0 ? whiskers(one.own, colour, [[one.x, one.y, log('x', one.x - one.dx), one.x + one.dx]], { across: true }) : null,
      one.dy > 0 ? whiskers(one.own, colour, [[one.x, one.y, log('y', one.y - one.dy), one.y + one.dy]]) : null,
      marks(one.own, context, [[one.x, one.y]], {
        symbolSize: 14, itemStyle: hollow ? { color: colours.paper, borderColor: colour, borderWidth: 2.5 } : { color: colour },
        tooltip: { formatter: () => tip(one.own.name, [[one.own, x.label, amount(x.unit, one.x, one.dx)], [null, y.label, amount(y.unit, one.y, one.dy)], [null, 'succeed', percentText(one.success)]]) },
      }),
    ].filter(Boolean);
  });
  series.unshift({ type: 'line', name: '', silent: true, showSymbol: false, symbol: 'none', data: efficient.map(one => [one.x, one.y]), lineStyle: { color: colours.muted, type: [6, 4], width: 1.3 }, z: 1, tooltip: { show: false } });
  const style = axisStyle(context);
  const axis = (metric, which) => valueAxis(context, metric.unit, range(which), { log: context.choice.scale === 'log' && metric.unit !== 'share' });
  const height = context.narrow ? 380 : 440;
  const [xAxis, yAxis] = [axis(x, 'x'), axis(y, 'y')];
  const area = { left: 66, right: context.width - 24, top: 36, bottom: height - 54 };
  const points = all.map(one => ({ series: one.own, text: context.narrow ? one.own.name : nameAndSuccess(one.own.name), x: pixelOf(xAxis, one.x, area.left, area.right), y: pixelOf(yAxis, one.y, area.bottom, area.top), one }));
  const bars = points.flatMap(({ x: left, y: top, one }) => {
    const [above, beside] = [top - pixelOf(yAxis, one.y + one.dy, area.bottom, area.top), pixelOf(xAxis, one.x + one.dx, area.left, area.right) - left];
    return [{ left: left - 2, right: left + 2, top: top - above, bottom: top + above }, { left: left - beside, right: left + beside, top: top - 2, bottom: top + 2 }];
  });
  // The line that joins the efficient ones is not covered either.
  const joined = efficient.map(one => points.find(own => own.one === one));
  const steps = joined.slice(1).flatMap((to, at) => Array.from({ length: 40 }, (_, step) => {
    const [px, py] = [joined[at].x + (to.x - joined[at].x) * step / 40, joined[at].y + (to.y - joined[at].y) * step / 40];
    return { left: px - 2, right: px + 2, top: py - 2, bottom: py + 2 };
  }));
  return {
    option: {
      graphic: markLabels(context, points, [...bars, ...steps], area, context.narrow ? 120 : 320),
      grid: { left: 66, right: 24, top: 36, bottom: 54, outerBoundsMode: 'none' },
      xAxis: { ...xAxis, name: x.label, nameLocation: 'middle', nameGap: 32 },
      yAxis: { ...yAxis, name: y.label, nameTextStyle: { ...style.nameTextStyle, align: 'left', padding: [0, 0, 0, -58] } },
      series, tooltip: tooltip(context, () => '', { trigger: 'item' }),
    },
    height, drawn: all.map(one => one.own.name),
    text: all.map(one => `${nameAndSuccess(one.own.name)}: ${amount(x.unit, one.x)} and ${amount(y.unit, one.y)}${efficient.includes(one) ? '' : ', beaten in both'}.`).join(' '),
  };
}

const TRADEOFF_CHART = {
  id: 'tradeoff', title: context => `${metricOf(context.choice.y).label} against ${inSentence(metricOf(context.choice.x).label)}`,
  says: context => ['Filled and joined: no other that fails no more is better in both. Hollow: another one is. Lines are 95% intervals. ', failingSentence(context.shown.map(own => own.name))],
  choices: [
    { name: 'x', label: 'Across', initial: tradeDefaults()[0], options: metricOptions(tradeMetrics()) },
    { name: 'y', label: 'Up', initial: tradeDefaults()[1], options: metricOptions(tradeMetrics()) },
    { name: 'scale', label: 'Scale', initial: 'linear', options: [['linear', 'Linear'], ['log', 'Log']] },
  ],
  option: tradeOption,
  rows: context => rowsAsTable('summary', ['strategy', 'metric', 'estimate', 'half_width_95'], context, row => row.metric === context.choice.x || row.metric === context.choice.y),
};
