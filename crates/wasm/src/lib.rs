//! lbsim for a page in a browser: a scenario's text goes in, tables and charts come out.
//!
//! Built for `wasm32-unknown-unknown` this is a module without imports: it needs no files, no clock
//! and no threads, and so nothing of whoever runs it but memory. Texts go in and out as JSON in
//! UTF-8:
//!
//! 1. [`ask`] makes room for a question of so many bytes; the page writes it there;
//! 2. [`answer`] answers it, and says how many bytes the answer has;
//! 3. [`told`] is where it begins.
//!
//! The question is a [`Question`]. The answer holds `files` and `warnings`, or `fault`: why there
//! are none, as the program would show it. `run.mjs` beside this crate does it with node.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lbsim::{Experiment, Scenario};
use serde::{Deserialize, Serialize};

/// What is to be run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The scenario file's name.
    pub name: String,
    /// Its text.
    pub text: String,
    /// What goes before the text, as `path=value` each: as `--set` of the program.
    #[serde(default)]
    pub set: Vec<String>,
    /// The texts of the files that it names, by name.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
}

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Answer {
    /// The files of the results folder that are text, by name: tables, charts, the page.
    pub files: BTreeMap<String, String>,
    /// What should be known before the figures are believed.
    pub warnings: Vec<String>,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// Runs a scenario.
///
/// # Errors
/// What is wrong with it.
pub fn run(question: &Question) -> Result<Answer, String> {
    let mut builder = Scenario::builder(&question.name, &question.text);
    for set in &question.set {
        builder = builder.assign(set);
    }
    for (name, text) in &question.files {
        builder = builder.file(name, text.as_str());
    }
    let scenario = builder.check().map_err(|rejected| rejected.to_string())?;
    let report = Experiment::new(scenario)
        .run()
        .map_err(|error| error.to_string())?;
    let mut files = BTreeMap::from([("summary.md".to_owned(), report.markdown())]);
    for (name, bytes) in report.csv().map_err(|error| error.to_string())? {
        files.insert(
            name.to_owned(),
            String::from_utf8_lossy(&bytes).into_owned(),
        );
    }
    for chart in report.charts() {
        files.insert(format!("charts/{}.svg", chart.name), chart.svg);
    }
    Ok(Answer {
        files,
        warnings: report
            .about
            .warnings
            .iter()
            .map(ToString::to_string)
            .collect(),
        fault: None,
    })
}

/// What was asked last.
static ASKED: Mutex<Vec<u8>> = Mutex::new(Vec::new());
/// The answer to it.
static TOLD: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn open(bytes: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    bytes.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Room for a question of so many bytes.
#[expect(
    unsafe_code,
    reason = "a name by which a page finds it; there is no other of that name"
)]
#[unsafe(no_mangle)]
pub extern "C" fn ask(length: usize) -> *mut u8 {
    let mut asked = open(&ASKED);
    *asked = vec![0; length];
    asked.as_mut_ptr()
}

/// Answers the question, and says how long the answer is.
#[expect(
    unsafe_code,
    reason = "a name by which a page finds it; there is no other of that name"
)]
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> usize {
    let answer = serde_json::from_slice(&open(&ASKED))
        .map_err(|error| format!("the question cannot be read: {error}"))
        .and_then(|question| run(&question))
        .unwrap_or_else(|fault| Answer {
            fault: Some(fault),
            ..Answer::default()
        });
    let mut told = open(&TOLD);
    // Maps with texts for keys can be written.
    *told = serde_json::to_vec(&answer).unwrap_or_default();
    told.len()
}

/// Where the answer begins.
#[expect(
    unsafe_code,
    reason = "a name by which a page finds it; there is no other of that name"
)]
#[unsafe(no_mangle)]
pub extern "C" fn told() -> *const u8 {
    open(&TOLD).as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        question = "?"
        expect = "!"
        [run]
        replications = 2
        compare = ["random"]
        [[clients]]
        arrivals = { kind = "trace", file = "five.csv", columns = { time = "at" } }
        [[services]]
        name = "web"
        [[services.servers]]
        service = { kind = "constant", value = "10ms" }
    "#;

    fn question(set: &str) -> Question {
        Question {
            name: "five.toml".to_owned(),
            text: TEXT.to_owned(),
            set: vec![set.to_owned()],
            files: BTreeMap::from([(
                "five.csv".to_owned(),
                "at\n0\n0.1\n0.2\n0.3\n0.4\n".to_owned(),
            )]),
        }
    }

    #[test]
    fn a_question_is_answered_as_the_library_does() {
        let answer = run(&question("run.seed=7")).unwrap();
        let scenario = Scenario::builder("five.toml", TEXT)
            .file("five.csv", question("").files["five.csv"].as_str())
            .seed(7)
            .check()
            .unwrap();
        let report = Experiment::new(scenario).run().unwrap();
        for (name, bytes) in report.csv().unwrap() {
            assert_eq!(answer.files[name].as_bytes(), bytes, "{name}");
        }
        assert!(answer.files["charts/summary.svg"].starts_with("<svg "));
        let said = report.about.warnings.iter().map(ToString::to_string);
        assert_eq!(answer.warnings, said.collect::<Vec<String>>());
    }

    #[test]
    fn what_is_wrong_is_said() {
        let fault = run(&question("run.sede=7")).unwrap_err();
        assert!(fault.contains("did you mean `seed`"), "{fault}");
    }
}
