//! An entry from values by their roles: what CSV, JSON and Envoy's text have in common.

use std::borrow::Cow;

use super::columns::{Role, Unit};
use super::{Kind, NoEntry, Work, set_route};
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

/// A length of time, as a log writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    /// So many nanoseconds.
    Nanos(u64),
    /// Not known: `-`, nothing, or a negative number.
    Unknown,
    /// A bare number, whose unit nothing tells.
    WithoutUnit,
    /// No length.
    Rubbish,
}

/// Reads a length: a number in the unit, or one that carries its own, `12.5ms`, perhaps in several
/// parts, `1m2.5s`.
fn length(text: &[u8], unit: Unit) -> Length {
    let text = text.trim_ascii();
    if known(text).is_none() {
        return Length::Unknown;
    }
    if let Some(number) = clock::decimal(text, 1) {
        // What is less than nothing stands for what is not known. Nothing is nothing in any unit.
        let is_zero = || text.iter().all(|byte| matches!(byte, b'0' | b'.'));
        return match unit {
            _ if number < 0 || text.starts_with(b"-") => Length::Unknown,
            Unit::Number(worth) => clock::decimal(text, worth)
                .and_then(|nanos| u64::try_from(nanos).ok())
                .map_or(Length::Rubbish, Length::Nanos),
            Unit::Date | Unit::Told if is_zero() => Length::Nanos(0),
            Unit::Date | Unit::Told => Length::WithoutUnit,
        };
    }
    let (mut rest, mut sum) = (text, 0u64);
    while !rest.is_empty() {
        let part = number_and_unit(&mut rest);
        let Some(whole) = part.and_then(|part| sum.checked_add(part)) else {
            return Length::Rubbish;
        };
        sum = whole;
    }
    Length::Nanos(sum)
}

/// Takes `12.5ms` from the beginning of a text.
fn number_and_unit(rest: &mut &[u8]) -> Option<u64> {
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.');
    let digits = rest.iter().position(|byte| !is_digit(byte))?;
    let (number, after) = rest.split_at_checked(digits)?;
    let after = after.trim_ascii_start();
    let end = after.iter().position(is_digit).unwrap_or(after.len());
    let (unit, after) = after.split_at_checked(end)?;
    let worth = match unit.trim_ascii() {
        b"ns" => 1,
        b"us" | b"\xc2\xb5s" | b"\xce\xbcs" => 1_000,
        b"ms" => 1_000_000,
        b"s" => clock::SECOND,
        b"m" | b"min" => 60 * clock::SECOND,
        b"h" => 3600 * clock::SECOND,
        _ => return None,
    };
    *rest = after;
    u64::try_from(clock::decimal(number, worth)?).ok()
}

/// The nanoseconds of a length, where it is known. What is none makes the line bad; a bare number
/// without a unit is a question to whoever knows.
fn nanos(text: &[u8], role: Role, value: &Value<'_>) -> Result<Option<u64>, NoEntry> {
    match length(text, value.unit) {
        Length::Nanos(nanos) => Ok(Some(nanos)),
        Length::Unknown => Ok(None),
        Length::Rubbish => Err(NoEntry::new(
            value.at,
            format!("a length of time is due (`{}`)", role.word()),
        )),
        Length::WithoutUnit => Err(NoEntry::question(
            value.at,
            format!(
                "does not say in which unit its lengths are (`{}` is `{}`): say so, as in {}:<name>:ms; units are s, ms, us and ns",
                role.word(),
                String::from_utf8_lossy(text).escape_debug(),
                role.word()
            ),
        )),
    }
}

/// Response flags of Envoy that say that the server failed (access logging, `%RESPONSE_FLAGS%`):
/// connection failure, termination and reset, timeout, local reset, protocol error, retries used
/// up.
fn failed(flags: &[u8]) -> bool {
    flags.split(|&byte| byte == b',').any(|flag| {
        matches!(
            flag,
            b"UF" | b"UC" | b"UR" | b"UT" | b"LR" | b"UPE" | b"URX"
        )
    })
}

/// Fills an entry. Several servers may be listed as nginx does it. `times_servers` says whether the
/// format has a column for how long the server took, whether this line has a value there or not.
pub(super) fn fill(
    values: &Values<'_>,
    times_servers: bool,
    entry: &mut Entry,
    work: &mut Work,
) -> Result<Kind, NoEntry> {
    let value = |role: Role| values.get(role as usize).and_then(Option::as_ref);
    let text = |role: Role| value(role).map(|value| &*value.text);
    let bad = |value: &Value<'_>, due: &'static str| NoEntry::new(value.at, due);

    let took = match value(Role::Took) {
        Some(value) => nanos(&value.text, Role::Took, value)?,
        None => None,
    };
    if let Some(value) = value(Role::Arrived) {
        let arrived = moment(&value.text, value.unit)
            .ok_or_else(|| bad(value, "a time is due (`arrived`)"))?;
        work.arrived(entry, arrived, took);
    } else if let Some(value) = value(Role::Ended) {
        let ended =
            moment(&value.text, value.unit).ok_or_else(|| bad(value, "a time is due (`ended`)"))?;
        // As with nginx, what the servers took stands for the whole where that is not said.
        let servers = match took {
            None => at_servers(values)?,
            known => known,
        };
        work.ended(entry, ended, servers);
        entry.took = took;
    } else {
        return Err(NoEntry::new(0, "the line does not tell its time"));
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
        if !times_servers {
            work.whole_for_server(entry);
        }
    }
    Ok(Kind::Request)
}

/// What all servers took together, where that is known of one of them.
fn at_servers(values: &Values<'_>) -> Result<Option<u64>, NoEntry> {
    let Some(value) = values
        .get(Role::ServerTook as usize)
        .and_then(Option::as_ref)
    else {
        return Ok(None);
    };
    let (mut items, mut sum) = (Items(Some(&value.text)), None);
    while let Some((item, _)) = items.take() {
        if let Some(took) = nanos(item, Role::ServerTook, value)? {
            sum = Some(sum.unwrap_or(0u64).saturating_add(took));
        }
    }
    Ok(sum)
}

fn attempts(values: &Values<'_>, entry: &mut Entry, work: &mut Work) -> Result<(), NoEntry> {
    let value = |role: Role| values.get(role as usize).and_then(Option::as_ref);
    let text = |role: Role| value(role).map(|value| &*value.text);
    let mut servers = Items(text(Role::Server));
    let mut lengths = Items(text(Role::ServerTook));
    let mut statuses = Items(text(Role::ServerStatus));
    let flagged = text(Role::Flags).is_some_and(failed);
    let mut now = entry.arrived;
    while let Some((server, after)) = servers.take() {
        let whole = match (lengths.take(), value(Role::ServerTook)) {
            (Some((item, _)), Some(value)) => nanos(item, Role::ServerTook, value)?,
            _ => None,
        };
        let status = match (statuses.take(), value(Role::ServerStatus)) {
            (Some((item, _)), Some(value)) if known(item).is_some() => Some(
                clock::whole(item)
                    .ok_or_else(|| NoEntry::new(value.at, "a status is due (`server-status`)"))?,
            ),
            _ => None,
        };
        let began = now;
        now = now.saturating_add_unsigned(whole.unwrap_or(0));
        if known(server).is_none() {
            continue;
        }
        let last = after == After::End;
        let code = status.or(if last {
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
    }

    #[test]
    fn lengths_are_known_or_not_or_none() {
        let ms = Unit::Number(1_000_000);
        for (text, unit, due) in [
            ("12.5", ms, Length::Nanos(12_500_000)),
            ("12.5µs", ms, Length::Nanos(12_500)),
            ("1m2.5s", Unit::Told, Length::Nanos(62_500_000_000)),
            ("0.012s", Unit::Told, Length::Nanos(12_000_000)),
            (
                "1.5e-3",
                Unit::Number(1_000_000_000),
                Length::Nanos(1_500_000),
            ),
            ("-1", Unit::Told, Length::Unknown),
            ("-0.5", ms, Length::Unknown),
            ("-", ms, Length::Unknown),
            ("", ms, Length::Unknown),
            ("0", Unit::Told, Length::Nanos(0)),
            ("2", Unit::Told, Length::WithoutUnit),
            ("0.25", Unit::Told, Length::WithoutUnit),
            ("2 fortnights", ms, Length::Rubbish),
            ("fast", ms, Length::Rubbish),
            ("0.010 [web] 10.0.0.1:80", ms, Length::Rubbish),
            ("99999999999999999999", ms, Length::Rubbish),
            ("NaN", ms, Length::Rubbish),
            ("1ms2", ms, Length::Rubbish),
        ] {
            assert_eq!(length(text.as_bytes(), unit), due, "{text}");
        }
    }

    #[test]
    fn flags() {
        assert!(
            failed(b"UF,URX") && failed(b"UT") && !failed(b"-") && !failed(b"DC") && !failed(b"UH")
        );
    }
}
