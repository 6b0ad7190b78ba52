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
        warnings: report.warnings(),
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
