//! Which server of a pool a log means.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use crate::config::Pool;
use crate::tabular;

/// Ports that a server without one has: those of HTTP and HTTPS.
const DEFAULT_PORTS: [&str; 2] = ["80", "443"];

/// The servers of a pool by all names that a log may have for them.
#[derive(Debug)]
pub(super) struct ServerNames {
    places: BTreeMap<String, usize>,
    /// By host alone, where one server only has it.
    hosts: BTreeMap<String, Option<usize>>,
}

/// A host without its port, and whether it had one.
fn host(address: &str) -> (&str, bool) {
    if let Some(rest) = address.strip_prefix('[') {
        return match rest.split_once(']') {
            Some((host, port)) => (host, port.starts_with(':')),
            None => (address, false),
        };
    }
    match address.split_once(':') {
        // More than one colon: an address of IPv6 without a port, or a path.
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, true),
        _ => (address, false),
    }
}

impl ServerNames {
    pub(super) fn new(pool: &Pool, names: &[(String, String)]) -> ServerNames {
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut hosts: BTreeMap<String, Option<usize>> = BTreeMap::new();
        for (at, server) in pool.servers.iter().enumerate() {
            places.entry(server.address.clone()).or_insert(at);
            places.entry(server.name.clone()).or_insert(at);
            let host = host(&server.address).0.to_owned();
            hosts
                .entry(host)
                .and_modify(|own| *own = None)
                .or_insert(Some(at));
        }
        // A server that is written without a port is logged with the one it has.
        for (at, server) in pool.servers.iter().enumerate() {
            if !host(&server.address).1 && !server.address.contains('/') {
                for port in DEFAULT_PORTS {
                    places
                        .entry(format!("{}:{port}", server.address))
                        .or_insert(at);
                }
            }
        }
        for (one, other) in names {
            match (places.get(one).copied(), places.get(other).copied()) {
                (Some(at), None) => places.insert(other.clone(), at),
                (None, Some(at)) => places.insert(one.clone(), at),
                _ => None,
            };
        }
        ServerNames { places, hosts }
    }

    /// The place of a server in the pool.
    #[inline]
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        if let Some(&at) = self.places.get(name) {
            return Some(at);
        }
        // `tcp://10.0.0.1:80` of Envoy, `http://10.0.0.1:80` of Traefik.
        let bare = name.split_once("://").map_or(name, |(_, bare)| bare);
        let bare = bare.strip_suffix('/').unwrap_or(bare);
        if let Some(&at) = self.places.get(bare) {
            return Some(at);
        }
        match host(bare) {
            (host, false) => self.hosts.get(host).copied().flatten(),
            _ => None,
        }
    }
}

/// Why names could not be read; a sentence without the path.
#[derive(Debug, thiserror::Error)]
pub enum Unnamed {
    /// The file system says no.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// It is no table.
    #[error("is no table of names: {0}")]
    Table(#[from] csv::Error),
    /// A row has not two names.
    #[error(
        "line {line}: two names of one server are due, as in `web1,10.0.0.1:80`, and there are {cells} cells"
    )]
    Cells {
        /// The line, from 1.
        line: u64,
        /// What it has instead.
        cells: usize,
    },
    /// Neither name is one of the pool.
    #[error("line {line}: the pool has a server neither of the name `{one}` nor of `{other}`")]
    Strange {
        /// The line, from 1.
        line: u64,
        /// The first name.
        one: String,
        /// The second.
        other: String,
    },
}

/// Longer files are no tables of names.
const LONGEST: u64 = 16 << 20;

/// Reads pairs of names of the servers of a pool, one pair a row, in either order, with a header or
/// without.
///
/// # Errors
/// Where the file cannot be read, or a row is no pair of which the pool knows one.
pub fn names(path: &Path, pool: &Pool) -> Result<Vec<(String, String)>, Unnamed> {
    let mut text = Vec::new();
    std::fs::File::open(path)?
        .take(LONGEST)
        .read_to_end(&mut text)?;
    let text = tabular::without_mark(&text);
    let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
    let mut rows = csv::ReaderBuilder::new()
        .delimiter(tabular::delimiter(&text[..end]))
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(text);
    let known = ServerNames::new(pool, &[]);
    let mut pairs = Vec::new();
    for (at, row) in rows.records().enumerate() {
        let row = row?;
        let line = row.position().map_or(0, csv::Position::line);
        let (Some(one), Some(other), 2) = (row.get(0), row.get(1), row.len()) else {
            return Err(Unnamed::Cells {
                line,
                cells: row.len(),
            });
        };
        match [one, other].map(|name| known.find(name)) {
            // The first row may be a header.
            [None, None] if at == 0 => {}
            [None, None] => {
                return Err(Unnamed::Strange {
                    line,
                    one: one.to_owned(),
                    other: other.to_owned(),
                });
            }
            _ => pairs.push((one.to_owned(), other.to_owned())),
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Place, Server};

    fn pool(servers: &[(&str, &str)]) -> Pool {
        let at = Place {
            file: 0,
            range: 0..0,
        };
        let server = |&(name, address): &(&str, &str)| Server {
            name: name.to_owned(),
            address: address.to_owned(),
            count: 1,
            weight: 1,
            weight_at: None,
            settings: toml::Table::new(),
            at: at.clone(),
        };
        Pool {
            name: "web".to_owned(),
            at: at.clone(),
            strategy: toml::Table::new(),
            balancer: toml::Table::new(),
            servers: servers.iter().map(server).collect(),
        }
    }

    #[test]
    fn servers_are_known_by_what_logs_call_them() {
        let pool = pool(&[
            ("s1", "10.0.0.1"),
            ("s2", "10.0.0.2:8080"),
            ("s3", "10.0.0.1:443"),
            ("s4", "[2001:db8::1]"),
            ("s5", "unix:/run/a.sock"),
        ]);
        let servers = ServerNames::new(&pool, &[("ten".to_owned(), "s2".to_owned())]);
        for (name, due) in [
            ("10.0.0.1:80", Some(0)),
            ("10.0.0.1:443", Some(2)),
            ("10.0.0.1:81", None),
            ("tcp://10.0.0.2:8080", Some(1)),
            ("http://10.0.0.2:8080/", Some(1)),
            ("10.0.0.2", Some(1)),
            ("10.0.0.2:80", None),
            ("s3", Some(2)),
            ("ten", Some(1)),
            ("[2001:db8::1]:80", Some(3)),
            ("2001:db8::1", Some(3)),
            ("unix:/run/a.sock", Some(4)),
            ("unix:/run/a.sock:80", None),
            ("", None),
        ] {
            assert_eq!(servers.find(name), due, "{name}");
        }
    }

    #[test]
    fn pairs_of_names() {
        let pool = pool(&[("web1", "web1:80"), ("web2", "web2:80")]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("names.csv");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            names(&path, &pool)
        };
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        let due = [pair("web1", "10.0.0.1:80"), pair("10.0.0.2:80", "web2:80")];
        for text in [
            "\u{feff}name;address\r\nweb1;10.0.0.1:80\r\n10.0.0.2:80;web2:80\r\n",
            "web1,10.0.0.1:80\n# others\n10.0.0.2:80, web2:80\n",
        ] {
            assert_eq!(read(text).unwrap(), due, "{text}");
        }
        let error = |text: &str| read(text).unwrap_err().to_string();
        assert!(error("a,b\nweb3,10.0.0.3:80\n").starts_with("line 2: the pool has"));
        assert!(error("web1,10.0.0.1:80\nweb2\n").contains("there are 1 cells"));
    }
}
