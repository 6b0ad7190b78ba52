//! How busy each server is over time.

use super::Study;
use super::server_map::{self, Mapped};
use crate::figures::percent;

/// Ends of the scale: round shares.
const TOPS: [f64; 8] = [0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0];

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let most = Mapped::highest(study, |row| row.utilization);
    let mapped = Mapped {
        what: "Share of slot time in use, by server and time",
        nothing: "no work",
        any_counts: true,
        of: |row| row.utilization,
        top: TOPS.into_iter().find(|top| most <= *top).unwrap_or(1.0),
        figure: percent,
    };
    server_map::draw(study, &mapped)
}
