//! An entry from values by their roles: what CSV, JSON and Envoy's text have in common.

use std::borrow::Cow;

use super::columns::{Role, Unit};
use super::lists::seconds;
use super::{Fault, Kind, Work, set_route};
use crate::logs::clock;
use crate::logs::text::{After, Items, first_host, known, push, set, target};
use crate::logs::{Entry, Escape};

/// A value, as the line has it.
#[derive(Clone, Debug)]
pub(super) struct Value<'a> {
    pub(super) text: Cow<'a, [u8]>,
    pub(super) unit: Unit,
    /// Where in the line it begins, from 0.
    pub(super) at: usize,
    /// The place of its column among those of its role: the first that is there counts.
    pub(super) rank: usize,
}

/// The values of one line by their roles.
pub(super) type Values<'a> = [Option<Value<'a>>; Role::COUNT];

/// Sets a value, unless a better column has given one, or it is unknown.
pub(super) fn give<'a>(values: &mut Values<'a>, role: Role, value: Value<'a>) {
    if known(&value.text).is_none() {
        return;
    }
    if let Some(place) = values.get_mut(role as usize)
        && place.as_ref().is_none_or(|there| there.rank > value.rank)
    {
        *place = Some(value);
    }
}

/// Numbers beyond this are no seconds since 1970: those would be after the year 5000.
const MOST_SECONDS: u64 = 100_000_000_000;

/// A moment in nanoseconds.
fn moment(text: &[u8], unit: Unit) -> Option<i64> {
    match unit {
        Unit::Number(worth) => clock::decimal(text, worth),
        Unit::Date => clock::date(text),
        Unit::Told => {
            let Some(whole) = clock::decimal(text, 1) else {
                return clock::date(text);
            };
            let size = whole.unsigned_abs();
            let mut worth = clock::SECOND;
            let mut most = MOST_SECONDS;
            while size > most && worth > 1 {
                worth /= 1000;
                most = most.saturating_mul(1000);
            }
            clock::decimal(text, worth)
        }
    }
}

/// A length of time in nanoseconds: a number in the unit, or one that carries its own, `12.5ms`.
fn length(text: &[u8], unit: Unit) -> Option<u64> {
    let worth = match unit {
        Unit::Number(worth) => worth,
        Unit::Date | Unit::Told => clock::SECOND,
    };
    let digits = text
        .iter()
        .position(|byte| !matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'))
        .unwrap_or(text.len());
    let (number, own) = text.split_at_checked(digits)?;
    let worth = match own.trim_ascii() {
        b"" => worth,
        b"ns" => 1,
        b"us" | b"\xc2\xb5s" | b"\xce\xbcs" => 1_000,
        b"ms" => 1_000_000,
        b"s" => clock::SECOND,
        b"m" | b"min" => 60 * clock::SECOND,
        b"h" => 3600 * clock::SECOND,
        _ => return None,
    };
    u64::try_from(clock::decimal(number, worth)?).ok()
}

/// Response flags of Envoy that say that the server failed (access logging, `%RESPONSE_FLAGS%`): connection failure, termination
/// and reset, timeout, local reset, protocol error, retries used up.
fn failed(flags: &[u8]) -> bool {
    flags.split(|&byte| byte == b',').any(|flag| {
        matches!(
            flag,
            b"UF" | b"UC" | b"UR" | b"UT" | b"LR" | b"UPE" | b"URX"
        )
    })
}

/// Fills an entry. Several servers may be listed as nginx does it.
pub(super) fn fill(values: &Values<'_>, entry: &mut Entry, work: &mut Work) -> Result<Kind, Fault> {
    let value = |role: Role| values.get(role as usize).and_then(Option::as_ref);
    let text = |role: Role| value(role).map(|value| &*value.text);
    let bad = |value: &Value<'_>, due: &'static str| Fault::new(value.at, due);

    // -1 stands for an unknown length in many logs.
    let took = match value(Role::Took) {
        Some(value) if !value.text.starts_with(b"-") => Some(
            length(&value.text, value.unit)
                .ok_or_else(|| bad(value, "a length of time is due (`took`)"))?,
        ),
        _ => None,
    };
    if let Some(value) = value(Role::Arrived) {
        let arrived = moment(&value.text, value.unit)
            .ok_or_else(|| bad(value, "a time is due (`arrived`)"))?;
        work.arrived(entry, arrived, took);
    } else if let Some(value) = value(Role::Ended) {
        let ended =
            moment(&value.text, value.unit).ok_or_else(|| bad(value, "a time is due (`ended`)"))?;
        work.ended(entry, ended, took);
    } else {
        return Err(Fault::new(0, "the line does not tell its time"));
    }
    if let Some(value) = value(Role::Status) {
        let status = clock::whole(&value.text).and_then(|status| u16::try_from(status).ok());
        entry.status = Some(status.ok_or_else(|| bad(value, "a status is due (`status`)"))?);
    }
    if let Some(value) = value(Role::Bytes) {
        let bytes = clock::decimal(&value.text, 1).and_then(|bytes| u64::try_from(bytes).ok());
        entry.bytes = Some(bytes.ok_or_else(|| bad(value, "a number of bytes is due (`bytes`)"))?);
    }
    if let Some(client) = text(Role::Client) {
        push(&mut entry.client, first_host(client));
    }
    if let Some(route) = text(Role::Route) {
        let asked = if route.first() != Some(&b'/') && route.contains(&b' ') {
            target(route)
        } else {
            route
        };
        set_route(entry, asked, Escape::None);
    }
    if let Some(pool) = text(Role::Pool) {
        set(&mut entry.pool, pool, Escape::None);
    }
    if value(Role::Server).is_some() {
        attempts(values, entry, work)?;
    }
    Ok(Kind::Request)
}

fn attempts(values: &Values<'_>, entry: &mut Entry, work: &mut Work) -> Result<(), Fault> {
    let value = |role: Role| values.get(role as usize).and_then(Option::as_ref);
    let text = |role: Role| value(role).map(|value| &*value.text);
    let unit = value(Role::ServerTook).map_or(Unit::Told, |value| value.unit);
    let mut servers = Items(text(Role::Server));
    let mut lengths = Items(text(Role::ServerTook));
    let mut statuses = Items(text(Role::ServerStatus));
    let flagged = text(Role::Flags).is_some_and(failed);
    let mut now = entry.arrived;
    while let Some((server, after)) = servers.take() {
        let whole = lengths.take().and_then(|(item, _)| {
            if unit == Unit::Told {
                seconds(item).or_else(|| length(item, unit))
            } else {
                length(item, unit)
            }
        });
        let status = statuses.take().map(|(item, _)| clock::whole(item));
        let began = now;
        now = now.saturating_add_unsigned(whole.unwrap_or(0));
        if known(server).is_none() {
            continue;
        }
        let last = after == After::End;
        let code = status.flatten().or(if last {
            entry.status.map(u64::from)
        } else {
            None
        });
        let mut attempt = work.spare.take(server);
        attempt.began = began;
        attempt.failed = !last && after == After::Comma
            || last && flagged
            || code.is_some_and(|code| code >= 500);
        attempt.took = whole.filter(|_| !(attempt.failed && matches!(code, Some(502 | 504))));
        entry.attempts.push(attempt);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_told_from_the_numbers() {
        let due = Some(1_700_000_000_250_000_000);
        for text in [
            "1700000000.25",
            "1700000000250",
            "1700000000250000",
            "1700000000250000000",
            "2023-11-14T22:13:20.25Z",
        ] {
            assert_eq!(moment(text.as_bytes(), Unit::Told), due, "{text}");
        }
        assert_eq!(moment(b"12.5", Unit::Told), Some(12_500_000_000));
        assert_eq!(moment(b"soon", Unit::Told), None);
        assert_eq!(length(b"12.5", Unit::Number(1_000_000)), Some(12_500_000));
        assert_eq!(
            length("12.5µs".as_bytes(), Unit::Number(1_000_000)),
            Some(12_500)
        );
        assert_eq!(length(b"2", Unit::Told), Some(2_000_000_000));
        assert_eq!(length(b"-1", Unit::Told), None);
        assert_eq!(length(b"2 fortnights", Unit::Told), None);
    }

    #[test]
    fn flags() {
        assert!(
            failed(b"UF,URX") && failed(b"UT") && !failed(b"-") && !failed(b"DC") && !failed(b"UH")
        );
    }
}
