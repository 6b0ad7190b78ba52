//! Where the time goes: for each service, how long a request waits there, is worked on, and waits
//! for what the service calls in turn; and beside it, where anything is tried again or fails, how
//! many attempts that is for each request of a client. A panel a service, a bar a strategy.

use super::Study;
use super::canvas::{Align, Canvas, Colour, Type};
use super::frame::{self, EDGE, Plot, WIDTH};
use super::palette::{INK, MUTED, look};
use super::scale::{Scale, number};
use crate::report::rows::ServiceRow;

/// One part of a bar.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) colour: Colour,
    pub(super) value: fn(&ServiceRow) -> Option<f64>,
}

/// Bars of parts: of what, what they are together, and that as a text.
struct Stack {
    axis: &'static str,
    parts: &'static [Part],
    whole: fn(&ServiceRow) -> Option<f64>,
    text: fn(&ServiceRow) -> String,
}

const TIMES: Stack = Stack {
    axis: "Mean response time (ms)",
    parts: &OF_TIME,
    whole: |row| row.mean_ms,
    text: |row| {
        row.mean_ms
            .map_or("–".to_owned(), |mean| format!("{} ms", digits(mean)))
    },
};

const ATTEMPTS: Stack = Stack {
    axis: "Attempts for each request of a client",
    parts: &OF_ATTEMPTS,
    whole: |row| row.attempts_per_client_request,
    text: |row| {
        let each = row
            .attempts_per_client_request
            .map_or("–".to_owned(), digits);
        match row.success_share {
            Some(share) if (0.0..1.0).contains(&share) => format!("{each}; {}", percent(share)),
            _ => each,
        }
    },
};

/// What attempts came to, for each request of a client. Of a request that is answered well one
/// attempt is.
const OF_ATTEMPTS: [Part; 3] = [
    Part {
        name: "answered well",
        colour: Colour(0x3a, 0xa1, 0x8a),
        value: |row| Some(row.requests * row.success_share? * each(row)?),
    },
    Part {
        name: "failed",
        colour: Colour(0xc8, 0x3e, 0x4d),
        value: |row| Some(row.failed_attempts * each(row)?),
    },
    Part {
        name: "given up on",
        colour: Colour(0xc8, 0xc8, 0xc8),
        value: |row| {
            let known = row.requests * row.success_share? + row.failed_attempts;
            Some((row.attempts - known) * each(row)?)
        },
    },
];

/// One attempt, for each request of a client.
fn each(row: &ServiceRow) -> Option<f64> {
    Some(row.attempts_per_client_request? / row.attempts).filter(|each| each.is_finite())
}

/// The parts, apart from each other in lightness too. What is left is the network, and attempts
/// before the last.
pub(super) const OF_TIME: [Part; 4] = [
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

impl Stack {
    /// How long a part of it is; nothing where it is none, or only rounding.
    fn length(&self, part: &Part, row: &ServiceRow) -> f64 {
        let least = 1e-6 * (self.whole)(row).unwrap_or(0.0);
        let own = (part.value)(row).filter(|own| own.is_finite() && *own > least);
        own.unwrap_or(0.0)
    }

    /// How long all of it is.
    fn long(&self, row: &ServiceRow) -> f64 {
        self.parts.iter().map(|part| self.length(part, row)).sum()
    }

    /// Its axis, and beside `top`, the parts that occur.
    fn frame(&self, canvas: &Canvas<'_>, study: &Study<'_>, (plot, x): (Plot, &Scale)) {
        frame::x_axis(canvas, plot, x, self.axis);
        let mut at = if plot.left < WIDTH / 2.0 {
            EDGE
        } else {
            plot.left
        };
        let plain = Type::new(13.0, MUTED);
        for part in self.parts {
            if !(study.rows.services.iter()).any(|row| self.length(part, row) > 0.0) {
                continue;
            }
            let y = plot.top - 25.0;
            canvas.area((at, y - 7.0), (at + 14.0, y + 7.0), part.colour, 1.0);
            canvas.text(part.name, (at + 20.0, y), Align::Left, plain);
            at += 20.0 + plain.width(part.name) + 20.0;
        }
    }

    /// One bar, with what it comes to where it ends.
    fn draw(&self, canvas: &Canvas<'_>, x: &Scale, row: &ServiceRow, y: f64) {
        let mut from = 0.0;
        for part in self.parts {
            let length = self.length(part, row);
            if length > 0.0 {
                let (left, right) = (x.at(from), x.at(from + length));
                canvas.area((left, y - 8.0), (right, y + 8.0), part.colour, 1.0);
                from += length;
            }
        }
        let text = Type::new(13.0, INK);
        canvas.text(&(self.text)(row), (x.at(from) + 8.0, y), Align::Left, text);
    }
}

/// Three digits.
pub(super) fn digits(value: f64) -> String {
    let step = libm::pow(10.0, value.abs().max(1e-6).log10().floor() - 2.0);
    number(value, step.min(1.0))
}

/// The share of requests that succeed, with a digit more where it is nearly all.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        99.95.. => "nearly all succeed".to_owned(),
        _ => format!("{percent:.1}% succeed"),
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
    let high = |bar: &Stack| {
        services
            .iter()
            .flat_map(|service| study.strategies.iter().map(move |own| (service, own)))
            .filter_map(|(service, own)| row(service, &own.name))
            .map(|row| bar.long(row))
            .fold(0.0, f64::max)
    };
    let high_time = high(&TIMES);
    if high_time <= 0.0 {
        return None;
    }
    let tells = |row: &ServiceRow| {
        row.success_share < Some(1.0) || row.attempts_per_client_request > Some(1.0 + 1e-9)
    };
    let with_attempts = study.rows.services.iter().any(tells);
    let panel = HEADING + ROW * study.strategies.len() as f64 + 12.0;
    let top = frame::title_height(study) + 36.0;
    let left = EDGE + frame::widest(study.strategies, 300.0) + 16.0;
    let all_right = WIDTH - EDGE;
    // Room for what stands where a bar ends: a time, or attempts and how many succeed.
    let (time_text, attempts_text) = (84.0, 134.0);
    let middle = left + 0.57 * (all_right - left);
    let plot = |left: f64, right: f64| Plot {
        left,
        top,
        right,
        bottom: top + panel * services.len() as f64,
    };
    let (times, attempts) = match with_attempts {
        false => (plot(left, all_right - time_text), None),
        true => (
            plot(left, middle - time_text),
            Some(plot(middle + 6.0, all_right - attempts_text)),
        ),
    };
    let mut bars = vec![(
        &TIMES,
        times,
        Scale::from_zero(high_time, times.left, times.right),
    )];
    bars.extend(attempts.map(|plot| {
        let x = Scale::from_zero(high(&ATTEMPTS), plot.left, plot.right);
        (&ATTEMPTS, plot, x)
    }));
    let what = match with_attempts {
        false => "Mean response time by service, and what it is made of",
        true => {
            "By service: mean response time of what succeeds, and what it is made of; attempts, and what they came to"
        }
    };
    let what = match services.len() < all {
        true => format!(
            "{what}; the {} of {all} services where it is longest",
            services.len()
        ),
        false => what.to_owned(),
    };
    Some(Canvas::picture(WIDTH, times.bottom + 76.0, |canvas| {
        frame::title(canvas, study, &what);
        for (bar, plot, x) in &bars {
            bar.frame(canvas, study, (*plot, x));
        }
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
                    &name.fit(&series.name, left - EDGE - 12.0),
                    (left - 12.0, y),
                    Align::Right,
                    name,
                );
                if let Some(row) = row(service, &series.name) {
                    for (bar, _, x) in &bars {
                        bar.draw(canvas, x, row, y);
                    }
                }
            }
        }
    }))
}
