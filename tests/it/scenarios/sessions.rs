//! Sessions and their state: what each remedy costs, and what each failure takes.
//!
//! Shares of sessions are of hundreds or thousands over the replications: a tolerance is four
//! standard deviations of a binomial count at least, or a bound that a run many times as long keeps
//! far from.

use super::{Measured, measure, near};
use lbsim::observe::{Loss, Tally};

impl Measured {
    fn sessions(&self, variant: &str, count: impl Fn(&Tally) -> u64) -> f64 {
        self.sum(variant, count) / self.of(variant).len() as f64
    }

    fn changes_lost(&self, variant: &str) -> f64 {
        self.sum(variant, |tally| tally.sessions.writes_lost)
            / self.sum(variant, |tally| tally.sessions.writes)
    }

    fn lost_updates(&self, variant: &str) -> f64 {
        self.sum(variant, |tally| tally.sessions.lost_updates)
            / self.sum(variant, |tally| tally.sessions.writes)
    }

    fn stale(&self, variant: &str) -> f64 {
        self.sum(variant, |tally| tally.sessions.stale)
            / self.sum(variant, |tally| tally.sessions.reads)
    }

    /// Seconds for which revoked sessions could be used, on average.
    fn revocation_delay(&self, variant: &str) -> f64 {
        let delay = |tally: &Tally| tally.sessions.revocation_delay.nanos();
        self.sum(variant, delay) / 1e9 / self.sum(variant, |tally| tally.sessions.revoked)
    }

    #[track_caller]
    fn lose_nobody(&self, variants: &[&str]) {
        for variant in variants {
            assert_eq!(self.hurt(variant), 0.0, "{variant}");
        }
    }
}

#[test]
fn shop_logged_out() {
    let m = measure("shop-logged-out", 2, &["run.duration=6min"]);
    near(m.hurt("four servers"), 0.86, 0.07);
    m.lose_nobody(&[
        "one server",
        "sticky cookie",
        "copies on two servers",
        "token",
    ]);
    assert!(m.mean("four servers") > 1.5 * m.mean("sticky cookie"));
    assert!(m.mean("copies on two servers") < m.mean("sticky cookie") + 3.0);
}

#[test]
fn store_dies() {
    let m = measure("store-dies", 3, &[]);
    near(m.hurt("in servers, a server dies"), 0.25, 0.1);
    m.lose_nobody(&[
        "in a store, a server dies",
        "in a store with copies, the store dies",
        "in tokens, a server dies",
    ]);
    let store = "in a store, the store dies";
    near(m.hurt(store), 0.5, 0.25);
    near(
        m.lost(store, Loss::Moved),
        m.lost(store, Loss::StoreLost),
        0.1,
    );
    assert!(m.success(store) < 0.9995 && m.success("in a store, a server dies") == 1.0);
}

#[test]
fn store_bottleneck() {
    let m = measure("store-bottleneck", 2, &["run.duration=90s"]);
    let alone = m.p99("tokens");
    assert!(m.p99("one store") > 1.3 * alone, "{}", m.p99("one store"));
    assert!(m.p99("cookie") > 1.3 * alone);
    assert!(m.p99("two servers for the store") < 1.15 * alone);
    near(m.stale("local cache"), 0.32, 0.15);
    assert!(m.stale("cookie and local cache") < 0.01);
}

#[test]
fn game_levels() {
    let m = measure("game-levels", 6, &[]);
    near(m.hurt("no copies"), 0.2, 0.1);
    let safe = [
        "copies every 10 s",
        "copies that lag by 2 s",
        "synchronous copies",
    ];
    m.lose_nobody(&safe);
    let back = |variant: &str| m.sessions(variant, |tally| tally.sessions.set_back);
    // Of the 400 on that server.
    near(back("copies that lag by 2 s"), 400.0 * 0.181_27, 0.25);
    near(
        back("copies every 10 s"),
        400.0 * (1.0 - (-0.7f64).exp()),
        0.12,
    );
    assert_eq!(m.changes_lost("synchronous copies"), 0.0);
    assert!(m.changes_lost("no copies") > 10.0 * m.changes_lost("copies every 10 s"));
    near(
        m.mean("synchronous copies") - m.mean("no copies"),
        5.0,
        0.02,
    );
}

#[test]
fn chat_scaled_in() {
    let m = measure("chat-scaled-in", 2, &[]);
    let lost = |variant: &str| m.lost(variant, Loss::ScaleIn);
    // A third of 3/s times 60 requests 8 s apart.
    near(lost("in memory"), 480.0, 0.2);
    near(
        lost("in memory, drained for 5 min") / lost("in memory"),
        0.5,
        0.25,
    );
    m.lose_nobody(&["copied", "with the clients"]);
}

#[test]
fn drain_time() {
    let m = measure("drain-time", 2, &[]);
    let hurt = |variant: &str| m.sessions(variant, |tally| tally.sessions.hurt.iter().sum());
    near(hurt("no drain"), 240.0, 0.2);
    assert!(hurt("drained for 30 s") < hurt("no drain"));
    assert!(hurt("drained for 30 s") > 0.7 * hurt("no drain"));
    assert!(hurt("drained for 10 min") < 0.25 * hurt("no drain"));
    m.lose_nobody(&["no drain, tokens"]);
}

#[test]
fn sticky_scale_out() {
    let m = measure("sticky-scale-out", 3, &[]);
    assert!(m.mean("cookies") > 1.2 * m.mean("tokens, no cookies"));
    near(m.mean("tokens, no cookies"), 20.0, 0.03);
    assert!(m.busiest("cookies") > m.busiest("tokens, no cookies") + 0.05);
    assert!(m.lost("cookies for 2 min", Loss::Expired) > 300.0);
    m.lose_nobody(&["cookies", "cookies for 2 min, tokens", "tokens, no cookies"]);
}

#[test]
fn company_proxy() {
    let m = measure("company-proxy", 3, &["run.duration=3min"]);
    for grouped in ["hash of the address", "table of addresses"] {
        assert!(m.busiest(grouped) > 1.4 * m.busiest("cookie"), "{grouped}");
    }
    near(m.hurt("cookie"), 0.1, 0.3);
    let dropped = m.lost("cookie", Loss::CookieDropped);
    assert_eq!(
        dropped,
        m.sessions("cookie", |tally| tally.sessions.lost.iter().sum())
    );
    m.lose_nobody(&[
        "hash of the address",
        "table of addresses",
        "table of sessions",
    ]);
}

#[test]
fn stolen_token() {
    let m = measure("stolen-token", 4, &[]);
    // Stolen after ten minutes on average, exponential, where that is before the hour is over.
    near(m.revocation_delay("token of an hour"), 3000.0, 0.12);
    near(m.revocation_delay("token of a minute"), 30.0, 0.4);
    assert_eq!(m.revocation_delay("token of an hour, deny list"), 0.0);
    assert_eq!(m.revocation_delay("in the servers, cookies"), 0.0);
    let used = |variant: &str| m.sum(variant, |tally| tally.sessions.used_after_revocation);
    assert!(used("token of an hour") > 1000.0);
    assert_eq!(used("token of an hour, deny list"), 0.0);
}

#[test]
fn shared_counter() {
    let m = measure("shared-counter", 2, &["run.duration=2min"]);
    // Another comes while this one works, 1 - E[exp(-50 W)], where W is 5 ms of work, exponential,
    // and 0.5 ms on its way to the store: by transforms 1 - exp(-0.025) / 1.25 = 0.22.
    near(m.lost_updates("read and write"), 0.22, 0.08);
    assert_eq!(m.lost_updates("compare and set"), 0.0);
    assert!(m.mean("compare and set") > 1.5 * m.mean("read and write"));
    assert!(m.lost_updates("a cache of 1 s at each server") > 0.9);
    near(
        m.lost_updates("read and write, a tenth of the load"),
        0.027,
        0.5,
    );
}

#[test]
fn stateful_stateless() {
    let m = measure("stateful-stateless", 3, &[]);
    let (store, tokens) = ("stateless, a store", "stateless, tokens");
    assert!(m.busiest("stateful") > m.busiest(store) + 0.05);
    near(m.hurt("stateful"), 0.08, 0.35);
    m.lose_nobody(&[store, tokens]);
    let bound = |variant: &str| m.sum(variant, |tally| tally.sessions.bound) / m.requests(variant);
    assert!(bound("stateful") > 0.9);
    assert_eq!((bound(store), bound(tokens)), (0.0, 0.0));
    assert!(m.mean(store) > m.mean(tokens));
}

#[test]
fn pod_to_two() {
    let m = measure("pod-to-two", 6, &[]);
    near(m.hurt("consistent hashing, 1 to 2"), 0.5, 0.12);
    near(m.hurt("modulo, 1 to 2"), 0.5, 0.05);
    near(m.hurt("consistent hashing, 9 to 10"), 0.1, 0.25);
    near(m.hurt("modulo, 9 to 10"), 0.9, 0.03);
    m.lose_nobody(&["cookie, 1 to 2"]);
}

#[test]
fn memory_full() {
    let m = measure("memory-full", 1, &[]);
    near(m.hurt("64 MiB each"), 0.4, 0.2);
    assert!(m.lost("64 MiB each", Loss::Evicted) > 1000.0);
    assert!(m.lost("64 MiB each, expiry of 5 min", Loss::Expired) > 1000.0);
    // Most of them belong to visitors who have gone: few requests find theirs gone.
    let met = |variant: &str| m.sum(variant, |tally| tally.sessions.met) / m.requests(variant);
    assert!((0.005..0.03).contains(&met("64 MiB each")));
    assert!(met("64 MiB each, expiry of 5 min") > 1.3 * met("64 MiB each"));
    for server in &m.of("64 MiB each")[0].sessions.memory {
        assert!(server.most <= 64 << 20, "{}", server.most);
    }
    m.lose_nobody(&["64 MiB each, visitors log out", "256 MiB each", "tokens"]);
}

#[test]
fn stick_table() {
    let m = measure("stick-table", 4, &[]);
    near(m.hurt("own tables"), 0.4, 0.1);
    let lost = m.lost("own tables", Loss::TableLost);
    assert!(lost > 0.99 * m.sessions("own tables", |tally| tally.sessions.lost.iter().sum()));
    m.lose_nobody(&["a shared table", "cookies"]);
    assert!(m.hurt("own tables of 500 entries") > 0.99);
}
