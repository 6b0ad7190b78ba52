//! Charts: functions from rows to SVG, and SVG to PNG.
use super::rows::*;
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Study<'a> {
    pub question: &'a str,
    pub scenario: &'a str,
    pub strategies: &'a [Series],
    pub summary: &'a [SummaryRow],
    pub paired: &'a [PairedRow],
    pub latency: &'a [LatencyRow],
    pub servers: &'a [ServerRow],
    pub timeline: &'a [TimelineRow],
    pub utilization: &'a [UtilizationRow],
    pub sessions: &'a [SessionRow],
    pub faults: &'a [FaultMark],
    pub warmup_s: f64,
}
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Series {
    pub name: String,
    pub colour: usize,
}
#[derive(Debug, PartialEq)]
#[allow(missing_docs)]
pub struct FaultMark {
    pub from_s: f64,
    pub to_s: Option<f64>,
    pub label: String,
}
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Chart {
    pub name: &'static str,
    pub svg: String,
}
#[derive(Debug, thiserror::Error)]
#[error("no")]
#[allow(missing_docs)]
pub struct ChartError;
#[allow(missing_docs)]
pub fn draw(_: &Study<'_>) -> Vec<Chart> {
    vec![]
}
#[allow(missing_docs, clippy::missing_errors_doc)]
pub fn png(_: &str) -> Result<Vec<u8>, ChartError> {
    Ok(vec![])
}
