//! Servers that are taken out of service gently.

use super::{Effect, Fault, Find, Kind, Refuse, planned};

planned! {
    /// A drain.
    Drain of servers, #[doc = "When."] at {}
}

impl Kind for Drain {
    fn check(&self, refuse: &mut Refuse<'_>) {
        self.check_planned(refuse);
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        self.on_servers("drain", Effect::Drain, find)
    }
}
