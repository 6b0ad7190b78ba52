//! `VALUE`, or `[NUMBER *] SUBJECT [+ VALUE | - VALUE]`: with what a measure is compared.

use super::measure::{Amount, Measure};
use super::subject::{RequirementError, RequirementNames, error, subject};
use super::{Limit, MeasuredLimit, Other, Subject};
use crate::time::Span;
use crate::units::{Rate, Share};

/// What a text says a measure is to be compared with.
///
/// # Errors
/// Where it is no limit of such a measure.
pub(super) fn read(
    own: &Subject,
    text: &str,
    names: &RequirementNames<'_>,
) -> Result<Limit, RequirementError> {
    if !is_measured(text) {
        return Ok(Limit::Value(value(own.measure, text)?));
    }
    let (text, plus) = plus(own.measure, text, names)?;
    let (times, text) = times(text);
    measured(own, (times, plus), text, names).map(Limit::Measured)
}

/// Whether it begins as what is measured does.
fn begins_measured(text: &str) -> bool {
    let name = text.split_whitespace().next().unwrap_or_default();
    Measure::named(name).is_some() || text.contains(" of ")
}

/// Whether a limit is measured: `p99 of random`, `0.5 * mean`.
fn is_measured(text: &str) -> bool {
    begins_measured(times(text).1)
}

/// So many times what, where a number is written before it.
fn times(text: &str) -> (f64, &str) {
    let parted = text.split_once(['*', '×']);
    let factor = parted.and_then(|(factor, subject)| {
        let factor = factor.trim();
        let share = || Some(factor.parse::<Share>().ok()?.value());
        let factor = factor.parse::<f64>().ok().or_else(share)?;
        begins_measured(subject.trim()).then_some((factor, subject.trim()))
    });
    factor.unwrap_or((1.0, text))
}

/// What stands before ` + VALUE` or ` - VALUE`, and that value; 0 where there is none. A name may
/// end so.
fn plus<'t>(
    measure: Measure,
    text: &'t str,
    names: &RequirementNames<'_>,
) -> Result<(&'t str, f64), RequirementError> {
    for (sign, turn) in [(" + ", 1.0), (" - ", -1.0)] {
        if let Some((before, after)) = text.rsplit_once(sign)
            && after
                .trim()
                .starts_with(|first: char| first.is_ascii_digit())
            && !names.reaches_before(before.len(), text)
        {
            return Ok((before.trim_end(), turn * value(measure, after.trim())?));
        }
    }
    Ok((text, 0.0))
}

/// A limit that is measured.
fn measured(
    own: &Subject,
    (times, plus): (f64, f64),
    text: &str,
    names: &RequirementNames<'_>,
) -> Result<MeasuredLimit, RequirementError> {
    let (other, is_named) = subject(text, names)?;
    if !(times.is_finite() && times > 0.0) {
        let message = format!("`{times}` times something is no limit");
        return Err(error(message, "write a number above 0"));
    }
    if own.measure.amount() != other.measure.amount() {
        let message = format!(
            "`{}` and `{}` are not counted in the same, and cannot be compared",
            own.measure, other.measure
        );
        return Err(error(message, "compare e.g. `p99` with `mean`"));
    }
    let of = match (is_named, &other.of) {
        (false, _) => Other::Same,
        (true, None) => Other::Each,
        (true, Some(_)) => Other::Named,
    };
    let is_same = of == Other::Same || (of == Other::Named && other.of == own.of);
    if own.is_alike(&other) && is_same {
        let message = format!("`{own}` is compared with itself");
        return Err(error(message, "name another strategy after `of`"));
    }
    Ok(MeasuredLimit {
        times,
        subject: other,
        of,
        plus,
    })
}

/// What a limit of a measure looks like.
pub(super) fn example(measure: Measure) -> String {
    let limit = match measure.amount() {
        Amount::Milliseconds => "200ms",
        Amount::Seconds => "2s",
        Amount::Share => "80%",
        Amount::Rate => "500/s",
        Amount::Number => "100",
    };
    format!("write e.g. \"{measure} < {limit}\"")
}

/// A value, in what the measure is counted in.
fn value(measure: Measure, text: &str) -> Result<f64, RequirementError> {
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
        Amount::Share => match text.parse::<Share>() {
            Ok(share) if share.value() > 1.0 => {
                return Err(refused(format!("`{text}` is more than all of them")));
            }
            share => share.map(Share::value),
        },
        Amount::Rate => text.parse().map(|rate: Rate| rate.value()),
        Amount::Number => {
            if text.ends_with('%') && text.parse::<Share>().is_ok() {
                let message = format!("`{measure}` is a number, and `{text}` a share");
                let shares = match &measure.shares_like()[..] {
                    [] => String::new(),
                    like => format!("; shares are `{}`", like.join("`, `")),
                };
                return Err(error(message, example(measure) + &shares));
            }
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
    use super::super::Requirement;
    use super::*;

    #[test]
    fn a_limit_may_be_measured_too() {
        for (text, times, plus, of) in [
            ("p99 of a < p99 of b", 1.0, 0.0, Other::Named),
            ("p99 of a < 0.5 * p99 of b", 0.5, 0.0, Other::Named),
            ("p99 of a < 2 × mean of a", 2.0, 0.0, Other::Named),
            ("p99 of a < 90% * p99 of b", 0.9, 0.0, Other::Named),
            ("mean for gold < 2 * mean", 2.0, 0.0, Other::Same),
            ("p99 < 3 * mean", 3.0, 0.0, Other::Same),
            ("p99 of a < p99 of *", 1.0, 0.0, Other::Each),
            ("p99 < p99 of b after 6min", 1.0, 0.0, Other::Named),
            ("p99 of a at db < p99 at web", 1.0, 0.0, Other::Same),
            (
                "success of a for gold > success for bronze",
                1.0,
                0.0,
                Other::Same,
            ),
            ("p99 of a < p99 of retries < 2", 1.0, 0.0, Other::Named),
            ("mean of a < mean of b + 5ms", 1.0, 5.0, Other::Named),
            ("mean of a < 2 * mean of b - 5ms", 2.0, -5.0, Other::Named),
            ("success of a > success of b - 2%", 1.0, -0.02, Other::Named),
            ("p99 < p99 of b + 1s after 6min", 1.0, 1000.0, Other::Named),
            ("attempts on web/a > requests - 10", 1.0, -10.0, Other::Same),
        ] {
            let found: Requirement = text
                .parse()
                .unwrap_or_else(|fault| panic!("{text}: {fault}"));
            let Limit::Measured(limit) = &found.limit else {
                panic!("{text}");
            };
            assert_eq!((limit.times, limit.of), (times, of), "{text}");
            assert!((limit.plus - plus).abs() < 1e-12, "{text}");
            assert_eq!(found.to_string().parse::<Requirement>().unwrap(), found);
        }
    }

    #[test]
    fn a_name_may_end_like_a_sum() {
        let names = RequirementNames {
            strategies: &["a", "timeout - 5ms"],
            ..RequirementNames::default()
        };
        let plus = |text: &str| match Requirement::read(text, &names).unwrap().limit {
            Limit::Measured(limit) => limit.plus,
            Limit::Value(_) => panic!("{text}"),
        };
        assert_eq!(plus("mean of a < mean of timeout - 5ms"), 0.0);
        assert_eq!(plus("mean of a < mean of timeout - 5ms + 7ms"), 7.0);
    }
}
