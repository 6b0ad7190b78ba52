//! HAProxy: the lines of a backend that say how servers are picked, and the commands of its runtime
//! API.

use serde_json::{Value, json};

use super::program::{Compared, KeyedBy, MemberChange, Program, Setup};
use super::recording::{RecordedStep, Recording};
use crate::strategy::{Member, MemberId, StrategyConfig};
use crate::time::{Span, Time};

/// Reads recordings of HAProxy.
pub(super) struct Haproxy;

/// A request is tried on one server, and `retries` times more.
const RETRIES: u32 = 3;

impl Program for Haproxy {
    fn setup(&self, recording: &Recording) -> Result<Setup, String> {
        let mut config = json!({});
        let mut members: Vec<Member> = Vec::new();
        let mut cookies = Vec::new();
        let mut keyed_by = KeyedBy::Text;
        for line in recording.config_text().lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                [] | ["backend", _] | ["option", "redispatch"] | ["retries", _] => {}
                ["cookie", _, "insert", ..] => {}
                ["balance", method, ref parameters @ ..] => {
                    if method == "source" {
                        keyed_by = KeyedBy::Address;
                    }
                    balance(method, parameters, &mut config)?;
                }
                ["hash-type", kind, ref parameters @ ..] => {
                    config["hash-type"] = json!(kind);
                    for &parameter in parameters {
                        match parameter {
                            "avalanche" => config["avalanche"] = json!(true),
                            function => config["hash-function"] = json!(function),
                        }
                    }
                }
                ["hash-balance-factor", factor] => {
                    config["hash-balance-factor"] = json!(number(factor)?);
                }
                ["server", name, address, ref parameters @ ..] => {
                    let (member, cookie) = server(name, address, parameters, members.len())?;
                    members.push(member);
                    cookies.push(cookie);
                }
                _ => return Err(format!("nothing is known of `{}`", line.trim())),
            }
        }
        if config.get("kind").is_none() {
            config["kind"] = json!("haproxy-roundrobin");
        }
        let random = config["kind"] == "haproxy-random";
        let strategy: StrategyConfig =
            serde_json::from_value(config).map_err(|error| error.to_string())?;
        let names = members.iter().map(|member| &member.name);
        if !names.eq(recording.servers.iter().map(|server| &server.name)) {
            return Err("the configuration has other servers than the recording".to_owned());
        }
        let mut setup = Setup::new(recording, strategy);
        setup.members = members;
        setup.cookies = cookies;
        setup.keyed_by = keyed_by;
        setup.tries = RETRIES + 1;
        // Servers that are there from the start have no slow start.
        setup.begins = Time::ZERO + Span::from_secs(1);
        if random || recording.statistical {
            setup.comparison = Compared::Shares;
        }
        Ok(setup)
    }

    fn changes(&self, step: &RecordedStep, setup: &Setup) -> Result<Vec<MemberChange>, String> {
        if let Some(command) = &step.cmd {
            return command_changes(command, setup);
        }
        // What the health checks say is written down with each request, under the name of the
        // server.
        let members = (0..).zip(&setup.members);
        let said = members.filter_map(|(at, member)| {
            let state = step.further.get(&member.name)?.as_str()?;
            Some(MemberChange::Down(at, state.starts_with("DOWN")))
        });
        Ok(said.collect())
    }
}

/// The strategy of a `balance` line.
fn balance(method: &str, parameters: &[&str], config: &mut Value) -> Result<(), String> {
    let (name, argument) = match method.split_once('(') {
        Some((name, rest)) => (name, Some(rest.trim_end_matches(')'))),
        None => (method, None),
    };
    let kind = match name {
        "roundrobin" | "leastconn" | "first" | "static-rr" | "source" | "uri" | "hdr" | "hash" => {
            name
        }
        "url_param" => "url-param",
        "random" => {
            if let Some(draws) = argument {
                config["draws"] = json!(number(draws)?);
            }
            name
        }
        _ => return Err(format!("nothing is known of `balance {method}`")),
    };
    config["kind"] = json!(format!("haproxy-{kind}"));
    if name == "uri" {
        let mut words = parameters.iter();
        while let Some(&word) = words.next() {
            match (word, word) {
                ("whole", _) => config["whole"] = json!(true),
                ("len" | "depth", key) => {
                    let value = words
                        .next()
                        .ok_or_else(|| format!("`{key}` has no number"))?;
                    config[key] = json!(number(value)?);
                }
                _ => return Err(format!("nothing is known of `balance uri {word}`")),
            }
        }
    }
    Ok(())
}

/// A `server` line: the server, and its cookie.
fn server(
    name: &str,
    address: &str,
    parameters: &[&str],
    position: usize,
) -> Result<(Member, String), String> {
    let mut member = Member {
        name: name.to_owned(),
        address: address.to_owned(),
        ..Member::new(position as u32, 1)
    };
    let mut cookie = String::new();
    let mut words = parameters.iter();
    while let Some(&word) = words.next() {
        let mut value = || {
            words
                .next()
                .copied()
                .ok_or_else(|| format!("`{word}` of server {name} has no value"))
        };
        match word {
            "id" => member.id = number(value()?)?,
            "weight" => member.weight = number(value()?)?,
            "maxconn" => member.max_connections = number(value()?)?,
            "minconn" => member.min_connections = number(value()?)?,
            "maxqueue" => member.max_queue = number(value()?)?,
            "slowstart" => {
                let span = value()?;
                let known = span.parse();
                member.slow_start = Some(known.map_err(|_| format!("`{span}` is not a time"))?);
            }
            "cookie" => cookie = value()?.to_owned(),
            "backup" => member.backup = true,
            "disabled" => member.down = true,
            "check" => {}
            // What the checks find is recorded, and need not be found again.
            "inter" | "fall" | "rise" => {
                value()?;
            }
            _ => return Err(format!("nothing is known of `{word}` of server {name}")),
        }
    }
    Ok((member, cookie))
}

/// What a command of the runtime API changes.
fn command_changes(command: &str, setup: &Setup) -> Result<Vec<MemberChange>, String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let unknown = || format!("nothing is known of the command `{command}`");
    match words[..] {
        ["set", "server", server, "state", state] => {
            let member = member(server, setup)?;
            match state {
                "maint" => Ok(vec![MemberChange::Down(member, true)]),
                "drain" => Ok(vec![
                    MemberChange::Down(member, false),
                    MemberChange::Drain(member, true),
                ]),
                "ready" => Ok(vec![
                    MemberChange::Down(member, false),
                    MemberChange::Drain(member, false),
                ]),
                _ => Err(unknown()),
            }
        }
        ["set", "server", server, "weight", weight] | ["set", "weight", server, weight] => {
            let member = member(server, setup)?;
            let configured = setup.members[member as usize].weight;
            let weight = match weight.strip_suffix('%') {
                Some(percent) => configured * number(percent)? / 100,
                None => number(weight)?,
            };
            Ok(vec![MemberChange::Weight(member, weight)])
        }
        ["disable", "server", server] => Ok(vec![MemberChange::Down(member(server, setup)?, true)]),
        ["enable", "server", server] => Ok(vec![MemberChange::Down(member(server, setup)?, false)]),
        _ => Err(unknown()),
    }
}

/// The server that a command calls `backend/server`.
fn member(text: &str, setup: &Setup) -> Result<MemberId, String> {
    let name = text.split_once('/').map_or(text, |(_, name)| name);
    let at = setup.members.iter().position(|member| member.name == name);
    at.map(|at| at as MemberId)
        .ok_or_else(|| format!("there is no server `{text}`"))
}

fn number(text: &str) -> Result<u32, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not a whole number"))
}
