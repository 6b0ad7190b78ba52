//! Scenarios of faults, and of what callers do about them.

use lbsim::observe::{Cause, Tally};

use super::{Measured, measure};

/// Attempts for each request.
fn attempts(m: &Measured, variant: &str) -> f64 {
    m.sum(variant, |tally| tally.attempts) / m.requests(variant)
}

/// Attempts at a service for each request of a client.
fn attempts_at(m: &Measured, variant: &str, service: usize) -> f64 {
    m.sum(variant, |tally| tally.services[service].attempts) / m.requests(variant)
}

/// Mean utilization.
fn utilization(m: &Measured, variant: &str) -> f64 {
    let of = |tally: &Tally| tally.load.mean_utilization();
    let tallies = m.of(variant);
    tallies.iter().map(of).sum::<f64>() / tallies.len() as f64
}

/// The share of the requests that succeeded which arrived in the last stretches of the run.
fn success_at_the_end(m: &Measured, variant: &str) -> f64 {
    let (mut all, mut good) = (0, 0);
    for tally in m.of(variant) {
        let stretches = tally.timeline.stretches();
        for stretch in &stretches[stretches.len() - 5..] {
            let bad = stretch.failed + stretch.unfinished;
            all += stretch.succeeded() + bad;
            good += stretch.succeeded();
        }
    }
    good as f64 / all as f64
}

#[test]
fn cut_link() {
    let m = measure("cut-link", 2, &[]);
    let gave_up = |variant| m.sum(variant, |tally| tally.failed[Cause::GaveUp as usize]);
    // A minute at 200 a second: of 12,000 hardly thirty a replication.
    assert!((20.0..200.0).contains(&gave_up("nothing notices")));
    assert!(gave_up("health checks") < 0.4 * gave_up("nothing notices"));
    for saved in ["timeout and retry", "both"] {
        assert_eq!(m.success(saved), 1.0);
    }
    assert!(attempts(&m, "both") < attempts(&m, "timeout and retry"));
}

#[test]
fn hedging() {
    let m = measure("hedging", 2, &["run.duration=2min"]);
    let none = m.p99("no hedge");
    assert!(none > 250.0, "{none}");
    for hedged in [
        "after 50 ms",
        "after 50 ms, cancelled",
        "after the 95th percentile",
        "at once",
    ] {
        assert!(m.p99(hedged) < 65.0, "{hedged}: {}", m.p99(hedged));
    }
    assert!((1.015..1.035).contains(&attempts(&m, "after 50 ms")));
    assert!((1.045..1.06).contains(&attempts(&m, "after the 95th percentile")));
    assert!((attempts(&m, "at once") - 2.0).abs() < 1e-9);
    assert!(utilization(&m, "after 50 ms, cancelled") < 0.7 * utilization(&m, "no hedge"));
    assert!(utilization(&m, "after 50 ms") > utilization(&m, "no hedge"));
}

#[test]
fn retry_budget() {
    let m = measure("retry-budget", 2, &[]);
    assert!(m.success("three retries") < 0.2);
    assert!(success_at_the_end(&m, "three retries") < 0.05);
    for out in [
        "no retry",
        "three, with a budget",
        "three, controlled delay",
        "three, last come first",
        "three, servers are told",
    ] {
        assert!(success_at_the_end(&m, out) > 0.95, "{out}");
    }
    // The later it comes back, the less succeeds.
    let order = [
        "three, with a budget",
        "no retry",
        "three, controlled delay",
        "three, last come first",
    ];
    for pair in order.windows(2) {
        assert!(m.success(pair[0]) < m.success(pair[1]), "{pair:?}");
    }
}

#[test]
fn garbage_collection() {
    let m = measure("garbage-collection", 2, &["run.duration=5min"]);
    for looks_at_nothing in ["round-robin", "random"] {
        assert!(m.p99(looks_at_nothing) > 600.0);
    }
    for looks in ["least-connections", "power-of-d", "least-response-time"] {
        assert!(m.p99(looks) < 250.0, "{looks}: {}", m.p99(looks));
        assert!(m.quantile(looks, 0.999) > 900.0);
    }
}

#[test]
fn priority_classes() {
    let m = measure("priority-classes", 2, &[]);
    let (fifo, classes) = ("first come, first served", "by priority");
    assert!(m.success_of(fifo, 0) < 0.9 && m.success_of(fifo, 1) < 0.9);
    assert!(m.success_of(classes, 0) > 0.999);
    assert!((0.6..0.72).contains(&m.success_of(classes, 1)));
    assert!((m.success(classes) - m.success(fifo)).abs() < 0.03);
}

#[test]
fn balancer_crash() {
    let m = measure("balancer-crash", 2, &[]);
    // Half of 60 of 270 seconds.
    for lost in ["each client keeps its balancer", "any balancer"] {
        assert!((m.success(lost) - (1.0 - 30.0 / 270.0)).abs() < 0.02);
    }
    assert!((m.success("any balancer, asked again") - (1.0 - 60.0 / 16.0 / 270.0)).abs() < 0.006);
}

#[test]
fn zone_lost() {
    let m = measure("zone-lost", 2, &[]);
    assert!((0.98..0.998).contains(&m.success("nothing notices")));
    assert!(m.success("health checks") > 0.999);
    assert!(m.failed("health checks and a retry") < 0.3 * m.failed("health checks"));
    assert!(m.success("a third more requests") < 0.6);
    assert!(success_at_the_end(&m, "a third more requests") < 0.5);
}

#[test]
fn retries_at_three_tiers() {
    let m = measure("retries-at-three-tiers", 3, &[]);
    let db = |variant| attempts_at(&m, variant, 2);
    assert!((db("no retries") - 1.0).abs() < 1e-9);
    assert!(db("at the bottom") > 1.25 && db("at each tier") > 1.25);
    assert!((1.05..1.2).contains(&db("at each tier, with budgets")));
    let none = m.success("no retries");
    assert!(m.success("at each tier") < none - 0.04);
    assert!(m.success("at each tier, with budgets") > none + 0.015);
    let room = measure(
        "retries-at-three-tiers",
        1,
        &["clients[0].arrivals.rate=50/s"],
    );
    assert!(room.success("at each tier") > 0.99);
}
