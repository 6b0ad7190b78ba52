//! What a careful colleague would say of a scenario or its results. Each warning has a code, which `lbsim explain` tells more of.

use std::fmt;

use serde::Serialize;

use super::Variant;
use super::file::Metric;
use crate::model::blueprint::{Blueprint, When};
use crate::model::fault::Schedule;
use crate::time::Time;

/// Something to bear in mind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Warning {
    /// Which: one of [`CATALOGUE`].
    pub code: &'static str,
    /// What it is about here, a sentence.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.text, self.code)
    }
}

/// A kind of warning: its code, a line, and more.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The code.
    pub code: &'static str,
    /// What it says, in a line.
    pub summary: &'static str,
    /// Why it matters, and what to do.
    pub text: &'static str,
}

/// All warnings, those of scenarios first, then those of results.
pub const CATALOGUE: &[Entry] = &[
    Entry {
        code: "overloaded",
        summary: "More is asked for than the servers can do.",
        text: "Queues grow for as long as the run lasts, so every response time says how long that was and nothing else. Lower the rate, add servers, or bound what waits (`timeout`, `queue-limit`) and look at the success rate instead.",
    },
    Entry {
        code: "closed-loop",
        summary: "Users wait for their answer before they ask again.",
        text: "A closed loop slows down with its servers: it can never overload them, and its response times are far below those of an open one at the same utilization (Schroeder, Wierman and Harchol-Balter, NSDI 2006). Right for batch jobs and a fixed number of workers; for visitors of a site use Poisson arrivals.",
    },
    Entry {
        code: "fault-in-warmup",
        summary: "A fault begins before the measured window does.",
        text: "What it does at once is not counted, and what is counted did not begin in a steady state. Let the warm-up end before the fault begins.",
    },
    Entry {
        code: "heavy-tail",
        summary: "Service times vary so much that means are hardly known.",
        text: "The mean wait depends on the third moment of the service time: with a squared coefficient of variation above 10 a few requests decide it, and intervals of means are too narrow. Judge by quantiles, give a `max`, and use more replications.",
    },
    Entry {
        code: "few-replications",
        summary: "So few replications that intervals are wide or missing.",
        text: "Student's t with one degree of freedom is 12.7, with four 2.8, with nine 2.3. With a single replication there is no interval at all. Use 10, or a `precision`.",
    },
    Entry {
        code: "hot-key",
        summary: "One client or key asks for more than a server can do, and a hash keeps it at one server.",
        text: "However many servers there are, that one is overloaded. Bounded loads, a finer key, or a strategy that does not hash will help.",
    },
    Entry {
        code: "too-few-above",
        summary: "Too few requests took longer than a quantile for it to be known.",
        text: "A quantile with fewer than 100 requests above it rests on a handful of values, and is not given. Run longer, or more replications, or judge by a lower quantile.",
    },
    Entry {
        code: "not-settled",
        summary: "Response times still changed when the run ended.",
        text: "The rule MSER-5 (White, Cobb and Spratt 2000), applied to the response times of the measured window stretch by stretch, finds no steady state: the warm-up is too short, or a server gets more than it can do and its queue grows. Figures depend on the length of the run. `warmup = \"auto\"` finds the warm-up, and says what is wrong where there is none.",
    },
    Entry {
        code: "failures-hidden",
        summary: "Many requests failed, and response times are of those that did not.",
        text: "A strategy that fails the slow requests looks quick. Read `mean_all_ms` and `p99_all_ms`, which count failures too, beside the success rate, or judge by `success-share` or `goodput`.",
    },
];

fn warning(code: &'static str, text: String) -> Warning {
    debug_assert!(CATALOGUE.iter().any(|entry| entry.code == code));
    Warning { code, text }
}

/// What can be said of a scenario before it is run, each once.
pub(super) fn of(variants: &[Variant], replications: u32, judge: Metric) -> Vec<Warning> {
    let mut found = Vec::new();
    for variant in variants {
        let plan = &variant.blueprint;
        overload(plan, &mut found);
        loops(plan, &mut found);
        faults(plan, &mut found);
        tails(plan, judge, &mut found);
        hot_keys(variant, &mut found);
    }
    // A trace is one and the same in each replication.
    let is_traced = |variant: &Variant| {
        let mut sources = variant.blueprint.sources.iter();
        sources.all(|source| matches!(source.when, When::Trace(_)))
    };
    if replications < 4 && !variants.iter().all(is_traced) {
        found.push(warning(
            "few-replications",
            match replications {
                1 => "a single replication says nothing of how sure the figures are".to_owned(),
                n => format!("{n} replications say little of how sure the figures are"),
            },
        ));
    }
    found.sort();
    found.dedup();
    found
}

fn overload(plan: &Blueprint, found: &mut Vec<Warning>) {
    for (index, service) in plan.services.iter().enumerate() {
        if let Some(load) = plan.utilization(index).filter(|&load| load >= 1.0) {
            found.push(warning(
                "overloaded",
                format!(
                    "service `{}` is overloaded: it is offered {:.0}% of its capacity, so queues grow as long as the run lasts, and means depend on its length",
                    service.name,
                    load * 100.0
                ),
            ));
        }
    }
}

fn loops(plan: &Blueprint, found: &mut Vec<Warning>) {
    for source in &plan.sources {
        if matches!(source.when, When::Closed(_)) {
            found.push(warning(
                "closed-loop",
                format!("`{}` wait for their answer before they ask again: do not read the response times as those of visitors", source.name),
            ));
        }
    }
}

fn faults(plan: &Blueprint, found: &mut Vec<Warning>) {
    for fault in &plan.faults {
        if let Schedule::Once(begins, _) = fault.schedule
            && begins < plan.warmup
            && begins > Time::ZERO
        {
            found.push(warning(
                "fault-in-warmup",
                format!(
                    "`{}` begins at {}, within the warm-up of {}",
                    fault.label,
                    begins - Time::ZERO,
                    plan.warmup - Time::ZERO
                ),
            ));
        }
    }
}

fn tails(plan: &Blueprint, judge: Metric, found: &mut Vec<Warning>) {
    if judge != Metric::Mean {
        return;
    }
    for service in &plan.services {
        for group in &service.groups {
            let squared = group.service.variance() / group.service.mean().powi(2);
            if squared.is_nan() || squared > 10.0 {
                found.push(warning(
                    "heavy-tail",
                    format!(
                        "service times of `{}` have a squared coefficient of variation of {squared:.0}: the mean, by which this is judged, rests on a few requests",
                        service.name
                    ),
                ));
            }
        }
    }
}

/// Whether a strategy keeps all requests of a client or key at one server.
fn hashes(strategy: &str) -> bool {
    [
        "hash",
        "maglev",
        "-sh",
        "-dh",
        "-mh",
        "-source",
        "-uri",
        "-url-param",
        "-hdr",
    ]
    .iter()
    .any(|part| strategy.contains(part))
        && !strategy.contains("bounded")
}

fn hot_keys(variant: &Variant, found: &mut Vec<Warning>) {
    let plan = &variant.blueprint;
    if !hashes(variant.strategy.entry().name) {
        return;
    }
    for source in &plan.sources {
        let Some(rate) = source.rate(plan.end - Time::ZERO) else {
            continue;
        };
        let popularity = source
            .keys
            .as_deref()
            .unwrap_or(&source.population.popularity);
        let service = &plan.services[source.service];
        let capacities = service.capacities(source.mean_size());
        let quickest = capacities.into_iter().fold(0.0, f64::max);
        let asked = rate * popularity.largest_share();
        if asked >= quickest {
            found.push(warning(
                "hot-key",
                format!(
                    "{} keeps each key at one server, and one of `{}` alone asks for {asked:.0} requests/s of a server that can do {quickest:.0}",
                    variant.name, source.name
                ),
            ));
        }
    }
}
