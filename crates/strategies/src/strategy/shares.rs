//! Which share of all picks each member gets in the long run, where that is known beforehand.

use super::{CATALOGUE, Member, StrategyConfig};

/// The shares of members, in their order, that add up to 1: of a rule whose picks depend neither on
/// what has become of earlier ones, nor on who asks for what, nor on anything else that it hears,
/// while all members are well. `None` for all others, and for products' rules with settings of
/// their own. A contract test holds it against picks.
pub fn shares(strategy: &StrategyConfig, members: &[Member]) -> Option<Vec<f64>> {
    use StrategyConfig::{
        AwsAlbRoundRobin, AwsAlbWeightedRandom, EnvoyRandom, EnvoyRoundRobin, Failover,
        GrpcPickFirst, GrpcRoundRobin, HaproxyFirst, HaproxyRoundRobin, HaproxyStaticRr,
        IpvsRoundRobin, IpvsWeightedRoundRobin, NginxRandom, NginxRoundRobin, Random, RoundRobin,
        WeightedRandom, WeightedRoundRobin,
    };
    let by_weight = match strategy {
        RoundRobin(_) | Random(_) | Failover(_) => false,
        WeightedRoundRobin(_) | WeightedRandom(_) => true,
        product if !is_as_it_comes(product) => return None,
        AwsAlbRoundRobin(_)
        | AwsAlbWeightedRandom(_)
        | EnvoyRandom(_)
        | GrpcPickFirst(_)
        | GrpcRoundRobin(_)
        | HaproxyFirst(_)
        | IpvsRoundRobin(_) => false,
        EnvoyRoundRobin(_)
        | HaproxyRoundRobin(_)
        | HaproxyStaticRr(_)
        | IpvsWeightedRoundRobin(_)
        | NginxRandom(_)
        | NginxRoundRobin(_) => true,
        _ => return None,
    };
    if strategy.heeds_answers() || strategy.heeds_requests() {
        return None;
    }
    let turns = |(member, serves): (&Member, bool)| match serves {
        true if by_weight => f64::from(member.weight),
        true => 1.0,
        false => 0.0,
    };
    let in_charge = strategy.in_charge(members);
    let turns: Vec<f64> = members.iter().zip(in_charge).map(turns).collect();
    let all: f64 = turns.iter().sum();
    (all > 0.0).then(|| turns.iter().map(|turns| turns / all).collect())
}

/// Whether all its settings are at their defaults.
fn is_as_it_comes(strategy: &StrategyConfig) -> bool {
    let mut entries = CATALOGUE.iter();
    let own = entries.find(|entry| entry.name == strategy.name());
    own.is_some_and(|entry| (entry.default)() == *strategy)
}
