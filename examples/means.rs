use lbsim::dist::*;
use lbsim::rng::*;
use rand::Rng as _;
fn main() {
    let s = Dist::Exponential(exponential::Exponential { mean: Amount(1.0) }).sampler().unwrap();
    let mut a = Seeds::new(1, 0).stream(Domain::Arrivals, 0);
    let n = 400_000_000u64;
    let (mut m, mut m2, mut l, mut l2) = (0.0, 0.0, 0.0, 0.0);
    for _ in 0..n {
        let x = s.sample(&mut a);
        m += x; m2 += x * x;
        let y = s.sample(&mut Luck::new(a.next_u64(), 1));
        l += y; l2 += y * y;
    }
    let n = n as f64;
    println!("xoshiro mean {:.6} m2 {:.6}; luck mean {:.6} m2 {:.6}  se mean {:.6} se m2 {:.6}", m / n, m2 / n, l / n, l2 / n, 1.0 / n.sqrt(), (20.0f64 / n).sqrt());
}
