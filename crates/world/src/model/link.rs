//! Links: the ways that messages take from one place to another, and what faults do to them there.
//! Every message goes over one: a request and its answer, a health check, a probe, a report, the
//! news that a server is idle.

use super::World;
use super::fault::{Fault, OnTheWay, Place, Strikes};
use lbsim_engine::rng::{Luck, uniform};
use lbsim_engine::time::Span;

/// Purposes of the luck of a message: whether it is lost on its way. Added are the number of the
/// attempt, and, further up, that of the fault.
pub(super) const TO_SERVER: u64 = 0xa00;
pub(super) const FROM_SERVER: u64 = 0xb00;
pub(super) const TO_BALANCER: u64 = 0xc00;
pub(super) const FROM_BALANCER: u64 = 0xd00;

/// How often a message that is lost is sent again, before it is given up (Linux: `tcp_retries2`).
const RETRIES: u32 = 15;

impl World<'_> {
    /// How much longer than usual a message takes from one place to another; `None` where it is
    /// lost. What it meets with follows from its luck and the purpose.
    #[inline(always)]
    pub(super) fn passage(
        &self,
        from: Place,
        to: Place,
        (luck, purpose): (u64, u64),
    ) -> Option<Span> {
        if self.disturbed.is_empty() {
            return Some(Span::ZERO);
        }
        self.disturbed_passage(from, to, (luck, purpose))
    }

    #[cold]
    #[inline(never)]
    fn disturbed_passage(
        &self,
        from: Place,
        to: Place,
        (luck, purpose): (u64, u64),
    ) -> Option<Span> {
        let mut longer = Span::ZERO;
        for (fault, effect) in effects(&self.plan.faults, &self.disturbed, (from, to)) {
            match effect {
                OnTheWay::Cut => return None,
                OnTheWay::Slow(by) => longer += by,
                OnTheWay::Lossy(share, retransmit) => {
                    let mut luck = Luck::new(luck, purpose | u64::from(fault) << 32);
                    longer += sent_again(share, retransmit, &mut luck)?;
                }
            }
        }
        Some(longer)
    }

    /// The balancer that a request came through, as a place.
    #[inline(always)]
    pub(super) fn balancer_of(&self, request: u32) -> Place {
        let request = &self.requests[request];
        Place::Balancer(request.service, request.balancer)
    }
}

/// What faults do at present to what goes from one place to another: which of all, and what.
pub(super) fn effects<'w>(
    faults: &'w [Fault],
    disturbed: &'w [u32],
    (from, to): (Place, Place),
) -> impl Iterator<Item = (u32, OnTheWay)> + 'w {
    disturbed.iter().filter_map(move |&fault| {
        let Strikes::Ways(ways, effect) = &faults[fault as usize].strikes else {
            return None;
        };
        ways.lead(from, to).then_some((fault, *effect))
    })
}

/// How long it takes until a message comes through of which this share is lost each time, where a
/// lost one is sent again after so long, and after twice as long each further time; `None` where it
/// never does.
fn sent_again(share: f64, retransmit: Option<Span>, luck: &mut Luck) -> Option<Span> {
    let mut longer = Span::ZERO;
    let mut pause = retransmit;
    for _ in 0..=RETRIES {
        if uniform(luck) >= share {
            return Some(longer);
        }
        let again = pause?;
        longer += again;
        pause = Some(again + again);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use lbsim_engine::rng::mix;

    /// The mean number of losses is share / (1 - share), and after k of them (2^k - 1) pauses have
    /// passed: 1/2 of 10% ... with a share of 10%, 0.1 + 0.01 * 2 + 0.001 * 4 ... = 0.1 / (1 - 0.2)
    /// pauses. 200,000 draws: standard error 0.0014 or less, so that 0.007 is five of them (false
    /// alarms: one in a million; the seed is fixed).
    #[test]
    fn lost_messages_come_after_pauses_that_double() {
        let pause = Span::from_millis(200);
        let total: f64 = (0..200_000)
            .map(|number| {
                let luck = &mut Luck::new(mix(number), TO_SERVER);
                sent_again(0.1, Some(pause), luck).map_or(0.0, Span::seconds)
            })
            .sum();
        let mean = total / 200_000.0 / pause.seconds();
        assert!((mean - 0.125).abs() < 0.007, "{mean}");
    }

    #[test]
    fn what_is_not_sent_again_is_lost_for_good() {
        let lost = (0..10_000)
            .filter(|&number| sent_again(0.3, None, &mut Luck::new(mix(number), 1)).is_none())
            .count();
        // Binomial: 3,000 with a standard deviation of 46.
        assert!((2_770..3_230).contains(&lost), "{lost}");
        assert_eq!(
            sent_again(1.0, Some(Span::from_millis(1)), &mut Luck::new(1, 1)),
            None
        );
    }
}
