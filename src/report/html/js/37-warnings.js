'use strict';
// What must be known before the figures are believed, and what to do about it.

function warningsSection() {
  const left = (DATA.left_out || []).map(sentence => el('li', {}, prose(sentence)));
  return [
    el('ul', { class: 'warnings' }, (ABOUT.warnings || []).map(warning => el('li', {},
      el('p', {}, el('span', { class: 'badge unsure' }, el('span', { 'aria-hidden': 'true' }, '!'), ' warning'), ' ', prose(sentenceOf(warning.text))),
      el('p', { class: 'todo' }, 'Why, and what to do: ', el('code', {}, `lbsim explain ${warning.code}`))))),
    left.length ? el('ul', { class: 'points' }, left) : null,
  ];
}

/** A warning may begin with the name of a strategy: its first letter stays as it is. */
function sentenceOf(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
