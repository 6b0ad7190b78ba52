//! How long a run will take, as a short look tells.

use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::experiment::{self, Progress};
use crate::scenario::Scenario;

/// How long one looks.
const LOOK: Duration = Duration::from_millis(400);

/// Requests that a scenario simulates in a second of real time, on the threads of `pool`: its cells
/// are lived for a moment, and forgotten. `None` where nothing can be seen.
pub(super) fn requests_a_second(scenario: &Scenario, pool: &rayon::ThreadPool) -> Option<f64> {
    let progress = Progress::default();
    let began = Instant::now();
    let (done, is_done) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let stop = &progress.stop;
        scope.spawn(move || {
            let _ = is_done.recv_timeout(LOOK);
            stop.store(true, Ordering::Relaxed);
        });
        // Stopped or ended: what counts is how far it came.
        let _ = pool.install(|| experiment::run(&[(scenario, None)], &progress));
        drop(done);
    });
    let requests = progress.requests.load(Ordering::Relaxed);
    (requests > 0).then(|| requests as f64 / began.elapsed().as_secs_f64())
}
