//! What the strategy would have picked, were nobody bound: a second instance of it at the same
//! balancer, which hears all that the first hears and is asked for each request. Nobody follows it.

use super::Balancer;
use crate::strategy::{Context, MemberId, Pick, Pool, Request, Strategy, Truth};
use lbsim_engine::rng::Rng;
use lbsim_engine::time::Time;

/// The second instance.
#[derive(Clone, Debug)]
pub(super) struct Shadow {
    strategy: Strategy,
    /// Its own stream, so that it shifts nobody's draws.
    rng: Rng,
    /// Whom it would probe: nobody does, and it hears what others are told.
    probes: Vec<MemberId>,
}

impl Shadow {
    /// As a strategy starts: what that has drawn by then (where a round begins, whom it knows) is
    /// the same for both.
    pub(super) fn of(strategy: &Strategy, rng: Rng) -> Shadow {
        Shadow {
            strategy: strategy.clone(),
            rng,
            probes: Vec::new(),
        }
    }

    /// Tells it something, or asks it.
    pub(super) fn tell<T>(
        &mut self,
        (now, pool, balancer): (Time, &Pool, u16),
        news: impl FnOnce(&mut Strategy, &mut Context<'_>) -> T,
    ) -> T {
        self.probes.clear();
        let mut cx = Context {
            now,
            pool,
            balancer,
            rng: &mut self.rng,
            probes: &mut self.probes,
        };
        news(&mut self.strategy, &mut cx)
    }
}

impl Balancer {
    /// Where the strategy would send a request that may be bound or not; `None` where nobody keeps
    /// that in mind.
    pub fn would_pick(&mut self, request: &Request<'_>, now: Time) -> Option<Pick> {
        let shadow = self.shadow.as_mut()?;
        if self.pool.eligible().is_empty() && !self.is_product {
            return Some(Pick::Nobody);
        }
        let place = (now, &self.pool, self.index);
        Some(shadow.tell(place, |strategy, cx| {
            strategy.pick(request, Truth::default(), cx)
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;

    use super::*;
    use crate::balancer::{Care, Reason};
    use crate::strategy::{
        Answer, CATALOGUE, Key, Member, Outcome, Sight, StrategyConfig, UNLABELLED,
    };
    use lbsim_engine::rng::{Domain, Seeds, number_below};
    use lbsim_engine::time::Span;

    fn balancer(config: &StrategyConfig, shadow: Option<Rng>) -> Balancer {
        let members: Vec<Member> = (0..5).map(|at| Member::new(at, 1 + at % 2)).collect();
        let care = Care {
            shadow,
            ..Care::default()
        };
        let rng = Seeds::new(3, 0).stream(Domain::Strategy, 0);
        Balancer::with_care(0, config, Pool::new(Arc::from(members)), (rng, care))
    }

    /// Two balancers live through the same: one has a shadow. `bound` of ten requests go where
    /// chance says. Picks and probes are the same; says how often the shadow was of another mind
    /// than the strategy where that was asked.
    fn dissent(config: &StrategyConfig, shadow: Rng, bound: u64) -> u32 {
        let (mut with, mut without) = (balancer(config, Some(shadow)), balancer(config, None));
        let mut rng = Seeds::new(4, 0).stream(Domain::Luck, 0);
        let mut draw = |below: u64| number_below(&mut rng, below);
        let (mut under_way, mut now, mut dissent) = (Vec::new(), Time::ZERO, 0);
        for step in 0..2000 {
            now += Span::from_nanos(100_000 + draw(900_000));
            let client = draw(40);
            let address = IpAddr::V4(Ipv4Addr::from(client as u32 * 77_777));
            let request = Request {
                client: Key::Number(client),
                address: &address,
                port: 0,
                key: Key::Number(draw(90)),
                labels: UNLABELLED,
                size: 1.0,
                tried: &[],
            };
            let would = with.would_pick(&request, now).unwrap();
            let pick = if draw(10) < bound {
                Pick::Member(draw(5) as MemberId)
            } else {
                let pick = with.pick(&request, Truth::default(), now);
                assert_eq!(pick, without.pick(&request, Truth::default(), now));
                dissent += u32::from(pick != would);
                pick
            };
            if let Pick::Member(member) = pick {
                under_way.push((member, now));
                with.sent(member, now);
                without.sent(member, now);
            }
            while under_way.len() > draw(12) as usize {
                let (member, sent) = under_way.swap_remove(draw(under_way.len() as u64) as usize);
                let outcome = match draw(30) {
                    0 => Outcome::Error,
                    _ => Outcome::Success,
                };
                let answer = Answer {
                    member,
                    outcome,
                    status: outcome.status(),
                    response_time: now - sent,
                    feedback: None,
                };
                with.answered(&answer, now);
                without.answered(&answer, now);
            }
            if step % 100 == 0 {
                let member = draw(5) as MemberId;
                let holds = draw(2) == 0;
                with.set(member, Reason::Down, holds, now);
                without.set(member, Reason::Down, holds, now);
            }
            assert_eq!(with.probes, without.probes);
            with.probes.clear();
            without.probes.clear();
        }
        dissent
    }

    /// Whoever has a shadow picks as if there were none; and a shadow that draws the same numbers
    /// from its start on is of the same mind, under every rule, as long as nobody is bound.
    #[test]
    fn a_shadow_changes_nothing_and_thinks_alike() {
        for entry in CATALOGUE {
            if entry.sight == Sight::Oracle {
                continue;
            }
            let config = (entry.default)();
            let same = balancer(&config, None).rng;
            assert_eq!(dissent(&config, same, 0), 0, "{}", entry.name);
            let own = Seeds::new(3, 0).stream(Domain::Shadow, 0);
            dissent(&config, own, 7);
        }
        let random = (CATALOGUE.iter().find(|own| own.name == "random")).unwrap();
        let own = Seeds::new(3, 0).stream(Domain::Shadow, 0);
        assert!(dissent(&(random.default)(), own, 0) > 500);
    }
}
