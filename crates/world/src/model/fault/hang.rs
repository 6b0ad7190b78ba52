//! Servers that take requests and never answer them.

use lbsim_engine::units::Share;

use super::errors::{all, check_share};
use super::{Effect, Fault, Find, Kind, Refuse, planned};

planned! {
    /// Requests that hang.
    Hang of servers, #[doc = "From when on."] #[serde(default)] at {
        /// The share of attempts that hang; 0% to 100%. Several such faults act one after the
        /// other.
        #[serde(default = "all")]
        pub share: Share,
    }
}

impl Kind for Hang {
    fn check(&self, refuse: &mut Refuse<'_>) {
        self.check_planned(refuse);
        check_share(self.share, refuse);
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        self.on_servers("hang", Effect::Hang(self.share.value()), find)
    }
}
