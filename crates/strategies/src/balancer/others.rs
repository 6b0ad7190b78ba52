//! Whom a balancer would name beside the member that it has picked: other addresses of an answer.

use super::Balancer;
use crate::strategy::{Context, MemberId, Pick, Request, Truth};
use lbsim_engine::rng::Rng;
use lbsim_engine::time::Time;

impl Balancer {
    /// The members that the strategy would pick next, each as if all before were out of the
    /// question: at most so many, eligible and different. It is asked as for a retry, and hears
    /// nothing of it: what it does next is what it would have done (RFC 1794: turns go on by one
    /// from answer to answer, however many addresses are in each).
    pub fn others(
        &self,
        request: &Request<'_>,
        truth: Truth<'_>,
        (first, most): (MemberId, usize),
        (mut rng, now): (Rng, Time),
    ) -> Vec<MemberId> {
        let mut strategy = self.strategy.clone();
        let mut named = vec![first];
        while named.len() <= most {
            let has_other = |&member: &MemberId| !named.contains(&member);
            if !self.pool.eligible().iter().any(has_other) {
                break;
            }
            let request = Request {
                tried: &named,
                ..*request
            };
            let pick = strategy.pick(
                &request,
                truth,
                &mut Context {
                    now,
                    pool: &self.pool,
                    balancer: self.index,
                    rng: &mut rng,
                    probes: &mut Vec::new(),
                },
            );
            match pick {
                Pick::Member(member)
                    if !named.contains(&member) && self.pool.is_eligible(member) =>
                {
                    named.push(member);
                }
                // A product that names again whom it has named has nobody else.
                _ => break,
            }
        }
        named.split_off(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::{Member, Pool, StrategyConfig};
    use lbsim_engine::rng::{Domain, Seeds};

    /// In turn, three of four: the turn goes on by one from answer to answer.
    #[test]
    fn turns_go_on_by_one_whatever_is_named_besides() {
        let rng = |at| Seeds::new(1, 0).stream(Domain::Strategy, at);
        let members = (0..4).map(|position| Member::new(position, 1));
        let strategy: StrategyConfig =
            serde_json::from_str(r#"{ "kind": "round-robin", "start": "first" }"#).unwrap();
        let mut balancer = Balancer::new(0, &strategy, Pool::new(members.collect()), rng(0));
        let mut answer = || {
            let (truth, now) = (Truth::default(), Time::ZERO);
            let Pick::Member(first) = balancer.pick(Request::UNSEEN, truth, now) else {
                panic!("all are eligible");
            };
            let others = balancer.others(Request::UNSEEN, truth, (first, 2), (rng(1), now));
            [vec![first], others].concat()
        };
        assert_eq!(answer(), [0, 1, 2]);
        assert_eq!(answer(), [1, 2, 3]);
        assert_eq!(answer(), [2, 3, 0]);
    }

    /// Of two that are well both are named, and no more, though there is room for seven.
    #[test]
    fn only_the_eligible_are_named() {
        let rng = |at| Seeds::new(1, 0).stream(Domain::Strategy, at);
        for entry in crate::strategy::CATALOGUE {
            let members = (0..4).map(|position| Member::new(position, 1));
            let pool = Pool::new(members.collect());
            let mut balancer = Balancer::new(0, &(entry.default)(), pool, rng(0));
            for down in [1, 3] {
                balancer.set(down, super::super::Reason::Down, true, Time::ZERO);
            }
            let truth = Truth {
                in_system: &[0; 4],
                free_at: &[Time::ZERO; 4],
                starts_at: &[Time::ZERO; 4],
                takes: &[lbsim_engine::time::Span::ZERO; 4],
            };
            let others = balancer.others(Request::UNSEEN, truth, (0, 7), (rng(1), Time::ZERO));
            assert!(
                others == [2] || (others.is_empty() && balancer.is_product),
                "{}: {others:?}",
                entry.name
            );
        }
    }
}
