//! Requests as columns of Apache Parquet, which data frames read without being told the types.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::Cell;
use super::row::{AskedKey, RequestNames, RequestRow};

/// The columns, which are those of the CSV files. Times are numbers of nanoseconds there, written
/// as decimal fractions; here they are doubles, good to a nanosecond for the first 52 days.
const SCHEMA: &str = "message requests {
    required double arrival_s;
    required int64 client;
    optional int64 session;
    required binary service (string);
    required binary key (string);
    optional binary server (string);
    required int32 tries;
    required int32 attempts;
    optional double wait_ms;
    optional double service_ms;
    required double response_ms;
    required binary outcome (string);
    required boolean measured;
}";

/// Rows that are kept in memory, and make a group of rows in the file.
const GROUP: usize = 1 << 17;

/// Writes a file of all requests of a cell.
pub(super) fn columns(out: impl Write + Send, cell: Cell<'_>) -> io::Result<()> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("lbsim ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let mut file = SerializedFileWriter::new(out, schema, Arc::new(properties))?;
    let names = RequestNames::of(&cell.variant.blueprint);
    let (mut group, mut done) = (RowGroup::default(), Ok(()));
    cell.live(|request| {
        if done.is_ok() {
            group.add(&names.row(request));
            if group.measured.len() == GROUP {
                done = std::mem::take(&mut group).write(&mut file);
            }
        }
    });
    done?;
    if !group.measured.is_empty() {
        group.write(&mut file)?;
    }
    let mut out = file.into_inner()?;
    out.flush()
}

/// Values of a column that may be missing: those that are there, and for each row whether it is.
#[derive(Default)]
struct Optional<T> {
    values: Vec<T>,
    is_there: Vec<i16>,
}

impl<T> Optional<T> {
    fn add(&mut self, value: Option<T>) {
        self.is_there.push(i16::from(value.is_some()));
        self.values.extend(value);
    }
}

/// Rows, column by column.
#[derive(Default)]
struct RowGroup {
    arrival_s: Vec<f64>,
    client: Vec<i64>,
    session: Optional<i64>,
    service: Vec<ByteArray>,
    key: Vec<ByteArray>,
    server: Optional<ByteArray>,
    tries: Vec<i32>,
    attempts: Vec<i32>,
    wait_ms: Optional<f64>,
    service_ms: Optional<f64>,
    response_ms: Vec<f64>,
    outcome: Vec<ByteArray>,
    measured: Vec<bool>,
}

impl RowGroup {
    fn add(&mut self, row: &RequestRow<'_>) {
        let millis = |nanos: u64| nanos as f64 / 1e6;
        self.arrival_s.push(row.arrived.nanos() as f64 / 1e9);
        self.client.push(i64::from(row.client));
        self.session.add(row.session.map(i64::from));
        self.service.push(row.service.into());
        self.key.push(match row.key {
            AskedKey::Number(key) => itoa::Buffer::new().format(key).into(),
            AskedKey::Text(key) => key.into(),
        });
        self.server.add(row.server.map(ByteArray::from));
        self.tries.push(i32::from(row.tries));
        self.attempts.push(i32::from(row.attempts));
        self.wait_ms
            .add(row.waited.map(|span| millis(span.nanos())));
        self.service_ms
            .add(row.worked.map(|span| millis(span.nanos())));
        self.response_ms.push(millis(row.response_time.nanos()));
        self.outcome.push(row.outcome.into());
        self.measured.push(row.measured);
    }

    /// Writes it, in the order of the schema.
    fn write<W: Write + Send>(
        self,
        file: &mut SerializedFileWriter<W>,
    ) -> Result<(), ParquetError> {
        let mut group = file.next_row_group()?;
        let to = &mut group;
        column::<DoubleType, W>(to, &self.arrival_s, None)?;
        column::<Int64Type, W>(to, &self.client, None)?;
        column::<Int64Type, W>(to, &self.session.values, Some(&self.session.is_there))?;
        column::<ByteArrayType, W>(to, &self.service, None)?;
        column::<ByteArrayType, W>(to, &self.key, None)?;
        column::<ByteArrayType, W>(to, &self.server.values, Some(&self.server.is_there))?;
        column::<Int32Type, W>(to, &self.tries, None)?;
        column::<Int32Type, W>(to, &self.attempts, None)?;
        column::<DoubleType, W>(to, &self.wait_ms.values, Some(&self.wait_ms.is_there))?;
        column::<DoubleType, W>(to, &self.service_ms.values, Some(&self.service_ms.is_there))?;
        column::<DoubleType, W>(to, &self.response_ms, None)?;
        column::<ByteArrayType, W>(to, &self.outcome, None)?;
        column::<BoolType, W>(to, &self.measured, None)?;
        group.close().map(drop)
    }
}

/// Writes the next column of a group; `is_there` says of each row whether it has a value.
fn column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    is_there: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("there is no such column".to_owned()));
    };
    column.typed::<T>().write_batch(values, is_there, None)?;
    column.close()
}
