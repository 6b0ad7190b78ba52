//! `METRIC [of STRATEGY] <|<=|>|>= VALUE`.

use std::str::FromStr;

use super::measure::{Amount, MEASURES, Measure};
use super::{Requirement, Side};
use crate::spelling::did_you_mean;
use crate::time::Span;
use crate::units::{Rate, Share};

/// Why a text is no requirement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RequirementError {
    /// What is wrong: a sentence.
    pub message: String,
    /// How to put it right.
    pub help: String,
}

/// What a requirement looks like.
const EXAMPLES: &str =
    "write e.g. \"p99 < 200ms\", \"errors <= 0.1%\" or \"goodput of round-robin > 500/s\"";

fn error(message: String, help: impl Into<String>) -> RequirementError {
    RequirementError {
        message,
        help: help.into(),
    }
}

impl FromStr for Requirement {
    type Err = RequirementError;

    fn from_str(text: &str) -> Result<Requirement, RequirementError> {
        let text = text.trim();
        // A value has no sign of comparison in it, the name of a variant may have one.
        let found = text.rfind(['<', '>']);
        let Some(at) = found else {
            let message = format!(
                "`{text}` compares nothing with a limit: there is no `<`, `<=`, `>` or `>=`"
            );
            return Err(error(message, EXAMPLES));
        };
        let (left, right) = text.split_at(at);
        let side = Side::ALL
            .into_iter()
            .find(|side| right.starts_with(side.sign()))
            .unwrap_or(Side::Below);
        let (left, right) = (left.trim(), right[side.sign().len()..].trim());
        let (name, of) = match left.split_once(" of ") {
            None => match left.strip_suffix(" of") {
                None => (left, None),
                Some(name) => (name.trim_end(), Some("")),
            },
            Some((name, of)) => (name.trim_end(), Some(of.trim())),
        };
        if name.is_empty() {
            let message = format!("there is no metric before `{}` in `{text}`", side.sign());
            return Err(error(message, EXAMPLES));
        }
        let measure = Measure::named(name).ok_or_else(|| unknown(name))?;
        if of.is_some_and(str::is_empty) {
            let message = format!("there is no strategy after `of` in `{text}`");
            return Err(error(message, "name one, or `*` for all of them"));
        }
        if right.is_empty() {
            let message = format!("there is no limit after `{}` in `{text}`", side.sign());
            return Err(error(message, example(measure)));
        }
        Ok(Requirement {
            measure,
            of: of.filter(|&of| of != "*").map(str::to_owned),
            side,
            limit: limit(measure, right)?,
            written: right.to_owned(),
        })
    }
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

/// What a limit of a measure looks like.
fn example(measure: Measure) -> String {
    let limit = match measure.amount() {
        Amount::Milliseconds => "200ms",
        Amount::Seconds => "2s",
        Amount::Share => "80%",
        Amount::Rate => "500/s",
        Amount::Number => "100",
    };
    format!("write e.g. \"{measure} < {limit}\"")
}

/// A limit, in what the measure is counted in.
fn limit(measure: Measure, text: &str) -> Result<f64, RequirementError> {
    let refused = |why: String| {
        let what = match measure.amount() {
            Amount::Milliseconds | Amount::Seconds => "a time",
            Amount::Share => "a share",
            Amount::Rate => "a rate",
            Amount::Number => "a number",
        };
        error(
            format!("the limit of `{measure}` must be {what}: {why}"),
            example(measure),
        )
    };
    let time = || text.parse::<Span>().map(Span::seconds);
    match measure.amount() {
        Amount::Milliseconds => time().map(|seconds| seconds * 1e3),
        Amount::Seconds => time(),
        Amount::Share => text.parse().map(|share: Share| share.value()),
        Amount::Rate => text.parse().map(|rate: Rate| rate.value()),
        Amount::Number => {
            let number = text.replace('_', "").parse::<f64>().ok();
            return number
                .filter(|number| number.is_finite() && *number >= 0.0)
                .ok_or_else(|| refused(format!("`{text}` is none that is 0 or more")));
        }
    }
    .map_err(|why| refused(why.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert!((found.limit - limit).abs() < 1e-9, "{text}");
            assert_eq!(found.to_string(), shown);
            assert_eq!(read(&found.to_string()).unwrap(), found);
        }
        let of = |text: &str| read(text).unwrap().of;
        assert_eq!(of("p99 of random < 1s").as_deref(), Some("random"));
        assert_eq!(
            of("p99 of retries < 2 < 1s").as_deref(),
            Some("retries < 2")
        );
        assert_eq!(of("p99 of * < 1s"), None);
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
        ] {
            let fault = read(text).unwrap_err();
            assert!(fault.message.contains(message), "{text}: {fault}");
            assert!(fault.help.contains(help), "{text}: {}", fault.help);
        }
    }
}
