//! Maglev hashing of where a request comes from: a table of 4,093 slots, in which few clients move
//! when a server goes.
//!
//! Each server prefers the slots in an order of its own, made of two hashes of its address, and
//! takes the best free one when its turn comes, or as many as its weight. With `mh-fallback` a
//! client whose server takes no new connections is hashed again. A server whose weight becomes 0
//! keeps its slots.
//!
//! **Sees:** the client's address (and port with `mh-port`), the servers' addresses, weights,
//! thresholds.
//! **Cost of a pick:** constant; a new table after a change of servers or weights; with
//! `mh-fallback` at most 4,093 steps.
//! **Fails when:** many clients share an address; there are more than about 400 servers: shares are
//! uneven.
//! **Source:** Linux 6.1, `net/netfilter/ipvs/ip_vs_mh.c`; Eisenbud et al., "Maglev", NSDI 2016,
//! section 3.4.
//! **Differs:** from consistent hashing by even shares, and by refusing a client whose server takes
//! no new connections.
//! **Verified:** picks equal to recordings of Linux 6.1, with every flag, a server removed, and one
//! of weight 0.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::{server, source};
use super::service::{Scheduler, Service, TIME_WAIT, VirtualService, gcd};
use super::table::LookupTable;
use crate::strategy::hash::linux::hsiphash;
use crate::strategy::hash::maglev::{Preference, fill};
use crate::strategy::{Member, MemberId, Origin, Request};
use lbsim_engine::time::{Span, Time};

/// Slots of the table: the kernel's default, `IP_VS_MH_TAB_SIZE`.
const SLOTS: u32 = 4093;

/// The binary logarithm of that: `IP_VS_MH_TAB_BITS`.
const BITS: u32 = 12;

/// The keys of both hashes: `generate_hash_secret`.
const HASH_1: (u64, u64) = (2_654_435_761, 2_654_435_761);
const HASH_2: (u64, u64) = (2_654_446_892, 2_654_446_892);

/// Settings of `ipvs-mh`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Whether the client's port is hashed too.
    pub mh_port: bool,
    /// Whether a client whose server takes no new connections gets another.
    pub mh_fallback: bool,
    /// How long a closed connection counts as inactive.
    pub time_wait: Span,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            mh_port: false,
            mh_fallback: false,
            time_wait: TIME_WAIT,
        }
    }
}

/// IPVS with scheduler `mh`.
pub type IpvsMaglevHashing = VirtualService<Mh>;

/// The scheduler `mh`.
#[derive(Clone, Debug)]
pub struct Mh {
    config: Config,
    /// Where each server begins, and how far it goes on.
    preferences: Vec<(u32, u32)>,
    table: LookupTable,
}

/// `ip_vs_mh_permutate` and `ip_vs_mh_populate`: the table, with these places to begin and go on by
/// member.
fn populate(preferences: &[(u32, u32)], service: &Service) -> Vec<MemberId> {
    let list = service.list();
    let weight = |member: &MemberId| service.dest(*member).last_weight;
    let divisor = list.iter().map(weight).fold(0, gcd).max(1);
    let highest = list.iter().map(weight).max().unwrap_or(0) / divisor;
    // The bits by which weights are cut down, so that one turn is not too long.
    let shift = (u32::BITS - highest.leading_zeros()).saturating_sub(BITS / 2);
    let preference = |member: &MemberId| {
        let (offset, skip) = preferences[*member as usize];
        let weight = weight(member);
        Preference {
            offset,
            skip,
            turns: ((weight / divisor) >> shift).max(weight.min(1)),
        }
    };
    let backends: Vec<Preference> = list.iter().map(preference).collect();
    let slots = fill(SLOTS, &backends);
    slots.into_iter().map(|at| list[at as usize]).collect()
}

impl Scheduler for Mh {
    type Config = Config;

    fn heeds_answers() -> bool {
        false
    }

    fn new(config: &Config, members: &[Member]) -> Self {
        let preference = |member: &Member| {
            let word = server(member);
            let skip = hsiphash(word, HASH_2) % (SLOTS - 1) + 1;
            (hsiphash(word, HASH_1) % SLOTS, skip)
        };
        Mh {
            config: config.clone(),
            preferences: members.iter().map(preference).collect(),
            table: LookupTable::default(),
        }
    }

    fn time_wait(config: &Config) -> Span {
        config.time_wait
    }

    fn origin(config: &Config) -> Origin {
        if config.mh_port {
            Origin::Port
        } else {
            Origin::Address
        }
    }

    fn dest_changed(&mut self, _: MemberId, _: &Service) {
        self.table.refill_later();
    }

    fn schedule(&mut self, request: &Request<'_>, service: &Service, _: Time) -> Option<MemberId> {
        self.table.refill(|| populate(&self.preferences, service));
        let word = source(request, self.config.mh_port);
        let slot = |offset: u32| hsiphash(word.wrapping_add(offset), HASH_1) % SLOTS;
        self.table.look_up(slot, self.config.mh_fallback, service)
    }
}
