//! A scenario, as text with comments, of a pool of a configuration and of what a log tells of its
//! servers.

use std::fmt::Write;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::fit::{Fitted, NoFit};
use super::{arrivals, popularity};
use crate::config::rounding::round;
use crate::config::{Configuration, Group, MOST_GROUPS, Pool, Server};
use crate::prose::counted;
use crate::scenario::check_address;

/// What a log tells.
#[derive(Debug)]
pub struct Observed {
    /// Where it comes from, for people.
    pub source: String,
    /// Requests a second to the pool.
    pub rate: f64,
    /// From the first request to the last, in seconds.
    pub seconds: f64,
    /// How far the arrivals are known: the step of the clock.
    pub step: Duration,
    /// How requests come, or why that is not known.
    pub arrivals: Result<arrivals::Described, String>,
    /// How unlike clients are in how often they ask; `None` where the log does not name them.
    pub clients: Option<popularity::Likeness>,
    /// The same of routes.
    pub routes: Option<popularity::Likeness>,
    /// Whether the log says which server answered.
    pub names_servers: bool,
    /// What is known of each server, in the order of the pool; `None` where the log has no request
    /// to it.
    pub servers: Vec<Option<Result<Fitted, NoFit>>>,
    /// What was left out or taken for another thing, in sentences.
    pub remarks: Vec<String>,
}

/// A step of the clock that is a larger share than this of the mean gap between arrivals brings
/// requests together.
const COARSE: f64 = 0.1;

impl Observed {
    /// The step over which a trace's arrivals are to be spread, where the clock is too coarse for
    /// the gaps between them.
    pub fn spread(&self) -> Option<Duration> {
        (self.step.as_secs_f64() * self.rate > COARSE).then_some(self.step)
    }
}

/// What stands for service times that nothing is known of.
const ASSUMED: &str = r#"{ kind = "exponential", mean = "10ms" }"#;
/// Requests a second that one server of these service times does at half of its capacity.
const ASSUMED_RATE: f64 = 50.0;
/// A log of more requests is not simulated from end to end: that would take minutes for each
/// candidate.
const MOST_REQUESTS: f64 = 5e6;
/// Replications of a run.
const REPLICATIONS: u32 = 10;
/// How long a run is where it is not the log's own length.
const MINUTE: f64 = 60.0;
/// The weights that a scenario takes.
const WEIGHTS: RangeInclusive<u32> = 0..=65_535;
/// The largest weight that is tried, where the product takes more: finer than anybody can tell.
const FINE: u32 = 1000;

/// Why a pool has no scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// Too many unlike servers.
    #[error(
        "the pool has {servers} servers, which are more than {MOST_GROUPS} groups of like ones in a row, the most that a scenario \
         has: put like servers one after the other, or import a part of them"
    )]
    TooMany {
        /// How many servers the pool has.
        servers: usize,
    },
    /// Servers that would be put together answer differently.
    #[error(
        "the pool has {servers} servers, more than the {MOST_GROUPS} groups that a scenario has at most: like ones would stand \
         together, but the log tells what each can do; import without the log, or a part of them"
    )]
    Observed {
        /// How many servers the pool has.
        servers: usize,
    },
}

/// What is wanted of a draft besides the pool.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'w> {
    /// The file of a trace that stands for the arrivals, seen from the scenario.
    pub trace: Option<&'w str>,
    /// Why there can be no `[tune]`, where that is so: a sentence.
    pub no_tune: Option<&'w str>,
}

/// The text of a scenario.
///
/// # Errors
/// Where the pool has more servers than a scenario can have groups.
pub fn draft(
    configuration: &Configuration,
    pool: &Pool,
    observed: Option<&Observed>,
    wanted: &Wanted<'_>,
) -> Result<String, DraftError> {
    let trace = wanted.trace;
    let servers = pool.servers.len();
    let groups = pool.groups().ok_or(DraftError::TooMany { servers })?;
    let weights: Vec<u32> = groups
        .iter()
        .map(|group| pool.servers[group.servers.start].weight)
        .collect();
    let weights = round(&weights, &WEIGHTS).weights;
    let mut text = String::new();
    let product = configuration.product;
    let place = comment(&configuration.show(&pool.at));
    let name = quoted(&crate::config::scenario_name(&pool.name));
    let _ = writeln!(
        text,
        "# Made by `lbsim import` from {place}, pool `{}` of {}.",
        comment(&pool.name),
        product.title()
    );
    match observed {
        Some(observed) => {
            let source = comment(&observed.source);
            let told = match observed.names_servers {
                true => "What servers can do is estimated from",
                false => "The log does not say which server answered, so service times below are ASSUMED; the rest is from",
            };
            let _ = writeln!(text, "# {told} {source}.");
            for remark in &observed.remarks {
                let _ = writeln!(text, "# {}", comment(remark));
            }
        }
        None => text.push_str(
            "# A configuration does not say what servers can do: rate and service times below are ASSUMED. Import again with\n\
             # `--log`, or write what was measured.\n",
        ),
    }
    let _ = writeln!(
        text,
        "question = {}\nexpect = \"That depends on what the servers can do: weights in proportion to it, or a little less for the slow ones. `lbsim tune` finds out, and says how sure that is.\"\n",
        quoted(&format!(
            "Which weights should the servers of {} have?",
            pool.name
        ))
    );
    let clients = clients(pool, observed, trace);
    let strategy = inline(&pool.strategy);
    let _ = writeln!(
        text,
        "[run]\n{}replications = {}\ncompare = [{strategy}]\njudge-by = \"p99\"\n",
        clients.duration.map_or(String::new(), |seconds| format!(
            "duration = \"{}s\"\n",
            digits(seconds)
        )),
        REPLICATIONS,
    );
    text.push_str(&clients.text);
    let _ = writeln!(text, "[[services]]\nname = {name}\n");
    if !pool.balancer.is_empty() {
        text.push_str("[services.balancer]\n");
        for (key, value) in &pool.balancer {
            let _ = writeln!(text, "{key} = {value}");
        }
        text.push('\n');
    }
    for (group, weight) in groups.iter().zip(weights) {
        let own = &pool.servers[group.servers.clone()];
        let known = |at: usize| observed.and_then(|observed| observed.servers.get(at)?.as_ref());
        if own.len() > 1 && group.servers.clone().any(|at| known(at).is_some()) {
            return Err(DraftError::Observed { servers });
        }
        self::group(&mut text, configuration, own, group, weight);
        let names_servers = observed.is_some_and(|observed| observed.names_servers);
        service(&mut text, known(group.servers.start), names_servers);
        text.push('\n');
    }
    match wanted.no_tune {
        Some(why) => {
            let _ = writeln!(text, "# There is no [tune]: {}", comment(why));
        }
        None => {
            let range = product.weights();
            let _ = writeln!(
                text,
                "[tune]\nobjective = \"p99\"\nmin-weight = {}\nmax-weight = {} # what {} takes, or as fine as anybody can tell",
                (*range.start()).max(1),
                (*range.end()).min(FINE),
                product.title()
            );
        }
    }
    let mut notes = configuration.notes_of(pool).peekable();
    if notes.peek().is_some() {
        text.push_str("\n# Not carried over:\n");
        for note in notes {
            let _ = writeln!(
                text,
                "# {}: {}",
                comment(&configuration.show(&note.at)),
                comment(&note.text)
            );
        }
    }
    Ok(text)
}

/// What a configuration says of a group of servers.
fn group(
    text: &mut String,
    configuration: &Configuration,
    own: &[Server],
    group: &Group,
    weight: u32,
) {
    let (first, last) = (&own[0], &own[own.len() - 1]);
    let place = comment(&configuration.show(&first.at));
    let _ = match own.len() {
        1 => writeln!(text, "# {place}"),
        _ => writeln!(
            text,
            "# {place} to {}: like servers in a row, as a scenario has {MOST_GROUPS} groups at most. Rules that hash addresses hash \
             others here.",
            comment(&configuration.show(&last.at))
        ),
    };
    let _ = writeln!(text, "[[services.servers]]\nname = {}", quoted(&group.name));
    if group.count > 1 {
        let _ = writeln!(text, "count = {}", group.count);
    }
    if own.len() == 1 {
        let _ = match check_address(&first.address) {
            Ok(()) => writeln!(text, "address = {}", quoted(&first.address)),
            Err((why, _)) => writeln!(
                text,
                "# Its address, `{}`, {why}: it gets another one here, which rules that hash addresses see.",
                comment(&first.address)
            ),
        };
    }
    let scaled = if weight == first.weight {
        String::new()
    } else {
        format!(" # scaled down from {}", first.weight)
    };
    let _ = writeln!(text, "weight = {weight}{scaled}");
    for (key, value) in &first.settings {
        let _ = writeln!(text, "{key} = {value}");
    }
}

/// The group of clients, and how long the run is to be; `None` where a trace says so.
struct ClientsDraft {
    text: String,
    duration: Option<f64>,
}

fn clients(pool: &Pool, observed: Option<&Observed>, trace: Option<&str>) -> ClientsDraft {
    let mut text = String::new();
    let mut duration = Some(MINUTE);
    let Some(observed) = observed else {
        let serving: u32 = serving(pool).iter().map(|server| server.count).sum();
        let all: u32 = pool.servers.iter().map(|server| server.count).sum();
        let whose = match serving == all {
            true => "the servers below",
            false => "the servers that serve while none fails",
        };
        let rate = ASSUMED_RATE * f64::from(serving.max(1));
        let _ = writeln!(
            text,
            "[[clients]]\narrivals = {{ kind = \"poisson\", rate = \"{}/s\" }} # ASSUMED: half of what {whose} can do\n",
            digits(rate)
        );
        return ClientsDraft { text, duration };
    };
    let poisson = |rate: f64| format!("{{ kind = \"poisson\", rate = \"{}/s\" }}", digits(rate));
    let mut remarks: Vec<String> = Vec::new();
    let arrivals = match (&observed.arrivals, trace) {
        (_, Some(file)) => {
            duration = None;
            if let Some(step) = observed.spread() {
                remarks.push(format!(
                    "The clock of the log has steps of {step:?}: within a step the arrivals of the trace are put at random."
                ));
            }
            inline(&arrivals::trace_table(file))
        }
        (Ok(own), None) if own.steps.len() < 2 => {
            remarks.extend(own.reasons.iter().cloned());
            inline(&own.table)
        }
        (Ok(own), None) if observed.rate * observed.seconds <= MOST_REQUESTS => {
            remarks.extend(own.reasons.iter().cloned());
            duration = Some(observed.seconds);
            inline(&own.table)
        }
        (Ok(own), None) => {
            let busiest = own.steps.iter().map(|&(_, rate)| rate).fold(0.0, f64::max);
            remarks.extend(own.reasons.iter().cloned());
            remarks.push(format!(
                "The log is too long to be simulated from end to end for each candidate: this is its busiest stretch. The whole of it, \
                 with a duration of {} s: {}",
                digits(observed.seconds),
                inline(&own.table)
            ));
            poisson(busiest)
        }
        (Err(why), None) => {
            remarks.push(why.clone());
            poisson(observed.rate)
        }
    };
    for remark in &remarks {
        let _ = writeln!(text, "# {}", comment(remark));
    }
    let _ = writeln!(text, "[[clients]]\narrivals = {arrivals}");
    if let (Some(own), None) = (&observed.clients, trace) {
        for reason in &own.reasons {
            let _ = writeln!(text, "# {}", comment(reason));
        }
        let _ = writeln!(text, "population = {}", inline(&own.population()));
    }
    let kind = pool
        .strategy
        .get("kind")
        .and_then(toml::Value::as_str)
        .unwrap_or("");
    let hashes_requests = ["-hash", "uri", "url-param", "hdr", "maglev", "ring"]
        .iter()
        .any(|part| kind.contains(part))
        && !kind.contains("ip-hash");
    if let (Some(own), true) = (&observed.routes, hashes_requests) {
        for reason in &own.reasons {
            let _ = writeln!(text, "# Routes: {}", comment(reason));
        }
        let _ = writeln!(text, "keys = {}", inline(&own.keys()));
    }
    text.push('\n');
    ClientsDraft { text, duration }
}

/// The servers that requests go to while none fails: of those that are up and no backups the first
/// priority; where there are none, the backups.
fn serving(pool: &Pool) -> Vec<&Server> {
    let up = |server: &&Server| !is(&server.settings, "down") && server.weight > 0;
    let (backups, others): (Vec<&Server>, Vec<&Server>) = pool
        .servers
        .iter()
        .filter(up)
        .partition(|server| is(&server.settings, "backup"));
    let mut serving = if others.is_empty() { backups } else { others };
    let priority = |server: &Server| {
        let priority = server.settings.get("priority");
        priority.and_then(toml::Value::as_integer).unwrap_or(0)
    };
    let first = serving.iter().map(|server| priority(server)).min();
    serving.retain(|server| Some(priority(server)) == first);
    serving
}

/// What is known of a server's service times.
fn service(text: &mut String, known: Option<&Result<Fitted, NoFit>>, names_servers: bool) {
    match known {
        Some(Ok(fitted)) => {
            let table = fitted.service_table().unwrap_or_default();
            let _ = writeln!(
                text,
                "slots = {} # the log says {}\ndiscipline = \"{}\"{}\nservice = {} # mean {:.3} ms{}, from {} of which {} found it idle",
                fitted.chosen_slots,
                fitted.slots,
                fitted.discipline,
                if fitted.discipline_is_known {
                    ""
                } else {
                    " # the log does not tell it from the other"
                },
                inline(&table),
                fitted.mean * 1e3,
                fitted
                    .half_width
                    .map_or(String::new(), |half| format!(" ±{:.3}", half * 1e3)),
                counted(fitted.visits, "request"),
                fitted.found_idle
            );
            for remark in &fitted.remarks {
                let _ = writeln!(text, "# {}", comment(remark));
            }
        }
        Some(Err(refusal)) => {
            let _ = writeln!(
                text,
                "# The log does not tell: {}",
                comment(&refusal.to_string())
            );
            let _ = writeln!(text, "service = {ASSUMED} # ASSUMED");
        }
        None if names_servers => {
            let _ = writeln!(
                text,
                "service = {ASSUMED} # ASSUMED: the log has no request to it of which it says how long it took"
            );
        }
        None => {
            let _ = writeln!(text, "service = {ASSUMED} # ASSUMED");
        }
    }
}

fn is(settings: &toml::Table, key: &str) -> bool {
    settings.get(key).and_then(toml::Value::as_bool) == Some(true)
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A table in one line.
fn inline(table: &toml::Table) -> String {
    toml::Value::Table(table.clone()).to_string()
}

/// A text that stays within its comment.
fn comment(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}

/// Four digits.
fn digits(value: f64) -> String {
    let places = (3.0 - value.abs().max(1e-6).log10().floor()).clamp(0.0, 9.0) as usize;
    format!("{value:.places$}")
}
