//! Values that were published with a hash: not picks of a balancer are compared, but what the
//! function gives.

use serde::Deserialize;
use serde_json::Value;

use super::recording::Recording;
use super::{Difference, Verdict};
use crate::strategy::hash::jump::jump;
use crate::strategy::hash::maglev::{Preference, fill};
use crate::time::Time;

/// One published value, and the one here.
struct Pair {
    of: String,
    published: String,
    here: String,
}

/// Compares jump consistent hash with the values published with its implementations.
///
/// # Errors
/// What in the recording is not understood, in a sentence.
pub(super) fn jump_hash(recording: &Recording) -> Result<Verdict, String> {
    /// The buckets of one key among 1, 2, 3 and so on.
    #[derive(Deserialize)]
    struct Row {
        key: String,
        buckets_from: u32,
        picks: Vec<u32>,
    }
    let buckets: u32 = member(recording, "buckets")?;
    let rows: Vec<Row> = member(recording, "by_buckets")?;
    let more: Vec<(String, u32, u32)> = member(recording, "more")?;
    let picks: Vec<u32> = values(&recording.picks)?;
    let keys: Vec<String> = values(&recording.keys)?;
    if picks.len() != keys.len() {
        return Err(format!("{} keys, but {} picks", keys.len(), picks.len()));
    }
    let mut published: Vec<(String, u32, u32)> = Vec::new();
    for (key, pick) in keys.into_iter().zip(picks) {
        published.push((key, buckets, pick));
    }
    for row in rows {
        for (buckets, pick) in (row.buckets_from..).zip(row.picks) {
            published.push((row.key.clone(), buckets, pick));
        }
    }
    published.extend(more);
    let pairs = published.into_iter().map(|(key, buckets, pick)| {
        let number = key
            .parse()
            .map_err(|_| format!("key `{key}` is not a number"))?;
        Ok(Pair {
            of: format!("key {key}, {buckets} buckets"),
            published: format!("bucket {pick}"),
            here: format!("bucket {}", jump(number, buckets)),
        })
    });
    verdict("jump-hash", pairs.collect::<Result<_, String>>()?)
}

/// Compares the filling of Maglev's table with the example of its paper, all backends there and one
/// gone.
///
/// # Errors
/// What in the recording is not understood, in a sentence.
pub(super) fn maglev(recording: &Recording) -> Result<Verdict, String> {
    let size = recording.keys.len() as u32;
    let mut backends = Vec::new();
    for server in &recording.servers {
        let (offset, skip) = server
            .addr
            .split_once(',')
            .and_then(|(offset, skip)| Some((offset.parse().ok()?, skip.parse().ok()?)))
            .ok_or_else(|| format!("`{}` is not an offset and a skip", server.addr))?;
        let turns = 1;
        let backend = Preference {
            offset,
            skip,
            turns,
        };
        backends.push((server.name.as_str(), backend));
    }
    let all: Vec<String> = values(&recording.picks)?;
    let mut pairs = table(size, &backends, &all, "all backends");
    for (name, picks) in &recording.further {
        let Some(gone) = name.strip_prefix("picks_without_") else {
            return Err(format!("nothing is known of `{name}`"));
        };
        let picks: Vec<String> = read(picks, name)?;
        let rest: Vec<_> = backends
            .iter()
            .copied()
            .filter(|(name, _)| *name != gone)
            .collect();
        pairs.extend(table(size, &rest, &picks, &format!("without {gone}")));
    }
    verdict("maglev", pairs)
}

fn table(size: u32, backends: &[(&str, Preference)], picks: &[String], case: &str) -> Vec<Pair> {
    let preferences: Vec<Preference> = backends.iter().map(|(_, backend)| *backend).collect();
    let slots = fill(size, &preferences).into_iter();
    let here: Vec<&str> = slots.map(|at| backends[at as usize].0).collect();
    vec![Pair {
        of: case.to_owned(),
        published: picks.join(" "),
        here: here.join(" "),
    }]
}

fn verdict(strategy: &str, pairs: Vec<Pair>) -> Result<Verdict, String> {
    let strategy = strategy.to_owned();
    let compared = pairs.len();
    let differs = |(_, pair): &(usize, Pair)| pair.published != pair.here;
    match pairs.into_iter().enumerate().find(differs) {
        None => Ok(Verdict::Agrees { strategy, compared }),
        Some((request, pair)) => Ok(Verdict::Differs {
            strategy,
            starts: 1,
            difference: Box::new(Difference {
                request,
                at: Time::ZERO,
                recorded: pair.published,
                here: pair.here,
                state: format!("{}\n", pair.of),
            }),
        }),
    }
}

fn member<T: serde::de::DeserializeOwned>(recording: &Recording, name: &str) -> Result<T, String> {
    read(recording.further.get(name).unwrap_or(&Value::Null), name)
}

fn values<T: serde::de::DeserializeOwned>(values: &[Value]) -> Result<Vec<T>, String> {
    values.iter().map(|value| read(value, "a value")).collect()
}

fn read<T: serde::de::DeserializeOwned>(value: &Value, name: &str) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|error| format!("{name}: {error}"))
}
