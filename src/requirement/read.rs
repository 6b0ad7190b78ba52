//! `SUBJECT <|<=|>|>= LIMIT [after TIME] [before TIME]`, where a subject is
//! `METRIC [by CAUSE] [of STRATEGY] [at SERVICE | for CLIENTS | on SERVERS]`.

use std::str::FromStr;

use super::limit::{self, example};
use super::measure::{MEASURES, Measure, MeasuredPart, Why};
use super::{AskedAt, Requirement, Side, Subject, Within};
use crate::prose::quoted;
use crate::spelling::did_you_mean;
use crate::time::Span;

/// Why a text is no requirement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RequirementError {
    /// What is wrong: a sentence.
    pub message: String,
    /// How to put it right.
    pub help: String,
}

/// The names that a requirement may use; where none are known, as in [`Requirement::from_str`], any
/// will do.
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

/// What a requirement looks like.
const EXAMPLES: &str =
    "write e.g. \"p99 < 200ms\", \"errors <= 0.1%\" or \"goodput of round-robin > 500/s\"";

pub(super) fn error(message: String, help: impl Into<String>) -> RequirementError {
    RequirementError {
        message,
        help: help.into(),
    }
}

impl FromStr for Requirement {
    type Err = RequirementError;

    fn from_str(text: &str) -> Result<Requirement, RequirementError> {
        Requirement::read(text, &RequirementNames::default())
    }
}

impl Requirement {
    /// What a text asks for, of what has these names.
    ///
    /// # Errors
    /// Where it asks for nothing that can be understood.
    pub fn read(text: &str, names: &RequirementNames<'_>) -> Result<Requirement, RequirementError> {
        let text = text.trim();
        // The name of a variant may have a sign of comparison in it: the last one that can be
        // understood is meant, and of a text that cannot the last one is blamed.
        let mut fault = None;
        for (at, _) in text.rmatch_indices(['<', '>']) {
            match compared(text, at, names) {
                Ok(requirement) => return Ok(requirement),
                Err(own) => fault = fault.or(Some(own)),
            }
        }
        Err(fault.unwrap_or_else(|| {
            let message = format!(
                "`{text}` compares nothing with a limit: there is no `<`, `<=`, `>` or `>=`"
            );
            error(message, EXAMPLES)
        }))
    }
}

/// What a text asks for that compares at this byte.
fn compared(
    text: &str,
    at: usize,
    names: &RequirementNames<'_>,
) -> Result<Requirement, RequirementError> {
    let (left, right) = text.split_at(at);
    let side = Side::ALL
        .into_iter()
        .find(|side| right.starts_with(side.sign()))
        .unwrap_or(Side::Below);
    let (left, right) = (left.trim(), right[side.sign().len()..].trim());
    if left.is_empty() || left.starts_with("of ") {
        let message = format!("there is no metric before `{}` in `{text}`", side.sign());
        return Err(error(message, EXAMPLES));
    }
    understood(text, (left, side, right), names)
        .map_err(|fault| misplaced(left, right, names).unwrap_or(fault))
}

/// What is asked for by what stands left and right of a sign.
fn understood(
    text: &str,
    (left, side, right): (&str, Side, &str),
    names: &RequirementNames<'_>,
) -> Result<Requirement, RequirementError> {
    let (subject, _) = subject(left, names)?;
    let (written, within) = within(right, names)?;
    if written.is_empty() {
        let message = format!("there is no limit after `{}` in `{text}`", side.sign());
        return Err(error(message, example(subject.measure)));
    }
    let requirement = Requirement {
        limit: limit::read(&subject, written, names)?,
        subject,
        side,
        within,
        written: written.to_owned(),
    };
    let fault = requirement
        .subjects()
        .find_map(|own| known(own, within).err());
    fault.map_or(Ok(requirement), Err)
}

/// What is said where words of the grammar stand on the wrong side of the sign.
fn misplaced(left: &str, right: &str, names: &RequirementNames<'_>) -> Option<RequirementError> {
    let is_value = |text: &str| {
        text.trim()
            .starts_with(|first: char| first.is_ascii_digit())
    };
    if within(left, names).is_ok_and(|(_, within)| !within.is_all()) {
        return Some(error(
            "`after` and `before` stand at the end, behind the limit".to_owned(),
            "write e.g. `p99 < 200ms after 6min`",
        ));
    }
    let sum = [" + ", " - "].into_iter().find_map(|sign| {
        let (before, value) = left.rsplit_once(sign)?;
        (is_value(value) && !names.reaches_before(before.len(), left)).then_some(value.trim())
    });
    if let Some(value) = sum {
        return Some(error(
            format!("`{value}` stands on the left: what is added or taken off stands on the right"),
            "write e.g. `mean of a < mean of b - 5ms`",
        ));
    }
    let word = [" for ", " at ", " on "].into_iter().find(|word| {
        let value = right.split_once(word).map(|(value, _)| value.trim());
        value.is_some_and(|value| is_value(value) && !value.contains(' '))
    })?;
    Some(error(
        format!("`{}` stands behind the limit", word.trim()),
        format!("say of which requests before the sign: `p99{word}… < 200ms`"),
    ))
}

/// Whether what is asked for is known of what it is asked of.
fn known(own: &Subject, within: Within) -> Result<(), RequirementError> {
    if let Some(part) = own.measure.unknown_part(&own.place, within) {
        return Err(unknown_of(own.measure, part));
    }
    let is_part = own.place.part().is_some() || !within.is_all();
    match is_part && own.by.is_some() {
        false => Ok(()),
        true => Err(error(
            format!("`{}` is known of the whole run alone", own.metric()),
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

/// What stands before ` after TIME` and ` before TIME`, in any order, and these; where a name ends
/// so, it is that.
fn within<'t>(
    text: &'t str,
    names: &RequirementNames<'_>,
) -> Result<(&'t str, Within), RequirementError> {
    let (mut rest, mut within) = (text, Within::default());
    loop {
        let ends = [
            (" after ", &mut within.after),
            (" before ", &mut within.before),
        ];
        let found = ends.into_iter().find_map(|(word, place)| {
            let (before, time) = rest.rsplit_once(word)?;
            let time = time.trim().parse::<Span>().ok()?;
            if names.reaches_before(before.len(), rest) {
                return None;
            }
            Some((before.trim_end(), place.replace(time).is_some()))
        });
        match found {
            None => break,
            Some((_, true)) => {
                let message = format!("`{text}` says twice when");
                return Err(error(message, "write e.g. `after 6min before 8min`"));
            }
            Some((before, false)) => rest = before,
        }
    }
    if let (Some(after), Some(before)) = (within.after, within.before)
        && after >= before
    {
        let message = format!("nothing is both after {after} and before {before}");
        return Err(error(message, "the first must be less than the second"));
    }
    Ok((rest, within))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Loss;

    fn read(text: &str) -> Result<Requirement, RequirementError> {
        text.parse()
    }

    #[test]
    fn what_is_written_is_read() {
        for (text, limit, shown) in [
            ("p99 < 200ms", 200.0, "p99 < 200ms"),
            ("p99.9<=2s", 2000.0, "p99.9 <= 2s"),
            ("mean_ms < 1ms", 1.0, "mean < 1ms"),
            ("errors < 0.1%", 0.001, "errors < 0.1%"),
            ("success-share >= 99.9%", 0.999, "success >= 99.9%"),
            ("goodput > 1.5k/s", 1500.0, "goodput > 1.5k/s"),
            ("utilization < 80%", 0.8, "utilization < 80%"),
            ("revocation-delay < 5s", 5.0, "revocation-delay < 5s"),
            ("cost <= 1_000", 1000.0, "cost <= 1_000"),
            ("p99 of * < 1s", 1000.0, "p99 < 1s"),
            ("p99 of retries < 2 < 1s", 1000.0, "p99 of retries < 2 < 1s"),
        ] {
            let found = read(text).unwrap();
            assert!((found.value().unwrap() - limit).abs() < 1e-9, "{text}");
            assert_eq!(found.to_string(), shown);
            assert_eq!(read(&found.to_string()).unwrap(), found);
        }
        let of = |text: &str| read(text).unwrap().subject.of;
        assert_eq!(of("p99 of random < 1s").as_deref(), Some("random"));
        assert_eq!(
            of("p99 of retries < 2 < 1s").as_deref(),
            Some("retries < 2")
        );
        assert_eq!(of("p99 of * < 1s"), None);
    }

    #[test]
    fn names_are_known() {
        let names = RequirementNames {
            strategies: &["random", "5 at once"],
            services: &["web", "db"],
            clients: &["gold", "bronze"],
            servers: &["web/web-1", "web/web"],
        };
        let read = |text: &str| Requirement::read(text, &names);
        let found = read("p99 of 5 at once < 1s").unwrap();
        assert_eq!(found.subject.of.as_deref(), Some("5 at once"));
        assert_eq!(found.subject.place, AskedAt::Everywhere);
        let found = read("p99 of 5 at once at db < 1s").unwrap();
        assert_eq!(found.subject.place, AskedAt::Service("db".to_owned(), 1));
        let found = read("utilization of random on web/web-1 < 80%").unwrap();
        assert_eq!(
            found.subject.place,
            AskedAt::Servers("web/web-1".to_owned())
        );
        let found = read("sessions-lost by table-lost of random <= 5").unwrap();
        assert_eq!(found.subject.by, Some(Why::Lost(Loss::TableLost)));
        assert_eq!(
            found.to_string(),
            "sessions-lost by table-lost of random <= 5"
        );
        let found = read("errors for bronze <= 1% after 2min before 180s").unwrap();
        assert_eq!(
            found.subject.place,
            AskedAt::Clients("bronze".to_owned(), 1)
        );
        assert_eq!(
            found.to_string(),
            "errors for bronze <= 1% after 2min before 3min"
        );
        for (text, message, help) in [
            (
                "p99 of randon < 1s",
                "`randon` is not compared",
                "did you mean `random`?",
            ),
            ("p99 at dp < 1s", "`dp` is no service", "did you mean `db`?"),
            ("p99 for silver < 1s", "is no group of clients", "`gold`"),
            ("cost at db < 1", "not known of a service", "goodput"),
            ("max for gold < 1s", "a group of clients alone", "goodput"),
            ("p99 on web/web < 1s", "some servers alone", "utilization"),
            (
                "utilization on web/wbe < 1%",
                "no server, or group of them",
                "did you mean `web/web`?",
            ),
            ("p99 by crash < 1s", "not told apart by causes", "errors"),
            ("mean of random - 5ms < 1s", "on the right", "- 5ms"),
            (
                "errors by tmeout < 1%",
                "is no cause of `errors`",
                "did you mean `timeout`?",
            ),
            ("errors by crash at db < 1%", "the whole run alone", "cause"),
            (
                "errors by crash < 1% after 2min",
                "whole run alone",
                "cause",
            ),
            (
                "p99 of random < p99 of random",
                "with itself",
                "another strategy",
            ),
            (
                "p99 of random < errors of 5 at once",
                "not counted in the same",
                "p99",
            ),
            ("p99 of random < 0 * p99", "no limit", "above 0"),
            ("p99 < 1s after 2min after 3min", "twice", "before"),
            ("p99 < 1s after 3min before 2min", "both after", "less"),
        ] {
            let fault = read(text).unwrap_err();
            assert!(fault.message.contains(message), "{text}: {fault}");
            assert!(fault.help.contains(help), "{text}: {}", fault.help);
        }
    }

    #[test]
    fn names_may_have_words_of_the_grammar_in_them() {
        let names = RequirementNames {
            strategies: &["2 at once", "retry after 1s", "for all"],
            services: &["web", "shop at sea"],
            clients: &["gold", "paid for gold"],
            servers: &[],
        };
        let read = |text: &str| Requirement::read(text, &names).unwrap();
        let found = read("p99 of 2 at once < p99 of retry after 1s");
        assert_eq!(found.within, Within::default());
        let found = read("p99 of 2 at once < p99 of retry after 1s after 2min before 3min");
        assert_eq!(found.within.after, Some(Span::from_secs(120)));
        assert_eq!(found.to_string().matches("after").count(), 2);
        let found = read("p99 of retry after 1s at shop at sea < 1s after 2min");
        assert_eq!(found.subject.of.as_deref(), Some("retry after 1s"));
        let sea = AskedAt::Service("shop at sea".to_owned(), 1);
        assert_eq!(found.subject.place, sea);
        let found = read("p99 of for all for paid for gold < 1s");
        let paid = AskedAt::Clients("paid for gold".to_owned(), 1);
        assert_eq!(found.subject.place, paid);
        assert_eq!(found.subject.of.as_deref(), Some("for all"));
    }

    #[test]
    fn what_is_wrong_is_said_and_how_to_put_it_right() {
        for (text, message, help) in [
            ("p99 200ms", "compares nothing", "p99 < 200ms"),
            ("p99 = 200ms", "compares nothing", "errors <="),
            ("", "compares nothing", "write e.g."),
            ("< 200ms", "no metric before `<`", "write e.g."),
            ("error < 1%", "no metric `error`", "did you mean `errors`?"),
            ("wait < 1ms", "no metric `wait`", "any percentile"),
            ("p100 < 1s", "no percentile", "`max`"),
            ("p0 < 1s", "no percentile", "`p50`"),
            ("p99 <", "no limit after `<`", "p99 < 200ms"),
            ("p99 < 200", "must be a time", "p99 < 200ms"),
            ("p99 < 20%", "must be a time", "p99 < 200ms"),
            ("errors < 0.001", "must be a share", "errors < 80%"),
            ("goodput > 5", "must be a rate", "goodput < 500/s"),
            ("cost < -1", "must be a number", "cost < 100"),
            ("cost < NaN", "must be a number", "cost < 100"),
            ("p99 of  < 1s", "no strategy after `of`", "`*`"),
            ("p99 after 60s < 1s", "stand at the end", "after 6min"),
            ("mean of a < mean of b + 5%", "must be a time", "200ms"),
            ("mean of a < 30ms for gold", "behind the limit", "p99 for"),
            ("success > 101%", "more than all", "80%"),
        ] {
            let fault = read(text).unwrap_err();
            assert!(fault.message.contains(message), "{text}: {fault}");
            assert!(fault.help.contains(help), "{text}: {}", fault.help);
        }
    }
}
