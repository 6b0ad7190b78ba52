//! Who has kept the state of a session so far: a line a strategy over time.

use super::Study;
use super::canvas::Canvas;
use super::events::Marks;
use super::frame::{self, EDGE, Plot, WIDTH};
use super::palette::{Look, look};
use super::scale::Scale;
use crate::report::rows::TimelineRow;

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let rows = &study.rows.timeline;
    let all = |strategy: &str| {
        let mut rows = study.rows.sessions.iter();
        rows.find(|row| row.strategy == strategy)
            .map_or(0.0, |row| row.sessions)
    };
    let hurt = |row: &TimelineRow| row.sessions_hurt.unwrap_or(0.0);
    if rows.iter().all(|row| hurt(row) == 0.0) {
        return None;
    }
    let end = rows.iter().map(|row| row.to_s).fold(0.0, f64::max);
    let tall = 420.0;
    let plot = |top: f64| Plot {
        left: 104.0,
        top,
        right: WIDTH - EDGE - frame::widest(study.strategies, 260.0) - 18.0,
        bottom: top + tall,
    };
    let Plot { left, right, .. } = plot(0.0);
    let x = Scale::linear(0.0, end, left, right);
    let marks = Marks::of_lines(study);
    let names = marks.room(plot(0.0), &x, true);
    let plot = plot(frame::title_height(study) + names + 14.0);
    Some(Canvas::picture(WIDTH, plot.bottom + 72.0, |canvas| {
        frame::title(
            canvas,
            study,
            "Share of all sessions of the measured window that have not lost their state up to each moment",
        );
        let y = Scale::percent(100.0, plot.bottom, plot.top);
        frame::y_axis(canvas, plot, &y, "Sessions that have kept their state (%)");
        frame::x_axis(canvas, plot, &x, "Simulated time (s)");
        marks.draw(canvas, plot, &x, end, true);
        let (mut ends, mut lines) = (Vec::new(), Vec::new());
        for series in study.strategies {
            let whole = all(&series.name);
            if whole == 0.0 {
                continue;
            }
            let Look { colour, dash, .. } = look(series.colour);
            let mut kept = whole;
            let own = rows.iter().filter(|row| row.strategy == series.name);
            // Nothing is counted before the measured window.
            let own = own.filter(|row| row.to_s > study.warmup_s);
            let mut line = Vec::new();
            for row in own {
                if line.is_empty() {
                    line.push((x.at(row.from_s.max(study.warmup_s)), y.at(100.0)));
                }
                kept -= hurt(row);
                line.push((x.at(row.to_s), y.at(kept.max(0.0) / whole * 100.0)));
            }
            canvas.line(&line, colour, 0.95, 2.2, dash);
            ends.extend(line.last().map(|&(end_x, end_y)| (series, end_x, end_y)));
            lines.push(line);
        }
        frame::end_labels(canvas, plot, &ends, &lines);
    }))
}
