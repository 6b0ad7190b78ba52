'use strict';
// What must hold: of each requirement and strategy whether it holds, and by how much.

const DECISIONS = { holds: ['✓', 'holds', 'good'], fails: ['✗', 'fails', 'bad'], 'not shown': ['?', 'not shown', 'unsure'] };

/** A verdict with its sign and colour: never the colour alone. */
function badge(sign, text, tone) {
  return el('span', { class: `badge ${tone}` }, el('span', { 'aria-hidden': 'true' }, sign), ` ${text}`);
}

/** In what a requirement is counted, by the unit of its row. */
const COUNTED = { ms: 'time', s: 'seconds', share: 'share', '/s': 'rate', '': 'count' };

function requirementsSection() {
  const rows = rowsOf('requirements');
  const swept = rows.some(row => row.value);
  const noted = rows.some(row => row.note);
  const columns = [{ title: 'Requirement' }, swept && { title: 'At' }, { title: 'Strategy' }, { title: 'Decision' }, { title: 'Measured', numeric: true },
    { title: '95% interval', numeric: true }, { title: 'Limit', numeric: true },
    { title: 'Margin', numeric: true, note: 'How far the measured value is from the limit, on the good side' }, noted && { title: 'Note' }].filter(Boolean);
  return [requirementsSentence(rows), sortableTable('What must hold, by strategy', columns, rows.map(row => requirementRow(row, swept, noted)))];
}

function requirementRow(row, swept, noted) {
  const kind = COUNTED[row.unit || ''] || 'count';
  const [sign, text, tone] = DECISIONS[row.decision] || ['–', row.decision || 'not known', 'unsure'];
  const cell = (name, value, said = amount(kind, value)) => ({ text: said, value, data: { column: name, value } });
  const range = known(row.low) && known(row.high) ? `${amount(kind, row.low)} to ${amount(kind, row.high)}` : NONE;
  const series = BY_NAME.get(row.strategy);
  return [
    { text: row.requirement, data: { requirement: row.requirement } },
    swept && { text: [row.value, row.value_2].filter(Boolean).join(' and '), data: { at: row.value } },
    { node: el('span', { class: 'named' }, series && swatch(series), row.strategy + (row.against ? ` against ${row.against}` : '')), value: row.strategy },
    { node: badge(sign, text, tone), value: text, data: { column: 'decision', value: row.decision } },
    cell('estimate', row.estimate),
    { text: range, value: row.low ?? row.high ?? null, data: { column: 'interval', low: row.low ?? '', high: row.high ?? '' } },
    cell('limit', row.limit),
    cell('margin', row.margin, known(row.margin) ? change(kind, row.margin, known(row.margin_high) ? row.margin_high - row.margin : null) : NONE),
    noted && { text: row.note || '' },
  ].filter(Boolean);
}

/**
 * How many requirements hold; one holds where it does for every strategy and value that it is
 * asked of. Who keeps others from holding is named.
 */
function requirementsSentence(rows) {
  const worst = ['fails', 'not shown', 'holds'];
  const lines = distinct(rows.map(row => row.requirement))
    .map(line => worst.find(decision => rows.some(row => row.requirement === line && row.decision === decision)));
  const count = decision => lines.filter(own => own === decision).length;
  const words = [['holds', 'hold', 'holds'], ['fails', 'fail', 'fails'], ['not shown', 'are not shown', 'is not shown']];
  const said = words.map(([decision, many, one]) => [count(decision), count(decision) === 1 ? one : many]);
  const whole = count('holds') === lines.length && lines.length === 1 ? 'The requirement holds.' : count('holds') === lines.length ? `All ${counted(lines.length, 'requirement')} hold.`
    : `Of ${counted(lines.length, 'requirement')}: ${said.filter(own => own[0]).map(own => own.join(' ')).join(', ')}.`;
  const who = decision => distinct(rows.filter(row => row.decision === decision).map(row => row.strategy));
  const part = (names, text) => (names.length ? ` ${listed(names)} ${text}` : '');
  return el('p', { class: 'verdict' }, strong(whole),
    part(who('fails'), 'fail some.'), part(who('not shown'), 'could not be decided in some: more replications may tell.'));
}
