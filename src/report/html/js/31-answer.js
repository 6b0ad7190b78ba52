'use strict';
// The answer of a run: who is the best by what decides, who is not shown to be worse, what that
// costs, and how sure it is.

/**
 * What ranking.csv says of `one` against `other`: better, worse, not shown, withheld; empty where
 * it says nothing.
 */
function duel(one, other) {
  const row = rowsOf('ranking').find(own => (own.strategy === one && own.other === other) || (own.strategy === other && own.other === one));
  if (!row || !row.verdict) return '';
  if (row.strategy === one) return row.verdict;
  return { better: 'worse', worse: 'better' }[row.verdict] || row.verdict;
}

/** Who is the best that can be deployed, and how it stands to the others. */
function standing() {
  // Who has no figure to be judged by is not in it.
  const able = SERIES.filter(series => !series.variant.oracle && known(series.variant.rank) && known(summaryOf(series.name, JUDGE.name).estimate));
  const eligible = able.filter(series => series.variant.eligible !== false).sort((a, b) => a.variant.rank - b.variant.rank);
  const meeting = eligible.filter(series => meetsAll(series.name) !== false);
  const best = meeting[0] || eligible[0] || null;
  if (!best) return null;
  const rivals = eligible.filter(series => series !== best);
  const by = verdict => rivals.filter(series => duel(best.name, series.name) === verdict);
  return {
    best, rivals,
    beaten: by('better'),
    open: rivals.filter(series => duel(best.name, series.name) !== 'better' && duel(best.name, series.name) !== 'worse'),
    ahead: by('worse'),
    leftOut: able.filter(series => series.variant.eligible === false),
    oracles: SERIES.filter(series => series.variant.oracle),
    meets: meetsAll(best.name),
    row: summaryOf(best.name, JUDGE.name),
  };
}

/**
 * Whether a strategy is shown to meet all requirements: true or false; null where there are none.
 */
function meetsAll(name) {
  const own = rowsOf('requirements').filter(row => row.strategy === name);
  return own.length ? own.every(row => row.decision === 'holds') : null;
}

/** The answer in a sentence. */
function answerOfRun(said) {
  const figureText = amount(JUDGE.unit, said.row.estimate, said.row.half_width_95);
  const what = superlativeOf(JUDGE);
  if (SERIES.length === 1) return [strong(said.best.name), ` has ${article(JUDGE)} of `, strong(figureText), '.'];
  if (!said.rivals.length && said.leftOut.length) {
    return ['No strategy can be called the best: ', strong(said.best.name), ' fails least, and the others are left out because they fail more.'];
  }
  if (said.meets === false) return ['No strategy is shown to meet all that is required. Of those that fail no more than others, ', strong(said.best.name), ` has ${what} (${figureText}).`];
  const required = said.meets ? ', and is shown to meet what is required of it' : '';
  const lead = ['Deploy ', strong(said.best.name), `: it has ${what} (${figureText})${required}`];
  if ((ABOUT.replications || 0) < 2) return [...lead, '; one replication does not tell how sure that is.'];
  if (said.ahead.length) return ['Deploy ', strong(said.best.name), `: the best of those that meet what is required (${figureText}).`];
  if (said.open.length === 0) {
    const all = said.rivals.length === 1 ? ['shown to be better than ', strong(said.rivals[0].name)] : [`shown to be better than each of the ${said.rivals.length} others`];
    return [...lead, ', ', ...all, '.'];
  }
  return [...lead, '; but ', listedStrong(said.open), ` ${said.open.length === 1 ? 'is' : 'are'} not shown to be worse.`];
}

function article(metric) {
  const label = inSentence(metric.label);
  return /^[aeiou]/.test(label) ? `an ${label}` : `a ${label}`;
}

/** Names in a sentence; of very many the first, and how many more. */
function listedStrong(series, most = 3) {
  const shown = series.length > most + 1 ? series.slice(0, most) : series;
  const rest = series.length - shown.length;
  const parts = [...shown.map(own => strong(own.name)), ...(rest ? [`${rest} others`] : [])];
  return parts.map((part, at) => [at === 0 ? '' : at === parts.length - 1 ? ' and ' : ', ', part]);
}

/** What the recommended one is worse at, by the means of what people look at first. */
function pricesOf(best) {
  return ['mean_ms', 'p99_ms', 'success_share', 'sessions_hurt_share', 'changes_lost_share', 'cost_per_hour', 'utilization_max']
    .filter(name => name !== JUDGE.name).map(name => priceOf(best, metricOf(name))).filter(Boolean);
}

function priceOf(best, metric) {
  const own = summaryOf(best, metric.name);
  const others = SERIES.filter(series => !series.variant.oracle).map(series => ({ name: series.name, row: summaryOf(series.name, metric.name) }))
    .filter(other => known(other.row.estimate));
  if (!known(own.estimate) || others.length < 2) return null;
  const sign = metric.better === 'more' ? -1 : 1;
  const first = others.reduce((a, b) => (sign * b.row.estimate < sign * a.row.estimate ? b : a));
  const apart = sign * (own.estimate - first.row.estimate);
  // Intervals that touch say nothing, and a hundredth more is no price.
  const unsure = (own.half_width_95 || 0) + (first.row.half_width_95 || 0);
  if (apart <= unsure || apart < 0.01 * Math.abs(first.row.estimate)) return null;
  const fails = metric.unit === 'time' && successOf(first.name) < successOf(best) - 0.0005;
  return [`${metric.label}: ${amount(metric.unit, own.estimate, own.half_width_95)}, against ${amount(metric.unit, first.row.estimate, first.row.half_width_95)} under `,
    strong(first.name), fails ? ` (of which only ${percentText(successOf(first.name))} succeed)` : ''];
}

/** How sure it is, in a sentence or two. */
function sureness(said) {
  const runs = counted(ABOUT.replications || 0, 'replication');
  if ((ABOUT.replications || 0) < 2) return ['Not known: one replication tells nothing of how much chance there is in it. Run more (', el('code', { class: 'whole' }, '--replications 10'), ').'];
  const pairs = rowsOf('ranking').length;
  const compared = said.rivals.length + said.leftOut.length + said.oracles.length > 0;
  const holm = pairs > 1 ? `, for all ${pairs} comparisons together (Holm)` : '';
  const lead = !compared ? `The interval is one of 95% over ${runs}.`
    : said.open.length === 0 ? `95% confidence${holm}, from ${runs}; all strategies were asked the very same requests.`
      : `Not decided at 95% confidence${holm}, from ${runs}: “not shown” does not mean “equal”. More replications may tell.`;
  const reached = ABOUT.precision_reached === true ? ' The precision that was asked for was reached.'
    : ABOUT.precision_reached === false ? ' The precision that was asked for was not reached.' : '';
  return [lead + reached];
}

/** The next by what decides, and how far it is behind; null where there is none. */
function nextOf(said) {
  const next = said.rivals.slice().sort((a, b) => a.variant.rank - b.variant.rank)[0];
  const row = next && rowsOf('ranking').find(own => (own.strategy === said.best.name && own.other === next.name) || (own.strategy === next.name && own.other === said.best.name));
  if (!row || !known(row.difference)) return null;
  const apart = row.strategy === next.name ? row.difference : -row.difference;
  const verdict = { better: 'shown to be worse', worse: 'shown to be better' }[duel(said.best.name, next.name)] || 'which is not shown to be a difference';
  return [strong(next.name), ': ', amount(JUDGE.unit, summaryOf(next.name, JUDGE.name).estimate), `, ${change(JUDGE.unit, apart, row.half_width_95)}, ${verdict}`];
}

/** The facts beside the answer, each under its name. */
function deployment(said) {
  const facts = [];
  facts.push(['Deploy', picked(said.best)]);
  if (said.open.length && ABOUT.replications > 1) facts.push(['Or', [listedStrong(said.open, 6), ': not shown to be worse']]);
  facts.push(['Judged by', [`${JUDGE.label}: `, strong(amount(JUDGE.unit, said.row.estimate, said.row.half_width_95))]]);
  const next = nextOf(said);
  if (next) facts.push(['The next', next]);
  facts.push(['How sure', sureness(said)]);
  const prices = pricesOf(said.best.name);
  if (prices.length) facts.push(['What it costs', el('ul', {}, prices.map(price => el('li', {}, price)))]);
  if (said.meets !== null) {
    const own = distinct(rowsOf('requirements').filter(row => row.strategy === said.best.name).map(row => row.requirement)).length;
    const which = own === 1 ? 'the one that is about it' : `the ${own} that are about it`;
    facts.push(['Requirements', said.meets ? `${which} ${own === 1 ? 'is' : 'are'} shown to hold` : `of ${which} not all are shown to hold: see below`]);
  }
  if (said.leftOut.length) facts.push(['Left out', [listedStrong(said.leftOut), ': they fail more']]);
  if (said.oracles.length) facts.push(['Not to deploy', [listedStrong(said.oracles), ': an oracle sees what no balancer can see']]);
  const warnings = (ABOUT.warnings || []).length;
  if (warnings) facts.push(['Mind', el('a', { href: '#warnings' }, counted(warnings, 'warning'))]);
  return facts;
}

/** A strategy by its name, with what it runs and what the scenario sets for it. */
function picked(series) {
  const settings = settingsOf(series.variant);
  const scenario = (ABOUT.scenario?.variants || []).find(variant => variant.name === series.name);
  const sets = Object.entries(scenario?.set || {});
  return [
    el('span', { class: 'pick' }, swatch(series), strong(series.name)),
    settings && el('div', { class: 'runs' }, 'runs ', el('code', {}, settings)),
    sets.length > 0 && el('div', { class: 'runs' }, 'with ', sets.map(([path, value], at) => [at ? ', ' : '', el('code', {}, `${path} = ${typeof value === 'object' ? JSON.stringify(value) : value}`)])),
  ];
}

/** A strategy with what is set of it, where its name does not say it. */
function settingsOf(variant) {
  const strategy = variant.strategy;
  if (!strategy || !strategy.kind || strategy.kind === variant.name) return '';
  const sets = Object.entries(strategy).filter(([key, value]) => key !== 'kind' && typeof value !== 'object').map(([key, value]) => `${key}=${value}`);
  return [strategy.kind, ...sets].join(' ');
}
