'use strict';
// The table of a sweep: a line a value, a column a strategy; the best of each line is marked.

/** The metrics that the tables and charts of a sweep offer. */
function sweptMetrics() {
  const names = distinct(rowsOf('sweep').map(row => row.metric));
  const wanted = distinct([JUDGE.name, 'mean_ms', 'p50_ms', 'p90_ms', 'p99_ms', 'p999_ms', 'success_share', 'goodput_rps', 'utilization_spread',
    'utilization_max', 'sessions_hurt_share', 'changes_lost_share', 'cost_per_hour', 'servers_mean', 'attempts_per_request', 'tries_per_request']);
  const range = name => extent(rowsOf('sweep').filter(row => row.metric === name).map(row => row.estimate));
  return wanted.filter(name => names.includes(name) && range(name) && (name === JUDGE.name || range(name)[1] > 0 || range(name)[0] < 0)).map(metricOf);
}

function sweepTable(metric) {
  const { label, and, points } = ABOUT.sweep;
  const columns = [{ title: label, numeric: false }, ...(and ? [{ title: and }] : []), ...SERIES.map(series => ({ title: series.name, numeric: true }))];
  const all = points.flatMap(point => SERIES.map(series => sweptAt(point, series.name, metric.name).estimate));
  const unit = commonUnit(metric.unit, all);
  for (const column of columns.slice(and ? 2 : 1)) column.unit = unit ? UNITS[unit][1] : '';
  const rows = points.map((point, at) => {
    const best = metric.name === JUDGE.name ? bestAt(point) : null;
    return [{ text: point.value, value: at }, ...(and ? [{ text: point.value_2, value: point.value_2 }] : []),
      ...SERIES.map(series => sweptCell(point, series, metric, unit, best))];
  });
  return sortableTable(`${metric.label}, by ${inSentence(label)}${and ? ` and ${and}` : ''}`, columns, rows);
}

function sweptCell(point, series, metric, unit, best) {
  const row = sweptAt(point, series.name, metric.name);
  const data = { strategy: series.name, metric: metric.name, value: point.value, second: point.value_2 || '', estimate: row.estimate ?? '', half: row.half_width_95 ?? '' };
  if (point.overloaded) return { node: el('span', { class: 'muted' }, 'overloaded'), value: null, data };
  const text = unit ? figure(row.estimate, row.half_width_95, unit, true) : amount(metric.unit, row.estimate, row.half_width_95);
  const isBest = best === series;
  return { node: isBest ? el('span', {}, el('span', { class: 'first', title: 'the best at this value' }, '★'), ` ${text}`) : text, value: row.estimate ?? null, data, class: isBest ? 'best' : null };
}

/** A table of one of several things, which the reader chooses: `options` are `[value, text]`. */
function chosenTable(label, options, tableOf) {
  const place = el('div', {});
  const draw = value => place.replaceChildren(tableOf(value));
  draw(options[0][0]);
  if (options.length < 2) return place;
  const choice = el('label', { class: 'choice' }, `${label} `, el('select', { onchange: event => draw(event.target.value) },
    options.map(([value, text]) => el('option', { value }, text))));
  return [choice, place];
}

/** The choice of a metric, as tables and charts offer it. */
function metricOptions(metrics) {
  return metrics.map(metric => [metric.name, metric.label]);
}

function sweepSection() {
  return [el('p', { class: 'note' }, `★ marks the ${superlative(JUDGE)} at each value, of those that fail no more than others. ± is half of a 95% interval over replications.`),
    chosenTable('Metric', metricOptions(sweptMetrics()), name => sweepTable(metricOf(name)))];
}
