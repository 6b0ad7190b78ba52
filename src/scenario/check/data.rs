//! Data files that scenarios name. Each is read once, however many variants use it.

use std::collections::{BTreeMap, BTreeSet};
#[cfg(feature = "files")]
use std::fs::File;
#[cfg(feature = "files")]
use std::io;
use std::net::IpAddr;
use std::path::Path;
#[cfg(feature = "files")]
use std::path::PathBuf;
use std::sync::Arc;

#[cfg(feature = "files")]
use xxhash_rust::xxh64::Xxh64;
use xxhash_rust::xxh64::xxh64;

use crate::logs::Table;
use crate::model::arrivals::{Rows, Trace};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::file::{Measured, TimeUnit};
use crate::scenario::text::Document;
use crate::scenario::trace;

/// What became of reading a file.
type Read<T> = Result<Arc<T>, String>;

/// Data read so far, and what else is found out of a scenario and all its variants together.
pub(in crate::scenario) struct Data {
    files: Provided,
    traces: BTreeMap<String, Read<Rows>>,
    columns: BTreeMap<(String, Option<String>), Read<Vec<String>>>,
    /// Services that somebody asks in some variant.
    pub(super) asked: BTreeSet<String>,
    /// Those that nobody asks in some variant: what is wrong where it is so in all.
    pub(super) idle: BTreeMap<String, Diagnostic>,
}

/// The files that a scenario names: handed over with it, or relative to its folder. Nothing else
/// knows where they are, so that none is read without being known to what must not mix their
/// contents with those of another day.
struct Provided {
    given: BTreeMap<String, Arc<[u8]>>,
    #[cfg(feature = "files")]
    folder: PathBuf,
    /// Hashes of what stands in them, by name.
    seen: BTreeMap<String, u64>,
}

impl Provided {
    /// The table in a file; what stands in it is noted.
    fn table(&mut self, name: &str, wanted: &[&str]) -> Result<Table<'_>, String> {
        if !self.given.contains_key(name) {
            return self.on_disk(name, wanted);
        }
        let contents = &self.given[name];
        self.seen.insert(name.to_owned(), xxh64(contents, 0));
        Table::of(contents, wanted)
    }

    #[cfg(not(feature = "files"))]
    fn on_disk(&mut self, _: &str, _: &[&str]) -> Result<Table<'static>, String> {
        Err("is not among the files that were handed over with the scenario".to_owned())
    }

    #[cfg(feature = "files")]
    fn on_disk(&mut self, name: &str, wanted: &[&str]) -> Result<Table<'static>, String> {
        let path = self.folder.join(name);
        // What cannot be read is found fault with by whoever reads it. Only files are: a pipe can
        // be read but once.
        if path.is_file() && !self.seen.contains_key(name) {
            let mut hash = Hashing(Xxh64::new(0));
            let read = File::open(&path).and_then(|mut file| io::copy(&mut file, &mut hash));
            if read.is_ok() {
                self.seen.insert(name.to_owned(), hash.0.digest());
            }
        }
        Table::open(&path, wanted)
    }
}

/// Bytes on their way into a hash.
#[cfg(feature = "files")]
struct Hashing(Xxh64);

#[cfg(feature = "files")]
impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Data {
    /// For the scenario file at `path`.
    #[cfg_attr(not(feature = "files"), expect(unused_variables))]
    pub(in crate::scenario) fn new(path: &Path, document: &Document) -> Data {
        Data {
            files: Provided {
                given: document.files.clone(),
                #[cfg(feature = "files")]
                folder: path.parent().unwrap_or(Path::new("")).to_owned(),
                seen: BTreeMap::new(),
            },
            traces: BTreeMap::new(),
            columns: BTreeMap::new(),
            asked: BTreeSet::new(),
            idle: BTreeMap::new(),
        }
    }

    /// Hashes of the files that were read, by name.
    pub(super) fn files(&self) -> BTreeMap<String, u64> {
        self.files.seen.clone()
    }

    /// The rows of a trace.
    pub(super) fn trace(&mut self, trace: &Trace) -> Read<Rows> {
        let name = serde_json::to_string(trace).unwrap_or_default();
        let files = &mut self.files;
        self.traces
            .entry(name)
            .or_insert_with(|| {
                let table = files.table(&trace.file, &trace::wanted(&trace.columns));
                let rows = table
                    .and_then(|table| trace::rows(trace, table).map_err(|error| error.to_string()));
                rows.map(Arc::new)
                    .map_err(|why| format!("`{}` {why}", trace.file))
            })
            .clone()
    }

    /// The cells of one column of a CSV file; of its only column where none is named.
    fn column(&mut self, file: &str, column: Option<&str>) -> Read<Vec<String>> {
        let files = &mut self.files;
        let key = (file.to_owned(), column.map(str::to_owned));
        self.columns
            .entry(key)
            .or_insert_with(|| {
                let table = files.table(file, column.as_slice())?;
                read_column(table, column).map(Arc::new)
            })
            .clone()
    }

    /// One column as numbers.
    pub(super) fn numbers(&mut self, file: &str, column: Option<&str>) -> Result<Vec<f64>, String> {
        let cells = self.column(file, column)?;
        cells
            .iter()
            .enumerate()
            .map(|(row, cell)| {
                cell.parse::<f64>().map_err(|_| {
                    format!(
                        "`{file}`, row {}: `{}` is not a number",
                        row + 1,
                        excerpt(cell)
                    )
                })
            })
            .collect()
    }

    /// One column of response times, in milliseconds, the shortest first.
    pub(super) fn response_times(&mut self, measured: &Measured) -> Result<Vec<f64>, String> {
        let per_unit = match measured.unit {
            TimeUnit::S => 1e3,
            TimeUnit::Ms => 1.0,
            TimeUnit::Us => 1e-3,
            TimeUnit::Ns => 1e-6,
        };
        self.column(&measured.file, Some(&measured.column))
            .map_err(|why| format!("`{}` {why}", measured.file))?;
        let mut times = self.numbers(&measured.file, Some(&measured.column))?;
        for (row, time) in times.iter_mut().enumerate() {
            if !(0.0..1e15).contains(time) {
                return Err(format!(
                    "`{}`, row {}: {time} is no response time",
                    measured.file,
                    row + 1
                ));
            }
            *time *= per_unit;
        }
        times.sort_unstable_by(f64::total_cmp);
        Ok(times)
    }

    /// The distinct addresses of one column in order of appearance, and how often each stands
    /// there.
    pub(super) fn addresses(
        &mut self,
        file: &str,
        column: &str,
    ) -> Result<Vec<(IpAddr, f64)>, String> {
        let cells = self
            .column(file, Some(column))
            .map_err(|why| format!("`{file}` {why}"))?;
        let mut places: BTreeMap<IpAddr, usize> = BTreeMap::new();
        let mut addresses: Vec<(IpAddr, f64)> = Vec::new();
        for (row, cell) in cells.iter().enumerate() {
            let address: IpAddr = cell.parse().map_err(|_| {
                format!(
                    "`{file}`, row {}: `{}` is not an IP address",
                    row + 1,
                    excerpt(cell)
                )
            })?;
            let place = *places.entry(address).or_insert(addresses.len());
            if place == addresses.len() {
                addresses.push((address, 0.0));
            }
            addresses[place].1 += 1.0;
        }
        Ok(addresses)
    }
}

fn excerpt(cell: &str) -> String {
    cell.escape_debug().take(40).collect()
}

/// Rows of a data file at most.
const MOST_ROWS: usize = 10_000_000;

fn read_column(mut table: Table<'_>, column: Option<&str>) -> Result<Vec<String>, String> {
    let at = match column {
        None if table.names().len() == 1 => 0,
        None => {
            return Err(format!(
                "has {} columns; name one of them with `column`",
                table.names().len()
            ));
        }
        Some(name) => table.column(name)?,
    };
    let mut cells = Vec::new();
    while table.next_row()? {
        if cells.len() == MOST_ROWS {
            return Err(format!(
                "has more than {MOST_ROWS} rows, which is the limit"
            ));
        }
        // A number has a point from here on; what is none is as it is, for whoever reads it to
        // refuse it.
        let number = table.decimal(at).map(std::borrow::Cow::into_owned);
        cells.push(number.unwrap_or_else(|| table.cell(at).to_owned()));
    }
    if cells.is_empty() {
        return Err("has no rows".to_owned());
    }
    Ok(cells)
}
