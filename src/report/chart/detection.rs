//! What balancers noticed of failures: how long until an ill server was left out, how long until
//! one that was well again was back, and how long servers were left out that were well. A panel
//! each.

use super::Study;
use super::canvas::{Align, Canvas, Colour, Type};
use super::frame::{self, EDGE, Plot, WIDTH};
use super::palette::{INK, MUTED, look};
use super::scale::{Scale, number};
use crate::report::rows::DetectionRow;

/// Rows at most: of more strategies and services the first are shown.
const ROWS: usize = 60;
/// Height of a row.
const ROW: f64 = 26.0;
/// Room above the rows of a panel for its name, and below for its axis.
const HEADING: f64 = 34.0;
const AXIS: f64 = 62.0;

/// Who left out servers that were well, and the colours: apart from each other in lightness too.
const WRONG: [(&str, Colour); 2] = [
    ("by health checks", Colour(0x33, 0x88, 0xbb)),
    ("by ejection", Colour(0x88, 0x22, 0x55)),
];

/// A time of which mean, median and longest are known.
struct NoticeTimes {
    name: &'static str,
    mean: fn(&DetectionRow) -> (Option<f64>, Option<f64>),
    median: fn(&DetectionRow) -> Option<f64>,
    longest: fn(&DetectionRow) -> Option<f64>,
    /// What is said where there is none.
    none: &'static str,
}

const TIMES: [NoticeTimes; 2] = [
    NoticeTimes {
        name: "From the beginning of a failure until the server is left out",
        mean: |row| (row.detect_mean_s, row.detect_mean_half_width_95),
        median: |row| row.detect_p50_s,
        longest: |row| row.detect_max_s,
        none: "never",
    },
    NoticeTimes {
        name: "From its end until the server is back",
        mean: |row| (row.return_mean_s, row.return_mean_half_width_95),
        median: |row| row.return_p50_s,
        longest: |row| row.return_max_s,
        none: "no such return",
    },
];

/// What is shown of one strategy at one service.
struct NoticedBy<'r> {
    row: &'r DetectionRow,
    name: String,
    colour: usize,
}

fn shown<'r>(study: &Study<'r>) -> Vec<NoticedBy<'r>> {
    let rows = &study.rows.detection;
    let several = rows.iter().any(|row| row.service != rows[0].service);
    let find = |row: &'r DetectionRow| {
        let series = study
            .strategies
            .iter()
            .find(|own| own.name == row.strategy)?;
        let name = match several {
            true => format!("{}: {}", row.service, row.strategy),
            false => row.strategy.clone(),
        };
        Some(NoticedBy {
            row,
            name,
            colour: series.colour,
        })
    };
    rows.iter().filter_map(find).take(ROWS).collect()
}

fn wrong(row: &DetectionRow) -> [f64; 2] {
    [row.wrong_by_checks_s, row.wrong_by_ejection_s].map(|time| time.unwrap_or(0.0))
}

/// Seconds, to three digits.
fn seconds(value: f64) -> String {
    if value < 1e-9 {
        return "0 s".to_owned();
    }
    let step = libm::pow(10.0, value.abs().max(1e-3).log10().floor() - 2.0);
    format!("{} s", number(value, step.min(1.0)))
}

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let shown = shown(study);
    let times: Vec<&NoticeTimes> = TIMES
        .iter()
        .filter(|times| shown.iter().any(|one| (times.longest)(one.row).is_some()))
        .collect();
    let most_wrong = (shown.iter())
        .map(|one| wrong(one.row).iter().sum::<f64>())
        .fold(0.0, f64::max);
    let has_wrong = most_wrong > 0.0;
    if times.is_empty() && !has_wrong {
        return None;
    }
    let panels = times.len() + usize::from(has_wrong);
    let panel = HEADING + ROW * shown.len() as f64 + AXIS;
    let top = frame::title_height(study) + 8.0;
    let names = Type::bold(frame::LABEL, INK);
    let widest = (shown.iter())
        .map(|one| names.width(&one.name))
        .fold(0.0, f64::max);
    let left = EDGE + widest.min(330.0) + 16.0;
    let height = top + panel * panels as f64 + 10.0;
    Some(Canvas::picture(WIDTH, height, |canvas| {
        frame::title(
            canvas,
            study,
            "What the balancers noticed of failures, in the measured window",
        );
        let plot = |number: usize| {
            let first = top + panel * number as f64 + HEADING;
            Plot {
                left,
                top: first,
                right: WIDTH - EDGE - 190.0,
                bottom: first + ROW * shown.len() as f64,
            }
        };
        for (number, times) in times.iter().enumerate() {
            let plot = plot(number);
            heading(
                canvas,
                plot,
                times.name,
                "bar: up to the longest · line: median · dot: mean ± 95%",
            );
            let longest = shown.iter().filter_map(|one| (times.longest)(one.row));
            let x = Scale::from_zero(longest.fold(0.0, f64::max), plot.left, plot.right);
            frame::x_axis(canvas, plot, &x, "Seconds");
            for (at, one) in shown.iter().enumerate() {
                let y = plot.top + (at as f64 + 0.5) * ROW;
                label(canvas, one, (plot.left, y));
                spread(canvas, &x, times, one, y);
            }
        }
        if has_wrong {
            let plot = plot(times.len());
            heading(
                canvas,
                plot,
                "Servers left out that were well",
                "server-seconds a run",
            );
            let mut at = plot.right - 170.0;
            for (name, colour) in WRONG {
                let y = plot.top - 18.0;
                canvas.area((at, y - 7.0), (at + 14.0, y + 7.0), colour, 1.0);
                let plain = Type::new(13.0, MUTED);
                canvas.text(name, (at + 20.0, y), Align::Left, plain);
                at += 20.0 + plain.width(name) + 20.0;
            }
            let x = Scale::from_zero(most_wrong, plot.left, plot.right);
            frame::x_axis(canvas, plot, &x, "Server-seconds");
            for (at, one) in shown.iter().enumerate() {
                let y = plot.top + (at as f64 + 0.5) * ROW;
                label(canvas, one, (plot.left, y));
                let mut from = 0.0;
                for (part, (_, colour)) in wrong(one.row).into_iter().zip(WRONG) {
                    if part > 0.0 {
                        let ends = ((x.at(from), y - 8.0), (x.at(from + part), y + 8.0));
                        canvas.area(ends.0, ends.1, colour, 1.0);
                        from += part;
                    }
                }
                let said = (x.at(from) + 10.0, y);
                canvas.text(&seconds(from), said, Align::Left, Type::new(13.0, INK));
            }
        }
    }))
}

fn heading(canvas: &Canvas<'_>, plot: Plot, name: &str, more: &str) {
    let bold = Type::bold(14.0, INK);
    let y = plot.top - 18.0;
    canvas.text(name, (EDGE, y), Align::Left, bold);
    let plain = Type::new(13.0, MUTED);
    canvas.text(
        more,
        (EDGE + bold.width(name) + 14.0, y),
        Align::Left,
        plain,
    );
}

fn label(canvas: &Canvas<'_>, one: &NoticedBy<'_>, (left, y): (f64, f64)) {
    let name = Type::bold(frame::LABEL, look(one.colour).ink);
    let text = name.fit(&one.name, left - EDGE - 12.0);
    canvas.text(&text, (left - 12.0, y), Align::Right, name);
}

/// The longest, the median and the mean of a time.
fn spread(canvas: &Canvas<'_>, x: &Scale, times: &NoticeTimes, one: &NoticedBy<'_>, y: f64) {
    let colour = look(one.colour).colour;
    let muted = Type::new(13.0, MUTED);
    let (Some(longest), Some(median)) = ((times.longest)(one.row), (times.median)(one.row)) else {
        canvas.text(times.none, (x.at(0.0) + 10.0, y), Align::Left, muted);
        return;
    };
    canvas.area((x.at(0.0), y - 6.0), (x.at(longest), y + 6.0), colour, 0.22);
    let at = x.at(median);
    canvas.line(&[(at, y - 9.0), (at, y + 9.0)], colour, 1.0, 2.5, None);
    let mut said = format!("longest {}", seconds(longest));
    if let (Some(mean), half) = (times.mean)(one.row) {
        if let Some(half) = half {
            let ends = [(x.at((mean - half).max(0.0)), y), (x.at(mean + half), y)];
            canvas.line(&ends, colour, 1.0, 1.5, None);
        }
        canvas.dot((x.at(mean), y), 4.5, colour, 1.0);
        said = format!("mean {}, {said}", seconds(mean));
    }
    let text = (x.at(longest) + 10.0, y);
    canvas.text(&said, text, Align::Left, Type::new(13.0, INK));
}
