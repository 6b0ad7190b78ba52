//! What becomes of each line of a proxy, by its first words: section 4.1 of the configuration
//! manual 2.6, with what came until 3.2 and what older versions had.

use crate::config::notes::Fate;

/// Who is spoken of: a line says nothing where it does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// Any proxy.
    All,
    /// Those with servers.
    Pools,
    /// Those with servers that are checked.
    Checked,
    /// Those with clients.
    Fronts,
}

const ADMISSION: &str = "a scenario lets all requests in";
const ASKED: &str = "what it asks for is not carried over, since a server of a scenario passes its checks as long as it is alive";
const CACHE: &str = "answers that are kept ask no server, and a scenario keeps none";
const CONNECTIONS: &str = "a client's connection is not kept to its last server in a scenario";
const DESTINATION: &str = "requests go where the strategy sends them in a scenario";
const ELSEWHERE: &str =
    "requests that no server takes fail in a scenario, instead of going to another address";
const PRIORITY: &str = "requests wait in the order in which they came in a scenario";
const PROGRAM: &str = "what a program does with requests is not read";
const RATE: &str = "an answer of a scenario takes as long as its service";

/// Lines that bear on balance, time or failures and are not carried over: their first words, whom
/// they speak of, and why.
const LEFT: &[(&str, To, &str)] = &[
    ("block", To::All, ADMISSION),
    (
        "disabled",
        To::Pools,
        "the proxy is off; it is read as if it were on",
    ),
    ("dispatch", To::Pools, ELSEWHERE),
    ("filter bwlim-in", To::All, RATE),
    ("filter bwlim-out", To::All, RATE),
    ("filter cache", To::All, CACHE),
    ("filter spoe", To::All, PROGRAM),
    (
        "force-persist",
        To::Pools,
        "all requests of a client are bound alike in a scenario",
    ),
    (
        "hash-preserve-affinity",
        To::Pools,
        "a request whose server is full waits for it in a scenario",
    ),
    (
        "http-check disable-on-404",
        To::Pools,
        "an answer of 404 takes no server out of a scenario",
    ),
    ("http-request cache-use", To::All, CACHE),
    ("http-request deny", To::All, ADMISSION),
    ("http-request lua", To::All, PROGRAM),
    ("http-request reject", To::All, ADMISSION),
    ("http-request set-bandwidth-limit", To::All, RATE),
    ("http-request set-dst", To::All, DESTINATION),
    ("http-request set-dst-port", To::All, DESTINATION),
    ("http-request set-priority-class", To::All, PRIORITY),
    ("http-request set-priority-offset", To::All, PRIORITY),
    (
        "http-request set-retries",
        To::All,
        "all requests of a scenario have the same retries",
    ),
    (
        "http-request set-src",
        To::All,
        "a client of a scenario has one address",
    ),
    (
        "http-request set-timeout",
        To::All,
        "all requests of a scenario have the same timeout",
    ),
    ("http-request silent-drop", To::All, ADMISSION),
    ("http-request tarpit", To::All, ADMISSION),
    (
        "http-request wait-for-body",
        To::All,
        "a request of a scenario comes at once",
    ),
    ("http-response set-bandwidth-limit", To::All, RATE),
    (
        "ignore-persist",
        To::Pools,
        "all requests of a client are bound alike in a scenario",
    ),
    (
        "load-server-state-from-file",
        To::Pools,
        "weights and states that HAProxy saved before it was restarted are not in this file and are not read",
    ),
    ("max-keep-alive-queue", To::Pools, CONNECTIONS),
    (
        "maxconn",
        To::Fronts,
        "a balancer of a scenario takes any number of requests at once",
    ),
    (
        "option abortonclose",
        To::Pools,
        "clients of a scenario wait until the balancer gives their request up",
    ),
    // Some ask which server is the primary, so that only one of them passes.
    ("option external-check", To::Checked, ASKED),
    ("option http_proxy", To::Pools, ELSEWHERE),
    ("option httpchk", To::Checked, ASKED),
    (
        "option persist",
        To::Pools,
        "a client whose server is down gets another one in a scenario",
    ),
    ("option prefer-last-server", To::Pools, CONNECTIONS),
    ("option transparent", To::Pools, ELSEWHERE),
    ("quic-initial reject", To::All, ADMISSION),
    ("quic-initial dgram-drop", To::All, ADMISSION),
    ("rate-limit sessions", To::All, ADMISSION),
    ("reqdeny", To::All, ADMISSION),
    ("reqideny", To::All, ADMISSION),
    ("reqitarpit", To::All, ADMISSION),
    ("reqtarpit", To::All, ADMISSION),
    (
        "stick store-request",
        To::All,
        "a scenario binds a client by its first answer",
    ),
    (
        "stick store-response",
        To::All,
        "a scenario binds a client by its first answer",
    ),
    ("tcp-check expect", To::Checked, ASKED),
    ("tcp-request connection reject", To::All, ADMISSION),
    ("tcp-request connection silent-drop", To::All, ADMISSION),
    ("tcp-request content lua", To::All, PROGRAM),
    ("tcp-request content reject", To::All, ADMISSION),
    ("tcp-request content set-bandwidth-limit", To::All, RATE),
    ("tcp-request content set-dst", To::All, DESTINATION),
    ("tcp-request content set-dst-port", To::All, DESTINATION),
    ("tcp-request content set-priority-class", To::All, PRIORITY),
    ("tcp-request content set-priority-offset", To::All, PRIORITY),
    (
        "tcp-request content set-retries",
        To::All,
        "all requests of a scenario have the same retries",
    ),
    ("tcp-request content silent-drop", To::All, ADMISSION),
    (
        "tcp-request inspect-delay",
        To::All,
        "a request of a scenario comes at once",
    ),
    ("tcp-request session reject", To::All, ADMISSION),
    ("tcp-request session silent-drop", To::All, ADMISSION),
    (
        "timeout tunnel",
        To::Pools,
        "takes the place of `timeout server` once a connection is upgraded, which none is in a scenario",
    ),
    ("transparent", To::Pools, ELSEWHERE),
    (
        "use-server",
        To::Pools,
        "no rule binds requests to a server in a scenario",
    ),
    (
        "use_backend",
        To::All,
        "a scenario does not choose between pools by what a request says",
    ),
];

/// Lines that are carried over, or of which notes of their own say what is not.
const CARRIED: &[&str] = &[
    "appsession",
    "balance",
    "contimeout",
    "cookie",
    "default-server",
    "default_backend",
    "enabled",
    "fullconn",
    "hash-balance-factor",
    "hash-type",
    "mode",
    "option allbackups",
    "option redispatch",
    "persist",
    "redisp",
    "redispatch",
    "retries",
    "retry-on",
    "server",
    "server-template",
    "srvtimeout",
    "stick match",
    "stick on",
    "timeout check",
    "timeout connect",
    "timeout queue",
    "timeout server",
];

/// Lines that bear neither on balance nor on time nor on failures: what is listened to, looked at,
/// logged and written. A `*` at the end stands for any letters.
const ASIDE: &[&str] = &[
    "acl",
    "backlog",
    "bind",
    "bind-process",
    "capture",
    "clitcpka-cnt",
    "clitcpka-idle",
    "clitcpka-intvl",
    "clitimeout",
    "compression",
    "declare",
    "default",
    "description",
    "dynamic-cookie-key",
    "email-alert",
    "error-log-format",
    "errorfile",
    "errorfiles",
    "errorloc",
    "errorloc302",
    "errorloc303",
    "external-check",
    "filter compression",
    "filter comp-req",
    "filter comp-res",
    "filter fcgi-app",
    "filter opentracing",
    "filter trace",
    "force-be-switch",
    "grace",
    "guid",
    "http-after-response",
    "http-check",
    "http-error",
    "http-request add-acl",
    "http-request add-header",
    "http-request allow",
    "http-request auth",
    "http-request capture",
    "http-request del-acl",
    "http-request del-header",
    "http-request del-map",
    "http-request disable-l7-retry",
    "http-request do-log",
    "http-request do-resolve",
    "http-request early-hint",
    "http-request normalize-uri",
    "http-request pause",
    "http-request redirect",
    "http-request replace-*",
    "http-request return",
    "http-request sc-*",
    "http-request send-spoe-group",
    "http-request set-fc-*",
    "http-request set-header",
    "http-request set-headers-bin",
    "http-request set-log-level",
    "http-request set-map",
    "http-request set-mark",
    "http-request set-method",
    "http-request set-nice",
    "http-request set-path",
    "http-request set-pathq",
    "http-request set-query",
    "http-request set-src-port",
    "http-request set-tos",
    "http-request set-uri",
    "http-request set-var",
    "http-request set-var-fmt",
    "http-request strict-mode",
    "http-request track-*",
    "http-request unset-var",
    "http-request use-service",
    "http-request wait-for-handshake",
    "http-response",
    "http-reuse",
    "http-send-name-header",
    "id",
    "log",
    "log-format",
    "log-format-sd",
    "log-steps",
    "log-tag",
    "max-session-srv-conns",
    "monitor",
    "monitor-net",
    "monitor-uri",
    "no",
    "option accept-*",
    "option checkcache",
    "option clitcpka",
    "option contstats",
    "option disable-h2-upgrade",
    "option dontlog-normal",
    "option dontlognull",
    "option forceclose",
    "option forwarded",
    "option forwardfor",
    "option h1-case-adjust-*",
    "option http-*",
    "option httpclose",
    "option httplog",
    "option httpslog",
    "option idle-close-on-response",
    "option independent-streams",
    "option independant-streams",
    "option ldap-check",
    "option log-health-checks",
    "option log-separate-errors",
    "option logasap",
    "option mysql-check",
    "option nolinger",
    "option originalto",
    "option pgsql-check",
    "option redis-check",
    "option smtpchk",
    "option socket-stats",
    "option splice-*",
    "option spop-check",
    "option srvtcpka",
    "option ssl-hello-chk",
    "option tcp-check",
    "option tcp-smart-*",
    "option tcpka",
    "option tcplog",
    "option use-small-buffers",
    "quic-initial accept",
    "redirect",
    "req*",
    "rsp*",
    "server-state-file-name",
    "source",
    "srvtcpka-cnt",
    "srvtcpka-idle",
    "srvtcpka-intvl",
    "stats",
    "stick-table",
    "tcp-check",
    "tcp-request connection",
    "tcp-request content",
    "tcp-request session",
    "tcp-response",
    "timeout client",
    "timeout client-fin",
    "timeout client-hs",
    "timeout http-keep-alive",
    "timeout http-request",
    "timeout server-fin",
    "timeout tarpit",
    "unique-id-format",
    "unique-id-header",
    "use-fcgi-app",
];

/// Lines of `global` that bear on balance, time or failures: they hold for all proxies.
const GLOBAL: &[(&str, &str)] = &[
    (
        "maxconn",
        "a balancer of a scenario takes any number of requests at once",
    ),
    ("maxconnrate", ADMISSION),
    ("maxsessrate", ADMISSION),
    (
        "nbproc",
        "each process balances and checks for itself, as `instances` of a scenario's balancer do",
    ),
    (
        "spread-checks",
        "checks of a scenario come at equal intervals",
    ),
];

/// What becomes of a line of a proxy, and whom it speaks of, by its words; `None` where nobody
/// knows what it does.
pub(super) fn fate(words: [&str; 3]) -> Option<(To, Fate)> {
    let [first, second, third] = words;
    let second = second.split(['(', '.']).next().unwrap_or_default();
    let third = third.split(['(', '.']).next().unwrap_or_default();
    let names = [
        format!("{first} {second} {third}"),
        format!("{first} {second}"),
        first.to_owned(),
    ];
    names.iter().find_map(|name| {
        if CARRIED.contains(&name.as_str()) {
            return Some((To::All, Fate::Carried));
        }
        if let Some((_, to, why)) = LEFT.iter().find(|(known, ..)| known == name) {
            return Some((*to, Fate::Left(why)));
        }
        let aside = ASIDE.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => pattern == name,
        });
        aside.then_some((To::All, Fate::Aside))
    })
}

/// Why a line of `global` is left out, where it bears on balancing.
pub(super) fn global(word: &str) -> Option<&'static str> {
    let found = GLOBAL.iter().find(|(known, _)| *known == word);
    found.map(|(_, why)| *why)
}

/// The words that lines of proxies begin with, for suggestions.
pub(super) fn first_words() -> impl Iterator<Item = &'static str> {
    let left = LEFT.iter().map(|(known, ..)| *known);
    let all = left
        .chain(CARRIED.iter().copied())
        .chain(ASIDE.iter().copied());
    let first = all.map(|name| name.split(' ').next().unwrap_or(name));
    first.filter(|name| !name.ends_with('*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<(To, Fate)> {
        let mut words = text.split(' ');
        fate([(); 3].map(|()| words.next().unwrap_or_default()))
    }

    #[test]
    fn what_bears_on_requests_is_told_from_what_does_not() {
        for text in [
            "http-request set-timeout server",
            "http-request set-retries 3",
            "http-request deny if",
            "http-request lua.pick",
            "tcp-request content reject",
            "hash-preserve-affinity maxconn",
            "maxconn 100",
            "rate-limit sessions 10",
            "filter bwlim-out x",
            "timeout tunnel 1h",
        ] {
            assert!(matches!(of(text), Some((_, Fate::Left(_)))), "{text}");
        }
        for text in [
            "http-request set-header a",
            "http-request track-sc0 src",
            "http-request replace-path a",
            "tcp-request content accept",
            "option http-server-close",
            "timeout client 3s",
            "reqirep a",
        ] {
            assert_eq!(of(text), Some((To::All, Fate::Aside)), "{text}");
        }
        for text in ["timeout server 3s", "stick on src", "balance roundrobin"] {
            assert_eq!(of(text), Some((To::All, Fate::Carried)), "{text}");
        }
        for text in ["sever a b", "option httpcheck", "timeout sever 3s"] {
            assert_eq!(of(text), None, "{text}");
        }
        assert!(first_words().any(|word| word == "use_backend"));
        assert_eq!(global("daemon"), None);
        assert!(global("maxconn").is_some());
    }
}
