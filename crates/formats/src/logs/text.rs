//! Pieces of lines: escapes, addresses, paths, lists of servers.

use memchr::memchr;

use super::Attempt;

/// How a log writes bytes that would break its lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escape {
    /// `\x22`, as nginx does by default, Apache and AWS likewise.
    #[default]
    Hex,
    /// As in a JSON string.
    Json,
    /// Not at all.
    None,
}

/// Adds bytes to a text; those that are no UTF-8 become U+FFFD.
pub(super) fn push(text: &mut String, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(whole) => text.push_str(whole),
        Err(_) => text.push_str(&String::from_utf8_lossy(bytes)),
    }
}

/// Puts bytes in place of a text, with escapes resolved.
pub(super) fn set(text: &mut String, bytes: &[u8], escape: Escape) {
    text.clear();
    if escape == Escape::None || memchr(b'\\', bytes).is_none() {
        return push(text, bytes);
    }
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'\\' {
            plain.push(first);
            continue;
        }
        let Some((&kind, after)) = rest.split_first() else {
            plain.push(first);
            break;
        };
        rest = after;
        let digits = match kind {
            b'x' => 2,
            b'u' => 4,
            _ => 0,
        };
        let number = rest
            .get(..digits)
            .filter(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if let Some(number) = number {
            rest = rest.get(digits..).unwrap_or_default();
            match (kind, u8::try_from(number)) {
                (b'x', Ok(byte)) => plain.push(byte),
                _ => {
                    let letter = char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER);
                    plain.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            continue;
        }
        match kind {
            b'n' => plain.push(b'\n'),
            b't' => plain.push(b'\t'),
            b'r' => plain.push(b'\r'),
            b'"' | b'\\' | b'/' | b'\'' => plain.push(kind),
            _ => plain.extend_from_slice(&[first, kind]),
        }
    }
    push(text, &plain);
}

/// The target of a request line, `GET /a?b HTTP/1.1`; nothing where it is no request line.
pub(super) fn target(request: &[u8]) -> &[u8] {
    let Some(space) = memchr(b' ', request) else {
        return &[];
    };
    let rest = request.get(space + 1..).unwrap_or_default();
    match memchr::memrchr(b' ', rest) {
        Some(last)
            if rest
                .get(last + 1..)
                .is_some_and(|word| word.starts_with(b"HTTP/")) =>
        {
            rest.get(..last).unwrap_or_default()
        }
        _ => rest,
    }
}

/// The path of a target: without query, scheme and host.
pub(super) fn path(target: &[u8]) -> &[u8] {
    let end = memchr::memchr2(b'?', b'#', target).unwrap_or(target.len());
    let target = target.get(..end).unwrap_or_default();
    if target.first() == Some(&b'/') {
        return target;
    }
    let Some(scheme) = memchr::memmem::find(target, b"://") else {
        return target;
    };
    let host = target.get(scheme + 3..).unwrap_or_default();
    memchr(b'/', host).map_or(b"/", |slash| host.get(slash..).unwrap_or_default())
}

/// An address without its port: `10.0.0.1:80`, `[::1]:80` or `2001:db8::1` as HAProxy writes it
/// with `always`: the last colon then stands before a port.
pub(super) fn host(address: &[u8], always: bool) -> &[u8] {
    if let Some(rest) = address.strip_prefix(b"[") {
        return memchr(b']', rest).map_or(address, |end| rest.get(..end).unwrap_or_default());
    }
    let Some(colon) = memchr::memrchr(b':', address) else {
        return address;
    };
    let (host, port) = address.split_at(colon);
    let is_port = port.len() > 1 && port.iter().skip(1).all(u8::is_ascii_digit);
    if is_port && (always || memchr(b':', host).is_none()) {
        host
    } else {
        address
    }
}

/// The first address of a list such as `X-Forwarded-For`, without its port.
pub(super) fn first_host(list: &[u8]) -> &[u8] {
    let end = memchr(b',', list).unwrap_or(list.len());
    host(list.get(..end).unwrap_or_default().trim_ascii(), false)
}

/// Unknown values: empty, or `-`.
pub(super) fn known(value: &[u8]) -> Option<&[u8]> {
    (!value.is_empty() && value != b"-").then_some(value)
}

/// What stands between two entries of a list of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// The end.
    End,
    /// A comma: the next server was tried.
    Comma,
    /// A colon: an internal redirect went to another group of servers.
    Colon,
}

/// The entries of a list as nginx writes it in `$upstream_addr`: `a, b : c`.
pub(super) struct Items<'a>(pub(super) Option<&'a [u8]>);

impl<'a> Items<'a> {
    /// The next entry.
    #[inline]
    pub(super) fn take(&mut self) -> Option<(&'a [u8], After)> {
        let text = self.0?;
        let mut from = 0;
        while let Some(at) = text
            .get(from..)
            .and_then(|rest| memchr::memchr2(b',', b':', rest))
        {
            let at = from + at;
            let (before, after) = text.split_at(at);
            let rest = after.get(1..).unwrap_or_default();
            if after.first() == Some(&b',') {
                self.0 = Some(rest);
                return Some((before.trim_ascii(), After::Comma));
            }
            // A colon of an address has no spaces around it.
            if before.last() == Some(&b' ') && rest.first() == Some(&b' ') {
                self.0 = Some(rest);
                return Some((before.trim_ascii(), After::Colon));
            }
            from = at + 1;
        }
        self.0 = None;
        Some((text.trim_ascii(), After::End))
    }
}

/// Attempts that are not in use: their texts keep their memory.
#[derive(Debug, Default)]
pub(super) struct Spare(Vec<Attempt>);

impl Spare {
    /// Takes back all attempts of an entry.
    pub(super) fn collect(&mut self, attempts: &mut Vec<Attempt>) {
        self.0.append(attempts);
    }

    /// An attempt whose server is still to be named.
    pub(super) fn take(&mut self, server: &[u8]) -> Attempt {
        let mut attempt = self.0.pop().unwrap_or_default();
        attempt.server.clear();
        push(&mut attempt.server, server);
        attempt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        let read = |bytes: &[u8], escape| {
            let mut text = "old".to_owned();
            set(&mut text, bytes, escape);
            text
        };
        assert_eq!(read(br"/a\x22b\x5C\xC3\xA4", Escape::Hex), "/a\"b\\ä");
        assert_eq!(read(br#"/a\"\n\u00e4\/"#, Escape::Json), "/a\"\nä/");
        assert_eq!(read(br"/a\x2", Escape::Hex), r"/a\x2");
        assert_eq!(read(br"/a\", Escape::Hex), r"/a\");
        assert_eq!(read(br"/a\x22", Escape::None), r"/a\x22");
        assert_eq!(read(b"/\xff", Escape::Hex), "/\u{fffd}");
    }

    #[test]
    fn paths() {
        for (request, due) in [
            ("GET /a/b?c=d HTTP/1.1", "/a/b"),
            ("GET /a b HTTP/1.1", "/a b"),
            ("GET /old", "/old"),
            ("GET https://example.org:443/x?y HTTP/2.0", "/x"),
            ("GET http://example.org HTTP/1.1", "/"),
            ("CONNECT example.org:443 HTTP/1.1", "example.org:443"),
            ("OPTIONS * HTTP/1.1", "*"),
            ("\\x16\\x03\\x01", ""),
            ("", ""),
        ] {
            assert_eq!(
                path(target(request.as_bytes())),
                due.as_bytes(),
                "{request}"
            );
        }
    }

    #[test]
    fn hosts() {
        for (address, always, due) in [
            ("10.0.0.1:80", false, "10.0.0.1"),
            ("10.0.0.1", false, "10.0.0.1"),
            ("[2001:db8::1]:443", false, "2001:db8::1"),
            ("2001:db8::1", false, "2001:db8::1"),
            ("2001:db8::1:443", true, "2001:db8::1"),
            ("unix:1", true, "unix"),
        ] {
            assert_eq!(host(address.as_bytes(), always), due.as_bytes());
        }
        assert_eq!(first_host(b"10.0.0.9, 10.0.0.1"), b"10.0.0.9");
    }

    #[test]
    fn lists() {
        let mut items = Items(Some(b"10.0.0.1:80, unix:/tmp/s : [::1]:81"));
        assert_eq!(
            items.take(),
            Some((b"10.0.0.1:80".as_slice(), After::Comma))
        );
        assert_eq!(
            items.take(),
            Some((b"unix:/tmp/s".as_slice(), After::Colon))
        );
        assert_eq!(items.take(), Some((b"[::1]:81".as_slice(), After::End)));
        assert_eq!(items.take(), None);
    }
}
