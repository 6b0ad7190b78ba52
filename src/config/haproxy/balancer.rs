//! Timeouts, retries, checks and persistence, as keys of a scenario's `[services.balancer]`.

use toml::{Table, Value};

use super::Found;
use super::params::{Check, number};
use super::sections::Proxy;
use super::server::Read;
use super::strategy::{most_common, names};
use super::time::Time;
use super::words::Line;

/// What a proxy says of its balancer.
pub(super) fn balancer(
    proxy: &Proxy,
    strategy: &Table,
    servers: &[Read],
    found: &mut Found,
) -> Table {
    let mut table = Table::new();
    let timeout = time(proxy, "timeout server", found);
    if let Some(time) = timeout {
        table.insert("timeout".to_owned(), time.scenario().into());
    }
    if let Some(time) = queue_timeout(proxy, servers, found) {
        table.insert("queue-timeout".to_owned(), time.scenario().into());
    }
    let bound = super::sticky::sticky(proxy, servers, found);
    let retry = retry(proxy, strategy, servers, bound, timeout.is_some(), found);
    connect(proxy, &table, retry.as_ref(), found);
    if let Some(retry) = retry {
        table.insert("retry".to_owned(), retry.into());
    }
    if let Some(check) = health_check(proxy, servers, found) {
        table.insert("health-check".to_owned(), check.into());
    }
    if bound {
        table.insert("sticky".to_owned(), "cookie".into());
    }
    if timeout.is_some()
        && proxy.is_tcp()
        && let Some(line) = proxy.settings.get("timeout server")
    {
        found.note(
            &line.at,
            "In TCP mode `timeout server` bounds how long a server may say nothing; in a scenario it bounds a whole request.",
        );
    }
    table
}

/// A timeout that is set and not 0, which means none.
fn time(proxy: &Proxy, key: &str, found: &mut Found) -> Option<Time> {
    let line = proxy.settings.get(key)?;
    // `contimeout 5000` is `timeout connect 5000` in one word.
    let value = line
        .words
        .get(if line.text(0) == "timeout" { 2 } else { 1 })?;
    Time::read(value, key, found).filter(|time| !time.is_zero())
}

/// `timeout queue`, or `timeout connect` where that is not set (section 4.2, "timeout queue"). Nothing waits without a `maxconn`.
fn queue_timeout(proxy: &Proxy, servers: &[Read], found: &mut Found) -> Option<Time> {
    let limited = servers
        .iter()
        .any(|read| read.server.settings.contains_key("max-connections"));
    let written = time(proxy, "timeout queue", found);
    written.or_else(|| time(proxy, "timeout connect", found).filter(|_| limited))
}

/// Says that `timeout connect` is left out, unless its value is found again, as the pause before a
/// retry or as the time in a queue.
fn connect(proxy: &Proxy, table: &Table, retry: Option<&Table>, found: &mut Found) {
    let Some((line, time)) =
        proxy
            .settings
            .get("timeout connect")
            .zip(time(proxy, "timeout connect", found))
    else {
        return;
    };
    let has = |table: Option<&Table>, key: &str| {
        let value = table.and_then(|table| table.get(key));
        value.and_then(Value::as_str) == Some(time.scenario().as_str())
    };
    if !has(retry, "backoff") && !has(Some(table), "queue-timeout") {
        found.note(
            &line.at,
            format!(
                "`{}`: connecting takes no time in a scenario, and an attempt has one timeout, `timeout server`.",
                line.show()
            ),
        );
    }
}

/// `retries`, `option redispatch` and `retry-on`, as near as a scenario comes.
///
/// After a failed connection HAProxy waits for the lesser of `timeout connect` and one second and tries the same server again
/// (section 4.2, "retries"). With `option redispatch` it goes to another one, at the last retry or as often as its number says; at
/// once and each time where the request is bound by no cookie, the algorithm hashes nothing, and there are several servers
/// (`back_handle_st_cer` of src/backend.c, 2.6).
fn retry(
    proxy: &Proxy,
    strategy: &Table,
    servers: &[Read],
    bound: bool,
    timeout: bool,
    found: &mut Found,
) -> Option<Table> {
    let retries = proxy
        .settings
        .get("retries")
        .and_then(|line| line.words.get(1));
    let retries = retries.and_then(|word| number(word, "retries", 0..=u32::MAX, found));
    let on = proxy.settings.get("retry-on").filter(|_| !proxy.is_tcp());
    let retries = match on.is_some_and(|line| line.text(1) == "none") {
        true => 0,
        false => retries.unwrap_or(3).min(100),
    };
    if retries == 0 {
        return None;
    }
    reasons(proxy, on, timeout, found);
    let redispatch = proxy.settings.get("option redispatch");
    let turn = redispatch.map_or(0, |line| line.text(2).parse::<i32>().unwrap_or(-1));
    let kind = strategy
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let hashes = !matches!(
        kind,
        "haproxy-roundrobin"
            | "haproxy-static-rr"
            | "haproxy-leastconn"
            | "haproxy-first"
            | "haproxy-random"
    );
    let active: u64 = servers
        .iter()
        .filter(|read| !read.params.backup && !read.params.disabled)
        .map(|read| u64::from(read.server.count))
        .sum();
    let elsewhere = turn == 1 || (turn != 0 && !bound && !hashes && active > 1);

    let mut table = Table::new();
    table.insert("max".to_owned(), i64::from(retries).into());
    if elsewhere {
        table.insert("on".to_owned(), "another".into());
        return Some(table);
    }
    let pause =
        time(proxy, "timeout connect", found).map_or(Time::SECOND, |time| time.min(Time::SECOND));
    table.insert("on".to_owned(), "same".into());
    for key in ["backoff", "backoff-max"] {
        table.insert(key.to_owned(), pause.scenario().into());
    }
    table.insert("jitter".to_owned(), "none".into());
    if let Some(line) = redispatch.filter(|_| turn != 0 && active > 1) {
        found.note(
            &line.at,
            "`option redispatch` sends some retries of requests that a cookie or hash binds to another server, by default the last \
             one; in a scenario all go to the same.",
        );
    }
    Some(table)
}

/// Which failures are repeated: in a scenario all, in HAProxy failed connections and what `retry-on` lists.
fn reasons(proxy: &Proxy, on: Option<&Line>, timeout: bool, found: &mut Found) {
    let listed =
        |reason: &str| on.is_some_and(|line| line.from(1).iter().any(|word| word.text == reason));
    let covered = listed("response-timeout") || listed("all-retryable-errors") || listed("504");
    if let Some(line) = on {
        found.note(
            &line.at,
            format!(
                "`{}` is not carried over: a scenario repeats attempts whatever they failed of.",
                line.show()
            ),
        );
    } else if let Some(line) = proxy
        .settings
        .get("timeout server")
        .filter(|_| timeout && !covered)
    {
        found.note(
            &line.at,
            "HAProxy gives a request up after `timeout server`; a scenario repeats it as it does after a failed connection.",
        );
    }
}

/// The checks of most servers: a scenario checks all of a pool alike.
fn health_check(proxy: &Proxy, servers: &[Read], found: &mut Found) -> Option<Table> {
    let checked = |read: &&Read| read.params.check.on;
    let most = most_common(
        servers
            .iter()
            .filter(checked)
            .map(|read| (read.params.check.clone(), read.server.count)),
    )?;
    let other: Vec<&Read> = servers
        .iter()
        .filter(|read| read.params.check.on && read.params.check != most)
        .collect();
    if let Some(first) = other.first() {
        found.note(
            &first.server.at,
            format!(
                "{} checked with {}; a scenario checks a whole pool alike, and gets what most servers have: {}.",
                subject(&other),
                show(&first.params.check),
                show(&most)
            ),
        );
    }
    let never: Vec<&Read> = servers
        .iter()
        .filter(|read| !read.params.check.on && !read.params.check.tracks)
        .collect();
    if let Some(first) = never.first() {
        found.note(
            &first.server.at,
            format!(
                "{} not checked, so that HAProxy never takes it to be down; a scenario checks a whole pool.",
                subject(&never)
            ),
        );
    }
    let mut table = Table::new();
    table.insert("interval".to_owned(), most.inter.scenario().into());
    // With `timeout check` an answer is waited for that long, without it for the interval (section 4.2, "timeout check").
    match time(proxy, "timeout check", found) {
        Some(time) if time < most.inter => {
            table.insert("timeout".to_owned(), time.scenario().into());
        }
        Some(_) => {
            if let Some(line) = proxy.settings.get("timeout check") {
                found.note(
                    &line.at,
                    format!(
                        "`{}` is cut to the time between two checks, {}: a check of a scenario is over before the next one.",
                        line.show(),
                        most.inter.scenario()
                    ),
                );
            }
        }
        None => {}
    }
    for (key, number) in [("fall", most.fall), ("rise", most.rise)] {
        table.insert(key.to_owned(), i64::from(number.min(100)).into());
    }
    // A server begins with `rise` good checks to its name, one failure away from being down: `UP 1/3`.
    if most.cautious {
        table.insert("cautious-start".to_owned(), true.into());
    }
    Some(table)
}

fn subject(servers: &[&Read]) -> String {
    format!(
        "{} {}",
        names(servers),
        if servers.len() == 1 { "is" } else { "are" }
    )
}

fn show(check: &Check) -> String {
    format!(
        "inter {} fall {} rise {}",
        check.inter.scenario(),
        check.fall,
        check.rise
    )
}
