//! What `lblc` and `lblcr` share: the least loaded server for its weight, and when a server is
//! overloaded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scan::Scan;
use super::service::{Dest, Service, TIME_WAIT};
use super::wlc::Wlc;
use crate::strategy::MemberId;
use lbsim_engine::time::Span;

/// Settings of `ipvs-lblc` and `ipvs-lblcr`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// `lblc`: after how long without use a destination loses its server. `lblcr`: after how long
    /// without change a destination loses one of several servers. The kernel's `lblc_expiration`
    /// and `lblcr_expiration`.
    #[schemars(extend("x-least" = "1ms"))]
    pub expiration: Span,
    /// How long a closed connection counts as inactive.
    pub time_wait: Span,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            expiration: Span::from_secs(24 * 60 * 60),
            time_wait: TIME_WAIT,
        }
    }
}

/// The loads of servers.
#[derive(Clone, Debug)]
pub(super) struct Loads {
    least: Scan<Wlc>,
    /// Who has fewer than half as many active connections as its weight, and how many these are.
    spare: Vec<bool>,
    spares: usize,
}

impl Loads {
    pub(super) fn new(n: usize) -> Loads {
        Loads {
            least: Scan::new(n),
            spare: vec![false; n],
            spares: 0,
        }
    }

    pub(super) fn update(&mut self, member: MemberId, service: &Service) {
        let dest = service.dest(member);
        self.least.update(member, dest);
        let spare = dest.listed && u64::from(dest.active) * 2 < u64::from(dest.weight);
        let before = std::mem::replace(&mut self.spare[member as usize], spare);
        self.spares = self.spares + usize::from(spare) - usize::from(before);
    }

    /// The least loaded server for its weight, as `wlc` picks it.
    pub(super) fn least(&self) -> Option<MemberId> {
        self.least.first()
    }

    /// Whether a server has more active connections than its weight while another has fewer than
    /// half of its own: `is_overloaded`.
    pub(super) fn is_overloaded(&self, dest: &Dest) -> bool {
        dest.active > dest.weight && self.spares > 0
    }
}
