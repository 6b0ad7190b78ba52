//! `lbsim compare`: results beside each other, what changed in the scenario and what came of it.

use std::path::{Component, Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::output::{Failure, Output};
use super::{Jobs, read_text, run};
use crate::experiment::{self, Noted};
use crate::prose::listed;
use crate::report::comparing::{self, CompareReport, Incomparable};
use crate::report::read::ReadError;
use crate::report::{Report, folder, json};
use crate::scenario::Scenario;

/// Exits with 0 where the results could be compared, whatever came of it, and with
/// `--fail-on-worse` with 3 where something that is judged is shown to have got worse.
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// Results folders of `lbsim run`; the first is what the others are compared with.
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// A scenario that is run now, with the seed and the replications of the first folder, and
    /// compared too. May be given many times.
    #[arg(long, value_name = "FILE")]
    against: Vec<PathBuf>,
    /// Change a value of the scenarios of `--against`, e.g. `services.web.servers.fast.weight=3`.
    /// May be given many times.
    #[arg(long = "set", value_name = "PATH=VALUE", requires = "against")]
    sets: Vec<String>,
    /// Root of all random streams of `--against`, in place of the first folder's: the runs are then
    /// no pairs.
    #[arg(long, requires = "against")]
    seed: Option<u64>,
    /// Independent repetitions of `--against`, in place of those of the first folder.
    #[arg(long, value_name = "N", requires = "against")]
    replications: Option<u32>,
    #[command(flatten)]
    jobs: Jobs,
    /// How the comparison is printed.
    #[arg(long, value_enum, default_value_t)]
    format: CompareFormat,
    /// Where a folder `<scenario>-compared` is made, with the results of `--against` in it; without
    /// it nothing is written.
    #[arg(short, long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Declare that the versions of lbsim which ran these scenarios give the same values for them
    /// (CHANGELOG.md names what is value-breaking), so that their replications are pairs.
    #[arg(long)]
    value_stable: bool,
    /// Exit with 3 where the metric that decides, or the share of requests that succeed, is shown
    /// to have got worse.
    #[arg(long)]
    fail_on_worse: bool,
}

/// Forms of a comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum CompareFormat {
    /// For people.
    #[default]
    Text,
    /// For a pull request.
    Markdown,
    /// The differences as rows.
    Csv,
    /// For programs.
    Json,
}

pub(super) fn compare(args: &CompareArgs, output: &Output) -> Result<(), Failure> {
    if args.folders.len() + args.against.len() < 2 {
        return Err(Failure::Usage(
            "`compare` takes two results folders or more, or one and `--against FILE`, a scenario that is run now".to_owned(),
        ));
    }
    let paths: Vec<&Path> = (args.folders.iter().chain(&args.against))
        .map(PathBuf::as_path)
        .collect();
    let labels = labels(&paths);
    if let Some(at) = (1..paths.len()).find(|&at| labels[..at].contains(&labels[at])) {
        return Err(refused(&Incomparable::Twice(labels[at].clone())));
    }
    let mut reports: Vec<Report> = read_all(&args.folders, output)?;
    if let Some(out) = &args.out {
        folder::prepare(out, [comparing::folder_name(&reports[0]).as_str()])?;
    }
    let ran = live(args, &reports[0], output)?;
    reports.extend(ran);
    let results: Vec<(String, &Report)> = labels.into_iter().zip(&reports).collect();
    let compared = CompareReport::new(&results, args.value_stable).map_err(|why| refused(&why))?;
    let own: Vec<&Report> = reports[args.folders.len()..].iter().collect();
    let written = match &args.out {
        Some(folder) => Some(compared.write(folder, &own)?),
        None => None,
    };
    output.print(&shown(args, &compared, written.as_deref(), output)?)?;
    let worse: Vec<String> = (compared.worse())
        .map(|row| {
            format!(
                "{} of {} in `{}`",
                row.metric, row.result_strategy, row.result
            )
        })
        .collect();
    match worse.is_empty() || !args.fail_on_worse {
        true => Ok(()),
        false => Err(Failure::Worse(format!("got worse: {}", listed(worse)))),
    }
}

fn refused(why: &Incomparable) -> Failure {
    Failure::Usage(why.to_string())
}

/// The ends of paths that tell them apart: `web` and `web.toml`, or `old/web` and `new/web`.
fn labels(paths: &[&Path]) -> Vec<String> {
    let parts = |path: &Path| -> Vec<String> {
        // What is called `.` has a name elsewhere.
        let whole = match path.file_name() {
            Some(_) => path.to_owned(),
            None => std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()),
        };
        let named = whole.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            Component::ParentDir => Some("..".to_owned()),
            _ => None,
        });
        named.collect()
    };
    let parts: Vec<Vec<String>> = paths.iter().map(|path| parts(path)).collect();
    let deepest = parts.iter().map(Vec::len).max().unwrap_or(1).max(1);
    let ends = |depth: usize| -> Vec<String> {
        let end = |own: &Vec<String>| own[own.len().saturating_sub(depth)..].join("/");
        parts.iter().map(end).collect()
    };
    let differ = |ends: &Vec<String>| (1..ends.len()).all(|at| !ends[..at].contains(&ends[at]));
    (1..=deepest)
        .map(ends)
        .find(differ)
        .unwrap_or_else(|| ends(deepest))
}

/// Reads all folders; where some cannot be read, all of them are named.
fn read_all(folders: &[PathBuf], output: &Output) -> Result<Vec<Report>, Failure> {
    let mut reports = Vec::new();
    for folder in folders {
        match Report::read(folder) {
            Ok(report) => reports.push(report),
            Err(fault) => output.complain(&unread(folder, &fault)),
        }
    }
    match reports.len() == folders.len() {
        true => Ok(reports),
        false => Err(Failure::Reported),
    }
}

/// Why a folder could not be read, and what to do.
fn unread(path: &Path, fault: &ReadError) -> String {
    let shown = path.display();
    if path.is_file() {
        return format!(
            "`{shown}` is a file, and no results folder; a scenario is run now and compared by `--against {shown}`"
        );
    }
    if path.is_dir() && !path.join("manifest.json").exists() {
        return format!(
            "`{shown}` is no results folder: it has no `manifest.json`; `lbsim run` writes one for each scenario, such as `results/web`"
        );
    }
    fault.to_string()
}

/// Runs the scenarios of `--against`.
fn live(args: &CompareArgs, first: &Report, output: &Output) -> Result<Vec<Report>, Failure> {
    if args.against.is_empty() {
        return Ok(Vec::new());
    }
    // What the command line says stands behind, and goes before.
    let about = &first.about;
    let mut sets = vec![
        format!("run.seed={}", about.seed),
        format!("run.replications={}", about.replications),
    ];
    sets.extend(args.sets.iter().cloned());
    sets.extend(args.seed.map(|seed| format!("run.seed={seed}")));
    sets.extend((args.replications).map(|n| format!("run.replications={n}")));
    let mut scenarios = Vec::new();
    for path in &args.against {
        match read_text(path)
            .and_then(|text| Scenario::parse(path, &text, &sets).map_err(Failure::Rejected))
        {
            Ok(scenario) => scenarios.push(scenario),
            Err(failure) => failure.print(output),
        }
    }
    if scenarios.len() < args.against.len() {
        return Err(Failure::Reported);
    }
    for (at, scenario) in scenarios.iter().enumerate() {
        let mut earlier = scenarios[..at].iter();
        if args.out.is_some() && earlier.any(|other| other.name == scenario.name) {
            return Err(Failure::Usage(format!(
                "two scenarios of `--against` would write to `{}`; leave out `--out`, or compare them one by one",
                scenario.name
            )));
        }
    }
    let pool = args.jobs.pool()?;
    for scenario in &mut scenarios {
        pool.install(|| experiment::settle(scenario))?;
    }
    let runs: Vec<Noted<'_>> = (scenarios.iter())
        .flat_map(|scenario| scenario.runs().into_iter().map(|run| (run, None)))
        .collect();
    let outcomes = run::live(&runs, &pool, output)?;
    let mut outcomes = outcomes.as_slice();
    let mut reports = Vec::new();
    for scenario in &scenarios {
        let (own, others) = outcomes.split_at(scenario.runs().len());
        outcomes = others;
        reports.push(Report::new(scenario, own));
    }
    Ok(reports)
}

/// A comparison as it is printed.
fn shown(
    args: &CompareArgs,
    compared: &CompareReport,
    folder: Option<&Path>,
    output: &Output,
) -> Result<String, Failure> {
    Ok(match args.format {
        CompareFormat::Text => {
            let bold = anstyle::Style::new().bold();
            let about = &compared.about;
            let answer: String = (about.findings.iter())
                .map(|sentence| format!("{bold}{sentence}{bold:#}\n"))
                .collect();
            let notes: String = (about.notes.iter())
                .map(|sentence| format!("{sentence}\n"))
                .collect();
            let written = folder.map_or(String::new(), |folder| {
                format!("CSV files and pages: {}\n", folder.display())
            });
            format!(
                "{answer}\n{}\n\n{notes}{}\n{written}",
                comparing::text(compared, output.style()),
                comparing::LEGEND,
            )
        }
        CompareFormat::Markdown => comparing::markdown(compared),
        CompareFormat::Csv => {
            let files = compared.tables.files();
            let files = files.map_err(|fault| Failure::Run(fault.to_string()))?;
            let (_, rows) = &files[0];
            String::from_utf8_lossy(rows).into_owned()
        }
        CompareFormat::Json => json::text(&Printed { compared, folder }),
    })
}

/// A comparison for programs, and where it was written, if it was.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<&'a Path>,
    #[serde(flatten)]
    compared: &'a CompareReport,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_long_as_they_must_be() {
        let of = |paths: &[&str]| labels(&paths.iter().map(Path::new).collect::<Vec<_>>());
        assert_eq!(of(&["results/web", "web.toml"]), ["web", "web.toml"]);
        assert_eq!(of(&["old/web/", "./new/web"]), ["old/web", "new/web"]);
        assert_eq!(of(&["web", "../web"]), ["web", "../web"]);
        // Nothing tells them apart.
        assert_eq!(of(&["a/web", "./a/web"]), ["a/web", "a/web"]);
    }
}
