// Opens pages of results in a browser and says what is wrong with them. Arguments: the browser, a
// folder for pictures, and folders of results, in each of which `report.html` stands.

import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Browser, READY } from './browser.mjs';
import { columnsOf, shownAs } from './figures.mjs';

const [program, pictures, ...folders] = process.argv.slice(2);
const MOST_BYTES = 2_000_000;
const WIDE = 1280;
const NARROW = 360;
let faults = 0;
let checks = 0;

function check(ok, text) {
  checks += 1;
  if (ok) return;
  faults += 1;
  console.error(`  wrong: ${text}`);
}

/**
 * What is drawn in each chart: how many marks, for whom, its name, and whose name stands neither in
 * it nor in its key.
 */
const CHARTS = `[...document.querySelectorAll('.chart')].map(place => {
  const chart = echarts.getInstanceByDom(place);
  let marks = 0;
  const figure = place.closest('figure');
  const bare = text => text.replace(/\\s/g, '');
  const strategies = JSON.parse(figure.dataset.strategies);
  const words = chart ? bare(chart.getZr().storage.getDisplayList(true).map(one => (one.type === 'tspan' ? one.style.text : '')).join('')) : '';
  const key = bare(figure.querySelector('h3').textContent + figure.querySelector('.keys').textContent);
  // Axes are no marks: what series draw is in the groups of their views.
  for (const view of chart ? chart._chartsViews : []) view.group.traverse(one => { if (!one.isGroup && !one.ignore && !one.invisible && !['text', 'tspan'].includes(one.type)) marks += 1; });
  return { id: place.dataset.chart, name: place.getAttribute('aria-label') || '', role: place.getAttribute('role'), empty: Boolean(place.dataset.empty), strategies, marks, nameless: strategies.filter(name => !words.includes(bare(name)) && !key.includes(bare(name))) };
})`;

async function charts(browser) {
  await browser.until(READY);
  return browser.evaluate(CHARTS);
}

function checkFile(page) {
  const text = readFileSync(page, 'utf8');
  check(statSync(page).size < MOST_BYTES, `${statSync(page).size} bytes, more than ${MOST_BYTES}`);
  const loads = text.match(/(?:\b(?:src|href|action|data)\s*=\s*["']?|url\(\s*["']?|@import\s+["']?)(?:https?:)?\/\/[^\s"')>]+/gi) ?? [];
  check(loads.length === 0, `something would be loaded: ${loads.join(' ')}`);
}

/** `chosen`: what the reader chose may be something of which nothing is known. */
async function checkLook(browser, width, chosen = false) {
  check(browser.faults.length === 0, `the browser says: ${browser.faults.join('; ')}`);
  const foreign = browser.requests.filter(url => !/^(file|data):/.test(url));
  check(foreign.length === 0, `asked for ${foreign.join(' ')}`);
  const wide = await browser.evaluate('Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)');
  check(wide <= width, `the page is ${wide} pixels wide, in a window of ${width}`);
  for (const chart of await charts(browser)) {
    check(chart.marks > 0 || chosen && chart.empty, `chart ${chart.id} has ${chart.marks} marks`);
    check(chart.nameless.length === 0, `chart ${chart.id} does not tell who ${chart.nameless.join(', ')} is, ${width} pixels wide`);
    check(chart.role === 'img' && chart.name.length > 20, `chart ${chart.id} is called "${chart.name}"`);
  }
}

/** On a narrow page nothing of a table is out of sight: each figure has the name of its column. */
async function checkTables(browser, width) {
  await browser.evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))');
  const cut = await browser.evaluate('[...document.querySelectorAll(".scroll")].filter(own => own.clientWidth > 0 && own.scrollWidth > own.clientWidth).map(own => own.getAttribute("aria-label"))');
  check(cut.length === 0, `tables are cut in a window of ${width}: ${cut.join('; ')}`);
  const [cards, unnamed] = await browser.evaluate('[document.querySelectorAll(".cards").length || !document.querySelector(".scroll"), [...document.querySelectorAll(".cards td")].filter(own => !own.dataset.title).length]');
  check(cards && unnamed === 0, `${cards} tables are cards, ${unnamed} of their figures have no name`);
  const more = await browser.evaluate('[...document.querySelectorAll(".cards .more")].map(own => { own.click(); const rows = [...own.parentNode.querySelectorAll("tbody tr")]; return rows.every(row => row.checkVisibility()); })');
  check(more.every(Boolean), 'not all cards can be seen');
}

/** One heading of the first level, and none that leaves out a level. */
async function checkHeadings(browser) {
  const levels = await browser.evaluate('[...document.querySelectorAll("h1,h2,h3,h4,h5,h6")].map(own => Number(own.tagName[1]))');
  check(levels[0] === 1 && levels.filter(level => level === 1).length === 1, `headings: ${levels}`);
  check(levels.every((level, at) => at === 0 || level <= levels[at - 1] + 1), `a heading leaves out a level: ${levels}`);
  const [unnamed, landmarks] = await browser.evaluate('[[...document.querySelectorAll("table")].filter(own => !own.caption?.textContent).length, document.querySelectorAll("main").length]');
  check(unnamed === 0, `${unnamed} tables have no caption`);
  check(landmarks === 1, `${landmarks} main landmarks`);
  const mute = await browser.evaluate('[...document.querySelectorAll("button,select,input,a")].filter(own => !(own.textContent.trim() || own.getAttribute("aria-label") || own.labels?.length)).length');
  check(mute === 0, `${mute} controls have no name`);
}

/**
 * A click on the legend hides a strategy in each chart that has it, and another one shows it
 * again.
 */
async function checkLegend(browser) {
  const before = await charts(browser);
  const count = await browser.evaluate('document.querySelectorAll(".legend-switch").length');
  check(count > 0 || await browser.evaluate('SERIES.length') === 0, 'there is no legend');
  for (let at = 0; at < count; at += 1) {
    const click = `(() => { const own = document.querySelectorAll('.legend-switch')[${at}]; own.click(); return [own.dataset.strategy, own.getAttribute('aria-pressed')]; })()`;
    const [strategy, pressed] = await browser.evaluate(click);
    check(pressed === 'false', `the button of ${strategy} does not say that it is hidden`);
    const hidden = await charts(browser);
    before.forEach((chart, place) => {
      const had = chart.strategies.includes(strategy);
      check(!hidden[place].strategies.includes(strategy), `${strategy} is hidden, but in chart ${chart.id}`);
      check(!had || hidden[place].marks < chart.marks, `chart ${chart.id} has as many marks without ${strategy}`);
    });
    await browser.evaluate(click);
    const again = await charts(browser);
    check(JSON.stringify(again) === JSON.stringify(before), `${strategy} does not come back as it was`);
  }
}

/** Each figure is that of the CSV file: as a value, and as it is written. */
async function checkFigures(browser, folder) {
  await browser.evaluate('document.querySelectorAll("#figures details, #theory details").forEach(own => { own.fillNow(); own.open = true; })');
  const cells = await browser.evaluate(`[...document.querySelectorAll('#table [data-metric], #figures [data-metric], #groups [data-metric]')].map(own => ({ ...own.dataset, text: own.textContent,
    place: own.closest('section').id, caption: own.closest('table').caption.textContent, unit: own.closest('table').tHead.rows[0].cells[own.cellIndex].querySelector('.unit')?.textContent.trim() ?? '' }))`);
  const sweeps = columnsOf(join(folder, 'sweep.csv'));
  const summary = new Map((sweeps.length ? sweeps : columnsOf(join(folder, 'summary.csv'))).map(row => [[row.strategy, row.metric, row.value ?? '', row.value_2 ?? ''].join('\n'), row]));
  const own = cells.filter(cell => cell.place !== 'groups');
  check(own.length > 0, 'there are no figures');
  for (const cell of own) {
    const row = summary.get([cell.strategy, cell.metric, cell.value ?? '', cell.second ?? ''].join('\n'));
    check(row && row.estimate === cell.estimate || row && Number(row.estimate) === Number(cell.estimate), `${cell.strategy}, ${cell.metric}: ${cell.estimate} and not ${row?.estimate}`);
    if (row && cell.text !== 'overloaded') check(shownAs(cell.text, cell.unit, cell.metric, row.estimate, row.half_width_95), `${cell.strategy}, ${cell.metric}: "${cell.text}" is written for ${row.estimate} ± ${row.half_width_95}`);
  }
  if (sweeps.length) return;
  const paired = new Map(columnsOf(join(folder, 'paired.csv')).map(row => [`${row.strategy}\n${row.metric}`, row]));
  const judge = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')).judge_by;
  for (const cell of await browser.evaluate('[...document.querySelectorAll("#table [data-difference]")].map(own => ({ ...own.dataset, text: own.textContent }))')) {
    const row = paired.get(`${cell.strategy}\n${judge}`);
    check(row && Number(row.difference) === Number(cell.difference), `${cell.strategy}: the difference is ${cell.difference} and not ${row?.difference}`);
    if (row) check(shownAs(cell.text.replace(/\s*\(.*\)$/, ''), '', judge, row.difference, row.half_width_95), `${cell.strategy}: "${cell.text}" is written for a difference of ${row.difference}`);
  }
}

/** Each number of what is required. */
async function checkRequirements(browser, folder) {
  const rows = columnsOf(join(folder, 'requirements.csv'));
  const shown = await browser.evaluate(`[...document.querySelectorAll('#requirements tbody tr')].map(row => Object.fromEntries([...row.querySelectorAll('[data-column]')].flatMap(own =>
    own.dataset.column === 'interval' ? [['low', own.dataset.low], ['high', own.dataset.high]] : [[own.dataset.column, own.dataset.value ?? '']])))`);
  check(shown.length === rows.length, `${shown.length} of ${rows.length} requirements are shown`);
  rows.forEach((row, at) => {
    for (const column of ['estimate', 'low', 'high', 'limit', 'margin']) {
      check((row[column] ?? '') === '' ? !shown[at]?.[column] : Number(row[column]) === Number(shown[at]?.[column]), `${row.requirement}, ${row.strategy}: ${column} is ${shown[at]?.[column]} and not ${row[column]}`);
    }
    check(row.decision === shown[at]?.decision, `${row.requirement}, ${row.strategy}: ${shown[at]?.decision} and not ${row.decision}`);
  });
}

/**
 * Who did no work has none of the colours of work, for as long as the CSV file says; and who was
 * dead, or not there, looks so.
 */
async function checkHeat(browser, folder) {
  // Where the rows are too many for a page, it says so, and there is no map.
  if (await browser.evaluate('DATA.left_out.some(line => line.includes("utilization.csv"))')) return;
  const key = row => `${row.strategy}\n${row.server}`;
  const nothing = new Map();
  const rows = columnsOf(join(folder, 'utilization.csv'));
  for (const row of rows) nothing.set(key(row), (nothing.get(key(row)) ?? 0) + (Number(row.utilization) > 0 ? 0 : row.to_s - row.from_s));
  const shown = await browser.evaluate('SERIES.flatMap(own => { const { cells, names } = heatOf(own.name, "utilization"); return cells.filter(cell => cell[4]).map(cell => ({ strategy: own.name, server: names[cell[2]], from: cell[0], to: cell[1], span: cell[1] - cell[0], state: cell[4] })); })');
  for (const [who, seconds] of nothing) {
    const own = shown.filter(cell => key(cell) === who).reduce((sum, cell) => sum + cell.span, 0);
    check(Math.abs(own - seconds) < 1e-6 * (1 + seconds), `${who.replace('\n', ', ')} does nothing for ${own} s on the map, and for ${seconds} s in the file`);
  }
  const state = row => (Number(row.dead_share) >= 0.5 ? 'dead' : Number(row.away_share) >= 0.5 ? 'absent' : '');
  for (const row of rows.filter(own => !(Number(own.utilization) > 0) && state(own))) {
    const cell = shown.find(own => key(own) === key(row) && own.from <= Number(row.from_s) + 1e-6 && Number(row.to_s) <= own.to + 1e-6);
    check(cell?.state === state(row), `${row.server} is ${state(row)} under ${row.strategy} at ${row.from_s} s, and looks ${cell?.state}`);
  }
}

/** What happens at known times, servers or clients, is marked over time, and can be zoomed to. */
async function checkEvents(browser, folder) {
  const { events } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  const [marked, buttons] = await browser.evaluate(`(() => {
    const place = document.querySelector('[data-chart="timeline"]');
    if (!place) return [null, []];
    const series = echarts.getInstanceByDom(place).getOption().series.filter(own => own.xAxisIndex === 0);
    const times = series.flatMap(own => [...(own.markArea?.data ?? []).map(pair => pair[0].xAxis), ...(own.markLine?.data ?? []).map(line => line.xAxis)]);
    return [times.map(time => time / TIME.factor), [...place.closest('figure').querySelectorAll('.zoom button')].map(own => own.textContent)];
  })()`);
  if (!marked) return;
  events.forEach((event, at) => {
    check(marked.some(time => Math.abs(time - event.from_s) < 1e-6 * (1 + time)), `${event.label} at ${event.from_s} s is not marked`);
    check(at >= 12 || buttons.some(text => text.trim().startsWith(`${at + 1} ${event.label}`)), `there is no button for ${event.label}`);
  });
}

/** A table is sorted by a column, up and down, and says so. */
async function checkSort(browser) {
  const values = 'const table = document.querySelector("#table table"); const heads = [...table.tHead.rows[0].cells]; const at = heads.findIndex(own => own.classList.contains("number")); const list = () => [...table.tBodies[0].rows].map(row => row.cells[at].sortValue).filter(own => own !== null);';
  for (const [way, sign] of [['ascending', 1], ['descending', -1]]) {
    const [said, list] = await browser.evaluate(`(() => { ${values} heads[at].querySelector('button').click(); return [heads[at].getAttribute('aria-sort'), list()]; })()`);
    check(said === way, `aria-sort is ${said} and not ${way}`);
    check(list.every((value, at) => at === 0 || sign * (value - list[at - 1]) >= 0), `not sorted ${way}: ${list}`);
  }
}

/** Every choice of every chart can be taken, and every table opened. */
async function checkChoices(browser) {
  const buttons = await browser.evaluate('document.querySelectorAll(".figure .switch button, .figure .zoom button").length');
  for (let at = 0; at < buttons; at += 1) await browser.evaluate(`document.querySelectorAll('.figure .switch button, .figure .zoom button')[${at}].click()`);
  const options = await browser.evaluate('[...document.querySelectorAll(".figure select")].map(own => own.options.length)');
  for (const [at, count] of options.entries()) {
    for (let option = count - 1; option >= 0; option -= 1) {
      await browser.evaluate(`(() => { const own = document.querySelectorAll('.figure select')[${at}]; own.selectedIndex = ${option}; own.dispatchEvent(new Event('change')); })()`);
    }
  }
  const empty = await browser.evaluate('[...document.querySelectorAll("details.data")].filter(own => { own.fillNow(); own.open = true; return !own.querySelector("tbody tr"); }).map(own => own.closest("figure").querySelector("h3").textContent)');
  check(empty.length === 0, `no rows in the tables of ${empty.join(', ')}`);
  await browser.evaluate('document.querySelectorAll("#scenario details").forEach(own => { own.fillNow(); own.open = true; })');
  await checkLook(browser, WIDE, true);
}

async function checkTheme(browser) {
  const [before, after] = await browser.evaluate('(() => { const root = document.documentElement; const was = root.dataset.theme; document.querySelector(".theme").click(); const is = root.dataset.theme; document.querySelector(".theme").click(); return [was, is]; })()');
  check(before !== after && ['light', 'dark'].includes(after), `the switch goes from ${before} to ${after}`);
}

async function checkPrint(browser, file) {
  const pdf = await browser.pdf();
  writeFileSync(file, pdf);
  check(pdf.subarray(0, 5).toString() === '%PDF-' && pdf.length > 20_000, `what is printed has ${pdf.length} bytes`);
  await browser.send('Emulation.setEmulatedMedia', { media: 'print' });
  const seen = await browser.evaluate('[...document.querySelectorAll(".contents, .controls, .data, .theme")].filter(own => own.checkVisibility()).length');
  check(seen === 0, `${seen} controls are printed`);
  await browser.send('Emulation.setEmulatedMedia', { media: '' });
  await checkLook(browser, WIDE);
}

/** Every file of a page that is of no run stands there whole, cell by cell. */
async function checkFiles(browser, folder) {
  const files = await browser.evaluate(`[...document.querySelectorAll('#files details')].map(own => { own.fillNow(); own.open = true; return [own.dataset.file,
    [...own.querySelectorAll('tbody tr')].map(row => Object.fromEntries([...row.cells].map(cell => [cell.dataset.column, cell.dataset.value])))]; })`);
  check(files.length > 0, 'there are no files');
  for (const [name, shown] of files) {
    const rows = columnsOf(join(folder, `${name}.csv`));
    check(shown.length === rows.length, `${shown.length} of ${rows.length} rows of ${name}.csv`);
    rows.forEach((row, at) => Object.entries(row).forEach(([column, value]) => {
      const own = shown[at]?.[column];
      check(own === value || value !== '' && Number(own) === Number(value), `${name}.csv, row ${at}: ${column} is ${own} and not ${value}`);
    }));
  }
}

/** Each figure of a comparison, metric by metric, and each value that changed. */
async function checkCompared(browser, folder) {
  const rows = new Map(columnsOf(join(folder, 'compare.csv')).map(row => [[row.result, row.strategy, row.metric, row.value, row.value_2].join('\n'), row]));
  const metrics = await browser.evaluate('[...document.querySelector("#compared select").options].map(own => own.value)');
  let seen = 0;
  for (const [at, metric] of metrics.entries()) {
    const shown = await browser.evaluate(`(() => { const pick = document.querySelector('#compared select'); pick.selectedIndex = ${at}; pick.dispatchEvent(new Event('change'));
      return [...document.querySelectorAll('#compared tbody tr')].map(row => [row.cells[0].dataset.key, [...row.querySelectorAll('[data-column]')].map(own => [own.dataset.column, own.dataset.value, own.textContent])]); })()`);
    for (const [key, cells] of shown) {
      const row = rows.get(key);
      seen += 1;
      for (const [column, value, text] of cells) {
        check(row && (row[column] === value || row[column] !== '' && Number(row[column]) === Number(value)), `${key}: ${column} is ${value} and not ${row?.[column]}`);
        if (column === 'difference') check(shownAs(text.replace(/\s*\(.*\)$/, ''), '', metric, row.difference, row.difference_half_width_95), `${key}: "${text}" is written for ${row.difference}`);
      }
    }
  }
  check(seen > 0 && seen <= rows.size, `${seen} of ${rows.size} comparisons are shown`);
  const changes = columnsOf(join(folder, 'changes.csv'));
  const told = await browser.evaluate('[...document.querySelectorAll("#changes tbody tr")].map(row => Object.fromEntries([...row.querySelectorAll("[data-column]")].map(own => [own.dataset.column, own.dataset.value])))');
  check(told.length === changes.length && told.every((own, at) => Object.entries(own).every(([column, value]) => changes[at][column] === value)), 'what changed is not what the file says');
}

/** Each row of the tables of a section is one of a CSV file, in all that it shows of it. */
function checkRows(section, file) {
  return async (browser, folder) => {
    const rows = columnsOf(join(folder, file));
    const shown = await browser.evaluate(`[...document.querySelectorAll('#${section} tbody tr')].map(row => [...row.querySelectorAll('[data-column]')].map(own => [own.dataset.column, own.dataset.value ?? '']))`);
    check(shown.length > 0, `nothing is in ${section}`);
    for (const cells of shown) {
      const same = row => cells.every(([column, value]) => row[column] === value || value !== '' && row[column] !== '' && Number(row[column]) === Number(value));
      check(cells.length > 1 && rows.some(same), `${section}: ${file} has no row with ${JSON.stringify(cells)}`);
    }
  };
}

/** What pages of a kind have beyond what all have. */
const CHECKS = {
  run: [checkFigures, checkRequirements, checkHeat, checkEvents, checkSort],
  compare: [checkFiles, checkCompared],
  tune: [checkFiles, checkRows('values', 'weights.csv'), checkRows('gained', 'check.csv')],
  size: [checkFiles, checkRows('sizes', 'sizes.csv')],
  validate: [checkFiles, browser => browser.evaluate('document.querySelector("#exact details").fillNow()'), checkRows('exact', 'theory.csv')],
};

async function checkReport(browser, folder) {
  const name = basename(folder);
  const page = join(folder, 'report.html');
  console.log(`${name}: ${statSync(page).size} bytes`);
  checkFile(page);
  for (const [width, dark] of [[WIDE, true], [NARROW, true], [NARROW, false], [WIDE, false]]) {
    await browser.open(pathToFileURL(resolve(page)).href, { width, dark });
    await checkLook(browser, width);
    check(await browser.evaluate('document.documentElement.dataset.theme') === (dark ? 'dark' : 'light'), 'light and dark are not as the reader has them');
    writeFileSync(join(pictures, `${name}-${width}-${dark ? 'dark' : 'light'}.png`), await browser.picture());
    if (width === NARROW) await checkTables(browser, width);
  }
  await checkHeadings(browser);
  await checkLegend(browser);
  for (const own of CHECKS[await browser.evaluate('DATA.kind')]) await own(browser, folder);
  await checkTheme(browser);
  await checkPrint(browser, join(pictures, `${name}.pdf`));
  await checkChoices(browser);
}

mkdirSync(pictures, { recursive: true });
const browser = await Browser.start(program);
try {
  for (const folder of folders) await checkReport(browser, folder);
} finally {
  await browser.stop();
}
console.log(`${folders.length} pages, ${checks} checks, ${faults} faults; pictures in ${pictures}`);
process.exitCode = faults > 0 ? 1 : 0;
