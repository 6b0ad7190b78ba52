//! Timeouts, retries, checks and persistence, as keys of a scenario's `[services.balancer]`.

use toml::{Table, Value};

use super::Found;
use super::params::{Check, Layer, number};
use super::sections::Proxy;
use super::server::ServerRead;
use super::strategy::{most_common, names};
use super::time::Time;
use super::words::{ConfigLine, ConfigWord};

/// What a proxy says of its balancer.
pub(super) fn balancer(
    proxy: &Proxy,
    strategy: &Table,
    servers: &mut [ServerRead],
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
    if let Some(ejection) = observe(proxy, servers, found) {
        table.insert("ejection".to_owned(), ejection.into());
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

/// `timeout queue`, or `timeout connect` where that is not set (section 4.2, "timeout queue").
/// Nothing waits without a `maxconn`.
fn queue_timeout(proxy: &Proxy, servers: &[ServerRead], found: &mut Found) -> Option<Time> {
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
/// After a failed connection HAProxy waits for the lesser of `timeout connect` and one second and
/// tries the same server again (section 4.2, "retries"). With `option redispatch` it goes to
/// another one, at the last retry or as often as its number says; at once and each time where the
/// request is bound by no cookie, the algorithm hashes nothing, and there are several servers
/// (`back_handle_st_cer` of src/backend.c, 2.6).
fn retry(
    proxy: &Proxy,
    strategy: &Table,
    servers: &[ServerRead],
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
    let of_errors =
        |word: &ConfigWord| matches!(word.text.as_str(), "500" | "all-retryable-errors");
    if on.is_some_and(|line| line.from(1).iter().any(of_errors)) {
        table.insert("error-answers".to_owned(), true.into());
    }
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

/// Which failures are repeated: in a scenario all, in HAProxy failed connections and what
/// `retry-on` lists.
fn reasons(proxy: &Proxy, on: Option<&ConfigLine>, timeout: bool, found: &mut Found) {
    let listed =
        |reason: &str| on.is_some_and(|line| line.from(1).iter().any(|word| word.text == reason));
    let covered = listed("response-timeout") || listed("all-retryable-errors") || listed("504");
    if let Some(line) = on {
        found.note(
            &line.at,
            format!(
                "`{}` is carried over as to errors alone (`500`): a scenario repeats all that get no answer.",
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

/// The checks of most servers, which stand for the pool; others have their own.
fn health_check(proxy: &Proxy, servers: &mut [ServerRead], found: &mut Found) -> Option<Table> {
    let checked = |read: &&ServerRead| read.params.check.on;
    let most = most_common(
        servers
            .iter()
            .filter(checked)
            .map(|read| (read.params.check.clone(), read.server.count)),
    )?;
    let timeout = time(proxy, "timeout check", found);
    let mut all = check(&most, timeout);
    for read in servers.iter_mut() {
        let own = &read.params.check;
        let mut table = Table::new();
        match (own.on, own.tracks) {
            (true, _) => {
                table = check(own, timeout);
                // One that is checked less often may be waited for longer.
                let waits = table.contains_key("timeout") || !all.contains_key("timeout");
                table.retain(|key, value| all.get(key) != Some(value));
                if !waits {
                    table.insert("timeout".to_owned(), own.inter.scenario().into());
                }
            }
            // HAProxy never takes one to be down that it does not check.
            (false, false) => {
                table.insert("enabled".to_owned(), false.into());
            }
            (false, true) => {}
        }
        if !table.is_empty() {
            let settings = &mut read.server.settings;
            settings.insert("health-check".to_owned(), table.into());
        }
    }
    let cut = |read: &&ServerRead| timeout.is_some_and(|time| time > read.params.check.inter);
    if let Some(read) = servers.iter().filter(checked).find(cut)
        && let Some(line) = proxy.settings.get("timeout check")
    {
        found.note(
            &line.at,
            format!(
                "`{}` is cut to the time between two checks of `{}`, {}: a check of a scenario is over before the next one.",
                line.show(),
                read.server.name,
                read.params.check.inter.scenario()
            ),
        );
    }
    if !most.cautious {
        all.remove("cautious-start");
    }
    Some(all)
}

/// `observe`, `error-limit` and `on-error` of most servers that are checked: a scenario has them
/// for all servers of a balancer. Without `check` traffic speaks to no health check (section 5.2,
/// "observe").
fn observe(proxy: &Proxy, servers: &[ServerRead], found: &mut Found) -> Option<Table> {
    let of = |read: &ServerRead| {
        let own = &read.params.observe;
        let (layer, at) = own.layer.clone()?;
        let holds = read.params.check.on && !(layer == Layer::Seven && proxy.is_tcp());
        Some((holds.then_some((layer, own.limit, own.on_error)), at))
    };
    let said = |read: &ServerRead| of(read).and_then(|(own, _)| own);
    let checked = servers.iter().filter(|read| read.params.check.on);
    let most = most_common(checked.map(|read| (said(read), read.server.count))).flatten();
    let mut noted = Vec::new();
    for read in servers {
        let Some((own, at)) = of(read) else { continue };
        let why = match own {
            None if !read.params.check.on => {
                "without `check` there is nothing that traffic could speak to"
            }
            None => "`layer7` is for backends in HTTP mode",
            own if own == most => continue,
            _ => "in a scenario all servers of a balancer are observed alike, as most of them are",
        };
        // One line may be that of many servers.
        if !noted.contains(&at) {
            found.note(
                &at,
                format!(
                    "`observe` of `{}` is not carried over: {why}.",
                    read.server.name
                ),
            );
            noted.push(at);
        }
    }
    let (layer, limit, on_error) = most?;
    let others: Vec<&ServerRead> = (servers.iter())
        .filter(|read| read.params.check.on && read.params.observe.layer.is_none())
        .collect();
    if let (false, Some((_, at))) = (others.is_empty(), servers.iter().find_map(of)) {
        found.note(
            &at,
            format!(
                "`observe` holds in a scenario for all servers that are checked, also for {}.",
                names(&others)
            ),
        );
    }
    let mut table = Table::new();
    table.insert("kind".to_owned(), "error-limit".into());
    let preset = match layer {
        Layer::Four => "haproxy-layer4",
        Layer::Seven => "haproxy-layer7",
    };
    table.insert("preset".to_owned(), preset.into());
    if limit != 10 {
        let limit = i64::from(limit.min(1_000_000));
        table.insert("errors".to_owned(), limit.into());
    }
    if on_error != "fail-check" {
        table.insert("on-error".to_owned(), on_error.into());
    }
    Some(table)
}

/// A server's checks as a scenario has them. With `timeout check` an answer is waited for that
/// long, without it for the interval (section 4.2, "timeout check").
fn check(own: &Check, timeout: Option<Time>) -> Table {
    let mut table = Table::new();
    table.insert("interval".to_owned(), own.inter.scenario().into());
    let others = [
        ("fast-interval", own.fast_inter),
        ("down-interval", own.down_inter),
    ];
    let mut shortest = own.inter;
    for (key, time) in others {
        if let Some(time) = time {
            table.insert(key.to_owned(), time.scenario().into());
            shortest = shortest.min(time);
        }
    }
    if let Some(time) = timeout.filter(|time| *time < shortest) {
        table.insert("timeout".to_owned(), time.scenario().into());
    }
    for (key, number) in [("fall", own.fall), ("rise", own.rise)] {
        table.insert(key.to_owned(), i64::from(number.min(100)).into());
    }
    // A server begins with `rise` good checks to its name, one failure away from being down: `UP
    // 1/3`.
    table.insert("cautious-start".to_owned(), own.cautious.into());
    table
}
