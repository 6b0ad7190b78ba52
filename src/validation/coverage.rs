//! Do intervals hold the truth as often as they say? Many small experiments of a world whose truth
//! is known, each with its own seed.

use serde::{Deserialize, Serialize};

use super::Effort;
use crate::experiment::{self, Exact, Figure, Metric, Outcome, Progress};
use crate::parallel;
use crate::scenario::Scenario;

/// How often intervals held the truth: a row of `coverage.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// The world.
    pub world: String,
    /// What was estimated.
    pub metric: String,
    /// Experiments, each with a seed of its own.
    pub experiments: u32,
    /// Of these, those whose 95% interval held the exact value.
    pub covered: u32,
    /// The share of them.
    pub share: f64,
    /// The least share that is accepted.
    pub least: f64,
    /// The greatest share that is accepted.
    pub most: f64,
    /// Mean half-width, relative to the exact value.
    pub half_width: f64,
    /// Whether the share is accepted.
    pub agrees: bool,
}

/// Worlds whose truth is known: what each is called, requests a second to each of its servers, the
/// strategy, how long it runs, its servers.
const WORLDS: [(&str, u32, &str, &str, u32); 3] = [
    (
        "M/M/1 at load 0.5",
        50,
        "random",
        "duration = '220s'\nwarmup = '20s'",
        1,
    ),
    (
        "M/M/1 at load 0.8",
        80,
        "random",
        "duration = '800s'\nwarmup = '50s'",
        1,
    ),
    (
        "round robin over 10 at load 0.8",
        80,
        "round-robin",
        "duration = '60s'\nwarmup = '10s'",
        10,
    ),
];

fn scenario(at: usize, more: &str, seed: u64) -> Scenario {
    let (_, load, strategy, length, servers) = WORLDS[at];
    let text = format!(
        "question = '?'\nexpect = '!'\n[run]\n{length}\nseed = {seed}\ncompare = ['{strategy}']\n{more}\n[[clients]]\narrivals = {{ kind = 'poisson', rate = '{}/s' }}\n[[services]]\nname = 'web'\n[[services.servers]]\ncount = {servers}\nservice = {{ kind = 'exponential', mean = '10ms' }}\n",
        load * servers
    );
    Scenario::from_text("coverage.toml", &text).unwrap_or_else(|rejected| panic!("{rejected}"))
}

fn metric(name: &str) -> &'static Metric {
    Metric::named(name).expect("a metric of the list")
}

/// The outcome of one experiment, and what theory says of its one variant.
fn lived(scenario: &Scenario) -> (Outcome, Exact) {
    let mut outcomes = experiment::run(&[(scenario, None)], &Progress::default())
        .unwrap_or_else(|error| panic!("{error}"));
    let exact = Exact::of(&scenario.variants[0]).expect("a world that theory knows");
    (outcomes.remove(0), exact)
}

fn covers(figure: &Figure, exact_ms: f64) -> bool {
    let distance = figure.estimate.map(|estimate| (estimate - exact_ms).abs());
    distance
        .zip(figure.half_width)
        .is_some_and(|(distance, half)| distance <= half)
}

/// How often the 95% interval of the mean and of the p99 hold the exact value. Accepted is what
/// lies within 92% and 97%, in the quick form within what a binomial of 95% gives in all but one of
/// 1,000 cases beyond that.
///
/// # Panics
/// Where a world, which is part of the program, is faulty.
pub fn coverage(effort: Effort) -> Vec<Coverage> {
    let (experiments, least, most) = match effort {
        Effort::Full => (1000, 0.92, 0.97),
        Effort::Quick => (200, 0.88, 0.99),
    };
    let mut rows = Vec::new();
    for (at, (world, ..)) in WORLDS.iter().enumerate() {
        let held: Vec<[(bool, f64); 2]> = parallel::map(0..experiments, |experiment| {
            let (outcome, exact) = lived(&scenario(at, "replications = 10", u64::from(experiment)));
            let of = |name, exact_ms: f64| {
                let figure = experiment::estimate(&outcome.variants[0], metric(name));
                (
                    covers(&figure, exact_ms),
                    figure.half_width.unwrap_or(0.0) / exact_ms,
                )
            };
            let p99 = exact.quantile(0.99).unwrap_or(f64::NAN);
            [of("mean_ms", exact.mean() * 1e3), of("p99_ms", p99 * 1e3)]
        });
        for (which, name) in ["mean", "p99"].into_iter().enumerate() {
            let covered = held.iter().filter(|row| row[which].0).count() as u32;
            let share = f64::from(covered) / f64::from(experiments);
            let widths: f64 = held.iter().map(|row| row[which].1).sum();
            rows.push(Coverage {
                world: (*world).to_owned(),
                metric: name.to_owned(),
                experiments,
                covered,
                share,
                least,
                most,
                half_width: widths / f64::from(experiments),
                agrees: (least..=most).contains(&share),
            });
        }
    }
    rows
}

/// How often the interval from within one run (overlapping batch means) holds the exact mean.
///
/// # Panics
/// Where a world, which is part of the program, is faulty.
pub fn one_run(effort: Effort) -> Coverage {
    let (experiments, least, most) = match effort {
        Effort::Full => (1000, 0.92, 0.97),
        Effort::Quick => (200, 0.88, 0.99),
    };
    let held: Vec<(bool, f64)> = parallel::map(0..experiments, |experiment| {
        let more = "replications = 1";
        let scenario = scenario(1, more, 20_000 + u64::from(experiment));
        let (outcome, exact) = lived(&scenario);
        let figure = experiment::estimate(&outcome.variants[0], metric("mean_ms"));
        let exact_ms = exact.mean() * 1e3;
        (
            covers(&figure, exact_ms),
            figure.half_width.unwrap_or(0.0) / exact_ms,
        )
    });
    let covered = held.iter().filter(|run| run.0).count() as u32;
    let share = f64::from(covered) / f64::from(experiments);
    Coverage {
        world: format!("{}, one run, overlapping batch means", WORLDS[1].0),
        metric: "mean".to_owned(),
        experiments,
        covered,
        share,
        least,
        most,
        half_width: held.iter().map(|run| run.1).sum::<f64>() / f64::from(experiments),
        agrees: (least..=most).contains(&share),
    }
}

/// Whether `precision` stops where it should: of 200 runs each must reach the half-width that was
/// asked for, and the truth lie within as often as promised.
///
/// # Panics
/// Where a world, which is part of the program, is faulty.
pub fn precision(effort: Effort) -> Vec<Coverage> {
    let experiments = match effort {
        Effort::Full => 200,
        Effort::Quick => 60,
    };
    let asked = 0.02;
    let runs: Vec<(bool, f64)> = parallel::map(0..experiments, |experiment| {
        let scenario = scenario(
            0,
            "precision = '2% of mean'",
            10_000 + u64::from(experiment),
        );
        let (outcome, exact) = lived(&scenario);
        let figure = experiment::estimate(&outcome.variants[0], metric("mean_ms"));
        let width = figure
            .half_width
            .zip(figure.estimate)
            .map_or(f64::NAN, |(half, estimate)| half / estimate);
        (covers(&figure, exact.mean() * 1e3), width)
    });
    let covered = runs.iter().filter(|run| run.0).count() as u32;
    let reached = runs.iter().filter(|run| run.1 <= asked).count() as u32;
    let share = |count: u32| f64::from(count) / f64::from(experiments);
    let row = |metric: &str, covered: u32, least: f64, most: f64| Coverage {
        world: format!("{}, run until ±2% of the mean", WORLDS[0].0),
        metric: metric.to_owned(),
        experiments,
        covered,
        share: share(covered),
        least,
        most,
        half_width: runs.iter().map(|run| run.1).sum::<f64>() / f64::from(experiments),
        agrees: (least..=most).contains(&share(covered)),
    };
    vec![
        row("half-width reached", reached, 1.0, 1.0),
        // Stopping when the interval happens to be narrow costs a little coverage; below 90% the
        // promise would be broken.
        row(
            "mean",
            covered,
            if effort == Effort::Full { 0.90 } else { 0.85 },
            1.0,
        ),
    ]
}
