//! Time that would stand still: users who ask again in no time what ends in no time. What only
//! shows in a run is stopped there (`model::Stopped::StandsStill`).

use super::Check;
use crate::model::blueprint::{Blueprint, SourcePlan, When};
use crate::model::fault::{Effect, WhileDown};
use crate::scenario::text::Path;
use crate::time::Span;

/// From one request of a user to the next this much time must pass on average. A nanosecond is no
/// standstill, but no run comes to its end by nanoseconds either.
const LEAST: Span = Span::from_nanos(1_000);

/// Refuses closed loops that may ask again and again while time hardly moves on.
pub(super) fn check(plan: &Blueprint, check: &mut Check<'_>) {
    for (index, source) in plan.sources.iter().enumerate() {
        let When::Closed(think) = &source.when else {
            continue;
        };
        let pause = think.mean() + 2.0 * source.to_balancer.mean();
        if pause < LEAST.seconds()
            && let Some(why) = ends_at_once(plan, source, LEAST.seconds() - pause)
        {
            let at = Path::root().key("clients").index(index);
            let message = format!(
                "users ask again in less than {LEAST}, and {why}: time would stand still; let them think, even if only for `\"1ms\"`"
            );
            check.fault(
                &at.key("arrivals").key("think"),
                "time-stands-still",
                message,
            );
        }
    }
}

/// Why an attempt of this source may end in less than so many seconds.
fn ends_at_once(plan: &Blueprint, source: &SourcePlan, least: f64) -> Option<String> {
    let first: usize = (plan.services[..source.service].iter())
        .map(|service| service.servers.len())
        .sum();
    let service = &plan.services[source.service];
    let users = u64::from(source.population.popularity.count());
    for (at, server) in service.servers.iter().enumerate() {
        let group = service.group(at);
        let way = 2.0 * group.to_server.mean();
        if way >= least {
            continue;
        }
        let name = format!("`{}`", service.full_name(&server.name));
        let takes = group.mean_work(source.mean_size()) + group.least_called;
        if way + takes < least {
            return Some(format!("{name} serves them as quickly"));
        }
        if users > u64::from(group.slots) + u64::from(group.queue_limit) {
            return Some(format!(
                "{name} refuses them in no time when its queue is full (`queue-limit`)"
            ));
        }
        let here = (first + at) as u32;
        for fault in plan.faults.iter().filter(|f| f.servers().contains(&here)) {
            match fault.effect() {
                Some(Effect::Crash(_, WhileDown::Refuse)) => {
                    return Some(format!(
                        "{name} refuses them in no time while it is down (`{}`)",
                        fault.label
                    ));
                }
                Some(Effect::Answers {
                    takes: Some(takes), ..
                }) if way + takes.seconds() / group.speed < least => {
                    return Some(format!("{name} answers as quickly (`{}`)", fault.label));
                }
                _ => {}
            }
        }
    }
    None
}
