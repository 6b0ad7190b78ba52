//! How an upstream picks: its method as a strategy of a scenario.

use toml::Table;

use super::report::Report;
use super::tree::Directive;
use super::word::Word;
use crate::config::Fault;

/// The strategy of a directive that names a method; `None` where it names none.
pub(super) fn read(directive: &Directive, report: &mut Report) -> Option<Table> {
    let mut stand_in = |kind: &str, why: &str| {
        let text = format!("`{}` {why}; `{kind}` stands in for it.", directive.show());
        report.note(directive.at(), text);
        Some(plain(kind))
    };
    match directive.name.text.as_str() {
        "least_conn" => Some(plain("nginx-least-conn")),
        "ip_hash" => Some(plain("nginx-ip-hash")),
        "hash" => hash(directive, report),
        "random" => random(directive, report),
        "least_time" => stand_in(
            "nginx-least-conn",
            "belongs to NGINX Plus and weighs response times too (`least-response-time` is a \
            strategy that does)",
        ),
        "fair" => stand_in(
            "nginx-least-conn",
            "belongs to a module that is not simulated",
        ),
        // Tengine's, and that of ngx_http_upstream_consistent_hash.
        "consistent_hash" => {
            let mut strategy = stand_in(
                "nginx-hash",
                "belongs to a module whose ring has other points",
            )?;
            if let Some(word) = directive.arguments.first() {
                strategy.insert("key".to_owned(), key(directive, word, report).into());
            }
            strategy.insert("consistent".to_owned(), true.into());
            Some(strategy)
        }
        name if name.starts_with("balancer_by_lua") => {
            let text = format!(
                "`{name}` picks by a program, which is not read: the strategy is not known, and \
                `nginx-round-robin` stands in for it."
            );
            report.note(directive.at(), text);
            Some(plain("nginx-round-robin"))
        }
        _ => None,
    }
}

/// A strategy with all its defaults.
pub(super) fn plain(kind: &str) -> Table {
    Table::from_iter([("kind".to_owned(), kind.into())])
}

/// Whether a method takes backups (`uscf->flags` of each module, nginx 1.22).
pub(super) fn takes_backups(directive: &Directive) -> bool {
    !matches!(directive.name.text.as_str(), "ip_hash" | "hash" | "random")
}

/// `hash KEY [consistent]` (`src/http/modules/ngx_http_upstream_hash_module.c`, nginx 1.22).
fn hash(directive: &Directive, report: &mut Report) -> Option<Table> {
    let (word, consistent) = match directive.arguments.as_slice() {
        [word] => (word, false),
        [word, second] if second.text == "consistent" => (word, true),
        [_, second] => {
            let message = format!("`{}` is no parameter of `hash`", second.text);
            report.fault(
                Fault::new(directive.word(second), message).help("expected `consistent` or a `;`"),
            );
            return None;
        }
        _ => {
            let fault = Fault::new(
                directive.at(),
                "`hash` takes a key, and `consistent` at most",
            );
            report.fault(fault.help("write `hash $request_uri;`, say"));
            return None;
        }
    };
    let mut strategy = plain("nginx-hash");
    strategy.insert("key".to_owned(), key(directive, word, report).into());
    if consistent {
        strategy.insert("consistent".to_owned(), true.into());
    }
    Some(strategy)
}

/// `random [two [least_conn]]` (`src/http/modules/ngx_http_upstream_random_module.c`, nginx 1.22).
fn random(directive: &Directive, report: &mut Report) -> Option<Table> {
    let mut strategy = plain("nginx-random");
    let mut words = directive.arguments.iter();
    let refused = |word: &Word, expected: &str, report: &mut Report| {
        let message = format!("`{}` is no parameter of `random` here", word.text);
        report.fault(
            Fault::new(directive.word(word), message).help(format!("expected {expected} or a `;`")),
        );
    };
    match words.next() {
        None => return Some(strategy),
        Some(word) if word.text != "two" => {
            refused(word, "`two`", report);
            return None;
        }
        Some(_) => {}
    }
    strategy.insert("two".to_owned(), "least_conn".into());
    if let Some(word) = words.next() {
        match word.text.split('=').next().unwrap_or_default() {
            "least_conn" => {}
            "least_time" => {
                let text = format!(
                    "`{}` belongs to NGINX Plus and weighs response times too; `least_conn` \
                    stands in for it.",
                    word.text
                );
                report.note(directive.word(word), text);
            }
            _ => {
                refused(word, "`least_conn`", report);
                return None;
            }
        }
    }
    if let Some(word) = words.next() {
        refused(word, "no more", report);
        return None;
    }
    Some(strategy)
}

/// What of a simulated request a variable is most like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Where it comes from.
    Address,
    /// Who sends it.
    Client,
    /// What it asks for.
    Key,
    /// Something that no two requests have in common, or no two connections.
    Fresh,
}

/// What stands for a key: the value of `key` of `nginx-hash`.
fn key(directive: &Directive, word: &Word, report: &mut Report) -> &'static str {
    let parts: Vec<Part> = variables(&word.text).into_iter().map(part).collect();
    let (key, meaning) = match parts.as_slice() {
        parts if parts.contains(&Part::Key) => ("key", "what a request asks for"),
        parts if parts.contains(&Part::Client) => ("client", "the client's number"),
        parts if parts.contains(&Part::Address) => ("address", "the client's address"),
        _ => ("key", "what a request asks for"),
    };
    let mut text = format!(
        "The key `{}` stands as `key = \"{key}\"`, {meaning}.",
        word.text
    );
    if parts.contains(&Part::Fresh) {
        text.push_str(" It changes with each request or connection, which that does not.");
    }
    if parts.is_empty() {
        text.push_str(" It is the same for all requests, which that is not.");
    }
    report.note(directive.word(word), text);
    key
}

fn part(variable: &str) -> Part {
    match variable {
        "remote_addr"
        | "binary_remote_addr"
        | "realip_remote_addr"
        | "proxy_protocol_addr"
        | "http_x_forwarded_for"
        | "proxy_add_x_forwarded_for"
        | "http_x_real_ip"
        | "http_cf_connecting_ip"
        | "http_true_client_ip" => Part::Address,
        "remote_user" | "http_authorization" | "http_cookie" | "ssl_session_id" | "uid_got"
        | "uid_set" => Part::Client,
        "request_id"
        | "connection"
        | "connection_requests"
        | "remote_port"
        | "realip_remote_port"
        | "msec"
        | "time_iso8601"
        | "time_local"
        | "request_time" => Part::Fresh,
        _ if variable.starts_with("cookie_")
            || variable.starts_with("jwt_claim_")
            || variable.starts_with("ssl_client_") =>
        {
            Part::Client
        }
        _ if variable.contains("session") => Part::Client,
        _ => Part::Key,
    }
}

/// The names of the variables in a text.
pub(super) fn variables(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('$') {
        let after = after.strip_prefix('{').unwrap_or(after);
        let end = after
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        names.push(name);
        rest = after;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    fn strategy(text: &str) -> (Option<String>, Report) {
        let mut report = Report::default();
        let tree = tree::parse(0, text).unwrap();
        let strategy = read(&tree[0], &mut report);
        let show = |table: Table| {
            table
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        (strategy.map(show), report)
    }

    #[test]
    fn methods_are_strategies() {
        for (text, expected, notes) in [
            ("least_conn;", "kind=\"nginx-least-conn\"", 0),
            ("ip_hash;", "kind=\"nginx-ip-hash\"", 0),
            ("random;", "kind=\"nginx-random\"", 0),
            ("random two;", "kind=\"nginx-random\" two=\"least_conn\"", 0),
            (
                "random two least_conn;",
                "kind=\"nginx-random\" two=\"least_conn\"",
                0,
            ),
            (
                "random two least_time=header;",
                "kind=\"nginx-random\" two=\"least_conn\"",
                1,
            ),
            ("hash $request_uri;", "kind=\"nginx-hash\" key=\"key\"", 1),
            (
                "hash \"${remote_addr}\" consistent;",
                "kind=\"nginx-hash\" key=\"address\" consistent=true",
                1,
            ),
            (
                "hash $cookie_sid$remote_addr;",
                "kind=\"nginx-hash\" key=\"client\"",
                1,
            ),
            (
                "hash $remote_addr$uri;",
                "kind=\"nginx-hash\" key=\"key\"",
                1,
            ),
            ("least_time header;", "kind=\"nginx-least-conn\"", 1),
            ("fair;", "kind=\"nginx-least-conn\"", 1),
            (
                "consistent_hash $uri;",
                "kind=\"nginx-hash\" key=\"key\" consistent=true",
                2,
            ),
            (
                "balancer_by_lua_block { pick() }",
                "kind=\"nginx-round-robin\"",
                1,
            ),
        ] {
            let (found, report) = strategy(text);
            assert_eq!(found.as_deref(), Some(expected), "{text}");
            assert_eq!(
                (report.notes.len(), report.faults.len()),
                (notes, 0),
                "{text}: {report:?}"
            );
        }
    }

    #[test]
    fn wrong_methods_are_refused() {
        for text in [
            "hash;",
            "hash $uri consistant;",
            "hash a b c;",
            "random three;",
            "random two most;",
            "random two least_conn x;",
        ] {
            let (found, report) = strategy(text);
            assert_eq!((found, report.faults.len()), (None, 1), "{text}");
        }
    }

    #[test]
    fn keys_that_stand_for_nothing_are_said() {
        for (text, said) in [
            ("hash $request_id;", "changes with each"),
            ("hash all;", "same for all"),
        ] {
            let (_, report) = strategy(text);
            assert!(report.notes[0].text.contains(said), "{report:?}");
        }
    }
}
