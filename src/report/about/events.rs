//! What happens at known times, variant by variant: what charts mark.

use serde::{Deserialize, Serialize};

use crate::model::blueprint::{Blueprint, GroupPlan, When};
use crate::model::cold::Cold;
use crate::model::fault::{Effect, Fault, Strikes};
use crate::scenario::Scenario;
use crate::time::{Span, Time};

/// What happens at a known time: a fault, servers that join or leave, another rate of arrivals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// When it begins, in seconds.
    pub from_s: f64,
    /// When it ends; `None` where it does not.
    pub to_s: Option<f64>,
    /// What kind of event it is.
    pub kind: EventKind,
    /// What it is called.
    pub label: String,
    /// The names of the variants in which it happens; none where it happens in all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
}

/// Kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EventKind {
    /// Something is wrong between two places.
    Link,
    /// Servers are dead.
    Crash,
    /// Servers have started and are cold, after a crash or when they join.
    Cold,
    /// Servers work more slowly.
    Slowdown,
    /// Servers stand still.
    Pause,
    /// Servers work on fewer requests at once.
    Capacity,
    /// Servers get no new clients.
    Drain,
    /// Servers answer with errors.
    Errors,
    /// Servers join the pool.
    Join,
    /// Servers leave the pool.
    Leave,
    /// The rate of arrivals is higher for a while, or another from then on.
    Load,
}

impl EventKind {
    /// The kind of a fault.
    fn of(strikes: &Strikes) -> EventKind {
        match strikes {
            Strikes::Servers(_, Effect::Crash(..)) | Strikes::Balancers(..) => EventKind::Crash,
            Strikes::Servers(_, Effect::Slowdown { .. }) => EventKind::Slowdown,
            Strikes::Servers(_, Effect::Pause) => EventKind::Pause,
            Strikes::Servers(_, Effect::Slots(_)) => EventKind::Capacity,
            Strikes::Servers(_, Effect::Drain) => EventKind::Drain,
            Strikes::Servers(_, Effect::Answers { status, .. }) if !status.is_error() => {
                EventKind::Slowdown
            }
            Strikes::Servers(_, Effect::Answers { .. } | Effect::Hang(_)) => EventKind::Errors,
            Strikes::Ways(..) => EventKind::Link,
        }
    }
}

/// The faults that happen at given times, how long servers are cold after them, who joins and
/// leaves, and when the rate of arrivals changes, of all variants, each once.
pub(super) fn of(scenario: &Scenario) -> Vec<Event> {
    let mut found: Vec<Event> = Vec::new();
    for variant in &scenario.variants {
        for event in in_one(&variant.blueprint) {
            let same = |known: &&mut Event| {
                Event {
                    only: Vec::new(),
                    ..(**known).clone()
                } == event
            };
            let only = match found.iter_mut().find(same) {
                Some(known) => &mut known.only,
                None => {
                    found.push(event);
                    let last = found.len() - 1;
                    &mut found[last].only
                }
            };
            // Two faults of a variant may be the same.
            if only.last() != Some(&variant.name) {
                only.push(variant.name.clone());
            }
        }
    }
    for event in &mut found {
        if event.only.len() == scenario.variants.len() {
            event.only.clear();
        }
    }
    found
}

/// What happens in one variant.
fn in_one(blueprint: &Blueprint) -> Vec<Event> {
    let mut events = Vec::new();
    let mut add = |begins: Time, ends: Time, kind, label: String| {
        if begins < blueprint.end {
            events.push(Event {
                from_s: begins.seconds(),
                to_s: (ends < blueprint.end).then(|| ends.seconds()),
                kind,
                label,
                only: Vec::new(),
            });
        }
    };
    for fault in &blueprint.faults {
        let kind = EventKind::of(&fault.strikes);
        let colds = starts_cold(blueprint, fault);
        for (begins, ends) in fault.schedule.known_times(blueprint.end) {
            add(begins, ends, kind, fault.label.clone());
            for cold in &colds {
                let (warm, label) = cold_from(cold, ends, &fault.label);
                add(ends, warm, EventKind::Cold, label);
            }
        }
    }
    for service in &blueprint.services {
        for group in &service.groups {
            let name = service.full_name(&group.name);
            if group.joins > Time::ZERO {
                let label = format!("{name} joins");
                if let Some(cold) = &group.cold {
                    let (warm, label) = cold_from(cold, group.joins, &label);
                    add(group.joins, warm, EventKind::Cold, label);
                }
                add(group.joins, group.joins, EventKind::Join, label);
            }
            let label = format!("{name} leaves");
            add(group.leaves, group.leaves, EventKind::Leave, label);
        }
    }
    for source in &blueprint.sources {
        let whose = match blueprint.sources.len() {
            1 => String::new(),
            _ => format!(" ({})", source.name),
        };
        let When::Process(process) = &source.when else {
            continue;
        };
        for change in process.rate_changes() {
            let at = Time::ZERO + change.at;
            let (ends, label) = match change.peaks_until {
                Some(until) => (Time::ZERO + until, format!("peak of {}", change.rate)),
                None if change.rate.value() == 0.0 => (at, "no arrivals".to_owned()),
                None => (at, format!("arrivals at {}", change.rate)),
            };
            add(at, ends, EventKind::Load, format!("{label}{whose}"));
        }
    }
    events
}

/// How cold the servers are that come back from a fault, each way to be cold once.
fn starts_cold<'b>(blueprint: &'b Blueprint, fault: &Fault) -> Vec<&'b Cold> {
    let Strikes::Servers(servers, Effect::Crash(..)) = &fault.strikes else {
        return Vec::new();
    };
    let groups: Vec<&GroupPlan> = blueprint.server_groups().collect();
    let mut found: Vec<&Cold> = Vec::new();
    for cold in servers
        .iter()
        .filter_map(|&at| groups[at as usize].cold.as_ref())
    {
        if !found.contains(&cold) {
            found.push(cold);
        }
    }
    found
}

/// Until when it is cold who starts at this time (as the beginning, where the requests that it
/// serves decide that), and what that is called after what it started from.
fn cold_from(cold: &Cold, starts: Time, after: &str) -> (Time, String) {
    match (cold.lasts, cold.requests) {
        (None, Some(requests)) => (starts, format!("{after}: cold for {requests} requests")),
        (lasts, _) => {
            let lasts = lasts.unwrap_or(Span::ZERO);
            (starts + lasts, format!("{after}: cold for {lasts}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two servers, cold for a time, and one that is cold for so many requests; a second variant in
    /// which the crash of all of them is later.
    const COLD: &str = r#"
question = "q"
expect = "e"
[run]
duration = "60s"
[[clients]]
arrivals = { kind = "poisson", rate = "10/s" }
[[services]]
name = "web"
[[services.servers]]
name = "a"
count = 2
service = { kind = "constant", value = "1ms" }
cold = { speed = "20%", lasts = "8s" }
[[services.servers]]
name = "b"
joins = "30s"
service = { kind = "constant", value = "1ms" }
cold = { speed = "20%", requests = 50 }
[[faults]]
name = "crash"
kind = "crash"
servers = "web"
at = "40s"
lasts = "5s"
[[faults]]
kind = "slowdown"
servers = "web/a-1"
at = "10s"
speed = "50%"
[[variants]]
name = "early"
[[variants]]
name = "late"
set = { "faults.crash.at" = "50s" }
"#;

    #[test]
    fn what_happens_says_in_which_variants_and_how_long_it_is_cold_after_it() {
        let scenario = Scenario::from_text("cold.toml", COLD).unwrap();
        let found = of(&scenario);
        let said = found.iter().map(|event| {
            let Event {
                from_s,
                to_s,
                kind,
                label,
                only,
            } = event;
            (
                *from_s,
                *to_s,
                *kind,
                label.as_str(),
                only.first().map(String::as_str),
            )
        });
        use EventKind::{Cold, Crash, Join, Slowdown};
        let expected = [
            (40.0, Some(45.0), Crash, "crash", Some("early")),
            (45.0, Some(53.0), Cold, "crash: cold for 8s", Some("early")),
            // Nobody knows how long so many requests take.
            (
                45.0,
                Some(45.0),
                Cold,
                "crash: cold for 50 requests",
                Some("early"),
            ),
            (10.0, None, Slowdown, "slowdown of web/a-1", None),
            (
                30.0,
                Some(30.0),
                Cold,
                "web/b joins: cold for 50 requests",
                None,
            ),
            (30.0, Some(30.0), Join, "web/b joins", None),
            (50.0, Some(55.0), Crash, "crash", Some("late")),
            // To the end of the run.
            (55.0, None, Cold, "crash: cold for 8s", Some("late")),
            (
                55.0,
                Some(55.0),
                Cold,
                "crash: cold for 50 requests",
                Some("late"),
            ),
        ];
        assert_eq!(said.collect::<Vec<_>>(), expected);
        assert!(found.iter().all(|event| event.only.len() < 2));
    }
}
