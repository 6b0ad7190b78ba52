//! Where words go, and how a command fails.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};

use super::WhenColoured;
use crate::config::{self, Fault, SourceFile};
use crate::experiment::{RunError, Unsettled};
use crate::prose::{beside, folded};
use crate::report::table::Style;
use crate::report::whole::is_same;
use crate::report::write::WriteError;
use crate::scenario::{Rejected, diagnostic};

/// Standard output for data, standard error for the rest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    choice: ColorChoice,
    pub(super) quiet: bool,
    /// Whether tables show all columns, whatever room there is.
    wide: bool,
}

impl Output {
    pub(super) fn new(colour: WhenColoured, quiet: bool, wide: bool) -> Output {
        let choice = match colour {
            WhenColoured::Auto => ColorChoice::Auto,
            WhenColoured::Always => ColorChoice::Always,
            WhenColoured::Never => ColorChoice::Never,
        };
        Output {
            choice,
            quiet,
            wide,
        }
    }

    /// Whether standard output takes colour.
    pub(super) fn colour(&self) -> bool {
        AutoStream::new(io::stdout(), self.choice).current_choice() != ColorChoice::Never
    }

    /// How tables are drawn: in the width of the terminal, or of 120 columns where there is none.
    pub(super) fn style(&self) -> Style {
        let width = (!self.wide).then(|| self.room().unwrap_or(Style::WIDTH));
        Style::Terminal {
            coloured: self.colour(),
            width,
        }
    }

    /// A sentence on lines that the terminal has room for; on one line where there is none.
    pub(super) fn folded(&self, sentence: &str) -> String {
        match self.room() {
            Some(width) => folded(sentence, width),
            None => sentence.to_owned(),
        }
    }

    /// Names, and what each is beside it.
    pub(super) fn named<'a>(&self, lines: &[(&'a str, &'a str)]) -> String {
        let widest = lines.iter().map(|(name, _)| name.chars().count()).max();
        let column = widest.unwrap_or(0) + 4;
        let line = |(name, text): &(&str, &str)| self.beside(&format!("  {name}"), column, text);
        lines.iter().map(line).collect()
    }

    /// A name, and what it is beside it, from `column` on.
    pub(super) fn beside(&self, name: &str, column: usize, text: &str) -> String {
        format!("{}\n", beside(name, column, text, self.room()))
    }

    /// Columns of the terminal; `None` where there is none.
    fn room(&self) -> Option<usize> {
        comfy_table::Table::new().width().map(usize::from)
    }

    /// Whether standard error takes colour.
    fn colour_of_errors(&self) -> bool {
        AutoStream::new(io::stderr(), self.choice).current_choice() != ColorChoice::Never
    }

    /// Prints data. A reader that has gone away, as `head` does, is no error.
    pub(super) fn print(&self, text: &str) -> Result<(), Failure> {
        let mut stream = AutoStream::new(io::stdout().lock(), self.choice);
        let done = stream
            .write_all(text.as_bytes())
            .and_then(|()| stream.flush());
        match done {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::Unheard),
            Err(error) => Err(Failure::Run(format!("cannot print: {error}"))),
            Ok(()) => Ok(()),
        }
    }

    /// Clears the terminal, if standard output is one.
    pub(super) fn clear(&self) {
        if io::stdout().is_terminal() {
            let mut stream = io::stdout().lock();
            // ECMA-48: the cursor home, and what is on the screen away.
            let _ = stream
                .write_all(b"\x1b[H\x1b[2J")
                .and_then(|()| stream.flush());
        }
    }

    /// Says something beside the data.
    pub(super) fn say(&self, text: &str) {
        if !self.quiet {
            let mut stream = AutoStream::new(io::stderr().lock(), self.choice);
            let _ = writeln!(stream, "{text}");
        }
    }

    pub(super) fn rejected(&self, rejected: &Rejected) {
        let text = diagnostic::render(
            &rejected.document,
            &rejected.diagnostics,
            self.colour_of_errors(),
        );
        let mut stream = AutoStream::new(io::stderr().lock(), self.choice);
        let _ = writeln!(stream, "{}", text.trim_end());
    }

    /// Says what is wrong with a configuration.
    pub(super) fn faulty(&self, files: &[SourceFile], faults: &[Fault]) {
        let text = config::render(files, faults, self.colour_of_errors());
        let mut stream = AutoStream::new(io::stderr().lock(), self.choice);
        let _ = writeln!(stream, "{}", text.trim_end());
    }

    /// Says what is wrong with one of several inputs.
    pub(super) fn complain(&self, text: &str) {
        let mut stream = AutoStream::new(io::stderr().lock(), self.choice);
        let red = anstyle::Style::new()
            .fg_color(Some(anstyle::AnsiColor::Red.into()))
            .bold();
        let _ = writeln!(stream, "{red}error{red:#}: {text}");
    }

    /// Whether somebody watches.
    pub(super) fn is_watched(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }
}

/// Refuses to write over what is read, and to write two things into one file. What is written is
/// named by its option.
pub(super) fn keep_apart(read: &[&Path], written: &[(&str, Option<&Path>)]) -> Result<(), Failure> {
    let written: Vec<(&str, &Path)> = written
        .iter()
        .filter_map(|&(option, path)| Some((option, path?)))
        .collect();
    for (at, &(option, path)) in written.iter().enumerate() {
        let shown = path.display();
        if let Some(input) = read.iter().find(|input| is_same(path, input)) {
            return Err(Failure::Usage(format!(
                "`{option} {shown}` would write over `{}`, which is read; name another file",
                input.display()
            )));
        }
        if let Some((other, _)) = written[..at].iter().find(|(_, one)| is_same(path, one)) {
            return Err(Failure::Usage(format!(
                "`{option} {shown}` would write over what `{other}` writes; name another file"
            )));
        }
    }
    Ok(())
}

/// How a command fails.
#[derive(Debug)]
pub(super) enum Failure {
    /// It could not run.
    Run(String),
    /// It was used wrongly.
    Usage(String),
    /// A scenario is faulty.
    Rejected(Box<Rejected>),
    /// Something has got worse, where that was asked (`compare --fail-on-worse`).
    Worse(String),
    /// Faulty input, and all has been said.
    Reported,
    /// Nobody listens any more: no failure.
    Unheard,
    /// Somebody interrupted it.
    Interrupted,
    /// All was done, and what is required does not hold, which has been said.
    Required,
}

impl Failure {
    /// What is said of an interrupt.
    pub(super) const INTERRUPTED: &str = "interrupted; run it again to go on from here";

    pub(super) fn print(&self, output: &Output) {
        let message = match self {
            Failure::Run(message) | Failure::Usage(message) | Failure::Worse(message) => message,
            Failure::Rejected(rejected) => return output.rejected(rejected),
            Failure::Reported | Failure::Unheard | Failure::Required => return,
            Failure::Interrupted => Failure::INTERRUPTED,
        };
        output.complain(message);
    }

    pub(super) fn code(&self) -> ExitCode {
        match self {
            Failure::Unheard => ExitCode::SUCCESS,
            Failure::Run(_) => ExitCode::from(1),
            Failure::Usage(_) | Failure::Rejected(_) | Failure::Reported => ExitCode::from(2),
            Failure::Required | Failure::Worse(_) => ExitCode::from(3),
            Failure::Interrupted => ExitCode::from(130),
        }
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Failure {
        Failure::Run(error.to_string())
    }
}

impl From<Unsettled> for Failure {
    fn from(error: Unsettled) -> Failure {
        Failure::Run(error.to_string())
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Failure {
        match error {
            RunError::Interrupted => Failure::Interrupted,
            broken => Failure::Run(broken.to_string()),
        }
    }
}
