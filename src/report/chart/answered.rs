//! What is answered of what comes, over time, where faults or what is tried again keep much of it
//! from being answered though clients ask as they always do: a panel a strategy. What is tried
//! again stands on top of what comes, and falls to servers as well.

use super::canvas::{Align, Canvas, Type};
use super::events::Marks;
use super::frame::{self, AXIS, EDGE, Plot, WIDTH};
use super::goodput::{self, Waypoint};
use super::palette::{INK, MUTED, look};
use super::scale::{Scale, range};
use super::{Series, Study};

/// Where less than this share of what comes is answered, or of what is sent is new, something is
/// amiss.
const WHOLE: f64 = 0.9;

/// Panels have one axis, unless some are asked for so many times as much as others.
const ALIKE: f64 = 1.6;

/// Whether a stretch is worth a picture.
fn is_amiss(step: &Waypoint) -> bool {
    step.answered < WHOLE * step.offered || step.offered < WHOLE * step.sent
}

/// The most that is asked for or sent.
fn most(path: &[Waypoint]) -> f64 {
    path.iter().map(|step| step.sent).fold(0.0, f64::max)
}

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let paths: Vec<Vec<Waypoint>> = (study.strategies.iter())
        .map(|series| goodput::path(study, series))
        .collect();
    let steps = || paths.iter().flatten();
    let again = steps().any(|step| step.sent > step.offered);
    let may_fail = !study.events.is_empty() || !study.rows.faults.is_empty();
    if !(may_fail || again) || !steps().any(is_amiss) {
        return None;
    }
    let end = steps().map(|step| step.to_s).fold(0.0, f64::max);
    let offered = |path: &Vec<Waypoint>| range(path.iter().map(|step| step.offered));
    let (least, greatest) = range(paths.iter().filter_map(|path| Some(offered(path)?.1)))?;
    let one_axis = greatest <= ALIKE * least;
    let all = paths.iter().map(|path| most(path)).fold(0.0, f64::max);
    let count = study.strategies.len();
    let columns = match count {
        1 => 1,
        2..=4 => 2,
        _ => 3,
    };
    let (margin, gap_x, gap_y, tall) = (76.0, 62.0, 62.0, 210.0);
    let wide = (WIDTH - 2.0 * EDGE - margin - gap_x * (columns - 1) as f64) / columns as f64;
    let plot = |left: f64, top: f64| Plot {
        left,
        top,
        right: left + wide,
        bottom: top + tall,
    };
    let time = Scale::linear(0.0, end, 0.0, wide);
    let marks: Vec<Marks<'_>> = (study.strategies.iter())
        .map(|series| Marks::of(study, &series.name))
        .collect();
    let rooms = marks
        .iter()
        .map(|own| own.room(plot(0.0, 0.0), &time, true));
    let above = rooms.fold(0.0, f64::max);
    let first = frame::title_height(study) + 16.0 + above;
    let each = tall + gap_y + above;
    let height = first + count.div_ceil(columns) as f64 * each - above + 10.0;
    let what = match again {
        true => {
            "What was answered (thick) of what came (dotted), and all that was sent for it (thin): it was tried again"
        }
        false => "What was answered (thick) of what came (dotted)",
    };
    Some(Canvas::picture(WIDTH, height, |canvas| {
        frame::title(canvas, study, what);
        for (at, (series, path)) in study.strategies.iter().zip(&paths).enumerate() {
            let (column, row) = (at % columns, at / columns);
            let left = EDGE + margin + column as f64 * (wide + gap_x);
            let plot = plot(left, first + row as f64 * each);
            heading(canvas, (series, path), plot, above);
            let top = if one_axis { all } else { most(path) };
            let y = Scale::from_zero(top, plot.bottom, plot.top);
            let title = if column == 0 {
                "Requests (a second)"
            } else {
                ""
            };
            frame::y_axis(canvas, plot, &y, title);
            let x = Scale::linear(0.0, end, plot.left, plot.right);
            frame::x_grid(canvas, plot, &x);
            if at + columns >= count {
                let middle = ((plot.left + plot.right) / 2.0, plot.bottom + 38.0);
                canvas.text("Simulated time (s)", middle, Align::Centre, AXIS);
            }
            marks[at].draw(canvas, plot, &x, end, true);
            let line = |value: fn(&Waypoint) -> f64| -> Vec<(f64, f64)> {
                let middle = |step: &Waypoint| x.at((step.from_s + step.to_s) / 2.0);
                path.iter()
                    .map(|step| (middle(step), y.at(value(step))))
                    .collect()
            };
            if again {
                canvas.line(&line(|step| step.sent), INK, 0.8, 0.9, None);
            }
            canvas.line(
                &line(|step| step.offered),
                MUTED,
                0.9,
                1.2,
                Some((1.5, 3.0)),
            );
            let colour = look(series.colour).colour;
            canvas.line(&line(|step| step.answered), colour, 0.95, 2.2, None);
        }
    }))
}

/// Whose panel it is, and whether it was over by the end.
fn heading(canvas: &Canvas<'_>, (series, path): (&Series, &[Waypoint]), plot: Plot, above: f64) {
    let (bold, plain) = (
        Type::bold(13.5, look(series.colour).ink),
        Type::new(12.5, MUTED),
    );
    let said = goodput::back(path).map_or(String::new(), |(_, said)| said);
    let room = plot.right - plot.left - plain.width(&said) - 12.0;
    let name = bold.fit(&series.name, room);
    let y = plot.top - above;
    canvas.text(&name, (plot.left, y), Align::Left, bold);
    let after = plot.left + bold.width(&name) + 12.0;
    canvas.text(&said, (after, y), Align::Left, plain);
}
