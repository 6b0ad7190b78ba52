//! Groups of clients at work: who asks for what, and when.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use rand::Rng as _;

use super::arrivals::Visits;
use super::arrivals::visits::whole;
use super::arrivals::{Process, Rows, Texts};
use super::blueprint::{Blueprint, SourcePlan, When};
use super::draft::Draft;
use super::popularity::Popularity;
use super::request::{NOBODY, Slab};
use lbsim_engine::distribution::Sampler;
use lbsim_engine::rng::{Domain, Luck, Rng, Seeds, below, mix};
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::strategy::{Key, MemberId, Origin, Request};

/// The first port that clients connect from (Linux: `ip_local_port_range`).
const EPHEMERAL: u16 = 32_768;

/// The port that a connection of this luck comes from.
pub(super) fn port(luck: u64) -> u16 {
    EPHEMERAL + (luck % u64::from(u16::MAX - EPHEMERAL)) as u16
}

/// All groups of clients, and whose request comes next.
#[derive(Clone, Debug)]
pub(super) struct Sources<'a> {
    all: Vec<Source<'a>>,
    /// How many clients there are in all.
    clients: u32,
    next: usize,
    visits: Slab<Visiting>,
}

impl<'a> Sources<'a> {
    /// The groups of a blueprint, in its order, before their first requests.
    pub(super) fn new(plan: &'a Blueprint, seeds: Seeds) -> Sources<'a> {
        let mut all = Vec::with_capacity(plan.sources.len());
        let (mut clients, mut sessions) = (0, 0);
        for (index, source) in plan.sources.iter().enumerate() {
            let balancer = &plan.services[source.service].balancer;
            let origin = balancer.origin();
            let firsts = (clients, sessions);
            all.push(Source::new(source, index as u64, firsts, origin, seeds));
            clients += source.population.popularity.count();
            sessions += source.session_count();
        }
        let mut sources = Sources {
            all,
            clients,
            next: 0,
            visits: Slab::default(),
        };
        sources.find_next();
        sources
    }

    /// The same, where only its strategy looks at a request: what that does not look at is not
    /// found out.
    pub(super) fn seen_by_rules(mut self, plan: &Blueprint) -> Sources<'a> {
        for (source, its) in self.all.iter_mut().zip(&plan.sources) {
            let strategy = &plan.services[its.service].balancer.strategy;
            source.unseen = !strategy.heeds_requests();
        }
        self
    }

    /// How many clients there are in all.
    pub(super) fn clients(&self) -> u32 {
        self.clients
    }

    /// When the next request comes.
    #[inline]
    pub(super) fn next_time(&self) -> Time {
        self.all[self.next].next
    }

    /// The next request, and the number of its group, where nobody visits.
    #[inline(always)]
    pub(super) fn take(&mut self) -> (usize, Draft) {
        let index = self.next;
        let draft = self.all[index].take();
        self.find_next();
        (index, draft)
    }

    /// The next request, the number of its group before it, and that of its visit after
    /// it ([`NOBODY`] where it is part of none).
    #[inline(always)]
    pub(super) fn take_any(&mut self) -> (usize, Draft, u32) {
        let index = self.next;
        let visit = self.all[index].begin_visit(index);
        let (draft, visit) = match visit {
            None => (self.all[index].take(), NOBODY),
            Some(visit) => {
                let number = self.visits.insert(visit);
                (self.go_on(number).1, number)
            }
        };
        self.find_next();
        (index, draft, visit)
    }

    /// The next request of a visit, and the number of its group before it.
    pub(super) fn go_on(&mut self, visit: u32) -> (usize, Draft) {
        let Visiting {
            source,
            client,
            user,
            left,
        } = &mut self.visits[visit];
        let (index, draw) = (usize::from(*source), *user);
        *left -= 1;
        user.asked += 1;
        (index, self.all[index].draft(*client, draw))
    }

    /// A visit has its answer, or no hope of one: how long its visitor thinks before its next
    /// request; `None` where that was the last, and the number is free.
    pub(super) fn think_in_visit(&mut self, visit: u32) -> Option<Span> {
        let Visiting {
            source, user, left, ..
        } = self.visits[visit];
        if left == 0 {
            self.visits.remove(visit);
            return None;
        }
        Some(self.all[usize::from(source)].think_in_visit(user))
    }

    #[inline]
    fn find_next(&mut self) {
        if self.all.len() > 1 {
            let earliest = (0..self.all.len()).min_by_key(|&i| self.all[i].next);
            self.next = earliest.unwrap_or(0);
        }
    }

    /// The next request of a user of a closed loop, by its number among all clients, and the number
    /// of its group.
    pub(super) fn ask(&mut self, user: u32) -> (usize, Draft) {
        let index = self
            .all
            .partition_point(|source| source.first_client <= user)
            - 1;
        let source = &mut self.all[index];
        (index, source.ask(user - source.first_client))
    }

    /// How long each user of a closed loop thinks before its first request, by its number among all
    /// clients.
    pub(super) fn first_pauses(&self) -> impl Iterator<Item = (u32, Span)> {
        self.all.iter().flat_map(|source| {
            (0..source.users()).map(|user| (source.first_client + user, source.think(user)))
        })
    }
}

impl<'a> std::ops::Index<usize> for Sources<'a> {
    type Output = Source<'a>;
    #[inline]
    fn index(&self, index: usize) -> &Source<'a> {
        &self.all[index]
    }
}

/// A group of clients, with the streams that say what its requests are. What it makes does not
/// depend on what becomes of it, so every strategy meets the same requests; in a closed loop, the
/// same k-th request of each user.
#[derive(Clone, Debug)]
pub(super) struct Source<'a> {
    plan: &'a SourcePlan,
    popularity: &'a Popularity,
    /// The address of each client; empty where no rule looks at it.
    addresses: Cow<'a, [IpAddr]>,
    when: Asking<'a>,
    luck: Rng,
    client: Rng,
    key: Rng,
    size: Rng,
    /// The number of its first client among those of all groups.
    first_client: u32,
    /// The number of the first session of its clients among those of all.
    first_session: u32,
    /// How many sessions each client holds.
    per_client: u32,
    /// When the next request comes; never in a closed loop.
    next: Time,
    /// Whether nobody looks at who asks for what: it is not found out then. It has streams of its
    /// own, so that nothing else becomes another.
    unseen: bool,
}

#[derive(Clone, Debug)]
enum Asking<'a> {
    Process {
        process: Process,
        gaps: Rng,
        bursts: Rng,
    },
    Trace {
        rows: Arc<Rows>,
        at: usize,
    },
    Closed {
        think: Sampler,
        users: Vec<User>,
    },
    Visits {
        plan: &'a Visits,
        process: Process,
        gaps: Rng,
        root: u64,
        /// Visits that have begun.
        begun: u64,
    },
}

/// A visit that is under way.
#[derive(Clone, Copy, Debug)]
struct Visiting {
    source: u16,
    client: u32,
    user: User,
    /// Requests that it still makes.
    left: u32,
}

/// A user of a closed loop: the k-th request and the k-th pause are its own, whenever they come.
#[derive(Clone, Copy, Debug)]
struct User {
    root: u64,
    asked: u32,
}

/// Purposes of a user's luck.
const REQUEST: u64 = 1 << 32;
const THINK: u64 = 2 << 32;
const LENGTH: u64 = 3 << 32;
/// The purpose of a request's luck that says which of its client's sessions it is of.
const HELD: u64 = 0xb00;

impl<'a> Source<'a> {
    /// The group numbered `index`, before its first request.
    fn new(
        plan: &'a SourcePlan,
        index: u64,
        (first_client, first_session): (u32, u32),
        origin: Origin,
        seeds: Seeds,
    ) -> Source<'a> {
        let (when, next) = match &plan.when {
            When::Process(process) => {
                let mut process = process.clone();
                let mut gaps = seeds.stream(Domain::Arrivals, index);
                let mut bursts = seeds.stream(Domain::Burst, index);
                let first = process.first(&mut gaps, &mut bursts);
                (
                    Asking::Process {
                        process,
                        gaps,
                        bursts,
                    },
                    first,
                )
            }
            When::Trace(rows) => {
                let first = rows.rows.first().map_or(Time::NEVER, |row| row.time);
                (
                    Asking::Trace {
                        rows: Arc::clone(rows),
                        at: 0,
                    },
                    first,
                )
            }
            When::Closed(think) => {
                let root = seeds.stream(Domain::User, index).next_u64();
                let count = plan.population.popularity.count();
                let users = (0..count)
                    .map(|user| User {
                        root: mix(root ^ mix(u64::from(user))),
                        asked: 0,
                    })
                    .collect();
                (
                    Asking::Closed {
                        think: think.clone(),
                        users,
                    },
                    Time::NEVER,
                )
            }
            When::Visits(visits) => {
                let mut process = visits.process.clone();
                let mut gaps = seeds.stream(Domain::Arrivals, index);
                let mut bursts = seeds.stream(Domain::Burst, index);
                let first = process.first(&mut gaps, &mut bursts);
                (
                    Asking::Visits {
                        plan: visits,
                        process,
                        gaps,
                        root: seeds.stream(Domain::User, index).next_u64(),
                        begun: 0,
                    },
                    first,
                )
            }
        };
        let stream = |domain| seeds.stream(domain, index);
        let per_client = (plan.sessions.as_ref()).map_or(1, |sessions| sessions.per_client);
        Source {
            plan,
            popularity: &plan.population.popularity,
            addresses: if origin == Origin::Nothing {
                Cow::Borrowed(&[])
            } else {
                plan.population.addresses.of(seeds, index)
            },
            when,
            luck: stream(Domain::Luck),
            client: stream(Domain::Client),
            key: stream(Domain::Key),
            size: stream(Domain::Size),
            first_client,
            first_session,
            per_client,
            next,
            unseen: false,
        }
    }

    /// The request that comes at `self.next`; moves on to the one after.
    #[inline(always)]
    fn take(&mut self) -> Draft {
        match &mut self.when {
            Asking::Process {
                process,
                gaps,
                bursts,
            } => {
                self.next = process.next(self.next, gaps, bursts);
                let (client, key) = if self.unseen {
                    (0, 0)
                } else {
                    let client = self.popularity.draw(&mut self.client);
                    let keys = self.plan.keys.as_ref();
                    let key = keys.map_or(client, |keys| keys.draw(&mut self.key));
                    (client, u64::from(key))
                };
                Draft {
                    client,
                    key,
                    luck: self.luck.next_u64(),
                    size: self
                        .plan
                        .size
                        .as_ref()
                        .map_or(1.0, |size| size.sample(&mut self.size) as f32),
                    service: -1.0,
                }
            }
            Asking::Trace { rows, at } => {
                let row = rows.rows[*at];
                *at += 1;
                self.next = rows.rows.get(*at).map_or(Time::NEVER, |row| row.time);
                Draft {
                    client: row.client,
                    key: (self.plan.keys.as_ref()).map_or(u64::from(row.key), |keys| {
                        u64::from(keys.draw(&mut self.key))
                    }),
                    luck: self.luck.next_u64(),
                    size: self
                        .plan
                        .size
                        .as_ref()
                        .map_or(row.size, |size| size.sample(&mut self.size) as f32),
                    service: row.service,
                }
            }
            Asking::Closed { .. } | Asking::Visits { .. } => {
                unreachable!("users and visitors ask by themselves")
            }
        }
    }

    /// The next client in turn begins a visit, if that is how this group asks.
    #[inline(always)]
    fn begin_visit(&mut self, source: usize) -> Option<Visiting> {
        let Asking::Visits {
            plan,
            process,
            gaps,
            root,
            begun,
        } = &mut self.when
        else {
            return None;
        };
        self.next = process.next(self.next, gaps, &mut self.luck);
        let user = User {
            root: mix(*root ^ mix(*begun)),
            asked: 0,
        };
        let client = (*begun % u64::from(self.popularity.count())) as u32;
        *begun += 1;
        let requests = plan.requests.sample(&mut Luck::new(user.root, LENGTH));
        Some(Visiting {
            source: source as u16,
            client,
            user,
            left: whole(requests),
        })
    }

    /// How long a visitor thinks before its next request.
    fn think_in_visit(&self, user: User) -> Span {
        let Asking::Visits { plan, .. } = &self.when else {
            return Span::FOREVER;
        };
        let mut luck = Luck::new(user.root, THINK | u64::from(user.asked));
        Span::from_seconds(plan.think.sample(&mut luck))
    }

    /// Whether sessions end with visits.
    pub(super) fn logs_out(&self) -> bool {
        matches!(&self.when, Asking::Visits { plan, .. } if plan.logs_out)
    }

    /// The number of one of its clients among those of all groups.
    #[inline]
    pub(super) fn client(&self, draft: &Draft) -> u32 {
        self.first_client + draft.client
    }

    /// The number of one of its clients, among those of all groups, within this one.
    pub(super) fn within(&self, client: u32) -> u32 {
        client - self.first_client
    }

    /// The number of a request's session among those of all clients; of its client's only one,
    /// where it holds none.
    #[inline]
    pub(super) fn session(&self, draft: &Draft) -> u32 {
        if self.per_client == 1 {
            return self.first_session + draft.client;
        }
        let which = below(&mut Luck::new(draft.luck, HELD), self.per_client as usize);
        self.first_session + draft.client * self.per_client + which as u32
    }

    /// Where a client connects from, as far as anybody looks at it.
    pub(super) fn address(&self, client: u32) -> IpAddr {
        *(self.addresses.get(client as usize)).unwrap_or(Request::UNSEEN.address)
    }

    /// What a strategy sees of any request that has tried nobody, where it sees nothing of it.
    #[inline(always)]
    pub(super) fn unseen(&self) -> Option<&'static Request<'static>> {
        self.unseen.then_some(Request::UNSEEN)
    }

    /// What a strategy sees of a request that has tried some members.
    #[inline(always)]
    pub(super) fn seen<'b>(&'b self, draft: &Draft, tried: &'b [MemberId]) -> Request<'b> {
        if self.unseen {
            return Request {
                tried,
                ..*Request::UNSEEN
            };
        }
        let text = |texts: &'b Texts, number: usize| Key::Text(&texts[number]);
        Request {
            client: match &self.plan.population.names {
                None => Key::Number(u64::from(self.client(draft))),
                Some(names) => text(names, draft.client as usize),
            },
            address: (self.addresses.get(draft.client as usize)).unwrap_or(Request::UNSEEN.address),
            port: port(draft.luck),
            key: match &self.plan.key_texts {
                None => Key::Number(draft.key),
                Some(texts) => text(texts, draft.key as usize),
            },
            labels: &self.plan.labels,
            size: draft.size,
            tried,
        }
    }

    /// Users of a closed loop; none in an open one.
    fn users(&self) -> u32 {
        match &self.when {
            Asking::Closed { users, .. } => users.len() as u32,
            _ => 0,
        }
    }

    /// The next request of a user.
    fn ask(&mut self, user: u32) -> Draft {
        let Asking::Closed { users, .. } = &mut self.when else {
            unreachable!("only closed loops have users")
        };
        let place = &mut users[user as usize];
        let draw = *place;
        place.asked += 1;
        self.draft(user, draw)
    }

    /// The request that a user makes who has asked so often before.
    fn draft(&self, client: u32, User { root, asked }: User) -> Draft {
        let mut luck = Luck::new(root, REQUEST | u64::from(asked));
        Draft {
            client,
            key: self
                .plan
                .keys
                .as_ref()
                .map_or(u64::from(client), |keys| u64::from(keys.draw(&mut luck))),
            luck: luck.next_u64(),
            size: self
                .plan
                .size
                .as_ref()
                .map_or(1.0, |size| size.sample(&mut luck) as f32),
            service: -1.0,
        }
    }

    /// How long a user thinks before its next request.
    pub(super) fn think(&self, user: u32) -> Span {
        let Asking::Closed { think, users } = &self.when else {
            return Span::FOREVER;
        };
        let User { root, asked } = users[user as usize];
        Span::from_seconds(think.sample(&mut Luck::new(root, THINK | u64::from(asked))))
    }
}
