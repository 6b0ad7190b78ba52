//! How unlike clients or routes are in how often they come: from a log's counts to a scenario's
//! `population` or `keys`.
//!
//! The k-th most popular of M comes in proportion to 1/k^s (Zipf). The maximum-likelihood estimate
//! of s matches the mean logarithm of the rank to its expectation. Ranks are not known, though, but
//! taken from the counts, so that luck looks like popularity: of a thousand equal clients seen five
//! times each, some are seen ten times. And those that were never seen are missing. Both are undone
//! by matching what is seen to what the model would show: M and s are chosen so that as many
//! different members are expected as were seen, and that counts drawn from the model, ranked as
//! those of the log are, have the same mean logarithm of the rank (indirect inference: Gourieroux,
//! Monfort and Renault, Journal of Applied Econometrics 8, 1993).

use std::collections::HashMap;

use crate::prose::counted;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use toml::{Table, Value};

/// Members that are told apart: some 300 MB of memory at most.
pub const MOST_MEMBERS: usize = 10_000_000;

/// The largest `count` and `exponent` that a scenario takes.
const MOST: (usize, f64) = (10_000_000, 10.0);

/// Members beyond this are taken as ranked rightly, as drawing them again and again would take
/// minutes.
const MOST_DRAWN: usize = 1_000_000;

/// How many members there may be for each that was seen: a log says little about those that do not
/// come.
const UNSEEN: usize = 4;

/// Counts how often each member of something comes. Members are told apart by a hash of 64 bits:
/// among ten million the odds that any two are taken for one are 3 in a million.
#[derive(Debug)]
pub struct Counter {
    counts: HashMap<u64, u64>,
    most: usize,
    total: u64,
    beyond: u64,
}

impl Default for Counter {
    fn default() -> Counter {
        Counter::new(MOST_MEMBERS)
    }
}

impl Counter {
    /// Tells at most `most` members apart.
    pub fn new(most: usize) -> Counter {
        Counter {
            counts: HashMap::new(),
            most,
            total: 0,
            beyond: 0,
        }
    }

    /// Counts one request of a member.
    pub fn add(&mut self, name: &str) {
        self.total += 1;
        let key = xxhash_rust::xxh64::xxh64(name.as_bytes(), 0);
        if let Some(count) = self.counts.get_mut(&key) {
            *count += 1;
        } else if self.counts.len() < self.most {
            self.counts.insert(key, 1);
        } else {
            self.beyond += 1;
        }
    }

    /// Requests, all together.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// What was counted, described; `None` where nothing was.
    pub fn describe(&self) -> Option<Likeness> {
        let counts: Vec<u64> = self.counts.values().copied().collect();
        let mut described = Likeness::of(counts)?;
        if self.beyond > 0 {
            described.reasons.push(format!(
                "Only the first {} are told apart: {} of others are left out.",
                self.most,
                counted(self.beyond, "request")
            ));
        }
        Some(described)
    }
}

/// How unlike the members are.
#[derive(Clone, Debug, PartialEq)]
pub struct Likeness {
    /// Requests that were counted.
    pub requests: u64,
    /// Members that were seen.
    pub seen: usize,
    /// Members that there are, by the fit: those that were never seen included.
    pub count: usize,
    /// The exponent of Zipf's law; 0 where all are alike.
    pub exponent: f64,
    /// Its standard error, had the requests been drawn independently.
    pub error: f64,
    /// The share of the busiest, from 0 to 1.
    pub busiest: f64,
    /// The largest difference between the share of requests that the k busiest make, for any k, and
    /// what the fit gives them: 0 is a perfect fit.
    pub distance: f64,
    /// What was found, in sentences.
    pub reasons: Vec<String>,
}

/// Shares of the most popular first, for `count` members.
fn shares(count: usize, exponent: f64) -> Vec<f64> {
    let weights: Vec<f64> = (1..=count)
        .map(|rank| libm::exp(-exponent * libm::log(rank as f64)))
        .collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

/// How many different members are expected in so many requests.
fn expected_seen(shares: &[f64], requests: f64) -> f64 {
    shares
        .iter()
        .map(|share| -libm::expm1(-requests * share))
        .sum()
}

/// The mean logarithm of the rank, by counts in falling order.
fn mean_log_rank(counts: &[f64]) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for (place, count) in counts.iter().enumerate() {
        sum += count * libm::log((place + 1) as f64);
        total += count;
    }
    sum / total
}

fn uniform(rng: &mut Xoshiro256PlusPlus) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}

/// A Poisson count: by multiplication, and by a normal one where the mean is large.
fn poisson(mean: f64, rng: &mut Xoshiro256PlusPlus) -> f64 {
    if mean > 40.0 {
        let radius = libm::sqrt(-2.0 * libm::log(uniform(rng)));
        let normal = radius * libm::cos(std::f64::consts::TAU * uniform(rng));
        return libm::round(mean + libm::sqrt(mean) * normal).max(0.0);
    }
    let limit = libm::exp(-mean);
    let (mut product, mut count) = (uniform(rng), 0.0);
    while product > limit {
        product *= uniform(rng);
        count += 1.0;
    }
    count
}

/// The size of the population that shows as many members as were seen.
fn size(exponent: f64, seen: usize, requests: f64) -> usize {
    let most = MOST.0.min(seen.saturating_mul(UNSEEN)).max(seen);
    let (mut low, mut high) = (seen, most);
    while high - low > low / 500 {
        let middle = low + (high - low) / 2;
        if expected_seen(&shares(middle, exponent), requests) < seen as f64 - 0.5 {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The mean logarithm of the rank less that of the number of members that come at all: how many
/// that are is luck too.
fn relative(counts: &[f64]) -> f64 {
    let seen = counts.iter().filter(|&&count| count > 0.0).count();
    mean_log_rank(counts) - libm::log(seen.max(1) as f64)
}

/// What a model shows.
#[derive(Clone, Copy, Debug)]
struct Shown {
    /// The size of the population that goes with the exponent.
    count: usize,
    /// The mean logarithm of the rank, on average.
    ranked: f64,
    /// The same, relative to the members seen.
    relative: f64,
    /// The standard deviation of that from log to log.
    deviation: f64,
}

/// What a model shows, by a few draws.
fn shown(exponent: f64, seen: usize, requests: f64) -> Shown {
    if seen > MOST_DRAWN {
        let shares = shares(seen, exponent);
        return Shown {
            count: seen,
            ranked: mean_log_rank(&shares),
            relative: relative(&shares),
            deviation: 0.0,
        };
    }
    let count = size(exponent, seen, requests);
    let shares = shares(count, exponent);
    // The same random numbers for all exponents, so that the answer is smooth in them; more rounds
    // where there is more luck, and for equal members, where the deviation decides.
    let rounds = (200_000 / count).clamp(if exponent == 0.0 { 8 } else { 1 }, 20);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let (mut ranked, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for _ in 0..rounds {
        let mut counts: Vec<f64> = shares
            .iter()
            .map(|share| poisson(requests * share, &mut rng))
            .collect();
        counts.sort_unstable_by(|a, b| b.total_cmp(a));
        if counts.first().is_some_and(|&most| most > 0.0) {
            ranked += mean_log_rank(&counts);
            let found = relative(&counts);
            sum += found;
            squares += found * found;
        }
    }
    let rounds = rounds as f64;
    let mean = sum / rounds;
    Shown {
        count,
        ranked: ranked / rounds,
        relative: mean,
        deviation: libm::sqrt((squares / rounds - mean * mean).max(0.0)),
    }
}

/// Fewer requests do not show how unlike those are who sent them, nor how many there are.
const FEWEST: u64 = 50;

/// Standard deviations by which a log must differ from one of equal members.
const SURE: f64 = 4.5;

impl Likeness {
    /// From the counts of all members that were seen, in any order; `None` where there are none.
    pub fn of(mut counts: Vec<u64>) -> Option<Likeness> {
        counts.retain(|&count| count > 0);
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let (&first, seen) = (counts.first()?, counts.len());
        let requests: u64 = counts.iter().sum();
        let total = requests as f64;
        if requests < FEWEST {
            let mut described = Likeness {
                requests,
                seen,
                count: seen,
                exponent: 0.0,
                error: 0.0,
                busiest: first as f64 / total,
                distance: 0.0,
                reasons: Vec::new(),
            };
            described.reasons = described.sentences();
            return Some(described);
        }
        let ranked: Vec<f64> = counts.iter().map(|&count| count as f64).collect();
        let observed = mean_log_rank(&ranked);

        // The more unlike, the lower it is.
        let (mut low, mut high) = (0.0, MOST.1);
        let alike = shown(0.0, seen, total);
        let (mut exponent, mut count) = (0.0, alike.count);
        if seen > 1 && relative(&ranked) < alike.relative - SURE * alike.deviation {
            for _ in 0..14 {
                exponent = 0.5 * (low + high);
                let model = shown(exponent, seen, total);
                count = model.count;
                if model.ranked > observed {
                    low = exponent;
                } else {
                    high = exponent;
                }
            }
        }
        if exponent < 0.02 {
            (exponent, count) = (0.0, alike.count);
        }
        let fitted = shares(count, exponent);
        let logs = |power: i32| -> f64 {
            let log = |place: usize| libm::log((place + 1) as f64);
            fitted
                .iter()
                .enumerate()
                .map(|(place, share)| share * log(place).powi(power))
                .sum()
        };
        let spread = (logs(2) - logs(1) * logs(1)).max(0.0);
        let error = if spread > 0.0 {
            1.0 / libm::sqrt(total * spread)
        } else {
            0.0
        };
        let distance = distance(&counts, &fitted, total);
        let mut described = Likeness {
            requests,
            seen,
            count,
            exponent,
            error,
            busiest: first as f64 / total,
            distance,
            reasons: Vec::new(),
        };
        described.reasons = described.sentences();
        Some(described)
    }

    fn sentences(&self) -> Vec<String> {
        let mut text = vec![format!(
            "{} in {}; the busiest makes {:.1}% of them.",
            counted(self.seen, "member"),
            counted(self.requests, "request"),
            100.0 * self.busiest
        )];
        if self.requests < FEWEST {
            text.push(
                "So few requests do not tell how unlike they are: all alike is assumed.".to_owned(),
            );
            return text;
        }
        if self.exponent == 0.0 {
            text.push("They differ no more than by luck: all alike (uniform).".to_owned());
        } else {
            text.push(format!(
                "Zipf's law with an exponent of {:.2} (standard error {:.2}) fits; the share of the k busiest is off by {:.1} \
                 percentage points at most.",
                self.exponent,
                self.error,
                100.0 * self.distance
            ));
        }
        if self.distance > 0.1 {
            text.push(
                "That is a poor fit: take the clients from the log itself (a trace, or a population from a file).".to_owned(),
            );
        }
        if self.count > self.seen + self.seen / 50 {
            let bound = if self.count >= self.seen.saturating_mul(UNSEEN) {
                "at least "
            } else {
                "some "
            };
            text.push(format!(
                "So few requests do not show all: there are {bound}{} members, by the fit.",
                self.count
            ));
        }
        text
    }

    /// As `popularity` of a scenario.
    pub fn popularity(&self) -> Value {
        if self.exponent == 0.0 {
            return Value::String("uniform".to_owned());
        }
        let mut table = Table::new();
        table.insert("kind".to_owned(), Value::String("zipf".to_owned()));
        let rounded = (self.exponent * 1000.0).round() / 1000.0;
        table.insert("exponent".to_owned(), Value::Float(rounded));
        Value::Table(table)
    }

    /// As `keys` of a scenario.
    pub fn keys(&self) -> Table {
        let mut table = Table::new();
        let count = i64::try_from(self.count.clamp(1, MOST.0)).unwrap_or(i64::MAX);
        table.insert("count".to_owned(), Value::Integer(count));
        table.insert("popularity".to_owned(), self.popularity());
        table
    }

    /// As `population` of a scenario.
    pub fn population(&self) -> Table {
        let mut table = Table::new();
        table.insert("kind".to_owned(), Value::String("generated".to_owned()));
        table.extend(self.keys());
        table
    }
}

/// The largest difference between the shares that the k busiest make, in falling counts and by the
/// shares of a fit.
fn distance(counts: &[u64], fitted: &[f64], total: f64) -> f64 {
    let (mut a, mut b, mut most) = (0.0, 0.0, 0.0f64);
    for (count, share) in counts.iter().zip(fitted) {
        a += *count as f64 / total;
        b += share;
        most = most.max((a - b).abs());
    }
    most
}

#[cfg(test)]
mod tests;
