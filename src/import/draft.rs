//! A scenario, as text with comments, of a pool of a configuration and of what a log tells of its servers.

use std::fmt::Write;

use super::fit::{Fitted, Refusal};
use super::{arrivals, popularity};
use crate::config::{Configuration, Pool, Server};

/// What a log tells.
#[derive(Debug)]
pub struct Observed {
    /// Where it comes from, for people.
    pub source: String,
    /// Requests a second to the pool.
    pub rate: f64,
    /// From the first request to the last, in seconds.
    pub seconds: f64,
    /// How requests come, or why that is not known.
    pub arrivals: Result<arrivals::Described, String>,
    /// How unlike clients are in how often they ask; `None` where the log does not name them.
    pub clients: Option<popularity::Described>,
    /// The same of routes.
    pub routes: Option<popularity::Described>,
    /// What is known of each server, in the order of the pool; `None` where the log has no request to it.
    pub servers: Vec<Option<Result<Fitted, Refusal>>>,
}

/// What stands for service times that nothing is known of.
const ASSUMED: &str = r#"{ kind = "exponential", mean = "10ms" }"#;
/// Requests a second that one server of these service times does at half of its capacity.
const ASSUMED_RATE: f64 = 50.0;
/// A log of more requests is not simulated from end to end: that would take minutes for each candidate.
const MOST_REQUESTS: f64 = 5e6;
/// Replications of a run.
const REPLICATIONS: u32 = 10;
/// How long a run is where it is not the log's own length.
const MINUTE: f64 = 60.0;
/// The largest weight that is tried, where the product takes more: finer than anybody can tell.
const FINE: u32 = 1000;

/// The text of a scenario. `trace` names the file of a trace that stands for the arrivals, beside the scenario.
pub fn draft(
    configuration: &Configuration,
    pool: &Pool,
    observed: Option<&Observed>,
    trace: Option<&str>,
) -> String {
    let mut text = String::new();
    let product = configuration.product;
    let place = configuration.show(&pool.at);
    let name = quoted(&crate::config::scenario_name(&pool.name));
    let _ = writeln!(
        text,
        "# Made by `lbsim import` from {place}, pool `{}` of {}.",
        pool.name,
        product.title()
    );
    match observed {
        Some(observed) => {
            let _ = writeln!(text, "# What servers can do is estimated from {}.", observed.source);
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
    for (at, (server, name)) in pool.servers.iter().zip(pool.scenario_names()).enumerate() {
        let _ = writeln!(
            text,
            "# {}\n[[services.servers]]\nname = {}",
            configuration.show(&server.at),
            quoted(&name)
        );
        if server.count > 1 {
            let _ = writeln!(text, "count = {}", server.count);
        }
        if server.address.contains(':') {
            let _ = writeln!(text, "address = {}", quoted(&server.address));
        }
        let _ = writeln!(text, "weight = {}", server.weight);
        for (key, value) in &server.settings {
            let _ = writeln!(text, "{key} = {value}");
        }
        let known = observed.and_then(|observed| observed.servers.get(at)?.as_ref());
        service(&mut text, known, observed.is_some());
        text.push('\n');
    }
    // One line of servers has nothing to be weighed against.
    if pool.servers.len() > 1 {
        let range = product.weights();
        let _ = writeln!(
            text,
            "[tune]\nobjective = \"p99\"\nmin-weight = {}\nmax-weight = {} # what {} takes, or as fine as anybody can tell",
            (*range.start()).max(1),
            (*range.end()).min(FINE),
            product.title()
        );
    }
    let mut notes = configuration.notes_of(pool).peekable();
    if notes.peek().is_some() {
        text.push_str("\n# Not carried over:\n");
        for note in notes {
            let _ = writeln!(
                text,
                "# {}: {}",
                configuration.show(&note.at),
                comment(&note.text)
            );
        }
    }
    text
}

/// The group of clients, and how long the run is to be; `None` where a trace says so.
struct Clients {
    text: String,
    duration: Option<f64>,
}

fn clients(pool: &Pool, observed: Option<&Observed>, trace: Option<&str>) -> Clients {
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
        return Clients { text, duration };
    };
    let poisson = |rate: f64| format!("{{ kind = \"poisson\", rate = \"{}/s\" }}", digits(rate));
    let mut remarks: Vec<String> = Vec::new();
    let arrivals = match (&observed.arrivals, trace) {
        (_, Some(file)) => {
            duration = None;
            inline(&arrivals::trace_table(file, false))
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
    Clients { text, duration }
}

/// The servers that requests go to while none fails: of those that are up and no backups the first priority; where there are none,
/// the backups.
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
fn service(text: &mut String, known: Option<&Result<Fitted, Refusal>>, has_log: bool) {
    match known {
        Some(Ok(fitted)) => {
            let table = fitted.service_table().unwrap_or_default();
            let _ = writeln!(
                text,
                "slots = {} # the log says {}\ndiscipline = \"{}\"{}\nservice = {} # mean {:.3} ms{}, from {} requests of which {} found it idle",
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
                fitted.visits,
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
        None if has_log => {
            let _ = writeln!(
                text,
                "service = {ASSUMED} # ASSUMED: the log has no request to it"
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
