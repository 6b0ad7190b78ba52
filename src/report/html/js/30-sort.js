'use strict';
// Tables that can be sorted by any column: with the mouse, by keyboard, and said to screen readers.
// One that is too wide for a narrow page is read as cards: a card a row, in which each figure has
// the name of its column beside it. Roles are written out, for browsers forget them of tables that
// the style sheet lays out otherwise.

/**
 * A table. `columns` are `{title, unit, numeric, decides, note}`; `rows` are arrays of `{text,
 * value, node, data, class}` or text, the first of each its heading.
 */
function sortableTable(caption, columns, rows, options = {}) {
  const body = el('tbody', { role: 'rowgroup' }, rows.map(row => tableRow(row, columns)));
  const heads = columns.map((column, at) => headCell(column, at, body));
  const made = el('table', { role: 'table' },
    el('caption', { class: options.hideCaption ? 'hidden' : null }, el('span', {}, caption)),
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, heads)), body);
  const box = el('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': caption }, made, rows.length > MOST_CARDS && moreCards(rows.length));
  FITTING.observe(box);
  return box;
}

/** So many cards are seen at first, which the style sheet knows too. */
const MOST_CARDS = 8;

/** Whoever wants more cards than the first of a long table asks for them. */
function moreCards(count) {
  const text = open => (open ? `Show the first ${MOST_CARDS}` : `Show all ${count}`);
  const button = el('button', { type: 'button', class: 'more', 'aria-expanded': 'false', onclick: () => {
    const open = button.parentNode.classList.toggle('whole-table');
    button.setAttribute('aria-expanded', String(open));
    button.textContent = text(open);
  } }, text(false));
  return button;
}

/** Below so many pixels a table that does not fit becomes cards; above it is scrolled. */
const CARDS_BELOW = 560;

const FITTING = new ResizeObserver(entries => {
  for (const { target: box } of entries) {
    // The height changes with what is decided here, and decides nothing.
    if (box.clientWidth === box.fitted) continue;
    box.fitted = box.clientWidth;
    box.classList.remove('cards');
    box.classList.toggle('cards', box.clientWidth < CARDS_BELOW && box.scrollWidth > box.clientWidth);
  }
});

function tableRow(row, columns) {
  return el('tr', { role: 'row' }, row.map((cell, at) => {
    const own = typeof cell === 'object' && cell !== null && !(cell instanceof Node) ? cell : { text: cell };
    const names = [columns[at].numeric && 'number', columns[at].decides && 'decides', own.class].filter(Boolean).join(' ');
    const data = Object.fromEntries(Object.entries(own.data || {}).map(([key, value]) => [`data-${key}`, value]));
    const place = at === 0 ? { scope: 'row', role: 'rowheader' } : { role: 'cell' };
    place['data-title'] = [columns[at].title, columns[at].unit].filter(Boolean).join(', ');
    const made = el(at === 0 ? 'th' : 'td', { class: names || null, title: own.title, ...place, ...data }, own.node || own.text);
    made.sortValue = own.value === undefined ? String(own.text ?? made.textContent) : own.value;
    return made;
  }));
}

function headCell(column, at, body) {
  const button = el('button', { type: 'button', class: column.wrap ? 'sort wrap' : 'sort', title: column.note || null },
    el('span', { class: 'sort-title' }, column.title), column.unit ? el('span', { class: 'unit' }, ` ${column.unit}`) : null);
  const head = el('th', { scope: 'col', role: 'columnheader', 'aria-sort': 'none', class: [column.numeric && 'number', column.decides && 'decides'].filter(Boolean).join(' ') || null }, button);
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
