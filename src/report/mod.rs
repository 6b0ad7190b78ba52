//! What a run leaves behind. A [`Report`] is computed once from the outcomes; the printed table,
//! the page in Markdown, CSV files, JSON and charts are views of it, functions of the report alone,
//! so that what one of them shows stands in the others.

pub mod about;
#[cfg(feature = "tune")]
pub mod again;
pub mod chart;
pub mod comparing;
pub mod csv;
mod findings;
#[cfg(feature = "files")]
pub mod folder;
#[cfg(feature = "files")]
pub mod histograms;
pub mod html;
pub mod json;
#[cfg(feature = "cli")]
pub mod junit;
pub mod manifest;
pub mod markdown;
mod page;
#[cfg(feature = "files")]
pub mod read;
#[cfg(feature = "files")]
pub mod requests;
mod requirements;
pub mod rows;
mod sheet;
#[cfg(feature = "tune")]
pub mod sizing;
#[cfg(feature = "files")]
mod slug;
pub mod table;
#[cfg(feature = "tune")]
pub mod tuning;
pub mod validation;
#[cfg(feature = "files")]
pub mod whole;
#[cfg(feature = "files")]
pub mod write;

use std::fmt;
#[cfg(feature = "files")]
use std::path::{Path, PathBuf};

use crate::experiment::{Analysis, Outcome, metric, ranking};
use crate::requirement::Decision;
use crate::scenario::Scenario;
use about::About;
use chart::Chart;
use json::Json;
#[cfg(feature = "files")]
use read::ReadError;
use rows::{SweepTables, Tables};
use table::Style;
#[cfg(feature = "files")]
use write::WriteError;

/// What an experiment found: every estimate with its interval, every difference with its verdict,
/// and what is to be said of them. Shown as text it is the table of `lbsim run`.
///
/// ```
/// use lbsim::{Experiment, Report, Scenario};
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
/// let report = Experiment::new(Scenario::from_text("two-of-ten.toml", text)?).run()?;
/// // The rows of each file, and views of all of them.
/// let paired = report.tables.paired.iter().find(|row| row.metric == "mean_ms").unwrap();
/// assert_eq!(paired.verdict, "better");
/// assert!(report.markdown().contains("| power-of-d |"));
/// // What is written is the report, whole: it is read back as it was.
/// let place = tempfile::tempdir()?;
/// let folder = report.write(place.path())?;
/// assert_eq!(Report::read(&folder)?, report);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// What was run, and what is said of it.
    pub about: About,
    /// The rows of the files of a run; none where a value is swept.
    pub tables: Tables,
    /// The rows of the files of a sweep; none where no value is swept.
    pub sweep: SweepTables,
}

impl Report {
    /// What the outcomes of a scenario say, one for each of its [`Scenario::runs`].
    pub fn new(scenario: &Scenario, outcomes: &[Outcome]) -> Report {
        let runs = scenario.runs().into_iter().zip(outcomes);
        let analyses: Vec<Analysis> = runs
            .map(|(run, outcome)| Analysis::of(run, outcome))
            .collect();
        let (mut duels, mut tables) = (Vec::new(), Tables::default());
        if scenario.sweep.is_none() {
            duels = ranking(&outcomes[0].variants, metric(scenario.judge_by));
            tables = Tables::new(scenario, &outcomes[0], &analyses[0], &duels);
        }
        let mut report = Report {
            about: About::new(scenario, outcomes, &analyses, &duels),
            tables,
            sweep: SweepTables::new(scenario, outcomes, &analyses),
        };
        let said = requirements::sentence(&report);
        report.about.findings.extend(said);
        report
    }

    /// Reads the report in a results folder of `lbsim run`.
    ///
    /// # Errors
    /// Where it is no such folder, or one that another version wrote.
    #[cfg(feature = "files")]
    pub fn read(folder: &Path) -> Result<Report, ReadError> {
        read::report(folder)
    }

    /// A strategy's metric, mean over replications, by the names in the table and in `summary.csv`:
    /// `report.estimate("random", "p99_ms")`. Of a sweep, at its first value.
    ///
    /// `None` where there is no such strategy or metric, and where the runs cannot tell.
    pub fn estimate(&self, strategy: &str, metric: &str) -> Option<f64> {
        let mut estimates = (self.tables.summary.iter())
            .map(|row| (&row.strategy, &row.metric, row.estimate))
            .chain((self.sweep.sweep.iter()).map(|row| (&row.strategy, &row.metric, row.estimate)));
        estimates
            .find(|row| row.0 == strategy && row.1 == metric)?
            .2
    }

    /// What is decided of each requirement and strategy; nothing where nothing is required.
    pub fn requirements(&self) -> &[rows::RequirementRow] {
        match self.about.sweep {
            None => &self.tables.requirements,
            Some(_) => &self.sweep.requirements,
        }
    }

    /// Each requirement, once, and what is decided of it: one strategy of which it does not hold is
    /// enough.
    pub fn decisions(&self) -> Vec<(&str, Decision)> {
        requirements::decisions(self)
    }

    /// The CSV files by name, byte for byte as [`write`](Self::write) writes them.
    ///
    /// # Errors
    /// Where a row cannot be written as CSV.
    pub fn csv(&self) -> Result<csv::Files, csv::CsvError> {
        match &self.about.sweep {
            None => self.tables.files(),
            Some(_) => self.sweep.files(),
        }
    }

    /// The page `summary.md`, without charts.
    pub fn markdown(&self) -> String {
        page::markdown(self, &[])
    }

    /// The page `report.html`: it opens in a browser, and loads nothing.
    pub fn html(&self) -> String {
        html::page(self)
    }

    /// All that the page, the table and the files hold, for programs: an object of JSON.
    pub fn json(&self) -> String {
        let (report, folder) = (self, None);
        json::text(&Json { report, folder })
    }

    /// The charts that there are data for.
    pub fn charts(&self) -> Vec<Chart> {
        chart::draw(self)
    }

    /// Writes CSV files, charts, page and manifest into a folder of the scenario's name in
    /// `folder`, in place of what an earlier run left there, and returns its path.
    ///
    /// # Errors
    /// Where the file system says no, or what stands there is not lbsim's.
    #[cfg(feature = "files")]
    pub fn write(&self, folder: &Path) -> Result<PathBuf, WriteError> {
        write::write(folder, self, |_| Ok(()))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&table::draw(self, Style::PLAIN))
    }
}
