//! Stickiness: a cookie that binds a client to the member that answered it first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::MemberId;

/// How clients are bound to members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sticky {
    /// Not at all: each request is balanced.
    #[default]
    No,
    /// By a cookie that the first answer sets. A client comes back to its member as long as that is
    /// in the pool and not known to be down; while it is being drained, as long as the client's
    /// session lasts (for ever, where clients hold no sessions). Else it is balanced anew and gets
    /// a new cookie. A retry goes by `retry.on` first: with `another` the cookie is passed over
    /// once its member has been tried; with `same` the member tried last is tried again as long as
    /// it is eligible, bound or not; with `any` it goes back to the bound member. Whoever answers
    /// in the end sets the cookie.
    Cookie,
}

/// The cookies that clients hold: four bytes a client.
#[derive(Clone, Debug)]
pub struct Cookies {
    member: Vec<MemberId>,
}

const NONE: MemberId = MemberId::MAX;

impl Cookies {
    /// `clients` clients without cookies.
    pub fn new(clients: usize) -> Cookies {
        Cookies {
            member: vec![NONE; clients],
        }
    }

    /// The member that a client is bound to.
    pub fn get(&self, client: u32) -> Option<MemberId> {
        Some(self.member[client as usize]).filter(|&member| member != NONE)
    }

    /// Binds a client to a member.
    pub fn set(&mut self, client: u32, member: MemberId) {
        self.member[client as usize] = member;
    }
}
