//! Settings of sessions and their state that are taken and can do nothing, and visitors who meet
//! themselves.

use super::{Warning, warning};
use crate::balancer::affinity::{Sticky, WhenDown};
use crate::model::blueprint::{Blueprint, ServicePlan, SourcePlan, When};
use crate::model::state::{Home, SessionPlan};
use crate::scenario::Variant;
use crate::time::Time;

/// Clients that drop cookies, where no variant sets any.
pub(super) fn cookies(variants: &[Variant], found: &mut Vec<Warning>) {
    let sources = |variant: &Variant| {
        let plan = &variant.blueprint;
        let drops = plan
            .sources
            .iter()
            .filter(|source| source.drops_cookies > 0.0);
        let each = drops.map(|source| {
            let asked = &plan.services[source.service].balancer;
            (source.name.clone(), asked.sticky.needs_cookies())
        });
        each.collect::<Vec<_>>()
    };
    let all: Vec<(String, bool)> = variants.iter().flat_map(sources).collect();
    if let [(name, _), ..] = &all[..]
        && !all.iter().any(|(_, has_cookies)| *has_cookies)
    {
        let text =
            format!("clients `{name}`: `drops-cookies` is given, and nobody sets them cookies");
        found.push(warning("without-effect", text));
    }
}

/// What stands in the way of settings of sessions.
pub(super) fn sessions(plan: &Blueprint, found: &mut Vec<Warning>) {
    for source in &plan.sources {
        let mut say = |text: String| {
            let text = format!("clients `{}`: {text}", source.name);
            found.push(warning("without-effect", text));
        };
        if let Some(sessions) = &source.sessions {
            of_sessions(plan, (source, sessions), &mut say);
        }
        visits(plan, source, found);
    }
    for (index, service) in plan.services.iter().enumerate() {
        keeps(plan, (index, service), found);
        bonds(service, found);
    }
}

fn of_sessions(
    plan: &Blueprint,
    (source, sessions): (&SourcePlan, &SessionPlan),
    say: &mut impl FnMut(String),
) {
    let home = match sessions.home {
        Home::Servers(home) => home,
        Home::Client => source.service,
        Home::Token(_) => return,
    };
    let keeps = &plan.services[home].keeps;
    let name = &plan.services[home].name;
    if let Some(ttl) = keeps.ttl.filter(|&ttl| ttl >= sessions.idle) {
        say(format!(
            "`ttl` of `{name}` is {ttl}, and sessions end when their client has been silent for {} (`idle`)",
            sessions.idle
        ));
    }
    if let (Some(memory), Some(size)) = (keeps.memory, &sessions.size)
        && size.mean() > memory as f64
    {
        say(format!(
            "a state takes {:.0} bytes on average, and each server of `{name}` has room for {memory} (`memory`): a state stays \
             alone until the next one comes",
            size.mean()
        ));
    }
    if keeps.memory.is_some() && sessions.size.is_none() {
        say(format!(
            "`{name}` has so much `memory` for states, and these have no `size`: they take no room"
        ));
    }
    if keeps.copies.as_ref().is_some_and(|copies| copies.read) && sessions.writes >= 1.0 {
        say(format!(
            "`read-copies` of `{name}` is for requests that only read, and all change the state (`writes`)"
        ));
    }
}

/// A client begins its next visit when its turn comes, whether the last has ended or not.
fn visits(plan: &Blueprint, source: &SourcePlan, found: &mut Vec<Warning>) {
    let When::Visits(visits) = &source.when else {
        return;
    };
    let (clients, under_way) = (
        f64::from(source.population.popularity.count()),
        visits.under_way(plan.end - Time::ZERO),
    );
    if under_way > 0.8 * clients && source.sessions.is_some() {
        found.push(warning(
            "visitors-overlap",
            format!(
                "clients `{}`: {under_way:.0} visits are under way at a time, and there are {clients:.0} clients: a client is there \
                 several times at once, in one session",
                source.name
            ),
        ));
    }
}

/// Bonds that are never looked at in the way that is said.
fn bonds(service: &ServicePlan, found: &mut Vec<Warning>) {
    let balancer = &service.balancer;
    let mut say = |text: &str| {
        let text = format!("`{}`: {text}", service.name);
        found.push(warning("without-effect", text));
    };
    let is_shared = matches!(&balancer.sticky, Sticky::Table(table) if table.shared);
    if is_shared && balancer.instances == 1 {
        say("a table is `shared`, and there is one balancer");
    }
    let has_opinions = balancer.ejection.is_some()
        || (service.groups.iter()).any(|group| group.health_check.is_some());
    let is_said = !balancer.sticky.binds_at_once();
    if is_said && balancer.sticky.breaking().down != WhenDown::Rebalance && !has_opinions {
        say(
            "`when` of `sticky` says what becomes of clients whose server is down, and without a `health-check` or an `ejection` \
             none is thought to be",
        );
    }
}

/// What a service says of states that never come there.
fn keeps(plan: &Blueprint, (index, service): (usize, &ServicePlan), found: &mut Vec<Warning>) {
    let keeps = &service.keeps;
    let says = keeps.memory.is_some() || keeps.ttl.is_some() || keeps.copies.is_some();
    let is_home = plan.sources.iter().any(|source| {
        let home = source.sessions.as_ref().map(|sessions| &sessions.home);
        match home {
            Some(Home::Servers(home)) => *home == index,
            Some(Home::Client) => source.service == index,
            Some(Home::Token(_)) | None => false,
        }
    });
    let is_asked = plan.sources.iter().any(|source| source.service == index)
        || plan
            .services
            .iter()
            .any(|other| other.callees().contains(&index));
    if says && !is_home && is_asked {
        let text = format!(
            "`{}`: `state` says how states are kept, and no session has its state there",
            service.name
        );
        found.push(warning("without-effect", text));
    }
}
