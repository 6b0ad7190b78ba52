//! Prices that nothing is paid by, and traffic that no price reaches.

use super::{Warning, some_of, warning};
use crate::model::blueprint::{Blueprint, ServicePlan};
use crate::model::cost::Carries;
use crate::model::network::NOWHERE;

/// What is left out of the bill, or can have no part in it.
pub(super) fn prices(plan: &Blueprint, found: &mut Vec<Warning>) {
    let carries = |service: &ServicePlan| service.carries != Carries::default();
    let by_byte = plan.prices.any();
    let anything_carried = plan.services.iter().any(carries);
    let mut idle = |text: String| found.push(warning("without-effect", text));
    if by_byte && !anything_carried && !plan.ships_states() {
        idle("`network`: `cost-per-gib` is of what services carry, and none says what that is (`carries`); nor are there copies of states that have a `size`".to_owned());
    }
    for service in &plan.services {
        let name = &service.name;
        let through = service.balancer.cost_per_gib > 0.0;
        if through && !carries(service) {
            idle(format!(
                "`{name}`: `balancer.cost-per-gib` is of what the service carries, which is not said (`carries`)"
            ));
        } else if carries(service) && !through && !by_byte {
            idle(format!(
                "`{name}`: `carries` counts for prices by the GiB alone, and nothing meets one: its balancers have no `cost-per-gib`, and no way between two zones that anything stands in costs anything"
            ));
        }
    }
    if !by_byte {
        return;
    }
    for (index, service) in plan.services.iter().enumerate() {
        if !carries(service) {
            continue;
        }
        let mut lost = Vec::new();
        if service.zones.is_empty() || service.zones.contains(&NOWHERE) {
            lost.push("its balancers".to_owned());
        }
        let callers = plan.services.iter().filter(|caller| {
            let mut callees = caller.callees().into_iter();
            callees.any(|callee| callee == index)
        });
        let ends = callers.chain([service]).collect::<Vec<&ServicePlan>>();
        for own in ends {
            let groups = own.groups.iter().filter(|group| group.zone == NOWHERE);
            lost.extend(groups.map(|group| own.full_name(&group.name)));
        }
        if !lost.is_empty() {
            let names: Vec<&str> = lost.iter().map(String::as_str).collect();
            let text = format!(
                "`{}`: what it carries from and to those that are in no zone has no price: {}",
                service.name,
                some_of(&names)
            );
            found.push(warning("not-priced", text));
        }
    }
}
