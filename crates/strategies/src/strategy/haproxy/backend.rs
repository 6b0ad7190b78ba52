//! A backend of HAProxy: its servers, and the algorithm that picks among them.

use std::fmt::Debug;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::servers::{Servers, Shared};
use crate::strategy::{
    Answer, Context, Member, MemberId, News, Origin, Pick, Product, Request, standby,
};
use lbsim_engine::time::Span;

/// Settings of a backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How long a server that has come back takes to reach its full weight and its `maxconn`; 0: at
    /// once.
    pub slowstart: Span,
    /// Whether all backups serve where no other server can, instead of the first of them.
    pub allbackups: bool,
    /// Requests at the backend from which a server gets its whole `maxconn`, where it has a
    /// `minconn`.
    #[schemars(range(min = 1))]
    pub fullconn: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            slowstart: Span::ZERO,
            allbackups: false,
            fullconn: 1000,
        }
    }
}

impl Config {
    pub(super) fn shared(&self) -> Shared {
        Shared {
            slowstart: self.slowstart,
            allbackups: self.allbackups,
            fullconn: self.fullconn,
        }
    }
}

/// How a server is picked.
pub trait Algorithm: Clone + Debug {
    /// Settings.
    type Config: Clone + Default + PartialEq + Debug + Serialize + DeserializeOwned;

    /// The part of the settings that all algorithms have.
    fn shared(config: &Self::Config) -> Shared;

    /// See [`News::origin`].
    fn origin(_config: &Self::Config) -> Origin {
        Origin::Nothing
    }

    /// Which of those that `serve` while all are well do so under this algorithm.
    fn in_charge(serve: Vec<bool>, _members: &[Member]) -> Vec<bool> {
        serve
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

    /// The algorithm as it starts over these servers.
    fn new(config: &Self::Config, servers: &Servers, cx: &mut Context<'_>) -> Self;

    /// A server has one request more, or one less.
    fn load_changed(&mut self, _member: MemberId, _servers: &Servers, _cx: &Context<'_>) {}

    /// A server has come or gone, or has another weight, be it by its slow start.
    fn changed(&mut self, member: MemberId, servers: &Servers, cx: &Context<'_>);

    /// Picks a server.
    fn pick(&mut self, request: &Request<'_>, servers: &Servers, cx: &Context<'_>) -> Pick;
}

/// A backend with an algorithm.
#[derive(Clone, Debug)]
pub struct Backend<A> {
    servers: Servers,
    algorithm: A,
}

impl<A: Algorithm> News for Backend<A> {
    type Config = A::Config;

    fn in_charge(config: &A::Config, members: &[Member]) -> Vec<bool> {
        let backups = if A::shared(config).allbackups {
            usize::MAX
        } else {
            1
        };
        A::in_charge(standby::backups(members, backups), members)
    }

    fn origin(config: &A::Config) -> Origin {
        A::origin(config)
    }

    fn heeds_requests(config: &A::Config) -> bool {
        A::heeds_requests(config)
    }

    fn heeds_answers(config: &A::Config) -> bool {
        A::heeds_answers(config)
    }

    fn heeds_key(config: &A::Config) -> bool {
        A::heeds_key(config)
    }

    fn new(config: &A::Config, cx: &mut Context<'_>) -> Self {
        let servers = Servers::new(A::shared(config));
        Backend {
            algorithm: A::new(config, &servers, cx),
            servers,
        }
    }

    fn sent(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.servers.sent();
        self.algorithm.load_changed(member, &self.servers, cx);
    }

    fn answered(&mut self, answer: &Answer, cx: &mut Context<'_>) {
        self.servers.answered();
        let member = answer.member;
        self.algorithm.load_changed(member, &self.servers, cx);
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.servers.eligibility_changed(member, cx);
        self.algorithm.changed(member, &self.servers, cx);
    }

    fn weight_changed(&mut self, member: MemberId, _: u32, cx: &mut Context<'_>) {
        self.algorithm.changed(member, &self.servers, cx);
    }
}

impl<A: Algorithm> Product for Backend<A> {
    fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        for member in self.servers.grown(cx.now) {
            self.algorithm.changed(member, &self.servers, cx);
        }
        self.algorithm.pick(request, &self.servers, cx)
    }

    fn takes_waiting(&mut self, member: MemberId, cx: &mut Context<'_>) -> bool {
        self.servers.takes_waiting(member, cx)
    }
}
