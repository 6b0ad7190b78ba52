//! Named streams of random numbers.
//!
//! A stream is named by (seed, replication, [`Domain`], entity): randomness belongs to things, not
//! to moments. What one purpose draws never shifts what another sees, so strategies are compared on
//! the very same requests, sizes, faults and network luck (common random numbers).

use std::convert::Infallible;

use rand::{SeedableRng, TryRng};

/// The generator behind every stream: xoshiro256++ (Blackman and Vigna, 2019), named and portable.
pub type Rng = rand_xoshiro::Xoshiro256PlusPlus;

/// What a stream is for. The numbers are part of the results: never renumber, never reuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Domain {
    /// Gaps between arrivals; entity: client group.
    Arrivals = 1,
    /// Each request's own luck, from which its service times and network delays follow; entity:
    /// client group.
    Luck = 2,
    /// Which client sends a request; entity: client group.
    Client = 3,
    /// The key a request asks for; entity: client group.
    Key = 4,
    /// The size of a request; entity: client group.
    Size = 5,
    /// Crashes and repairs, and which servers a fault strikes that strikes a part of them; entity:
    /// fault and server, or fault and a number that no server has.
    Fault = 6,
    /// Phases of health checks; entity: balancer and server.
    Health = 7,
    /// A strategy's own draws; entity: balancer.
    Strategy = 8,
    /// Phases of monitoring agents; entity: server.
    Agent = 9,
    /// One user of a closed loop: think times and the luck of its requests; entity: user.
    User = 10,
    /// Addresses of a generated population; entity: client group.
    Address = 11,
    /// Which of several balancers a client comes through; entity: service.
    Route = 12,
    /// How long sessions last; entity: client group.
    Session = 13,
    /// States of a bursty arrival process; entity: client group.
    Burst = 14,
    /// Where hash functions put keys and members; entity: service.
    Placement = 15,
    /// Delays and losses of messages that have nothing to do with a request: checks, reports.
    Message = 16,
    /// Which requests go elsewhere while a member comes back little by little; entity: balancer.
    SlowStart = 17,
    /// Phases of a balancer's looks at its members; entity: balancer.
    Look = 18,
    /// How long servers boot that an autoscaler has ordered; entity: server.
    Boot = 19,
    /// What a strategy would draw that were asked for each request, beside affinity; entity:
    /// balancer.
    Shadow = 20,
    /// Which requests leave the zone of their balancer; entity: balancer.
    Spill = 21,
    /// Connections that are opened ahead, before any request wants them; entity: service.
    Ahead = 22,
}

/// The root of all streams of one cell. Two strategies of one replication share it.
#[derive(Clone, Copy, Debug)]
pub struct Seeds {
    seed: u64,
    replication: u64,
}

impl Seeds {
    /// The streams of one replication of the experiment with this seed.
    pub const fn new(seed: u64, replication: u64) -> Seeds {
        Seeds { seed, replication }
    }

    /// The stream for one purpose of one entity. The same four names give the same stream, whatever
    /// else has been drawn.
    ///
    /// ```
    /// use lbsim_engine::rng::{Domain, Seeds};
    /// use rand::Rng as _;
    /// let seeds = Seeds::new(42, 0);
    /// let mut a = seeds.stream(Domain::Arrivals, 3);
    /// let mut b = seeds.stream(Domain::Arrivals, 3);
    /// assert_eq!(a.next_u64(), b.next_u64());
    /// ```
    pub fn stream(&self, domain: Domain, entity: u64) -> Rng {
        let mut state = mix(self.seed);
        for name in [self.replication, domain as u64, entity] {
            state = mix(state ^ mix(name));
        }
        Rng::seed_from_u64(state)
    }
}

/// A short stream that belongs to one request: SplitMix64 (Steele, Lea and Flood, 2014) started
/// from the request's luck. It costs nothing to make, so each attempt and each purpose has its own.
#[derive(Clone, Copy, Debug)]
pub struct Luck(u64);

impl Luck {
    /// The stream that `luck`, a request's random word, gives for one purpose (an attempt number, a
    /// leg of the network).
    #[inline]
    pub const fn new(luck: u64, purpose: u64) -> Luck {
        Luck(luck ^ purpose.wrapping_mul(0xd134_2543_de82_ef95))
    }
}

impl TryRng for Luck {
    type Error = Infallible;
    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|word| (word >> 32) as u32)
    }
    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let word = mix(self.0);
        self.0 = self.0.wrapping_add(STEP);
        Ok(word)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.try_next_u64()?.to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// The step of SplitMix64: 2^64 over the golden ratio, made odd (Steele, Lea and Flood, "Fast
/// splittable pseudorandom number generators", OOPSLA 2014).
pub const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The step and the finalizer of SplitMix64: a bijection of words in which every input bit moves
/// about half of the output bits.
#[inline]
pub const fn mix(word: u64) -> u64 {
    finalize(word.wrapping_add(STEP))
}

/// The finalizer of SplitMix64. It leaves 0 as it is.
#[inline]
pub const fn finalize(word: u64) -> u64 {
    let mut z = word;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A uniform float in [0, 1) with 53 random bits.
#[inline]
pub fn uniform(rng: &mut impl rand::Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A uniform float in (0, 1]: safe to take the logarithm of.
#[inline]
pub fn uniform_open(rng: &mut impl rand::Rng) -> f64 {
    ((rng.next_u64() >> 11) + 1) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A uniform index below `n`: [`number_below`] for the places of a list.
#[inline]
pub fn below(rng: &mut impl rand::Rng, n: usize) -> usize {
    number_below(rng, n as u64) as usize
}

/// A uniform number below `n` by multiplication (Lemire, ACM TOMACS 29(1), 2019, without the
/// rejection step: for n below 2^32 its bias is under 2^-32, far below what a simulation can see).
#[inline]
pub fn number_below(rng: &mut impl rand::Rng, n: u64) -> u64 {
    ((u128::from(rng.next_u64()) * u128::from(n)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    /// First words of each stream: a change here changes every published result, and is written in
    /// the changelog as value-breaking.
    #[test]
    fn streams_are_pinned() {
        let first = |domain| Seeds::new(1, 2).stream(domain, 3).next_u64();
        assert_eq!(first(Domain::Arrivals), 0xf6e0_be3c_7b2b_70a2);
        assert_eq!(first(Domain::Strategy), 0x1059_62e0_3fcd_514f);
        assert_eq!(Luck::new(1, 2).next_u64(), 0x4e76_28b6_dc84_9e46);
        // The first two words of SplitMix64 as published, from state 0.
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(finalize(STEP.wrapping_mul(2)), 0x6e78_9e6a_a1b9_65f4);
    }

    /// Neighbouring names must not give similar streams: over 4,096 pairs the correlation of first
    /// uniforms stays within 4.5 standard errors (false alarm 7e-6 a pair family).
    #[test]
    fn neighbours_do_not_correlate() {
        let n = 4096;
        let draw = |entity, domain| uniform(&mut Seeds::new(7, 0).stream(domain, entity)) - 0.5;
        let lucky = |word, purpose| uniform(&mut Luck::new(mix(word), purpose)) - 0.5;
        let by_entity: f64 = (0..n)
            .map(|i| draw(i, Domain::Luck) * draw(i + 1, Domain::Luck))
            .sum();
        let by_domain: f64 = (0..n)
            .map(|i| draw(i, Domain::Luck) * draw(i, Domain::Key))
            .sum();
        let by_purpose: f64 = (0..n).map(|i| lucky(i, 0) * lucky(i, 1)).sum();
        for sum in [by_entity, by_domain, by_purpose] {
            assert!((sum * 12.0 / (n as f64).sqrt()).abs() < 4.5, "{sum}");
        }
    }

    #[test]
    fn uniforms_stay_in_their_interval() {
        let mut rng = Seeds::new(1, 1).stream(Domain::Luck, 0);
        for _ in 0..10_000 {
            assert!((0.0..1.0).contains(&uniform(&mut rng)));
            let open = uniform_open(&mut rng);
            assert!(open > 0.0 && open <= 1.0);
            assert!(below(&mut rng, 7) < 7);
        }
    }
}
