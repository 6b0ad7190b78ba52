//! `lbsim size`: finds the fewest servers for an objective, or the highest load that is sustained,
//! and says how sure that is.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use clap::Args;
use serde_json::{Value, json};

use super::interrupt::listen;
use super::output::{Failure, Output};
use super::{Format, Jobs, ScenarioArgs, progress};
use crate::experiment::{CellKey, Journal, Progress};
use crate::report::sizing::{self as report, SizeTables};
use crate::report::{folder, json};
use crate::scenario::sizing::Sizing;
use crate::scenario::{Scenario, Template};
use crate::size::{self, SizeError, Sizes};

/// Exits with 0 where every strategy has its answer, be it that none suffices, and with 1 where
/// replications or requests did not suffice to decide.
#[derive(Debug, Args)]
pub(super) struct SizeArgs {
    #[command(flatten)]
    scenarios: ScenarioArgs,
    #[command(flatten)]
    jobs: Jobs,
    /// Where a folder `<scenario>-sized` is made.
    #[arg(short, long, value_name = "FOLDER", default_value = "results")]
    out: PathBuf,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Begin anew where an interrupted search over the same scenario could go on.
    #[arg(long)]
    fresh: bool,
}

pub(super) fn size(args: &SizeArgs, output: &Output) -> Result<(), Failure> {
    let [path] = &args.scenarios.files[..] else {
        return Err(Failure::Usage("`size` takes one scenario".to_owned()));
    };
    let text = super::read_text(path)?;
    let (template, base) =
        Template::parse(path, &text, &args.scenarios.changes()).map_err(Failure::Rejected)?;
    let Some(sizing) = &base.sizing else {
        return Err(Failure::Usage(format!(
            "`{}` does not say what is looked for: it has no `[size]`, such as\n\n[size]\nvary = \"services.{}.servers[0].count\"\nmin = 2\nmax = 20\n\
             objective = [\"p99 < 200ms\"]",
            base.file_name, base.variants[0].blueprint.services[0].name
        )));
    };
    folder::prepare(&args.out, [report::folder_name(&base).as_str()])?;
    let pool = args.jobs.pool()?;
    let path = report::journal(&args.out, &base);
    let journal: Journal<CellKey> = super::journal(&path, "cells", &base, args.fresh, output)?;
    let watched = Arc::new(Progress::default());
    listen(&watched)?;
    let (alive, done) = mpsc::channel::<()>();
    let found = std::thread::scope(|scope| {
        let all = &watched;
        scope.spawn(move || progress::watch(all, sizing.max_requests, output, &done));
        let found =
            pool.install(|| size::size((&base, sizing, &template), Some(&journal), &watched));
        watched.over.store(true, Ordering::Relaxed);
        drop(alive);
        found
    });
    let sizes = found.map_err(|error| match error {
        SizeError::Run(error) => error.into(),
        SizeError::Impossible(why) => Failure::Run(why),
    })?;
    tell(args, (&base, sizing), &sizes, output)?;
    journal.remove();
    let open: Vec<&str> = (sizes.strategies.iter())
        .filter(|own| !own.is_decided)
        .map(|own| base.variants[own.variant].name.as_str())
        .collect();
    match open[..] {
        [] => Ok(()),
        _ => Err(Failure::Run(format!("not decided for {}", open.join(", ")))),
    }
}

/// Prints an answer, and writes it.
fn tell(
    args: &SizeArgs,
    (base, sizing): (&Scenario, &Sizing),
    sizes: &Sizes,
    output: &Output,
) -> Result<(), Failure> {
    let tables = SizeTables::new(base, sizing, sizes);
    let folder = report::write(&args.out, (base, sizing), (sizes, &tables))?;
    for warning in &base.warnings {
        output.say(&format!("warning: {}: {warning}", base.file_name));
    }
    let sentences = report::sentences(base, sizing, sizes);
    match args.format {
        Format::Text => {
            let bold = anstyle::Style::new().bold();
            let dim = anstyle::Style::new().dimmed();
            let said: String = (sentences.iter())
                .map(|own| format!("{}\n", output.folded(own)))
                .collect();
            output.print(&format!(
                "\n{bold}{}{bold:#}\n{dim}{}{dim:#}\n\n{said}\n{}CSV files and charts: {}\n",
                base.question,
                report::caption(base, sizing, sizes),
                report::text(sizing, sizes, &tables, output.style()),
                folder.display(),
            ))
        }
        Format::Json => {
            let mut object = json!({
                "scenario": base.name,
                "folder": folder,
                "decided": sizes.is_decided(),
                "level": sizes.level,
                "requests_simulated": sizes.requests,
                "verdict": sentences,
            });
            if let (Value::Object(object), Value::Object(rows)) = (&mut object, json!(tables)) {
                object.extend(rows);
            }
            output.print(&json::text(&object))
        }
    }
}
