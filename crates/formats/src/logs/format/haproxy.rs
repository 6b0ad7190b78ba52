//! HAProxy: `option httplog` and `option tcplog` (configuration manual, 8.2.2 and 8.2.3; timers
//! 8.4; states at disconnection 8.5).
//!
//! HTTP: `client:port [date] frontend backend/server TR/Tw/Tc/Tr/Ta status bytes cookie cookie
//! state connections queues {…} {…} "request"`. The date is that of the first byte of the request,
//! so it is the arrival; the server began `TR + Tw + Tc` later and took `Tr` to its head. TCP:
//! `client:port [date] frontend backend/server Tw/Tc/Tt bytes state connections queues`. Timers are
//! in milliseconds, -1 where it did not come to that. Dates are local times without their offset:
//! they are taken for UTC.
//!
//! Only the last server tried is logged: a retry shows as a count alone.

use super::{Kind, NoEntry, Work, set_route};
use crate::logs::clock;
use crate::logs::text::{host, push, target};
use crate::logs::{Entry, Escape};

/// Nanoseconds of a millisecond.
const MS: u64 = 1_000_000;

/// Finds the date in brackets: where it begins, and what it says. A syslog daemon may have put
/// brackets before it.
fn date(line: &[u8]) -> Option<(usize, i64, usize)> {
    memchr::memchr_iter(b'[', line).take(16).find_map(|open| {
        let rest = line.get(open + 1..)?;
        let end = memchr::memchr(b']', rest.get(..40).unwrap_or(rest))?;
        let when = clock::common(rest.get(..end)?)?;
        Some((open, when, open + end + 2))
    })
}

/// Words by which the lines begin that HAProxy writes of itself, into the same log.
const NOTICES: &[&str] = &[
    "Proxy ",
    "Server ",
    "Backup Server ",
    "Health check ",
    "backend ",
    "Stopping ",
    "Pausing ",
    "Enabling ",
    "Connect from ",
    "Reexecuting ",
    "New worker",
    "Loading ",
    "Current worker",
    "Former worker",
    "Exiting ",
    "[NOTICE]",
    "[WARNING]",
    "[ALERT]",
];

fn is_notice(line: &[u8]) -> bool {
    let text = memchr::memmem::find(line, b"]: ")
        .and_then(|at| line.get(at + 3..))
        .unwrap_or(line);
    NOTICES
        .iter()
        .any(|notice| text.starts_with(notice.as_bytes()) || line.starts_with(notice.as_bytes()))
}

/// The next word, and what follows it.
fn word<'a>(line: &[u8], rest: &mut &'a [u8], due: &'static str) -> Result<&'a [u8], NoEntry> {
    let text = rest.trim_ascii_start();
    let end = memchr::memchr(b' ', text).unwrap_or(text.len());
    let (word, after) = text.split_at_checked(end).unwrap_or((text, &[]));
    if word.is_empty() {
        return Err(NoEntry::new(line.len(), due));
    }
    *rest = after;
    Ok(word)
}

/// One timer: `Ok(None)` for -1; a `+` before it says that it still ran (`option logasap`).
pub(super) fn timer(line: &[u8], text: &[u8]) -> Result<(Option<u64>, bool), NoEntry> {
    let (running, digits) = text
        .strip_prefix(b"+")
        .map_or((false, text), |rest| (true, rest));
    let number = clock::decimal(digits, 1)
        .ok_or_else(|| NoEntry::of(line, text, "a timer in milliseconds, or -1, is due"))?;
    Ok((
        u64::try_from(number)
            .ok()
            .map(|number| number.saturating_mul(MS)),
        running,
    ))
}

/// Reads one line.
pub(super) fn line(line: &[u8], entry: &mut Entry, work: &mut Work) -> Result<Kind, NoEntry> {
    let Some((open, arrived, after)) = date(line) else {
        if is_notice(line) {
            return Ok(Kind::Other);
        }
        return Err(NoEntry::new(
            0,
            "a date in brackets as [06/Feb/2009:12:14:14.655] is due",
        ));
    };
    let before = line.get(..open).unwrap_or_default().trim_ascii_end();
    let client = before
        .rsplit(|&byte| byte == b' ')
        .next()
        .unwrap_or_default();
    let mut rest = line.get(after..).unwrap_or_default();
    let frontend = word(line, &mut rest, "a frontend is due")?;
    // "frontend/bind: SSL handshake failure": a connection that brought no request.
    if frontend.ends_with(b":") {
        return Ok(Kind::Other);
    }
    let place = word(line, &mut rest, "backend/server is due")?;
    let slash = memchr::memchr(b'/', place)
        .ok_or_else(|| NoEntry::of(line, place, "backend/server is due"))?;
    let (backend, server) = place.split_at_checked(slash).unwrap_or((place, &[]));
    let server = server.get(1..).unwrap_or_default();

    let timers = word(line, &mut rest, "timers are due")?;
    let mut found: [&[u8]; 5] = [&[]; 5];
    let mut count = 0;
    for part in timers.split(|&byte| byte == b'/') {
        if let Some(place) = found.get_mut(count) {
            *place = part;
        }
        count += 1;
    }
    let [a, b, c, d, e] = found;
    match count {
        5 => {
            let (request, queued, connect) =
                (timer(line, a)?.0, timer(line, b)?.0, timer(line, c)?.0);
            let (answer, (active, running)) = (timer(line, d)?.0, timer(line, e)?);
            work.arrived(entry, arrived, active.filter(|_| !running));
            let blamed = http(line, &mut rest, entry)?;
            let began = [request, queued, connect]
                .into_iter()
                .flatten()
                .fold(0, u64::saturating_add);
            attempt(server, began, answer, blamed, entry, work);
        }
        3 => {
            let (queued, connect) = (timer(line, a)?.0, timer(line, b)?.0);
            let (total, running) = timer(line, c)?;
            work.arrived(entry, arrived, total.filter(|_| !running));
            let began = [queued, connect]
                .into_iter()
                .flatten()
                .fold(0, u64::saturating_add);
            entry.bytes = bytes(line, &mut rest)?;
            let took = entry
                .took
                .map(|total| total.saturating_sub(began))
                .filter(|_| connect.is_some());
            let state = word(line, &mut rest, "the state at disconnection is due")?;
            attempt(server, began, took, by_server(state), entry, work);
        }
        _ => {
            return Err(NoEntry::of(
                line,
                timers,
                "TR/Tw/Tc/Tr/Ta or Tw/Tc/Tt is due",
            ));
        }
    }
    push(&mut entry.client, host(client, true));
    push(&mut entry.pool, backend);
    Ok(Kind::Request)
}

fn bytes(line: &[u8], rest: &mut &[u8]) -> Result<Option<u64>, NoEntry> {
    let text = word(line, rest, "a number of bytes is due")?;
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    let bytes =
        clock::whole(digits).ok_or_else(|| NoEntry::of(line, text, "a number of bytes is due"))?;
    Ok(Some(bytes).filter(|_| digits.len() == text.len()))
}

/// Status, bytes and route; whether the server is to blame for how it ended.
fn http(line: &[u8], rest: &mut &[u8], entry: &mut Entry) -> Result<bool, NoEntry> {
    let status = word(line, rest, "a status is due")?;
    // -1: aborted before there was one.
    let number =
        clock::decimal(status, 1).ok_or_else(|| NoEntry::of(line, status, "a status is due"))?;
    entry.status = u16::try_from(number).ok();
    entry.bytes = bytes(line, rest)?;
    word(line, rest, "the cookie of the request is due")?;
    word(line, rest, "the cookie of the answer is due")?;
    let state = word(line, rest, "the state at disconnection is due")?;
    // Headers that are captured may hold anything but quotes, the request anything but quotes too;
    // more may follow it.
    if let Some(open) = memchr::memchr(b'"', rest) {
        let quoted = rest.get(open + 1..).unwrap_or_default();
        // A long request is cut off, and its quote with it.
        let end = memchr::memchr(b'"', quoted).unwrap_or(quoted.len());
        let asked = target(quoted.get(..end).unwrap_or_default());
        set_route(entry, asked, Escape::None);
    }
    Ok(by_server(state) || number >= 500)
}

/// Adds the attempt, where there was a server: `<NOSRV>` and the like are none.
pub(super) fn attempt(
    server: &[u8],
    began: u64,
    took: Option<u64>,
    failed: bool,
    entry: &mut Entry,
    work: &mut Work,
) {
    if server.is_empty() || server.first() == Some(&b'<') {
        return;
    }
    let mut attempt = work.spare.take(server);
    attempt.began = entry.arrived.saturating_add_unsigned(began);
    attempt.took = took;
    attempt.failed = failed;
    entry.attempts.push(attempt);
}

/// Whether a state at disconnection says that the server was to blame: it refused or aborted (S),
/// timed out (s), or its answer was no HTTP (PH).
pub(super) fn by_server(state: &[u8]) -> bool {
    matches!(state.first(), Some(b'S' | b's')) || state.starts_with(b"PH")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Entry>, NoEntry> {
        let (mut entry, mut work) = (Entry::default(), Work::default());
        let kind = line(text.as_bytes(), &mut entry, &mut work)?;
        Ok((kind == Kind::Request).then_some(entry))
    }

    const HTTP: &str = r#"haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/20/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html?x HTTP/1.1""#;

    #[test]
    fn http_with_prefixes() {
        let plain = read(HTTP).unwrap().unwrap();
        assert_eq!(plain.arrived, 1_233_922_454_655_000_000);
        assert_eq!(
            (plain.took, plain.status, plain.bytes),
            (Some(109 * MS), Some(200), Some(2750))
        );
        assert_eq!(
            (
                plain.client.as_str(),
                plain.pool.as_str(),
                plain.route.as_str()
            ),
            ("10.0.1.2", "static", "/index.html")
        );
        let attempt = &plain.attempts[0];
        assert_eq!(
            (attempt.server.as_str(), attempt.took, attempt.failed),
            ("srv1", Some(69 * MS), false)
        );
        assert_eq!(attempt.began, plain.arrived + 60 * MS as i64);
        for prefix in [
            "Feb  6 12:14:14 localhost ",
            "<134>1 2009-02-06T12:14:14.760+00:00 host ",
            "2009-02-06T12:14:14Z [lb] ",
        ] {
            assert_eq!(read(&format!("{prefix}{HTTP}")).unwrap().unwrap(), plain);
        }
        assert_eq!(
            read(HTTP.strip_prefix("haproxy[14389]: ").unwrap())
                .unwrap()
                .unwrap(),
            plain
        );
    }

    #[test]
    fn ends_of_all_kinds() {
        let read = |text: &str| read(text).unwrap().unwrap();
        let nobody = read(
            r#"2001:db8::1:33318 [06/Feb/2009:12:14:14.655] fe~ be/<NOSRV> 2/-1/-1/-1/5002 503 212 - - sQ-- 1/1/1/0/0 0/3 "GET / HTTP/1.1""#,
        );
        assert!(nobody.attempts.is_empty());
        assert_eq!(
            (nobody.client.as_str(), nobody.pool.as_str()),
            ("2001:db8::1", "be")
        );
        let refused = read(
            r#"10.0.1.2:1 [06/Feb/2009:12:14:14.655] fe be/s1 0/0/-1/-1/3003 503 212 - - SC-- 1/1/1/0/+3 0/0 "GET / HTTP/1.1""#,
        );
        assert!(refused.attempts[0].failed && refused.attempts[0].took.is_none());
        let aborted = read(
            r#"10.0.1.2:1 [06/Feb/2009:12:14:14.655] fe be/s1 0/0/1/-1/+30 -1 +0 - - CH-- 1/1/1/0/0 0/0 "GET /cut-off"#,
        );
        assert_eq!(
            (aborted.took, aborted.status, aborted.bytes),
            (None, None, None)
        );
        assert!(!aborted.attempts[0].failed);
        assert_eq!(aborted.route, "/cut-off");
        let bad = read(
            r#"10.0.1.2:1 [06/Feb/2009:12:14:14.655] fe fe/<NOSRV> -1/-1/-1/-1/0 400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>""#,
        );
        assert_eq!((bad.route.as_str(), bad.status), ("", Some(400)));
    }

    #[test]
    fn tcp() {
        let entry = read("haproxy[14387]: 10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 3/7/5007 212 -- 0/0/0/0/3 0/0").unwrap().unwrap();
        assert_eq!(
            (entry.took, entry.bytes, entry.status),
            (Some(5007 * MS), Some(212), None)
        );
        assert_eq!(entry.attempts[0].took, Some(4997 * MS));
        let entry = read(
            "10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/-1/3000 0 SC 0/0/0/0/3 0/0",
        )
        .unwrap()
        .unwrap();
        assert!(entry.attempts[0].failed && entry.attempts[0].took.is_none());
    }

    #[test]
    fn what_is_no_request() {
        for text in [
            "Feb  6 12:14:14 lb haproxy[7]: Server be/s1 is DOWN, reason: Layer4 timeout. 1 active and 0 backup servers left.",
            "haproxy[7]: Proxy fe started.",
            "10.0.1.2:1 [06/Feb/2009:12:14:14.655] fe/1: SSL handshake failure",
        ] {
            assert_eq!(read(text).unwrap(), None, "{text}");
        }
        for (text, due) in [
            ("", "a date in brackets"),
            ("10.0.1.2:1 [06/Feb/2009:12:14:14.655]", "a frontend"),
            (
                "10.0.1.2:1 [06/Feb/2009:12:14:14.655] fe be",
                "backend/server",
            ),
            ("10.0.1.2:1 [06/Feb/2009:12:14:14.655] fe be/s 1/2", "TR/Tw"),
            (
                "10.0.1.2:1 [06/Feb/2009:12:14:14.655] fe be/s 1/2/x/4/5 200",
                "a timer",
            ),
            (
                "10.0.1.2:1 [06/Feb/2009:12:14:14.655] fe be/s 1/2/3/4/5 ok",
                "a status",
            ),
        ] {
            let fault = read(text).unwrap_err();
            assert!(fault.due.contains(due), "{text}: {fault:?}");
        }
    }
}
