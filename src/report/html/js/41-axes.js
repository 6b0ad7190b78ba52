'use strict';
// Axes, grids and tooltips that all charts share.

function axisStyle({ paint: colours }) {
  return {
    axisLine: { show: true, lineStyle: { color: colours.line } }, axisTick: { lineStyle: { color: colours.line } },
    axisLabel: { color: colours.muted, fontSize: 12, hideOverlap: true }, splitLine: { lineStyle: { color: colours.grid } },
    nameTextStyle: { color: colours.muted, fontSize: 12 },
  };
}

/** 1, 2, 5, 10, 20, … within a range; whole decades where there are many. */
function logTicks(low, high, few) {
  const decades = Math.log10(high / low);
  const steps = decades > 4 || (few && decades > 1.4) ? [1] : decades > 2.2 ? [1, 3] : decades > 0.6 ? [1, 2, 5] : [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9];
  const ticks = [];
  for (let decade = Math.floor(Math.log10(low)); decade <= Math.ceil(Math.log10(high)); decade += 1) {
    for (const step of steps) {
      const tick = step * 10 ** decade;
      if (tick >= low * 0.9999 && tick <= high * 1.0001) ticks.push(Number(tick.toPrecision(6)));
    }
  }
  return ticks;
}

/**
 * An axis of values of a kind. `range` is what must be seen; with `log` it is logarithmic where
 * all is above zero. An axis that is not begins at zero where differences are still seen then, or
 * where `zero` says so.
 */
function valueAxis(context, kind, range, { log = false, zero = false, name = '', cut = true, few = false } = {}) {
  const style = axisStyle(context);
  const [low, high] = spread(range || [0, 1]);
  if (log && low > 0) {
    const room = Math.max(1.06, (high / low) ** 0.05);
    const [min, max] = [low / room, high * room];
    const customValues = logTicks(min, max, context.narrow || few);
    return {
      ...style, type: 'log', min, max, name, axisLabel: { ...style.axisLabel, customValues, formatter: value => axisText(kind, value, max) },
      axisTick: { ...style.axisTick, customValues }, splitLine: { ...style.splitLine, customValues }, minorTick: { show: false },
    };
  }
  const ticks = linearTicks(context.narrow || few ? 3.4 : 4.5, zero || low < 0.6 * high ? Math.min(0, low) : low - (high - low) * 0.15, high + (high - low) * 0.04);
  if (cut && kind === 'share' && high <= 1 && ticks.max > 1) { ticks.max = 1; ticks.values = ticks.values.filter(value => value <= 1.0000001); }
  if (low >= 0 && ticks.min < 0) { ticks.min = 0; ticks.values = ticks.values.filter(value => value >= 0); }
  return {
    ...style, type: 'value', min: ticks.min, max: ticks.max, name,
    axisLabel: { ...style.axisLabel, customValues: ticks.values, formatter: value => axisText(kind, value, ticks.max) },
    axisTick: { ...style.axisTick, customValues: ticks.values }, splitLine: { ...style.splitLine, customValues: ticks.values },
  };
}

/** A range that has a width: about a single value as much room as it is, above zero. */
function spread([low, high]) {
  if (low !== high) return [low, high];
  return low === 0 ? [0, 1] : low > 0 ? [low * 0.9, low * 1.1] : [low * 1.1, low * 0.9];
}

/** Round ticks: about `count` of them. */
function linearTicks(count, low, high) {
  const step0 = (high - low) / count;
  const decade = 10 ** Math.floor(Math.log10(step0));
  const step = [1, 2, 2.5, 5, 10].map(own => own * decade).find(own => own >= step0 * 0.999);
  const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  const values = Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
  return { min: values[0], max: values[values.length - 1], values };
}

/** A tick in the unit of the axis: times from a second on in seconds. */
function axisText(kind, value, most) {
  if (kind === 'time') return value === 0 ? '0' : most >= 10000 && value >= 100 ? figure(value, null, 's') : value >= 1000 ? figure(value, null, 's') : figure(value, null, timeUnit(value));
  if (kind === 'share') return `${short(value * 100)}%`;
  if (kind === 'seconds') return clock(value);
  return short(value);
}

/** A tick that has room beside an axis: millions are counted. */
function short(value) {
  const millions = Math.abs(value) >= 1e6;
  return grouped(String(Number((millions ? value / 1e6 : value).toPrecision(6)))) + (millions ? `${NBSP}M` : '');
}

/** Simulated time in the unit that suits its end: seconds, minutes, hours. */
function timeScale(end) {
  if (end >= 3 * 3600) return { factor: 1 / 3600, unit: 'h' };
  return end >= 240 ? { factor: 1 / 60, unit: 'min' } : { factor: 1, unit: 's' };
}

/** A tooltip that stays inside of its chart, made of elements: names are text. */
function tooltip({ paint: colours }, formatter, extra = {}) {
  return {
    confine: true, appendTo: undefined, backgroundColor: colours.panel, borderColor: colours.line, textStyle: { color: colours.ink, fontSize: 12, fontFamily: colours.font },
    extraCssText: 'max-width:min(92vw,34rem);white-space:normal;box-shadow:0 2px 10px rgba(0,0,0,.18)', formatter, ...extra,
  };
}

/** What a tooltip says: a heading, and lines of a mark, a name and texts. */
function tip(heading, lines) {
  return el('div', { class: 'tip' }, el('p', {}, strong(heading)), el('table', {}, lines.map(([series, ...texts]) => el('tr', {},
    el('td', {}, series && series.swatch ? swatch(series) : null), texts.map((text, at) => el(at === 0 ? 'th' : 'td', {}, text))))));
}

/** The line of a strategy. */
function lineStyle(series, { paint: colours }, width = 2) {
  return { color: colours.of(series), width, type: series.dash || 'solid' };
}

/** What the others look like where there are very many. */
function greyLine({ paint: colours }) {
  return { color: colours.grey, width: 1, opacity: 0.55 };
}

/** Intervals: lines with ends. `points` are `[x, y, low, high]`; `across` where they lie. */
function whiskers(series, colour, points, { across = false, xAxisIndex = 0, yAxisIndex = 0 } = {}) {
  return {
    type: 'custom', name: series.name, xAxisIndex, yAxisIndex, silent: true, z: 3, clip: true, data: points.map(([x, y, low, high]) => [x, y, low, high]),
    encode: across ? { x: [2, 3], y: 1 } : { x: 0, y: [2, 3] },
    renderItem: (_, api) => {
      const [x, y, low, high] = [0, 1, 2, 3].map(at => api.value(at));
      const from = api.coord(across ? [low, y] : [x, low]);
      const to = api.coord(across ? [high, y] : [x, high]);
      if (![...from, ...to].every(Number.isFinite)) return null;
      const [dx, dy] = across ? [0, 4] : [4, 0];
      const style = { stroke: colour, lineWidth: 1.6, fill: 'none' };
      const line = ([ax, ay], [bx, by]) => ({ type: 'line', shape: { x1: ax, y1: ay, x2: bx, y2: by }, style });
      const cap = ([px, py]) => line([px - dx, py - dy], [px + dx, py + dy]);
      return { type: 'group', children: [line(from, to), cap(from), cap(to)] };
    },
  };
}

/** The marks of a strategy. */
function marks(series, context, data, extra = {}) {
  return { type: 'scatter', name: series.name, symbol: series.symbol, symbolSize: 10, z: 4, data, itemStyle: { color: context.paint.of(series), opacity: 1 }, ...extra };
}

/** The names of strategies on an axis, broken where there is little room. */
function nameAxis(context, names, { width = 150, show = true } = {}) {
  const style = axisStyle(context);
  return {
    ...style, type: 'category', data: names, inverse: true, axisTick: { show: false }, splitLine: { show: false },
    axisLabel: { ...style.axisLabel, show, color: context.paint.ink, lineHeight: 14, interval: 0, hideOverlap: false, formatter: name => broken(name, width, { size: 12 }).join('\n') },
  };
}

/** A heading within a chart. */
function panelTitle(text, left, top, { paint: colours }, width) {
  return { text, left, top, padding: 0, textStyle: { fontSize: 13, fontWeight: 600, color: colours.ink, width, overflow: 'break', lineHeight: 16 } };
}

