//! The scenario files hold what they promise: each is read, asks a question, and its expectation
//! comes true in a short run. Where theory is exact the tolerance is at least four standard errors
//! of that run; where one strategy is to beat another the margin is a good part of the difference
//! that a full run shows.

mod bad_days;
mod differs;
mod layers;
mod scaling;
mod sessions;
mod systems;

use std::fs;
use std::path::{Path, PathBuf};

use lbsim::model;
use lbsim::observe::{Latency, Loss, Tally};
use lbsim::scenario::Scenario;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// The names of all scenario files, sorted.
fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn scenario(name: &str, sets: &[&str]) -> Scenario {
    let path = folder().join(format!("{name}.toml"));
    let text = fs::read_to_string(&path).unwrap();
    let sets: Vec<String> = sets.iter().map(|&set| set.to_owned()).collect();
    Scenario::parse(&path, &text, &sets).unwrap_or_else(|rejected| panic!("{rejected}"))
}

/// What a few replications of each variant measured.
struct Measured {
    scenario: Scenario,
    tallies: Vec<Vec<Tally>>,
}

fn measure(name: &str, replications: u32, sets: &[&str]) -> Measured {
    let scenario = scenario(name, sets);
    let tallies = scenario
        .variants
        .iter()
        .map(|variant| {
            (0..replications)
                .map(|replication| model::run(&variant.blueprint, scenario.seed, replication))
                .collect()
        })
        .collect();
    Measured { scenario, tallies }
}

impl Measured {
    fn of(&self, variant: &str) -> &[Tally] {
        let names: Vec<&str> = self
            .scenario
            .variants
            .iter()
            .map(|v| v.name.as_str())
            .collect();
        let place = names.iter().position(|&name| name == variant);
        &self.tallies[place.unwrap_or_else(|| panic!("no `{variant}` among {names:?}"))]
    }

    fn sum(&self, variant: &str, count: impl Fn(&Tally) -> u64) -> f64 {
        self.of(variant)
            .iter()
            .map(|tally| count(tally) as f64)
            .sum()
    }

    fn latency(&self, variant: &str) -> Latency {
        let mut all = Latency::default();
        for tally in self.of(variant) {
            all.merge(&tally.latency);
        }
        all
    }

    /// Mean response time in milliseconds.
    fn mean(&self, variant: &str) -> f64 {
        self.latency(variant).mean().unwrap() * 1e3
    }

    /// A quantile of the response time in milliseconds.
    fn quantile(&self, variant: &str, q: f64) -> f64 {
        self.latency(variant).quantile(q).unwrap() * 1e3
    }

    fn p99(&self, variant: &str) -> f64 {
        self.quantile(variant, 0.99)
    }

    fn requests(&self, variant: &str) -> f64 {
        self.sum(variant, |tally| tally.requests)
    }

    /// Requests that did not succeed, a replication.
    fn failed(&self, variant: &str) -> f64 {
        self.sum(variant, |tally| tally.requests - tally.succeeded_count())
            / self.of(variant).len() as f64
    }

    fn success(&self, variant: &str) -> f64 {
        self.sum(variant, Tally::succeeded_count) / self.requests(variant)
    }

    /// Sessions lost by a cause, a replication.
    fn lost(&self, variant: &str, cause: Loss) -> f64 {
        self.sum(variant, |tally| tally.sessions.lost[cause as usize])
            / self.of(variant).len() as f64
    }

    /// The share of sessions that lost their state: what the chart shows.
    fn hurt(&self, variant: &str) -> f64 {
        let hurt = self.sum(variant, |tally| tally.sessions.hurt.iter().sum());
        hurt / self.sum(variant, |tally| tally.sessions.all)
    }

    /// Asserts that there are as many sessions under each variant, a replication: what shares are
    /// of is the same. Answers come sooner or later, so that a few sessions begin before the window
    /// here and in it there.
    #[track_caller]
    fn sessions_are(&self, due: f64, variants: &[&str]) {
        for variant in variants {
            let sessions =
                self.sum(variant, |tally| tally.sessions.all) / self.of(variant).len() as f64;
            near(sessions, due, 0.02);
        }
    }

    /// Success of one group of clients, by its place.
    fn success_of(&self, variant: &str, group: usize) -> f64 {
        self.sum(variant, |tally| tally.parts[group].latency.count())
            / self.sum(variant, |tally| tally.parts[group].requests)
    }

    /// The 99th percentile of one group of clients, in milliseconds.
    fn p99_of(&self, variant: &str, group: usize) -> f64 {
        let mut all = Latency::default();
        for tally in self.of(variant) {
            all.merge(&tally.parts[group].latency);
        }
        all.quantile(0.99).unwrap() * 1e3
    }

    /// The highest and the lowest utilization of a server in a replication, whichever it is there:
    /// means over the replications.
    fn extremes(&self, variant: &str) -> (f64, f64) {
        let count = self.of(variant).len() as f64;
        let (mut high, mut low) = (0.0, 0.0);
        for tally in self.of(variant) {
            let all = tally.load.utilization();
            high += all.iter().copied().fold(0.0, f64::max) / count;
            low += all.iter().copied().fold(1.0, f64::min) / count;
        }
        (high, low)
    }

    /// Utilization by server, averaged over the replications.
    fn utilization(&self, variant: &str) -> Vec<f64> {
        let tallies = self.of(variant);
        let mut all = vec![0.0; tallies[0].load.utilization().len()];
        for tally in tallies {
            for (sum, share) in all.iter_mut().zip(tally.load.utilization()) {
                *sum += share / tallies.len() as f64;
            }
        }
        all
    }

    fn busiest(&self, variant: &str) -> f64 {
        self.utilization(variant).into_iter().fold(0.0, f64::max)
    }

    fn idlest(&self, variant: &str) -> f64 {
        self.utilization(variant).into_iter().fold(1.0, f64::min)
    }
}

#[track_caller]
fn near(value: f64, due: f64, tolerance: f64) {
    assert!(
        (value / due - 1.0).abs() < tolerance,
        "{value} is not within {tolerance} of {due}"
    );
}

/// Asserts that values rise, each by more than the factor that stands before it.
#[track_caller]
fn rising(first: f64, rest: &[(f64, f64)]) {
    let mut last = first;
    for &(factor, value) in rest {
        assert!(
            value > factor * last,
            "{value} is not {factor} times {last}"
        );
        last = value;
    }
}

#[test]
fn each_asks_a_question_and_says_what_to_expect() {
    let names = names();
    assert!(names.len() >= 15, "{names:?}");
    for name in names {
        let scenario = scenario(&name, &[]);
        let question = &scenario.question;
        assert!(question.ends_with('?'), "{name}: {question}");
        assert!(question.chars().count() <= 140, "{name}: {question}");
        assert!(scenario.expect.trim().len() > 100, "{name}");
        assert!(scenario.variants.len() >= 2, "{name}");
        // What these do on purpose.
        let meant = [
            ("breaker-refusals", "overloaded-peak"),
            ("daily-peak", "overloaded-peak"),
            ("differs-recovery", "fault-in-warmup"),
            ("ejection-in-fleets", "without-effect"),
            ("flood", "overloaded"),
            ("garbage-collection", "fault-too-short"),
            ("internal-tool", "closed-loop"),
            ("priority-classes", "overloaded"),
            ("retry-budget", "overloaded-peak"),
            ("retry-storm", "overloaded-peak"),
            ("spike-length", "overloaded-peak"),
            ("spike-autoscaled", "overloaded-peak"),
            ("slots-and-disciplines", "heavy-tail"),
        ];
        for warning in &scenario.warnings {
            assert!(
                meant.contains(&(name.as_str(), &*warning.code)),
                "{name}: {warning}"
            );
        }
        let long = |variant: &lbsim::scenario::Variant| variant.name.chars().count() > 40;
        assert!(!scenario.variants.iter().any(long), "{name}");
    }
}

/// Each file has a test of its own below, named after it.
#[test]
fn each_is_tested() {
    let tests = concat!(
        include_str!("scenarios/bad_days.rs"),
        include_str!("scenarios/systems.rs"),
        include_str!("scenarios/differs.rs"),
        include_str!("scenarios/layers.rs"),
        include_str!("scenarios/scaling.rs"),
        include_str!("scenarios/sessions.rs"),
        include_str!("real.rs")
    );
    for name in names() {
        let test = format!("fn {}()", name.replace('-', "_"));
        assert!(tests.contains(&test), "there is no `{test}`");
    }
}

#[test]
fn the_table_of_questions_is_that_of_the_files() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let rows: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with("| ["))
        .collect();
    let due: Vec<String> = names()
        .iter()
        .map(|name| {
            let question = scenario(name, &[]).question;
            format!("| [{name}]({name}.toml) | {question} |")
        })
        .collect();
    assert_eq!(rows, due);
}
