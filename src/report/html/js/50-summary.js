'use strict';
// A panel a metric, a mark a strategy, with its interval: the figures of the table, seen.

/** The metrics that are drawn: what decides, and what people look at first, where it differs. */
function summaryMetrics() {
  const wanted = distinct([JUDGE.name, 'mean_ms', 'p50_ms', 'p99_ms', 'success_share', 'utilization_spread', 'sessions_hurt_share', 'changes_lost_share', 'cost_per_hour']);
  return wanted.filter(name => name === JUDGE.name || varies(name)).slice(0, 6).map(metricOf);
}

/** Panels beside each other: their places, for a number of rows each. */
function panelsOf(context, count, rows, { rowHeight = 32, label = 150, least = 250, head = 30 } = {}) {
  const across = context.narrow ? 1 : Math.max(1, Math.min(count, 3, Math.floor((context.width - label) / least)));
  const names = context.narrow ? Math.min(label, 118) : label;
  const room = (context.width - names - 14) / across;
  const tall = rows * rowHeight + 16;
  const each = tall + head + 44;
  const panels = Array.from({ length: count }, (_, at) => ({
    left: names + (at % across) * room + (at % across ? 20 : 0), top: Math.floor(at / across) * each + head, width: room - (at % across ? 20 : 0) - 22, height: tall, first: at % across === 0, number: at,
  }));
  return { panels, height: Math.ceil(count / across) * each, names };
}

/**
 * Marks with whiskers in panels; `panels` are `{title, kind, values: [[series, estimate, half]],
 * log}`.
 */
function dotPanels(context, panels) {
  const series = context.shown;
  if (!panels.length || !series.length) return null;
  const tallest = Math.max(...series.map(own => linesOf(own.name, context.narrow ? 100 : 132)));
  const titles = panels.map(panel => panel.title + (panel.log ? ' (log)' : ''));
  const head = 14 + 16 * Math.max(...titles.map(title => linesOf(title, context.narrow ? context.width : 300, 13)));
  const place = panelsOf(context, panels.length, series.length, { rowHeight: Math.max(34, tallest * 15 + 6), head });
  const option = { grid: [], xAxis: [], yAxis: [], series: [], title: [] };
  panels.forEach((panel, at) => {
    const own = place.panels[at];
    option.grid.push({ left: own.left, top: own.top, width: own.width, height: own.height, outerBoundsMode: 'none' });
    option.title.push(panelTitle(titles[at], own.first ? 0 : own.left, own.top - head + 2, context, own.first ? own.width + place.names : own.width));
    const range = extent(panel.values.flatMap(([, value, half]) => (known(value) ? [Math.max(0, value - (half || 0)), value + (half || 0)] : [])));
    option.xAxis.push({ gridIndex: at, ...valueAxis(context, panel.kind, range, { log: panel.log, few: true }), splitNumber: 4 });
    option.yAxis.push({ gridIndex: at, ...nameAxis(context, series.map(one => one.name), { width: place.names - 14, show: own.first }) });
    for (const [one, value, half] of panel.values) {
      if (!known(value)) continue;
      if (known(half) && half > 0) option.series.push(whiskers(one, context.paint.of(one), [[value, one.name, floor(value - half, panel.log, range), value + half]], { across: true, xAxisIndex: at, yAxisIndex: at }));
      option.series.push(marks(one, context, [[value, one.name]], {
        xAxisIndex: at, yAxisIndex: at,
        label: { show: true, position: 'top', distance: 3, align: isRight(value, panel, range) ? 'right' : 'left', formatter: () => amount(panel.kind, value), color: context.paint.ink, fontSize: 11 },
        tooltip: { formatter: () => tip(panel.title, [[one, one.name, amount(panel.kind, value, half)]]) },
      }));
    }
  });
  option.tooltip = tooltip(context, () => '', { trigger: 'item' });
  return { option, height: place.height, drawn: series.map(one => one.name) };
}

function isRight(value, panel, [low, high]) {
  return panel.log && low > 0 ? Math.log(value / low) > Math.log(high / low) * 0.7 : value > low + (high - low) * 0.7;
}

/**
 * Nothing that is measured is less than zero, whatever the interval; and a logarithmic axis has no
 * place for zero itself.
 */
function floor(value, log, range) {
  return log && value <= 0 ? Math.max(range[0], 1e-9) / 2 : Math.max(0, value);
}

function spreadOf(values) {
  const range = extent(values.filter(value => value > 0));
  return range ? range[1] / range[0] : 1;
}

const SUMMARY_CHART = {
  id: 'summary', title: 'Metrics of each strategy, with 95% intervals',
  says: context => [`A mark a strategy, the line through it its 95% interval. ${failingSentence(context.shown.map(own => own.name))}`],
  choices: [{ name: 'scale', label: 'Scale', initial: 'auto', options: [['auto', 'Scale as it suits'], ['linear', 'Linear'], ['log', 'Log']] }],
  option: context => dotPanels(context, summaryMetrics().map(metric => {
    const values = context.shown.map(series => { const row = summaryOf(series.name, metric.name); return [series, row.estimate, row.half_width_95]; });
    const positive = values.every(([, value, half]) => !known(value) || value - (half || 0) > 0);
    const wide = metric.unit !== 'share' && spreadOf(values.map(([, value]) => value)) > 20;
    const log = positive && metric.unit !== 'share' && (context.choice.scale === 'log' || (context.choice.scale === 'auto' && wide));
    return { title: metric.label, kind: metric.unit, values, log };
  })),
  rows: context => rowsAsTable('summary', ['strategy', 'metric', 'estimate', 'half_width_95', 'n'], context, row => known(row.estimate)),
};
