'use strict';
// A comparison drawn: how each result differs from the baseline, and both beside each other.

const COMPARED_METRICS = { name: 'metric', label: 'Metric', initial: comparedMetrics()[0]?.name, options: metricOptions(comparedMetrics()) };
const COMPARED_PLACES = {
  name: 'at', label: ABOUT.sweep || '', initial: comparedAt(COMPARED.find(row => row.metric === JUDGE.name && known(row.difference)) || {}),
  options: distinct(COMPARED.map(comparedAt)).map(at => [at, at]),
};

/** The rows of a metric, at one value where there are several. */
function comparedRows(context) {
  return COMPARED.filter(row => row.metric === context.choice.metric && comparedAt(row) === (context.choice.at ?? ''));
}

/** Which results, in a title: one by its name. */
function comparedResults() {
  return ABOUT.results.length === 1 ? ABOUT.results[0].name : 'results';
}

function comparedWhere(context) {
  return context.choice.at ? ` at ${context.choice.at}` : '';
}

const COMPARE_CHART = {
  id: 'compare', title: context => `${metricOf(context.choice.metric).label}: ${comparedResults()} less ${BASELINE}${comparedWhere(context)}`,
  says: context => [`${betterSide(metricOf(context.choice.metric))}Differences with their 95% intervals: one that leaves out the line is a verdict, if it is significant for all comparisons together (Holm).`],
  choices: [COMPARED_METRICS, COMPARED_PLACES, SCALES],
  option: context => {
    const rows = comparedRows(context).filter(row => known(row.difference) && row.result !== BASELINE && isOn(row.result));
    const label = row => (ABOUT.results.length > 1 ? `${comparedName(row)}, ${row.result}` : comparedName(row));
    return differencesOption(context, metricOf(context.choice.metric), rows.map(row => ({ series: BY_NAME.get(row.result), label: label(row), row: { ...row, half_width_95: row.difference_half_width_95 } })), BASELINE);
  },
  rows: context => rowsAsTable('compare', ['value', 'result', 'strategy', 'difference', 'difference_half_width_95', 'relative', 'p_adjusted', 'verdict', 'gain', 'n'].filter(name => name !== 'value' || isSweptComparison()), context, row => row.metric === context.choice.metric),
};

const BESIDE_CHART = {
  id: 'beside', title: context => `${metricOf(context.choice.metric).label}: ${BASELINE} beside ${comparedResults()}${comparedWhere(context)}`,
  says: () => ['A panel a strategy; marks with their 95% intervals.'],
  choices: [COMPARED_METRICS, COMPARED_PLACES],
  option: context => {
    const metric = metricOf(context.choice.metric);
    const rows = comparedRows(context);
    return dotPanels(context, distinct(rows.map(row => row.strategy)).map(strategy => {
      const own = rows.filter(row => row.strategy === strategy);
      return { title: strategy, kind: metric.unit, log: false, values: context.shown.map(series => {
        const row = series.name === BASELINE ? own[0] : own.find(one => one.result === series.name);
        return series.name === BASELINE ? [series, row?.baseline_estimate ?? null, row?.baseline_half_width_95 ?? null] : [series, row?.estimate ?? null, row?.half_width_95 ?? null];
      }) };
    }).filter(panel => panel.values.some(([, value]) => known(value))));
  },
  rows: context => rowsAsTable('compare', ['result', 'strategy', 'baseline_estimate', 'baseline_half_width_95', 'estimate', 'half_width_95'], context, row => row.metric === context.choice.metric && comparedAt(row) === (context.choice.at ?? '')),
};
