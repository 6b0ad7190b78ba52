//! What a balancer thinks of its members, for whoever watches.

use super::{Balancer, Reason};
use crate::strategy::MemberId;

impl Balancer {
    /// Whether a member is left out by an opinion of this balancer: by its health checks, or by how
    /// it has answered, be it by the strategy's own rule. Where all get requests because too few
    /// are well, it is so all the same.
    pub fn thinks_ill_of(&self, member: MemberId) -> Option<Reason> {
        let reasons = self.reasons[member as usize];
        let by_rule = || {
            let out = self.left_out.1.contains(&member);
            out.then_some(Reason::Ejected)
        };
        [Reason::Down, Reason::Ejected, Reason::OnTrial]
            .into_iter()
            .find(|&reason| reasons & reason as u8 != 0)
            .or_else(by_rule)
    }

    /// Asks the strategy whom it leaves out by its own rule, if it has changed its mind about that;
    /// says about whom it now thinks otherwise.
    pub fn ask_whom_it_leaves_out(&mut self) -> Vec<MemberId> {
        let changes = self.strategy.changes_of_mind();
        if changes == self.left_out.0 {
            return Vec::new();
        }
        let all = 0..self.pool.len() as MemberId;
        let now: Vec<MemberId> = all
            .filter(|&member| self.strategy.leaves_out(member))
            .collect();
        let (_, before) = std::mem::replace(&mut self.left_out, (changes, now));
        let now = &self.left_out.1;
        let differs = |&member: &MemberId| before.contains(&member) != now.contains(&member);
        (before.iter().chain(now).copied())
            .filter(differs)
            .collect()
    }
}
