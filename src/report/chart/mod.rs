//! Charts: functions from a report to SVG, and from SVG to PNG. No statistics are made here.

mod answered;
mod attempts;
mod canvas;
mod detection;
mod events;
pub mod fit;
mod frame;
mod goodput;
mod grid;
mod kept;
mod labels;
mod paired;
mod palette;
mod percentiles;
#[cfg(feature = "png")]
mod png;
mod queues;
mod scale;
mod series;
mod server_map;
mod services;
mod sessions;
mod settling;
mod shares;
#[cfg(feature = "tune")]
pub mod sizing;
mod spread;
mod strips;
mod summary;
mod sweep;
mod timeline;
mod topology;
mod tradeoff;
#[cfg(feature = "tune")]
pub mod tuning;
mod typeface;
mod utilization;
pub mod validation;

use std::sync::LazyLock;

#[cfg(feature = "png")]
pub use png::{ChartError, png};

use super::Report;
use super::about::Event;
use super::rows::{SweepRow, Tables};
use crate::experiment::Metric;

/// Draws a chart, where there is anything to show.
type Draw = fn(&Study<'_>) -> Option<String>;

/// The charts of a run: the name of its file and what draws it, if there is something to show.
const CHARTS: &[(&str, Draw)] = &[
    ("summary", summary::draw),
    ("paired", paired::draw),
    ("percentiles", percentiles::draw),
    ("timeline", timeline::draw),
    ("goodput", goodput::draw),
    ("utilization", utilization::draw),
    ("queues", queues::draw),
    ("attempts", attempts::draw),
    ("utilization-spread", spread::draw),
    ("shares", shares::draw),
    ("services", services::draw),
    ("topology", topology::draw),
    ("detection", detection::draw),
    ("sessions", sessions::draw),
    ("sessions-kept", kept::draw),
    ("sessions-tradeoff", tradeoff::draw),
    ("cost-tradeoff", tradeoff::cost),
    ("sweep-mean", sweep::mean),
    ("sweep-p99", sweep::p99),
    ("sweep-success", sweep::success),
    ("sweep-judged", sweep::judged),
    ("grid", grid::draw),
    ("settling", settling::draw),
];

/// What the charts of one run are drawn from: its report, and who of it is shown in which colour.
#[derive(Clone, Copy, Debug)]
struct Study<'a> {
    /// The scenario's question: the title of each chart.
    question: &'a str,
    /// What was run, in a line.
    scenario: &'a str,
    /// What is compared, in order.
    strategies: &'a [Series],
    /// What was measured at the real system, in order.
    measured: &'a [Series],
    /// The rows of a run.
    rows: &'a Tables,
    /// Estimates at each value of a sweep.
    sweep: &'a [SweepRow],
    /// What is swept.
    sweep_label: &'a str,
    /// In what it is counted, where that is to be said.
    sweep_unit: &'a str,
    /// What is swept with it, where two values are.
    sweep_and: Option<&'a str>,
    /// The metric that decides.
    judge: Option<&'static Metric>,
    /// What happens to servers at known times.
    events: &'a [Event],
    /// Whether clients ask at rates that change by plan.
    rates_change: bool,
    /// Seconds that are not measured.
    warmup_s: f64,
}

impl<'a> Study<'a> {
    /// A title, and no rows.
    fn titled(question: &'a str, scenario: &'a str, strategies: &'a [Series]) -> Study<'a> {
        static NONE: LazyLock<Tables> = LazyLock::new(Tables::default);
        Study {
            question,
            scenario,
            strategies,
            measured: &[],
            rows: &NONE,
            sweep: &[],
            sweep_label: "",
            sweep_unit: "",
            sweep_and: None,
            judge: None,
            events: &[],
            rates_change: false,
            warmup_s: 0.0,
        }
    }
}

/// One of the things compared.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Series {
    /// Its name, as in the rows.
    name: String,
    /// Its number in the palette.
    colour: usize,
    /// What is said of it behind its name, which is cut before this is.
    figure: Option<String>,
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chart {
    /// The name of its file, without ending.
    pub name: &'static str,
    /// The picture.
    pub svg: String,
}

/// The number of each variant's colour, in order, as the charts have it; of more variants than can
/// be told apart, what charts do not show takes the colours again.
pub(super) fn colours(report: &Report) -> Vec<usize> {
    let about = &report.about;
    let shown = series::shown(about);
    let series = series::of(about, &shown, &series::measured(&report.tables));
    let of = |at: usize| shown.iter().position(|&own| own == at);
    (0..about.variants.len())
        .map(|at| of(at).map_or(at % palette::COLOURS, |place| series[place].colour))
        .collect()
}

/// Draws all charts of a report that there are data for.
pub(super) fn draw(report: &Report) -> Vec<Chart> {
    let about = &report.about;
    let shown = series::shown(about);
    let measured = series::measured(&report.tables);
    let strategies = series::of(about, &shown, &measured);
    let caption = series::caption(about, &shown);
    let swept = about.sweep.as_ref();
    pictures(&Study {
        measured: &measured,
        rows: &report.tables,
        sweep: &report.sweep.sweep,
        sweep_label: swept.map_or("", |sweep| &sweep.label),
        sweep_unit: swept.map_or("", |sweep| &sweep.unit),
        sweep_and: swept.and_then(|sweep| sweep.and.as_deref()),
        judge: about.judge(),
        events: &about.events,
        rates_change: about.rates_change,
        warmup_s: about.warmup.seconds(),
        ..Study::titled(&about.question, &caption, &strategies)
    })
}

/// The pictures of the list that there are data for.
fn pictures(study: &Study<'_>) -> Vec<Chart> {
    let drawn = CHARTS.iter();
    drawn
        .filter_map(|&(name, draw)| {
            Some(Chart {
                name,
                svg: draw(study)?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
