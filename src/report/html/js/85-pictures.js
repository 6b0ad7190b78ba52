'use strict';
// The page of what is no run: its sentences and pictures stand there already; its tables are added,
// each to be sorted.

/** All columns of a table as they stand in its file. */
function fileTable(name) {
  const rows = rowsOf(name);
  const names = Object.keys(rows[0] || {});
  const numeric = names.map(column => rows.some(row => typeof row[column] === 'number'));
  const columns = names.map((title, at) => ({ title, numeric: numeric[at] }));
  const cell = value => (value === null || value === undefined || value === '' ? NONE : String(value));
  return sortableTable(`${name}.csv`, columns, rows.map(row => names.map(column => ({
    text: cell(row[column]), value: row[column] ?? null, data: { column },
  }))));
}

function buildBeside() {
  const names = Object.keys(DATA.tables).filter(name => rowsOf(name).length > 0);
  document.getElementById('tables').replaceChildren(el('h2', {}, 'Figures'),
    ...names.map((name, at) => {
      const box = folded(`${name}.csv: ${rowsOf(name).length} rows`, () => fileTable(name));
      if (at === 0) box.open = true;
      return box;
    }));
  document.getElementById('page').append(
    el('footer', { class: 'wide' }, el('p', {}, `Written by ${ABOUT.program || 'lbsim'}.`)));
  document.documentElement.dataset.ready = 'yes';
}
