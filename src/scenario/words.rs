//! Texts that are no quantities: what may stand in a name and in an address, so that nothing that
//! reads them later, be it a terminal, a chart, a shell or a configuration, takes them for anything
//! else.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Why a text is refused, and how to put it right.
pub(super) type Refusal = (String, &'static str);

/// The first character that nobody can see or print: a control character, one that turns the
/// direction of writing, one that is none.
pub(super) fn unprintable(text: &str) -> Option<char> {
    text.chars().find(|&c| {
        c.is_control()
            || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    })
}

/// Holds a text against the rule that a schema's `format` names; other formats have none here.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(format: &str, text: &str) -> Result<(), Refusal> {
    match format {
        "name" => name(text),
        "address" => address(text),
        _ => Ok(()),
    }
}

/// A name of a service or of servers: faults and tuning say `service/server`, and `*` for any text.
fn name(text: &str) -> Result<(), Refusal> {
    if text.trim() != text {
        return Err((
            "begins or ends with a space".to_owned(),
            "leave the space out",
        ));
    }
    match text.chars().find(|c| matches!(c, '/' | '*')) {
        Some(c) => Err((
            format!("has a `{c}`, which has a meaning where servers are named"),
            "write e.g. `-` in its place",
        )),
        None => Ok(()),
    }
}

/// Host and port, or the path of a Unix socket.
///
/// # Errors
/// What is wrong with it: a sentence that goes on after the address.
pub(crate) fn address(text: &str) -> Result<(), Refusal> {
    let help = "write `HOST:PORT`: a name of letters, digits, `.`, `-` and `_`, an IPv4 address, or an IPv6 address in brackets; \
        or `unix:/PATH`";
    let refuse = |why: &str| Err((why.to_owned(), help));
    if let Some(path) = text.strip_prefix("unix:") {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
        return if path.starts_with('/') && path.chars().all(is_plain) {
            Ok(())
        } else {
            refuse("is no path of a socket: `/`, letters, digits and `._-+@` may stand in it")
        };
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return refuse("has no port");
    };
    let is_port = port.bytes().all(|b| b.is_ascii_digit());
    if !is_port || !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return refuse("has a port that is no number from 1 to 65535");
    }
    if let Some(inner) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return match inner.parse::<Ipv6Addr>() {
            Ok(_) => Ok(()),
            Err(_) => refuse("has no IPv6 address in its brackets"),
        };
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let looks_numeric = host.chars().all(|c| c.is_ascii_digit() || c == '.');
    if host.is_empty() || !host.chars().all(is_plain) || host.starts_with(['-', '.']) {
        refuse("has a host that is neither a name nor an address")
    } else if looks_numeric && host.parse::<Ipv4Addr>().is_err() {
        refuse("has a host that is no IPv4 address")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_host_and_port_and_nothing_else() {
        for good in [
            "10.0.0.1:80",
            "web-1.example.com:8080",
            "[2001:db8::1]:443",
            "unix:/var/run/app_1.sock",
            "my_host:65535",
        ] {
            assert_eq!(address(good), Ok(()), "{good}");
        }
        for bad in [
            "10.0.0.1",
            "10.0.0.1:0",
            "10.0.0.1:65536",
            "10.0.0.1:+80",
            "10.0.0.256:80",
            "10.0.0.1:80; reboot",
            "$(reboot):80",
            "a b:80",
            "`x`:80",
            "a|b:80",
            "a\n:80",
            "::1:80",
            "[::1:80",
            "[x]:80",
            ":80",
            "-rf:80",
            "unix:relative",
            "unix:/a b",
            "http://a:80",
            "é:80",
            "",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_found() {
        assert_eq!(unprintable("a|b; é \u{1f600}"), None);
        for c in [
            '\0', '\n', '\t', '\u{1b}', '\u{7f}', '\u{85}', '\u{202e}', '\u{feff}',
        ] {
            assert_eq!(unprintable(&format!("a{c}b")), Some(c));
        }
        assert!(name("a/b").is_err() && name("a*").is_err() && name(" a").is_err());
        assert_eq!(name("10.0.0.1-80 | é"), Ok(()));
    }
}
