//! Sessions: their state lives on the server that began them, and is lost with it or out of its reach.

use crate::dist::Sampler;
use crate::rng::{Domain, Luck, Seeds, mix};
use crate::time::{Span, Time};
use rand::Rng as _;

use super::blueprint::SessionPlan;

/// The sessions of one group of clients: at most one a client, 24 bytes each.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    idle: Span,
    length: Option<Sampler>,
    /// The root of the luck of every session.
    luck: u64,
    table: Vec<Session>,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    /// Where the state is; [`NOWHERE`] for none.
    server: u32,
    /// Sessions that this client has begun.
    begun: u32,
    /// When its client last asked for something: idleness is counted from here.
    asked: Time,
    /// When it ends at the latest; time zero for one that idleness has ended.
    ends: Time,
}

const NOWHERE: u32 = u32::MAX;

/// What a served request did to its client's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Touch {
    /// It went on.
    Continued,
    /// There was none, or it had ended: a new one began.
    Began,
    /// Its state lay on the server named here, and not on the one that answered: it was lost, and a new one
    /// began.
    Lost(u32),
}

impl Sessions {
    /// No sessions yet, for `clients` clients.
    pub(super) fn new(plan: &SessionPlan, clients: usize, seeds: Seeds, source: u64) -> Sessions {
        let none = Session {
            server: NOWHERE,
            begun: 0,
            asked: Time::ZERO,
            ends: Time::ZERO,
        };
        Sessions {
            idle: plan.idle,
            length: plan.length.clone(),
            luck: seeds.stream(Domain::Session, source).next_u64(),
            table: vec![none; clients],
        }
    }

    /// `client` asks for something, whatever comes of it: it is not idle, unless it has been for too long already.
    pub(super) fn ask(&mut self, client: u32, now: Time) {
        let session = &mut self.table[client as usize];
        if now > session.asked + self.idle {
            (session.server, session.ends) = (NOWHERE, Time::ZERO);
        }
        session.asked = now;
    }

    /// `client` has an answer of `server`.
    pub(super) fn touch(&mut self, client: u32, server: u32, now: Time) -> Touch {
        let session = &mut self.table[client as usize];
        let alive = session.is_alive(now, self.idle);
        if alive && session.server == server {
            return Touch::Continued;
        }
        let lost = session.server;
        session.begun += 1;
        // The n-th session of a client lasts as long under every strategy.
        let mut luck = Luck::new(self.luck ^ mix(u64::from(client)), u64::from(session.begun));
        let length = self.length.as_ref().map_or(Span::FOREVER, |length| {
            Span::from_seconds(length.sample(&mut luck))
        });
        session.server = server;
        session.ends = now + length;
        if alive {
            Touch::Lost(lost)
        } else {
            Touch::Began
        }
    }

    /// `server` has lost all state. Returns how many live sessions that ended.
    pub(super) fn wipe(&mut self, server: u32, now: Time) -> u64 {
        let mut lost = 0;
        for session in &mut self.table {
            if session.server == server {
                lost += u64::from(session.is_alive(now, self.idle));
                session.server = NOWHERE;
            }
        }
        lost
    }

    /// Whether the last session of a client has ended, as far as client and balancer know: by idleness or age. That
    /// its state died with a server, they learn only there.
    pub(super) fn is_over(&self, client: u32, now: Time) -> bool {
        let session = &self.table[client as usize];
        now > session.asked + self.idle || now > session.ends
    }

    /// Sessions that are alive.
    pub(super) fn alive(&self, now: Time) -> u64 {
        self.table
            .iter()
            .filter(|session| session.is_alive(now, self.idle))
            .count() as u64
    }
}

impl Session {
    fn is_alive(&self, now: Time, idle: Span) -> bool {
        self.server != NOWHERE && now <= self.asked + idle && now <= self.ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_go_on_end_and_are_lost() {
        let plan = SessionPlan {
            idle: Span::from_secs(10),
            length: None,
        };
        let mut sessions = Sessions::new(&plan, 2, Seeds::new(1, 0), 0);
        let at = |seconds| Time::ZERO + Span::from_secs(seconds);
        let ask = |sessions: &mut Sessions, server, seconds| {
            sessions.ask(0, at(seconds));
            sessions.touch(0, server, at(seconds))
        };
        assert_eq!(ask(&mut sessions, 3, 0), Touch::Began);
        assert_eq!(ask(&mut sessions, 3, 9), Touch::Continued);
        assert_eq!(ask(&mut sessions, 4, 19), Touch::Lost(3));
        assert_eq!(ask(&mut sessions, 4, 30), Touch::Began);
        assert_eq!((sessions.wipe(4, at(35)), sessions.wipe(4, at(35))), (1, 0));
        assert!(!sessions.is_over(0, at(35)));
        assert_eq!(ask(&mut sessions, 4, 36), Touch::Began);
        // Nobody answers from 40 to 60: a client that asks on keeps its session, one that does not loses it to idleness.
        for seconds in [40, 48, 56] {
            sessions.ask(0, at(seconds));
        }
        assert_eq!(ask(&mut sessions, 4, 64), Touch::Continued);
        sessions.ask(0, at(75));
        assert!(sessions.is_over(0, at(75)));
        assert_eq!(sessions.touch(0, 4, at(76)), Touch::Began);
    }
}
