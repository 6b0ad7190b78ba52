//! Hashes where a request comes from: each client address has its bucket, and each bucket its
//! server.
//!
//! 256 buckets are given to the servers round and round, from the newest, to each as many in a row
//! as its weight (with weight 0 still one). With `sh-fallback` a client whose server takes no new
//! connections goes on round the table.
//!
//! **Sees:** the client's address (and port with `sh-port`), weights, thresholds.
//! **Cost of a pick:** constant; 256 steps after a change of servers or weights, and at most as
//! many with `sh-fallback`.
//! **Fails when:** a server comes or goes: most clients move. Weights add up to more than 256: the
//! oldest servers get nothing. Many clients share an address.
//! **Source:** Linux 6.1, `net/netfilter/ipvs/ip_vs_sh.c`; `hash_32` in `include/linux/hash.h`.
//! **Differs:** from IP hash by its table, and by refusing a client whose server takes no new
//! connections.
//! **Verified:** picks equal to recordings of Linux 6.1, with every flag, a server removed, and one
//! of weight 0.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::source;
use super::service::{Scheduler, Service, TIME_WAIT, VirtualService};
use super::table::{BITS, LookupTable, buckets};
use crate::strategy::hash::linux::hash_32;
use crate::strategy::{Member, MemberId, Origin, Request};
use lbsim_engine::time::{Span, Time};

/// Settings of `ipvs-sh`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Whether the client's port is hashed too.
    pub sh_port: bool,
    /// Whether a client whose server takes no new connections gets another.
    pub sh_fallback: bool,
    /// How long a closed connection counts as inactive.
    pub time_wait: Span,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            sh_port: false,
            sh_fallback: false,
            time_wait: TIME_WAIT,
        }
    }
}

/// IPVS with scheduler `sh`.
pub type IpvsSourceHashing = VirtualService<Sh>;

/// The scheduler `sh`.
#[derive(Clone, Debug)]
pub struct Sh {
    config: Config,
    table: LookupTable,
}

impl Scheduler for Sh {
    type Config = Config;

    fn heeds_answers() -> bool {
        false
    }

    fn new(config: &Config, _: &[Member]) -> Self {
        Sh {
            config: config.clone(),
            table: LookupTable::default(),
        }
    }

    fn time_wait(config: &Config) -> Span {
        config.time_wait
    }

    fn origin(config: &Config) -> Origin {
        if config.sh_port {
            Origin::Port
        } else {
            Origin::Address
        }
    }

    fn dest_changed(&mut self, _: MemberId, _: &Service) {
        self.table.refill_later();
    }

    fn schedule(&mut self, request: &Request<'_>, service: &Service, _: Time) -> Option<MemberId> {
        self.table
            .refill(|| buckets(service, |member| service.dest(member).weight));
        let hash = hash_32(source(request, self.config.sh_port), BITS);
        let bucket = |offset: u32| (hash + offset) % (1 << BITS);
        self.table.look_up(bucket, self.config.sh_fallback, service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::contract::Bench;
    use crate::strategy::{Pick, StrategyConfig};

    #[test]
    fn without_fallback_the_clients_of_a_server_that_is_out_are_refused() {
        for sh_fallback in [false, true] {
            let config = Config {
                sh_fallback,
                ..Config::default()
            };
            let mut bench = Bench::of(&StrategyConfig::IpvsSourceHashing(config), &[1, 1, 1]);
            bench.set_eligible(1, false);
            let refused = (0..300)
                .filter(|&who| bench.ask(who) == Pick::Nobody)
                .count();
            assert_eq!(refused == 0, sh_fallback);
            for member in [0, 2] {
                bench.set_eligible(member, false);
            }
            assert_eq!(bench.ask(0), Pick::Nobody);
        }
    }
}
