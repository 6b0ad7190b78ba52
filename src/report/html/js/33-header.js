'use strict';
// The top of the page: the question, what was expected, the answer, what to deploy and how sure
// that is.

// What each kind of page is called, what the facts beside its answer are, and what its charts tell
// apart.
const KINDS = {
  run: { name: 'Run', card: 'What to deploy, and how sure that is', facts: runFacts, series: 'Strategies' },
  compare: { name: 'Comparison', card: 'What was compared, and how', facts: compareFacts, series: 'Results' },
  tune: { name: 'Tuned values', card: 'What to set, and how sure that is', facts: tuneFacts, series: 'Configurations' },
  size: { name: 'Sizing', card: 'What is needed, and how sure that is', facts: sizeFacts, series: 'Strategies' },
  validate: { name: 'Validation', card: 'What was held against what', facts: validateFacts, series: '' },
};
const KIND = KINDS[DATA.kind];

/** The answer of a run, which is made here. */
function answerOf() {
  if (ABOUT.sweep) return answerOfSweep();
  const said = SERIES.length ? standing() : null;
  return said ? answerOfRun(said) : [];
}

function runFacts() {
  if (ABOUT.sweep) return sweepDeployment();
  const said = SERIES.length ? standing() : null;
  return said ? deployment(said) : [];
}

function header() {
  const [first, ...rest] = DATA.kind === 'run' ? [answerOf()] : (ABOUT.findings || []).map(prose);
  const facts = KIND.facts();
  return el('header', { id: 'answer', class: 'answer' },
    el('div', { class: 'wide' },
      el('div', { class: 'topline' }, el('p', { class: 'kicker' }, KIND.name, ' · ', ABOUT.caption || ABOUT.name || ''), themeSwitch()),
      el('h1', {}, ABOUT.question || ABOUT.name || 'Report'),
      el('div', { class: 'answer-grid' },
        el('div', {},
          el('h2', { class: 'label' }, 'Answer'),
          el('p', { class: 'verdict lead' }, first),
          rest.map(sentence => el('p', { class: 'verdict' }, sentence)),
          ABOUT.expect && [el('h2', { class: 'label' }, 'Expected beforehand'), el('p', { class: 'expect' }, ABOUT.expect)]),
        facts.length ? el('section', { class: 'card', 'aria-labelledby': 'deploy' },
          el('h2', { class: 'label', id: 'deploy' }, KIND.card),
          el('dl', {}, facts.map(([name, text]) => el('div', {}, el('dt', {}, name), el('dd', {}, text))))) : null)));
}

function themeSwitch() {
  const text = () => (isDark() ? 'Light' : 'Dark');
  const button = el('button', { type: 'button', class: 'quiet theme', onclick: () => setTheme(isDark() ? 'light' : 'dark') }, text());
  button.setAttribute('aria-label', 'Switch between light and dark');
  onChange(what => { if (what === 'theme') button.textContent = text(); });
  return button;
}
