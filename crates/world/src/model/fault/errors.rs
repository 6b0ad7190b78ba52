//! Servers that answer with errors.

use lbsim_engine::status::Status;
use lbsim_engine::time::Span;
use lbsim_engine::units::Share;

use super::{Effect, Fault, Find, Kind, Refuse, planned};

planned! {
    /// Answers that are errors.
    Errors of servers, #[doc = "From when on."] #[serde(default)] at {
        /// The share of attempts that end so; 0% to 100%. Several such faults act one after the
        /// other.
        #[serde(default = "all")]
        pub share: Share,
        /// How long such an attempt takes at the server's configured speed once it has a slot; as
        /// long as any other where it is left out.
        #[serde(default)]
        pub takes: Option<Span>,
        /// What they say: 400 to 599. That whoever asked was wrong, or asked too often (4xx), no
        /// balancer holds against a server unless it is told to.
        #[serde(default = "error", skip_serializing_if = "is_error")]
        pub status: Status,
        /// Only requests for this key are answered so; all where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub key: Option<u32>,
    }
}

fn error() -> Status {
    Status::ERROR
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_error(status: &Status) -> bool {
    *status == Status::ERROR
}

/// Where no share is given, it is that of all.
pub(super) fn all() -> Share {
    Share::ONE
}

impl Kind for Errors {
    fn check(&self, refuse: &mut Refuse<'_>) {
        self.check_planned(refuse);
        check_share(self.share, refuse);
        if !self.status.is_error() {
            let status = self.status;
            let message = format!("`status` is {status}, which is no error; it must be 400 to 599");
            refuse("status", &message);
        }
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        let effect = Effect::Answers {
            share: self.share.value(),
            takes: self.takes,
            status: self.status,
            key: self.key,
        };
        self.on_servers("errors", effect, find)
    }
}

/// More than all there are cannot be.
pub(super) fn check_share(share: Share, refuse: &mut Refuse<'_>) {
    if share.value() > 1.0 {
        refuse("share", "`share` must be at most 100%");
    }
}
