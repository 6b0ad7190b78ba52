//! Requests that hang at a server that is up: they are there, as those that wait for calls are, and
//! nobody works on them.

use super::fault::Effect;
use super::request::{Attempt, NOBODY, Phase};
use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::{Luck, uniform};
use lbsim_engine::status::Status;
use lbsim_engine::time::{Span, Time};

/// The purpose of a request's luck that decides whether it hangs; the number of the attempt is
/// added.
const HANG: u64 = 0x1100;

/// What an attempt that hangs will go on with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hung {
    /// How long it had waited before.
    waited: Span,
    work: Span,
}

impl World<'_> {
    /// Whether an attempt hangs at its server.
    #[cold]
    #[inline(never)]
    pub(super) fn hangs(&self, id: u32) -> bool {
        let Attempt {
            request, server, ..
        } = self.attempts[id];
        if request == NOBODY {
            return false;
        }
        let request = &self.requests[request];
        let mut luck = Luck::new(request.draft.luck, HANG + u64::from(request.attempts));
        let held = self.effects.get(server as usize);
        held.into_iter()
            .flatten()
            .any(|held| matches!(held.effect, Effect::Hang(share) if uniform(&mut luck) < share))
    }

    /// An attempt that found so many, has waited so long and has this much work hangs: on a slot,
    /// unless its server shares itself.
    pub(super) fn hang(&mut self, id: u32, (found, waited, work): (u16, Span, Span), since: Time) {
        let server = &mut self.servers[self.attempts[id].server as usize];
        let held = !server.shares();
        self.attempts[id].phase = Phase::Calling { found, since, held };
        if held {
            server.occupy(id, &mut self.attempts);
        } else {
            server.away += 1;
        }
        self.hung.insert(id, Hung { waited, work });
    }

    /// Nothing hangs at a server any more: what did is worked on, in the order of their places.
    pub(super) fn let_go(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let here = |id: &u32| self.attempts[*id].server == server;
        let freed: Vec<u32> = self.hung.keys().copied().filter(here).collect();
        // Where the server stands still, it goes on with them when it goes on.
        let from = self.stopped.get(&server).copied();
        for id in freed {
            let (Some(hung), Phase::Calling { found, since, held }) =
                (self.hung.remove(&id), self.attempts[id].phase)
            else {
                continue;
            };
            if held {
                let takes = self.servers[server as usize].takes(hung.work);
                let ends = from.unwrap_or(calendar.now()) + takes;
                self.attempts[id].phase = Phase::Serving {
                    found,
                    status: Status::OK,
                    begun: since,
                    waited: hung.waited,
                    ends,
                };
                calendar.at(ends.max(calendar.now()), Event::Finish(id));
                continue;
            }
            self.servers[server as usize].away -= 1;
            self.share_on(id, (found, Status::OK, hung.work), calendar);
            if let Phase::Sharing { since: came, .. } = &mut self.attempts[id].phase {
                *came = since;
            }
        }
    }

    /// The attempts at a server that wait for calls without a slot, or hang so, in the order of
    /// their numbers.
    pub(super) fn away(&self, server: u32) -> Vec<u32> {
        let is_away = |&id: &u32| {
            let Attempt {
                server: at, phase, ..
            } = self.attempts[id];
            at == server && matches!(phase, Phase::Calling { held: false, .. })
        };
        match &self.calls {
            Some(calls) => calls.places().filter(is_away).collect(),
            None => self.hung.keys().copied().filter(is_away).collect(),
        }
    }
}
