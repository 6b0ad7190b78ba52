//! Servers that call services: against closed forms, and a small simulator that shares no code with
//! ours.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use lbsim::model;
use lbsim::observe::Tally;
use lbsim::theory::{Mm1, fan_out};

use crate::calls::{mean, poisson, scenario};
use crate::support::mean_and_error;

/// Means of 16 replications of a system of two or more services, and a quantile: each within 4.5
/// standard errors of what is due (15 degrees of freedom: a false alarm in 2,300), and within
/// `share` of it.
#[track_caller]
fn agrees(text: &str, (mean_ms, p99_ms): (f64, Option<f64>), share: f64) {
    let scenario = scenario(text);
    let tallies: Vec<Tally> = (0..16)
        .map(|replication| model::run(&scenario.variants[0].blueprint, 15, replication))
        .collect();
    let means: Vec<f64> = tallies.iter().map(mean).collect();
    within(&means, mean_ms, share);
    if let Some(due) = p99_ms {
        let quantiles: Vec<f64> = tallies
            .iter()
            .map(|tally| tally.latency.quantile(0.99).unwrap() * 1e3)
            .collect();
        within(&quantiles, due, share);
    }
}

#[track_caller]
fn within(values: &[f64], due: f64, share: f64) {
    let (mean, error) = mean_and_error(values);
    let off = (mean - due).abs();
    assert!(
        off <= 4.5 * error && off <= share * due,
        "{mean:.4} ± {error:.4}, not {due:.4}"
    );
}

fn exponential(name: &str, mean: &str, more: &str) -> String {
    format!(
        "[[services]]\nname = \"{name}\"\n{more}\n[[services.servers]]\nservice = {{ kind = \"exponential\", mean = \"{mean}\" }}\n"
    )
}

/// Two M/M/1 in tandem are independent (Burke 1956; Reich 1957): the response time is the sum of
/// two exponentials.
#[test]
fn two_in_tandem() {
    let text = poisson(70)
        + &exponential(
            "web",
            "10ms",
            "[[services.steps]]\ncall = \"db\"\nblocking = false",
        )
        + &exponential("db", "8ms", "");
    let (a, b) = (100.0 - 70.0, 125.0 - 70.0);
    let mean = 1.0 / a + 1.0 / b;
    // P(R > t) = (b e^-at - a e^-bt) / (b - a).
    let above = |t: f64| (b * (-a * t).exp() - a * (-b * t).exp()) / (b - a);
    let (mut low, mut high) = (0.0, 10.0);
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if above(middle) > 0.01 {
            low = middle
        } else {
            high = middle
        }
    }
    agrees(&text, (mean * 1e3, Some(low * 1e3)), 0.02);
}

/// A front that takes no time and calls two M/M/1 queues at once.
#[test]
fn fork_and_join_of_two() {
    let front = "[[services]]\nname = \"web\"\n[[services.steps]]\ncall = [\"a\", \"b\"]\nblocking = false\n\
                 [[services.servers]]\nslots = 10000\nservice = { kind = \"constant\", value = \"0s\" }\n";
    let text = poisson(70) + front + &exponential("a", "10ms", "") + &exponential("b", "10ms", "");
    let due = fan_out::fork_join_two(70.0, 100.0) * 1e3;
    agrees(&text, (due, None), 0.03);
}

/// Ten calls at once, each to a server of its own in effect: the slowest of ten exponentials.
#[test]
fn fan_out_of_ten() {
    let front = "[[services]]\nname = \"web\"\n[[services.steps]]\ncall = \"leaf\"\ncopies = 10\nblocking = false\n\
                 [[services.servers]]\nslots = 10000\nservice = { kind = \"constant\", value = \"0s\" }\n";
    let leaf = "[[services]]\nname = \"leaf\"\n[[services.servers]]\nslots = 10000\nservice = { kind = \"exponential\", mean = \"10ms\" }\n";
    let mean = fan_out::exponential_mean(0.01, 10) * 1e3;
    let p99 = fan_out::exponential_quantile(0.01, 10, 0.99) * 1e3;
    agrees(&(poisson(50) + front + leaf), (mean, Some(p99)), 0.01);
}

/// One slot that is kept during a call to a queue of which nobody else asks: M/G/1 whose service is
/// the sum of both. With two slots the calls queue: against a simulator of our own, a heap of
/// events and nothing else.
#[test]
fn a_slot_kept_during_a_call() {
    let text = |slots: u32, rate: u32| {
        poisson(rate)
            + &exponential("web", "10ms", "[[services.steps]]\ncall = \"db\"\n")
                .replace("service = {", &format!("slots = {slots}\nservice = {{"))
            + &exponential("db", "8ms", "")
    };
    // Pollaczek and Khinchine, with E[S] = 18 ms and Var[S] = 100 + 64.
    let (rate, takes, second) = (40.0, 0.018, 0.018_f64.powi(2) + 164e-6);
    let due = takes + rate * second / 2.0 / (1.0 - rate * takes);
    agrees(&text(1, 40), (due * 1e3, None), 0.03);

    let scenario = scenario(&text(2, 75));
    let ours: Vec<f64> = (0..16)
        .map(|at| mean(&model::run(&scenario.variants[0].blueprint, 15, at)))
        .collect();
    let theirs: Vec<f64> = (0..16)
        .map(|seed| held_slots(seed, 2, (75.0, 0.010, 0.008), 150_000))
        .collect();
    let ((a, ea), (b, eb)) = (mean_and_error(&ours), mean_and_error(&theirs));
    // Two means of 16: 4.5 standard errors of their difference, a false alarm in 10,000.
    assert!(
        (a - b).abs() < 4.5 * ea.hypot(eb) && (a - b).abs() < 0.03 * b,
        "{a:.3} ± {ea:.3}, {b:.3} ± {eb:.3}"
    );
    // Without the call's queue it would be far less: the test tells the two apart.
    let free = Mm1 {
        arrival_rate: 75.0,
        service_rate: 125.0,
    }
    .mean_response()
        * 1e3;
    assert!(b > 1.2 * (10.0 + free), "{b}");
}

/// The mean response time in milliseconds of Poisson arrivals at a station of `slots` slots, each
/// of which works an exponential time and is kept until a single server behind, first come first
/// served, has done an exponential time of work too.
fn held_slots(
    seed: u64,
    slots: usize,
    (rate, front, back): (f64, f64, f64),
    requests: usize,
) -> f64 {
    // Knuth's MMIX generator: no relation to ours.
    let mut state = seed.wrapping_mul(0x9e37_79b9) + 88_172_645;
    let mut draw = |mean: f64| {
        for _ in 0..2 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
        }
        let uniform = ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
        ((-uniform.ln() * mean) * 1e9) as u64
    };
    // Events: when, what (0 arrives, 1 has been worked on in front, 2 behind), whose.
    let mut events = BinaryHeap::from([Reverse((0, 0, 0))]);
    let (mut line, mut behind) = (VecDeque::new(), VecDeque::new());
    let (mut arrived, mut busy, mut is_busy_behind) = (vec![0; requests], 0, false);
    let (mut total, mut count) = (0.0, 0);
    while let Some(Reverse((now, what, who))) = events.pop() {
        match what {
            0 => {
                arrived[who] = now;
                line.push_back(who);
                if who + 1 < requests {
                    events.push(Reverse((now + draw(1.0 / rate), 0, who + 1)));
                }
            }
            1 => behind.push_back(who),
            _ => {
                is_busy_behind = false;
                busy -= 1;
                // The first tenth warms up.
                if who > requests / 10 {
                    total += (now - arrived[who]) as f64 / 1e6;
                    count += 1;
                }
            }
        }
        if let (false, Some(&who)) = (is_busy_behind, behind.front()) {
            behind.pop_front();
            is_busy_behind = true;
            events.push(Reverse((now + draw(back), 2, who)));
        }
        while busy < slots
            && let Some(who) = line.pop_front()
        {
            busy += 1;
            events.push(Reverse((now + draw(front), 1, who)));
        }
    }
    total / f64::from(count)
}
