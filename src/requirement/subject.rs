//! Of what, of whom and of which requests something is asked:
//! `METRIC [by CAUSE] [of STRATEGY] [at SERVICE | for CLIENTS | on SERVERS]`.

use super::measure::{MEASURES, Measure, MeasuredPart, Why};
use super::{AskedAt, Subject, Within};
use crate::prose::quoted;
use crate::spelling::did_you_mean;

/// Why a text is no requirement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RequirementError {
    /// What is wrong: a sentence.
    pub message: String,
    /// How to put it right.
    pub help: String,
}

/// The names that a requirement may use; where none are known, as of a
/// [`Requirement`](super::Requirement) from a text alone, any will do.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequirementNames<'a> {
    /// What is compared.
    pub strategies: &'a [&'a str],
    /// Services of which figures are kept, in the order of the world.
    pub services: &'a [&'a str],
    /// Groups of clients, where there are several, in the order of the world.
    pub clients: &'a [&'a str],
    /// Servers and groups of them.
    pub servers: &'a [&'a str],
}

impl RequirementNames<'_> {
    /// Whether a text ends with a name that is longer than what stands after its byte `end`: then
    /// a word of the grammar there is a part of the name.
    pub(super) fn reaches_before(&self, end: usize, text: &str) -> bool {
        let all = [self.strategies, self.services, self.clients, self.servers];
        let mut names = all.into_iter().flatten();
        names.any(|name| name.len() > text.len() - end && text.ends_with(&format!(" {name}")))
    }
}

pub(super) fn error(message: String, help: impl Into<String>) -> RequirementError {
    RequirementError {
        message,
        help: help.into(),
    }
}

/// Whether what is asked for is known of what it is asked of.
pub(super) fn known(own: &Subject, within: Within) -> Result<(), RequirementError> {
    if let Some(part) = own.measure.unknown_part(&own.place, within) {
        return Err(unknown_of(own.measure, part));
    }
    let by_group = matches!(own.place, AskedAt::Everywhere | AskedAt::Clients(..));
    let has_causes = by_group && within.is_all();
    match own.by.is_some() && !has_causes {
        false => Ok(()),
        true => Err(error(
            format!(
                "`{}` is known of a group of clients and of the whole run alone",
                own.metric()
            ),
            "leave out the cause, or what stands after it",
        )),
    }
}

/// `METRIC [by CAUSE] [of STRATEGY] [at SERVICE | for CLIENTS | on SERVERS]`, and whether it names
/// a strategy, `*` included.
pub(super) fn subject(
    text: &str,
    names: &RequirementNames<'_>,
) -> Result<(Subject, bool), RequirementError> {
    let (name, rest) = match text.split_once(" of ") {
        Some((name, rest)) => (name.trim_end(), Some(rest.trim())),
        None => match text.strip_suffix(" of") {
            Some(name) => (name.trim_end(), Some("")),
            None => (text, None),
        },
    };
    // The name of a variant may have ` at ` in it.
    let known = |of: &str| names.strategies.contains(&of);
    let (name, of, place) = match rest {
        Some(of) if known(of) => (name, Some(of), AskedAt::Everywhere),
        Some(rest) => {
            let (of, place) = place(rest, names)?;
            (name, Some(of), place)
        }
        None => {
            let (name, place) = place(name, names)?;
            (name, None, place)
        }
    };
    let (name, cause) = match name.split_once(" by ") {
        Some((name, cause)) => (name.trim_end(), Some(cause.trim_start())),
        None => (name, None),
    };
    let measure = Measure::named(name).ok_or_else(|| unknown(name))?;
    let by = cause.map(|cause| why(measure, cause)).transpose()?;
    if of.is_some_and(str::is_empty) {
        let message = format!("there is no strategy after `of` in `{text}`");
        return Err(error(message, "name one, or `*` for all of them"));
    }
    let named = of.filter(|&of| of != "*");
    if let Some(of) = named.filter(|of| !names.strategies.is_empty() && !known(of)) {
        return Err(no_name(of, "is not compared here", names.strategies));
    }
    let subject = Subject {
        measure,
        by,
        of: named.map(str::to_owned),
        place,
    };
    self::known(&subject, Within::default())?;
    Ok((subject, of.is_some()))
}

/// The cause of a name.
fn why(measure: Measure, name: &str) -> Result<Why, RequirementError> {
    let causes = |own: Measure| match own {
        Measure::Metric(own) => own.causes,
        Measure::Percentile(_) => None,
    };
    let Some(causes) = causes(measure) else {
        let known = MEASURES.iter().filter(|own| own.causes.is_some());
        let names: Vec<&str> = known.map(|own| own.name).collect();
        return Err(error(
            format!("`{measure}` is not told apart by causes"),
            format!("what is: {}", names.join(", ")),
        ));
    };
    let all = causes.all();
    let found = all.iter().find(|own| own.name() == name);
    found.copied().ok_or_else(|| {
        let names = || all.iter().map(|own| own.name());
        let near = did_you_mean(name, names()).map_or(String::new(), |question| question + " ");
        let names: Vec<&str> = names().collect();
        error(
            format!("`{name}` is no cause of `{measure}`"),
            format!("{near}there is {}", names.join(", ")),
        )
    })
}

/// What is said of a metric that is not known of such a part.
fn unknown_of(measure: Measure, part: MeasuredPart) -> RequirementError {
    let known = MEASURES.iter().filter(|own| own.parts.contains(&part));
    let mut names: Vec<&str> = known.map(|own| own.name).collect();
    if part != MeasuredPart::Servers {
        names.insert(0, "percentiles");
    }
    error(
        format!("`{measure}` is not known of {} alone", part.name()),
        format!("what is known is: {}", names.join(", ")),
    )
}

/// What stands before ` at SERVICE`, ` for CLIENTS` or ` on SERVERS`, and which that is.
fn place<'t>(
    text: &'t str,
    names: &RequirementNames<'_>,
) -> Result<(&'t str, AskedAt), RequirementError> {
    type Make = fn(String, usize) -> AskedAt;
    let kinds: [(&str, &[&str], Make, &str); 3] = [
        (" at ", names.services, AskedAt::Service, "service"),
        (" for ", names.clients, AskedAt::Clients, "group of clients"),
        (
            " on ",
            names.servers,
            |name, _| AskedAt::Servers(name),
            "server, or group of them",
        ),
    ];
    // Names may have such words in them too: the first that is followed by a name is meant.
    let ends = |word: &'static str| text.match_indices(word).map(|(at, _)| at);
    for (word, known, make, _) in kinds {
        let found = ends(word).find_map(|at| {
            let name = text[at + word.len()..].trim();
            let number = known.iter().position(|own| *own == name)?;
            Some((text[..at].trim_end(), make(name.to_owned(), number)))
        });
        if let Some(found) = found {
            return Ok(found);
        }
    }
    let last = |word: &str| text.rfind(word);
    let Some((at, (word, known, make, what))) = kinds
        .into_iter()
        .filter_map(|kind| Some((last(kind.0)?, kind)))
        .max_by_key(|(at, _)| *at)
    else {
        return Ok((text, AskedAt::Everywhere));
    };
    let (before, name) = (text[..at].trim_end(), text[at + word.len()..].trim());
    if names.strategies.is_empty() {
        return Ok((before, make(name.to_owned(), 0)));
    }
    if !known.is_empty() {
        return Err(no_name(name, &format!("is no {what}"), known));
    }
    let message = match what {
        "service" => "figures are kept by service where servers have steps, and here none has",
        "group of clients" => "there is one group of clients: nothing is told apart by groups",
        _ => "servers are not told apart here",
    };
    let help = format!("leave out `{}{name}`", word.trim_start());
    Err(error(message.to_owned(), help))
}

/// A name that there is not.
fn no_name(name: &str, is: &str, known: &[&str]) -> RequirementError {
    let near =
        did_you_mean(name, known.iter().copied()).map_or(String::new(), |question| question + " ");
    error(
        format!("`{name}` {is}"),
        format!("{near}there is {}", quoted(known)),
    )
}

/// What is said of a metric that there is not.
fn unknown(name: &str) -> RequirementError {
    let digits = name.strip_prefix('p').unwrap_or_default();
    if let Ok(percent) = digits.parse::<f64>() {
        let message =
            format!("`{name}` is no percentile: it must be more than 0 and less than 100");
        let help = match percent {
            100.0 => "the longest response time is `max`",
            _ => "write e.g. `p50`, `p99` or `p99.9`",
        };
        return error(message, help);
    }
    let known = || MEASURES.iter().map(|own| own.name);
    let message = format!("there is no metric `{name}`");
    let near = did_you_mean(name, known().chain(["p50", "p90", "p99", "p99.9"]));
    error(
        message,
        near.unwrap_or_else(|| {
            let names: Vec<&str> = known().collect();
            format!(
                "there is any percentile such as `p99`, and {}",
                names.join(", ")
            )
        }),
    )
}
