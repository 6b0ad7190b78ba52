//! The progress bar: cells, simulated requests a second, time left.

use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::output::Output;
use crate::experiment::Progress;

/// Draws the bar until `done` is dropped on another thread; draws nothing where nobody watches.
pub(super) fn watch(
    progress: &Progress,
    expected: u64,
    output: &Output,
    done: &std::sync::mpsc::Receiver<()>,
) {
    if !output.is_watched() {
        return;
    }
    let bar = ProgressBar::with_draw_target(Some(expected.max(1)), ProgressDrawTarget::stderr());
    let told = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        let _ = write!(out, "{:.1} M requests/s", state.per_sec() / 1e6);
    };
    let style = ProgressStyle::with_template("{bar:32} {msg} · {rate} · {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", told);
    bar.set_style(style);
    loop {
        // What was expected is an estimate: a closed loop's requests cannot be known, nor what a
        // precision takes.
        let simulated = progress.requests.load(Ordering::Relaxed);
        bar.set_length(expected.max(simulated).max(1));
        bar.set_position(simulated);
        bar.set_message(format!(
            "{}/{} cells",
            progress.cells.load(Ordering::Relaxed),
            progress.planned.load(Ordering::Relaxed)
        ));
        match done.recv_timeout(Duration::from_millis(100)) {
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            _ => break,
        }
    }
    bar.finish_and_clear();
}
