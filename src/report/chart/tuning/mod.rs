//! The charts of `lbsim tune`.

mod convergence;
mod front;
mod landscape;
mod sensitivity;

use super::{Chart, Series, Study, percentiles};
use crate::experiment;
use crate::report::rows::Tables;
use crate::report::tuning::TuneTables;
use crate::tune::Space;

/// The colour of what was found.
const TUNED: usize = 0;
/// The colour of the current configuration.
const CURRENT: usize = 5;
/// The colour of the simple rule.
const CAPACITY: usize = 3;

/// All that there are data for.
pub fn draw(space: &Space<'_>, tables: &TuneTables) -> Vec<Chart> {
    let names = [
        ("current", CURRENT),
        ("capacity", CAPACITY),
        ("tuned", TUNED),
    ];
    let series: Vec<Series> = names
        .into_iter()
        .filter(|(name, _)| tables.latency.iter().any(|row| row.strategy == *name))
        .map(|(name, colour)| Series {
            name: name.to_owned(),
            colour,
            figure: None,
        })
        .collect();
    let objective = experiment::metric(space.tuning.objective);
    let situation = match &space.tuning.situations[..] {
        [_] => String::new(),
        [first, ..] => format!(" · situation: {}", first.name),
        [] => String::new(),
    };
    let caption = space.base.file_name.clone();
    let spectra = format!("{caption}{situation} · requests that the search has not seen");
    let study = |scenario| Study {
        judge: Some(objective),
        ..Study::titled(&space.base.question, scenario, &series)
    };
    let rows = Tables {
        latency: tables.latency.clone(),
        ..Tables::default()
    };
    let with_spectra = Study {
        rows: &rows,
        ..study(&spectra)
    };
    let pictures = [
        (
            "convergence",
            convergence::draw(&study(&caption), &tables.search),
        ),
        ("percentiles", percentiles::draw(&with_spectra)),
        (
            "sensitivity",
            sensitivity::draw(&study(&caption), &tables.sensitivity),
        ),
        (
            "landscape",
            landscape::draw(&study(&caption), &tables.landscape),
        ),
        ("front", front::draw(&study(&caption), &tables.front)),
    ];
    pictures
        .into_iter()
        .filter_map(|(name, svg)| Some(Chart { name, svg: svg? }))
        .collect()
}
