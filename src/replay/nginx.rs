//! nginx: the directives of its configuration file that say how servers are picked.

mod directives;

use std::net::SocketAddr;

use directives::{Directive, parse};
use serde_json::json;

use super::program::{KeyedBy, Program, Setup};
use super::recording::Recording;
use crate::config::nginx::time;
use crate::strategy::{Member, Outcome, StrategyConfig};
use crate::time::Span;

/// Reads recordings of nginx.
pub(super) struct Nginx;

/// What the configuration says of an upstream.
#[derive(Default)]
struct Upstream {
    /// How servers are picked: a strategy's name and settings.
    method: Option<serde_json::Value>,
    keyed_by: Option<KeyedBy>,
    servers: Vec<ServerLine>,
}

/// What the configuration says of a server.
struct ServerLine {
    address: SocketAddr,
    weight: u32,
    max_conns: u32,
    max_fails: u32,
    fail_timeout: Span,
    backup: bool,
    down: bool,
}

impl Program for Nginx {
    fn setup(&self, recording: &Recording) -> Result<Setup, String> {
        let mut upstream = Upstream::default();
        let mut http_503 = false;
        for directive in parse(&recording.config_text())? {
            match directive.words()[..] {
                ["upstream", _] => upstream = Upstream::read(&directive.block)?,
                ["server"] => http_503 = retries_on_503(&directive.block)?,
                ["set_real_ip_from", _] | ["real_ip_header", _] => {}
                _ => return Err(directive.unknown()),
            }
        }
        upstream.check_servers(recording)?;
        let mut config = upstream
            .method
            .take()
            .unwrap_or_else(|| json!({ "kind": "nginx-round-robin" }));
        if http_503 {
            config["next-upstream"] = json!(["http_503"]);
        }
        if config["kind"] == "nginx-random" {
            config["draws"] = json!(recording.draws);
        }
        let strategy: StrategyConfig =
            serde_json::from_value(config).map_err(|error| error.to_string())?;
        let mut setup = Setup::new(recording, strategy);
        for (member, server) in setup.members.iter_mut().zip(&upstream.servers) {
            *member = Member {
                weight: server.weight,
                max_connections: server.max_conns,
                backup: server.backup,
                down: server.down,
                max_fails: Some(server.max_fails),
                fail_timeout: Some(server.fail_timeout),
                ..member.clone()
            };
        }
        setup.keyed_by = upstream.keyed_by.unwrap_or(KeyedBy::Text);
        let tries = upstream.servers.iter().filter(|server| !server.down);
        setup.tries = tries.count() as u32;
        if http_503 {
            setup.when_down = Outcome::Rejected;
        }
        Ok(setup)
    }
}

impl Upstream {
    fn read(block: &[Directive]) -> Result<Upstream, String> {
        let mut upstream = Upstream::default();
        for directive in block {
            let words = directive.words();
            let method = match words[..] {
                ["server", address, ref parameters @ ..] => {
                    let server = ServerLine::read(address, parameters)?;
                    upstream.servers.push(server);
                    continue;
                }
                ["least_conn"] => json!({ "kind": "nginx-least-conn" }),
                ["ip_hash"] => {
                    upstream.keyed_by = Some(KeyedBy::Address);
                    json!({ "kind": "nginx-ip-hash" })
                }
                ["hash", key] | ["hash", key, "consistent"] => {
                    let hashed = hashed(key)?;
                    if hashed == "address" {
                        upstream.keyed_by = Some(KeyedBy::Address);
                    }
                    json!({ "kind": "nginx-hash", "key": hashed, "consistent": words.len() == 3 })
                }
                ["random"] => json!({ "kind": "nginx-random" }),
                ["random", "two"] | ["random", "two", "least_conn"] => {
                    json!({ "kind": "nginx-random", "two": "least_conn" })
                }
                _ => return Err(directive.unknown()),
            };
            if upstream.method.replace(method).is_some() {
                return Err("an upstream has two methods".to_owned());
            }
        }
        let refuses_backup = upstream.method.as_ref().is_some_and(|method| {
            let kind = &method["kind"];
            kind == "nginx-ip-hash" || kind == "nginx-hash" || kind == "nginx-random"
        });
        if refuses_backup && upstream.servers.iter().any(|server| server.backup) {
            return Err("nginx takes no `backup` with the upstream's method".to_owned());
        }
        Ok(upstream)
    }

    /// Refuses a recording of other servers, or of another order.
    fn check_servers(&self, recording: &Recording) -> Result<(), String> {
        let configured = self.servers.iter().map(|server| server.address.to_string());
        let recorded = recording.servers.iter().map(|server| server.addr.clone());
        if configured.eq(recorded) {
            Ok(())
        } else {
            Err("the upstream's servers are not those of the recording".to_owned())
        }
    }
}

impl ServerLine {
    fn read(address: &str, parameters: &[&str]) -> Result<ServerLine, String> {
        let address = address
            .parse()
            .map_err(|_| format!("`{address}` is not an IP address and port"))?;
        let mut server = ServerLine {
            address,
            weight: 1,
            max_conns: 0,
            max_fails: 1,
            fail_timeout: Span::from_secs(10),
            backup: false,
            down: false,
        };
        for &parameter in parameters {
            let number = |text: &str| {
                text.parse::<u32>()
                    .map_err(|_| format!("`{parameter}` has no whole number"))
            };
            match parameter.split_once('=').unwrap_or((parameter, "")) {
                ("weight", text) => server.weight = number(text)?,
                ("max_conns", text) => server.max_conns = number(text)?,
                ("max_fails", text) => server.max_fails = number(text)?,
                ("fail_timeout", text) => {
                    let millis = time::parse(text, true);
                    let millis = millis.ok_or_else(|| format!("`{parameter}` has no time"))?;
                    server.fail_timeout = Span::from_millis(millis);
                }
                ("backup", "") => server.backup = true,
                ("down", "") => server.down = true,
                _ => return Err(format!("nothing is known of a server's `{parameter}`")),
            }
        }
        Ok(server)
    }
}

/// What the key of `hash` is to a strategy.
fn hashed(key: &str) -> Result<&'static str, String> {
    match key {
        "$request_uri" => Ok("key"),
        "$remote_addr" => Ok("address"),
        _ if key.starts_with("$arg_") => Ok("key"),
        _ => Err(format!("nothing is known of a hash of `{key}`")),
    }
}

/// Whether a `server` block passes a request on that was answered with 503.
fn retries_on_503(block: &[Directive]) -> Result<bool, String> {
    let mut http_503 = false;
    for directive in block {
        match directive.words()[..] {
            ["location", _] => http_503 |= retries_on_503(&directive.block)?,
            ["proxy_next_upstream", ref conditions @ ..] => {
                for &condition in conditions {
                    match condition {
                        "error" | "timeout" => {}
                        "http_503" => http_503 = true,
                        _ => return Err(directive.unknown()),
                    }
                }
            }
            ["listen" | "proxy_pass" | "add_header", ..] => {}
            _ => return Err(directive.unknown()),
        }
    }
    Ok(http_503)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(config: &str) -> Result<Setup, String> {
        let recording = json!({
            "program": "nginx",
            "config": config,
            "servers": [
                { "name": "a", "addr": "10.0.0.1:80", "weight": 1 },
                { "name": "b", "addr": "10.0.0.2:80", "weight": 1 },
            ],
        });
        Nginx.setup(&serde_json::from_value(recording).unwrap())
    }

    #[test]
    fn what_is_configured_arrives() {
        let config = "upstream u { hash $remote_addr consistent; # by client
            server 10.0.0.1:80 weight=3 max_fails=2 fail_timeout=30;
            server 10.0.0.2:80 fail_timeout=1m down max_conns=7; }";
        let setup = setup(config).unwrap();
        assert_eq!(
            setup.starts[0].label(),
            "nginx-hash (key=address, consistent=true)"
        );
        assert_eq!((setup.tries, setup.members[0].weight), (1, 3));
        let failing = |at: usize| (setup.members[at].max_fails, setup.members[at].fail_timeout);
        assert_eq!(failing(0), (Some(2), Some(Span::from_secs(30))));
        assert_eq!(failing(1), (Some(1), Some(Span::from_secs(60))));
        assert!(setup.members[1].down && setup.members[1].max_connections == 7);
        assert_eq!(setup.keyed_by, KeyedBy::Address);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let both = "server 10.0.0.1:80; server 10.0.0.2:80";
        for (upstream, says) in [
            (format!("{both} slow_start=3s;"), "`slow_start=3s`"),
            (format!("sticky cookie x; {both};"), "`sticky cookie x`"),
            (format!("hash $cookie_x; {both};"), "`$cookie_x`"),
            (format!("ip_hash; least_conn; {both};"), "two methods"),
            (format!("ip_hash; {both} backup;"), "`backup`"),
            (format!("{both} fail_timeout=x;"), "`fail_timeout=x`"),
            ("server 10.0.0.2:80;".to_owned(), "those of the recording"),
            (both.to_owned(), "`;`"),
        ] {
            let message = setup(&format!("upstream u {{ {upstream} }}")).unwrap_err();
            assert!(message.contains(says), "{upstream}: {message}");
        }
    }
}
