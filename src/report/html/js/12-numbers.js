'use strict';
// Numbers as people write them: as many digits as their interval leaves meaning in, in units that
// suit.

const NBSP = '\u00a0';
const NONE = '–';

/** Thousands apart, from five digits on. */
function grouped(text) {
  return text.replace(/^(-?)(\d{5,})/, (_, sign, whole) => sign + whole.replace(/\B(?=(\d{3})+$)/g, ','))
    .replace(/^-/, '\u2212');
}

function magnitude(value) {
  return Math.floor(Math.log10(Math.abs(value)) + 1e-12);
}

function places(count) {
  return Math.max(0, Math.min(6, count));
}

/** Two digits of the half-width; one where the figure would have more than four. */
function placesOf(value, half) {
  const two = 1 - magnitude(half);
  const four = value === 0 ? two : 3 - magnitude(value);
  return places(Math.min(two, Math.max(two - 1, four)));
}

/** A number of which no interval is known: three digits, all of a whole number. */
function plain(value) {
  if (!known(value)) return NONE;
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return grouped(value.toFixed(0));
  if (value === 0) return '0';
  const digits = value.toFixed(places(2 - magnitude(value)));
  return grouped(digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits);
}

/** `29.22 ± 0.11`. */
function withHalf(value, half) {
  if (!known(value)) return NONE;
  if (!known(half) || half === 0) return plain(value);
  const count = placesOf(value, half);
  return `${grouped(value.toFixed(count))}${NBSP}±${NBSP}${grouped(half.toFixed(count))}`;
}

const UNITS = {
  ms: [1, 'ms'], s: [1e-3, 's'], us: [1e3, 'µs'], min: [1 / 60000, 'min'],
  percent: [100, '%'], rate: [1, '/s'], count: [1, ''], seconds: [1, 's'], minutes: [1 / 60, 'min'],
};

/** The unit in which one time is written. */
function timeUnit(milliseconds) {
  const size = Math.abs(milliseconds);
  if (size >= 1000) return 's';
  return size > 0 && size < 0.1 ? 'us' : 'ms';
}

/** The unit of several values of a kind: one for all, or null where each has its own. */
function commonUnit(kind, values) {
  if (kind === 'share') return 'percent';
  if (kind !== 'time') return UNITS[kind] ? kind : 'count';
  const range = extent(values.filter(value => value !== 0));
  if (!range) return 'ms';
  const [low, high] = range.map(Math.abs).sort((a, b) => a - b);
  if (low >= 1000) return 's';
  if (high < 0.1) return 'us';
  return high >= 10000 ? null : 'ms';
}

function signed(unit) {
  const sign = UNITS[unit][1];
  return sign === '' || sign === '%' || sign === '/s' ? sign : NBSP + sign;
}

/** A figure in a unit, its sign left out where `bare`. */
function figure(value, half, unit, bare) {
  if (!known(value)) return NONE;
  const factor = UNITS[unit][0];
  return withHalf(value * factor, known(half) ? half * factor : null) + (bare ? '' : signed(unit));
}

/**
 * A figure of a kind (time, share, rate, seconds, count) with its sign, in the unit that suits it.
 */
function amount(kind, value, half) {
  if (!known(value)) return NONE;
  if (kind === 'share' && !known(half)) return percentText(value);
  return figure(value, half, commonUnit(kind, [value]) || timeUnit(value));
}

/**
 * A difference, its sign always before it; of a share in points, of what is `relative` in percent.
 */
function change(kind, value, half) {
  const text = kind === 'relative' ? figure(value, half, 'percent') : amount(kind, value, half).replace(/%$/, `${NBSP}pp`);
  return value > 0 ? `+${text}` : text;
}

/** A share of change: `+12%`. */
function relative(share) {
  if (!known(share)) return '';
  const percent = share * 100;
  const size = Math.abs(percent);
  if (size >= 1000) return `${percent > 0 ? '×' : '÷'}${NBSP}${plain(Math.round(1 + share))}`;
  const text = grouped(percent.toFixed(size < 1 && size > 0 ? 1 : 0));
  return `${percent > 0 ? '+' : ''}${text}%`;
}

/** Seconds of simulated time, in words short enough for an axis. */
function clock(seconds) {
  if (seconds >= 7200) return `${plain(seconds / 3600)}${NBSP}h`;
  if (seconds >= 120) return `${plain(seconds / 60)}${NBSP}min`;
  return `${plain(seconds)}${NBSP}s`;
}

/**
 * A stretch of simulated time, to the second where it is counted in minutes: `6:00 to 6:05 min`.
 */
function stretchText(from, to) {
  if (to < 240) return `${plain(from)} to ${plain(to)}${NBSP}s`;
  const stamp = seconds => {
    const whole = Math.round(seconds);
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
  };
  return `${stamp(from)} to ${stamp(to)}${NBSP}min`;
}

/** `a, b and c`. */
function listed(words) {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;
}

function counted(count, one, many) {
  return `${grouped(String(count))} ${count === 1 ? one : many || `${one}s`}`;
}
