//! The charts of `lbsim size`: what each requirement asks for, at each value that was tried, with
//! the intervals that decided and the limit.

use super::sweep::{Curve, draw as curve};
use super::{Chart, Series, Study};
use crate::experiment::Unit;
use crate::report::rows::SweepRow;
use crate::report::sizing::SizeTables;
use crate::report::sizing::rows::TriedRow;
use crate::requirement::Amount;
use crate::scenario::Scenario;
use crate::scenario::sizing::Sizing;

/// The names of the files: one for each requirement that there may be.
const NAMES: [&str; 20] = [
    "required-1",
    "required-2",
    "required-3",
    "required-4",
    "required-5",
    "required-6",
    "required-7",
    "required-8",
    "required-9",
    "required-10",
    "required-11",
    "required-12",
    "required-13",
    "required-14",
    "required-15",
    "required-16",
    "required-17",
    "required-18",
    "required-19",
    "required-20",
];

/// One chart a requirement, where more than one value was tried.
pub fn draw(base: &Scenario, sizing: &Sizing, tables: &SizeTables) -> Vec<Chart> {
    let situations = |row: &TriedRow| {
        let is_alone = tables
            .tried
            .iter()
            .all(|other| other.situation == row.situation);
        match is_alone {
            true => row.strategy.clone(),
            false => format!("{}, {}", row.strategy, row.situation),
        }
    };
    let label = sizing.label();
    let caption = base.file_name.clone();
    let each = sizing.objective.iter().zip(NAMES);
    each.filter_map(|(requirement, name)| {
        let text = requirement.to_string();
        let rows: Vec<SweepRow> = (tables.tried.iter())
            .filter(|row| row.requirement == text)
            .map(|row| SweepRow {
                value: row.value.clone(),
                at: row.at,
                strategy: situations(row),
                metric: text.clone(),
                estimate: row.estimate,
                half_width_95: row.half_width,
                n: row.replications,
                ..SweepRow::default()
            })
            .collect();
        let mut names: Vec<&str> = Vec::new();
        for row in &rows {
            if !names.contains(&row.strategy.as_str()) {
                names.push(&row.strategy);
            }
        }
        let series: Vec<Series> = (names.iter().enumerate())
            .map(|(colour, name)| Series {
                name: (*name).to_owned(),
                colour,
                figure: None,
            })
            .collect();
        let study = Study {
            sweep: &rows,
            sweep_label: &label,
            ..Study::titled(&base.question, &caption, &series)
        };
        let measure = requirement.measure().to_string();
        let svg = curve(
            &study,
            &Curve {
                metric: &text,
                unit: match requirement.measure().amount() {
                    Amount::Milliseconds => Unit::Milliseconds,
                    Amount::Seconds => Unit::Seconds,
                    Amount::Share => Unit::Share,
                    Amount::Rate => Unit::PerSecond,
                    Amount::Number => Unit::Count,
                },
                what: &format!(
                    "{measure} at each value tried; bands are the intervals that decide"
                ),
                axis: &measure,
                limit: requirement.value().map(|limit| (limit, text.as_str())),
                is_whole: sizing.values.iter().all(|value| value.at.fract() == 0.0),
            },
        )?;
        Some(Chart { name, svg })
    })
    .collect()
}
