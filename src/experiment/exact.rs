//! Where theory is exact: the model that a variant is, and what it says of response times.

use crate::model::blueprint::{GroupPlan, When};
use crate::model::discipline::Discipline;
use crate::scenario::Variant;
use crate::strategy::StrategyConfig;
use crate::theory::{ClosedLoop, Gim1, Mdk, Mg1, Mm1, Mmk, PowerOfD, Ps};
use crate::time::Time;

/// What theory says of a variant, in seconds of response time.
#[derive(Clone, Debug)]
pub struct Exact {
    /// The model in Kendall's notation, or in words.
    pub model: &'static str,
    law: Law,
}

#[derive(Clone, Debug)]
enum Law {
    Mm1(Mm1),
    Mmk(Mmk),
    Gim1(Gim1),
    PowerOfD(PowerOfD),
    /// The mean alone.
    Mean(f64),
}

impl Exact {
    /// What theory says of a variant; `None` where no closed form fits it: something fails, servers
    /// are unlike in a way that matters, something is on the way, or the strategy has no theory.
    pub fn of(variant: &Variant) -> Option<Exact> {
        let exact = open(variant).or_else(|| closed(variant))?;
        exact.mean().is_finite().then_some(exact)
    }

    /// The mean response time.
    pub fn mean(&self) -> f64 {
        match &self.law {
            Law::Mm1(queue) => queue.mean_response(),
            Law::Mmk(queue) => queue.mean_response(),
            Law::Gim1(queue) => queue.mean_response(),
            Law::PowerOfD(fleet) => fleet.mean_response(),
            Law::Mean(mean) => *mean,
        }
    }

    /// A quantile of the response time; `None` where only the mean is known.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        Some(match &self.law {
            Law::Mm1(queue) => queue.response_quantile(q),
            Law::Mmk(queue) => queue.response_quantile(q),
            Law::Gim1(queue) => queue.response_quantile(q),
            Law::PowerOfD(fleet) => fleet.response_quantile(q),
            Law::Mean(_) => return None,
        })
    }
}

/// Poisson arrivals from many clients who do not wait for each other.
fn open(variant: &Variant) -> Option<Exact> {
    let plan = &variant.blueprint;
    let (source, service) = (plan.sources.first()?, plan.services.first()?);
    let When::Process(process) = &source.when else {
        return None;
    };
    if !plan.features().is_in_textbooks() || !process.is_poisson() {
        return None;
    }
    let rate = source.rate(plan.end - Time::ZERO)?;
    let [group] = &service.groups[..] else {
        return mixture(variant, rate);
    };
    let n = service.servers.len() as u32;
    let mean_service = group.service.mean() / group.speed;
    let service_rate = 1.0 / mean_service;
    let each = rate / f64::from(n);
    let single = group.slots == 1;
    // Requests that are dealt out by chance come to each server as to one alone.
    let by_chance = n == 1
        || matches!(
            variant.strategy,
            StrategyConfig::Random(_) | StrategyConfig::WeightedRandom(_)
        );
    let is = |model, law| Some(Exact { model, law });
    match group.discipline {
        Discipline::ProcessorSharing => {
            let ps = Ps {
                arrival_rate: each,
                mean_service,
            };
            return (by_chance && single)
                .then(|| is("M/G/1-PS", Law::Mean(ps.mean_response())))
                .flatten();
        }
        // The order does not change the mean of memoryless servers, but it does the quantiles.
        Discipline::Lifo => {
            let queue = Mm1 {
                arrival_rate: each,
                service_rate,
            };
            return (by_chance && single && group.service.is_exponential())
                .then(|| is("M/M/1-LIFO", Law::Mean(queue.mean_response())))
                .flatten();
        }
        Discipline::Fifo => {}
        _ => return None,
    }
    let one_queue = matches!(variant.strategy, StrategyConfig::LeastWorkLeft(_)) && single;
    let in_turn = matches!(variant.strategy, StrategyConfig::RoundRobin(_))
        && single
        && service.balancer.instances == 1;
    if !group.service.is_exponential() {
        let constant = group.service.variance() == 0.0;
        let deterministic = Mdk {
            arrival_rate: rate,
            service_time: mean_service,
            slots: n,
        };
        return if by_chance && single {
            let queue = Mg1::with_cv(each, mean_service, group.service.cv());
            is("M/G/1", Law::Mean(queue.mean_response()))
        } else if constant && (one_queue || in_turn) {
            is("M/D/k", Law::Mean(deterministic.mean_response()))
        } else {
            None
        };
    }
    let central = |arrival_rate, slots| Mmk {
        arrival_rate,
        service_rate,
        slots,
    };
    match &variant.strategy {
        _ if by_chance && single => is(
            "M/M/1",
            Law::Mm1(Mm1 {
                arrival_rate: each,
                service_rate,
            }),
        ),
        _ if by_chance => is("M/M/k", Law::Mmk(central(each, group.slots))),
        _ if in_turn => is(
            "E_k/M/1",
            Law::Gim1(Gim1::round_robin(rate, n, service_rate)),
        ),
        _ if one_queue => is("M/M/k", Law::Mmk(central(rate, n))),
        StrategyConfig::PowerOfD(config)
            if single && n >= 1000 && service.balancer.instances == 1 =>
        {
            let fleet = PowerOfD {
                load: each / service_rate,
                choices: u32::from(config.d),
                service_rate,
            };
            is("the limit of many servers", Law::PowerOfD(fleet))
        }
        _ => None,
    }
}

/// Unlike servers, dealt out to by chance: a Poisson stream split at random is Poisson, so each is
/// a queue of its own.
fn mixture(variant: &Variant, rate: f64) -> Option<Exact> {
    let service = variant.blueprint.services.first()?;
    let weighted = match &variant.strategy {
        StrategyConfig::Random(_) => false,
        StrategyConfig::WeightedRandom(_) => true,
        _ => return None,
    };
    let weight = |group: &GroupPlan| match weighted {
        true => f64::from(group.weight),
        // Nobody sends requests to a server of weight 0.
        false => f64::from(group.weight.min(1)),
    };
    let groups = || (0..service.servers.len()).map(|server| service.group(server));
    let all: f64 = groups().map(weight).sum();
    let mean = groups()
        .filter(|group| weight(group) > 0.0)
        .map(|group| {
            let share = weight(group) / all;
            Some(share * alone(group, rate * share)?)
        })
        .sum::<Option<f64>>()?;
    let is_memoryless = |group: &GroupPlan| {
        group.service.is_exponential() && group.slots == 1 && group.discipline == Discipline::Fifo
    };
    Some(Exact {
        model: match service.groups.iter().all(is_memoryless) {
            true => "several M/M/1",
            false => "several queues",
        },
        law: Law::Mean(mean),
    })
}

/// The mean response time of a server to which Poisson arrivals come.
fn alone(group: &GroupPlan, arrival_rate: f64) -> Option<f64> {
    let mean_service = group.service.mean() / group.speed;
    let single = group.slots == 1;
    match group.discipline {
        Discipline::ProcessorSharing if single => Some(
            Ps {
                arrival_rate,
                mean_service,
            }
            .mean_response(),
        ),
        Discipline::Fifo if group.service.is_exponential() => Some(
            Mmk {
                arrival_rate,
                service_rate: 1.0 / mean_service,
                slots: group.slots,
            }
            .mean_response(),
        ),
        Discipline::Fifo if single => {
            Some(Mg1::with_cv(arrival_rate, mean_service, group.service.cv()).mean_response())
        }
        _ => None,
    }
}

/// Users who wait for the answer and think, before one server.
fn closed(variant: &Variant) -> Option<Exact> {
    let plan = &variant.blueprint;
    let (source, service) = (plan.sources.first()?, plan.services.first()?);
    let When::Closed(think) = &source.when else {
        return None;
    };
    let ([group], true) = (&service.groups[..], service.servers.len() == 1) else {
        return None;
    };
    let fits = plan.features().is_in_textbooks()
        && think.is_exponential()
        && group.service.is_exponential();
    (fits && group.discipline == Discipline::Fifo).then(|| Exact {
        model: "machine repairman",
        law: Law::Mean(
            ClosedLoop {
                users: source.population.popularity.count(),
                think_time: think.mean(),
                service_time: group.service.mean() / group.speed,
                slots: group.slots,
            }
            .mean_response(),
        ),
    })
}
