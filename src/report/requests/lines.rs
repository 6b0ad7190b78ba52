//! Requests as lines of text: CSV, or an access log.

use std::io::{self, Write};

use super::Cell;
use super::access_log::Addresses;
use super::row::{AskedKey, RequestNames, RequestRow};
use crate::rng::Seeds;
use crate::time::Span;

/// The header of each CSV file.
const HEADER: &str = "arrival_s,client,session,service,key,server,tries,attempts,wait_ms,service_ms,\
                      response_ms,outcome,measured\n";

/// Bytes that are collected before they are packed.
const CHUNK: usize = 1 << 16;

/// Text on its way to a file.
struct TextFile<'a> {
    text: Vec<u8>,
    out: &'a mut dyn Write,
    done: io::Result<()>,
}

impl<'a> TextFile<'a> {
    fn new(out: &'a mut dyn Write) -> TextFile<'a> {
        TextFile {
            text: Vec::with_capacity(CHUNK + 512),
            out,
            done: Ok(()),
        }
    }

    /// Writes what has come together, if that is much.
    fn pass_on(&mut self) {
        if self.text.len() >= CHUNK {
            if self.done.is_ok() {
                self.done = self.out.write_all(&self.text);
            }
            self.text.clear();
        }
    }

    fn finish(self) -> io::Result<()> {
        self.done?;
        self.out.write_all(&self.text)
    }
}

/// A row of CSV for each request of a cell.
pub(super) fn csv(out: &mut dyn Write, cell: Cell<'_>) -> io::Result<()> {
    let names = RequestNames::of(&cell.variant.blueprint);
    let mut lines = TextFile::new(out);
    lines.text.extend(HEADER.as_bytes());
    cell.live(|request| {
        row(&mut lines.text, &names.row(request));
        lines.pass_on();
    });
    lines.finish()
}

/// A line of an access log for each request of a cell.
pub(super) fn log(out: &mut dyn Write, cell: Cell<'_>) -> io::Result<()> {
    let seeds = Seeds::new(cell.seed, u64::from(cell.replication));
    let addresses = Addresses::new(&cell.variant.blueprint, seeds);
    let mut lines = TextFile::new(out);
    cell.live(|request| {
        addresses.line(&mut lines.text, request);
        lines.pass_on();
    });
    lines.finish()
}

fn row(text: &mut Vec<u8>, row: &RequestRow<'_>) {
    let mut digits = itoa::Buffer::new();
    fixed(text, row.arrived.nanos(), 1_000_000_000);
    text.push(b',');
    text.extend(digits.format(row.client).as_bytes());
    text.push(b',');
    if let Some(session) = row.session {
        text.extend(digits.format(session).as_bytes());
    }
    text.push(b',');
    field(text, row.service);
    text.push(b',');
    match row.key {
        AskedKey::Number(key) => text.extend(digits.format(key).as_bytes()),
        AskedKey::Text(key) => field(text, key),
    }
    text.push(b',');
    field(text, row.server.unwrap_or_default());
    for count in [row.tries, row.attempts] {
        text.push(b',');
        text.extend(digits.format(count).as_bytes());
    }
    text.push(b',');
    for part in [row.waited, row.worked, Some(row.response_time)] {
        if let Some(part) = part {
            fixed(text, Span::nanos(part), 1_000_000);
        }
        text.push(b',');
    }
    text.extend(row.outcome.as_bytes());
    text.extend(if row.measured {
        &b",true\n"[..]
    } else {
        b",false\n"
    });
}

/// A text as a field of CSV (RFC 4180).
fn field(text: &mut Vec<u8>, field: &str) {
    if field.contains([',', '"', '\n', '\r']) {
        text.push(b'"');
        text.extend(field.replace('"', "\"\"").as_bytes());
        text.push(b'"');
    } else {
        text.extend(field.as_bytes());
    }
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
    fn texts_are_quoted_where_they_must_be() {
        let shown = |name: &str| {
            let mut text = Vec::new();
            field(&mut text, name);
            String::from_utf8(text).unwrap()
        };
        assert_eq!(shown("web/a-1"), "web/a-1");
        assert_eq!(shown("a, b"), "\"a, b\"");
        assert_eq!(shown("say \"so\""), "\"say \"\"so\"\"\"");
    }
}
