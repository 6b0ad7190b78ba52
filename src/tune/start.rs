//! Where a search begins: what an engineer would try without one.

use super::space::{Candidate, Space};
use crate::scenario::file::TuneStart;
use crate::scenario::tuning::Range;
use crate::theory::split;

/// What a start is called.
pub fn name(start: TuneStart) -> &'static str {
    match start {
        TuneStart::Current => "current",
        TuneStart::Capacity => "capacity",
        TuneStart::SquareRoot => "square-root",
    }
}

/// The candidate that a rule gives; `None` where the rule has nothing to say: no service has all of
/// its weights free, or it is not known how much is asked for, or that is too much.
pub fn candidate(space: &Space<'_>, start: TuneStart) -> Option<Candidate> {
    let mut candidate = space.current();
    let rule: fn(&Space<'_>, usize) -> Option<Vec<f64>> = match start {
        TuneStart::Current => return Some(candidate),
        TuneStart::Capacity => capacity,
        TuneStart::SquareRoot => square_root,
    };
    let mut wanted = vec![None; candidate.settings.len()];
    for &service in space.free() {
        let by_group = rule(space, service)?;
        for (at, knob) in space.tuning.knobs.iter().enumerate() {
            if let Range::Weight(own, group) = knob.range
                && own == service
            {
                wanted[at] = Some(by_group[group]);
            }
        }
    }
    if wanted.iter().all(Option::is_none) {
        return None;
    }
    let mut settings = candidate.settings.clone();
    space.weigh(&mut settings, |knob| wanted[knob].unwrap_or(1.0));
    // Weights of services that are not free stay as they are.
    for (at, wanted) in wanted.iter().enumerate() {
        if wanted.is_some() {
            candidate.settings[at] = settings[at].take();
        }
    }
    Some(candidate)
}

/// The mean size of a request to a service.
fn mean_size(space: &Space<'_>, service: usize) -> f64 {
    let plan = &space.base.variants[space.base.baseline].blueprint;
    plan.mean_size(service)
}

/// What a server of each group of a service can do, in requests a second.
fn capacity(space: &Space<'_>, service: usize) -> Option<Vec<f64>> {
    let plan = &space.base.variants[space.base.baseline].blueprint.services[service];
    let each = plan.capacities(mean_size(space, service));
    (0..plan.groups.len())
        .map(|group| {
            let server = plan
                .servers
                .iter()
                .position(|server| server.group == group)?;
            Some(each[server]).filter(|capacity| capacity.is_finite() && *capacity > 0.0)
        })
        .collect()
}

/// What a server of each group should get for the least mean response time, were it an M/M/1 queue.
fn square_root(space: &Space<'_>, service: usize) -> Option<Vec<f64>> {
    let plan = &space.base.variants[space.base.baseline].blueprint;
    let rate = plan.rate(service)?;
    let own = &plan.services[service];
    let rates = split::optimal(rate, &own.capacities(mean_size(space, service)))?;
    (0..own.groups.len())
        .map(|group| {
            let server = own
                .servers
                .iter()
                .position(|server| server.group == group)?;
            Some(rates[server])
        })
        .collect()
}
