//! What an access log tells of the servers of a pool.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::arrivals::Collector;
use super::draft::Observed;
use super::fit::{Fitted, Refusal, Visit, fit};
use super::popularity::Counter;
use crate::config::Pool;
use crate::logs::{self, Census, Entry, Format, LogError};

/// Visits of one server that are looked at, the first of the log: more would say little more, and take memory without end.
const MOST_VISITS: usize = 2_000_000;
/// Names of servers that are remembered though the pool does not have them.
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
        "none of the {entries} requests in the log went to a server of the pool `{pool}`; {found}"
    )]
    Strangers {
        /// Requests in all logs.
        entries: u64,
        /// The pool.
        pool: String,
        /// Whom the log names instead, as a sentence's end.
        found: String,
    },
}

/// What was read of logs, besides what a scenario says.
#[derive(Debug)]
pub struct Report {
    /// What a scenario is made of.
    pub observed: Observed,
    /// How many lines each file had, and which were bad, in the order of the files.
    pub censuses: Vec<(PathBuf, Census)>,
    /// Servers in the log that the pool does not have, with their requests, the busiest first.
    pub strangers: Vec<(String, u64)>,
}

/// Reads logs, one after the other, and finds out what they tell of the servers of `pool`. `own` hears of each request that went to one
/// of them, in the order of the logs.
///
/// # Errors
/// Where a log cannot be read, or no request went to a server of the pool.
pub fn observe(
    pool: &Pool,
    paths: &[PathBuf],
    format: &Format,
    own: &mut dyn FnMut(&Entry),
) -> Result<Report, ObserveError> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, server) in pool.servers.iter().enumerate() {
        places.entry(&server.address).or_insert(at);
        places.entry(&server.name).or_insert(at);
    }
    let mut visits: Vec<Vec<Visit>> = vec![Vec::new(); pool.servers.len()];
    let mut strangers: BTreeMap<String, u64> = BTreeMap::new();
    let mut arrivals = Collector::new(MOST_ARRIVALS);
    let (mut clients, mut routes) = (Counter::new(MOST_NAMES), Counter::new(MOST_NAMES));
    let (mut requests, mut first, mut last) = (0u64, i64::MAX, i64::MIN);
    let mut each = |entry: &Entry| {
        if !entry.pool.is_empty() && entry.pool != pool.name {
            return;
        }
        let mut is_ours = false;
        for attempt in &entry.attempts {
            let Some(&at) = places.get(attempt.server.as_str()) else {
                if strangers.len() < MOST_STRANGERS || strangers.contains_key(&attempt.server) {
                    *strangers.entry(attempt.server.clone()).or_default() += 1;
                }
                continue;
            };
            is_ours = true;
            if let Some(took) = attempt.took
                && visits[at].len() < MOST_VISITS
            {
                visits[at].push(Visit {
                    arrived: attempt.began,
                    left: attempt.began.saturating_add_unsigned(took),
                });
            }
        }
        if is_ours {
            own(entry);
            arrivals.add(entry.arrived);
            for (counter, name) in [(&mut clients, &entry.client), (&mut routes, &entry.route)] {
                if !name.is_empty() {
                    counter.add(name);
                }
            }
            requests += 1;
            first = first.min(entry.arrived);
            last = last.max(entry.arrived);
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
    let mut strangers: Vec<(String, u64)> = strangers.into_iter().collect();
    strangers.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let entries = censuses.iter().map(|(_, census)| census.entries).sum();
    if requests < 2 || last <= first {
        let names: Vec<String> = strangers
            .iter()
            .take(5)
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        return Err(ObserveError::Strangers {
            entries,
            pool: pool.name.clone(),
            found: match names.is_empty() {
                true => {
                    "the log does not say which server answered (nginx: $upstream_addr)".to_owned()
                }
                false => format!("it names {}", names.join(", ")),
            },
        });
    }
    let resolution = censuses.iter().map(|(_, census)| census.resolution).max();
    let resolution = resolution.unwrap_or_default();
    let clock = resolution.as_nanos() as u64;
    let fitted = |visits: Vec<Visit>| -> Option<Result<Fitted, Refusal>> {
        (!visits.is_empty()).then(|| fit(&visits, clock))
    };
    use rayon::prelude::*;
    let servers = visits.into_par_iter().map(fitted).collect();
    let names: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    Ok(Report {
        observed: Observed {
            source: format!("{} ({requests} requests)", names.join(", ")),
            rate: (requests - 1) as f64 / ((last - first) as f64 / 1e9),
            seconds: (last - first) as f64 / 1e9,
            arrivals: arrivals.describe(resolution),
            clients: clients.describe(),
            routes: routes.describe(),
            servers,
        },
        censuses,
        strangers,
    })
}
