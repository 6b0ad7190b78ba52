//! The command line: one file a command. Data goes to standard output, progress and warnings to
//! standard error.

mod check;
mod compare;
mod completions;
mod explain;
mod export;
mod import;
mod interrupt;
mod list;
mod loads;
mod lookup;
mod man;
mod meaning;
mod new;
mod output;
mod pace;
mod progress;
mod replay;
mod report;
mod run;
mod schema;
mod size;
mod summary;
mod topics;
mod tune;
mod validate;
mod watch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::experiment::Journal;
use crate::scenario::Scenario;
use output::{Failure, Output};

/// Compares load-balancing strategies by simulation, before one is deployed.
///
/// Exit codes: 0 done, 1 could not run or (`size`) not decide, 2 bad usage or scenario, 3 what the
/// scenario requires does not hold, or what is judged got worse (`compare --fail-on-worse`), 130
/// interrupted.
#[derive(Debug, Parser)]
#[command(
    name = "lbsim",
    version,
    about,
    long_about,
    propagate_version = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// When to use colour; NO_COLOR is honoured.
    #[arg(long, global = true, value_enum, default_value_t = WhenColoured::Auto)]
    color: WhenColoured,
    /// Print no progress and no warnings.
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Show tables whole, however wide; else they keep to the terminal, or to 120 columns.
    #[arg(long, global = true)]
    wide: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum WhenColoured {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios, print what they say, and write CSV files and charts.
    Run(run::RunArgs),
    /// Look for better weights, and other values: what was gained, how sure that is, and the
    /// scenario with them.
    Tune(tune::TuneArgs),
    /// Compare results: what changed in the scenario, and what came of it, paired where the luck
    /// is the same.
    Compare(compare::CompareArgs),
    /// Find the fewest servers that meet an objective, or the highest load that a fleet sustains,
    /// and say how sure that is.
    Size(size::SizeArgs),
    /// Make a scenario of a configuration of nginx, HAProxy or Envoy, and of its access log.
    Import(import::ImportArgs),
    /// Write the weights of a scenario back into a configuration, or as a product's snippet.
    Export(export::ExportArgs),
    /// Make the page `report.html` of results folders again, from their CSV files.
    Report(report::ReportArgs),
    /// Read and check scenarios: print what they mean, their offered load and predicted
    /// utilization. Runs nothing.
    Check(check::CheckArgs),
    /// List strategies, distributions, arrival processes, faults, metrics, warnings, keys.
    List(list::ListArgs),
    /// Explain one of them: what it does, what it sees, its cost, when it fails, its source; or say
    /// what there is on a subject.
    Explain(explain::ExplainArgs),
    /// Drive strategies with recordings of real balancers, and show where the first pick differs.
    Replay(replay::ReplayArgs),
    /// Simulate what theory knows exactly, count how often intervals hold the truth, and write a
    /// page about it.
    Validate(validate::ValidateArgs),
    /// Write a commented scenario to start from.
    #[command(visible_alias = "init")]
    New(new::NewArgs),
    /// Run a scenario again whenever its file changes: quick figures first, then sharper ones.
    Watch(watch::WatchArgs),
    /// Print the JSON Schema of scenario files, or their reference as Markdown.
    Schema(schema::SchemaArgs),
    /// Print what makes a shell complete commands, options, and names of strategies and keys.
    Completions(completions::CompletionsArgs),
    /// Print a page for `man`, or write all of them.
    Man(man::ManArgs),
}

/// On how many threads a command simulates.
#[derive(Debug, Args)]
struct Jobs {
    /// Threads; all cores by default. The results are the same for any number.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

impl Jobs {
    /// These threads.
    fn pool(&self) -> Result<rayon::ThreadPool, Failure> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(self.jobs.map_or(0, usize::from))
            .build()
            .map_err(|error| Failure::Run(format!("cannot start threads: {error}")))
    }
}

/// The scenarios of a command, and what it changes in them.
#[derive(Debug, Args)]
struct ScenarioArgs {
    /// Scenario files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    changes: Changes,
}

/// What a command changes in scenarios.
#[derive(Debug, Args)]
struct Changes {
    /// Change a value of the scenarios before they are checked, e.g. `run.duration=5min` or
    /// `services.web.servers.fast.count=4`. May be given many times.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    sets: Vec<String>,
    /// Root of all random streams, in place of the scenarios' own.
    #[arg(long)]
    seed: Option<u64>,
    /// Independent repetitions, in place of the scenarios' own.
    #[arg(long, value_name = "N")]
    replications: Option<u32>,
}

impl ScenarioArgs {
    /// All changes, as `--set` has them.
    fn changes(&self) -> Vec<String> {
        self.changes.sets()
    }
}

impl Changes {
    /// All of them, as `--set` has them.
    fn sets(&self) -> Vec<String> {
        let mut sets = self.sets.clone();
        sets.extend(self.seed.map(|seed| format!("run.seed={seed}")));
        sets.extend(self.replications.map(|n| format!("run.replications={n}")));
        sets
    }
}

/// Parses the command line and does what it says.
pub fn main() -> ExitCode {
    completions::answer::<Cli>();
    let cli = Cli::parse();
    let output = Output::new(cli.color, cli.quiet, cli.wide);
    let done = match &cli.command {
        Command::Run(args) => run::run(args, &output),
        Command::Tune(args) => tune::tune(args, &output),
        Command::Compare(args) => compare::compare(args, &output),
        Command::Size(args) => size::size(args, &output),
        Command::Import(args) => import::import(args, &output),
        Command::Export(args) => export::export(args, &output),
        Command::Report(args) => report::report(args, &output),
        Command::Check(args) => check::check(args, &output),
        Command::List(args) => list::list(args, &output),
        Command::Explain(args) => explain::explain(args, &output),
        Command::Replay(args) => replay::replay(args, &output),
        Command::Validate(args) => validate::validate(args, &output),
        Command::New(args) => new::new(args, &output),
        Command::Watch(args) => watch::watch(args, &output),
        Command::Schema(args) => schema::schema(args, &output),
        Command::Completions(args) => completions::completions(args, &output),
        Command::Man(args) => man::man::<Cli>(args, &output),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print(&output);
            failure.code()
        }
    }
}

/// Reads all scenarios; where some cannot be read, all faults of all of them are reported.
fn read(args: &ScenarioArgs, output: &Output) -> Result<Vec<crate::scenario::Scenario>, Failure> {
    let mut scenarios = Vec::new();
    let mut rejected = 0;
    for path in &args.files {
        match read_one(path, args) {
            Ok(scenario) => scenarios.push(scenario),
            Err(Failure::Rejected(fault)) => {
                output.rejected(&fault);
                rejected += 1;
            }
            Err(failure) => {
                failure.print(output);
                rejected += 1;
            }
        }
    }
    if rejected > 0 {
        return Err(Failure::Reported);
    }
    Ok(scenarios)
}

/// Longer texts are no scenarios.
const LONGEST: u64 = 1 << 20;

fn read_one(
    path: &std::path::Path,
    args: &ScenarioArgs,
) -> Result<crate::scenario::Scenario, Failure> {
    let text = read_text(path)?;
    crate::scenario::Scenario::parse(path, &text, &args.changes()).map_err(Failure::Rejected)
}

/// The text of a scenario.
fn read_text(path: &std::path::Path) -> Result<String, Failure> {
    use std::io::Read;
    let shown = path.display();
    let unreadable = |why: String| Failure::Usage(format!("cannot read `{shown}`: {why}"));
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if metadata.is_dir() {
        return Err(unreadable(
            "it is a directory; name a scenario file, e.g. one of its *.toml".to_owned(),
        ));
    }
    let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > LONGEST {
        return Err(unreadable(
            "it is larger than 1 MiB; is it a scenario?".to_owned(),
        ));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        unreadable(format!(
            "byte {} is not UTF-8 text; is it a scenario?",
            error.utf8_error().valid_up_to()
        ))
    })?;
    if text.trim().is_empty() {
        return Err(unreadable(
            "it is empty; `lbsim new` writes a scenario to start from".to_owned(),
        ));
    }
    Ok(text)
}

/// The journal of a run or a search at `path`, with what an interrupted one has left; what is of no
/// use is said.
fn journal<K: Ord + Serialize + DeserializeOwned>(
    path: &Path,
    records: &str,
    scenario: &Scenario,
    fresh: bool,
    output: &Output,
) -> Result<Journal<K>, Failure> {
    if fresh {
        let _ = std::fs::remove_file(path);
    }
    let journal = Journal::open(path, records, scenario).map_err(|error| {
        Failure::Run(format!("cannot go on with `{}`: {error}", path.display()))
    })?;
    let name = &scenario.file_name;
    if journal.known() > 0 {
        output.say(&format!(
            "{name}: goes on where it was interrupted, with {} {records} done (`--fresh` begins anew)",
            journal.known()
        ));
    }
    if let Some(why) = journal.stale() {
        output.say(&format!(
            "{name}: begins anew, and does not go on where it was interrupted, for {why}"
        ));
    }
    Ok(journal)
}
