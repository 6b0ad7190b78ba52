//! What a careful colleague would say of a scenario or its results. Each warning has a code, which
//! `lbsim explain` tells more of.

mod faults;
mod growth;
mod idle;
mod left;
mod places;
mod prices;
mod sessions;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Variant;
use super::check::variants::VariantWorld;
use super::file::Criterion;
use crate::figures;
use crate::model::blueprint::{Blueprint, GroupPlan, SourcePlan, When};
use crate::time::{Span, Time};

/// Something to bear in mind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Warning {
    /// Which: one of [`CATALOGUE`].
    pub code: Cow<'static, str>,
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
pub struct WarningEntry {
    /// The code.
    pub code: &'static str,
    /// What it says, in a line.
    pub summary: &'static str,
    /// Why it matters, and what to do.
    pub text: &'static str,
}

/// All warnings, those of scenarios first, then those of results.
pub const CATALOGUE: &[WarningEntry] = &[
    WarningEntry {
        code: "overloaded",
        summary: "More is asked for than the servers can do.",
        text: "Queues grow for as long as the run lasts, so every response time says how long that was and nothing else. Lower the rate, add servers, or bound what waits (`timeout`, `queue-limit`) and look at the success rate instead.",
    },
    WarningEntry {
        code: "not-asked",
        summary: "A requirement is asked of nobody, or compares with nobody.",
        text: "What is compared may be changed from outside the file, as by `--set run.compare`. What is required of a strategy that is then not there, or compared with it, can neither hold nor fail, and is left out of the report; with `--strict` it counts as not shown, and ends the run with exit code 3.",
    },
    WarningEntry {
        code: "servers-away",
        summary: "While some servers are not in the pool, the others may be asked for more than they can do.",
        text: "All servers together could do what is asked for; those that are in the pool at a time could not, over the run as a whole. Queues grow while servers are away, and figures of the whole run mix two regimes. Look at the timeline, or let servers join earlier and leave later.",
    },
    WarningEntry {
        code: "overloaded-by-fault",
        summary: "While a fault holds, the servers that are left are asked for more than they can do.",
        text: "All servers together could do what is asked for; without those that are dead or drained the others cannot. Queues grow until the fault is over and are worked off after it, or requests are refused and given up, whatever the strategy. Add servers, shed what is too much, or take it as the answer: `lbsim size` with `also-with-lost` finds how many it takes.",
    },
    WarningEntry {
        code: "closed-loop",
        summary: "Users wait for an answer before they ask again.",
        text: "A closed loop slows down with its servers: it can never overload them, and its response times are far below those of an open one at the same utilization (Schroeder, Wierman and Harchol-Balter, NSDI 2006). Right for batch jobs and a fixed number of workers; for visitors of a site use Poisson arrivals.",
    },
    WarningEntry {
        code: "fault-in-warmup",
        summary: "A fault begins before the measured window does.",
        text: "What it does at once is not counted, and what is counted did not begin in a steady state. Let the warm-up end before the fault begins.",
    },
    WarningEntry {
        code: "fault-after-end",
        summary: "A fault begins when the run is over.",
        text: "It never happens: requests that arrive after the end of the run are not counted. Let it begin earlier, or run longer.",
    },
    WarningEntry {
        code: "fault-too-short",
        summary: "A fault is shorter than a stretch of the timeline.",
        text: "The timeline and the chart of utilization cut the run into stretches of equal length, and what is shorter than one of them hardly shows there. Shorten the run around the fault, or read the figures of the whole run.",
    },
    WarningEntry {
        code: "waits-for-ever",
        summary: "Messages are lost or requests hang, and whoever waits for an answer has no timeout.",
        text: "What a cut or a loss swallows never comes, nor does the answer of a server that hangs to the end of the run, and nobody is told. Without a `timeout` of the balancers or of the clients the request is waited for to the end of the run: it counts as unfinished, a closed loop stops, and a slot that is kept meanwhile is never free again. Real callers have timeouts; give them. Or let losses cost time only (`retransmit`).",
    },
    WarningEntry {
        code: "crash-unnoticed",
        summary: "Servers crash, and nothing finds out.",
        text: "Without health checks, retries or a rule that notices failures by itself, every request that is sent to a dead server fails until the server is back, and a rule that prefers idle servers sends it more than its share. Add a `health-check`, or a `retry`.",
    },
    WarningEntry {
        code: "timeout-below-service",
        summary: "A timeout is shorter than the mean service time.",
        text: "Most requests are given up while they are worked on, however idle the servers are, and retries make it worse. That holds for the `timeout` of the balancers and for that of clients. Raise the `timeout` above what a request takes.",
    },
    WarningEntry {
        code: "without-effect",
        summary: "A setting is taken, and can do nothing here.",
        text: "Something else stands in its way: whom it is about is never there, another setting says the same sooner, or too few servers make its share less than one. What was meant by it does not happen. Change what stands in its way, or leave it out; where it is the question what it is worth, this is the answer.",
    },
    WarningEntry {
        code: "no-answer",
        summary: "A table of places names nobody for some who ask.",
        text: "Who asks from a zone that is in no row of `geolocation`, where there is no `otherwise` either, is told nothing: each of these requests fails for want of a server (`failed_no_server`). Name servers do so, too. Add a row, or `otherwise`.",
    },
    WarningEntry {
        code: "not-priced",
        summary: "Traffic of which nobody says where it goes has no price.",
        text: "Traffic between zones costs something (`cost-per-gib` of the network or of a way), and some of those that send or receive it are in no zone, so that what goes to and from them is not on the bill. Give servers a `zone` and balancers `zones`. Clients without a zone are outside of all: what goes to and from them is meant to be free.",
    },
    WarningEntry {
        code: "no-sessions",
        summary: "Sessions lost are judged, and no client holds a session.",
        text: "None can be lost, so all strategies come out alike. Give clients `sessions`, or judge by something else.",
    },
    WarningEntry {
        code: "visitors-overlap",
        summary: "There are hardly more clients than visits at a time.",
        text: "Each visit is of the next client in turn. Where the turn comes round before a client's last visit has ended, two of its visits share one session: one logs out the other. Give the `population` a `count` of several times as many as visits are under way.",
    },
    WarningEntry {
        code: "overloaded-peak",
        summary: "At its peak more is asked for than the servers can do.",
        text: "The mean over the run fits, the peak does not: queues grow while it lasts and are worked off after it, so figures of the whole run mix two regimes. Look at the timeline, and bound what waits (`timeout`, `queue-limit`) if the system does.",
    },
    WarningEntry {
        code: "same-as-baseline",
        summary: "A variant is the same as the baseline.",
        text: "It has the same strategy and the same world, so on the same requests every difference is exactly 0. Perhaps a `set` names a value that is there already, or a `strategy` was forgotten.",
    },
    WarningEntry {
        code: "heavy-tail",
        summary: "Service times vary so much that means are hardly known.",
        text: "The mean wait depends on the third moment of the service time: with a squared coefficient of variation above 10 a few requests decide it, and intervals of means are too narrow. Judge by quantiles, give a `max`, and use more replications.",
    },
    WarningEntry {
        code: "few-replications",
        summary: "So few replications that intervals are wide or missing.",
        text: "Student's t with one degree of freedom is 12.7, with four 2.8, with nine 2.3. A single replication has none but for its mean, by batch means, and only with 20,000 requests or more. Use 10, or a `precision`.",
    },
    WarningEntry {
        code: "hot-key",
        summary: "One client or key asks for more than a server can do, and a hash keeps it at one server.",
        text: "However many servers there are, that one is overloaded. Bounded loads, a finer key, or a strategy that does not hash will help.",
    },
    WarningEntry {
        code: "too-few-above",
        summary: "Too few requests took longer than a quantile for it to be known.",
        text: "A quantile with fewer than 100 requests above it rests on a handful of values, and is not given. Run longer, or more replications, or judge by a lower quantile.",
    },
    WarningEntry {
        code: "no-requests",
        summary: "No request came in the measured window.",
        text: "Where nothing came, nothing was measured: every estimate is missing, and no two strategies can be compared. The rate is too low for the length of the run, a trace ends before the warm-up does, or clients begin later. Run longer, shorten the warm-up, or raise the rate.",
    },
    WarningEntry {
        code: "not-settled",
        summary: "Response times still changed when the run ended.",
        text: "The rule MSER-5 (White, Cobb and Spratt 2000), applied to the response times of the measured window stretch by stretch, finds no steady state: the warm-up is too short, or a server gets more than it can do and its queue grows. Figures depend on the length of the run. `warmup = \"auto\"` finds the warm-up, and says what is wrong where there is none.",
    },
    WarningEntry {
        code: "failures-hidden",
        summary: "Many requests failed, and response times are of those that did not.",
        text: "A strategy that fails the slow requests looks quick. A verdict by response time is withheld where the faster one fails more. Judge by `success-share` or `goodput`, or read the success rate first.",
    },
    WarningEntry {
        code: "chance-not-repeated",
        summary: "Replications are copies of each other.",
        text: "Nothing is drawn anew in each replication under what is named: one trace, fixed addresses, a strategy without chance. Its figures are the same in each, which is no evidence of how sure they are; against another that does vary there is a verdict, with the interval of that one. Let something be drawn (arrivals, service times, addresses), or compare several traces.",
    },
];

impl Warning {
    /// A warning of the catalogue.
    pub(crate) fn new(code: &'static str, text: String) -> Warning {
        debug_assert!(CATALOGUE.iter().any(|entry| entry.code == code));
        let code = Cow::Borrowed(code);
        Warning { code, text }
    }
}

fn warning(code: &'static str, text: String) -> Warning {
    Warning::new(code, text)
}

/// What can be said of a scenario before it is run, each once; of which variants, where it is not
/// said of all.
pub(super) fn of(variants: &[Variant], replications: u32, judge: Criterion) -> Vec<Warning> {
    let mut by_text: BTreeMap<Warning, Vec<&str>> = BTreeMap::new();
    for variant in variants {
        let mut own = Vec::new();
        let plan = &variant.blueprint;
        overload(plan, &mut own);
        loops(plan, &mut own);
        peaks(plan, &mut own);
        faults::faults(plan, &mut own);
        faults::swallowed(plan, &mut own);
        left::left(plan, &mut own);
        timeouts(plan, &mut own);
        idle::idle(plan, &mut own);
        growth::growth(plan, &mut own);
        places::places(plan, &mut own);
        prices::prices(plan, &mut own);
        sessions::sessions(plan, &mut own);
        tails(plan, judge, &mut own);
        own.sort();
        own.dedup();
        for warning in own {
            by_text.entry(warning).or_default().push(&variant.name);
        }
    }
    let mut found: Vec<Warning> = (by_text.into_iter())
        .map(|(warning, names)| match names.len() == variants.len() {
            true => warning,
            false => Warning {
                text: format!("{} (under {})", warning.text, some_of(&names)),
                ..warning
            },
        })
        .collect();
    for variant in variants {
        hot_keys(variant, &mut found);
    }
    faults::unnoticed(variants, &mut found);
    sessions::cookies(variants, &mut found);
    let holds = |variant: &Variant| {
        let mut sources = variant.blueprint.sources.iter();
        sources.any(|source| source.sessions.is_some())
    };
    if judge.is_of_sessions() && !variants.iter().any(holds) {
        let judge = judge.name();
        found.push(warning(
            "no-sessions",
            format!("this is judged by `{judge}`, and no client holds a session"),
        ));
    } else if judge == Criterion::RevocationDelay && !sessions::are_revoked(variants) {
        let text = "this is judged by `revocation-delay`, and no session is `revoked`";
        found.push(warning("without-effect", text.to_owned()));
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

/// Names that are said at most.
const NAMES: usize = 5;

/// Names in a row, those beyond a few as a number.
pub(crate) fn some_of(names: &[&str]) -> String {
    let named = |name: &&str| match name.contains([',', ';']) {
        true => format!("`{name}`"),
        false => (*name).to_owned(),
    };
    let said: Vec<String> = names.iter().take(NAMES).map(named).collect();
    let said = said.join(", ");
    match names.len().saturating_sub(NAMES) {
        0 => said,
        more => format!("{said} and {more} more"),
    }
}

fn overload(plan: &Blueprint, found: &mut Vec<Warning>) {
    let asked = |plan: &Blueprint, index| plan.utilization(index).filter(|&load: &f64| load >= 1.0);
    // The same system with its servers in the pool all the time.
    let mut whole = None;
    for (index, service) in plan.services.iter().enumerate() {
        let Some(load) = asked(plan, index) else {
            continue;
        };
        let load = match load.is_finite() {
            true => format!("{} of what its servers can do", figures::percent(load)),
            false => "something, and no server is in charge".to_owned(),
        };
        let whole = whole.get_or_insert_with(|| always_there(plan));
        found.push(match asked(whole, index) {
            Some(_) => warning(
                "overloaded",
                format!(
                    "service `{}` is overloaded: it is asked for {load}, so {}",
                    service.name,
                    if plan.is_bounded(index) {
                        "some is refused, dropped or given up"
                    } else {
                        "queues grow as long as the run lasts, and means depend on its length"
                    }
                ),
            ),
            None => warning(
                "servers-away",
                format!(
                    "servers of `{}` are in the pool for a part of the run only (`joins`, `leaves`): over the whole run it is asked for {load}, \
                     which all of them together could do",
                    service.name,
                ),
            ),
        });
    }
}

/// A system whose servers neither join nor leave.
fn always_there(plan: &Blueprint) -> Blueprint {
    let mut plan = plan.clone();
    for group in plan
        .services
        .iter_mut()
        .flat_map(|service| &mut service.groups)
    {
        (group.joins, group.leaves) = (Time::ZERO, Time::NEVER);
    }
    plan
}

fn loops(plan: &Blueprint, found: &mut Vec<Warning>) {
    for source in &plan.sources {
        if matches!(source.when, When::Closed(_)) {
            found.push(warning(
                "closed-loop",
                format!("clients `{}` wait for an answer before they ask again: do not read the response times as those of visitors", source.name),
            ));
        }
    }
}

/// Peaks of rates that change by plan; those of chance come and go.
fn peaks(plan: &Blueprint, found: &mut Vec<Warning>) {
    let run = plan.end - Time::ZERO;
    for (index, service) in plan.services.iter().enumerate() {
        let own = || plan.sources_of(index).map(|(source, _)| source);
        let is_overloaded = plan.utilization(index).is_none_or(|load| load >= 1.0);
        let changes = |source: &SourcePlan| match &source.when {
            When::Process(process) => !process.is_steady(),
            _ => false,
        };
        if is_overloaded || !own().any(changes) {
            continue;
        }
        let peak = plan.asked(index, |source| match &source.when {
            When::Process(process) => Some(process.peak_rate(run)),
            _ => Some(0.0),
        });
        let peak = peak.unwrap_or(0.0);
        if peak >= 1.0 {
            found.push(warning(
                "overloaded-peak",
                format!(
                    "at its peak service `{}` is offered {} of its capacity",
                    service.name,
                    figures::percent(peak)
                ),
            ));
        }
    }
}

/// Timeouts of balancers and of clients.
fn timeouts(plan: &Blueprint, found: &mut Vec<Warning>) {
    let mut compare = |whose: &str, timeout: Span, takes: f64, at: &str| {
        if timeout.seconds() < takes {
            let takes = figures::seconds(takes);
            found.push(warning(
                "timeout-below-service",
                format!("the `timeout` of {whose} is {timeout}, and a request takes {takes} on average at `{at}`"),
            ));
        }
    };
    let takes = |group: &GroupPlan, size: f64, recorded: Option<f64>| {
        let own = || group.mean_work(size) + group.least_called;
        recorded.map_or_else(own, |seconds| seconds / group.speed)
    };
    for (index, service) in plan.services.iter().enumerate() {
        let mut sources = plan.sources.iter();
        let source = sources.find(|source| source.service == index);
        let size = plan.mean_size(index);
        let recorded = source.and_then(|source| source.recorded_service());
        if let Some(timeout) = service.balancer.timeout {
            let whose = format!("`{}`", service.name);
            for group in &service.groups {
                compare(&whose, timeout, takes(group, size, recorded), &group.name);
            }
        }
    }
    for source in &plan.sources {
        if let Some(timeout) = source.patience.timeout {
            let whose = format!("clients `{}`", source.name);
            let (size, recorded) = (source.mean_size(), source.recorded_service());
            for group in &plan.services[source.service].groups {
                compare(&whose, timeout, takes(group, size, recorded), &group.name);
            }
        }
    }
}

/// Variants that are the same as the baseline.
pub(super) fn of_equals(
    variants: &[Variant],
    baseline: usize,
    worlds: &[Arc<VariantWorld>],
) -> Vec<Warning> {
    let same = |&at: &usize| {
        at != baseline
            && variants[at].strategy == variants[baseline].strategy
            && worlds[at] == worlds[baseline]
    };
    let places = (0..variants.len()).filter(same);
    places
        .map(|at| {
            warning(
                "same-as-baseline",
                format!(
                    "`{}` is the same as the baseline, `{}`: every difference will be 0",
                    variants[at].name, variants[baseline].name
                ),
            )
        })
        .collect()
}

fn tails(plan: &Blueprint, judge: Criterion, found: &mut Vec<Warning>) {
    if judge != Criterion::Mean {
        return;
    }
    for service in &plan.services {
        for group in &service.groups {
            let (mean, variance) = (group.service.mean(), group.service.variance());
            let spread = if !variance.is_finite() {
                "no finite variance".to_owned()
            } else if variance > 10.0 * mean.powi(2) {
                let squared = variance / mean.powi(2);
                format!(
                    "a squared coefficient of variation of {}",
                    figures::number(squared)
                )
            } else {
                continue;
            };
            found.push(warning(
                "heavy-tail",
                format!(
                    "service times of `{}` have {spread}: the mean, by which this is judged, rests on a few requests",
                    service.name
                ),
            ));
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
    if !variant
        .strategy
        .entry()
        .is_some_and(|entry| hashes(entry.name))
    {
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
        let capacities = service.capacities(source.mean_size()).into_iter();
        let serving = capacities
            .zip(service.in_charge())
            .filter(|(_, serves)| *serves);
        let quickest = serving.map(|(capacity, _)| capacity).fold(0.0, f64::max);
        let asked = rate * popularity.largest_share();
        if asked >= quickest {
            found.push(warning(
                "hot-key",
                format!(
                    "{} keeps each key at one server, and one of `{}` alone asks for {} requests/s of a server that can do {}",
                    variant.name,
                    source.name,
                    figures::number(asked),
                    figures::number(quickest)
                ),
            ));
        }
    }
}
