//! The parameters of servers that HAProxy knows, so that one it does not know is told from one that
//! says nothing of balancing.
//!
//! Section 5.2 of the configuration manual 2.6, with what came until 3.2 and what older versions
//! had.

use super::directives;
use crate::spelling;

/// Words after a server's address that stand alone.
const ALONE: &[&str] = &[
    "agent-check",
    "allow-0rtt",
    "backup",
    "check",
    "check-reuse-pool",
    "check-send-proxy",
    "check-sni-auto",
    "check-ssl",
    "check-via-socks4",
    "disabled",
    "enabled",
    "force-sslv3",
    "force-tlsv10",
    "force-tlsv11",
    "force-tlsv12",
    "force-tlsv13",
    "ktls",
    "no-agent-check",
    "no-backup",
    "no-check",
    "no-check-reuse-pool",
    "no-check-send-proxy",
    "no-check-sni-auto",
    "no-check-ssl",
    "no-disabled",
    "no-renegotiate",
    "no-send-proxy",
    "no-send-proxy-v2",
    "no-send-proxy-v2-ssl",
    "no-send-proxy-v2-ssl-cn",
    "no-sni-auto",
    "no-ssl",
    "no-ssl-reuse",
    "no-sslv3",
    "no-tfo",
    "no-tls-tickets",
    "no-tlsv10",
    "no-tlsv11",
    "no-tlsv12",
    "no-tlsv13",
    "no-verifyhost",
    "non-stick",
    "renegotiate",
    "send-proxy",
    "send-proxy-v2",
    "send-proxy-v2-ssl",
    "send-proxy-v2-ssl-cn",
    "sni-auto",
    "ssl",
    "ssl-reuse",
    "stick",
    "strict-maxconn",
    "tfo",
    "tls-tickets",
];

/// Words after a server's address that have a value after them.
const VALUED: &[&str] = &[
    "addr",
    "agent-addr",
    "agent-inter",
    "agent-port",
    "agent-send",
    "alpn",
    "ca-file",
    "cc",
    "check-alpn",
    "check-pool-conn-name",
    "check-proto",
    "check-sni",
    "ciphers",
    "ciphersuites",
    "client-sigalgs",
    "cookie",
    "crl-file",
    "crt",
    "curves",
    "downinter",
    "ech",
    "error-limit",
    "fall",
    "fastinter",
    "guid",
    "hash-key",
    "id",
    "idle-ping",
    "init-addr",
    "init-state",
    "inter",
    "interface",
    "log-bufsize",
    "log-proto",
    "max-reuse",
    "maxconn",
    "maxqueue",
    "minconn",
    "namespace",
    "npn",
    "observe",
    "on-error",
    "on-marked-down",
    "on-marked-up",
    "pool-conn-name",
    "pool-low-conn",
    "pool-max-conn",
    "pool-purge-delay",
    "port",
    "proto",
    "proxy-v2-options",
    "redir",
    "resolve-net",
    "resolve-opts",
    "resolve-prefer",
    "resolvers",
    "rise",
    "shard",
    "sigalgs",
    "slowstart",
    "sni",
    "socks4",
    "source",
    "ssl-max-ver",
    "ssl-min-ver",
    "tcp-md5sig",
    "tcp-ut",
    "track",
    "usesrc",
    "verify",
    "verifyhost",
    "weight",
    "ws",
];

/// How many values a server's parameter has.
pub(super) fn values(parameter: &str) -> Option<usize> {
    if ALONE.binary_search(&parameter).is_ok() {
        Some(0)
    } else if VALUED.binary_search(&parameter).is_ok()
        || parameter.starts_with("set-proxy-v2-tlv-fmt(")
    {
        Some(1)
    } else {
        None
    }
}

/// ``; did you mean `weight`?`` or nothing.
pub(super) fn suggestion(word: &str, among: Vocabulary) -> String {
    let words: Vec<&str> = match among {
        Vocabulary::Directives => directives::first_words().collect(),
        Vocabulary::Parameters => [ALONE, VALUED].concat(),
    };
    match spelling::hint(word, words) {
        none if none.is_empty() => ".".to_owned(),
        hint => hint,
    }
}

/// What a word may have been meant for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Vocabulary {
    Directives,
    Parameters,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_in_order_so_that_they_can_be_searched() {
        for list in [ALONE, VALUED] {
            assert!(list.is_sorted());
        }
        assert_eq!(
            (values("backup"), values("weight"), values("wieght")),
            (Some(0), Some(1), None)
        );
        assert_eq!(
            suggestion("sever", Vocabulary::Directives),
            "; did you mean `server`?"
        );
        assert_eq!(
            suggestion("wieght", Vocabulary::Parameters),
            "; did you mean `weight`?"
        );
        assert_eq!(suggestion("zzz", Vocabulary::Parameters), ".");
    }
}
