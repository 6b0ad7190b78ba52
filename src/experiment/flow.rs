//! What is exact of a steady system whatever its strategy: all that comes is answered, and the work
//! that it brings keeps so many slots busy (the utilization law: Denning and Buzen, "The
//! operational analysis of queueing network models", 1978).

use super::outcome::VariantOutcome;
use crate::scenario::Variant;

/// The part of theory that needs no model of the queues.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// Answered requests a second.
    pub goodput: f64,
    /// Share of all slot time in use; `None` where it depends on who gets which request.
    pub utilization: Option<f64>,
}

impl Flow {
    /// What is exact of a variant beside what was measured of it; `None` where requests may fail,
    /// the rate changes or depends on the answers, or more is asked for than can be done: of all
    /// servers, or of one, as the strategy deals requests out.
    pub fn beside(variant: &Variant, measured: &VariantOutcome) -> Option<Flow> {
        Flow::of(variant).filter(|_| keeps_up(measured))
    }

    /// What is exact of a variant if its strategy asks no server for more than it can do.
    fn of(variant: &Variant) -> Option<Flow> {
        let plan = &variant.blueprint;
        let features = plan.features();
        if !features.is_steady() || features.closed_loops || features.may_fail() {
            return None;
        }
        let over = plan.end - crate::time::Time::ZERO;
        let rates = plan.sources.iter().map(|source| source.rate(over));
        let goodput = rates.sum::<Option<f64>>()?;
        let loads: Option<Vec<f64>> = (0..plan.services.len())
            .map(|service| plan.utilization(service).filter(|&load| load < 1.0))
            .collect();
        let loads = loads?;
        let slots = |service: usize| -> f64 {
            let own = &plan.services[service];
            (0..own.servers.len())
                .map(|server| f64::from(own.group(server).slots))
                .sum()
        };
        let all: f64 = (0..loads.len()).map(slots).sum();
        let busy = (0..loads.len()).map(|service| {
            loads[service] * slots(service) * plan.services[service].share_in_charge()
        });
        // Slots that are kept for calls are in use, and how long that takes nobody knows; nor how
        // long work takes that depends on how many are there.
        let utilization = (!features.unlike_work && !features.steps && !features.under_load)
            .then(|| busy.sum::<f64>() / all);
        Some(Flow {
            goodput,
            utilization,
        })
    }
}

/// A server that is busy for this share of the time may be asked for more than it can do.
const BUSY: f64 = 0.99;

/// Whether every server could do what was asked of it. Who gets how much follows from the strategy,
/// so that only the run tells: one server of unlike ones may be drowned by a strategy that deals
/// out evenly, at any load of them all.
pub(super) fn keeps_up(measured: &VariantOutcome) -> bool {
    let busiest = measured.runs.iter().filter_map(|run| run.utilization_max);
    busiest.fold(0.0, f64::max) < BUSY
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn what_comes_in_goes_out_and_keeps_slots_busy() {
        let text = "question = '?'\nexpect = '!'\n[run]\nduration = '5s'\ncompare = ['least-connections']\n\
            [[clients]]\narrivals = { kind = 'gamma', rate = '80/s', cv = 2 }\n[[services]]\nname = 'web'\n\
            servers = [{ slots = 2, service = { kind = 'uniform', min = '5ms', max = '15ms' } }]\n";
        let of = |text: &str| Flow::of(&Scenario::from_text("web.toml", text).unwrap().variants[0]);
        let flow = of(text).unwrap();
        assert_eq!(flow.goodput, 80.0);
        assert!((flow.utilization.unwrap() - 0.4).abs() < 1e-12);
        let unlike = text.replace(
            "}]",
            "}, { name = 'b', speed = '50%', service = { kind = 'constant', value = '10ms' } }]",
        );
        assert_eq!(of(&unlike).unwrap().utilization, None);
        let crash = |at: &str| {
            let fault =
                format!("[[faults]]\nkind = 'crash'\nservers = 'web'\nat = '{at}'\n[[services]]");
            of(&text.replace("[[services]]", &fault))
        };
        assert_eq!(crash("4s"), None);
        assert_eq!(crash("5s"), Some(flow), "it never happens");
        for change in [
            ("80/s", "280/s"),
            ("slots = 2", "slots = 2, queue-limit = 3"),
            (
                "'gamma', rate = '80/s', cv = 2",
                "'ramp', from = '1/s', to = '9/s', over = '5s'",
            ),
            (
                "name = 'web'\n",
                "name = 'web'\nbalancer = { timeout = '1s' }\n",
            ),
        ] {
            assert_eq!(of(&text.replace(change.0, change.1)), None, "{change:?}");
        }
    }
}
