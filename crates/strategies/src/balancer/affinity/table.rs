//! Tables of who is bound to whom, which balancers keep.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Bond, By, TableConfig, Who};
use crate::strategy::MemberId;
use lbsim_engine::time::{Span, Time};

/// No entry.
const NONE: u32 = u32::MAX;

/// The tables of a service: one for all its balancers, or one for each.
#[derive(Clone, Debug)]
pub struct Tables {
    by: By,
    expire: Option<Span>,
    shared: bool,
    tables: Vec<StickTable>,
}

/// A table whose entries stand in the order of their last use.
#[derive(Clone, Debug)]
struct StickTable {
    size: usize,
    places: BTreeMap<u128, u32>,
    entries: Vec<Binding>,
    latest: u32,
    oldest: u32,
}

#[derive(Clone, Copy, Debug)]
struct Binding {
    key: u128,
    used: Time,
    member: MemberId,
    newer: u32,
    older: u32,
}

impl Tables {
    pub(super) fn new(config: &TableConfig, balancers: usize) -> Tables {
        let count = if config.shared { 1 } else { balancers };
        let size = config.size.map_or(usize::MAX, |size| size as usize);
        Tables {
            by: config.by,
            expire: config.expire,
            shared: config.shared,
            tables: vec![StickTable::new(size); count],
        }
    }

    fn key(&self, who: Who) -> u128 {
        match (self.by, who.address) {
            (By::Client, _) => u128::from(who.session),
            (By::Address, IpAddr::V4(address)) => address.to_ipv6_mapped().to_bits(),
            (By::Address, IpAddr::V6(address)) => address.to_bits(),
        }
    }

    fn number(&self, balancer: u16) -> usize {
        if self.shared {
            0
        } else {
            usize::from(balancer)
        }
    }

    pub(super) fn find(&self, who: Who, balancer: u16, now: Time) -> Bond {
        match self.tables[self.number(balancer)].get(self.key(who)) {
            None => Bond::None,
            Some(entry) if self.expire.is_some_and(|expire| now > entry.used + expire) => {
                Bond::Expired
            }
            Some(entry) => Bond::To(entry.member),
        }
    }

    /// Whether any of them has an entry for a client.
    pub(super) fn knows(&self, who: Who) -> bool {
        let key = self.key(who);
        self.tables.iter().any(|table| table.get(key).is_some())
    }

    pub(super) fn set(&mut self, who: Who, balancer: u16, member: MemberId, now: Time) {
        let (key, number) = (self.key(who), self.number(balancer));
        self.tables[number].set(key, member, now);
    }

    pub(super) fn lose(&mut self, balancer: u16) {
        if !self.shared {
            let table = &mut self.tables[usize::from(balancer)];
            *table = StickTable::new(table.size);
        }
    }
}

impl StickTable {
    fn new(size: usize) -> StickTable {
        StickTable {
            size,
            places: BTreeMap::new(),
            entries: Vec::new(),
            latest: NONE,
            oldest: NONE,
        }
    }

    fn get(&self, key: u128) -> Option<&Binding> {
        let place = self.places.get(&key)?;
        Some(&self.entries[*place as usize])
    }

    fn set(&mut self, key: u128, member: MemberId, now: Time) {
        let place = match self.places.get(&key) {
            Some(&place) => {
                self.take_out(place);
                place
            }
            None if self.entries.len() < self.size => {
                let place = self.entries.len() as u32;
                self.entries.push(Binding {
                    key,
                    used: now,
                    member,
                    newer: NONE,
                    older: NONE,
                });
                self.places.insert(key, place);
                place
            }
            None => {
                let place = self.oldest;
                self.take_out(place);
                self.places.remove(&self.entries[place as usize].key);
                self.places.insert(key, place);
                place
            }
        };
        self.entries[place as usize] = Binding {
            key,
            used: now,
            member,
            newer: NONE,
            older: self.latest,
        };
        match self.latest {
            NONE => self.oldest = place,
            latest => self.entries[latest as usize].newer = place,
        }
        self.latest = place;
    }

    /// Takes an entry out of the order of use.
    fn take_out(&mut self, place: u32) {
        let Binding { newer, older, .. } = self.entries[place as usize];
        match newer {
            NONE => self.latest = older,
            newer => self.entries[newer as usize].older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.entries[older as usize].newer = newer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lbsim_engine::rng::mix;

    fn who(session: u32) -> Who {
        Who {
            session,
            address: IpAddr::from([10, 0, 0, session as u8]),
            caller: session,
        }
    }

    fn at(seconds: u64) -> Time {
        Time::ZERO + Span::from_secs(seconds)
    }

    #[test]
    fn each_balancer_has_its_own_unless_they_share() {
        let config = |shared| TableConfig {
            shared,
            expire: Some(Span::from_secs(10)),
            ..TableConfig::default()
        };
        let mut own = Tables::new(&config(false), 2);
        own.set(who(1), 0, 5, at(0));
        assert_eq!(own.find(who(1), 0, at(10)), Bond::To(5));
        assert_eq!(own.find(who(1), 0, at(11)), Bond::Expired);
        assert_eq!(own.find(who(1), 1, at(1)), Bond::None);
        own.lose(0);
        assert_eq!(own.find(who(1), 0, at(1)), Bond::None);
        let mut shared = Tables::new(&config(true), 2);
        shared.set(who(1), 0, 5, at(0));
        shared.lose(0);
        assert_eq!(shared.find(who(1), 1, at(1)), Bond::To(5));
    }

    /// Against a list that is searched: a full table forgets who has been away for longest.
    #[test]
    fn a_full_table_forgets_who_was_not_there_for_longest() {
        let config = TableConfig {
            by: By::Client,
            size: Some(7),
            ..TableConfig::default()
        };
        let mut tables = Tables::new(&config, 1);
        let mut plain: Vec<(u32, MemberId)> = Vec::new();
        for now in 0..2000 {
            let session = (mix(now) % 20) as u32;
            let member = (mix(now ^ 5) % 4) as MemberId;
            tables.set(who(session), 0, member, at(now));
            plain.retain(|&(other, _)| other != session);
            plain.push((session, member));
            if plain.len() > 7 {
                plain.remove(0);
            }
            for session in 0..20 {
                let bond = plain.iter().find(|&&(other, _)| other == session);
                let bond = bond.map_or(Bond::None, |&(_, member)| Bond::To(member));
                assert_eq!(tables.find(who(session), 0, at(now)), bond);
            }
        }
    }
}
