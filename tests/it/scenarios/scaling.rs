//! Scenarios whose fleets grow and shrink while they run.

use super::{Measured, measure};
use lbsim::observe::PoolCount;

/// A figure of the servers in the pools, a replication.
fn pools(m: &Measured, variant: &str, figure: impl Fn(&PoolCount) -> f64) -> f64 {
    let all = m.of(variant);
    let each = all.iter().filter_map(|tally| tally.pools.as_deref());
    each.map(figure).sum::<f64>() / all.len() as f64
}

/// What the servers cost an hour, where each costs 1.
fn cost(m: &Measured, variant: &str) -> f64 {
    let seconds = m.of(variant)[0].seconds();
    pools(m, variant, |pools| {
        pools.paid.iter().sum::<u64>() as f64 / 1e9
    }) / seconds
}

#[test]
fn morning_ramp() {
    let m = measure("morning-ramp", 1, &[]);
    let fixed = m.p99("fixed");
    let quick = "followed, boots in 5s";
    assert!(m.p99(quick) < 1.1 * fixed);
    assert!((5.5..6.3).contains(&cost(&m, quick)), "{}", cost(&m, quick));
    let slow = "followed, boots in 90s";
    assert!(m.p99(slow) > 10.0 * fixed && cost(&m, slow) > 6.6);
    // What boots costs, and serves nobody.
    assert!(pools(&m, slow, PoolCount::mean) < cost(&m, slow) - 1.0);
    let early = "boots in 90s, 40% aimed at";
    assert!(m.p99(early) < 4.0 * fixed && cost(&m, early) > 9.0);
    let more = "boots in 90s, 5 at least";
    assert!(m.p99(more) < 1.1 * fixed && cost(&m, more) < 7.0);
}

#[test]
fn spike_autoscaled() {
    let m = measure("spike-autoscaled", 2, &[]);
    let (follows, fixed) = (m.success("autoscaled"), m.success("fixed, 3"));
    assert!((0.5..0.65).contains(&follows), "{follows}");
    assert!((0.35..0.5).contains(&fixed), "{fixed}");
    assert!(cost(&m, "autoscaled") > 7.0 && cost(&m, "fixed, 3") == 3.0);
    let sheds = m.success("fixed, 3, and it sheds");
    assert!(sheds > follows + 0.15, "{sheds}");
    assert!((m.success("autoscaled, and it sheds") - sheds).abs() < 0.01);
    assert!(m.success("autoscaled, 6 at least") > 0.98);
}

#[test]
fn sticky_autoscaled() {
    let m = measure("sticky-autoscaled", 2, &[]);
    let hurt = |variant: &str| {
        let hurt = m.sum(variant, |tally| tally.sessions.hurt.iter().sum());
        hurt / m.sum(variant, |tally| tally.sessions.all)
    };
    let at_once = hurt("removed at once");
    assert!((0.03..0.08).contains(&at_once), "{at_once}");
    let minute = hurt("drained for 1 min");
    assert!(
        (0.2 * at_once..0.75 * at_once).contains(&minute),
        "{minute}"
    );
    assert!(hurt("drained for 4 min") < 0.005);
    assert_eq!(hurt("never removed"), 0.0);
    assert_eq!(hurt("removed at once, tokens"), 0.0);
    assert!(cost(&m, "drained for 4 min") > cost(&m, "removed at once") + 0.8);
    let (spread, tokens) = ("removed at once", "removed at once, tokens");
    assert!(m.p99(tokens) < m.p99(spread));
}
