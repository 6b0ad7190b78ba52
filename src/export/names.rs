//! Addresses and names as products take them. What a product's syntax cannot say is refused: a name
//! of a scenario must never become a line of a configuration, or a command of a shell.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use super::{Plan, Target, Unsayable};
use crate::config::{Product, scenario_name};

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address<'a> {
    /// Host and port. The host is an IPv4 address or a name, whose letters stand for themselves in
    /// each product's syntax.
    Host(&'a str, u16),
    /// The same of IPv6, without brackets.
    Six(Ipv6Addr, u16),
    /// The path of a Unix socket: any text without control characters.
    Socket(&'a str),
}

/// The port of an address that has none.
const HTTP: u16 = 80;

/// The address of a server.
pub(super) fn address(target: &Target) -> Result<Address<'_>, Unsayable> {
    let text = target.address.as_str();
    let refused = |what: &str| {
        Unsayable::new(format!(
            "the address of `{}` is `{}`: {what}",
            target.name.escape_debug(),
            text.escape_debug()
        ))
    };
    let path = text
        .strip_prefix("unix:")
        .or(text.starts_with('/').then_some(text));
    if let Some(path) = path {
        return match path.is_empty() || path.contains(char::is_control) {
            true => Err(refused(
                "expected the path of a socket, without control characters",
            )),
            false => Ok(Address::Socket(path)),
        };
    }
    if let Ok(host) = text.parse::<Ipv6Addr>() {
        return Ok(Address::Six(host, HTTP));
    }
    let number = |port: &str| {
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let number = port.parse::<u16>().ok().filter(|port| digits && *port > 0);
        number.ok_or_else(|| refused("its port is no number from 1 to 65535"))
    };
    if let Some((host, port)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let host = host
            .parse()
            .map_err(|_| refused("expected an IPv6 address within the brackets"))?;
        let port = match port.strip_prefix(':') {
            Some(port) => number(port)?,
            None if port.is_empty() => HTTP,
            None => return Err(refused("expected `:` and a port after the brackets")),
        };
        return Ok(Address::Six(host, port));
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, number(port)?),
        None => (text, HTTP),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let is_name = host.starts_with(|c: char| c.is_ascii_alphanumeric()) && host.chars().all(plain);
    match is_name && host.len() <= 253 {
        true => Ok(Address::Host(host, port)),
        false => Err(refused(
            "expected a name of letters, digits, `.`, `-` and `_`, or an IP address, and a port",
        )),
    }
}

impl Address<'_> {
    /// Host and port, IPv6 in brackets; refused for a socket, which `product` has no word for.
    pub(super) fn host_and_port(
        &self,
        target: &Target,
        product: Product,
    ) -> Result<String, Unsayable> {
        match self {
            Address::Host(host, port) => Ok(format!("{host}:{port}")),
            Address::Six(host, port) => Ok(format!("[{host}]:{port}")),
            Address::Socket(path) => Err(Unsayable::new(format!(
                "{} takes no Unix sockets, and `{}` is at `{}`",
                product.title(),
                target.name,
                path
            ))),
        }
    }

    /// The port alone.
    pub(super) fn port(&self) -> u16 {
        match self {
            Address::Host(_, port) | Address::Six(_, port) => *port,
            Address::Socket(_) => HTTP,
        }
    }
}

/// A word of a configuration of nginx: quoted where it must be. A variable cannot be escaped there.
pub(super) fn nginx_word(text: &str) -> Result<String, Unsayable> {
    if text.contains('$') {
        let message = format!("`{text}` has a `$`, which nginx takes for a variable");
        return Err(Unsayable::new(message));
    }
    Ok(quoted(text, &['"', '\\']))
}

/// A word of a configuration of HAProxy: quoted where it must be.
pub(super) fn haproxy_word(text: &str) -> String {
    quoted(text, &['"', '\\', '$'])
}

/// A text without control characters between double quotes, a backslash before each of `special`;
/// bare where all of it is plain.
fn quoted(text: &str, special: &[char]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-:/@[]".contains(c);
    if text.chars().all(plain) {
        return text.to_owned();
    }
    let mut out = "\"".to_owned();
    for c in text.chars() {
        if special.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out + "\""
}

/// A text of YAML: bare where YAML takes it for nothing else than a text.
pub(super) fn yaml(text: &str) -> String {
    let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let bare = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(plain)
        && !words.contains(&text.to_ascii_lowercase().as_str());
    match bare {
        true => text.to_owned(),
        // JSON is YAML.
        false => serde_json::Value::from(text).to_string(),
    }
}

/// A name of small letters, digits and `-`, as most products take it.
pub(super) fn label(name: &str) -> Result<String, Unsayable> {
    let plain = scenario_name(name).to_lowercase().replace(['.', '_'], "-");
    match plain.trim_matches('-') {
        "" => Err(Unsayable::new(format!(
            "nothing of the name `{}` is left when only letters, digits and `-` are: give it another one",
            name.escape_debug()
        ))),
        label => Ok(label.to_owned()),
    }
}

/// What each server is called, by `plain`; refused where two names become one, since what is meant
/// for the one would go to the other.
pub(super) fn distinct(
    plan: &Plan,
    plain: impl Fn(&str) -> Result<String, Unsayable>,
) -> Result<Vec<String>, Unsayable> {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    let mut names = Vec::with_capacity(plan.targets.len());
    for target in &plan.targets {
        let name = plain(&target.name)?;
        if let Some(other) = known.insert(name.clone(), &target.name) {
            return Err(Unsayable::new(format!(
                "`{other}` and `{}` would both be called `{name}` there: give one of them another name",
                target.name
            )));
        }
        names.push(name);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(address: &str) -> Target {
        Target {
            name: "a".to_owned(),
            address: address.to_owned(),
            weight: 1,
            backup: false,
            down: false,
            max_connections: 0,
        }
    }

    #[test]
    fn addresses_are_hosts_or_sockets() {
        let six = "2001:db8::1".parse().unwrap();
        for (text, expected) in [
            ("10.0.0.1:8080", Address::Host("10.0.0.1", 8080)),
            ("web_1.example", Address::Host("web_1.example", 80)),
            ("[2001:db8::1]:8080", Address::Six(six, 8080)),
            ("[2001:db8::1]", Address::Six(six, 80)),
            ("2001:db8::1", Address::Six(six, 80)),
            ("unix:/run/a b.sock", Address::Socket("/run/a b.sock")),
            ("/run/a.sock", Address::Socket("/run/a.sock")),
        ] {
            assert_eq!(address(&target(text)), Ok(expected), "{text}");
        }
        for text in [
            "",
            ":80",
            "a:",
            "a:0",
            "a:65536",
            "a:+80",
            "a b:80",
            "a;reboot:80",
            "a:80;reboot",
            "a:80\nb:80",
            "$(reboot):80",
            "`id`:80",
            "a'b",
            "a\"b",
            "[::1",
            "[x]:80",
            "[::1]80",
            "-a:80",
            "unix:/a\nb",
            "unix:",
            "a#b:80",
            "a}b:80",
        ] {
            assert!(address(&target(text)).is_err(), "{text:?}");
        }
    }

    #[test]
    fn words_are_quoted_where_they_must_be() {
        assert_eq!(nginx_word("unix:/run/a.sock").unwrap(), "unix:/run/a.sock");
        assert_eq!(
            nginx_word("unix:/a b;\"c\\").unwrap(),
            "\"unix:/a b;\\\"c\\\\\""
        );
        assert!(nginx_word("unix:/$a").is_err());
        assert_eq!(haproxy_word("/a $b#c"), "\"/a \\$b#c\"");
        for (text, expected) in [
            ("web-1", "web-1"),
            ("no", "\"no\""),
            ("1e3", "\"1e3\""),
            ("a: b", "\"a: b\""),
        ] {
            assert_eq!(yaml(text), expected);
        }
        assert_eq!(label("Web_1.a").unwrap(), "web-1-a");
        assert!(label("...").is_err());
    }
}
