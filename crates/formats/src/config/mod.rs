//! Configurations of real balancers: what stands in them of pools, and where their weights stand.
//!
//! Each product has a module that reads its files as they are found and gives a [`Configuration`]:
//! pools of servers in the words of a scenario, a note for all that bears on balancing and was not
//! carried over, and for each server the place at which its weight is, or would be, written.
//! [`patch()`] puts other weights there and leaves everything else as it is.
//!
//! The module knows nothing of simulation: `import` makes a scenario of what it reads, `export`
//! writes weights back.

use std::ops::Range;
use std::path::PathBuf;

pub mod envoy;
mod fault;
pub mod haproxy;
pub mod nginx;
pub mod notes;
mod patch;
mod product;
pub mod rounding;

pub use fault::{Fault, ReadError, render};
pub use notes::{Concerns, Note};
pub use patch::{Patched, patch};
pub use product::Product;

/// A file of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it was read, as messages name it.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
}

/// Some bytes of one of a configuration's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which of [`Configuration::files`].
    pub file: usize,
    /// The bytes; both ends are character boundaries.
    pub range: Range<usize>,
}

/// All that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Configuration {
    /// Whose it is.
    pub product: Product,
    /// The files, the one that was named first, then those that it includes, in the order in which
    /// they were read.
    pub files: Vec<SourceFile>,
    /// The pools, in the order of the text. Those that no request can reach are among them.
    pub pools: Vec<Pool>,
    /// Pools without servers in the text, in the order of the text.
    pub absent: Vec<Absent>,
    /// What bears on balancing and was not carried over, in the order of the text.
    pub notes: Vec<Note>,
    /// Formats of access logs: name, and the format's text as the product would put it together.
    pub log_formats: Vec<(String, String)>,
}

/// A group of servers among which requests are shared out (nginx: upstream, HAProxy: backend or
/// listen, Envoy: cluster).
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Its name in the configuration.
    pub name: String,
    /// Where its name stands.
    pub at: Place,
    /// The strategy, as a scenario has it: a table that begins with `kind`.
    pub strategy: toml::Table,
    /// Further keys of a scenario's `[services.balancer]`: `timeout`, `queue-timeout`, `retry`,
    /// `health-check`, `sticky`.
    pub balancer: toml::Table,
    /// Its servers, in the order of the text, backups and those that are down among them.
    pub servers: Vec<Server>,
}

/// A line of a pool: one server, or several that share the line.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// What it is called in the configuration: HAProxy's name of it, elsewhere the address.
    pub name: String,
    /// Host and port, as the product hashes it.
    pub address: String,
    /// How many servers the line stands for.
    pub count: u32,
    /// Its weight: the product's default where none is written.
    pub weight: u32,
    /// Where the weight is, or would be, written; `None` where that cannot be done without touching
    /// anything else.
    pub weight_at: Option<WeightPlace>,
    /// Further keys of a scenario's `[[services.servers]]`: `max-connections`, `backup`, `down`,
    /// `zone`, `priority` and others.
    pub settings: toml::Table,
    /// Where it stands.
    pub at: Place,
}

/// Where a weight is written, or would be: `before`, the number, and `after` stand in place of
/// `place`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightPlace {
    /// The number that stands there now, or nothing, between two characters.
    pub place: Place,
    /// What comes before the number where there is none yet, such as ` weight=`.
    pub before: String,
    /// What comes after it.
    pub after: String,
}

impl WeightPlace {
    /// Whether a weight is written.
    pub fn is_written(&self) -> bool {
        !self.place.range.is_empty()
    }
}

/// A pool none of whose servers stand in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// The pool's name.
    pub pool: String,
    /// Where its servers come from, and how to get a text that has them: the end of a sentence that
    /// begins with names of pools.
    pub why: &'static str,
}

impl Configuration {
    /// The line of a place, from 1.
    pub fn line(&self, at: &Place) -> usize {
        self.files[at.file].text[..at.range.start]
            .matches('\n')
            .count()
            + 1
    }

    /// A place for people: `nginx.conf:12`.
    pub fn show(&self, at: &Place) -> String {
        format!("{}:{}", self.files[at.file].path.display(), self.line(at))
    }

    /// The notes that concern a pool.
    pub fn notes_of<'c>(&'c self, pool: &'c Pool) -> impl Iterator<Item = &'c Note> {
        let concerns = |note: &&Note| note.concerns.includes(&pool.name);
        self.notes.iter().filter(concerns)
    }

    /// The pool of a name.
    pub fn pool(&self, name: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.name == name)
    }
}

/// Groups of servers that a scenario has at most.
pub const MOST_GROUPS: usize = 1000;

/// Servers of a pool that are one group of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What the group is called there.
    pub name: String,
    /// Which of [`Pool::servers`] it stands for.
    pub servers: Range<usize>,
    /// How many servers that are: a line may stand for several.
    pub count: u32,
}

impl Pool {
    /// The servers as groups of a scenario: each line is one, unless a scenario would have too
    /// many. Then like servers in a row are one. `None` where there are too many even so.
    ///
    /// A group is called as its first server with all but letters, digits, `.`, `_` and `-` made
    /// `-`, at most 40 characters, and a number where two would be the same, or one be called as a
    /// server of another that stands for several.
    pub fn groups(&self) -> Option<Vec<Group>> {
        let alike = |one: &Server, other: &Server| {
            one.weight == other.weight && one.settings == other.settings
        };
        let runs: Vec<Range<usize>> = match self.servers.len() > MOST_GROUPS {
            false => (0..self.servers.len()).map(|at| at..at + 1).collect(),
            true => {
                let runs = self.servers.chunk_by(alike);
                let mut from = 0;
                runs.map(|run| {
                    let range = from..from + run.len();
                    from = range.end;
                    range
                })
                .collect()
            }
        };
        if runs.len() > MOST_GROUPS {
            return None;
        }
        let mut groups: Vec<Group> = Vec::with_capacity(runs.len());
        for servers in runs {
            let own = &self.servers[servers.clone()];
            let counts = own.iter().map(|server| server.count);
            let count = counts.fold(0, u32::saturating_add);
            let plain = scenario_name(&own[0].name);
            let mut name = plain.clone();
            let mut number = 2;
            let is_taken = |name: &str| {
                groups.iter().any(|other| {
                    other.name == name
                        || is_one_of(name, &other.name, other.count)
                        || is_one_of(&other.name, name, count)
                })
            };
            while is_taken(&name) {
                let end = format!("-{number}");
                name = format!("{}{end}", &plain[..plain.len().min(40 - end.len())]);
                number += 1;
            }
            groups.push(Group {
                name,
                servers,
                count,
            });
        }
        Some(groups)
    }
}

/// Whether `name` is what one of `count` servers of a group is called: `web` of two makes `web-1`
/// and `web-2`.
fn is_one_of(name: &str, group: &str, count: u32) -> bool {
    let number = name
        .strip_prefix(group)
        .and_then(|rest| rest.strip_prefix('-'));
    count > 1
        && number.is_some_and(|digits| {
            let number = digits
                .parse()
                .ok()
                .filter(|number: &u32| number.to_string() == digits);
            number.is_some_and(|number| (1..=count).contains(&number))
        })
}

/// A name as a scenario may have it.
pub fn scenario_name(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
            c
        } else {
            '-'
        }
    };
    let name: String = name.chars().map(plain).take(40).collect();
    if name.is_empty() {
        "server".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(pool: &Pool) -> Vec<String> {
        let groups = pool.groups().unwrap().into_iter();
        groups.map(|group| group.name).collect()
    }

    #[test]
    fn names_are_plain_and_differ() {
        let server = |name: &str| Server {
            name: name.to_owned(),
            address: name.to_owned(),
            count: if name == "many" { 3 } else { 1 },
            weight: 1,
            weight_at: None,
            settings: toml::Table::new(),
            at: Place {
                file: 0,
                range: 0..0,
            },
        };
        let pool = Pool {
            name: "web".to_owned(),
            at: Place {
                file: 0,
                range: 0..0,
            },
            strategy: toml::Table::new(),
            balancer: toml::Table::new(),
            servers: [
                "10.0.0.1:80",
                "10.0.0.1-80",
                "[::1]:80",
                "é",
                "many",
                "many-3",
                "many-4",
            ]
            .map(server)
            .into(),
        };
        assert_eq!(
            names(&pool),
            [
                "10.0.0.1-80",
                "10.0.0.1-80-2",
                "---1--80",
                "-",
                "many",
                "many-3-2",
                "many-4"
            ]
        );
    }
}
