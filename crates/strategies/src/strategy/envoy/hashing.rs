//! What Envoy's two policies that look keys up in a table have in common: a table for each
//! priority, and bounded loads. (Envoy 1.40,
//! source/extensions/load_balancing_policies/common/thread_aware_lb_impl.cc)

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh64::xxh64;

use super::bounded::Bounded;
use super::hosts::{Cluster, Hosts};
use super::load_balancer::Policy;
use crate::strategy::{Answer, BadSetting, Context, MemberId, Request};

/// A table of hosts that keys are looked up in.
pub trait Table: Clone + Debug {
    /// Settings.
    type Config: Clone + Default + PartialEq + Debug + Serialize + DeserializeOwned;

    /// See [`News::check`](crate::strategy::News::check).
    ///
    /// # Errors
    /// The first setting that cannot be.
    fn check(_config: &Self::Config) -> Result<(), BadSetting> {
        Ok(())
    }

    /// The part of the settings that all policies have.
    fn cluster(config: &Self::Config) -> &Cluster;

    /// The most that a host may have, in percent of its share; 0: any number.
    fn balance_factor(config: &Self::Config) -> u32;

    /// The table over these hosts, each with its address and its share of the load.
    fn new(config: &Self::Config, hosts: &[(MemberId, &str, f64)]) -> Self;

    /// The host of a key with this hash, for the first attempt or a further one, counted from 0.
    fn find(&self, hash: u64, attempt: usize) -> Option<MemberId>;
}

/// Looks keys up in a table.
#[derive(Clone, Debug)]
pub struct Hashing<T: Table> {
    config: T::Config,
    hosts: Hosts,
    /// By priority.
    tables: Vec<(T, Bounded)>,
    version: u64,
    /// Requests at all hosts.
    active: u32,
}

impl<T: Table> Hashing<T> {
    fn place(&mut self, cx: &Context<'_>) {
        self.version = self.hosts.version();
        self.tables = (0..self.hosts.levels())
            .map(|level| {
                let shares = self.hosts.shares(level, cx);
                let addressed = |&(member, share): &(MemberId, f64)| {
                    let address = cx.pool.members()[member as usize].address.as_str();
                    (member, address, share)
                };
                let hosts: Vec<(MemberId, &str, f64)> = shares.iter().map(addressed).collect();
                let table = T::new(&self.config, &hosts);
                (table, Bounded::new(T::balance_factor(&self.config), shares))
            })
            .collect();
    }
}

impl<T: Table> Policy for Hashing<T> {
    type Config = T::Config;

    fn heeds_key(_: &T::Config) -> bool {
        true
    }

    fn heeds_answers(config: &T::Config) -> bool {
        T::balance_factor(config) > 0
    }

    fn new(config: &T::Config, hosts: Hosts, cx: &mut Context<'_>) -> Self {
        let mut policy = Hashing {
            config: config.clone(),
            hosts,
            tables: Vec::new(),
            version: 0,
            active: 0,
        };
        policy.place(cx);
        policy
    }

    fn check(config: &T::Config) -> Result<(), BadSetting> {
        T::check(config)
    }

    fn cluster(config: &T::Config) -> &Cluster {
        T::cluster(config)
    }

    fn hosts(&mut self) -> &mut Hosts {
        &mut self.hosts
    }

    fn known(&self) -> &Hosts {
        &self.hosts
    }

    fn sent(&mut self, _: MemberId) {
        self.active += 1;
    }

    fn answered(&mut self, _: &Answer) {
        self.active = self.active.saturating_sub(1);
    }

    fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Option<MemberId> {
        if self.version != self.hosts.version() {
            self.place(cx);
        }
        let hash = request.key.bytes(|bytes| xxh64(bytes, 0));
        let (table, bounded) = self.tables.get(self.hosts.level_of(hash))?;
        let member = table.find(hash, request.tried.len())?;
        Some(bounded.settle(member, hash, self.active, cx))
    }
}
