//! How far affinity unbalances the load: which requests go elsewhere than the strategy would have
//! sent them, were nobody bound.

use super::World;
use super::blueprint::ServicePlan;
use lbsim_engine::time::Time;
use lbsim_strategies::balancer::own_zone::Spill;
use lbsim_strategies::balancer::retry::On;
use lbsim_strategies::strategy::{Pick, Sight, StrategyConfig};

impl ServicePlan {
    /// Whether the rule of its balancers by itself may let a request wait for a server.
    pub fn rule_lets_wait(&self) -> bool {
        match &self.balancer.strategy {
            StrategyConfig::C3(config) => config.rate_control,
            strategy => {
                strategy.name().starts_with("haproxy-")
                    && (self.members.iter()).any(|member| member.max_connections > 0)
            }
        }
    }

    /// Whether it is kept in mind whom the strategy would pick, were nobody bound: wherever clients
    /// are, and the strategy alone decides at the moment at which it is asked. An oracle would have
    /// to foresee twice; where requests wait for a server, who is sent is decided when one has
    /// room; where members are passed over, at their limit or since they have just come back, the
    /// strategy is asked until it names another; and where requests leave a zone in proportion, who
    /// does is drawn.
    pub fn has_shadows(&self) -> bool {
        let balancer = &self.balancer;
        balancer.sticky.binds()
            && balancer.strategy.sight() != Sight::Oracle
            && balancer.server_limit.is_none()
            && !balancer.sticky.waits()
            && (balancer.sticky.connection()).is_none_or(|own| own.max_connections.is_none())
            && !(balancer.own_zone.as_ref()).is_some_and(|own| own.spill == Spill::InProportion)
            && !self.rule_lets_wait()
            && (balancer.slow_start.is_none() || balancer.strategy.heeds_weights())
    }
}

impl World<'_> {
    /// The member that a request goes to where clients may be bound: by its bond, or as the
    /// strategy picks.
    #[inline(never)]
    pub(super) fn pick_with_bonds(&mut self, id: u32, on: On, now: Time) -> Pick {
        let bound = self.follow_bond(id, on == On::Another, now);
        let would = self.put(id, on, |balancer, seen, _| balancer.would_pick(seen, now));
        let pick = match bound {
            Some(pick) => pick,
            None => self.put(id, on, |balancer, seen, truth| {
                balancer.pick(seen, truth, now)
            }),
        };
        if let Some(would) = would {
            // Whom no bond decides goes where the strategy says, though it may have said otherwise
            // had it been asked for all those before.
            self.count_placed(id, pick, bound.is_some() && pick != would);
        }
        pick
    }

    /// Counts where a client's request is sent first.
    fn count_placed(&mut self, id: u32, pick: Pick, is_elsewhere: bool) {
        let request = &self.requests[id];
        let is_first = request.attempts == 0 && matches!(pick, Pick::Member(_));
        if is_first && request.measured && !self.is_call(id) {
            self.tally.sessions.placed += 1;
            self.tally.sessions.elsewhere += u64::from(is_elsewhere);
        }
    }
}
