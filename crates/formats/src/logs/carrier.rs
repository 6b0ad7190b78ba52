//! What carriers put around the lines of a log: syslog daemons, journals, container runtimes and
//! those who show their output.
//!
//! A carrier's prefix is no part of the line: left there, it would become part of its first value,
//! which often is the client.

use std::borrow::Cow;

use super::clock;

/// Carriers within each other at most.
const DEEPEST: usize = 3;

/// Keys under which carriers that write JSON keep the line: Docker and Fluent Bit, journald,
/// Filebeat, Google Cloud.
const KEYS: [&str; 5] = ["log", "MESSAGE", "message", "textPayload", "msg"];

/// The beginnings of a line that carriers may have put there, the shortest first: each is the byte
/// at which the rest begins.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    ends: [usize; DEEPEST],
    count: usize,
    /// Whether the runtime has cut the line into parts, of which this is one.
    pub(super) is_part: bool,
}

impl Prefixes {
    #[inline]
    pub(super) fn of(line: &[u8]) -> Prefixes {
        let mut found = Prefixes::default();
        let mut from = 0;
        while found.count < DEEPEST
            && let Some(end) = prefix(line.get(from..).unwrap_or_default(), &mut found.is_part)
        {
            from += end;
            found.ends[found.count] = from;
            found.count += 1;
        }
        found
    }

    /// The longest first.
    pub(super) fn ends(&self) -> impl Iterator<Item = usize> {
        self.ends[..self.count].iter().rev().copied()
    }
}

/// The line within a carrier's JSON: the key, and what stands there. Docker's own is always
/// unwrapped; others only where the log is not JSON itself, whose keys may be called so.
pub(super) fn wrapped(line: &[u8], is_json: bool) -> Option<(&'static str, Vec<u8>)> {
    if line.first() != Some(&b'{') {
        return None;
    }
    let has = |text: &[u8]| memchr::memmem::find(line, text).is_some();
    let is_docker = has(b"\"log\":") && (has(b"\"stream\":\"std") || has(b"\"stream\": \"std"));
    if is_json && !is_docker {
        return None;
    }
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(line).ok()?;
    KEYS.into_iter().find_map(|key| {
        let inner = object.get(key)?.as_str()?;
        Some((
            key,
            inner.trim_end_matches(['\r', '\n']).as_bytes().to_vec(),
        ))
    })
}

/// The end of one prefix.
fn prefix(line: &[u8], is_part: &mut bool) -> Option<usize> {
    match line.first()? {
        b'<' => priority(line),
        b'0'..=b'9' if stamp(line).is_some() => {
            let after = stamp(line)?;
            let rest = line.get(after..)?;
            // The format of Kubernetes' container runtime interface: `F` for a full line, `P` for a
            // part of one.
            for (mark, part) in [("F", false), ("P", true)] {
                for stream in ["stdout", "stderr"] {
                    let due = format!("{stream} {mark} ");
                    if rest.starts_with(due.as_bytes()) {
                        *is_part |= part;
                        return Some(after + due.len());
                    }
                }
            }
            Some(tag(rest).map_or(after, |tag| after + tag))
        }
        b'A'..=b'S' if old_stamp(line).is_some() => {
            let after = old_stamp(line)?;
            Some(after + tag(line.get(after..)?)?)
        }
        // `kubectl logs --prefix`: `[pod/name/container] `.
        b'[' if line.starts_with(b"[pod/") => {
            let end = memchr::memmem::find(line, b"] ")?;
            Some(end + 2)
        }
        _ => compose(line),
    }
}

/// `<190>` of syslog, and what follows it: RFC 5424, RFC 3164, or a tag alone.
fn priority(line: &[u8]) -> Option<usize> {
    let end = memchr::memchr(b'>', line.get(..6).unwrap_or(line))?;
    let digits = line.get(1..end)?;
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let from = end + 1;
    let rest = line.get(from..)?;
    if let Some(modern) = rest.strip_prefix(b"1 ") {
        return Some(from + 2 + rfc_5424(modern)?);
    }
    let after = stamp(rest).or_else(|| old_stamp(rest)).unwrap_or(0);
    Some(from + after + tag(rest.get(after..)?)?)
}

/// Stamp, host, program, process, kind and structured data of RFC 5424.
fn rfc_5424(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for _ in 0..5 {
        at += memchr::memchr(b' ', text.get(at..)?)? + 1;
    }
    let data = text.get(at..)?;
    if data.first() == Some(&b'[') {
        let (mut quoted, mut escaped) = (false, false);
        let end = data.iter().enumerate().position(|(place, &byte)| {
            let ends = byte == b']' && !quoted && data.get(place + 1) != Some(&b'[');
            quoted ^= byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        })?;
        at += end + 1;
    } else {
        at += usize::from(data.first() == Some(&b'-'));
    }
    let rest = text.get(at..)?.strip_prefix(b" ")?;
    let mark: &[u8] = b"\xef\xbb\xbf";
    Some(
        at + 1
            + if rest.starts_with(mark) {
                mark.len()
            } else {
                0
            },
    )
}

/// A stamp of ISO 8601 with its `T`, and the space after it.
fn stamp(text: &[u8]) -> Option<usize> {
    if text.get(4) != Some(&b'-') || text.get(10) != Some(&b'T') {
        return None;
    }
    let end = memchr::memchr(b' ', text.get(..48).unwrap_or(text))?;
    clock::iso(text.get(..end)?)?;
    Some(end + 1)
}

/// `Nov 14 22:13:20 `, with a year after the day or without.
fn old_stamp(text: &[u8]) -> Option<usize> {
    clock::month(text.get(..3)?)?;
    let mut at = 3;
    let mut words = 0;
    // The day, which may have two spaces before it, perhaps the year, then the time.
    while words < 3 {
        at += text
            .get(at..)?
            .iter()
            .take_while(|&&byte| byte == b' ')
            .count();
        let word = text.get(at..)?;
        let end = memchr::memchr(b' ', word.get(..24).unwrap_or(word))?;
        let word = word.get(..end)?;
        at += end;
        words += 1;
        if word.get(2) == Some(&b':') && word.get(5) == Some(&b':') {
            return Some(at + 1);
        }
        if !word.iter().all(u8::is_ascii_digit) {
            return None;
        }
    }
    None
}

/// `host program[12]: ` or `program: `.
fn tag(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for _ in 0..2 {
        let word = text.get(at..)?;
        let end = memchr::memchr(b' ', word)?;
        at += end + 1;
        if end > 1 && word.get(end - 1) == Some(&b':') {
            return Some(at);
        }
    }
    None
}

/// `web-1  | ` of Docker Compose.
fn compose(text: &[u8]) -> Option<usize> {
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let name = text.iter().take(64).take_while(is_name).count();
    let rest = text.get(name..)?;
    let spaces = rest
        .iter()
        .take(64)
        .take_while(|&&byte| byte == b' ')
        .count();
    let bar = rest.get(spaces..)?;
    (name > 0 && spaces > 0 && bar.starts_with(b"| ")).then_some(name + spaces + 2)
}

/// The line that a carrier's JSON has within, or the line itself.
pub(super) fn unwrapped(line: &[u8]) -> Cow<'_, [u8]> {
    match wrapped(line, false) {
        Some((_, inner)) => Cow::Owned(inner),
        None => Cow::Borrowed(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_end_where_the_line_begins() {
        for prefix in [
            "<190>Nov 14 22:13:20 lb1 nginx: ",
            "<190>Nov  4 22:13:20 nginx: ",
            "<190>nginx: ",
            "Nov 14 22:13:20 lb1 nginx[12]: ",
            "Nov 14 2023 22:13:20 lb1 nginx[12]: ",
            "2023-11-14T22:13:20.123456+00:00 lb1 nginx[12]: ",
            "2023-11-14T22:13:20+0000 lb1 nginx[12]: ",
            "<190>2023-11-14T22:13:20Z lb1 nginx: ",
            "<190>1 2023-11-14T22:13:20.123Z lb1 nginx 12 - - ",
            "<190>1 2023-11-14T22:13:20.123Z lb1 nginx 12 ID [a@1 b=\"c]\"][d@2] \u{feff}",
            "2023-11-14T22:13:20.330123456Z stdout F ",
            "2023-11-14T22:13:20.330123456Z ",
            "web-1  | ",
            "nginx_1 | 2023-11-14T22:13:20.330123456Z ",
            "[pod/web-7d/nginx] ",
        ] {
            let line = format!("{prefix}192.0.2.7 - - [14/Nov/2023:22:13:20 +0000] \"GET /\"");
            let found = Prefixes::of(line.as_bytes());
            assert_eq!(found.ends().next(), Some(prefix.len()), "{prefix}");
            assert!(!found.is_part);
        }
        let part = Prefixes::of(b"2023-11-14T22:13:20.3Z stdout P 192.0.2.7 -");
        assert!(part.is_part);
    }

    #[test]
    fn lines_without_prefix_have_none() {
        for line in [
            "",
            "192.0.2.7 - - [14/Nov/2023:22:13:20 +0000] \"GET /\"",
            "2001:db8::1 - - [14/Nov/2023:22:13:20 +0000]",
            "[2016-04-15T20:17:00.310Z] \"POST / HTTP/2\"",
            "http 2018-07-02T22:23:00.186641Z app/x",
            "<no",
            "Nov",
            "Mozilla | x",
            "{\"a\":1}",
        ] {
            let found = Prefixes::of(line.as_bytes());
            let of_compose = line.starts_with("Mozilla");
            assert_eq!(found.ends().count(), usize::from(of_compose), "{line}");
        }
    }

    #[test]
    fn json_around_a_line() {
        let docker = br#"{"log":"a \"b\"\n","stream":"stdout","time":"2023-11-14T22:13:20.33Z"}"#;
        assert_eq!(wrapped(docker, true), Some(("log", b"a \"b\"".to_vec())));
        let other = br#"{"message":"a","time":1}"#;
        assert_eq!(wrapped(other, false), Some(("message", b"a".to_vec())));
        assert_eq!(wrapped(other, true), None);
        assert_eq!(wrapped(b"{\"log\":", false), None);
    }
}
