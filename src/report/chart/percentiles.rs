//! Response time by percentile: a log-nines axis, on which the tail has as much room as the bulk.

use super::canvas::Canvas;
use super::frame::{self, EDGE, Plot, WIDTH};
use super::palette::{INK, look};
use super::scale::{Scale, positive_range, range};
use super::{Series, Study};
use crate::report::rows::{LatencyRow, SummaryRow};

/// A point with fewer requests above it is not to be relied on.
const RELIABLE: u64 = 100;

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    // The axis is made for what can be relied on. The least of all is none of the spectrum's shape.
    let times = |sure: bool| {
        let rows =
            study.rows.latency.iter().filter(move |row| {
                row.percentile > 0.0 && (!sure || row.requests_above >= RELIABLE)
            });
        positive_range(rows.map(|row| row.response_ms))
    };
    let (_, high) = times(false)?;
    let (low, _) = times(true).or(times(false))?;
    // A strategy that fails is drawn over all of its requests, failures as the worst: its line ends
    // at the share that succeeded.
    let succeeded = |series: &Series| {
        let own = |row: &&SummaryRow| row.strategy == series.name && row.metric == "success_share";
        let share = study
            .rows
            .summary
            .iter()
            .find(own)
            .and_then(|row| row.estimate);
        share
            .filter(|share| (0.0..1.0).contains(share))
            .unwrap_or(1.0)
    };
    let named = |series: &Series| match succeeded(series) {
        1.0 => series.clone(),
        share => Series {
            figure: Some(percent(share)),
            ..series.clone()
        },
    };
    let all: Vec<(Series, &Series, f64)> = (study.strategies.iter().chain(study.measured))
        .map(|series| (named(series), series, succeeded(series)))
        .collect();
    let ends = all.iter().map(|(_, series, share)| {
        let own = study
            .rows
            .latency
            .iter()
            .filter(|row| row.strategy == series.name);
        let last = own.map(|row| row.percentile).fold(0.0, f64::max);
        last * share
    });
    let (_, last) = range(ends)?;
    let fails = all.iter().any(|(_, _, share)| *share < 1.0);
    let names: Vec<Series> = all.iter().map(|(named, ..)| named.clone()).collect();
    let top = frame::title_height(study) + 8.0;
    let height = top + 560.0 + 72.0;
    let right = WIDTH - EDGE - frame::widest(&names, 260.0) - 18.0;
    let plot = Plot {
        left: 104.0,
        top,
        right,
        bottom: top + 560.0,
    };
    let x = Scale::nines(last, plot.left, plot.right);
    let y = Scale::log(low, high, plot.bottom, plot.top);
    Some(Canvas::picture(WIDTH, height, |canvas| {
        frame::title(
            canvas,
            study,
            if study.rows.exact_latency.is_empty() {
                "Response time by percentile, all replications; thin where fewer than 100 requests took longer"
            } else {
                "Response time by percentile, all replications; thin where fewer than 100 requests took longer; black: theory"
            },
        );
        frame::y_axis(
            canvas,
            plot,
            &y,
            "Response time of succeeded requests (ms, log scale)",
        );
        frame::x_axis(
            canvas,
            plot,
            &x,
            if fails {
                "Percentile of all requests, failures as the worst: a line ends where requests failed"
            } else {
                "Percentile (each nine as wide as the next)"
            },
        );
        let (mut ends, mut lines) = (Vec::new(), Vec::new());
        for (named, series, share) in &all {
            let look = look(series.colour);
            let own: Vec<_> = study
                .rows
                .latency
                .iter()
                .filter(|row| row.strategy == series.name && row.response_ms > 0.0)
                .collect();
            let point = |row: &&LatencyRow| (x.at(row.percentile * share), y.at(row.response_ms));
            let solid = own
                .iter()
                .take_while(|row| row.requests_above >= RELIABLE)
                .count();
            let points: Vec<(f64, f64)> = own.iter().map(point).collect();
            canvas.line(&points[..solid], look.colour, 1.0, 2.4, look.dash);
            canvas.line(
                &points[solid.saturating_sub(1)..],
                look.colour,
                0.55,
                1.1,
                look.dash,
            );
            if let Some(&(end_x, end_y)) = points.last() {
                ends.push((named, end_x, end_y));
            }
            lines.push(points);
        }
        for series in study.strategies {
            let own = study
                .rows
                .exact_latency
                .iter()
                .filter(|row| row.strategy == series.name);
            let points: Vec<(f64, f64)> = own
                .filter(|row| row.response_ms > low && row.response_ms < high)
                .map(|row| (x.at(row.percentile), y.at(row.response_ms)))
                .collect();
            canvas.line(&points, INK, 1.0, 1.2, Some((2.0, 4.0)));
            lines.push(points);
        }
        frame::end_labels(canvas, plot, &ends, &lines);
    }))
}

/// A share of requests, with as many digits as tell it from all of them.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let digits = (-(100.0 - percent).max(1e-6).log10())
        .ceil()
        .clamp(1.0, 6.0) as usize;
    format!("{percent:.digits$}% succeed")
}
