'use strict';
// What `lbsim validate` found: simulated values beside what theory knows exactly, and how often
// intervals hold the truth.

const THEORY = DATA.kind === 'validate' ? rowsOf('theory') : [];
const COVERAGE = rowsOf('coverage');

function agreeBadge(agrees) {
  return truth(agrees) ? badge('✓', 'agrees', 'good') : badge('✗', 'does not agree', 'bad');
}

function validateFacts() {
  const share = rows => `${rows.filter(row => truth(row.agrees)).length} of ${rows.length}`;
  return [['Values', [share(THEORY), ' agree with queueing theory']], ['Intervals', [share(COVERAGE), ' hold the exact value as often as they should']], ['Unit', ABOUT.caption]];
}

/** How far a simulated value is off, as a share of the exact one. */
function offBy(row) {
  return row.estimate / row.exact - 1;
}

function theorySection() {
  const columns = [{ title: 'World' }, { title: 'Of' }, { title: 'exact', numeric: true }, { title: 'simulated', numeric: true }, { title: 'off by', numeric: true, decides: true }, { title: 'may be off by', numeric: true }, { title: 'Verdict' }, { title: 'Source' }];
  const cell = (name, value, text) => ({ text, value, data: { column: name, value } });
  const tableOf = group => sortableTable(`Simulated beside exact: ${group}`, columns, THEORY.filter(row => row.group === group).map(row => [
    { node: el('span', { class: 'named' }, row.world), text: row.world, data: { column: 'id', value: row.id } }, row.metric, cell('exact', row.exact, plain(row.exact)), cell('estimate', row.estimate, withHalf(row.estimate, row.half_width_95)),
    { text: change('relative', offBy(row), null), value: offBy(row) }, cell('tolerance', row.tolerance, percentText(row.tolerance)), { node: agreeBadge(row.agrees), value: String(row.agrees) }, row.source,
  ]));
  return chosenTable('Worlds', THEORY_GROUPS, tableOf);
}

const THEORY_GROUPS = distinct(THEORY.map(row => row.group)).map(group => [group, group]);

/**
 * What was measured, in a range that is accepted: `rows` are `{label, value, half, from, to,
 * agrees, text}`.
 */
function acceptedOption(context, rows, axis) {
  const look = lookOf('simulated', 0);
  const colours = context.paint;
  const left = context.narrow ? 130 : 300;
  const tallest = Math.max(...rows.map(row => linesOf(row.label, left - 20)));
  const tall = rows.length * Math.max(26, tallest * 15 + 6) + 12;
  const range = extent(rows.flatMap(row => [row.from, row.to, row.value - row.half, row.value + row.half]));
  const names = rows.map((_, at) => String(at));
  return {
    option: {
      grid: { left, right: 24, top: 10, height: tall, outerBoundsMode: 'none' },
      xAxis: { ...valueAxis(context, 'share', range, { few: true, cut: false }), name: axis, nameLocation: 'middle', nameGap: 30 },
      yAxis: { ...nameAxis(context, names), axisLine: { show: false }, axisLabel: { ...axisStyle(context).axisLabel, interval: 0, hideOverlap: false, color: colours.ink, lineHeight: 14, formatter: at => broken(rows[Number(at)].label, left - 16, { size: 12 }).join('\n') } },
      series: [
        { type: 'custom', name: 'accepted', silent: true, z: 1, data: rows.map((row, at) => [row.from, row.to, at]), encode: { x: [0, 1], y: 2 }, renderItem: (_, api) => {
          const [[from, y], [to]] = [0, 1].map(place => api.coord([api.value(place), api.value(2)]));
          return { type: 'rect', shape: { x: from, y: y - 8, width: to - from, height: 16 }, style: { fill: colours.line, opacity: 0.6 } };
        } },
        whiskers(look, colours.of(look), rows.map((row, at) => [row.value, at, row.value - row.half, row.value + row.half]).filter((_, at) => rows[at].half > 0), { across: true }),
        ...[true, false].map(agrees => {
          const some = rows.map((row, at) => [row, at]).filter(([row]) => truth(row.agrees) === agrees);
          return marks(look, context, some.map(([row, at]) => [row.value, at]), { symbol: agrees ? look.symbol : PATHS.cross, symbolSize: agrees ? 8 : 13, itemStyle: { color: agrees ? colours.of(look) : colours.bad }, tooltip: { formatter: point => tip(some[point.dataIndex][0].label, some[point.dataIndex][0].text) } });
        }),
      ],
      tooltip: tooltip(context, () => '', { trigger: 'item' }),
    },
    height: tall + 66, drawn: [],
    text: `${rows.filter(row => truth(row.agrees)).length} of ${rows.length} are in the range that is accepted.`,
  };
}

const THEORY_CHART = {
  id: 'theory', always: true, title: context => `How far simulated values are off: ${context.choice.group}`,
  says: () => ['Marks with their 95% intervals; grey: how far an estimate may be off, about three standard errors of a simulation of that length. A cross: does not agree.'],
  choices: [{ name: 'group', label: 'Worlds', initial: THEORY_GROUPS[0]?.[0], options: THEORY_GROUPS }],
  option: context => acceptedOption(context, THEORY.filter(row => row.group === context.choice.group).map(row => ({
    label: `${row.world}: ${row.metric}`, value: offBy(row), half: row.half_width_95 / Math.abs(row.exact), from: -row.tolerance, to: row.tolerance, agrees: row.agrees,
    text: [[null, 'exact', plain(row.exact)], [null, 'simulated', withHalf(row.estimate, row.half_width_95)], [null, 'off by', change('relative', offBy(row), null)], [null, 'may be off by', percentText(row.tolerance)]],
  })), 'Simulated less exact, of the exact value'),
  rows: context => rowsAsTable('theory', ['world', 'metric', 'exact', 'estimate', 'half_width_95', 'tolerance', 'requests', 'agrees'], context, row => row.group === context.choice.group),
};

const COVERAGE_CHART = {
  id: 'coverage', always: true, title: 'How often 95% intervals hold the exact value',
  says: () => ['Grey: what is accepted of so many experiments.'],
  option: context => acceptedOption(context, COVERAGE.map(row => ({
    label: `${row.world}: ${row.metric}`, value: row.share, half: 0, from: row.least, to: row.most, agrees: row.agrees, text: [[null, 'held it', percentText(row.share)], [null, 'of experiments', plain(row.experiments)], [null, 'accepted', `${percentText(row.least)} to ${percentText(row.most)}`]],
  })), 'Intervals that hold the exact value'),
  rows: context => rowsAsTable('coverage', ['world', 'metric', 'experiments', 'covered', 'share', 'least', 'most', 'half_width', 'agrees'], context),
};
