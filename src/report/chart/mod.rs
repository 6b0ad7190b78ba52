//! Charts: functions from rows to SVG, and from SVG to PNG. No statistics are made here.

mod canvas;
mod events;
pub mod fit;
mod frame;
mod grid;
mod labels;
mod palette;
mod percentiles;
#[cfg(feature = "png")]
mod png;
mod scale;
mod sessions;
mod settling;
mod shares;
mod spread;
mod summary;
mod sweep;
mod timeline;
#[cfg(feature = "tune")]
pub mod tuning;
mod utilization;
pub mod validation;

pub use palette::{COLOURS, MEASURED, are_alike};
#[cfg(feature = "png")]
pub use png::{ChartError, png};

use super::rows::{
    LatencyRow, PairedRow, ServerRow, SessionRow, SettlingRow, SummaryRow, TimelineRow,
    UtilizationRow,
};
use super::sweep::SweepRow;

/// What the charts of one run are drawn from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Study<'a> {
    /// The scenario's question: the title of each chart.
    pub question: &'a str,
    /// What was run, in a line.
    pub scenario: &'a str,
    /// What is compared, in order.
    pub strategies: &'a [Series],
    /// What was measured at the real system, in order.
    pub measured: &'a [Series],
    /// Estimates.
    pub summary: &'a [SummaryRow],
    /// Differences.
    pub paired: &'a [PairedRow],
    /// Percentile spectra.
    pub latency: &'a [LatencyRow],
    /// The spectra that theory gives, where it is exact.
    pub exact: &'a [LatencyRow],
    /// How the warm-up was found.
    pub settling: &'a [SettlingRow],
    /// Servers.
    pub servers: &'a [ServerRow],
    /// Response times over time.
    pub timeline: &'a [TimelineRow],
    /// Utilization over time.
    pub utilization: &'a [UtilizationRow],
    /// Sessions lost.
    pub sessions: &'a [SessionRow],
    /// Estimates at each value of a sweep.
    pub sweep: &'a [SweepRow],
    /// What is swept.
    pub sweep_label: &'a str,
    /// What is swept with it, where two values are.
    pub sweep_and: Option<&'a str>,
    /// The metric that decides: the name of a column of `runs.csv`.
    pub judge: &'a str,
    /// What happens to servers at known times.
    pub events: &'a [Event],
    /// Seconds that are not measured.
    pub warmup_s: f64,
}

/// One of the things compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// Its name, as in the rows.
    pub name: String,
    /// Its number in the palette.
    pub colour: usize,
}

/// What happens to servers at a known time: a fault, or that they join or leave.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When it begins, in seconds.
    pub from_s: f64,
    /// When it ends; `None` where it does not.
    pub to_s: Option<f64>,
    /// What kind of event it is.
    pub kind: EventKind,
    /// What it is called.
    pub label: String,
}

/// Kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// Something is wrong between two places.
    Link,
    /// Servers are dead.
    Crash,
    /// Servers work more slowly.
    Slowdown,
    /// Servers get no new clients.
    Drain,
    /// Servers answer with errors.
    Errors,
    /// Servers join the pool.
    Join,
    /// Servers leave the pool.
    Leave,
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// The name of its file, without ending.
    pub name: &'static str,
    /// The picture.
    pub svg: String,
}

/// Draws all charts that there are data for.
pub fn draw(study: &Study<'_>) -> Vec<Chart> {
    type Draw = fn(&Study<'_>) -> Option<String>;
    let charts: [(&'static str, Draw); 12] = [
        ("summary", summary::draw),
        ("percentiles", percentiles::draw),
        ("timeline", timeline::draw),
        ("utilization", utilization::draw),
        ("utilization-spread", spread::draw),
        ("shares", shares::draw),
        ("sessions", sessions::draw),
        ("sweep-mean", sweep::mean),
        ("sweep-p99", sweep::p99),
        ("sweep-success", sweep::success),
        ("grid", grid::draw),
        ("settling", settling::draw),
    ];
    charts
        .into_iter()
        .filter_map(|(name, draw)| {
            Some(Chart {
                name,
                svg: draw(study)?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
