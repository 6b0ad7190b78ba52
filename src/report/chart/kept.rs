//! Who has kept the state of a session so far: a line a strategy over time.

use super::Study;
use super::canvas::Canvas;
use super::events::Marks;
use super::frame::{self, Plot, WIDTH};
use super::palette::{Look, look};
use super::scale::Scale;

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let rows = &study.rows.timeline;
    let least = (rows.iter().filter_map(|row| row.sessions_kept_share)).fold(1.0, f64::min);
    if least >= 1.0 {
        return None;
    }
    let end = rows.iter().map(|row| row.to_s).fold(0.0, f64::max);
    let tall = 420.0;
    let plot = |top: f64| Plot::of_lines(study.strategies, top, tall);
    let Plot { left, right, .. } = plot(0.0);
    let x = Scale::linear(0.0, end, left, right);
    let marks = Marks::of_lines(study);
    let names = marks.room(plot(0.0), &x, true);
    let plot = plot(frame::title_height(study) + names + 14.0);
    Some(Canvas::picture(WIDTH, plot.bottom + 72.0, |canvas| {
        frame::title(
            canvas,
            study,
            "Of the sessions that were on when it began to happen: the share that has not lost its state so far",
        );
        // What is lost is to be seen: where that is little, the axis does not begin at nothing.
        let low = if least > 0.6 {
            (least * 10.0 - 1.0).floor().max(0.0) * 10.0
        } else {
            0.0
        };
        let y = Scale::linear(low, 100.0, plot.bottom, plot.top);
        frame::y_axis(canvas, plot, &y, "Sessions that have kept their state (%)");
        frame::x_axis(canvas, plot, &x, "Simulated time (s)");
        marks.draw(canvas, plot, &x, end, true);
        let (mut ends, mut lines) = (Vec::new(), Vec::new());
        for series in study.strategies {
            let Look { colour, dash, .. } = look(series.colour);
            let own = rows.iter().filter(|row| row.strategy == series.name);
            let mut line: Vec<(f64, f64)> = Vec::new();
            for row in own {
                let Some(kept) = row.sessions_kept_share else {
                    continue;
                };
                if line.is_empty() {
                    line.push((x.at(row.from_s), y.at(100.0)));
                }
                line.push((x.at(row.to_s), y.at(kept * 100.0)));
            }
            canvas.line(&line, colour, 0.95, 2.2, dash);
            ends.extend(line.last().map(|&(end_x, end_y)| (series, end_x, end_y)));
            lines.push(line);
        }
        frame::end_labels(canvas, plot, &ends, &lines);
    }))
}
