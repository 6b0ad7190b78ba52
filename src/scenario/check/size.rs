//! What may be sized: values from one end to the other, and an objective that can be met by going
//! that way.

use std::collections::BTreeSet;
use std::path::Path as FilePath;

use super::super::Scenario;
use super::super::diagnostic::Diagnostic;
use super::super::file::{self, Seek};
use super::super::sizing::{Lost, SizeValue, Sizing};
use super::super::text::{Document, Path};
use super::super::tuning::NumberUnit;
use super::data::Data;
use super::require::KnownNames;
use super::sweep::{alike as is_alike, blamed, is_load, load_sets, point};
use crate::prose::quoted;
use crate::requirement::{Measure, Requirement};
use crate::spelling::did_you_mean;

/// Values between the two ends at most: more than fit on any axis.
const MOST_VALUES: f64 = 10_000.0;

/// What a plan looks for, in `base`.
pub(super) fn sizing(
    plan: &file::Size,
    base: &Scenario,
    path: &FilePath,
    document: &Document,
    data: &mut Data,
) -> Result<Sizing, Vec<Diagnostic>> {
    let at = Path::root().key("size");
    let mut check = SizeCheck {
        plan,
        base,
        document,
        at,
        faults: Vec::new(),
    };
    let find = plan
        .find
        .unwrap_or(match is_load(&plan.vary) || plan.vary.ends_with(".rate") {
            true => Seek::Most,
            false => Seek::Least,
        });
    let objective = check.objective();
    check.run();
    let values = check.values();
    let service = check.service();
    check.is_fixed(service);
    let lost = check.lost(service);
    for end in [values.first(), values.last()].into_iter().flatten() {
        if check.faults.is_empty() {
            check.stands(end, lost.as_ref(), path, data);
        }
    }
    if !check.faults.is_empty() {
        return Err(check.faults);
    }
    Ok(Sizing {
        path: plan.vary.clone(),
        values,
        find,
        service,
        objective,
        lost,
        max_replications: plan.max_replications,
        max_requests: plan.max_requests,
        confidence: plan.confidence.value(),
    })
}

struct SizeCheck<'a> {
    plan: &'a file::Size,
    base: &'a Scenario,
    document: &'a Document,
    at: Path,
    faults: Vec<Diagnostic>,
}

impl SizeCheck<'_> {
    fn fault(&mut self, key: &str, code: &'static str, message: impl Into<String>) {
        let at = self.at.key(key);
        self.faults
            .push(Diagnostic::error(code, at, message.into()));
    }

    /// What must hold, each line of it understood by itself.
    fn objective(&mut self) -> Vec<Requirement> {
        let known = KnownNames::of(self.base);
        let servers: Vec<&str> = known.servers.iter().map(String::as_str).collect();
        let known = known.names(&servers);
        let mut objective = Vec::new();
        for (index, text) in self.plan.objective.iter().enumerate() {
            let at = self.at.key("objective").index(index);
            let read = Requirement::read(text, &known)
                .map_err(|error| (error.message, error.help))
                .and_then(|requirement| {
                    is_plain(&requirement)?;
                    goes_right(&requirement)?;
                    Ok(requirement)
                });
            match read {
                Ok(requirement) => objective.push(requirement),
                Err((message, help)) => {
                    let fault = Diagnostic::error("bad-objective", &at, message);
                    self.faults.push(fault.help(help));
                }
            }
        }
        objective
    }

    /// What the run must be like.
    fn run(&mut self) {
        let run = Path::root().key("run");
        let mut fault = |at: Path, message: &str, help: &str| {
            let fault = Diagnostic::error("contradiction", at, message);
            self.faults.push(fault.help(help));
        };
        if self.base.replications < 2 {
            fault(
                run.key("replications"),
                "one replication says nothing of its error; a size is decided by intervals",
                "give `replications` of at least 2, better 10",
            );
        }
        if self.base.finds_warmup {
            fault(
                run.key("warmup"),
                "a size needs a warm-up that is given: what is too small may never settle",
                "give e.g. `warmup = \"30s\"`",
            );
        }
        let confidence = self.plan.confidence.value();
        if !(0.5..1.0).contains(&confidence) {
            let message = format!(
                "`confidence` is {}; it must be at least 50%, and less than 100%",
                self.plan.confidence
            );
            self.fault("confidence", "out-of-range", message);
        }
        if self.plan.max_replications < self.base.replications {
            let message = format!(
                "`max-replications` is {}; it must be at least `run.replications`, which is {}",
                self.plan.max_replications, self.base.replications
            );
            self.fault("max-replications", "contradiction", message);
        }
    }

    /// A number of the plan as it stands in the file.
    fn number(&mut self, key: &str) -> Option<(f64, NumberUnit)> {
        let written = self.document.text(&self.document.span(&self.at.key(key)));
        let found = NumberUnit::read(written);
        if found.is_none() {
            let message = format!("`{key}` must be a number, a time, a share or a rate");
            self.fault(key, "no-number", message);
        }
        found
    }

    /// All values from one end to the other.
    fn values(&mut self) -> Vec<SizeValue> {
        let (Some((low, unit)), Some((high, other))) = (self.number("min"), self.number("max"))
        else {
            return Vec::new();
        };
        let unit = match (unit, other) {
            (NumberUnit::Whole, NumberUnit::Plain) | (NumberUnit::Plain, NumberUnit::Whole) => {
                NumberUnit::Plain
            }
            _ => unit,
        };
        if !matches!(unit, NumberUnit::Plain) && unit != other {
            self.fault("max", "unlike", "`min` and `max` must be of one kind");
            return Vec::new();
        }
        if low >= high {
            self.fault("min", "contradiction", "`min` must be less than `max`");
            return Vec::new();
        }
        if is_load(&self.plan.vary) && unit != NumberUnit::Share {
            let message = "a load is a share of capacity, e.g. \"50%\"";
            self.fault("min", "no-number", message);
            return Vec::new();
        }
        let step = match &self.plan.step {
            Some(_) => match self.number("step") {
                Some((step, own)) if own == unit => step,
                Some((step, NumberUnit::Whole)) if unit == NumberUnit::Plain => step,
                Some(_) => {
                    self.fault(
                        "step",
                        "unlike",
                        "`step` must be of the kind of `min` and `max`",
                    );
                    return Vec::new();
                }
                None => return Vec::new(),
            },
            None if unit == NumberUnit::Whole => 1.0,
            None if unit == NumberUnit::Share => 0.01,
            None => {
                let message = "how fine the answer is to be is not said: give `step`";
                self.fault("min", "missing-key", message);
                return Vec::new();
            }
        };
        let count = ((high - low) / step + 1e-9).floor() + 1.0;
        if !(2.0..=MOST_VALUES).contains(&count) {
            let message = format!(
                "from `min` to `max` there must be at least 2 values and at most {MOST_VALUES}: change `step`"
            );
            let key = if self.plan.step.is_some() {
                "step"
            } else {
                "max"
            };
            self.fault(key, "out-of-range", message);
            return Vec::new();
        }
        let mut values: Vec<SizeValue> = Vec::new();
        for index in 0..count as usize {
            let number = low + index as f64 * step;
            let value = unit.write(number);
            let sets = match is_load(&self.plan.vary) {
                false => Ok(vec![format!("{}={value}", self.plan.vary)]),
                true => load_sets(&self.plan.vary, &value, self.base),
            };
            match sets {
                Ok(sets) => values.push(SizeValue {
                    written: value.trim_matches('"').to_owned(),
                    at: match unit {
                        NumberUnit::Share => number * 100.0,
                        _ => number,
                    },
                    sets,
                }),
                Err(message) => {
                    self.fault("vary", "no-load", message);
                    return Vec::new();
                }
            }
        }
        let alike = |pair: &[SizeValue]| pair[0].written == pair[1].written;
        if values.windows(2).any(alike) {
            let message = "`step` is too fine: values are written to four digits";
            self.fault("step", "out-of-range", message);
        }
        values
    }

    /// The service of which servers are lost: the one that is varied, or else the one whose
    /// strategy is compared.
    fn service(&self) -> usize {
        let services = &self.base.variants[0].blueprint.services;
        let rest = self.plan.vary.strip_prefix("services");
        let named = rest.and_then(|rest| {
            let rest = rest.trim_start_matches('.');
            let name = rest.split(['.', '[', ']']).find(|part| !part.is_empty())?;
            let by_name = services.iter().position(|service| service.name == name);
            by_name.or_else(|| name.parse().ok().filter(|&at: &usize| at < services.len()))
        });
        named.unwrap_or(self.base.variants[0].service)
    }

    /// What an autoscaler orders is not what its group has at first.
    fn is_fixed(&mut self, service: usize) {
        let groups = &self.base.variants[0].blueprint.services[service].groups;
        let counts = self.plan.vary.ends_with(".count");
        if counts && groups.iter().any(|group| group.autoscale.is_some()) {
            let message = "an autoscaler decides how many servers there are: the number at the beginning is no size";
            let fault = Diagnostic::error("contradiction", self.at.key("vary"), message);
            let help = "take `autoscale` out, or vary its `least` or `most`";
            self.faults.push(fault.help(help));
        }
    }

    fn lost(&mut self, service: usize) -> Option<Lost> {
        let wanted = self.plan.also_with_lost.as_deref()?;
        let plan = &self.base.variants[0].blueprint;
        let members = plan
            .services
            .iter()
            .flat_map(|service| service.members.iter());
        let zones: BTreeSet<&str> = members
            .filter_map(|member| member.zone.as_deref())
            .collect();
        match wanted {
            "one-server" => Some(Lost::Server),
            "one-zone" if zones.len() < 2 => {
                let message = format!(
                    "`{}` has no two zones of which one could be lost",
                    plan.services[service].name
                );
                let fault = Diagnostic::error("no-zone", self.at.key("also-with-lost"), message);
                self.faults
                    .push(fault.help("give its groups of servers a `zone`"));
                None
            }
            "one-zone" => Some(Lost::Zone),
            zone if zones.contains(zone) => Some(Lost::Named(format!("zone:{zone}"))),
            other if other.contains(['/', ':', '*']) => Some(Lost::Named(other.to_owned())),
            other => {
                let known: Vec<&str> = ["one-server", "one-zone"]
                    .into_iter()
                    .chain(zones)
                    .collect();
                let message = format!("there is no zone `{other}` that could be lost");
                let fault =
                    Diagnostic::error("unknown-name", self.at.key("also-with-lost"), message);
                let near = did_you_mean(other, known.iter().copied())
                    .map_or(String::new(), |question| question + " ");
                self.faults.push(fault.help(format!(
                    "{near}there is {}; servers are written as faults have them, `web/server-1`",
                    quoted(&known)
                )));
                None
            }
        }
    }

    /// Whether the scenario can be with a value, and with what is lost there.
    fn stands(&mut self, value: &SizeValue, lost: Option<&Lost>, path: &FilePath, data: &mut Data) {
        let document = self.document;
        let mut with = |sets: &[String]| point(sets, path, document, data);
        let (key, found) = match (with(&value.sets), lost) {
            (Ok(scenario), _) if !is_alike(&scenario, self.base) => {
                let message = format!(
                    "with {} other things are compared, or more often; a search compares the same at each value",
                    value.written
                );
                return self.fault("vary", "unlike", message);
            }
            (Ok(_), Some(Lost::Named(name))) => {
                let sets = [&value.sets[..], &[lost_set(name)]].concat();
                ("also-with-lost", with(&sets).map(|_| ()))
            }
            (Ok(_), _) => return,
            (Err(own), _) => ("vary", Err(own)),
        };
        if let Err(own) = found {
            let prefix = format!("with {}: ", value.written);
            let place = self.at.key(key);
            self.faults
                .extend(own.iter().map(|fault| blamed(fault, &place, &prefix)));
        }
    }
}

/// What is set so that servers are lost for the whole run: a crash that nothing ends.
pub(in crate::scenario) fn lost_set(servers: &str) -> String {
    format!("faults[+]={{ kind = \"crash\", servers = {servers:?}, at = \"0s\" }}")
}

/// Whether it is a value that is asked for, of the whole run: a search has nothing else to compare
/// with.
fn is_plain(requirement: &Requirement) -> Result<(), (String, String)> {
    let is_of_all = requirement.subject.is_of_all() && requirement.within.is_all();
    if requirement.value().is_some() && is_of_all {
        return Ok(());
    }
    Err((
        format!("`{requirement}` is no objective of a search: that is a value, of the whole run"),
        "write e.g. `p99 < 200ms`; `[[require]]` can compare strategies and stretches of time"
            .to_owned(),
    ))
}

/// Whether more servers, or less load, help to meet it: a bisection knows no other way.
fn goes_right(requirement: &Requirement) -> Result<(), (String, String)> {
    let measure = requirement.measure();
    if let Measure::Metric(own) = measure
        && (own.name.starts_with("cost")
            || matches!(
                own.name,
                "requests" | "attempts" | "sessions" | "bound" | "cross-zone"
            ))
    {
        return Err((
            format!("`{measure}` is not met by more servers or less load"),
            "name what users see, such as `p99 < 200ms`, or how busy servers may be: `utilization < 80%`"
                .to_owned(),
        ));
    }
    if measure.more_is_better() == requirement.side.is_upper_limit() {
        let (worse, sign) = match measure.more_is_better() {
            true => ("little", ">"),
            false => ("much", "<"),
        };
        return Err((
            format!(
                "`{requirement}` asks for {worse} `{measure}`: more servers, or less load, do not help that"
            ),
            format!("write `{measure} {sign} {}`", requirement.limit_text()),
        ));
    }
    Ok(())
}
