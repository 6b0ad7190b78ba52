//! From a file to entries.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use super::format::{Kind, NoEntry, Work};
use super::lines::{Line, Lines};
use super::{Census, Entry, Format};
use crate::prose::counted;
use crate::tabular;

/// What is put up with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The largest share of bad lines, from 0 to 1.
    pub bad_share: f64,
    /// The longest line in bytes; longer ones are bad.
    pub longest: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            bad_share: 0.05,
            longest: 1 << 20,
        }
    }
}

/// Why a log was not read; sentences without the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// It cannot be opened.
    #[error("cannot be opened: {0}")]
    Open(io::Error),
    /// It cannot be read on: the disk, or a packed file that is broken.
    #[error("cannot be read after line {line}: {error}")]
    Read {
        /// The last line that was read.
        line: u64,
        /// What went wrong.
        error: io::Error,
    },
    /// It is packed in a way that is not known here.
    #[error("is packed by {0}; unpack it, or pack it by {KNOWN}")]
    Packed(&'static str),
    /// It is text, but not in UTF-8.
    #[error("is in UTF-16; save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)")]
    Utf16,
    /// Something has to be said of it first; a sentence that goes on after its name.
    #[error("{0}")]
    Question(String),
    /// There is nothing in it.
    #[error("has no requests in it: {0} lines, none of them an entry of the format")]
    Empty(u64),
    /// The header of a CSV file lacks a column.
    #[error("has another header: {0}")]
    Header(String),
    /// Too many lines are bad.
    #[error("{}", refusal(.census, *.share, .format))]
    Bad {
        /// What had been found until then.
        census: Box<Census>,
        /// The share of bad lines that is allowed, from 0 to 1.
        share: f64,
        /// The word of the format.
        format: &'static str,
    },
}

/// In what a log may be packed.
#[cfg(feature = "zstd")]
const KNOWN: &str = "gzip or zstd";
#[cfg(not(feature = "zstd"))]
const KNOWN: &str = "gzip";

fn refusal(census: &Census, share: f64, format: &str) -> String {
    let mut text = format!(
        "is not in the format `{format}`: {} of {} cannot be read, more than {}%",
        census.bad,
        counted(census.entries + census.bad, "line"),
        share * 100.0
    );
    for example in &census.examples {
        text.push_str("\n  ");
        text.push_str(&example.to_string());
    }
    text
}

/// A log with more lines than this, most of them bad, is not read to its end.
const PATIENCE: u64 = 10_000;

/// Opens a log.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read>, LogError> {
    if std::fs::metadata(path).map_err(LogError::Open)?.is_dir() {
        return Err(LogError::Open(io::Error::other("it is a directory")));
    }
    unpacked(File::open(path).map_err(LogError::Open)?)
}

/// What is in a log, which may be plain, gzipped (of one member or several) or packed by zstd: its
/// first bytes say which.
pub(super) fn unpacked<'a>(mut log: impl Read + 'a) -> Result<Box<dyn Read + 'a>, LogError> {
    let mut magic = Vec::with_capacity(6);
    log.by_ref()
        .take(6)
        .read_to_end(&mut magic)
        .map_err(LogError::Open)?;
    let whole = Cursor::new(magic.clone()).chain(log);
    Ok(match magic.as_slice() {
        [0x1f, 0x8b, ..] => {
            let reader = BufReader::with_capacity(1 << 16, whole);
            Box::new(flate2::bufread::MultiGzDecoder::new(reader))
        }
        #[cfg(feature = "zstd")]
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Box::new(zstd::stream::read::Decoder::new(whole).map_err(LogError::Open)?)
        }
        #[cfg(not(feature = "zstd"))]
        [0x28, 0xb5, 0x2f, 0xfd, ..] => return Err(LogError::Packed("zstd")),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => return Err(LogError::Packed("xz")),
        [b'B', b'Z', b'h', ..] => return Err(LogError::Packed("bzip2")),
        [b'P', b'K', 3, 4, ..] => return Err(LogError::Packed("zip")),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Err(LogError::Utf16),
        _ => Box::new(whole),
    })
}

/// Reads a log and hands over each of its requests, in the order of the file.
///
/// # Errors
/// What cannot be opened or read, what has no requests, and what has more than 5% of bad lines.
/// Requests may have been handed over by then.
pub fn read(
    path: &Path,
    format: &Format,
    each: &mut dyn FnMut(&Entry),
) -> Result<Census, LogError> {
    read_with(path, format, Limits::default(), each)
}

/// As [`read`], with limits of one's own.
///
/// # Errors
/// As [`read`].
pub fn read_with(
    path: &Path,
    format: &Format,
    limits: Limits,
    each: &mut dyn FnMut(&Entry),
) -> Result<Census, LogError> {
    read_from(open(path)?, format, limits, each)
}

/// The first lines of a log, unpacked: for [`Format::guess`]. Lines longer than the limit are cut
/// off.
///
/// # Errors
/// What cannot be opened or read.
pub fn first_lines(path: &Path, count: usize) -> Result<Vec<Vec<u8>>, LogError> {
    let mut lines = Lines::new(open(path)?, Limits::default().longest);
    let mut found = Vec::new();
    while found.len() < count {
        let line = found.len() as u64;
        match lines
            .next()
            .map_err(|error| LogError::Read { line, error })?
        {
            None => break,
            Some(Line::Whole(text) | Line::Long(text)) => {
                let text = if line == 0 {
                    tabular::without_mark(text)
                } else {
                    text
                };
                found.push(text.to_vec());
            }
        }
    }
    Ok(found)
}

/// As [`read_with`], from a stream that is not packed.
///
/// # Errors
/// As [`read`].
pub fn read_from(
    stream: impl Read,
    format: &Format,
    limits: Limits,
    each: &mut dyn FnMut(&Entry),
) -> Result<Census, LogError> {
    let mut lines = Lines::new(stream, limits.longest);
    let mut census = Census::default();
    let (mut entry, mut work) = (Entry::default(), Work::default());
    let refuse = |census: Census| LogError::Bad {
        census: Box::new(census),
        share: limits.bad_share,
        format: format.word(),
    };
    // A CSV file begins with its header: without that nothing can be read.
    let mut header = matches!(format, Format::Csv(_));
    loop {
        let line = census.lines;
        let Some(next) = lines
            .next()
            .map_err(|error| LogError::Read { line, error })?
        else {
            break;
        };
        census.lines += 1;
        let line = match next {
            Line::Whole(line) if census.lines == 1 => tabular::without_mark(line),
            Line::Whole(line) => line,
            Line::Long(_) => {
                let longest = limits.longest;
                census.reject(longest, || {
                    format!("the line is longer than {longest} bytes")
                });
                continue;
            }
        };
        // What begins with `#` is a comment, but for the format that has directives there.
        let is_comment = line.first() == Some(&b'#') && !matches!(format, Format::W3c(_));
        if line.trim_ascii().is_empty() || is_comment && !header {
            census.skipped += 1;
            continue;
        }
        match format.line(line, &mut entry, &mut work) {
            Ok(Kind::Request) => {
                census.note(entry.arrived, work.clock, work.end_only);
                census.note_lengths(&entry);
                census.from_end += u64::from(work.from_end && !work.end_only);
                census.whole_for_server += u64::from(work.whole_for_server);
                each(&entry);
            }
            Ok(Kind::Other) => census.skipped += 1,
            Err(fault) if header => return Err(LogError::Header(fault.due.into_owned())),
            Err(fault) if fault.asks => return Err(LogError::Question(fault.due.into_owned())),
            Err(fault) => {
                reject(&mut census, &fault, line);
                if census.bad >= PATIENCE && census.bad > census.entries {
                    return Err(refuse(census));
                }
            }
        }
        header = false;
    }
    if census.bad > 0 && census.bad_share() > limits.bad_share {
        return Err(refuse(census));
    }
    if census.entries == 0 {
        return Err(LogError::Empty(census.lines));
    }
    Ok(census)
}

fn reject(census: &mut Census, fault: &NoEntry, line: &[u8]) {
    census.reject(fault.at + 1, || fault.say(line));
}
