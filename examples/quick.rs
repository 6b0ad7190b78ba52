fn main() {
    let args: Vec<String> = std::env::args().collect();
    let text = std::fs::read_to_string(&args[1]).unwrap();
    let s = lbsim::scenario::Scenario::parse(std::path::Path::new(&args[1]), &text, &args[2..])
        .unwrap_or_else(|e| {
            eprintln!("{e}");
            std::process::exit(2)
        });
    for v in &s.variants {
        let t0 = std::time::Instant::now();
        let t = lbsim::model::run(&v.blueprint, s.seed, 0);
        let dt = t0.elapsed().as_secs_f64();
        println!(
            "{:28} n={} ok={} failed={:?} unf={} mean={:.4}ms p99={:.3} util={:.4} sess={} lost={:?}  {:.1} ns/req",
            v.name,
            t.requests,
            t.succeeded_count(),
            t.failed,
            t.unfinished,
            t.latency.mean().unwrap_or(0.) * 1e3,
            t.latency.quantile(0.99).unwrap_or(0.) * 1e3,
            t.load.mean_utilization(),
            t.sessions,
            t.sessions_lost,
            dt * 1e9 / t.simulated as f64
        );
    }
}
