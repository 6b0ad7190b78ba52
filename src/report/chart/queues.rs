//! How many wait at each server over time.

use super::Study;
use super::scale::nice_step;
use super::server_map::{self, MapOf};
use crate::figures::number;

/// Where so few wait at any time, there is nothing to see.
const FEW: f64 = 1.0;
/// Parts of the scale between figures.
const PARTS: f64 = 4.0;

pub(super) fn draw(study: &Study<'_>) -> Option<String> {
    let most = MapOf::highest(study, |row| row.waiting);
    let quantity = MapOf {
        what: "Requests that wait for a slot, by server and time",
        nothing: "hardly anybody",
        any_counts: false,
        of: |row| row.waiting,
        top: PARTS * nice_step(most / PARTS),
        figure: number,
    };
    (most >= FEW).then(|| server_map::draw(study, &quantity))?
}
