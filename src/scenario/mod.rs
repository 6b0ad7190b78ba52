//! Scenario files: the text, its check, and what it means.
//!
//! Text is read into a tree that knows where everything stands ([`text`]), held against the schema
//! of the [`mod@file`] structs ([`conform`]), and turned into the [`Blueprint`]s of what is
//! compared ([`check`]). All faults of a file are reported at once; after the check nothing can
//! fail for the user's reasons.

mod assign;
mod builder;
pub mod check;
pub mod conform;
pub mod diagnostic;
pub mod examples;
pub mod file;
pub mod keys;
pub mod moved;
pub mod reference;
mod rewrite;
mod runaway;
pub mod shape;
pub mod sizing;
mod template;
pub mod text;
pub mod trace;
pub mod tuning;
mod values;
pub mod warning;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use crate::figures;
use crate::model::blueprint::Blueprint;
use crate::requirement::Requirement;
use crate::strategy::{Sight, StrategyConfig};
use crate::time::Span;
use crate::units::Percentile;
pub use builder::Builder;
use diagnostic::Diagnostic;
use file::{Criterion, File};
use sizing::Sizing;
pub use template::Template;
use text::Document;
use tuning::Tuning;
pub use warning::Warning;
pub(crate) use words::address as check_address;

/// A scenario that has been checked: what is compared, how often, and on what grounds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Scenario {
    /// The name of its results folder: the file's name without its ending.
    pub name: String,
    /// The file's name.
    pub file_name: String,
    /// The question it asks.
    pub question: String,
    /// What it expects.
    pub expect: String,
    /// Root of all random streams.
    pub seed: u64,
    /// Independent repetitions.
    pub replications: u32,
    /// How sure its figures are to be; `replications` are then those of the pilot.
    pub goal: Option<Goal>,
    /// Whether the warm-up is still to be found out.
    pub finds_warmup: bool,
    /// What was found out about it: one entry a variant; none where it was given.
    pub settling: Vec<Settling>,
    /// What must hold of its figures, where that is looked at.
    pub requirements: Vec<Requirement>,
    /// What decides.
    pub judge_by: Criterion,
    /// Percentiles that are asked for, in order; those that every run has may be among them.
    pub percentiles: Vec<Percentile>,
    /// Those of them that the table shows in place of the usual ones; none where it has those.
    pub shown_percentiles: Vec<Percentile>,
    /// Whether there is a table for each group of clients.
    pub by_clients: bool,
    /// What is compared, in order.
    pub variants: Vec<Variant>,
    /// The place in `variants` of what the others are compared with.
    pub baseline: usize,
    /// Response times measured at the real system.
    pub measured: Vec<Measurement>,
    /// What is run at each of several values, where one is swept; the scenario itself then stands
    /// for the first.
    pub sweep: Option<Sweep>,
    /// What `lbsim tune` may change in it, and what for; or why there is nothing to tune.
    pub tuning: Result<Tuning, String>,
    /// What `lbsim size` looks for in it; none where it does not say.
    pub sizing: Option<Sizing>,
    /// What was changed in it before it was checked, in order, as `--set` has it.
    pub changes: Vec<String>,
    /// The file as it was understood, every default filled in.
    pub resolved: serde_json::Value,
    /// Hashes of the files that it was made of beside its text, by name.
    pub files: BTreeMap<String, u64>,
    /// What a careful colleague would say about it.
    pub warnings: Vec<Warning>,
}

/// How a variant settles, starting empty.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settling {
    /// The variant.
    pub variant: String,
    /// Between two values of the series.
    pub step: Span,
    /// Requests in the system, a mean over replications, from time zero on.
    pub in_system: Vec<f64>,
    /// Those of them that the busiest server answers.
    pub at_busiest: Vec<f64>,
    /// After which both have settled.
    pub settled: Span,
}

/// How sure figures are to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// What is to be known, and how well.
    pub target: Target,
    /// Replications that may be spent on it.
    pub max_replications: u32,
    /// Requests that may be simulated for it, by all strategies together.
    pub max_requests: Option<u64>,
}

/// What is to be known, and how well; shares are fractions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// Each strategy's metric, up to a share of it.
    Metric(Criterion, f64),
    /// The difference of each strategy's metric to the baseline's, up to a share of the baseline's.
    Difference(Criterion, f64),
    /// Which is the best, where one that is worse by less than this share will do as well.
    Best(f64),
    /// Whether its requirements hold, each by an interval of this confidence.
    Decided(f64),
}

/// A value that takes several values in turn.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Sweep {
    /// What it is called.
    pub label: String,
    /// In what its places on an axis are counted, such as `%`; empty where that is not known, or
    /// the scenario's own label says it.
    pub unit: String,
    /// What the second value is called, where two are swept.
    pub and: Option<String>,
    /// One scenario a value, in order; all compare the same.
    pub points: Vec<Point>,
}

/// One value of a sweep.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Point {
    /// The value as it is written.
    pub value: String,
    /// Where it stands on an axis.
    pub at: f64,
    /// The second value and its place, where two are swept.
    pub and: Option<(String, f64)>,
    /// Whether it is left empty, for more is asked for than the servers can do.
    pub is_skipped: bool,
    /// The scenario with this value.
    pub scenario: Scenario,
}

/// Response times of a real system.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// What it is called.
    pub name: String,
    /// Response times in milliseconds, the shortest first; at least one.
    pub sorted_ms: Vec<f64>,
}

impl Measurement {
    /// Their mean, in milliseconds.
    pub fn mean_ms(&self) -> f64 {
        self.sorted_ms.iter().sum::<f64>() / self.sorted_ms.len() as f64
    }

    /// The least response time, in milliseconds, that a share `q` of the requests did not exceed:
    /// the nearest rank.
    pub fn quantile_ms(&self, q: f64) -> f64 {
        self.sorted_ms[self.rank(q)]
    }

    /// How many requests took longer than the quantile.
    pub fn above(&self, q: f64) -> u64 {
        (self.sorted_ms.len() - 1 - self.rank(q)) as u64
    }

    fn rank(&self, q: f64) -> usize {
        let count = self.sorted_ms.len();
        ((q * count as f64).ceil() as usize).clamp(1, count) - 1
    }
}

/// One of the things that a scenario compares.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Variant {
    /// Its name in tables and charts; that of an oracle ends in ` (oracle)`.
    pub name: String,
    /// Its strategy.
    pub strategy: StrategyConfig,
    /// The service whose strategy that is: an index into the services of its world.
    pub service: usize,
    /// Its world.
    pub blueprint: Blueprint,
}

impl Variant {
    /// Whether its strategy sees what no balancer can see.
    pub fn is_oracle(&self) -> bool {
        self.strategy.sight() == Sight::Oracle
    }
}

/// A scenario that could not be read: the document and all that is wrong with it.
pub struct Rejected {
    /// What was read.
    pub document: Document,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

impl std::fmt::Display for Rejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&diagnostic::render(
            &self.document,
            &self.diagnostics,
            false,
        ))
    }
}

/// As it is shown: a `main` that returns it prints it so.
impl std::fmt::Debug for Rejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} cannot be run:\n\n{self}",
            self.document.sources()[0].name
        )
    }
}

impl std::error::Error for Rejected {}

/// The JSON Schema of scenario files.
pub fn schema() -> &'static serde_json::Value {
    static SCHEMA: std::sync::OnceLock<serde_json::Value> = std::sync::OnceLock::new();
    SCHEMA.get_or_init(shape::schema_for::<File>)
}

impl Scenario {
    /// What is said of variants, each once, and of which; in the order of the scenario.
    pub fn by_saying(&self, say: impl Fn(&Variant) -> String) -> Vec<(String, Vec<&str>)> {
        let mut said: Vec<(String, Vec<&str>)> = Vec::new();
        for variant in &self.variants {
            let own = say(variant);
            match said.iter_mut().find(|(other, _)| *other == own) {
                Some((_, names)) => names.push(&variant.name),
                None => said.push((own, vec![&variant.name])),
            }
        }
        said
    }

    /// Reads a scenario from text; files that it names are looked for in the working directory.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn from_text(name: &str, text: &str) -> Result<Scenario, Box<Rejected>> {
        Scenario::builder(name, text).check()
    }

    /// Reads the text of the scenario file at `path`; files that it names are relative to its
    /// folder. Each of `sets` is `path=value` and goes before what the text says.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(path: &Path, text: &str, sets: &[String]) -> Result<Scenario, Box<Rejected>> {
        let builder = Builder::read(path, text);
        sets.iter()
            .fold(builder, |builder, set| builder.assign(set))
            .check()
    }

    /// Whether a rule from outside is in it, whose code is not part of what the scenario says.
    pub fn has_custom_rule(&self) -> bool {
        let variants = self.variants.iter();
        let services = variants.flat_map(|variant| &variant.blueprint.services);
        services
            .map(|service| &service.balancer.strategy)
            .any(|strategy| matches!(strategy, StrategyConfig::Custom(_)))
    }

    /// What was run, in a line: the subtitle of tables and charts. `replications` are those that
    /// were run, the least and the most of them where they differ.
    pub fn caption(&self, (least, most): (u32, u32)) -> String {
        let times = if most == 1 {
            "replication"
        } else {
            "replications"
        };
        // The length of a trace has nanoseconds that nobody wants to read.
        let duration = figures::span(self.duration());
        format!(
            "{} · {} {times} of {duration} · seed {}",
            self.file_name,
            if least == most {
                most.to_string()
            } else {
                format!("{least} to {most}")
            },
            self.seed
        )
    }

    /// The scenarios that are run: the points of a sweep, or the scenario itself.
    pub fn runs(&self) -> Vec<&Scenario> {
        match &self.sweep {
            Some(sweep) => sweep.points.iter().map(|point| &point.scenario).collect(),
            None => vec![self],
        }
    }

    /// Whether queues grow without end under every strategy: more is asked for than the servers can
    /// do, and nothing bounds what waits.
    pub fn is_overloaded(&self) -> bool {
        check::is_overloaded(self)
    }

    /// How many replications are run, at least and at most.
    pub fn replications(&self) -> (u32, u32) {
        let most = self
            .goal
            .map_or(self.replications, |goal| goal.max_replications);
        (self.replications, most.max(self.replications))
    }

    /// Whether a group of servers gets requests only where no other can: the places of its service,
    /// and of the group there.
    pub fn is_backup(&self, service: usize, group: usize) -> bool {
        self.resolved["services"][service]["servers"][group]["backup"] == true
    }

    /// The length of the run.
    pub fn duration(&self) -> Span {
        self.variants[0].blueprint.end - crate::time::Time::ZERO
    }

    /// The length of the warm-up.
    pub fn warmup(&self) -> Span {
        self.variants[0].blueprint.warmup - crate::time::Time::ZERO
    }
}
