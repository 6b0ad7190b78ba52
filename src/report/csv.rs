//! The CSV files of results: rows with their header.

use serde::Serialize;

use super::sweep::SweepTables;
use super::tables::Tables;
use crate::experiment::Outcome;
use crate::scenario::Scenario;

/// A row could not be written as CSV.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{name}`: {why}")]
pub struct CsvError {
    /// Which file.
    pub name: &'static str,
    /// Why.
    pub why: String,
}

/// Files by name.
pub(super) type Files = Vec<(&'static str, Vec<u8>)>;

/// The CSV files of a scenario's results, by name, byte for byte as they are written.
///
/// # Errors
/// Where a row cannot be written as CSV.
pub fn files(scenario: &Scenario, outcomes: &[Outcome]) -> Result<Files, CsvError> {
    if scenario.sweep.is_some() {
        of_sweep(&SweepTables::new(scenario, outcomes))
    } else {
        of_run(&Tables::new(scenario, &outcomes[0]))
    }
}

pub(super) fn of_sweep(tables: &SweepTables) -> Result<Files, CsvError> {
    Ok(vec![
        rows("runs.csv", &tables.runs)?,
        rows("sweep.csv", &tables.estimates)?,
        rows("paired.csv", &tables.paired)?,
    ])
}

pub(super) fn of_run(tables: &Tables) -> Result<Files, CsvError> {
    Ok(vec![
        rows("runs.csv", &tables.runs)?,
        rows("summary.csv", &tables.summary)?,
        rows("paired.csv", &tables.paired)?,
        rows("ranking.csv", &tables.ranking)?,
        rows("theory.csv", &tables.theory)?,
        rows("settling.csv", &tables.settling)?,
        rows("latency.csv", &tables.latency)?,
        rows("servers.csv", &tables.servers)?,
        rows("services.csv", &tables.services)?,
        rows("timeline.csv", &tables.timeline)?,
        rows("utilization.csv", &tables.utilization)?,
        rows("sessions.csv", &tables.sessions)?,
        rows("clients.csv", &tables.clients)?,
    ])
}

/// Rows with their header, as a file; the header alone where there are none.
pub(super) fn rows<R: Serialize + Default>(
    name: &'static str,
    rows: &[R],
) -> Result<(&'static str, Vec<u8>), CsvError> {
    let failed = |why: String| CsvError { name, why };
    let mut writer = csv::Writer::from_writer(Vec::new());
    // The header comes with the first row: where there is none one is made up, and taken away.
    let sample = [R::default()];
    for row in if rows.is_empty() { &sample } else { rows } {
        writer
            .serialize(row)
            .map_err(|fault| failed(fault.to_string()))?;
    }
    let mut bytes = writer
        .into_inner()
        .map_err(|fault| failed(fault.to_string()))?;
    if rows.is_empty() {
        let header = bytes.iter().position(|&byte| byte == b'\n');
        bytes.truncate(header.map_or(0, |at| at + 1));
    }
    Ok((name, bytes))
}
