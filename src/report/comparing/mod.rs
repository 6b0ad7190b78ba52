//! What `lbsim compare` says of results beside each other: what changed in the scenario, and what
//! came of it. Table, page, CSV and JSON are views of [`CompareReport`].

mod page;
pub mod rows;
mod tables;
mod words;

pub use page::{LEGEND, markdown, text};
pub use tables::CompareTables;

#[cfg(feature = "files")]
use std::path::{Path, PathBuf};

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use super::Report;
use super::html;
use super::manifest::{PROGRAM, SCHEMA};
#[cfg(feature = "files")]
use super::read::{ReadError, ResultsFolder};
#[cfg(feature = "files")]
use super::{folder, write};
use crate::compare::{Matching, Method, Provenance, matching};
use crate::prose::quoted;
use crate::time::Span;
use rows::CompareRow;
use tables::{Beside, Entrant};

/// Results beside each other: every difference to the first of them, with its verdict, and what
/// changed in the scenario.
///
/// ```
/// use lbsim::report::comparing::CompareReport;
/// use lbsim::{Experiment, Scenario};
///
/// let run = |weight: u32| {
///     let text = format!(r#"
///         question = "What is a fast server's weight?"
///         expect = "As many times that of the other as it is faster."
///         [run]
///         duration = "20s"
///         replications = 5
///         compare = ["weighted-round-robin"]
///         [[clients]]
///         arrivals = {{ kind = "poisson", rate = "120/s" }}
///         [[services]]
///         name = "web"
///         [[services.servers]]
///         name = "slow"
///         service = {{ kind = "exponential", mean = "20ms" }}
///         [[services.servers]]
///         name = "fast"
///         weight = {weight}
///         service = {{ kind = "exponential", mean = "5ms" }}
///     "#);
///     Experiment::new(Scenario::from_text("web.toml", &text).unwrap()).run()
/// };
/// let (old, new) = (run(1)?, run(3)?);
/// let both = [("old".to_owned(), &old), ("new".to_owned(), &new)];
/// let compared = CompareReport::new(&both, false)?;
/// assert_eq!(compared.tables.changes[0].path, "services.web.servers.fast.weight");
/// assert!(compared.about.findings[0].starts_with("`new` is better than `old` by mean_ms"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CompareReport {
    /// What was compared, and what is said of it.
    pub about: AboutComparison,
    /// The rows of the files.
    pub tables: CompareTables,
}

/// What was compared, and what is said of it in words: the manifest of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AboutComparison {
    /// The number of the schema of the files.
    pub schema: u32,
    /// The program that compared, with its version.
    pub program: String,
    /// What was done: `compare`.
    pub kind: String,
    /// The name of the folder.
    pub name: String,
    /// The question of the baseline.
    pub question: String,
    /// What was compared, in a line.
    pub caption: String,
    /// The metric that decides: that of the baseline.
    pub judge_by: String,
    /// What is swept; empty where nothing is.
    pub sweep: String,
    /// What the others are compared with.
    pub baseline: AboutResult,
    /// The others.
    pub results: Vec<AboutResult>,
    /// The answer, a sentence for each result.
    pub findings: Vec<String>,
    /// How it was found, and what is to be borne in mind.
    pub notes: Vec<String>,
}

/// One of the results that are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AboutResult {
    /// What it is called.
    pub name: String,
    /// The name of its scenario's file.
    pub scenario_file: String,
    /// Its question.
    pub question: String,
    /// The program that ran it, with its version.
    pub program: String,
    /// Root of all its random streams.
    pub seed: u64,
    /// Replications; of a sweep the most at a value.
    pub replications: u32,
    /// The length of a replication.
    pub duration: Span,
    /// How much of it is not measured.
    pub warmup: Span,
    /// Its strategies.
    pub strategies: Vec<String>,
    /// How it is compared with the baseline: `paired` or `welch`; empty of the baseline itself.
    pub method: String,
}

/// Why results cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Incomparable {
    /// There is one alone.
    #[error("a comparison takes two results or more")]
    Alone,
    /// Two have one name.
    #[error("`{0}` is there twice; a result is not compared with itself")]
    Twice(String),
    /// They have no strategy in common.
    #[error(
        "`{baseline}` and `{result}` have no strategy in common: {} there, {} here; to compare one with another, run each alone, or both in one scenario",
        quoted(.theirs), quoted(.ours)
    )]
    Strangers {
        /// The baseline.
        baseline: String,
        /// The result.
        result: String,
        /// Strategies of the baseline.
        theirs: Vec<String>,
        /// Strategies of the result.
        ours: Vec<String>,
    },
    /// They do not sweep the same.
    #[error(
        "`{baseline}` {theirs}, and `{result}` {ours}: there is no value at which both were run"
    )]
    OtherValues {
        /// The baseline.
        baseline: String,
        /// The result.
        result: String,
        /// What it sweeps.
        theirs: String,
        /// What the result sweeps.
        ours: String,
    },
    /// Replications are missing in what was read.
    #[error(
        "`{label}` is not whole: the replications of `{strategy}` in its `runs.csv` are not 0, 1, 2 and so on"
    )]
    Damaged {
        /// The result.
        label: String,
        /// The strategy.
        strategy: String,
    },
}

/// The name of the folder of a comparison with a result.
pub fn folder_name(baseline: &Report) -> String {
    format!("{}-compared", baseline.about.name)
}

impl CompareReport {
    /// Compares results with the first of them, each with the name that it is to have here.
    /// `stable` declares that the versions of the program which made them give the same values for
    /// the same scenario and seed.
    ///
    /// # Errors
    /// Where they have nothing in common that could be compared.
    pub fn new(results: &[(String, &Report)], stable: bool) -> Result<CompareReport, Incomparable> {
        let Some(((label, report), others)) = results.split_first().filter(|own| !own.1.is_empty())
        else {
            return Err(Incomparable::Alone);
        };
        for (at, (name, _)) in results.iter().enumerate() {
            if results[..at].iter().any(|(other, _)| other == name) {
                return Err(Incomparable::Twice(name.clone()));
            }
        }
        let base = Entrant::new(label, report)?;
        let others: Vec<Beside<'_>> = (others.iter())
            .map(|(label, report)| beside(&base, Entrant::new(label, report)?, stable))
            .collect::<Result<_, _>>()?;
        let tables = CompareTables::new(&base, &others);
        let of = |entrant: &Entrant<'_>, method: &str| {
            let about = &entrant.report.about;
            AboutResult {
                name: entrant.label.to_owned(),
                scenario_file: about.scenario_file.clone(),
                question: about.question.clone(),
                program: about.program.clone(),
                seed: about.seed,
                replications: about.replications,
                duration: about.duration,
                warmup: about.warmup,
                strategies: about.variants.iter().map(|own| own.name.clone()).collect(),
                method: method.to_owned(),
            }
        };
        let about = &report.about;
        Ok(CompareReport {
            about: AboutComparison {
                schema: SCHEMA,
                program: PROGRAM.to_owned(),
                kind: "compare".to_owned(),
                name: folder_name(report),
                question: about.question.clone(),
                caption: words::caption(&base, &others),
                judge_by: about.judge_by.clone(),
                sweep: (about.sweep.as_ref()).map_or(String::new(), |own| own.label.clone()),
                baseline: of(&base, ""),
                results: (others.iter())
                    .map(|other| of(&other.entrant, other.method.name()))
                    .collect(),
                findings: words::findings(&base, &others, &tables),
                notes: words::notes(&base, &others, &tables, stable),
            },
            tables,
        })
    }

    /// What is shown to have got worse, of what is judged by and of the share of requests that
    /// succeed.
    pub fn worse(&self) -> impl Iterator<Item = &CompareRow> {
        let judged =
            |row: &&CompareRow| row.metric == self.about.judge_by || row.metric == words::SUCCESS;
        let rows = self.tables.compare.iter().filter(judged);
        rows.filter(|row| row.verdict == "worse")
    }

    /// Reads the comparison in a folder that was written.
    ///
    /// # Errors
    /// Where it is no such folder, or one of another version.
    #[cfg(feature = "files")]
    pub fn read(folder: &Path) -> Result<CompareReport, ReadError> {
        let foreign = |why: String| ReadError::Foreign {
            path: folder.to_owned(),
            why: format!("it does not hold a comparison: {why}"),
        };
        let kept = ResultsFolder::open(folder)?;
        let about = serde_json::from_value(kept.manifest.clone())
            .map_err(|fault| foreign(fault.to_string()))?;
        let tables = CompareTables::read(|name| kept.rows(name))?;
        Ok(CompareReport { about, tables })
    }

    /// The page for a browser, `report.html`.
    pub fn html(&self) -> String {
        let about = serde_json::to_value(&self.about).unwrap_or_default();
        let tables = serde_json::to_value(&self.tables).unwrap_or_default();
        html::page_of(&about, tables)
    }

    /// Writes CSV files, pages and manifest into a folder `<scenario>-compared` in `folder`, in
    /// place of what an earlier comparison left there, and returns its path. `more` are results
    /// that are written into folders of their names there.
    ///
    /// # Errors
    /// Where the file system says no, or what stands there is not lbsim's; nothing has changed
    /// then.
    #[cfg(feature = "files")]
    pub fn write(&self, folder: &Path, more: &[&Report]) -> Result<PathBuf, write::WriteError> {
        let manifest = serde_json::to_value(&self.about).unwrap_or_default();
        folder::replace(folder, &self.about.name, manifest, |place| {
            for (name, bytes) in self.tables.files()? {
                write::file(place, name, &bytes)?;
            }
            write::file(place, "summary.md", markdown(self).as_bytes())?;
            write::file(place, "report.html", self.html().as_bytes())?;
            for report in more {
                write::write(place, report, |_| Ok(()))?;
            }
            Ok(())
        })
    }
}

/// For programs: what was compared, what is said of it, and the rows of every file under its name.
impl Serialize for CompareReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let about = &self.about;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("question", &about.question)?;
        map.serialize_entry("caption", &about.caption)?;
        map.serialize_entry("judge_by", &about.judge_by)?;
        map.serialize_entry("sweep", &about.sweep)?;
        map.serialize_entry("baseline", &about.baseline)?;
        map.serialize_entry("results", &about.results)?;
        map.serialize_entry("findings", &about.findings)?;
        map.serialize_entry("notes", &about.notes)?;
        self.tables.entries(&mut map)?;
        map.end()
    }
}

/// A result beside the baseline, where there is anything to compare.
fn beside<'a>(
    base: &Entrant<'_>,
    entrant: Entrant<'a>,
    stable: bool,
) -> Result<Beside<'a>, Incomparable> {
    let swept = |of: &Entrant<'_>| match &of.report.about.sweep {
        None => "sweeps nothing".to_owned(),
        Some(sweep) => match &sweep.and {
            None => format!("sweeps {}", sweep.label),
            Some(and) => format!("sweeps {} and {and}", sweep.label),
        },
    };
    let (theirs, ours) = (swept(base), swept(&entrant));
    let both = entrant.points.iter().filter(|at| base.points.contains(at));
    let points: Vec<_> = both.filter(|_| theirs == ours).cloned().collect();
    let (baseline, result) = (base.label.to_owned(), entrant.label.to_owned());
    if points.is_empty() {
        return Err(Incomparable::OtherValues {
            baseline,
            result,
            theirs,
            ours,
        });
    }
    let matching: Matching = matching(&base.contestants, &entrant.contestants);
    if matching.pairs.is_empty() {
        let names = |of: &Entrant<'_>| of.contestants.iter().map(|own| own.name.clone()).collect();
        return Err(Incomparable::Strangers {
            baseline,
            result,
            theirs: names(base),
            ours: names(&entrant),
        });
    }
    let (one, other) = (&base.report.about, &entrant.report.about);
    let side = |seed: u64, program| Provenance { seed, program };
    let method = Method::of(
        side(one.seed, &one.program),
        side(other.seed, &other.program),
        stable,
    );
    Ok(Beside {
        entrant,
        matching,
        points,
        method,
    })
}
