//! Earliest deadline first: each host is due again after one over its weight. (Envoy 1.40,
//! source/extensions/load_balancing_policies/common and source/common/upstream/edf_scheduler.h)

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::strategy::MemberId;

/// Hosts by deadline.
#[derive(Clone, Debug)]
pub(super) struct Edf {
    queue: BinaryHeap<Reverse<Deadline>>,
    now: f64,
    added: u64,
}

#[derive(Clone, Copy, Debug)]
struct Deadline {
    deadline: f64,
    order: u64,
    member: MemberId,
}

impl PartialEq for Deadline {
    fn eq(&self, other: &Deadline) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Deadline {}

impl PartialOrd for Deadline {
    fn partial_cmp(&self, other: &Deadline) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Deadline {
    fn cmp(&self, other: &Deadline) -> std::cmp::Ordering {
        self.deadline
            .total_cmp(&other.deadline)
            .then(self.order.cmp(&other.order))
    }
}

impl Edf {
    /// A schedule over hosts and their weights as it stands after `picks` picks: at once, however
    /// many they are. (`EdfScheduler::createWithPicks`)
    pub(super) fn after(picks: u32, hosts: &[(MemberId, f64)]) -> Edf {
        let picks = f64::from(picks);
        let weights: Vec<f64> = hosts.iter().map(|&(_, weight)| weight + 1e-13).collect();
        let total: f64 = weights.iter().sum();
        let mut edf = Edf {
            queue: BinaryHeap::new(),
            now: 0.0,
            added: 0,
        };
        let mut done = 0.0;
        for (&(member, _), &weight) in hosts.iter().zip(&weights) {
            let mut floor = (weight * picks / total).floor();
            if floor > 0.0 && floor / weight >= picks / total {
                floor -= 1.0;
            }
            done += floor;
            edf.now = edf.now.max(floor / weight);
            edf.queue.push(Reverse(Deadline {
                deadline: (floor + 1.0) / weight,
                order: edf.added,
                member,
            }));
            edf.added += 1;
        }
        let by_member: BTreeMap<MemberId, f64> = hosts.iter().copied().collect();
        // A few for each host; none where there is no host.
        for _ in 0..(picks - done) as usize {
            if edf.pick(|member| by_member[&member]).is_none() {
                break;
            }
        }
        edf
    }

    /// Takes the host that is due, and lets it be due again by its weight of now.
    pub(super) fn pick(&mut self, weight: impl Fn(MemberId) -> f64) -> Option<MemberId> {
        let Reverse(Deadline {
            deadline, member, ..
        }) = self.queue.pop()?;
        self.now = deadline;
        self.queue.push(Reverse(Deadline {
            deadline: deadline + 1.0 / weight(member),
            order: self.added,
            member,
        }));
        self.added += 1;
        Some(member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Zones of which none takes anything, and pools that have emptied.
    #[test]
    fn nobody_is_due_where_nobody_is() {
        let begun = std::time::Instant::now();
        for _ in 0..1000 {
            assert_eq!(Edf::after(429_496_728, &[]).pick(|_| 1.0), None);
        }
        assert!(begun.elapsed().as_secs() < 5);
    }

    #[test]
    fn shares_follow_weights_from_any_start() {
        let hosts = [(0, 3.0), (1, 2.0), (2, 1.0)];
        for start in [0, 1, 5, 1_000_003] {
            let mut edf = Edf::after(start, &hosts);
            let mut hits = [0; 3];
            for _ in 0..600 {
                let member = edf.pick(|member| hosts[member as usize].1).unwrap();
                hits[member as usize] += 1;
            }
            for (hit, due) in hits.into_iter().zip([300i32, 200, 100]) {
                assert!((hit - due).abs() <= 1, "{hits:?} from {start}");
            }
        }
    }
}
