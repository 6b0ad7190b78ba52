//! How many wait at each server over time.

use super::Study;
use super::server_map::{self, Mapped};
use crate::figures::number;
use crate::report::rows::UtilizationRow;

/// Where so few wait at any time, there is nothing to see.
const FEW: f64 = 1.0;

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let of = |row: &UtilizationRow| row.waiting;
    let most = Mapped::highest(study, of);
    let mapped = Mapped {
        what: "Requests that wait for a slot, by server and time",
        nothing: "hardly anybody",
        any_counts: false,
        of,
        top: Mapped::round_top(most),
        figure: number,
    };
    (most >= FEW).then(|| server_map::draw(study, &mapped))?
}
