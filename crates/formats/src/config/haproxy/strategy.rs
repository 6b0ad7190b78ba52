//! `balance`, `hash-type` and what goes with them (section 4.2 of the configuration manual), as a
//! scenario's strategy.

use toml::{Table, Value};

use super::Found;
use super::params::number;
use super::sections::Proxy;
use super::server::ServerRead;
use super::time::Time;
use super::words::{ConfigLine, ConfigWord};
use crate::config::Fault;

/// A proxy's strategy.
pub(super) fn strategy(proxy: &Proxy, servers: &mut [ServerRead], found: &mut Found) -> Table {
    let mut table = match proxy
        .settings
        .get("balance")
        .filter(|line| line.words.len() > 1)
    {
        Some(line) => balance(line, found),
        None => unset(proxy, servers, found),
    };
    let kind = table
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let hashes = matches!(
        kind.as_str(),
        "haproxy-source" | "haproxy-uri" | "haproxy-url-param" | "haproxy-hdr" | "haproxy-hash"
    );
    let mut consistent = false;
    if hashes && let Some(line) = proxy.settings.get("hash-type") {
        consistent = hash_type(line, &mut table, found);
    }
    if let Some(line) = proxy.settings.get("hash-balance-factor") {
        factor(line, consistent, &kind, &mut table, found);
    }
    let ordered = kind == "haproxy-first" || kind == "haproxy-random" || consistent;
    if let Some(at) = servers
        .iter()
        .filter(|_| ordered)
        .find_map(|read| read.params.order.clone())
    {
        found.note(
            &at,
            "`id` and `hash-key` give servers other places in HAProxy's order or on its ring; in a scenario they come in the order \
             in which they are written.",
        );
    }
    slowstart(servers, &mut table);
    if proxy.settings.contains_key("option allbackups") {
        table.insert("allbackups".to_owned(), true.into());
    }
    fullconn(proxy, servers, &mut table, found);
    table
}

fn kind(name: &str) -> Table {
    let mut table = Table::new();
    table.insert("kind".to_owned(), format!("haproxy-{name}").into());
    table
}

/// Without `balance` it is roundrobin up to 3.2, and random from 3.3 on (commit 93cc18ac of
/// 2025-09).
fn unset(proxy: &Proxy, servers: &[ServerRead], found: &mut Found) -> Table {
    let number: u64 = servers
        .iter()
        .map(|read| u64::from(read.server.count))
        .sum();
    if number > 1 {
        found.note(
            &proxy.at(),
            format!(
                "`{}` has no `balance` and gets HAProxy's default up to 3.2, `roundrobin`; from 3.3 on it is `random`.",
                proxy.name.text
            ),
        );
    }
    kind("roundrobin")
}

fn balance(line: &ConfigLine, found: &mut Found) -> Table {
    let Some(algorithm) = line.words.get(1) else {
        return kind("roundrobin");
    };
    let text = algorithm.text.as_str();
    let (name, argument) = match text.split_once('(') {
        Some((name, rest)) => (name, Some(rest.trim_end_matches(')'))),
        None => (text, None),
    };
    let stands_for_key = |found: &mut Found, what: &str| {
        let text = format!(
            "`{}` hashes {what}; a request of a scenario has one key, which stands for it.",
            line.show()
        );
        found.note(&line.at, text);
    };
    match name {
        "roundrobin" | "static-rr" | "leastconn" | "first" | "source" => kind(name),
        "uri" => uri(line, found),
        "url_param" => {
            stands_for_key(found, "a parameter of the query");
            kind("url-param")
        }
        "hdr" => {
            stands_for_key(found, "a header");
            kind("hdr")
        }
        "rdp-cookie" => {
            stands_for_key(found, "a cookie of RDP");
            kind("hash")
        }
        "hash" if line.text(2).starts_with("src") => {
            let text = format!(
                "`{}` is carried over as `balance source`, whose hash differs.",
                line.show()
            );
            found.note(&line.at, text);
            kind("source")
        }
        "hash" => {
            stands_for_key(found, "the value of an expression");
            kind("hash")
        }
        "random" => random(algorithm, argument, found),
        // `mode log` of 2.9 and later shares out log lines, not requests.
        "sticky" | "log-hash" => {
            found.note(
                &line.at,
                format!("`{}` is carried over as `balance roundrobin`.", line.show()),
            );
            kind("roundrobin")
        }
        _ => {
            found.faults.push(
                Fault::new(algorithm.at.clone(), format!("`{text}` is not an algorithm of HAProxy")).help(
                    "expected roundrobin, static-rr, leastconn, first, source, uri, url_param, hdr(name), hash, random or \
                     rdp-cookie",
                ),
            );
            kind("roundrobin")
        }
    }
}

fn uri(line: &ConfigLine, found: &mut Found) -> Table {
    let mut table = kind("uri");
    let mut words = line.from(2).iter();
    while let Some(word) = words.next() {
        match (word.text.as_str(), words.as_slice().first()) {
            ("whole", _) => {
                table.insert("whole".to_owned(), true.into());
            }
            (key @ ("len" | "depth"), Some(value)) => {
                words.next();
                if let Some(number) = number(value, key, 1..=u32::MAX, found) {
                    table.insert(key.to_owned(), i64::from(number).into());
                }
            }
            _ => {}
        }
    }
    table
}

fn random(algorithm: &ConfigWord, argument: Option<&str>, found: &mut Found) -> Table {
    let mut table = kind("random");
    let Some(argument) = argument.filter(|text| !text.is_empty()) else {
        return table;
    };
    match argument.parse::<u32>() {
        Ok(draws) if draws > 0 => {
            if draws > 1000 {
                let text = format!(
                    "`random({draws})` is carried over with the most that a scenario takes, 1000 draws."
                );
                found.note(&algorithm.at, text);
            }
            table.insert("draws".to_owned(), i64::from(draws.min(1000)).into());
        }
        _ => found.faults.push(
            Fault::new(
                algorithm.at.clone(),
                format!(
                    "`random` draws `{argument}` servers: expected a whole number of at least 1"
                ),
            )
            .help("leave the number out for 2 draws"),
        ),
    }
    table
}

/// `hash-type METHOD [FUNCTION [avalanche]]`; whether it is consistent.
fn hash_type(line: &ConfigLine, table: &mut Table, found: &mut Found) -> bool {
    let [_, method, rest @ ..] = line.words.as_slice() else {
        return false;
    };
    let consistent = method.text == "consistent";
    if !consistent && method.text != "map-based" {
        found.faults.push(Fault::new(
            method.at.clone(),
            format!(
                "`hash-type` is `{}`: expected `map-based` or `consistent`",
                method.text
            ),
        ));
        return false;
    }
    table.insert("hash-type".to_owned(), method.text.as_str().into());
    for word in rest {
        match word.text.as_str() {
            "avalanche" => table.insert("avalanche".to_owned(), true.into()),
            function @ ("sdbm" | "djb2" | "wt6" | "crc32") => {
                table.insert("hash-function".to_owned(), function.into())
            }
            other => {
                let text = format!(
                    "`{other}` is not carried over: a scenario hashes by sdbm, djb2, wt6 or crc32."
                );
                found.note(&word.at, text);
                None
            }
        };
    }
    consistent
}

fn factor(line: &ConfigLine, consistent: bool, kind: &str, table: &mut Table, found: &mut Found) {
    let Some(word) = line.words.get(1) else {
        return;
    };
    let Some(number) = number(word, "hash-balance-factor", 0..=u32::MAX, found) else {
        return;
    };
    match number {
        0 => {}
        1..=100 => found.faults.push(Fault::new(
            word.at.clone(),
            format!("`hash-balance-factor` is {number}: expected 0, or more than 100 percent"),
        )),
        _ if consistent => {
            table.insert("hash-balance-factor".to_owned(), i64::from(number.min(100_000)).into());
        }
        _ if kind == "haproxy-random" => found.note(
            &line.at,
            "`hash-balance-factor` is not carried over: a scenario's `haproxy-random` knows no bound.",
        ),
        // It says nothing to other algorithms.
        _ => {}
    }
}

/// What most servers have stands for the whole pool, and for the others their own.
fn slowstart(servers: &mut [ServerRead], table: &mut Table) {
    let of = |read: &ServerRead| read.params.slowstart.filter(|time| !time.is_zero());
    let Some(most) = most_common(servers.iter().map(|read| (of(read), read.server.count))) else {
        return;
    };
    if let Some(time) = most {
        table.insert("slowstart".to_owned(), time.scenario().into());
    }
    for read in servers {
        let own = of(read);
        if own != most {
            let own = own.map_or("0s".to_owned(), Time::scenario);
            let settings = &mut read.server.settings;
            settings.insert("slow-start".to_owned(), own.into());
        }
    }
}

fn fullconn(proxy: &Proxy, servers: &[ServerRead], table: &mut Table, found: &mut Found) {
    let written = proxy
        .settings
        .get("fullconn")
        .and_then(|line| line.words.get(1));
    match written
        .and_then(|word| number(word, "fullconn", 0..=u32::MAX, found))
        .filter(|number| *number > 0)
    {
        Some(number) => {
            table.insert("fullconn".to_owned(), i64::from(number).into());
        }
        None => {
            let rising = |read: &&ServerRead| read.server.settings.contains_key("min-connections");
            if let Some(read) = servers.iter().find(rising) {
                found.note(
                    &read.server.at,
                    "`minconn` without `fullconn`: HAProxy takes a tenth of the `maxconn` of all frontends that lead here, a \
                     scenario takes 1000.",
                );
            }
        }
    }
}

/// The value of most servers; of several with as many, the first.
pub(super) fn most_common<T: PartialEq>(values: impl Iterator<Item = (T, u32)>) -> Option<T> {
    let mut counts: Vec<(T, u64)> = Vec::new();
    for (value, count) in values {
        match counts.iter_mut().find(|(known, _)| *known == value) {
            Some((_, number)) => *number += u64::from(count),
            None => counts.push((value, u64::from(count))),
        }
    }
    let most = counts.iter().map(|(_, number)| *number).max()?;
    counts
        .into_iter()
        .find(|(_, number)| *number == most)
        .map(|(value, _)| value)
}

/// `web1`, `web1 and web2`, or `web1 and 3 others`.
pub(super) fn names(servers: &[&ServerRead]) -> String {
    match servers {
        [] => String::new(),
        [one] => format!("`{}`", one.server.name),
        [one, two] => format!("`{}` and `{}`", one.server.name, two.server.name),
        [one, rest @ ..] => format!("`{}` and {} others", one.server.name, rest.len()),
    }
}
