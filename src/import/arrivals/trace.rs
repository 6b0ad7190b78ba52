//! Arrivals as a trace that a scenario plays: a CSV file with a row a request.

use std::io::{self, Write};

use toml::{Table, Value};

use super::SECOND;

/// Writes `time_s,client` and perhaps `size`: a row a request, in any order.
#[derive(Debug)]
pub struct TraceWriter<W: Write> {
    rows: csv::Writer<W>,
    origin: Option<i64>,
    with_size: bool,
}

impl<W: Write> TraceWriter<W> {
    /// Begins with the header.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn new(file: W, with_size: bool) -> io::Result<TraceWriter<W>> {
        let mut rows = csv::Writer::from_writer(file);
        let header = ["time_s", "client", "size"];
        let columns = if with_size { 3 } else { 2 };
        rows.write_record(header.iter().take(columns))?;
        Ok(TraceWriter {
            rows,
            origin: None,
            with_size,
        })
    }

    /// Writes a request: when it arrived in nanoseconds since any moment, who asked, and how large it was (nothing counts as 0).
    /// Times are written from the first one on; what arrived before it has a negative one.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn row(&mut self, arrived: i64, client: &str, size: Option<f64>) -> io::Result<()> {
        let origin = *self.origin.get_or_insert(arrived);
        let since = i128::from(arrived) - i128::from(origin);
        let sign = if since < 0 { "-" } else { "" };
        let (whole, part) = (
            since.unsigned_abs() / SECOND as u128,
            since.unsigned_abs() % SECOND as u128,
        );
        let time = format!("{sign}{whole}.{part:09}");
        if self.with_size {
            let size = size
                .filter(|size| size.is_finite() && *size >= 0.0)
                .unwrap_or(0.0);
            self.rows.write_record([&time, client, &size.to_string()])?;
        } else {
            self.rows.write_record([&time, client])?;
        }
        Ok(())
    }

    /// Writes what is still held back, and gives the file back.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn finish(self) -> io::Result<W> {
        self.rows.into_inner().map_err(|error| error.into_error())
    }
}

/// As `arrivals` of a scenario beside which the trace stands by this name.
pub fn trace_table(file: &str, with_size: bool) -> Table {
    let text = |text: &str| Value::String(text.to_owned());
    let mut columns = Table::new();
    columns.insert("time".to_owned(), text("time_s"));
    columns.insert("client".to_owned(), text("client"));
    if with_size {
        columns.insert("size".to_owned(), text("size"));
    }
    let mut table = Table::new();
    table.insert("kind".to_owned(), text("trace"));
    table.insert("file".to_owned(), text(file));
    table.insert("columns".to_owned(), Value::Table(columns));
    table
}
