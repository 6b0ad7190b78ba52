//! What may change, as a space that a search can walk in: a weight by its logarithm, another number
//! between its ends, a choice by its place.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::scenario::file::Servers;
use crate::scenario::text::Document;
use crate::scenario::tuning::{Knob, NumberUnit, Range, Tuning};
use crate::scenario::{Scenario, Template};

/// A choice of all values that may change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Candidate {
    /// The place of its strategy among the variants of the scenario.
    pub variant: usize,
    /// For each knob what is written at its path; `None` where that stays as it is.
    pub settings: Vec<Option<String>>,
}

/// All candidates.
#[derive(Debug)]
pub struct Space<'a> {
    /// The scenario as it stands.
    pub base: &'a Scenario,
    /// What may change.
    pub tuning: &'a Tuning,
    document: &'a Document,
    /// The services all of whose weights may change: there only the proportions of weights count.
    free: Vec<usize>,
    /// For each knob the axis that moves it: groups of like servers share one.
    axes: Vec<usize>,
}

/// A factor of two in a weight, or a third of the way from one end of a number to the other, in
/// steps of the search.
const STEP: f64 = std::f64::consts::LN_2;
/// How many steps lie between the ends of a number.
const WAY: f64 = 3.0 * STEP;

impl<'a> Space<'a> {
    /// What may change in `base`, which `template` gives as it stands.
    pub fn new(base: &'a Scenario, tuning: &'a Tuning, template: &'a Template) -> Space<'a> {
        let plan = &base.variants[base.baseline].blueprint;
        let free = (0..plan.services.len())
            .filter(|&service| {
                let groups = 0..plan.services[service].groups.len();
                // A backup's weight does not weigh against those that serve.
                let groups: Vec<usize> = groups
                    .filter(|&group| !base.is_backup(service, group))
                    .collect();
                let is_free = |group| {
                    let range = Range::Weight(service, group);
                    tuning.knobs.iter().any(|knob| knob.range == range)
                };
                groups.len() > 1 && groups.into_iter().all(is_free)
            })
            .collect();
        Space {
            base,
            tuning,
            document: template.document(),
            free,
            axes: axes(base, tuning),
        }
    }

    /// The services all of whose weights may change.
    pub fn free(&self) -> &[usize] {
        &self.free
    }

    /// The scenario as it stands.
    pub fn current(&self) -> Candidate {
        Candidate {
            variant: self.base.baseline,
            settings: vec![None; self.tuning.knobs.len()],
        }
    }

    /// What is set for a candidate: each as `path=value`.
    pub fn sets(&self, candidate: &Candidate) -> Vec<String> {
        let changes = self.changes(candidate).into_iter();
        changes
            .map(|(path, value)| format!("{path}={value}"))
            .collect()
    }

    /// Paths and what a candidate has there.
    pub fn changes(&self, candidate: &Candidate) -> Vec<(String, String)> {
        let knobs = self.tuning.knobs.iter().zip(&candidate.settings);
        knobs
            .filter_map(|(knob, setting)| Some((knob.path.clone(), setting.clone()?)))
            .collect()
    }

    /// What stands at a knob's path under a candidate.
    pub fn value(&self, candidate: &Candidate, knob: usize) -> String {
        if let Some(own) = &candidate.settings[knob] {
            return own.clone();
        }
        let Knob { path, range, .. } = &self.tuning.knobs[knob];
        match range {
            Range::Weight(service, group) => self.weight_now(*service, *group).to_string(),
            _ => self.document.written(path).unwrap_or("default").to_owned(),
        }
    }

    fn weight_now(&self, service: usize, group: usize) -> u32 {
        let plan = &self.base.variants[self.base.baseline].blueprint;
        plan.services[service].groups[group].weight
    }

    /// Where a candidate lies.
    pub fn point(&self, candidate: &Candidate) -> Vec<f64> {
        let knobs = self.tuning.knobs.iter().enumerate();
        let places: Vec<f64> = knobs
            .map(|(at, knob)| {
                let text = self.value(candidate, at);
                match &knob.range {
                    Range::Weight(..) => libm::log(text.parse::<f64>().unwrap_or(1.0).max(0.5)),
                    Range::Number { low, high, .. } => {
                        let number = NumberUnit::read(&text).map_or(f64::NAN, |(number, _)| number);
                        let share = if number.is_nan() {
                            0.5
                        } else if is_logarithmic(*low, *high) {
                            libm::log(number.max(*low) / low) / libm::log(high / low)
                        } else {
                            (number - low) / (high - low)
                        };
                        share.clamp(0.0, 1.0) * WAY
                    }
                    Range::Choice(values) => {
                        let place = values.iter().position(|value| *value == text);
                        (place.unwrap_or(0) as f64 + 0.5) / values.len() as f64 * WAY
                    }
                }
            })
            .collect();
        // Like servers that have unlike weights now stand in their middle.
        let count = self.axes.iter().max().map_or(0, |last| last + 1);
        let of = |axis: usize| {
            let own = places.iter().zip(&self.axes).filter(|&(_, at)| *at == axis);
            let (sum, count) = own.fold((0.0, 0.0), |(sum, count), (place, _)| {
                (sum + place, count + 1.0)
            });
            sum / count
        };
        (0..count).map(of).collect()
    }

    /// The candidate at a point, under a strategy.
    pub fn candidate(&self, point: &[f64], variant: usize) -> Candidate {
        let point: Vec<f64> = self.axes.iter().map(|&axis| point[axis]).collect();
        let mut settings: Vec<Option<String>> = vec![None; point.len()];
        for (at, knob) in self.tuning.knobs.iter().enumerate() {
            let share = folded(point[at] / WAY);
            settings[at] = match &knob.range {
                Range::Weight(..) => None,
                Range::Number { low, high, unit } => {
                    let number = if is_logarithmic(*low, *high) {
                        low * libm::exp(share * libm::log(high / low))
                    } else {
                        low + share * (high - low)
                    };
                    Some(unit.write(number))
                }
                Range::Choice(values) => {
                    let place = (share * values.len() as f64) as usize;
                    Some(values[place.min(values.len() - 1)].clone())
                }
            };
        }
        let weights: Vec<f64> = point
            .iter()
            .map(|&x| libm::exp(x.clamp(-40.0, 40.0)))
            .collect();
        self.weigh(&mut settings, |knob| weights[knob]);
        Candidate { variant, settings }
    }

    /// Candidates with smaller weights in about the same proportions, where only proportions count.
    pub fn simpler(&self, candidate: &Candidate) -> Vec<Candidate> {
        let value = |knob: usize| self.value(candidate, knob).parse::<f64>().unwrap_or(1.0);
        let mut simple = Vec::new();
        for largest in (1..=12).chain([15, 20, 25, 30, 40, 50]) {
            let mut own = candidate.clone();
            for &service in &self.free {
                let knobs = self.weights_of(service);
                let wanted: Vec<f64> = knobs.iter().map(|&knob| value(knob)).collect();
                let (least, most) = self.tuning.weights;
                let weights = proportional(&wanted, (least.min(largest), most.min(largest)));
                for (knob, weight) in knobs.into_iter().zip(weights) {
                    own.settings[knob] = Some(weight.clamp(least, most).to_string());
                }
            }
            simple.push(own);
        }
        simple
    }

    /// How much there is to say of a candidate's weights: the largest, and their sum.
    pub fn complexity(&self, candidate: &Candidate) -> (u32, u32) {
        let knobs = self.tuning.knobs.iter().enumerate();
        let weights = knobs
            .filter(|(_, knob)| matches!(knob.range, Range::Weight(..)))
            .filter_map(|(at, _)| self.value(candidate, at).parse::<u32>().ok());
        weights.fold((0, 0), |(most, sum), own| (most.max(own), sum + own))
    }

    fn weights_of(&self, service: usize) -> Vec<usize> {
        let knobs = self.tuning.knobs.iter().enumerate();
        knobs
            .filter(|(_, knob)| matches!(knob.range, Range::Weight(own, _) if own == service))
            .map(|(at, _)| at)
            .collect()
    }

    /// Writes weights in proportion to `wanted` of each knob, as whole numbers in the range. Where
    /// all weights of a service may change, the largest is as large as may be, and what they have
    /// in common is divided out.
    pub(super) fn weigh(&self, settings: &mut [Option<String>], wanted: impl Fn(usize) -> f64) {
        let (least, most) = self.tuning.weights;
        let services = self.base.variants[self.base.baseline]
            .blueprint
            .services
            .len();
        for service in 0..services {
            let own = self.weights_of(service);
            let wanted: Vec<f64> = own.iter().map(|&at| wanted(at)).collect();
            let weights = if self.free.contains(&service) {
                proportional(&wanted, (least, most))
            } else {
                let whole = |wanted: &f64| wanted.round().clamp(f64::from(least), f64::from(most));
                wanted.iter().map(|wanted| whole(wanted) as u32).collect()
            };
            for (&at, weight) in own.iter().zip(weights) {
                settings[at] = Some(weight.to_string());
            }
        }
    }
}

/// For each knob its axis. Groups of a service share one where they are described alike but for
/// names, addresses, their number and their weight, and no fault strikes one of them alone.
fn axes(base: &Scenario, tuning: &Tuning) -> Vec<usize> {
    let plan = &base.variants[base.baseline].blueprint;
    // A rolling fault is one, whoever has which turn.
    let mut struck: Vec<Vec<u32>> = Vec::new();
    for fault in &plan.faults {
        struck.resize(struck.len().max(fault.number + 1), Vec::new());
        struck[fault.number].extend(fault.concerns());
    }
    let alike = |knob: &Knob| match knob.range {
        Range::Weight(service, group) => {
            let described: Servers = part(&base.resolved["services"][service]["servers"][group]);
            let like = Servers {
                name: String::new(),
                address: None,
                count: 1,
                weight: 1,
                ..described
            };
            let members: Vec<u32> = (plan.servers_of(service))
                .zip(&plan.services[service].servers)
                .filter(|(_, server)| server.group == group)
                .map(|(at, _)| at as u32)
                .collect();
            let counts = struck.iter().map(|struck| {
                let count = members.iter().filter(|at| struck.contains(at)).count();
                // Of a fault that strikes a whole group it does not matter how many it has.
                if count == members.len() {
                    usize::MAX
                } else {
                    count
                }
            });
            Some((service, like, counts.collect::<Vec<usize>>()))
        }
        _ => None,
    };
    let mut kinds = Vec::new();
    tuning
        .knobs
        .iter()
        .map(|knob| {
            let own = alike(knob);
            let known = kinds
                .iter()
                .position(|other| own.is_some() && *other == own);
            known.unwrap_or_else(|| {
                kinds.push(own);
                kinds.len() - 1
            })
        })
        .collect()
}

/// A part of a resolved scenario, as the file has it.
fn part<T: DeserializeOwned>(resolved: &serde_json::Value) -> T {
    T::deserialize(resolved).expect("a scenario that was checked can be read")
}

/// Whether a number is looked for by its logarithm: where it may grow manifold.
fn is_logarithmic(low: f64, high: f64) -> bool {
    low > 0.0 && high / low >= 4.0
}

/// A place between 0 and 1: beyond the ends it turns back.
fn folded(x: f64) -> f64 {
    let x = x.rem_euclid(2.0);
    if x > 1.0 { 2.0 - x } else { x }
}

/// Whole numbers in proportion to `wanted`, as near as the range allows: the largest is the largest
/// of the range, then what all have in common is divided out.
pub fn proportional(wanted: &[f64], (least, most): (u32, u32)) -> Vec<u32> {
    let largest = wanted.iter().copied().fold(0.0, f64::max);
    let weights: Vec<u32> = wanted
        .iter()
        .map(|own| {
            let share = if largest > 0.0 { own / largest } else { 1.0 };
            ((share * f64::from(most)).round() as u32).clamp(least, most)
        })
        .collect();
    let common = weights.iter().copied().fold(0, gcd).max(1);
    let fits = weights.iter().all(|weight| weight / common >= least);
    let common = if fits { common } else { 1 };
    weights.into_iter().map(|weight| weight / common).collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn weights_are_whole_and_small() {
        assert_eq!(proportional(&[200.0, 100.0], (1, 100)), [2, 1]);
        assert_eq!(proportional(&[1.0, 1.0, 1.0], (1, 100)), [1, 1, 1]);
        assert_eq!(proportional(&[3.0, 1.0, 0.0], (1, 100)), [100, 33, 1]);
        assert_eq!(proportional(&[3.0, 1.0, 0.0], (0, 100)), [100, 33, 0]);
        assert_eq!(proportional(&[0.0, 0.0], (1, 256)), [1, 1]);
        assert_eq!(proportional(&[4.0, 2.0], (2, 10)), [10, 5]);
    }

    /// A fault on `web/a` strikes neither `web/ab` nor `web/a-b`; one on a server of a group, that
    /// group; one on the service, all of them alike.
    #[test]
    fn like_groups_share_a_weight_unless_a_fault_strikes_one_of_them() {
        let axes_under = |fault: &str| {
            let text = format!(
                "question = '?'\nexpect = '!'\n{fault}[run]\nduration = '5s'\n\
                 compare = ['weighted-random']\n\
                 [[clients]]\narrivals = {{ kind = 'poisson', rate = '80/s' }}\n\
                 [[services]]\nname = 'web'\n{}",
                [("a", 2), ("ab", 2), ("a-b", 3)]
                    .map(|(name, count)| format!(
                        "[[services.servers]]\nname = '{name}'\ncount = {count}\n\
                         service = {{ kind = 'exponential', mean = '10ms' }}\n"
                    ))
                    .concat()
            );
            let base = Scenario::from_text("web.toml", &text).unwrap();
            let tuning = base.tuning.clone().unwrap();
            axes(&base, &tuning)
        };
        let fault = |servers: &str| {
            axes_under(&format!(
                "faults = [{{ kind = 'slowdown', servers = '{servers}', speed = '50%', at = '1s' }}]\n"
            ))
        };
        assert_eq!(axes_under(""), [0, 0, 0]);
        assert_eq!(fault("web"), [0, 0, 0]);
        assert_eq!(fault("web/a"), [0, 1, 1]);
        assert_eq!(fault("web/ab"), [0, 1, 0]);
        assert_eq!(fault("web/a-b-2"), [0, 0, 1]);
        assert_eq!(fault("web/a*"), [0, 0, 0]);
    }

    proptest! {
        #[test]
        fn proportions_are_kept(wanted in prop::collection::vec(0.1f64..10.0, 2..20)) {
            let weights = proportional(&wanted, (1, 10_000));
            let largest = wanted.iter().copied().fold(0.0, f64::max);
            let most = f64::from(*weights.iter().max().unwrap());
            for (wanted, weight) in wanted.iter().zip(weights) {
                prop_assert!((wanted / largest - f64::from(weight) / most).abs() < 1e-4);
            }
        }

        #[test]
        fn places_fold_back(x in -100.0f64..100.0) {
            prop_assert!((0.0..=1.0).contains(&folded(x)));
            prop_assert!((folded(x) - folded(-x)).abs() < 1e-9);
        }
    }
}
