//! `server` and `server-template` lines (sections 4.2 and 5 of the configuration manual).

use super::Found;
use super::params::Params;
use super::words::{ConfigLine, ConfigWord};
use crate::config::{Fault, Note, Place, Server, WeightPlace};
use crate::prose::counted;

/// A line and what it says.
#[derive(Clone, Debug)]
pub(super) struct ServerRead {
    pub(super) server: Server,
    pub(super) params: Params,
    /// The names that it gives: one, or a prefix and the numbers after it.
    names: (String, Option<(u32, u32)>),
    /// Where its name stands.
    pub(super) name_at: Place,
}

/// The servers of a proxy, in order; each takes what the `default-server` lines before it say.
pub(super) fn servers(
    defaults: &[ConfigLine],
    lines: &[ConfigLine],
    found: &mut Found,
) -> Vec<ServerRead> {
    let mut given = Params::default();
    for line in defaults {
        given.add(line.from(1), found);
    }
    let mut servers: Vec<ServerRead> = Vec::new();
    let before = std::mem::take(&mut found.notes);
    for line in lines {
        let read = match line.text(0) {
            "default-server" => {
                given.add(line.from(1), found);
                continue;
            }
            "server" => server(line, &given, found),
            "server-template" => template(line, &given, found),
            _ => continue,
        };
        let Some(read) = read else { continue };
        if servers.iter().any(|other| share(&other.names, &read.names)) {
            let message = format!(
                "a second server called `{}` in this proxy",
                read.server.name
            );
            found.faults.push(
                Fault::new(read.name_at.clone(), message)
                    .help("give it another name: HAProxy takes each once in a proxy"),
            );
        }
        servers.push(read);
    }
    let own = std::mem::replace(&mut found.notes, before);
    found.notes.extend(gathered(own));
    servers
}

/// What is said alike of several lines, once, where it is said first.
fn gathered(notes: Vec<Note>) -> impl Iterator<Item = Note> {
    let mut known: Vec<(Note, usize)> = Vec::new();
    for note in notes {
        match known.iter_mut().find(|(other, _)| other.text == note.text) {
            Some((_, number)) => *number += 1,
            None => known.push((note, 1)),
        }
    }
    known.into_iter().map(|(mut note, number)| {
        if number > 1 {
            let end = note.text.trim_end_matches('.').len();
            note.text.truncate(end);
            note.text.push_str(&match number {
                2 => " (here and in one more line of this proxy).".to_owned(),
                _ => format!(" (here and in {} more lines of this proxy).", number - 1),
            });
        }
        note
    })
}

fn server(line: &ConfigLine, given: &Params, found: &mut Found) -> Option<ServerRead> {
    let [_, name, address, params @ ..] = line.words.as_slice() else {
        found.faults.push(
            Fault::new(line.at.clone(), format!("`{}` has no address", line.show()))
                .help("write a name and an address, as in `server web1 10.0.0.1:80`"),
        );
        return None;
    };
    let names = (name.text.clone(), None);
    Some(read(line, name, address, params, given, names, found))
}

/// `server-template PREFIX NUM|LOW-HIGH FQDN[:PORT] params`: servers that share a line and so a
/// weight.
fn template(line: &ConfigLine, given: &Params, found: &mut Found) -> Option<ServerRead> {
    let [_, prefix, range, address, params @ ..] = line.words.as_slice() else {
        found.faults.push(
            Fault::new(line.at.clone(), format!("`{}` is not whole", line.show()))
                .help("write a prefix, a number and a name to resolve, as in `server-template web 3 example.com:80`"),
        );
        return None;
    };
    let (low, high) = numbers(range, found)?;
    let names = (prefix.text.clone(), Some((low, high)));
    let count = high - low + 1;
    let mut read = read(line, prefix, address, params, given, names, found);
    read.server.count = count;
    found.note(
        &line.at,
        format!(
            "`server-template {}` stands for {}, all of which a scenario has: HAProxy fills as many of them as the name resolves to.",
            prefix.text,
            counted(count, "server")
        ),
    );
    Some(read)
}

fn numbers(word: &ConfigWord, found: &mut Found) -> Option<(u32, u32)> {
    let range = match word.text.split_once('-') {
        Some((low, high)) => low.parse().ok().zip(high.parse().ok()),
        None => word.text.parse().ok().map(|high| (1, high)),
    };
    // A scenario has at most a million servers in a group.
    let range =
        range.filter(|(low, high): &(u32, u32)| low <= high && *high > 0 && high - low < 1_000_000);
    if range.is_none() {
        found.faults.push(
            Fault::new(
                word.at.clone(),
                format!(
                    "`{}` is no number of servers: expected one such as `3` or `1-3`",
                    word.text
                ),
            )
            .help("write how many servers the line stands for"),
        );
    }
    range
}

fn read(
    line: &ConfigLine,
    name: &ConfigWord,
    address: &ConfigWord,
    params: &[ConfigWord],
    given: &Params,
    names: (String, Option<(u32, u32)>),
    found: &mut Found,
) -> ServerRead {
    let mut own = given.clone();
    own.add(params, found);
    if address.variable {
        found.note(
            &address.at,
            format!(
                "The address `{}` names an environment variable, whose value is not known here.",
                address.text
            ),
        );
    }
    let weight_at = own.weight_at.take().map_or_else(
        || after(&address.at),
        |at| WeightPlace {
            place: at,
            before: String::new(),
            after: String::new(),
        },
    );
    ServerRead {
        server: Server {
            name: name.text.clone(),
            address: address.text.clone(),
            count: 1,
            weight: own.weight,
            weight_at: Some(weight_at),
            settings: settings(&own),
            at: line.at.clone(),
        },
        params: own,
        names,
        name_at: name.at.clone(),
    }
}

/// Right after the address, where any parameter may begin.
fn after(address: &Place) -> WeightPlace {
    let end = address.range.end;
    WeightPlace {
        place: Place {
            file: address.file,
            range: end..end,
        },
        before: " weight ".to_owned(),
        after: String::new(),
    }
}

/// The keys of a scenario's `[[services.servers]]`.
fn settings(params: &Params) -> toml::Table {
    // A `minconn` that is not below `maxconn` takes its place (`check_config_validity` of
    // src/cfgparse.c).
    let (min, max) = match params.minconn >= params.maxconn {
        true => (0, params.minconn),
        false => (params.minconn, params.maxconn),
    };
    let mut table = toml::Table::new();
    let numbers = [
        ("max-connections", max),
        ("min-connections", min),
        ("max-queue", params.maxqueue),
    ];
    for (key, number) in numbers.into_iter().filter(|(_, number)| *number > 0) {
        table.insert(key.to_owned(), i64::from(number).into());
    }
    for (key, on) in [("backup", params.backup), ("down", params.disabled)] {
        if on {
            table.insert(key.to_owned(), true.into());
        }
    }
    table
}

/// Whether two lines give the same name to a server.
fn share(one: &(String, Option<(u32, u32)>), other: &(String, Option<(u32, u32)>)) -> bool {
    match (&one.1, &other.1) {
        (None, None) => one.0 == other.0,
        (Some(range), None) => has(&one.0, *range, &other.0),
        (None, Some(range)) => has(&other.0, *range, &one.0),
        (Some(a), Some(b)) => one.0 == other.0 && a.0 <= b.1 && b.0 <= a.1,
    }
}

fn has(prefix: &str, (low, high): (u32, u32), name: &str) -> bool {
    let number = name
        .strip_prefix(prefix)
        .and_then(|end| end.parse::<u32>().ok());
    number
        .is_some_and(|number| (low..=high).contains(&number) && name == format!("{prefix}{number}"))
}
