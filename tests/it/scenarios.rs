//! The scenario files hold what they promise: each is read, asks a question, says what to expect,
//! and requires it; and no requirement fails in a short run. That they all *hold*, in the runs that
//! the files ask for, `.ci/run` shows.

use std::fs;
use std::path::{Path, PathBuf};

use lbsim::requirement::{Limit, Requirement};
use lbsim::scenario::Scenario;

use crate::support::{lbsim, scratch, stderr, stdout};

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

fn scenario(name: &str) -> Scenario {
    let path = folder().join(format!("{name}.toml"));
    let text = fs::read_to_string(&path).unwrap();
    Scenario::parse(&path, &text, &[]).unwrap_or_else(|rejected| panic!("{rejected}"))
}

#[test]
fn each_asks_a_question_and_says_what_to_expect() {
    let names = names();
    assert!(names.len() >= 15, "{names:?}");
    for name in names {
        let scenario = scenario(&name);
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
            ("one-large-or-four-small", "overloaded-by-fault"),
            ("priority-classes", "overloaded"),
            ("retry-budget", "overloaded-peak"),
            ("rolling-restart", "overloaded-by-fault"),
            ("zone-lost", "overloaded-by-fault"),
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

/// What a scenario requires is of all that it compares: whoever reads the requirements knows what
/// becomes of each. One replication shows nothing of a strategy that draws.
#[test]
fn each_requires_something_of_whatever_it_compares() {
    for name in names() {
        let scenario = scenario(&name);
        let required = &scenario.requirements;
        assert!(required.len() >= 2, "{name}");
        let names = |own: &Requirement, variant: &str| {
            let of_each =
                matches!(&own.limit, Limit::Measured(limit) if limit.subject.of.is_none());
            let mut subjects = own.subjects();
            own.concerns(variant)
                || of_each
                || subjects.any(|own| own.of.as_deref() == Some(variant))
        };
        for variant in scenario
            .variants
            .iter()
            .filter(|_| scenario.replications > 1)
        {
            let is_named = required.iter().any(|own| names(own, &variant.name));
            assert!(is_named, "{name}: nothing is required of {}", variant.name);
        }
    }
}

/// In three replications of each, on the seeds of the files: a 95% interval of three is wide, so
/// that what fails here is far off.
#[test]
fn no_requirement_fails_in_a_short_run() {
    let place = scratch("scenarios");
    let files: Vec<String> = names()
        .iter()
        .map(|name| folder().join(format!("{name}.toml")).display().to_string())
        .collect();
    let mut arguments = vec!["run", "--replications", "3", "--quiet"];
    arguments.extend(files.iter().map(String::as_str));
    let done = lbsim(&place, &arguments);
    assert!(done.status.success(), "{}{}", stdout(&done), stderr(&done));
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
            let question = scenario(name).question;
            format!("| [{name}]({name}.toml) | {question} |")
        })
        .collect();
    assert_eq!(rows, due);
}
