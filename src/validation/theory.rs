//! Simulated against exact values of queueing theory.

use serde::{Deserialize, Serialize};

use super::Effort;
use super::stays::Stays;
use crate::model;
use crate::observe::{Cause, Ended, Latency};
use crate::parallel;
use crate::scenario::Scenario;
use crate::stats::{Estimate, Moments};
use crate::time::Span;

/// The worlds and their values.
const WORLDS: &str = include_str!("theory.toml");

/// Mean service time in all of them, in seconds: the unit of exact values.
const UNIT: f64 = 0.01;

/// Requests that tolerances are meant for.
const MEANT_FOR: f64 = 2e6;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Worlds {
    world: Vec<SolvedWorld>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SolvedWorld {
    what: String,
    group: String,
    strategy: String,
    arrivals: String,
    servers: Vec<String>,
    /// The balancer, as the table of a scenario; by default one that does nothing but pick.
    #[serde(default = "plain")]
    balancer: String,
    /// What goes wrong.
    #[serde(default)]
    faults: Vec<String>,
    seconds: u32,
    warmup: u32,
    /// Whether it is simulated at its full length, however quick the effort: its events have their
    /// time.
    #[serde(default)]
    whole: bool,
    checks: Vec<Claim>,
}

fn plain() -> String {
    "{}".to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    id: String,
    metric: String,
    exact: f64,
    tolerance: f64,
    #[serde(default)]
    fixed: bool,
    /// `time-with`: the share of time with so many requests in the system.
    #[serde(default)]
    number: usize,
    /// `number-at`: the mean number in the system at this phase of a period, in mean service times.
    #[serde(default)]
    phase: f64,
    #[serde(default)]
    period: f64,
    source: String,
}

/// One value, exact and simulated: a row of `theory.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The name of the check.
    pub id: String,
    /// What it is one of.
    pub group: String,
    /// The world.
    pub world: String,
    /// What is compared: times are in mean service times.
    pub metric: String,
    /// The exact value.
    pub exact: f64,
    /// The estimate.
    pub estimate: f64,
    /// Half the width of its 95% interval.
    pub half_width_95: f64,
    /// How far off the estimate may be, relative to the exact value: about three standard errors.
    pub tolerance: f64,
    /// Requests simulated, warm-up included.
    pub requests: u64,
    /// Whether the estimate is within the tolerance.
    pub agrees: bool,
    /// Where the exact value comes from.
    pub source: String,
}

impl Finding {
    /// How far off the estimate is, as a share of how far off it may be.
    pub fn off(&self) -> f64 {
        (self.estimate - self.exact) / (self.exact * self.tolerance)
    }
}

/// What one replication of a world gives.
struct Lived {
    responses: Latency,
    waits: Latency,
    moments: Moments,
    waited: u64,
    requests: u64,
    refused: u64,
    failed: u64,
    attempts: u64,
    /// Times to the end of those that failed.
    failures: Latency,
    simulated: u64,
    idle: f64,
    seconds: f64,
    /// When requests came and went, where a check asks how many were in the system.
    stays: Stays,
}

impl SolvedWorld {
    fn scenario(&self, effort: Effort) -> Scenario {
        // A fleet is long in filling; it is spared most of the cut.
        let part = match effort {
            Effort::Full => 1,
            Effort::Quick if self.whole => 1,
            Effort::Quick if self.servers[0].contains("count = 1000") => 4,
            Effort::Quick => 20,
        };
        let text = format!(
            "faults = [{}]\nquestion = '?'\nexpect = '!'\n[run]\nduration = '{}ms'\nwarmup = '{}ms'\ncompare = [{}]\n[[clients]]\narrivals = {}\n[[services]]\nname = 'web'\nservers = [{}]\nbalancer = {}\n",
            self.faults.join(", "),
            (self.seconds + self.warmup) * 1000 / part,
            self.warmup * 1000 / part,
            self.strategy,
            self.arrivals,
            self.servers.join(", "),
            self.balancer
        );
        Scenario::from_text("validation.toml", &text)
            .unwrap_or_else(|rejected| panic!("{}: {rejected}", self.what))
    }

    fn simulate(&self, scenario: &Scenario, replication: u32) -> Lived {
        let (mut waits, mut moments, mut waited) = (Latency::default(), Moments::default(), 0);
        let mut stays = Stays::default();
        let counts = self.checks.iter().any(Claim::counts);
        let mut witness = |request: &Ended| {
            if counts {
                stays.add(request.arrived, request.arrived + request.response_time);
            }
            if request.measured && request.failed.is_none() {
                let wait = request.response_time - request.service_time;
                waits.record(wait);
                waited += u64::from(!wait.is_zero());
                moments.add(request.response_time.seconds());
            }
        };
        let plan = &scenario.variants[0].blueprint;
        let tally = model::run_witnessed(plan, scenario.seed, replication, &mut witness);
        Lived {
            idle: 1.0 - tally.load.mean_utilization(),
            seconds: tally.seconds(),
            requests: tally.requests,
            refused: tally.failed[Cause::QueueFull as usize],
            failed: tally.failed.iter().sum(),
            attempts: tally.attempts,
            failures: tally.failures,
            stays: stays.between(tally.from, tally.to),
            simulated: tally.simulated,
            responses: tally.latency,
            waits,
            moments,
            waited,
        }
    }
}

impl Claim {
    /// The value in one replication.
    fn value(&self, sample: &Lived) -> f64 {
        let served = sample.responses.count() as f64;
        let mean = |latency: &Latency| latency.mean().unwrap_or(0.0) / UNIT;
        match self.metric.as_str() {
            "mean" => mean(&sample.responses),
            "mean-wait" => mean(&sample.waits),
            "variance" => sample.moments.variance().unwrap_or(0.0) / (UNIT * UNIT),
            "share-waiting" => sample.waited as f64 / served,
            "share-refused" => sample.refused as f64 / sample.requests as f64,
            "share-failed" => sample.failed as f64 / sample.requests as f64,
            "share-idle" => sample.idle,
            "attempts" => sample.attempts as f64 / sample.requests as f64,
            "mean-to-the-end" => {
                let sum = |latency: &Latency| mean(latency) * latency.count() as f64;
                (sum(&sample.responses) + sum(&sample.failures)) / sample.requests as f64
            }
            // Little's law, with the rate that came.
            "mean-in-system" => mean(&sample.responses) * UNIT * served / sample.seconds,
            "throughput" => served / sample.seconds * UNIT,
            "time-with" => sample.stays.time_with(self.number),
            "number-at" => {
                let unit = |units: f64| Span::from_seconds(units * UNIT);
                sample.stays.number_at(unit(self.phase), unit(self.period))
            }
            metric => {
                let quantile = self.quantile();
                let quantile = quantile.unwrap_or_else(|| panic!("no metric `{metric}`"));
                quantile.of(&sample.responses, &sample.waits)
            }
        }
    }

    /// Whether it needs to know how many requests were in the system.
    fn counts(&self) -> bool {
        matches!(self.metric.as_str(), "time-with" | "number-at")
    }

    /// The quantile that it is of: `p99`, or `p99-wait` of waits.
    fn quantile(&self) -> Option<Quantile> {
        let (text, of_waits) = match self.metric.strip_suffix("-wait") {
            Some(text) => (text, true),
            None => (self.metric.as_str(), false),
        };
        let percent: f64 = text.strip_prefix('p')?.parse().ok()?;
        Some(Quantile {
            q: percent / 100.0,
            of_waits,
        })
    }

    fn find(&self, world: &SolvedWorld, samples: &[Lived]) -> Finding {
        let values: Vec<f64> = samples.iter().map(|sample| self.value(sample)).collect();
        let mean = Estimate::of(&values).unwrap_or(Estimate {
            mean: f64::NAN,
            half_width: None,
            n: 0,
        });
        let mut estimate = mean.mean;
        // Quantiles are not averaged.
        if let Some(quantile) = self.quantile() {
            let (mut responses, mut waits) = (Latency::default(), Latency::default());
            for sample in samples {
                responses.merge(&sample.responses);
                waits.merge(&sample.waits);
            }
            estimate = quantile.of(&responses, &waits);
        }
        let counted: u64 = samples.iter().map(|sample| sample.requests).sum();
        let scale = (MEANT_FOR / counted as f64).sqrt();
        let tolerance = if world.whole {
            self.tolerance
        } else if self.fixed {
            self.tolerance * scale.max(1.0)
        } else {
            self.tolerance * scale
        };
        Finding {
            id: self.id.clone(),
            group: world.group.clone(),
            world: world.what.clone(),
            metric: self.metric.clone(),
            exact: self.exact,
            estimate,
            half_width_95: mean.half_width.unwrap_or(f64::NAN),
            tolerance,
            requests: samples.iter().map(|sample| sample.simulated).sum(),
            agrees: (estimate - self.exact).abs() <= tolerance * self.exact,
            source: self.source.clone(),
        }
    }
}

/// A quantile of response times or of waits.
#[derive(Clone, Copy)]
struct Quantile {
    q: f64,
    of_waits: bool,
}

impl Quantile {
    fn of(self, responses: &Latency, waits: &Latency) -> f64 {
        let times = if self.of_waits { waits } else { responses };
        times.quantile(self.q).unwrap_or(0.0) / UNIT
    }
}

/// Simulates all worlds and compares them with what theory says, on the threads of the current
/// rayon pool.
///
/// # Panics
/// Where the file of worlds, which is part of the program, is faulty.
pub fn theory(effort: Effort) -> Vec<Finding> {
    let worlds: Worlds = toml::from_str(WORLDS).expect("a faultless file of worlds");
    let replications = match effort {
        Effort::Full => 10,
        Effort::Quick => 5,
    };
    let findings: Vec<Vec<Finding>> = parallel::map(&worlds.world, |world| {
        let scenario = world.scenario(effort);
        let samples: Vec<Lived> = parallel::map(0..replications, |replication| {
            world.simulate(&scenario, replication)
        });
        world
            .checks
            .iter()
            .map(|check| check.find(world, &samples))
            .collect()
    });
    findings.into_iter().flatten().collect()
}
