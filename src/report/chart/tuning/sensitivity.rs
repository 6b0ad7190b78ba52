//! What each value does: bars of what is lost when it is a little smaller or larger than what was
//! found.

use super::super::Study;
use super::super::canvas::{Align, Canvas, Type};
use super::super::frame::{self, EDGE, LABEL, Plot, WIDTH};
use super::super::palette::{INK, look};
use super::super::scale::Scale;
use super::{CURRENT, TUNED};
use crate::report::tuning::rows::SensitivityRow;
use crate::tune::sensitivity::FACTORS;

/// The factors that are shown: those next to 1.
const SMALLER: f64 = FACTORS[2];
const LARGER: f64 = FACTORS[3];

/// Bars of at most so many values.
const MOST: usize = 20;

pub(super) fn draw(study: &Study<'_>, rows: &[SensitivityRow]) -> Option<String> {
    let find = |value: &str, factor: f64| {
        let row = rows
            .iter()
            .find(|row| row.value == value && row.factor == factor)?;
        Some((row.loss? * 100.0, row.half_width_95.unwrap_or(0.0) * 100.0))
    };
    let mut values: Vec<&str> = rows.iter().map(|row| row.value.as_str()).collect();
    values.dedup();
    let matters = |value: &str| {
        let both = [find(value, SMALLER), find(value, LARGER)];
        both.into_iter()
            .flatten()
            .map(|(loss, _)| loss)
            .fold(f64::MIN, f64::max)
    };
    values.retain(|value| matters(value) > f64::MIN);
    values.sort_by(|one, other| matters(other).total_cmp(&matters(one)));
    values.truncate(MOST);
    if values.is_empty() {
        return None;
    }
    let ends: Vec<f64> = values
        .iter()
        .flat_map(|value| [find(value, SMALLER), find(value, LARGER)])
        .flatten()
        .flat_map(|(loss, half)| [loss - half, loss + half])
        .collect();
    let low = ends.iter().copied().fold(0.0, f64::min);
    let high = ends.iter().copied().fold(0.5, f64::max);
    let name = Type::bold(LABEL, INK);
    let widest = values
        .iter()
        .map(|value| name.width(value))
        .fold(0.0, f64::max)
        .min(280.0);
    let top = frame::title_height(study) + 34.0;
    let row_height = 44.0;
    let plot = Plot {
        left: EDGE + widest + 18.0,
        top,
        right: WIDTH - EDGE - 20.0,
        bottom: top + row_height * values.len() as f64,
    };
    let room = (high - low) * 0.03;
    let x = Scale::linear(low - room, high + room, plot.left, plot.right);
    Some(Canvas::picture(WIDTH, plot.bottom + 76.0, |canvas| {
        let what = format!(
            "What is lost of {} when one value strays from what was found; lines are 95% intervals",
            study.judge.map_or("", |judge| judge.name)
        );
        frame::title(canvas, study, &what);
        frame::x_axis(canvas, plot, &x, "Loss of the objective (%)");
        let sides = [
            (
                format!("multiplied by {SMALLER}"),
                SMALLER,
                look(CURRENT).colour,
                -9.0,
            ),
            (
                format!("multiplied by {LARGER}"),
                LARGER,
                look(TUNED).colour,
                9.0,
            ),
        ];
        let mut across = plot.left;
        for (text, _, colour, _) in &sides {
            canvas.area(
                (across, top - 25.0),
                (across + 14.0, top - 13.0),
                *colour,
                0.85,
            );
            canvas.text(
                text,
                (across + 20.0, top - 19.0),
                Align::Left,
                Type::new(LABEL, INK),
            );
            across += 40.0 + Type::new(LABEL, INK).width(text);
        }
        for (at, value) in values.iter().enumerate() {
            let middle = top + (at as f64 + 0.5) * row_height;
            canvas.text(
                &name.fit(value, widest),
                (plot.left - 12.0, middle),
                Align::Right,
                name,
            );
            for (_, factor, colour, shift) in &sides {
                let Some((loss, half)) = find(value, *factor) else {
                    continue;
                };
                let y = middle + shift;
                let (from, to) = (x.at(0.0).min(x.at(loss)), x.at(0.0).max(x.at(loss)));
                canvas.area(
                    (from, y - 7.0),
                    (to.max(from + 1.0), y + 7.0),
                    *colour,
                    0.85,
                );
                canvas.line(
                    &[(x.at(loss - half), y), (x.at(loss + half), y)],
                    INK,
                    0.9,
                    1.4,
                    None,
                );
            }
        }
        canvas.line(
            &[(x.at(0.0), plot.top), (x.at(0.0), plot.bottom)],
            INK,
            0.8,
            1.2,
            None,
        );
    }))
}
