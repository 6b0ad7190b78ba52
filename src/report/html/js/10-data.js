'use strict';
// What the page is about: the data that stands in it, and its tables as rows.

const DATA = JSON.parse(document.getElementById('lbsim-data').textContent);
const ABOUT = DATA.about || {};
const ROWS = new Map();

/** A column as an array: numbers as they are, or looked up as words are; what is in all rows repeated. */
function columnOf(column, rows) {
  if (Array.isArray(column)) return column;
  if ('all' in column) return new Array(rows).fill(column.all);
  return column.at.map(place => (place === null || place < 0 ? '' : column.words[place]));
}

/** The rows of a CSV file by its name, as objects; none where it is not there. */
function rowsOf(name) {
  if (!ROWS.has(name)) ROWS.set(name, decoded((DATA.tables || {})[name]));
  return ROWS.get(name);
}

function decoded(table) {
  if (!table) return [];
  const names = Object.keys(table.columns);
  const columns = names.map(name => columnOf(table.columns[name], table.rows));
  return Array.from({ length: table.rows }, (_, at) => {
    const row = {};
    names.forEach((name, place) => { row[name] = columns[place][at]; });
    return row;
  });
}

/** Whether a cell holds a number: what is not known is null. */
function known(value) {
  return typeof value === 'number' && Number.isFinite(value);
}

function truth(value) {
  return value === true || value === 'true';
}

/** Each value once, in the order in which they come. */
function distinct(values) {
  return [...new Set(values)];
}

/** The least and the most of what is known; null where nothing is. */
function extent(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!known(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : null;
}

const FIGURES = new Map(rowsOf('summary').map(row => [`${row.strategy}\n${row.metric}`, row]));

/** A row of summary.csv: estimate and half-width of a metric of a strategy. */
function summaryOf(strategy, metric) {
  return FIGURES.get(`${strategy}\n${metric}`) || { estimate: null, half_width_95: null, n: 0 };
}

const APART = new Map(DATA.about && !ABOUT.sweep ? rowsOf('paired').map(row => [`${row.strategy}\n${row.metric}`, row]) : []);

/**
 * A row of paired.csv: how a strategy differs from the baseline; undefined for the baseline
 * itself.
 */
function differenceOf(strategy, metric) {
  return APART.get(`${strategy}\n${metric}`);
}

/** Seconds of a span as the manifest writes it, such as `10min` or `1h30min`. */
function secondsOf(span) {
  const units = { ns: 1e-9, us: 1e-6, 'µs': 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, d: 86400 };
  let seconds = 0;
  for (const [, count, unit] of String(span || '').matchAll(/([\d.]+)\s*([a-zµ]+)/g)) {
    seconds += Number(count) * (units[unit] || 0);
  }
  return seconds;
}
