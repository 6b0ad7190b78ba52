use lbsim::dist::*;
use lbsim::rng::*;
use lbsim::time::*;
fn main() {
    let s = Dist::Exponential(exponential::Exponential { mean: Amount(0.01) })
        .sampler()
        .unwrap();
    let mut a = Seeds::new(1, 0).stream(Domain::Arrivals, 0);
    let mut b = Seeds::new(1, 0).stream(Domain::Luck, 0);
    for _ in 0..4 {
        let mut l = lbsim::observe::Latency::default();
        let t0 = std::time::Instant::now();
        let mut now = 0.0;
        let n = 20_000_000;
        for _ in 0..n {
            now += s.sample(&mut a);
            l.record(Span::from_seconds(s.sample(&mut b)));
        }
        println!(
            "{:.2} ns {}",
            t0.elapsed().as_secs_f64() * 1e9 / n as f64,
            now + l.mean().unwrap()
        );
    }
}
