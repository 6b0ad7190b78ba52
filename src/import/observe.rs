//! What an access log tells of the servers of a pool.

mod servers;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::arrivals::{Arrivals, Collector, Strays};
use super::draft::Observed;
use super::fit::{Fitted, NoFit, Visit, fit};
use super::popularity::Counter;
use crate::config::Pool;
use crate::logs::{self, Census, Entry, Format, LogError};
use crate::parallel;
use crate::prose::{counted, listed, quoted};
use servers::ServerNames;

pub use servers::{Unnamed, names};

/// Visits of one server that are looked at, the first of the log: more would say little more, and
/// take memory without end.
const MOST_VISITS: usize = 2_000_000;
/// Names of servers and pools that are remembered though they are not those of the pool.
const MOST_STRANGERS: usize = 1000;

/// Clients and routes that are told apart; what comes later counts as others.
const MOST_NAMES: usize = 3_000_000;
/// Arrivals whose gaps are looked at.
const MOST_ARRIVALS: usize = 20_000_000;

/// Why a log is of no use for a pool.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// It cannot be read.
    #[error("`{}` {source}", path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// Why.
        source: LogError,
    },
    /// No request went to a server of the pool.
    #[error(
        "the log has {}, none to a server of the pool `{pool}`; {found}", counted(*.entries, "request")
    )]
    Strangers {
        /// Requests in all logs.
        entries: u64,
        /// The pool.
        pool: String,
        /// Whom the log names instead, as a sentence's end.
        found: String,
    },
    /// Requests that were found say nothing of a rate.
    #[error("the log tells no rate: {0}")]
    Moments(String),
}

/// What is asked of logs.
#[derive(Debug)]
pub struct Question<'a> {
    /// The pool whose servers answered.
    pub pool: &'a Pool,
    /// What the logs call the pool, where that is not its name.
    pub pool_in_log: Option<&'a str>,
    /// Pairs of names of one server, one of which the pool has.
    pub names: &'a [(String, String)],
    /// Whether each arrival is kept, for a trace.
    pub keep_arrivals: bool,
}

/// What was read of logs, besides what a scenario says.
#[derive(Debug)]
pub struct LogReport {
    /// What a scenario is made of.
    pub observed: Observed,
    /// How many lines each file had, and which were bad, in the order of the files.
    pub censuses: Vec<(PathBuf, Census)>,
    /// Servers in the log that the pool does not have, with their requests, the busiest first.
    pub strangers: Vec<(String, u64)>,
    /// Each arrival, where that was asked for.
    pub arrivals: Option<Arrivals>,
}

/// Counts by name, of some names.
#[derive(Debug, Default)]
struct Tally(BTreeMap<String, u64>);

impl Tally {
    fn add(&mut self, name: &str) {
        if let Some(count) = self.0.get_mut(name) {
            *count += 1;
        } else if self.0.len() < MOST_STRANGERS {
            self.0.insert(name.to_owned(), 1);
        }
    }

    /// The most frequent first.
    fn sorted(self) -> Vec<(String, u64)> {
        let mut counts: Vec<(String, u64)> = self.0.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }
}

fn names_of(counts: &[(String, u64)]) -> String {
    quoted(counts.iter().map(|(name, _)| name))
}

/// What was found of the requests to a pool.
struct Heard {
    visits: Vec<Vec<Visit>>,
    arrivals: Collector,
    kept: Option<Arrivals>,
    clients: Counter,
    routes: Counter,
    requests: u64,
}

impl Heard {
    fn new(question: &Question<'_>) -> Heard {
        Heard {
            visits: vec![Vec::new(); question.pool.servers.len()],
            arrivals: Collector::new(MOST_ARRIVALS),
            kept: question.keep_arrivals.then(Arrivals::default),
            clients: Counter::new(MOST_NAMES),
            routes: Counter::new(MOST_NAMES),
            requests: 0,
        }
    }

    fn request(&mut self, entry: &Entry) {
        self.arrivals.add(entry.arrived);
        if let Some(kept) = &mut self.kept {
            kept.add(entry.arrived, &entry.client);
        }
        for (counter, name) in [
            (&mut self.clients, &entry.client),
            (&mut self.routes, &entry.route),
        ] {
            if !name.is_empty() {
                counter.add(name);
            }
        }
        self.requests += 1;
    }

    /// Leaves out what came at moments that cannot be right.
    fn without(&mut self, strays: &Strays) {
        self.arrivals.retain(strays);
        if let Some(kept) = &mut self.kept {
            kept.retain(strays);
        }
        for visits in &mut self.visits {
            visits.retain(|visit| strays.keep(visit.arrived));
        }
        self.requests -= strays.count;
    }
}

/// Reads logs, one after the other, and finds out what they tell of the servers of a pool. A log
/// that names no servers at all is taken for one of the pool: it still tells the rate, arrivals and
/// clients.
///
/// # Errors
/// Where a log cannot be read, or no request went to a server of the pool.
pub fn observe(
    question: &Question<'_>,
    paths: &[PathBuf],
    format: &Format,
) -> Result<LogReport, ObserveError> {
    let pool = question.pool;
    let servers = ServerNames::new(pool, question.names);
    let called = question.pool_in_log.unwrap_or(&pool.name);
    let mut found = Heard::new(question);
    let (mut strangers, mut pools) = (Tally::default(), Tally::default());
    let mut names_servers = false;
    let mut each = |entry: &Entry| {
        if !entry.pool.is_empty() && entry.pool != called {
            pools.add(&entry.pool);
            return;
        }
        if entry.attempts.is_empty() {
            if !names_servers {
                found.request(entry);
            }
            return;
        }
        // Once a server is named, requests that name none went to none.
        if !names_servers {
            names_servers = true;
            found = Heard::new(question);
        }
        let mut is_ours = false;
        for attempt in &entry.attempts {
            let Some(at) = servers.find(&attempt.server) else {
                strangers.add(&attempt.server);
                continue;
            };
            is_ours = true;
            let visits = &mut found.visits[at];
            if let Some(took) = attempt.took
                && visits.len() < MOST_VISITS
            {
                visits.push(Visit {
                    arrived: attempt.began,
                    left: attempt.began.saturating_add_unsigned(took),
                });
            }
        }
        if is_ours {
            found.request(entry);
        }
    };
    let mut censuses = Vec::new();
    for path in paths {
        let census = logs::read(path, format, &mut each).map_err(|source| ObserveError::Log {
            path: path.clone(),
            source,
        })?;
        censuses.push((path.clone(), census));
    }
    let (strangers, pools) = (strangers.sorted(), pools.sorted());
    if found.requests == 0 {
        return Err(ObserveError::Strangers {
            entries: censuses.iter().map(|(_, census)| census.entries).sum(),
            pool: pool.name.clone(),
            found: match (&strangers[..], &pools[..]) {
                ([], []) => "the log does not say where they went".to_owned(),
                ([], pools) => format!(
                    "the log calls its pools {}: say which of them is meant with `--pool-in-log`",
                    names_of(pools)
                ),
                (servers, _) => format!(
                    "it names {}: where these are other names of the same servers, say which with `--servers`",
                    names_of(servers)
                ),
            },
        });
    }
    let strays = found.arrivals.strays().map_err(ObserveError::Moments)?;
    if let Some(strays) = &strays {
        found.without(strays);
    }
    let (first, last) = found.arrivals.window();
    if found.requests < 2 || last <= first {
        return Err(ObserveError::Moments(match found.requests {
            1 => "it has one request to the pool".to_owned(),
            requests => format!("all of its {requests} requests to the pool came at one moment"),
        }));
    }
    let clock = longest(&censuses, |census| Some(census.resolution));
    let lengths = longest(&censuses, Census::length_resolution);
    // An arrival that was worked out from the end is no better known than the length.
    let from_end = censuses.iter().any(|(_, census)| census.from_end > 0);
    let of_arrivals = if from_end { clock.max(lengths) } else { clock };
    let of_visits = clock.max(lengths).as_nanos() as u64;
    let fitted = |visits: Vec<Visit>| -> Option<Result<Fitted, NoFit>> {
        (!visits.is_empty()).then(|| fit(&visits, of_visits))
    };
    let servers = parallel::map(found.visits, fitted);
    let names: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let seconds = (last - first) as f64 / 1e9;
    let rate = (found.requests - 1) as f64 / seconds;
    let mut remarks = Vec::new();
    remarks.extend(strays.map(|strays| strays.to_string()));
    if censuses
        .iter()
        .any(|(_, census)| census.whole_for_server > 0)
    {
        remarks.push(
            "The log does not say how long servers took: what the whole request took stands for it."
                .to_owned(),
        );
    }
    Ok(LogReport {
        observed: Observed {
            source: format!("{} ({} requests)", listed(names), found.requests),
            rate,
            seconds,
            arrivals: found.arrivals.describe(of_arrivals),
            step: of_arrivals,
            clients: found.clients.describe(),
            routes: found.routes.describe(),
            names_servers,
            servers,
            remarks,
        },
        censuses,
        strangers,
        arrivals: found.kept,
    })
}

/// The coarsest of the files' steps.
fn longest(censuses: &[(PathBuf, Census)], step: impl Fn(&Census) -> Option<Duration>) -> Duration {
    let steps = censuses.iter().filter_map(|(_, census)| step(census));
    steps.max().unwrap_or_default()
}
