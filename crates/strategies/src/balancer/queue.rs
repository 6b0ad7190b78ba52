//! Requests that wait at a balancer: for one member, or for any, each in the order in which they
//! came. HAProxy calls them the server's queue and the backend's queue.

use std::collections::VecDeque;

use crate::strategy::MemberId;

/// Waiting requests, by number.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    arrived: u64,
    /// For any member.
    shared: VecDeque<(u64, u32)>,
    /// For one member; as long as the highest that anybody waited for.
    own: Vec<VecDeque<(u64, u32)>>,
    /// By the number of a request: its last ticket, 0 where it has had none, and whom it waited for
    /// with it. Numbers are given again, so that this is as long as the most requests that there
    /// were at once.
    tickets: Vec<(u64, Option<MemberId>)>,
}

impl Queue {
    /// Lets `request` wait for `member`, or for any.
    pub fn join(&mut self, request: u32, member: Option<MemberId>) {
        self.arrived += 1;
        let ticket = (self.arrived, request);
        let index = request as usize;
        self.tickets
            .resize(self.tickets.len().max(index + 1), (0, None));
        self.tickets[index] = (self.arrived, member);
        match member {
            None => self.shared.push_back(ticket),
            Some(member) => {
                let member = member as usize;
                self.own
                    .resize_with(self.own.len().max(member + 1), VecDeque::new);
                self.own[member].push_back(ticket);
            }
        }
    }

    /// Whether anybody waits whom `member` could take.
    #[inline]
    pub fn is_empty_for(&self, member: MemberId) -> bool {
        self.shared.is_empty() && self.own.get(member as usize).is_none_or(VecDeque::is_empty)
    }

    /// Takes the one who has waited longest of those whom `member` can take, and says whether it
    /// waited for `member` and no other.
    pub fn leave_for(&mut self, member: MemberId) -> Option<(u32, bool)> {
        let shared = self.shared.front().copied();
        let own = self.own.get(member as usize).and_then(|own| own.front());
        let waited_for_it = match (own, shared) {
            (None, None) => return None,
            (Some((own, _)), Some((shared, _))) => *own < shared,
            (own, None) => own.is_some(),
            (None, Some(_)) => false,
        };
        let queue = if waited_for_it {
            &mut self.own[member as usize]
        } else {
            &mut self.shared
        };
        queue
            .pop_front()
            .map(|(_, request)| (request, waited_for_it))
    }

    /// Takes the one who has waited longest of those who wait for `member` and no other.
    pub fn leave_own(&mut self, member: MemberId) -> Option<u32> {
        let own = self.own.get_mut(member as usize)?;
        own.pop_front().map(|(_, request)| request)
    }

    /// Takes out a request that has waited long enough; says for whom it waited, where it did wait.
    pub fn give_up(&mut self, request: u32) -> Option<Option<MemberId>> {
        let &(ticket, member) = self.tickets.get(request as usize)?;
        let queue = match member {
            None => &mut self.shared,
            Some(member) => &mut self.own[member as usize],
        };
        // Tickets rise from the front to the back. Who has left since is not found.
        let place = queue.binary_search_by_key(&ticket, |&(other, _)| other);
        queue.remove(place.ok()?)?;
        Some(member)
    }

    /// Takes all who wait for `member` and no other, the first first.
    pub fn leave_all(&mut self, member: MemberId) -> Vec<u32> {
        self.own
            .get_mut(member as usize)
            .map(|own| own.drain(..).map(|(_, request)| request).collect())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waited_longest_goes_first() {
        let mut queue = Queue::default();
        queue.join(10, Some(1));
        queue.join(11, None);
        queue.join(12, Some(0));
        queue.join(13, Some(1));
        assert_eq!(queue.leave_for(0), Some((11, false)));
        assert_eq!(queue.leave_for(1), Some((10, true)));
        assert_eq!(
            (queue.give_up(12), queue.give_up(12)),
            (Some(Some(0)), None)
        );
        assert!(queue.is_empty_for(0) && !queue.is_empty_for(1));
        // The first two have left; one that never came is not there either.
        assert_eq!((queue.give_up(11), queue.give_up(99)), (None, None));
        assert_eq!(queue.leave_all(1), [13]);
        assert_eq!(queue.leave_for(1), None);
    }
}
