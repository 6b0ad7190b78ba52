//! Where the time goes: for each service, how long a request waits there, is worked on, and waits
//! for what the service calls in turn. A panel a service, a bar a strategy.

use super::Study;
use super::canvas::{Align, Canvas, Colour, Type};
use super::frame::{self, EDGE, Plot, WIDTH};
use super::palette::{INK, MUTED, look};
use super::scale::{Scale, number};
use crate::report::rows::ServiceRow;

/// One part of the response time.
struct Part {
    name: &'static str,
    colour: Colour,
    value: fn(&ServiceRow) -> Option<f64>,
}

/// The parts, apart from each other in lightness too. What is left is the network, and attempts
/// before the last.
const PARTS: [Part; 4] = [
    Part {
        name: "wait for a slot",
        colour: Colour(0x88, 0x22, 0x55),
        value: |row| row.wait_ms,
    },
    Part {
        name: "own work",
        colour: Colour(0x33, 0x88, 0xbb),
        value: |row| row.work_ms,
    },
    Part {
        name: "calls to other services",
        colour: Colour(0xdd, 0xcc, 0x77),
        value: |row| row.called_ms,
    },
    Part {
        name: "network, and attempts before the last",
        colour: Colour(0xc8, 0xc8, 0xc8),
        value: |row| Some(row.mean_ms? - row.wait_ms? - row.work_ms? - row.called_ms?),
    },
];

/// Bars at most: of more services those are shown where requests take longest.
const BARS: usize = 120;
/// Height of a bar with the room around it.
const ROW: f64 = 24.0;
/// Room above the bars of a panel, for its name.
const HEADING: f64 = 34.0;

impl Part {
    /// How long it is in a bar; nothing where it is none, or only rounding.
    fn length(&self, row: &ServiceRow) -> f64 {
        let mean = row.mean_ms.unwrap_or(0.0);
        let own = (self.value)(row).filter(|own| own.is_finite() && *own > 1e-6 * mean);
        own.unwrap_or(0.0)
    }
}

/// The services that are shown, in the scenario's order, and how many there are.
fn shown<'s>(study: &Study<'s>) -> (Vec<&'s str>, usize) {
    let mut longest: Vec<(&str, f64)> = Vec::new();
    for row in &study.rows.services {
        let mean = row.mean_ms.unwrap_or(0.0);
        match longest.iter_mut().find(|(name, _)| *name == row.service) {
            Some((_, most)) => *most = most.max(mean),
            None => longest.push((&row.service, mean)),
        }
    }
    let all = longest.len();
    let most = (BARS / study.strategies.len().max(1)).max(1);
    let mut order: Vec<f64> = longest.iter().map(|&(_, mean)| mean).collect();
    order.sort_by(|one, other| other.total_cmp(one));
    let least = order.get(most - 1).copied().unwrap_or(f64::MIN);
    let names = longest.into_iter().filter(|&(_, mean)| mean >= least);
    (names.map(|(name, _)| name).take(most).collect(), all)
}

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let (services, all) = shown(study);
    let row = |service: &str, strategy: &str| {
        let mut rows = study.rows.services.iter();
        rows.find(|row| row.service == service && row.strategy == strategy)
    };
    let length = |row: &ServiceRow| PARTS.iter().map(|part| part.length(row)).sum::<f64>();
    let high = services
        .iter()
        .flat_map(|service| study.strategies.iter().map(move |own| (service, own)))
        .filter_map(|(service, own)| row(service, &own.name))
        .map(length)
        .fold(0.0, f64::max);
    if high <= 0.0 {
        return None;
    }
    let parts: Vec<&Part> = PARTS
        .iter()
        .filter(|part| (study.rows.services.iter()).any(|row| part.length(row) > 0.0))
        .collect();
    let panel = HEADING + ROW * study.strategies.len() as f64 + 12.0;
    let top = frame::title_height(study) + 36.0;
    let plot = Plot {
        left: EDGE + frame::widest(study.strategies, 300.0) + 16.0,
        top,
        right: WIDTH - EDGE - 110.0,
        bottom: top + panel * services.len() as f64,
    };
    let x = Scale::from_zero(high, plot.left, plot.right);
    let what = if services.len() < all {
        format!(
            "Mean response time by service, and what it is made of; the {} of {all} services where it is longest",
            services.len()
        )
    } else {
        "Mean response time by service, and what it is made of".to_owned()
    };
    Some(Canvas::picture(WIDTH, plot.bottom + 76.0, |canvas| {
        frame::title(canvas, study, &what);
        let mut at = EDGE;
        let plain = Type::new(13.0, MUTED);
        for part in parts {
            canvas.area((at, top - 32.0), (at + 14.0, top - 18.0), part.colour, 1.0);
            canvas.text(part.name, (at + 20.0, top - 25.0), Align::Left, plain);
            at += 20.0 + plain.width(part.name) + 26.0;
        }
        frame::x_axis(canvas, plot, &x, "Mean response time (ms)");
        for (number, service) in services.iter().enumerate() {
            let first = top + number as f64 * panel;
            let heading = Type::bold(14.0, INK);
            canvas.text(
                &heading.fit(service, WIDTH - 2.0 * EDGE),
                (EDGE, first + HEADING / 2.0 + 3.0),
                Align::Left,
                heading,
            );
            for (at, series) in study.strategies.iter().enumerate() {
                let y = first + HEADING + (at as f64 + 0.5) * ROW;
                let name = Type::bold(frame::LABEL, look(series.colour).ink);
                canvas.text(
                    &name.fit(&series.name, plot.left - EDGE - 12.0),
                    (plot.left - 12.0, y),
                    Align::Right,
                    name,
                );
                if let Some(row) = row(service, &series.name) {
                    bar(canvas, &x, row, y);
                }
            }
        }
    }))
}

/// One bar, with the mean where it ends.
fn bar(canvas: &Canvas<'_>, x: &Scale, row: &ServiceRow, y: f64) {
    let mut from = 0.0;
    for part in &PARTS {
        let length = part.length(row);
        if length > 0.0 {
            canvas.area(
                (x.at(from), y - 8.0),
                (x.at(from + length), y + 8.0),
                part.colour,
                1.0,
            );
            from += length;
        }
    }
    let text = row.mean_ms.map_or("–".to_owned(), |mean| {
        // Three digits.
        let step = libm::pow(10.0, mean.abs().max(1e-6).log10().floor() - 2.0);
        format!("{} ms", number(mean, step.min(1.0)))
    });
    canvas.text(
        &text,
        (x.at(from) + 10.0, y),
        Align::Left,
        Type::new(13.0, INK),
    );
}
