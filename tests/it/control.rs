//! Closed forms of control: a server that gets its share little by little.

use lbsim::model;
use lbsim::observe::{Tally, laws};

use crate::support::{mean_and_error, read_in};

/// Weighted random over `full` servers and one that joins and whose weight grows linearly over so
/// many seconds: of the requests of each second it gets w / (n + w), with w from 0 to 1, which is
/// ramp (1 - n ln((n + 1) / n)) times the rate over the ramp (theory.json: slowstart-4-30 and
/// slowstart-9-60). Weights grow in steps of a hundredth or less. Means of 16 replications within
/// 4.5 standard errors (15 degrees of freedom: a false alarm in 2,300; the seed is fixed).
#[track_caller]
fn ramps(full: u32, ramp: u32, due: f64) {
    let text = format!(
        r#"
question = "?"
expect = "!"
[run]
duration = "{}s"
warmup = "0s"
[[clients]]
arrivals = {{ kind = "poisson", rate = "200/s" }}
[[services]]
name = "web"
balancer = {{ strategy = "weighted-random", slow-start = {{ lasts = "{ramp}s", least = "0.1%" }} }}
servers = [
    {{ name = "old", count = {full}, slots = 100, service = {{ kind = "constant", value = "1ms" }} }},
    {{ name = "new", slots = 100, joins = "10s", service = {{ kind = "constant", value = "1ms" }} }},
]
[[variants]]
name = "it"
"#,
        10 + ramp
    );
    let scenario = read_in(std::path::Path::new("."), &text);
    let got = (0..16).map(|replication| {
        let tally: Tally = model::run(&scenario.variants[0].blueprint, 18, replication);
        assert_eq!(laws::violations(&tally), []);
        tally.load.servers[full as usize].sent as f64 / 200.0
    });
    let (mean, error) = mean_and_error(&got.collect::<Vec<f64>>());
    let off = (mean - due).abs();
    assert!(
        off <= 4.5 * error && off <= 0.05 * due,
        "{mean:.3} ± {error:.3}, not {due:.3}"
    );
    let exact = f64::from(ramp) * (1.0 - f64::from(full) * (1.0 + 1.0 / f64::from(full)).ln());
    assert!((exact - due).abs() < 1e-9);
}

#[test]
fn a_server_gets_its_share_little_by_little() {
    ramps(4, 30, 3.2227738422948278);
    ramps(9, 60, 3.1053215447737728);
}
