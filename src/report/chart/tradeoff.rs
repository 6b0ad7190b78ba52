//! What is paid for keeping sessions: response time against what is lost, which is what is judged
//! by where that is a share of something lost, else the sessions that lost their state. Whoever is
//! beaten in both by nobody is efficient.

use super::Study;
use super::canvas::{Align, Canvas, Type};
use super::frame::{self, EDGE, LABEL, Plot, WIDTH};
use super::labels::{self, Area};
use super::palette::{MUTED, PAPER, look};
use super::scale::Scale;
use crate::experiment::{Better, Of, Unit};

/// A strategy: what its sessions lost, and how long its requests took.
struct Mark<'a> {
    name: &'a str,
    colour: usize,
    /// Percent of the sessions, and half the width of its interval.
    lost: (f64, f64),
    /// Milliseconds, and half the width of its interval.
    took: (f64, f64),
}

impl Mark<'_> {
    fn is_beaten_by(&self, other: &Mark<'_>) -> bool {
        other.lost.0 <= self.lost.0
            && other.took.0 <= self.took.0
            && (other.lost.0 < self.lost.0 || other.took.0 < self.took.0)
    }
}

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let judge = study.judge.filter(|judge| {
        judge.of == Of::Sessions && judge.unit == Unit::Share && judge.better == Better::Less
    });
    let metric = judge.map_or("sessions_hurt_share", |judge| judge.name);
    let title = match metric {
        "changes_lost_share" => "Acknowledged changes that were lost (%)",
        "stale_reads_share" => "Readings that were not the newest (%)",
        "lost_updates_share" => "Changes that overwrote others (%)",
        _ => "Sessions that lost their state (%)",
    };
    let known = |strategy: &str, metric: &str, factor: f64| {
        let mut rows = study.rows.summary.iter();
        let row = rows.find(|row| row.strategy == strategy && row.metric == metric)?;
        let half = row.half_width_95.unwrap_or(0.0);
        Some((row.estimate? * factor, half * factor))
    };
    let marks: Vec<Mark<'_>> = (study.strategies.iter())
        .filter_map(|series| {
            Some(Mark {
                name: &series.name,
                colour: series.colour,
                lost: known(&series.name, metric, 100.0)?,
                took: known(&series.name, "mean_ms", 1.0)?,
            })
        })
        .collect();
    // Where nobody loses anything there is nothing to pay for.
    if marks.len() < 2 || marks.iter().all(|mark| mark.lost.0 == 0.0) {
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
    let lost = marks.iter().map(|mark| end(mark.lost)).fold(0.0, f64::max);
    let took = marks.iter().map(|mark| end(mark.took)).fold(0.0, f64::max);
    let x = Scale::percent(lost * 1.04, plot.left + 14.0, plot.right);
    let least = (marks.iter())
        .map(|mark| mark.took.0 - mark.took.1)
        .fold(f64::MAX, f64::min);
    // Differences are to be seen, be they small beside the whole.
    let room = ((took - least) * 0.15).max(took * 0.02);
    let y = Scale::linear((least - room).max(0.0), took + room, plot.bottom, plot.top);
    let mut efficient: Vec<&Mark<'_>> = (marks.iter())
        .filter(|mark| !marks.iter().any(|other| mark.is_beaten_by(other)))
        .collect();
    efficient.sort_by(|a, b| a.lost.0.total_cmp(&b.lost.0));
    Some(Canvas::picture(WIDTH, plot.bottom + 72.0, |canvas| {
        frame::title(
            canvas,
            study,
            "Filled and joined: none is better in both; hollow: another is; bars: 95% intervals",
        );
        frame::y_axis(canvas, plot, &y, "Mean response time (ms)");
        frame::x_axis(canvas, plot, &x, title);
        let at = |mark: &Mark<'_>| (x.at(mark.lost.0), y.at(mark.took.0));
        let front: Vec<(f64, f64)> = efficient.iter().map(|mark| at(mark)).collect();
        canvas.line(&front, MUTED, 0.9, 1.4, Some((6.0, 4.0)));
        let mut lines = vec![front];
        for mark in &marks {
            let colour = look(mark.colour).colour;
            let ((lost, around), (took, about)) = (mark.lost, mark.took);
            let across = [
                (x.at((lost - around).max(0.0)), y.at(took)),
                (x.at(lost + around), y.at(took)),
            ];
            let along = [
                (x.at(lost), y.at((took - about).max(0.0))),
                (x.at(lost), y.at(took + about)),
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
            (type_.fit(mark.name, 320.0), type_)
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
