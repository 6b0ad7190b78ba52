//! Ways that take longer.

use lbsim_engine::time::Span;

use super::{Fault, Find, Kind, OnTheWay, Refuse, on_ways, planned};

planned! {
    /// A slow way.
    SlowLink of ways, #[doc = "When."] at {
        /// How much longer each message takes.
        #[schemars(extend("x-least" = "1us"))]
        pub adds: Span,
    }
}

impl Kind for SlowLink {
    fn check(&self, refuse: &mut Refuse<'_>) {
        self.check_schedule(refuse);
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        let ends = (self.from.as_str(), self.to.as_str(), self.one_way);
        let effect = OnTheWay::Slow(self.adds);
        let said = (self.name.as_deref(), "slow link");
        on_ways(said, ends, self.schedule(), effect, find)
    }
}
