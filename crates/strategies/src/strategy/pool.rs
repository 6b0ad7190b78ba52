//! The members of a balancer's pool: how they are configured, and what the balancer counts of them.

use std::sync::Arc;

use super::context::Labels;
use lbsim_engine::prefetch::prefetch;
use lbsim_engine::time::Span;

/// A server as a pool sees it: its index in the order of the scenario.
pub type MemberId = u32;

/// A server as a balancer's configuration describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Host and port, as text: `10.0.0.1:80`. Several products place servers by a hash of it.
    pub address: String,
    /// Its number where a product gives one (HAProxy's `id`): by default its position, from 1.
    pub id: u32,
    /// Weight.
    pub weight: u32,
    /// Whether it gets requests only where no other can (nginx, HAProxy: `backup`).
    pub backup: bool,
    /// Whether it is marked as down in the configuration (nginx: `down`, HAProxy: `disabled`).
    pub down: bool,
    /// Requests at once at most; 0 for no limit (nginx: `max_conns`, HAProxy: `maxconn`, IPVS:
    /// upper threshold).
    pub max_connections: u32,
    /// HAProxy: `minconn`; IPVS: lower threshold; 0 for none.
    pub min_connections: u32,
    /// Requests that may wait for it at the balancer; 0 for no limit (HAProxy: `maxqueue`).
    pub max_queue: u32,
    /// Failures after which it is left alone, where that is not what the strategy says (nginx:
    /// `max_fails`).
    pub max_fails: Option<u32>,
    /// How long it is left alone then, where that is not what the strategy says (nginx:
    /// `fail_timeout`).
    pub fail_timeout: Option<Span>,
    /// How long it takes to its full weight when it comes back, where that is not what the strategy
    /// says (HAProxy: `slowstart`).
    pub slow_start: Option<Span>,
    /// Where it stands, where the scenario has zones.
    pub zone: Option<String>,
    /// Its priority; those of 0 come first (Envoy).
    pub priority: u32,
    /// Its metadata (Envoy: subsets).
    pub labels: Labels,
}

impl Member {
    /// A member of nothing but a weight, by its position from 0.
    pub fn new(position: u32, weight: u32) -> Member {
        let [_, a, b, c] = (position + 1).to_be_bytes();
        Member {
            name: format!("server-{}", position + 1),
            address: format!("10.{a}.{b}.{c}:80"),
            id: position + 1,
            weight,
            backup: false,
            down: false,
            max_connections: 0,
            min_connections: 0,
            max_queue: 0,
            max_fails: None,
            fail_timeout: None,
            slow_start: None,
            zone: None,
            priority: 0,
            labels: Labels::new(),
        }
    }
}

/// The members of one balancer's pool by its own counting. Ineligible members are down by its
/// health checks, draining, or absent: no rule asks why.
#[derive(Clone, Debug)]
pub struct Pool {
    members: Arc<[Member]>,
    weights: Vec<u32>,
    in_flight: Vec<u32>,
    /// Whether each is part of the pool at present.
    present: Vec<bool>,
    /// Requests that wait at the balancer for each member; empty where none ever did.
    waiting_for: Vec<u32>,
    /// Requests that wait at the balancer for any member.
    waiting: u32,
    /// The eligible, in no order.
    eligible: Vec<MemberId>,
    /// Where each member stands in `eligible`; `ABSENT` for those that do not.
    place: Vec<u32>,
    /// The eligible as bits, in order.
    bits: Vec<u64>,
    placement: u64,
    /// The way to each on average; empty where none takes any time.
    ways: Vec<Span>,
    /// Where its balancer stands.
    zone: Option<String>,
}

const ABSENT: u32 = u32::MAX;

impl Pool {
    /// A pool of these members, all eligible and idle.
    pub fn new(members: Arc<[Member]>) -> Pool {
        let n = members.len();
        let mut pool = Pool {
            weights: members.iter().map(|member| member.weight).collect(),
            members,
            in_flight: vec![0; n],
            present: vec![true; n],
            waiting_for: Vec::new(),
            waiting: 0,
            eligible: Vec::with_capacity(n),
            place: vec![ABSENT; n],
            bits: vec![0; n.div_ceil(64)],
            placement: 0,
            ways: Vec::new(),
            zone: None,
        };
        for member in 0..n as MemberId {
            pool.set_eligible(member, true);
        }
        pool
    }

    /// The same pool with another [`placement`](Self::placement).
    pub fn placed_by(self, placement: u64) -> Pool {
        Pool { placement, ..self }
    }

    /// The same pool, to whose members the [`way`](Self::way) takes so long, by member.
    pub fn reached_by(self, ways: Vec<Span>) -> Pool {
        Pool { ways, ..self }
    }

    /// The same pool, of a balancer that stands in this zone; in none where it has no name.
    pub fn standing_in(self, zone: &str) -> Pool {
        let zone = (!zone.is_empty()).then(|| zone.to_owned());
        Pool { zone, ..self }
    }

    /// The zone in which this balancer stands, which is that of its caller where each has its own.
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    /// How long a message takes from this balancer to a member on average, where all is well: what
    /// a table of ways would say.
    #[inline]
    pub fn way(&self, member: MemberId) -> Span {
        self.ways
            .get(member as usize)
            .copied()
            .unwrap_or(Span::ZERO)
    }

    /// A random word of the run, the same for all balancers over the pool: with it the hash
    /// functions of textbooks and papers are salted, so that each replication has a placement of
    /// keys and members of its own. Products' own hashes are what they are, and do not look at it.
    pub fn placement(&self) -> u64 {
        self.placement
    }

    /// How many members there are, eligible or not.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Whether there is no member at all.
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// The members as they are configured.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Whether a member is part of the pool at present, up or down: one that is not yet, or no
    /// longer, is as if it did not stand in the configuration.
    #[inline]
    pub fn is_present(&self, member: MemberId) -> bool {
        self.present[member as usize]
    }

    /// Requests that wait at the balancer for this member and no other.
    #[inline]
    pub fn waiting_for(&self, member: MemberId) -> u32 {
        self.waiting_for.get(member as usize).copied().unwrap_or(0)
    }

    /// Requests that wait at the balancer for any member.
    #[inline]
    pub fn waiting(&self) -> u32 {
        self.waiting
    }

    /// The weight of a member at present.
    #[inline]
    pub fn weight(&self, member: MemberId) -> u32 {
        self.weights[member as usize]
    }

    /// All weights, by member.
    pub fn weights(&self) -> &[u32] {
        &self.weights
    }

    /// Whether all weights are the same.
    pub fn is_even(&self) -> bool {
        self.weights.windows(2).all(|pair| pair[0] == pair[1])
    }

    /// Requests that this balancer has sent to a member and that have not ended.
    #[inline]
    pub fn in_flight(&self, member: MemberId) -> u32 {
        self.in_flight[member as usize]
    }

    /// The eligible members, in no particular order.
    #[inline]
    pub fn eligible(&self) -> &[MemberId] {
        &self.eligible
    }

    /// Whether a member may be picked.
    #[inline]
    pub fn is_eligible(&self, member: MemberId) -> bool {
        self.place[member as usize] != ABSENT
    }

    /// The first eligible member at or after `from` in the order of the scenario, round the end.
    ///
    /// # Panics
    /// Where no member is eligible: a rule is never asked then.
    pub fn next_eligible(&self, from: MemberId) -> MemberId {
        let from = if (from as usize) < self.len() {
            from as usize
        } else {
            from as usize % self.len()
        };
        let head = self.bits[from / 64] & (u64::MAX << (from % 64));
        if head != 0 {
            return (from / 64 * 64) as u32 + head.trailing_zeros();
        }
        let words = self.bits.len();
        (1..=words)
            .map(|step| (from / 64 + step) % words)
            .find(|&word| self.bits[word] != 0)
            .map(|word| (word * 64) as u32 + self.bits[word].trailing_zeros())
            .expect("a rule is asked only where somebody is eligible")
    }

    /// Takes a member among the eligible or out of them; says whether that was news.
    pub fn set_eligible(&mut self, member: MemberId, eligible: bool) -> bool {
        if self.is_eligible(member) == eligible {
            return false;
        }
        let bit = 1 << (member % 64);
        if eligible {
            self.place[member as usize] = self.eligible.len() as u32;
            self.eligible.push(member);
            self.bits[member as usize / 64] |= bit;
        } else {
            let place = std::mem::replace(&mut self.place[member as usize], ABSENT);
            self.eligible.swap_remove(place as usize);
            if let Some(&moved) = self.eligible.get(place as usize) {
                self.place[moved as usize] = place;
            }
            self.bits[member as usize / 64] &= !bit;
        }
        true
    }

    /// Takes a member into the pool or out of it.
    pub fn set_present(&mut self, member: MemberId, present: bool) {
        self.present[member as usize] = present;
    }

    /// Changes the weight of a member.
    pub fn set_weight(&mut self, member: MemberId, weight: u32) {
        self.weights[member as usize] = weight;
    }

    /// Counts a request that begins to wait for `member`, or for any, or no longer does.
    pub fn count_waiting(&mut self, member: Option<MemberId>, change: i32) {
        let count = match member {
            Some(member) => {
                self.waiting_for.resize(self.weights.len(), 0);
                &mut self.waiting_for[member as usize]
            }
            None => &mut self.waiting,
        };
        *count = count.saturating_add_signed(change);
    }

    /// Begins to fetch what is known of a member.
    #[inline]
    pub fn foresee(&self, member: MemberId) {
        prefetch(&self.in_flight, member as usize);
    }

    /// Counts a request sent.
    #[inline]
    pub fn sent(&mut self, member: MemberId) {
        self.in_flight[member as usize] += 1;
    }

    /// Counts a request ended.
    #[inline]
    pub fn ended(&mut self, member: MemberId) {
        debug_assert!(self.in_flight[member as usize] > 0);
        self.in_flight[member as usize] -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_three_views_of_eligibility_agree(n in 1usize..200, flips in prop::collection::vec((any::<u32>(), any::<bool>()), 0..300), from in any::<u32>()) {
            let mut pool = Pool::new((0..n as u32).map(|position| Member::new(position, 1)).collect());
            let mut model = vec![true; n];
            for (member, on) in flips {
                let member = member % n as u32;
                prop_assert_eq!(pool.set_eligible(member, on), model[member as usize] != on);
                model[member as usize] = on;
            }
            let mut listed = pool.eligible().to_vec();
            listed.sort_unstable();
            let expected: Vec<u32> = (0..n as u32).filter(|&m| model[m as usize]).collect();
            prop_assert_eq!(&listed, &expected);
            if !expected.is_empty() {
                let from = from % n as u32;
                let next = expected.iter().find(|&&m| m >= from).unwrap_or(&expected[0]);
                prop_assert_eq!(pool.next_eligible(from), *next);
            }
        }
    }
}
