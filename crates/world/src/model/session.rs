//! Sessions: their state lives on the server that began them, and is lost with it or out of its
//! reach.
//!
//! Two things are told apart. A *state* lies on a server, and may be lost. A *session* is what its
//! user has: it goes on where its state is lost, and begins another one. How many sessions there
//! are, when they begin and when they end, therefore does not depend on what is lost, and is the
//! same under every strategy; what is lost is a share of that.

use lbsim_engine::distribution::Sampler;
use lbsim_engine::rng::{Domain, Luck, Seeds, mix};
use lbsim_engine::time::{Span, Time};
use rand::Rng as _;

use super::blueprint::SessionPlan;

/// The sessions of one group of clients: at most one a client, 48 bytes each. Those whose state is
/// at one server stand in a list, so that a crash visits these and no others.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    idle: Span,
    length: Option<Sampler>,
    /// The root of the luck of every session.
    luck: u64,
    table: Vec<Session>,
    /// By server: the client whose state came there last, or [`NOWHERE`]; as long as the highest
    /// that has had any.
    latest: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    /// Where the state is; [`NOWHERE`] for none.
    server: u32,
    /// The clients whose states came to that server before and after, or [`NOWHERE`].
    before: u32,
    after: u32,
    /// States that this client has begun.
    states: u32,
    /// When its client last asked for something: idleness is counted from here.
    asked: Time,
    /// When the state ends at the latest; time zero for one that idleness has ended.
    state_ends: Time,
    /// When the session ends at the latest; time zero as above.
    ends: Time,
    /// Sessions that this client has begun.
    begun: u32,
    /// Whether the session has lost its state since it began, or since the measured window did.
    hurt: bool,
}

const NOWHERE: u32 = u32::MAX;

/// What a served request did to its client's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Touch {
    /// Whether the session began.
    pub(super) began: bool,
    /// Where its state lay, if that is not the server that answered: it was lost, and another one
    /// began.
    pub(super) lost: Option<u32>,
    /// Whether that was the session's first loss.
    pub(super) hurt: bool,
}

/// What a server had to lose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wiped {
    /// States.
    pub(super) lost: u64,
    /// Sessions whose first loss that was.
    pub(super) hurt: u64,
}

impl Sessions {
    /// No sessions yet, for `clients` clients.
    pub(super) fn new(plan: &SessionPlan, clients: usize, seeds: Seeds, source: u64) -> Sessions {
        let none = Session {
            server: NOWHERE,
            before: NOWHERE,
            after: NOWHERE,
            states: 0,
            asked: Time::ZERO,
            state_ends: Time::ZERO,
            ends: Time::ZERO,
            begun: 0,
            hurt: false,
        };
        Sessions {
            idle: plan.idle,
            length: plan.length.clone(),
            luck: seeds.stream(Domain::Session, source).next_u64(),
            table: vec![none; clients],
            latest: Vec::new(),
        }
    }

    /// The state of `client` is nowhere any more.
    fn leave(&mut self, client: u32) {
        let session = &mut self.table[client as usize];
        let server = std::mem::replace(&mut session.server, NOWHERE);
        if server == NOWHERE {
            return;
        }
        let (before, after) = (session.before, session.after);
        if before != NOWHERE {
            self.table[before as usize].after = after;
        }
        if after == NOWHERE {
            self.latest[server as usize] = before;
        } else {
            self.table[after as usize].before = before;
        }
    }

    /// The state of `client`, which was nowhere, is at `server`.
    fn come(&mut self, client: u32, server: u32) {
        let at = server as usize;
        if self.latest.len() <= at {
            self.latest.resize(at + 1, NOWHERE);
        }
        let before = std::mem::replace(&mut self.latest[at], client);
        if before != NOWHERE {
            self.table[before as usize].after = client;
        }
        let session = &mut self.table[client as usize];
        (session.server, session.before, session.after) = (server, before, NOWHERE);
    }

    /// `client` asks for something, whatever comes of it: it is not idle, unless it has been for
    /// too long already.
    pub(super) fn ask(&mut self, client: u32, now: Time) {
        if now > self.table[client as usize].asked + self.idle {
            self.leave(client);
            let session = &mut self.table[client as usize];
            (session.state_ends, session.ends) = (Time::ZERO, Time::ZERO);
        }
        self.table[client as usize].asked = now;
    }

    /// `client` has an answer of `server`.
    pub(super) fn touch(&mut self, client: u32, server: u32, now: Time) -> Touch {
        let length = |number: u32| match &self.length {
            None => Span::FOREVER,
            // The n-th of a client lasts as long under every strategy.
            Some(length) => {
                let mut luck = Luck::new(self.luck ^ mix(u64::from(client)), u64::from(number));
                Span::from_seconds(length.sample(&mut luck))
            }
        };
        let session = &mut self.table[client as usize];
        let began = !session.is_on(now, self.idle);
        let has_state = session.has_state(now, self.idle);
        if began {
            session.begun += 1;
            session.ends = now + length(session.begun);
            session.hurt = false;
        }
        let mut touch = Touch {
            began,
            lost: None,
            hurt: false,
        };
        if has_state && session.server != server {
            touch.lost = Some(session.server);
            touch.hurt = !std::mem::replace(&mut session.hurt, true);
        }
        if !has_state || touch.lost.is_some() {
            session.states += 1;
            session.state_ends = now + length(session.states);
            self.leave(client);
            self.come(client, server);
        }
        touch
    }

    /// `server` has lost all state.
    pub(super) fn wipe(&mut self, server: u32, now: Time) -> Wiped {
        let mut wiped = Wiped::default();
        let Some(latest) = self.latest.get_mut(server as usize) else {
            return wiped;
        };
        let mut next = std::mem::replace(latest, NOWHERE);
        while next != NOWHERE {
            let session = &mut self.table[next as usize];
            if session.has_state(now, self.idle) {
                wiped.lost += 1;
                let first = session.is_on(now, self.idle) && !session.hurt;
                wiped.hurt += u64::from(first);
                session.hurt = true;
            }
            session.server = NOWHERE;
            next = session.before;
        }
        wiped
    }

    /// Whether the last session of a client has ended, as far as client and balancer know: by
    /// idleness or age. That its state died with a server, they learn only there.
    pub(super) fn is_over(&self, client: u32, now: Time) -> bool {
        let session = &self.table[client as usize];
        now > session.asked + self.idle || now > session.state_ends
    }

    /// The measured window begins: what was lost before does not count. Returns how many sessions
    /// are on.
    pub(super) fn begin(&mut self, now: Time) -> u64 {
        let mut on = 0;
        for session in &mut self.table {
            session.hurt = false;
            on += u64::from(session.is_on(now, self.idle));
        }
        on
    }
}

impl Session {
    fn has_state(&self, now: Time, idle: Span) -> bool {
        self.server != NOWHERE && now <= self.asked + idle && now <= self.state_ends
    }

    fn is_on(&self, now: Time, idle: Span) -> bool {
        self.begun > 0 && now <= self.asked + idle && now <= self.ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(seconds: u64) -> Time {
        Time::ZERO + Span::from_secs(seconds)
    }

    const WENT_ON: Touch = Touch {
        began: false,
        lost: None,
        hurt: false,
    };
    const BEGAN: Touch = Touch {
        began: true,
        ..WENT_ON
    };

    #[test]
    fn sessions_go_on_end_and_are_lost() {
        let plan = SessionPlan {
            idle: Span::from_secs(10),
            length: None,
        };
        let mut sessions = Sessions::new(&plan, 2, Seeds::new(1, 0), 0);
        let ask = |sessions: &mut Sessions, server, seconds| {
            sessions.ask(0, at(seconds));
            sessions.touch(0, server, at(seconds))
        };
        assert_eq!(ask(&mut sessions, 3, 0), BEGAN);
        assert_eq!(ask(&mut sessions, 3, 9), WENT_ON);
        let lost = |server, hurt| Touch {
            lost: Some(server),
            hurt,
            ..WENT_ON
        };
        assert_eq!(ask(&mut sessions, 4, 18), lost(3, true));
        // Lost again, and hurt only once.
        assert_eq!(ask(&mut sessions, 5, 19), lost(4, false));
        assert_eq!(ask(&mut sessions, 4, 30), BEGAN);
        let wiped = |lost, hurt| Wiped { lost, hurt };
        assert_eq!(sessions.wipe(4, at(35)), wiped(1, 1));
        assert_eq!(sessions.wipe(4, at(35)), wiped(0, 0));
        // The user's session goes on with another state.
        assert_eq!(ask(&mut sessions, 4, 36), WENT_ON);
        assert_eq!(sessions.begin(at(40)), 1);
        assert_eq!(sessions.wipe(4, at(41)), wiped(1, 1));
        assert_eq!(ask(&mut sessions, 4, 42), WENT_ON);
        // Nobody answers from 43 to 63: a client that asks on keeps its session, one that does not
        // loses it to idleness.
        for seconds in [43, 52, 60] {
            sessions.ask(0, at(seconds));
        }
        assert_eq!(ask(&mut sessions, 4, 66), WENT_ON);
        sessions.ask(0, at(77));
        assert!(sessions.is_over(0, at(77)));
        assert_eq!(sessions.touch(0, 4, at(78)), BEGAN);
    }

    /// Against a search through all: who has a state where, whatever came and went before.
    #[test]
    fn a_crash_finds_all_states_of_its_server_and_no_others() {
        let plan = SessionPlan {
            idle: Span::from_secs(40),
            length: None,
        };
        let mut sessions = Sessions::new(&plan, 30, Seeds::new(1, 0), 0);
        for now in 0..3000 {
            let client = (mix(now) % 30) as u32;
            let server = (mix(now ^ 99) % 5) as u32;
            sessions.ask(client, at(now));
            if mix(now ^ 7).is_multiple_of(3) {
                sessions.touch(client, server, at(now));
            }
            if mix(now ^ 55).is_multiple_of(10) {
                let own = sessions.table.iter().filter(|one| one.server == server);
                let lost = own.filter(|one| one.has_state(at(now), plan.idle)).count() as u64;
                assert_eq!(sessions.wipe(server, at(now)).lost, lost);
                assert!(sessions.table.iter().all(|one| one.server != server));
            }
        }
    }

    /// Sessions of random lengths, whose requests go anywhere: as many begin as where all go to one
    /// server.
    #[test]
    fn what_is_lost_does_not_change_how_many_there_are() {
        let length = json!({ "kind": "exponential", "mean": "30s" });
        let length: lbsim_engine::distribution::Dist<Span> =
            serde_json::from_value(length).unwrap();
        let plan = SessionPlan {
            idle: Span::from_secs(8),
            length: Some(length.sampler().unwrap()),
        };
        let begun = |servers: u32| -> Vec<u64> {
            let mut sessions = Sessions::new(&plan, 20, Seeds::new(1, 0), 0);
            let request = |now: u64| {
                let client = (mix(now) % 20) as u32;
                let server = (mix(now ^ 77) % u64::from(servers)) as u32;
                sessions.ask(client, at(now));
                sessions.touch(client, server, at(now)).began.then_some(now)
            };
            (0..5000).filter_map(request).collect()
        };
        assert!(begun(1).len() > 500);
        assert_eq!(begun(1), begun(7));
    }
}
