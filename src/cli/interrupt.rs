//! Interrupts (SIGINT, SIGTERM) of the commands that keep a journal; all others end by them as any
//! program does.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::output::Failure;
use crate::experiment::Progress;

/// Lets the first interrupt stop the cells that are being lived. The second ends the program at
/// once, and so does the first when no more cells are lived: the journal has what is done, and
/// results appear whole or not at all.
pub(super) fn listen(progress: &Arc<Progress>) -> Result<(), Failure> {
    let watched = Arc::clone(progress);
    ctrlc::set_handler(move || {
        if watched.stop.swap(true, Ordering::Relaxed) || watched.over.load(Ordering::Relaxed) {
            eprintln!("error: {}", Failure::INTERRUPTED);
            std::process::exit(130);
        }
    })
    .map_err(|error| Failure::Run(format!("cannot listen for interrupts: {error}")))
}
