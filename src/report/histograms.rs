//! Response times as files of HdrHistogram (Tene), which its many tools read, merge and plot.
//!
//! `latency.hlog` is a histogram log, version 1.3, with a line a strategy; each line has its
//! strategy's name as a tag, and a histogram in the compressed encoding V2, in nanoseconds. A
//! `.hgrm` file is what HdrHistogram's `outputPercentileDistribution` prints, in milliseconds.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use super::slug::slug;
use super::write::WriteError;
use crate::experiment::Outcome;
use crate::observe::Latency;
use crate::scenario::Scenario;

/// Digits of a value that count: cells are 0.05% wide.
const DIGITS: u8 = 3;

/// Steps to each halving of what is left to 100%.
const TICKS: u32 = 5;

const NANOS_IN_MILLI: f64 = 1e6;

/// Writes the response times of the succeeded into `folder/histograms`, of all replications of a
/// strategy together.
///
/// # Errors
/// Where the file system says no.
pub fn write(folder: &Path, scenario: &Scenario, outcome: &Outcome) -> Result<(), WriteError> {
    let place = folder.join("histograms");
    let failed = |path: &Path, source| WriteError::Io {
        path: path.to_owned(),
        source,
    };
    std::fs::create_dir(&place).map_err(|source| failed(&place, source))?;
    let variants = scenario.variants.iter().zip(&outcome.variants);
    let all: Vec<(String, Histogram<u64>)> = variants
        .enumerate()
        .map(|(at, (variant, outcome))| {
            let name = format!("{}-{}", at + 1, slug(&variant.name));
            (name, histogram(&outcome.latency))
        })
        .collect();
    let path = place.join("latency.hlog");
    let text = log(scenario, &all).map_err(|source| failed(&path, source))?;
    std::fs::write(&path, text).map_err(|source| failed(&path, source))?;
    for (name, histogram) in &all {
        let path = place.join(format!("{name}.hgrm"));
        std::fs::write(&path, percentiles(histogram)).map_err(|source| failed(&path, source))?;
    }
    Ok(())
}

/// Response times in nanoseconds.
fn histogram(latency: &Latency) -> Histogram<u64> {
    let mut histogram = Histogram::new(DIGITS).expect("so many digits can be");
    histogram.auto(true);
    for (value, count) in latency.counts() {
        // It grows to whatever comes, but for more than 2^63 ns, which HdrHistogram cannot hold.
        let _ = histogram.record_n(value, count);
    }
    histogram
}

fn log(scenario: &Scenario, all: &[(String, Histogram<u64>)]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut begin = IntervalLogWriterBuilder::new();
    begin
        .add_comment("[Histogram log format version 1.3]")
        .add_comment(&format!(
            "[lbsim {}: {}; response times in ns, maxima in ms]",
            env!("CARGO_PKG_VERSION"),
            scenario.file_name
        ))
        .with_max_value_divisor(NANOS_IN_MILLI);
    let mut log = begin.begin_log_with(&mut text, &mut serializer)?;
    let nanos = |span: crate::time::Span| Duration::from_nanos(span.nanos());
    let (from, to) = (nanos(scenario.warmup()), nanos(scenario.duration()));
    for (name, histogram) in all {
        let tag = Tag::new(name);
        log.write_histogram(histogram, from, to.saturating_sub(from), tag)
            .map_err(|error| io::Error::other(format!("{error:?}")))?;
    }
    Ok(text)
}

/// The table of percentiles, as HdrHistogram prints it (2.2, `AbstractHistogram`).
fn percentiles(histogram: &Histogram<u64>) -> String {
    let mut text = format!(
        "{:>14} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let mut before = 0;
    // Text takes all that is written.
    for step in histogram.iter_quantiles(TICKS) {
        before += step.count_since_last_iteration();
        let value = step.value_iterated_to() as f64 / NANOS_IN_MILLI;
        let quantile = step.quantile_iterated_to();
        let _ = match quantile < 1.0 {
            true => writeln!(
                text,
                "{value:14.6} {quantile:2.12} {before:10} {:14.2}",
                1.0 / (1.0 - quantile)
            ),
            false => writeln!(text, "{value:14.6} {quantile:2.12} {before:10}"),
        };
    }
    let _ = writeln!(
        text,
        "#[Mean    = {:12.6}, StdDeviation   = {:12.6}]\n\
         #[Max     = {:12.6}, Total count    = {:12}]\n\
         #[Buckets = {:12}, SubBuckets     = {:12}]",
        histogram.mean() / NANOS_IN_MILLI,
        histogram.stdev() / NANOS_IN_MILLI,
        histogram.max() as f64 / NANOS_IN_MILLI,
        histogram.len(),
        histogram.buckets(),
        2048,
    );
    text
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::Deserializer;

    use super::*;
    use crate::time::Span;

    #[test]
    fn what_is_written_is_read_and_says_the_same() {
        let mut latency = Latency::default();
        for micros in 1..=10_000_u64 {
            latency.record(Span::from_nanos(micros * 1_000));
        }
        let own = histogram(&latency);
        let text = percentiles(&own);
        assert!(text.contains("Total count    =        10000"), "{text}");
        let last = text
            .lines()
            .rev()
            .find(|line| line.contains(" 1.000000000000"))
            .unwrap();
        let longest: f64 = last.split_whitespace().next().unwrap().parse().unwrap();
        assert!((longest / 10.0 - 1.0).abs() < 1e-3, "{text}");
        let packed = {
            use hdrhistogram::serialization::Serializer;
            let mut packed = Vec::new();
            V2DeflateSerializer::new()
                .serialize(&own, &mut packed)
                .unwrap();
            packed
        };
        let read: Histogram<u64> = Deserializer::new()
            .deserialize(&mut packed.as_slice())
            .unwrap();
        for q in [0.5, 0.9, 0.99, 0.999, 1.0] {
            let due = latency.quantile(q).unwrap() * 1e9;
            let found = read.value_at_quantile(q) as f64;
            assert!(
                (found / due - 1.0).abs() < 2e-3,
                "{q}: {found} is not {due}"
            );
        }
    }
}
