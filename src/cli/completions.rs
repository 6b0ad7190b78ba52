//! `lbsim completions`: completions for a shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::output::{Failure, Output};

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// Which shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn completions<C: CommandFactory>(
    args: &CompletionsArgs,
    output: &Output,
) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut C::command(), "lbsim", &mut script);
    output.print(&String::from_utf8_lossy(&script))
}
