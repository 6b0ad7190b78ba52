'use strict';
// What is marked on the axis of simulated time: the warm-up, and what happens at known times; and
// the buttons that zoom to it.

const TIMELINE = rowsOf('timeline');
const END_S = Math.max(secondsOf(ABOUT.duration), ...TIMELINE.slice(-1).map(row => row.to_s), 0);
const WARMUP_S = secondsOf(ABOUT.warmup);
const EVENTS = (ABOUT.events || []).filter(event => event.from_s < END_S);
const TIME = timeScale(END_S);

/** The stretches that can be zoomed to, by name. */
function stretches() {
  const span = (from, to) => `${clock(from)} to ${clock(to)}`;
  const whole = ['Whole run', 0, END_S];
  const measured = WARMUP_S > 0 ? [[`Measured, ${span(WARMUP_S, END_S)}`, WARMUP_S, END_S]] : [];
  const events = EVENTS.slice(0, 12).map((event, at) => {
    const to = eventEnd(event);
    const room = Math.max((to - event.from_s) * 0.6, END_S * 0.04);
    const when = to > event.from_s ? span(event.from_s, to) : `at ${clock(event.from_s)}`;
    return [`${at + 1} ${event.label}, ${when}`, Math.max(0, event.from_s - room), Math.min(END_S, to + room)];
  });
  return [whole, ...measured, ...events];
}

function eventEnd(event) {
  return known(event.to_s) ? Math.min(event.to_s, END_S) : event.from_s;
}

function zoomButtons() {
  if (END_S <= 0) return null;
  return el('div', { class: 'zoom', role: 'group', 'aria-label': 'Stretch of time that is shown' }, el('span', { class: 'muted' }, 'Show '),
    stretches().map(([name, from, to]) => el('button', {
      type: 'button', class: 'quiet', onclick: () => { STATE.zoom = [from / END_S * 100, to / END_S * 100]; changed('zoom'); },
    }, name)));
}

/** The bands and lines of one panel; names only where `named`. */
function timeMarks(context, { xAxisIndex, yAxisIndex, named }) {
  const at = seconds => seconds * TIME.factor;
  const label = (text, colour) => ({ show: Boolean(named && text), formatter: () => text, color: colour, fontSize: 11, position: 'insideTop' });
  const colours = context.paint;
  const bands = [];
  if (WARMUP_S > 0) bands.push([{ xAxis: 0, itemStyle: { color: colours.warmup }, label: label('warm-up', colours.muted) }, { xAxis: at(WARMUP_S) }]);
  const numbered = EVENTS.slice(0, 24).map((event, place) => [event, String(place + 1)]);
  for (const [event, number] of numbered.filter(([own]) => eventEnd(own) > own.from_s)) {
    bands.push([{ xAxis: at(event.from_s), itemStyle: { color: colours.fault, opacity: 0.16 }, label: label(number, colours.bad) }, { xAxis: at(eventEnd(event)) }]);
  }
  const lines = numbered.filter(([own]) => eventEnd(own) <= own.from_s).map(([event, number]) => ({
    xAxis: at(event.from_s), label: { ...label(number, colours.bad), position: 'end' }, lineStyle: { color: colours.fault, type: [4, 3], width: 1.5 },
  }));
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
  const parts = [];
  if (WARMUP_S > 0) parts.push('grey band: warm-up, not measured');
  if (EVENTS.length) parts.push('red bands and lines: what happens to servers and clients, by the numbers on the buttons');
  if (!parts.length) return '';
  const text = parts.join('; ');
  return ` ${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
