//! Sends each flow to the healthy target that a hash of it says: protocol, source address and port,
//! destination address and port. This is an AWS Network Load Balancer.
//!
//! There is a node in each zone, with an address of its own. A client takes the address of one of
//! the zones where a target is healthy, always the same one, and the node there sends its flows to
//! the zone's own targets, or with `cross-zone` to all. A flow, here one connection for each
//! request, stays with its target. Where no target is healthy, all get flows ("fail open").
//!
//! **Sees:** the client's address and port, zones of targets, who is healthy.
//! **Cost of a pick:** constant; after a change of health or registration, linear once.
//! **Fails when:** zones have unequal numbers of targets, and no `cross-zone`: a zone with few
//! targets gives each of them more; a few clients send most of the load, and take the same zone;
//! targets are unlike, for they have no weights.
//! **Source:** AWS, "What is a Network Load Balancer?" and "Target groups for your Network Load
//! Balancers" (flow hash, cross-zone load balancing, fail open), Elastic Load Balancing user
//! guide, 2024.
//! **Differs:** from ip-hash by hashing ports: it spreads the requests of one client. The hash is
//! not published: here the simulator's own, modulo the number of targets. A retry comes from
//! another port. Where it fails open, targets that are drained or disabled get flows, too.
//! **Verified:** documented only.

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::targets::Targets;
use crate::strategy::{Context, MemberId, News, Origin, Pick, Product, Request};
use lbsim_engine::rng::mix;

/// Settings of `aws-nlb-flow-hash`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Whether the node of each zone sends to the targets of all zones.
    pub cross_zone: bool,
}

/// Targets by a hash of the flow.
#[derive(Clone, Debug)]
pub struct AwsNlbFlowHash {
    cross_zone: bool,
    targets: Targets,
    /// The targets that each node sends to.
    nodes: Vec<Vec<MemberId>>,
    /// Whether the nodes have yet to hear of a change.
    outdated: bool,
}

/// The number of TCP in an IP header.
const TCP: u64 = 6;

/// The address as one word, hashed.
fn source(address: &IpAddr) -> u64 {
    match address {
        IpAddr::V4(v4) => mix(u64::from(v4.to_bits())),
        IpAddr::V6(v6) => mix(mix((v6.to_bits() >> 64) as u64) ^ v6.to_bits() as u64),
    }
}

impl AwsNlbFlowHash {
    fn rebuild(&mut self, cx: &Context<'_>) {
        let serving = self.targets.serving().iter().copied();
        self.nodes = if self.cross_zone {
            vec![serving.collect()]
        } else {
            let mut zones: BTreeMap<Option<&str>, Vec<MemberId>> = BTreeMap::new();
            for target in serving {
                let zone = cx.pool.members()[target as usize].zone.as_deref();
                zones.entry(zone).or_default().push(target);
            }
            zones.into_values().collect()
        };
    }

    fn changed(&mut self, member: MemberId, cx: &Context<'_>) {
        self.outdated |= !self.targets.changed(member, cx).is_empty();
    }
}

impl News for AwsNlbFlowHash {
    type Config = Config;

    fn origin(_: &Config) -> Origin {
        Origin::Port
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        AwsNlbFlowHash {
            cross_zone: config.cross_zone,
            targets: Targets::new(cx),
            nodes: Vec::new(),
            outdated: true,
        }
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.changed(member, cx);
    }

    fn membership_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.changed(member, cx);
    }
}

impl Product for AwsNlbFlowHash {
    fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        if std::mem::take(&mut self.outdated) {
            self.rebuild(cx);
        }
        if self.targets.serving().is_empty() {
            return Pick::Nobody;
        }
        let source = source(request.address);
        let node = (source % self.nodes.len() as u64) as usize;
        // The destination is the node's: one address and port.
        let port = u64::from(request.port) + request.tried.len() as u64;
        let flow = [TCP, port, node as u64]
            .into_iter()
            .fold(source, |hash, part| mix(hash ^ part));
        let targets = &self.nodes[node];
        Pick::Member(targets[(flow % targets.len() as u64) as usize])
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::strategy::{Key, Member, Pool, UNLABELLED};
    use lbsim_engine::rng::{Domain, Seeds};
    use lbsim_engine::time::Time;

    /// What each of three targets gets, two of them in zone a, of 30 flows from each of 1,000
    /// clients.
    fn hits(cross_zone: bool, healthy: [bool; 3]) -> [u32; 3] {
        let zones = ["a", "a", "b"];
        let members = (0..).zip(zones).map(|(at, zone)| Member {
            zone: Some(zone.to_owned()),
            ..Member::new(at, 1)
        });
        let mut pool = Pool::new(members.collect());
        let mut rng = Seeds::new(1, 0).stream(Domain::Strategy, 0);
        let mut probes = Vec::new();
        let mut cx = |pool: &Pool, tell: &mut dyn FnMut(&mut Context<'_>)| {
            tell(&mut Context {
                now: Time::ZERO,
                pool,
                balancer: 0,
                rng: &mut rng,
                probes: &mut probes,
            });
        };
        let mut rule = None;
        cx(&pool, &mut |cx| {
            rule = Some(AwsNlbFlowHash::new(&Config { cross_zone }, cx));
        });
        let mut rule = rule.unwrap();
        for target in 0..3 {
            if pool.set_eligible(target, healthy[target as usize]) {
                cx(&pool, &mut |cx| rule.eligibility_changed(target, cx));
            }
        }
        let mut hits = [0; 3];
        for client in 0..1000 {
            let address = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + client));
            for port in 0..30 {
                let request = Request {
                    client: Key::Number(u64::from(client)),
                    address: &address,
                    port,
                    key: Key::Number(0),
                    labels: UNLABELLED,
                    size: 1.0,
                    tried: &[],
                };
                cx(&pool, &mut |cx| {
                    let pick = rule.pick(&request, cx);
                    assert_eq!(pick, rule.pick(&request, cx), "a flow stays");
                    if let Pick::Member(target) = pick {
                        hits[target as usize] += 1;
                    }
                });
            }
        }
        hits
    }

    #[test]
    fn a_zone_with_few_targets_gives_each_more_unless_zones_are_crossed() {
        let [a, b, c] = hits(false, [true; 3]);
        assert!(c > a * 3 / 2 && c > b * 3 / 2, "{a} {b} {c}");
        // 4.5 standard deviations of 30,000 flows.
        assert!(
            hits(true, [true; 3])
                .iter()
                .all(|&own| own.abs_diff(10_000) < 370)
        );
    }

    #[test]
    fn a_zone_without_healthy_targets_is_left_out_and_with_none_at_all_everybody_serves() {
        let [a, b, c] = hits(false, [true, true, false]);
        assert!(c == 0 && a.abs_diff(b) < 800 && a + b == 30_000);
        assert_eq!(hits(false, [true, false, false]), [30_000, 0, 0]);
        assert!(hits(false, [false; 3]).iter().all(|&own| own > 0));
    }
}
