//! Ways on which some messages are lost.

use lbsim_engine::time::Span;
use lbsim_engine::units::Share;

use super::errors::check_share;
use super::{Fault, Find, Kind, OnTheWay, Refuse, on_ways, planned};

planned! {
    /// A lossy way.
    LossyLink of ways, #[doc = "When."] at {
        /// The share of messages that is lost, each time that it is sent; 0% to 100%.
        pub share: Share,
        /// How long until a lost message is sent again, doubled each time, as TCP does (Linux:
        /// 200ms at least); without it, a lost message never comes.
        #[serde(default)]
        #[schemars(extend("x-least" = "1us"))]
        pub retransmit: Option<Span>,
    }
}

impl Kind for LossyLink {
    fn check(&self, refuse: &mut Refuse<'_>) {
        self.check_schedule(refuse);
        check_share(self.share, refuse);
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        let ends = (self.from.as_str(), self.to.as_str(), self.one_way);
        let effect = OnTheWay::Lossy(self.share.value(), self.retransmit);
        let said = (self.name.as_deref(), "loss");
        on_ways(said, ends, self.schedule(), effect, find)
    }
}
