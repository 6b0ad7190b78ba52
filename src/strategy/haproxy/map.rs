//! The map of the static algorithms: as many places as the weights add up to, dealt out evenly, once.
//! (HAProxy 2.6, src/lb_map.c)

use super::servers::Servers;
use crate::strategy::{Context, MemberId};

/// Places, each of a server.
#[derive(Clone, Debug, Default)]
pub(super) struct Map {
    places: Vec<MemberId>,
    /// Where the next turn begins.
    turn: usize,
}

impl Map {
    /// Deals the places out anew. Weights are divided by what all configured ones have in common; slow start does not
    /// change them.
    pub(super) fn deal(&mut self, servers: &Servers, cx: &Context<'_>) {
        let weight = |member: MemberId| i64::from(cx.pool.weight(member));
        let configured = cx.pool.members().iter().map(|member| i64::from(member.weight));
        let common = configured.fold(0, gcd).max(1);
        let in_charge = servers.in_charge(cx);
        let total: i64 = in_charge.iter().map(|&member| weight(member) / common).sum();
        let mut scores = vec![0i64; in_charge.len()];
        self.places.clear();
        for _ in 0..total {
            let mut best: Option<(usize, i64)> = None;
            for (at, &member) in in_charge.iter().enumerate() {
                scores[at] += weight(member) / common;
                let value = (scores[at] + total) / total;
                if best.is_none_or(|(_, most)| value > most) {
                    best = Some((at, value));
                }
            }
            if let Some((at, _)) = best {
                scores[at] -= total;
                self.places.push(in_charge[at]);
            }
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

    /// Takes the next place in turn of one that is not `full`; one to be `avoided` where nobody else is left.
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
