//! Strategies where balancers stand: tables of places name zones and servers that there are, and
//! requests leave zones by rules that can do without them.

use std::collections::BTreeSet;

use super::super::diagnostic::Diagnostic;
use super::super::file::{File, Service};
use super::super::text::Path;
use super::{Check, places};
use crate::balancer::scope::Spill;
use crate::model::balancer::Spread;
use crate::strategy::{Sight, StrategyConfig};

/// Refuses what a strategy cannot do for the balancers of a service of this number, where they
/// stand.
pub(super) fn by_place(
    strategy: &StrategyConfig,
    (file, service): (&File, usize),
    at: &Path,
    check: &mut Check<'_>,
) {
    geolocation(strategy, (file, service), at, check);
    let own_zone = file.services.get(service);
    let own_zone = own_zone.and_then(|service| service.balancer.own_zone.as_ref());
    let in_proportion = own_zone.is_some_and(|own| own.spill == Spill::InProportion);
    if in_proportion && strategy.sight() == Sight::Product {
        let message = format!(
            "`{}` is the rule of a product, and has settings of its own for that; `spill = \"in-proportion\"` of `own-zone` is for others",
            strategy.name()
        );
        check.fault(at, "contradiction", message);
    }
}

/// Refuses what a table of places cannot mean.
fn geolocation(
    strategy: &StrategyConfig,
    (file, service): (&File, usize),
    at: &Path,
    check: &mut Check<'_>,
) {
    let (StrategyConfig::Geolocation(config), Some(service)) =
        (strategy, file.services.get(service))
    else {
        return;
    };
    if !config.has_table() {
        return;
    }
    let balancer = &service.balancer;
    if balancer.zones.is_empty() && balancer.spread != Spread::Caller {
        let message = format!("the balancers of `{}` are in no zone", service.name);
        let help = "give each caller its own, which stands where its caller does (`spread = \"caller\"`), or say where they are (`zones`)";
        let fault = Diagnostic::error("no-zone", at, message);
        check.faults.push(fault.help(help.to_owned()));
    }
    let others = [
        ("own-zone", balancer.own_zone.is_some()),
        ("subset", balancer.subset.is_some()),
    ];
    for (key, _) in others.into_iter().filter(|(_, is_said)| *is_said) {
        let message = format!(
            "`geolocation` says to whom a balancer sends, and so does `{key}` of `{}`; remove one of them",
            service.name
        );
        check.fault(at, "contradiction", message);
    }
    let (zones, servers) = (places::zones(file), names(service));
    for (index, row) in config.places.iter().enumerate() {
        let row_at = at.key("places").index(index);
        for (index, zone) in row.from.iter().enumerate() {
            let at = row_at.key("from").index(index);
            check.find(&at, "zone", zone, zones.iter().copied());
        }
        for (index, name) in row.to.iter().enumerate() {
            let at = row_at.key("to").index(index);
            find_server(name, &servers, &at, check);
        }
    }
    for (index, name) in config.otherwise.iter().enumerate() {
        let at = at.key("otherwise").index(index);
        find_server(name, &servers, &at, check);
    }
}

fn find_server(name: &str, known: &BTreeSet<String>, at: &Path, check: &mut Check<'_>) {
    let what = "zone with servers, or server,";
    check.find(at, what, name, known.iter().map(String::as_str));
}

/// What may be said of the servers of a service: their zones, their groups, and single ones.
fn names(service: &Service) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for group in &service.servers {
        names.extend(group.zone.clone());
        names.insert(group.name.clone());
        if group.places() > 1 {
            names.extend((1..=group.places()).map(|number| format!("{}-{number}", group.name)));
        }
    }
    names
}
