//! `lbsim new`: writes a commented scenario to start from.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::output::{Failure, Output};

#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// The file to write; it must not exist yet.
    #[arg(value_name = "FILE", default_value = "scenario.toml")]
    file: PathBuf,
    /// Which system is most like yours.
    #[arg(short, long, value_enum, default_value_t)]
    template: UsualSystem,
}

/// The most usual systems.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum UsualSystem {
    /// One pool of servers behind a balancer: which strategy?
    #[default]
    Web,
    /// Services that call services: where does the time go, and what does a slow one do to others?
    Tiers,
    /// Clients with sessions: where should their state live, and what does a crash lose?
    Sessions,
    /// A fleet that grows with its load: how soon, how many, and for how much?
    Autoscaled,
    /// Two regions behind DNS: how long does a fail-over take?
    Regions,
}

impl UsualSystem {
    /// The scenario; a test runs each.
    fn text(self) -> &'static str {
        match self {
            UsualSystem::Web => include_str!("templates/web.toml"),
            UsualSystem::Tiers => include_str!("templates/tiers.toml"),
            UsualSystem::Sessions => include_str!("templates/sessions.toml"),
            UsualSystem::Autoscaled => include_str!("templates/autoscaled.toml"),
            UsualSystem::Regions => include_str!("templates/regions.toml"),
        }
    }
}

pub(super) fn new(args: &NewArgs, output: &Output) -> Result<(), Failure> {
    let shown = args.file.display();
    let failed = |error: io::Error| {
        Failure::Run(match error.kind() {
            ErrorKind::AlreadyExists => format!(
                "`{shown}` is there already, and is left as it is: give the name of a new file, as in \
                 `lbsim new NAME.toml`"
            ),
            _ => format!("cannot write `{shown}`: {error}"),
        })
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&args.file)
        .map_err(failed)?;
    file.write_all(args.template.text().as_bytes())
        .map_err(failed)?;
    output.say(&format!("wrote {shown}; run it with: lbsim run {shown}"));
    Ok(())
}
