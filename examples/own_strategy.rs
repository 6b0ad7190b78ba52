//! A strategy of one's own: written here, held to the promises that every strategy keeps, and
//! compared with least connections.
//!
//! ```sh
//! cargo run --release --example own_strategy
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it found")]

use lbsim::strategy::{Answer, Candidates, Context, MemberId, News, Request, Rule};
use lbsim::{Custom, Experiment, Report, Scenario};

/// Sends to the member with the fewest requests in flight; of several, to the one that has answered
/// quickest of late.
#[derive(Clone, Debug)]
struct QuickestIdle {
    /// Smoothed response time of each member, in seconds.
    seconds: Vec<f64>,
}

impl News for QuickestIdle {
    type Config = ();

    fn new(_: &(), cx: &mut Context<'_>) -> QuickestIdle {
        QuickestIdle {
            seconds: vec![0.0; cx.pool.len()],
        }
    }

    fn answered(&mut self, answer: &Answer, _: &mut Context<'_>) {
        let known = &mut self.seconds[answer.member as usize];
        *known += (answer.response_time.seconds() - *known) / 16.0;
    }
}

impl Rule for QuickestIdle {
    fn pick(&mut self, _: &Request, all: Candidates, cx: &mut Context) -> MemberId {
        let load = |member: MemberId| cx.pool.in_flight(member);
        let seconds = |member: MemberId| self.seconds[member as usize];
        all.iter()
            .min_by(|&a, &b| (load(a).cmp(&load(b))).then(seconds(a).total_cmp(&seconds(b))))
            .expect("there is always a candidate")
    }
}

const SCENARIO: &str = r#"
question = "Does it pay to know who is quick?"
expect = "Yes: where several servers are idle, the quick one is taken."

[run]
duration = "30s"
replications = 5
compare = ["least-connections"]

[[clients]]
arrivals = { kind = "poisson", rate = "300/s" }

[[services]]
name = "web"

[[services.servers]]
name = "quick"
count = 2
service = { kind = "exponential", mean = "5ms" }

[[services.servers]]
name = "slow"
count = 4
service = { kind = "exponential", mean = "20ms" }
"#;

/// The scenario with both.
pub fn experiment() -> Result<Experiment, lbsim::Error> {
    let scenario = Scenario::builder("own-strategy.toml", SCENARIO)
        .compare(Custom::new::<QuickestIdle>("quickest-idle", ()))
        .check()?;
    Ok(Experiment::new(scenario))
}

/// Runs it.
pub fn report() -> Result<Report, lbsim::Error> {
    experiment()?.run()
}

/// Prints the table.
pub fn main() -> Result<(), lbsim::Error> {
    println!("{}", report()?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use lbsim::Custom;
    use lbsim::strategy::contract::{self, Bench};
    use lbsim::strategy::{Outcome, StrategyConfig};
    use lbsim::time::Span;

    fn quickest_idle() -> StrategyConfig {
        Custom::new::<super::QuickestIdle>("quickest-idle", ()).into()
    }

    /// Picks are candidates whatever happens, a seed repeats, to have been tried is no news.
    #[test]
    fn it_keeps_what_every_strategy_promises() {
        contract::check(&quickest_idle()).unwrap();
    }

    #[test]
    fn the_quickest_of_the_idle_is_taken() {
        let mut bench = Bench::of(&quickest_idle(), &[1, 1]);
        for (member, millis) in [(0, 20), (1, 5)] {
            bench.send(member);
            bench.answer(member, Outcome::Success, Span::from_millis(millis));
        }
        assert_eq!(bench.pick(0), 1);
        bench.send(1);
        assert_eq!(bench.pick(0), 0, "it has fewer in flight");
    }
}
