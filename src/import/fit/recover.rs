//! From stays to service times, for a server of which discipline and slots are supposed.

use super::prepared::Prepared;
use super::{Candidate, Discipline};

/// The service times that the visits must have had, were the server the candidate; nanoseconds, in
/// order of arrival.
///
/// First come, first served with c slots: the i-th to come begins when it is there and all but
/// c - 1 of those before it have left, at max(aᵢ, D₍ᵢ₋꜀₎), with D₍ₖ₎ the k-th departure in order of
/// time. This is the recursion of Kiefer and Wolfowitz (Transactions of the American Mathematical
/// Society 78, 1955) read backwards. It is negative where a request left that cannot have begun.
///
/// Processor sharing over c slots: what is done for a request that is there is the growth of one
/// clock, ∫ min(1, c/N(t)) dt.
pub(super) fn recover(log: &Prepared, candidate: Candidate) -> Vec<f64> {
    match candidate.discipline {
        Discipline::Fifo => in_turn(log, candidate.slots as usize),
        Discipline::ProcessorSharing => shared(log, candidate.slots),
    }
}

fn in_turn(log: &Prepared, slots: usize) -> Vec<f64> {
    let order = turns(log, slots);
    let nth = |k: usize| log.departures.get(k).copied().unwrap_or(i64::MAX);
    let mut service = vec![0.0; log.len()];
    for (place, visit) in order.into_iter().enumerate() {
        let (arrived, left) = (log.arrived[visit], log.left[visit]);
        let free = match place.checked_sub(slots).map_or(i64::MIN, nth) {
            // Others must have left: its own departure does not make room for it.
            own if own >= left => nth(place + 1 - slots).min(own.saturating_add(log.median as i64)),
            free => free,
        };
        service[visit] = (left - arrived.max(free)) as f64;
    }
    service
}

/// The visits in the order in which they come to their turn: that of arrival. With one slot who
/// leaves first came first, which says the order of those who came within a few ticks of the clock;
/// with more it would favour short service times.
fn turns(log: &Prepared, slots: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..log.len()).collect();
    let close = (2.0 * log.resolution) as i64;
    for i in 1..if slots == 1 { order.len() } else { 0 } {
        let mut place = i;
        while place > 0 {
            let (before, own) = (order[place - 1], order[place]);
            let apart = log.arrived[own] - log.arrived[before];
            if log.left[own] >= log.left[before] || apart > close {
                break;
            }
            order.swap(place - 1, place);
            place -= 1;
        }
    }
    order
}

fn shared(log: &Prepared, slots: u32) -> Vec<f64> {
    let mut work = vec![0.0; log.len()];
    let (mut clock, mut now, mut present) = (0.0_f64, 0_i64, 0_u32);
    for happening in &log.happenings {
        clock += (happening.at - now) as f64 * rate(slots, present);
        now = happening.at;
        let own = &mut work[happening.visit as usize];
        if happening.leaves {
            *own = clock - *own;
            present = present.saturating_sub(1);
            // Where nobody is, the clock may begin anew: it keeps its precision however long the
            // log.
            if present == 0 {
                clock = 0.0;
            }
        } else {
            *own = clock;
            present += 1;
        }
    }
    work
}

/// The speed at which each of `present` requests is served by slots that are shared.
pub(super) fn rate(slots: u32, present: u32) -> f64 {
    if present <= slots {
        1.0
    } else {
        f64::from(slots) / f64::from(present)
    }
}
