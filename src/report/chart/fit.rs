//! How well fitted servers do as the real ones did: quantiles of simulated response times against
//! those of the log.

use super::canvas::{Canvas, Type};
use super::frame::{self, EDGE, LABEL, Plot, WIDTH};
use super::palette::{INK, MUTED, look};
use super::scale::{Scale, positive_range};
use super::{Chart, Series, Study};
use crate::import::fit::Fitted;

/// Servers that are shown at most: those that are matched worst.
const MOST: usize = 8;

/// The quantile-quantile plot of servers, each with its name; `None` where there is none.
pub fn quantiles(question: &str, caption: &str, servers: &[(&str, &Fitted)]) -> Option<Chart> {
    let mut shown: Vec<&(&str, &Fitted)> = servers.iter().collect();
    shown.sort_by(|(_, one), (_, other)| other.quality.distance.total_cmp(&one.quality.distance));
    shown.truncate(MOST);
    // Times that a coarse clock shows as nothing have no place on a logarithmic axis.
    let points = |fitted: &Fitted| -> Vec<(f64, f64)> {
        let qq = fitted.quality.qq.iter();
        qq.filter(|(logged, simulated)| *logged > 0.0 && *simulated > 0.0)
            .map(|(logged, simulated)| (logged * 1e3, simulated * 1e3))
            .collect()
    };
    let all: Vec<f64> = shown
        .iter()
        .flat_map(|(_, fitted)| points(fitted))
        .flat_map(|(logged, simulated)| [logged, simulated])
        .collect();
    let (low, high) = positive_range(all)?;
    let series: Vec<Series> = shown
        .iter()
        .enumerate()
        .map(|(colour, (name, fitted))| Series {
            name: (*name).to_owned(),
            colour,
            figure: Some(format!("{:.1}%", fitted.quality.distance * 100.0)),
        })
        .collect();
    let study = Study::titled(question, caption, &series);
    let top = frame::title_height(&study) + 8.0;
    let plot = Plot {
        left: 104.0,
        top,
        right: WIDTH - EDGE - frame::widest(&series, 320.0) - 18.0,
        bottom: top + 560.0,
    };
    let x = Scale::log(low, high, plot.left, plot.right);
    let y = Scale::log(low, high, plot.bottom, plot.top);
    let svg = Canvas::picture(WIDTH, plot.bottom + 72.0, |canvas| {
        frame::title(
            canvas,
            &study,
            "Simulated against logged response times, percentile by percentile; beside each name the Kolmogorov distance",
        );
        frame::y_axis(canvas, plot, &y, "Simulated response time (ms)");
        frame::x_axis(canvas, plot, &x, "Logged response time (ms)");
        frame::x_grid(canvas, plot, &x);
        let equal = [(x.at(low), y.at(low)), (x.at(high), y.at(high))];
        canvas.line(&equal, INK, 0.8, 1.2, Some((5.0, 4.0)));
        let (mut ends, mut lines) = (Vec::new(), vec![equal.to_vec()]);
        for ((_, fitted), series) in shown.iter().zip(&series) {
            let own = points(fitted);
            for &(logged, simulated) in &own {
                let at = (x.at(logged), y.at(simulated));
                lines.push(vec![at]);
                canvas.dot(at, 3.2, look(series.colour).colour, 0.75);
            }
            if let Some(&(logged, simulated)) = own.last() {
                ends.push((series, x.at(logged), y.at(simulated)));
            }
        }
        frame::end_labels(canvas, plot, &ends, &lines);
        canvas.text(
            "dashed: equal; the last points are the 99.5th and the 99.9th percentile",
            (plot.left + 12.0, plot.top + 14.0),
            super::canvas::Align::Left,
            Type::new(LABEL, MUTED),
        );
    });
    Some(Chart { name: "fit", svg })
}
