//! When a difference is no verdict: what is faster because it fails, and what was never left to
//! chance.

use super::metric::Metric;
use super::outcome::{Replicated, VariantOutcome};

/// The share of failures by which two strategies may differ and still be compared by the response
/// times of what succeeded.
pub const INDIFFERENCE: f64 = 1e-3;

/// Why nothing is said of who is better, though there is a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// The one that answers faster fails more: its response times leave out what went wrong.
    FailsMore,
    /// As that, but it is the one that it is compared with.
    OtherFailsMore,
    /// Neither of the two varies over the replications: chance was not repeated, so that no
    /// interval tells how sure this is.
    NoChance,
}

impl Withheld {
    /// What stands in place of a verdict.
    pub fn name(self) -> &'static str {
        match self {
            Withheld::FailsMore => "withheld: fails more",
            Withheld::OtherFailsMore => "withheld: other fails more",
            Withheld::NoChance => "no chance repeated",
        }
    }
}

/// Whether `one` fails so much more than `other` that it cannot be called better by `judge`, a
/// response time: a thousandth of all requests, and of quantiles a tenth of what lies above them
/// where that is less.
///
/// Response times are of requests that succeeded. With failures as the worst, infinitely late, a
/// quantile would be that of a smaller share of the succeeded, and a mean would not be finite; so a
/// verdict by response time is given only where both answer the same share of their requests, or
/// the faster one answers more.
pub fn fails_more(one: Replicated<'_>, other: Replicated<'_>, judge: &Metric) -> bool {
    one.failed() - other.failed() > indifference(judge)
}

/// By what share of all requests one may fail more than another and still be called better by
/// `judge`: any, where that is no response time.
pub fn indifference(judge: &Metric) -> f64 {
    if !judge.is_response_time() {
        return f64::INFINITY;
    }
    let above = judge.quantile().map_or(1.0, |q| 1.0 - q);
    INDIFFERENCE.min(0.1 * above)
}

/// The share of the requests of all replications that did not succeed.
pub fn failed(variant: &VariantOutcome) -> f64 {
    variant.replicated().failed()
}

/// The variants that may be called the best by `judge`: by a response time those that fail no more
/// than the one that fails least.
pub fn eligible(variants: &[&VariantOutcome], judge: &Metric) -> Vec<usize> {
    let shares: Vec<f64> = variants.iter().map(|variant| failed(variant)).collect();
    let least = shares.iter().copied().fold(1.0, f64::min);
    (0..variants.len())
        .filter(|&at| shares[at] - least <= indifference(judge))
        .collect()
}

/// Why a difference of `one` less `other` by `judge` is no verdict, if it is none.
pub(super) fn withheld(
    one: Replicated<'_>,
    other: Replicated<'_>,
    judge: &Metric,
    difference: f64,
) -> Option<Withheld> {
    if is_certain(one, other, judge, difference) {
        return Some(Withheld::NoChance);
    }
    if difference < 0.0 && fails_more(one, other, judge) {
        Some(Withheld::FailsMore)
    } else if difference > 0.0 && fails_more(other, one, judge) {
        Some(Withheld::OtherFailsMore)
    } else {
        None
    }
}

/// Whether replications are copies of each other as far as two variants and a metric are concerned.
/// That nothing ever failed under either is no such case: they are equal, and chance had its say.
fn is_certain(
    one: Replicated<'_>,
    other: Replicated<'_>,
    metric: &Metric,
    difference: f64,
) -> bool {
    let differ = |variant: Replicated<'_>| {
        let mut values = variant.runs.iter().filter_map(|run| metric.value(run));
        let first = values.next();
        values.any(|value| Some(value) != first)
    };
    let copies = !one.varies && !other.varies;
    let constant = difference != 0.0 && !differ(one) && !differ(other);
    !metric.is_known_beforehand() && one.runs.len() > 1 && (copies || constant)
}
