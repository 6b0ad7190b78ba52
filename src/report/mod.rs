//! What a run leaves behind: CSV rows (the struct is the schema), charts, tables, the manifest.

#[cfg(feature = "files")]
pub mod access_log;
pub mod chart;
pub mod csv;
#[cfg(feature = "files")]
pub mod folder;
pub mod manifest;
pub mod markdown;
#[cfg(feature = "files")]
pub mod requests;
pub mod rows;
pub mod summary;
pub mod sureness;
pub mod sweep;
pub mod table;
pub mod tables;
#[cfg(feature = "tune")]
pub mod tuning;
pub mod validation;
#[cfg(feature = "files")]
pub mod whole;
#[cfg(feature = "files")]
pub mod write;

use crate::experiment::{self, Outcome};
use crate::model::fault::{Effect, Strikes};
use crate::scenario::Scenario;
use crate::time::Time;
use chart::{Chart, Event, EventKind, Series, Study};
use sweep::SweepTables;
use tables::Tables;

/// The charts of a scenario, with a sweep or without.
pub fn all_charts(scenario: &Scenario, outcomes: &[Outcome]) -> Vec<Chart> {
    if scenario.sweep.is_some() {
        sweep_charts(scenario, outcomes, &SweepTables::new(scenario, outcomes))
    } else {
        charts(scenario, outcomes, &Tables::new(scenario, &outcomes[0]))
    }
}

/// The charts of a sweep.
pub fn sweep_charts(scenario: &Scenario, outcomes: &[Outcome], tables: &SweepTables) -> Vec<Chart> {
    let shown = shown(scenario, None);
    let series = series(scenario, &shown);
    let caption = caption(scenario, outcomes, &shown);
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
    let shown = shown(scenario, outcomes.first());
    let series = series(scenario, &shown);
    let measured: Vec<Series> = (scenario.measured.iter())
        .map(|measurement| Series {
            name: measurement.name.clone(),
            colour: chart::MEASURED,
        })
        .collect();
    let events = events(scenario);
    let exact = tables::exact_latency(scenario, &tables.latency);
    let caption = caption(scenario, outcomes, &shown);
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
        events: &events,
        warmup_s: scenario.warmup().seconds(),
        ..Study::default()
    })
}

/// Beyond as many as can be told apart, a chart shows so many, and says so.
const SHOWN: usize = 12;

/// The places of the variants that charts show: all that can be told apart; of more the baseline
/// and the best by the metric that decides (of a sweep the first), in the scenario's order.
fn shown(scenario: &Scenario, outcome: Option<&Outcome>) -> Vec<usize> {
    let count = scenario.variants.len();
    if count <= chart::COLOURS {
        return (0..count).collect();
    }
    let mut order: Vec<usize> = (0..count).collect();
    if let Some(outcome) = outcome {
        let judge = experiment::metric(scenario.judge_by);
        let less = judge.better != experiment::Better::More;
        let variants: Vec<_> = outcome.variants.iter().collect();
        let eligible = experiment::eligible(&variants, judge);
        let mut keys = vec![(true, f64::INFINITY); count];
        for (at, key) in keys.iter_mut().enumerate() {
            if let Some(value) = experiment::estimate(variants[at], judge).estimate {
                *key = (true, if less { value } else { -value });
            }
        }
        eligible.into_iter().for_each(|at| keys[at].0 = false);
        order.sort_by(|&one, &other| {
            let (one, other) = (keys[one], keys[other]);
            one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))
        });
    }
    let mut shown = vec![scenario.baseline];
    shown.extend(order.into_iter().filter(|&at| at != scenario.baseline));
    shown.truncate(SHOWN);
    shown.sort_unstable();
    shown
}

/// What was run, in a line, and what of it charts show.
fn caption(scenario: &Scenario, outcomes: &[Outcome], shown: &[usize]) -> String {
    let caption = scenario.caption(Outcome::span(outcomes));
    let count = scenario.variants.len();
    if shown.len() == count {
        return caption;
    }
    let which = if scenario.sweep.is_some() {
        "first".to_owned()
    } else {
        format!("best by {}", experiment::metric(scenario.judge_by).name)
    };
    format!(
        "{} of {count} shown, the baseline and the {which} · {caption}",
        shown.len()
    )
}

/// The name and colour of each variant that is shown. A strategy has the colour of its place in the
/// catalogue, in every scenario; where two variants share a strategy, or two strategies a colour,
/// the later ones take the next colours that are free.
fn series(scenario: &Scenario, shown: &[usize]) -> Vec<Series> {
    let mut taken: Vec<usize> = scenario.measured.iter().map(|_| chart::MEASURED).collect();
    let variants = || shown.iter().map(|&at| &scenario.variants[at]);
    let wanted: Vec<usize> = variants()
        .map(|variant| variant.strategy.index() % chart::COLOURS)
        .collect();
    variants()
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

/// The faults that happen at given times, and who joins and leaves, of all variants, each once.
fn events(scenario: &Scenario) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for variant in &scenario.variants {
        let blueprint = &variant.blueprint;
        let mut add = |begins: Time, ends: Time, kind, label: String| {
            let event = Event {
                from_s: begins.seconds(),
                to_s: (ends < blueprint.end).then(|| ends.seconds()),
                kind,
                label,
            };
            if begins < blueprint.end && !events.contains(&event) {
                events.push(event);
            }
        };
        for fault in &blueprint.faults {
            let kind = match &fault.strikes {
                Strikes::Servers(_, Effect::Crash(..)) | Strikes::Balancers(..) => EventKind::Crash,
                Strikes::Servers(_, Effect::Slowdown(_)) => EventKind::Slowdown,
                Strikes::Servers(_, Effect::Drain) => EventKind::Drain,
                Strikes::Servers(_, Effect::Errors(..)) => EventKind::Errors,
                Strikes::Ways(..) => EventKind::Link,
            };
            for (begins, ends) in fault.schedule.known_times(blueprint.end) {
                add(begins, ends, kind, fault.label.clone());
            }
        }
        for service in &blueprint.services {
            for group in &service.groups {
                let name = service.full_name(&group.name);
                if group.joins > Time::ZERO {
                    let label = format!("{name} joins");
                    add(group.joins, group.joins, EventKind::Join, label);
                }
                let label = format!("{name} leaves");
                add(group.leaves, group.leaves, EventKind::Leave, label);
            }
        }
    }
    events
}
