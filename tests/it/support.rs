//! What several of these tests need: the program in a folder of its own, and scenarios from text.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use lbsim::scenario::Scenario;

/// An empty folder that belongs to one test.
pub(crate) fn scratch(test: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).unwrap();
    place
}

/// As [`scratch`], with a trace of requests that arrive at these times, in milliseconds: what
/// [`TRACED`] names.
pub(crate) fn traced(test: &str, times: &[u32]) -> PathBuf {
    let place = scratch(test);
    let rows: String = times.iter().map(|at| format!("{at}\n")).collect();
    fs::write(place.join("trace.csv"), format!("at\n{rows}")).unwrap();
    place
}

/// Arrivals at the times of [`traced`].
pub(crate) const TRACED: &str =
    r#"{ kind = "trace", file = "trace.csv", columns = { time = "at", time-unit = "ms" } }"#;

/// As [`traced`], of one client: what [`TRACED_BY_ONE`] names.
pub(crate) fn traced_by_one(test: &str, times: impl Iterator<Item = u32>) -> PathBuf {
    let place = scratch(test);
    let rows: String = times.map(|at| format!("{at},one\n")).collect();
    fs::write(place.join("trace.csv"), format!("at,client\n{rows}")).unwrap();
    place
}

/// Arrivals at the times of [`traced_by_one`].
pub(crate) const TRACED_BY_ONE: &str = r#"{ kind = "trace", file = "trace.csv", columns = { time = "at", time-unit = "ms", client = "client" } }"#;

/// The program, called in `place`.
pub(crate) fn lbsim(place: &Path, arguments: &[&str]) -> Output {
    Command::cargo_bin("lbsim")
        .unwrap()
        .args(arguments)
        .current_dir(place)
        .env_remove("NO_COLOR")
        .output()
        .unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A scenario in `place`, where its data files are.
pub(crate) fn read_in(place: &Path, text: &str) -> Scenario {
    Scenario::parse(&place.join("test.toml"), text, &[])
        .unwrap_or_else(|rejected| panic!("{rejected}"))
}

/// The mean of some values, and its standard error.
pub(crate) fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|value| (value - mean).powi(2));
    let variance = squares.sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// The bytes of all files below `folder`, by path within it, sorted.
pub(crate) fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let bytes = fs::read(&path).unwrap();
                found.push((path.strip_prefix(folder).unwrap().to_path_buf(), bytes));
            }
        }
    }
    found.sort();
    found
}

/// A scenario that takes a moment: crashes, retries, sessions, several balancers, and two
/// strategies.
pub(crate) const LIVELY: &str = r#"
question = "Does a crash show?"
expect = "Yes."
[run]
duration = "20s"
replications = 4
compare = ["round-robin", "least-connections"]
[[clients]]
arrivals = { kind = "poisson", rate = "300/s" }
population = { kind = "generated", count = 200 }
sessions = { idle = "5s" }
[network]
client-to-balancer = { kind = "exponential", mean = "1ms" }
[[services]]
name = "web"
[[services.servers]]
count = 5
service = { kind = "lognormal", mean = "10ms", cv = 2.0 }
[services.balancer]
instances = 2
sticky = "cookie"
timeout = "200ms"
retry = { max = 2 }
health-check = { interval = "1s" }
[[faults]]
kind = "crash"
servers = "web/server-2"
at = "8s"
lasts = "4s"
"#;
