//! Servers that stop for a while, and servers that lose some of their slots.

use super::{Effect, Fault, Find, Kind, Refuse, planned};

planned! {
    /// A pause.
    Pause of servers, #[doc = "When."] at {}
}

planned! {
    /// Fewer slots.
    Capacity of servers, #[doc = "When."] at {
        /// Requests that it works on at once in the meantime; those that it has begun are finished.
        #[schemars(range(min = 0, max = 100_000))]
        pub slots: u32,
    }
}

impl Kind for Pause {
    fn check(&self, refuse: &mut Refuse<'_>) {
        self.check_planned(refuse);
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        self.on_servers("pause", Effect::Pause, find)
    }
}

impl Kind for Capacity {
    fn check(&self, refuse: &mut Refuse<'_>) {
        self.check_planned(refuse);
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        self.on_servers("fewer slots", Effect::Slots(self.slots), find)
    }
}
