'use strict';
// The top of the page: the question, what was expected, the answer, what to deploy and how sure
// that is.

function header() {
  const isSweep = Boolean(ABOUT.sweep);
  const said = isSweep || !SERIES.length ? null : standing();
  const own = isSweep ? answerOfSweep() : said ? answerOfRun(said) : [];
  const given = (DATA.answer || []).map(sentence => prose(sentence));
  const [first, ...rest] = given.length ? given : [own];
  const facts = isSweep ? sweepDeployment() : said ? deployment(said) : [];
  return el('header', { id: 'answer', class: 'answer' },
    el('div', { class: 'wide' },
      el('div', { class: 'topline' }, el('p', { class: 'kicker' }, KINDS[DATA.kind] || 'Report', ' · ', ABOUT.caption || ABOUT.name || ''), themeSwitch()),
      el('h1', {}, ABOUT.question || ABOUT.name || 'Report'),
      el('div', { class: 'answer-grid' },
        el('div', {},
          el('h2', { class: 'label' }, 'Answer'),
          el('p', { class: 'verdict lead' }, first),
          rest.map(sentence => el('p', { class: 'verdict' }, sentence)),
          ABOUT.expect && [el('h2', { class: 'label' }, 'Expected beforehand'), el('p', { class: 'expect' }, ABOUT.expect)]),
        facts.length ? el('section', { class: 'card', 'aria-labelledby': 'deploy' },
          el('h2', { class: 'label', id: 'deploy' }, 'What to deploy, and how sure that is'),
          el('dl', {}, facts.map(([name, text]) => el('div', {}, el('dt', {}, name), el('dd', {}, text))))) : null)));
}

const KINDS = { run: 'Run', tune: 'Tuned weights', validate: 'Validation', size: 'Sizing', compare: 'Comparison' };

function themeSwitch() {
  const text = () => (isDark() ? 'Light' : 'Dark');
  const button = el('button', { type: 'button', class: 'quiet theme', onclick: () => setTheme(isDark() ? 'light' : 'dark') }, text());
  button.setAttribute('aria-label', 'Switch between light and dark');
  onChange(what => { if (what === 'theme') button.textContent = text(); });
  return button;
}
