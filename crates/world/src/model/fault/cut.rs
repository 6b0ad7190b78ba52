//! Ways on which nothing comes through.

use super::{Fault, Find, Kind, OnTheWay, Refuse, on_ways, planned};

planned! {
    /// A cut.
    Cut of ways, #[doc = "When."] at {}
}

impl Kind for Cut {
    fn check(&self, refuse: &mut Refuse<'_>) {
        self.check_schedule(refuse);
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        let ends = (self.from.as_str(), self.to.as_str(), self.one_way);
        let said = (self.name.as_deref(), "cut");
        on_ways(said, ends, self.schedule(), OnTheWay::Cut, find)
    }
}
