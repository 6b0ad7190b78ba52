//! Who can get requests while all are well, and who stands by.

use super::pool::Member;

impl Member {
    /// Whether its configuration lets it have requests at all: it is not marked as down, and has a
    /// weight.
    pub fn is_enabled(&self) -> bool {
        !self.down && self.weight > 0
    }
}

/// All who may have requests.
pub(super) fn nobody(members: &[Member]) -> Vec<bool> {
    members.iter().map(Member::is_enabled).collect()
}

/// The first of those who may have requests, at most so many.
pub(super) fn first(members: &[Member], most: usize) -> Vec<bool> {
    let mut left = most;
    let mut takes_part = |member: &Member| {
        let may = member.is_enabled() && left > 0;
        left -= usize::from(may);
        may
    };
    members.iter().map(&mut takes_part).collect()
}

/// Those that are not backups; where none of these may have requests, the first backups, at most so
/// many.
pub(super) fn backups(members: &[Member], most: usize) -> Vec<bool> {
    let has_active = members
        .iter()
        .any(|member| member.is_enabled() && !member.backup);
    let mut left = if has_active { usize::MAX } else { most };
    let mut takes_part = |member: &Member| {
        let may = member.is_enabled() && member.backup != has_active && left > 0;
        left -= usize::from(may);
        may
    };
    members.iter().map(&mut takes_part).collect()
}

/// Those of the first priorities that together are available enough: a priority counts for its
/// share of hosts that may have requests, times `factor` in percent, at most for the whole.
pub(super) fn priorities(members: &[Member], factor: u32) -> Vec<bool> {
    let mut levels: Vec<u32> = members.iter().map(|member| member.priority).collect();
    levels.sort_unstable();
    levels.dedup();
    let mut available = 0;
    let mut last = 0;
    for level in levels {
        let hosts = || {
            members
                .iter()
                .filter(move |member| member.priority == level)
        };
        // A weight of 0 is unknown to Envoy: such a host is none.
        let own = hosts().filter(|member| member.weight > 0).count() as u64;
        let healthy = hosts().filter(|member| member.is_enabled()).count() as u64;
        let share = (u64::from(factor) * healthy).checked_div(own);
        available += share.unwrap_or(0).min(100);
        last = level;
        if available >= 100 {
            break;
        }
    }
    let takes_part = |member: &Member| member.is_enabled() && member.priority <= last;
    members.iter().map(takes_part).collect()
}

/// Of those who serve, the first by `rank`, and each next one only where all before it have a limit
/// and can be full.
pub(super) fn one_by_one<R: Ord>(
    mut serve: Vec<bool>,
    members: &[Member],
    rank: impl Fn(usize) -> R,
) -> Vec<bool> {
    let mut order: Vec<usize> = (0..members.len()).filter(|&at| serve[at]).collect();
    order.sort_by_key(|&at| rank(at));
    let unlimited = |&at: &usize| members[at].max_connections == 0;
    let last = order.iter().position(unlimited);
    for &beyond in order.iter().skip(last.map_or(order.len(), |last| last + 1)) {
        serve[beyond] = false;
    }
    serve
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(change: impl Fn(u32, &mut Member)) -> Vec<Member> {
        let one = |position| {
            let mut member = Member::new(position, 1);
            change(position, &mut member);
            member
        };
        (0..4).map(one).collect()
    }

    #[test]
    fn backups_stand_by_until_nobody_else_serves() {
        let pool = members(|at, member| member.backup = at > 1);
        assert_eq!(backups(&pool, 1), [true, true, false, false]);
        let without = members(|at, member| (member.backup, member.down) = (at > 1, at < 2));
        assert_eq!(backups(&without, 1), [false, false, true, false]);
        assert_eq!(backups(&without, usize::MAX), [false, false, true, true]);
        let idle = members(|at, member| member.weight = u32::from(at != 3));
        assert_eq!(nobody(&idle), [true, true, true, false]);
    }

    /// The first priority takes all as long as 72% of it are healthy (Envoy's documents, "Priority
    /// levels").
    #[test]
    fn a_priority_that_is_available_enough_takes_all() {
        let pool = members(|at, member| member.priority = at / 3);
        assert_eq!(priorities(&pool, 140), [true, true, true, false]);
        let hurt = members(|at, member| (member.priority, member.down) = (at / 3, at == 0));
        assert_eq!(priorities(&hurt, 140), [false, true, true, true]);
        assert_eq!(priorities(&hurt, 200), [false, true, true, false]);
    }
}
