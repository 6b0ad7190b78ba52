//! How much is sent to each server over time: whether one that is slow, cold or suspected is
//! spared, and what the others get in its place.

use super::Study;
use super::scale::nice_step;
use super::server_map::{self, MapOf};
use crate::figures::number;

/// Parts of the scale between figures.
const PARTS: f64 = 4.0;

/// Drawn where anything happens: else each has its share all the time.
pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let happens = !study.events.is_empty() || !study.rows.faults.is_empty();
    if !happens {
        return None;
    }
    let quantity = MapOf {
        what: "Attempts a second, by server and time",
        nothing: "none",
        any_counts: true,
        of: |row| row.attempts / (row.to_s - row.from_s).max(f64::MIN_POSITIVE),
        top: 0.0,
        figure: number,
    };
    let most = MapOf::highest(study, quantity.of);
    let top = PARTS * nice_step(most / PARTS);
    server_map::draw(study, &MapOf { top, ..quantity })
}
