//! Response time over simulated time: the median above, the 99th percentile below, faults marked.

use super::canvas::{Align, Canvas, Type};
use super::frame::{self, EDGE, Plot, WIDTH};
use super::palette::{INK, look};
use super::scale::{Scale, positive_range};
use super::{Study, TimelineRow};

type Value = fn(&TimelineRow) -> Option<f64>;

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let end = study
        .timeline
        .iter()
        .map(|row| row.to_s)
        .fold(0.0, f64::max);
    let panels: [(&str, Value); 2] = [
        ("Median", |row| row.p50_ms),
        ("99th percentile", |row| row.p99_ms),
    ];
    let panels: Vec<_> = panels
        .into_iter()
        .filter(|(_, value)| study.timeline.iter().any(|row| value(row).is_some()))
        .collect();
    if panels.is_empty() || end <= 0.0 {
        return None;
    }
    let first = frame::title_height(study) + frame::fault_room(study.faults) + 22.0;
    let (tall, gap) = (290.0, 66.0);
    let height = first + panels.len() as f64 * (tall + gap) - gap + 72.0;
    let right = WIDTH - EDGE - frame::widest(study.strategies, 260.0) - 18.0;
    Some(Canvas::picture(WIDTH, height, |canvas| {
        frame::title(
            canvas,
            study,
            "Response time of the requests that arrived in each stretch of time",
        );
        for (at, (name, value)) in panels.iter().enumerate() {
            let top = first + at as f64 * (tall + gap);
            let plot = Plot {
                left: 104.0,
                top,
                right,
                bottom: top + tall,
            };
            let lowest_panel = at + 1 == panels.len();
            panel(
                canvas,
                study,
                plot,
                name,
                *value,
                end,
                at == 0,
                lowest_panel,
            );
        }
    }))
}

#[expect(clippy::too_many_arguments, reason = "what a panel is, said once")]
fn panel(
    canvas: &Canvas<'_>,
    study: &Study<'_>,
    plot: Plot,
    name: &str,
    value: Value,
    end: f64,
    upper: bool,
    lower: bool,
) {
    let values: Vec<f64> = study
        .timeline
        .iter()
        .filter_map(value)
        .filter(|v| *v > 0.0)
        .collect();
    let (low, high) = positive_range(values.iter().copied()).unwrap_or_default();
    // A factor of eight and more is better seen by factors.
    let log = high > 8.0 * low;
    let y = if log {
        Scale::log(low, high, plot.bottom, plot.top)
    } else {
        Scale::from_zero(high, plot.bottom, plot.top)
    };
    let x = Scale::linear(0.0, end, plot.left, plot.right);
    let unit = if log { "ms, log scale" } else { "ms" };
    frame::y_axis(canvas, plot, &y, &format!("{name} ({unit})"));
    frame::x_axis(
        canvas,
        plot,
        &x,
        if lower { "Simulated time (s)" } else { "" },
    );
    frame::mark_times(canvas, plot, &x, study, end, upper);
    let heading = Type::bold(14.0, INK);
    let above = if upper {
        plot.top - frame::fault_room(study.faults)
    } else {
        plot.top - 14.0
    };
    canvas.text(name, (plot.left, above), Align::Left, heading);
    let mut ends = Vec::new();
    for series in study.strategies {
        let look = look(series.colour);
        let mut run: Vec<(f64, f64)> = Vec::new();
        let mut last = None;
        for row in study
            .timeline
            .iter()
            .filter(|row| row.strategy == series.name)
        {
            match value(row) {
                Some(v) => {
                    let at = (x.at((row.from_s + row.to_s) / 2.0), y.at(v));
                    last = Some(at);
                    run.push(at);
                }
                // Where nothing is known, the line has a gap.
                None => flush(canvas, &mut run, look.colour, look.dash),
            }
        }
        flush(canvas, &mut run, look.colour, look.dash);
        ends.extend(last.map(|(end_x, end_y)| (series, end_x, end_y)));
    }
    frame::end_labels(canvas, plot, &ends);
}

fn flush(
    canvas: &Canvas<'_>,
    run: &mut Vec<(f64, f64)>,
    colour: plotters::style::RGBColor,
    dash: Option<(f64, f64)>,
) {
    if let [only] = run[..] {
        canvas.dot(only, 1.5, colour, 1.0);
    }
    canvas.line(run, colour, 0.95, 1.8, dash);
    run.clear();
}
