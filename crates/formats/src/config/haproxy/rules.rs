//! Lines that bear on balancing and have nothing like them in a scenario, and lines that nobody
//! knows.

use std::collections::BTreeSet;

use super::Found;
use super::directives::{self, To};
use super::keywords::{self, Vocabulary};
use super::sections::{Proxy, Section, SectionKind};
use super::words::ConfigLine;
use crate::config::notes::Fate;

/// First words of lines that stand beside others like them, where of other lines the last one
/// counts.
const REPEATED: [&str; 12] = [
    "block",
    "filter",
    "force-persist",
    "http-request",
    "http-response",
    "ignore-persist",
    "quic-initial",
    "stick",
    "tcp-check",
    "tcp-request",
    "use-server",
    "use_backend",
];

/// Notes of a proxy's lines, and of those of its defaults; `pool` says whether it has servers.
pub(super) fn notes(proxy: &Proxy, pool: bool, checked: bool, found: &mut Found) {
    let mut said: Vec<(&'static str, &ConfigLine, usize)> = Vec::new();
    let mut unknown: BTreeSet<String> = BTreeSet::new();
    let is_repeated = |line: &ConfigLine| {
        let word = line.text(0);
        REPEATED.contains(&word) || word.starts_with("req")
    };
    let own = proxy.lines.iter();
    let own = own.filter(|line| !matches!(line.text(0), "no" | "default"));
    for line in own {
        let words = [line.text(0), line.text(1), line.text(2)];
        match directives::fate(words) {
            None if unknown.insert(line.text(0).to_owned() + line.text(1)) => {
                not_known(line, found)
            }
            Some((to, Fate::Left(why)))
                if is_repeated(line) && applies(to, line, proxy.kind, pool, checked) =>
            {
                match said.iter_mut().find(|(known, ..)| *known == why) {
                    Some((.., number)) => *number += 1,
                    None => said.push((why, line, 1)),
                }
            }
            _ => {}
        }
        if !pool && matches!(line.text(0), "server" | "server-template") {
            found.note(
                &line.at,
                "A frontend has no servers: HAProxy passes this line over.",
            );
        }
    }
    for (why, line, number) in said {
        let words = match number {
            1 => format!("`{}`", line.show()),
            2 => format!("`{}` and one more rule like it", line.show()),
            _ => format!("`{}` and {} more rules like it", line.show(), number - 1),
        };
        found.note(&line.at, format!("{words}: {why}."));
    }
    for line in proxy.settings.values().filter(|line| !is_repeated(line)) {
        let words = [line.text(0), line.text(1), line.text(2)];
        if let Some((to, Fate::Left(why))) = directives::fate(words)
            && applies(to, line, proxy.kind, pool, checked)
        {
            found.note(&line.at, format!("`{}`: {why}.", line.show()));
        }
    }
}

/// Notes of a section that says nothing of a proxy: `global` holds for all of them.
pub(super) fn global(section: &Section, found: &mut Found) {
    if section.head.text(0) != "global" {
        return;
    }
    for line in &section.lines {
        if let Some(why) = directives::global(line.text(0)) {
            found.note(&line.at, format!("`{}`: {why}.", line.show()));
        }
    }
}

/// Whether a line says something there.
fn applies(to: To, line: &ConfigLine, kind: SectionKind, pool: bool, checked: bool) -> bool {
    let is_off = match line.text(0) {
        "load-server-state-from-file" => line.text(1) == "none",
        "hash-preserve-affinity" => line.text(1) == "always",
        "maxconn" => line.text(1) == "0",
        _ => false,
    };
    let meant = match to {
        To::All => true,
        To::Pools => pool,
        To::Checked => checked,
        To::Fronts => kind.has_clients(),
    };
    meant && !is_off
}

fn not_known(line: &ConfigLine, found: &mut Found) {
    let hint = keywords::suggestion(line.text(0), Vocabulary::Directives);
    let known = directives::first_words().any(|word| word == line.text(0));
    let text = match known {
        true => format!(
            "`{}` is not known: whether it bears on balance, time or failures cannot be told.",
            line.show()
        ),
        false => format!(
            "`{}` is not known in a proxy and is passed over{hint}",
            line.text(0)
        ),
    };
    found.note(&line.at, text);
}
