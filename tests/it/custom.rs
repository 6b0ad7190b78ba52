//! Rules from outside, in the world.

use lbsim::strategy::News;
use lbsim::strategy::papers::{
    bounded_loads, join_idle_queue, jump_hash, prequal, rendezvous_hashing, size_interval, yarp,
};
use lbsim::strategy::textbook::{
    consistent_hashing, ip_hash, least_connections, least_response_time, power_of_d, random,
    resource_based, round_robin, weighted_random, weighted_round_robin,
};
use lbsim::{Custom, Experiment, Scenario};

/// Servers crash, drain, join and leave; some attempts time out and are tried again; agents report.
const WORLD: &str = r#"
question = "?"
expect = "!"

[run]
duration = "20s"
replications = 2

[[clients]]
arrivals = { kind = "poisson", rate = "500/s" }
size = { kind = "exponential", mean = 1.0 }
keys = { count = 100 }

[[services]]
name = "web"
balancer = { instances = 2, timeout = "100ms", retry = { max = 2 }, health-check = { interval = "1s" } }

[[services.servers]]
name = "old"
count = 6
weight = 2
agent-interval = "500ms"
service = { kind = "exponential", mean = "10ms" }

[[services.servers]]
name = "new"
count = 2
joins = "5s"
leaves = "15s"
service = { kind = "exponential", mean = "5ms" }

[[faults]]
kind = "crash"
servers = "web/old-1"
at = "8s"
lasts = "3s"

[[faults]]
kind = "drain"
servers = "web/old-2"
at = "9s"
lasts = "5s"
"#;

/// As plain a world as there is.
const PLAIN: &str = r#"
question = "?"
expect = "!"

[run]
duration = "20s"
replications = 2

[[clients]]
arrivals = { kind = "poisson", rate = "500/s" }

[[services]]
name = "web"

[[services.servers]]
count = 6
service = { kind = "exponential", mean = "10ms" }
"#;

/// A rule of the list does the same when it comes from outside: it hears all that it would hear,
/// and the luck is the same.
#[test]
fn a_rule_from_outside_is_treated_as_those_of_the_list_are() {
    macro_rules! twins {
        ($($name:literal $module:ident::$Rule:ident,)*) => {
            [$((
                $name,
                Custom::new::<$module::$Rule>(
                    concat!("own ", $name),
                    <$module::$Rule as News>::Config::default(),
                ),
            ),)*]
        };
    }
    let twins = twins![
        "round-robin" round_robin::RoundRobin,
        "weighted-round-robin" weighted_round_robin::WeightedRoundRobin,
        "least-connections" least_connections::LeastConnections,
        "least-response-time" least_response_time::LeastResponseTime,
        "resource-based" resource_based::ResourceBased,
        "ip-hash" ip_hash::IpHash,
        "consistent-hashing" consistent_hashing::ConsistentHashing,
        "random" random::Random,
        "weighted-random" weighted_random::WeightedRandom,
        "power-of-d" power_of_d::PowerOfD,
        "prequal" prequal::Prequal,
        "consistent-hashing-bounded-loads" bounded_loads::BoundedLoads,
        "rendezvous-hashing" rendezvous_hashing::RendezvousHashing,
        "jump-hash" jump_hash::JumpHash,
        "join-idle-queue" join_idle_queue::JoinIdleQueue,
        "size-interval" size_interval::SizeInterval,
        "yarp" yarp::Yarp,
    ];
    let names = twins.each_ref().map(|(name, _)| *name);
    for world in [WORLD, PLAIN] {
        let builder =
            Scenario::builder("twins.toml", world).set("run.compare", format!("{names:?}"));
        let scenario = twins
            .iter()
            .fold(builder, |builder, (_, own)| builder.compare(own.clone()))
            .check()
            .unwrap();
        let report = Experiment::new(scenario).run().unwrap();
        let of = |strategy: &str| -> Vec<_> {
            let own = report
                .tables
                .runs
                .iter()
                .filter(|run| run.strategy == strategy);
            own.cloned()
                .map(|mut run| {
                    run.strategy.clear();
                    format!("{run:?}")
                })
                .collect()
        };
        for name in names {
            let listed = of(name);
            assert_eq!(listed.len(), 2);
            assert_eq!(of(&format!("own {name}")), listed, "{name}");
        }
    }
}
