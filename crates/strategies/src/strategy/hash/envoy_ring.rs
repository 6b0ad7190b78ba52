//! The ring of Envoy and of gRPC: as many points for each host as its weight is worth, placed by a
//! hash of its address and a number. (Envoy 1.40,
//! source/extensions/load_balancing_policies/ring_hash/ring_hash_lb.cc)

use crate::strategy::MemberId;

/// Points in order.
#[derive(Clone, Debug, Default)]
pub struct EnvoyRing {
    points: Vec<(u64, MemberId)>,
}

impl EnvoyRing {
    /// A ring of hosts, each with its address and weight, of about `least` to `most` points in all,
    /// placed by `hash`.
    pub fn new(
        hosts: &[(MemberId, &str, f64)],
        (least, most): (u64, u64),
        hash: impl Fn(&[u8]) -> u64,
    ) -> EnvoyRing {
        let total: f64 = hosts.iter().map(|&(.., weight)| weight).sum();
        let smallest = hosts
            .iter()
            .map(|&(.., weight)| weight / total)
            .fold(1.0, f64::min);
        let scale = ((smallest * least as f64).ceil() / smallest).min(most as f64);
        let (mut current, mut target) = (0.0, 0.0);
        let mut points = Vec::new();
        for &(member, address, weight) in hosts {
            target += scale * weight / total;
            let mut number = 0u64;
            while current < target {
                points.push((hash(format!("{address}_{number}").as_bytes()), member));
                current += 1.0;
                number += 1;
            }
        }
        points.sort_unstable();
        EnvoyRing { points }
    }

    /// How many points there are.
    pub fn points(&self) -> usize {
        self.points.len()
    }

    /// The host of the first point at or after a hash; for the k-th attempt, of the k-th point
    /// further on.
    pub fn pick(&self, hash: u64, attempt: usize) -> Option<MemberId> {
        let at = self.points.partition_point(|&(point, _)| point < hash);
        let at = if at == self.points.len() { 0 } else { at };
        let count = self.points.len().max(1);
        self.points
            .get((at + attempt) % count)
            .map(|&(_, member)| member)
    }
}
