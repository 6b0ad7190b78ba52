//! An experiment in a few lines: a scenario goes in, a report comes out.

use crate::experiment::{self, Noted, Progress, RunError, Unsettled};
use crate::report::Report;
use crate::report::csv::CsvError;
#[cfg(feature = "files")]
use crate::report::read::ReadError;
#[cfg(feature = "files")]
use crate::report::write::WriteError;
use crate::scenario::{Rejected, Scenario};

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
/// # Ok::<(), lbsim::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is run until `run` is called"]
pub struct Experiment {
    scenario: Scenario,
    #[cfg(feature = "threads")]
    threads: Option<usize>,
}

/// What can go wrong between the text of a scenario and a report in its folder. A scenario, an
/// experiment and a report have errors of their own, which say more; all of them become this one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The scenario is faulty.
    #[error(transparent)]
    Rejected(#[from] Box<Rejected>),
    /// The run was stopped, or contradicts itself.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The warm-up was to be found, and there is none.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
    /// The system gives no threads.
    #[cfg(feature = "threads")]
    #[error("cannot start threads: {0}")]
    Threads(String),
    /// A row cannot be written as CSV.
    #[error(transparent)]
    Csv(#[from] CsvError),
    /// A report cannot be written.
    #[cfg(feature = "files")]
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A folder of results cannot be read.
    #[cfg(feature = "files")]
    #[error(transparent)]
    Read(#[from] ReadError),
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
    pub fn run(self) -> Result<Report, Error> {
        #[cfg(feature = "threads")]
        if let Some(count) = self.threads {
            return rayon::ThreadPoolBuilder::new()
                .num_threads(count)
                .build()
                .map_err(|error| Error::Threads(error.to_string()))?
                .install(|| live(self.scenario));
        }
        live(self.scenario)
    }
}

fn live(mut scenario: Scenario) -> Result<Report, Error> {
    experiment::settle(&mut scenario)?;
    let runs: Vec<Noted<'_>> = scenario.runs().into_iter().map(|run| (run, None)).collect();
    let outcomes = experiment::run(&runs, &Progress::default())?;
    Ok(Report::new(&scenario, &outcomes))
}
