//! Arrivals as a trace that a scenario plays: a CSV file with a row a request.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use rand::SeedableRng as _;
use toml::{Table, Value};

use super::{SECOND, Strays};
use crate::rng::{Rng, uniform_open};

/// Each arrival of a log, with who asked.
#[derive(Clone, Debug, Default)]
pub struct Arrivals {
    rows: Vec<(i64, u32)>,
    clients: Vec<String>,
    numbers: BTreeMap<String, u32>,
}

impl Arrivals {
    /// Takes an arrival, in nanoseconds since any moment.
    pub fn add(&mut self, arrived: i64, client: &str) {
        let number = match self.numbers.get(client) {
            Some(&number) => number,
            None => {
                let number = self.clients.len() as u32;
                self.clients.push(client.to_owned());
                self.numbers.insert(client.to_owned(), number);
                number
            }
        };
        self.rows.push((arrived, number));
    }

    /// Leaves out what came at moments that cannot be right.
    pub fn retain(&mut self, strays: &Strays) {
        self.rows.retain(|&(arrived, _)| strays.keep(arrived));
    }

    /// Writes `time_s,client`, a row a request, in the order in which they were taken. Times begin
    /// with the first row; what arrived before it has a negative one.
    ///
    /// A clock shows the beginning of its step. With `spread` each arrival is put anywhere within a
    /// step of that length, at random but the same each time: left at the beginning, all requests
    /// of a step would come together.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn write(&self, file: impl Write, spread: Option<Duration>) -> io::Result<()> {
        let mut rows = csv::Writer::from_writer(file);
        rows.write_record(["time_s", "client"])?;
        let step = spread.map_or(0, |step| step.as_nanos() as u64);
        let mut rng = Rng::seed_from_u64(0);
        let mut origin = None;
        for &(arrived, client) in &self.rows {
            let within = match step {
                0 => 0,
                step => (uniform_open(&mut rng) * step as f64) as u64,
            };
            let arrived = i128::from(arrived) + i128::from(within);
            let since = arrived - *origin.get_or_insert(arrived);
            let sign = if since < 0 { "-" } else { "" };
            let nanos = since.unsigned_abs();
            let (whole, part) = (nanos / SECOND as u128, nanos % SECOND as u128);
            let client = self.clients.get(client as usize);
            rows.write_record([
                format!("{sign}{whole}.{part:09}").as_str(),
                client.map_or("", String::as_str),
            ])?;
        }
        rows.flush()
    }
}

/// As `arrivals` of a scenario that names the trace so.
pub fn trace_table(file: &str) -> Table {
    let text = |text: &str| Value::String(text.to_owned());
    let mut columns = Table::new();
    columns.insert("time".to_owned(), text("time_s"));
    columns.insert("client".to_owned(), text("client"));
    let mut table = Table::new();
    table.insert("kind".to_owned(), text("trace"));
    table.insert("file".to_owned(), text(file));
    table.insert("columns".to_owned(), Value::Table(columns));
    table
}
