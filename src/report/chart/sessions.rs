//! Sessions that lost their state, by the cause of the first loss: a bar a strategy.

use super::Study;
use super::canvas::{Align, Canvas, Colour, Type};
use super::frame::{self, EDGE, Plot, WIDTH};
use super::palette::{INK, MUTED, look};
use super::scale::{Scale, number};

/// The causes, what they mean, and their colours: apart from each other in lightness too.
const CAUSES: [(&str, &str, Colour); 3] = [
    (
        "crash",
        "the state died with its server",
        Colour(0x88, 0x22, 0x55),
    ),
    (
        "moved",
        "a request went to another server",
        Colour(0x33, 0x88, 0xbb),
    ),
    (
        "unreachable",
        "the server was out of the pool",
        Colour(0xdd, 0xcc, 0x77),
    ),
];

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let share = |strategy: &str, cause: &str| {
        let row = study
            .rows
            .sessions
            .iter()
            .find(|row| row.strategy == strategy && row.cause == cause);
        row.and_then(|row| row.hurt_share).unwrap_or(0.0) * 100.0
    };
    let total = |strategy: &str| {
        CAUSES
            .iter()
            .map(|(cause, ..)| share(strategy, cause))
            .sum::<f64>()
    };
    if study.rows.sessions.is_empty() {
        return None;
    }
    let high = study
        .strategies
        .iter()
        .map(|series| total(&series.name))
        .fold(0.0, f64::max);
    let top = frame::title_height(study) + 46.0;
    let row_height = 40.0;
    let left = EDGE + frame::widest(study.strategies, 300.0) + 16.0;
    let bottom = top + row_height * study.strategies.len() as f64;
    let plot = Plot {
        left,
        top,
        right: WIDTH - EDGE - 190.0,
        bottom,
    };
    let x = Scale::percent(high, plot.left, plot.right);
    Some(Canvas::picture(WIDTH, bottom + 76.0, |canvas| {
        frame::title(
            canvas,
            study,
            "Sessions that lost their state, by the cause of their first loss, as a share of all in the measured window",
        );
        let mut at = EDGE;
        let plain = Type::new(13.0, MUTED);
        for (cause, meaning, colour) in CAUSES {
            canvas.area((at, top - 32.0), (at + 14.0, top - 18.0), colour, 1.0);
            let text = format!("{cause}: {meaning}");
            canvas.text(&text, (at + 20.0, top - 25.0), Align::Left, plain);
            at += 20.0 + plain.width(&text) + 26.0;
        }
        frame::x_axis(canvas, plot, &x, "Share of sessions (%)");
        for (at, series) in study.strategies.iter().enumerate() {
            let y = top + (at as f64 + 0.5) * row_height;
            let name = Type::bold(frame::LABEL, look(series.colour).ink);
            canvas.text(
                &name.fit(&series.name, left - EDGE - 12.0),
                (left - 12.0, y),
                Align::Right,
                name,
            );
            let mut from = 0.0;
            for (cause, _, colour) in CAUSES {
                let part = share(&series.name, cause);
                if part > 0.0 {
                    canvas.area(
                        (x.at(from), y - 12.0),
                        (x.at(from + part), y + 12.0),
                        colour,
                        1.0,
                    );
                    from += part;
                }
            }
            let text = said(study, &series.name);
            canvas.text(
                &text,
                (x.at(from) + 10.0, y),
                Align::Left,
                Type::new(13.0, INK),
            );
        }
    }))
}

/// The share of sessions that lost their state, and how often any did.
fn said(study: &Study<'_>, strategy: &str) -> String {
    let known = |metric: &str| {
        let mut rows = study.rows.summary.iter();
        rows.find(|row| row.strategy == strategy && row.metric == metric)?
            .estimate
    };
    // Fine where there is little, but none is none.
    let share = known("sessions_hurt_share").map_or("–".to_owned(), |share| {
        let step = match share * 100.0 {
            0.0 => 1.0,
            share if share < 1.0 => 0.01,
            _ => 0.1,
        };
        number(share * 100.0, step)
    });
    let lost = known("sessions_lost").map_or("–".to_owned(), |lost| {
        let step = if lost > 0.0 && lost < 10.0 { 0.1 } else { 1.0 };
        number(lost, step)
    });
    format!("{share}% ({lost} losses)")
}
