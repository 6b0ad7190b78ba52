//! `latency.csv`: the percentile spectrum.

use serde::{Deserialize, Serialize};

use crate::experiment::{Outcome, milliseconds};
use crate::observe::Latency;
use crate::scenario::{Measurement, Scenario};

/// `latency.csv`: the percentile spectrum of one strategy, all replications merged, or of a
/// measurement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LatencyRow {
    /// The strategy, or the name of the measurement.
    pub strategy: String,
    /// The percentile, 0 to 100.
    pub percentile: f64,
    /// Response time of the succeeded at this percentile.
    pub response_ms: f64,
    /// Succeeded requests that took longer; a point with fewer than 100 is not to be relied on.
    pub requests_above: u64,
}

/// The spectra of the strategies, then those of measurements.
pub(super) fn rows(scenario: &Scenario, outcome: &Outcome) -> Vec<LatencyRow> {
    let both = scenario.variants.iter().zip(&outcome.variants);
    let simulated =
        both.flat_map(|(variant, measured)| spectrum_of(&variant.name, &measured.latency));
    let measured = scenario.measured.iter().flat_map(measured_latency);
    simulated.chain(measured).collect()
}

/// Percentiles, ever closer to 100: twenty steps from each nine to the next, as far as there are
/// requests.
fn spectrum(count: u64) -> Vec<f64> {
    let mut percentiles: Vec<f64> = vec![0.0];
    let nines = (count.max(10) as f64).log10();
    let steps = (nines * 20.0) as u32;
    for step in 1..=steps {
        let left = libm::pow(10.0, -f64::from(step) / 20.0);
        // Eight digits, so that the same point has the same name in every run.
        percentiles.push(((1.0 - left) * 1e10).round() / 1e8);
    }
    for round in [50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99, 99.999] {
        if 1.0 - round / 100.0 >= 1.0 / count.max(1) as f64 {
            percentiles.push(round);
        }
    }
    percentiles.sort_by(f64::total_cmp);
    percentiles.dedup();
    percentiles
}

/// The response times of `name` by percentile.
pub(in crate::report) fn spectrum_of(name: &str, latency: &Latency) -> Vec<LatencyRow> {
    spectrum(latency.count())
        .into_iter()
        .filter_map(|percentile| {
            let q = percentile / 100.0;
            Some(LatencyRow {
                strategy: name.to_owned(),
                percentile,
                response_ms: milliseconds(latency.quantile(q)?),
                requests_above: latency.above(q),
            })
        })
        .collect()
}

fn measured_latency(measurement: &Measurement) -> impl Iterator<Item = LatencyRow> {
    let percentiles = spectrum(measurement.sorted_ms.len() as u64).into_iter();
    percentiles.map(|percentile| LatencyRow {
        strategy: measurement.name.clone(),
        percentile,
        response_ms: measurement.quantile_ms(percentile / 100.0),
        requests_above: measurement.above(percentile / 100.0),
    })
}
