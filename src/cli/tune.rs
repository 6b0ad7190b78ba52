//! `lbsim tune`: looks for better weights, says how sure it is, and writes the scenario with them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::interrupt::listen;
use super::output::{Failure, Output, keep_apart};
use super::{Format, Jobs, ScenarioArgs};
use crate::experiment::{Progress, RunError};
use crate::figures::change_with;
use crate::report::tuning::{self as report, TuneTables};
use crate::report::whole::whole;
use crate::report::{folder, json};
use crate::scenario::Template;
use crate::scenario::moved::{files, moved};
use crate::scenario::text::Document;
use crate::tune::{self, Answer, Ended, Measurements, Space, Standing, Stopped};

#[derive(Debug, Args)]
pub(super) struct TuneArgs {
    #[command(flatten)]
    scenarios: ScenarioArgs,
    #[command(flatten)]
    jobs: Jobs,
    /// Where a folder `<scenario>-tuned` is made.
    #[arg(short, long, value_name = "FOLDER", default_value = "results")]
    out: PathBuf,
    /// Where the scenario with what was found is written too.
    #[arg(short, long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Begin anew where an interrupted search over the same scenario could go on.
    #[arg(long)]
    fresh: bool,
}

impl TuneArgs {
    /// The folder of the scenario, by which it names its files.
    fn folder(&self) -> &Path {
        let file = self.scenarios.files.first();
        file.and_then(|file| file.parent()).unwrap_or(Path::new(""))
    }

    /// Refuses a file to write that the search reads, but for the scenario itself.
    fn keep_apart(&self, document: &Document) -> Result<(), Failure> {
        let read: Vec<PathBuf> = files(document)
            .into_iter()
            .map(|file| self.folder().join(file))
            .collect();
        let read: Vec<&Path> = read.iter().map(PathBuf::as_path).collect();
        keep_apart(&read, &[("--write", self.write.as_deref())])
    }

    /// Writes the scenario where that was asked for.
    fn write(&self, tuned: &str) -> Result<(), Failure> {
        if let Some(path) = &self.write {
            let to = path.parent().unwrap_or(Path::new(""));
            whole(path, moved(tuned, self.folder(), to).as_bytes())?;
        }
        Ok(())
    }
}

pub(super) fn tune(args: &TuneArgs, output: &Output) -> Result<(), Failure> {
    let [path] = &args.scenarios.files[..] else {
        return Err(Failure::Usage("`tune` takes one scenario".to_owned()));
    };
    let text = super::read_text(path)?;
    let (template, base) =
        Template::parse(path, &text, &args.scenarios.changes()).map_err(Failure::Rejected)?;
    let tuning = base
        .tuning
        .clone()
        .map_err(|why| Failure::Usage(format!("`{}` cannot be tuned: {why}", base.file_name)))?;
    args.keep_apart(template.document())?;
    folder::prepare(&args.out, [report::folder_name(&base).as_str()])?;
    let pool = args.jobs.pool()?;
    let progress = Arc::new(Progress::default());
    listen(&progress)?;
    let path = report::journal(&args.out, &base);
    let journal = super::journal(&path, "measurements", &base, args.fresh, output)?;
    let space = Space::new(&base, &tuning, &template);
    let bar = Bar::new(output);
    let found = pool.install(|| {
        tune::tune(
            &space,
            &template,
            Some(journal),
            &progress,
            &mut |standing| bar.show(standing),
        )
    });
    progress.over.store(true, Ordering::Relaxed);
    bar.clear();
    match found {
        Ok((answer, journal)) => {
            tell(args, &space, &template, &answer, output)?;
            journal.into_iter().for_each(Measurements::remove);
            Ok(())
        }
        Err(stopped) => Err(give_up(&space, &template, *stopped, args, output)?),
    }
}

/// Prints an answer, and writes it.
fn tell(
    args: &TuneArgs,
    space: &Space<'_>,
    template: &Template,
    answer: &Answer,
    output: &Output,
) -> Result<(), Failure> {
    let (tuned, left) = report::rewritten(space, template.document(), answer.recommended());
    let tables = TuneTables::new(space, answer);
    let folder = report::write(&args.out, space, (answer, &tables), |to| {
        moved(&tuned, args.folder(), to)
    })?;
    for (path, value) in &left {
        output.say(&format!(
            "warning: `{path} = {value}` could not be put into the scenario's text; write it there by hand"
        ));
    }
    args.write(&tuned)?;
    let sentences = report::sentences(space, answer, &tables);
    match args.format {
        Format::Text => {
            let bold = anstyle::Style::new().bold();
            let dim = anstyle::Style::new().dimmed();
            output.print(&format!(
                "\n{bold}{}{bold:#}\n{dim}{}{dim:#}\n\n{}{}\n{}: {}\n",
                space.base.question,
                report::caption(space, answer),
                report::text(space, answer, &tables, output.style()),
                sentences
                    .iter()
                    .map(|sentence| format!("{sentence}\n"))
                    .collect::<String>(),
                if answer.check.gains() {
                    "The scenario with these values, CSV files and charts"
                } else {
                    "The scenario stays as it is. CSV files and charts"
                },
                folder.display(),
            ))
        }
        Format::Json => {
            let mut object = json!({
                "scenario": space.base.name,
                "folder": folder,
                "gain": answer.check.gains(),
                "converged": answer.ended == Ended::Tolerance,
                "ended": answer.ended,
                "verdict": sentences,
                "strategy": space.base.variants[answer.tuned.variant].name,
            });
            if let (Value::Object(object), Value::Object(rows)) = (&mut object, json!(tables)) {
                object.extend(rows);
            }
            output.print(&json::text(&object))
        }
    }
}

/// Says what a search that was stopped has found so far, and why it was stopped.
fn give_up(
    space: &Space<'_>,
    template: &Template,
    stopped: Stopped,
    args: &TuneArgs,
    output: &Output,
) -> Result<Failure, Failure> {
    use crate::tune::trial::TrialError;
    let failure = match stopped.error {
        TrialError::Run(RunError::Interrupted) => Failure::Interrupted,
        TrialError::Run(error) => error.into(),
        TrialError::Unsettled(error) => error.into(),
        TrialError::Impossible(why) => Failure::Run(why),
    };
    let (Failure::Interrupted, Some(best)) = (&failure, &stopped.best) else {
        return Ok(failure);
    };
    let values: Vec<String> = (0..space.tuning.knobs.len())
        .map(|knob| {
            format!(
                "  {} = {}\n",
                space.tuning.knobs[knob].name,
                space.value(best, knob)
            )
        })
        .collect();
    output.print(&format!(
        "The best of {} candidates so far, which has not been checked on fresh requests:\n{}",
        stopped.evaluations.len(),
        values.concat()
    ))?;
    let (tuned, _) = report::rewritten(space, template.document(), best);
    args.write(&tuned)?;
    Ok(failure)
}

/// The best so far, and how far the search is.
struct Bar(Option<ProgressBar>);

impl Bar {
    fn new(output: &Output) -> Bar {
        if !output.is_watched() {
            return Bar(None);
        }
        let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:24} {msg} · {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Bar(Some(bar))
    }

    fn show(&self, standing: &Standing<'_>) {
        let Some(bar) = &self.0 else {
            return;
        };
        let (done, most) = standing.requests;
        bar.set_length(most.max(1));
        bar.set_position(done.min(most));
        let share = (standing.loss - standing.current) / standing.current.abs();
        let margin = standing.margin.map(|half| half / standing.current.abs());
        bar.set_message(format!(
            "{} candidates · best so far {} to the current one · {:.0} M requests",
            standing.evaluations,
            change_with(share, margin),
            done as f64 / 1e6
        ));
    }

    fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
