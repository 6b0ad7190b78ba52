//! Reading recorded arrivals: a table, plain or packed, whose columns the scenario names.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use crate::logs::Table;
use crate::model::arrivals::{ColumnTime, Columns, Row, Rows, SizeColumns, Texts, Trace};
use crate::time::{Span, Time};

/// Why a trace cannot be read: a sentence that names the row.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct TraceError(String);

/// Rows at most: beyond this a trace would not fit into memory beside its runs.
const MOST_ROWS: usize = 25_000_000;

/// Bytes of different names of clients, or of different keys, at most.
const MOST_TEXT: usize = 1 << 29;

/// Ten years in nanoseconds.
const TEN_YEARS: u128 = 10 * 365 * 86_400 * 1_000_000_000;

/// How a column's times are read.
#[derive(Clone, Copy)]
struct TimeReading(ColumnTime);

impl TimeReading {
    /// The moment in a cell, in nanoseconds since some fixed one.
    fn read(self, table: &mut Table<'_>, column: usize) -> Option<i128> {
        match self.0 {
            ColumnTime::Date => self.parse(table.cell(column)),
            _ => self.parse(&table.decimal(column)?),
        }
    }

    /// The length of time in a cell, in nanoseconds.
    fn length(self, table: &mut Table<'_>, column: usize) -> Option<i128> {
        let nanos = self.read(table, column)?;
        (self.0 != ColumnTime::Date && (0..1 << 60).contains(&nanos)).then_some(nanos)
    }

    /// Nanoseconds since some fixed moment.
    fn parse(self, text: &str) -> Option<i128> {
        let text = text.trim();
        let worth = match self.0 {
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
        // Whole numbers are kept exact: nanoseconds of this century need more digits than a float
        // has.
        if let Ok(whole) = text.parse::<i64>() {
            return Some(i128::from(whole) * worth);
        }
        let number: f64 = text.parse().ok()?;
        let (whole, part) = (number.trunc(), number.fract());
        (number.abs() < 1e18).then(|| whole as i128 * worth + (part * worth as f64).round() as i128)
    }
}

/// Texts by number, in order of first appearance.
#[derive(Default)]
struct Names {
    numbers: BTreeMap<Box<str>, u32>,
    bytes: usize,
}

impl Names {
    /// The number of a text; `None` where there are too many.
    fn number(&mut self, name: &str) -> Option<u32> {
        if let Some(&number) = self.numbers.get(name) {
            return Some(number);
        }
        // A node of the tree and the text's own place take about this much besides.
        self.bytes += name.len() + 64;
        let number = self.numbers.len() as u32;
        self.numbers.insert(name.into(), number);
        (self.bytes <= MOST_TEXT).then_some(number)
    }

    fn texts(self) -> Texts {
        let mut texts: Vec<(u32, Box<str>)> = (self.numbers.into_iter())
            .map(|(text, number)| (number, text))
            .collect();
        texts.sort_unstable_by_key(|&(number, _)| number);
        texts.into_iter().map(|(_, text)| text).collect()
    }
}

/// The address that a client is named by, with a port or without one.
fn address(name: &str) -> Option<IpAddr> {
    let socket = |name: &str| name.parse::<SocketAddr>().map(|socket| socket.ip());
    name.parse().or_else(|_| socket(name)).ok()
}

/// Where the columns of a trace are.
struct Places {
    time: usize,
    took: Option<usize>,
    client: Option<usize>,
    key: Option<usize>,
    service: Option<usize>,
    size: Vec<(usize, f64)>,
}

/// The names of all columns.
pub(super) fn wanted(columns: &Columns) -> Vec<&str> {
    let named = [
        &columns.time,
        &columns.ended,
        &columns.took,
        &columns.client,
        &columns.key,
        &columns.service,
    ];
    let named = named.into_iter().flatten().map(String::as_str);
    let sizes: Vec<&str> = match &columns.size {
        None => Vec::new(),
        Some(SizeColumns::Column(name)) => vec![name],
        Some(SizeColumns::Sum(parts)) => parts.keys().map(String::as_str).collect(),
    };
    named.chain(sizes).collect()
}

fn places(columns: &Columns, table: &Table<'_>) -> Result<Places, TraceError> {
    let find = |name: &String| table.column(name).map_err(TraceError);
    let (time, took) = match (&columns.time, &columns.ended, &columns.took) {
        (Some(time), None, None) => (time, None),
        (None, Some(ended), Some(took)) => (ended, Some(took)),
        _ => {
            let message = "needs `time` among its `columns`, or both `ended` and `took`";
            return Err(TraceError(message.to_owned()));
        }
    };
    let size = match &columns.size {
        None => Vec::new(),
        Some(SizeColumns::Column(name)) => vec![(find(name)?, 1.0)],
        Some(SizeColumns::Sum(parts)) => parts
            .iter()
            .map(|(name, factor)| Ok((find(name)?, *factor)))
            .collect::<Result<_, TraceError>>()?,
    };
    Ok(Places {
        time: find(time)?,
        took: took.map(find).transpose()?,
        client: columns.client.as_ref().map(find).transpose()?,
        key: columns.key.as_ref().map(find).transpose()?,
        service: columns.service.as_ref().map(find).transpose()?,
        size,
    })
}

/// Reads the trace from a file.
///
/// # Errors
/// As [`read`].
pub fn open(trace: &Trace, path: &Path) -> Result<Rows, TraceError> {
    let table = Table::open(path, &wanted(&trace.columns)).map_err(TraceError)?;
    rows(trace, table)
}

/// Reads the trace from a stream that is not packed.
///
/// # Errors
/// The first rows that cannot be read, by number and column, with what stands there.
///
/// ```
/// use lbsim::model::arrivals::Trace;
/// use lbsim::scenario::trace;
/// let said: Trace = serde_json::from_str(
///     r#"{ "file": "x.csv", "columns": { "time": "t", "client": "who", "size": "bytes" } }"#,
/// ).unwrap();
/// let text = "t,who,bytes\n5.0,10.0.0.1,300\n5.5,10.0.0.2,200\n";
/// let rows = trace::read(&said, text.as_bytes()).unwrap();
/// assert_eq!(rows.rows.len(), 2);
/// assert_eq!(rows.length.seconds(), 0.5);
/// let error = trace::read(&said, "t,who,bytes\n5.0,a,300\nsoon,b,200\n".as_bytes()).unwrap_err();
/// assert!(error.to_string().contains("row 2"), "{error}");
/// ```
pub fn read(trace: &Trace, text: impl Read) -> Result<Rows, TraceError> {
    let table = Table::read(text, &wanted(&trace.columns)).map_err(TraceError)?;
    rows(trace, table)
}

/// Reads the trace from a table in which its columns were looked for.
pub(super) fn rows(trace: &Trace, mut table: Table<'_>) -> Result<Rows, TraceError> {
    let columns = &trace.columns;
    let places = places(columns, &table)?;
    let mut faults: Vec<String> = Vec::new();
    let (mut clients, mut keys) = (Names::default(), Names::default());
    // Arrivals in nanoseconds since the one that was read first.
    let mut read: Vec<(i64, Row)> = Vec::new();
    let mut origin = None;
    let mut addresses: Vec<Option<IpAddr>> = Vec::new();
    loop {
        match table.next_row() {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                faults.push(error);
                break;
            }
        }
        if read.len() == MOST_ROWS {
            return Err(TraceError(format!(
                "has more than {MOST_ROWS} rows, which is the limit"
            )));
        }
        let number = table.row();
        let mut fault = |table: &Table<'_>, column: usize, what: &str| {
            let found: String = table.cell(column).escape_debug().take(40).collect();
            let name = table.names()[column].escape_debug();
            faults.push(format!(
                "row {number}, column `{name}`: `{found}` is not {what}"
            ));
        };
        let mut when = TimeReading(columns.time_unit).read(&mut table, places.time);
        if when.is_none() {
            fault(
                &table,
                places.time,
                "a time in the unit named by `time-unit`",
            );
        }
        if let Some(column) = places.took {
            match TimeReading(columns.took_unit).length(&mut table, column) {
                Some(took) => when = when.map(|ended| ended - took),
                None => fault(
                    &table,
                    column,
                    "a length of time in the unit named by `took-unit`",
                ),
            }
        }
        let mut amount = 0.0;
        for &(column, factor) in &places.size {
            let size = table
                .decimal(column)
                .and_then(|text| text.parse::<f64>().ok());
            match size.filter(|size| size.is_finite() && *size >= 0.0) {
                Some(size) => amount += size * factor,
                None => fault(&table, column, "a size (a number, 0 or more)"),
            }
        }
        let mut takes = -1.0;
        if let Some(column) = places.service {
            match TimeReading(columns.service_unit).length(&mut table, column) {
                Some(nanos) => takes = nanos as f64 * 1e-9,
                None => fault(
                    &table,
                    column,
                    "a length of time in the unit named by `service-unit`",
                ),
            }
        }
        // Within 10 years of each other, or the scale of the times is another one.
        let since = when.map(|when| when - *origin.get_or_insert(when));
        if since.is_some_and(|since| since.unsigned_abs() > TEN_YEARS) {
            let message = "lasts longer than 10 years; is `time-unit` right?";
            return Err(TraceError(format!("{message} (row {number})")));
        }
        if faults.len() >= 10 {
            break;
        }
        let intern = |names: &mut Names, what: &str, column: usize| {
            names.number(table.cell(column)).ok_or_else(|| {
                TraceError(format!(
                    "has more than 512 MiB of different {what}, which is the limit"
                ))
            })
        };
        let who = match places.client {
            Some(column) => intern(&mut clients, "clients", column)?,
            None => read.len() as u32,
        };
        let key = match places.key {
            Some(column) => intern(&mut keys, "keys", column)?,
            None => who,
        };
        if let Some(column) = places.client
            && who as usize == addresses.len()
        {
            addresses.push(address(table.cell(column)));
        }
        let row = Row {
            time: Time::ZERO,
            client: who,
            key,
            size: amount as f32,
            service: takes as f32,
        };
        read.extend(since.map(|since| (since as i64, row)));
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
    read.sort_by_key(|&(since, _)| since);
    let first = read[0].0;
    let rows: Vec<Row> = read
        .into_iter()
        .map(|(since, row)| Row {
            time: scaled(trace, i128::from(since) - i128::from(first)),
            ..row
        })
        .collect();
    let length = rows.last().map_or(Span::ZERO, |row| row.time - Time::ZERO);
    if addresses.iter().all(Option::is_none) {
        addresses = Vec::new();
    }
    let names = places.client.map(|_| clients.texts());
    Ok(Rows {
        clients: names.as_ref().map_or(rows.len(), |names| names.len()) as u32,
        keys: places.key.map_or(names.clone(), |_| Some(keys.texts())),
        names,
        addresses,
        rows,
        length,
    })
}

fn scaled(trace: &Trace, nanos: i128) -> Time {
    if trace.speed_up == 1.0 {
        return Time::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
    }
    Time::ZERO + Span::from_seconds(nanos as f64 * 1e-9 / trace.speed_up)
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
        let rows = read(&trace, text.as_bytes()).unwrap();
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
        let error = read(&trace, "t,n\n1,2\nx,3\n2,-1\n".as_bytes())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("row 2, column `t`: `x`") && error.contains("row 3, column `n`: `-1`"),
            "{error}"
        );
        let error = |text: &str| read(&trace, text.as_bytes()).unwrap_err().to_string();
        assert!(error("").contains("empty"), "{}", error(""));
        assert!(error("t,n\n").contains("no rows"));
        assert!(error("tt,n\n1,2\n").contains("did you mean `tt`"));
        assert!(error("t,n\n1,2\n3\n").contains("row 2"));
    }

    #[test]
    fn nanoseconds_of_this_century_stay_exact() {
        let trace = trace(r#"{ "time": "t", "time-unit": "ns" }"#);
        let rows = read(
            &trace,
            "t\n1700000000000000001\n1700000000000000004\n".as_bytes(),
        )
        .unwrap();
        assert_eq!(rows.length.nanos(), 3);
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "t,n\n([0-9x.,-]{0,12}\n){0,8}") {
            let trace = trace(r#"{ "time": "t", "size": "n", "time-unit": "date" }"#);
            let _ = (read(&trace, bytes.as_slice()), read(&trace, text.as_bytes()));
            let other = Trace { columns: Columns { time_unit: ColumnTime::S, ..trace.columns.clone() }, ..trace };
            let _ = read(&other, text.as_bytes());
        }
    }
}
