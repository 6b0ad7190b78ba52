//! HAProxy's configurations, as they are found.
//!
//! A text becomes lines of words (`words`), of whose conditional blocks one branch is kept
//! (`conditions`); lines become sections, and sections become proxies with the settings that their
//! defaults give them (`sections`); each proxy that has servers becomes a pool. The rules are those
//! of the configuration manual of 2.6, which 2.8 and later add to.

use std::path::{Path, PathBuf};

use super::{
    Absent, Concerns, Configuration, Fault, Note, Place, Pool, Product, ReadError, SourceFile,
    notes,
};

mod balancer;
mod conditions;
mod directives;
mod keywords;
mod logs;
mod params;
mod rules;
mod sections;
mod server;
mod sticky;
mod strategy;
#[cfg(test)]
mod tests;
mod time;
mod words;

/// What is said of a configuration besides its pools.
#[derive(Debug, Default)]
struct Found {
    notes: Vec<Note>,
    faults: Vec<Fault>,
    /// Which pools the notes that come next are about.
    concerns: Concerns,
}

impl Found {
    fn note(&mut self, at: &Place, text: impl Into<String>) {
        self.notes.push(Note {
            at: at.clone(),
            text: text.into(),
            concerns: self.concerns.clone(),
        });
    }
}

/// Reads a file, or all files of a folder that end in `.cfg`, in the order of their names and
/// without hidden ones, as HAProxy's `-f` does (section 3 of the management guide).
pub fn read(path: &Path) -> Result<Configuration, ReadError> {
    let mut files = Vec::new();
    for path in paths(path)? {
        let text = std::fs::read_to_string(&path).map_err(io(&path))?;
        files.push(SourceFile { path, text });
    }
    read_files(files)
}

/// Reads a text as if it stood in the file of that path.
pub fn read_text(path: &Path, text: &str) -> Result<Configuration, ReadError> {
    read_files(vec![SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    }])
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> ReadError {
    let path = path.to_owned();
    move |source| ReadError::Io { path, source }
}

fn paths(path: &Path) -> Result<Vec<PathBuf>, ReadError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(path).map_err(io(path))? {
        let file = entry.map_err(io(path))?.path();
        let hidden = file
            .file_name()
            .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if file.is_file() && !hidden && file.extension().is_some_and(|end| end == "cfg") {
            paths.push(file);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read_files(files: Vec<SourceFile>) -> Result<Configuration, ReadError> {
    let mut found = Found::default();
    let mut sections = Vec::new();
    for (file, source) in files.iter().enumerate() {
        let lines = words::lines(file, &source.text, &mut found);
        let lines = conditions::read(lines, &mut found);
        sections.extend(sections::sections(lines, &mut found));
    }
    let log_formats = sections.iter().filter_map(logs::format).collect();
    for section in &sections {
        rules::global(section, &mut found);
    }
    let mut pools = Vec::new();
    let mut absent = Vec::new();
    for proxy in sections::proxies(sections, &mut found) {
        found.concerns = proxy.concerns();
        let pool = pool(&proxy, &mut found);
        if pool.is_none() && proxy.kind == sections::SectionKind::Backend {
            absent.push(Absent {
                pool: proxy.name.text.clone(),
                why: "no `server` lines: HAProxy answers such requests itself, or sends them on by `dispatch` or `transparent`",
            });
        }
        pools.extend(pool);
    }
    // Lines of `defaults` are read once for each proxy that they hold for.
    let Found {
        notes, mut faults, ..
    } = found;
    faults.sort_by_cached_key(|fault| (order(&fault.at), fault.message.clone()));
    faults.dedup();
    if !faults.is_empty() {
        return Err(ReadError::Faulty { files, faults });
    }
    Ok(Configuration {
        product: Product::Haproxy,
        files,
        pools,
        absent,
        notes: notes::sorted(notes),
        log_formats,
    })
}

fn order(at: &Place) -> (usize, usize, usize) {
    (at.file, at.range.start, at.range.end)
}

/// The pool of a proxy, if it has servers.
fn pool(proxy: &sections::Proxy, found: &mut Found) -> Option<Pool> {
    let mut servers = match proxy.kind.has_servers() {
        true => server::servers(&proxy.default_servers, &proxy.lines, found),
        false => Vec::new(),
    };
    let checked = servers.iter().any(|read| read.params.check.on);
    rules::notes(proxy, !servers.is_empty(), checked, found);
    if servers.is_empty() {
        return None;
    }
    let strategy = strategy::strategy(proxy, &mut servers, found);
    let balancer = balancer::balancer(proxy, &strategy, &mut servers, found);
    Some(Pool {
        name: proxy.name.text.clone(),
        at: proxy.at(),
        strategy,
        balancer,
        servers: servers.into_iter().map(|read| read.server).collect(),
    })
}
