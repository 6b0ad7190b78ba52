'use strict';
// What the reader has chosen: who is shown, on light or dark, and which stretch of time. Whoever
// shows it is told.

const STATE = {
  on: new Set(initiallyOn()),
  greyed: SERIES.length > MANY,
  theme: null,
  zoom: [0, 100],
  printing: false,
};
const LISTENERS = [];

/** All strategies; of very many the baseline and the best. */
function initiallyOn() {
  if (SERIES.length <= MANY) return SERIES.map(series => series.name);
  const ranked = [...SERIES].sort((a, b) => (a.variant.rank || a.index + 1) - (b.variant.rank || b.index + 1));
  const best = ranked.filter(series => series.name !== BASELINE).slice(0, COLOURED - 1);
  return [...best.map(series => series.name), BASELINE];
}

/** Hears of every change: `what` is `shown`, `theme` or `zoom`. */
function onChange(listener) {
  LISTENERS.push(listener);
}

function changed(what) {
  for (const listener of LISTENERS) listener(what);
}

function isOn(name) {
  return !BY_NAME.has(name) || STATE.on.has(name);
}

function turn(name) {
  if (STATE.on.has(name)) STATE.on.delete(name);
  else STATE.on.add(name);
  changed('shown');
}

function showOnly(names) {
  STATE.on = new Set(names);
  changed('shown');
}

function isDark() {
  if (STATE.printing) return false;
  if (STATE.theme) return STATE.theme === 'dark';
  return matchMedia('(prefers-color-scheme: dark)').matches;
}

function setTheme(theme) {
  STATE.theme = theme;
  applyTheme();
}

function applyTheme() {
  document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
  changed('theme');
}

/** The colours of the page, for charts: they are the variables of the style sheet. */
function paint() {
  const style = getComputedStyle(document.documentElement);
  const colour = name => style.getPropertyValue(`--${name}`).trim();
  const dark = isDark();
  return {
    dark, ink: colour('ink'), muted: colour('muted'), line: colour('line'), grid: colour('grid'), paper: colour('paper'),
    panel: colour('panel'), good: colour('good'), bad: colour('bad'), unsure: colour('unsure'), accent: colour('accent'),
    fault: colour('fault'), cold: colour('cold'), load: colour('load'), warmup: colour('warmup'), grey: colour('faint'), font: style.getPropertyValue('--font').trim(),
    of: series => (series.colours ? series.colours[dark ? 1 : 0] : colour('ink')),
    inkOf: series => (series.colours ? readable(series.colours[dark ? 1 : 0], dark) : colour('ink')),
  };
}

document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', applyTheme);
