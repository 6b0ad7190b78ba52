//! Tables of places: whether zones and servers are what they name, and balancers stand anywhere.

use std::collections::BTreeSet;

use super::super::diagnostic::Diagnostic;
use super::super::file::{File, Service};
use super::super::text::Path;
use super::{Check, places};
use crate::model::balancer::Spread;
use crate::strategy::StrategyConfig;

/// Refuses what a table of places cannot mean for the balancers of a service of this number.
pub(super) fn geolocation(
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
