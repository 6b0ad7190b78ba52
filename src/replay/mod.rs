//! Replay: a strategy is driven with the recording of a real balancer, and its picks are compared with those recorded.

pub mod drive;
pub mod program;
pub mod recording;

use program::Program;
use recording::Recording;

/// The program of a recording, by the name that the recording gives it.
///
/// # Errors
/// A sentence that names those that are known.
pub fn program(recording: &Recording) -> Result<&'static dyn Program, String> {
    let known: &[(&str, &'static dyn Program)] = &[];
    known
        .iter()
        .find(|(name, _)| recording.program.starts_with(name))
        .map(|(_, program)| *program)
        .ok_or_else(|| {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            format!(
                "the recording is of `{}`; known are {}",
                recording.program,
                names.join(", ")
            )
        })
}
