'use strict';
// The answer of a sweep: who is the best at how many of the values.

/** The row of a metric of a strategy at a point. */
const SWEPT = new Map(rowsOf('sweep').map(row => [`${row.value}\n${row.value_2 || ''}\n${row.strategy}\n${row.metric}`, row]));
const SWEPT_APART = new Map(ABOUT.sweep ? rowsOf('paired').map(row => [`${row.value}\n${row.value_2 || ''}\n${row.strategy}\n${row.metric}`, row]) : []);

function sweptAt(point, strategy, metric) {
  return SWEPT.get(`${point.value}\n${point.value_2 || ''}\n${strategy}\n${metric}`) || { estimate: null, half_width_95: null };
}

function apartAt(point, strategy, metric) {
  return SWEPT_APART.get(`${point.value}\n${point.value_2 || ''}\n${strategy}\n${metric}`);
}

/**
 * The best at a point of those that fail no more than others, with those whose intervals reach as
 * far.
 */
function bestAt(point) {
  const rows = SERIES.filter(series => !series.variant.oracle).map(series => ({
    series, row: sweptAt(point, series.name, JUDGE.name), success: sweptAt(point, series.name, 'success_share').estimate,
  })).filter(own => known(own.row.estimate));
  if (!rows.length || point.overloaded) return null;
  const most = Math.max(...rows.map(own => own.success ?? 1));
  const fair = JUDGE.unit === 'time' ? rows.filter(own => (own.success ?? 1) >= most - 0.0005) : rows;
  const sign = JUDGE.better === 'more' ? -1 : 1;
  const best = fair.reduce((a, b) => (sign * b.row.estimate < sign * a.row.estimate ? b : a));
  return best.series;
}

/** How often each is the best, most often first. */
function winners() {
  const points = ABOUT.sweep.points.map(point => ({ point, best: bestAt(point) })).filter(own => own.best);
  const wins = SERIES.map(series => ({ series, points: points.filter(own => own.best === series).map(own => own.point) }))
    .filter(own => own.points.length).sort((a, b) => b.points.length - a.points.length);
  return { wins, count: points.length };
}

function pointName(point) {
  return point.value_2 ? `${point.value} with ${point.value_2}` : point.value;
}

function answerOfSweep() {
  const { wins, count } = winners();
  if (!count) return ['Nothing could be measured at any of the values.'];
  const [first, ...others] = wins;
  const what = superlativeOf(JUDGE);
  const where = first.points.length === count ? `at ${count === 1 ? 'the one value' : `all ${count} values`}` : `at ${first.points.length} of ${count} values`;
  const rest = others.slice(0, 3).map(own => [`; `, strong(own.series.name), ` at ${own.points.length <= 3 ? listed(own.points.map(pointName)) : `${own.points.length}`}`]);
  return ['Deploy ', strong(first.series.name), `: it has ${what} ${where}`, rest, others.length > 3 ? '; others at the rest' : '', '.'];
}

function sweepDeployment() {
  const { wins, count } = winners();
  const facts = [];
  if (wins.length) {
    const best = wins[0].series;
    facts.push(['Deploy', picked(best)]);
    facts.push(['How sure', surenessOfSweep(best, count)]);
  }
  facts.push(['Judged by', `${JUDGE.label}, at each value`]);
  const over = ABOUT.sweep.points.filter(point => point.overloaded);
  if (over.length) {
    const where = over.length <= 4 ? listed(over.map(pointName)) : counted(over.length, 'value');
    facts.push(['Not measured', `${where}: more is asked for than the servers can do, so that queues grow for as long as one waits`]);
  }
  const warnings = (ABOUT.warnings || []).length;
  if (warnings) facts.push(['Mind', el('a', { href: '#warnings' }, counted(warnings, 'warning'))]);
  return facts;
}

/** Each is compared with the baseline, value by value. */
function surenessOfSweep(best, count) {
  const runs = counted(ABOUT.replications || 0, 'replication');
  if ((ABOUT.replications || 0) < 2) return ['Not known: one replication at each value tells nothing of how much chance there is in it.'];
  if (best.name === BASELINE) {
    return [`It is the baseline itself, from ${runs} at each value. Who is worse than it at 95% confidence is told in the table.`];
  }
  const verdicts = ABOUT.sweep.points.map(point => apartAt(point, best.name, JUDGE.name)).filter(Boolean).map(row => row.verdict);
  const better = verdicts.filter(verdict => verdict === 'better').length;
  return [`At ${better} of ${count} values it is shown to be better than the baseline, `, strong(BASELINE),
    `, with 95% confidence, from ${runs} at each; all strategies were asked the very same requests. Those that are not the baseline are not compared with each other: their intervals are in the charts.`];
}
