//! What is drawn, and what is read: rates that are what they say, keys that are their text, chance that is repeated.

use std::fs;

use lbsim::experiment::{self, Progress};

use crate::support::{read_in, scratch};

/// Whether replications of a system of three servers can differ: requests at known times, served by `strategy`.
fn varies(test: &str, strategy: &str, clients: &str, service: &str) -> bool {
    let place = scratch(&format!("draws-{test}"));
    fs::write(place.join("t.csv"), "t,who,takes\n0,a,10\n5,b,20\n6,c,30\n").unwrap();
    let scenario = read_in(
        &place,
        &format!(
            r#"
question = "?"
expect = "!"
[run]
duration = "1s"
replications = 2
compare = [{strategy}]
[[clients]]
arrivals = {{ kind = "trace", file = "t.csv", columns = {{ time = "t", time-unit = "ms"{clients} }} }}
[[services]]
name = "web"
[[services.servers]]
count = 3
service = {service}
"#
        ),
    );
    let outcomes = experiment::run(&[(&scenario, None)], &Progress::default()).unwrap();
    outcomes[0].variants[0].varies
}

#[test]
fn what_nobody_draws_does_not_vary() {
    let first = r#"{ kind = "round-robin", start = "first" }"#;
    let constant = r#"{ kind = "constant", value = "10ms" }"#;
    let exponential = r#"{ kind = "exponential", mean = "10ms" }"#;
    let takes = r#", service = "takes", service-unit = "ms""#;
    assert!(!varies("constant", first, "", constant));
    assert!(varies("service", first, "", exponential));
    assert!(!varies("recorded", first, takes, exponential));
    // The strategy draws: at each request, or where it begins.
    assert!(varies("rule", "\"random\"", "", constant));
    assert!(varies("start", "\"round-robin\"", "", constant));
}
