//! Recorded arrivals: a CSV file, plain or gzipped, whose columns the scenario names.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::net::IpAddr;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::{Span, Time};

/// Recorded arrivals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Trace {
    /// The CSV file, with a header line; relative to the scenario. Gzip is read as it is.
    pub file: String,
    /// Which columns say what.
    pub columns: Columns,
    /// Plays the trace this many times as fast: gaps are divided by it.
    #[serde(default = "one")]
    #[schemars(range(min = 0.000_001, max = 1e6))]
    pub speed_up: f64,
}

fn one() -> f64 {
    1.0
}

/// Which columns of a trace say what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Columns {
    /// When the request arrives. The first row is the start of the run; rows may stand in any order.
    pub time: String,
    /// How times are written.
    #[serde(default)]
    pub time_unit: ColumnTime,
    /// Who sends it: a name or an address. Without it each request is a client of its own.
    #[serde(default)]
    pub client: Option<String>,
    /// What it asks for. Without it the client stands in.
    #[serde(default)]
    pub key: Option<String>,
    /// How large it is: a column, or several with a factor each, `{ prompt = 0.1, answer = 1.0 }`.
    #[serde(default)]
    pub size: Option<SizeColumns>,
    /// How long it takes at a server of speed 1: replaces the servers' service times.
    #[serde(default)]
    pub service: Option<String>,
    /// How service times are written.
    #[serde(default)]
    pub service_unit: ColumnTime,
}

/// Where a size comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SizeColumns {
    /// One column.
    Column(String),
    /// A sum of columns, each times its factor.
    Sum(BTreeMap<String, f64>),
}

/// How a column writes times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnTime {
    /// Seconds, with decimals if need be.
    #[default]
    S,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
    /// Nanoseconds.
    Ns,
    /// A date and time of day: `2023-11-16 18:15:46.6805900`, or RFC 3339 with an offset.
    Date,
}

/// One request of a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// When it arrives.
    pub time: Time,
    /// Who sends it.
    pub client: u32,
    /// What it asks for.
    pub key: u64,
    /// How large it is.
    pub size: f32,
    /// How long it takes in seconds; negative where the trace does not say.
    pub service: f32,
}

/// A trace that has been read: rows in order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// The requests.
    pub rows: Vec<Row>,
    /// The address of each client: its own where the trace has addresses, else made up from its number.
    pub addresses: Vec<IpAddr>,
    /// From the first arrival to the last.
    pub length: Span,
}

/// Why a trace cannot be read: a sentence that names the row.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct TraceError(String);

/// Rows at most: beyond this a trace would not fit into memory beside its runs.
const MOST_ROWS: usize = 100_000_000;

impl ColumnTime {
    /// Nanoseconds since some fixed moment.
    fn parse(self, text: &str) -> Option<i128> {
        let text = text.trim();
        let worth = match self {
            ColumnTime::S => 1_000_000_000,
            ColumnTime::Ms => 1_000_000,
            ColumnTime::Us => 1_000,
            ColumnTime::Ns => 1,
            ColumnTime::Date => {
                if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
                    return Some(timestamp.as_nanosecond());
                }
                let civil: jiff::civil::DateTime = text.parse().ok()?;
                return Some(
                    civil
                        .to_zoned(jiff::tz::TimeZone::UTC)
                        .ok()?
                        .timestamp()
                        .as_nanosecond(),
                );
            }
        };
        // Whole numbers are kept exact: nanoseconds of this century need more digits than a float has.
        if let Ok(whole) = text.parse::<i64>() {
            return Some(i128::from(whole) * worth);
        }
        let number: f64 = text.parse().ok()?;
        let (whole, part) = (number.trunc(), number.fract());
        (number.abs() < 1e18).then(|| whole as i128 * worth + (part * worth as f64).round() as i128)
    }
}

/// Opens a file that may be gzipped; the first bytes say whether it is.
///
/// # Errors
/// A sentence without the path.
pub fn open(path: &Path) -> Result<Box<dyn Read>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if metadata.is_dir() {
        return Err("it is a directory".to_owned());
    }
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let mut magic = Vec::with_capacity(2);
    file.by_ref()
        .take(2)
        .read_to_end(&mut magic)
        .map_err(|error| error.to_string())?;
    let whole = std::io::Cursor::new(magic.clone()).chain(file);
    if magic == [0x1f, 0x8b] {
        return Ok(Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(
            whole,
        ))));
    }
    Ok(Box::new(BufReader::new(whole)))
}

/// The numbers of names, in order of first appearance.
#[derive(Default)]
struct Names {
    numbers: BTreeMap<String, u32>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = self.numbers.len() as u32;
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

impl Trace {
    /// Reads the trace from CSV text.
    ///
    /// # Errors
    /// The first rows that cannot be read, by number and column, with what stands there.
    ///
    /// ```
    /// use lbsim::model::arrivals::Trace;
    /// let trace: Trace = serde_json::from_str(
    ///     r#"{ "file": "x.csv", "columns": { "time": "t", "client": "who", "size": "bytes" } }"#,
    /// ).unwrap();
    /// let rows = trace.read("t,who,bytes\n5.0,10.0.0.1,300\n5.5,10.0.0.2,200\n".as_bytes()).unwrap();
    /// assert_eq!(rows.rows.len(), 2);
    /// assert_eq!(rows.length.seconds(), 0.5);
    /// let error = trace.read("t,who,bytes\n5.0,a,300\nsoon,b,200\n".as_bytes()).unwrap_err();
    /// assert!(error.to_string().contains("row 2"), "{error}");
    /// ```
    pub fn read(&self, text: impl Read) -> Result<Rows, TraceError> {
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(text);
        let header = reader
            .headers()
            .map_err(|error| TraceError(format!("cannot read the header: {error}")))?
            .clone();
        if header.is_empty() {
            return Err(TraceError(
                "the file is empty; it must begin with a header line".to_owned(),
            ));
        }
        let find = |name: &String| {
            header
                .iter()
                .position(|column| column == name)
                .ok_or_else(|| {
                    let known: Vec<&str> = header.iter().take(20).collect();
                    let near = known
                        .iter()
                        .min_by_key(|column| strsim::damerau_levenshtein(column, name))
                        .filter(|column| {
                            strsim::damerau_levenshtein(column, name) <= 1 + name.len() / 3
                        })
                        .map_or(String::new(), |column| {
                            format!("; did you mean `{column}`?")
                        });
                    TraceError(format!(
                        "has no column `{name}`{near} Columns: {}",
                        known.join(", ").escape_debug()
                    ))
                })
        };
        let columns = &self.columns;
        let time = find(&columns.time)?;
        let client = columns.client.as_ref().map(&find).transpose()?;
        let key = columns.key.as_ref().map(&find).transpose()?;
        let service = columns.service.as_ref().map(&find).transpose()?;
        let size: Vec<(usize, f64)> = match &columns.size {
            None => Vec::new(),
            Some(SizeColumns::Column(name)) => vec![(find(name)?, 1.0)],
            Some(SizeColumns::Sum(parts)) => parts
                .iter()
                .map(|(name, factor)| Ok((find(name)?, *factor)))
                .collect::<Result<_, TraceError>>()?,
        };

        let mut faults: Vec<String> = Vec::new();
        let (mut clients, mut keys) = (Names::default(), Names::default());
        let mut read: Vec<(i128, Row)> = Vec::new();
        let mut addresses: Vec<IpAddr> = Vec::new();
        let mut record = csv::StringRecord::new();
        for number in 1.. {
            match reader.read_record(&mut record) {
                Ok(false) => break,
                Ok(true) => {}
                Err(error) => {
                    faults.push(format!("row {number}: {error}"));
                    break;
                }
            }
            if read.len() == MOST_ROWS {
                return Err(TraceError(format!("has more than {MOST_ROWS} rows")));
            }
            let cell = |column: usize| record.get(column).unwrap_or("");
            let mut fault = |column: usize, what: &str| {
                let found: String = cell(column).escape_debug().take(40).collect();
                faults.push(format!(
                    "row {number}, column `{}`: `{found}` is not {what}",
                    &header[column]
                ));
            };
            let when = columns.time_unit.parse(cell(time));
            if when.is_none() {
                fault(time, "a time in the unit named by `time-unit`");
            }
            let mut amount = 0.0;
            for &(column, factor) in &size {
                match cell(column)
                    .parse::<f64>()
                    .ok()
                    .filter(|size| size.is_finite() && *size >= 0.0)
                {
                    Some(size) => amount += size * factor,
                    None => fault(column, "a size (a number, 0 or more)"),
                }
            }
            let mut takes = -1.0;
            if let Some(column) = service {
                match columns
                    .service_unit
                    .parse(cell(column))
                    .filter(|&nanos| (0..1 << 60).contains(&nanos))
                {
                    Some(nanos) if columns.service_unit != ColumnTime::Date => {
                        takes = nanos as f64 * 1e-9
                    }
                    _ => fault(
                        column,
                        "a length of time in the unit named by `service-unit`",
                    ),
                }
            }
            if faults.len() >= 10 {
                break;
            }
            let who = match client {
                Some(column) => clients.number(cell(column)),
                None => number as u32 - 1,
            };
            if who as usize == addresses.len() {
                let made_up = IpAddr::V4(std::net::Ipv4Addr::from_bits(0x0a00_0000 | who));
                addresses.push(
                    client
                        .and_then(|column| cell(column).parse().ok())
                        .unwrap_or(made_up),
                );
            }
            let key = key.map_or(u64::from(who), |column| {
                u64::from(keys.number(cell(column)))
            });
            let row = Row {
                time: Time::ZERO,
                client: who,
                key,
                size: amount as f32,
                service: takes as f32,
            };
            read.extend(when.map(|when| (when, row)));
        }
        if !faults.is_empty() {
            let more = if faults.len() >= 10 {
                "\n… and perhaps more"
            } else {
                ""
            };
            return Err(TraceError(format!("{}{more}", faults.join("\n"))));
        }
        if read.is_empty() {
            return Err(TraceError("has a header and no rows".to_owned()));
        }
        read.sort_by_key(|&(when, _)| when);
        let first = read[0].0;
        let rows: Vec<Row> = read
            .into_iter()
            .map(|(when, row)| Row {
                time: self.scaled(when - first),
                ..row
            })
            .collect();
        let length = rows.last().map_or(Span::ZERO, |row| row.time - Time::ZERO);
        if length > Span::from_secs(10 * 365 * 86_400) {
            return Err(TraceError(
                "lasts longer than 10 years; is `time-unit` right?".to_owned(),
            ));
        }
        Ok(Rows {
            rows,
            addresses,
            length,
        })
    }

    fn scaled(&self, nanos: i128) -> Time {
        if self.speed_up == 1.0 {
            return Time::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        }
        Time::ZERO + Span::from_seconds(nanos as f64 * 1e-9 / self.speed_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trace(columns: &str) -> Trace {
        serde_json::from_str(&format!(r#"{{ "file": "x", "columns": {columns} }}"#)).unwrap()
    }

    #[test]
    fn reads_dates_sums_and_repeated_clients() {
        let trace = trace(
            r#"{ "time": "at", "time-unit": "date", "client": "who", "size": { "a": 1, "b": 0.5 } }"#,
        );
        let text = "at,who,a,b\n2023-11-16 18:15:47.5,x,1,2\n2023-11-16 18:15:46.6805900,y,3,4\n2023-11-16 18:15:48,x,5,6\n";
        let rows = trace.read(text.as_bytes()).unwrap();
        let sizes: Vec<f32> = rows.rows.iter().map(|row| row.size).collect();
        assert_eq!(sizes, [5.0, 2.0, 8.0]);
        assert_eq!(
            rows.rows.iter().map(|row| row.client).collect::<Vec<_>>(),
            [1, 0, 0]
        );
        assert_eq!(rows.rows[1].time.nanos(), 819_410_000);
    }

    #[test]
    fn bad_rows_are_named() {
        let trace = trace(r#"{ "time": "t", "size": "n" }"#);
        let error = trace
            .read("t,n\n1,2\nx,3\n2,-1\n".as_bytes())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("row 2, column `t`: `x`") && error.contains("row 3, column `n`: `-1`"),
            "{error}"
        );
        let error = |text: &str| trace.read(text.as_bytes()).unwrap_err().to_string();
        assert!(error("").contains("empty"), "{}", error(""));
        assert!(error("t,n\n").contains("no rows"));
        assert!(error("tt,n\n1,2\n").contains("did you mean `tt`"));
        assert!(error("t,n\n1,2\n3\n").contains("row 2"));
    }

    #[test]
    fn nanoseconds_of_this_century_stay_exact() {
        let trace = trace(r#"{ "time": "t", "time-unit": "ns" }"#);
        let rows = trace
            .read("t\n1700000000000000001\n1700000000000000004\n".as_bytes())
            .unwrap();
        assert_eq!(rows.length.nanos(), 3);
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "t,n\n([0-9x.,-]{0,12}\n){0,8}") {
            let trace = trace(r#"{ "time": "t", "size": "n", "time-unit": "date" }"#);
            let _ = (trace.read(bytes.as_slice()), trace.read(text.as_bytes()));
            let _ = Trace { columns: Columns { time_unit: ColumnTime::S, ..trace.columns.clone() }, ..trace }.read(text.as_bytes());
        }
    }
}
