'use strict';
// The look of each strategy, as in the pictures of `charts/`: a colour, a dash, and a mark, so that
// nothing is said by colour alone.

// Okabe and Ito, "Color Universal Design" (2008), and four more of other lightness; beside each the
// colour on dark.
const PALETTE = [
  ['#0072b2', '#4a9eea'], // blue
  ['#d55e00', '#ff8142'], // vermilion
  ['#009e73', '#2fc79a'], // green
  ['#e69f00', '#f5b93d'], // orange
  ['#cc79a7', '#ec9fcb'], // pink
  ['#5b2a86', '#b58ae6'], // purple
  ['#7a3e12', '#c08a5c'], // brown
  ['#a89c1d', '#d8cb45'], // olive
  ['#6b7280', '#98a2b3'], // grey
  ['#111827', '#ffffff'], // black
  ['#56b4e9', '#9fdcff'], // sky
  ['#b05a5a', '#e59a9a'], // rose
];
const SYMBOLS = ['circle', 'rect', 'triangle', 'diamond', 'cross', 'down', 'bar', 'star'];
// Marks that ECharts does not know by name.
const PATHS = {
  cross: 'path://M3,0L5,2L7,0L10,3L8,5L10,7L7,10L5,8L3,10L0,7L2,5L0,3Z',
  down: 'path://M0,0L10,0L5,9Z',
  bar: 'path://M3,0L7,0L7,10L3,10Z',
  star: 'path://M5,0L6.5,3.5L10,4L7.4,6.6L8,10L5,8.2L2,10L2.6,6.6L0,4L3.5,3.5Z',
};
const SWATCHES = {
  circle: 'M1,5a4,4 0 1,0 8,0a4,4 0 1,0 -8,0', rect: 'M1.5,1.5h7v7h-7z', triangle: 'M5,1L9.2,8.8L0.8,8.8Z', diamond: 'M5,0L10,5L5,10L0,5Z',
};
// Beyond so many strategies the best of them have colours, and the others are grey.
const MANY = 8;
const COLOURED = 6;

/**
 * The dash of a colour number, in pixels: the second half of the palette is dashed, every further
 * round more finely.
 */
function dashOf(number) {
  const round = Math.floor(number / 6);
  if (round === 0) return null;
  return round === 1 ? [9, 4] : [9 / round, 4];
}

/** The look of what stands at a place of a list; `number` is that of its colour. */
function lookOf(name, index, number = index) {
  const symbol = SYMBOLS[index % SYMBOLS.length];
  return {
    name, index, number, dash: dashOf(number), symbol: PATHS[symbol] || symbol, swatch: SWATCHES[symbol] || PATHS[symbol].slice('path://'.length),
    colours: PALETTE[number % PALETTE.length],
  };
}

// In what table, by what column, stands what is compared, where the manifest does not list it.
const COMPARED_IN = { compare: ['compare', 'result'], tune: ['latency', 'strategy'], size: ['sizes', 'strategy'] };
/** With what the others are compared. */
const BASELINE = ABOUT.baseline?.name ?? ABOUT.baseline;

/**
 * All that is compared, in the order of the scenario. `looks` are the colour numbers of the
 * pictures.
 */
const SERIES = strategiesOf().map((variant, index) => {
  const given = (DATA.looks || [])[index];
  return { ...lookOf(variant.name, index, known(given) ? given : index), variant };
});
const BY_NAME = new Map(SERIES.map(series => [series.name, series]));

/**
 * A colour that can be read as text: contrast 4.5 to 1 (WCAG 2.1, 1.4.3) on white, or on what is
 * dark.
 */
function readable(hex, dark) {
  let channels = [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16));
  const contrast = () => (dark ? (luminance(channels) + 0.05) / 0.058 : 1.05 / (luminance(channels) + 0.05));
  while (contrast() < 4.5) channels = channels.map(own => (dark ? Math.min(255, own * 1.06 + 2) : own * 0.94));
  return `rgb(${channels.map(Math.round).join(',')})`;
}

function luminance(channels) {
  const [r, g, b] = channels.map(own => own / 255).map(own => (own <= 0.04045 ? own / 12.92 : ((own + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** The variants of the manifest of a run; else what its tables compare, the baseline first. */
function strategiesOf() {
  if (ABOUT.variants?.length) return ABOUT.variants;
  const [table, column] = COMPARED_IN[DATA.kind] || [];
  const names = table ? rowsOf(table).map(row => row[column]) : [];
  return distinct([BASELINE, ...names].filter(Boolean)).map(name => ({ name }));
}

/** The share of a strategy's requests that succeeded; 1 where nothing is known of it. */
function successOf(name) {
  const share = summaryOf(name, 'success_share').estimate;
  return known(share) ? share : 1;
}

function percentText(share) {
  const percent = share * 100;
  // Nothing and all are said only where it is so.
  const apart = Math.min(Math.abs(percent), Math.abs(100 - percent));
  const digits = apart > 0 && apart < 0.05 ? Math.min(9, -Math.floor(Math.log10(apart))) : 1;
  return `${percent.toFixed(digits).replace(/\.?0+$/, '').replace(/^-/, '\u2212')}%`;
}

/** A name beside a response time: who fails is told, for who fails more looks faster than it is. */
function nameAndSuccess(name) {
  const share = successOf(name);
  return share < 0.9995 ? `${name} (${percentText(share)} succeed)` : name;
}

/** A name in a sentence: in quotes where it holds a comma. */
function cited(name) {
  return /[,;]/.test(name) ? `“${name}”` : name;
}

/** Who fails, in a sentence; empty where nobody does. */
function failingSentence(names) {
  const failing = names.filter(name => successOf(name) < 0.9995).sort((a, b) => successOf(a) - successOf(b));
  if (!failing.length) return '';
  const most = failing.length > 4 ? 3 : 4;
  const each = failing.slice(0, most).map(name => `${cited(name)} fails ${percentText(1 - successOf(name))}`);
  if (failing.length > most) each.push(`${failing.length - most} others fail, and none of them more`);
  return `Response times are of requests that succeeded: who fails more looks faster than it is (${listed(each)}).`;
}

/** The line and mark of a strategy, as a picture in a line of text. */
function swatch(series) {
  const dash = series.dash ? series.dash.map(length => length * 0.7).join(' ') : null;
  return el('svg', { class: 'swatch', viewBox: '0 0 30 14', width: 30, height: 14, 'aria-hidden': 'true', style: `--light:${series.colours[0]};--dark:${series.colours[1]}` },
    el('svg:line', { x1: 0, y1: 7, x2: 30, y2: 7, 'stroke-width': 2.5, 'stroke-dasharray': dash }),
    el('svg:path', { d: series.swatch, transform: 'translate(10 2)' }));
}
