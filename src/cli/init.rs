//! `lbsim init`: writes a commented scenario to start from.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;

use clap::Args;

use super::output::{Failure, Output};

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The file to write; it must not exist yet.
    #[arg(value_name = "FILE", default_value = "scenario.toml")]
    file: PathBuf,
}

/// The scenario; a test runs it.
pub(super) const STARTER: &str = include_str!("starter.toml");

pub(super) fn init(args: &InitArgs, output: &Output) -> Result<(), Failure> {
    let shown = args.file.display();
    let failed = |error: io::Error| {
        Failure::Run(match error.kind() {
            ErrorKind::AlreadyExists => format!(
                "`{shown}` is there already, and is left as it is: give the name of a new file, as in \
                 `lbsim init NAME.toml`"
            ),
            _ => format!("cannot write `{shown}`: {error}"),
        })
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&args.file)
        .map_err(failed)?;
    file.write_all(STARTER.as_bytes()).map_err(failed)?;
    output.say(&format!("wrote {shown}; run it with: lbsim run {shown}"));
    Ok(())
}
