'use strict';
// What `lbsim compare` found: what changed in the scenario, and what came of it.

const COMPARED = rowsOf('compare');

/** The metrics of a comparison that are known anywhere: what decides, then what people look at. */
function comparedMetrics() {
  const names = distinct(COMPARED.filter(row => known(row.difference)).map(row => row.metric));
  const wanted = distinct([JUDGE.name, 'mean_ms', 'p50_ms', 'p90_ms', 'p99_ms', 'p999_ms', 'success_share', 'goodput_rps', 'utilization_spread', 'cost_per_hour', ...names]);
  return wanted.filter(name => names.includes(name)).map(metricOf);
}

/** The strategy of a row, by both of its names where results call it differently. */
function comparedName(row) {
  return row.strategy === row.result_strategy ? row.strategy : `${row.strategy} → ${row.result_strategy}`;
}

function isSweptComparison() {
  return COMPARED.some(row => row.value);
}

/** Where a row stands of a sweep. */
function comparedAt(row) {
  return [row.value, row.value_2].filter(Boolean).join(', ');
}

function changesSection() {
  const several = ABOUT.results.length > 1;
  const rows = rowsOf('changes');
  if (!rows.length) return el('p', {}, 'Nothing: the scenarios are the same, every default filled in.');
  const columns = [{ title: 'Value' }, several && { title: 'Result' }, { title: `in ${BASELINE}` }, { title: several ? 'in the result' : `in ${ABOUT.results[0].name}` }].filter(Boolean);
  const cell = (name, value) => ({ text: value || 'not there', data: { column: name, value: value || '' }, node: value ? el('code', {}, value) : el('span', { class: 'muted' }, 'not there') });
  return sortableTable('Values of the scenario that are not the same', columns, rows.map(row => [
    { node: el('code', {}, row.path), value: row.path, text: row.path, data: { column: 'path', value: row.path } }, several && resultHead(row.result), cell('before', row.before), cell('after', row.after),
  ].filter(own => own !== false)));
}

function resultHead(name) {
  const series = BY_NAME.get(name);
  return { node: el('span', { class: 'named' }, series && swatch(series), name), value: name, data: { column: 'result', value: name } };
}

function comparedSection() {
  return [
    el('p', { class: 'note' }, `Differences to ${BASELINE}, with half of their 95% intervals. A verdict is given where the difference is significant for all strategies and results together (Holm), by each metric for itself; “not shown” does not mean “equal”.`),
    chosenTable('Metric', metricOptions(comparedMetrics()), name => comparedTable(metricOf(name))),
  ];
}

function comparedTable(metric) {
  const several = ABOUT.results.length > 1;
  const swept = isSweptComparison();
  const rows = COMPARED.filter(row => row.metric === metric.name);
  const unit = commonUnit(metric.unit, rows.flatMap(row => [row.baseline_estimate, row.estimate]));
  const sign = unit ? UNITS[unit][1] : '';
  const columns = [{ title: 'Strategy' }, several && { title: 'Result' }, swept && { title: ABOUT.sweep }, { title: 'Verdict' }, { title: BASELINE, unit: sign, numeric: true }, { title: several ? 'result' : ABOUT.results[0].name, unit: sign, numeric: true },
    { title: `less ${BASELINE}`, numeric: true, decides: true, wrap: true }, { title: 'p-value', numeric: true, note: 'Of no difference, all comparisons together (Holm)' },
    { title: 'worth', numeric: true, note: 'How many times as many independent runs would have told as much; empty where runs are no pairs' }].filter(Boolean);
  const text = (value, half) => (unit ? figure(value, half, unit, true) : amount(metric.unit, value, half));
  const cell = (name, value, said) => ({ text: said, value: value ?? null, data: { column: name, value: value ?? '' } });
  return sortableTable(`${metric.label}, of each result and of ${BASELINE}`, columns, rows.map(row => {
    const share = relative(row.relative);
    return [
      { text: comparedName(row), data: { key: [row.result, row.strategy, row.metric, row.value || '', row.value_2 || ''].join('\n') } },
      several && resultHead(row.result), swept && { text: comparedAt(row), value: ABOUT.sweep ? rowPlace(row) : null },
      { node: verdictBadge(row.verdict), value: row.verdict, data: { column: 'verdict', value: row.verdict } },
      cell('baseline_estimate', row.baseline_estimate, text(row.baseline_estimate, row.baseline_half_width_95)), cell('estimate', row.estimate, text(row.estimate, row.half_width_95)),
      cell('difference', row.difference, known(row.difference) ? `${change(metric.unit, row.difference, row.difference_half_width_95)}${share ? ` (${share})` : ''}` : NONE),
      cell('p_adjusted', row.p_adjusted, known(row.p_adjusted) ? Number(row.p_adjusted.toPrecision(2)).toString() : NONE),
      cell('gain', row.gain, known(row.gain) ? `×${NBSP}${plain(row.gain)}` : NONE),
    ].filter(own => own !== false);
  }));
}

/** The place of a row's value among those of the sweep, in their order. */
function rowPlace(row) {
  return distinct(COMPARED.map(comparedAt)).indexOf(comparedAt(row));
}

/** What was compared, and how: the facts beside the answer. */
function compareFacts() {
  const how = { paired: 'paired, replication by replication: both lived through the same luck', welch: 'as independent samples (Welch): other luck, wider intervals' };
  const runs = result => `${counted(result.replications, 'replication')} of ${clock(secondsOf(result.duration))}, seed ${result.seed}`;
  const verdicts = rows => Object.keys(VERDICTS).map(verdict => [verdict, rows.filter(row => row.verdict === verdict).length]).filter(([, count]) => count)
    .map(([verdict, count], at) => [at ? ' ' : '', verdictBadge(verdict), ` ×${NBSP}${count}`]);
  return [
    ['Against', [strong(BASELINE), `: ${runs(ABOUT.baseline)}`]],
    ...ABOUT.results.map(result => [result.name, [el('div', {}, runs(result)), el('div', {}, how[result.method] || result.method), el('div', {}, verdicts(COMPARED.filter(row => row.result === result.name && row.metric === JUDGE.name)))]]),
    ['Judged by', JUDGE.label],
    ['Changed', el('a', { href: '#changes' }, counted(rowsOf('changes').length, 'value'))],
  ];
}

/** How it was found, and what is to be borne in mind. */
function notesSection() {
  return el('ul', { class: 'points' }, ABOUT.notes.map(note => el('li', {}, prose(note))));
}
