//! `lbsim man`: pages for `man`, of the program and of each command.

use std::path::PathBuf;

use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;

use super::output::{Failure, Output};

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The command whose page is printed; without one that of the program.
    command: Option<String>,
    /// Write all pages into a folder instead: `lbsim.1`, `lbsim-run.1` and so on.
    #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
    out: Option<PathBuf>,
}

pub(super) fn man<C: CommandFactory>(args: &ManArgs, output: &Output) -> Result<(), Failure> {
    let mut program = C::command().disable_help_subcommand(true);
    // It gives the pages of commands their own names, and all the options that are global.
    program.build();
    if let Some(folder) = &args.out {
        let failed = |error: std::io::Error| {
            Failure::Run(format!("cannot write into `{}`: {error}", folder.display()))
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        return clap_mangen::generate_to(program, folder).map_err(failed);
    }
    let page = match &args.command {
        None => program,
        Some(name) => command(&program, name)?,
    };
    let mut text = Vec::new();
    Man::new(page)
        .render(&mut text)
        .map_err(|error| Failure::Run(format!("cannot print: {error}")))?;
    output.print(&String::from_utf8_lossy(&text))
}

/// A command of the program.
fn command(program: &Command, name: &str) -> Result<Command, Failure> {
    let found = program.find_subcommand(name).cloned();
    found.ok_or_else(|| {
        let names = program.get_subcommands().map(Command::get_name);
        let hint = crate::spelling::hint(name, names);
        Failure::Usage(format!(
            "there is no command `{}`{hint}",
            name.escape_debug()
        ))
    })
}
