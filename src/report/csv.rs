//! Rows as CSV, and back.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Files by name.
pub type Files = Vec<(&'static str, Vec<u8>)>;

/// Why rows cannot be written as CSV, or read from it.
#[derive(Debug, thiserror::Error)]
#[error("`{file}`: {why}")]
pub struct CsvError {
    file: &'static str,
    why: String,
}

/// Rows with their header, as a file; the header alone where there are none.
///
/// # Errors
/// Where a row holds what no cell can.
pub fn write<R: Serialize + Default>(file: &'static str, rows: &[R]) -> Result<Vec<u8>, CsvError> {
    let error = |why: String| CsvError { file, why };
    let mut writer = csv::Writer::from_writer(Vec::new());
    // The header comes with the first row: where there is none one is made up, and taken away.
    let sample = [R::default()];
    for row in if rows.is_empty() { &sample } else { rows } {
        let done = writer.serialize(row);
        done.map_err(|fault| error(fault.to_string()))?;
    }
    let written = writer.into_inner();
    let mut bytes = written.map_err(|fault| error(fault.to_string()))?;
    if rows.is_empty() {
        let header = bytes.iter().position(|&byte| byte == b'\n');
        bytes.truncate(header.map_or(0, |at| at + 1));
    }
    Ok(bytes)
}

/// How many rows a file has, whatever they hold.
#[cfg(feature = "files")]
pub(super) fn rows(bytes: &[u8]) -> u64 {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    reader.byte_records().count() as u64
}

/// The rows of a file.
///
/// # Errors
/// Where it does not hold such rows: the line and the column that are wrong.
pub fn read<R: DeserializeOwned>(file: &'static str, bytes: &[u8]) -> Result<Vec<R>, CsvError> {
    if bytes.is_empty() {
        let why = "it is empty, and has not even the names of its columns".to_owned();
        return Err(CsvError { file, why });
    }
    let rows = csv::Reader::from_reader(bytes).into_deserialize();
    let rows: Result<Vec<R>, csv::Error> = rows.collect();
    rows.map_err(|fault| CsvError {
        file,
        why: fault.to_string(),
    })
}
