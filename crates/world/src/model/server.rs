//! A server: its slots, its queue, its condition. Requests in a server stand in two lists through
//! the slab of attempts: those that wait, and those that are worked on.

use super::blueprint::{Blueprint, GroupPlan};
use super::discipline::{Queue, Standing, Waiting};
use super::request::{Attempt, NOBODY, Slab};
use super::sharing::Sharing;
use lbsim_engine::time::{Span, Time};

/// What a server does to those that come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It serves them.
    Up,
    /// It refuses them: the process is dead.
    Refusing,
    /// It says nothing: the machine is dead.
    Hanging,
}

/// One server at work; small, since with many servers each visit fetches it from afar.
#[derive(Debug)]
pub(super) struct Server {
    /// Requests it works on at once at present.
    pub(super) slots: u32,
    /// Requests being worked on.
    pub(super) in_service: u32,
    /// Requests waiting.
    pub(super) waiting: u32,
    /// Requests that wait, without a slot, for what has been called in their course.
    pub(super) away: u32,
    queue_limit: u32,
    /// Last come, first served.
    latest_first: bool,
    /// What it does to those that come.
    pub(super) state: State,
    /// Whether it stands still at present.
    pub(super) stands: bool,
    /// Whether some of its answers may be errors at present, never come, or take another time by
    /// how many are there: each is looked at then.
    pub(super) irregular: bool,
    head: u32,
    tail: u32,
    serving: u32,
    /// Its group within its service.
    pub(super) group: u16,
    /// Its service.
    pub(super) service: u16,
    /// Speed at present over configured speed.
    pub(super) pace: f64,
    /// Slot-nanoseconds worked in services that have ended.
    pub(super) worked: u64,
    /// What its discipline keeps, where that is more than a queue in the order of coming.
    keeping: Option<Box<Keeping>>,
}

/// What a discipline keeps of a server.
#[derive(Debug)]
enum Keeping {
    /// All at once.
    Sharing(Sharing),
    /// Who waits, in an order of its own.
    Queue(Box<dyn Queue>),
}

impl Server {
    /// An idle server.
    pub(super) fn new(plan: &GroupPlan, group: u16, service: u16) -> Server {
        Server {
            slots: plan.slots,
            in_service: 0,
            waiting: 0,
            away: 0,
            queue_limit: plan.queue_limit,
            latest_first: plan.discipline.standing() == Standing::AtTheHead,
            state: State::Up,
            stands: false,
            irregular: plan.under_load.is_some(),
            head: NOBODY,
            tail: NOBODY,
            serving: NOBODY,
            group,
            service,
            pace: 1.0,
            worked: 0,
            keeping: match plan.discipline.queue() {
                Some(queue) => Some(Box::new(Keeping::Queue(queue))),
                None if plan.discipline.standing() == Standing::Nowhere => {
                    Some(Box::new(Keeping::Sharing(Sharing::default())))
                }
                None => None,
            },
        }
    }

    /// What its group is like.
    #[inline]
    pub(super) fn group_in<'p>(&self, plan: &'p Blueprint) -> &'p GroupPlan {
        &plan.services[usize::from(self.service)].groups[usize::from(self.group)]
    }

    /// How long work takes here at present that takes `demand` at the configured speed.
    #[inline(always)]
    pub(super) fn takes(&self, demand: Span) -> Span {
        if self.pace == 1.0 {
            demand
        } else {
            Span::from_seconds(demand.seconds() / self.pace)
        }
    }

    /// Requests here, in service or waiting, for a slot or for calls.
    #[inline]
    pub(super) fn present(&self) -> u32 {
        self.in_service + self.waiting + self.away
    }

    /// Whether it is up.
    #[inline]
    pub(super) fn is_up(&self) -> bool {
        self.state == State::Up
    }

    /// Whether a slot is free.
    #[inline]
    pub(super) fn has_free_slot(&self) -> bool {
        self.in_service < self.slots
    }

    /// Whether the queue takes nobody more.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.waiting >= self.queue_limit
    }

    /// Whether it shares itself among all who are there.
    #[inline]
    pub(super) fn shares(&self) -> bool {
        self.sharing().is_some()
    }

    /// All at once, where that is its discipline.
    #[inline]
    pub(super) fn sharing(&self) -> Option<&Sharing> {
        match self.keeping.as_deref() {
            Some(Keeping::Sharing(sharing)) => Some(sharing),
            _ => None,
        }
    }

    /// As [`Server::sharing`].
    #[inline]
    pub(super) fn sharing_mut(&mut self) -> Option<&mut Sharing> {
        match self.keeping.as_deref_mut() {
            Some(Keeping::Sharing(sharing)) => Some(sharing),
            _ => None,
        }
    }

    /// Whether its discipline keeps who waits in an order of its own.
    #[inline]
    pub(super) fn has_own_queue(&self) -> bool {
        matches!(self.keeping.as_deref(), Some(Keeping::Queue(_)))
    }

    /// Puts someone where the discipline has it.
    pub(super) fn enqueue_own(&mut self, one: Waiting, now: Time) {
        if let Some(Keeping::Queue(queue)) = self.keeping.as_deref_mut() {
            queue.join(one, now);
            self.waiting += 1;
        }
    }

    /// Takes out whom the discipline has next; whom it drops before is added to `dropped`.
    pub(super) fn dequeue_own(&mut self, now: Time, dropped: &mut Vec<u32>) -> Option<u32> {
        let Some(Keeping::Queue(queue)) = self.keeping.as_deref_mut() else {
            return None;
        };
        let before = dropped.len();
        let next = queue.next(now, dropped);
        self.waiting -= (dropped.len() - before) as u32 + u32::from(next.is_some());
        next
    }

    /// Takes out someone who makes room for another, if the discipline has it so.
    pub(super) fn make_room(&mut self, for_whom: &Waiting) -> Option<u32> {
        let Some(Keeping::Queue(queue)) = self.keeping.as_deref_mut() else {
            return None;
        };
        let leaves = queue.make_room(for_whom)?;
        self.waiting -= 1;
        Some(leaves)
    }

    /// Whether a server that shares itself takes nobody more: its slots and its queue are one
    /// crowd.
    pub(super) fn sharing_is_full(&self) -> bool {
        let here = self.sharing().map_or(0, Sharing::len);
        here >= self.slots.saturating_add(self.queue_limit)
    }

    /// Puts an attempt into the queue: where it goes next if last come is first served, else at the
    /// end.
    #[inline]
    pub(super) fn enqueue(&mut self, id: u32, attempts: &mut Slab<Attempt>) {
        self.waiting += 1;
        if self.head == NOBODY {
            attempts[id].next = NOBODY;
            (self.head, self.tail) = (id, id);
        } else if self.latest_first {
            attempts[id].next = self.head;
            attempts[self.head].prev = id;
            self.head = id;
        } else {
            let attempt = &mut attempts[id];
            (attempt.next, attempt.prev) = (NOBODY, self.tail);
            attempts[self.tail].next = id;
            self.tail = id;
        }
    }

    /// Takes the next attempt out of the queue.
    #[inline]
    pub(super) fn dequeue(&mut self, attempts: &Slab<Attempt>) -> Option<u32> {
        if self.head == NOBODY {
            return None;
        }
        let id = self.head;
        self.head = attempts[id].next;
        self.waiting -= 1;
        Some(id)
    }

    /// Takes an attempt out of the queue, wherever in it it stands.
    pub(super) fn unqueue(&mut self, id: u32, attempts: &mut Slab<Attempt>) {
        if let Some(Keeping::Queue(queue)) = self.keeping.as_deref_mut() {
            queue.leave(id);
            self.waiting -= 1;
            return;
        }
        let Attempt { next, prev, .. } = attempts[id];
        // What stands before the head is of no account, so that taking the head need not touch the
        // one behind.
        let is_head = self.head == id;
        if is_head {
            self.head = next;
        } else {
            attempts[prev].next = next;
        }
        if next != NOBODY {
            attempts[next].prev = prev;
        } else if !is_head {
            self.tail = prev;
        }
        self.waiting -= 1;
    }

    /// Gives an attempt a slot.
    #[inline]
    pub(super) fn occupy(&mut self, id: u32, attempts: &mut Slab<Attempt>) {
        self.in_service += 1;
        let attempt = &mut attempts[id];
        attempt.next = self.serving;
        attempt.prev = NOBODY;
        if self.serving != NOBODY {
            attempts[self.serving].prev = id;
        }
        self.serving = id;
    }

    /// Frees the slot of an attempt.
    #[inline]
    pub(super) fn vacate(&mut self, attempt: &Attempt, attempts: &mut Slab<Attempt>) {
        self.in_service -= 1;
        let &Attempt { next, prev, .. } = attempt;
        if prev == NOBODY {
            self.serving = next;
        } else {
            attempts[prev].next = next;
        }
        if next != NOBODY {
            attempts[next].prev = prev;
        }
    }

    /// The attempts being worked on, newest first.
    pub(super) fn serving<'a>(
        &self,
        attempts: &'a Slab<Attempt>,
    ) -> impl Iterator<Item = u32> + use<'a> {
        chain(self.serving, attempts)
    }
}

fn chain(first: u32, attempts: &Slab<Attempt>) -> impl Iterator<Item = u32> {
    let some = |id: u32| (id != NOBODY).then_some(id);
    std::iter::successors(some(first), move |&id| some(attempts[id].next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::discipline::Discipline;
    use crate::model::request::Phase;
    use proptest::prelude::*;

    proptest! {
        /// Against a plain list: whoever stands anywhere may leave.
        #[test]
        fn a_queue_may_be_left_anywhere(steps in prop::collection::vec((0u8..4, any::<usize>()), 1..200), lifo: bool) {
            let discipline = if lifo { Discipline::Lifo } else { Discipline::Fifo };
            let mut server = Server::new(&GroupPlan { discipline, ..GroupPlan::of_one_slot() }, 0, 0);
            let mut attempts = Slab::default();
            let mut model: Vec<u32> = Vec::new();
            for (step, word) in steps {
                match step {
                    0 | 1 => {
                        let id = attempts.insert(Attempt {
                            request: 0,
                            server: 0,
                            next: 77,
                            prev: 77,
                            sent: Time::ZERO,
                            deadline: Time::NEVER,
                            phase: Phase::Gone,
                        });
                        server.enqueue(id, &mut attempts);
                        model.insert(if lifo { 0 } else { model.len() }, id);
                    }
                    2 if !model.is_empty() => {
                        let id = model.remove(word % model.len());
                        server.unqueue(id, &mut attempts);
                    }
                    _ => {
                        let first = (!model.is_empty()).then(|| model.remove(0));
                        prop_assert_eq!(server.dequeue(&attempts), first);
                    }
                }
                prop_assert_eq!(server.waiting as usize, model.len());
            }
            let rest: Vec<u32> = std::iter::from_fn(|| server.dequeue(&attempts)).collect();
            prop_assert_eq!(rest, model);
        }
    }

    #[test]
    fn servers_are_small() {
        assert!(size_of::<Server>() <= 64);
    }
}
