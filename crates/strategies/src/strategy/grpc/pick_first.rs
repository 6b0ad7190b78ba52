//! Sends everything to the first server that can be reached, and stays with it until it goes. This
//! is gRPC's `pick_first`, its default.
//!
//! **Sees:** who is eligible.
//! **Cost of a pick:** constant.
//! **Fails when:** there are few clients: each loads one server, and the others idle.
//! **Source:** gRPC core 1.85, src/core/load_balancing/pick_first.
//! **Differs:** it does not balance a client's requests at all; with `shuffle-address-list` many
//! clients spread over servers.
//! **Verified:** picks equal to a recording.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::draw::shuffle;
use crate::strategy::{Context, Member, MemberId, News, Pick, Product, Request, standby};

/// Settings of `grpc-pick-first`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Whether each client tries servers in an order of its own.
    pub shuffle_address_list: bool,
}

/// `pick_first`.
#[derive(Clone, Debug)]
pub struct GrpcPickFirst {
    shuffle: bool,
    /// The order in which servers are tried, and the place in it of the one in use.
    order: Vec<MemberId>,
    current: usize,
}

impl News for GrpcPickFirst {
    type Config = Config;

    fn in_charge(config: &Config, members: &[Member]) -> Vec<bool> {
        // Shuffled, it is another one for each client.
        let most = if config.shuffle_address_list {
            usize::MAX
        } else {
            1
        };
        standby::first(members, most)
    }

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let mut rule = GrpcPickFirst {
            shuffle: config.shuffle_address_list,
            order: (0..cx.pool.len() as MemberId).collect(),
            current: 0,
        };
        rule.connect(cx);
        rule
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        if self.order.get(self.current) == Some(&member) && !cx.pool.is_eligible(member) {
            self.connect(cx);
        }
    }
}

impl GrpcPickFirst {
    /// Looks for a server from the beginning of the list.
    fn connect(&mut self, cx: &mut Context<'_>) {
        if self.shuffle {
            shuffle(cx.rng, &mut self.order);
        }
        let eligible = |&member: &MemberId| cx.pool.is_eligible(member);
        self.current = self.order.iter().position(eligible).unwrap_or(0);
    }
}

impl Product for GrpcPickFirst {
    fn pick(&mut self, _: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        let Some(&member) = self.order.get(self.current) else {
            return Pick::Nobody;
        };
        if cx.pool.is_eligible(member) {
            return Pick::Member(member);
        }
        self.connect(cx);
        let member = self.order[self.current];
        if cx.pool.is_eligible(member) {
            Pick::Member(member)
        } else {
            Pick::Nobody
        }
    }
}
