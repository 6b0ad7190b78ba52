//! Layers of balancers, regions, protection, and whether any of it is worth its cost.
//!
//! Bounds lie a good part of the difference away from what the full runs show; shares of requests
//! are of hundreds at least.

use super::{Measured, measure};
use lbsim::observe::Tally;

#[track_caller]
fn close(value: f64, due: f64, off: f64) {
    assert!(
        (value - due).abs() < off,
        "{value} is not within {off} of {due}"
    );
}

impl Measured {
    /// The mean response time of one group of clients, in milliseconds.
    fn mean_of(&self, variant: &str, group: usize) -> f64 {
        let all = self.of(variant).iter();
        let means = all.map(|tally| tally.parts[group].latency.mean().unwrap() * 1e3);
        means.sum::<f64>() / self.of(variant).len() as f64
    }

    /// The share of requests that were answered.
    fn answered_share(&self, variant: &str) -> f64 {
        self.sum(variant, Tally::succeeded_count) / self.requests(variant)
    }

    fn sent_to(&self, variant: &str, server: usize) -> f64 {
        self.sum(variant, |tally| tally.load.servers[server].sent)
    }
}

#[test]
fn architecture() {
    let m = measure("architecture", 2, &["run.duration=90s"]);
    let base = m.mean("round robin at all layers");
    close(m.mean("least connections at the front"), base, 2.0);
    assert!(m.mean("least connections at the database") < base - 5.0);
    // Every second request crosses the ocean: 37 ms more each way.
    close(m.mean("any region"), base + 37.0, 6.0);
}

#[test]
fn region_lost() {
    let m = measure("region-lost", 2, &[]);
    // Seconds for which the requests of Europe fail, of 15 a second.
    let seconds = |variant: &str| m.failed(variant) / 15.0;
    close(seconds("anycast"), 19.0, 6.0);
    close(seconds("TTL 30 s") - seconds("anycast"), 12.5, 4.0);
    assert!(seconds("TTL 300 s") > 110.0, "{}", seconds("TTL 300 s"));
    // Who has moved goes 45 ms there and back in place of 8.
    assert!(m.mean_of("anycast", 0) > m.mean_of("anycast", 1) + 15.0);
}

#[test]
fn long_lived_connections() {
    let m = measure("long-lived-connections", 2, &[]);
    // Twenty fronts, four old servers, and then the new ones.
    let new = |variant: &str| {
        (24..28)
            .map(|server| m.sent_to(variant, server))
            .sum::<f64>()
    };
    assert_eq!(new("layer 4"), 0.0);
    close(new("layer 7") / m.requests("layer 7"), 0.5, 0.03);
    close(
        new("layer 4, at most a minute") / m.requests("layer 7"),
        0.5,
        0.12,
    );
    assert!(m.p99("layer 4") > 1.8 * m.p99("layer 7"));
    assert!(m.p99("layer 4, at most a minute") < 0.7 * m.p99("layer 4"));
}

#[test]
fn slow_route() {
    let m = measure("slow-route", 2, &[]);
    let page = |variant: &str| m.mean_of(variant, 0);
    assert!(page("all servers do both, round robin") > 80.0);
    assert!(page("all servers do both, least connections") > 9.0);
    close(page("reports have their own"), 8.23, 0.05);
    assert!(m.mean_of("reports have their own", 1) > 900.0);
}

#[test]
fn slow_database() {
    let m = measure("slow-database", 3, &[]);
    let base = m.mean("round robin");
    close(m.mean("least connections at the front") / base, 1.0, 0.3);
    close(m.mean("twice as many web servers") / base, 1.0, 0.3);
    assert!(m.p99("least connections at the database") < 0.4 * m.p99("round robin"));
}

#[test]
fn balancer_bottleneck() {
    let m = measure("balancer-bottleneck", 3, &[]);
    let bare = m.mean("without a balancer's work");
    assert!(m.mean("one balancer, a handshake each") > bare + 10.0);
    close(m.mean("two balancers"), bare + 4.4, 1.0);
    assert!(m.mean("handshakes resumed") < bare + 3.0);
    close(m.mean("connections kept"), bare + 1.15, 0.5);
}

#[test]
fn fan_out_leaves() {
    let m = measure("fan-out-leaves", 1, &["run.duration=2min"]);
    let slow = |variant: &str| {
        let latency = m.latency(variant);
        let slow: f64 = (1..1000)
            .map(|q| f64::from(q) / 1000.0)
            .filter(|&q| latency.quantile(q).unwrap() > 0.5)
            .count() as f64;
        slow / 999.0
    };
    // 2,160 pages: standard deviations of 0.002, 0.006 and 0.010.
    close(slow("1 leaf"), 0.01, 0.009);
    close(slow("10 leaves"), 1.0 - 0.99f64.powi(10), 0.028);
    close(slow("100 leaves"), 1.0 - 0.99f64.powi(100), 0.045);
    assert!(slow("95 of 100 leaves") < 0.003);
}

#[test]
fn flood() {
    let m = measure("flood", 2, &["run.duration=60s"]);
    assert!(m.answered_share("no limits") < 0.02);
    // The share of all that comes for which there are tokens.
    close(m.answered_share("a limit of all"), 150.0 / 660.0, 0.03);
    assert_eq!(m.answered_share("a limit for each client"), 1.0);
    let let_through = |variant: &str| {
        m.sum(variant, |tally| tally.hostile.answered)
            / m.sum(variant, |tally| tally.hostile.requests)
    };
    // Fifty clients at one a second, of 600.
    close(let_through("a limit for each client"), 50.0 / 600.0, 0.02);
    assert!(m.answered_share("servers exposed") < 0.02);
}

#[test]
fn standby() {
    let m = measure("standby", 3, &[]);
    let lost = |variant: &str| 600.0 * (1.0 - m.answered_share(variant));
    close(lost("one balancer"), 60.0, 5.0);
    close(lost("a standby"), 4.0, 1.5);
    // Half of them, for 30 s until it is noticed and what of the minute is left then, at most.
    close(lost("two behind a name"), 26.0, 8.0);
    let hurt = |variant: &str| m.sum(variant, |tally| tally.sessions.hurt.iter().sum());
    assert!(hurt("a standby") > 0.8 * 3.0 * 300.0);
}

#[test]
fn one_large_or_four_small() {
    let m = measure("one-large-or-four-small", 3, &[]);
    close(m.mean("four small") / m.mean("one large"), 4.0, 0.5);
    assert!(m.mean("four small, busy") > 2.0 * m.mean("one large, busy"));
    assert!(m.answered_share("four small") > 0.995);
    close(m.answered_share("one large"), 1.0 - 60.0 / 540.0, 0.025);
    let cost = |variant: usize| {
        let plan = &m.scenario.variants[variant].blueprint;
        plan.cost_per_hour(None, &[0; 8]).unwrap()
    };
    // The balancer costs nothing where nobody asks it.
    close(cost(0), 0.43, 1e-9);
    close(cost(1), 0.4, 1e-9);
}

#[test]
fn monolith() {
    let m = measure("monolith", 2, &[]);
    assert!(m.mean("one server") > 3.0 * m.mean("three behind a balancer"));
    let lost = |variant: &str| m.sum(variant, |tally| tally.sessions.lost.iter().sum());
    assert!(lost("three behind a balancer") > 8.0 * lost("three, and cookies"));
    // Each is restarted once, and takes what it has.
    close(m.hurt("three, and cookies"), 1.0, 0.05);
    assert_eq!(lost("three, and a store"), 0.0);
    assert!(m.mean("one of three times the speed") < m.mean("three behind a balancer"));
}

#[test]
fn internal_tool() {
    let m = measure("internal-tool", 2, &[]);
    close(m.mean("one server"), m.mean("two and a balancer"), 6.0);
    close(1.0 - m.answered_share("one server"), 10.0 / 475.0, 0.006);
    assert!(m.answered_share("two and a balancer") > 0.999);
}

#[test]
fn aperture() {
    let m = measure("aperture", 2, &["run.duration=1min"]);
    assert!(m.mean("five each, dealt out") < 0.95 * m.mean("all know all"));
    assert!(m.mean("five each, drawn") > 1.05 * m.mean("five each, dealt out"));
    assert!(m.mean("one balancer for all") < 0.65 * m.mean("five each, dealt out"));
}

#[test]
fn uneven_zones() {
    let m = measure("uneven-zones", 2, &["run.duration=2min"]);
    assert_eq!(m.answered_share("anywhere"), 1.0);
    assert!(m.answered_share("own zone first") < 0.75);
    assert_eq!(m.answered_share("own zone first, servers as clients"), 1.0);
    let saved = m.mean("anywhere") - m.mean("own zone first, servers as clients");
    close(saved, 4.5, 2.0);
}
