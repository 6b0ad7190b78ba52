//! What charts have in common: title, plot with axes, labels at the ends of lines, faults.

use super::canvas::{Align, Canvas, Type};
use super::palette::{FAULT, GRID, INK, MUTED, PAPER, look};
use super::scale::Scale;
use super::{FaultMark, Series, Study};

/// Width of every chart in pixels.
pub(super) const WIDTH: f64 = 1200.0;
/// Room at the left and right edges.
pub(super) const EDGE: f64 = 28.0;

pub(super) const TITLE: Type = Type::bold(23.0, INK);
pub(super) const SUBTITLE: Type = Type::new(14.0, MUTED);
pub(super) const AXIS: Type = Type::new(13.0, MUTED);
pub(super) const LABEL: f64 = 13.5;

/// A plot: where it lies, in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plot {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

/// How high the title will be.
pub(super) fn title_height(study: &Study<'_>) -> f64 {
    let lines = TITLE.wrap(study.question, WIDTH - 2.0 * EDGE).len();
    18.0 + 30.0 * lines as f64 + 38.0
}

/// The question, and what is shown of which run.
pub(super) fn title(canvas: &Canvas<'_>, study: &Study<'_>, what: &str) {
    let mut y = 34.0;
    for line in TITLE.wrap(study.question, WIDTH - 2.0 * EDGE) {
        canvas.text(&line, (EDGE, y), Align::Left, TITLE);
        y += 30.0;
    }
    let subtitle = SUBTITLE.fit(&format!("{what} · {}", study.scenario), WIDTH - 2.0 * EDGE);
    canvas.text(&subtitle, (EDGE, y - 2.0), Align::Left, SUBTITLE);
}

/// Grid, ticks and title of a vertical axis.
pub(super) fn y_axis(canvas: &Canvas<'_>, plot: Plot, scale: &Scale, title: &str) {
    let mut widest: f64 = 0.0;
    for (value, name) in scale.ticks(((plot.bottom - plot.top) / 60.0) as usize) {
        let y = scale.at(value);
        canvas.line(&[(plot.left, y), (plot.right, y)], GRID, 1.0, 1.0, None);
        canvas.text(&name, (plot.left - 9.0, y), Align::Right, AXIS);
        widest = widest.max(AXIS.width(&name));
    }
    canvas.text_upwards(
        title,
        (plot.left - widest - 28.0, (plot.top + plot.bottom) / 2.0),
        AXIS,
    );
}

/// Grid, ticks and title of a horizontal axis. Ticks whose names would touch are left out.
pub(super) fn x_axis(canvas: &Canvas<'_>, plot: Plot, scale: &Scale, title: &str) {
    x_grid(canvas, plot, scale);
    if !title.is_empty() {
        canvas.text(
            title,
            ((plot.left + plot.right) / 2.0, plot.bottom + 48.0),
            Align::Centre,
            AXIS,
        );
    }
}

/// Grid and ticks of a horizontal axis.
pub(super) fn x_grid(canvas: &Canvas<'_>, plot: Plot, scale: &Scale) {
    let mut free = f64::MIN;
    for (value, name) in scale.ticks(((plot.right - plot.left) / 70.0) as usize + 1) {
        let x = scale.at(value);
        canvas.line(&[(x, plot.top), (x, plot.bottom)], GRID, 1.0, 1.0, None);
        let half = AXIS.width(&name) / 2.0;
        if x - half > free {
            canvas.text(&name, (x, plot.bottom + 18.0), Align::Centre, AXIS);
            free = x + half + 8.0;
        }
    }
}

/// How wide the names of all series are, cut at `most`.
pub(super) fn widest(strategies: &[Series], most: f64) -> f64 {
    let type_ = Type::bold(LABEL, INK);
    strategies
        .iter()
        .map(|series| type_.width(&series.name))
        .fold(0.0, f64::max)
        .min(most)
}

/// A line that ends so near to the edge of its plot has its name beside the plot.
const NEAR: f64 = 60.0;

/// Names where lines end. Of those that end near the right edge, at the right of the plot, moved
/// apart, with a thin line where one had to move; that line stays at the edge: right across the
/// plot it would pass for data. Of those that end before, in the plot, behind a dot.
pub(super) fn end_labels(canvas: &Canvas<'_>, plot: Plot, ends: &[(&Series, f64, f64)]) {
    let (beside, within): (Vec<_>, Vec<_>) =
        ends.iter().partition(|(_, x, _)| *x >= plot.right - NEAR);
    let apart = |ends: &[(&Series, f64, f64)]| {
        let wanted: Vec<f64> = ends.iter().map(|&(_, _, y)| y).collect();
        super::labels::push_apart(&wanted, 18.0, plot.top - 9.0, plot.bottom + 9.0)
    };
    for (&(series, x, y), at) in beside.iter().zip(apart(&beside)) {
        let look = look(series.colour);
        let start = plot.right + 18.0;
        let points = [(x + 2.0, y), (plot.right + 6.0, y), (start - 3.0, at)];
        canvas.line(&points, look.ink, 0.45, 1.0, None);
        let type_ = Type::bold(LABEL, look.ink);
        canvas.text(
            &type_.fit(&series.name, WIDTH - start - 6.0),
            (start, at),
            Align::Left,
            type_,
        );
    }
    for (&(series, x, y), at) in within.iter().zip(apart(&within)) {
        let look = look(series.colour);
        let type_ = Type::bold(LABEL, look.ink);
        let name = type_.fit(&series.name, plot.right - plot.left - 16.0);
        let width = type_.width(&name);
        let start = (x + 10.0).min(plot.right - width - 4.0);
        // Above the end where there is no room after it, and never out of the plot.
        let lift = if start < x + 9.0 { 16.0 } else { 0.0 };
        let at = (at - lift).clamp(plot.top + 9.0, plot.bottom - 9.0);
        let box_ = ((start - 3.0, at - 8.0), (start + width + 3.0, at + 8.0));
        canvas.area(box_.0, box_.1, PAPER, 0.85);
        canvas.dot((x, y), 4.0, look.colour, 1.0);
        canvas.text(&name, (start, at), Align::Left, type_);
    }
}

/// Faults as bands over a plot, and the warm-up; names above the plot, in rows where they would
/// touch.
pub(super) fn mark_times(
    canvas: &Canvas<'_>,
    plot: Plot,
    scale: &Scale,
    study: &Study<'_>,
    end: f64,
    named: bool,
) {
    if study.warmup_s > 0.0 {
        canvas.area(
            (plot.left, plot.top),
            (scale.at(study.warmup_s), plot.bottom),
            MUTED,
            0.10,
        );
    }
    let small = Type::new(12.0, FAULT);
    let mut rows: Vec<f64> = Vec::new();
    for mark in study.faults {
        let (from, to) = (scale.at(mark.from_s), scale.at(mark.to_s.unwrap_or(end)));
        canvas.area(
            (from, plot.top),
            (to.max(from + 1.0), plot.bottom),
            FAULT,
            0.10,
        );
        canvas.line(
            &[(from, plot.top), (from, plot.bottom)],
            FAULT,
            0.7,
            1.0,
            None,
        );
        if !named {
            continue;
        }
        let text = small.fit(&mark.label, plot.right - plot.left);
        let width = small.width(&text);
        let x = from.min(plot.right - width);
        let row = rows.iter().position(|&free| x > free).unwrap_or(rows.len());
        if row < FAULT_ROWS {
            canvas.text(
                &text,
                (x, plot.top - 10.0 - 16.0 * row as f64),
                Align::Left,
                small,
            );
            let free = x + width + 12.0;
            if row == rows.len() {
                rows.push(free);
            } else {
                rows[row] = free;
            }
        }
    }
    if named && study.warmup_s > 0.0 {
        let muted = Type::new(12.0, MUTED);
        let width = scale.at(study.warmup_s) - plot.left;
        if width > muted.width("warm-up") + 8.0 {
            canvas.text(
                "warm-up",
                (plot.left + width / 2.0, plot.top + 12.0),
                Align::Centre,
                muted,
            );
        }
    }
}

/// Rows of fault names at most.
pub(super) const FAULT_ROWS: usize = 3;

/// Room above a plot for the names of faults.
pub(super) fn fault_room(faults: &[FaultMark]) -> f64 {
    14.0 + 16.0 * faults.len().min(FAULT_ROWS) as f64
}
