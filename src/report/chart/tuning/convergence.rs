//! How the search came along: each candidate a dot, the best so far a line.

use super::super::Study;
use super::super::canvas::{Align, Canvas, Type};
use super::super::frame::{self, EDGE, LABEL, Plot, WIDTH};
use super::super::palette::{INK, MUTED, look};
use super::super::scale::{Scale, range};
use super::{CAPACITY, CURRENT, TUNED};
use crate::report::tuning::rows::SearchRow;

/// The starts, each with its colour.
const STARTS: [(&str, usize); 3] = [
    ("current", CURRENT),
    ("capacity", CAPACITY),
    ("square-root", 2),
];

pub(super) fn draw(study: &Study<'_>, rows: &[SearchRow]) -> Option<String> {
    let current = rows.iter().find(|row| row.from == "current")?.loss;
    let value = |loss: f64| (loss / current.abs() - current.signum()) * 100.0;
    let (best, _) = range(rows.iter().map(|row| value(row.best)))?;
    // What is far worse stands at the edge: the search is about what is near the best.
    let usual = rows.iter().map(|row| value(row.loss));
    let worst = usual.fold(0.0, f64::max).min((-best).max(5.0) * 1.5);
    let span = (worst - best).max(0.5);
    let top = frame::title_height(study) + 8.0;
    let plot = Plot {
        left: 104.0,
        top,
        right: WIDTH - EDGE - 130.0,
        bottom: top + 440.0,
    };
    let x = Scale::linear(0.0, rows.len() as f64 + 1.0, plot.left, plot.right);
    let y = Scale::linear(
        best - 0.06 * span,
        worst + 0.06 * span,
        plot.bottom,
        plot.top,
    );
    Some(Canvas::picture(WIDTH, plot.bottom + 72.0, |canvas| {
        let what = format!(
            "{} of each candidate against the current configuration, on the search's own requests; at the upper edge: worse, or a constraint is broken",
            study.judge.map_or("", |judge| judge.name)
        );
        frame::title(canvas, study, &what);
        frame::y_axis(
            canvas,
            plot,
            &y,
            "Difference to the current configuration (%)",
        );
        frame::x_axis(canvas, plot, &x, "Candidate");
        canvas.line(
            &[(plot.left, y.at(0.0)), (plot.right, y.at(0.0))],
            MUTED,
            1.0,
            1.2,
            Some((5.0, 4.0)),
        );
        let at = |row: &SearchRow, loss: f64| {
            (
                x.at(row.evaluation as f64),
                y.at(value(loss).min(worst + 0.06 * span)),
            )
        };
        for row in rows.iter().filter(|row| row.from == "search") {
            let whole = row.parts >= 3;
            canvas.dot(
                at(row, row.loss),
                3.5,
                look(7).colour,
                if whole { 0.8 } else { 0.35 },
            );
        }
        let mut line: Vec<(f64, f64)> = Vec::new();
        for row in rows {
            let (across, height) = at(row, row.best);
            if let Some(&(_, before)) = line.last() {
                line.push((across, before));
            }
            line.push((across, height));
        }
        canvas.line(&line, look(TUNED).colour, 1.0, 2.2, None);
        for (name, colour) in STARTS {
            for row in rows.iter().filter(|row| row.from == name) {
                canvas.dot(at(row, row.loss), 6.0, look(colour).colour, 1.0);
            }
        }
        // The legend.
        let entries = STARTS
            .iter()
            .map(|&(name, colour)| (name, look(colour).colour, 6.0, 1.0));
        let entries = entries.filter(|(name, ..)| rows.iter().any(|row| row.from == *name));
        let entries = entries.chain([
            ("candidate", look(7).colour, 3.5, 0.8),
            ("dropped early", look(7).colour, 3.5, 0.35),
        ]);
        let mut height = plot.top + 10.0;
        for (name, colour, radius, alpha) in entries {
            canvas.dot((plot.right + 22.0, height), radius, colour, alpha);
            canvas.text(
                name,
                (plot.right + 34.0, height),
                Align::Left,
                Type::new(LABEL, INK),
            );
            height += 24.0;
        }
        canvas.line(
            &[(plot.right + 14.0, height), (plot.right + 30.0, height)],
            look(TUNED).colour,
            1.0,
            2.2,
            None,
        );
        canvas.text(
            "best so far",
            (plot.right + 34.0, height),
            Align::Left,
            Type::new(LABEL, INK),
        );
    }))
}
