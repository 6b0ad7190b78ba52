'use strict';
// What stands behind the figures: all of them, theory, how sure they are and why, the scenario, and
// how to run it again.

/** Every metric of every strategy. */
function allFigures() {
  const metrics = distinct(rowsOf('summary').filter(row => known(row.estimate)).map(row => row.metric)).map(metricOf);
  const columns = [{ title: 'Metric' }, ...SERIES.map(series => ({ title: series.name, numeric: true }))];
  const rows = metrics.map(metric => [{ text: metric.label, title: metric.name }, ...SERIES.map(series => {
    const row = summaryOf(series.name, metric.name);
    return { text: amount(metric.unit, row.estimate, row.half_width_95), value: row.estimate ?? null, title: exactly(row, metric), data: { strategy: series.name, metric: metric.name, estimate: row.estimate ?? '', half: row.half_width_95 ?? '' } };
  })]);
  return sortableTable('All metrics, by strategy', columns, rows);
}

/** All columns of each file, as they stand in it. */
function filesSection() {
  return Object.keys(DATA.tables).filter(name => rowsOf(name).length > 0)
    .map(name => folded(`${name}.csv: ${counted(rowsOf(name).length, 'row')}`, () => fileTable(name), { 'data-file': name }));
}

function fileTable(name) {
  const rows = rowsOf(name);
  const columns = Object.keys(rows[0]).map(title => ({ title, numeric: rows.some(row => typeof row[title] === 'number') }));
  const cell = value => (value === null || value === '' ? NONE : String(value));
  return sortableTable(`${name}.csv`, columns, rows.map(row => columns.map(({ title }) => ({ text: cell(row[title]), value: row[title], data: { column: title, value: String(row[title] ?? '') } }))));
}

function theoryTable() {
  const columns = [{ title: 'Strategy' }, { title: 'Model' }, { title: 'Metric' }, { title: 'Exact', numeric: true }, { title: 'Simulated', numeric: true }, { title: 'Standard errors apart', numeric: true, note: 'Beyond 4 something is wrong' }];
  const rows = rowsOf('theory').map(row => {
    const metric = metricOf(row.metric);
    return [row.strategy, row.model, metric.label, { text: amount(metric.unit, row.exact), value: row.exact }, { text: amount(metric.unit, row.estimate, row.half_width_95), value: row.estimate ?? null },
      { text: known(row.standard_errors) ? plain(Number(row.standard_errors.toFixed(1))) : NONE, value: row.standard_errors ?? null }];
  });
  return [el('p', { class: 'note' }, 'Where queueing theory knows a value exactly, it stands beside the simulated one. A difference beyond four standard errors would mean that something is wrong.'), sortableTable('Theory beside the estimate', columns, rows)];
}

function surenessSection() {
  const runs = counted(ABOUT.replications || 0, 'replication');
  const points = [
    `Figures are of ${runs} of ${clock(secondsOf(ABOUT.duration))}${WARMUP_S > 0 ? `, of which the first ${clock(WARMUP_S)} are not measured` : ''}, with independent random numbers, beginning with seed ${ABOUT.seed}.`,
    '± is half of a 95% interval (Student’s t) over replications: requests of one run depend on each other, and are not counted as if they did not.',
    SERIES.length > 1 && 'In each replication every strategy gets the same requests at the same times, of the same sizes, with the same faults. Differences are taken replication by replication.',
    SERIES.length > 1 && 'A verdict is given only where the difference is significant at 95% for all comparisons together (Holm). “Not shown” does not mean “equal”.',
    'Response times are of requests that succeeded. Where the faster strategy fails more, no verdict is given by response time.',
    'These are figures about a model: they carry over to a system as far as its arrivals, service times and failures are like those in the scenario.',
  ].filter(Boolean);
  // Who is the best is said at the top.
  const findings = (ABOUT.findings || []).filter(sentence => !sentence.startsWith('Best by '));
  return [el('ul', { class: 'points' }, findings.map(sentence => el('li', {}, prose(sentence))), points.map(text => el('li', {}, text)))];
}

/** A value of the scenario: tables within tables, as the file has them. */
function tree(value) {
  if (Array.isArray(value)) {
    if (value.every(own => typeof own !== 'object' || own === null)) return el('span', {}, value.length ? value.map(String).join(', ') : 'none');
    return el('ol', { class: 'tree' }, value.map((own, at) => el('li', {}, branch(own?.name || own?.kind || String(at + 1), own))));
  }
  if (value && typeof value === 'object') {
    const entries = Object.entries(value);
    if (!entries.length) return el('span', {}, 'none');
    return el('dl', { class: 'tree' }, entries.map(([key, own]) => el('div', {}, isNested(own)
      ? el('dd', {}, branch(key, own)) : [el('dt', {}, key), el('dd', {}, tree(own))])));
  }
  return el('span', {}, value === null ? 'none' : String(value));
}

function isNested(value) {
  if (Array.isArray(value)) return value.some(own => own && typeof own === 'object');
  return Boolean(value) && typeof value === 'object' && Object.keys(value).length > 0;
}

function branch(name, value) {
  return folded(name, () => tree(value), { class: 'branch' });
}

function scenarioSection() {
  const scenario = { ...ABOUT.scenario };
  // These stand at the top of the page.
  delete scenario.question;
  delete scenario.expect;
  const box = el('div', {}, Object.entries(scenario).map(([key, value]) => (isNested(value) ? branch(key, value) : el('p', { class: 'leaf' }, strong(key), ' ', tree(value)))));
  const toggle = el('button', { type: 'button', class: 'quiet', onclick: event => {
    const open = event.target.textContent === 'Open all';
    openAll(box, open);
    event.target.textContent = open ? 'Close all' : 'Open all';
  } }, 'Open all');
  return [el('p', { class: 'note' }, `${ABOUT.scenario_file || 'The scenario'}, with every default filled in. `, toggle), box];
}

function openAll(box, open) {
  for (const own of box.querySelectorAll(':scope > details, :scope > * > details, :scope details')) {
    if (open && own.fillNow) own.fillNow();
    own.open = open;
  }
  if (open && box.querySelector('details:not([open])')) openAll(box, true);
}

/** The command that gives the same results. */
function command() {
  const verb = DATA.kind;
  const parts = ['lbsim', verb, quoted(ABOUT.scenario_file || 'scenario.toml')];
  const asked = Boolean(ABOUT.replications) && verb === 'run' && ABOUT.precision_reached === null;
  // What has an argument of its own is said by that.
  const own = ['run.seed=', ...(asked ? ['run.replications='] : [])];
  for (const change of ABOUT.changes || []) {
    if (!own.some(start => change.startsWith(start))) parts.push(`--set ${quoted(change)}`);
  }
  if (known(ABOUT.seed)) parts.push(`--seed ${ABOUT.seed}`);
  if (asked) parts.push(`--replications ${ABOUT.replications}`);
  return parts.join(' ');
}

/** For a shell. */
function quoted(text) {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll('\'', '\'\\\'\'')}'`;
}

function rerunSection() {
  const code = el('code', {}, command());
  const said = el('span', { class: 'muted', role: 'status' });
  const copy = el('button', { type: 'button', class: 'quiet', onclick: async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      said.textContent = ' copied';
    } catch {
      getSelection().selectAllChildren(code);
      said.textContent = ' selected: copy it with Ctrl+C';
    }
  } }, 'Copy');
  return [el('pre', { class: 'command' }, code), el('p', { class: 'controls' }, copy, said),
    el('p', { class: 'note' }, `The same scenario, seed and version (${ABOUT.program || 'lbsim'}) give the same bytes, for any number of threads. All figures stand in the CSV files beside this page, and the settings in `, el('code', {}, 'manifest.json'), '.')];
}
