//! Envoy: clusters as pools.
//!
//! The way is text → tree of YAML, of which JSON is a part (`tree`) → resources of the bootstrap,
//! of discovery files and of dumps (`sources`) → pools (`cluster`, `strategy`, `endpoints`), and
//! what routes to them say (`routes`). Fields have the names of Envoy 1.40's API, version 3, in
//! either of the spellings of its JSON form; of version 2 `hosts` is read too.
//!
//! Values that Envoy would refuse are faults. What is sound but has no counterpart in a scenario
//! yields a note.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Absent, Concerns, Configuration, Place, Product, ReadError, notes};

mod access_log;
mod cluster;
mod endpoints;
mod filters;
mod reader;
mod routes;
mod sources;
mod strategy;
#[cfg(test)]
mod tests;
mod tree;

use cluster::ClusterRead;
use reader::Reader;
use routes::Routes;
use sources::Load;

/// Reads a configuration, and the files of discovery that it names: at the path that it gives, seen
/// from the folder of the first file, or beside that under the same name, since configurations are
/// often looked at elsewhere than where they are in force.
pub fn read(path: &Path) -> Result<Configuration, ReadError> {
    let text = fs::read_to_string(path).map_err(|source| ReadError::Io {
        path: path.to_owned(),
        source,
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    read_with(path, &text, &|name| {
        let beside = name.file_name().map(|name| folder.join(name));
        let places = [Some(folder.join(name)), beside];
        places.into_iter().flatten().find_map(|path| {
            // Devices and pipes may have no end.
            let text = path.is_file().then(|| fs::read_to_string(&path).ok())??;
            Some((path, text))
        })
    })
}

/// Reads a configuration of one file, whose path serves for messages only.
pub fn read_text(path: &Path, text: &str) -> Result<Configuration, ReadError> {
    read_with(path, text, &|_| None)
}

fn read_with(path: &Path, text: &str, load: Load<'_>) -> Result<Configuration, ReadError> {
    let mut reader = Reader::default();
    let resources = sources::collect(&mut reader, path, text, load);
    let mut read: Vec<ClusterRead> = Vec::new();
    let mut names: BTreeMap<&str, ()> = BTreeMap::new();
    for cluster in &resources.clusters {
        let name = cluster.get("name");
        if let Some((name, node)) = name.and_then(|node| Some((node.scalar()?, node)))
            && names.insert(name, ()).is_some()
        {
            reader.fault(node, format!("there is a cluster `{name}` already"));
            continue;
        }
        reader.concerns = Concerns::pools(name.and_then(|node| node.scalar()));
        read.extend(cluster::read(&mut reader, cluster, &resources.assignments));
    }
    reader.concerns = Concerns::Any;
    let mut routes = Routes::new(&mut read);
    for listener in &resources.listeners {
        routes.listener(&mut reader, listener);
    }
    for table in &resources.routes {
        routes.table(&mut reader, table, false);
    }
    let log_formats = access_log::formats(&resources.listeners);
    let Reader {
        files,
        mut faults,
        notes,
        ..
    } = reader;
    if !faults.is_empty() {
        faults.sort_by_key(|fault| order(&fault.at));
        faults.dedup();
        return Err(ReadError::Faulty { files, faults });
    }
    let without = read.iter().filter(|read| read.pool.servers.is_empty());
    let absent = without.map(|read| Absent {
        pool: read.pool.name.clone(),
        why: read.elsewhere.unwrap_or("no endpoints"),
    });
    Ok(Configuration {
        product: Product::Envoy,
        files,
        absent: absent.collect(),
        pools: read.into_iter().map(|read| read.pool).collect(),
        notes: notes::sorted(notes),
        log_formats,
    })
}

/// What comes first in the text.
fn order(at: &Place) -> (usize, usize, usize) {
    (at.file, at.range.start, at.range.end)
}
