//! What may be tuned: names and paths that exist, ends that are ends, situations that can be.

use std::path::Path as FilePath;

use super::super::diagnostic::Diagnostic;
use super::super::file;
use super::super::text::{Document, Path};
use super::super::tuning::{Knob, NumberUnit, Range, SituationPlan, Tuning};
use super::super::{Scenario, shape};
use super::data::Data;
use super::sweep::{TWO_LOADS, blamed, is_load, load_sets, point};
use crate::model::blueprint::full_name;
use crate::spelling;

/// Knobs at most: a search among more would take longer than anybody waits.
const MOST_KNOBS: usize = 100;

/// What a plan asks for, of `base`.
pub(super) fn tuning(
    plan: &file::Tune,
    base: &Scenario,
    path: &FilePath,
    document: &Document,
    data: &mut Data,
) -> Result<Tuning, Vec<Diagnostic>> {
    let at = Path::root().key("tune");
    let mut check = TuneCheck {
        base,
        path,
        document,
        data,
        faults: Vec::new(),
    };
    let mut knobs = check.weights(plan, &at.key("weights"));
    for (index, change) in plan.changes.iter().enumerate() {
        knobs.extend(check.change(change, &at.key("changes").index(index)));
    }
    if plan.min_weight >= plan.max_weight {
        let message = format!(
            "`min-weight` is {}; it must be less than `max-weight`, which is {}",
            plan.min_weight, plan.max_weight
        );
        check.fault(&at.key("min-weight"), "contradiction", message);
    }
    if plan.and == Some(plan.objective) {
        check.fault(
            &at.key("and"),
            "contradiction",
            "this is the objective; a front needs another metric",
        );
    }
    if knobs.len() > MOST_KNOBS {
        let message = format!(
            "{} values may change; at most {MOST_KNOBS} can be searched: put like servers into one group, or name fewer",
            knobs.len()
        );
        check.fault(&at, "too-large", message);
    }
    if knobs.is_empty() && !(plan.strategies && base.variants.len() > 1) && check.faults.is_empty()
    {
        let message = "nothing may change: with one group of servers there are no weights to weigh against each other; \
            give `changes`, or groups";
        check.fault(&at, "nothing-to-tune", message);
    }
    let situations = check.situations(plan, &at.key("situations"));
    let faults = check.faults;
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Tuning {
        objective: plan.objective,
        and: plan.and,
        knobs,
        weights: (plan.min_weight, plan.max_weight),
        strategies: plan.strategies,
        starts: plan.starts.clone(),
        max_errors: plan.max_errors.map(|share| share.value()),
        max_utilization: plan.max_utilization.map(|share| share.value()),
        situations,
        worst: plan.worst,
        max_requests: plan.max_requests,
        max_time: plan.max_time,
        confirmations: plan.confirmations,
    })
}

struct TuneCheck<'a> {
    base: &'a Scenario,
    path: &'a FilePath,
    document: &'a Document,
    data: &'a mut Data,
    faults: Vec<Diagnostic>,
}

impl TuneCheck<'_> {
    fn fault(&mut self, at: &Path, code: &'static str, message: impl Into<String>) {
        self.faults
            .push(Diagnostic::error(code, at, message.into()));
    }

    /// The names of services, each with those of its groups.
    fn names(&self) -> Vec<(String, Vec<String>)> {
        let plan = &self.base.variants[self.base.baseline].blueprint;
        plan.services
            .iter()
            .map(|service| {
                let groups = service.groups.iter().map(|group| group.name.clone());
                (service.name.clone(), groups.collect())
            })
            .collect()
    }

    fn weights(&mut self, plan: &file::Tune, at: &Path) -> Vec<Knob> {
        let names = self.names();
        // The weight of a backup says nothing while others serve; whoever means it names it.
        let base = self.base;
        let all = |service: usize| {
            let groups = 0..names[service].1.len();
            groups
                .filter(move |&group| !base.is_backup(service, group))
                .map(move |group| (service, group))
        };
        let mut places: Vec<(usize, usize)> = Vec::new();
        match &plan.weights {
            None => {
                let compared = self.base.resolved["run"]["service"].as_str();
                let service = names
                    .iter()
                    .position(|(name, _)| compared == Some(name))
                    .unwrap_or(0);
                places.extend(all(service));
            }
            Some(wanted) => {
                let known: Vec<String> = names
                    .iter()
                    .flat_map(|(service, groups)| {
                        let groups = groups.iter().map(move |group| full_name(service, group));
                        std::iter::once(service.clone()).chain(groups)
                    })
                    .collect();
                for (index, wanted) in wanted.iter().enumerate() {
                    let (service, group) = wanted.split_once('/').unzip();
                    let service = service.unwrap_or(wanted);
                    let found = names.iter().position(|(name, _)| name == service);
                    let group = found.and_then(|found| {
                        Some((
                            found,
                            names[found]
                                .1
                                .iter()
                                .position(|own| Some(own.as_str()) == group)?,
                        ))
                    });
                    match (found, wanted.contains('/'), group) {
                        (Some(service), false, _) => places.extend(all(service)),
                        (_, true, Some(place)) => places.push(place),
                        _ => {
                            let fault = Diagnostic::error(
                                "unknown-name",
                                at.index(index),
                                format!("there is no service or group of servers `{wanted}`"),
                            );
                            let known = || known.iter().map(String::as_str);
                            let help = spelling::did_you_mean(wanted, known())
                                .unwrap_or_else(|| format!("there is {}", shape::list(known())));
                            self.faults.push(fault.help(help));
                        }
                    }
                }
            }
        }
        places.sort_unstable();
        places.dedup();
        // A weight alone weighs against nothing.
        let alone = |service: usize| all(service).count() < 2;
        places
            .into_iter()
            .filter(|&(service, _)| !alone(service))
            .map(|(service, group)| Knob {
                path: format!("services[{service}].servers[{group}].weight"),
                name: full_name(&names[service].0, &names[service].1[group]),
                range: Range::Weight(service, group),
            })
            .collect()
    }

    fn change(&mut self, change: &file::Change, at: &Path) -> Option<Knob> {
        let written = |place: &Path| {
            let text = self.document.text(&self.document.span(place));
            text.trim().to_owned()
        };
        let range = match (&change.min, &change.max, &change.values[..]) {
            (Some(_), Some(_), []) => {
                let ends =
                    [at.key("min"), at.key("max")].map(|place| NumberUnit::read(&written(&place)));
                let (Some((low, unit)), Some((high, other))) = (ends[0], ends[1]) else {
                    self.fault(
                        at,
                        "no-number",
                        "`min` and `max` must be numbers, times, shares or rates",
                    );
                    return None;
                };
                let unit = match (unit, other) {
                    (NumberUnit::Whole, NumberUnit::Plain)
                    | (NumberUnit::Plain, NumberUnit::Whole) => NumberUnit::Plain,
                    _ if unit == other => unit,
                    _ => {
                        self.fault(at, "unlike", "`min` and `max` must be of one kind");
                        return None;
                    }
                };
                if low >= high {
                    self.fault(
                        &at.key("min"),
                        "contradiction",
                        "`min` must be less than `max`",
                    );
                    return None;
                }
                Range::Number { low, high, unit }
            }
            (None, None, [_, _, ..]) => {
                let each = (0..change.values.len()).map(|index| at.key("values").index(index));
                Range::Choice(each.map(|place| written(&place)).collect())
            }
            _ => {
                self.fault(
                    at,
                    "contradiction",
                    "give either `min` and `max`, or two `values` or more",
                );
                return None;
            }
        };
        let ends = match &range {
            Range::Number { low, high, unit } => vec![unit.write(*low), unit.write(*high)],
            Range::Choice(values) => values.clone(),
            Range::Weight(..) => Vec::new(),
        };
        for end in ends {
            let sets = [format!("{}={end}", change.path)];
            if let Err(own) = point(&sets, self.path, self.document, self.data) {
                let prefix = format!("with {end}: ");
                let place = at.key("path");
                self.faults
                    .extend(own.iter().map(|fault| blamed(fault, &place, &prefix)));
                return None;
            }
        }
        Some(Knob {
            path: change.path.clone(),
            name: change.path.clone(),
            range,
        })
    }

    fn situations(&mut self, plan: &file::Tune, at: &Path) -> Vec<SituationPlan> {
        if plan.situations.is_empty() {
            return vec![SituationPlan {
                name: "as it stands".to_owned(),
                weight: 1.0,
                sets: Vec::new(),
            }];
        }
        let mut situations: Vec<SituationPlan> = Vec::new();
        for (index, situation) in plan.situations.iter().enumerate() {
            let place = at.index(index);
            let before = &plan.situations[..index];
            if before.iter().any(|other| other.name == situation.name) {
                let message = format!("two situations are called `{}`", situation.name);
                self.fault(&place.key("name"), "repeated", message);
            }
            match self.sets(situation, &place) {
                Ok(sets) => situations.push(SituationPlan {
                    name: situation.name.clone(),
                    weight: situation.weight,
                    sets,
                }),
                Err(faults) => self.faults.extend(faults),
            }
        }
        if plan
            .situations
            .iter()
            .all(|situation| situation.weight == 0.0)
            && !plan.worst
        {
            self.fault(
                at,
                "contradiction",
                "all situations have weight 0: none counts",
            );
        }
        situations
    }

    /// What is set in a situation, seen to be possible. A load is one of the capacity that the
    /// other values leave.
    fn sets(
        &mut self,
        situation: &file::Situation,
        at: &Path,
    ) -> Result<Vec<String>, Vec<Diagnostic>> {
        let blame = |own: Vec<Diagnostic>, place: &Path| -> Vec<Diagnostic> {
            let prefix = format!("in situation `{}`: ", situation.name);
            own.iter()
                .map(|fault| blamed(fault, place, &prefix))
                .collect()
        };
        let text = |key: &String| {
            let place = at.key("set").key(key);
            self.document
                .text(&self.document.span(&place))
                .trim()
                .to_owned()
        };
        let mut sets: Vec<String> = (situation.set.keys())
            .filter(|key| !is_load(key))
            .map(|key| format!("{key}={}", text(key)))
            .collect();
        let mut made = |sets: &[String]| {
            point(sets, self.path, self.document, self.data)
                .map_err(|own| blame(own, &at.key("set")))
        };
        let world = made(&sets)?;
        let loads: Vec<&String> = situation.set.keys().filter(|key| is_load(key)).collect();
        if let [_, second, ..] = loads[..] {
            let place = at.key("set").key(second);
            return Err(vec![Diagnostic::error("two-loads", place, TWO_LOADS)]);
        }
        if let [load] = loads[..] {
            let place = at.key("set").key(load);
            let more = load_sets(load, &text(load), &world)
                .map_err(|message| vec![Diagnostic::error("no-load", &place, message)])?;
            sets.extend(more);
            made(&sets)?;
        }
        Ok(sets)
    }
}
