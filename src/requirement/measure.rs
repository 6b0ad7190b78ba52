//! What can be asked for: the metrics of `summary.csv`, by the names that `judge-by` has for them
//! or by those of their columns, and any percentile of the response time.

use std::fmt;

use super::AskedAt;

/// In what a measure is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// A time, in milliseconds.
    Milliseconds,
    /// A time, in seconds.
    Seconds,
    /// A fraction of 1, written in percent.
    Share,
    /// So many a second.
    Rate,
    /// A number.
    Number,
}

/// A metric that can be asked for.
#[derive(Debug, PartialEq)]
pub struct KnownMeasure {
    /// What it is called.
    pub name: &'static str,
    /// What else it is called.
    pub also: &'static str,
    /// Its column in `runs.csv`.
    pub column: &'static str,
    /// In what it is counted.
    pub amount: Amount,
    /// Whether more of it is better.
    pub more_is_better: bool,
    /// Whether it is what is left of 1, beside its column.
    pub is_rest: bool,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// A percentile of the response time of the succeeded: a fraction of 1.
    Percentile(f64),
    /// A metric.
    Metric(&'static KnownMeasure),
}

const fn named(
    name: &'static str,
    also: &'static str,
    column: &'static str,
    amount: Amount,
) -> KnownMeasure {
    KnownMeasure {
        name,
        also,
        column,
        amount,
        more_is_better: false,
        is_rest: false,
    }
}

const fn more(named: KnownMeasure) -> KnownMeasure {
    KnownMeasure {
        more_is_better: true,
        ..named
    }
}

use Amount::{Milliseconds, Number, Rate, Seconds, Share};

/// All that can be asked for beside percentiles.
pub const MEASURES: &[KnownMeasure] = &[
    named("mean", "", "mean_ms", Milliseconds),
    named("max", "", "max_ms", Milliseconds),
    named("mean-all", "", "mean_all_ms", Milliseconds),
    named("p99-all", "", "p99_all_ms", Milliseconds),
    KnownMeasure {
        is_rest: true,
        ..named("errors", "error-share", "success_share", Share)
    },
    more(named("success", "success-share", "success_share", Share)),
    more(named("goodput", "", "goodput_rps", Rate)),
    named("utilization", "utilization-mean", "utilization_mean", Share),
    named("utilization-max", "", "utilization_max", Share),
    named("utilization-spread", "", "utilization_spread", Share),
    named("cost", "cost-per-hour", "cost_per_hour", Number),
    named("cost-per-million", "", "cost_per_million", Number),
    named("servers-mean", "", "servers_mean", Number),
    named("servers-max", "", "servers_max", Number),
    named("scale-outs", "", "scale_outs", Number),
    named("scale-ins", "", "scale_ins", Number),
    named("hostile-answered", "", "hostile_answered_share", Share),
    named("requests", "", "requests", Number),
    named("attempts", "", "attempts", Number),
    named("tries-per-request", "", "tries_per_request", Number),
    named(
        "connections-per-request",
        "",
        "connections_per_request",
        Number,
    ),
    named("attempts-per-request", "", "attempts_per_request", Number),
    named("sessions", "", "sessions", Number),
    named("sessions-lost", "", "sessions_lost", Number),
    named("sessions-hurt", "", "sessions_hurt_share", Share),
    named("sessions-hurt-count", "", "sessions_hurt", Number),
    named("met-loss", "", "met_loss_share", Share),
    named("changes-lost", "", "changes_lost_share", Share),
    named("sessions-set-back", "", "sessions_set_back", Number),
    named("set-back-by", "", "set_back_by_s", Seconds),
    named("stale-reads", "", "stale_reads_share", Share),
    named("backward-reads", "", "backward_reads_share", Share),
    named("lost-updates", "", "lost_updates_share", Share),
    named("rebuilds-per-session", "", "rebuilds_per_session", Number),
    named("revocation-delay", "", "revocation_delay_s", Seconds),
    named("bound", "", "bound_share", Share),
    named("state-mib-max", "", "state_mib_max", Number),
    named("state-mib-spread", "", "state_mib_spread", Number),
    named(
        "state-bytes-per-request",
        "",
        "state_bytes_per_request",
        Number,
    ),
];

impl Measure {
    /// The measure of a name, as `judge-by` or a column of results has it; `None` where there is
    /// none.
    pub fn named(name: &str) -> Option<Measure> {
        let own = |one: &&KnownMeasure| {
            name == one.name
                || (!one.also.is_empty() && name == one.also)
                || (!one.is_rest && name == one.column)
        };
        let found = MEASURES.iter().find(own).map(Measure::Metric);
        found.or_else(|| percentile(name).map(Measure::Percentile))
    }

    /// In what it is counted.
    pub fn amount(self) -> Amount {
        match self {
            Measure::Percentile(_) => Milliseconds,
            Measure::Metric(own) => own.amount,
        }
    }

    /// Whether more of it is better.
    pub fn more_is_better(self) -> bool {
        matches!(self, Measure::Metric(own) if own.more_is_better)
    }

    /// Whether it is known of so few requests alone.
    pub fn is_known_of(self, place: &AskedAt) -> bool {
        match (self, place) {
            (Measure::Percentile(_), _) | (_, AskedAt::Everywhere) => true,
            (Measure::Metric(own), AskedAt::Service(..)) => {
                matches!(own.column, "mean_ms" | "success_share")
            }
            (Measure::Metric(own), AskedAt::Clients(..)) => matches!(
                own.column,
                "mean_ms"
                    | "max_ms"
                    | "mean_all_ms"
                    | "p99_all_ms"
                    | "success_share"
                    | "goodput_rps"
                    | "requests"
            ),
        }
    }

    /// Whether it is known of a stretch of time alone.
    pub fn is_known_within(self) -> bool {
        match self {
            Measure::Percentile(_) => true,
            Measure::Metric(own) => {
                matches!(
                    own.column,
                    "mean_ms" | "success_share" | "goodput_rps" | "requests"
                )
            }
        }
    }

    /// Whether it is a response time of requests that succeeded: where none does it has no value.
    pub fn is_of_succeeded(self) -> bool {
        match self {
            Measure::Percentile(_) => true,
            Measure::Metric(own) => matches!(own.column, "mean_ms" | "max_ms"),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Through the text of the fraction: 99.9 and not 99.90000000000001.
            Measure::Percentile(q) => write!(f, "p{}", (q * 1e9).round() / 1e7),
            Measure::Metric(own) => f.write_str(own.name),
        }
    }
}

/// The fraction that `p99.9` stands for; `p999` and `p99_ms` are how `judge-by` and the columns of
/// results write it.
fn percentile(name: &str) -> Option<f64> {
    let number = name.strip_suffix("_ms").unwrap_or(name).strip_prefix('p')?;
    let plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
    // Read as hundredths: 99.9 over 100 is not 0.999 to the last digit.
    let share: f64 = match number {
        "999" => 0.999,
        "" => return None,
        _ if plain => format!("{number}e-2").parse().ok()?,
        _ => return None,
    };
    (share > 0.0 && share < 1.0).then_some(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_percentile_has_a_name() {
        for (name, q, written) in [
            ("p50", 0.5, "p50"),
            ("p99.9", 0.999, "p99.9"),
            ("p999", 0.999, "p99.9"),
            ("p99_ms", 0.99, "p99"),
            ("p99.99", 0.9999, "p99.99"),
        ] {
            let Some(Measure::Percentile(found)) = Measure::named(name) else {
                panic!("{name}");
            };
            assert!((found - q).abs() < 1e-12, "{name}");
            assert_eq!(Measure::Percentile(found).to_string(), written);
        }
        for name in ["p", "p0", "p100", "p1e1", "p-5", "q99", "p9.9.9"] {
            assert_eq!(Measure::named(name), None, "{name}");
        }
    }
}
