//! Lines that bear on balancing and have nothing like them in a scenario, and words that nobody knows.

use super::Found;
use super::keywords::{self, Words};
use super::sections::Proxy;
use super::words::Line;

/// Notes of a proxy's rules; `pool` says whether it has servers.
pub(super) fn notes(proxy: &Proxy, pool: bool, checked: bool, found: &mut Found) {
    let mut seen: Vec<(&'static str, &Line, usize)> = Vec::new();
    for line in &proxy.lines {
        if !keywords::is_directive(line.text(0)) {
            let hint = keywords::suggestion(line.text(0), Words::Directives);
            found.note(
                &line.at,
                format!(
                    "`{}` is not known in a proxy and is passed over{hint}",
                    line.text(0)
                ),
            );
        }
        if !pool && matches!(line.text(0), "server" | "server-template") {
            found.note(
                &line.at,
                "A frontend has no servers: HAProxy passes this line over.",
            );
        }
        if let Some(text) = rule(line, pool) {
            match seen.iter_mut().find(|(known, ..)| *known == text) {
                Some((.., number)) => *number += 1,
                None => seen.push((text, line, 1)),
            }
        }
    }
    for (text, line, number) in seen {
        let words = match number {
            1 => format!("`{}`", line.show()),
            2 => format!("`{}` and one more rule like it", line.show()),
            _ => format!("`{}` and {} more rules like it", line.show(), number - 1),
        };
        found.note(&line.at, format!("{words}: {text}."));
    }
    for (key, line) in proxy.settings.iter().filter(|_| pool) {
        if let Some(text) = setting(key, line, checked) {
            found.note(&line.at, format!("`{}`: {text}.", line.show()));
        }
    }
}

/// What becomes of a rule.
fn rule(line: &Line, pool: bool) -> Option<&'static str> {
    Some(match (line.text(0), line.text(1)) {
        ("use_backend", _) => "a scenario does not choose between pools by what a request says",
        ("use-server", _) if pool => "no rule binds requests to a server in a scenario",
        ("http-request", action) if action.starts_with("set-dst") => DESTINATION,
        ("tcp-request", "content") if line.text(2).starts_with("set-dst") => DESTINATION,
        ("http-request", action) if action.starts_with("set-priority") => PRIORITY,
        ("tcp-request", "content") if line.text(2).starts_with("set-priority") => PRIORITY,
        ("force-persist" | "ignore-persist", _) if pool => {
            "all requests of a client are bound alike in a scenario"
        }
        ("stick", "store-request") => "a scenario binds a client by its first answer",
        ("http-check", "disable-on-404") if pool => {
            "an answer of 404 takes no server out of a scenario"
        }
        ("rate-limit", "sessions") => "a scenario lets all requests in",
        _ => return None,
    })
}

const DESTINATION: &str = "requests go where the strategy sends them in a scenario";
const PRIORITY: &str = "requests wait in the order in which they came in a scenario";

/// What becomes of a setting, of a pool's own or of its defaults.
fn setting(key: &str, line: &Line, checked: bool) -> Option<&'static str> {
    Some(match key {
        "dispatch" | "option transparent" | "transparent" | "option http_proxy" => {
            "requests that no server takes fail in a scenario, instead of going to another address"
        }
        "option persist" => "a client whose server is down gets another one in a scenario",
        "option prefer-last-server" => {
            "a client's connection is not kept to its last server in a scenario"
        }
        "load-server-state-from-file" if line.text(1) != "none" => {
            "weights and states that HAProxy saved before it was restarted are not in this file and are not read"
        }
        // Some ask which server is the primary, so that only one of them passes.
        "option external-check" | "option httpchk" if checked => {
            "what it asks for is not carried over, since a server of a scenario passes its checks as long as it is alive"
        }
        "disabled" => "the proxy is off; it is read as if it were on",
        "timeout tunnel" => {
            "takes the place of `timeout server` once a connection is upgraded, which none is in a scenario"
        }
        _ => return None,
    })
}
