//! A world that is made in code, of values and without a file: here one front end and a row of
//! back ends of which it calls some.
//!
//! ```sh
//! cargo run --release --example world_in_code
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it found")]

use lbsim::{Experiment, Report, Scenario};
use serde_json::{Value, json};

/// A service whose servers are all alike.
fn service(name: &str, servers: u32, mean: &str) -> Value {
    json!({
        "name": name,
        "servers": [{ "count": servers, "service": { "kind": "exponential", "mean": mean } }],
    })
}

/// Runs a front end that calls `copies` back ends for each request, and waits for all.
pub fn report(copies: u32) -> Result<Report, lbsim::Error> {
    let mut web = service("web", 4, "2ms");
    web["steps"] = json!([{ "call": "shard", "copies": copies, "blocking": false }]);
    let scenario = Scenario::describe(
        "fan-out",
        &json!({
            "question": "What does it cost to wait for the slowest?",
            "expect": "The more are asked, the more.",
            "run": { "duration": "20s", "replications": 5, "compare": ["least-connections"] },
            "clients": [{ "arrivals": { "kind": "poisson", "rate": "100/s" } }],
            "services": [web, service("shard", 8, "5ms")],
        }),
    )
    .check()?;
    Experiment::new(scenario).run()
}

/// Prints a line for each number of back ends.
pub fn main() -> Result<(), lbsim::Error> {
    println!("back ends  mean (ms)");
    for copies in [1, 2, 4] {
        let report = report(copies)?;
        let mean = report.estimate("least-connections", "mean_ms");
        println!("{copies:>9}  {:>9.2}", mean.unwrap_or(f64::NAN));
    }
    Ok(())
}
