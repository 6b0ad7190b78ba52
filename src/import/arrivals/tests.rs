//! Arrivals of known processes are described as such.

use super::*;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

struct Luck(Xoshiro256PlusPlus);

impl Luck {
    fn new(seed: u64) -> Luck {
        Luck(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(self.uniform())
    }

    fn hyper(&mut self, mean: f64, cv: f64) -> f64 {
        let short = 0.5 * (1.0 + libm::sqrt((cv * cv - 1.0) / (cv * cv + 1.0)));
        let share = if self.uniform() < short {
            short
        } else {
            1.0 - short
        };
        self.exponential(mean / (2.0 * share))
    }
}

/// Describes arrivals with these gaps, seen by a clock with steps of `step` nanoseconds.
fn renewal(seconds: f64, step: i64, mut gap: impl FnMut(f64) -> f64) -> Described {
    let mut collector = Collector::default();
    let mut now = 0.0;
    loop {
        now += gap(now);
        if now > seconds {
            return collector
                .describe(Duration::from_nanos(step as u64))
                .unwrap();
        }
        let nanos = 1_700_000_000 * SECOND + (now * 1e9) as i64;
        collector.add(nanos / step * step);
    }
}

const MS: i64 = 1_000_000;

fn kind(described: &Described) -> &str {
    described.table["kind"].as_str().unwrap()
}

/// Poisson arrivals are called Poisson: in none of 300 logs of three kinds is anything else seen.
/// At 4.5 standard errors 7e-6 are due for gaps and for counts; of 6000 such logs a change of the
/// rate was seen in one.
/// Two or three arrivals are no process, and 29 hardly one.
#[test]
fn of_few_arrivals_nothing_is_said() {
    for count in [2, 3, 29] {
        let mut collector = Collector::default();
        (0..count).for_each(|at| collector.add(at * at * SECOND));
        let found = collector.describe(Duration::from_millis(1)).unwrap();
        assert_eq!((found.cv, found.remaining), (None, None));
        let said = found.reasons.join(" ");
        assert!(said.contains("too few to tell"), "{said}");
        assert!(!said.contains("is Poisson"), "{said}");
    }
}

#[test]
fn poisson_is_poisson() {
    let mut mistaken = Vec::new();
    for seed in 0..300u64 {
        let mut luck = Luck::new(seed);
        let (seconds, rate, step) = [
            (3600.0, 5.0, MS),
            (600.0, 30.0, SECOND),
            (40.0, 200.0, 1000),
        ][seed as usize % 3];
        let found = renewal(seconds, step, |_| luck.exponential(1.0 / rate));
        if kind(&found) != "poisson" {
            mistaken.push((seed, found.reasons));
        }
        assert!((found.rate / rate - 1.0).abs() < 4.5 / libm::sqrt(rate * seconds) + 0.01);
        assert_eq!(found.cv.is_none(), step == SECOND);
    }
    assert!(mistaken.is_empty(), "{mistaken:#?}");
}

#[test]
fn bursty_and_smooth_gaps_are_measured() {
    let mut luck = Luck::new(1);
    let found = renewal(3600.0, MS, |_| luck.hyper(0.1, 3.0));
    assert_eq!(kind(&found), "hyperexponential", "{:?}", found.reasons);
    assert!((found.cv.unwrap() - 3.0).abs() < 0.3, "{found:?}");
    // Counts over long windows scatter as gaps squared.
    assert!(
        (found.remaining.unwrap() / 9.0 - 1.0).abs() < 0.5,
        "{found:?}"
    );
    // Ranks of stages: Erlang of four, a gamma with cv 1/2.
    let found = renewal(3600.0, MS, |_| {
        (0..4).map(|_| luck.exponential(0.025)).sum()
    });
    assert_eq!(kind(&found), "gamma", "{:?}", found.reasons);
    assert!((found.cv.unwrap() - 0.5).abs() < 0.02, "{found:?}");
    // Gamma gaps with shape 1/4 by Johnk's method would do too; a power of a uniform is close to
    // them at zero.
    let found = renewal(3600.0, MS, |_| 0.5 * libm::pow(luck.uniform(), 4.0));
    assert_eq!(kind(&found), "gamma", "{:?}", found.reasons);
}

/// A clock of whole seconds shows no gaps, but counts.
#[test]
fn coarse_clocks_show_counts() {
    let mut luck = Luck::new(2);
    let found = renewal(7200.0, SECOND, |_| luck.hyper(0.02, 2.0));
    assert_eq!(
        (kind(&found), found.cv),
        ("hyperexponential", None),
        "{:?}",
        found.reasons
    );
    let cv = found.table["cv"].as_float().unwrap();
    assert!((cv - 2.0).abs() < 0.2, "{found:?}");
    // Rounding to a clock of a fifth of the mean gap does not make Poisson gaps smoother or
    // burstier.
    let found = renewal(3600.0, 10 * MS, |_| luck.exponential(0.05));
    assert_eq!(kind(&found), "poisson", "{:?}", found.reasons);
}

/// A day that swings by half: its steps follow the sine.
#[test]
fn a_day_becomes_steps() {
    let mut luck = Luck::new(3);
    let rate = |now: f64| 20.0 * (1.0 + 0.5 * libm::sin(now * std::f64::consts::TAU / 86_400.0));
    // Thinning, as gaps: candidates at the highest rate.
    let found = renewal(86_400.0, MS, |now| {
        let mut gap = 0.0;
        loop {
            gap += luck.exponential(1.0 / 30.0);
            if luck.uniform() * 30.0 < rate(now + gap) {
                return gap;
            }
        }
    });
    assert_eq!(kind(&found), "steps", "{:?}", found.reasons);
    assert!(
        (8..=48).contains(&found.steps.len()),
        "{}",
        found.steps.len()
    );
    let off: f64 = (0..864)
        .map(|part| f64::from(part) * 100.0 + 50.0)
        .map(|now| {
            let place = found.steps.partition_point(|&(from, _)| from <= now) - 1;
            (found.steps[place].1 / rate(now) - 1.0).abs()
        })
        .fold(0.0, f64::max);
    assert!(off < 0.15, "{off}");
    assert!((found.remaining.unwrap() - 1.0).abs() < 0.05, "{found:?}");
    assert!((found.cv.unwrap() - 1.0).abs() < 0.01, "{found:?}");
    let text = toml::to_string(&found.table).unwrap();
    assert!(
        text.starts_with("kind = \"steps\"\nrates = [[\"0s\", \""),
        "{text}"
    );
    assert!(
        found.dispersion.last().unwrap().1 > 100.0,
        "{:?}",
        found.dispersion
    );
}

/// Bursts of ten seconds at random times are no steps: they are said to be left over.
#[test]
fn long_bursts_are_named() {
    let mut luck = Luck::new(4);
    let (mut on, mut until) = (false, 0.0);
    let found = renewal(20_000.0, MS, |now| {
        let mut at = now;
        loop {
            let gap = luck.exponential(if on { 0.02 } else { 0.1 });
            if at + gap < until {
                return at + gap - now;
            }
            at = until;
            on = !on;
            until += luck.exponential(5.0);
        }
    });
    assert!(
        found
            .reasons
            .iter()
            .any(|reason| reason.contains("a trace keeps them")),
        "{:?}",
        found.reasons
    );
}

#[test]
fn a_single_jump_is_placed() {
    let mut luck = Luck::new(5);
    let found = renewal(1000.0, MS, |now| {
        luck.exponential(if now < 400.0 { 0.1 } else { 0.02 })
    });
    let starts: Vec<f64> = found.steps.iter().map(|&(from, _)| from).collect();
    assert_eq!(starts.len(), 2, "{found:?}");
    assert!((starts[1] - 400.0).abs() < 20.0, "{starts:?}");
}

#[test]
fn order_and_limits_do_not_matter() {
    let mut luck = Luck::new(6);
    let mut times: Vec<i64> = (0..5000).map(|_| (luck.uniform() * 500e9) as i64).collect();
    let describe = |times: &[i64], most: usize| {
        let mut collector = Collector::new(most);
        times.iter().for_each(|&time| collector.add(time));
        collector.describe(Duration::from_millis(1)).unwrap()
    };
    let shuffled = describe(&times, 10_000);
    times.sort_unstable();
    assert_eq!(describe(&times, 10_000), shuffled);
    let short = describe(&times, 1000);
    assert_eq!(kind(&short), "poisson", "{:?}", short.reasons);
    assert!(
        short
            .reasons
            .iter()
            .any(|reason| reason.contains("first 1000 arrivals"))
    );
}

#[test]
fn what_cannot_be_described() {
    let describe = |times: &[i64]| {
        let mut collector = Collector::default();
        times.iter().for_each(|&time| collector.add(time));
        collector.describe(Duration::from_secs(1))
    };
    assert!(describe(&[]).unwrap_err().contains("too few"));
    assert!(describe(&[5, 5, 5]).unwrap_err().contains("one moment"));
    assert!(
        describe(&[0, i64::MAX])
            .unwrap_err()
            .contains("longer than a year")
    );
    assert!(
        describe(&[i64::MIN, i64::MAX])
            .unwrap_err()
            .contains("longer than a year")
    );
    assert_eq!(kind(&describe(&[0, 7 * SECOND]).unwrap()), "poisson");
}

#[test]
fn traces_are_written() {
    let mut arrivals = Arrivals::default();
    for (at, client) in [
        (1_700_000_000_250_000_000, "a,\"b\""),
        (1_700_000_000_000_000_000, "10.0.0.1"),
        (1_700_000_003_250_000_001, "10.0.0.1"),
    ] {
        arrivals.add(at, client);
    }
    let mut text = Vec::new();
    arrivals.write(&mut text, None).unwrap();
    assert_eq!(
        String::from_utf8(text).unwrap(),
        "time_s,client\n0.000000000,\"a,\"\"b\"\"\"\n-0.250000000,10.0.0.1\n3.000000001,10.0.0.1\n"
    );
    let table = toml::to_string(&trace_table("t.csv")).unwrap();
    assert_eq!(
        table,
        "kind = \"trace\"\nfile = \"t.csv\"\n\n[columns]\ntime = \"time_s\"\nclient = \"client\"\n"
    );
}

/// Arrivals of one second are spread over it: the mean of 10,000 is within 4 standard errors (of 1
/// / sqrt(12 · 10,000) s) of its middle but for one seed in 16,000, and this seed is fixed.
#[test]
fn arrivals_are_spread_within_a_step() {
    let mut arrivals = Arrivals::default();
    for _ in 0..10_000 {
        arrivals.add(1_700_000_000 * SECOND, "a");
    }
    let written = || {
        let mut text = Vec::new();
        arrivals
            .write(&mut text, Some(Duration::from_secs(1)))
            .unwrap();
        String::from_utf8(text).unwrap()
    };
    let text = written();
    assert_eq!(text, written());
    let times: Vec<f64> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap().parse().unwrap())
        .collect();
    let low = times.iter().copied().fold(f64::INFINITY, f64::min);
    let high = times.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    assert!(high - low <= 1.0 && high - low > 0.99, "{low} to {high}");
    let mean = times.iter().sum::<f64>() / 10_000.0 - low;
    assert!((mean - 0.5).abs() < 0.012, "{mean}");
}
