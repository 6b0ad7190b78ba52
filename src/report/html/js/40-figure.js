'use strict';
// The frame of every chart: its title, its choices, the drawing, what is said of it, and its data
// as a table.

const CHARTS = [];

/**
 * A chart. `spec` has `id`, `title` (text, or a function of the context), `says(context)`: how to
 * read it, `choices`: `{name, label, options: [[value, text]], initial}`, `option(context)`:
 * `{option, height, drawn}` of ECharts with the names of those drawn, and `unnamed` where names do
 * not stand at what is drawn, `rows(context)`: `{columns, rows}` for the table, `canvas`: whether
 * there are too many marks for SVG, `time`: whether its axis is simulated time, `always`: whether
 * it is drawn whoever is shown, `legend(context)`: nodes above it.
 */
function figureOf(spec) {
  const choice = Object.fromEntries((spec.choices || []).map(own => [own.name, own.initial]));
  const own = { spec, choice, chart: null, visible: true };
  own.place = el('div', { class: 'chart', role: 'img', 'data-chart': spec.id });
  own.title = el('h3', { id: `chart-${spec.id}` });
  own.caption = el('figcaption', {});
  own.key = el('div', { class: 'keys' });
  own.controls = el('div', { class: 'controls' }, (spec.choices || []).map(control => choiceOf(control, own)), spec.time && zoomButtons());
  own.data = folded('Data of this chart as a table', () => dataTable(own), { class: 'data' });
  own.node = el('figure', { class: 'figure', 'aria-labelledby': `chart-${spec.id}` }, own.title, own.controls, own.caption, own.key, own.place, own.data);
  CHARTS.push(own);
  return own.node;
}

function choiceOf(control, own) {
  if (control.options.length < 2) return null;
  const pick = value => { own.choice[control.name] = value; drawChart(own); };
  if (control.options.length > 3) {
    return el('label', { class: 'choice' }, `${control.label} `, el('select', { onchange: event => pick(event.target.value) },
      control.options.map(([value, text]) => el('option', { value, selected: value === control.initial }, text))));
  }
  const buttons = control.options.map(([value, text]) => el('button', {
    type: 'button', 'aria-pressed': String(value === control.initial),
    onclick: event => {
      for (const button of buttons) button.setAttribute('aria-pressed', String(button === event.currentTarget));
      pick(value);
    },
  }, text));
  return el('div', { class: 'switch', role: 'group', 'aria-label': control.label }, buttons);
}

/** What a chart is drawn from: who is shown, the choices, the room there is, and the colours. */
function contextOf(own) {
  const width = STATE.printing ? PRINT_WIDTH : own.place.clientWidth || 640;
  const shown = SERIES.filter(series => STATE.on.has(series.name));
  return {
    choice: own.choice, width, narrow: width < 560, shown, all: SERIES, paint: paint(),
    grey: STATE.greyed && SERIES.length > MANY ? SERIES.filter(series => !STATE.on.has(series.name)) : [],
  };
}

const PRINT_WIDTH = 660;

function drawChart(own) {
  const context = contextOf(own);
  const { spec } = own;
  own.title.textContent = typeof spec.title === 'function' ? spec.title(context) : spec.title;
  const made = context.shown.length || spec.always ? spec.option(context) : null;
  own.visible = Boolean(made);
  own.node.dataset.strategies = JSON.stringify(made ? made.drawn : []);
  put(own.caption, [own.caption.replaceChildren(), spec.says ? spec.says(context) : null]);
  put(own.key, [own.key.replaceChildren(), made?.unnamed && lineKey(context, made), made && spec.legend && spec.legend(context)]);
  if (own.data.open) refill(own);
  if (!made) return emptyChart(own, context);
  own.place.style.height = `${made.height}px`;
  own.place.style.width = STATE.printing ? `${PRINT_WIDTH}px` : '';
  own.place.setAttribute('aria-label', `${own.title.textContent}. ${made.text || textOf(own.caption)} ${made.drawn.length ? `Shown: ${made.drawn.join(', ')}.` : ''}`.trim());
  if (own.place.dataset.empty) { own.place.replaceChildren(); delete own.place.dataset.empty; }
  if (!own.chart) startChart(own);
  own.chart.resize({ width: STATE.printing ? PRINT_WIDTH : 'auto', height: made.height });
  own.chart.setOption({ ...baseOption(context), ...made.option }, { notMerge: true });
}

/**
 * Whose each line is, near the chart: where names do not stand at the ends of the lines. `unnamed`
 * is a list of looks where the lines are not those of the legend.
 */
function lineKey(context, { unnamed, drawn }) {
  const looks = unnamed === true ? context.shown.filter(own => drawn.includes(own.name)) : unnamed;
  const items = looks.map(own => el('li', {}, swatch(own), ' ', nameAndSuccess(own.name)));
  if (context.grey.length) items.push(el('li', { class: 'muted' }, `in grey: ${counted(context.grey.length, 'other')}`));
  return el('ul', { class: 'key lines', 'aria-label': 'Lines' }, items);
}

/** Nothing is shown: that is said, and the chart is put away. */
function emptyChart(own, context) {
  if (own.chart) own.chart.dispose();
  own.chart = null;
  own.place.dataset.empty = 'yes';
  own.place.style.height = '';
  own.place.setAttribute('aria-label', `${own.title.textContent}. Nothing is shown.`);
  own.place.replaceChildren(el('p', { class: 'note' }, context.shown.length ? 'Nothing is known here.' : 'All is hidden: switch something on in the legend.'));
}

function startChart(own) {
  own.chart = echarts.init(own.place, null, { renderer: own.spec.canvas ? 'canvas' : 'svg' });
  if (!own.spec.time) return;
  own.chart.on('datazoom', () => {
    const zoom = own.chart.getOption().dataZoom;
    if (!zoom || !zoom.length) return;
    STATE.zoom = [zoom[0].start, zoom[0].end];
    for (const other of CHARTS) if (other !== own && other.spec.time && other.chart) zoomChart(other, STATE.zoom);
  });
}

function zoomChart(own, [start, end]) {
  const zoom = own.chart.getOption().dataZoom;
  if (!zoom || !zoom.length || (Math.abs(zoom[0].start - start) < 1e-6 && Math.abs(zoom[0].end - end) < 1e-6)) return;
  own.chart.dispatchAction({ type: 'dataZoom', start, end, dataZoomIndex: zoom.map((_, at) => at) });
}

function textOf(node) {
  return node.textContent.trim();
}

function baseOption({ paint: colours }) {
  return {
    animation: false, backgroundColor: 'transparent',
    textStyle: { fontFamily: colours.font, color: colours.ink, fontSize: 12 },
  };
}

/** The rows that a chart is drawn of; of very many the first. */
const MOST_ROWS = 400;

function dataTable(own) {
  const context = contextOf(own);
  const { columns, rows, from } = own.spec.rows(context);
  const box = el('div', { class: 'filled' });
  const shown = rows.slice(0, MOST_ROWS);
  put(box, [
    rows.length > MOST_ROWS && el('p', { class: 'note' }, `The first ${MOST_ROWS} of ${grouped(String(rows.length))} rows; all stand in `, el('code', {}, from), '.'),
    sortableTable(`Data: ${own.title.textContent}`, columns, shown, { hideCaption: true }),
  ]);
  return box;
}

function refill(own) {
  const filled = own.data.querySelector('.filled');
  if (filled) filled.replaceWith(dataTable(own));
}

/**
 * The rows of a CSV file, of those who are shown, as a table: numbers in the units of their
 * columns.
 */
function rowsAsTable(name, columns, context, keep) {
  const names = new Set(context.shown.map(series => series.name));
  const rows = rowsOf(name).filter(row => (!('strategy' in row) || names.has(row.strategy) || !BY_NAME.has(row.strategy)) && (!keep || keep(row)));
  const heads = columns.map(column => ({ title: columnTitle(column), numeric: rows.some(row => typeof row[column] === 'number') }));
  const cells = rows.map(row => columns.map(column => {
    const value = row[column];
    if (typeof value !== 'number') return value === null || value === undefined ? '' : String(value);
    const kind = column === 'estimate' || column === 'difference' ? metricOf(row.metric || '').unit : unitOfColumn(column);
    return { text: amount(kind, value), value };
  }));
  return { columns: heads, rows: cells, from: `${name}.csv` };
}

function columnTitle(column) {
  if (column.endsWith('half_width_95')) return '±';
  const words = column.replace(/_(ms|s|share|rps)$/, '').replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const QUEUE = [];

/**
 * Draws all charts again: those that are seen at once, the others one after the other, so that the
 * page can be used meanwhile.
 */
function drawAll() {
  const isSeen = own => { const box = own.node.getBoundingClientRect(); return box.bottom > 0 && box.top < innerHeight; };
  QUEUE.length = 0;
  for (const own of CHARTS) {
    if (STATE.printing || isSeen(own)) drawChart(own);
    else QUEUE.push(own);
  }
  delete document.documentElement.dataset.ready;
  drawNext();
}

let drawing = 0;

function drawNext() {
  clearTimeout(drawing);
  const next = QUEUE.shift();
  if (!next) { document.documentElement.dataset.ready = 'yes'; return; }
  drawing = setTimeout(() => { drawChart(next); drawNext(); }, 0);
}

onChange(what => {
  if (what !== 'zoom') drawAll();
  else for (const own of CHARTS) if (own.spec.time && own.chart) zoomChart(own, STATE.zoom);
});

let widthBefore = 0;
new ResizeObserver(entries => {
  const width = Math.round(entries[0].contentRect.width);
  if (width === widthBefore || STATE.printing) return;
  widthBefore = width;
  if (CHARTS.length) drawAll();
}).observe(document.getElementById('page'));
