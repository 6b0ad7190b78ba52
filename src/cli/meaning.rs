//! What a scenario means, in a few lines: what is compared, what comes, what servers can do, how
//! busy they will be, and what theory says.

use std::collections::BTreeSet;

use super::loads::{capacities, loads};
use super::output::Output;
use crate::experiment::{self, Exact};
use crate::figures::{number, percent, seconds, span};
use crate::model::blueprint::{Blueprint, ServicePlan, When};
use crate::model::fault::{Fault, Schedule, Stage, Strikes};
use crate::prose::{counted, listed};
use crate::scenario::{Scenario, Variant};
use crate::time::{Span, Time};

/// Of a kind of thing so many are shown, and how many more there are.
const SHOWN: usize = 3;

/// What a scenario means; whole where `whole`, else the first few of each kind of thing.
pub(super) fn meaning(scenario: &Scenario, whole: bool, output: &Output) -> String {
    let bold = anstyle::Style::new().bold();
    let first = &scenario.variants[0].blueprint;
    let mut lines = MeaningLines {
        text: format!(
            "{bold}{}{bold:#}\n{}\n\n",
            scenario.question.trim(),
            scenario.caption(scenario.replications())
        ),
        whole,
        output,
    };
    lines.add("compares", [compared(scenario, whole)]);
    let sources = first.sources.iter();
    lines.add(
        "offered load",
        sources.map(|source| format!("{}: {}", source.name, comes(source, first))),
    );
    let under = |(what, who): (String, Vec<&str>)| {
        (!what.is_empty()).then(|| format!("{what} under {}", names(&who, whole)))
    };
    for (index, service) in first.services.iter().enumerate() {
        let used = scenario.by_saying(|variant| used(variant, index));
        let (alike, unlike) = match used.as_slice() {
            [(one, _)] => (one.clone(), Vec::new()),
            _ => (String::new(), used),
        };
        let what = servers(scenario, index);
        let between = if alike.is_empty() { "" } else { "; " };
        lines.add(
            "service",
            [format!("{}: {what}{between}{alike}", service.name)],
        );
        lines.add("", unlike.into_iter().filter_map(under));
        let each = scenario.by_saying(|variant| by_group(&variant.blueprint, index));
        lines.add("", each.into_iter().filter_map(under));
    }
    let parts = scenario.by_saying(|variant| match whole {
        true => format!("{:#}", variant.blueprint.parts()),
        false => variant.blueprint.parts().to_string(),
    });
    lines.add(
        "parts",
        match parts.as_slice() {
            [(one, _)] => vec![one.clone()],
            _ => parts.into_iter().filter_map(under).collect(),
        },
    );
    let theory = scenario.by_saying(theory);
    lines.add("in theory", theory.into_iter().filter_map(under));
    lines.add(
        "faults",
        first
            .faults
            .iter()
            .map(|fault| format!("{}: {}, {}", fault.label, when(fault), struck(first, fault))),
    );
    lines.add(
        "required",
        (!scenario.requirements.is_empty())
            .then(|| counted(scenario.requirements.len() as u64, "line")),
    );
    let mut text = lines.text;
    if scenario.variants.iter().any(|one| one.blueprint.rebuilds()) {
        text += "\nUtilization is without `rebuild`: how often a state is not there depends on the run.\n";
    }
    text
}

/// MeaningLines with what they are about before them.
struct MeaningLines<'o> {
    text: String,
    whole: bool,
    output: &'o Output,
}

impl MeaningLines<'_> {
    /// Things of a kind; nothing where there are none.
    fn add(&mut self, about: &str, things: impl IntoIterator<Item = String>) {
        let things: Vec<String> = things.into_iter().collect();
        let shown = if self.whole || things.len() == SHOWN + 1 {
            things.len()
        } else {
            SHOWN
        };
        let mut about = about;
        for thing in things.iter().take(shown) {
            self.text += &self.output.beside(about, 14, thing);
            about = "";
        }
        if things.len() > shown {
            self.text += &format!(
                "{:14}and {} more (`--resolved` shows all)\n",
                "",
                things.len() - shown
            );
        }
    }
}

/// What is compared, over which time, and by what it is judged.
fn compared(scenario: &Scenario, whole: bool) -> String {
    let variants = scenario.variants.iter();
    let variants: Vec<String> = variants
        .map(|variant| match strategy(variant) {
            strategy if whole && !strategy.is_empty() => format!("{} ({strategy})", variant.name),
            _ => variant.name.clone(),
        })
        .collect();
    let sweep = scenario.sweep.as_ref().map_or(String::new(), |sweep| {
        format!(" · at {} values of {}", sweep.points.len(), sweep.label)
    });
    format!(
        "{}{sweep} · by {}, from {} on",
        names(&variants, whole),
        experiment::metric(scenario.judge_by).name,
        span(scenario.warmup())
    )
}

/// Names, which may have commas in them.
fn names(names: &[impl AsRef<str>], whole: bool) -> String {
    let shown = match names.len() {
        all if whole || all == SHOWN + 1 => all,
        all => all.min(SHOWN),
    };
    let own: Vec<&str> = names[..shown].iter().map(AsRef::as_ref).collect();
    let more = match names.len() - shown {
        0 => String::new(),
        more => format!("; {more} more"),
    };
    own.join("; ") + &more
}

/// How many requests come from a group of clients.
fn comes(source: &crate::model::blueprint::SourcePlan, plan: &Blueprint) -> String {
    match (&source.when, source.rate(plan.end - Time::ZERO)) {
        (When::Closed(think), _) => format!(
            "closed loop of {}, thinking {} on average",
            counted(source.population.popularity.count(), "user"),
            seconds(think.mean())
        ),
        (_, Some(rate)) => format!("{} requests/s on average", number(rate)),
        (_, None) => "unknown".to_owned(),
    }
}

/// How much of what a service can do is asked for.
fn used(variant: &Variant, service: usize) -> String {
    let mut groups = variant.blueprint.services[service].groups.iter();
    let scaled = groups.any(|group| group.autoscale.is_some());
    match &loads(&variant.blueprint)[service].1 {
        None => String::new(),
        Some(load) if scaled => {
            format!("utilization {} with all there are at most", percent(*load))
        }
        Some(load) => format!("utilization {}", percent(*load)),
    }
}

/// How busy the servers of each group will be where that is known beforehand, for the strategy is
/// blind; nothing where it is not known, or where all are equally busy.
fn by_group(plan: &Blueprint, service: usize) -> String {
    let Some(loads) = plan.blind_utilization(service) else {
        return String::new();
    };
    let own = &plan.services[service];
    let each = own.groups.iter().enumerate().map(|(index, group)| {
        let load = (own.servers.iter().zip(&loads)).find(|(server, _)| server.group == index);
        (&group.name, load.map_or(0.0, |(_, load)| *load))
    });
    let each: Vec<(&String, f64)> = each.collect();
    let distinct: BTreeSet<String> = each.iter().map(|(_, load)| percent(*load)).collect();
    if distinct.len() < 2 {
        return String::new();
    }
    let told = each.iter().map(|(name, load)| {
        let much = if *load >= 1.0 { " (overloaded)" } else { "" };
        format!("{name} {}{much}", percent(*load))
    });
    format!("utilization {}", listed(told))
}

/// What theory says of a variant, where it is exact.
fn theory(variant: &Variant) -> String {
    Exact::of(variant).map_or(String::new(), |exact| {
        format!(
            "{}, mean response time {}",
            exact.model,
            seconds(exact.mean())
        )
    })
}

/// The strategy of a variant where its name is another.
fn strategy(variant: &Variant) -> String {
    let brief = variant.strategy.brief();
    if brief == variant.name || variant.strategy.label() == variant.name {
        String::new()
    } else {
        brief
    }
}

/// How many servers a service has, and what they can do: under each strategy that is compared, for
/// some let servers stand by.
fn servers(scenario: &Scenario, service: usize) -> String {
    let plans = || scenario.variants.iter().map(|one| &one.blueprint);
    let range = |values: Vec<f64>| {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(0.0, f64::max);
        if least == most {
            number(most)
        } else {
            format!("{} to {}", number(least), number(most))
        }
    };
    let counts = |of: fn(&ServicePlan) -> usize| -> Vec<f64> {
        plans()
            .map(|plan| of(&plan.services[service]) as f64)
            .collect()
    };
    let idle = counts(|own| own.in_charge().iter().filter(|serves| !**serves).count());
    let stand_by = if idle.iter().all(|count| *count == 0.0) {
        String::new()
    } else {
        format!(
            ", of which {} {} nothing while all are well",
            range(idle.clone()),
            if idle.iter().all(|count| *count == 1.0) {
                "gets"
            } else {
                "get"
            }
        )
    };
    let all = range(counts(|own| own.servers.len()));
    let scaled = |own: &ServicePlan| own.groups.iter().any(|group| group.autoscale.is_some());
    let bounds = match plans().any(|plan| scaled(&plan.services[service])) {
        true => {
            let start = |own: &ServicePlan| -> usize {
                let groups = own
                    .groups
                    .iter()
                    .filter_map(|group| group.autoscale.as_ref());
                let away = groups.map(|scale| (scale.settings.most - scale.start) as usize);
                own.servers.len() - away.sum::<usize>()
            };
            format!(" at most, {} at the start", range(counts(start)))
        }
        false => String::new(),
    };
    let noun = if all == "1" { "server" } else { "servers" };
    let most: Vec<f64> = plans().map(|plan| capacities(plan)[service]).collect();
    // Work that takes no time has no end.
    let most = if most.iter().all(|rate| rate.is_finite()) {
        format!("{} requests/s at most", range(most))
    } else {
        "any number of requests/s, for they take no time".to_owned()
    };
    format!("{all} {noun}{bounds}{stand_by}; {most}")
}

/// When a fault strikes.
fn when(fault: &Fault) -> String {
    match &fault.schedule {
        Schedule::Once(begins, ends) if *ends == Time::NEVER => {
            format!("from {} on", span(*begins - Time::ZERO))
        }
        Schedule::Once(begins, ends) => {
            format!(
                "{} to {}",
                span(*begins - Time::ZERO),
                span(*ends - Time::ZERO)
            )
        }
        Schedule::Turn(turn) => {
            let when = span(turn.earliest - Time::ZERO);
            match turn.stage {
                Stage::Drain(at_most) => format!(
                    "from {when} at the earliest, for {} at most before it goes down",
                    span(at_most)
                ),
                Stage::Down { lasts, .. } => {
                    format!("from {when} at the earliest, for {}", span(lasts))
                }
                Stage::Released(Time::NEVER) => format!("from {when} at the earliest"),
                Stage::Released(until) => {
                    format!(
                        "from {when} at the earliest to {}",
                        span(until - Time::ZERO)
                    )
                }
            }
        }
        Schedule::Again {
            well,
            ill,
            together,
            ..
        } => format!(
            "{} {}, again {} after each end, for {}{}{}",
            if well.is_random() { "from" } else { "first at" },
            span(fault.schedule.begins() - Time::ZERO),
            span(Span::from_seconds(well.mean())),
            span(Span::from_seconds(ill.mean())),
            if fault.schedule.is_random() {
                ", on average"
            } else {
                ""
            },
            if *together { ", all together" } else { "" }
        ),
    }
}

/// Whom a fault strikes.
fn struck(plan: &Blueprint, fault: &Fault) -> String {
    let name_of = |server: u32| plan.server_names().nth(server as usize).unwrap_or_default();
    let some = match fault.only {
        Some(only) if (only as usize) < fault.servers().len() => format!("{only} of "),
        _ => String::new(),
    };
    match &fault.strikes {
        Strikes::Servers(servers, _) => match servers.as_slice() {
            [] => "nobody".to_owned(),
            [one] => name_of(*one),
            [one, .., last] => format!(
                "{some}{} servers, {} to {}",
                servers.len(),
                name_of(*one),
                name_of(*last)
            ),
        },
        Strikes::Balancers(balancers, _) => {
            let name = |&(service, number): &(u16, u16)| {
                let service = &plan.services[usize::from(service)];
                service.full_name(&(number + 1).to_string())
            };
            let names: Vec<String> = balancers.iter().map(name).collect();
            format!(
                "{} {}",
                counted(names.len() as u64, "balancer"),
                names.join(", ")
            )
        }
        Strikes::Ways(ways, _) => {
            let (from, to) = (ways.from.len() as u64, ways.to.len() as u64);
            let way = if ways.one_way { "one way" } else { "both ways" };
            format!(
                "{} and {}, {way}",
                counted(from, "place"),
                counted(to, "place")
            )
        }
    }
}
