'use strict';
// The legend of all charts: a button a strategy, which shows or hides it everywhere.

function legend() {
  const list = el('ul', { class: 'legend-list' }, SERIES.map(legendEntry));
  const all = el('button', { type: 'button', class: 'quiet', onclick: () => showOnly(SERIES.map(series => series.name)) }, 'Show all');
  const others = SERIES.length > MANY && el('label', { class: 'check' },
    el('input', { type: 'checkbox', checked: STATE.greyed, onchange: event => { STATE.greyed = event.target.checked; changed('shown'); } }),
    ' others in grey');
  return el('div', { class: 'legend' }, list, el('p', { class: 'legend-tools' }, all, others));
}

function legendEntry(series) {
  const button = el('button', {
    type: 'button', class: 'legend-switch', 'data-strategy': series.name, 'aria-pressed': String(isOn(series.name)),
    title: legendTitle(series), onclick: () => turn(series.name),
    onmouseenter: () => highlight(series.name, true), onmouseleave: () => highlight(series.name, false),
    onfocus: () => highlight(series.name, true), onblur: () => highlight(series.name, false),
  }, swatch(series), el('span', { class: 'legend-name' }, series.name));
  const only = el('button', {
    type: 'button', class: 'legend-only', 'aria-label': `Show only ${series.name}`, onclick: () => showOnly([series.name]),
  }, 'only');
  onChange(what => { if (what === 'shown') button.setAttribute('aria-pressed', String(isOn(series.name))); });
  return el('li', {}, button, SERIES.length > 1 && only);
}

function legendTitle(series) {
  const notes = [];
  if (series.name === BASELINE) notes.push('the baseline');
  if (series.variant.oracle) notes.push('an oracle: it sees what no balancer can see');
  if (successOf(series.name) < 0.9995) notes.push(`${percentText(successOf(series.name))} of its requests succeed`);
  return `Show or hide ${series.name} in all charts${notes.length ? ` (${notes.join('; ')})` : ''}`;
}

/** Brings a strategy forward in every chart. */
function highlight(name, on) {
  for (const own of CHARTS) {
    if (own.chart && own.visible) own.chart.dispatchAction({ type: on ? 'highlight' : 'downplay', seriesName: name });
  }
}
