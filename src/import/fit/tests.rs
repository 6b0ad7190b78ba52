//! Servers that are known are found again from logs of them. Seeds are fixed; what a test allows is
//! stated with it.

mod generate;

use proptest::prelude::*;

use super::{Discipline, Fitted, NoFit, Slots, Visit, fit};
use generate::{Coming, Truth};

const EXPONENTIAL: &str = "kind = 'exponential'\nmean = '10ms'";
const LOGNORMAL: &str = "kind = 'lognormal'\nmean = '10ms'\ncv = 1.5";
const CONSTANT: &str = "kind = 'constant'\nvalue = '10ms'";
const ERLANG: &str = "kind = 'erlang'\nmean = '10ms'\nstages = 4";

const MILLISECOND: i64 = 1_000_000;

fn found(truth: &Truth, visits: usize, step: i64) -> Fitted {
    let log = truth.log(visits, step, 7);
    fit(&log, step as u64).unwrap_or_else(|why| panic!("{truth:?}: {why}"))
}

/// Mean within 2% (the largest standard error among these is some 0.7%), slots exact, with an exact
/// clock and with one of milliseconds.
#[test]
fn slots_discipline_and_mean_are_found_again() {
    for (slots, sharing, service, load, family) in [
        (1, false, EXPONENTIAL, 0.3, "exponential"),
        (1, false, LOGNORMAL, 0.8, "lognormal"),
        (2, false, CONSTANT, 0.8, "constant"),
        (2, false, ERLANG, 0.3, "gamma"),
        (4, false, LOGNORMAL, 0.3, "lognormal"),
        (4, false, EXPONENTIAL, 0.8, "exponential"),
        (8, false, EXPONENTIAL, 0.8, "exponential"),
        (1, true, EXPONENTIAL, 0.8, "exponential"),
        (2, true, LOGNORMAL, 0.8, "lognormal"),
        (4, true, ERLANG, 0.8, "gamma"),
    ] {
        for step in [1, MILLISECOND] {
            let truth = Truth::new(slots, sharing, service, load);
            let own = found(&truth, 50_000, step);
            let name = format!("{truth:?}, clock of {step} ns: {own:?}");
            assert_eq!(own.slots, Slots::Exactly(slots as u32), "{name}");
            assert!((own.mean / 0.010 - 1.0).abs() < 0.02, "{name}");
            let due = if sharing {
                Discipline::ProcessorSharing
            } else {
                Discipline::Fifo
            };
            assert!(own.discipline == due && own.discipline_is_known, "{name}");
            assert_eq!(own.service.name(), family, "{name}");
            assert!((own.utilization / load - 1.0).abs() < 0.03, "{name}");
            assert!(own.quality.distance < 0.05, "{name}");
        }
    }
}

/// Arrivals need not be Poisson, and a balancer may look at the server.
#[test]
fn arrivals_do_not_matter() {
    for coming in [Coming::Regular, Coming::Bursty, Coming::Avoiding] {
        let load = if matches!(coming, Coming::Bursty) {
            0.55
        } else {
            0.8
        };
        let truth = Truth {
            coming,
            ..Truth::new(2, false, EXPONENTIAL, load)
        };
        for step in [1, MILLISECOND] {
            let own = found(&truth, 50_000, step);
            assert!(
                own.slots.allows(2) && own.chosen_slots == 2,
                "{truth:?}: {own:?}"
            );
            assert!((own.mean / 0.010 - 1.0).abs() < 0.02, "{truth:?}: {own:?}");
        }
    }
}

/// Where nobody ever waits, the log says how many slots there are at least.
#[test]
fn what_the_log_cannot_tell_stays_open() {
    let own = found(&Truth::new(32, false, EXPONENTIAL, 0.3), 20_000, 1);
    let Slots::AtLeast(fewest) = own.slots else {
        panic!("{own:?}");
    };
    assert!(fewest <= 32 && own.peak <= 32, "{own:?}");
    assert!(!own.discipline_is_known);
    assert!(
        own.remarks.iter().any(|remark| remark.contains("or more")),
        "{:?}",
        own.remarks
    );
}

/// The 95% interval of the mean holds the true mean in 40 logs as often as it should, with a coarse
/// clock too: fewer than 34 times would be a false alarm in 1 of 400.
#[test]
fn the_interval_of_the_mean_is_honest() {
    for step in [1, MILLISECOND] {
        let holds = (0..40)
            .filter(|&seed| {
                let log = Truth::new(1, false, EXPONENTIAL, 0.7).log(10_000, step, 100 + seed);
                let own = fit(&log, step as u64).unwrap();
                (own.mean - 0.010).abs() <= own.half_width.unwrap()
            })
            .count();
        assert!(holds >= 34, "{holds} of 40 with a clock of {step} ns");
    }
}

#[test]
fn what_says_nothing_is_refused() {
    let truth = Truth::new(2, false, EXPONENTIAL, 0.7);
    let few = fit(&truth.log(50, 1, 1), 1);
    assert!(
        matches!(few, Err(NoFit::Visits { usable: 50, .. })),
        "{few:?}"
    );
    let second = 1_000_000_000;
    let coarse = fit(&truth.log(20_000, second, 1), second as u64);
    assert!(matches!(coarse, Err(NoFit::Clock { .. })), "{coarse:?}");
    // Each request that is there makes the next a tenth longer: neither slots nor sharing.
    let slowing = Truth {
        slowing: 0.1,
        ..Truth::new(1, false, EXPONENTIAL, 0.4)
    };
    match fit(&slowing.log(50_000, 1, 3), 1) {
        Err(NoFit::DependsOnLoad { factor }) => assert!(factor > 1.0, "{factor}"),
        Ok(own) => assert!(
            own.quality.depends_on_load && !own.remarks.is_empty(),
            "{own:?}"
        ),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn the_order_of_the_log_does_not_matter() {
    let log = Truth::new(2, false, LOGNORMAL, 0.8).log(5_000, MILLISECOND, 5);
    let mut shuffled = log.clone();
    shuffled.reverse();
    shuffled.rotate_left(1_234);
    assert_eq!(
        fit(&log, MILLISECOND as u64),
        fit(&shuffled, MILLISECOND as u64)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever the times, left before it came among them: an answer or a refusal.
    #[test]
    fn any_visits_are_survived(
        times in prop::collection::vec((any::<i64>(), -5i64..50_000_000_000), 0..400),
        near in any::<bool>(),
        resolution in 0u64..2_000_000_000,
    ) {
        let visits: Vec<Visit> = times
            .into_iter()
            .map(|(at, lasts)| {
                let arrived = if near { at % 100_000_000_000 } else { at };
                Visit { arrived, left: arrived.saturating_add(lasts) }
            })
            .collect();
        if let Ok(own) = fit(&visits, resolution) {
            prop_assert!(own.mean > 0.0 && own.mean.is_finite() && own.chosen_slots > 0);
            prop_assert!(own.service_table().is_ok());
        }
    }
}
