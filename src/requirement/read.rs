//! `SUBJECT <|<=|>|>= LIMIT [after TIME] [before TIME]`.

use std::str::FromStr;

use super::limit::{self, example};
use super::subject::{RequirementError, RequirementNames, error, known, subject};
use super::{Requirement, Side, Within};
use crate::time::Span;

/// What a requirement looks like.
const EXAMPLES: &str =
    "write e.g. \"p99 < 200ms\", \"errors <= 0.1%\" or \"goodput of round-robin > 500/s\"";

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

#[cfg(test)]
mod tests {
    use super::super::AskedAt;
    use super::super::measure::Why;
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
            (
                "sessions-lost < 1%",
                "a number, and `1%` a share",
                "`sessions-hurt`",
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
