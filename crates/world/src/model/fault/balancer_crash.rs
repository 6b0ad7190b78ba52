//! Balancers that die.

use super::{Fault, Find, Kind, Refuse, Strikes, WhileDown, planned};

planned! {
    /// The crash of a balancer.
    BalancerCrash of balancers, #[doc = "When."] at {
        /// What it does to those that come.
        #[serde(default)]
        pub answers: WhileDown,
    }
}

impl Kind for BalancerCrash {
    fn check(&self, refuse: &mut Refuse<'_>) {
        self.check_schedule(refuse);
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        let balancers = find.balancers(&self.balancers);
        if balancers.is_empty() {
            return Vec::new();
        }
        let label = || format!("crash of balancers {}", self.balancers);
        vec![Fault {
            label: self.name.clone().unwrap_or_else(label),
            number: 0,
            schedule: self.schedule(),
            strikes: Strikes::Balancers(balancers, self.answers),
            only: None,
        }]
    }
}
