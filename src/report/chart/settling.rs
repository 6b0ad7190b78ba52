//! How the system settles, starting empty: the number of requests in it over time, and where the
//! warm-up ends.

use super::Study;
use super::canvas::{Align, Canvas};
use super::frame::{self, AXIS, Plot, WIDTH};
use super::palette::{INK, look};
use super::scale::{Scale, number};
use crate::report::rows::SettlingRow;

/// Values that share a point of a line: each by itself is noise.
const SMOOTH: usize = 5;

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let rows = &study.rows.settling;
    let end = rows.iter().map(|row| row.time_s).fold(0.0, f64::max);
    let settled = rows.iter().map(|row| row.settled_s).fold(0.0, f64::max);
    let most = rows.iter().map(|row| row.in_system).fold(0.0, f64::max);
    if rows.is_empty() || most <= 0.0 {
        return None;
    }
    let top = frame::title_height(study) + 8.0;
    let plot = Plot::of_lines(study.strategies, top, 440.0);
    let x = Scale::from_zero(end, plot.left, plot.right);
    let y = Scale::from_zero(most, plot.bottom, plot.top);
    Some(Canvas::picture(WIDTH, plot.bottom + 72.0, |canvas| {
        frame::title(
            canvas,
            study,
            "Requests in the system, starting empty, mean of 5 replications; the warm-up ends where the slowest has settled",
        );
        frame::y_axis(canvas, plot, &y, "Requests in the system");
        frame::x_axis(canvas, plot, &x, "Simulated time (s)");
        let (mut ends, mut lines) = (Vec::new(), Vec::new());
        for series in study.strategies {
            let look = look(series.colour);
            let own: Vec<&SettlingRow> = rows
                .iter()
                .filter(|row| row.strategy == series.name)
                .collect();
            let mean = |part: &[&SettlingRow]| {
                part.iter().map(|row| row.in_system).sum::<f64>() / part.len() as f64
            };
            let points: Vec<(f64, f64)> = own
                .chunks(SMOOTH)
                .map(|part| (x.at(part[part.len() - 1].time_s), y.at(mean(part))))
                .collect();
            canvas.line(&points, look.colour, 0.9, 1.4, look.dash);
            if let Some(&(end_x, end_y)) = points.last() {
                ends.push((series, end_x, end_y));
            }
            lines.push(points);
        }
        let edge = x.at(settled);
        canvas.line(
            &[(edge, plot.top), (edge, plot.bottom)],
            INK,
            0.9,
            1.4,
            Some((5.0, 4.0)),
        );
        canvas.text(
            &format!("warm-up: {} s", number(settled, 0.001)),
            (edge + 8.0, plot.top + 12.0),
            Align::Left,
            AXIS,
        );
        frame::end_labels(canvas, plot, &ends, &lines);
    }))
}
