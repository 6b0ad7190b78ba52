//! An experiment in a few lines: a scenario goes in, a report comes out.

use std::fmt;
#[cfg(feature = "files")]
use std::path::{Path, PathBuf};

use crate::experiment::{self, METRICS, Noted, Outcome, Progress, RunError, Unsettled};
use crate::report::chart::Chart;
use crate::report::csv::{self, CsvError};
use crate::report::table::{self, Style};
use crate::report::tables::Tables;
#[cfg(feature = "files")]
use crate::report::write::{self, WriteError};
use crate::report::{self, summary, sureness};
use crate::scenario::Scenario;

/// A scenario that is to be run.
///
/// ```
/// use lbsim::{Experiment, Scenario};
///
/// let text = r#"
///     question = "Does it pay to look at two of ten servers?"
///     expect = "Yes: the longest queues are avoided."
///     [run]
///     duration = "20s"
///     replications = 5
///     compare = ["random", "power-of-d"]
///     [[clients]]
///     arrivals = { kind = "poisson", rate = "800/s" }
///     [[services]]
///     name = "web"
///     [[services.servers]]
///     count = 10
///     service = { kind = "exponential", mean = "10ms" }
/// "#;
/// let scenario = Scenario::from_text("two-of-ten.toml", text)?;
/// let report = Experiment::new(scenario).threads(2).run()?;
/// println!("{report}");
/// let mean = |strategy| report.estimate(strategy, "mean_ms").unwrap();
/// assert!(mean("power-of-d") < mean("random"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is run until `run` is called"]
pub struct Experiment {
    scenario: Scenario,
    #[cfg(feature = "threads")]
    threads: Option<usize>,
}

/// Why an experiment has no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExperimentError {
    /// It was stopped, or contradicts itself.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Its warm-up was to be found, and there is none.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
    /// The system gives no threads.
    #[cfg(feature = "threads")]
    #[error("cannot start threads: {0}")]
    Threads(String),
}

impl Experiment {
    /// A scenario, on the threads of the current rayon pool where there are any.
    pub fn new(scenario: Scenario) -> Experiment {
        Experiment {
            scenario,
            #[cfg(feature = "threads")]
            threads: None,
        }
    }

    /// Runs on so many threads of its own. The report is the same for any number.
    #[cfg(feature = "threads")]
    pub fn threads(mut self, count: usize) -> Experiment {
        self.threads = Some(count);
        self
    }

    /// Finds the warm-up where the scenario leaves that open, and runs all that it compares: at
    /// each value, where one is swept.
    ///
    /// # Errors
    /// Where no warm-up is found, where time stands still in it, or where there are no threads.
    ///
    /// # Panics
    /// Where a rule from outside panics, or picks a member that is not one of the candidates.
    pub fn run(self) -> Result<Report, ExperimentError> {
        #[cfg(feature = "threads")]
        if let Some(count) = self.threads {
            return rayon::ThreadPoolBuilder::new()
                .num_threads(count)
                .build()
                .map_err(|error| ExperimentError::Threads(error.to_string()))?
                .install(|| live(self.scenario));
        }
        live(self.scenario)
    }
}

fn live(mut scenario: Scenario) -> Result<Report, ExperimentError> {
    experiment::settle(&mut scenario)?;
    let runs: Vec<Noted<'_>> = scenario.runs().into_iter().map(|run| (run, None)).collect();
    let outcomes = experiment::run(&runs, &Progress::default())?;
    Ok(Report { scenario, outcomes })
}

/// What an experiment found. Shown as text it is the table of `lbsim run`.
#[derive(Clone, Debug)]
pub struct Report {
    scenario: Scenario,
    outcomes: Vec<Outcome>,
}

impl Report {
    /// What was run; its warm-up is found.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// What was measured: one outcome for each of [`Scenario::runs`].
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// A strategy's metric, mean over replications, by the names in the table and in `summary.csv`:
    /// `report.estimate("random", "p99_ms")`. Of a sweep, at its first value.
    ///
    /// `None` where there is no such strategy or metric, and where the runs cannot tell.
    pub fn estimate(&self, strategy: &str, metric: &str) -> Option<f64> {
        let variants = &self.scenario.variants;
        let at = variants
            .iter()
            .position(|variant| variant.name == strategy)?;
        let metric = METRICS.iter().find(|known| known.name == metric)?;
        experiment::estimate(&self.outcomes[0].variants[at], metric).estimate
    }

    /// The rows of the CSV files, where no value is swept.
    pub fn tables(&self) -> Option<Tables> {
        let swept = self.scenario.sweep.is_some();
        (!swept).then(|| Tables::new(&self.scenario, &self.outcomes[0]))
    }

    /// The CSV files by name, byte for byte as [`write`](Self::write) writes them.
    ///
    /// # Errors
    /// Where a row cannot be written as CSV.
    pub fn csv(&self) -> Result<Vec<(&'static str, Vec<u8>)>, CsvError> {
        csv::files(&self.scenario, &self.outcomes)
    }

    /// The charts, as they are written: SVG by name.
    pub fn charts(&self) -> Vec<Chart> {
        report::all_charts(&self.scenario, &self.outcomes)
    }

    /// The page `summary.md`, without charts.
    pub fn markdown(&self) -> String {
        summary::markdown(&self.scenario, &self.outcomes, &[])
    }

    /// What should be known before the figures are believed.
    pub fn warnings(&self) -> Vec<String> {
        let warnings = sureness::warnings(&self.scenario, &self.outcomes);
        warnings.iter().map(ToString::to_string).collect()
    }

    /// Writes CSV files, charts, page and manifest into a folder of the scenario's name in
    /// `folder`, in place of what an earlier run left there, and returns its path.
    ///
    /// # Errors
    /// Where the file system says no, or what stands there is not lbsim's.
    #[cfg(feature = "files")]
    pub fn write(&self, folder: &Path) -> Result<PathBuf, WriteError> {
        write::write(folder, &self.scenario, &self.outcomes, None)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = table::draw(&self.scenario, &self.outcomes, Style::Terminal(false));
        f.write_str(&table)
    }
}
