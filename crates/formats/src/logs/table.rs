//! A table as it is found: CSV with any usual delimiter, columns between spaces, or an object of
//! JSON a line; plain or packed. For traces and measured values, whose columns a scenario names. A
//! row is a line.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

use serde_json::value::RawValue;

use super::format::csv;
use super::lines::{Line, Lines};
use super::read::{open, unpacked};
use crate::prose::listed;
use crate::spelling::hint;
use crate::tabular;

/// Bytes of a file, unpacked, at most: packed zeros would go on for days.
const MOST_BYTES: u64 = 4 << 30;

/// Bytes of a line at most.
const LONGEST: usize = 1 << 20;

/// Rows of a table, one at a time.
pub struct Table<'a> {
    lines: Lines<Box<dyn Read + 'a>>,
    shape: Shape,
    names: Vec<String>,
    cells: Vec<String>,
    row: u64,
    /// The object that stood in the first line.
    held: Option<String>,
    decimals: Decimals,
}

#[derive(Debug)]
enum Shape {
    Csv(Box<csv::State>, u8),
    Spaces,
    Json,
}

/// How the numbers of a table are written, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Decimals {
    Unknown,
    Points,
    Commas,
}

impl std::fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table")
            .field("shape", &self.shape)
            .field("names", &self.names)
            .field("row", &self.row)
            .finish_non_exhaustive()
    }
}

/// What is read no further than [`MOST_BYTES`].
struct Bounded<R>(R, u64);

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1 = self.1.checked_sub(read as u64).ok_or_else(|| {
            io::Error::other("it has more than 4 GiB unpacked, which is the limit")
        })?;
        Ok(read)
    }
}

impl Table<'static> {
    /// Opens a table in which columns of the `wanted` names are looked for.
    ///
    /// # Errors
    /// A sentence without the path.
    pub fn open(path: &Path, wanted: &[&str]) -> Result<Table<'static>, String> {
        let stream = open(path).map_err(|error| error.to_string())?;
        Table::read(stream, wanted)
    }
}

impl<'a> Table<'a> {
    /// As [`Table::open`], from what stands in a file.
    ///
    /// # Errors
    /// A sentence to be read after the name of the file.
    pub fn of(contents: &'a [u8], wanted: &[&str]) -> Result<Table<'a>, String> {
        let stream = unpacked(contents).map_err(|error| error.to_string())?;
        Table::read(stream, wanted)
    }

    /// As [`Table::open`], from a stream that is not packed.
    ///
    /// # Errors
    /// A sentence to be read after the name of the file.
    ///
    /// ```
    /// use lbsim_formats::logs::Table;
    /// let text = "\u{feff}time;took\r\n0,5;12\r\n1,25;7\r\n";
    /// let mut table = Table::read(text.as_bytes(), &["time"]).unwrap();
    /// let time = table.column("time").unwrap();
    /// assert!(table.next_row().unwrap());
    /// assert_eq!(table.cell(time), "0,5");
    /// assert_eq!(table.decimal(time).as_deref(), Some("0.5"));
    /// ```
    pub fn read(stream: impl Read + 'a, wanted: &[&str]) -> Result<Table<'a>, String> {
        let stream: Box<dyn Read + 'a> = Box::new(Bounded(stream, MOST_BYTES));
        let mut lines = Lines::new(stream, LONGEST);
        let first = loop {
            let line = match lines.next() {
                Err(error) => return Err(format!("cannot be read: {error}")),
                Ok(None) => {
                    return Err("is empty; it must begin with a header line".to_owned());
                }
                Ok(Some(Line::Long(_))) => return Err(too_long("the first line")),
                Ok(Some(Line::Whole(line))) => line,
            };
            if line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff") {
                return Err("is in UTF-16; save it as CSV in UTF-8".to_owned());
            }
            let line = tabular::without_mark(line);
            // What spreadsheets write to themselves about the delimiter.
            let note = line.len() == 5 && line.starts_with(b"sep=");
            if !line.trim_ascii().is_empty() && !note {
                break utf8(line, "the header")?.to_owned();
            }
        };
        let mut table = Table {
            lines,
            shape: Shape::Json,
            names: Vec::new(),
            cells: Vec::new(),
            row: 0,
            held: None,
            decimals: Decimals::Unknown,
        };
        if first.trim_start().starts_with('{') {
            let object = object(&first, 1)?;
            table.names = wanted
                .iter()
                .filter(|name| find(&object, name).is_some())
                .map(|&name| name.to_owned())
                .collect();
            if table.names.len() < wanted.len() || wanted.is_empty() {
                // To be named where one is missed.
                table.names = object
                    .keys()
                    .map(|name| name.clone().into_owned())
                    .collect();
                table.names.extend(
                    wanted
                        .iter()
                        .filter(|name| name.contains('.') && find(&object, name).is_some())
                        .map(|&name| name.to_owned()),
                );
            }
            drop(object);
            table.held = Some(first);
            return Ok(table);
        }
        if first.trim_start().starts_with('[') {
            let message = "is an array of JSON; write an object a line (`jq -c '.[]'` does)";
            return Err(message.to_owned());
        }
        (table.shape, table.names) = header(&first, wanted)?;
        Ok(table)
    }

    /// The names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The column of this name.
    ///
    /// # Errors
    /// That there is none, which there are, and which may have been meant; that there are several.
    pub fn column(&self, name: &str) -> Result<usize, String> {
        if self.names.iter().filter(|other| *other == name).count() > 1 {
            return Err(format!("has several columns `{}`", name.escape_debug()));
        }
        let found = self.names.iter().position(|other| other == name);
        found.ok_or_else(|| {
            let known: Vec<&str> = self.names.iter().map(String::as_str).collect();
            let near = hint(name, known.iter().copied());
            format!(
                "has no column `{}`{near} Columns: {}",
                name.escape_debug(),
                listed(known).escape_debug()
            )
        })
    }

    /// Goes on to the next row; false at the end. Rows of nothing are passed over.
    ///
    /// # Errors
    /// Which row cannot be read, and why.
    pub fn next_row(&mut self) -> Result<bool, String> {
        loop {
            let row = self.row + 1;
            let held = self.held.take();
            let line = match &held {
                Some(line) => line.as_str(),
                None => match self.lines.next() {
                    Err(error) => return Err(format!("row {row}: cannot be read: {error}")),
                    Ok(None) => return Ok(false),
                    Ok(Some(Line::Long(_))) => return Err(too_long(&format!("row {row}"))),
                    Ok(Some(Line::Whole(line))) => utf8(line, &format!("row {row}"))?,
                },
            };
            if line.trim_ascii().is_empty() {
                continue;
            }
            self.row = row;
            self.cells.resize(self.names.len(), String::new());
            self.cells.iter_mut().for_each(String::clear);
            let width = match &mut self.shape {
                Shape::Csv(state, _) => {
                    let width = state
                        .split(line.as_bytes())
                        .map_err(|fault| format!("row {row}: {}", fault.due))?;
                    for (place, cell) in self.cells.iter_mut().enumerate().take(width) {
                        // It is part of a text that was one.
                        cell.push_str(&String::from_utf8_lossy(state.cell(place)));
                    }
                    width
                }
                Shape::Spaces => {
                    let mut width = 0;
                    for part in line.split_ascii_whitespace() {
                        if let Some(cell) = self.cells.get_mut(width) {
                            cell.push_str(part);
                        }
                        width += 1;
                    }
                    width
                }
                Shape::Json => {
                    let object = object(line, row)?;
                    for (cell, name) in self.cells.iter_mut().zip(&self.names) {
                        if let Some(raw) = find(&object, name) {
                            *cell = scalar(raw);
                        }
                    }
                    self.names.len()
                }
            };
            if width != self.names.len() {
                let due = self.names.len();
                let s = if due == 1 { "" } else { "s" };
                return Err(format!(
                    "row {row}: {due} column{s} due, as in the header, and there are {width}"
                ));
            }
            let is_json = matches!(self.shape, Shape::Json);
            if is_json || self.cells.iter().any(|cell| !cell.is_empty()) {
                return Ok(true);
            }
        }
    }

    /// The number of the present row, from 1; the header does not count.
    pub fn row(&self) -> u64 {
        self.row
    }

    /// A cell of the present row, without spaces around.
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    /// A cell that holds a number, with a point before its decimals. A comma stands for one where
    /// commas do not part columns and no number of the table before had a point.
    pub fn decimal(&mut self, column: usize) -> Option<Cow<'_, str>> {
        let cell = self.cells.get(column).map_or("", String::as_str);
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let (decimals, text) = match cell.split_once(',') {
            Some((whole, part)) => {
                let parted = matches!(self.shape, Shape::Csv(_, b',') | Shape::Json);
                if parted || !digits(whole.trim_start_matches(['-', '+'])) || !digits(part) {
                    return None;
                }
                (Decimals::Commas, Cow::Owned(format!("{whole}.{part}")))
            }
            None if cell.contains('.') => (Decimals::Points, Cow::Borrowed(cell)),
            None => return Some(Cow::Borrowed(cell)),
        };
        if self.decimals != Decimals::Unknown && self.decimals != decimals {
            return None;
        }
        self.decimals = decimals;
        Some(text)
    }
}

fn too_long(what: &str) -> String {
    format!("{what} is longer than {LONGEST} bytes, which is the limit")
}

fn utf8<'a>(line: &'a [u8], what: &str) -> Result<&'a str, String> {
    std::str::from_utf8(line).map_err(|error| {
        format!(
            "{what} is not UTF-8 from byte {} on",
            error.valid_up_to() + 1
        )
    })
}

/// The columns of a header line: parted by what finds the most wanted names in it, then by what
/// finds the most columns.
fn header(line: &str, wanted: &[&str]) -> Result<(Shape, Vec<String>), String> {
    let found = |names: &[String]| {
        let is_there = |name: &&&str| names.iter().any(|other| other == **name);
        wanted.iter().filter(is_there).count()
    };
    type Guess = (Option<u8>, Vec<String>);
    let mut best: Option<((usize, usize), Guess)> = None;
    for delimiter in tabular::DELIMITERS {
        let Some(names) = csv::names(line.as_bytes(), delimiter) else {
            continue;
        };
        let worth = (found(&names), names.len());
        if best.as_ref().is_none_or(|(other, ..)| worth > *other) {
            best = Some((worth, (Some(delimiter), names)));
        }
    }
    let names: Vec<String> = line.split_ascii_whitespace().map(str::to_owned).collect();
    let worth = (found(&names), 0);
    if best.as_ref().is_none_or(|(other, ..)| worth.0 > other.0) {
        best = Some((worth, (None, names)));
    }
    let (_, (delimiter, names)) = best.ok_or("has a header that cannot be read")?;
    let shape = match delimiter {
        Some(delimiter) => Shape::Csv(Box::new(csv::State::new(delimiter)), delimiter),
        None => Shape::Spaces,
    };
    Ok((shape, names))
}

type Object<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

fn object(line: &str, row: u64) -> Result<Object<'_>, String> {
    serde_json::from_str(line).map_err(|error| {
        let text = error.to_string();
        let what = text.split(" at line ").next().unwrap_or_default();
        format!("row {row}: an object of JSON is due ({what})")
    })
}

/// A value by its name, or by names with dots between: the name of an object and of what is in it.
fn find<'a>(object: &Object<'a>, name: &str) -> Option<&'a RawValue> {
    if let Some(&value) = object.get(name) {
        return Some(value);
    }
    name.match_indices('.').find_map(|(dot, _)| {
        let inner = object.get(name.get(..dot)?)?;
        let inner: Object<'a> = serde_json::from_str(inner.get()).ok()?;
        find(&inner, name.get(dot + 1..)?)
    })
}

/// The text of a value: that of a string, and of a number every digit.
fn scalar(raw: &RawValue) -> String {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text).unwrap_or_default(),
        Some(b'n') => String::new(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &[u8], wanted: &[&str]) -> Result<Vec<Vec<String>>, String> {
        let mut table = Table::read(text, wanted)?;
        let columns: Vec<usize> = wanted
            .iter()
            .map(|name| table.column(name))
            .collect::<Result<_, _>>()?;
        let mut rows = Vec::new();
        while table.next_row()? {
            rows.push(
                columns
                    .iter()
                    .map(|&at| table.cell(at).to_owned())
                    .collect(),
            );
        }
        Ok(rows)
    }

    #[test]
    fn the_same_table_in_every_shape() {
        for text in [
            "time,who\n0.5,a b\n1,c\n",
            "\u{feff}time,who\r\n0.5,a b\r\n\r\n1,c\r\n,\r\n",
            "sep=;\n\"time\";\"who\"\n0.5;\"a b\"\n1;c",
            "who\ttime\na b\t0.5\nc\t1\n",
            "{\"time\": 0.5, \"who\": \"a b\", \"x\": {}}\n{\"who\":\"c\",\"time\":1}\n",
        ] {
            let due = [["0.5", "a b"], ["1", "c"]];
            assert_eq!(
                all(text.as_bytes(), &["time", "who"]).unwrap(),
                due,
                "{text}"
            );
        }
        let spaces = all(b"time   who\n0.5 a\n  1     c\n", &["time", "who"]).unwrap();
        assert_eq!(spaces, [["0.5", "a"], ["1", "c"]]);
        let nested = all(
            b"{\"at\":1,\"http\":{\"path\":\"/x\"}}\n",
            &["at", "http.path"],
        )
        .unwrap();
        assert_eq!(nested, [["1", "/x"]]);
        // A name with a space in a file of one column is one name.
        assert_eq!(
            all(b"response time\n5\n", &["response time"]).unwrap(),
            [["5"]]
        );
        assert_eq!(
            Table::read(&b"response time\n5\n"[..], &[])
                .unwrap()
                .names(),
            ["response time"]
        );
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let fault = |text: &[u8]| all(text, &["time"]).unwrap_err();
        assert!(fault(b"").contains("empty"));
        assert!(fault(b"time,x\n1,2\n3,\"4\n5,6\n").contains("row 2: a quote is not closed"));
        assert!(fault(b"time,x\n1\n").contains("row 1: 2 columns due"));
        assert!(fault(b"tme,x\n1,2\n").contains("did you mean `tme`"));
        assert!(fault(b"time,time,x\n1,2,3\n").contains("several columns `time`"));
        assert!(fault(b"{\"tme\":1}\n").contains("did you mean `tme`"));
        assert!(fault(b"{\"time\":1}\n{\"time\":\n").contains("row 2: an object of JSON"));
        assert!(fault(b"[\n{\"time\":1}\n]").contains("jq"));
        assert!(fault(b"\xff\xfet\0").contains("UTF-16"));
        assert!(fault(b"time\n\xff\n").contains("row 1 is not UTF-8"));
        let mut long = b"time\n".to_vec();
        long.resize(LONGEST + 100, b'0');
        assert!(fault(&long).contains("row 1 is longer than"));
    }

    #[test]
    fn a_bomb_ends_at_the_limit() {
        let bytes = io::repeat(b'\n');
        let mut table = Table {
            lines: Lines::new(Box::new(Bounded(bytes, 1 << 20)), LONGEST),
            ..Table::read(&b"time\n"[..], &["time"]).unwrap()
        };
        assert!(table.next_row().unwrap_err().contains("4 GiB unpacked"));
    }

    #[test]
    fn commas_before_decimals() {
        let read = |text: &str| {
            let mut table = Table::read(text.as_bytes(), &["t"]).unwrap();
            let mut values = Vec::new();
            while table.next_row().unwrap() {
                values.push(table.decimal(0).map(Cow::into_owned));
            }
            values
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            read("t;x\n0,5;a\n-3;b\n1,25;c\n"),
            [some("0.5"), some("-3"), some("1.25")]
        );
        // Thousands, or decimals of another kind: nobody knows.
        assert_eq!(
            read("t;x\n0,5;a\n1.234;b\n1.234,5;c\n"),
            [some("0.5"), None, None]
        );
        assert_eq!(read("t,x\n\"1,234\",a\n"), [None]);
    }

    proptest! {
        #[test]
        fn nothing_panics(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            text in "(\\{\"t\":)?[t,; {}\"\\[]{0,9}\n([0-9,;.\"{}:t ]{0,12}\n){0,6}",
        ) {
            let _ = (all(&bytes, &["t"]), all(text.as_bytes(), &["t"]), all(text.as_bytes(), &[]));
        }
    }
}
