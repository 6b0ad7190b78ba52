//! A first run: a scenario from text, all that it compares, and the table.
//!
//! ```sh
//! cargo run --release --example first_run
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it found")]

use lbsim::{Experiment, Report, Scenario};

const SCENARIO: &str = r#"
question = "Does it pay to look at two of ten servers?"
expect = "Yes: the longest queues are avoided."

[run]
duration = "30s"
replications = 5
compare = ["random", "power-of-d", "least-connections"]

[[clients]]
arrivals = { kind = "poisson", rate = "800/s" }

[[services]]
name = "web"

[[services.servers]]
count = 10
service = { kind = "exponential", mean = "10ms" }
"#;

/// Runs the scenario.
pub fn report() -> Result<Report, lbsim::Error> {
    let scenario = Scenario::from_text("two-of-ten.toml", SCENARIO)?;
    Experiment::new(scenario).run()
}

/// Prints its table.
pub fn main() -> Result<(), lbsim::Error> {
    println!("{}", report()?);
    Ok(())
}
