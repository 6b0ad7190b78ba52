//! Envoy: its default text format, that of Istio, and JSON lines (Envoy, "Access logging", default
//! format string).
//!
//! `%START_TIME%` is the arrival, in milliseconds. `%DURATION%` runs from there to the last byte
//! out. `x-envoy-upstream-service-time` is what the server took, network to it included. Only the
//! last server tried is logged.

use std::borrow::Cow;

use super::columns::{Columns, Role, Unit};
use super::fields::{self, Value, Values, give};
use super::{Kind, NoEntry, Work, json};
use crate::logs::Entry;

/// The usual keys of `json_format`.
pub(super) const KEYS: &str = "arrived:start_time,arrived:startTime,arrived:timestamp,arrived:@timestamp,\
    took:duration:ms,took:duration_ms:ms,\
    server-took:upstream_service_time:ms,server-took:x_envoy_upstream_service_time:ms,server-took:x-envoy-upstream-service-time:ms,\
    server-took:response_x-envoy-upstream-service-time:ms,\
    server:upstream_host,server:upstream_remote_address,pool:upstream_cluster,pool:upstream_cluster_raw,\
    client:x_forwarded_for,client:x-forwarded-for,client:downstream_remote_address,client:downstream_direct_remote_address,\
    route:x_envoy_origin_path,route:x-envoy-original-path,route:path,route:request_path,\
    status:response_code,status:status,bytes:bytes_sent,flags:response_flags";

/// Milliseconds in nanoseconds.
const MS: Unit = Unit::Number(1_000_000);

/// Fields after the start time in the default format.
const DEFAULT: usize = 12;
/// Fields after the start time in Istio's.
const ISTIO: usize = 21;

/// Splits a line at spaces outside of quotes.
pub(super) fn fields<'a>(line: &'a [u8], into: &mut [&'a [u8]]) -> Result<usize, NoEntry> {
    let mut rest = line;
    let mut count = 0;
    while !rest.is_empty() {
        let (field, after) = match rest.strip_prefix(b"\"") {
            Some(quoted) => {
                let end = memchr::memchr(b'"', quoted)
                    .ok_or_else(|| NoEntry::of(line, rest, "a quote is not closed"))?;
                quoted
                    .split_at_checked(end)
                    .map(|(field, after)| (field, after.get(1..).unwrap_or_default()))
            }
            None => rest.split_at_checked(memchr::memchr(b' ', rest).unwrap_or(rest.len())),
        }
        .unwrap_or((rest, &[]));
        if let Some(place) = into.get_mut(count) {
            *place = field;
        }
        count += 1;
        rest = match after.split_first() {
            None => &[],
            Some((b' ', after)) => after,
            Some(_) => return Err(NoEntry::of(line, after, "a space is due")),
        };
    }
    Ok(count)
}

/// Reads one line of either kind.
pub(super) fn line(
    columns: &Columns,
    line: &[u8],
    entry: &mut Entry,
    work: &mut Work,
) -> Result<Kind, NoEntry> {
    if line.first() == Some(&b'{') {
        return json::line(columns, line, entry, work);
    }
    let start = memchr::memmem::find(line, b"[").filter(|_| line.contains(&b'"'));
    let Some(start) = start else {
        return Err(NoEntry::new(0, "`[` and the time of the start are due"));
    };
    let rest = line.get(start + 1..).unwrap_or_default();
    let end = memchr::memchr(b']', rest)
        .ok_or_else(|| NoEntry::new(start, "the time of the start and `]` are due"))?;
    let (time, rest) = rest.split_at_checked(end).unwrap_or((rest, &[]));
    let rest = rest
        .strip_prefix(b"] ")
        .ok_or_else(|| NoEntry::of(line, rest, "`] ` is due"))?;
    let mut found: [&[u8]; ISTIO] = [&[]; ISTIO];
    let count = fields(rest, &mut found).map_err(|fault| {
        let before = line.len() - rest.len();
        NoEntry::new(fault.at + before, fault.due)
    })?;
    let mut values: Values<'_> = Default::default();
    let mut set = |role: Role, place: Option<usize>, rank: usize, unit: Unit| {
        if let Some(text) = place.and_then(|place| found.get(place)) {
            let at = (text.as_ptr() as usize).wrapping_sub(line.as_ptr() as usize);
            give(
                &mut values,
                role,
                Value {
                    text: Cow::Borrowed(text),
                    unit,
                    at,
                    rank,
                },
            );
        }
    };
    // Places among the fields: request, status, flags, bytes received, bytes sent, duration,
    // service time, x-forwarded-for, agent, id, authority, host. Istio puts three fields after the
    // flags and more at the end.
    let shift = match count {
        DEFAULT => 0,
        ISTIO => 3,
        _ => {
            return Err(NoEntry::of(
                line,
                rest,
                format!(
                    "{DEFAULT} fields after the time are due (Envoy's default format) or {ISTIO} (Istio's), not {count}"
                ),
            ));
        }
    };
    set(Role::Route, Some(0), 0, Unit::Told);
    set(Role::Status, Some(1), 0, Unit::Told);
    set(Role::Flags, Some(2), 0, Unit::Told);
    set(Role::Bytes, Some(4 + shift), 0, Unit::Told);
    set(Role::Took, Some(5 + shift), 0, MS);
    set(Role::ServerTook, Some(6 + shift), 0, MS);
    set(Role::Client, Some(7 + shift), 0, Unit::Told);
    set(Role::Server, Some(11 + shift), 0, Unit::Told);
    if shift > 0 {
        set(Role::Pool, Some(15), 0, Unit::Told);
        set(Role::Client, Some(18), 1, Unit::Told);
    }
    give(
        &mut values,
        Role::Arrived,
        Value {
            text: Cow::Borrowed(time),
            unit: Unit::Told,
            at: start + 1,
            rank: 0,
        },
    );
    fields::fill(&values, true, entry, work)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Entry, NoEntry> {
        let columns: Columns = KEYS.parse().unwrap();
        let (mut entry, mut work) = (Entry::default(), Work::default());
        line(&columns, text.as_bytes(), &mut entry, &mut work).map(|_| entry)
    }

    #[test]
    fn the_default_format() {
        let entry = read(
            r#"[2016-04-15T20:17:00.310Z] "POST /api/v1/locations?x=1 HTTP/2" 204 - 154 7 226 100 "10.0.35.28" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80""#,
        )
        .unwrap();
        assert_eq!(entry.arrived, 1_460_751_420_310_000_000);
        assert_eq!(
            (entry.took, entry.status, entry.bytes),
            (Some(226_000_000), Some(204), Some(7))
        );
        assert_eq!(
            (entry.client.as_str(), entry.route.as_str()),
            ("10.0.35.28", "/api/v1/locations")
        );
        assert_eq!(entry.attempts.len(), 1);
        assert_eq!(entry.attempts[0].server, "tcp://10.0.2.1:80");
        assert_eq!(entry.attempts[0].took, Some(100_000_000));
        assert!(!entry.attempts[0].failed);
    }

    #[test]
    fn nobody_to_ask_and_resets() {
        let entry = read(r#"[2024-01-02T03:04:05.006Z] "GET / HTTP/1.1" 503 UH 0 19 0 - "-" "curl" "id" "a.b" "-""#).unwrap();
        assert!(entry.attempts.is_empty() && entry.client.is_empty());
        let entry = read(r#"[2024-01-02T03:04:05.006Z] "GET / HTTP/1.1" 0 DC 0 0 31 - "2001:db8::7" "curl" "id" "a.b" "[::1]:80""#).unwrap();
        assert_eq!(entry.attempts[0].took, None);
        assert_eq!(
            (entry.client.as_str(), entry.status),
            ("2001:db8::7", Some(0))
        );
        let entry = read(r#"[2024-01-02T03:04:05.006Z] "GET / HTTP/1.1" 503 UF,URX 0 0 31 - "-" "curl" "id" "a.b" "10.1.1.1:80""#).unwrap();
        assert!(entry.attempts[0].failed);
    }

    #[test]
    fn istio_and_json() {
        let entry = read(
            r#"[2020-11-25T21:26:18.409Z] "GET /status/418 HTTP/1.1" 418 - via_upstream - "-" 0 135 4 3 "-" "curl/7.73.0-DEV" "84961386-6d84-929d-98bd-c5aee93b5c88" "httpbin:8000" "127.0.0.1:80" inbound|8000|| 127.0.0.1:41854 10.44.1.27:80 10.44.1.23:37652 outbound_.8000_._.httpbin.foo.svc.cluster.local default"#,
        )
        .unwrap();
        assert_eq!(
            (entry.pool.as_str(), entry.client.as_str()),
            ("inbound|8000||", "10.44.1.23")
        );
        assert_eq!(
            (entry.took, entry.attempts[0].took),
            (Some(4_000_000), Some(3_000_000))
        );
        let entry = read(
            r#"{"start_time":"2020-11-25T21:26:18.409Z","duration":4,"upstream_host":"127.0.0.1:80","response_code":200,"path":"/a?b","bytes_sent":135,"upstream_service_time":"3","upstream_cluster":"c","response_flags":null,"x_forwarded_for":null,"downstream_remote_address":"10.44.1.23:37652"}"#,
        )
        .unwrap();
        assert_eq!(
            (entry.pool.as_str(), entry.client.as_str()),
            ("c", "10.44.1.23")
        );
        assert_eq!(
            (entry.took, entry.attempts[0].took),
            (Some(4_000_000), Some(3_000_000))
        );
    }

    #[test]
    fn bad_lines() {
        for text in [
            "",
            "[2020-11-25T21:26:18.409Z]",
            r#"[soon] "GET / HTTP/1.1" 503 UH 0 19 0 - "-" "curl" "id" "a.b" "-""#,
            r#"[2024-01-02T03:04:05.006Z] "GET / HTTP/1.1" 503"#,
            r#"[2024-01-02T03:04:05.006Z] "GET / HTTP/1.1 503"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
