//! Places that no table of the balancers' strategy knows.

use super::{Warning, warning};
use crate::model::blueprint::Blueprint;

/// Who gets no answer, wherever he is sent.
pub(super) fn places(plan: &Blueprint, found: &mut Vec<Warning>) {
    for service in &plan.services {
        let strategy = &service.balancer.strategy;
        if !strategy.goes_by_place() {
            continue;
        }
        for (zone, ranks) in service.ranks() {
            if ranks.iter().any(Option::is_some) {
                continue;
            }
            let who = match zone {
                "" => "balancers in no zone".to_owned(),
                zone => format!("balancers in zone `{zone}`"),
            };
            let text = format!(
                "`{}`: {who} have no server to send to, for `{}` names none and has no `otherwise`: all requests through them fail",
                service.name,
                strategy.name()
            );
            found.push(warning("no-answer", text));
        }
    }
}
