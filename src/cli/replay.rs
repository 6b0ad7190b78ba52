//! `lbsim replay`: does a strategy pick as the real balancer did?

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::Format;
use super::output::{Failure, Output};
use crate::replay::recording::Recording;
use crate::replay::{Verdict, replay as compare};

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// Recordings of real balancers: JSON files in the format of tests/golden/README.md.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What is printed: a line a recording, or a JSON object a line.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn replay(args: &ReplayArgs, output: &Output) -> Result<(), Failure> {
    let mut differ = 0;
    let mut unread = 0;
    for path in &args.files {
        match read(path).and_then(|recording| {
            let verdict = compare(&recording)?;
            Ok((recording, verdict))
        }) {
            Ok((recording, verdict)) => {
                differ += usize::from(!verdict.agrees());
                output.print(&match args.format {
                    Format::Text => text(path, &recording, &verdict),
                    Format::Json => format!("{}\n", object(path, &recording, &verdict)),
                })?;
            }
            Err(message) => {
                unread += 1;
                output.complain(&format!("{}: {message}", path.display()));
            }
        }
    }
    let plural = |n: usize| if n == 1 { "recording" } else { "recordings" };
    if unread > 0 {
        let message = format!("{unread} {} cannot be replayed", plural(unread));
        return Err(Failure::Usage(message));
    }
    if differ > 0 {
        let message = format!("{differ} {} not reproduced", plural(differ));
        return Err(Failure::Run(message));
    }
    Ok(())
}

/// The recording in a file.
fn read(path: &Path) -> Result<Recording, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| format!("not a recording: {error}"))
}

fn text(path: &Path, recording: &Recording, verdict: &Verdict) -> String {
    let program = format!("{} {}", recording.program, recording.version);
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    match verdict {
        Verdict::Agrees { strategy, compared } => {
            format!("agrees   {name}: {compared} picks of {program}, as {strategy}\n")
        }
        Verdict::Shares {
            strategy,
            compared,
            p,
            agrees,
        } => {
            let word = if *agrees { "agrees " } else { "differs" };
            format!(
                "{word}  {name}: shares of {compared} picks of {program}, as {strategy} (chi-square test: p = {p:.3})\n"
            )
        }
        Verdict::Differs {
            strategy,
            starts,
            difference,
        } => {
            let mut text = format!(
                "differs  {name}: {program}, as {strategy}\n  request {} at {}: recorded {}, here {}\n",
                difference.request + 1,
                difference.at,
                difference.recorded,
                difference.here
            );
            if *starts > 1 {
                let _ = writeln!(
                    text,
                    "  the recording begins at a random place: of {starts} tried, this one agreed the longest"
                );
            }
            text += "  before it:\n";
            for line in difference.state.lines() {
                let _ = writeln!(text, "    {line}");
            }
            text
        }
    }
}

fn object(path: &Path, recording: &Recording, verdict: &Verdict) -> serde_json::Value {
    let mut object = json!({
        "file": path.display().to_string(),
        "program": recording.program,
        "version": recording.version,
        "agrees": verdict.agrees(),
    });
    let further = match verdict {
        Verdict::Agrees { strategy, compared } => {
            json!({ "strategy": strategy, "compared": compared })
        }
        Verdict::Shares {
            strategy,
            compared,
            p,
            ..
        } => json!({ "strategy": strategy, "compared": compared, "p": p }),
        Verdict::Differs {
            strategy,
            difference,
            ..
        } => json!({
            "strategy": strategy,
            "request": difference.request,
            "recorded": difference.recorded,
            "here": difference.here,
            "state": difference.state,
        }),
    };
    if let (Some(object), serde_json::Value::Object(further)) = (object.as_object_mut(), further) {
        object.extend(further);
    }
    object
}
