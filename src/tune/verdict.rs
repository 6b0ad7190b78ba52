//! Is it better? The answer of a search, the current configuration and the simple rule live through
//! requests that the search has not seen.

use super::space::Candidate;
use super::trial::{FRESH, TrialError, Trials};
use crate::experiment::{METRICS, Metric, VariantOutcome, difference, failed};
use crate::stats::{DEFAULT_LEVEL, Paired, Verdict, holm_adjusted};

/// What one of those that are compared is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// The current configuration.
    Current,
    /// Weights in proportion to capacity.
    Capacity,
    /// Another of those that the scenario compares, of this name, as it stands.
    Variant(String),
    /// The answer of the search.
    Tuned,
}

impl Role {
    /// What it is called in tables.
    pub fn name(&self) -> &str {
        match self {
            Role::Current => "current",
            Role::Capacity => "capacity",
            Role::Variant(name) => name,
            Role::Tuned => "tuned",
        }
    }
}

/// One of those that are compared.
#[derive(Debug)]
pub struct Contender {
    /// What it is to the comparison.
    pub role: Role,
    /// What it is.
    pub candidate: Candidate,
    /// What it measured, by situation.
    pub outcomes: Vec<VariantOutcome>,
    /// Its losses by replication, relative to the current configuration's mean.
    pub losses: Vec<f64>,
    /// Whether it breaks a constraint.
    pub broken: bool,
}

/// How the answer compares with another.
#[derive(Clone, Copy, Debug)]
pub struct Gain {
    /// The difference in loss, the answer's less the other's: negative where the answer is better.
    /// As a share of the other's.
    pub paired: Paired,
    /// The p-value of "there is no difference", as one of as many comparisons as there are (Holm).
    pub p_adjusted: f64,
    /// Whether the one with the smaller loss fails more in a situation than [`Trials::let_pass`]
    /// allows, so that the loss leaves out what went wrong.
    pub fails_more: bool,
}

impl Gain {
    /// What may be said at 95%, for all comparisons together; nothing where the one with the
    /// smaller loss fails more.
    pub fn verdict(&self) -> Verdict {
        if self.fails_more {
            return Verdict::NotShown;
        }
        match (
            self.p_adjusted <= 1.0 - DEFAULT_LEVEL,
            self.paired.difference < 0.0,
        ) {
            (false, _) => Verdict::NotShown,
            (true, true) => Verdict::Better,
            (true, false) => Verdict::Worse,
        }
    }
}

/// The current configuration, the simple rule where there is one, and the answer, which comes last.
#[derive(Debug)]
pub struct Confirmation {
    /// Who was compared.
    pub contenders: Vec<Contender>,
    /// How the answer compares with each of the others, in their order; `None` where nothing can be
    /// said.
    pub gains: Vec<Option<Gain>>,
}

/// How one metric of the answer compares with that of another, in one situation.
#[derive(Clone, Copy, Debug)]
pub struct MetricRow<'c> {
    /// The metric.
    pub metric: &'static Metric,
    /// The place of the situation.
    pub situation: usize,
    /// With whom the answer is compared.
    pub with: &'c Contender,
    /// The difference, the answer's less the other's.
    pub paired: Paired,
}

impl Confirmation {
    /// Lives `contenders`, the first of which is the current configuration and the last the answer.
    ///
    /// # Errors
    /// Where it is stopped.
    pub fn run(
        trials: &Trials<'_>,
        contenders: Vec<(Role, Candidate)>,
        replications: u32,
    ) -> Result<Confirmation, TrialError> {
        let candidates: Vec<&Candidate> =
            contenders.iter().map(|(_, candidate)| candidate).collect();
        let lived = trials.live(&candidates, FRESH, replications)?;
        let samples: Vec<Vec<Vec<_>>> = lived
            .iter()
            .map(|outcomes| {
                outcomes
                    .iter()
                    .map(|outcome| trials.samples(outcome))
                    .collect()
            })
            .collect();
        let scale = trials.scale_of(&samples[0]);
        let contenders: Vec<Contender> = contenders
            .into_iter()
            .zip(lived)
            .zip(&samples)
            .map(|(((role, candidate), outcomes), samples)| Contender {
                role,
                candidate,
                outcomes,
                losses: trials.losses_of(samples, &scale),
                broken: trials.broken(samples) > 0.0,
            })
            .collect();
        let (tuned, others) = contenders.split_last().expect("the answer is among them");
        let paired: Vec<Option<Paired>> = others
            .iter()
            .map(|other| {
                // The same configuration twice is no comparison.
                (other.candidate != tuned.candidate)
                    .then(|| Paired::of(&tuned.losses, &other.losses))
                    .flatten()
            })
            .collect();
        let p_values: Vec<f64> = paired
            .iter()
            .flatten()
            .map(|own| own.p_value.unwrap_or(1.0))
            .collect();
        let mut adjusted = holm_adjusted(&p_values).into_iter();
        let pass = trials.let_pass();
        let gains = paired
            .into_iter()
            .zip(others)
            .map(|(paired, other)| {
                paired.map(|paired| Gain {
                    paired,
                    p_adjusted: adjusted.next().unwrap_or(1.0),
                    fails_more: if paired.difference < 0.0 {
                        fails(tuned, other, pass)
                    } else {
                        fails(other, tuned, pass)
                    },
                })
            })
            .collect();
        Ok(Confirmation { contenders, gains })
    }

    /// The answer.
    pub fn tuned(&self) -> &Contender {
        &self.contenders[self.contenders.len() - 1]
    }

    /// What the answer costs and brings: each metric in each situation, against each of the others.
    pub fn metrics(&self) -> Vec<MetricRow<'_>> {
        let mut rows = Vec::new();
        for with in &self.contenders[..self.contenders.len() - 1] {
            for (situation, (own, base)) in
                self.tuned().outcomes.iter().zip(&with.outcomes).enumerate()
            {
                for metric in METRICS {
                    if let Some(paired) = difference(own, base, metric) {
                        rows.push(MetricRow {
                            metric,
                            situation,
                            with,
                            paired,
                        });
                    }
                }
            }
        }
        rows
    }

    /// Whether the answer is shown to be better than the current configuration.
    pub fn gains(&self) -> bool {
        let better =
            |gain: &Option<Gain>| gain.is_some_and(|gain| gain.verdict() == Verdict::Better);
        self.gains.first().is_some_and(better)
    }
}

/// Whether `one` fails more than `other` in a situation, by more than this share of the requests.
fn fails(one: &Contender, other: &Contender, pass: f64) -> bool {
    let mut situations = one.outcomes.iter().zip(&other.outcomes);
    situations.any(|(one, other)| failed(one) - failed(other) > pass)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certain gain in the loss is none where it is bought with failures.
    #[test]
    fn who_fails_more_has_no_verdict() {
        let paired = Paired::of(&[0.80, 0.81, 0.79, 0.80], &[1.0, 1.01, 0.99, 1.02]).unwrap();
        let gain = |fails_more| Gain {
            paired,
            p_adjusted: 1e-6,
            fails_more,
        };
        assert_eq!(gain(false).verdict(), Verdict::Better);
        assert_eq!(gain(true).verdict(), Verdict::NotShown);
    }

    /// What the scenario compares may be called as tables call the others.
    #[test]
    fn a_variant_may_have_any_name() {
        let variant = Role::Variant("current".to_owned());
        assert_ne!(variant, Role::Current);
        assert_eq!(variant.name(), Role::Current.name());
    }
}
