//! A metric against the value that is swept: the hockey stick of a load curve. Bands are 95%
//! intervals.

use super::canvas::Canvas;
use super::frame::{self, Plot, WIDTH};
use super::palette::look;
use super::scale::{Scale, range};
use super::tradeoff::called;
use super::{Study, SweepRow};
use crate::experiment::{Metric, Unit};

pub(super) fn mean(study: &Study<'_>) -> Option<String> {
    draw(
        study,
        "mean_ms",
        "Mean response time of succeeded requests",
        "Mean",
    )
}

pub(super) fn p99(study: &Study<'_>) -> Option<String> {
    draw(
        study,
        "p99_ms",
        "99th percentile of the response time of succeeded requests",
        "99th percentile",
    )
}

/// Only where something failed.
pub(super) fn success(study: &Study<'_>) -> Option<String> {
    let metric = "success_share";
    let failed =
        |row: &&SweepRow| row.metric == metric && row.estimate.is_some_and(|share| share < 1.0);
    study.sweep.iter().find(failed)?;
    draw(study, metric, "Requests that succeeded", "Succeeded")
}

/// What decides, where it is none of these and differs at all.
pub(super) fn judged(study: &Study<'_>) -> Option<String> {
    let metric = study.judge?.name;
    if ["mean_ms", "p99_ms", "success_share"].contains(&metric) {
        return None;
    }
    let known = (study.sweep.iter()).filter(|row| row.metric == metric);
    let (least, most) = range(known.filter_map(|row| row.estimate))?;
    if least >= most {
        return None;
    }
    let name = called(metric).map_or_else(|| metric.replace('_', " "), str::to_owned);
    draw(study, metric, &name, &name)
}

/// The chart of a metric, by the name of its column; `axis` is what it is called.
fn draw(study: &Study<'_>, metric: &str, what: &str, axis: &str) -> Option<String> {
    let unit = Metric::named(metric)?.unit;
    let (factor, is_time) = (unit.scale(), unit == Unit::Milliseconds);
    if study.sweep_and.is_some() {
        return None;
    }
    let rows: Vec<&SweepRow> = (study.sweep.iter())
        .filter(|row| row.metric == metric && row.estimate.is_some())
        .collect();
    let value = |row: &SweepRow| row.estimate.unwrap_or_default() * factor;
    let half = |row: &SweepRow| row.half_width_95.unwrap_or(0.0) * factor;
    let (least, most) = range(rows.iter().map(|row| value(row)))?;
    let (first, last) = range(rows.iter().map(|row| row.at))?;
    if first >= last {
        return None;
    }
    let top = frame::title_height(study) + 8.0;
    let plot = Plot::of_lines(study.strategies, top, 520.0);
    let log = is_time && least > 0.0 && most > 8.0 * least;
    let y = if log {
        Scale::log(least, most, plot.bottom, plot.top)
    } else if is_time {
        Scale::from_zero(most, plot.bottom, plot.top)
    } else {
        Scale::linear(
            (least - 0.05 * (most - least)).max(0.0),
            most,
            plot.bottom,
            plot.top,
        )
    };
    let x = Scale::linear(first, last, plot.left, plot.right);
    let scale = if log { ", log scale" } else { "" };
    let axis = match unit.sign() {
        "" => axis.to_owned(),
        sign => format!("{axis} ({sign}{scale})"),
    };
    Some(Canvas::picture(WIDTH, plot.bottom + 72.0, |canvas| {
        frame::title(canvas, study, &format!("{what}; bands are 95% intervals"));
        frame::y_axis(canvas, plot, &y, &axis);
        let what = match (study.sweep_label, study.sweep_unit) {
            (label, "") => label.to_owned(),
            (label, unit) if says(label, unit) => label.to_owned(),
            (label, unit) => format!("{label} ({unit})"),
        };
        frame::x_axis(canvas, plot, &x, &what);
        let (mut ends, mut lines) = (Vec::new(), Vec::new());
        for series in study.strategies {
            let look = look(series.colour);
            let mut own: Vec<&&SweepRow> = rows
                .iter()
                .filter(|row| row.strategy == series.name)
                .collect();
            own.sort_by(|one, other| one.at.total_cmp(&other.at));
            let edge =
                |row: &&&SweepRow, sign: f64| (x.at(row.at), y.at(value(row) + sign * half(row)));
            let upper = own.iter().map(|row| edge(row, 1.0));
            let lower = own.iter().rev().map(|row| edge(row, -1.0));
            let band: Vec<(f64, f64)> = upper.chain(lower).collect();
            canvas.shape(&band, look.colour, 0.13);
            let points: Vec<(f64, f64)> = (own.iter())
                .map(|row| (x.at(row.at), y.at(value(row))))
                .collect();
            canvas.line(&points, look.colour, 1.0, 2.2, look.dash);
            for &point in &points {
                canvas.dot(point, 2.6, look.colour, 1.0);
            }
            if let Some(&(end_x, end_y)) = points.last() {
                ends.push((series, end_x, end_y));
            }
            lines.push(points);
        }
        frame::end_labels(canvas, plot, &ends, &lines);
    }))
}

/// Whether a label says a unit itself: `s` is no word of `services`.
fn says(label: &str, unit: &str) -> bool {
    if unit.chars().all(char::is_alphabetic) {
        let mut words = label.split(|c: char| !c.is_alphabetic());
        words.any(|word| word == unit)
    } else {
        label.contains(unit)
    }
}
