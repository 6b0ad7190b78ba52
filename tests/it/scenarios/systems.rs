//! Systems and what happens to them: a test a scenario.

use super::*;

#[test]
fn even_servers() {
    let m = measure("even-servers", 4, &["run.duration=250s"]);
    near(m.mean("random"), 50.0, 0.05);
    near(m.mean("round-robin"), 29.2223, 0.04);
    near(m.mean("power-of-d"), 20.7, 0.04);
    near(m.mean("least-connections"), 13.56, 0.04);
    near(m.mean("least-work-left (oracle)"), 12.0455, 0.04);
    assert_eq!(
        m.mean("least-connections"),
        m.mean("join-shortest-queue (oracle)")
    );
    assert!(m.mean("power-of-d (d=3)") < 0.9 * m.mean("power-of-d"));
}

#[test]
fn one_slow_server() {
    let m = measure("one-slow-server", 4, &[]);
    rising(
        m.p99("least-response-time"),
        &[
            (1.2, m.p99("least-connections")),
            (1.1, m.p99("power-of-d")),
            (3.0, m.p99("round-robin")),
            (1.2, m.p99("random")),
        ],
    );
    near(m.busiest("round-robin"), 0.9, 0.02);
    assert!(m.busiest("least-connections") < 0.65);
    assert!(m.idlest("least-response-time") < 0.05);
    assert!(m.p99("weighted-round-robin 10:3") < 0.3 * m.p99("round-robin"));
}

#[test]
fn unlike_servers() {
    let m = measure("unlike-servers", 4, &["run.duration=250s"]);
    near(m.mean("weighted-random"), 100.0 / 3.0, 0.05);
    near(m.mean("weighted-random, 3:1"), 32.17, 0.05);
    near(m.mean("weighted-random, 8:1"), 47.22, 0.08);
    near(m.mean("random, no weights"), 109.1, 0.2);
    near(m.busiest("random, no weights"), 0.9, 0.03);
    rising(
        m.mean("least-connections"),
        &[
            (1.03, m.mean("least-connections, no weights")),
            (1.2, m.mean("weighted-round-robin")),
            (1.2, m.mean("weighted-random")),
            (1.4, m.mean("round-robin, no weights")),
        ],
    );
}

#[test]
fn crash_detection() {
    let m = measure("crash-detection", 10, &[]);
    // 60 requests a second until the last of three checks has failed, 26 s after the crash on
    // average (standard deviation 2.9 s), and those that were there.
    near(m.failed("hangs, slow checks"), 60.0 * 26.0, 0.15);
    near(m.failed("refuses, slow checks"), 60.0 * 25.0, 0.15);
    assert!(m.failed("hangs, fast checks") < 0.06 * m.failed("hangs, slow checks"));
    assert!(m.failed("hangs, least-connections") < 0.06 * m.failed("hangs, slow checks"));
    assert!(m.failed("refuses, least-connections") > 1.7 * m.failed("refuses, slow checks"));
    for retried in ["hangs, retries", "refuses, retries"] {
        assert!(m.success(retried) > 0.9999, "{retried}");
    }
    assert!(m.p99("hangs, retries") > 1000.0);
    assert!(m.mean("refuses, retries") < 1.1 * m.mean("refuses, slow checks"));
}

#[test]
fn sticky_crash() {
    let m = measure("sticky-crash", 6, &[]);
    near(m.lost("cookie", Loss::Crash), 400.0, 0.1);
    assert!(m.lost("cookie", Loss::Moved) < 5.0);
    assert!(m.lost("ip-hash", Loss::Moved) > 5.0 * m.lost("ip-hash", Loss::Crash));
    let consistent = "consistent hashing on address";
    near(
        m.lost(consistent, Loss::Moved),
        m.lost(consistent, Loss::Crash),
        0.1,
    );
    let sessionless = m.lost("no stickiness", Loss::Moved) * 6.0 / m.requests("no stickiness");
    near(sessionless, 0.8, 0.03);
    // A fifth of 2,000, of whatever strategy; who is sent about loses its session again and again,
    // and is hurt once.
    m.sessions_are(2000.0, &["cookie", "ip-hash", consistent, "no stickiness"]);
    near(m.hurt("cookie"), 0.2, 0.1);
    near(m.hurt(consistent), 0.2, 0.3);
    assert!(m.hurt("ip-hash") > 0.75, "{}", m.hurt("ip-hash"));
    assert!(m.hurt("no stickiness") > 0.99);
}

/// Where chance lays each client on a server, the busiest one's utilization is 0.753 on average
/// (ten servers) and 0.812 (nine), by 400 layouts of the shares of the file.
///
/// Lots are drawn once a replication: the busiest server's utilization has a standard deviation of
/// 0.09 to 0.1 over layouts, and 0.022 as a mean of 20. The tolerance is four of these.
#[test]
fn address_hashing() {
    let m = measure("address-hashing", 20, &["run.duration=60s"]);
    let by_lot = |variant: &str, due: f64| near(m.extremes(variant).0, due, 0.09 / due);
    by_lot("ip-hash", 0.753);
    by_lot("ip-hash (ipv4-prefix=24)", 0.753);
    by_lot("ip-hash, nine servers", 0.812);
    // Shares of the ring differ too: the more, the fewer points there are.
    let (fine, coarse) = ("consistent-hashing", "consistent-hashing (points=10)");
    assert!(m.extremes(fine).0 > 0.67 && m.extremes(coarse).0 > 0.70);
    for variant in ["random", "least-connections"] {
        assert!(m.extremes(variant).0 < 0.55, "{variant}");
    }
}

/// By 200 layouts of Zipf's shares over 20 servers the busiest is at 0.776 on average; the
/// tolerance is as above.
#[test]
fn hot_keys() {
    let m = measure("hot-keys", 20, &["run.duration=60s"]);
    for variant in ["consistent-hashing", "consistent-hashing (points=1000)"] {
        near(m.extremes(variant).0, 0.776, 0.09 / 0.776);
        assert!(m.p99(variant) > 1.2 * m.p99("random"), "{variant}");
    }
    assert!(m.p99("power-of-d") < 0.8 * m.p99("random"));
}

#[test]
fn growing_fleet() {
    let m = measure("growing-fleet", 4, &[]);
    near(m.lost("ip-hash", Loss::Moved), 4500.0, 0.03);
    // The share of the ring is Beta distributed: coefficient of variation 7.5%.
    near(m.lost("consistent-hashing", Loss::Moved), 500.0, 0.34);
    assert_eq!(m.lost("cookie over least-connections", Loss::Moved), 0.0);
    let ring = "consistent-hashing";
    m.sessions_are(5000.0, &["ip-hash", ring, "cookie over least-connections"]);
    near(m.hurt("ip-hash"), 0.9, 0.03);
    near(m.hurt(ring), 0.1, 0.34);
    assert_eq!(m.hurt("cookie over least-connections"), 0.0);
}

#[test]
fn many_balancers() {
    let m = measure("many-balancers", 4, &["run.duration=200s"]);
    near(m.mean("1: least-connections"), 13.56, 0.04);
    rising(
        m.mean("1: least-connections"),
        &[
            (1.4, m.mean("4: least-connections")),
            (1.2, m.mean("1: round-robin")),
            (1.08, m.mean("20: least-connections")),
            (1.15, m.mean("100: least-connections")),
            (1.05, m.mean("random")),
        ],
    );
    for variant in ["100: power-of-d", "100: round-robin"] {
        near(m.mean(variant), m.mean("100: least-connections"), 0.05);
    }
}

#[test]
fn bursts() {
    let m = measure("bursts", 4, &[]);
    rising(
        m.mean("even, least-connections"),
        &[
            (1.01, m.mean("poisson, least-connections")),
            (1.4, m.mean("batches, least-connections")),
            (3.0, m.mean("on-off, least-connections")),
        ],
    );
    let gain = |of: &str| {
        m.mean(&format!("{of}, round-robin")) / m.mean(&format!("{of}, least-connections"))
    };
    assert!(gain("poisson") > 1.2 && gain("batches") > 1.07);
    assert!((1.05..1.2).contains(&gain("on-off")), "{}", gain("on-off"));
}

#[test]
fn thousand_servers() {
    let m = measure("thousand-servers", 2, &["run.duration=6s", "run.warmup=2s"]);
    near(m.mean("random"), 50.0, 0.06);
    near(m.mean("round-robin"), 26.94, 0.04);
    near(m.mean("power-of-d"), 19.47, 0.02);
    near(m.mean("power-of-d (d=5)"), 13.29, 0.02);
    near(m.mean("least-connections"), 10.0, 0.02);
}

#[test]
fn llm_trace() {
    let m = measure("llm-trace", 2, &[]);
    assert_eq!(m.requests("round-robin"), 2.0 * 19_366.0);
    near(m.busiest("round-robin"), 0.886, 0.02);
    rising(
        m.p99("least-response-time"),
        &[
            (1.03, m.p99("least-connections")),
            (1.03, m.p99("weighted-round-robin")),
            (1.2, m.p99("round-robin")),
            (1.2, m.p99("random")),
        ],
    );
    assert!(m.p99("least-connections") < 0.95 * m.p99("least-work-left (oracle)"));
}

#[test]
fn single_server() {
    let m = measure("single-server", 8, &[]);
    // The relative standard error of the M/M/1 part is 2% here.
    near(m.mean("direct") - 20.0, 50.0, 0.09);
    for hop in ["one server, round-robin", "one server, least-connections"] {
        assert!((m.mean(hop) - m.mean("direct") - 1.0).abs() < 1e-6, "{hop}");
    }
    assert!(m.mean("two servers, least-connections") < 0.6 * m.mean("direct"));
}

#[test]
fn low_traffic() {
    let m = measure("low-traffic", 10, &[]);
    near(m.mean("one server, direct"), 10.2041, 0.01);
    near(m.mean("two servers, random"), 11.101, 0.01);
    let cost = |variant: &str| m.mean(variant) - m.mean("one server, direct");
    assert!((0.85..0.95).contains(&cost("two servers, random")));
    assert!((0.75..0.85).contains(&cost("two servers, least-connections")));
    assert!((0.75..0.85).contains(&cost("three servers, least-connections")));
}

#[test]
fn daily_peak() {
    let m = measure("daily-peak", 1, &[]);
    assert_eq!(m.success("queue without limit"), 1.0);
    assert!(m.p99("queue without limit") > 45_000.0 && m.p99("queue without limit") < 75_000.0);
    assert!((0.9..0.94).contains(&m.success("queue of 20")));
    assert!(m.p99("queue of 20") < 400.0);
    assert!((0.25..0.42).contains(&m.success("timeout of 2 s")));
    assert!((0.9..0.94).contains(&m.success("timeout of 2 s, cancelled")));
    assert!(m.quantile("timeout of 2 s, cancelled", 0.9) > 1800.0);
}

#[test]
fn retry_storm() {
    let m = measure("retry-storm", 2, &[]);
    assert!((0.62..0.8).contains(&m.success("no retries")));
    assert!(m.success("one retry") < 0.25);
    assert!(m.success("one retry, cancelled") > 0.9);
    assert!(m.success("one retry, queue of 20") > 0.9);
}

#[test]
fn stale_reports() {
    let m = measure("stale-reports", 2, &[]);
    rising(
        m.mean("least-connections"),
        &[
            (1.5, m.mean("random")),
            (1.5, m.mean("least, every 100 ms")),
            (10.0, m.mean("least, every 5 s")),
        ],
    );
    for age in ["100 ms", "5 s"] {
        let least = m.mean(&format!("least, every {age}"));
        assert!(
            m.mean(&format!("weighted, every {age}")) < 0.6 * least,
            "{age}"
        );
    }
}

#[test]
fn slots_and_disciplines() {
    let m = measure("slots-and-disciplines", 8, &[]);
    near(m.mean("one slot, processor sharing"), 7.188, 0.1);
    near(m.mean("one slot, fifo"), 35.32, 0.4);
    near(m.mean("one slot, lifo"), m.mean("one slot, fifo"), 0.1);
    assert!(m.quantile("one slot, lifo", 0.5) < 0.7 * m.quantile("one slot, fifo", 0.5));
    assert!(m.quantile("one slot, lifo", 0.999) > 1.5 * m.quantile("one slot, fifo", 0.999));
    rising(
        m.mean("one slot, processor sharing"),
        &[
            (2.0, m.mean("eight slots, processor sharing")),
            (1.03, m.mean("eight slots, fifo")),
            (1.2, m.mean("one slot, fifo")),
        ],
    );
}

#[test]
fn drain() {
    let m = measure("drain", 4, &[]);
    assert!(m.failed("restarted at once") > 300.0);
    assert_eq!(m.failed("drained"), 0.0);
    near(
        m.failed("cookies, drained"),
        m.failed("cookies, restarted at once"),
        0.1,
    );
    assert_eq!(m.success("cookies, drained, a retry"), 1.0);
    let lost = |variant: &str| m.lost(variant, Loss::Drained);
    // Without cookies they went elsewhere when the drain began, and none was there any more.
    assert_eq!(m.lost("drained", Loss::Crash), 0.0);
    assert!(lost("cookies, drained") > 700.0);
    near(
        lost("cookies, drained, a retry"),
        lost("cookies, drained"),
        0.1,
    );
    // Three of four servers are restarted, and each takes the sessions that it has with it.
    m.sessions_are(
        1000.0,
        &["restarted at once", "drained", "cookies, drained"],
    );
    near(m.hurt("cookies, restarted at once"), 0.75, 0.15);
    near(m.hurt("cookies, drained"), 0.75, 0.15);
}

/// With two at once ten servers do the work of twelve; with three nine are just too few, and with
/// six there is half a fleet.
#[test]
fn rolling_restart() {
    let m = measure("rolling-restart", 2, &[]);
    for variant in ["one at once", "two at once", "three at once"] {
        assert_eq!(m.failed(variant), 0.0, "{variant}");
    }
    rising(
        m.p99("one at once"),
        &[
            (1.05, m.p99("two at once")),
            (1.5, m.p99("three at once")),
            (5.0, m.p99("six at once")),
        ],
    );
    assert!(m.p99("two at once") < 2.0 * m.p99("one at once"));
}

/// At each load step the order of the chart. Only once C3's limits have settled, some seconds after
/// the start, is it as good as it can be.
#[test]
fn noisy_neighbours() {
    for (rate, allocation) in [
        (9375, 0.75),
        (10375, 0.83),
        (11625, 0.93),
        (12875, 1.03),
        (14250, 1.14),
        (15875, 1.27),
        (17625, 1.41),
        (19625, 1.57),
        (21750, 1.74),
    ] {
        let rate = format!("clients[0].arrivals.rate=\"{rate}/s\"");
        let settings = ["run.duration=18s", "run.warmup=10s", &rate];
        let m = measure("noisy-neighbours", 1, &settings);
        let overload = if allocation > 1.1 { 1.5 } else { 1.0 };
        rising(
            m.p99("prequal"),
            &[
                (1.05, m.p99("c3")),
                (1.0, m.p99("linkerd-peak-ewma")),
                (1.03, m.p99("power-of-d")),
                (overload, m.p99("round-robin")),
            ],
        );
        assert!(m.p99("join-idle-queue") > m.p99("power-of-d") * overload);
        assert_eq!(m.success("prequal"), 1.0, "at {allocation}");
        // The paper: round robin by weight fails requests from the first step above the allocation
        // on.
        let blind = m.success("round-robin");
        assert_eq!(blind < 1.0, allocation > 1.0, "{blind} at {allocation}");
    }
}

/// The loads at which the p99 is ten times the mean service time.
#[test]
fn load_curve() {
    let crosses = |strategy: &str, below: &str, above: &str| {
        let at = |load: &str| {
            let rate = format!("clients[0].arrivals.rate=\"{load}0/s\"");
            measure("load-curve", 2, &[&rate]).p99(strategy)
        };
        assert!(at(below) < 100.0 && at(above) > 100.0, "{strategy}");
    };
    crosses("random", "48", "58");
    crosses("round-robin", "68", "76");
    crosses("power-of-d", "86", "92");
    crosses("least-connections", "89", "96");
}

#[test]
fn slow_server_grid() {
    let slow = [
        "clients[0].arrivals.rate=\"665/s\"",
        "services.web.servers.slow.speed=\"50%\"",
    ];
    let m = measure("slow-server-grid", 2, &slow);
    assert!(m.p99("round-robin") > 10_000.0 && m.p99("random") > 10_000.0);
    assert!(m.p99("power-of-d") < 100.0 && m.p99("least-connections") < 70.0);
}

#[test]
fn zone_aware() {
    let m = measure("zone-aware", 4, &[]);
    assert!(m.mean("zone-aware") < m.mean("round-robin") - 2.0);
    near(m.mean("always at home"), m.mean("round-robin"), 0.05);
}

#[test]
fn canary() {
    let m = measure("canary", 4, &[]);
    // 20 of 240 requests a second, for 40 s of 90.
    near(1.0 - m.success("subsets"), 20.0 / 240.0 * 40.0 / 90.0, 0.1);
    assert!(m.success("subsets, or any endpoint") > 0.9999);
    assert!(m.p99("subsets") < 0.95 * m.p99("everybody everywhere"));
    // The question is about each group: the testers alone fail, for 40 s of 90, and the public is
    // quicker for it.
    let (public, testers) = (0, 1);
    assert!(m.success_of("subsets", public) > 0.9999);
    near(m.success_of("subsets", testers), 50.0 / 90.0, 0.06);
    assert!(m.success_of("subsets, or any endpoint", testers) > 0.9999);
    assert!(m.p99_of("subsets", public) < 0.95 * m.p99_of("everybody everywhere", public));
    assert!(m.p99_of("subsets", testers) > 1.2 * m.p99_of("subsets", public));
}

/// The weights are such that the newest servers are the hottest; `lbsim tune` finds weights that
/// shorten the tail by more than 5%, on fresh requests.
#[test]
fn tune_weights() {
    let m = measure("tune-weights", 2, &[]);
    assert!(m.p99("nginx-round-robin") > 150.0);
    let place = crate::support::scratch("tune-weights");
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/tune-weights.toml");
    let done = crate::support::lbsim(
        &place,
        &[
            "tune",
            scenario,
            "-q",
            "--format",
            "json",
            "--set",
            "tune.max-requests=12000000",
        ],
    );
    let said: serde_json::Value = serde_json::from_str(&crate::support::stdout(&done)).unwrap();
    assert_eq!(said["gain"], true, "{said:#}");
    let gain = said["check"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["with"] == "capacity" && row["metric"] == "objective");
    let gain = gain.unwrap();
    assert!(gain["relative"].as_f64().unwrap() < -0.05, "{gain}");
    assert!(gain["p_value"].as_f64().unwrap() < 0.01, "{gain}");
}

/// Threads that wait for a slow database make all pages slow; an event loop half of them; a timeout
/// none.
#[test]
fn held_threads() {
    let measured = measure("held-threads", 2, &[]);
    let mean = |variant: &str| measured.mean(variant);
    assert!(mean("event loop") < 0.75 * mean("threads"));
    assert!(mean("threads, a timeout") < 0.1 * mean("event loop"));
    assert_eq!(measured.success("threads, a timeout"), 1.0);
}

/// The median page gains more from the balancer of its leaves than the mean call does.
#[test]
fn fan_out() {
    let measured = measure("fan-out", 2, &[]);
    let median = |variant: &str| measured.quantile(variant, 0.5) / measured.quantile("random", 0.5);
    assert!(median("least-connections") < 0.7);
    assert!(median("power-of-d") < 0.75);
    assert!(median("round-robin") < 0.9);
}

/// Who waits for two of three hardly notices the third; who waits for all fails while it is down.
#[test]
fn quorum() {
    let measured = measure("quorum", 2, &[]);
    assert!(measured.p99("two of three") < 0.85 * measured.p99("all three"));
    assert!(measured.p99("the first") < 0.75 * measured.p99("two of three"));
    // 20 of 160 seconds without the third, and 1.5 until checks know that it is back.
    assert!((measured.success("all three") - 0.866).abs() < 0.01);
    assert_eq!(measured.success("two of three"), 1.0);
}

#[test]
fn how_many_servers() {
    let p99 = |count: u32, lost: bool, strategy: &str| {
        let count = format!("services.web.servers.web.count={count}");
        let only = format!("run.compare=['{strategy}']");
        let crash = "faults[+]={ kind = 'crash', servers = 'web/web-1', at = '0s' }";
        let sets = [count.as_str(), only.as_str(), crash];
        let m = measure("how-many-servers", 4, &sets[..if lost { 3 } else { 2 }]);
        assert!(m.success(strategy) > 0.999, "{strategy}");
        m.p99(strategy)
    };
    // The limit of 105 ms lies between what is enough and one fewer.
    for (strategy, least) in [
        ("least-connections", 9),
        ("power-of-d", 9),
        ("round-robin", 11),
    ] {
        assert!(p99(least, true, strategy) < 102.0, "{strategy}");
        assert!(p99(least - 1, true, strategy) > 108.0, "{strategy}");
        assert!(p99(least - 1, false, strategy) < 102.0, "{strategy}");
    }
    assert!(p99(15, true, "random") < 105.0 && p99(13, true, "random") > 105.0);
    let sizing = scenario("how-many-servers", &[]).sizing.unwrap();
    let values = [sizing.value(0), sizing.value(17)].map(|value| value.written.as_str());
    assert_eq!(values, ["7", "24"]);
}
