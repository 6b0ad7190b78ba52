//! An upstream of nginx: its peers, and the method that picks among them.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::peers::{self, Peers};
use crate::strategy::{
    Answer, Context, Member, MemberId, News, Origin, Pick, Product, Request, standby,
};

/// How a peer is picked.
pub trait Method: Clone + Debug {
    /// Settings.
    type Config: Clone + Default + PartialEq + Debug + Serialize + DeserializeOwned;

    /// The part of the settings that all methods have.
    fn shared(config: &Self::Config) -> peers::Config;

    /// See [`News::origin`].
    fn origin(_config: &Self::Config) -> Origin {
        Origin::Nothing
    }

    /// See [`News::heeds_requests`]; by default it does.
    fn heeds_requests(_config: &Self::Config) -> bool {
        true
    }

    /// See [`News::heeds_answers`]; by default it does.
    fn heeds_answers(_config: &Self::Config) -> bool {
        true
    }

    /// See [`News::heeds_key`].
    fn heeds_key(_config: &Self::Config) -> bool {
        false
    }

    /// The method as it starts over these peers.
    fn new(config: &Self::Config, peers: &Peers, cx: &Context<'_>) -> Self;

    /// The configuration has been read anew: other peers, or other weights.
    fn reloaded(&mut self, _peers: &Peers, _cx: &Context<'_>) {}

    /// Picks a peer.
    fn pick(&mut self, peers: &mut Peers, request: &Request<'_>, cx: &mut Context<'_>) -> Pick;
}

/// nginx with a method.
#[derive(Clone, Debug)]
pub struct Upstream<M> {
    peers: Peers,
    method: M,
}

impl<M: Method> News for Upstream<M> {
    const LEAVES_OUT: bool = true;
    type Config = M::Config;

    fn in_charge(_: &M::Config, members: &[Member]) -> Vec<bool> {
        standby::backups(members, usize::MAX)
    }

    fn notices_failures(config: &M::Config) -> bool {
        M::shared(config).max_fails > 0
    }

    fn origin(config: &M::Config) -> Origin {
        M::origin(config)
    }

    fn heeds_requests(config: &M::Config) -> bool {
        M::heeds_requests(config)
    }

    fn heeds_answers(config: &M::Config) -> bool {
        M::heeds_answers(config)
    }

    fn heeds_key(config: &M::Config) -> bool {
        M::heeds_key(config)
    }

    fn new(config: &M::Config, cx: &mut Context<'_>) -> Self {
        let peers = Peers::new(&M::shared(config), cx);
        Upstream {
            method: M::new(config, &peers, cx),
            peers,
        }
    }

    fn changes_of_mind(&self) -> u64 {
        self.peers.changes_of_mind()
    }

    fn leaves_out(&self, member: MemberId) -> bool {
        self.peers.has_failed(member)
    }

    fn answered(&mut self, answer: &Answer, cx: &mut Context<'_>) {
        self.peers.answered(answer, cx);
    }

    fn membership_changed(&mut self, _: MemberId, _: &mut Context<'_>) {
        self.peers.reload();
    }

    fn weight_changed(&mut self, _: MemberId, _: u32, _: &mut Context<'_>) {
        self.peers.reload();
    }
}

impl<M: Method> Product for Upstream<M> {
    fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        if self.peers.refresh(cx) {
            self.method.reloaded(&self.peers, cx);
        }
        self.method.pick(&mut self.peers, request, cx)
    }
}
