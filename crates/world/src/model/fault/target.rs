//! Whom a fault concerns.

use std::collections::BTreeSet;

/// Where something can be: an end of a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The clients of a source, counted from 0.
    Clients(u16),
    /// A balancer: its service, and its number within that, both counted from 0.
    Balancer(u16, u16),
    /// A server, among all servers of the world.
    Server(u32),
}

/// All ways between the places of one set and those of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ways {
    /// One end.
    pub from: BTreeSet<Place>,
    /// The other.
    pub to: BTreeSet<Place>,
    /// Whether only what goes from the one to the other is meant.
    pub one_way: bool,
}

impl Ways {
    /// Whether what goes from one place to another goes one of these ways.
    pub fn lead(&self, from: Place, to: Place) -> bool {
        let forth = self.from.contains(&from) && self.to.contains(&to);
        forth || (!self.one_way && self.from.contains(&to) && self.to.contains(&from))
    }
}

/// Finds what a scenario names, and says so where nothing has the name.
pub trait Find {
    /// Servers, among all servers of the world; none where there are none of that name.
    fn servers(&mut self, name: &str) -> Vec<u32>;

    /// Balancers, each by its service and its number within that; none where there are none of that
    /// name.
    fn balancers(&mut self, name: &str) -> Vec<(u16, u16)>;

    /// The ways between two names; `None` where either has no places.
    fn ways(&mut self, from: &str, to: &str, one_way: bool) -> Option<Ways>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_lead_back_unless_they_are_one_way() {
        let (a, b) = (Place::Balancer(0, 1), Place::Server(4));
        let mut ways = Ways {
            from: [a].into(),
            to: [b, Place::Server(5)].into(),
            one_way: false,
        };
        assert!(ways.lead(a, b) && ways.lead(b, a));
        assert!(!ways.lead(Place::Balancer(0, 0), b) && !ways.lead(b, Place::Server(5)));
        ways.one_way = true;
        assert!(ways.lead(a, b) && !ways.lead(b, a));
    }
}
