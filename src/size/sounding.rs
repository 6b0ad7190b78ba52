//! Whether an objective holds at a value: as the scenario stands, and with each part lost whose
//! loss it must bear.

use std::collections::BTreeSet;

use super::search::steps;
use crate::experiment::{
    self, CellKey, Figure, Journal, Judged, Metric, Progress, RunError, estimate, judge,
};
use crate::requirement::Decision;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::sizing::{Lost, Sizing};
use crate::scenario::{Goal, Scenario, Target, Template};

/// What was measured of one strategy at one value.
#[derive(Clone, Debug)]
pub struct Sounding {
    /// The strategy: its place among what is compared.
    pub variant: usize,
    /// The value, by its ease.
    pub ease: usize,
    /// In each situation, the first as the scenario stands.
    pub situations: Vec<Situated>,
    /// What is decided of the whole objective.
    pub decision: Decision,
    /// What it costs an hour, as the scenario stands; no estimate where nothing has a price.
    pub cost: Figure,
}

/// What was measured in one situation.
#[derive(Clone, Debug)]
pub struct Situated {
    /// What it is called.
    pub name: String,
    /// Replications that were run.
    pub replications: u32,
    /// What was asked for, by its place in the objective, and what was measured of it.
    pub judged: Vec<(usize, Judged)>,
}

impl Situated {
    fn decision(&self) -> Decision {
        Decision::of_all(self.judged.iter().map(|(_, own)| own.decision))
    }
}

/// Why a value could not be tried.
#[derive(Debug, thiserror::Error)]
pub enum SizeError {
    /// Stopped, or a defect of the program.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The scenario cannot be with this value, though it can with the two ends.
    #[error("{0}")]
    Impossible(String),
}

/// A situation that the objective must hold in.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Plight {
    /// As the scenario stands.
    Whole,
    /// One server of a group of a service is lost.
    Server(usize, usize),
    /// All servers of a name are lost.
    Named(String),
}

/// Tries values, each on the same requests.
#[derive(Debug)]
pub struct Soundings<'a> {
    /// The scenario as it stands.
    pub base: &'a Scenario,
    /// What is looked for.
    pub sizing: &'a Sizing,
    /// The confidence of the interval by which one decision is made.
    pub level: f64,
    /// Requests simulated so far, those that a journal had included.
    pub requests: u64,
    template: &'a Template,
    progress: &'a Progress,
    journal: Option<&'a Journal<CellKey>>,
    situations: Vec<Plight>,
}

impl<'a> Soundings<'a> {
    /// Nothing tried yet.
    pub fn new(
        (base, sizing, template): (&'a Scenario, &'a Sizing, &'a Template),
        journal: Option<&'a Journal<CellKey>>,
        progress: &'a Progress,
    ) -> Soundings<'a> {
        let situations = situations(base, sizing);
        Soundings {
            level: level(base, sizing, situations.len()),
            situations,
            base,
            sizing,
            requests: 0,
            template,
            progress,
            journal,
        }
    }

    /// Whether the requests are used up that may be simulated.
    pub fn is_spent(&self) -> bool {
        self.requests >= self.sizing.max_requests
    }

    /// Tries strategies, each at a value. Where one situation has decided that a value fails, the
    /// others are looked at once, and cost no more than that.
    ///
    /// # Errors
    /// Where it is stopped, or the scenario cannot be with a value.
    pub fn sound(&mut self, wanted: &[(usize, usize)]) -> Result<Vec<Sounding>, SizeError> {
        let mut found: Vec<Sounding> = (wanted.iter())
            .map(|&(variant, ease)| Sounding {
                variant,
                ease,
                situations: Vec::new(),
                decision: Decision::Holds,
                cost: Figure::default(),
            })
            .collect();
        let cost = Metric::named("cost_per_hour").expect("it is a metric");
        // What is lost makes it harder, and so decides first.
        for situation in (0..self.situations.len()).rev() {
            let left = self.sizing.max_requests.saturating_sub(self.requests);
            let mut scenarios = Vec::new();
            for sounding in &found {
                let mut scenario = self.scenario(sounding.variant, sounding.ease, situation)?;
                scenario.goal = (sounding.decision != Decision::Fails).then_some(Goal {
                    target: Target::Decided(self.level),
                    max_replications: self.sizing.max_replications,
                    max_requests: Some(left / wanted.len() as u64),
                });
                scenarios.push(scenario);
            }
            let noted = scenarios.iter().zip(&found).map(|(scenario, sounding)| {
                let place = self.key(sounding, situation);
                (scenario, self.journal.map(|journal| (journal, place)))
            });
            let outcomes = experiment::run(&noted.collect::<Vec<_>>(), self.progress)?;
            for ((sounding, outcome), scenario) in found.iter_mut().zip(outcomes).zip(&scenarios) {
                let measured = &outcome.variants[0];
                self.requests += measured.simulated;
                let name = &scenario.variants[0].name;
                let objective = self.sizing.objective.iter().enumerate();
                let situated = Situated {
                    name: self.name(situation),
                    replications: outcome.replications(),
                    judged: objective
                        .filter(|(_, own)| own.concerns(name))
                        .map(|(at, own)| (at, judge(own, measured, self.level)))
                        .map(|(at, own)| (at, sustained(own, scenario)))
                        .collect(),
                };
                if situation == 0 {
                    sounding.cost = estimate(measured, cost);
                }
                sounding.decision = sounding.decision.min(situated.decision());
                sounding.situations.insert(0, situated);
            }
        }
        Ok(found)
    }

    /// The place of a sounding's cells in the journal.
    fn key(&self, sounding: &Sounding, situation: usize) -> u32 {
        let row = sounding.ease * self.base.variants.len() + sounding.variant;
        (row * self.situations.len() + situation) as u32
    }

    /// The scenario with a value, in a situation, with one strategy alone.
    fn scenario(
        &self,
        variant: usize,
        ease: usize,
        situation: usize,
    ) -> Result<Scenario, SizeError> {
        let sets = &self.sizing.value(ease).sets;
        let impossible = |faults: Vec<Diagnostic>| {
            let why: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
            SizeError::Impossible(format!("{}: {}", sets.join(", "), why.join("; ")))
        };
        let whole = self.template.with(sets).map_err(impossible)?;
        let lost = match &self.situations[situation] {
            Plight::Whole => None,
            Plight::Named(name) => Some(name.clone()),
            Plight::Server(service, group) => {
                let service = &whole.variants[variant].blueprint.services[*service];
                let first = service.servers.iter().find(|server| server.group == *group);
                first.map(|server| service.full_name(&server.name))
            }
        };
        let mut scenario = match lost {
            None => whole,
            Some(lost) => self.template.without(sets, &lost).map_err(impossible)?,
        };
        scenario.variants = vec![scenario.variants.swap_remove(variant)];
        scenario.baseline = 0;
        scenario.measured.clear();
        let name = &scenario.variants[0].name;
        let objective = self.sizing.objective.iter();
        scenario.requirements = objective
            .filter(|own| own.concerns(name))
            .cloned()
            .collect();
        Ok(scenario)
    }

    fn name(&self, situation: usize) -> String {
        match &self.situations[situation] {
            Plight::Whole => "as it stands".to_owned(),
            Plight::Named(name) => match name.strip_prefix("zone:") {
                Some(zone) => format!("zone {zone} lost"),
                None => format!("{name} lost"),
            },
            Plight::Server(service, group) => {
                let plan = &self.base.variants[0].blueprint;
                let service = &plan.services[*service];
                format!(
                    "one of {} lost",
                    service.full_name(&service.groups[*group].name)
                )
            }
        }
    }
}

/// What is asked of a system whose queues grow without end holds at most for as long as a run
/// lasts, whatever that measured: nothing is sustained.
fn sustained(judged: Judged, scenario: &Scenario) -> Judged {
    if !scenario.is_overloaded() {
        return judged;
    }
    let note = "more is asked for than the servers can do, and queues grow without end";
    Judged {
        decision: Decision::Fails,
        note: note.to_owned(),
        ..judged
    }
}

/// The situations that the objective must hold in.
fn situations(base: &Scenario, sizing: &Sizing) -> Vec<Plight> {
    let services = &base.variants[0].blueprint.services;
    let mut situations = vec![Plight::Whole];
    match &sizing.lost {
        None => {}
        Some(Lost::Named(name)) => situations.push(Plight::Named(name.clone())),
        Some(Lost::Server) => {
            // Servers of a group are alike; a backup that is lost is missed by nobody.
            for (at, service) in services.iter().enumerate() {
                let groups = 0..service.groups.len();
                let serving = groups.filter(|&group| !base.is_backup(at, group));
                situations.extend(serving.map(|group| Plight::Server(at, group)));
            }
        }
        Some(Lost::Zone) => {
            let members = services.iter().flat_map(|service| service.members.iter());
            let zones: BTreeSet<&str> = members
                .filter_map(|member| member.zone.as_deref())
                .collect();
            let named = zones.into_iter().map(|zone| format!("zone:{zone}"));
            situations.extend(named.map(Plight::Named));
        }
    }
    situations
}

/// The confidence of one interval, so that all decisions on the way to an answer are right together
/// with the confidence that is asked for. A value is looked at as often as its replications are
/// doubled. One at which the objective holds is wrongly said to fail where any requirement is, in
/// any situation; each errs on one side.
fn level(base: &Scenario, sizing: &Sizing, situations: usize) -> f64 {
    let doublings = f64::from(sizing.max_replications) / f64::from(base.replications);
    let looks = 1.0 + doublings.log2().ceil().max(0.0);
    let values = f64::from(steps(sizing.values.len()));
    let parts = (sizing.objective.len() * situations) as f64;
    1.0 - 2.0 * (1.0 - sizing.confidence) / (looks * values * parts)
}
