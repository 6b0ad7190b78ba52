//! nginx: `upstream` blocks as pools.
//!
//! The way is text → words (`word`) → directives, files that are included among them (`tree`,
//! `files`) → what bears on balancing, with what each place inherits (`scope`) → pools (`upstream`,
//! `server`, `method`), and their timeouts and retries (`pass`, `retry`). Directives that nobody
//! knows are read over; nginx's grammar is the same for all of them.
//!
//! The grammar is written here and not taken from a crate: nginx-lint-parser 0.24 takes line ends
//! of Windows for faults, a comment right after a `;` for words, and an apostrophe in Lua for the
//! beginning of a string without end, and it overflows the stack on blocks nested deeply enough.

use std::collections::HashSet;
use std::path::Path;

use super::{Concerns, Configuration, Fault, Place, Pool, Product, ReadError, notes};
use crate::prose::quoted;

mod directives;
mod files;
mod health;
mod lua;
mod method;
mod pass;
mod report;
mod retry;
mod scope;
mod server;
#[cfg(test)]
mod tests;
pub mod time;
mod tree;
mod upstream;
mod word;

use files::Files;
use report::Report;
use scope::Found;
use tree::Directive;
use upstream::Upstream;

/// Reads a configuration and all that it includes. Files are looked for as nginx does, from the
/// folder of the first one.
///
/// # Errors
/// When the file cannot be read, and when nginx would refuse what bears on balancing in it.
pub fn read(path: &Path) -> Result<Configuration, ReadError> {
    let mut report = Report::default();
    match Files::read(path, &mut report) {
        Ok((files, tree)) => configuration(files, &tree, report),
        Err(source) => Err(ReadError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Reads a single text; `path` is what messages call it. What it includes is not looked for, which
/// a note says.
///
/// # Errors
/// When nginx would refuse what bears on balancing in it.
pub fn read_text(path: &Path, text: &str) -> Result<Configuration, ReadError> {
    let mut report = Report::default();
    let (files, tree) = Files::only(path, text, &mut report);
    configuration(files, &tree, report)
}

fn configuration(
    files: Files,
    tree: &[Directive],
    mut report: Report,
) -> Result<Configuration, ReadError> {
    let mut pools = Vec::new();
    let mut log_formats = Vec::new();
    // After a fault in the grammar others would be its echoes.
    if report.faults.is_empty() {
        let found = scope::find(tree);
        let mut upstreams = upstreams(&found, &mut report);
        pass::apply(&found, &mut upstreams, &mut report);
        note_workers(&found, &upstreams, &mut report);
        log_formats = found
            .log_formats
            .iter()
            .filter_map(|one| log_format(one))
            .collect();
        pools = upstreams
            .into_iter()
            .map(|upstream| upstream.pool)
            .collect();
        leave_shared_lines(&mut pools, &mut report);
    }
    let files = files.files;
    let Report {
        notes,
        mut faults,
        absent,
        ..
    } = report;
    if !faults.is_empty() {
        faults.sort_by_key(|fault| order(&fault.at));
        return Err(ReadError::Faulty { files, faults });
    }
    Ok(Configuration {
        product: Product::Nginx,
        files,
        pools,
        absent,
        notes: notes::sorted(notes),
        log_formats,
    })
}

/// Where a place comes in the order of the text.
fn order(at: &Place) -> (usize, usize, usize) {
    (at.file, at.range.start, at.range.end)
}

fn upstreams(found: &Found<'_>, report: &mut Report) -> Vec<Upstream> {
    let mut upstreams: Vec<Upstream> = Vec::new();
    for &(scope, directive) in &found.upstreams {
        report.concerns = Concerns::pools(directive.argument(0));
        let Some(upstream) = upstream::read(scope, directive, report) else {
            continue;
        };
        let name = &upstream.pool.name;
        let same = upstreams
            .iter()
            .find(|one| one.pool.name.eq_ignore_ascii_case(name));
        match same {
            Some(same) if same.scope == scope => {
                let message = format!("there is an upstream `{}` already", same.pool.name);
                report.fault(
                    Fault::new(upstream.pool.at.clone(), message)
                        .help("give one of them another name"),
                );
            }
            Some(_) => {
                let text = format!(
                    "`http` and `stream` have an upstream `{name}` each: by this name the first \
                    is meant."
                );
                report.note(upstream.pool.at.clone(), text);
                upstreams.push(upstream);
            }
            None => upstreams.push(upstream),
        }
    }
    report.concerns = Concerns::Any;
    upstreams
}

/// Says where each worker counts for itself: only a `zone` makes them share.
fn note_workers(found: &Found<'_>, upstreams: &[Upstream], report: &mut Report) {
    let Some(workers) = found
        .workers
        .filter(|workers| workers.argument(0) != Some("1"))
    else {
        return;
    };
    let alone = || upstreams.iter().filter(|one| !one.is_shared);
    report.concerns = Concerns::pools(alone().map(|one| one.pool.name.as_str()));
    let alone: Vec<&str> = alone().map(|one| one.pool.name.as_str()).collect();
    if !alone.is_empty() {
        let text = format!(
            "`{}` was left out: each worker balances {} for itself, as `instances` of a \
            scenario's balancer do.",
            workers.show(),
            quoted(alone)
        );
        report.note(workers.at(), text);
    }
    report.concerns = Concerns::Any;
}

/// `log_format NAME [escape=…] TEXT…`: nginx puts the texts together with nothing between them.
fn log_format(directive: &Directive) -> Option<(String, String)> {
    let (name, texts) = directive.arguments.split_first()?;
    let is_text = |at: usize, text: &str| at > 0 || !text.starts_with("escape=");
    let texts = texts
        .iter()
        .enumerate()
        .filter(|(at, word)| is_text(*at, &word.text));
    Some((
        name.text.clone(),
        texts.map(|(_, word)| word.text.as_str()).collect(),
    ))
}

/// A file that is included twice has its lines in two pools: a weight can be written there for one
/// of them only.
fn leave_shared_lines(pools: &mut [Pool], report: &mut Report) {
    let mut seen: HashSet<(usize, usize)> = HashSet::new();
    for pool in pools {
        report.concerns = Concerns::pools([pool.name.as_str()]);
        for server in &mut pool.servers {
            let Place { file, range } = &server.at;
            if !seen.insert((*file, range.start)) {
                let text = format!(
                    "The line of `{}` stands in two pools; other weights are written for the first.",
                    server.name
                );
                report.note(server.at.clone(), text);
                server.weight_at = None;
            }
        }
    }
    report.concerns = Concerns::Any;
}
