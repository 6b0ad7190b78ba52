//! The schedulers that scan the list for the server with the least of some ratio; of equals, the
//! first from the head.
//!
//! The kernel goes through the list with each connection, and multiplies crosswise rather than
//! divides. Here an index gives the same server: it is told of each change, and orders exact
//! fractions, then places in the list.

use std::cmp::Ordering;
use std::fmt::Debug;
use std::marker::PhantomData;

use super::service::{Config, Dest, Scheduler, Service};
use crate::strategy::index::Least;
use crate::strategy::{Member, MemberId, Request, standby};
use lbsim_engine::time::{Span, Time};

/// What a scheduler looks for the least of.
pub trait Load: Clone + Debug {
    /// The load of a server that takes new connections; none where it is passed over all the same.
    fn of(dest: &Dest) -> Option<Ratio>;

    /// See [`News::heeds_answers`](crate::strategy::News::heeds_answers).
    fn heeds_answers() -> bool {
        true
    }

    /// See [`News::in_charge`](crate::strategy::News::in_charge).
    fn in_charge(members: &[Member]) -> Vec<bool> {
        standby::nobody(members)
    }
}

/// A load for a weight.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    /// The load.
    pub(super) over: u64,
    /// The weight, at least 1.
    pub(super) under: u32,
}

impl Ord for Ratio {
    #[inline]
    fn cmp(&self, other: &Ratio) -> Ordering {
        let crosswise = |a: &Ratio, b: &Ratio| u128::from(a.over) * u128::from(b.under);
        crosswise(self, other).cmp(&crosswise(other, self))
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Ratio) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ratio {
    fn eq(&self, other: &Ratio) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ratio {}

/// The server with the least load, kept while loads change.
#[derive(Clone, Debug)]
pub struct Scan<L> {
    index: Least<(Ratio, u64)>,
    load: PhantomData<L>,
}

impl<L: Load> Scan<L> {
    pub(super) fn new(n: usize) -> Scan<L> {
        Scan {
            index: Least::new(n),
            load: PhantomData,
        }
    }

    #[inline]
    pub(super) fn update(&mut self, member: MemberId, dest: &Dest) {
        let load = if dest.is_available() {
            L::of(dest)
        } else {
            None
        };
        self.index.set(member, load.map(|load| (load, dest.place)));
    }

    #[inline]
    pub(super) fn first(&self) -> Option<MemberId> {
        self.index.first()
    }
}

impl<L: Load> Scheduler for Scan<L> {
    type Config = Config;

    fn heeds_requests() -> bool {
        false
    }

    fn new(_: &Config, members: &[Member]) -> Self {
        Scan::new(members.len())
    }

    fn time_wait(config: &Config) -> Span {
        config.time_wait
    }

    fn heeds_answers() -> bool {
        L::heeds_answers()
    }

    fn in_charge(members: &[Member]) -> Vec<bool> {
        L::in_charge(members)
    }

    fn dest_changed(&mut self, member: MemberId, service: &Service) {
        self.update(member, service.dest(member));
    }

    fn conns_changed(&mut self, member: MemberId, service: &Service) {
        self.update(member, service.dest(member));
    }

    fn schedule(&mut self, _: &Request<'_>, _: &Service, _: Time) -> Option<MemberId> {
        self.first()
    }
}
