//! What is lost over the two values that matter most, as a heat map around what was found.

use super::super::Study;
use super::super::canvas::{Align, Canvas, Colour, Type};
use super::super::frame::{self, AXIS, EDGE, WIDTH};
use super::super::palette::{INK, heat};
use crate::report::tuning::rows::LandscapeRow;
use crate::tune::sensitivity::AXIS as FACTORS;

const ROW: f64 = 52.0;

/// Losses beyond this share have the last colour: what matters is near the best.
const MOST: f64 = 0.5;

pub(super) fn draw(study: &Study<'_>, rows: &[LandscapeRow]) -> Option<String> {
    let first = rows.first()?;
    let losses = || rows.iter().filter_map(|row| row.loss);
    let least = losses().fold(0.0, f64::min);
    let most = losses().fold(0.01, f64::max).min(MOST);
    // Small losses get more of the colours.
    let share = |loss: f64| ((loss - least) / (most - least)).clamp(0.0, 1.0).sqrt();
    let top = frame::title_height(study) + 12.0;
    let left = EDGE + 120.0;
    let count = FACTORS.len();
    let cell = (WIDTH - EDGE - left) / count as f64;
    let bottom = top + ROW * count as f64;
    Some(Canvas::picture(WIDTH, bottom + 76.0, |canvas| {
        let what = format!(
            "What is lost of {}, in %: the two values that matter most, multiplied; 1 is what was found",
            study.judge.map_or("", |judge| judge.name)
        );
        frame::title(canvas, study, &what);
        for (at, factor) in FACTORS.iter().enumerate() {
            let name = format!("× {factor}");
            canvas.text(
                &name,
                (left - 10.0, bottom - (at as f64 + 0.5) * ROW),
                Align::Right,
                AXIS,
            );
            canvas.text(
                &name,
                (left + (at as f64 + 0.5) * cell, bottom + 18.0),
                Align::Centre,
                AXIS,
            );
        }
        canvas.text(
            &first.value,
            ((left + WIDTH - EDGE) / 2.0, bottom + 48.0),
            Align::Centre,
            Type::bold(13.0, INK),
        );
        canvas.text_upwards(
            &first.and,
            (EDGE + 14.0, (top + bottom) / 2.0),
            Type::bold(13.0, INK),
        );
        let place = |factor: f64| FACTORS.iter().position(|&own| own == factor);
        for row in rows {
            let (Some(column), Some(line), Some(loss)) =
                (place(row.factor), place(row.and_factor), row.loss)
            else {
                continue;
            };
            let (x, y) = (
                left + column as f64 * cell,
                bottom - (line + 1) as f64 * ROW,
            );
            let colour = heat(share(loss));
            canvas.area(
                (x + 1.0, y + 1.0),
                (x + cell - 1.0, y + ROW - 1.0),
                colour,
                1.0,
            );
            let Colour(r, g, b) = colour;
            let is_dark =
                0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b) < 140.0;
            let ink = if is_dark { Colour(255, 255, 255) } else { INK };
            let percent = loss * 100.0;
            let text = if percent.abs() < 10.0 {
                format!("{percent:+.1}")
            } else {
                format!("{percent:+.0}")
            };
            let text = if row.factor == 1.0 && row.and_factor == 1.0 {
                "found".to_owned()
            } else {
                text
            };
            canvas.text(
                &text,
                (x + cell / 2.0, y + ROW / 2.0),
                Align::Centre,
                Type::new(13.0, ink),
            );
        }
    }))
}
