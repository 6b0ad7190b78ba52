//! How much is sent to each server over time: whether one that is slow, cold or suspected is
//! spared, and what the others get in its place.

use super::Study;
use super::server_map::{self, Mapped};
use crate::figures::number;
use crate::report::rows::UtilizationRow;

/// Drawn where anything happens: else each has its share all the time.
pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let happens = !study.events.is_empty() || !study.rows.faults.is_empty();
    let of = |row: &UtilizationRow| row.attempts / (row.to_s - row.from_s).max(f64::MIN_POSITIVE);
    let mapped = Mapped {
        what: "Attempts a second, by server and time",
        nothing: "none",
        any_counts: true,
        of,
        top: Mapped::round_top(Mapped::highest(study, of)),
        figure: number,
    };
    happens.then(|| server_map::draw(study, &mapped))?
}
