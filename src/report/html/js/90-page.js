'use strict';
// The page: its sections in order, each with whether there is anything to show. A new chart is one
// file, and one line here.

const has = name => rowsOf(name).length > 0;
const isKind = kind => () => DATA.kind === kind;
const isRun = () => DATA.kind === 'run' && Boolean(ABOUT.judge_by) && !ABOUT.sweep && has('summary');
const isSweep = () => DATA.kind === 'run' && Boolean(ABOUT.sweep) && has('sweep');

/** What stands above the charts. */
const TOP = [
  { id: 'requirements', title: 'Requirements', when: () => has('requirements'), make: requirementsSection },
  { id: 'table', title: 'Strategies compared', when: isRun, make: strategiesSection },
  { id: 'table', title: 'Strategies compared, value by value', when: isSweep, make: sweepSection },
  { id: 'changes', title: 'What changed in the scenario', when: isKind('compare'), make: changesSection },
  { id: 'compared', title: 'What came of it', when: isKind('compare'), make: comparedSection },
  { id: 'values', title: 'The values', when: () => has('weights'), make: valuesSection },
  { id: 'gained', title: 'What they gain', when: () => has('check'), make: gainsSection },
  { id: 'sizes', title: 'What each strategy needs', when: isKind('size'), make: sizesSection },
  { id: 'exact', title: 'Simulated beside exact', when: isKind('validate'), make: theorySection, fold: true },
  { id: 'warnings', title: (ABOUT.warnings || []).length ? 'Warnings' : 'Left out of this page', when: () => (ABOUT.warnings || []).length + (DATA.left_out || []).length > 0, make: warningsSection },
];

/** The charts, in groups. */
const GROUPS = [
  { id: 'sweeps', title: 'By the values that were swept', charts: [
    { when: () => isSweep() && !ABOUT.sweep.and, chart: () => SWEEP_CHART },
    { when: () => isSweep() && Boolean(ABOUT.sweep.and), chart: () => GRID_CHART },
  ] },
  { id: 'comparison', title: 'Comparison', charts: [
    { when: () => has('compare') && comparedMetrics().length > 0, chart: () => COMPARE_CHART },
    { when: () => has('compare') && comparedMetrics().length > 0, chart: () => BESIDE_CHART },
    { when: isRun, chart: () => SUMMARY_CHART },
    { when: () => isRun() && has('paired') && SERIES.length > 1, chart: () => PAIRED_CHART },
    { when: () => isRun() && isTraded(), chart: () => TRADEOFF_CHART },
    { when: () => isRun() && has('clients') && clientMetrics().length > 0, chart: () => CLIENTS_CHART },
  ] },
  { id: 'sizing', title: 'What was tried', charts: [{ when: () => has('tried'), chart: () => SIZE_CHART }] },
  { id: 'agreement', title: 'Agreement', charts: [{ when: isKind('validate'), chart: () => THEORY_CHART }, { when: () => has('coverage'), chart: () => COVERAGE_CHART }] },
  { id: 'gains', title: 'What was gained', charts: [
    { when: () => GAIN_METRICS.length > 0, chart: () => GAINS_CHART },
    { when: () => has('weights') && areNumbers(), chart: () => VALUES_CHART },
    { when: () => has('front'), chart: () => FRONT_CHART },
  ] },
  { id: 'times', title: 'Response times', charts: [{ when: () => has('latency'), chart: () => PERCENTILES_CHART }] },
  { id: 'course', title: 'The search', charts: [
    { when: () => has('search'), chart: () => SEARCH_CHART },
    { when: () => has('sensitivity'), chart: () => SENSITIVITY_CHART },
    { when: () => has('landscape'), chart: () => LANDSCAPE_CHART },
  ] },
  { id: 'time', title: 'Over time', charts: [
    { when: () => TIMELINE.length > 0 && shownPanels().length > 0, chart: () => TIMELINE_CHART },
    { when: () => has('faults'), chart: () => FAULTS_CHART },
  ] },
  { id: 'failing', title: 'Failures', charts: [
    { when: () => rowsOf('failures').some(row => row.failed_share > 0), chart: () => FAILURES_CHART },
    { when: () => rowsOf('detection').some(row => row.failures > 0 || row.wrong_by_checks_s > 0 || row.wrong_by_ejection_s > 0), chart: () => DETECTION_CHART },
  ] },
  { id: 'states', title: 'Sessions', charts: [
    { when: () => rowsOf('sessions').some(row => row.lost > 0), chart: () => SESSIONS_CHART },
    { when: () => TIMELINE.some(row => known(row.sessions_kept_share) && row.sessions_kept_share < 1), chart: () => KEPT_CHART },
  ] },
  { id: 'system', title: 'Services', charts: [
    { when: () => has('topology'), chart: () => TOPOLOGY_CHART },
    { when: () => distinct(rowsOf('services').map(row => row.service)).length > 1, chart: () => SERVICES_CHART },
  ] },
  { id: 'fleet', title: 'Servers', charts: [
    { when: () => has('servers') && serverMetrics().length > 0, chart: () => SERVERS_CHART },
    { when: () => has('utilization'), chart: () => UTILIZATION_CHART },
  ] },
];

/** What stands below the charts. */
const BOTTOM = [
  { id: 'groups', title: 'Groups of clients', when: () => isRun() && has('clients'), make: clientsTables },
  { id: 'notes', title: 'How it was found, and what to bear in mind', when: () => (ABOUT.notes || []).length > 0, make: notesSection },
  { id: 'files', title: 'All figures', when: () => DATA.kind !== 'run', make: filesSection },
  { id: 'sure', title: 'How sure the figures are, and why', when: () => known(ABOUT.replications), make: surenessSection },
  { id: 'figures', title: 'All figures', when: isRun, make: allFigures, fold: true },
  { id: 'theory', title: 'Theory beside the estimate', when: () => isRun() && has('theory'), make: theoryTable, fold: true },
  { id: 'scenario', title: 'The scenario', when: () => Boolean(ABOUT.scenario), make: scenarioSection },
  { id: 'rerun', title: 'Run it again', when: () => Boolean(ABOUT.scenario_file), make: rerunSection },
];

function section({ id, title, make, fold }) {
  const body = fold ? folded(`Show ${inSentence(title)}`, () => el('div', {}, make())) : make();
  return el('section', { id, 'aria-labelledby': `${id}-title` }, el('h2', { id: `${id}-title` }, title), body);
}

function chartsSection(groups) {
  const wide = matchMedia('(min-width: 1100px)');
  const contents = el('details', { class: 'contents' }, el('summary', {}, 'Contents'), el('nav', { 'aria-label': 'Charts and details' }, el('ul', {},
    groups.map(group => el('li', {}, el('a', { href: `#${group.id}` }, group.title))), BOTTOM.filter(own => own.when()).map(own => el('li', {}, el('a', { href: `#${own.id}` }, own.title))))));
  const strategies = el('details', { class: 'strategies' }, el('summary', {}, `${KIND.series} in the charts`), legend());
  const fit = () => { contents.open = wide.matches; strategies.open = wide.matches; };
  fit();
  wide.addEventListener('change', fit);
  return el('div', { class: 'columns wide' },
    el('aside', { class: 'side', 'aria-label': 'Legend and contents' }, SERIES.length ? strategies : null, contents),
    el('div', { class: 'charts' }, groups.map(group => el('section', { id: group.id, 'aria-labelledby': `${group.id}-title` }, el('h2', { id: `${group.id}-title` }, group.title), group.charts.map(own => figureOf(own.chart())))),
      BOTTOM.filter(own => own.when()).map(section)));
}

function build() {
  const groups = GROUPS.map(group => ({ ...group, charts: group.charts.filter(own => own.when()) })).filter(group => group.charts.length);
  const top = TOP.filter(own => own.when());
  document.getElementById('page').replaceChildren(header(),
    el('nav', { class: 'jump wide', 'aria-label': 'On this page' }, el('ul', {}, [...top, ...(groups.length ? [{ id: groups[0].id, title: 'Charts' }] : []), ...BOTTOM.filter(own => own.when() && ['sure', 'notes', 'files', 'scenario', 'rerun'].includes(own.id))]
      .map(own => el('li', {}, el('a', { href: `#${own.id}` }, own.title))))),
    el('div', { class: 'wide top' }, top.map(section)), chartsSection(groups),
    el('footer', { class: 'wide' }, el('p', {}, `Written by ${ABOUT.program || 'lbsim'}. Charts: Apache ECharts, Apache License 2.0.`)));
}

/** On paper: dark on white, as wide as the paper. */
function print(on) {
  STATE.printing = on;
  document.documentElement.classList.toggle('printing', on);
  // Lines are told apart by the legend on paper too.
  const key = document.querySelector('.strategies');
  if (key && on) key.open = true;
  applyTheme();
}
addEventListener('beforeprint', () => print(true));
addEventListener('afterprint', () => print(false));

build();
drawAll();
