'use strict';
// Tables that can be sorted by any column: with the mouse, by keyboard, and said to screen readers.

/**
 * A table. `columns` are `{title, unit, numeric, decides, note}`; `rows` are arrays of `{text,
 * value, node, data, class}` or text, the first of each its heading.
 */
function sortableTable(caption, columns, rows, options = {}) {
  const body = el('tbody', {}, rows.map(row => tableRow(row, columns)));
  const heads = columns.map((column, at) => headCell(column, at, body));
  const made = el('table', { class: options.class },
    el('caption', { class: options.hideCaption ? 'hidden' : null }, el('span', {}, caption)),
    el('thead', {}, el('tr', {}, heads)), body);
  return el('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': caption }, made);
}

function tableRow(row, columns) {
  return el('tr', {}, row.map((cell, at) => {
    const own = typeof cell === 'object' && cell !== null && !(cell instanceof Node) ? cell : { text: cell };
    const names = [columns[at].numeric && 'number', columns[at].decides && 'decides', own.class].filter(Boolean).join(' ');
    const data = Object.fromEntries(Object.entries(own.data || {}).map(([key, value]) => [`data-${key}`, value]));
    const made = el(at === 0 ? 'th' : 'td', { class: names || null, scope: at === 0 ? 'row' : null, title: own.title, ...data }, own.node || own.text);
    made.sortValue = own.value === undefined ? String(own.text ?? made.textContent) : own.value;
    return made;
  }));
}

function headCell(column, at, body) {
  const button = el('button', { type: 'button', class: column.wrap ? 'sort wrap' : 'sort', title: column.note || null },
    el('span', { class: 'sort-title' }, column.title), column.unit ? el('span', { class: 'unit' }, ` ${column.unit}`) : null);
  const head = el('th', { scope: 'col', 'aria-sort': 'none', class: [column.numeric && 'number', column.decides && 'decides'].filter(Boolean).join(' ') || null }, button);
  button.addEventListener('click', () => {
    const up = head.getAttribute('aria-sort') !== 'ascending';
    for (const other of head.parentNode.children) other.setAttribute('aria-sort', 'none');
    head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
    const sorted = [...body.rows].sort((a, b) => compared(a.cells[at].sortValue, b.cells[at].sortValue, up));
    body.append(...sorted);
  });
  return head;
}

/** What is not known comes last, whichever way it is sorted. */
function compared(one, other, up) {
  const [a, b] = [one, other].map(value => value === null || value === '');
  if (a || b) return Number(a) - Number(b);
  const order = typeof one === 'number' && typeof other === 'number' ? one - other : String(one).localeCompare(String(other), 'en', { numeric: true });
  return up ? order : -order;
}
