//! What happened over simulated time, faults marked: how many requests came and succeeded, where
//! any failed or the number of servers follows them, and how many servers there were then; the
//! median and the 99th percentile of the response times of those that succeeded.

use super::Study;
use super::canvas::{Align, Canvas, Type};
use super::events::Marks;
use super::frame::{self, Plot, WIDTH};
use super::palette::{INK, Look, MUTED, look};
use super::scale::{Scale, positive_range, range};
use crate::report::rows::TimelineRow;

type Quantity = fn(&TimelineRow) -> Option<f64>;

/// Where less than this share of the requests of a stretch succeeded, response times of the others
/// are not the whole story.
const WHOLE: f64 = 0.99;

/// One panel: its name, its unit, what it shows.
#[derive(Clone, Copy)]
struct Panel {
    name: &'static str,
    unit: &'static str,
    value: Quantity,
    shows: Shows,
}

/// What a panel shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shows {
    /// How many requests: arrivals are drawn too, and the axis begins at zero.
    Requests,
    /// How many servers: the axis begins at zero.
    Servers,
    /// Response times.
    Times,
}

const PANELS: [Panel; 4] = [
    Panel {
        name: "Succeeded requests",
        unit: "a second",
        value: |row| Some(succeeded(row) / (row.to_s - row.from_s)),
        shows: Shows::Requests,
    },
    Panel {
        name: "Servers",
        unit: "in the pool",
        value: |row| row.servers,
        shows: Shows::Servers,
    },
    Panel {
        name: "Median",
        unit: "ms",
        value: |row| row.p50_ms,
        shows: Shows::Times,
    },
    Panel {
        name: "99th percentile",
        unit: "ms",
        value: |row| row.p99_ms,
        shows: Shows::Times,
    },
];

fn succeeded(row: &TimelineRow) -> f64 {
    (row.requests - row.failed - row.unfinished).max(0.0)
}

fn arrived(row: &TimelineRow) -> f64 {
    row.requests / (row.to_s - row.from_s)
}

/// Whether the response times of a stretch are those of nearly all of its requests.
fn is_whole(row: &TimelineRow) -> bool {
    succeeded(row) >= WHOLE * row.requests
}

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let end = study
        .rows
        .timeline
        .iter()
        .map(|row| row.to_s)
        .fold(0.0, f64::max);
    let fails = study
        .rows
        .timeline
        .iter()
        .any(|row| row.failed + row.unfinished > 0.0);
    // Servers follow the load, which is seen beside them.
    let scales = has_line(study, &PANELS[1]);
    let panels: Vec<_> = PANELS
        .into_iter()
        .filter(|panel| match panel.shows {
            Shows::Requests => fails || scales,
            Shows::Servers | Shows::Times => has_line(study, panel),
        })
        .collect();
    if panels.is_empty() || end <= 0.0 {
        return None;
    }
    let tall = 290.0;
    let plot = |top: f64| Plot::of_lines(study.strategies, top, tall);
    let Plot { left, right, .. } = plot(0.0);
    let x = Scale::linear(0.0, end, left, right);
    let marks = Marks::of_lines(study);
    let [names, bare] = [true, false].map(|named| marks.room(plot(0.0), &x, named));
    let gap = 52.0 + bare;
    let first = frame::title_height(study) + names + 22.0;
    let height = first + panels.len() as f64 * (tall + gap) - gap + 72.0;
    Some(Canvas::picture(WIDTH, height, |canvas| {
        let gaps = if has_gaps(study) {
            "; a gap where too few succeeded to tell"
        } else {
            ""
        };
        let what = if scales {
            "By time of arrival: what succeeded (dotted: what came), servers, and response times; thin where more than 1% failed"
        } else if fails {
            "By time of arrival: what succeeded (dotted: what came), and how long that took; thin where more than 1% failed"
        } else {
            "Response time of the requests that arrived in each stretch of time"
        };
        frame::title(canvas, study, &format!("{what}{gaps}"));
        for (at, panel) in panels.iter().enumerate() {
            let top = first + at as f64 * (tall + gap);
            let (upper, lower) = (at == 0, at + 1 == panels.len());
            let above = if upper { names } else { bare };
            let heading = Type::bold(14.0, INK);
            canvas.text(panel.name, (left, top - above), Align::Left, heading);
            let place = (plot(top), end);
            draw_panel(canvas, study, &marks, *panel, place, (upper, lower));
        }
    }))
}

/// Whether a panel shows how anything goes over time: a few stretches by themselves do not.
fn has_line(study: &Study<'_>, panel: &Panel) -> bool {
    study.rows.timeline.windows(2).any(|pair| {
        pair[0].strategy == pair[1].strategy && pair.iter().all(|row| (panel.value)(row).is_some())
    })
}

/// Whether a line of a panel stops and goes on.
fn has_gaps(study: &Study<'_>) -> bool {
    let of = |panel: &Panel, name: &str| {
        let own = study
            .rows
            .timeline
            .iter()
            .filter(|row| row.strategy == name);
        let known: Vec<bool> = own.map(|row| (panel.value)(row).is_some()).collect();
        let first = known.iter().position(|known| *known);
        let last = known.iter().rposition(|known| *known);
        let (Some(first), Some(last)) = (first, last) else {
            return false;
        };
        known[first..=last].contains(&false)
    };
    let drawn = PANELS.iter().filter(|panel| has_line(study, panel));
    drawn.into_iter().any(|panel| {
        let mut names = study.strategies.iter();
        names.any(|series| of(panel, &series.name))
    })
}

/// Draws a panel, and the names above the uppermost and below the lowest.
fn draw_panel(
    canvas: &Canvas<'_>,
    study: &Study<'_>,
    marks: &Marks<'_>,
    panel: Panel,
    (plot, end): (Plot, f64),
    (upper, lower): (bool, bool),
) {
    let values = study.rows.timeline.iter().filter_map(panel.value);
    let (low, high) = positive_range(values).unwrap_or_default();
    // A factor of eight and more is better seen by factors.
    let counts = panel.shows == Shows::Requests;
    let log = panel.shows == Shows::Times && high > 8.0 * low;
    let y = if log {
        Scale::log(low, high, plot.bottom, plot.top)
    } else if counts {
        let (_, most) = range(study.rows.timeline.iter().map(arrived)).unwrap_or_default();
        Scale::from_zero(most.max(high), plot.bottom, plot.top)
    } else {
        Scale::from_zero(high, plot.bottom, plot.top)
    };
    let x = Scale::linear(0.0, end, plot.left, plot.right);
    let Panel { name, unit, .. } = panel;
    let scale = if log { ", log scale" } else { "" };
    frame::y_axis(canvas, plot, &y, &format!("{name} ({unit}{scale})"));
    let below = if lower { "Simulated time (s)" } else { "" };
    frame::x_axis(canvas, plot, &x, below);
    marks.draw(canvas, plot, &x, end, upper);
    let (mut ends, mut lines) = (Vec::new(), Vec::new());
    let mut came: Vec<Vec<(f64, f64)>> = Vec::new();
    for series in study.strategies {
        let look = look(series.colour);
        let own = || {
            study
                .rows
                .timeline
                .iter()
                .filter(|row| row.strategy == series.name)
        };
        let middle = |row: &TimelineRow| x.at((row.from_s + row.to_s) / 2.0);
        if counts {
            // Most strategies see the same arrivals: drawn once. In closed loops they differ.
            let arrivals = own().map(|row| (middle(row), y.at(arrived(row)))).collect();
            if !came.contains(&arrivals) {
                canvas.line(&arrivals, MUTED, 0.9, 1.2, Some((1.5, 3.0)));
                lines.push(arrivals.clone());
                came.push(arrivals);
            }
        }
        let mut line = Line::new(canvas, look);
        for row in own() {
            match (panel.value)(row) {
                Some(value) => {
                    let at = (middle(row), y.at(value));
                    line.to(at, panel.shows != Shows::Times || is_whole(row));
                }
                // Where nothing is known, the line has a gap.
                None => line.flush(),
            }
        }
        line.flush();
        ends.extend(line.last.map(|(end_x, end_y)| (series, end_x, end_y)));
        lines.extend(line.drawn);
    }
    frame::end_labels(canvas, plot, &ends, &lines);
}

/// A line under way, that is thick where it tells the whole story.
struct Line<'c, 'a> {
    canvas: &'c Canvas<'a>,
    look: Look,
    run: Vec<(f64, f64)>,
    thick: bool,
    last: Option<(f64, f64)>,
    drawn: Vec<Vec<(f64, f64)>>,
}

impl<'c, 'a> Line<'c, 'a> {
    fn new(canvas: &'c Canvas<'a>, look: Look) -> Line<'c, 'a> {
        Line {
            canvas,
            look,
            run: Vec::new(),
            thick: true,
            last: None,
            drawn: Vec::new(),
        }
    }

    fn to(&mut self, at: (f64, f64), thick: bool) {
        if thick != self.thick && !self.run.is_empty() {
            // The step between the two kinds is thin.
            if self.thick {
                let from = self.last;
                self.flush();
                self.run.extend(from);
            } else {
                self.run.push(at);
                self.flush();
            }
        }
        self.thick = thick;
        self.run.push(at);
        self.last = Some(at);
    }

    fn flush(&mut self) {
        let (alpha, width) = if self.thick { (0.95, 2.2) } else { (0.9, 1.0) };
        if let [only] = self.run[..] {
            self.canvas.dot(only, 1.5, self.look.colour, alpha);
        }
        let Look { colour, dash, .. } = self.look;
        self.canvas.line(&self.run, colour, alpha, width, dash);
        self.drawn.push(std::mem::take(&mut self.run));
    }
}
