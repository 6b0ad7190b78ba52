//! `lbsim import`: a scenario of what runs.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::output::{Failure, Output, keep_apart};
use crate::config::{self, Configuration, Pool, Product, ReadError};
use crate::figures;
use crate::import::draft::{Wanted, draft};
use crate::import::fit::Fitted;
use crate::import::observe::{LogReport, Question, names, observe};
use crate::logs::{Format, FormatError};
use crate::prose::{counted, listed, quoted};
use crate::report::chart::{fit, png};
use crate::report::whole::{Unfinished, whole};
use crate::scenario::diagnostic::Place as At;
use crate::scenario::moved::seen_from;
use crate::scenario::text::{Path as TextPath, PathStep};
use crate::scenario::{Rejected, Scenario};

/// Products whose configurations are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ProductRead {
    /// nginx: `upstream` blocks.
    Nginx,
    /// HAProxy: `backend` and `listen` sections.
    Haproxy,
    /// Envoy: clusters, as YAML or JSON.
    Envoy,
}

impl ProductRead {
    /// The one that a file's name speaks of.
    pub(super) fn of(path: &Path) -> ProductRead {
        match path.extension().and_then(|end| end.to_str()) {
            Some("cfg") => ProductRead::Haproxy,
            Some("yaml" | "yml" | "json") => ProductRead::Envoy,
            _ if path.is_dir() => ProductRead::Haproxy,
            _ => ProductRead::Nginx,
        }
    }

    /// The one that reads configurations of a product, where they are read.
    pub(super) fn reads(product: Product) -> Option<ProductRead> {
        [ProductRead::Nginx, ProductRead::Haproxy, ProductRead::Envoy]
            .into_iter()
            .find(|source| source.product() == product)
    }

    pub(super) fn product(self) -> Product {
        match self {
            ProductRead::Nginx => Product::Nginx,
            ProductRead::Haproxy => Product::Haproxy,
            ProductRead::Envoy => Product::Envoy,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The configuration.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Whose it is; by default HAProxy's where its name ends in `.cfg`, Envoy's for YAML and JSON,
    /// and nginx's otherwise.
    #[arg(long = "as", value_enum, value_name = "PRODUCT")]
    source: Option<ProductRead>,
    /// Which pool, where there are several (nginx: upstream, HAProxy: backend, Envoy: cluster).
    #[arg(long, value_name = "NAME")]
    pool: Option<String>,
    /// An access log, plain or packed by gzip or zstd: rate, service times and slots are estimated
    /// from it. May be given several times, in order.
    #[arg(long, value_name = "FILE")]
    log: Vec<PathBuf>,
    /// Its format: nginx='<log_format>', combined, haproxy, alb, envoy, json=…, csv=… and others;
    /// by default what the configuration says of it (nginx: the one `log_format` with
    /// `$upstream_addr`, HAProxy: its one format), or what its first lines look like.
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<Format>,
    /// What the log calls the pool, where it has another name there.
    #[arg(long, value_name = "NAME", requires = "log")]
    pool_in_log: Option<String>,
    /// A CSV file with two names of a server in each row, such as `web1,10.0.0.1:80`: one that the
    /// configuration has, and one that the log has.
    #[arg(long, value_name = "FILE", requires = "log")]
    servers: Option<PathBuf>,
    /// Where the arrivals of the log are written as a trace, which the scenario then plays.
    #[arg(long, value_name = "FILE", requires = "log", requires = "output")]
    trace: Option<PathBuf>,
    /// Where a chart of the fit is written, SVG or PNG by its ending: response times simulated with
    /// the fitted servers against those of the log.
    #[arg(long, value_name = "FILE", requires = "log")]
    chart: Option<PathBuf>,
    /// Where the scenario is written; by default it is printed.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn import(args: &ImportArgs, output: &Output) -> Result<(), Failure> {
    let source = args.source.unwrap_or_else(|| ProductRead::of(&args.file));
    let configuration = read(&args.file, source, output)?;
    let pool = choose(&configuration, args.pool.as_deref())?;
    let files = configuration.files.iter().map(|file| &*file.path);
    let logs = args.log.iter().chain(&args.servers);
    let read: Vec<&Path> = files.chain(logs.map(PathBuf::as_path)).collect();
    keep_apart(
        &read,
        &[
            ("--output", args.output.as_deref()),
            ("--trace", args.trace.as_deref()),
            ("--chart", args.chart.as_deref()),
        ],
    )?;
    // All is made before anything takes its place.
    let (mut trace, mut chart) = (None, None);
    let report = match &args.log[..] {
        [] => None,
        logs => {
            let format = format(args, &configuration, output)?;
            if let Some(path) = &args.trace {
                trace = Some(Unfinished::begin(path)?);
            }
            let report = listen(args, pool, logs, &format)?;
            if let (Some(arrivals), Some(trace)) = (&report.arrivals, &mut trace) {
                let written = arrivals.write(&mut *trace, report.observed.spread());
                written.map_err(|why| trace.error(why))?;
            }
            tell(&report, pool, output);
            if let Some(path) = &args.chart {
                chart = Some((path, draw(path, &report, pool)?));
            }
            Some(report)
        }
    };
    let observed = report.as_ref().map(|report| &report.observed);
    let path = args
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from("imported.toml"));
    let folder = path.parent().unwrap_or(Path::new(""));
    let text = |trace: Option<&Path>, no_tune: Option<&str>| {
        let trace = trace.map(|trace| seen_from(folder, trace));
        let wanted = Wanted {
            trace: trace.as_deref(),
            no_tune,
        };
        draft(&configuration, pool, observed, &wanted).map_err(|why| {
            let place = configuration.show(&pool.at);
            Failure::Usage(format!("{place}: `{}`: {why}", pool.name))
        })
    };
    // What is written is a scenario, or nothing is.
    let trial = trace.as_ref().map(Unfinished::place);
    let mut no_tune = None;
    if let Err(rejected) = Scenario::parse(&path, &text(trial, None)?, &[]) {
        no_tune =
            Some(only_tune(&rejected).ok_or_else(|| beyond(&configuration, pool, &rejected))?);
        let without = text(trial, no_tune.as_deref())?;
        Scenario::parse(&path, &without, &[])
            .map_err(|rejected| beyond(&configuration, pool, &rejected))?;
    }
    let text = text(args.trace.as_deref(), no_tune.as_deref())?;
    for note in configuration.notes_of(pool) {
        output.say(&format!(
            "not carried over: {}: {}",
            configuration.show(&note.at),
            note.text
        ));
    }
    if let Some((path, bytes)) = chart {
        whole(path, &bytes)?;
    }
    if let Some(trace) = trace {
        trace.finish()?;
    }
    match &args.output {
        Some(path) => {
            whole(path, text.as_bytes())?;
            output.say(&format!(
                "{}: `lbsim check` says what it means, `lbsim tune` looks for better weights",
                path.display()
            ));
            Ok(())
        }
        None => output.print(&text),
    }
}

/// What is wrong with the `[tune]` of a scenario, where that is all that is wrong with it.
fn only_tune(rejected: &Rejected) -> Option<String> {
    let is_tune =
        |path: &TextPath| matches!(path.steps(), [PathStep::Key(key), ..] if key == "tune");
    let all = rejected.diagnostics.iter().all(|fault| match &fault.at {
        At::Value(path) | At::Key(path) => is_tune(path),
        At::Text(_) => false,
    });
    let messages = rejected
        .diagnostics
        .iter()
        .map(|fault| fault.message.as_str());
    all.then(|| messages.collect::<Vec<_>>().join("; ") + ".")
}

/// What of a pool a scenario does not take, in the places of the configuration: the text that was
/// refused is nowhere to be seen.
fn beyond(configuration: &Configuration, pool: &Pool, rejected: &Rejected) -> Failure {
    let groups = pool.groups().unwrap_or_default();
    let place = |at: &At| {
        let steps = match at {
            At::Value(path) | At::Key(path) => path.steps(),
            At::Text(_) => &[],
        };
        let server = match steps {
            [_, _, PathStep::Key(key), PathStep::Index(group), ..] if key == "servers" => groups
                .get(*group)
                .map(|group| &pool.servers[group.servers.start].at),
            _ => None,
        };
        configuration.show(server.unwrap_or(&pool.at))
    };
    let faults = rejected.diagnostics.iter();
    let faults: Vec<String> = faults
        .map(|fault| format!("{}: {}", place(&fault.at), fault.message))
        .collect();
    Failure::Usage(format!(
        "a scenario does not take all of the pool `{}`:\n{}",
        pool.name,
        faults.join("\n")
    ))
}

/// Reads the logs.
fn listen(
    args: &ImportArgs,
    pool: &Pool,
    logs: &[PathBuf],
    format: &Format,
) -> Result<LogReport, Failure> {
    let names = match &args.servers {
        None => Vec::new(),
        Some(path) => names(path, pool)
            .map_err(|why| Failure::Usage(format!("`{}` {why}", path.display())))?,
    };
    let question = Question {
        pool,
        pool_in_log: args.pool_in_log.as_deref(),
        names: &names,
        keep_arrivals: args.trace.is_some(),
    };
    observe(&question, logs, format).map_err(|why| Failure::Usage(why.to_string()))
}

/// Reads a configuration; what is wrong with it is said.
pub(super) fn read(
    path: &Path,
    source: ProductRead,
    output: &Output,
) -> Result<Configuration, Failure> {
    let read = match source {
        ProductRead::Nginx => config::nginx::read,
        ProductRead::Haproxy => config::haproxy::read,
        ProductRead::Envoy => config::envoy::read,
    };
    read(path).map_err(|error| match error {
        ReadError::Faulty { files, faults } => {
            output.faulty(&files, &faults);
            Failure::Reported
        }
        unreadable => Failure::Usage(unreadable.to_string()),
    })
}

/// The pool of a name, or the only one that has servers.
pub(super) fn choose<'c>(
    configuration: &'c Configuration,
    name: Option<&str>,
) -> Result<&'c Pool, Failure> {
    let file = configuration.files[0].path.display();
    let pools: Vec<&Pool> = configuration
        .pools
        .iter()
        .filter(|pool| !pool.servers.is_empty())
        .collect();
    let names = || quoted(pools.iter().map(|pool| &pool.name));
    match (name, &pools[..]) {
        (Some(name), _) if absent(configuration, |pool| pool == name).is_some() => {
            let why = absent(configuration, |pool| pool == name).unwrap_or_default();
            Err(Failure::Usage(format!("`{file}`: {why}")))
        }
        (_, []) => Err(Failure::Usage(match absent(configuration, |_| true) {
            Some(why) => format!("`{file}` has no pool with servers: {why}"),
            None => format!("`{file}` has no pool of servers"),
        })),
        (None, [only]) => Ok(only),
        (None, _) => Err(Failure::Usage(format!(
            "`{file}` has several pools, {}; choose one with `--pool`",
            names()
        ))),
        (Some(name), _) => pools
            .iter()
            .find(|pool| pool.name == name)
            .copied()
            .ok_or_else(|| {
                Failure::Usage(format!(
                    "`{file}` has no pool `{name}` with servers; it has {}",
                    names()
                ))
            }),
    }
}

/// Which pools of some names have no servers in the text, and why; `None` where there are none.
fn absent(configuration: &Configuration, wanted: impl Fn(&str) -> bool) -> Option<String> {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    let absent = configuration.absent.iter();
    for one in absent.filter(|one| wanted(&one.pool)) {
        let name = format!("`{}`", one.pool);
        match reasons.iter_mut().find(|(why, _)| *why == one.why) {
            Some((_, names)) => names.push(name),
            None => reasons.push((one.why, vec![name])),
        }
    }
    let sentence = |(why, names): &(&str, Vec<String>)| {
        let verb = if names.len() == 1 { "has" } else { "have" };
        format!("{} {verb} {why}", listed(names))
    };
    let sentences: Vec<String> = reasons.iter().map(sentence).collect();
    (!sentences.is_empty()).then(|| sentences.join(". "))
}

/// The format of the logs: what was asked for, what the configuration says, or what the first log
/// looks like. One that was not asked for is named.
fn format(
    args: &ImportArgs,
    configuration: &Configuration,
    output: &Output,
) -> Result<Format, Failure> {
    if let Some(format) = &args.log_format {
        return Ok(format.clone());
    }
    if let Some(format) = of_configuration(configuration) {
        let format = format.map_err(|why| Failure::Usage(why.to_string()))?;
        output.say(&format!(
            "format of the log, by the configuration: {}",
            format.short()
        ));
        return Ok(format);
    }
    let path = &args.log[0];
    let unreadable =
        |why: &dyn std::fmt::Display| Failure::Usage(format!("`{}` {why}", path.display()));
    let lines = crate::logs::first_lines(path, 100).map_err(|why| unreadable(&why))?;
    let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    let format = Format::guess(&lines).ok_or_else(|| {
        unreadable(&"is in no format that is known by its looks; say which with `--log-format`")
    })?;
    output.say(&format!(
        "format of the log, guessed by its first lines: {} (`--log-format` says another)",
        format.short()
    ));
    Ok(format)
}

/// The format that a configuration sets for its logs, where it sets one.
fn of_configuration(configuration: &Configuration) -> Option<Result<Format, FormatError>> {
    let is_nginx = configuration.product == Product::Nginx;
    let mut texts: Vec<&str> = configuration
        .log_formats
        .iter()
        .map(|(_, text)| text.as_str())
        .filter(|text| !is_nginx || text.contains("$upstream_addr"))
        .collect();
    texts.sort_unstable();
    texts.dedup();
    let [text] = texts[..] else {
        return None;
    };
    let word = match (configuration.product, text) {
        (Product::Nginx, text) => format!("nginx={text}"),
        (Product::Haproxy, "httplog" | "tcplog" | "httpslog") => "haproxy".to_owned(),
        (Product::Haproxy, "httplog clf") => "haproxy-clf".to_owned(),
        (Product::Haproxy, text) if text.contains('%') => format!("haproxy={text}"),
        _ => return None,
    };
    Some(word.parse())
}

/// What the logs held, and how well the servers are known.
fn tell(report: &LogReport, pool: &Pool, output: &Output) {
    for (path, census) in &report.censuses {
        output.say(&format!(
            "{}: {}, {}, clock of {:?}",
            path.display(),
            counted(census.entries, "request"),
            counted(census.bad, "bad line"),
            census.resolution
        ));
        for bad in &census.examples {
            output.say(&format!("  {bad}"));
        }
    }
    for remark in &report.observed.remarks {
        output.say(&format!("warning: {remark}"));
    }
    if !report.observed.names_servers {
        output.say("the log does not say which server answered: it tells rate, arrivals and clients, and service times are assumed");
        return;
    }
    for (name, count) in report.strangers.iter().take(5) {
        output.say(&format!(
            "not in the pool: {} to `{name}`",
            counted(*count, "request")
        ));
    }
    for (server, known) in pool.servers.iter().zip(&report.observed.servers) {
        let said = match known {
            None => "no requests of which the log says how long they took".to_owned(),
            Some(Err(refusal)) => format!("the log does not tell: {refusal}"),
            Some(Ok(fitted)) => format!(
                "{} of service, slots {}, busy {}; simulated times are within {} of the logged ones (Kolmogorov distance)",
                figures::seconds(fitted.mean),
                fitted.slots,
                figures::percent(fitted.utilization),
                figures::percent(fitted.quality.distance)
            ),
        };
        output.say(&format!("{}: {said}", server.name));
    }
}

/// The quantile-quantile plot of the servers that are known, as the file that `path` asks for.
fn draw(path: &Path, report: &LogReport, pool: &Pool) -> Result<Vec<u8>, Failure> {
    let servers = pool.servers.iter().zip(&report.observed.servers);
    let known: Vec<(&str, &Fitted)> = servers
        .filter_map(|(server, known)| match known {
            Some(Ok(fitted)) => Some((server.name.as_str(), fitted)),
            _ => None,
        })
        .collect();
    let requests: u64 = report
        .censuses
        .iter()
        .map(|(_, census)| census.entries)
        .sum();
    let caption = counted(requests, "request");
    let title = format!("Does {} answer as its log says?", pool.name);
    let chart = fit::quantiles(&title, &caption, &known).ok_or_else(|| {
        Failure::Run("there is no fitted server that could be shown in a chart".to_owned())
    })?;
    let is_svg = path.extension().is_some_and(|end| end == "svg");
    match is_svg {
        true => Ok(chart.svg.into_bytes()),
        false => png(&chart.svg).map_err(|why| Failure::Run(format!("no picture: {why}"))),
    }
}
