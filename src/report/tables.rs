//! From an outcome to the rows of the CSV files.

use super::rows::{
    ClientsRow, LatencyRow, PairedRow, RankingRow, ServerRow, ServiceRow, SessionRow, SettlingRow,
    SummaryRow, TheoryRow, TimelineRow, UtilizationRow,
};
use crate::experiment::{
    self, Better, Comparison, Estimator, Exact, Flow, METRICS, Metric, Of, Outcome, Run,
    ServiceOutcome, VariantOutcome, comparisons, controlled, estimate, metric, milliseconds,
};
use crate::model::blueprint::ServicePlan;
use crate::observe::{Latency, Loss};
use crate::scenario::{Measurement, Scenario, Variant};
use crate::stats::{Estimate, Verdict};

/// The rows of all files of one scenario.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// `runs.csv`.
    pub runs: Vec<Run>,
    /// `summary.csv`.
    pub summary: Vec<SummaryRow>,
    /// `paired.csv`.
    pub paired: Vec<PairedRow>,
    /// `ranking.csv`.
    pub ranking: Vec<RankingRow>,
    /// `settling.csv`.
    pub settling: Vec<SettlingRow>,
    /// `theory.csv`.
    pub theory: Vec<TheoryRow>,
    /// `latency.csv`.
    pub latency: Vec<LatencyRow>,
    /// `servers.csv`.
    pub servers: Vec<ServerRow>,
    /// `services.csv`.
    pub services: Vec<ServiceRow>,
    /// `timeline.csv`.
    pub timeline: Vec<TimelineRow>,
    /// `utilization.csv`.
    pub utilization: Vec<UtilizationRow>,
    /// `sessions.csv`.
    pub sessions: Vec<SessionRow>,
    /// `clients.csv`.
    pub clients: Vec<ClientsRow>,
}

impl Tables {
    /// The rows that an outcome makes.
    pub fn new(scenario: &Scenario, outcome: &Outcome) -> Tables {
        let mut tables = Tables {
            paired: paired(scenario, outcome),
            ranking: ranking(scenario, outcome),
            theory: theory(scenario, outcome),
            settling: settling(scenario),
            clients: clients(scenario, outcome),
            ..Tables::default()
        };
        for (variant, measured) in scenario.variants.iter().zip(&outcome.variants) {
            tables.runs.extend(measured.runs.iter().cloned());
            tables.summary.extend(summary(variant, measured));
            tables
                .latency
                .extend(spectrum_of(&variant.name, &measured.latency));
            tables.servers.extend(servers(variant, measured));
            tables.services.extend(services(variant, measured));
            tables.timeline.extend(timeline(variant, measured));
            tables.utilization.extend(utilization(variant, measured));
            tables.sessions.extend(sessions(variant, measured));
        }
        for measurement in &scenario.measured {
            tables.latency.extend(measured_latency(measurement));
        }
        tables
    }
}

fn summary(variant: &Variant, measured: &VariantOutcome) -> impl Iterator<Item = SummaryRow> {
    METRICS.iter().map(|metric| {
        let figure = estimate(measured, metric);
        let controlled = controlled(variant, measured, metric);
        SummaryRow {
            strategy: variant.name.clone(),
            metric: metric.name.to_owned(),
            estimate: figure.estimate,
            half_width_95: figure.half_width,
            n: figure.n as u32,
            controlled_estimate: controlled.map(|found| found.estimate),
            controlled_half_width_95: controlled.map(|found| found.half_width),
            controlled_gain: controlled.map(|found| found.gain),
        }
    })
}

/// The differences to the baseline: a row a strategy and metric.
pub(super) fn paired(scenario: &Scenario, outcome: &Outcome) -> Vec<PairedRow> {
    let base_name = &scenario.variants[scenario.baseline].name;
    let by_metric: Vec<Vec<Option<Comparison>>> = METRICS
        .iter()
        .map(|metric| comparisons(&outcome.variants, scenario.baseline, metric))
        .collect();
    let others = (0..scenario.variants.len()).filter(|&at| at != scenario.baseline);
    others
        .flat_map(|at| {
            METRICS
                .iter()
                .zip(&by_metric)
                .map(move |(metric, by)| (at, metric, by[at]))
        })
        .map(|(at, metric, comparison)| {
            let paired = comparison.map(|comparison| comparison.paired);
            PairedRow {
                strategy: scenario.variants[at].name.clone(),
                baseline: base_name.clone(),
                metric: metric.name.to_owned(),
                difference: paired.map(|p| p.difference),
                half_width_95: paired.and_then(|p| p.half_width),
                relative: paired.and_then(|p| p.relative),
                p_adjusted: comparison.and_then(|c| c.p_adjusted),
                verdict: verdict(comparison, metric).to_owned(),
                gain: comparison.and_then(|c| c.gain),
                n: paired.map_or(0, |p| p.n as u32),
            }
        })
        .collect()
}

/// The groups of clients that every variant has, by name, with what each variant measured of them;
/// none where there is one group only.
pub(super) fn groups(scenario: &Scenario, outcome: &Outcome) -> Vec<(String, Vec<VariantOutcome>)> {
    let Some(first) = scenario.variants.first() else {
        return Vec::new();
    };
    let of = |name: &str| -> Option<Vec<VariantOutcome>> {
        let both = scenario.variants.iter().zip(&outcome.variants);
        both.map(|(variant, measured)| {
            let sources = &variant.blueprint.sources;
            let at = sources.iter().position(|source| source.name == name)?;
            measured.groups.get(at).cloned()
        })
        .collect()
    };
    let names = first.blueprint.sources.iter().map(|source| &source.name);
    names
        .filter_map(|name| Some((name.clone(), of(name)?)))
        .collect()
}

fn clients(scenario: &Scenario, outcome: &Outcome) -> Vec<ClientsRow> {
    let mut rows = Vec::new();
    // What is known of requests, and not of servers or sessions.
    let of_requests = |metric: &&Metric| metric.is_of_requests();
    for (name, measured) in groups(scenario, outcome) {
        for metric in METRICS.iter().filter(of_requests) {
            let comparisons = comparisons(&measured, scenario.baseline, metric);
            for ((variant, own), comparison) in
                scenario.variants.iter().zip(&measured).zip(comparisons)
            {
                let figure = estimate(own, metric);
                let paired = comparison.map(|comparison| comparison.paired);
                rows.push(ClientsRow {
                    strategy: variant.name.clone(),
                    clients: name.clone(),
                    metric: metric.name.to_owned(),
                    estimate: figure.estimate,
                    half_width_95: figure.half_width,
                    n: figure.n as u32,
                    difference: paired.map(|paired| paired.difference),
                    difference_half_width_95: paired.and_then(|paired| paired.half_width),
                    p_adjusted: comparison.and_then(|comparison| comparison.p_adjusted),
                    verdict: verdict(comparison, metric).to_owned(),
                });
            }
        }
    }
    rows
}

fn verdict(comparison: Option<Comparison>, metric: &Metric) -> &'static str {
    if let Some(withheld) = comparison.and_then(|comparison| comparison.withheld) {
        return withheld.name();
    }
    let verdict = comparison.and_then(|comparison| comparison.verdict(metric.better));
    match (metric.better, verdict) {
        (_, None) => "",
        (_, Some(Verdict::NotShown)) => "not shown",
        (Better::Neither, Some(_)) => "different",
        (_, Some(Verdict::Better)) => "better",
        (_, Some(Verdict::Worse)) => "worse",
    }
}

fn settling(scenario: &Scenario) -> Vec<SettlingRow> {
    let mut rows = Vec::new();
    for own in &scenario.settling {
        let values = own.in_system.iter().zip(&own.at_busiest);
        for ((&in_system, &at_busiest), at) in values.zip(1..) {
            rows.push(SettlingRow {
                strategy: own.variant.clone(),
                time_s: (own.step.nanos() * at) as f64 / 1e9,
                in_system,
                at_busiest,
                settled_s: own.settled.seconds(),
            });
        }
    }
    rows
}

fn theory(scenario: &Scenario, outcome: &Outcome) -> Vec<TheoryRow> {
    let mut rows = Vec::new();
    for (variant, measured) in scenario.variants.iter().zip(&outcome.variants) {
        let (exact, flow) = (Exact::of(variant), Flow::beside(variant, measured));
        for metric in METRICS {
            let of_model = exact.as_ref().and_then(|exact| {
                let seconds = match (metric.of, metric.estimator) {
                    (Of::Answered, Estimator::MeanOfTimes) => Some(exact.mean()),
                    (Of::Answered, Estimator::Quantile(q)) => exact.quantile(q),
                    _ => None,
                };
                Some((exact.model, milliseconds(seconds?)))
            });
            // Known of every steady system, whatever its strategy.
            let of_flow = flow.and_then(|flow| match metric.name {
                "goodput_rps" => Some(("flow balance", flow.goodput)),
                "utilization_mean" => Some(("utilization law", flow.utilization?)),
                _ => None,
            });
            let Some((model, value)) = of_model.or(of_flow) else {
                continue;
            };
            let figure = estimate(measured, metric);
            rows.push(TheoryRow {
                strategy: variant.name.clone(),
                model: model.to_owned(),
                metric: metric.name.to_owned(),
                exact: value,
                estimate: figure.estimate,
                half_width_95: figure.half_width,
                standard_errors: figure.errors_from(value),
            });
        }
    }
    rows
}

/// The percentile spectra of the strategies of which theory knows them, at the points of the
/// simulated ones.
pub(super) fn exact_latency(scenario: &Scenario, latency: &[LatencyRow]) -> Vec<LatencyRow> {
    let known = scenario
        .variants
        .iter()
        .filter_map(|variant| Some((variant, Exact::of(variant)?)));
    known
        .flat_map(|(variant, exact)| {
            let own = latency.iter().filter(|row| row.strategy == variant.name);
            own.filter(|row| row.percentile < 100.0)
                .filter_map(move |row| {
                    Some(LatencyRow {
                        response_ms: milliseconds(exact.quantile(row.percentile / 100.0)?),
                        ..row.clone()
                    })
                })
        })
        .collect()
}

fn ranking(scenario: &Scenario, outcome: &Outcome) -> Vec<RankingRow> {
    let judge = metric(scenario.judge_by);
    let name = |at: usize| scenario.variants[at].name.clone();
    experiment::ranking(&outcome.variants, judge)
        .into_iter()
        .map(|(one, other, duel)| RankingRow {
            strategy: name(one),
            other: name(other),
            metric: judge.name.to_owned(),
            difference: duel.map(|duel| duel.paired.difference),
            half_width_95: duel.and_then(|duel| duel.paired.half_width),
            p_adjusted: duel.and_then(|duel| duel.p_adjusted),
            verdict: verdict(duel, judge).to_owned(),
        })
        .collect()
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
pub(super) fn spectrum_of(name: &str, latency: &Latency) -> Vec<LatencyRow> {
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

fn services(variant: &Variant, measured: &VariantOutcome) -> Vec<ServiceRow> {
    let named = variant.blueprint.services.iter().zip(&measured.services);
    let row = |(service, outcome): (&ServicePlan, &ServiceOutcome)| {
        let figures = outcome.figures(measured.varies);
        ServiceRow {
            strategy: variant.name.clone(),
            service: service.name.clone(),
            requests: figures.requests,
            attempts: figures.attempts,
            success_share: figures.success_share.estimate,
            success_share_half_width_95: figures.success_share.half_width,
            mean_ms: figures.mean_ms.estimate,
            mean_half_width_95: figures.mean_ms.half_width,
            p99_ms: figures.p99_ms.estimate,
            p99_half_width_95: figures.p99_ms.half_width,
            wait_ms: figures.wait_ms.estimate,
            wait_half_width_95: figures.wait_ms.half_width,
            work_ms: figures.work_ms.estimate,
            work_half_width_95: figures.work_ms.half_width,
            called_ms: figures.called_ms.estimate,
            called_half_width_95: figures.called_ms.half_width,
        }
    };
    named.map(row).collect()
}

fn servers(variant: &Variant, measured: &VariantOutcome) -> Vec<ServerRow> {
    let plan = &variant.blueprint;
    let replications = measured.runs.len() as f64;
    let utilization = measured.load.utilization();
    let mut rows = Vec::new();
    let mut first = 0;
    for (index, service) in plan.services.iter().enumerate() {
        let size = plan.mean_size(index);
        let in_charge = service.in_charge();
        let mut capacities = service.capacities(size);
        for (capacity, serves) in capacities.iter_mut().zip(in_charge) {
            *capacity *= f64::from(u8::from(serves));
        }
        let capacity: f64 = capacities.iter().sum();
        let loads = &measured.load.servers[first..first + service.servers.len()];
        let sent: u64 = loads.iter().map(|load| load.sent).sum();
        for (at, server) in service.servers.iter().enumerate() {
            let place = first + at;
            let over_runs = |values: &[Vec<f64>]| {
                values
                    .get(place)
                    .and_then(|values| Estimate::of(values)?.half_width)
            };
            let load = &loads[at];
            rows.push(ServerRow {
                strategy: variant.name.clone(),
                server: service.full_name(&server.name),
                weight: f64::from(service.group(at).weight),
                // Where service takes no time, there is no end to what a server can do, and no
                // share of it.
                capacity_share: Some(capacities[at] / capacity).filter(|share| share.is_finite()),
                request_share: (sent > 0).then(|| load.sent as f64 / sent as f64),
                request_share_half_width_95: over_runs(&measured.shares),
                utilization: Some(utilization[place]),
                utilization_half_width_95: over_runs(&measured.utilization),
                wait_ms: (load.answered > 0)
                    .then(|| milliseconds(load.waited.seconds() / load.answered as f64)),
                failures: load.failed as f64 / replications,
            });
        }
        first += service.servers.len();
    }
    rows
}

/// A p99 with fewer above it would be a single request's luck.
const TIMELINE_EXCEEDANCES: f64 = 10.0;

fn timeline(variant: &Variant, measured: &VariantOutcome) -> Vec<TimelineRow> {
    let length = measured.timeline.length();
    let at_s = |stretch: usize| (length.nanos() * stretch as u64) as f64 / 1e9;
    let replications = measured.runs.len() as f64;
    measured
        .timeline
        .stretches()
        .iter()
        .enumerate()
        .map(|(at, stretch)| {
            let succeeded = stretch.succeeded();
            let enough = succeeded as f64 * 0.01 >= TIMELINE_EXCEEDANCES;
            TimelineRow {
                strategy: variant.name.clone(),
                from_s: at_s(at),
                to_s: at_s(at + 1),
                requests: stretch.requests() as f64 / replications,
                failed: stretch.failed as f64 / replications,
                unfinished: stretch.unfinished as f64 / replications,
                p50_ms: stretch.quantile(0.5).map(milliseconds),
                p99_ms: stretch.quantile(0.99).filter(|_| enough).map(milliseconds),
            }
        })
        .collect()
}

fn utilization(variant: &Variant, measured: &VariantOutcome) -> Vec<UtilizationRow> {
    let names: Vec<String> = variant.blueprint.server_names().collect();
    let bands: Vec<String> = measured
        .load
        .bands()
        .into_iter()
        .map(|(first, last)| {
            if first == last {
                names[first].clone()
            } else {
                format!("{} … {}", names[first], names[last])
            }
        })
        .collect();
    let length = measured.timeline.length();
    let at_s = |stretch: usize| (length.nanos() * stretch as u64) as f64 / 1e9;
    let mut rows = Vec::new();
    for (at, row) in measured.load.heat().into_iter().enumerate() {
        for (band, share) in row.into_iter().enumerate() {
            rows.push(UtilizationRow {
                strategy: variant.name.clone(),
                band: band as u32,
                server: bands[band].clone(),
                from_s: at_s(at),
                to_s: at_s(at + 1),
                utilization: share,
            });
        }
    }
    rows
}

fn sessions(variant: &Variant, measured: &VariantOutcome) -> Vec<SessionRow> {
    let all = measured
        .runs
        .iter()
        .map(|run| run.sessions as f64)
        .sum::<f64>()
        / measured.runs.len() as f64;
    if variant
        .blueprint
        .sources
        .iter()
        .all(|source| source.sessions.is_none())
    {
        return Vec::new();
    }
    Loss::ALL
        .iter()
        .filter_map(|&loss| {
            let of = |counts: &[[u64; 3]]| {
                let counts: Vec<f64> = counts
                    .iter()
                    .map(|count| count[loss as usize] as f64)
                    .collect();
                Estimate::of(&counts)
            };
            let (lost, hurt) = (of(&measured.losses)?, of(&measured.hurt)?);
            Some(SessionRow {
                strategy: variant.name.clone(),
                cause: loss.name().to_owned(),
                sessions: all,
                lost: lost.mean,
                lost_half_width_95: lost.half_width,
                hurt: hurt.mean,
                hurt_half_width_95: hurt.half_width,
                hurt_share: (all > 0.0).then(|| hurt.mean / all),
            })
        })
        .collect()
}
