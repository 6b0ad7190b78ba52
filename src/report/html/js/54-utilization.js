'use strict';
// How busy each server is over time, how many wait there, and how much is sent to it: a panel a
// strategy, a row a server.

// From idle to busy: dark blue over green to yellow, even in lightness (viridis; Smith and van der
// Walt, 2015).
const VIRIDIS = ['#440154', '#472c7a', '#3b518b', '#2c718e', '#21908d', '#27ad81', '#5cc863', '#aadc32', '#fde725'];

const MAPPED = {
  utilization: { label: 'Busy', title: 'How busy each server is over time', kind: 'share', nothing: 'no work', text: 'of slot time in use' },
  waiting: { label: 'Waiting', title: 'How many wait at each server over time', kind: 'count', nothing: 'hardly anybody', text: 'requests that wait for a slot' },
  attempts: { label: 'Sent', title: 'How much is sent to each server over time', kind: 'count', nothing: 'nothing is sent', text: 'attempts in a stretch of time' },
};

/** What there is to see: few that wait are nothing. */
function mappedChoices() {
  const waiting = extent(rowsOf('utilization').map(row => row.waiting));
  return Object.keys(MAPPED).filter(what => what !== 'waiting' || (waiting && waiting[1] >= 1)).map(what => [what, MAPPED[what].label]);
}

const HEAT_OF = new Map();

/**
 * The cells of a strategy: `[from, to, band, value, state]`, and the names of the bands. Where
 * there is nothing a state stands in place of a value, and stretches of one state are one cell.
 */
function heatOf(name, what) {
  if (!HEAT_OF.has(what)) {
    const all = new Map();
    for (const row of rowsOf('utilization')) {
      if (!all.has(row.strategy)) all.set(row.strategy, { cells: [], names: [], last: [] });
      addCell(all.get(row.strategy), row, what);
    }
    HEAT_OF.set(what, all);
  }
  return HEAT_OF.get(what).get(name) || { cells: [], names: [] };
}

function addCell(own, row, what) {
  const { band, from_s: from, to_s: to, [what]: value } = row;
  own.names[band] = row.server;
  const least = what === 'waiting' ? heatTop(what) / 80 : 0;
  const state = value > least ? null : stateOf(row);
  const before = own.last[band];
  if (state && before?.[4] === state) before[1] = to;
  else own.cells.push(own.last[band] = [from, to, band, value, state]);
}

/** The end of the scale: a round value, as high as the highest, or next to it. */
function heatTop(what) {
  const most = extent(rowsOf('utilization').map(row => row[what]))?.[1] || 0;
  if (what !== 'utilization') return linearTicks(4, 0, most || 1).max;
  return [0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8].find(top => most <= top) || 1;
}

function stateText(state, what) {
  return STATES[state] || MAPPED[what].nothing;
}

/** The name of a service before the slash, where there is but one: it says nothing. */
function withoutService(names) {
  const services = distinct(names.map(name => String(name).split('/')[0]));
  return services.length === 1 ? name => String(name).replaceAll(`${services[0]}/`, '') : name => String(name);
}

function heatOption(context) {
  const { what } = context.choice;
  const shown = context.shown.filter(own => heatOf(own.name, what).cells.length);
  if (!shown.length) return null;
  const option = { grid: [], xAxis: [], yAxis: [], series: [], title: [] };
  const left = context.narrow ? 118 : 150;
  const marked = [];
  let top = 30;
  shown.forEach((own, at) => {
    const { cells, names } = heatOf(own.name, what);
    const short = withoutService(names);
    const tall = Math.max(60, Math.min(260, names.length * (names.length > 40 ? 3 : names.length > 16 ? 12 : 17)));
    option.grid.push({ left, right: 18, top, height: tall, outerBoundsMode: 'none' });
    option.title.push(panelTitle(own.name, 0, top - 22, context, context.width));
    option.xAxis.push({ gridIndex: at, ...timeAxis(context, at === shown.length - 1 ? { name: `Simulated time (${TIME.unit})`, nameLocation: 'middle', nameGap: 28 } : {}) });
    const style = axisStyle(context);
    option.yAxis.push({ gridIndex: at, ...style, type: 'category', inverse: true, data: names.map(short), splitLine: { show: false }, axisTick: { show: false },
      axisLabel: { ...style.axisLabel, fontSize: 11, width: left - 10, overflow: 'truncate', hideOverlap: true, interval: Math.max(0, Math.ceil(names.length / (tall / 15)) - 1) } });
    option.series.push(heatSeries(context, own, cells, names, at, tall / names.length));
    marked.push(heatMarks(context, own.name, at));
    top += tall + (at === shown.length - 1 ? 0 : 56);
  });
  option.series.push(...marked.filter(Boolean));
  option.dataZoom = timeZoom(context, shown.map((_, at) => at), 8);
  option.tooltip = tooltip(context, point => heatTip(shown[point.seriesIndex], point, what), { trigger: 'item' });
  return { option, height: top + 78, drawn: shown.map(own => own.name) };
}

/**
 * Where the warm-up ends, and where what happens at known times begins and ends: lines over the
 * cells.
 */
function heatMarks(context, name, at) {
  const line = (seconds, text) => ({ xAxis: seconds * TIME.factor, label: { show: Boolean(text), formatter: () => text, position: 'insideStartTop', color: context.paint.ink, fontSize: 11, rotate: 0, distance: [2, 4] } });
  const own = EVENTS.filter(event => !event.only?.length || event.only.includes(name));
  const numbers = numbersOf(own, context.width - 168);
  const lines = own.flatMap(event => {
    const begins = line(event.from_s, numbers.get(event));
    return eventEnd(event) > event.from_s ? [begins, line(eventEnd(event), '')] : [begins];
  });
  if (WARMUP_S > 0) lines.push(line(WARMUP_S, ''));
  if (!lines.length) return null;
  return { type: 'line', name: '', data: [], xAxisIndex: at, yAxisIndex: at, silent: true, tooltip: { show: false }, markLine: { silent: true, symbol: 'none', data: lines, lineStyle: { color: '#ffffff', type: [4, 3], width: 1.4, shadowColor: '#000000', shadowBlur: 2 } } };
}

/** Cells as rectangles that touch. */
function heatSeries(context, own, cells, names, at, tall) {
  const top = heatTop(context.choice.what);
  const fills = stateFills(context);
  return {
    type: 'custom', name: own.name, xAxisIndex: at, yAxisIndex: at, clip: true, progressive: 0, data: cells.map(([from, to, band, share]) => [from * TIME.factor, to * TIME.factor, band, share]),
    encode: { x: [0, 1], y: 2 }, dimensions: ['from', 'to', 'band', 'share'],
    renderItem: (params, api) => {
      const [x, y] = api.coord([api.value(0), api.value(2)]);
      const [end] = api.coord([api.value(1), api.value(2)]);
      const state = cells[params.dataIndex][4];
      return { type: 'rect', shape: { x: Math.floor(x), y: Math.floor(y - tall / 2), width: Math.ceil(end - x + 0.5), height: Math.ceil(tall) - (tall > 10 ? 1 : 0) }, style: { fill: state ? fills[state] : heatColour(api.value(3) / top) } };
    },
  };
}

/** Who did no work has none of the colours of work, and a pattern of its own. */
function stateFills({ paint: colours }) {
  const hatch = (paper, ink, crossed) => {
    const image = el('canvas', { width: 6, height: 6 });
    const brush = image.getContext('2d');
    brush.fillStyle = paper;
    brush.fillRect(0, 0, 6, 6);
    brush.strokeStyle = ink;
    for (const shift of [-6, 0, 6]) {
      brush.moveTo(shift, 6);
      brush.lineTo(shift + 6, 0);
      if (!crossed) continue;
      brush.moveTo(shift, 0);
      brush.lineTo(shift + 6, 6);
    }
    brush.stroke();
    return { image, repeat: 'repeat' };
  };
  return { nothing: colours.line, absent: hatch(colours.paper, colours.muted, false), dead: hatch(colours.paper, colours.fault, true) };
}

/** A share from 0 to 1 as a colour. */
function heatColour(share) {
  const place = Math.max(0, Math.min(1, share)) * (VIRIDIS.length - 1);
  const low = Math.min(VIRIDIS.length - 2, Math.floor(place));
  const part = place - low;
  const channel = (hex, at) => parseInt(hex.slice(1 + at * 2, 3 + at * 2), 16);
  const mixed = [0, 1, 2].map(at => Math.round(channel(VIRIDIS[low], at) * (1 - part) + channel(VIRIDIS[low + 1], at) * part));
  return `rgb(${mixed.join(',')})`;
}

function heatTip(own, point, what) {
  const { cells, names } = heatOf(own.name, what);
  const [from, to, band, value, state] = cells[point.dataIndex];
  return tip(names[band], [[own, own.name, state ? stateText(state, what) : amount(MAPPED[what].kind, value)], [null, 'at', stretchText(from, to)]]);
}

/** The states that there are, each with its pattern, and the scale of those who work. */
function heatLegend(context) {
  const { what } = context.choice;
  const there = new Set(context.shown.flatMap(own => heatOf(own.name, what).cells.map(cell => cell[4])));
  const states = Object.keys(STATES).filter(state => there.has(state));
  const { kind, text } = MAPPED[what];
  return [heatKey(amount(kind, 0), amount(kind, heatTop(what)), text),
    el('ul', { class: 'key' }, states.map(state => el('li', {}, el('span', { class: `patch ${state}`, 'aria-hidden': 'true' }), ` ${stateText(state, what)}`)))];
}

/** The colours of a scale, with their ends and what they are of. */
function heatKey(low, high, text) {
  return el('div', { class: 'key' }, el('span', {}, low), el('span', { class: 'gradient', 'aria-hidden': 'true', style: `background:linear-gradient(90deg,${VIRIDIS.join(',')})` }), el('span', {}, high), el('span', { class: 'muted' }, text));
}

const UTILIZATION_CHART = {
  id: 'utilization', time: true, canvas: true, title: context => MAPPED[context.choice.what].title,
  choices: [{ name: 'what', label: 'Show', initial: 'utilization', options: mappedChoices() }],
  says: () => [`A row a server${rowsOf('utilization').some(row => row.server.includes('…')) ? ', or a band of neighbours' : ''}; mean over replications.${EVENTS.length || WARMUP_S > 0 ? ' Dashed lines: the end of the warm-up, and where what happens begins and ends.' : ''}`],
  legend: heatLegend,
  option: heatOption,
  rows: context => rowsAsTable('utilization', ['strategy', 'server', 'from_s', 'to_s', 'utilization', 'waiting', 'away_share', 'dead_share'], context),
};
