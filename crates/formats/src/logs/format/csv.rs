//! CSV with a header line, a row a line: a quoted line break within a row makes two bad lines, not
//! a file that is all one row.

use std::borrow::Cow;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::columns::{Columns, Role};
use super::fields::{self, Value, Values, give};
use super::{Kind, NoEntry, Work};
use crate::logs::Entry;
use crate::spelling::hint;
use crate::tabular;

/// What is kept from row to row.
pub(in crate::logs) struct State {
    reader: Reader,
    delimiter: u8,
    /// The column of each source.
    places: Vec<Option<usize>>,
    width: usize,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("places", &self.places)
            .finish_non_exhaustive()
    }
}

/// Columns at most.
const MOST_COLUMNS: usize = 4096;

impl State {
    pub(in crate::logs) fn new(delimiter: u8) -> State {
        State {
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            delimiter,
            places: Vec::new(),
            width: 0,
            bytes: Vec::new(),
            ends: vec![0; 64],
        }
    }

    /// Splits a line: how many cells it has.
    pub(in crate::logs) fn split(&mut self, line: &[u8]) -> Result<usize, NoEntry> {
        self.reader.reset();
        self.bytes
            .resize(line.len().max(self.bytes.len()).max(64), 0);
        let (mut read, mut written, mut cells) = (0, 0, 0);
        // The line, then the end of the line, which csv-core wants to see.
        for input in [line, b"\n".as_slice()] {
            let mut input = input;
            loop {
                let out = self.bytes.get_mut(written..).unwrap_or_default();
                let ends = self.ends.get_mut(cells..).unwrap_or_default();
                let (result, taken, put, ended) = self.reader.read_record(input, out, ends);
                (read, written, cells) = (read + taken, written + put, cells + ended);
                input = input.get(taken..).unwrap_or_default();
                match result {
                    ReadRecordResult::InputEmpty => break,
                    ReadRecordResult::Record | ReadRecordResult::End => return Ok(cells),
                    ReadRecordResult::OutputFull => self.bytes.resize(self.bytes.len() * 2, 0),
                    ReadRecordResult::OutputEndsFull => {
                        if self.ends.len() >= MOST_COLUMNS {
                            return Err(NoEntry::new(read, "fewer columns are due"));
                        }
                        self.ends.resize(self.ends.len() * 2, 0);
                    }
                }
            }
        }
        Err(NoEntry::new(0, "a quote is not closed on this line"))
    }

    /// A cell of the line that was split last.
    pub(in crate::logs) fn cell(&self, place: usize) -> &[u8] {
        let from = match place.checked_sub(1) {
            None => 0,
            Some(before) => self.ends.get(before).copied().unwrap_or(0),
        };
        let to = self.ends.get(place).copied().unwrap_or(0);
        self.bytes.get(from..to).unwrap_or_default().trim_ascii()
    }
}

/// The names in a header line, with the delimiter that splits it best.
pub(super) fn header(line: &[u8]) -> Option<(u8, Vec<String>)> {
    let line = tabular::without_mark(line);
    let delimiter = tabular::delimiter(line);
    Some((delimiter, names(line, delimiter)?))
}

/// A number with a decimal comma, as spreadsheets write it between semicolons, with a point.
fn with_point(text: &[u8]) -> Option<Vec<u8>> {
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let comma = memchr::memchr(b',', text)?;
    let (before, after) = (text.get(..comma)?, text.get(comma + 1..)?);
    let whole = before.strip_prefix(b"-").unwrap_or(before);
    let is_number = !whole.is_empty()
        && !after.is_empty()
        && whole.iter().all(is_digit)
        && after.iter().all(is_digit);
    is_number.then(|| [before, b".", after].concat())
}

/// The names in a header line that this delimiter splits; `None` where a quote is open.
pub(in crate::logs) fn names(line: &[u8], delimiter: u8) -> Option<Vec<String>> {
    let mut state = State::new(delimiter);
    let width = state.split(line).ok()?;
    let name = |place| String::from_utf8_lossy(state.cell(place)).into_owned();
    Some((0..width).map(name).collect())
}

fn begin(columns: &Columns, line: &[u8]) -> Result<State, NoEntry> {
    let (delimiter, names) = header(line).ok_or_else(|| NoEntry::new(0, "a header line is due"))?;
    let mut state = State::new(delimiter);
    for source in &columns.sources {
        let place = names.iter().position(|name| *name == source.name);
        // A role may have several columns, of which the file need not have all.
        let others = columns
            .sources
            .iter()
            .any(|other| other.role == source.role && names.contains(&other.name));
        if place.is_none() && !others {
            let near = hint(&source.name, names.iter().map(String::as_str));
            return Err(NoEntry::new(
                0,
                format!(
                    "column `{}` ({}) is due in the header{near}",
                    source.name.escape_debug(),
                    source.role.word()
                ),
            ));
        }
        state.places.push(place);
    }
    state.width = names.len();
    Ok(state)
}

/// Reads one line; the first is the header.
pub(super) fn line(
    columns: &Columns,
    line: &[u8],
    entry: &mut Entry,
    work: &mut Work,
) -> Result<Kind, NoEntry> {
    let Some(mut state) = work.csv.take() else {
        work.csv = Some(begin(columns, line)?);
        return Ok(Kind::Other);
    };
    let result = row(columns, line, &mut state, entry, work);
    work.csv = Some(state);
    result
}

fn row(
    columns: &Columns,
    line: &[u8],
    state: &mut State,
    entry: &mut Entry,
    work: &mut Work,
) -> Result<Kind, NoEntry> {
    let width = state.split(line)?;
    if width != state.width {
        return Err(NoEntry::new(
            0,
            format!("{} columns are due, not {width}", state.width),
        ));
    }
    let mut values: Values<'_> = Default::default();
    for (rank, (source, place)) in columns.sources.iter().zip(&state.places).enumerate() {
        let Some(place) = *place else { continue };
        let text = state.cell(place);
        let number = (state.delimiter == b';' && source.role.is_number())
            .then(|| with_point(text))
            .flatten();
        let at = place
            .checked_sub(1)
            .and_then(|before| state.ends.get(before))
            .map_or(0, |end| end + place);
        give(
            &mut values,
            source.role,
            Value {
                text: number.map_or(Cow::Borrowed(text), Cow::Owned),
                unit: source.unit,
                at,
                rank,
            },
        );
    }
    fields::fill(&values, columns.say(Role::ServerTook), entry, work)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(columns: &str, text: &str) -> Result<Vec<Entry>, NoEntry> {
        let columns: Columns = columns.parse().unwrap();
        let mut work = Work::default();
        let mut entries = Vec::new();
        for row in text.lines() {
            let mut entry = Entry::default();
            if line(&columns, row.as_bytes(), &mut entry, &mut work)? == Kind::Request {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    #[test]
    fn rows() {
        let text = "\u{feff}at;who;\"how long\";code\n5.0;\"a;\"\"b\";12;200\n6.5;c;-;503\n";
        let entries = read("arrived:at,client:who,took:how long:ms,status:code", text).unwrap();
        assert_eq!(entries[0].client, "a;\"b");
        assert_eq!(entries[0].took, Some(12_000_000));
        assert_eq!((entries[1].arrived, entries[1].took), (6_500_000_000, None));
        assert_eq!(entries[1].status, Some(503));
        let text = "\u{feff}at;took_ms;server\r\n5,25;12,5;a\r\n";
        let entries = read("arrived:at,took:took_ms,server:server", text).unwrap();
        assert_eq!(
            (entries[0].arrived, entries[0].took),
            (5_250_000_000, Some(12_500_000))
        );
        assert_eq!(entries[0].attempts[0].took, Some(12_500_000));
    }

    #[test]
    fn bad_rows_and_headers() {
        let fault = |columns: &str, text: &str| read(columns, text).unwrap_err().due.into_owned();
        assert!(fault("arrived:tme", "time,x\n1,2").contains("did you mean `time`?"));
        assert!(fault("arrived:t", "t,x\n1").contains("2 columns are due"));
        assert!(fault("arrived:t", "t,x\n1,\"2").contains("not closed"));
        assert!(fault("arrived:t", "t,x\nsoon,2").contains("a time is due"));
        let wide = "x,".repeat(5000);
        assert!(read("arrived:t", &format!("t\n{wide}")).is_err());
    }
}
