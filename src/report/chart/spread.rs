//! How evenly a strategy loads its servers: a dot a server, a row a strategy.

use super::Study;
use super::canvas::{Align, Canvas, Type};
use super::frame::{self, AXIS, EDGE, Plot, WIDTH};
use super::palette::{INK, look};
use super::scale::{Scale, number};

/// Beyond this many servers, dots would be a smear: the middle half is a bar.
const DOTS: usize = 60;

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let high = study
        .rows
        .servers
        .iter()
        .filter_map(|row| row.utilization)
        .fold(0.0, f64::max);
    if study
        .rows
        .servers
        .iter()
        .all(|row| row.utilization.is_none())
    {
        return None;
    }
    let top = frame::title_height(study) + 10.0;
    let row_height = 38.0;
    let left = EDGE + frame::widest(study.strategies, 300.0) + 16.0;
    let bottom = top + row_height * study.strategies.len() as f64;
    let plot = Plot {
        left,
        top,
        right: WIDTH - EDGE - 150.0,
        bottom,
    };
    let x = Scale::percent((high * 100.0).max(10.0), plot.left, plot.right);
    Some(Canvas::picture(WIDTH, bottom + 76.0, |canvas| {
        frame::title(
            canvas,
            study,
            "Utilization of each server, mean over replications",
        );
        frame::x_axis(canvas, plot, &x, "Share of slot time in use (%)");
        canvas.text(
            "lowest – highest",
            (WIDTH - EDGE, top - 8.0),
            Align::Right,
            AXIS,
        );
        for (at, series) in study.strategies.iter().enumerate() {
            let look = look(series.colour);
            let y = top + (at as f64 + 0.5) * row_height;
            let name = Type::bold(frame::LABEL, look.ink);
            canvas.text(
                &name.fit(&series.name, left - EDGE - 12.0),
                (left - 12.0, y),
                Align::Right,
                name,
            );
            let mut values: Vec<f64> = study
                .rows
                .servers
                .iter()
                .filter(|row| row.strategy == series.name)
                .filter_map(|row| Some(row.utilization? * 100.0))
                .collect();
            values.sort_by(f64::total_cmp);
            let (Some(&least), Some(&most)) = (values.first(), values.last()) else {
                continue;
            };
            canvas.line(
                &[(x.at(least), y), (x.at(most), y)],
                look.colour,
                0.45,
                2.0,
                None,
            );
            if values.len() <= DOTS {
                for &value in &values {
                    canvas.dot((x.at(value), y), 5.5, look.colour, 0.65);
                }
            } else {
                let quartile = |q: f64| x.at(values[((values.len() - 1) as f64 * q) as usize]);
                canvas.area(
                    (quartile(0.25), y - 8.0),
                    (quartile(0.75), y + 8.0),
                    look.colour,
                    0.75,
                );
                for end in [least, most] {
                    canvas.line(
                        &[(x.at(end), y - 8.0), (x.at(end), y + 8.0)],
                        look.colour,
                        1.0,
                        2.0,
                        None,
                    );
                }
                let middle = quartile(0.5);
                canvas.line(
                    &[(middle, y - 10.0), (middle, y + 10.0)],
                    INK,
                    1.0,
                    2.0,
                    None,
                );
            }
            let range = format!("{} – {}%", number(least, 0.1), number(most, 0.1));
            canvas.text(
                &range,
                (WIDTH - EDGE, y),
                Align::Right,
                Type::new(13.0, INK),
            );
        }
    }))
}
