//! A row a request, for whoever wants to look closer than any table does.
//!
//! Each cell is lived once more with a witness that writes: a cell is a function of the scenario,
//! the seed and its numbers, so these are the requests that the figures are made of, and nothing
//! has to be kept in memory.

mod access_log;
mod lines;
mod parquet;
mod row;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

pub use access_log::LOG_FORMAT;

use super::slug::slug;
use super::write::WriteError;
use crate::experiment::Outcome;
use crate::parallel;
use crate::scenario::{Scenario, Variant};

/// What files of requests are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFiles {
    /// CSV, with a header line.
    Csv,
    /// CSV, packed as gzip.
    Gzip,
    /// CSV, packed as zstd.
    Zstd,
    /// Columns of Apache Parquet, packed as zstd within.
    Parquet,
    /// A line of an access log each, as nginx writes it, in this [format](LOG_FORMAT).
    Nginx,
}

impl RequestFiles {
    fn ending(self) -> &'static str {
        match self {
            RequestFiles::Csv => "csv",
            RequestFiles::Gzip => "csv.gz",
            RequestFiles::Zstd => "csv.zst",
            RequestFiles::Parquet => "parquet",
            RequestFiles::Nginx => "log",
        }
    }
}

/// One life of a variant, whose requests are written.
#[derive(Clone, Copy)]
struct Cell<'a> {
    variant: &'a Variant,
    seed: u64,
    replication: u32,
}

/// Writes a file a variant and replication into `folder/requests`, on the threads of the current
/// rayon pool.
///
/// # Errors
/// Where the file system says no.
pub fn write(
    folder: &Path,
    scenario: &Scenario,
    outcome: &Outcome,
    files: RequestFiles,
) -> Result<(), WriteError> {
    let place = folder.join("requests");
    let failed = |path: &Path, source| WriteError::Io {
        path: path.to_owned(),
        source,
    };
    std::fs::create_dir(&place).map_err(|source| failed(&place, source))?;
    let variants = scenario.variants.iter().enumerate();
    let cells: Vec<(usize, Cell<'_>)> = variants
        .flat_map(|(at, variant)| {
            let cell = move |replication| Cell {
                variant,
                seed: scenario.seed,
                replication,
            };
            (0..outcome.replications()).map(move |replication| (at, cell(replication)))
        })
        .collect();
    parallel::try_map(cells, |(at, cell)| {
        let name = format!(
            "{}-{}-{}.{}",
            at + 1,
            slug(&cell.variant.name),
            cell.replication,
            files.ending()
        );
        let path = place.join(name);
        one(&path, cell, files).map_err(|source| failed(&path, source))
    })?;
    Ok(())
}

fn one(path: &Path, cell: Cell<'_>, files: RequestFiles) -> io::Result<()> {
    let file = BufWriter::new(File::create(path)?);
    match files {
        RequestFiles::Csv => {
            let mut out = file;
            lines::csv(&mut out, cell)?;
            out.flush()
        }
        RequestFiles::Gzip => {
            let mut out = GzEncoder::new(file, Compression::fast());
            lines::csv(&mut out, cell)?;
            out.finish()?.flush()
        }
        RequestFiles::Zstd => {
            let mut out = zstd::Encoder::new(file, 1)?;
            lines::csv(&mut out, cell)?;
            out.finish()?.flush()
        }
        RequestFiles::Parquet => parquet::columns(file, cell),
        RequestFiles::Nginx => {
            let mut out = file;
            lines::log(&mut out, cell)?;
            out.flush()
        }
    }
}

impl Cell<'_> {
    /// Lives it, and shows each request when it ends.
    fn live(self, mut witness: impl FnMut(&crate::observe::Ended)) {
        let plan = &self.variant.blueprint;
        crate::model::run_witnessed(plan, self.seed, self.replication, &mut witness);
    }
}
