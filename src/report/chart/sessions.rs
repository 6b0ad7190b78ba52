//! Sessions that lost their state, by the cause of the first loss: a bar a strategy.

use super::Study;
use super::canvas::{Align, Canvas, Colour, Type};
use super::frame::{self, EDGE, Plot, WIDTH};
use super::palette::{INK, MUTED, look};
use super::scale::{Scale, number};
use crate::observe::Loss;

/// The causes, what they mean, and their colours: neighbours are apart in lightness too.
const CAUSES: [(Loss, &str, Colour); Loss::COUNT] = [
    (
        Loss::Crash,
        "the state died with its server",
        Colour(0x88, 0x22, 0x55),
    ),
    (
        Loss::Moved,
        "a request went to another server",
        Colour(0x33, 0x88, 0xbb),
    ),
    (
        Loss::Unreachable,
        "the server was thought to be down",
        Colour(0xdd, 0xcc, 0x77),
    ),
    (
        Loss::ScaleIn,
        "the server left the pool",
        Colour(0x11, 0x77, 0x33),
    ),
    (
        Loss::Drained,
        "drained, and not for long enough",
        Colour(0xcc, 0x66, 0x77),
    ),
    (Loss::Evicted, "no room", Colour(0x33, 0x22, 0x88)),
    (
        Loss::Expired,
        "forgotten too early",
        Colour(0x88, 0xcc, 0xee),
    ),
    (
        Loss::TableLost,
        "the balancer's table was lost or full",
        Colour(0x99, 0x99, 0x33),
    ),
    (
        Loss::StoreLost,
        "the state died with the store",
        Colour(0x22, 0x22, 0x22),
    ),
    (
        Loss::KeyRotated,
        "the token's key had changed",
        Colour(0x44, 0xaa, 0x99),
    ),
    (
        Loss::CookieDropped,
        "the client drops cookies",
        Colour(0xaa, 0x44, 0x99),
    ),
    (
        Loss::StoreAway,
        "the store did not answer",
        Colour(0xee, 0x88, 0x66),
    ),
];

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let share = |strategy: &str, cause: Loss| {
        let cause = cause.name();
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
            .map(|&(cause, ..)| share(strategy, cause))
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
    // Where nobody loses anything there is no axis to show it on; the table says so.
    if high <= 0.0 {
        return None;
    }
    // The first three are always told, so that one sees what did not happen.
    let happened = |cause: Loss| {
        (cause as usize) < 3
            || (study.strategies.iter()).any(|series| share(&series.name, cause) > 0.0)
    };
    let causes: Vec<_> = CAUSES
        .iter()
        .filter(|(cause, ..)| happened(*cause))
        .collect();
    let plain = Type::new(13.0, MUTED);
    let named: Vec<String> = (causes.iter())
        .map(|(cause, meaning, _)| format!("{}: {meaning}", cause.name()))
        .collect();
    // In rows, as many as it takes.
    let (mut at, mut row) = (EDGE, 0.0);
    let mut legend = Vec::new();
    for name in &named {
        let wide = 20.0 + plain.width(name) + 26.0;
        if at > EDGE && at + wide > WIDTH - EDGE {
            (at, row) = (EDGE, row + 1.0);
        }
        legend.push((at, row));
        at += wide;
    }
    let key = frame::title_height(study) + 14.0;
    let top = key + 22.0 * row + 32.0;
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
        for (((_, _, colour), name), (at, row)) in causes.iter().zip(&named).zip(&legend) {
            let y = key + 22.0 * row;
            canvas.area((*at, y), (at + 14.0, y + 14.0), *colour, 1.0);
            canvas.text(name, (at + 20.0, y + 7.0), Align::Left, plain);
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
            for &&(cause, _, colour) in &causes {
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
