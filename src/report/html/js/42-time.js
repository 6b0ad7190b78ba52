'use strict';
// What is marked on the axis of simulated time: the warm-up, and what happens at known times, to
// servers or by clients; and the buttons that zoom to it.

const TIMELINE = rowsOf('timeline');
const END_S = Math.max(secondsOf(ABOUT.duration), ...TIMELINE.slice(-1).map(row => row.to_s), 0);
const WARMUP_S = secondsOf(ABOUT.warmup);
const EVENTS = (ABOUT.events || []).filter(event => event.from_s < END_S);
const TIME = timeScale(END_S);

/** What is marked alike: each with its colour and what it is. The first are drawn first. */
const MARKED = [
  { name: 'load', is: event => event.kind === 'load', text: 'the rate at which requests come changes' },
  { name: 'cold', is: event => event.kind === 'cold', text: 'servers are cold' },
  { name: 'fault', is: () => true, text: 'what happens to servers and on the way to them' },
];
// Buttons beyond would fill the page: bands and lines are of all.
const BUTTONS = 12;

function markedAs(event) {
  return MARKED.find(own => own.is(event)).name;
}

/** The stretches that can be zoomed to: `{name, from, to, kind}`. */
function stretches() {
  const span = (from, to) => `${clock(from)} to ${clock(to)}`;
  const whole = { name: 'Whole run', from: 0, to: END_S };
  const measured = WARMUP_S > 0 ? [{ name: `Measured, ${span(WARMUP_S, END_S)}`, from: WARMUP_S, to: END_S }] : [];
  const events = EVENTS.slice(0, BUTTONS).map((event, at) => {
    const to = eventEnd(event);
    const room = Math.max((to - event.from_s) * 0.6, END_S * 0.04);
    const when = to > event.from_s ? span(event.from_s, to) : `at ${clock(event.from_s)}`;
    const whose = event.only?.length ? ` (${listed(event.only.map(cited))})` : '';
    return { name: `${at + 1} ${event.label}${whose}, ${when}`, from: Math.max(0, event.from_s - room), to: Math.min(END_S, to + room), kind: markedAs(event) };
  });
  return [whole, ...measured, ...events];
}

function eventEnd(event) {
  return known(event.to_s) ? Math.min(event.to_s, END_S) : event.from_s;
}

function zoomButtons() {
  if (END_S <= 0) return null;
  return el('div', { class: 'zoom', role: 'group', 'aria-label': 'Stretch of time that is shown' }, el('span', { class: 'muted' }, 'Show '),
    stretches().map(({ name, from, to, kind }) => el('button', {
      type: 'button', class: 'quiet', onclick: () => { STATE.zoom = [from / END_S * 100, to / END_S * 100]; changed('zoom'); },
    }, kind && [el('span', { class: 'patch', 'aria-hidden': 'true', style: `background:var(--${kind})` }), ' '], name)),
    EVENTS.length > BUTTONS && el('span', { class: 'muted' }, `and ${EVENTS.length - BUTTONS} more, marked in the charts`));
}

/**
 * The number at each event by its place, as `3`; of those that would cover each other, in a plot of
 * so many pixels, the first has all: `3–7`.
 */
function numbersOf(events, width) {
  const middle = event => (event.from_s + eventEnd(event)) / 2 / END_S * width;
  const texts = new Map();
  let open = null;
  for (const event of [...events].sort((a, b) => middle(a) - middle(b))) {
    const number = EVENTS.indexOf(event) + 1;
    if (open && middle(event) - middle(open.event) < 12 + 7 * texts.get(open.event).length) open.numbers.push(number);
    else open = { event, numbers: [number] };
    const [low, high] = extent(open.numbers);
    texts.set(open.event, low === high ? String(low) : `${low}–${high}`);
  }
  return texts;
}

/** The bands and lines of one panel; names only where `named`. */
function timeMarks(context, { xAxisIndex, yAxisIndex, named }) {
  const at = seconds => seconds * TIME.factor;
  const label = (text, colour) => ({ show: Boolean(named && text), formatter: () => text, color: colour, fontSize: 11, position: 'insideTop' });
  const colours = context.paint;
  const bands = [];
  if (WARMUP_S > 0) bands.push([{ xAxis: 0, itemStyle: { color: colours.warmup }, label: label('warm-up', colours.muted) }, { xAxis: at(WARMUP_S) }]);
  const lines = [];
  const numbers = numbersOf(EVENTS, context.width - 84);
  for (const { name } of MARKED) {
    for (const event of EVENTS.filter(own => markedAs(own) === name)) {
      const text = label(numbers.get(event), colours.ink);
      if (eventEnd(event) > event.from_s) bands.push([{ xAxis: at(event.from_s), itemStyle: { color: colours[name], opacity: 0.16 }, label: text }, { xAxis: at(eventEnd(event)) }]);
      else lines.push({ xAxis: at(event.from_s), label: { ...text, position: 'end' }, lineStyle: { color: colours[name], type: [4, 3], width: 1.5 } });
    }
  }
  if (!bands.length && !lines.length) return null;
  return {
    type: 'line', name: '', data: [], xAxisIndex, yAxisIndex, silent: true, tooltip: { show: false },
    markArea: { silent: true, data: bands }, markLine: { silent: true, symbol: 'none', data: lines },
  };
}

/** The zoom of all axes of a chart: a slider, and the wheel with Ctrl. */
function timeZoom(context, axes, bottom) {
  const [start, end] = STATE.zoom;
  const colours = context.paint;
  return [
    { type: 'slider', show: !STATE.printing, xAxisIndex: axes, start, end, bottom, height: 22, borderColor: colours.line, backgroundColor: colours.panel, fillerColor: colours.grid,
      dataBackground: { lineStyle: { opacity: 0 }, areaStyle: { opacity: 0 } }, selectedDataBackground: { lineStyle: { opacity: 0 }, areaStyle: { opacity: 0 } },
      handleStyle: { color: colours.panel, borderColor: colours.muted }, moveHandleStyle: { color: colours.line }, emphasis: { handleStyle: { borderColor: colours.accent } },
      moveHandleSize: 0, textStyle: { color: colours.muted }, labelFormatter: value => `${plain(Math.round(value * 100) / 100)} ${TIME.unit}`, brushSelect: true, showDetail: !context.narrow,
      filterMode: 'none' },
    ...(context.narrow ? [] : [{ type: 'inside', xAxisIndex: axes, start, end, zoomOnMouseWheel: 'ctrl', moveOnMouseMove: false, moveOnMouseWheel: false, filterMode: 'none' }]),
  ];
}

function timeAxis(context, extra) {
  const style = axisStyle(context);
  return { ...style, type: 'value', min: 0, max: END_S * TIME.factor, splitLine: { show: false }, axisPointer: { triggerEmphasis: false }, axisLabel: { ...style.axisLabel, formatter: value => plain(Math.round(value * 1000) / 1000) }, ...extra };
}

function markedSentence() {
  const colours = { load: 'amber', cold: 'blue', fault: 'red' };
  const parts = MARKED.filter(({ name }) => EVENTS.some(event => markedAs(event) === name)).map(({ name, text }) => `${colours[name]}: ${text}`);
  const numbers = parts.length ? `Bands and lines, by the numbers on the buttons: ${parts.join('; ')}.` : '';
  return `${WARMUP_S > 0 ? ' Grey band: warm-up, not measured.' : ''}${numbers && ` ${numbers}`}`;
}
