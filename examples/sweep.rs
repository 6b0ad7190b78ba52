//! A sweep: everything is run at each of several loads.
//!
//! ```sh
//! cargo run --release --example sweep
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it found")]

use lbsim::{Experiment, Report, Scenario};

const SCENARIO: &str = r#"
question = "From which load on does random routing fall behind?"
expect = "From the start, and ever more."

[run]
duration = "20s"
replications = 5
compare = ["random", "least-connections"]

[[clients]]
arrivals = { kind = "poisson", rate = "400/s" }

[[services]]
name = "web"

[[services.servers]]
count = 10
service = { kind = "exponential", mean = "10ms" }

[sweep]
path = "load"
values = ["50%", "70%", "90%"]
"#;

/// Runs the scenario at each load.
pub fn report() -> Result<Report, lbsim::Error> {
    let scenario = Scenario::from_text("loads.toml", SCENARIO)?;
    Experiment::new(scenario).run()
}

/// Prints a line a load.
pub fn main() -> Result<(), lbsim::Error> {
    println!("{}", report()?);
    Ok(())
}
