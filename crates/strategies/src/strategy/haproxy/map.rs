//! The map of the static algorithms: as many places as the weights add up to, dealt out evenly,
//! once. (HAProxy 2.6, src/lb_map.c)

use std::collections::BTreeSet;

use super::servers::Servers;
use crate::strategy::{Context, MemberId};

/// Who gets the next place. With each place every score grows by its weight, and whoever gets it
/// pays the sum of all weights; the first server with the greatest whole number of (score + sum)
/// over sum is next. That number only changes when a score passes 0 or the sum, which is known
/// ahead: nobody need be looked at in between.
struct Scores {
    sum: i64,
    weights: Vec<i64>,
    /// Places that each server has.
    got: Vec<i64>,
    /// Servers whose scores pass 0, and the sum, by the place at which they do.
    due: [Vec<Vec<usize>>; 2],
    /// Servers that are past it, in order.
    past: [BTreeSet<usize>; 2],
}

impl Scores {
    fn new(weights: impl Iterator<Item = i64>, sum: i64) -> Scores {
        let weights: Vec<i64> = weights.collect();
        let due = || vec![Vec::new(); sum as usize + 1];
        let mut scores = Scores {
            sum,
            got: vec![0; weights.len()],
            due: [due(), due()],
            past: [BTreeSet::new(), BTreeSet::new()],
            weights,
        };
        for server in 0..scores.weights.len() {
            scores.await_turn(server, 0);
        }
        scores
    }

    /// Notes when the scores of a server will pass 0 and the sum.
    fn await_turn(&mut self, server: usize, place: i64) {
        for bound in 0..2 {
            self.past[bound].remove(&server);
            let needed = (self.got[server] + bound as i64) * self.sum;
            let at = (needed + self.weights[server] - 1) / self.weights[server].max(1);
            if at <= place {
                self.past[bound].insert(server);
            } else if at <= self.sum {
                self.due[bound][at as usize].push(server);
            }
        }
    }

    /// Who gets this place, counted from 1.
    fn pick(&mut self, place: i64) -> usize {
        for bound in 0..2 {
            for server in std::mem::take(&mut self.due[bound][place as usize]) {
                let needed = (self.got[server] + bound as i64) * self.sum;
                // It may have got a place since.
                if place * self.weights[server] >= needed {
                    self.past[bound].insert(server);
                }
            }
        }
        let [past_zero, past_sum] = &self.past;
        let server = past_sum.first().or(past_zero.first()).copied().unwrap_or(0);
        self.got[server] += 1;
        self.await_turn(server, place);
        server
    }
}

/// Places, each of a server.
#[derive(Clone, Debug, Default)]
pub(super) struct Map {
    places: Vec<MemberId>,
    /// Where the next turn begins.
    turn: usize,
}

impl Map {
    /// Deals the places out anew. Weights are divided by what all configured ones have in common;
    /// slow start does not change them.
    pub(super) fn deal(&mut self, servers: &Servers, cx: &Context<'_>) {
        let weight = |member: MemberId| i64::from(cx.pool.weight(member));
        let configured = cx
            .pool
            .members()
            .iter()
            .map(|member| i64::from(member.weight));
        let common = configured.fold(0, gcd).max(1);
        let in_charge = servers.in_charge(cx);
        let total: i64 = in_charge
            .iter()
            .map(|&member| weight(member) / common)
            .sum();
        self.places.clear();
        let mut scores = Scores::new(in_charge.iter().map(|&m| weight(m) / common), total);
        for place in 1..=total {
            self.places.push(in_charge[scores.pick(place)]);
        }
    }

    /// Whether nobody has a place.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whose place a hash falls on. With a single server there is no question.
    pub(super) fn at(&self, hash: u32) -> Option<MemberId> {
        let count = self.places.len() as u32;
        (count > 0).then(|| self.places[(hash % count) as usize])
    }

    /// Takes the next place in turn of one that is not `full`; one to be `avoided` where nobody
    /// else is left.
    pub(super) fn next(
        &mut self,
        full: impl Fn(MemberId) -> bool,
        avoided: impl Fn(MemberId) -> bool,
    ) -> Option<MemberId> {
        let count = self.places.len();
        if self.turn >= count {
            self.turn = 0;
        }
        let mut fallback = None;
        for step in 0..count {
            let at = (self.turn + step) % count;
            let member = self.places[at];
            if full(member) {
                continue;
            }
            if !avoided(member) {
                self.turn = at + 1;
                return Some(member);
            }
            fallback = fallback.or(Some((at, member)));
        }
        let (at, member) = fallback?;
        self.turn = at + 1;
        Some(member)
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against the loop of HAProxy, which looks at all servers for each place.
        #[test]
        fn places_are_dealt_as_by_the_plain_loop(weights in prop::collection::vec(1i64..60, 1..20)) {
            let sum: i64 = weights.iter().sum();
            let mut scores = Scores::new(weights.iter().copied(), sum);
            let mut plain = vec![0i64; weights.len()];
            for place in 1..=sum {
                let mut best: Option<(usize, i64)> = None;
                for (at, weight) in weights.iter().enumerate() {
                    plain[at] += weight;
                    let value = (plain[at] + sum) / sum;
                    if best.is_none_or(|(_, most)| value > most) {
                        best = Some((at, value));
                    }
                }
                let (at, _) = best.unwrap();
                plain[at] -= sum;
                prop_assert_eq!(scores.pick(place), at);
            }
        }
    }
}
