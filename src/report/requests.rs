//! A row a request, for whoever wants to look closer than any table does.
//!
//! Each cell is lived once more with a witness that writes: a cell is a function of the scenario,
//! the seed and its numbers, so these are the requests that the figures are made of, and nothing
//! has to be kept in memory.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::access_log;
use super::write::WriteError;
use crate::experiment::Outcome;
use crate::model;
use crate::model::blueprint::Blueprint;
use crate::observe::{Cause, Ended};
use crate::parallel;
use crate::rng::Seeds;
use crate::scenario::{Scenario, Variant};

/// How the files are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// As gzip.
    Gzip,
    /// As zstd.
    Zstd,
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// CSV, with a header line.
    Csv,
    /// A line of an access log, as nginx writes it: see [`access_log`].
    Nginx,
}

/// The header of each CSV file.
const HEADER: &str =
    "arrival_s,client,server,attempts,wait_ms,service_ms,response_ms,outcome,measured\n";

/// Bytes that are collected before they are packed.
const CHUNK: usize = 1 << 16;

/// Writes a file a variant and replication into `folder/requests`, on the threads of the current
/// rayon pool.
///
/// # Errors
/// Where the file system says no.
pub fn write(
    folder: &Path,
    scenario: &Scenario,
    outcome: &Outcome,
    (shape, packing): (Shape, Packing),
) -> Result<(), WriteError> {
    let place = folder.join("requests");
    let failed = |path: &Path, source| WriteError::Io {
        path: path.to_owned(),
        source,
    };
    std::fs::create_dir(&place).map_err(|source| failed(&place, source))?;
    let ending = match shape {
        Shape::Csv => "csv",
        Shape::Nginx => "log",
    };
    let packed = match packing {
        Packing::Plain => "",
        Packing::Gzip => ".gz",
        Packing::Zstd => ".zst",
    };
    let variants = scenario.variants.iter().enumerate();
    let cells: Vec<(usize, &Variant, u32)> = variants
        .flat_map(|(at, variant)| (0..outcome.replications()).map(move |r| (at, variant, r)))
        .collect();
    parallel::try_map(cells, |(at, variant, replication)| {
        let name = format!(
            "{}-{}-{replication}.{ending}{packed}",
            at + 1,
            slug(&variant.name)
        );
        let path = place.join(name);
        cell(&path, scenario.seed, variant, replication, (shape, packing))
            .map_err(|source| failed(&path, source))
    })?;
    Ok(())
}

/// The longest that a name may be as part of a file's name: file systems take 255 bytes, and the
/// rest needs some.
const LONGEST: usize = 80;

/// A name as part of a file's name. It need not be distinct: a number goes before it.
fn slug(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let mut slug: String = name.chars().map(plain).collect();
    while slug.contains("--") {
        slug = slug.replace("--", "-");
    }
    let slug = slug.trim_matches('-');
    slug[..slug.len().min(LONGEST)]
        .trim_end_matches('-')
        .to_owned()
}

fn cell(
    path: &Path,
    seed: u64,
    variant: &Variant,
    replication: u32,
    (shape, packing): (Shape, Packing),
) -> io::Result<()> {
    let file = BufWriter::new(File::create(path)?);
    match packing {
        Packing::Plain => {
            let mut out = file;
            rows(&mut out, shape, seed, variant, replication)?;
            out.flush()
        }
        Packing::Gzip => {
            let mut out = GzEncoder::new(file, Compression::fast());
            rows(&mut out, shape, seed, variant, replication)?;
            out.finish()?.flush()
        }
        Packing::Zstd => {
            let mut out = zstd::Encoder::new(file, 1)?;
            rows(&mut out, shape, seed, variant, replication)?;
            out.finish()?.flush()
        }
    }
}

fn rows(
    out: &mut dyn Write,
    shape: Shape,
    seed: u64,
    variant: &Variant,
    replication: u32,
) -> io::Result<()> {
    let plan = &variant.blueprint;
    let mut text: Vec<u8> = Vec::with_capacity(CHUNK + 512);
    let mut done = Ok(());
    let mut write = |text: &mut Vec<u8>, row: &mut dyn FnMut(&mut Vec<u8>)| {
        row(text);
        if text.len() >= CHUNK {
            if done.is_ok() {
                done = out.write_all(text);
            }
            text.clear();
        }
    };
    match shape {
        Shape::Csv => {
            let names = names(plan);
            text.extend(HEADER.as_bytes());
            let mut witness =
                |request: &Ended| write(&mut text, &mut |text| row(text, request, &names));
            model::run_witnessed(plan, seed, replication, &mut witness);
        }
        Shape::Nginx => {
            let seeds = Seeds::new(seed, u64::from(replication));
            let world = access_log::Addresses::new(plan, seeds);
            let mut witness =
                |request: &Ended| write(&mut text, &mut |text| world.line(text, request));
            model::run_witnessed(plan, seed, replication, &mut witness);
        }
    }
    done?;
    out.write_all(&text)
}

/// The name of each server of the world, as a field of CSV.
fn names(plan: &Blueprint) -> Vec<String> {
    plan.server_names()
        .map(|name| {
            if name.contains([',', '"']) {
                format!("\"{}\"", name.replace('"', "\"\""))
            } else {
                name
            }
        })
        .collect()
}

fn row(text: &mut Vec<u8>, request: &Ended, names: &[String]) {
    let mut digits = itoa::Buffer::new();
    fixed(text, request.arrived.nanos(), 1_000_000_000);
    text.push(b',');
    text.extend(digits.format(request.client).as_bytes());
    text.push(b',');
    if let Some(server) = request.server {
        text.extend(names[server as usize].as_bytes());
    }
    text.push(b',');
    text.extend(digits.format(request.attempts).as_bytes());
    text.push(b',');
    let answered = request.failed.is_none();
    for part in [request.waited, request.service_time] {
        if answered {
            fixed(text, part.nanos(), 1_000_000);
        }
        text.push(b',');
    }
    fixed(text, request.response_time.nanos(), 1_000_000);
    text.extend(match request.failed {
        None => &b",ok"[..],
        Some(Cause::NoServer) => b",no-server",
        Some(Cause::Crash) => b",crash",
        Some(Cause::QueueFull) => b",queue-full",
        Some(Cause::Timeout) => b",timeout",
        Some(Cause::Error) => b",error",
        Some(Cause::GaveUp) => b",gave-up",
        Some(Cause::Limited) => b",limited",
    });
    text.extend(if request.measured {
        &b",true\n"[..]
    } else {
        b",false\n"
    });
}

/// A number of nanoseconds in units of `unit` of them, a power of ten, with all digits after the
/// point.
pub(super) fn fixed(text: &mut Vec<u8>, nanos: u64, unit: u64) {
    let mut digits = itoa::Buffer::new();
    text.extend(digits.format(nanos / unit).as_bytes());
    text.push(b'.');
    // The leading one, which is left out, stands for the zeros after the point.
    text.extend(&digits.format(unit + nanos % unit).as_bytes()[1..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_all_their_digits() {
        let shown = |nanos, unit| {
            let mut text = Vec::new();
            fixed(&mut text, nanos, unit);
            String::from_utf8(text).unwrap()
        };
        assert_eq!(shown(0, 1_000_000), "0.000000");
        assert_eq!(shown(12_000_345, 1_000_000), "12.000345");
        assert_eq!(shown(1_500_000_000, 1_000_000_000), "1.500000000");
    }

    #[test]
    fn names_of_files_are_plain() {
        assert_eq!(
            slug("weighted-round-robin 10:3"),
            "weighted-round-robin-10-3"
        );
        assert_eq!(slug("least-work-left (oracle)"), "least-work-left-oracle");
    }
}
