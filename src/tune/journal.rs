//! What a search has measured so far, on disk: since the search is a function of what it measures, one that is interrupted goes on
//! by walking the same way, and simulates only what is new.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::trial::Sample;
use crate::scenario::Scenario;

/// A candidate, and the part of its replications.
pub(super) type Key = (String, u32);

/// What a candidate measured in some replications, by situation and replication, and the requests that this took.
pub(super) type Measured = (Vec<Vec<Sample>>, u64);

/// A line of the journal.
#[derive(Serialize, Deserialize)]
struct Record<K, M> {
    key: K,
    measured: M,
}

/// The measurements of one search: a line of JSON each, after a line that says which search they are of.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    header: String,
    file: Option<File>,
    known: BTreeMap<Key, Measured>,
}

impl Journal {
    /// The journal at `path`, with what an earlier search over the same scenario, by the same version, left there.
    ///
    /// # Errors
    /// Where there is a file and it cannot be read.
    pub fn open(path: &Path, scenario: &Scenario) -> io::Result<Journal> {
        let program = concat!("lbsim ", env!("CARGO_PKG_VERSION"));
        let hash = crc32fast::hash(scenario.resolved.to_string().as_bytes());
        let mut journal = Journal {
            path: path.to_owned(),
            header: format!("{program} tune {} {hash:08x}\n", scenario.file_name),
            file: None,
            known: BTreeMap::new(),
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(journal),
            Err(error) => return Err(error),
        };
        let Some(lines) = text.strip_prefix(&journal.header) else {
            return Ok(journal);
        };
        let mut whole = journal.header.len() as u64;
        for line in lines.split_inclusive('\n') {
            let record = line
                .strip_suffix('\n')
                .and_then(|line| serde_json::from_str(line).ok());
            // What a kill cut short is the end.
            let Some(Record { key, measured }): Option<Record<Key, Measured>> = record else {
                break;
            };
            journal.known.insert(key, measured);
            whole += line.len() as u64;
        }
        let file = OpenOptions::new().append(true).open(path)?;
        file.set_len(whole)?;
        journal.file = Some(file);
        Ok(journal)
    }

    /// How many measurements it has.
    pub fn known(&self) -> usize {
        self.known.len()
    }

    pub(super) fn find(&self, key: &Key) -> Option<&Measured> {
        self.known.get(key)
    }

    /// Notes a measurement. A journal that cannot be written does not stop the search: it only cannot be gone on with.
    pub(super) fn note(&mut self, key: &Key, measured: &(&Vec<Vec<Sample>>, u64)) {
        let Ok(mut line) = serde_json::to_string(&Record { key, measured }) else {
            return;
        };
        line.push('\n');
        if self.file.is_none() {
            let created = File::create(&self.path);
            self.file = created
                .and_then(|mut new| new.write_all(self.header.as_bytes()).map(|()| new))
                .ok();
        }
        if let Some(file) = &mut self.file {
            let _ = file.write_all(line.as_bytes());
        }
    }

    /// Takes it away: the search is complete.
    pub fn remove(self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
