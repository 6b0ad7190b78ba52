//! Settings of sessions and their state that are taken and can do nothing, and visitors who meet
//! themselves.

use super::{Warning, warning};
use crate::balancer::affinity::{Sticky, WhenDown};
use crate::model::blueprint::{Blueprint, ServicePlan, SourcePlan, When};
use crate::model::state::{CopyPlan, Home, Placement, SessionPlan, Shipping, TokenPlan};
use crate::scenario::Variant;
use crate::time::{Span, Time};

/// Clients that drop cookies, where no variant sets any.
pub(super) fn cookies(variants: &[Variant], found: &mut Vec<Warning>) {
    let sources = |variant: &Variant| {
        let plan = &variant.blueprint;
        let drops = plan
            .sources
            .iter()
            .filter(|source| source.drops_cookies > 0.0);
        let each = drops.map(|source| {
            let used_by = source.sessions.as_ref().map(|own| own.used_by);
            let mut asked = [Some(source.service), used_by].into_iter().flatten();
            let sets = |at: usize| plan.services[at].balancer.sticky.needs_cookies();
            (source.name.clone(), asked.any(sets))
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

/// Whether any variant has sessions that are revoked.
pub(super) fn are_revoked(variants: &[Variant]) -> bool {
    let mut sources = (variants.iter()).flat_map(|variant| &variant.blueprint.sources);
    sources.any(|source| {
        let sessions = source.sessions.as_ref();
        sessions.is_some_and(|plan| matches!(&plan.revoked, Some((share, _)) if *share > 0.0))
    })
}

/// What stands in the way of settings of sessions.
pub(super) fn sessions(plan: &Blueprint, found: &mut Vec<Warning>) {
    for source in &plan.sources {
        let mut say = |text: String| {
            let text = format!("clients `{}`: {text}", source.name);
            found.push(warning("without-effect", text));
        };
        if let Some(sessions) = &source.sessions {
            of_sessions(plan, sessions, &mut say);
            of_ends(sessions, plan.end - Time::ZERO, &mut say);
        } else if matches!(&source.when, When::Visits(visits) if visits.logs_out) {
            say("visits log out (`logs-out`), and hold no `sessions`".to_owned());
        }
        visits(plan, source, found);
    }
    for (index, service) in plan.services.iter().enumerate() {
        keeps(plan, (index, service), found);
        bonds(service, found);
    }
}

fn of_sessions(plan: &Blueprint, sessions: &SessionPlan, say: &mut impl FnMut(String)) {
    let home = match sessions.home {
        Home::Servers(home) => home,
        Home::Client => sessions.used_by,
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

/// Ends of sessions and tokens that others come before.
fn of_ends(sessions: &SessionPlan, run: Span, say: &mut impl FnMut(String)) {
    /// So rare is no case.
    const NEVER: f64 = 1e-9;
    if let (Some((_, after)), Some(length)) = (&sessions.revoked, &sessions.length) {
        let (soonest, longest) = (after.quantile(NEVER), length.quantile(1.0 - NEVER));
        if soonest >= longest {
            say(format!(
                "sessions are `revoked` {soonest} s after they began at the soonest, and are over after {longest} s (`length`)"
            ));
        }
    }
    if let Home::Token(TokenPlan {
        lifetime,
        rotation: Some((every, grace)),
        ..
    }) = &sessions.home
    {
        if *every >= run {
            say(format!(
                "keys change every {every} (`rotation`), and the run ends before that"
            ));
        } else if *every + *grace <= *lifetime {
            say(format!(
                "tokens hold for {lifetime} (`lifetime`), and their keys change every {every} and hold for {grace} after that \
             (`rotation`): each ends with its key, whatever its lifetime, and is not renewed"
            ));
        }
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
    if let Sticky::Cookie(cookie) = &balancer.sticky
        && let (Some(idle), Some(life)) = (cookie.max_idle, cookie.max_life)
        && idle >= life
    {
        say(&format!(
            "`max-idle` of the cookie is {idle}, and it holds for {life} at most (`max-life`)"
        ));
    }
    let is_shared = matches!(&balancer.sticky, Sticky::Table(table) if table.shared);
    if is_shared && balancer.instances == 1 {
        say("a table is `shared`, and there is one balancer");
    }
    if balancer.sticky.names_several() && service.servers.len() == 1 {
        say("an answer may name several servers (`answers`), and there is one");
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

/// Servers whose states have fewer copies than is said, for want of servers in the right zone.
fn lacking(service: &ServicePlan, copies: &CopyPlan) -> usize {
    let zones: Vec<Option<&str>> = (service.members.iter())
        .map(|member| member.zone.as_deref())
        .collect();
    let places = |zone: &Option<&str>| {
        let same = zones.iter().filter(|other| *other == zone).count();
        match copies.placement {
            Placement::SameZone => same - 1,
            Placement::OtherZone => zones.len() - same,
            Placement::Next | Placement::Random => zones.len() - 1,
        }
    };
    let has_too_few = |zone: &&Option<&str>| places(zone) < copies.others as usize;
    zones.iter().filter(has_too_few).count()
}

/// What a service says of states that never come there, or cannot be kept so.
fn keeps(plan: &Blueprint, (index, service): (usize, &ServicePlan), found: &mut Vec<Warning>) {
    let keeps = &service.keeps;
    let mut say = |text: String| {
        let text = format!("`{}`: {text}", service.name);
        found.push(warning("without-effect", text));
    };
    let has_sessions = (plan.sources.iter()).any(|source| {
        let sessions = source.sessions.as_ref();
        sessions.is_some_and(|sessions| sessions.used_by == index)
    });
    let is_home = plan.sources.iter().any(|source| {
        let home = source.sessions.as_ref().map(|sessions| &sessions.home);
        match home {
            Some(Home::Servers(home)) => *home == index,
            Some(Home::Client) => has_sessions,
            Some(Home::Token(_)) | None => false,
        }
    });
    let is_asked = plan.sources.iter().any(|source| source.service == index)
        || plan
            .services
            .iter()
            .any(|other| other.callees().contains(&index));
    if keeps.is_said && !is_home && !has_sessions && is_asked {
        say("`state` says how states are kept, and no session has its state there".to_owned());
    }
    if !is_home {
        return;
    }
    for group in &service.groups {
        let room = group.memory_total - group.memory_base;
        if let Some(memory) = keeps.memory.filter(|&memory| memory as f64 > room) {
            say(format!(
                "there is room for {memory} bytes of states on each server (`memory` of `state`), and `{}` has {} bytes beside \
                 what is always in use (`memory`)",
                group.name,
                room.max(0.0)
            ));
        }
    }
    let Some(copies) = &keeps.copies else { return };
    if let Shipping::Interval(every) = copies.shipping
        && every >= plan.end - Time::ZERO
    {
        say(format!(
            "copies are sent every {every} (`shipping`), and the run ends before that"
        ));
    }
    let lacking = lacking(service, copies);
    if lacking > 0 {
        let placement = match copies.placement {
            Placement::SameZone => "same-zone",
            Placement::OtherZone => "other-zone",
            Placement::Next => "next",
            Placement::Random => "random",
        };
        let all = service.members.len();
        say(format!(
            "{lacking} of {all} servers find fewer than {} others for copies where `placement` wants them (`{placement}`): \
             of states there are fewer `copies` than is said, or none",
            copies.others
        ));
    }
}
