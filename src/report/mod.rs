//! What a run leaves behind: CSV rows (the struct is the schema), charts, tables, the manifest.

pub mod access_log;
pub mod chart;
pub mod folder;
pub mod manifest;
pub mod requests;
pub mod rows;
pub mod summary;
pub mod sureness;
pub mod sweep;
pub mod table;
pub mod tables;
pub mod tuning;
pub mod validation;
pub mod whole;
pub mod write;

use crate::experiment::{self, Outcome};
use crate::model::fault::Schedule;
use crate::scenario::Scenario;
use chart::{Chart, FaultMark, Series, Study};
use sweep::SweepTables;
use tables::Tables;

/// The charts of a sweep.
pub fn sweep_charts(scenario: &Scenario, outcomes: &[Outcome], tables: &SweepTables) -> Vec<Chart> {
    let series = series(scenario);
    let caption = scenario.caption(Outcome::span(outcomes));
    chart::draw(&Study {
        question: &scenario.question,
        scenario: &caption,
        strategies: &series,
        sweep: &tables.estimates,
        sweep_label: scenario.sweep.as_ref().map_or("", |sweep| &sweep.label),
        sweep_and: scenario
            .sweep
            .as_ref()
            .and_then(|sweep| sweep.and.as_deref()),
        judge: experiment::metric(scenario.judge_by).name,
        ..Study::default()
    })
}

/// The charts of a scenario.
pub fn charts(scenario: &Scenario, outcomes: &[Outcome], tables: &Tables) -> Vec<Chart> {
    let series = series(scenario);
    let measured: Vec<Series> = (scenario.measured.iter())
        .map(|measurement| Series {
            name: measurement.name.clone(),
            colour: chart::MEASURED,
        })
        .collect();
    let faults = faults(scenario);
    let exact = tables::exact_latency(scenario, &tables.latency);
    let caption = scenario.caption(Outcome::span(outcomes));
    chart::draw(&Study {
        question: &scenario.question,
        scenario: &caption,
        strategies: &series,
        measured: &measured,
        summary: &tables.summary,
        paired: &tables.paired,
        latency: &tables.latency,
        exact: &exact,
        settling: &tables.settling,
        servers: &tables.servers,
        timeline: &tables.timeline,
        utilization: &tables.utilization,
        sessions: &tables.sessions,
        faults: &faults,
        warmup_s: scenario.warmup().seconds(),
        ..Study::default()
    })
}

/// The name and colour of each variant. A strategy has the colour of its place in the catalogue, in every scenario; where two
/// variants share a strategy, or two strategies a colour, the later ones take the next colours that are free.
fn series(scenario: &Scenario) -> Vec<Series> {
    let mut taken: Vec<usize> = scenario.measured.iter().map(|_| chart::MEASURED).collect();
    let wanted: Vec<usize> = scenario
        .variants
        .iter()
        .map(|variant| variant.strategy.index() % chart::COLOURS)
        .collect();
    scenario
        .variants
        .iter()
        .zip(&wanted)
        .map(|(variant, &own)| {
            let like = |colour: usize| taken.iter().any(|&other| chart::are_alike(other, colour));
            let colour = if like(own) {
                let free = |&colour: &usize| !taken.contains(&colour) && !wanted.contains(&colour);
                (0..chart::COLOURS)
                    .find(|colour| free(colour) && !like(*colour))
                    .or_else(|| Some(own).filter(|own| !taken.contains(own)))
                    .or_else(|| (0..).find(free))
                    .unwrap_or(own)
            } else {
                own
            };
            taken.push(colour);
            Series {
                name: variant.name.clone(),
                colour,
            }
        })
        .collect()
}

/// The faults that happen at given times, of all variants, each once.
fn faults(scenario: &Scenario) -> Vec<FaultMark> {
    let mut marks: Vec<FaultMark> = Vec::new();
    for fault in scenario
        .variants
        .iter()
        .flat_map(|variant| &variant.blueprint.faults)
    {
        let Schedule::Once(begins, ends) = fault.schedule else {
            continue;
        };
        let end = scenario.variants[0].blueprint.end;
        let mark = FaultMark {
            from_s: begins.seconds(),
            to_s: (ends < end).then(|| ends.seconds()),
            label: fault.label.clone(),
        };
        if begins < end && !marks.contains(&mark) {
            marks.push(mark);
        }
    }
    marks
}
