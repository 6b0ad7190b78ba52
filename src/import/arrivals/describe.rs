//! From collected arrivals to a description.

use toml::{Table, Value};

use super::counts::{Scatter, bin, count, dispersion, merge};
use super::gaps::Gaps;
use super::steps::partition;
use super::{Collector, Described, SECOND};
use crate::prose::counted;

/// The longest log, in seconds: a year and a day.
const LONGEST: i64 = 366 * 86_400;

/// From fewer arrivals nothing is said of how they are spread: 30 gaps of a Poisson process have a
/// coefficient of variation anywhere from 0.6 to 1.5.
const FEWEST: u64 = 30;

/// Rates that differ from the mean by less than this share are taken for one.
const SAME: f64 = 0.05;

/// A rate as a scenario writes it, with four digits.
fn rate_text(rate: f64) -> Value {
    let text = format!("{rate:.3e}");
    Value::String(format!("{}/s", text.parse::<f64>().unwrap_or(rate)))
}

/// A time as a scenario writes it.
fn time_text(nanos: i64) -> String {
    for (unit, worth) in [("h", 3600 * SECOND), ("min", 60 * SECOND), ("s", SECOND)] {
        if nanos % worth == 0 && (nanos > 0 || unit == "s") {
            return format!("{}{unit}", nanos / worth);
        }
    }
    format!("{}ms", nanos / 1_000_000)
}

/// Seconds in words.
fn span(seconds: f64) -> String {
    if seconds >= 1.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{:.0} ms", seconds * 1e3)
    }
}

fn kind(name: &str, rest: Vec<(&str, Value)>) -> Table {
    let mut table = Table::new();
    table.insert("kind".to_owned(), Value::String(name.to_owned()));
    table.extend(rest.into_iter().map(|(key, value)| (key.to_owned(), value)));
    table
}

/// Describes collected arrivals, whose times are sorted; `step` is that of the clock in
/// nanoseconds.
pub(super) fn describe(collected: &Collector, step: i64) -> Result<Described, String> {
    if collected.total < 2 {
        return Err(format!(
            "{} is too few to describe",
            counted(collected.total, "arrival")
        ));
    }
    let Some(length) = collected
        .last
        .checked_sub(collected.first)
        .filter(|length| *length < LONGEST * SECOND)
    else {
        return Err("the log is longer than a year; is the unit of its times right?".to_owned());
    };
    if length == 0 {
        return Err("all requests arrive at one moment of the log's clock".to_owned());
    }
    let seconds = length as f64 / SECOND as f64;
    let rate = (collected.total - 1) as f64 / seconds;
    let mut reasons = vec![format!(
        "{} arrivals in {}: {rate:.4} a second on average.",
        collected.total,
        span(seconds)
    )];

    if collected.total < FEWEST {
        reasons
            .push("They are too few to tell how they are spread: Poisson is assumed.".to_owned());
        return Ok(Described {
            table: kind("poisson", vec![("rate", rate_text(rate))]),
            rate,
            steps: vec![(0.0, rate)],
            cv: None,
            dispersion: Vec::new(),
            remaining: None,
            reasons,
        });
    }
    let counts = count(collected, step);
    let unit = counts.unit as f64 / SECOND as f64;
    let mut scales = Vec::new();
    for factor in [1, 10, 60, 600, 3600] {
        let merged = merge(&counts.counts, factor);
        let mean = merged.iter().sum::<f64>() / merged.len().max(1) as f64;
        if let Some(index) = dispersion(&merged, |_| mean, 1) {
            scales.push((unit * factor as f64, index));
        }
    }

    // Does the rate change?
    let width = bin(&counts);
    let bins = merge(&counts.counts, width);
    let starts = if bins.len() < 8 {
        vec![0]
    } else {
        partition(&bins)
    };
    let bin_ns = counts
        .unit
        .saturating_mul(i64::try_from(width).unwrap_or(i64::MAX));
    let mut steps: Vec<(i64, f64)> = Vec::new();
    for (place, &start) in starts.iter().enumerate() {
        let end = starts.get(place + 1).copied().unwrap_or(bins.len());
        let stretch = bins.get(start..end).unwrap_or_default();
        let mean = stretch.iter().sum::<f64>() / stretch.len().max(1) as f64;
        let from = bin_ns.saturating_mul(i64::try_from(start).unwrap_or(0));
        steps.push((from, mean / (bin_ns as f64 / SECOND as f64)));
    }
    let swing = steps
        .iter()
        .map(|&(_, step)| (step / rate - 1.0).abs())
        .fold(0.0, f64::max);
    let varies = steps.len() > 1 && swing > SAME;
    if varies {
        let (low, high) = steps
            .iter()
            .fold((f64::INFINITY, 0.0f64), |(low, high), &(_, step)| {
                (low.min(step), high.max(step))
            });
        reasons.push(format!(
            "The rate changes, from {low:.4} to {high:.4} a second: {} stretches, found in bins of {}.",
            steps.len(),
            span(bin_ns as f64 / SECOND as f64)
        ));
    } else {
        reasons.push(if steps.len() > 1 {
            format!(
                "The rate changes by {:.1}% at most, which is taken for constant.",
                100.0 * swing
            )
        } else if bins.len() < 8 {
            "There are too few arrivals to tell whether the rate changes; it is taken for constant."
                .to_owned()
        } else {
            format!(
                "No change of the rate can be told from luck, in {} bins of {}.",
                bins.len(),
                span(bin_ns as f64 / SECOND as f64)
            )
        });
        steps = vec![(0, rate)];
    }

    // What is left once the rate is taken out?
    let at = |since: i64| {
        let place = steps
            .partition_point(|&(from, _)| from <= since)
            .saturating_sub(1);
        steps.get(place).map_or(rate, |&(_, rate)| rate)
    };
    let windows: Vec<Scatter> = [1usize, 10]
        .into_iter()
        .filter_map(|factor| {
            let wide = unit * factor as f64;
            let merged = merge(&counts.counts, factor);
            let from = |place: usize| counts.unit.saturating_mul((place * factor) as i64);
            let index = dispersion(&merged, |place| wide * at(from(place)), steps.len())?;
            Some(Scatter {
                wide,
                index,
                windows: merged.len(),
            })
        })
        .collect();
    let remaining = windows.first().map(|scatter| scatter.index);
    let origin = if counts.unit == SECOND {
        collected.first.div_euclid(SECOND) * SECOND
    } else {
        collected.first
    };
    let gaps = Gaps::of(&collected.times, step, |time| at(time - origin));

    let table = if varies {
        let rates = steps.iter().map(|&(from, rate)| {
            Value::Array(vec![Value::String(time_text(from)), rate_text(rate)])
        });
        kind("steps", vec![("rates", Value::Array(rates.collect()))])
    } else {
        constant(rate, gaps.as_ref(), &windows, step, &mut reasons)
    };
    if varies {
        leftover(gaps.as_ref(), remaining, unit, &mut reasons);
    }
    if (collected.times.len() as u64) < collected.total {
        reasons.push(format!(
            "Gaps were looked at for the first {} arrivals read only.",
            collected.times.len()
        ));
    }
    Ok(Described {
        table,
        rate,
        steps: steps
            .iter()
            .map(|&(from, rate)| (from as f64 / SECOND as f64, rate))
            .collect(),
        cv: gaps.map(|gaps| gaps.cv),
        dispersion: scales,
        remaining,
        reasons,
    })
}

/// A constant rate: Poisson, or gaps of another distribution.
fn constant(
    rate: f64,
    gaps: Option<&Gaps>,
    windows: &[Scatter],
    step: i64,
    reasons: &mut Vec<String>,
) -> Table {
    let renewal = |name: &str, cv: f64| {
        let cv = (cv.clamp(0.01, 100.0) * 1000.0).round() / 1000.0;
        kind(
            name,
            vec![("rate", rate_text(rate)), ("cv", Value::Float(cv))],
        )
    };
    let poisson = || kind("poisson", vec![("rate", rate_text(rate))]);
    let widest = windows.last();
    let Some(gaps) = gaps else {
        reasons.push(format!(
            "Gaps are too few or too short for the clock of the log, which has steps of {}: only counts can be judged.",
            span((step as f64 / SECOND as f64).max(1e-3))
        ));
        let (Some(shortest), Some(widest)) = (windows.first(), widest) else {
            reasons.push("There are too few counts to tell it from Poisson.".to_owned());
            return poisson();
        };
        let (short, first, last) = (shortest.wide, shortest.index, widest.index);
        if (first - 1.0).abs() < shortest.luck().max(0.2) {
            reasons.push(format!(
                "Counts over {} scatter {first:.2} times as much as Poisson: it is Poisson.",
                span(short)
            ));
            return poisson();
        }
        let cv = libm::sqrt(first);
        reasons.push(format!(
            "Counts over {} scatter {first:.2} times as much as Poisson; independent gaps with a coefficient of variation \
             of {cv:.2} would do the same.",
            span(short)
        ));
        if last > 2.0 * first {
            reasons.push(format!(
                "Over ten times as long they scatter {last:.2} times as much, so bursts are longer than that: a trace \
                 keeps them."
            ));
        }
        return if cv > 1.0 {
            renewal("hyperexponential", cv)
        } else {
            renewal("gamma", cv)
        };
    };
    let explained = if gaps.differ() {
        gaps.cv * gaps.cv
    } else {
        1.0
    };
    let table =
        if !gaps.differ() {
            reasons.push(format!(
                "Gaps have a coefficient of variation of {:.3}; Poisson has 1.",
                gaps.cv
            ));
            poisson()
        } else {
            reasons.push(format!(
            "Gaps are {} than those of a Poisson process: their coefficient of variation is {:.3}.",
            if gaps.cv > 1.0 { "burstier" } else { "smoother" },
            gaps.cv
        ));
            if gaps.cv > 1.0 && gaps.hyperexponential {
                renewal("hyperexponential", gaps.cv)
            } else {
                renewal("gamma", gaps.cv)
            }
        };
    if let Some(&Scatter { wide, index, .. }) =
        widest.filter(|scatter| scatter.index > 2.0 * explained + scatter.luck())
    {
        reasons.push(format!(
            "Counts over {} scatter {index:.2} times as much as Poisson, more than gaps explain ({explained:.2}): bursts are \
             longer than a gap, and a trace keeps them.",
            span(wide)
        ));
    }
    table
}

/// What steps leave out.
fn leftover(gaps: Option<&Gaps>, remaining: Option<f64>, unit: f64, reasons: &mut Vec<String>) {
    if let Some(index) = remaining {
        let verdict = if index > 1.5 {
            "the steps lack these bursts, and a trace keeps them"
        } else if index < 0.67 {
            "the steps are burstier than the log"
        } else {
            "that is Poisson, as the steps are"
        };
        reasons.push(format!(
            "Within the stretches counts over {} scatter {index:.2} times as much as Poisson: {verdict}.",
            span(unit)
        ));
    }
    if let Some(gaps) = gaps.filter(|gaps| gaps.differ()) {
        reasons.push(format!(
            "Within them gaps have a coefficient of variation of {:.3}; Poisson has 1.",
            gaps.cv
        ));
    }
}
