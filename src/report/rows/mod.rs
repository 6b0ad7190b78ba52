//! The rows of the CSV files: one struct a file, one observation a row, the unit in the column's
//! name. Each file of this folder has the struct, which is the schema, and what fills it.
//!
//! Times are milliseconds of response time (`_ms`) or seconds of simulated time (`_s`); shares are
//! fractions of 1. What is not known is an empty cell, never zero. A strategy is named as in every
//! table and chart; an oracle's name ends in ` (oracle)`.

mod clients;
mod detection;
mod failures;
mod faults;
mod latency;
mod measured;
mod paired;
mod percentiles;
mod ranking;
mod requirements;
mod servers;
mod services;
mod sessions;
mod settling;
mod summary;
mod sweep;
mod theory;
mod timeline;
mod topology;
mod utilization;

pub use clients::ClientsRow;
pub use detection::DetectionRow;
pub(super) use failures::CAUSES;
pub use failures::FailureRow;
pub use faults::FaultRow;
pub use latency::LatencyRow;
#[cfg(feature = "tune")]
pub(super) use latency::spectrum_of;
pub use measured::MeasuredRow;
pub use paired::PairedRow;
pub(super) use paired::verdict;
pub use percentiles::PercentileRow;
pub use ranking::RankingRow;
pub use requirements::RequirementRow;
pub use servers::ServerRow;
pub use services::ServiceRow;
pub use sessions::SessionRow;
pub use settling::SettlingRow;
pub use summary::SummaryRow;
pub use sweep::{SweepPairedRow, SweepRow, SweepRun};
pub use theory::{ExactLatencyRow, TheoryRow};
pub use timeline::TimelineRow;
pub use topology::TopologyRow;
pub use utilization::UtilizationRow;

pub use crate::experiment::Run as RunRow;

use crate::experiment::{Analysis, Comparison, Outcome, VariantOutcome};
use crate::scenario::{Scenario, Variant};

/// The tables of a results folder: a field, its rows and its file in a line each. From it follow
/// the CSV files, what is read back from them, and what stands in JSON, under the file's name.
macro_rules! tables {
    (
        $(#[$about:meta])*
        pub struct $Tables:ident {
            $($(#[$doc:meta])* $field:ident: $Row:ty => $file:literal,)*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq)]
        #[non_exhaustive]
        pub struct $Tables {
            $($(#[$doc])* pub $field: Vec<$Row>,)*
        }

        impl $Tables {
            /// The names of the files.
            pub const FILES: &'static [&'static str] = &[$($file),*];

            /// The files by name, byte for byte as they are written.
            ///
            /// # Errors
            /// Where a row cannot be written as CSV.
            pub fn files(&self) -> Result<$crate::report::csv::Files, $crate::report::csv::CsvError> {
                Ok(vec![$(($file, $crate::report::csv::write($file, &self.$field)?)),*])
            }

            /// What stood in the files, whose bytes `open` gives by name.
            ///
            /// # Errors
            /// Where `open` fails, or a file does not hold such rows.
            pub fn read<E>(mut open: impl FnMut(&'static str) -> Result<Vec<u8>, E>) -> Result<Self, E>
            where
                E: From<$crate::report::csv::CsvError>,
            {
                Ok(Self {
                    $($field: $crate::report::csv::read($file, &open($file)?)?,)*
                })
            }

            /// The rows of each file under its name, as entries of a map.
            pub(in crate::report) fn entries<M: ::serde::ser::SerializeMap>(
                &self,
                map: &mut M,
            ) -> Result<(), M::Error> {
                $(map.serialize_entry($file.trim_end_matches(".csv"), &self.$field)?;)*
                Ok(())
            }
        }

        impl ::serde::Serialize for $Tables {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use ::serde::ser::SerializeMap as _;
                let mut map = serializer.serialize_map(Some(Self::FILES.len()))?;
                self.entries(&mut map)?;
                map.end()
            }
        }
    };
}
pub(super) use tables;

tables! {
    /// The rows of all files of a run without a sweep.
    pub struct Tables {
        /// Each replication of each strategy.
        runs: RunRow => "runs.csv",
        /// The percentiles that the scenario asks for, of each replication.
        percentiles: PercentileRow => "percentiles.csv",
        /// Estimates.
        summary: SummaryRow => "summary.csv",
        /// Differences to the baseline.
        paired: PairedRow => "paired.csv",
        /// Who beats whom.
        ranking: RankingRow => "ranking.csv",
        /// What is required, and whether it holds.
        requirements: RequirementRow => "requirements.csv",
        /// What theory says.
        theory: TheoryRow => "theory.csv",
        /// How the warm-up was found.
        settling: SettlingRow => "settling.csv",
        /// Percentile spectra.
        latency: LatencyRow => "latency.csv",
        /// Those that theory gives, where it is exact.
        exact_latency: ExactLatencyRow => "exact-latency.csv",
        /// What was measured at the real system.
        measured: MeasuredRow => "measured.csv",
        /// Servers.
        servers: ServerRow => "servers.csv",
        /// Why requests failed.
        failures: FailureRow => "failures.csv",
        /// Services, where there are steps.
        services: ServiceRow => "services.csv",
        /// What balancers noticed of failures.
        detection: DetectionRow => "detection.csv",
        /// Response times over time.
        timeline: TimelineRow => "timeline.csv",
        /// Utilization over time.
        utilization: UtilizationRow => "utilization.csv",
        /// Faults whose times are drawn, over time.
        faults: FaultRow => "faults.csv",
        /// Sessions lost.
        sessions: SessionRow => "sessions.csv",
        /// Groups of clients.
        clients: ClientsRow => "clients.csv",
        /// Who asks whom.
        topology: TopologyRow => "topology.csv",
    }
}

tables! {
    /// The rows of all files of a sweep.
    pub struct SweepTables {
        /// Each replication of each strategy at each value.
        runs: SweepRun => "runs.csv",
        /// Estimates at each value.
        sweep: SweepRow => "sweep.csv",
        /// Differences to the baseline at each value.
        paired: SweepPairedRow => "paired.csv",
        /// What is required, and whether it holds at each value.
        requirements: RequirementRow => "requirements.csv",
    }
}

impl Tables {
    /// The rows that an outcome makes.
    pub(super) fn new(
        scenario: &Scenario,
        outcome: &Outcome,
        analysis: &Analysis,
        duels: &[(usize, usize, Option<Comparison>)],
    ) -> Tables {
        let latency = latency::rows(scenario, outcome);
        let scales = |variant: &Variant| variant.blueprint.features().autoscalers;
        let scales = scenario.variants.iter().any(scales);
        Tables {
            runs: each(scenario, outcome, |_, measured| measured.runs.clone()),
            percentiles: each(scenario, outcome, percentiles::rows),
            summary: summary::rows(scenario, outcome, analysis),
            paired: paired::rows(scenario, analysis),
            ranking: ranking::rows(scenario, duels),
            requirements: requirements::rows(scenario, std::slice::from_ref(outcome)),
            theory: theory::rows(scenario, outcome, analysis),
            settling: settling::rows(scenario),
            exact_latency: theory::latency(scenario, &latency),
            latency,
            measured: measured::rows(scenario),
            servers: each(scenario, outcome, servers::rows),
            failures: failures::rows(scenario, outcome),
            services: each(scenario, outcome, services::rows),
            detection: each(scenario, outcome, detection::rows),
            timeline: each(scenario, outcome, |variant, measured| {
                timeline::rows(variant, measured, scales)
            }),
            utilization: each(scenario, outcome, utilization::rows),
            faults: each(scenario, outcome, faults::rows),
            sessions: each(scenario, outcome, sessions::rows),
            clients: clients::rows(scenario, outcome),
            topology: topology::rows(scenario),
        }
    }
}

impl SweepTables {
    /// The rows that the outcomes of a sweep make, one outcome a point; none where the scenario has
    /// no sweep.
    pub(super) fn new(
        scenario: &Scenario,
        outcomes: &[Outcome],
        analyses: &[Analysis],
    ) -> SweepTables {
        let mut tables = sweep::rows(scenario, outcomes, analyses);
        if scenario.sweep.is_some() {
            tables.requirements = requirements::rows(scenario, outcomes);
        }
        tables
    }
}

/// The rows of each variant, one after the other.
fn each<R>(
    scenario: &Scenario,
    outcome: &Outcome,
    rows: impl Fn(&Variant, &VariantOutcome) -> Vec<R>,
) -> Vec<R> {
    let both = scenario.variants.iter().zip(&outcome.variants);
    both.flat_map(|(variant, measured)| rows(variant, measured))
        .collect()
}
