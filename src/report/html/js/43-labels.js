'use strict';
// Names beside lines and marks, where they cover neither each other nor what is drawn.

const RULER = document.createElement('canvas').getContext('2d');

/** The width of a text in pixels. */
function textWidth(text, { size = 12, weight = 400 } = {}) {
  RULER.font = `${weight} ${size}px ${getComputedStyle(document.documentElement).getPropertyValue('--font')}`;
  return RULER.measureText(text).width;
}

/**
 * A text broken at spaces, and after hyphens, so that no line is wider than `width`, if it can be.
 */
function broken(text, width, style) {
  const lines = [''];
  for (const word of text.split(/(?<=[\s-])/)) {
    const last = lines.length - 1;
    if (lines[last] === '' || textWidth((lines[last] + word).trimEnd(), style) <= width) lines[last] += word;
    else lines.push(word);
  }
  return lines.map(line => line.trimEnd());
}

/** How many lines a text needs. */
function linesOf(text, width, size = 12) {
  return broken(text, width, { size, weight: size > 12 ? 600 : 400 }).length;
}

/** The place of a value on an axis that goes from pixel `from` to pixel `to`. */
function pixelOf(axis, value, from, to) {
  const [low, high, own] = axis.type === 'log' ? [axis.min, axis.max, value].map(Math.log) : [axis.min, axis.max, value];
  return from + (to - from) * ((own - low) / (high - low));
}

const LABEL = { size: 12, weight: 600 };
const LINE_HEIGHT = 14;

function labelText(lines, left, top, colour, { paint: colours }) {
  return { type: 'text', silent: true, x: left, y: top, z: 100, style: { text: lines.join('\n'), fill: colour, font: `${LABEL.weight} ${LABEL.size}px ${colours.font}`, lineHeight: LINE_HEIGHT, textVerticalAlign: 'top' } };
}

// Beyond so many lines their names have no room at the ends.
const NAMED_LINES = 14;

/** Whether names stand at the ends of lines: on a narrow page a key tells which line is whose. */
function namesAtEnds(context, lines) {
  return !context.narrow && lines.length <= NAMED_LINES;
}

/**
 * Names at the ends of lines. `ends` are `{series, text, x, y}` in pixels; they stand from `left`
 * on, between `top` and `bottom`.
 */
function sideLabels(context, ends, { left, width, top, bottom }) {
  const labels = ends.map(end => ({ ...end, lines: broken(end.text, width, LABEL) })).sort((a, b) => a.y - b.y);
  let free = top;
  for (const own of labels) {
    own.height = own.lines.length * LINE_HEIGHT + 3;
    own.top = Math.max(free, own.y - own.height / 2);
    free = own.top + own.height;
  }
  // What has been pushed out below goes up again.
  let floorAt = Math.max(bottom, labels.reduce((sum, own) => sum + own.height, top));
  for (const own of [...labels].reverse()) {
    own.top = Math.min(own.top, floorAt - own.height);
    floorAt = own.top;
  }
  return labels.flatMap(own => {
    const colour = context.paint.inkOf(own.series);
    const middle = own.top + own.height / 2 - 1.5;
    const lead = Math.abs(middle - own.y) > 5 || left - own.x > 16;
    return [
      lead ? { type: 'polyline', silent: true, z: 90, shape: { points: [[own.x + 3, own.y], [left - 9, own.y], [left - 2, middle]] }, style: { stroke: colour, lineWidth: 0.8, opacity: 0.6, fill: 'none' } } : null,
      labelText(own.lines, left, own.top, colour, context),
    ].filter(Boolean);
  });
}

function overlap(a, b) {
  const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const tall = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return wide > 0 && tall > 0 ? wide * tall : 0;
}

/**
 * Names beside marks: `points` are `{series, text, x, y}` in pixels, `bars` boxes that are not to
 * be covered.
 */
function markLabels(context, points, bars, area, width) {
  const taken = [...bars, ...points.map(own => ({ left: own.x - 9, right: own.x + 9, top: own.y - 9, bottom: own.y + 9 }))];
  return points.map(own => {
    const lines = broken(own.text, width, LABEL);
    const wide = Math.max(...lines.map(line => textWidth(line, LABEL)));
    const tall = lines.length * LINE_HEIGHT;
    const tries = [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5].flatMap(step => [[own.x + 13, own.y - tall / 2 + step * 15], [own.x - 13 - wide, own.y - tall / 2 + step * 15], [own.x - wide / 2, own.y + (step >= 0 ? 12 + step * 15 : -12 - tall + step * 15)]]);
    const boxes = tries.map(([left, top]) => ({ left, top, right: left + wide, bottom: top + tall }));
    const cost = box => taken.reduce((sum, other) => sum + overlap(box, other), 0) + (wide * tall - overlap(box, area)) * 4;
    const best = boxes.map(box => [cost(box), box]).reduce((a, b) => (b[0] < a[0] - 1e-9 ? b : a))[1];
    taken.push(best);
    return labelText(lines, best.left, best.top, context.paint.inkOf(own.series), context);
  });
}
