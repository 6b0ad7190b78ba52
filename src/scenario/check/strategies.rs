//! Strategies: settings that no schema can judge by themselves.

use super::super::file::{File, Service};
use super::super::text::Path;
use super::by_place::by_place;
use super::{Check, descend};
use crate::strategy::StrategyConfig;

/// Points of one hash ring at most.
const MOST_POINTS: u64 = 50_000_000;

/// All strategies that the file names.
pub(super) fn strategies(file: &File, check: &mut Check<'_>) {
    let root = Path::root();
    let servers = |service: &Service| -> u64 {
        let counts = service
            .servers
            .iter()
            .map(|group| u64::from(group.places()));
        counts.sum()
    };
    let most = file.services.iter().map(servers).max().unwrap_or(0);
    let compare = root.key("run").key("compare");
    // That there is no such service is said elsewhere.
    let compared = match &file.run.service {
        None => Some(0),
        Some(name) => file.services.iter().position(|own| own.name == *name),
    };
    for (index, config) in file.run.compare.iter().enumerate() {
        let at = compare.index(index);
        strategy(config, most, &at, check);
        if let Some(compared) = compared {
            by_place(config, (file, compared), &at, check);
        }
    }
    for (index, variant) in file.variants.iter().enumerate() {
        if let Some(config) = &variant.strategy {
            let at = root.key("variants").index(index).key("strategy");
            strategy(config, most, &at, check);
        }
    }
    for (index, service) in file.services.iter().enumerate() {
        let at = root.key("services").index(index);
        let at = at.key("balancer").key("strategy");
        strategy(&service.balancer.strategy, servers(service), &at, check);
        by_place(&service.balancer.strategy, (file, index), &at, check);
    }
}

fn strategy(config: &StrategyConfig, servers: u64, at: &Path, check: &mut Check<'_>) {
    if let Err(fault) = config.check() {
        let message = format!("`{}` {}", fault.setting, fault.message);
        check.fault(&descend(at, fault.setting), "bad-parameter", message);
    }
    let each = match config {
        StrategyConfig::ConsistentHashing(config) => config.points,
        StrategyConfig::BoundedLoads(config) => config.points,
        _ => 0,
    };
    let points = u64::from(each) * servers;
    if points > MOST_POINTS {
        let message = format!(
            "a hash ring of {points} points is more than the {MOST_POINTS} allowed; lower `points`"
        );
        check.fault(&at.key("points"), "too-large", message);
    }
}
