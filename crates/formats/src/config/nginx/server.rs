//! A `server` line of an upstream, as `ngx_http_upstream_server` reads it
//! (`src/http/ngx_http_upstream.c`, nginx 1.22), with the parameters that came later or belong to
//! NGINX Plus.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::report::Report;
use super::scope::Scope;
use super::time;
use super::tree::Directive;
use super::word::Word;
use crate::config::{Fault, Server, WeightPlace};
use crate::spelling;

/// The largest weight of a scenario.
const MOST_WEIGHT: u64 = 65_535;

/// A line, and what of it a scenario has for the pool as a whole.
#[derive(Debug)]
pub(super) struct ServerLine {
    pub(super) server: Server,
    /// `max_fails`, or its default.
    pub(super) max_fails: u64,
    /// `fail_timeout` in milliseconds, or its default.
    pub(super) fail_timeout: u64,
    /// Whether the address is a name, which may stand for several addresses.
    pub(super) is_name: bool,
}

/// The parameters, as they are written.
const PARAMETERS: [&str; 13] = [
    "weight=",
    "max_conns=",
    "max_fails=",
    "fail_timeout=",
    "backup",
    "down",
    "slow_start=",
    "route=",
    "service=",
    "resolve",
    "drain",
    "id=",
    "srun_id=",
];

/// Reads a line. `no_backups` is the method before it that takes none.
pub(super) fn read(
    scope: Scope,
    directive: &Directive,
    no_backups: Option<&str>,
    report: &mut Report,
) -> Option<ServerLine> {
    if directive.block.is_some() {
        let fault = Fault::new(
            directive.at(),
            "found a `server { … }` block in an upstream, whose servers are lines",
        );
        report.fault(fault.help("write `server ADDRESS;`, or close the upstream before it"));
        return None;
    }
    let Some((address, parameters)) = directive.arguments.split_first() else {
        report.fault(
            Fault::new(directive.at(), "`server` has no address").help("write `server ADDRESS;`"),
        );
        return None;
    };
    let by_service = parameters
        .iter()
        .any(|word| word.text.starts_with("service="));
    if let Err((message, help)) = check_address(scope, &address.text, by_service) {
        report.fault(Fault::new(directive.word(address), message).help(help));
    }
    let mut line = ServerLine {
        server: Server {
            name: address.text.clone(),
            address: address.text.clone(),
            count: 1,
            weight: 1,
            weight_at: Some(WeightPlace {
                place: directive.place(address.outer.end..address.outer.end),
                before: " weight=".to_owned(),
                after: String::new(),
            }),
            settings: toml::Table::new(),
            at: directive.at(),
        },
        max_fails: 1,
        fail_timeout: 10_000,
        is_name: is_name(&address.text),
    };
    // After one fault others would be its echoes: where a `;` is missing, the next line counts as
    // parameters too.
    let faults = report.faults.len();
    for word in parameters {
        if report.faults.len() == faults {
            line.parameter(directive, word, no_backups, report);
        }
    }
    Some(line)
}

impl ServerLine {
    fn parameter(
        &mut self,
        directive: &Directive,
        word: &Word,
        no_backups: Option<&str>,
        report: &mut Report,
    ) {
        let place = directive.word(word);
        let (name, value) = match word.text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word.text.as_str(), None),
        };
        let expected = |what: &str, report: &mut Report| {
            report.fault(Fault::new(
                place.clone(),
                format!("`{}` is not understood: {what}", word.text),
            ));
        };
        let settings = &mut self.server.settings;
        match (name, value) {
            ("weight", Some(value)) => match number(value) {
                Some(0) | None => expected("`weight` takes a whole number, at least 1", report),
                Some(weight) => {
                    if weight > MOST_WEIGHT {
                        let text = format!(
                            "A scenario's weights end at {MOST_WEIGHT}: those of this upstream are \
                            scaled down for `{}`.",
                            word.text
                        );
                        report.note(place, text);
                    }
                    self.server.weight = u32::try_from(weight).unwrap_or(u32::MAX);
                    self.weight_at(directive, word, report);
                }
            },
            ("max_conns", Some(value)) => match number(value) {
                Some(0) => {}
                Some(most) => {
                    settings.insert("max-connections".to_owned(), whole(most));
                }
                None => expected("`max_conns` takes a whole number", report),
            },
            ("max_fails", Some(value)) => match number(value) {
                Some(fails) => self.max_fails = fails.min(1_000_000),
                None => expected("`max_fails` takes a whole number", report),
            },
            ("fail_timeout", Some(value)) => match time::parse(value, true) {
                Some(millis) => self.fail_timeout = millis,
                None => expected("`fail_timeout` takes whole seconds, such as `10s`", report),
            },
            ("backup", None) => match no_backups {
                Some(method) => {
                    let message = format!("`{method}`, which stands before, takes no `backup`");
                    report.fault(Fault::new(place, message).help("leave out one of the two"));
                }
                None => {
                    settings.insert("backup".to_owned(), true.into());
                }
            },
            ("down", None) => {
                settings.insert("down".to_owned(), true.into());
            }
            ("slow_start", Some("0" | "0s")) => {}
            ("slow_start", Some(_)) => report.note(
                place,
                format!(
                    "`{}` was left out: a server that comes back gets its full share at once.",
                    word.text
                ),
            ),
            ("route" | "id" | "srun_id", Some(_)) => report.note(
                place,
                format!(
                    "`{}` was left out: sessions are not bound by names of servers.",
                    word.text
                ),
            ),
            ("service" | "resolve", _) => report.note(
                place,
                format!(
                    "`{}` was left out: the line counts as one server, however many addresses its \
                    name has.",
                    word.text
                ),
            ),
            ("drain", None) => report.note(
                place,
                "`drain` was left out: the server gets \
                requests like any other.",
            ),
            _ => report.fault(unknown(directive, word)),
        }
    }

    /// The digits of `weight=3` are where a weight is written.
    fn weight_at(&mut self, directive: &Directive, word: &Word, report: &mut Report) {
        let digits = word.text.len().saturating_sub("weight=".len());
        if !word.is_plain() {
            report.note(
                directive.word(word),
                "No other weight can be written here: the word has escapes.",
            );
            self.server.weight_at = None;
            return;
        }
        self.server.weight_at = Some(WeightPlace {
            place: directive.place(word.inner.end - digits..word.inner.end),
            before: String::new(),
            after: String::new(),
        });
    }
}

fn unknown(directive: &Directive, word: &Word) -> Fault {
    let fault = Fault::new(
        directive.word(word),
        format!("`{}` is no parameter of `server`", word.text),
    );
    let bare = word.text.split_inclusive('=').next().unwrap_or_default();
    if word.begins_line {
        fault.help("is a `;` missing at the end of the line before?")
    } else if let Some(question) = spelling::did_you_mean(bare, PARAMETERS.iter().copied()) {
        fault.help(question)
    } else {
        fault.help(
            "expected `weight=`, `max_conns=`, `max_fails=`, `fail_timeout=`, `backup`, \
            `down`, or a `;`",
        )
    }
}

/// A whole number as `ngx_atoi` reads it.
pub(super) fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = text.parse().ok().filter(|_| digits)?;
    (number <= i64::MAX as u64).then_some(number)
}

fn whole(number: u64) -> toml::Value {
    toml::Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Refuses addresses that nginx cannot take whatever names stand for (`ngx_parse_url`,
/// `src/core/ngx_inet.c`): what is wrong, and how to mend it.
fn check_address(
    scope: Scope,
    address: &str,
    by_service: bool,
) -> Result<(), (String, &'static str)> {
    if address.contains('$') {
        let message =
            format!("`{address}` holds a variable, which nginx does not know in an upstream");
        return Err((message, "write the address itself"));
    }
    if let Some(path) = unix(address) {
        return match path {
            "" => Err((
                "`unix:` has no path".to_owned(),
                "write `unix:/path/of.sock`",
            )),
            _ => Ok(()),
        };
    }
    if address.contains('/') {
        return Err((
            format!("`{address}` is no address but a URL"),
            "write host and port only, such as `10.0.0.1:80`",
        ));
    }
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').unwrap_or(("", ""));
            if host.parse::<Ipv6Addr>().is_err() {
                return Err((
                    format!("`{address}` is no IPv6 address"),
                    "write `[ADDRESS]:PORT`",
                ));
            }
            (host, port)
        }
        None => address.split_at(address.find(':').unwrap_or(address.len())),
    };
    if host.is_empty() {
        return Err((format!("`{address}` has no host"), "write `HOST:PORT`"));
    }
    let number = port.strip_prefix(':').map(|port| port.parse::<u16>());
    match number {
        Some(Ok(1..)) => Ok(()),
        // In `stream` there is no port that could stand in (`ngx_stream_upstream_server`).
        None if port.is_empty() && (scope == Scope::Http || by_service) => Ok(()),
        None if port.is_empty() => Err((
            format!("`{address}` has no port"),
            "in `stream` each server needs one: `HOST:PORT`",
        )),
        _ => Err((
            format!("the port of `{address}` is no number from 1 to 65535"),
            "write `HOST:PORT`; an IPv6 address in brackets",
        )),
    }
}

/// The path of a Unix socket.
fn unix(address: &str) -> Option<&str> {
    let (scheme, path) = address.split_at_checked("unix:".len())?;
    scheme.eq_ignore_ascii_case("unix:").then_some(path)
}

fn is_name(address: &str) -> bool {
    let host = address.split(':').next().unwrap_or_default();
    unix(address).is_none() && !address.starts_with('[') && host.parse::<Ipv4Addr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_nginx() {
        for address in [
            "a",
            "a:80",
            "10.0.0.1",
            "10.0.0.1:8080",
            "[::1]",
            "[::1]:80",
            "unix:/run/a.sock",
            "UNIX:a",
        ] {
            assert_eq!(
                check_address(Scope::Http, address, false),
                Ok(()),
                "{address}"
            );
        }
        for address in [
            "", ":80", "a:", "a:0", "a:65536", "a:b", "::1", "[::1", "[x]:80", "[::1]80", "unix:",
            "http://a", "$a:80", "a:80-90",
        ] {
            assert!(
                check_address(Scope::Http, address, false).is_err(),
                "{address}"
            );
        }
        assert!(check_address(Scope::Stream, "10.0.0.1", false).is_err());
        assert!(check_address(Scope::Stream, "[::1]", false).is_err());
        assert_eq!(check_address(Scope::Stream, "a", true), Ok(()));
    }

    #[test]
    fn names_are_told_from_addresses() {
        for (address, name) in [
            ("web1:80", true),
            ("localhost", true),
            ("10.0.0.1:80", false),
            ("[::1]:80", false),
            ("unix:/a", false),
        ] {
            assert_eq!(is_name(address), name, "{address}");
        }
    }
}
