// Reads CSV files, and figures as pages write them.

import { existsSync, readFileSync } from 'node:fs';

/** The rows of a CSV file by column, as text; none where there is no such file. */
export function columnsOf(file) {
  if (!existsSync(file)) return [];
  const rows = [...records(readFileSync(file, 'utf8'))];
  const names = rows.shift() ?? [];
  return rows.map(row => Object.fromEntries(names.map((name, at) => [name, row[at]])));
}

/** RFC 4180: cells in quotes may hold commas, line ends, and quotes that stand twice. */
function* records(text) {
  let row = [];
  for (const [, quoted, bare, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    row.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    if (row.length > 1 || row[0] !== '') yield row;
    row = [];
  }
}

/** What one of a unit is in the unit of the file. */
function factorOf(unit, metric) {
  if (/_ms$/.test(metric)) return { ms: 1, s: 1000, 'µs': 1e-3 }[unit];
  if (/_share$|^utilization/.test(metric)) return { '%': 0.01, pp: 0.01 }[unit];
  return { '': 1, '/s': 1, s: 1 }[unit];
}

/** Whether a number as written, such as `1,234.5`, is a value, rounded at its last digit. */
function isRounded(written, value, factor) {
  const number = Number(written.replaceAll(',', '').replace('\u2212', '-').replace('+', ''));
  const digits = written.split('.')[1]?.length ?? 0;
  return Math.abs(number * factor - value) <= 0.5000001 * 10 ** -digits * factor + 1e-12 * Math.abs(value);
}

/**
 * Whether `29.22 ± 0.11 ms` is what is written for an estimate and a half-width, which are texts
 * of a CSV file.
 */
export function shownAs(text, unit, metric, estimate, half) {
  if (estimate === '') return text === '–';
  const found = /^(?:★\s)?([+\u2212]?[\d.,]+)(?:\s±\s([\d.,]+))?\s?(ms|s|µs|%|\/s|pp)?$/.exec(text);
  if (!found) return false;
  const factor = factorOf(found[3] ?? unit, metric);
  if (factor === undefined || !isRounded(found[1], Number(estimate), factor)) return false;
  // What does not vary has no interval that is worth a word.
  if (found[2] === undefined) return half === '' || Number(half) === 0;
  return isRounded(found[2], Number(half), factor);
}
