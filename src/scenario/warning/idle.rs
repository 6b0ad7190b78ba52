//! Settings that are taken and can do nothing.

use super::{Warning, warning};
use crate::balancer::ejection::{Ejection, OnError};
use crate::balancer::health::HealthCheck;
use crate::balancer::limit::{Limit, WhenFull};
use crate::balancer::retry::Retry;
use crate::model::blueprint::{Blueprint, GroupPlan, ServicePlan};
use crate::model::discipline::Discipline;

/// What stands in the way of settings of the balancers.
pub(super) fn idle(plan: &Blueprint, found: &mut Vec<Warning>) {
    for service in &plan.services {
        let mut say = |text: String| {
            let text = format!("`{}`: {text}", service.name);
            found.push(warning("without-effect", text));
        };
        for group in &service.groups {
            if let Some(checks) = &group.health_check {
                fast_interval(service, checks, &mut say);
            }
        }
        for group in &service.groups {
            errs_above(group, &mut say);
        }
        retries(&service.balancer.retry, &mut say);
        queue_timeout(service, &mut say);
        ejection(service, &mut say);
        preconnect(service, &mut say);
        panic_threshold(service, &mut say);
        let start = service.balancer.slow_start.as_ref();
        if start.is_some_and(|start| start.least.value() >= 1.0) {
            say(
                "`slow-start` begins with 100% (`least`), so that members are back at once"
                    .to_owned(),
            );
        }
    }
    for source in &plan.sources {
        let mut say = |text: String| {
            let text = format!("`{}`: {text}", source.name);
            found.push(warning("without-effect", text));
        };
        if let Some(retry) = &source.patience.retry {
            retries(retry, &mut say);
        }
    }
}

/// What is said of retries where there are none.
fn retries(retry: &Retry, say: &mut impl FnMut(String)) {
    let said = [
        ("statuses", !retry.statuses.is_empty()),
        ("error-answers", retry.error_answers),
        ("budget", retry.budget.is_some()),
    ];
    if retry.max == 0
        && let Some((key, _)) = said.iter().find(|(_, is_said)| *is_said)
    {
        say(format!(
            "`max` of `retry` is 0: nothing is tried again, whatever `{key}` says"
        ));
    }
}

/// How many there are at a server that errs when there are too many.
fn errs_above(group: &GroupPlan, say: &mut impl FnMut(String)) {
    let bound = (group.under_load.as_ref()).and_then(|under_load| under_load.errs_above);
    // Whoever shares itself, or gives slots back during calls, has more than its slots say.
    let is_bounded = group.steps.is_empty() && group.discipline != Discipline::ProcessorSharing;
    let most = u64::from(group.slots) + u64::from(group.queue_limit);
    if let Some(bound) = bound
        && is_bounded
        && u64::from(bound) >= most
    {
        say(format!(
            "`errs-above` of `{}` is {bound}, and {} slots and a `queue-limit` of {} let in {most} at most",
            group.name, group.slots, group.queue_limit
        ));
    }
}

fn fast_interval(service: &ServicePlan, checks: &HealthCheck, say: &mut impl FnMut(String)) {
    let Some(fast) = checks.fast_interval else {
        return;
    };
    if fast >= checks.interval {
        say(format!(
            "`fast-interval` is {fast}, and `interval` {}: checks come no sooner while an opinion wavers",
            checks.interval
        ));
    }
    let is_forced = matches!(&service.balancer.ejection, Some(Ejection::ErrorLimit(_)));
    if checks.fall == 1 && checks.rise == 1 && !is_forced {
        say("`fast-interval` never comes: with `fall` and `rise` of 1 each check decides, and no opinion wavers".to_owned());
    }
}

/// Whether a request may wait at the balancer.
fn lets_wait(service: &ServicePlan) -> bool {
    let balancer = &service.balancer;
    let waits = |limit: &Option<Limit>| {
        let limit = limit.as_ref();
        limit.is_some_and(|limit| limit.when_full == WhenFull::Wait)
    };
    let own = balancer.sticky.connection();
    service.rule_lets_wait()
        || waits(&balancer.limit)
        || waits(&balancer.server_limit)
        || balancer.sticky.waits()
        || own.is_some_and(|own| own.max_connections.is_some())
}

fn queue_timeout(service: &ServicePlan, say: &mut impl FnMut(String)) {
    if let Some(timeout) = service.balancer.queue_timeout
        && !lets_wait(service)
    {
        let others = match service.balancer.connections {
            Some(_) => {
                "; who waits for one of the `connections` waits any time, as far as `timeout` goes"
            }
            None => "",
        };
        say(format!(
            "`queue-timeout` is {timeout}, and nobody waits whom it concerns: that takes a `limit` or `server-limit` with \
             `when-full = \"wait\"`, a bond that is waited for (`when` of `sticky`), or a rule of HAProxy with `max-connections` of \
             the servers{others}"
        ));
    }
}

/// Connections that cost nothing to open.
fn preconnect(service: &ServicePlan, say: &mut impl FnMut(String)) {
    let balancer = &service.balancer;
    let limited = balancer.limit.is_some()
        || balancer.client_limit.is_some()
        || balancer.server_limit.is_some();
    if let Some(own) = balancer.sticky.connection()
        && own.preconnect.is_some()
        && own.opening.is_none()
        && own.handshake.is_none()
        && !limited
    {
        say(
            "`preconnect` saves nobody anything: connections have no `opening` and no `handshake`"
                .to_owned(),
        );
    }
}

fn ejection(service: &ServicePlan, say: &mut impl FnMut(String)) {
    let Some(ejection) = &service.balancer.ejection else {
        return;
    };
    let is_fast = |checks: &HealthCheck| checks.fast_interval.is_some();
    let mut checks = service
        .groups
        .iter()
        .filter_map(|group| group.health_check.as_ref());
    if let Ejection::ErrorLimit(limit) = ejection
        && limit.on_error == OnError::FastInterval
        && !checks.any(is_fast)
    {
        say(
            "`on-error` of `ejection` is \"fast-interval\", and the `health-check` has no `fast-interval`"
                .to_owned(),
        );
    }
    let servers = service.servers.len();
    if let Some(bound) = ejection.leaves_out_nobody(servers) {
        say(format!(
            "`ejection` leaves out nobody: {bound}, and of {servers} servers that is less than one"
        ));
    }
}

fn panic_threshold(service: &ServicePlan, say: &mut impl FnMut(String)) {
    let balancer = &service.balancer;
    let Some(threshold) = balancer.panic_threshold else {
        return;
    };
    let own = balancer.strategy.name();
    let has_opinions = balancer.ejection.is_some()
        || (service.groups.iter()).any(|group| group.health_check.is_some());
    if threshold.value() <= 0.0 {
        say("`panic-threshold` is 0%, and fewer are never well: leave it out".to_owned());
    } else if balancer.strategy.notices_failures() {
        say(format!(
            "`panic-threshold` goes by health checks and `ejection`, not by what `{own}` makes of failures by itself"
        ));
    } else if !has_opinions {
        say(
            "`panic-threshold` counts who is well, and without a `health-check` or an `ejection` all are thought to be"
                .to_owned(),
        );
    }
}
