//! Real runs predicted: a real nginx and a real HAProxy under load, recorded request by request,
//! against the simulation of the same requests.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use flate2::read::GzDecoder;
use lbsim::model;
use lbsim::observe::Ended;
use lbsim::scenario::Scenario;

/// The rows of a recorded run, by the name of their column.
fn recorded(file: &str) -> Vec<BTreeMap<String, String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios/data")
        .join(file);
    let mut reader = csv::Reader::from_reader(GzDecoder::new(File::open(path).unwrap()));
    reader.deserialize().map(Result::unwrap).collect()
}

/// Each request of a scenario under one strategy, in the order of arrival.
fn simulated(scenario: &str, strategy: &str) -> Vec<Ended> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios")
        .join(format!("{scenario}.toml"));
    let text = std::fs::read_to_string(&path).unwrap();
    let scenario =
        Scenario::parse(&path, &text, &[]).unwrap_or_else(|rejected| panic!("{rejected}"));
    let variant = scenario
        .variants
        .iter()
        .find(|variant| variant.name == strategy)
        .unwrap();
    let mut ended = Vec::new();
    model::run_witnessed(
        &variant.blueprint,
        scenario.seed,
        0,
        &mut |request: &Ended| {
            ended.push(*request);
        },
    );
    ended.sort_by_key(|request| request.arrived);
    ended
}

fn server(name: &str) -> u32 {
    name.trim_start_matches('b').parse::<u32>().unwrap() - 1
}

fn milliseconds(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse::<f64>().unwrap() / 1e6
}

/// The mean and some quantiles.
fn figures(mut times: Vec<f64>, quantiles: &[f64]) -> Vec<f64> {
    times.sort_by(f64::total_cmp);
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    let rank = |q: &f64| times[(q * times.len() as f64).ceil() as usize - 1];
    std::iter::once(mean)
        .chain(quantiles.iter().map(rank))
        .collect()
}

/// How far the prediction may be off, as a share: mean, then the quantiles.
#[track_caller]
fn assert_close(
    run: &str,
    rows: &[BTreeMap<String, String>],
    requests: &[Ended],
    quantiles: &[f64],
    tolerances: &[f64],
) {
    let column = format!("{run}response_ns");
    let real = figures(
        rows.iter().map(|row| milliseconds(row, &column)).collect(),
        quantiles,
    );
    let predicted = figures(
        requests
            .iter()
            .map(|request| request.response_time.seconds() * 1e3)
            .collect(),
        quantiles,
    );
    for ((real, predicted), tolerance) in real.iter().zip(&predicted).zip(tolerances) {
        assert!(
            (predicted / real - 1.0).abs() < *tolerance,
            "{run}: {predicted} ms predicted, {real} ms measured"
        );
    }
}

/// Every pick is predicted.
#[test]
fn real_round_robin() {
    let rows = recorded("loopback-70.csv.gz");
    for (run, strategy) in [
        ("nginx_rr_", "nginx-round-robin"),
        ("haproxy_rr_", "haproxy-roundrobin"),
    ] {
        let requests = simulated("real-round-robin", strategy);
        assert_eq!(requests.len(), rows.len());
        for (number, (row, request)) in rows.iter().zip(&requests).enumerate() {
            let real = server(&row[&format!("{run}server")]);
            assert_eq!(request.server, Some(real), "{strategy}, request {number}");
        }
        assert_close(run, &rows, &requests, &[0.99], &[0.01, 0.025]);
    }
}

/// Which of several servers is idle first turns on 0.1 ms, so two real runs agree on a third of the
/// picks only: their distributions are what can be predicted.
#[test]
fn real_least_connections() {
    let rows = recorded("loopback-70.csv.gz");
    for (run, strategy) in [
        ("nginx_lc_", "nginx-least-conn"),
        ("nginx_lc_again_", "nginx-least-conn"),
        ("haproxy_lc_", "haproxy-leastconn"),
    ] {
        let requests = simulated("real-least-connections", strategy);
        assert_close(run, &rows, &requests, &[0.9, 0.99], &[0.02, 0.04, 0.05]);
    }
}

/// The same requests are tried again, and the dead server is taken back by the same one.
#[test]
fn real_outage() {
    let rows = recorded("loopback-outage.csv.gz");
    let requests = simulated("real-outage", "nginx-round-robin");
    assert_eq!(requests.len(), rows.len());
    let mut again = 0;
    for (number, (row, request)) in rows.iter().zip(&requests).enumerate() {
        let tried: Vec<&str> = row["attempts"].split(' ').collect();
        assert_eq!(request.failed, None, "request {number}");
        assert_eq!(
            usize::from(request.attempts),
            tried.len(),
            "request {number}"
        );
        assert_eq!(
            request.server,
            Some(server(&row["server"])),
            "request {number}"
        );
        again += usize::from(tried.len() > 1);
    }
    assert_eq!(again, 2);
    // The server is back in the same second: with equal picks, with the same request.
    assert_close("", &rows, &requests, &[0.9], &[0.01, 0.025]);
}
