//! Servers that answer with errors.

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
    }
}

/// Where no share is given, it is that of all.
pub(super) fn all() -> Share {
    Share::ONE
}

impl Kind for Errors {
    fn check(&self, refuse: &mut Refuse<'_>) {
        self.check_planned(refuse);
        check_share(self.share, refuse);
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        self.on_servers(
            "errors",
            Effect::Errors(self.share.value(), self.takes),
            find,
        )
    }
}

/// More than all there are cannot be.
pub(super) fn check_share(share: Share, refuse: &mut Refuse<'_>) {
    if share.value() > 1.0 {
        refuse("share", "`share` must be at most 100%");
    }
}
