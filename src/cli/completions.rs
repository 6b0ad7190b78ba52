//! `lbsim completions`: completions for a shell, which ask the program itself what there is.

use std::ffi::OsStr;

use clap::{Args, CommandFactory};
use clap_complete::CompleteEnv;
use clap_complete::engine::CompletionCandidate;
use clap_complete::env::Shells;

use super::output::{Failure, Output};
use super::topics::{self, Topic};

/// Where a shell says that it wants completions, and which it is.
const VARIABLE: &str = "LBSIM_COMPLETE";

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// Which shell: `bash`, `elvish`, `fish`, `powershell`, `zsh`.
    #[arg(value_parser = ["bash", "elvish", "fish", "powershell", "zsh"])]
    shell: String,
}

/// Answers a shell that wants completions, if one does.
pub(super) fn answer<C: CommandFactory>() {
    CompleteEnv::with_factory(C::command)
        .var(VARIABLE)
        .complete();
}

/// Prints what makes a shell ask.
pub(super) fn completions(args: &CompletionsArgs, output: &Output) -> Result<(), Failure> {
    let shells = Shells::builtins();
    let Some(shell) = shells.completer(&args.shell) else {
        return Err(Failure::Usage(format!("`{}` is not known", args.shell)));
    };
    let mut script = Vec::new();
    shell
        .write_registration(VARIABLE, "lbsim", "lbsim", "lbsim", &mut script)
        .map_err(|error| Failure::Run(format!("cannot print: {error}")))?;
    output.print(&String::from_utf8_lossy(&script))
}

/// Names for `lbsim explain`. Keys of scenario files only once a word is begun: there are many.
pub(super) fn names(begun: &OsStr) -> Vec<CompletionCandidate> {
    let begun = begun.to_string_lossy();
    let fits = |topic: &Topic| {
        topic.name.starts_with(begun.as_ref()) && !(begun.is_empty() && topic.is_key())
    };
    let topics = topics::topics();
    let fitting = topics.iter().filter(|topic| fits(topic));
    fitting
        .map(|topic| CompletionCandidate::new(&topic.name).help(Some(topic.summary.clone().into())))
        .collect()
}

/// Groups for `lbsim list`.
pub(super) fn groups() -> Vec<CompletionCandidate> {
    let groups = topics::groups().into_iter();
    groups
        .map(|group| CompletionCandidate::new(group.word).help(Some(group.title.into())))
        .collect()
}
