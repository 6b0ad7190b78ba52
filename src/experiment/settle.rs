//! How long a system takes to settle: a pilot of a few replications, and MSER-5 on the slowest
//! series there are, the number of requests in the system and that at the busiest server. A single
//! hot server may fill long after all others together look settled.

use crate::model::{self, Stopped, blueprint::Blueprint};
use crate::observe::Ended;
use crate::parallel;
use crate::scenario::{Scenario, Settling, Variant};
use crate::stats::{Warmup, mser5};
use crate::time::{Span, Time};

/// Replications of the pilot; their seeds are those of the run's first ones.
const PILOT: u32 = 5;

/// Values in a series.
const VALUES: usize = 1000;

/// Why no warm-up was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{scenario}: {variant} does not settle: {why}")]
pub struct Unsettled {
    /// The scenario's file.
    pub scenario: String,
    /// The first variant that does not.
    pub variant: String,
    /// What was seen instead.
    pub why: String,
}

/// Finds the warm-up of a scenario that asks for it, or of each point of its sweep, on the threads
/// of the current rayon pool: that of its slowest variant.
///
/// # Errors
/// Where a variant does not settle within the first half of the run.
pub fn settle(scenario: &mut Scenario) -> Result<(), Unsettled> {
    if let Some(sweep) = &mut scenario.sweep {
        let mut points = sweep.points.iter_mut().filter(|point| !point.is_skipped);
        return points.try_for_each(|point| settle(&mut point.scenario));
    }
    if !scenario.finds_warmup {
        return Ok(());
    }
    let settling = parallel::try_map(&scenario.variants, |variant| {
        of(variant, scenario.seed).map_err(|why| Unsettled {
            scenario: scenario.file_name.clone(),
            variant: variant.name.clone(),
            why,
        })
    })?;
    let warmup = settling
        .iter()
        .map(|own| own.settled)
        .max()
        .unwrap_or(Span::ZERO);
    for variant in &mut scenario.variants {
        variant.blueprint.warmup = Time::ZERO + warmup;
    }
    scenario.settling = settling;
    Ok(())
}

fn of(variant: &Variant, seed: u64) -> Result<Settling, String> {
    let plan = &variant.blueprint;
    if !plan.features().is_steady() {
        return Err("something changes at a given time (a fault, the arrivals, a server that joins), so there is no steady state to wait for; give a `warmup`".to_owned());
    }
    let step = Span::from_nanos(plan.end.nanos().div_ceil(VALUES as u64));
    let said = |stopped: Stopped| stopped.to_string();
    let busiest = busiest(plan, seed).map_err(said)?;
    let runs = parallel::try_map(0..PILOT, |replication| {
        present(plan, seed, replication, step, busiest).map_err(said)
    })?;
    let mean = |of: usize| -> Vec<f64> {
        (0..VALUES)
            .map(|at| runs.iter().map(|run| run[of][at]).sum::<f64>() / f64::from(PILOT))
            .collect()
    };
    let series = [mean(0), mean(1)];
    let mut last = 0;
    for own in &series {
        match mser5(own) {
            Warmup::Settled { cut } => last = last.max(cut),
            Warmup::NotSettled => return Err(reason(own, step, plan)),
        }
    }
    let [in_system, at_busiest] = series;
    Ok(Settling {
        variant: variant.name.clone(),
        step,
        settled: Span::from_nanos(step.nanos() * last.max(1) as u64),
        in_system,
        at_busiest,
    })
}

/// The server that works the most in the first replication, among all servers of the world.
fn busiest(plan: &Blueprint, seed: u64) -> Result<Option<u32>, Stopped> {
    let tally = model::run_watched(plan, seed, 0, None, &mut |_| true)?;
    let load = tally.load.utilization();
    let most = (0..load.len()).max_by(|&a, &b| load[a].total_cmp(&load[b]));
    Ok(most.map(|server| server as u32))
}

/// Requests in the system at the end of each step, and those of them that the busiest server
/// answers.
fn present(
    plan: &Blueprint,
    seed: u64,
    replication: u32,
    step: Span,
    busiest: Option<u32>,
) -> Result<[Vec<f64>; 2], Stopped> {
    let mut changes = vec![[0i64; 2]; VALUES + 1];
    let place = |at: Time| (at.nanos() / step.nanos().max(1)).min(VALUES as u64) as usize;
    let mut witness = |request: &Ended| {
        let there = i64::from(request.server.is_some() && request.server == busiest);
        for (at, by) in [
            (request.arrived, 1),
            (request.arrived + request.response_time, -1),
        ] {
            let change = &mut changes[place(at)];
            change[0] += by;
            change[1] += by * there;
        }
    };
    model::run_watched(plan, seed, replication, Some(&mut witness), &mut |_| true)?;
    Ok([0, 1].map(|of| {
        let mut count = 0;
        changes[..VALUES]
            .iter()
            .map(|change| {
                count += change[of];
                count as f64
            })
            .collect()
    }))
}

/// Why a series does not settle: it grows, or the run is too short.
fn reason(series: &[f64], step: Span, plan: &Blueprint) -> String {
    let half = series.len() / 2;
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (third, last) = (
        mean(&series[half..half + half / 2]),
        mean(&series[half + half / 2..]),
    );
    let seconds = step.seconds() * (half / 2) as f64;
    let rate = (last - third) / seconds;
    if last > 1.2 * third {
        format!(
            "it is overloaded: the number of requests in the system grows by {rate:.2} a second"
        )
    } else {
        let length = plan.end - Time::ZERO;
        format!(
            "the run of {length} is too short to tell its beginning from the rest; try {}",
            Span::from_nanos(length.nanos().saturating_mul(4))
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(rate: &str, duration: &str) -> Scenario {
        let text = format!(
            "question = '?'\nexpect = '!'\n[run]\nduration = '{duration}'\nwarmup = 'auto'\ncompare = ['random', 'round-robin']\n[[clients]]\narrivals = {{ kind = 'poisson', rate = '{rate}' }}\n[[services]]\nname = 'web'\n[[services.servers]]\ncount = 4\nservice = {{ kind = 'exponential', mean = '10ms' }}\n"
        );
        Scenario::from_text("auto.toml", &text).unwrap()
    }

    #[test]
    fn a_short_beginning_is_found() {
        let mut scenario = scenario("320/s", "100s");
        settle(&mut scenario).unwrap();
        let warmup = scenario.warmup();
        assert!(
            warmup >= Span::from_millis(100) && warmup < Span::from_secs(50),
            "{warmup}"
        );
        assert_eq!(scenario.settling.len(), 2);
        // An M/M/1 at 0.8 has 4 in the system on average, four of them 16; the standard error of
        // the mean is some 3%.
        let settled = &scenario.settling[0].in_system[500..];
        let mean = settled.iter().sum::<f64>() / settled.len() as f64;
        assert!((mean - 16.0).abs() < 2.5, "{mean}");
    }

    /// One server of eleven is at load 0.95, the others are all but idle: it takes far longer to
    /// fill than they do, and hides among them.
    #[test]
    fn the_busiest_server_decides() {
        let text = "question = '?'\nexpect = '!'\n[run]\nduration = '400s'\nwarmup = 'auto'\ncompare = ['random']\n\
            [[clients]]\narrivals = { kind = 'poisson', rate = '1045/s' }\n[[services]]\nname = 'web'\nservers = [\
            { name = 'slow', service = { kind = 'exponential', mean = '10ms' } },\
            { name = 'wide', count = 10, slots = 1000, service = { kind = 'exponential', mean = '200ms' } }]\n";
        let mut scenario = Scenario::from_text("auto.toml", text).unwrap();
        settle(&mut scenario).unwrap();
        let own = &scenario.settling[0];
        let total = match mser5(&own.in_system) {
            Warmup::Settled { cut } => own.step.seconds() * cut as f64,
            Warmup::NotSettled => panic!("the whole settles"),
        };
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        let late = mean(&own.at_busiest[500..]);
        // An M/M/1 at 0.95 has 19 in it on average; five runs of 200 s know that within some 20%.
        assert!((late - 19.0).abs() < 8.0, "{late}");
        assert!(own.settled.seconds() >= total);
        assert!(mean(&own.in_system[500..]) > 190.0);
    }

    #[test]
    fn overload_is_refused_with_its_rate() {
        let refused = settle(&mut scenario("500/s", "100s")).unwrap_err();
        assert!(refused.why.contains("grows by"), "{refused}");
        let rate: f64 = refused
            .why
            .split("grows by ")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        // 500 come a second and 400 go.
        assert!((rate - 100.0).abs() < 8.0, "{rate}");
    }
}
