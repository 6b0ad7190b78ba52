//! What is paid for what: response time against what sessions lost, which is what is judged by
//! where that is a share of something lost, else the sessions that lost their state; and the tail
//! of response times against what the servers cost. Whoever is beaten in both by nobody is
//! efficient.

use super::Study;
use super::canvas::{Align, Canvas, Type};
use super::frame::{self, EDGE, LABEL, Plot, WIDTH};
use super::labels::{self, Area};
use super::palette::{MUTED, PAPER, look};
use super::scale::Scale;
use crate::experiment::{Better, Of, Unit};

/// A strategy: what it costs or loses, and how long its requests took.
struct Mark<'a> {
    name: &'a str,
    colour: usize,
    /// What is paid: percent, or a price; and half the width of its interval.
    paid: (f64, f64),
    /// Milliseconds, and half the width of its interval.
    took: (f64, f64),
    /// The share of requests that succeeded: what failed has no response time, and flatters it.
    succeeded: f64,
}

/// One of the two things that are held against each other.
#[derive(Clone, Copy)]
struct Scaled<'a> {
    metric: &'a str,
    title: &'a str,
    /// What an estimate is shown as is so many times what it is.
    factor: f64,
}

const MEAN: Scaled<'_> = Scaled {
    metric: "mean_ms",
    title: "Mean response time (ms)",
    factor: 1.0,
};

const TAIL: Scaled<'_> = Scaled {
    metric: "p99_ms",
    title: "99th percentile of the response time (ms)",
    factor: 1.0,
};

const SUCCESS: Scaled<'_> = Scaled {
    metric: "success_share",
    title: "Requests that succeeded",
    factor: 1.0,
};

const PRICE: Scaled<'_> = Scaled {
    metric: "cost_per_hour",
    title: "Cost an hour",
    factor: 1.0,
};

impl Mark<'_> {
    fn is_beaten_by(&self, other: &Mark<'_>) -> bool {
        other.succeeded >= self.succeeded
            && other.paid.0 <= self.paid.0
            && other.took.0 <= self.took.0
            && (other.paid.0 < self.paid.0 || other.took.0 < self.took.0)
    }
}

/// What a metric of sessions and their state is called in full; `None` of any other.
pub(super) fn called(metric: &str) -> Option<&'static str> {
    Some(match metric {
        "sessions_hurt_share" => "Sessions that lost their state",
        "sessions_lost" => "Times that sessions lost their state",
        "changes_lost_share" => "Acknowledged changes that were lost",
        "stale_reads_share" => "Readings that were not the newest",
        "lost_updates_share" => "Changes that overwrote others",
        "revocation_delay_s" => "How long revoked sessions could be used",
        _ => return None,
    })
}

/// What sessions lose.
pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let judge = study.judge.filter(|judge| {
        judge.of == Of::Sessions && judge.unit == Unit::Share && judge.better == Better::Less
    });
    let metric = judge.map_or("sessions_hurt_share", |judge| judge.name);
    let title = format!("{} (%)", called(metric).unwrap_or(metric));
    let lost = Scaled {
        metric,
        title: &title,
        factor: 100.0,
    };
    // Where nobody loses anything there is nothing to pay for.
    held_against(study, lost, MEAN, |marks| {
        marks.iter().any(|mark| mark.paid.0 > 0.0)
    })
}

/// What servers cost, where not all strategies cost the same.
pub(super) fn cost(study: &Study<'_>) -> Option<String> {
    held_against(study, PRICE, TAIL, |marks| {
        marks.iter().any(|mark| mark.paid.0 != marks[0].paid.0)
    })
}

/// Response times against what is paid, where there are marks of which it `tells` something.
fn held_against(
    study: &Study<'_>,
    paid: Scaled<'_>,
    took: Scaled<'_>,
    tells: impl Fn(&[Mark<'_>]) -> bool,
) -> Option<String> {
    let known = |strategy: &str, axis: Scaled<'_>| {
        let mut rows = study.rows.summary.iter();
        let row = rows.find(|row| row.strategy == strategy && row.metric == axis.metric)?;
        let half = row.half_width_95.unwrap_or(0.0);
        Some((row.estimate? * axis.factor, half * axis.factor))
    };
    let marks: Vec<Mark<'_>> = (study.strategies.iter())
        .filter_map(|series| {
            Some(Mark {
                name: &series.name,
                colour: series.colour,
                paid: known(&series.name, paid)?,
                took: known(&series.name, took)?,
                succeeded: known(&series.name, SUCCESS).map_or(1.0, |(share, _)| share),
            })
        })
        .collect();
    if marks.len() < 2 || !tells(&marks) {
        return None;
    }
    let end = |pair: (f64, f64)| pair.0 + pair.1;
    let top = frame::title_height(study) + 14.0;
    let plot = Plot {
        left: 104.0,
        top,
        right: WIDTH - EDGE - 12.0,
        bottom: top + 480.0,
    };
    let most = marks.iter().map(|mark| end(mark.paid)).fold(0.0, f64::max);
    let longest = marks.iter().map(|mark| end(mark.took)).fold(0.0, f64::max);
    let x = if paid.factor == 100.0 {
        Scale::percent(most * 1.04, plot.left + 14.0, plot.right)
    } else {
        // As below: differences are to be seen.
        let start = |mark: &Mark<'_>| mark.paid.0 - mark.paid.1;
        let cheapest = marks.iter().map(start).fold(f64::MAX, f64::min);
        let room = ((most - cheapest) * 0.3).max(most * 0.02);
        let from = (cheapest - room).max(0.0);
        Scale::linear(from, most + room, plot.left + 14.0, plot.right)
    };
    let least = (marks.iter())
        .map(|mark| mark.took.0 - mark.took.1)
        .fold(f64::MAX, f64::min);
    // Differences are to be seen, be they small beside the whole.
    let room = ((longest - least) * 0.15).max(longest * 0.02);
    let y = Scale::linear(
        (least - room).max(0.0),
        longest + room,
        plot.bottom,
        plot.top,
    );
    let mut efficient: Vec<&Mark<'_>> = (marks.iter())
        .filter(|mark| !marks.iter().any(|other| mark.is_beaten_by(other)))
        .collect();
    efficient.sort_by(|a, b| a.paid.0.total_cmp(&b.paid.0));
    // Of whom one of the two is not known there is no mark.
    let is_marked = |name: &str| marks.iter().any(|mark| mark.name == name);
    let compared = study.strategies.iter().map(|series| series.name.as_str());
    let unknown: Vec<&str> = compared.filter(|name| !is_marked(name)).collect();
    let left_out = match unknown.as_slice() {
        [] => String::new(),
        names => format!("; not known: {}", names.join(", ")),
    };
    let what = format!(
        "Filled and joined: none that fails no more is better in both; hollow: one is; bars: 95% intervals{left_out}"
    );
    Some(Canvas::picture(WIDTH, plot.bottom + 72.0, |canvas| {
        frame::title(canvas, study, &what);
        frame::y_axis(canvas, plot, &y, took.title);
        frame::x_axis(canvas, plot, &x, paid.title);
        let at = |mark: &Mark<'_>| (x.at(mark.paid.0), y.at(mark.took.0));
        let front: Vec<(f64, f64)> = efficient.iter().map(|mark| at(mark)).collect();
        canvas.line(&front, MUTED, 0.9, 1.4, Some((6.0, 4.0)));
        let mut lines = vec![front];
        for mark in &marks {
            let colour = look(mark.colour).colour;
            let ((price, around), (time, about)) = (mark.paid, mark.took);
            let across = [
                (x.at((price - around).max(0.0)), y.at(time)),
                (x.at(price + around), y.at(time)),
            ];
            let along = [
                (x.at(price), y.at((time - about).max(0.0))),
                (x.at(price), y.at(time + about)),
            ];
            for line in [across, along] {
                canvas.line(&line, colour, 0.9, 1.6, None);
                lines.push(line.to_vec());
            }
            let is_efficient = efficient.iter().any(|other| std::ptr::eq(*other, mark));
            canvas.dot(at(mark), 7.0, colour, 1.0);
            if !is_efficient {
                canvas.dot(at(mark), 4.5, PAPER, 1.0);
            }
        }
        names(canvas, plot, &marks, at, &lines);
    }))
}

/// Names beside the marks, where they cover none of `lines`.
fn names(
    canvas: &Canvas<'_>,
    plot: Plot,
    marks: &[Mark<'_>],
    at: impl Fn(&Mark<'_>) -> (f64, f64),
    lines: &[Vec<(f64, f64)>],
) {
    let room = Area {
        left: plot.left,
        top: plot.top,
        right: plot.right,
        bottom: plot.bottom,
    };
    let named: Vec<(String, Type)> = (marks.iter())
        .map(|mark| {
            let type_ = Type::bold(LABEL, look(mark.colour).ink);
            let name = type_.fit(mark.name, 320.0);
            match mark.succeeded {
                // Less than all is said with a digit.
                0.0..0.9995 => (
                    format!("{name} ({:.1}% succeed)", mark.succeeded * 100.0),
                    type_,
                ),
                _ => (name, type_),
            }
        })
        .collect();
    let wanted: Vec<_> = (named.iter().zip(marks))
        .map(|((name, type_), mark)| ((type_.width(name) + 8.0, 17.0), at(mark)))
        .collect();
    let places = labels::by_ends(&wanted, room, lines);
    for (((name, type_), place), mark) in named.iter().zip(&places).zip(marks) {
        let end = at(mark);
        if place.distance(end) > labels::CLOSE {
            canvas.line(&[end, place.nearest(end)], type_.colour, 0.7, 1.0, None);
        }
        let middle = (place.top + place.bottom) / 2.0;
        canvas.text(name, (place.left + 4.0, middle), Align::Left, *type_);
    }
}
