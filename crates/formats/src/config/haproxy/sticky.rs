//! What binds clients to servers: `cookie`, stick tables and what older versions had.

use super::Found;
use super::sections::Proxy;
use super::server::ServerRead;
use super::strategy::names;
use super::words::ConfigLine;

/// Whether clients are bound to servers, as by a scenario's `sticky = "cookie"`.
pub(super) fn sticky(proxy: &Proxy, servers: &[ServerRead], found: &mut Found) -> bool {
    // Each is asked, so that each has its notes.
    let by_cookie = cookie(proxy, servers, found);
    let by_table = table(proxy, found);
    let by_rdp = rdp(proxy, found);
    by_cookie || by_table || by_rdp
}

fn cookie(proxy: &Proxy, servers: &[ServerRead], found: &mut Found) -> bool {
    let Some(line) = proxy
        .settings
        .get("cookie")
        .filter(|line| line.words.len() > 1)
    else {
        return false;
    };
    let says = |word: &str| line.from(2).iter().any(|other| other.text == word);
    if proxy.is_tcp() {
        found.note(
            &line.at,
            "`cookie` does nothing in TCP mode and is not carried over.",
        );
        return false;
    }
    // A server that has no `cookie` of its own gets none, unless HAProxy makes them up (section
    // 4.2, "cookie", "dynamic").
    let without: Vec<&ServerRead> = servers
        .iter()
        .filter(|read| !read.params.cookie && !read.params.backup && !says("dynamic"))
        .collect();
    if !says("dynamic") && !servers.iter().any(|read| read.params.cookie) {
        found.note(
            &line.at,
            "`cookie` is not carried over: no server has a `cookie` of its own, so that no client is bound.",
        );
        return false;
    }
    if let Some(first) = without.first() {
        found.note(
            &first.server.at,
            format!(
                "No client is bound to {}, without a `cookie`; in a scenario clients are bound to all servers alike.",
                names(&without)
            ),
        );
    }
    if says("maxidle") || says("maxlife") {
        found.note(&line.at, "`maxidle` and `maxlife` are not carried over: a cookie of a scenario does not grow old.");
    }
    if !says("insert") {
        found.note(
            &line.at,
            "The servers set this cookie themselves, with some answers; in a scenario the first answer sets it.",
        );
    }
    true
}

/// `stick on`, `stick match`: bindings that HAProxy remembers itself, by any expression.
fn table(proxy: &Proxy, found: &mut Found) -> bool {
    let mut bound = false;
    let rules = proxy.lines.iter().filter(|line| line.text(0) == "stick");
    for line in rules.filter(|line| matches!(line.text(1), "on" | "match")) {
        let expression = line.text(2);
        let client = expression.starts_with("src")
            || expression.contains("cook")
            || expression.contains("ssl_fc_session_id");
        let limited = conditional(line);
        if client {
            let but = if limited {
                ", whether its condition holds or not"
            } else {
                ""
            };
            found.note(
                &line.at,
                format!(
                    "`{}` is carried over as `sticky = \"cookie\"`, each client bound by itself{but}; the table's size and expiry \
                     are not.",
                    line.show()
                ),
            );
        } else {
            found.note(
                &line.at,
                format!(
                    "`{}` is not carried over: a scenario binds clients, not values of `{expression}`.",
                    line.show()
                ),
            );
        }
        bound |= client;
    }
    bound
}

fn conditional(line: &ConfigLine) -> bool {
    line.words
        .iter()
        .any(|word| word.text == "if" || word.text == "unless")
}

fn rdp(proxy: &Proxy, found: &mut Found) -> bool {
    let persist = proxy.settings.get("persist");
    let old = proxy.settings.get("appsession");
    for line in persist.iter().chain(&old) {
        let text = format!(
            "`{}` is carried over as `sticky = \"cookie\"`.",
            line.text(0)
        );
        found.note(&line.at, text);
    }
    persist.is_some() || old.is_some()
}
