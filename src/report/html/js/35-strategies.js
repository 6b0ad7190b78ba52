'use strict';
// The table that answers the question: a line a strategy. Its columns are those of the printed
// table, what decides first.

const COLUMNS = ['mean_ms', 'p50_ms', 'p99_ms', 'p999_ms', 'success_share', 'goodput_rps', 'utilization_spread'];
// Those that are shown where anything of it happened.
const WHERE_ANY = ['sessions_lost', 'sessions_hurt_share', 'changes_lost_share', 'stale_reads_share', 'lost_updates_share', 'revocation_delay_s'];
const WHERE_GROWING = ['servers_mean'];

function tableColumns() {
  const any = name => SERIES.some(series => summaryOf(series.name, name).estimate > 0);
  const repeats = name => SERIES.some(series => summaryOf(series.name, name).estimate > 1);
  const own = COLUMNS.filter(name => name !== 'utilization_spread' || any(name));
  own.push(...WHERE_ANY.filter(any));
  if (any('servers_mean')) own.push(...WHERE_GROWING);
  // Where servers alone have a price, what they cost is all.
  const hasBill = any('balancers_cost_per_hour') || any('traffic_cost_per_hour');
  own.push(...['cost_per_hour', 'servers_cost_per_hour', 'balancers_cost_per_hour', 'traffic_cost_per_hour', 'cost_per_million'].filter(name => any(name) && (hasBill || name !== 'servers_cost_per_hour')));
  own.push(...['tries_per_request', 'attempts_per_request'].filter(repeats));
  return distinct([JUDGE.name, ...own]).filter(name => SERIES.some(series => known(summaryOf(series.name, name).estimate))).map(metricOf);
}

function varies(name) {
  const range = extent(SERIES.map(series => summaryOf(series.name, name).estimate));
  return range !== null && range[0] !== range[1];
}

const VERDICTS = {
  better: ['✓', 'better', 'good'], worse: ['✗', 'worse', 'bad'], 'not shown': ['?', 'not shown', 'unsure'], different: ['≠', 'different', 'unsure'],
  'no chance repeated': ['=', 'no chance in it', 'unsure'],
  'withheld: fails more': ['!', 'none: it fails more', 'unsure'], 'withheld: other fails more': ['!', 'none: the baseline fails more', 'unsure'],
};

function verdictBadge(verdict) {
  const [sign, text, tone] = VERDICTS[verdict] || ['–', verdict || 'not known', 'unsure'];
  return badge(sign, text, tone);
}

/** The cells of a strategy: its figures from `figureOf(strategy, metric)`. */
function figureCells(series, metrics, units, figureOf) {
  return metrics.map((metric, at) => {
    const row = figureOf(series.name, metric.name);
    const text = units[at] ? figure(row.estimate, row.half_width_95, units[at], true) : amount(metric.unit, row.estimate, row.half_width_95);
    return {
      text, value: known(row.estimate) ? row.estimate : null, title: exactly(row, metric),
      data: { strategy: series.name, metric: metric.name, estimate: row.estimate ?? '', half: row.half_width_95 ?? '' },
    };
  });
}

function exactly(row, metric) {
  if (!known(row.estimate)) return 'Too few runs or requests tell';
  const half = known(row.half_width_95) ? `95% interval ± ${row.half_width_95}` : 'no interval known';
  return `${metric.name} ${row.estimate}, ${half}, ${counted(row.n ?? 0, 'replication')}`;
}

function strategyHead(series) {
  const notes = [series.name === BASELINE && 'baseline', series.variant.oracle && 'oracle'].filter(Boolean);
  return {
    node: el('span', { class: 'named' }, swatch(series), el('span', {}, series.name, notes.map(note => [' ', el('span', { class: 'tag' }, note)]))), value: series.index, text: series.name,
  };
}

function unitHead(metric, unit) {
  return { title: metric.short, unit: unit ? UNITS[unit][1] : '', numeric: true, decides: metric.name === JUDGE.name, note: `${metric.label} (${metric.name})` };
}

function strategiesTable(caption, metrics, figureOf, apartOf) {
  const units = metrics.map(metric => commonUnit(metric.unit, SERIES.map(series => figureOf(series.name, metric.name).estimate)));
  const heads = metrics.map((metric, at) => unitHead(metric, units[at]));
  const compare = SERIES.length > 1 && BASELINE;
  const columns = [{ title: 'Strategy' }];
  if (compare) columns.push({ title: 'Verdict', note: `Against ${BASELINE}, by ${JUDGE.label}` });
  columns.push(heads[0]);
  if (compare) columns.push({ title: `less ${BASELINE}`, unit: '', numeric: true, decides: true, wrap: true, note: 'Mean of the differences, replication by replication on the same requests' });
  columns.push(...heads.slice(1));
  const rows = SERIES.map(series => {
    const cells = figureCells(series, metrics, units, figureOf);
    if (!compare) return [strategyHead(series), ...cells];
    return [strategyHead(series), ...comparedCells(series, apartOf(series.name), cells[0]), ...cells.slice(1)];
  });
  return sortableTable(caption, columns, rows);
}

/** Verdict, figure and difference. */
function comparedCells(series, apart, judged) {
  if (series.name === BASELINE) return [{ node: el('span', { class: 'muted' }, 'baseline'), value: 'baseline' }, judged, { text: NONE, value: null }];
  const said = apart || {};
  const share = relative(said.relative);
  const text = known(said.difference) ? `${change(JUDGE.unit, said.difference, said.half_width_95)}${share ? ` (${share})` : ''}` : NONE;
  return [{ node: verdictBadge(said.verdict), value: said.verdict || '' }, judged,
    { text, value: said.difference ?? null, data: { strategy: series.name, difference: said.difference ?? '', half: said.half_width_95 ?? '' } }];
}

function strategiesSection() {
  const names = SERIES.map(series => series.name);
  const failing = failingSentence(names);
  return [
    el('p', { class: 'note' }, `What decides stands first: ${inSentence(JUDGE.label)}. ± is half of a 95% interval over ${counted(ABOUT.replications || 0, 'replication')}. `
      + 'A verdict is given where the difference, on the same requests, is significant for all comparisons together; “not shown” does not mean “equal”.'),
    strategiesTable('Each strategy, by what decides and other metrics', tableColumns(), summaryOf, name => differenceOf(name, JUDGE.name)),
    el('p', { class: 'note' }, failing || 'Response times are of requests that succeeded.'),
  ];
}

/** A table for each group of clients. */
function clientGroups() {
  return distinct(rowsOf('clients').map(row => row.clients));
}

function clientsTables() {
  const rows = new Map(rowsOf('clients').map(row => [`${row.clients}\n${row.strategy}\n${row.metric}`, row]));
  const none = { estimate: null, half_width_95: null, n: 0 };
  return clientGroups().map(group => {
    const of = (strategy, metric) => rows.get(`${group}\n${strategy}\n${metric}`) || none;
    const metrics = tableColumns().filter(metric => SERIES.some(series => known(of(series.name, metric.name).estimate)));
    if (!metrics.length) return null;
    const apart = name => {
      const row = of(name, JUDGE.name);
      return known(row.difference) ? { ...row, half_width_95: row.difference_half_width_95 } : undefined;
    };
    const compare = metrics[0].name === JUDGE.name ? apart : () => undefined;
    return [el('h3', {}, `Clients: ${group}`), strategiesTable(`Requests of the clients “${group}”`, metrics, of, compare)];
  });
}
