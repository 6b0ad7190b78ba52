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

/// What is measured begins long after the spike.
#[test]
fn spike_length() {
    let after = |lasts: &str| {
        let lasts = format!("clients[0].arrivals.lasts=\"{lasts}\"");
        measure("spike-length", 2, &[&lasts])
    };
    let (short, long) = (after("500ms"), after("2s"));
    for retrying in ["three retries", "three, a second apart"] {
        assert!(short.success(retrying) > 0.999, "{retrying}");
        assert!(long.success(retrying) < 0.01, "{retrying}");
    }
    for sound in ["no retry", "three, with a budget"] {
        assert!(after("4s").success(sound) > 0.999, "{sound}");
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

/// Server-seconds a replication that servers were left out while they were well.
fn wrongly_out(m: &Measured, variant: &str) -> f64 {
    let of = |tally: &Tally| -> f64 {
        let times = tally.detections.iter().flat_map(|own| own.wrong_time);
        times.map(|time| time.seconds()).sum()
    };
    let tallies = m.of(variant);
    tallies.iter().map(of).sum::<f64>() / tallies.len() as f64
}

#[test]
fn eager_checks() {
    let m = measure("eager-checks", 2, &[]);
    for well in ["a worker of its own", "slots, but patient"] {
        assert!(m.success(well) > 0.999, "{well}");
        assert!(wrongly_out(&m, well) < 1.0, "{well}");
    }
    for emptied in ["checks take slots", "slots, least connections"] {
        assert!(
            m.success(emptied) < 0.9,
            "{emptied}: {}",
            m.success(emptied)
        );
        assert!(wrongly_out(&m, emptied) > 500.0, "{emptied}");
    }
    assert!(m.success("slots, panic at 50%") > 0.99);
    assert!(wrongly_out(&m, "slots, panic at 50%") > 100.0);
}

#[test]
fn black_hole() {
    let m = measure("black-hole", 2, &[]);
    // A third of 150 s, of which a tenth fails: 4% of all.
    assert!((m.success("round-robin") - 0.96).abs() < 0.005);
    assert!(m.success("power-of-d") < m.success("round-robin") - 0.01);
    assert!(m.success("least-connections") < m.success("power-of-d") - 0.01);
    assert!(m.success("least-connections, breaker") > 0.99);
    assert!(m.success("least-connections, breaker, retry") > 0.9999);
}

#[test]
fn grey_failure() {
    let m = measure("grey-failure", 2, &[]);
    let missed = |variant| m.sum(variant, |tally| tally.detections[0].missed);
    assert!(m.p99("round-robin") > 60_000.0 && missed("round-robin") == 2.0);
    assert!(missed("least-connections") == 2.0 && m.p99("least-connections") < 100.0);
    for found in [
        "round-robin, ejection by latency",
        "round-robin, breaker for slow answers",
    ] {
        assert!(missed(found) == 0.0 && m.p99(found) < 120.0, "{found}");
    }
}

#[test]
fn rolling_deployment() {
    let m = measure("rolling-deployment", 2, &[]);
    assert!((0.88..0.95).contains(&m.success("no drain")));
    let retried = m.success("no drain, a retry") - m.success("no drain");
    assert!((0.003..0.03).contains(&retried), "{retried}");
    assert_eq!(m.success("drained"), 1.0);
}

#[test]
fn ejection_in_fleets() {
    let m = measure("ejection-in-fleets", 2, &[]);
    // Half of a quarter, for 180 of 270 seconds.
    assert!((m.success("four") - (1.0 - 0.125 * 180.0 / 270.0)).abs() < 0.01);
    assert_eq!(m.sum("four", |tally| tally.detections[0].missed), 2.0);
    for found in ["four, one may always go", "four, a limit of 25%", "twenty"] {
        assert!(m.success(found) > 0.99, "{found}");
        assert_eq!(m.sum(found, |tally| tally.detections[0].missed), 0.0);
    }
}

#[test]
fn breaker_refusals() {
    let m = measure("breaker-refusals", 3, &[]);
    let (none, few) = ("no breaker", "refusals do not count");
    assert!((m.success(none) - m.success(few)).abs() < 1e-9);
    assert_eq!(wrongly_out(&m, few), 0.0);
    assert!(m.success("refusals count") < m.success(none) - 0.02);
    assert!(wrongly_out(&m, "refusals count") > 30.0);
    let third = m.success("refusals count, at most a third");
    assert!(
        (m.success(none) - 0.04..m.success(none) - 0.01).contains(&third),
        "{third}"
    );
}

#[test]
fn adaptive_limit() {
    let m = measure("adaptive-limit", 2, &[]);
    // For 120 of 270 s the servers can do 320 of 600 a second: 79.3% of all.
    let most = 1.0 - 120.0 / 270.0 * 280.0 / 600.0;
    assert!(m.success("no limit") < 0.45);
    assert!((0.5..0.7).contains(&m.success("fixed, 150")));
    for right in ["fixed, 30", "AIMD", "gradient"] {
        let success = m.success(right);
        assert!((success - most).abs() < 0.02, "{right}: {success}");
    }
}

#[test]
fn cold_cache() {
    let m = measure("cold-cache", 2, &[]);
    assert!(m.p99("round-robin") > 10_000.0);
    for spared in [
        "round-robin, slow start",
        "least-connections",
        "least-connections, slow start",
    ] {
        assert!(m.p99(spared) < 130.0, "{spared}: {}", m.p99(spared));
    }
}
