//! `lbsim run`: runs scenarios, prints what they say, and writes CSV files and charts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use clap::{Args, ValueEnum};

use super::interrupt::listen;
use super::output::{Failure, Output, keep_apart};
use super::summary::summary;
use super::{Format, Jobs, ScenarioArgs, pace, progress};
use crate::experiment::{self, CellKey, Journal, Noted, Outcome, Progress};
use crate::prose::{counted, listed};
use crate::report::json::{self, Json};
use crate::report::requests::{self, RequestFiles};
use crate::report::{Report, folder, histograms, junit, whole, write};
use crate::requirement::Decision;
use crate::scenario::Scenario;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    scenarios: ScenarioArgs,
    #[command(flatten)]
    jobs: Jobs,
    /// Where a folder for each scenario is made.
    #[arg(short, long, value_name = "FOLDER", default_value = "results")]
    out: PathBuf,
    /// How results are printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write a row for each request too, a file a strategy and replication: CSV, packed if asked,
    /// Parquet, or an access log.
    #[arg(long, value_enum, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "csv")]
    requests: Option<RequestFormat>,
    /// Write the response times of each strategy as histograms too, as the tools of HdrHistogram
    /// read them: a log, and a table of percentiles each.
    #[arg(long)]
    histograms: bool,
    /// Take what is required and not shown to hold for failed: exit code 3.
    #[arg(long)]
    strict: bool,
    /// Write requirements as test cases, in the XML of JUnit that CI servers read.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Begin anew where an interrupted run of the same scenario could go on.
    #[arg(long)]
    fresh: bool,
    /// Say what would be run and about how long the simulation takes, by a short look at it; write
    /// nothing.
    #[arg(long)]
    dry_run: bool,
}

/// The files of `--requests`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RequestFormat {
    /// CSV as it is.
    Csv,
    /// CSV, packed by gzip.
    Gzip,
    /// CSV, packed by zstd.
    Zstd,
    /// Columns of Apache Parquet, for data frames.
    Parquet,
    /// An access log as nginx writes it, which `lbsim import --log` reads.
    Nginx,
}

impl From<RequestFormat> for RequestFiles {
    fn from(format: RequestFormat) -> RequestFiles {
        match format {
            RequestFormat::Csv => RequestFiles::Csv,
            RequestFormat::Gzip => RequestFiles::Gzip,
            RequestFormat::Zstd => RequestFiles::Zstd,
            RequestFormat::Parquet => RequestFiles::Parquet,
            RequestFormat::Nginx => RequestFiles::Nginx,
        }
    }
}

pub(super) fn run(args: &RunArgs, output: &Output) -> Result<(), Failure> {
    let mut scenarios = super::read(&args.scenarios, output)?;
    for (at, scenario) in scenarios.iter().enumerate() {
        if scenarios[..at]
            .iter()
            .any(|other| other.name == scenario.name)
        {
            return Err(Failure::Usage(format!(
                "two scenarios would write to `{}`; run them one by one with different `--out`",
                args.out.join(&scenario.name).display()
            )));
        }
    }
    let swept = scenarios.iter().find(|scenario| scenario.sweep.is_some());
    let of_one = [
        ("--requests", "requests", args.requests.is_some()),
        ("--histograms", "response times", args.histograms),
    ];
    if let (Some((option, what, _)), Some(scenario)) = (of_one.iter().find(|own| own.2), swept) {
        return Err(Failure::Usage(format!(
            "`{option}` writes the {what} of one scenario, and `{}` is a sweep over many: take `[sweep]` out, and choose a value with `--set`",
            scenario.file_name
        )));
    }
    let read: Vec<&Path> = args.scenarios.files.iter().map(PathBuf::as_path).collect();
    keep_apart(&read, &[("--junit", args.junit.as_deref())])?;
    if args.dry_run {
        return output.print(&plan(&scenarios, args, &args.jobs.pool()?));
    }
    let names = scenarios.iter().map(|scenario| scenario.name.as_str());
    folder::prepare(&args.out, names)?;
    let pool = args.jobs.pool()?;
    for scenario in &mut scenarios {
        pool.install(|| experiment::settle(scenario))?;
    }
    let scenarios = scenarios;
    let journals: Vec<Journal<CellKey>> = scenarios
        .iter()
        .map(|scenario| {
            let path = write::journal(&args.out, scenario);
            super::journal(&path, "cells", scenario, args.fresh, output)
        })
        .collect::<Result<_, _>>()?;
    let runs: Vec<Noted<'_>> = scenarios
        .iter()
        .zip(&journals)
        .flat_map(|(scenario, journal)| {
            let places = scenario.runs().into_iter().zip(0..);
            places.map(move |(run, place)| (run, Some((journal, place))))
        })
        .collect();
    let outcomes = live(&runs, &pool, output)?;
    let mut outcomes = outcomes.as_slice();
    let mut done: Vec<(Report, PathBuf)> = Vec::new();
    for scenario in &scenarios {
        let (own, others) = outcomes.split_at(scenario.runs().len());
        outcomes = others;
        let report = Report::new(scenario, own);
        let folder = pool.install(|| {
            write::write(&args.out, &report, |place| {
                if let Some(format) = args.requests {
                    requests::write(place, scenario, &own[0], format.into())?;
                }
                if args.histograms {
                    histograms::write(place, scenario, &own[0])?;
                }
                Ok(())
            })
        })?;
        for warning in &report.about.warnings {
            output.say(&format!("warning: {}: {warning}", scenario.file_name));
        }
        if args.format == Format::Text {
            let place = format!("CSV files and charts: {}\n", folder.display());
            output.print(&(summary(&report, output) + &place))?;
        }
        done.push((report, folder));
    }
    journals.into_iter().for_each(Journal::remove);
    if args.format == Format::Json {
        let printed: Vec<Json<'_>> = (done.iter())
            .map(|(report, folder)| Json {
                report,
                folder: Some(folder),
            })
            .collect();
        output.print(&json::text(&printed))?;
    }
    required(&done, args, output)
}

/// Writes the file of requirements, if one is asked for, and fails where one does not hold.
fn required(done: &[(Report, PathBuf)], args: &RunArgs, output: &Output) -> Result<(), Failure> {
    if let Some(path) = &args.junit {
        let reports: Vec<&Report> = done.iter().map(|(report, _)| report).collect();
        let text = junit::junit(&reports, args.strict)
            .map_err(|error| Failure::Run(format!("cannot write requirements: {error}")))?;
        whole::whole(path, text.as_bytes())?;
    }
    let is_failed = |decision: Decision| match decision {
        Decision::Holds => false,
        Decision::Fails => true,
        Decision::NotShown => args.strict,
    };
    let mut fails = false;
    for (report, _) in done {
        // What is required of a strategy that is not compared is not shown.
        let mut warnings = report.about.warnings.iter();
        if args.strict
            && let Some(warning) = warnings.find(|own| own.code == "not-asked")
        {
            output.complain(&format!("{}: {}", report.about.scenario_file, warning.text));
            fails = true;
        }
        let lines = report.decisions();
        let failed = lines.iter().filter(|own| is_failed(own.1));
        let failed: Vec<String> = failed
            .map(|(line, decision)| format!("`{line}` ({})", decision.name()))
            .collect();
        if !failed.is_empty() {
            let file = &report.about.scenario_file;
            output.complain(&format!(
                "{file}: what is required does not hold: {}",
                failed.join(", ")
            ));
            fails = true;
        }
    }
    if !fails {
        return Ok(());
    }
    Err(Failure::Required)
}

/// Lives all cells, with a progress bar; an interrupt stops them.
pub(super) fn live(
    scenarios: &[Noted<'_>],
    pool: &rayon::ThreadPool,
    output: &Output,
) -> Result<Vec<Outcome>, Failure> {
    let watched = Arc::new(Progress::default());
    listen(&watched)?;
    let expected = scenarios
        .iter()
        .map(|(scenario, _)| expected_requests(scenario))
        .sum::<f64>() as u64;
    let (alive, done) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let progress = &watched;
        scope.spawn(move || progress::watch(progress, expected, output, &done));
        let outcomes = pool.install(|| experiment::run(scenarios, &watched));
        watched.over.store(true, Ordering::Relaxed);
        drop(alive);
        outcomes.map_err(Failure::from)
    })
}

fn cells(scenario: &Scenario) -> u64 {
    u64::from(scenario.replications) * scenario.variants.len() as u64
}

/// Requests that all cells of a scenario will simulate; for closed loops, as if answers took no
/// time.
fn expected_requests(scenario: &Scenario) -> f64 {
    let duration = scenario.duration();
    let of = |variant: &crate::scenario::Variant| -> f64 {
        let plan = &variant.blueprint;
        let sources = plan.sources.iter().enumerate();
        let rates = sources.map(|(at, source)| {
            let rate = source.rate(duration).or_else(|| plan.most_asked(at));
            rate.unwrap_or(0.0)
        });
        rates.sum::<f64>() * duration.seconds()
    };
    scenario.variants.iter().map(of).sum::<f64>() * f64::from(scenario.replications)
}

/// What would be run.
fn plan(scenarios: &[Scenario], args: &RunArgs, pool: &rayon::ThreadPool) -> String {
    let mut text = String::new();
    for scenario in scenarios {
        let names: Vec<&str> = scenario
            .variants
            .iter()
            .map(|variant| variant.name.as_str())
            .collect();
        let runs = scenario.runs();
        let requests: f64 = runs.iter().map(|run| expected_requests(run)).sum();
        let pace = runs
            .first()
            .and_then(|run| pace::requests_a_second(run, pool));
        let of_what = if scenario.goal.is_some() {
            " for the pilot"
        } else {
            ""
        };
        let and_files = match args.requests {
            Some(_) => ", and longer to write each request",
            None => "",
        };
        let takes = pace.map_or(String::new(), |pace| {
            format!(
                ", {}{of_what} on {}{and_files}",
                about(requests / pace),
                counted(pool.current_num_threads() as u64, "thread")
            )
        });
        text += &format!(
            "{}\n  {}\n  compares {}{}\n  {}, about {:.2} million requests{takes}\n  would write {}\n",
            scenario.question,
            scenario.caption(scenario.replications()),
            listed(names),
            scenario.sweep.as_ref().map_or(String::new(), |sweep| {
                format!(", at {} values of {}", sweep.points.len(), sweep.label)
            }),
            counted(runs.iter().map(|run| cells(run)).sum::<u64>(), "cell"),
            requests / 1e6,
            args.out.join(&scenario.name).display(),
        );
    }
    text
}

/// A time, as sure as a guess is.
fn about(seconds: f64) -> String {
    match seconds {
        ..1.0 => "less than a second".to_owned(),
        ..90.0 => format!("about {seconds:.0} s"),
        ..5400.0 => format!("about {:.0} min", seconds / 60.0),
        _ => format!("about {:.1} h", seconds / 3600.0),
    }
}
