//! What is answered by what is asked for, from one stretch of time to the next, where rates change
//! or faults are planned. Where the way back is not the way there, something keeps an overload up
//! when its cause is gone (a metastable failure; Bronson et al. 2021): the path is a loop, or does
//! not come back at all. A panel a strategy, all with the same axes.

use super::canvas::{Align, Canvas, Type};
use super::frame::{self, AXIS, EDGE, Plot, WIDTH};
use super::labels::{self, Area};
use super::palette::{INK, MUTED, PAPER, look};
use super::scale::{Scale, number, range};
use super::{Series, Study, answered};
use crate::report::rows::TimelineRow;

/// Where the most that is asked for is less than so many times the least, there is no way to go:
/// by stretches, where rates change by plan, else by means of so many neighbours. What users of
/// closed loops ask for follows from the answers that they get; of others a fault changes nothing,
/// and there is but chance.
const PLANNED: (usize, f64) = (1, 1.25);
const UNPLANNED: (usize, f64) = (5, 1.5);

/// Where less than this share of what is asked for is answered, something is amiss.
const WHOLE: f64 = 0.9;

/// Pixels of the path from one arrowhead to the next, and what an arrowhead is long.
const APART: f64 = 80.0;
const HEAD: f64 = 9.0;

/// One stretch: when it is, what is asked for, what of that is answered, and what is sent for it,
/// that which is asked or sent again included, a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Waypoint {
    pub(super) from_s: f64,
    pub(super) to_s: f64,
    pub(super) offered: f64,
    pub(super) answered: f64,
    pub(super) sent: f64,
}

impl Waypoint {
    fn of(row: &TimelineRow) -> Waypoint {
        let answered = row.requests - row.failed - row.unfinished;
        let length = row.to_s - row.from_s;
        Waypoint {
            from_s: row.from_s,
            to_s: row.to_s,
            offered: row.requests / length,
            answered: answered.max(0.0) / length,
            sent: (row.requests + row.repeats.max(0.0)) / length,
        }
    }
}

/// The stretches of one strategy.
pub(super) fn path(study: &Study<'_>, series: &Series) -> Vec<Waypoint> {
    let rows = study.rows.timeline.iter();
    let known = |step: &Waypoint| {
        let all = [step.offered, step.answered, step.sent];
        all.iter().all(|rate| rate.is_finite())
    };
    rows.filter(|row| row.strategy == series.name)
        .map(Waypoint::of)
        .filter(known)
        .collect()
}

/// The paths where what is asked for changes; else how it goes over time, where much is not
/// answered.
pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    paths(study).or_else(|| answered::draw(study))
}

fn paths(study: &Study<'_>) -> Option<String> {
    if !study.rates_change && study.events.is_empty() {
        return None;
    }
    let paths: Vec<Vec<Waypoint>> = (study.strategies.iter())
        .map(|series| path(study, series))
        .collect();
    let (count, factor) = if study.rates_change {
        PLANNED
    } else {
        UNPLANNED
    };
    let mean = |steps: &[Waypoint]| {
        steps.iter().map(|step| step.offered).sum::<f64>() / steps.len() as f64
    };
    // That one variant is asked for more than another is no way to go.
    let goes = |path: &Vec<Waypoint>| {
        let ends = range(path.chunks(count).map(mean));
        ends.is_some_and(|(low, high)| high > 0.0 && high >= factor * low)
    };
    let again = paths.iter().flatten().any(|step| step.sent > step.offered);
    let (_, most) = range(paths.iter().flatten().map(|step| step.offered))?;
    let (_, widest) = range(paths.iter().flatten().map(|step| step.sent))?;
    let fails = |step: &Waypoint| step.answered < step.offered;
    if most <= 0.0 || !paths.iter().any(goes) || !paths.iter().flatten().any(fails) {
        return None;
    }
    let count = study.strategies.len();
    let columns = match count {
        1 => 1,
        2 | 4 => 2,
        _ => 3,
    };
    let (margin, gap_x, gap_y) = (76.0, 62.0, 62.0);
    let room = WIDTH - 2.0 * EDGE - margin - gap_x * (columns - 1) as f64;
    let wide = (room / columns as f64).min(560.0);
    let tall = (wide * 0.82).min(400.0);
    let first = frame::title_height(study) + 34.0;
    let rows = count.div_ceil(columns);
    let height = first + rows as f64 * (tall + gap_y) + 14.0;
    Some(Canvas::picture(WIDTH, height, |canvas| {
        let what = match again {
            true => {
                "Answered by asked for, ring to disc; thin: by all that was sent, tries again included; dashed: all of it; back: 90%, for good"
            }
            false => {
                "Answered by asked for, from the beginning (ring) to the end (disc); dashed: all is answered; back: 90% of it, for good"
            }
        };
        frame::title(canvas, study, what);
        for (at, (series, path)) in study.strategies.iter().zip(&paths).enumerate() {
            let (column, row) = (at % columns, at / columns);
            let left = EDGE + margin + column as f64 * (wide + gap_x);
            let top = first + row as f64 * (tall + gap_y);
            let plot = Plot {
                left,
                top,
                right: left + wide,
                bottom: top + tall,
            };
            let x = Scale::linear(0.0, 1.06 * widest.max(most), plot.left, plot.right);
            let y = Scale::linear(0.0, 1.06 * most, plot.bottom, plot.top);
            frame::heading(canvas, series, (left, top - 14.0), wide);
            axes(canvas, plot, (&x, &y), (column == 0, at + columns >= count));
            let all = [(x.at(0.0), y.at(0.0)), (x.at(most), y.at(most))];
            canvas.line(&all, MUTED, 0.8, 1.0, Some((4.0, 4.0)));
            if again {
                let sent = path
                    .iter()
                    .map(|step| (x.at(step.sent), y.at(step.answered)));
                let colour = look(series.colour).colour;
                canvas.line(&sent.collect::<Vec<_>>(), colour, 0.55, 0.9, None);
            }
            draw_path(canvas, plot, series, path, (&x, &y));
        }
    }))
}

/// Grid and ticks, and the names of the axes at the edges of the page.
fn axes(canvas: &Canvas<'_>, plot: Plot, (x, y): (&Scale, &Scale), (outer, lowest): (bool, bool)) {
    frame::y_axis(
        canvas,
        plot,
        y,
        if outer {
            "Answered of these (a second)"
        } else {
            ""
        },
    );
    frame::x_grid(canvas, plot, x);
    if lowest {
        let middle = ((plot.left + plot.right) / 2.0, plot.bottom + 38.0);
        canvas.text("Requests asked for (a second)", middle, Align::Centre, AXIS);
    }
}

/// The path of one strategy, with arrowheads, its ends, and what is said of it.
fn draw_path(
    canvas: &Canvas<'_>,
    plot: Plot,
    series: &Series,
    path: &[Waypoint],
    (x, y): (&Scale, &Scale),
) {
    let look = look(series.colour);
    let point = |step: &Waypoint| (x.at(step.offered), y.at(step.answered));
    let points: Vec<(f64, f64)> = path.iter().map(point).collect();
    let (Some(&begin), Some(&end)) = (points.first(), points.last()) else {
        return;
    };
    canvas.line(&points, look.colour, 0.85, 1.8, None);
    for head in heads(&points) {
        canvas.shape(&head, look.colour, 1.0);
    }
    // Where it ends as it began, the disc is in the ring.
    canvas.dot(begin, 7.0, look.colour, 1.0);
    canvas.dot(begin, 5.0, PAPER, 1.0);
    canvas.dot(end, 3.5, look.colour, 1.0);
    let type_ = Type::new(12.0, INK);
    let named = named(path);
    let wanted = named
        .iter()
        .map(|(at, text)| ((type_.width(text) + 6.0, 20.0), points[*at]));
    let room = Area {
        left: plot.left,
        top: plot.top,
        right: plot.right,
        bottom: plot.bottom,
    };
    let ring = vec![(begin.0 - 7.0, begin.1), (begin.0 + 7.0, begin.1)];
    let wanted: Vec<_> = wanted.collect();
    let places = labels::by_ends(&wanted, room, &[points.clone(), ring]);
    for ((_, text), place) in named.iter().zip(places) {
        let middle = (place.top + place.bottom) / 2.0;
        let (from, to) = ((place.left, middle - 7.0), (place.right, middle + 7.0));
        canvas.area(from, to, PAPER, 0.8);
        canvas.text(text, (place.left + 3.0, middle), Align::Left, type_);
    }
}

/// Arrowheads along a path, where it has gone far enough to have a direction, and not only to and
/// fro.
fn heads(points: &[(f64, f64)]) -> Vec<[(f64, f64); 3]> {
    let (mut heads, mut since) = (Vec::new(), APART / 2.0);
    let Some(&(mut from)) = points.first() else {
        return heads;
    };
    for &to in points {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = (dx * dx + dy * dy).sqrt();
        if length < 1.6 * HEAD {
            continue;
        }
        since += length;
        if since >= APART {
            since = 0.0;
            let (ux, uy) = (dx / length, dy / length);
            let (mx, my) = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
            let (along, half) = (HEAD / 2.0, HEAD * 0.42);
            let back = (mx - ux * along, my - uy * along);
            heads.push([
                (mx + ux * along, my + uy * along),
                (back.0 - uy * half, back.1 + ux * half),
                (back.0 + uy * half, back.1 - ux * half),
            ]);
        }
        from = to;
    }
    heads
}

/// What is said at steps: when most was asked for, and when it was over that more than a tenth was
/// not answered, or that it was not.
fn named(path: &[Waypoint]) -> Vec<(usize, String)> {
    let Some(last) = path.len().checked_sub(1) else {
        return Vec::new();
    };
    let busiest = (0..path.len())
        .max_by(|&one, &other| path[one].offered.total_cmp(&path[other].offered))
        .unwrap_or(last);
    let mut found = vec![(
        busiest,
        format!("most at {}", seconds(path, path[busiest].from_s)),
    )];
    found.extend(back(path));
    found
}

/// The step at which it was over that more than a tenth was not answered, or the last where it was
/// not, and what is said there.
pub(super) fn back(path: &[Waypoint]) -> Option<(usize, String)> {
    let last = (path.iter()).rposition(|step| step.answered < WHOLE * step.offered)?;
    let when = seconds(path, path[last].to_s);
    Some(match last + 1 == path.len() {
        true => (last, format!("not back by {when}")),
        false => (last + 1, format!("back at {when}")),
    })
}

/// A time of a path.
fn seconds(path: &[Waypoint], at: f64) -> String {
    let length = path.first().map_or(1.0, |step| step.to_s - step.from_s);
    match at.fract() {
        0.0 => format!("{} s", number(at, 1.0)),
        _ => format!("{} s", number(at, length.clamp(1e-9, 0.1))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(steps: &[(f64, f64)]) -> Vec<Waypoint> {
        let step = |(at, &(offered, answered)): (usize, &(f64, f64))| Waypoint {
            from_s: 2.0 * at as f64,
            to_s: 2.0 * at as f64 + 2.0,
            offered,
            answered,
            sent: offered,
        };
        steps.iter().enumerate().map(step).collect()
    }

    fn said(steps: &[(f64, f64)]) -> Vec<String> {
        named(&path(steps))
            .into_iter()
            .map(|(_, text)| text)
            .collect()
    }

    #[test]
    fn what_comes_back_says_when() {
        let spike = [(70.0, 70.0), (200.0, 60.0), (70.0, 0.0), (70.0, 65.0)];
        assert_eq!(said(&spike), ["most at 2 s", "back at 6 s"]);
        assert_eq!(said(&spike[..3]), ["most at 2 s", "not back by 6 s"]);
        assert_eq!(said(&spike[..1]), ["most at 0 s"]);
        assert_eq!(said(&[]), [""; 0]);
    }

    #[test]
    fn arrowheads_point_along_the_path() {
        let all = heads(&[(0.0, 0.0), (100.0, 0.0), (100.0, -90.0), (101.0, -90.0)]);
        let [along, up] = all[..] else {
            panic!("{all:?}");
        };
        // In small steps as in large ones; not where it only trembles.
        let small: Vec<(f64, f64)> = (0..=100).map(|at| (f64::from(at), 0.0)).collect();
        assert_eq!(heads(&small).len(), 1);
        let trembles: Vec<(f64, f64)> = (0..100).map(|at| (f64::from(at % 2 * 9), 0.0)).collect();
        assert!(heads(&trembles).is_empty());
        assert!(heads(&[]).is_empty());
        assert!(along[0].0 > along[1].0 && along[0].1 == 0.0);
        assert!(up[0].1 < up[1].1 && up[0].0 == 100.0);
    }
}
