//! A metric by two values that are swept: a heat map for each strategy, all with one scale of
//! colours, and the figures in it.

use super::canvas::{Align, Canvas, Colour, Type};
use super::frame::{self, AXIS, EDGE, WIDTH};
use super::palette::{INK, MUTED, heat};
use super::scale::range;
use super::{Study, SweepRow};
use crate::experiment::Unit;

/// Panels beside each other.
const ACROSS: usize = 2;
/// Height of a row of cells.
const ROW: f64 = 30.0;
/// Room for the bar that says what colours mean.
const BAR: f64 = 44.0;
/// Where there is nothing to say.
const NOTHING: Colour = Colour(0xee, 0xf0, 0xf3);

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let (second, judge) = (study.sweep_and?, study.judge?);
    let rows: Vec<&SweepRow> = study
        .sweep
        .iter()
        .filter(|row| row.metric == judge.name)
        .collect();
    let (least, most) = range(rows.iter().filter_map(|row| row.estimate))?;
    let xs = places(rows.iter().map(|row| (row.at, row.value.as_str())));
    let ys = places(
        rows.iter()
            .filter_map(|row| Some((row.at_2?, row.value_2.as_deref()?))),
    );
    if xs.is_empty() || ys.is_empty() {
        return None;
    }
    let top = frame::title_height(study) + 12.0 + BAR;
    let names = ys
        .iter()
        .map(|(_, name)| AXIS.width(name))
        .fold(0.0, f64::max);
    let gap = 40.0;
    let panel = (WIDTH - 2.0 * EDGE - gap) / ACROSS as f64;
    // Names of rows, and the title of that axis before them.
    let left = names + 38.0;
    let cell = (panel - left) / xs.len() as f64;
    let height = 30.0 + ROW * ys.len() as f64 + 68.0;
    let lines = study.strategies.len().div_ceil(ACROSS);
    // A metric that spans more than a decade is told apart by its logarithm.
    let log = least > 0.0 && most > 10.0 * least;
    let share = |value: f64| {
        let of = |value: f64| if log { value.ln() } else { value };
        if most > least {
            (of(value) - of(least)) / (of(most) - of(least))
        } else {
            0.0
        }
    };
    let scale = judge.unit.scale();
    Some(Canvas::picture(
        WIDTH,
        top + height * lines as f64,
        |canvas| {
            let unit = if judge.unit == Unit::Share { ", %" } else { "" };
            frame::title(
                canvas,
                study,
                &format!(
                    "{}{unit}: {} across, {second} down",
                    judge.name, study.sweep_label
                ),
            );
            let at = |share: f64| match log {
                true => (least.ln() + share * (most.ln() - least.ln())).exp(),
                false => least + share * (most - least),
            };
            let title = format!("{}{}", judge.name, if log { ", log scale" } else { "" });
            let ticks = [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| (share, figure(at(share) * scale)));
            bar(canvas, top - BAR, &title, &ticks);
            for (at, series) in study.strategies.iter().enumerate() {
                let x = EDGE + (at % ACROSS) as f64 * (panel + gap);
                let y = top + (at / ACROSS) as f64 * height;
                frame::heading(canvas, series, (x + left, y + 8.0), panel);
                let y = y + 30.0;
                canvas.text_upwards(
                    &AXIS.fit(second, ROW * ys.len() as f64 + 30.0),
                    (x + 8.0, y + ROW * ys.len() as f64 / 2.0),
                    AXIS,
                );
                canvas.text(
                    &AXIS.fit(study.sweep_label, panel - left),
                    (
                        x + left + (panel - left) / 2.0,
                        y + ROW * ys.len() as f64 + 36.0,
                    ),
                    Align::Centre,
                    AXIS,
                );
                for (row, (second_at, _)) in ys.iter().enumerate() {
                    for (column, (first_at, _)) in xs.iter().enumerate() {
                        let corner = (x + left + column as f64 * cell, y + row as f64 * ROW);
                        canvas.area(
                            (corner.0 + 1.0, corner.1 + 1.0),
                            (corner.0 + cell - 1.0, corner.1 + ROW - 1.0),
                            NOTHING,
                            1.0,
                        );
                        let is_here = |point: &&&SweepRow| {
                            point.strategy == series.name
                                && point.at == *first_at
                                && point.at_2 == Some(*second_at)
                        };
                        let said = match rows.iter().find(is_here).map(|point| point.estimate) {
                            Some(Some(_)) => "",
                            // Overloaded, or too few requests for this metric.
                            Some(None) => "–",
                            None => "not run",
                        };
                        if !said.is_empty() {
                            let word = Type::new(11.0, MUTED);
                            canvas.text(
                                &word.fit(said, cell - 4.0),
                                (corner.0 + cell / 2.0, corner.1 + ROW / 2.0),
                                Align::Centre,
                                word,
                            );
                        }
                    }
                }
                for (row, (_, name)) in ys.iter().enumerate() {
                    canvas.text(
                        name,
                        (x + left - 9.0, y + (row as f64 + 0.5) * ROW),
                        Align::Right,
                        AXIS,
                    );
                }
                for (column, (_, name)) in xs.iter().enumerate() {
                    let middle = x + left + (column as f64 + 0.5) * cell;
                    canvas.text(
                        &AXIS.fit(name, cell - 4.0),
                        (middle, y + ROW * ys.len() as f64 + 14.0),
                        Align::Centre,
                        AXIS,
                    );
                }
                for point in rows.iter().filter(|row| row.strategy == series.name) {
                    let column = xs.iter().position(|&(at, _)| at == point.at);
                    let row = ys.iter().position(|&(at, _)| Some(at) == point.at_2);
                    let (Some(column), Some(row), Some(value)) = (column, row, point.estimate)
                    else {
                        continue;
                    };
                    let corner = (x + left + column as f64 * cell, y + row as f64 * ROW);
                    let colour = heat(share(value));
                    canvas.area(
                        (corner.0 + 1.0, corner.1 + 1.0),
                        (corner.0 + cell - 1.0, corner.1 + ROW - 1.0),
                        colour,
                        1.0,
                    );
                    let text = figure(value * scale);
                    let ink = Type::new(
                        12.0,
                        if is_dark(colour) {
                            Colour(255, 255, 255)
                        } else {
                            INK
                        },
                    );
                    if ink.width(&text) < cell - 4.0 {
                        canvas.text(
                            &text,
                            (corner.0 + cell / 2.0, corner.1 + ROW / 2.0),
                            Align::Centre,
                            ink,
                        );
                    }
                }
            }
        },
    ))
}

/// What colours mean: a bar of them, with values below it.
fn bar(canvas: &Canvas<'_>, top: f64, title: &str, ticks: &[(f64, String)]) {
    const WIDE: f64 = 320.0;
    const STEPS: usize = 64;
    let left = EDGE + AXIS.width(title) + 14.0;
    canvas.text(title, (EDGE, top + 6.0), Align::Left, AXIS);
    for step in 0..STEPS {
        let x = |step: usize| left + WIDE * step as f64 / STEPS as f64;
        let colour = heat((step as f64 + 0.5) / STEPS as f64);
        canvas.area((x(step), top), (x(step + 1), top + 12.0), colour, 1.0);
    }
    for (share, name) in ticks {
        canvas.text(name, (left + WIDE * share, top + 24.0), Align::Centre, AXIS);
    }
}

/// The places on an axis, in order, each with its name.
fn places<'a>(of: impl Iterator<Item = (f64, &'a str)>) -> Vec<(f64, &'a str)> {
    let mut places: Vec<(f64, &str)> = of.collect();
    places.sort_by(|one, other| one.0.total_cmp(&other.0));
    places.dedup_by(|one, other| one.0 == other.0);
    places
}

/// Three digits.
fn figure(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let places = (2.0 - value.abs().max(1e-9).log10().floor()).clamp(0.0, 3.0) as usize;
    format!("{value:.places$}")
}

fn is_dark(Colour(r, g, b): Colour) -> bool {
    0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b) < 140.0
}
