'use strict';
// What must hold: of each requirement and strategy whether it holds, and by how much.

const DECISIONS = { holds: ['✓', 'holds', 'good'], fails: ['✗', 'fails', 'bad'], 'not shown': ['?', 'not shown', 'unsure'] };

/** A verdict with its sign and colour: never the colour alone. */
function badge(sign, text, tone) {
  return el('span', { class: `badge ${tone}` }, el('span', { 'aria-hidden': 'true' }, sign), ` ${text}`);
}

function requirementsSection() {
  const rows = rowsOf('requirements');
  const columns = [{ title: 'Requirement' }, { title: 'Strategy' }, { title: 'Decision' }, { title: 'Measured', numeric: true },
    { title: '95% interval', numeric: true }, { title: 'Limit', numeric: true }, { title: 'Margin', numeric: true, note: 'How far the measured value is from the limit, on the good side' }];
  const interval = rows.some(row => known(row.level)) ? 'Interval that decides' : 'Interval';
  columns[4].title = interval;
  return [requirementsSentence(rows), sortableTable('What must hold, by strategy', columns, rows.map(requirementRow))];
}

function requirementRow(row) {
  const kind = metricOf(row.metric || '').unit;
  const [sign, text, tone] = DECISIONS[row.decision] || ['–', row.decision || 'not known', 'unsure'];
  const cell = (name, value) => ({ text: amount(kind, value), value, data: { column: name, value } });
  const range = known(row.low) && known(row.high) ? `${amount(kind, row.low)} to ${amount(kind, row.high)}`
    : known(row.low) ? `at least ${amount(kind, row.low)}` : known(row.high) ? `at most ${amount(kind, row.high)}` : NONE;
  const series = BY_NAME.get(row.strategy);
  return [
    { text: row.requirement, data: { requirement: row.requirement } },
    { node: el('span', { class: 'named' }, series && swatch(series), row.strategy + (row.against ? ` against ${row.against}` : '')), value: row.strategy },
    { node: badge(sign, text, tone), value: text, data: { column: 'decision', value: row.decision } },
    cell('estimate', row.estimate),
    { text: range, value: row.low ?? row.high ?? null, data: { column: 'interval', low: row.low ?? '', high: row.high ?? '' } },
    cell('limit', row.limit),
    cell('margin', row.margin),
  ];
}

function requirementsSentence(rows) {
  const names = distinct(rows.map(row => row.strategy));
  const meeting = names.filter(name => meetsAll(name));
  const failing = names.filter(name => rows.some(row => row.strategy === name && row.decision === 'fails'));
  const open = names.filter(name => !meeting.includes(name) && !failing.includes(name));
  const part = (who, text) => (who.length ? el('li', {}, strong(listed(who)), ` ${text}`) : null);
  return el('ul', { class: 'points' },
    part(meeting, `${meeting.length === 1 ? 'is' : 'are'} shown to meet all that is required`),
    part(failing, `${failing.length === 1 ? 'is' : 'are'} shown to fail some of it`),
    part(open, 'could not be decided: more replications may tell'));
}
