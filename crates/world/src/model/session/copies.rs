//! Copies of states on other servers: where they are, how old, and what becomes of them where the
//! server dies that has the state itself.

use std::collections::BTreeMap;

use rand::Rng as _;

use super::peers::Peers;
use super::{NOWHERE, Session, Sessions};
use crate::model::blueprint::Blueprint;
use crate::model::network::Zone;
use crate::model::state::{CopyPlan, Placement, Shipping};
use crate::observe::Tally;
use lbsim_engine::rng::{Luck, below, mix};
use lbsim_engine::time::{Span, Time};

/// The copies of all states: 32 bytes each, and what is under way to them.
#[derive(Clone, Debug)]
pub(super) struct Copies {
    /// The servers of each service: the first, and how many.
    pools: Vec<(u32, u32)>,
    /// The zone of each server, as a number: of its own that has no price, too.
    zones: Vec<u32>,
    /// The zone of each server among those between which ways are known.
    stands_in: Vec<Zone>,
    /// How often each server has lost all that it had.
    epochs: Vec<u32>,
    /// Copies of one state at most.
    others: usize,
    /// By session, `others` for each.
    table: Vec<Replica>,
    /// Changes that were still under way when the next was made, by place in `table`.
    under_way: BTreeMap<u32, Vec<Change>>,
}

/// One copy.
#[derive(Clone, Copy, Debug)]
struct Replica {
    /// Where it is; [`NOWHERE`] for none.
    server: u32,
    /// How often that server had lost all when it came there.
    epoch: u32,
    /// The version that is there; 0 for none yet.
    applied: u32,
    /// The change on its way there, or the last that was.
    last: Change,
}

/// A change that is on its way to a copy.
#[derive(Clone, Copy, Debug)]
struct Change {
    version: u32,
    /// When it was made; of several that go together, the first.
    made: Time,
    /// When it is there.
    comes: Time,
}

const NO_COPY: Replica = Replica {
    server: NOWHERE,
    epoch: 0,
    applied: 0,
    last: Change {
        version: 0,
        made: Time::ZERO,
        comes: Time::ZERO,
    },
};

/// Purposes of a session's luck: where a copy of its state goes, and how long a change takes.
const PLACE: u64 = 3 << 32;
const LAG: u64 = 4 << 32;

impl Copies {
    /// None yet; `None` where no service makes any.
    pub(super) fn new(plan: &Blueprint, sessions: usize) -> Option<Copies> {
        let plans = plan.services.iter().map(|service| &service.keeps.copies);
        let others = plans.flatten().map(|plan| plan.others).max()? as usize;
        let mut names: Vec<&str> = Vec::new();
        let mut zones = Vec::new();
        let mut pools = Vec::new();
        for service in &plan.services {
            pools.push((zones.len() as u32, service.members.len() as u32));
            for member in service.members.iter() {
                let name = member.zone.as_deref().unwrap_or("");
                let known = names.iter().position(|&other| other == name);
                zones.push(known.unwrap_or(names.len()) as u32);
                if known.is_none() {
                    names.push(name);
                }
            }
        }
        let services = plan.services.iter();
        let stands_in = services.flat_map(|service| {
            (0..service.servers.len()).map(|server| service.group(server).zone)
        });
        Some(Copies {
            stands_in: stands_in.collect(),
            pools,
            epochs: vec![0; zones.len()],
            zones,
            others,
            table: vec![NO_COPY; sessions * others],
            under_way: BTreeMap::new(),
        })
    }

    /// A server has lost all that it had.
    pub(super) fn lose(&mut self, server: u32) {
        self.epochs[server as usize] += 1;
    }

    fn places(&self, id: u32) -> std::ops::Range<usize> {
        let first = id as usize * self.others;
        first..first + self.others
    }

    /// Brings a copy up to date: what has come is there.
    fn settle(&mut self, place: usize, now: Time) {
        let copy = &mut self.table[place];
        if copy.last.comes <= now {
            copy.applied = copy.applied.max(copy.last.version);
        }
        let key = place as u32;
        if let Some(under_way) = self.under_way.get_mut(&key) {
            for change in under_way.extract_if(.., |change| change.comes <= now) {
                copy.applied = copy.applied.max(change.version);
            }
            let applied = copy.applied;
            under_way.retain(|change| change.version > applied);
            if under_way.is_empty() {
                self.under_way.remove(&key);
            }
        }
    }

    /// When the oldest change was made that a copy does not have; `now` where it has all.
    fn lacks_since(&self, place: usize, now: Time) -> Time {
        let copy = &self.table[place];
        let under_way = self.under_way.get(&(place as u32));
        let changes = under_way.into_iter().flatten().chain([&copy.last]);
        let missing = changes.filter(|change| change.version > copy.applied);
        missing.map(|change| change.made).min().unwrap_or(now)
    }

    /// Whether a copy is there.
    fn is_there(&self, place: usize) -> bool {
        let copy = &self.table[place];
        copy.server != NOWHERE && copy.epoch == self.epochs[copy.server as usize]
    }

    /// A change is lost on its way to a copy: what comes there next brings it along.
    fn swallow(&mut self, place: usize, change: Change, now: Time) {
        let last = self.table[place].last;
        let made = match last.comes {
            Time::NEVER => last.made,
            _ => change.made,
        };
        if last.comes > now && last.comes < Time::NEVER {
            let under_way = self.under_way.entry(place as u32).or_default();
            under_way.push(last);
        }
        self.table[place].last = Change {
            comes: Time::NEVER,
            made,
            ..change
        };
    }

    fn forget(&mut self, place: usize) {
        self.table[place] = NO_COPY;
        self.under_way.remove(&(place as u32));
    }
}

impl Sessions<'_> {
    /// Whether what a server keeps has copies.
    pub(super) fn copied(&self, server: u32) -> bool {
        self.keep(server).copies.is_some()
    }

    /// Whether a copy is there that can take the place of its state, for this server or any.
    fn can_be_used(&self, place: usize, to: Option<u32>, peers: Peers<'_>) -> bool {
        let Some(copies) = &self.copies else {
            return false;
        };
        let server = copies.table[place].server;
        copies.is_there(place)
            && self.table[place / copies.others].server != server
            && self.keeps_states(server, peers)
            && to.is_none_or(|to| to == server || peers.hear(server, to))
    }

    /// Whether a server that does not have a state hears from where it is, or from a copy.
    pub(super) fn can_be_fetched(&self, id: u32, server: u32, peers: Peers<'_>) -> bool {
        let copies = self.copies.as_ref();
        self.copied(server)
            && (peers.hear(self.table[id as usize].server, server)
                || copies.is_some_and(|copies| {
                    (copies.places(id)).any(|place| self.can_be_used(place, Some(server), peers))
                }))
    }

    /// The version of a state that a server has a copy of, where requests are content with that.
    pub(super) fn version_at(&mut self, id: u32, server: u32, now: Time) -> Option<u32> {
        if !self.keep(server).copies.as_ref()?.read {
            return None;
        }
        let copies = self.copies.as_mut()?;
        let place = copies
            .places(id)
            .find(|&place| copies.table[place].server == server && copies.is_there(place))?;
        copies.settle(place, now);
        Some(copies.table[place].applied).filter(|&version| version > 0)
    }

    /// The state of a session has changed where it is: its copies hear of it.
    pub(super) fn ship(&mut self, id: u32, peers: Peers<'_>, now: Time, tally: &mut Tally) {
        if self.copies.is_none() {
            return;
        }
        let session = self.table[id as usize];
        let Some(plan) = self.keep(session.server).copies.as_ref() else {
            return;
        };
        for number in 0..plan.others {
            let lag = match &plan.shipping {
                Shipping::Synchronous | Shipping::Interval(_) => Span::ZERO,
                Shipping::Lag(lag) => {
                    let word = u64::from(session.states) << 24 | u64::from(number);
                    let root = self.luck(id, LAG | word).next_u64();
                    let luck = &mut Luck::new(root, u64::from(session.version));
                    Span::from_seconds(lag.sample(luck))
                }
            };
            self.ship_to(id, number, (plan, lag), peers, (now, tally));
        }
    }

    fn ship_to(
        &mut self,
        id: u32,
        number: u32,
        (plan, lag): (&CopyPlan, Span),
        peers: Peers<'_>,
        (now, tally): (Time, &mut Tally),
    ) {
        let session = self.table[id as usize];
        let Some(copies) = &self.copies else { return };
        let place = id as usize * copies.others + number as usize;
        let copy = copies.table[place];
        let stands = copies.is_there(place)
            && copy.server != session.server
            && self.keeps_states(copy.server, peers);
        if !stands {
            self.drop_copy(place, session.size, now);
            let Some(server) = self.place_copy(id, plan.placement, peers) else {
                return;
            };
            self.make_room(server, session.size, now, tally);
            self.memory.copy(server, session.size as i64, now);
            if let Some(copies) = &mut self.copies {
                copies.table[place] = Replica {
                    server,
                    epoch: copies.epochs[server as usize],
                    ..NO_COPY
                };
            }
        }
        let Some(copies) = &mut self.copies else {
            return;
        };
        copies.settle(place, now);
        let version = session.version;
        let copy = &mut copies.table[place];
        let mut change = Change {
            version,
            made: now,
            comes: now,
        };
        if !peers.hear(session.server, copy.server) {
            copies.swallow(place, change, now);
            return;
        }
        let mut sent = now;
        match plan.shipping {
            Shipping::Synchronous => copy.applied = version,
            Shipping::Lag(_) => {
                change.comes = now + lag;
                if copy.last.comes > now {
                    let earlier = copy.last;
                    copies
                        .under_way
                        .entry(place as u32)
                        .or_default()
                        .push(earlier);
                }
            }
            Shipping::Interval(every) => {
                let ticks = now.nanos() / every.nanos().max(1) + 1;
                change.comes = Time::ZERO + Span::from_nanos(ticks * every.nanos());
                sent = change.comes;
                let last = copy.last;
                let is_with_others = last.comes == change.comes;
                if (is_with_others || last.comes == Time::NEVER) && last.version > copy.applied {
                    change.made = last.made;
                }
                if is_with_others && last.version > copy.applied {
                    sent = Time::NEVER;
                }
            }
        }
        copies.table[place].last = change;
        let to = copies.table[place].server;
        self.send_to(id, (session.server, to), sent, tally);
    }

    /// The state of a session is sent from one server to another.
    fn send_to(&self, id: u32, (from, to): (u32, u32), at: Time, tally: &mut Tally) {
        self.send(id, at, tally);
        if tally.measures(at)
            && let (Some(copies), Some(traffic)) = (&self.copies, &mut tally.traffic)
        {
            let zone = |server: u32| copies.stands_in[server as usize];
            traffic.carry((zone(from), zone(to)), self.table[id as usize].size);
        }
    }

    /// A copy is where it was no longer.
    fn drop_copy(&mut self, place: usize, size: u64, now: Time) {
        let Some(copies) = &mut self.copies else {
            return;
        };
        if copies.is_there(place) {
            let server = copies.table[place].server;
            self.memory.copy(server, -(size as i64), now);
        }
        copies.forget(place);
    }

    /// No copy of a state is anywhere any more.
    pub(super) fn drop_copies(&mut self, id: u32, now: Time) {
        let Some(copies) = &self.copies else { return };
        let size = self.table[id as usize].size;
        for place in copies.places(id) {
            self.drop_copy(place, size, now);
        }
    }

    /// A server for another copy of a state: up, in its pool, and without one.
    fn place_copy(&self, id: u32, placement: Placement, peers: Peers<'_>) -> Option<u32> {
        let copies = self.copies.as_ref()?;
        let session = &self.table[id as usize];
        let own = session.server;
        let (first, count) = copies.pools[usize::from(self.service_of[own as usize])];
        let zone = copies.zones[own as usize];
        let is_free = |server: u32| {
            let has = copies
                .places(id)
                .any(|place| copies.table[place].server == server && copies.is_there(place));
            server != own && !has && self.keeps_states(server, peers) && peers.hear(own, server)
        };
        let next = (1..count).map(|step| first + (own - first + step) % count);
        match placement {
            Placement::Next => next.into_iter().find(|&server| is_free(server)),
            Placement::SameZone => next
                .into_iter()
                .find(|&server| copies.zones[server as usize] == zone && is_free(server)),
            Placement::OtherZone => next
                .into_iter()
                .find(|&server| copies.zones[server as usize] != zone && is_free(server)),
            Placement::Random => {
                let free: Vec<u32> = next.filter(|&server| is_free(server)).collect();
                let number = mix(u64::from(session.states) << 32 | u64::from(session.version));
                let word = self.luck(id, PLACE).next_u64() ^ number ^ mix(free.len() as u64);
                (!free.is_empty()).then(|| free[below(&mut Luck::new(word, 0), free.len())])
            }
        }
    }

    /// The state of a session is fetched to another server of its pool, from where it is.
    pub(super) fn fetch(
        &mut self,
        id: u32,
        server: u32,
        peers: Peers<'_>,
        now: Time,
        tally: &mut Tally,
    ) {
        let session = self.table[id as usize];
        self.leave(id, now);
        let taken = self.copies.as_ref().and_then(|copies| {
            (copies.places(id)).find(|&place| copies.table[place].server == server)
        });
        if let Some(place) = taken {
            self.drop_copy(place, session.size, now);
        }
        self.come(id, server, now, tally);
        self.send_to(id, (session.server, server), now, tally);
        tally.sessions.fetched += u64::from(tally.measures(now));
        // Where it was it stays as a copy, if there is room for one.
        let old = session.server;
        let keeps = self.keeps_states(old, peers);
        let Some(copies) = &mut self.copies else {
            return;
        };
        let room = copies.places(id).find(|&place| !copies.is_there(place));
        if let Some(place) = room.filter(|_| keeps) {
            copies.forget(place);
            self.stays(place, &session, session.version, now);
        }
    }

    /// A state that has gone elsewhere stays where it was as a copy, of this version.
    fn stays(&mut self, place: usize, was: &Session, version: u32, now: Time) {
        let Some(copies) = &mut self.copies else {
            return;
        };
        copies.table[place] = Replica {
            server: was.server,
            epoch: copies.epochs[was.server as usize],
            applied: version,
            ..NO_COPY
        };
        self.memory.copy(was.server, was.size as i64, now);
    }

    /// A server leaves by plan: it hands a state of which there are copies over, to a server that
    /// has one or could. Says whether there is any.
    pub(super) fn hands_over(
        &mut self,
        id: u32,
        peers: Peers<'_>,
        now: Time,
        tally: &mut Tally,
    ) -> bool {
        let own = self.table[id as usize].server;
        if !self.copied(own) || !peers.is_up(own) {
            return false;
        }
        let Some(copies) = &self.copies else {
            return false;
        };
        let mut held = copies.places(id).filter_map(|place| {
            let server = copies.table[place].server;
            (self.can_be_used(place, None, peers) && peers.hear(own, server)).then_some(server)
        });
        let heir = held.next();
        match heir.or_else(|| self.place_copy(id, Placement::Next, peers)) {
            Some(heir) => {
                self.fetch(id, heir, peers, now, tally);
                true
            }
            None => false,
        }
    }

    /// A state is gone where it was, or a server (`to`) does not hear from there: the newest copy
    /// that it hears of takes its place, if there is one, which may be old. Says whether there is.
    pub(super) fn falls_back(
        &mut self,
        id: u32,
        to: Option<u32>,
        peers: Peers<'_>,
        now: Time,
        tally: &mut Tally,
    ) -> bool {
        let session = self.table[id as usize];
        let Some(places) = self.copies.as_ref().map(|copies| copies.places(id)) else {
            return false;
        };
        let can_be_used: Vec<usize> = places
            .filter(|&place| self.can_be_used(place, to, peers))
            .collect();
        let Some(copies) = &mut self.copies else {
            return false;
        };
        let mut best: Option<usize> = None;
        for place in can_be_used {
            copies.settle(place, now);
            let applied = copies.table[place].applied;
            if applied > 0 && best.is_none_or(|best| applied > copies.table[best].applied) {
                best = Some(place);
            }
        }
        let Some(place) = best else { return false };
        let Replica {
            server, applied, ..
        } = copies.table[place];
        let age = now.since(copies.lacks_since(place, now));
        // What was still under way to others is of a state that is no more.
        for other in copies.places(id) {
            let copy = &mut copies.table[other];
            copy.last = Change {
                version: copy.applied,
                made: now,
                comes: now,
            };
            copies.under_way.remove(&(other as u32));
        }
        self.drop_copy(place, session.size, now);
        self.leave(id, now);
        // Who is only not heard of has it still, and goes on with it when asked: without what was
        // changed there alone, which is lost now.
        if to.is_some() && self.keeps_states(session.server, peers) {
            self.stays(place, &session, applied, now);
        }
        let own = &mut self.table[id as usize];
        own.version = applied;
        own.before_window = own.before_window.min(applied);
        self.come(id, server, now, tally);
        if session.version > applied {
            let lost = session.version - applied.max(session.before_window).min(session.version);
            if tally.measures(now) {
                let group = session.group;
                tally.sessions.set_back(group, u64::from(lost), age);
            }
        }
        true
    }
}
