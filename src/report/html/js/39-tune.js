'use strict';
// What `lbsim tune` found: the values beside those that stand there now, what they gain, and how
// sure that is.

/** The objective of the answer against each other configuration, as a share of that one's. */
function objectives() {
  return rowsOf('check').filter(row => row.metric === 'objective' && known(row.relative)).map(row => ({
    with: row.with, situation: row.situation, difference: row.relative, half_width_95: known(row.half_width_95) ? row.half_width_95 / Math.abs(row.other) : null, verdict: objectiveVerdict(row), p_adjusted: row.p_value,
  }));
}

/** Whether a difference of the objective is one: for all comparisons together (Holm). */
function objectiveVerdict(row) {
  if (!known(row.p_value)) return '';
  return row.p_value > 0.05 ? 'not shown' : row.difference < 0 ? 'better' : 'worse';
}

function tuneFacts() {
  const ended = { tolerance: 'it has converged', astray: 'it came no closer', requests: 'its requests ran out before it had converged', time: 'its time ran out before it had converged' };
  return [
    ['Set', el('ul', {}, rowsOf('weights').map(row => el('li', {}, el('code', {}, row.value), ` ${row.current}`, row.tuned === row.current ? ' stays' : [' → ', strong(row.tuned)])))],
    ['Under', ABOUT.strategy],
    ...objectives().map(row => [`Against ${row.with}`, [change('relative', row.difference, row.half_width_95), ' of the objective ', verdictBadge(row.verdict)]]),
    ['How sure', `95% intervals from ${counted(ABOUT.confirmations, 'replication')} that the search has not seen; verdicts hold for all configurations together (Holm).`],
    ['The search', `${counted(ABOUT.candidates, 'candidate')}, ${grouped(String(ABOUT.requests_simulated))} requests; ${ended[ABOUT.ended] || `ended: ${ABOUT.ended}`}`],
  ];
}

function valuesSection() {
  const rows = rowsOf('weights');
  const simple = rows.some(row => row.capacity);
  const cell = (name, text) => ({ text: text || NONE, value: Number(text) || text, data: { column: name, value: text } });
  const columns = [{ title: 'Value' }, { title: 'now', numeric: true }, simple && { title: 'in proportion to capacity', numeric: true, wrap: true }, { title: 'found', numeric: true, decides: true },
    { title: 'good within', numeric: true, note: 'By what the value may be multiplied, all else as found, at a loss of less than 1% of the objective; nothing beyond a half and two was looked at' }].filter(Boolean);
  return sortableTable('Values that may change', columns, rows.map(row => [
    { node: el('code', {}, row.value), text: row.value, data: { column: 'value', value: row.value } }, cell('current', row.current), simple && cell('capacity', row.capacity), cell('tuned', row.tuned),
    { text: known(row.within_low) ? `×${NBSP}${plain(row.within_low)} to ×${NBSP}${plain(row.within_high)}` : NONE, value: row.within_low ?? null },
  ].filter(own => own !== false)));
}

function gainsSection() {
  const others = distinct(rowsOf('check').map(row => row.with));
  return [el('p', { class: 'note' }, 'Differences of what was found to another configuration, on the same requests, which the search has not seen.'),
    chosenTable('Against', others.map(name => [name, name]), gainsTable)];
}

function gainsTable(other) {
  // What is zero in both is of no use here; it stands in the file.
  const rows = rowsOf('check').filter(row => row.with === other && (row.other !== 0 || row.tuned !== 0));
  const several = distinct(rows.map(row => row.situation)).length > 2;
  const columns = [{ title: 'Metric' }, several && { title: 'Situation' }, { title: other, numeric: true }, { title: 'found', numeric: true }, { title: `found less ${other}`, numeric: true, decides: true, wrap: true },
    { title: 'p-value', numeric: true, note: 'Of no difference; of the objective for all configurations together (Holm)' }].filter(Boolean);
  return sortableTable(`What was found against ${other}`, columns, rows.map(row => {
    const metric = metricOf(row.metric);
    const share = relative(row.relative);
    const text = change(metric.unit, row.difference, row.half_width_95);
    const cell = (name, value, said) => ({ text: said, value: value ?? null, data: { column: name, value: value ?? '' } });
    return [{ text: metric.label, data: { column: 'metric', value: row.metric } }, several && { text: row.situation, data: { column: 'situation', value: row.situation } }, cell('other', row.other, amount(metric.unit, row.other)), cell('tuned', row.tuned, amount(metric.unit, row.tuned)),
      cell('difference', row.difference, share ? `${text} (${share})` : text), cell('p_value', row.p_value, known(row.p_value) ? Number(row.p_value.toPrecision(2)).toString() : NONE)].filter(own => own !== false);
  }));
}
