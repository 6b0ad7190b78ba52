//! Lines to sections, and sections to proxies with the settings that are in force for them.

use std::collections::BTreeMap;

use super::Found;
use super::words::{ConfigLine, ConfigWord};
use crate::config::{Concerns, Fault, Place};

/// What a section is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SectionKind {
    Defaults,
    Frontend,
    Backend,
    Listen,
    /// One that says nothing of balancing.
    Other,
}

impl SectionKind {
    /// The kind that a line's first word begins, if any. Those of [`SectionKind::Other`] are all of
    /// the manual up to 3.2.
    fn of(word: &str) -> Option<SectionKind> {
        Some(match word {
            "defaults" => SectionKind::Defaults,
            "frontend" => SectionKind::Frontend,
            "backend" => SectionKind::Backend,
            "listen" => SectionKind::Listen,
            "global" | "peers" | "resolvers" | "userlist" | "cache" | "program" | "ring"
            | "http-errors" | "mailers" | "fcgi-app" | "log-forward" | "log-profile"
            | "crt-store" | "traces" | "acme" => SectionKind::Other,
            _ => return None,
        })
    }

    pub(super) fn has_servers(self) -> bool {
        matches!(self, SectionKind::Backend | SectionKind::Listen)
    }

    pub(super) fn has_clients(self) -> bool {
        matches!(self, SectionKind::Frontend | SectionKind::Listen)
    }
}

/// A section.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) kind: SectionKind,
    /// Its first line: keyword, name and others.
    pub(super) head: ConfigLine,
    /// Its other lines.
    pub(super) lines: Vec<ConfigLine>,
}

/// The sections of a file. Each file begins with one, since its end closes the last one of the file
/// before it (section 2.1).
pub(super) fn sections(lines: Vec<ConfigLine>, found: &mut Found) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut outside = false;
    for line in lines {
        if let Some(kind) = SectionKind::of(line.text(0)) {
            let lines = Vec::new();
            sections.push(Section {
                kind,
                head: line,
                lines,
            });
        } else if let Some(section) = sections.last_mut() {
            section.lines.push(line);
        } else if !outside {
            outside = true; // once: what follows stands outside for the same reason
            found.faults.push(
                Fault::new(
                    line.at.clone(),
                    format!(
                        "`{}` stands outside of any section: expected `global`, `defaults`, `frontend`, `backend`, `listen` or \
                         another section first",
                        line.text(0)
                    ),
                )
                .help("check that this is a configuration of HAProxy, and that it is whole"),
            );
        }
    }
    sections
}

/// Settings by their names, of which the last one counts: `balance`, `timeout server`, `option
/// redispatch` and so on.
pub(super) type SectionSettings = BTreeMap<String, ConfigLine>;

/// A `defaults` section, with what it takes from another one.
#[derive(Clone, Debug, Default)]
struct Defaults {
    name: String,
    settings: SectionSettings,
    default_servers: Vec<ConfigLine>,
}

/// A frontend, backend or listen.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    pub(super) kind: SectionKind,
    pub(super) name: ConfigWord,
    /// What is in force, by defaults or its own lines.
    pub(super) settings: SectionSettings,
    /// The `default-server` lines of its defaults.
    pub(super) default_servers: Vec<ConfigLine>,
    /// Its own lines.
    pub(super) lines: Vec<ConfigLine>,
}

impl Proxy {
    /// Whether it passes connections on without looking into them: `mode tcp`, which is also the
    /// default (section 4.2, "mode").
    pub(super) fn is_tcp(&self) -> bool {
        self.settings
            .get("mode")
            .is_none_or(|line| line.text(1) != "http")
    }

    /// The pools that its lines are about: itself, and those that it sends requests to.
    pub(super) fn concerns(&self) -> Concerns {
        let own = self.kind.has_servers().then_some(&self.name);
        let rules = self
            .lines
            .iter()
            .filter(|line| line.text(0) == "use_backend");
        let lines = rules.chain(self.settings.get("default_backend"));
        let named = lines.filter_map(|line| line.words.get(1));
        let words: Vec<&ConfigWord> = own.into_iter().chain(named).collect();
        match words
            .iter()
            .any(|word| word.variable || word.text.contains("%["))
        {
            true => Concerns::Any,
            false => Concerns::pools(words.iter().map(|word| word.text.as_str())),
        }
    }

    /// Where its name stands.
    pub(super) fn at(&self) -> Place {
        self.name.at.clone()
    }
}

/// The proxies of all files, in order.
pub(super) fn proxies(sections: Vec<Section>, found: &mut Found) -> Vec<Proxy> {
    let mut all: Vec<Defaults> = Vec::new();
    let mut proxies: Vec<Proxy> = Vec::new();
    for section in sections {
        let kind = section.kind;
        if kind == SectionKind::Other {
            continue;
        }
        let given = from(&section, &all, found);
        if kind == SectionKind::Defaults {
            let mut defaults = Defaults {
                name: defaults_name(&section),
                ..given.unwrap_or_default()
            };
            apply(&section.lines, &mut defaults.settings);
            for line in section.lines {
                match line.text(0) {
                    "default-server" => defaults.default_servers.push(line),
                    word @ ("server" | "server-template") => found.faults.push(
                        Fault::new(line.at.clone(), format!("`{word}` in a `defaults` section"))
                            .help("move it to a `backend` or `listen`; `default-server` says what servers have in common"),
                    ),
                    _ => {}
                }
            }
            all.push(defaults);
            continue;
        }
        // Without `from` it is the last one before it (section 4).
        let given = given.or_else(|| all.last().cloned()).unwrap_or_default();
        let mut settings = given.settings;
        apply(&section.lines, &mut settings);
        let Some(name) = section.head.words.get(1).cloned() else {
            let word = section.head.text(0);
            found.faults.push(
                Fault::new(section.head.at.clone(), format!("`{word}` without a name"))
                    .help(format!("write its name after it, as in `{word} web`")),
            );
            continue;
        };
        if let Some(other) = proxies.iter().find(|other| collide(other, kind, &name)) {
            let message = format!(
                "a second proxy of the name `{}`: HAProxy takes each name once among those with {}",
                name.text,
                if kind.has_servers() && other.kind.has_servers() {
                    "servers"
                } else {
                    "clients"
                }
            );
            found
                .faults
                .push(Fault::new(name.at.clone(), message).help("give it another name"));
        }
        proxies.push(Proxy {
            kind,
            name,
            settings,
            default_servers: given.default_servers,
            lines: section.lines,
        });
    }
    proxies
}

/// A frontend and a backend may share a name, two with servers or two with clients may not
/// (section 4).
fn collide(other: &Proxy, kind: SectionKind, name: &ConfigWord) -> bool {
    let overlap = (other.kind.has_servers() && kind.has_servers())
        || (other.kind.has_clients() && kind.has_clients());
    overlap && other.name.text == name.text
}

/// A `defaults` section's name; empty where it has none.
pub(super) fn defaults_name(section: &Section) -> String {
    let head = &section.head;
    let nameless = head.text(1) == "from" && head.words.len() == 3;
    if nameless {
        String::new()
    } else {
        head.text(1).to_owned()
    }
}

/// The defaults that a section names by `from`.
fn from(section: &Section, all: &[Defaults], found: &mut Found) -> Option<Defaults> {
    let head = &section.head;
    let after = head
        .words
        .iter()
        .skip(1)
        .position(|word| word.text == "from")?
        + 2;
    // `listen from` is one that is called so.
    let named = head.words.get(after)?;
    let defaults = all
        .iter()
        .rev()
        .find(|defaults| defaults.name == named.text)
        .cloned();
    if defaults.is_none() {
        found.faults.push(
            Fault::new(
                named.at.clone(),
                format!(
                    "no `defaults` section called `{}` stands before this",
                    named.text
                ),
            )
            .help("write `defaults` and that name at the head of a section further up"),
        );
    }
    defaults
}

/// Puts the settings of some lines into those that are in force.
fn apply(lines: &[ConfigLine], settings: &mut SectionSettings) {
    for line in lines {
        let negated = matches!(line.text(0), "no" | "default");
        let first = usize::from(negated);
        let key = match (line.text(first), line.text(first + 1)) {
            // Words of versions up to 2.0.
            ("contimeout", _) => "timeout connect".to_owned(),
            ("srvtimeout", _) => "timeout server".to_owned(),
            ("redispatch", _) => "option redispatch".to_owned(),
            // `retry-on` and others are known by one word, these by two.
            (word @ ("option" | "timeout"), second) => format!("{word} {second}"),
            (word, _) => word.to_owned(),
        };
        if negated {
            settings.remove(&key);
        } else if key == "enabled" {
            settings.remove("disabled");
        } else {
            settings.insert(key, line.clone());
        }
    }
}
