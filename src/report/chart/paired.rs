//! The verdict, drawn: by how much each strategy differs from the baseline in the metric that
//! decides.

use super::canvas::{Align, Canvas, Type};
use super::frame::{self, AXIS, EDGE, Plot, WIDTH};
use super::palette::{INK, MUTED, PAPER, look};
use super::scale::{Scale, range};
use super::summary::in_words;
use super::{Series, Study};
use crate::experiment::{Better, Metric, Unit};
use crate::figures::with_half_width;
use crate::report::rows::PairedRow;

/// Height of a row.
const ROW: f64 = 38.0;
/// Room for what is said of each.
const SAID: f64 = 270.0;

/// One comparison.
struct Versus<'s> {
    series: &'s Series,
    row: &'s PairedRow,
    difference: f64,
    half_width: f64,
}

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let metric = study.judge?;
    let of = |series: &str| {
        let mut rows = study.rows.paired.iter();
        let row = rows.find(|row| row.strategy == series && row.metric == metric.name)?;
        Some((row, row.difference?, row.half_width_95?))
    };
    let scale = metric.unit.scale();
    let compared: Vec<Versus<'_>> = (study.strategies.iter())
        .filter_map(|series| {
            let (row, difference, half_width) = of(&series.name)?;
            Some(Versus {
                series,
                row,
                difference: difference * scale,
                half_width: half_width * scale,
            })
        })
        .collect();
    let baseline = compared.first()?.row.baseline.as_str();
    let ends = |one: &Versus<'_>| {
        [
            one.difference - one.half_width,
            one.difference + one.half_width,
        ]
    };
    let (low, high) = range(compared.iter().flat_map(ends).chain([0.0]))?;
    let room = 0.06 * (high - low).max(f64::MIN_POSITIVE);
    let named: Vec<Series> = compared.iter().map(|one| one.series.clone()).collect();
    let top = frame::title_height(study) + 34.0;
    let plot = Plot {
        left: EDGE + frame::widest(&named, 300.0) + 16.0,
        top,
        right: WIDTH - EDGE - SAID,
        bottom: top + ROW * compared.len() as f64,
    };
    let x = Scale::linear(low - room, high + room, plot.left, plot.right);
    Some(Canvas::picture(WIDTH, plot.bottom + 76.0, |canvas| {
        let what = format!(
            "{}, less that of {baseline}: paired differences with 95% intervals, filled where shown",
            in_words(metric)
        );
        frame::title(canvas, study, &what);
        let unit = match metric.unit {
            Unit::Share => " (percentage points)".to_owned(),
            unit if unit.sign().is_empty() => String::new(),
            unit => format!(" ({})", unit.sign()),
        };
        frame::x_axis(canvas, plot, &x, &format!("Difference{unit}"));
        sides(canvas, metric, plot, x.at(0.0));
        for (at, one) in compared.iter().enumerate() {
            let y = top + (at as f64 + 0.5) * ROW;
            let look = look(one.series.colour);
            let name = Type::bold(frame::LABEL, look.ink);
            let text = name.fit(&one.series.name, plot.left - EDGE - 12.0);
            canvas.text(&text, (plot.left - 12.0, y), Align::Right, name);
            let [from, to] = ends(one);
            let places = [from, one.difference, to].map(|value| x.at(value));
            frame::interval(canvas, y, places, look);
            if !matches!(one.row.verdict.as_str(), "better" | "worse" | "different") {
                canvas.dot((places[1], y), 3.0, PAPER, 1.0);
            }
            let said = AXIS.fit(&said(metric, one), SAID - 20.0);
            canvas.text(&said, (plot.right + 20.0, y), Align::Left, AXIS);
        }
    }))
}

/// Where there is no difference, and on which side it is better.
fn sides(canvas: &Canvas<'_>, metric: &Metric, plot: Plot, zero: f64) {
    canvas.line(
        &[(zero, plot.top - 6.0), (zero, plot.bottom)],
        INK,
        0.8,
        1.4,
        None,
    );
    let (left, right) = match metric.better {
        Better::Less => ("better", "worse"),
        Better::More => ("worse", "better"),
        Better::Neither => ("less", "more"),
    };
    let small = Type::new(12.0, MUTED);
    let y = plot.top - 14.0;
    if zero - plot.left > small.width(left) + 30.0 {
        canvas.text(&format!("← {left}"), (zero - 8.0, y), Align::Right, small);
    }
    if plot.right - zero > small.width(right) + 30.0 {
        canvas.text(&format!("{right} →"), (zero + 8.0, y), Align::Left, small);
    }
}

/// The difference in figures, and the verdict.
fn said(metric: &Metric, one: &Versus<'_>) -> String {
    let figure = with_half_width(one.difference, Some(one.half_width));
    let figure = match metric.unit {
        Unit::Share => format!("{figure} points"),
        unit => unit.with_sign(&figure),
    };
    let plus = if one.difference > 0.0 { "+" } else { "" };
    match one.row.verdict.as_str() {
        "" => format!("{plus}{figure}"),
        verdict => format!("{plus}{figure}, {verdict}"),
    }
}
