//! A metric against the value that is swept: the hockey stick of a load curve. Bands are 95%
//! intervals.

use super::canvas::{Align, Canvas, Type};
use super::frame::{self, LABEL, Plot, WIDTH};
use super::palette::{INK, look};
use super::scale::{Scale, range};
use super::tradeoff::called;
use super::{Study, SweepRow};
use crate::experiment::{Metric, Unit};

pub(super) fn mean(study: &Study<'_>) -> Option<String> {
    of_metric(
        study,
        "mean_ms",
        "Mean response time of succeeded requests",
        "Mean",
    )
}

pub(super) fn p99(study: &Study<'_>) -> Option<String> {
    of_metric(
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
    of_metric(study, metric, "Requests that succeeded", "Succeeded")
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
    of_metric(study, metric, &name, &name)
}

/// The chart of a metric, by the name of its column; `axis` is what it is called.
fn of_metric(study: &Study<'_>, metric: &str, what: &str, axis: &str) -> Option<String> {
    draw(
        study,
        &Curve {
            metric,
            unit: Metric::named(metric)?.unit,
            what: &format!("{what}; bands are 95% intervals"),
            axis,
            limit: None,
            is_whole: false,
        },
    )
}

/// What is drawn against what is swept.
pub(super) struct Curve<'a> {
    /// The rows: those of this metric.
    pub(super) metric: &'a str,
    /// In what it is counted.
    pub(super) unit: Unit,
    /// What is shown, in the subtitle.
    pub(super) what: &'a str,
    /// What it is called at its axis.
    pub(super) axis: &'a str,
    /// A limit that is drawn as a line, and its name.
    pub(super) limit: Option<(f64, &'a str)>,
    /// Whether there is nothing between whole numbers on the axis of what is swept.
    pub(super) is_whole: bool,
}

/// A curve of each strategy, with its band.
pub(super) fn draw(study: &Study<'_>, curve: &Curve<'_>) -> Option<String> {
    let &Curve {
        metric, unit, axis, ..
    } = curve;
    let (factor, is_time) = (unit.scale(), unit == Unit::Milliseconds);
    if study.sweep_and.is_some() {
        return None;
    }
    let limit = curve.limit.map(|(limit, name)| (limit * factor, name));
    let rows: Vec<&SweepRow> = (study.sweep.iter())
        .filter(|row| row.metric == metric && row.estimate.is_some())
        .collect();
    let value = |row: &SweepRow| row.estimate.unwrap_or_default() * factor;
    let half = |row: &SweepRow| row.half_width_95.unwrap_or(0.0) * factor;
    let limits = || limit.map(|(limit, _)| limit);
    let (least, _) = range(rows.iter().map(|row| value(row)).chain(limits()))?;
    // Bands are drawn whole, but for what no value can be.
    let ends = |row: &&SweepRow| [value(row) - half(row), value(row) + half(row)];
    let (low, most) = range(rows.iter().flat_map(ends).chain(limits()))?;
    let most = if unit == Unit::Share {
        most.min(factor)
    } else {
        most
    };
    let (first, last) = range(rows.iter().map(|row| row.at))?;
    if first >= last {
        return None;
    }
    let top = frame::title_height(study) + 8.0;
    let plot = Plot::of_lines(study.strategies, top, 520.0);
    let log = is_time && least > 0.0 && most > 8.0 * least;
    let y = if log {
        Scale::log(low.max(0.5 * least), most, plot.bottom, plot.top)
    } else if is_time {
        Scale::from_zero(most, plot.bottom, plot.top)
    } else {
        Scale::linear(
            (low - 0.05 * (most - low)).max(0.0),
            most,
            plot.bottom,
            plot.top,
        )
    };
    let x = Scale::linear(first, last, plot.left, plot.right);
    let scale = if log { ", log scale" } else { "" };
    let axis = match unit.sign() {
        "" => format!("{axis}{scale}"),
        sign => format!("{axis} ({sign}{scale})"),
    };
    Some(Canvas::picture(WIDTH, plot.bottom + 72.0, |canvas| {
        frame::title(canvas, study, curve.what);
        frame::y_axis(canvas, plot, &y, &axis);
        let what = match (study.sweep_label, study.sweep_unit) {
            (label, "") => label.to_owned(),
            (label, unit) if says(label, unit) => label.to_owned(),
            (label, unit) => format!("{label} ({unit})"),
        };
        if curve.is_whole {
            frame::x_axis_of_whole(canvas, plot, &x, &what);
        } else {
            frame::x_axis(canvas, plot, &x, &what);
        }
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
        if let Some((limit, name)) = limit {
            let height = y.at(limit);
            let ends = [(plot.left, height), (plot.right, height)];
            canvas.line(&ends, INK, 0.9, 1.6, Some((5.0, 4.0)));
            let at = (plot.right - 6.0, height - 11.0);
            canvas.text(name, at, Align::Right, Type::bold(LABEL, INK));
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
