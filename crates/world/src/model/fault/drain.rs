//! Servers that are taken out of service gently.

use super::{Effect, Fault, Find, Kind, Refuse, on_servers, planned};

planned! {
    /// A drain.
    Drain of servers, #[doc = "When."] at {}
}

impl Kind for Drain {
    fn check(&self, refuse: &mut Refuse<'_>) {
        self.check_schedule(refuse);
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        let said = (self.name.as_deref(), "drain", self.servers.as_str());
        let servers = find.servers(&self.servers);
        on_servers(said, servers, self.schedule(), Effect::Drain)
    }
}
