//! Time that would stand still: users who ask again in no time what ends in no time. What only shows in a run is stopped
//! there (`model::Stopped::StandsStill`).

use super::Check;
use crate::model::blueprint::{Blueprint, SourcePlan, When};
use crate::model::fault::{Effect, WhileDown};
use crate::model::network::Delay;
use crate::scenario::text::Path;
use crate::time::Span;

/// Refuses closed loops without think time where an attempt may end as soon as it is sent.
pub(super) fn check(plan: &Blueprint, check: &mut Check<'_>) {
    for (index, source) in plan.sources.iter().enumerate() {
        let When::Closed(think) = &source.when else {
            continue;
        };
        let asks_at_once = think.mean() == 0.0 && matches!(source.to_balancer, Delay::None);
        if asks_at_once && let Some(why) = ends_at_once(plan, source) {
            let at = Path::root().key("clients").index(index);
            let message = format!(
                "users ask again in no time, and {why}: time would stand still; let them think, even if only for `\"1ms\"`"
            );
            check.fault(
                &at.key("arrivals").key("think"),
                "time-stands-still",
                message,
            );
        }
    }
}

/// Why an attempt of this source may end at the moment at which it is sent.
fn ends_at_once(plan: &Blueprint, source: &SourcePlan) -> Option<String> {
    let first: usize = (plan.services[..source.service].iter())
        .map(|service| service.servers.len())
        .sum();
    let service = &plan.services[source.service];
    let users = u64::from(source.population.popularity.count());
    for (at, server) in service.servers.iter().enumerate() {
        let group = service.group(at);
        if !matches!(group.to_server, Delay::None) {
            continue;
        }
        let name = format!("`{}/{}`", service.name, server.name);
        if group.service.mean() == 0.0 && group.per_size == 0.0 {
            return Some(format!("{name} serves them in no time"));
        }
        if users > u64::from(group.slots) + u64::from(group.queue_limit) {
            return Some(format!(
                "{name} refuses them in no time when its queue is full (`queue-limit`)"
            ));
        }
        let here = (first + at) as u32;
        for fault in plan.faults.iter().filter(|f| f.servers.contains(&here)) {
            match fault.effect {
                Effect::Crash(_, WhileDown::Refuse) => {
                    return Some(format!(
                        "{name} refuses them in no time while it is down (`{}`)",
                        fault.label
                    ));
                }
                Effect::Errors(_, Some(Span::ZERO)) => {
                    return Some(format!("{name} errs in no time (`{}`)", fault.label));
                }
                _ => {}
            }
        }
    }
    None
}
