'use strict';
// What `lbsim size` found: how much each strategy needs, and what was measured at each value that
// was tried, beside its limit.

const SIZE_VERDICTS = { found: ['✓', 'found', 'good'], 'the end holds': ['✓', 'holds at the end of the range', 'good'], none: ['✗', 'holds nowhere', 'bad'], 'not decided': ['?', 'not decided', 'unsure'] };
const TRIED = rowsOf('tried');

function sizeBadge(row) {
  const [sign, text, tone] = SIZE_VERDICTS[row.verdict] || ['–', row.verdict, 'unsure'];
  return badge(sign, text, tone);
}

function sizeFacts() {
  return [
    ...rowsOf('sizes').map(row => [row.strategy, [strong(row.value || NONE), ' ', sizeBadge(row), row.fails && el('div', {}, `fails at ${row.fails}`), row.undecided && el('div', {}, `not decided: ${row.undecided}`)]]),
    ['How sure', `${plain(ABOUT.level * 100)}% intervals decide, so that all decisions are right together with 95% confidence, if what holds at a value holds at all easier ones.`],
    ['The search', `${counted(distinct(TRIED.map(row => `${row.strategy}\n${row.value}`)).length, 'value')} tried, ${grouped(String(ABOUT.requests_simulated))} requests`],
  ];
}

function sizesSection() {
  const columns = [{ title: 'Strategy' }, { title: 'needs', numeric: true, decides: true }, { title: 'Verdict' }, { title: 'fails at', numeric: true }, { title: 'not decided', numeric: true }, { title: 'what fails first' },
    { title: 'the last step', numeric: true, note: 'What the step from the answer to the next value costs of that: the mean difference on the same requests' }];
  const cell = (name, text) => ({ text: text || NONE, value: parseFloat(text) || text, data: { column: name, value: text } });
  const hasCost = rowsOf('sizes').some(row => known(row.cost_per_hour));
  if (hasCost) columns.push({ title: 'cost an hour', numeric: true, note: 'What the answer costs an hour, as the scenario stands with it' });
  return sortableTable('What each strategy needs', columns, rowsOf('sizes').map(row => {
    const series = BY_NAME.get(row.strategy);
    return [{ node: el('span', { class: 'named' }, swatch(series), row.strategy), value: series.index, data: { column: 'strategy', value: row.strategy } }, cell('value', row.value), { node: sizeBadge(row), value: row.verdict },
      cell('fails', row.fails), cell('undecided', row.undecided), cell('requirement', row.requirement),
      { text: known(row.step_difference) ? change(requiredKind(row.requirement), row.step_difference, row.step_half_width_95) : NONE, value: row.step_difference, data: { column: 'step_difference', value: row.step_difference ?? '' } },
      ...(hasCost ? [{ text: known(row.cost_per_hour) ? amount('count', row.cost_per_hour, row.cost_per_hour_half_width_95) : NONE, value: row.cost_per_hour, data: { column: 'cost_per_hour', value: row.cost_per_hour ?? '' } }] : [])];
  }));
}

/** In what a requirement is counted: what its limit is written in. */
function requiredKind(requirement) {
  const [, number, unit] = /([\d.]+)\s*(%|\/s|[a-zµ]+)?$/.exec(requirement) || [];
  if (unit === '%') return 'share';
  if (unit === '/s') return 'rate';
  if (!unit) return 'count';
  // Times of sessions stand in seconds.
  const limit = TRIED.find(row => row.requirement === requirement)?.limit;
  return Math.abs(limit - secondsOf(number + unit)) < 1e-9 * limit ? 'seconds' : 'time';
}

/** The requirement and the situation that the reader has chosen: first what fails somewhere. */
const TRIED_CASES = distinct([...TRIED.filter(row => row.verdict === 'fails'), ...TRIED].map(row => `${row.requirement}\n${row.situation}`));

const SIZE_CHART = {
  id: 'size', title: context => context.choice.what.split('\n').join(', '),
  says: () => ['A line a strategy, with the intervals that decide; the dashed line is the limit. Filled marks: shown to hold; hollow: shown to fail, or not decided.'],
  choices: [
    { name: 'what', label: 'Required', initial: TRIED_CASES[0], options: TRIED_CASES.map(own => [own, own.split('\n').join(', ')]) },
    { name: 'scale', label: 'Scale', initial: 'log', options: [['log', 'Log'], ['linear', 'Linear']] },
  ],
  option: context => {
    const [requirement, situation] = context.choice.what.split('\n');
    const kind = requiredKind(requirement);
    const all = TRIED.filter(row => row.requirement === requirement && row.situation === situation && known(row.estimate));
    const lines = context.shown.map(own => ({ own, rows: all.filter(row => row.strategy === own.name).sort((a, b) => a.at - b.at) })).filter(line => line.rows.length);
    if (!lines.length) return null;
    const { limit } = all[0];
    const log = context.choice.scale === 'log' && kind !== 'share' && all.every(row => row.estimate > 0);
    const range = extent([limit, ...lines.flatMap(line => line.rows.flatMap(row => [floor(row.estimate - (row.half_width || 0), log, extent(all.map(one => one.estimate))), row.estimate + (row.half_width || 0)]))]);
    const places = new Map(all.map(row => [row.at, row.value]).sort((a, b) => a[0] - b[0]));
    const customValues = [...places.keys()];
    const [min, max] = extent(customValues);
    const style = axisStyle(context);
    const room = context.narrow ? 18 : 172;
    const height = context.narrow ? 340 : 440;
    const yAxis = valueAxis(context, kind, range, { log, zero: !log });
    const ends = lines.map(({ own, rows }) => { const last = rows[rows.length - 1]; return { series: own, text: own.name, x: pixelOf({ min, max: max > min ? max : min + 1 }, last.at, 72, context.width - room), y: pixelOf(yAxis, last.estimate, height - 58, 26) }; });
    const named = namesAtEnds(context, ends);
    const colours = context.paint;
    const tipOf = (own, row) => tip(`${own.name} at ${row.value}`, [[own, requirement, amount(kind, row.estimate, row.half_width), row.verdict], [null, 'replications', plain(row.replications)]]);
    return {
      option: {
        graphic: named ? sideLabels(context, ends, { left: context.width - room + 12, width: room - 14, top: 16, bottom: height - 44 }) : [],
        grid: { left: 72, right: room, top: 26, bottom: 58, outerBoundsMode: 'none' },
        xAxis: { ...style, type: 'value', min, max: max > min ? max : min + 1, name: 'Value that was tried', nameLocation: 'middle', nameGap: 32, axisLabel: { ...style.axisLabel, customValues, formatter: value => places.get(value) ?? '' }, axisTick: { ...style.axisTick, customValues }, splitLine: { show: false } },
        yAxis,
        series: [
          { type: 'line', name: '', data: [], silent: true, markLine: { silent: true, symbol: 'none', data: [{ yAxis: limit }], lineStyle: { color: colours.ink, type: [6, 4], width: 1.5 }, label: { position: 'insideEndTop', color: colours.ink, formatter: () => `limit ${amount(kind, limit)}` } } },
          ...lines.flatMap(({ own, rows }) => [
            whiskers(own, colours.of(own), rows.filter(row => row.half_width > 0).map(row => [row.at, row.estimate, floor(row.estimate - row.half_width, log, range), row.estimate + row.half_width])),
            { type: 'line', name: own.name, showSymbol: false, silent: true, data: rows.map(row => [row.at, row.estimate]), lineStyle: lineStyle(own, context), itemStyle: { color: colours.of(own) } },
            ...[true, false].map(holds => {
              const some = rows.filter(row => (row.verdict === 'holds') === holds);
              return marks(own, context, some.map(row => [row.at, row.estimate]), { itemStyle: holds ? { color: colours.of(own) } : { color: colours.paper, borderColor: colours.of(own), borderWidth: 2 }, tooltip: { formatter: point => tipOf(own, some[point.dataIndex]) } });
            }),
          ]),
        ],
        tooltip: tooltip(context, () => '', { trigger: 'item' }),
      },
      height, drawn: lines.map(line => line.own.name), unnamed: !named,
      text: lines.map(({ own, rows }) => `${own.name}: ${rows.map(row => `${amount(kind, row.estimate)} at ${row.value}, ${row.verdict}`).join('; ')}.`).join(' '),
    };
  },
  rows: context => rowsAsTable('tried', ['strategy', 'value', 'situation', 'requirement', 'estimate', 'half_width', 'limit', 'replications', 'verdict'], context, row => `${row.requirement}\n${row.situation}` === context.choice.what),
};
