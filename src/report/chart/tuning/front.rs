//! A front: one metric against the other.

use super::super::Study;
use super::super::canvas::{Align, Canvas, Type};
use super::super::frame::{self, EDGE, LABEL, Plot, WIDTH};
use super::super::palette::look;
use super::super::scale::{Scale, range};
use super::{CURRENT, TUNED};
use crate::report::tuning::rows::FrontRow;

pub(super) fn draw(study: &Study<'_>, rows: &[FrontRow]) -> Option<String> {
    let first = rows.first()?;
    let all = || {
        rows.iter()
            .map(|row| (row.mean, row.and_mean))
            .chain([(first.current, first.and_current)])
    };
    let ends = |of: fn((f64, f64)) -> f64| {
        let (low, high) = range(all().map(of))?;
        let room = ((high - low) * 0.08).max(high.abs() * 1e-3);
        Some((low - room, high + room))
    };
    let top = frame::title_height(study) + 8.0;
    let plot = Plot {
        left: 110.0,
        top,
        right: WIDTH - EDGE - 60.0,
        bottom: top + 480.0,
    };
    let (x, y) = (ends(|own| own.0)?, ends(|own| own.1)?);
    let x = Scale::linear(x.0, x.1, plot.left, plot.right);
    let y = Scale::linear(y.0, y.1, plot.bottom, plot.top);
    Some(Canvas::picture(WIDTH, plot.bottom + 72.0, |canvas| {
        frame::title(
            canvas,
            study,
            "The front: none of these configurations is better than another in both metrics",
        );
        frame::y_axis(canvas, plot, &y, &first.and);
        frame::x_axis(canvas, plot, &x, &first.metric);
        let points: Vec<(f64, f64)> = rows
            .iter()
            .map(|row| (x.at(row.mean), y.at(row.and_mean)))
            .collect();
        canvas.line(&points, look(TUNED).colour, 0.5, 1.6, None);
        for &point in &points {
            canvas.dot(point, 6.0, look(TUNED).colour, 1.0);
        }
        let now = (x.at(first.current), y.at(first.and_current));
        canvas.dot(now, 6.0, look(CURRENT).colour, 1.0);
        let ink = Type::bold(LABEL, look(CURRENT).ink);
        let is_right = now.0 > (plot.left + plot.right) / 2.0;
        let (shift, align) = if is_right {
            (-12.0, Align::Right)
        } else {
            (12.0, Align::Left)
        };
        canvas.text("current", (now.0 + shift, now.1), align, ink);
    }))
}
