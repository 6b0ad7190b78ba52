//! Estimates with their intervals: a panel a metric, a row a strategy.

use super::Study;
use super::canvas::{Align, Canvas, Type};
use super::frame::{self, EDGE, Plot, WIDTH};
use super::palette::{INK, look};
use super::scale::{Scale, range};
use crate::experiment::{Metric, Unit};
use crate::requirement::Measure;

/// Metrics by the names of their columns, and what they are called.
const PANELS: [(&str, &str); 5] = [
    ("mean_ms", "Mean"),
    ("p50_ms", "Median"),
    ("p99_ms", "p99"),
    ("p999_ms", "p99.9"),
    ("success_share", "Success"),
];

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let find = |strategy: &str, metric: &str| {
        let row = study
            .rows
            .summary
            .iter()
            .find(|row| row.strategy == strategy && row.metric == metric)?;
        Some((row.estimate?, row.half_width_95.unwrap_or(0.0)))
    };
    let usual = PANELS.iter();
    let usual =
        usual.filter_map(|&(metric, title)| Some((Metric::named(metric)?, title.to_owned())));
    // What decides is among them in any case.
    let judge = study.judge.filter(|judge| {
        let mut usual = PANELS.iter();
        usual.all(|(name, _)| *name != judge.name)
    });
    let judged = judge.map(|judge| (judge, in_words(judge)));
    let panels: Vec<(&Metric, String)> = judged
        .into_iter()
        .chain(usual)
        .filter(|(metric, _)| {
            let mut strategies = study.strategies.iter();
            strategies.any(|series| find(&series.name, metric.name).is_some())
        })
        .collect();
    if panels.is_empty() {
        return None;
    }
    let top = frame::title_height(study) + 34.0;
    let row_height = 34.0;
    let bottom = top + row_height * study.strategies.len() as f64;
    let left = EDGE + frame::widest(study.strategies, 260.0) + 18.0;
    let gap = 34.0;
    let wide = (WIDTH - EDGE - left - gap * (panels.len() - 1) as f64) / panels.len() as f64;
    let limited = panels.iter().any(|(metric, _)| {
        let mut strategies = study.strategies.iter();
        strategies.any(|series| !limits(study, &series.name, metric).is_empty())
    });
    let what = format!(
        "Response time of succeeded requests, and success rate; bars are 95% intervals{}",
        if limited {
            ", dashes what is required"
        } else {
            ""
        }
    );
    Some(Canvas::picture(WIDTH, bottom + 50.0, |canvas| {
        frame::title(canvas, study, &what);
        for (at, series) in study.strategies.iter().enumerate() {
            let y = top + (at as f64 + 0.5) * row_height;
            let name = Type::bold(frame::LABEL, look(series.colour).ink);
            canvas.text(
                &name.fit(&series.name, left - EDGE - 16.0),
                (left - 16.0, y),
                Align::Right,
                name,
            );
        }
        for (number, (own, title)) in panels.iter().enumerate() {
            let (unit, metric) = (own.unit, own.name);
            let title = match unit.sign() {
                "" => title.clone(),
                sign => format!("{title} ({sign})"),
            };
            // Times of a wide range are seen by factors.
            let (factor, factors) = (unit.scale(), unit == Unit::Milliseconds);
            let x0 = left + number as f64 * (wide + gap);
            let plot = Plot {
                left: x0,
                top,
                right: x0 + wide,
                bottom,
            };
            let values: Vec<(f64, f64)> = study
                .strategies
                .iter()
                .filter_map(|series| find(&series.name, metric))
                .map(|(estimate, half)| (estimate * factor, half * factor))
                .collect();
            let (low, high) =
                range(values.iter().flat_map(|(e, h)| [e - h, e + h])).unwrap_or_default();
            let (least, _) = range(values.iter().map(|(e, _)| *e)).unwrap_or_default();
            let log = factors && high > 8.0 * least && least > 0.0;
            let scale = if log {
                Scale::log(
                    if low > 0.0 { low } else { least * 0.5 },
                    high,
                    plot.left,
                    plot.right,
                )
            } else if metric != "success_share" {
                Scale::from_zero(high, plot.left, plot.right)
            } else {
                // Success rates are close to 100%: what is missing is what matters.
                let room = ((100.0 - low) * 0.15).max(0.05);
                Scale::linear((low - room).max(0.0), 100.0, plot.left, plot.right)
            };
            frame::x_grid(canvas, plot, &scale);
            let heading = if log {
                format!("{title}, log scale")
            } else {
                title
            };
            let bold = Type::bold(13.5, INK);
            canvas.text(
                &bold.fit(&heading, wide + gap - 6.0),
                (x0, top - 16.0),
                Align::Left,
                bold,
            );
            for (at, series) in study.strategies.iter().enumerate() {
                let Some((estimate, half)) = find(&series.name, metric) else {
                    continue;
                };
                let (estimate, half) = (estimate * factor, half * factor);
                let y = top + (at as f64 + 0.5) * row_height;
                let lowest = if log { least * 0.5 } else { 0.0 };
                let ends = [(estimate - half).max(lowest), estimate, estimate + half];
                frame::interval(
                    canvas,
                    y,
                    ends.map(|end| scale.at(end)),
                    look(series.colour),
                );
                for limit in limits(study, &series.name, own) {
                    // What is required is often far from what is measured.
                    if scale.holds(limit * factor) {
                        let x = scale.at(limit * factor);
                        let line = [(x, y - 14.0), (x, y + 14.0)];
                        canvas.line(&line, INK, 0.9, 1.6, Some((4.0, 3.0)));
                    }
                }
            }
        }
    }))
}

/// What a metric is called in words: `p50_ms` is "Median", `sessions_hurt_share` "Sessions hurt".
pub(super) fn in_words(metric: &Metric) -> String {
    if let Some((_, title)) = PANELS.iter().find(|(name, _)| *name == metric.name) {
        return (*title).to_owned();
    }
    let endings = ["_ms", "_share", "_rps", "_s"];
    let plain = endings
        .iter()
        .find_map(|ending| metric.name.strip_suffix(ending));
    let plain = plain.unwrap_or(metric.name).replace('_', " ");
    let mut letters = plain.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// The values that a metric of a strategy is required to be below or above.
fn limits(study: &Study<'_>, strategy: &str, metric: &Metric) -> Vec<f64> {
    let column = |name: &str| match Measure::named(name)? {
        Measure::Percentile(percentile) => Some(Metric::percentile(percentile).name),
        Measure::Metric(own) => (!own.is_rest).then_some(own.column),
    };
    let summary = study.rows.summary.iter();
    let of_all = summary
        .filter(|row| row.strategy == strategy && row.metric == metric.name)
        .find_map(|row| row.estimate);
    let required = study.rows.requirements.iter().filter(|row| {
        let is_value = row.against.is_none();
        // What is required of some of the requests has another estimate.
        let is_of_all = row.estimate.is_some() && row.estimate == of_all;
        row.strategy == strategy
            && is_value
            && is_of_all
            && column(&row.metric) == Some(metric.name)
    });
    required.filter_map(|row| row.limit).collect()
}
