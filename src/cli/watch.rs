//! `lbsim watch`: runs a scenario whenever its file changes; quick figures first, sharper ones as
//! replications come.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use clap::Args;
use notify::{RecursiveMode, Watcher};

use super::output::{Failure, Output};
use super::{Changes, Jobs, summary};
use crate::experiment::{self, Progress, RunError};
use crate::report::Report;
use crate::scenario::Scenario;

/// An editor that saves a file does several things to it; so long after the last of them it has
/// been saved.
const SAVED: Duration = Duration::from_millis(80);

/// How often a file is read of which no change is told.
const LOOKS_AGAIN: Duration = Duration::from_secs(1);

/// Replications of the first look.
const FIRST: u32 = 2;

/// Writes nothing. Ends by an interrupt.
#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    /// The scenario file.
    file: PathBuf,
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    jobs: Jobs,
}

pub(super) fn watch(args: &WatchArgs, output: &Output) -> Result<(), Failure> {
    let pool = args.jobs.pool()?;
    let (told, changes) = mpsc::channel();
    let _watcher = watcher(&args.file, told)?;
    loop {
        output.clear();
        let text = super::read_text(&args.file);
        let before = text.as_ref().ok().cloned();
        match text {
            Err(failure) => failure.print(output),
            Ok(text) => match look(&text, args, &pool, &changes, output) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(failure @ Failure::Unheard) => return Err(failure),
                Err(failure) => failure.print(output),
            },
        }
        output.say(&format!("waits for `{}` to change", args.file.display()));
        while !changed(&changes, || super::read_text(&args.file).ok() != before)? {}
        settled(&changes);
    }
}

/// Whether a file has changed, within a moment. Where its folder is another one of its name since,
/// nobody tells: then what it holds does.
fn changed(changes: &Receiver<()>, differs: impl Fn() -> bool) -> Result<bool, Failure> {
    match changes.recv_timeout(LOOKS_AGAIN) {
        Ok(()) => Ok(true),
        Err(RecvTimeoutError::Timeout) => Ok(differs()),
        Err(RecvTimeoutError::Disconnected) => {
            Err(Failure::Run("cannot watch any longer".to_owned()))
        }
    }
}

/// Tells of changes of a file, also where it is replaced by another of its name: what is watched is
/// its folder.
fn watcher(file: &Path, told: mpsc::Sender<()>) -> Result<notify::RecommendedWatcher, Failure> {
    let failed =
        |error: notify::Error| Failure::Run(format!("cannot watch `{}`: {error}", file.display()));
    let name = file.file_name().map(ToOwned::to_owned);
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let is_it = |event: &notify::Event| {
            let is_change = !event.kind.is_access();
            is_change
                && event
                    .paths
                    .iter()
                    .any(|path| path.file_name() == name.as_deref())
        };
        if event.as_ref().is_ok_and(is_it) {
            let _ = told.send(());
        }
    })
    .map_err(failed)?;
    watcher
        .watch(folder, RecursiveMode::NonRecursive)
        .map_err(failed)?;
    Ok(watcher)
}

/// Runs a scenario with two replications, and then with twice as many each time, until it has all;
/// says what comes out each time. Returns whether the file has changed meanwhile.
fn look(
    text: &str,
    args: &WatchArgs,
    pool: &rayon::ThreadPool,
    changes: &Receiver<()>,
    output: &Output,
) -> Result<bool, Failure> {
    let read = |replications: Option<u32>| -> Result<Scenario, Failure> {
        let mut sets = args.changes.sets();
        sets.extend(replications.map(|n| format!("run.replications={n}")));
        let mut scenario = Scenario::parse(&args.file, text, &sets).map_err(Failure::Rejected)?;
        if replications.is_some() {
            scenario.goal = None;
        }
        Ok(scenario)
    };
    let whole = read(None)?;
    let mut replications = FIRST;
    loop {
        let is_last = replications >= whole.replications;
        let mut scenario = if is_last {
            read(None)?
        } else {
            read(Some(replications))?
        };
        pool.install(|| experiment::settle(&mut scenario))?;
        let Some(report) = run(&scenario, pool, changes)? else {
            return Ok(true);
        };
        output.clear();
        output.print(&summary::summary(&report, output))?;
        for warning in &report.about.warnings {
            output.say(&format!("warning: {}: {warning}", scenario.file_name));
        }
        if is_last {
            return Ok(false);
        }
        output.say(&format!(
            "{replications} of {} replications",
            whole.replications
        ));
        replications = replications.saturating_mul(2);
    }
}

/// What a run says; `None` where the file has changed before its end.
fn run(
    scenario: &Scenario,
    pool: &rayon::ThreadPool,
    changes: &Receiver<()>,
) -> Result<Option<Report>, Failure> {
    let progress = Progress::default();
    let runs: Vec<_> = scenario.runs().into_iter().map(|run| (run, None)).collect();
    let (done, is_done) = mpsc::channel();
    let outcomes = std::thread::scope(|scope| {
        let (progress, runs) = (&progress, &runs);
        scope.spawn(move || {
            let _ = done.send(pool.install(|| experiment::run(runs, progress)));
        });
        loop {
            match is_done.recv_timeout(Duration::from_millis(50)) {
                Ok(outcomes) => return Some(outcomes),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) if changes.try_recv().is_ok() => {
                    progress.stop.store(true, Ordering::Relaxed);
                    settled(changes);
                    let _ = is_done.recv();
                    return None;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    });
    match outcomes {
        None | Some(Err(RunError::Interrupted)) => Ok(None),
        Some(outcomes) => Ok(Some(Report::new(scenario, &outcomes?))),
    }
}

/// Waits until a file has been saved, and forgets what was told of it meanwhile.
fn settled(changes: &Receiver<()>) {
    while changes.recv_timeout(SAVED).is_ok() {}
}
