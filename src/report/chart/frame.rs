//! What charts have in common: title, plot with axes, labels at the ends of lines.

use super::canvas::{Align, Canvas, Type};
use super::labels::{self, Area};
use super::palette::{GRID, INK, Look, MUTED, PAPER, look};
use super::scale::Scale;
use super::{Series, Study};

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

impl Plot {
    /// So high from `top` on, with room at the right for the names of lines.
    pub(super) fn of_lines(strategies: &[Series], top: f64, tall: f64) -> Plot {
        Plot {
            left: 104.0,
            top,
            right: WIDTH - EDGE - widest(strategies, 260.0) - 18.0,
            bottom: top + tall,
        }
    }
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

/// The name of a strategy above its own plot, cut where it is wider than that; `at` is its left
/// end.
pub(super) fn heading(canvas: &Canvas<'_>, series: &Series, at: (f64, f64), wide: f64) {
    let bold = Type::bold(LABEL, look(series.colour).ink);
    canvas.text(&bold.fit(&series.name, wide), at, Align::Left, bold);
}

/// An estimate at `y` with its interval, a line between two ends, which are given in pixels.
pub(super) fn interval(canvas: &Canvas<'_>, y: f64, [from, at, to]: [f64; 3], look: Look) {
    canvas.line(&[(from, y), (to, y)], look.colour, 1.0, 3.0, None);
    for end in [from, to] {
        let cap = [(end, y - 6.0), (end, y + 6.0)];
        canvas.line(&cap, look.colour, 1.0, 2.0, None);
    }
    canvas.dot((at, y), 5.0, look.colour, 1.0);
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
    x_title(canvas, plot, title);
}

/// As [`x_axis`], of what is counted: there are no ticks between whole numbers.
pub(super) fn x_axis_of_whole(canvas: &Canvas<'_>, plot: Plot, scale: &Scale, title: &str) {
    x_ticks(canvas, plot, scale, |value| {
        (value - value.round()).abs() < 1e-9
    });
    x_title(canvas, plot, title);
}

fn x_title(canvas: &Canvas<'_>, plot: Plot, title: &str) {
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
    x_ticks(canvas, plot, scale, |_| true);
}

/// The ticks that are wanted of those that there is room for.
fn x_ticks(canvas: &Canvas<'_>, plot: Plot, scale: &Scale, wanted: fn(f64) -> bool) {
    let mut free = f64::MIN;
    let ticks = scale.ticks(((plot.right - plot.left) / 70.0) as usize + 1);
    for (value, name) in ticks.into_iter().filter(|&(value, _)| wanted(value)) {
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
        .map(|series| type_.width(&label(series, type_, f64::MAX)))
        .fold(0.0, f64::max)
        .min(most)
}

/// The name of a series, and its figure: where there is no room for both, the name is cut.
fn label(series: &Series, type_: Type, room: f64) -> String {
    let figure = (series.figure.as_ref()).map_or(String::new(), |figure| format!(": {figure}"));
    type_.fit(&series.name, room - type_.width(&figure)) + &figure
}

/// A line that ends so near to the edge of its plot has its name beside the plot.
const NEAR: f64 = 60.0;

/// Names where lines end. Of those that end near the right edge, at the right of the plot, moved
/// apart, with a thin line where one had to move; that line stays at the edge: right across the
/// plot it would pass for data. Of those that end before, in the plot, by a dot, where they cover
/// none of `lines` and no other name, if there is such a place.
pub(super) fn end_labels(
    canvas: &Canvas<'_>,
    plot: Plot,
    ends: &[(&Series, f64, f64)],
    lines: &[Vec<(f64, f64)>],
) {
    let (beside, within): (Vec<_>, Vec<_>) =
        ends.iter().partition(|(_, x, _)| *x >= plot.right - NEAR);
    let wanted: Vec<f64> = beside.iter().map(|&&(_, _, y)| y).collect();
    let apart = labels::push_apart(&wanted, 18.0, plot.top - 9.0, plot.bottom + 9.0);
    for (&&(series, x, y), at) in beside.iter().zip(apart) {
        let look = look(series.colour);
        let start = plot.right + 18.0;
        let points = [(x + 2.0, y), (plot.right + 6.0, y), (start - 3.0, at)];
        canvas.line(&points, look.colour, 0.7, 1.0, None);
        let type_ = Type::bold(LABEL, look.ink);
        canvas.text(
            &label(series, type_, WIDTH - start - 6.0),
            (start, at),
            Align::Left,
            type_,
        );
    }
    let named = |&&(series, x, y): &&(&Series, f64, f64)| {
        let type_ = Type::bold(LABEL, look(series.colour).ink);
        let name = label(series, type_, plot.right - plot.left - 16.0);
        let size = (type_.width(&name) + 6.0, 17.0);
        (name, type_, size, (x, y))
    };
    let named: Vec<_> = within.iter().map(named).collect();
    let wanted: Vec<_> = named.iter().map(|&(.., size, end)| (size, end)).collect();
    let room = Area {
        left: plot.left,
        top: plot.top,
        right: plot.right,
        bottom: plot.bottom,
    };
    let places = labels::by_ends(&wanted, room, lines);
    for ((name, type_, _, end), place) in named.iter().zip(&places) {
        canvas.area(
            (place.left, place.top),
            (place.right, place.bottom),
            PAPER,
            0.85,
        );
        if place.distance(*end) > labels::CLOSE {
            canvas.line(&[*end, place.nearest(*end)], type_.colour, 0.7, 1.0, None);
        }
        let middle = (place.top + place.bottom) / 2.0;
        canvas.text(name, (place.left + 3.0, middle), Align::Left, *type_);
    }
    for &&(series, x, y) in &within {
        canvas.dot((x, y), 4.0, look(series.colour).colour, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_before_its_figure() {
        let type_ = Type::bold(LABEL, INK);
        let mut series = Series {
            name: "least-response-time of a service with a long name".to_owned(),
            colour: 0,
            figure: Some("99.5% succeed".to_owned()),
        };
        let cut = label(&series, type_, 200.0);
        assert!(
            cut.starts_with("least") && cut.ends_with("…: 99.5% succeed"),
            "{cut}"
        );
        assert!(type_.width(&cut) <= 200.0);
        series.name = "random".to_owned();
        assert_eq!(label(&series, type_, 200.0), "random: 99.5% succeed");
        series.figure = None;
        assert_eq!(label(&series, type_, 200.0), "random");
    }
}
