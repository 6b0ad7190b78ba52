//! How each server was over time: a heat map for each strategy, all with one scale of colours. What
//! the maps show is up to the chart.

use std::collections::BTreeMap;

use super::canvas::{Align, Canvas, Colour, Type};
use super::frame::{self, AXIS, EDGE, Plot, WIDTH};
use super::palette::{FAULT, MUTED, PAPER, heat};
use super::scale::{Scale, nice_step};
use super::strips::{self, Strip};
use super::{Event, Study, events};
use crate::report::about::EventKind;
use crate::report::rows::UtilizationRow;

/// Rows of one map: with more bands, neighbours of one service are averaged. Each service has its
/// part of them by its bands, and one at least.
const ROWS: usize = 50;
/// A server of which the least is so over a whole stretch of time.
const NOTHING: Colour = Colour(0xe2, 0xe5, 0xea);
/// From such a share of a stretch on a server counts as dead, or as not there, for all of it.
const MOST: f64 = 0.5;
/// Figures along the colour scale, beside the zero.
const FIGURES: f64 = 4.0;
/// Steps of the colour scale.
const STEPS: f64 = 40.0;
/// Room above a map for the strip of a fault, and in the legend for its name.
const STRIP: f64 = 8.0;
const LINE: f64 = 17.0;
/// Room right above a map for the bars of what happens at known times.
const BARS: f64 = 6.0;

/// What maps show of a server in a stretch of time.
pub(super) struct Mapped {
    /// What it is, for the line beneath the title.
    pub(super) what: &'static str,
    /// What it is called where it is zero, or too little for a colour.
    pub(super) nothing: &'static str,
    /// Whether the least that is more than zero has a colour.
    pub(super) any_counts: bool,
    /// How much it is, 0 or more.
    pub(super) of: fn(&UtilizationRow) -> f64,
    /// The end of the scale of colours.
    pub(super) top: f64,
    /// How it is written.
    pub(super) figure: fn(f64) -> String,
}

impl Mapped {
    /// The most that it is anywhere.
    pub(super) fn highest(study: &Study<'_>, of: fn(&UtilizationRow) -> f64) -> f64 {
        study.rows.utilization.iter().map(of).fold(0.0, f64::max)
    }

    /// The end of a scale for what is counted, that is at most so much: all its figures are round.
    pub(super) fn round_top(most: f64) -> f64 {
        FIGURES * nice_step(most / FIGURES)
    }
}

pub(super) fn draw(study: &Study<'_>, mapped: &Mapped) -> Option<String> {
    let end = study
        .rows
        .utilization
        .iter()
        .map(|row| row.to_s)
        .fold(0.0, f64::max);
    let bands = study
        .rows
        .utilization
        .iter()
        .map(|row| row.band as usize + 1)
        .max()?;
    // A single server over time is a line, and no map; how busy it is stands in the table.
    if end <= 0.0 || bands < 2 {
        return None;
    }
    let count = study.strategies.len();
    let columns = match count {
        1 => 1,
        2..=4 => 2,
        _ => 3,
    };
    let rows = count.div_ceil(columns);
    let grid = Grid::of(study, bands);
    let names = server_names(study, &grid);
    let margin = names
        .iter()
        .map(|(_, name)| AXIS.width(name))
        .fold(0.0, f64::max)
        .min(190.0)
        + 16.0;
    let tall = (18.0 * grid.rows as f64).clamp(60.0, if count > 6 { 150.0 } else { 240.0 });
    let strips = strips::drawn(study);
    let gap_x = 22.0;
    let wide = (WIDTH - 2.0 * EDGE - margin - gap_x * (columns - 1) as f64) / columns as f64;
    let plot_at = |left: f64, top: f64| Plot {
        left,
        top,
        right: left + wide,
        bottom: top + tall,
    };
    // What happens to all alike is named above the first row of maps alone.
    let differs = events::shared(study).len() < study.events.len();
    let happens = |at: usize| events::of(study, &study.strategies[at].name);
    let told = |at: usize| match differs || at < columns {
        true => happens(at),
        false => Vec::new(),
    };
    let aside = plot_at(0.0, 0.0);
    let time = Scale::linear(0.0, end, 0.0, wide);
    let room_in_row = |row: usize| {
        let maps = (row * columns..count).take(columns);
        let rooms = maps.map(|at| events::room_for_names(&told(at), aside, &time));
        let bars = if study.events.is_empty() { 0.0 } else { BARS };
        rooms.fold(0.0, f64::max) + bars + STRIP * strips.len() as f64
    };
    let above: Vec<f64> = (0..rows).map(room_in_row).collect();
    let gap_y = 64.0;
    let legend_at = frame::title_height(study) + 12.0;
    let more = (LINE * strips.len() as f64 - 26.0).max(0.0);
    let first = legend_at + 66.0 + more;
    let top_of =
        |row: usize| first + above[..=row].iter().sum::<f64>() + row as f64 * (tall + gap_y);
    let height = top_of(rows - 1) + tall + gap_y + 14.0;
    Some(Canvas::picture(WIDTH, height, |canvas| {
        frame::title(canvas, study, mapped.what);
        legend(canvas, legend_at, (study, mapped), &strips);
        for (at, series) in study.strategies.iter().enumerate() {
            let (column, row) = (at % columns, at / columns);
            let left = EDGE + margin + column as f64 * (wide + gap_x);
            let top = top_of(row);
            let plot = plot_at(left, top);
            let last_row = at + columns >= count;
            let bottom = map(canvas, (study, &grid), plot, &series.name, (end, mapped));
            mark(canvas, &happens(at), Plot { bottom, ..plot }, end);
            frame::heading(canvas, series, (left, top - 12.0 - above[row]), wide);
            let x = Scale::linear(0.0, end, plot.left, plot.right);
            events::name(canvas, &told(at), plot_at(left, top - BARS), &x);
            let lowest = match study.events.is_empty() {
                true => top - 2.0,
                false => top - 2.0 - BARS - events::room_for_names(&told(at), plot, &x),
            };
            for (at, strip) in strips.iter().rev().enumerate() {
                let bottom = lowest - STRIP * at as f64;
                if strip.whose.contains(&series.name.as_str()) {
                    strip.draw(canvas, &x, (bottom - STRIP + 2.0, bottom));
                }
            }
            let mut free = f64::MIN;
            for (value, name) in x.ticks((wide / 80.0) as usize) {
                let half = AXIS.width(&name) / 2.0;
                if x.at(value) - half > free {
                    canvas.text(
                        &name,
                        (x.at(value), plot.bottom + 14.0),
                        Align::Centre,
                        AXIS,
                    );
                    free = x.at(value) + half + 6.0;
                }
            }
            if last_row {
                canvas.text(
                    "Simulated time (s)",
                    ((plot.left + plot.right) / 2.0, plot.bottom + 33.0),
                    Align::Centre,
                    AXIS,
                );
            }
            if column == 0 {
                for (band, name) in &names {
                    let y = top + grid.middle(*band) * tall;
                    canvas.text(
                        &AXIS.fit(name, margin - 14.0),
                        (left - 8.0, y),
                        Align::Right,
                        AXIS,
                    );
                }
            }
        }
    }))
}

/// Which bands share a row of the maps.
pub(super) struct Grid {
    /// The row of each band.
    pub(super) row: Vec<usize>,
    rows: usize,
    /// Whether a band is the first of its service.
    begins: Vec<bool>,
}

impl Grid {
    pub(super) fn of(study: &Study<'_>, bands: usize) -> Grid {
        let mut services: Vec<&str> = vec![""; bands];
        for row in &study.rows.utilization {
            services[row.band as usize] = row.server.split('/').next().unwrap_or_default();
        }
        let mut grid = Grid {
            row: Vec::with_capacity(bands),
            rows: 0,
            begins: Vec::with_capacity(bands),
        };
        for own in services.chunk_by(|one, other| one == other) {
            let rows = match bands <= ROWS {
                true => own.len(),
                false => (ROWS * own.len() / bands).max(1),
            };
            let places = 0..own.len();
            grid.row
                .extend(places.clone().map(|at| grid.rows + at * rows / own.len()));
            grid.begins.extend(places.map(|at| at == 0));
            grid.rows += rows;
        }
        grid
    }

    /// Where the middle of a band is, of the height of a map.
    fn middle(&self, band: usize) -> f64 {
        let row = self.row[band];
        let first = self.row.partition_point(|&own| own < row);
        let count = self.row.partition_point(|&own| own <= row) - first;
        let inside = ((band - first) as f64 + 0.5) / count as f64;
        (row as f64 + inside) / self.rows as f64
    }
}

/// The names beside the first column: all where they fit, else the first, the middle and the last,
/// and the first of each service.
fn server_names(study: &Study<'_>, grid: &Grid) -> Vec<(usize, String)> {
    let mut all: BTreeMap<usize, String> = BTreeMap::new();
    for row in &study.rows.utilization {
        all.entry(row.band as usize)
            .or_insert_with(|| row.server.clone());
    }
    let bands = grid.row.len();
    let room = if study.strategies.len() > 6 { 9 } else { 14 };
    let services = grid.begins.iter().filter(|begins| **begins).count();
    let shown = |band: usize| match services {
        _ if bands <= room => true,
        1 => band == 0 || band + 1 == bands || band == bands / 2,
        services => grid.begins[band] && services <= room || band == 0,
    };
    all.into_iter().filter(|(band, _)| shown(*band)).collect()
}

/// How a server was in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CellLook {
    Absent,
    Dead,
    /// So far up the scale of colours; at 0, none of it.
    Step(u32),
}

impl CellLook {
    /// Of the servers that share a row of a map.
    fn of(rows: &[&UtilizationRow], mapped: &Mapped) -> CellLook {
        let mean = |of: fn(&UtilizationRow) -> f64| {
            rows.iter().map(|row| of(row)).sum::<f64>() / rows.len() as f64
        };
        let share = mean(mapped.of) / mapped.top;
        let least = f64::from(u8::from(mapped.any_counts && share > 0.0));
        match (share * STEPS).round().clamp(least, STEPS) as u32 {
            0 if mean(|row| row.dead_share) >= MOST => CellLook::Dead,
            0 if mean(|row| row.away_share) >= MOST => CellLook::Absent,
            step => CellLook::Step(step),
        }
    }

    /// Fills an area. Neighbours get a hair more, or the paper would shine through between them.
    fn fill(self, canvas: &Canvas<'_>, (left, top): (f64, f64), (right, bottom): (f64, f64)) {
        let to = (right + 0.5, bottom + 0.5);
        match self {
            CellLook::Absent => canvas.area((left, top), to, PAPER, 1.0),
            CellLook::Dead => {
                canvas.area((left, top), to, PAPER, 1.0);
                let middle = (top + bottom) / 2.0;
                canvas.line(&[(left, middle), (right, middle)], FAULT, 1.0, 1.4, None);
            }
            CellLook::Step(0) => canvas.area((left, top), to, NOTHING, 1.0),
            CellLook::Step(step) => canvas.area((left, top), to, colour(step), 1.0),
        }
    }
}

/// The colour of a step of the scale, of 1 to [`STEPS`].
fn colour(step: u32) -> Colour {
    heat(f64::from(step - 1) / (STEPS - 1.0))
}

/// Draws the map of a strategy; answers where its last row ends in which any server ever is.
fn map(
    canvas: &Canvas<'_>,
    (study, grid): (&Study<'_>, &Grid),
    plot: Plot,
    strategy: &str,
    (end, mapped): (f64, &Mapped),
) -> f64 {
    let rows = grid.rows;
    // By row of the map and stretch of time.
    let mut cells: BTreeMap<(usize, u64), Vec<&UtilizationRow>> = BTreeMap::new();
    let own = study.rows.utilization.iter();
    for cell in own.filter(|cell| cell.strategy == strategy) {
        let key = (
            grid.row[cell.band as usize],
            (cell.from_s / end * 1e6) as u64,
        );
        cells.entry(key).or_default().push(cell);
    }
    let x = Scale::linear(0.0, end, plot.left, plot.right);
    let y = |row: usize| plot.top + row as f64 / rows as f64 * (plot.bottom - plot.top);
    // Neighbours of one look are one rectangle.
    let mut open: Option<(usize, f64, f64, CellLook)> = None;
    let flush = |run: Option<(usize, f64, f64, CellLook)>| {
        if let Some((row, from, to, look)) = run {
            look.fill(canvas, (x.at(from), y(row)), (x.at(to), y(row + 1)));
        }
    };
    let mut used = 0;
    for (&(row, _), cell) in &cells {
        let (from, to, look) = (cell[0].from_s, cell[0].to_s, CellLook::of(cell, mapped));
        if look != CellLook::Absent {
            used = used.max(row + 1);
        }
        open = match open {
            Some((own, begin, until, same))
                if own == row && same == look && from <= until + 1e-9 =>
            {
                Some((own, begin, to, same))
            }
            other => {
                flush(other);
                Some((row, from, to, look))
            }
        };
    }
    flush(open);
    y(used)
}

/// Marks what happens at known times: lines at its beginning and its end, and between them a bar
/// above the map. What comes after a failure has the bar alone, in a colour of its own.
fn mark(canvas: &Canvas<'_>, events: &[&Event], plot: Plot, end: f64) {
    let x = Scale::linear(0.0, end, plot.left, plot.right);
    for (colour, own) in events::by_colour(events) {
        for (from, to) in events::joined(&own, end) {
            // What has no known end is to be seen all the same.
            let right = x.at(to).max(x.at(from) + 2.0);
            let (upper, lower) = (plot.top - 5.0, plot.top - 2.0);
            canvas.area((x.at(from), upper), (right, lower), colour, 1.0);
        }
        let lined = own.iter().filter(|event| event.kind != EventKind::Cold);
        for at in lined.flat_map(|event| std::iter::once(event.from_s).chain(event.to_s)) {
            let line = [(x.at(at), plot.top - 5.0), (x.at(at), plot.bottom + 4.0)];
            canvas.line(&line, colour, 1.0, 1.4, None);
        }
    }
}

/// What has no colour of the scale, the scale, and the names of the strips above the maps.
fn legend(
    canvas: &Canvas<'_>,
    y: f64,
    (study, mapped): (&Study<'_>, &Mapped),
    strips: &[Strip<'_>],
) {
    let small = Type::new(12.0, MUTED);
    let wide = 240.0;
    let has =
        |of: fn(&UtilizationRow) -> f64| study.rows.utilization.iter().any(|row| of(row) >= MOST);
    let is_known = [
        (CellLook::Step(0), mapped.nothing, true),
        (CellLook::Dead, "dead", has(|row| row.dead_share)),
        (CellLook::Absent, "not there", has(|row| row.away_share)),
    ];
    let mut first = EDGE;
    for (look, text, _) in is_known.into_iter().filter(|&(_, _, is_known)| is_known) {
        canvas.area(
            (first - 1.0, y - 8.0),
            (first + 15.0, y + 8.0),
            NOTHING,
            1.0,
        );
        look.fill(canvas, (first, y - 7.0), (first + 13.5, y + 6.5));
        canvas.text(text, (first + 20.0, y), Align::Left, small);
        first += 20.0 + small.width(text) + 24.0;
    }
    first += 8.0;
    for step in 1..=STEPS as u32 {
        let at = |step: f64| first + (step - 1.0) / STEPS * wide;
        canvas.area(
            (at(f64::from(step)), y - 7.0),
            // To the end, beneath those that follow: edges that only meet would show as seams.
            (first + wide, y + 7.0),
            colour(step),
            1.0,
        );
    }
    for part in 0..=FIGURES as u32 {
        let share = f64::from(part) / FIGURES;
        canvas.text(
            &(mapped.figure)(share * mapped.top),
            (first + share * wide, y + 18.0),
            Align::Centre,
            small,
        );
    }
    let (from, named) = (first + wide + 40.0, Type::new(12.0, FAULT));
    for (at, strip) in strips.iter().enumerate() {
        let text = match strips.len() {
            1 => format!("above each map: {}", strip.label),
            _ => format!("above each map, {}.: {}", at + 1, strip.label),
        };
        let text = named.fit(&text, WIDTH - EDGE - from);
        canvas.text(&text, (from, y + LINE * at as f64), Align::Left, named);
    }
}
