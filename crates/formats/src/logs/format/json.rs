//! JSON, an object a line: only the wanted keys are looked at, and nothing is built of the others.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::columns::{Columns, Role, Source};
use super::fields::{self, Value, Values, give};
use super::{Kind, NoEntry, Work};
use crate::logs::Entry;

/// Reads one line. What stands before the first `{` is the prefix of whoever carried the line, a
/// syslog daemon perhaps.
pub(super) fn line(
    columns: &Columns,
    line: &[u8],
    entry: &mut Entry,
    work: &mut Work,
) -> Result<Kind, NoEntry> {
    let start =
        memchr::memchr(b'{', line).ok_or_else(|| NoEntry::new(0, "an object of JSON is due"))?;
    let object = line.get(start..).unwrap_or_default();
    let text = String::from_utf8_lossy(object);
    let mut values: Values<'_> = Default::default();
    let wanted = WantedField {
        sources: &columns.sources,
        inside: None,
        whole: &text,
        offset: start,
        values: &mut values,
        depth: 0,
    };
    let mut reader = serde_json::Deserializer::from_str(&text);
    wanted
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|error| {
            let at = start + error.column().saturating_sub(1);
            NoEntry::new(at, format!("JSON is due ({})", what(&error)))
        })?;
    fields::fill(&values, columns.say(Role::ServerTook), entry, work)
}

/// The error without its place.
fn what(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// Objects within objects at most: names lead no deeper.
const DEEPEST: usize = 8;

/// The values that are wanted of one object.
struct WantedField<'a, 'c, 'v> {
    sources: &'c [Source],
    /// The names of the objects around, with a dot after each.
    inside: Option<String>,
    whole: &'a str,
    offset: usize,
    values: &'v mut Values<'a>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for WantedField<'de, '_, '_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for WantedField<'de, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let WantedField {
            sources,
            inside,
            whole,
            offset,
            values,
            depth,
        } = self;
        while let Some(Key(key)) = map.next_key::<Key<'de>>()? {
            let mut wanted = false;
            let mut leads = false;
            for source in sources {
                let Some(rest) = strip(&source.name, inside.as_deref()) else {
                    continue;
                };
                wanted |= rest == &*key;
                leads |= rest
                    .strip_prefix(&*key)
                    .is_some_and(|after| after.starts_with('.'));
            }
            if !wanted && !leads {
                map.next_value::<serde::de::IgnoredAny>()?;
                continue;
            }
            let raw: &'de RawValue = map.next_value()?;
            let raw = raw.get();
            if raw.starts_with('{') {
                if leads && depth < DEEPEST {
                    let deeper = WantedField {
                        sources,
                        inside: Some(format!("{}{key}.", inside.as_deref().unwrap_or(""))),
                        whole,
                        offset,
                        values: &mut *values,
                        depth: depth + 1,
                    };
                    deeper
                        .deserialize(&mut serde_json::Deserializer::from_str(raw))
                        .map_err(serde::de::Error::custom)?;
                }
                continue;
            }
            let Some(text) = scalar(raw) else { continue };
            let at = (raw.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
            for (rank, source) in sources.iter().enumerate() {
                if strip(&source.name, inside.as_deref()) == Some(&*key) {
                    let value = Value {
                        text: text.clone(),
                        unit: source.unit,
                        at: at.saturating_add(offset),
                        rank,
                    };
                    give(values, source.role, value);
                }
            }
        }
        Ok(())
    }
}

/// A key: borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Key<'de>, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        reader.deserialize_str(Text)
    }
}

fn strip<'c>(name: &'c str, inside: Option<&str>) -> Option<&'c str> {
    match inside {
        None => Some(name),
        Some(inside) => name.strip_prefix(inside),
    }
}

/// The text of a value; nothing for null, and of a list the first of its values.
fn scalar(raw: &str) -> Option<Cow<'_, [u8]>> {
    if let Some(inner) = raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        if !inner.contains('\\') {
            return Some(Cow::Borrowed(inner.as_bytes()));
        }
        let text: String = serde_json::from_str(raw).ok()?;
        return Some(Cow::Owned(text.into_bytes()));
    }
    if raw.starts_with('[') {
        let list: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
        let first = list.first()?.get();
        return if first.starts_with('[') {
            None
        } else {
            scalar(first)
        };
    }
    (raw != "null").then_some(Cow::Borrowed(raw.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(columns: &str, text: &str) -> Result<Entry, NoEntry> {
        let columns: Columns = columns.parse().unwrap();
        let (mut entry, mut work) = (Entry::default(), Work::default());
        line(&columns, text.as_bytes(), &mut entry, &mut work).map(|_| entry)
    }

    #[test]
    fn nested_keys_and_units() {
        let entry = read(
            "ended:ts,took:duration:s,client:request.remote_ip,route:request.uri,status:status,bytes:size",
            r#"{"level":"info","ts":1646861401.5241024,"request":{"remote_ip":"2001:db8::1","uri":"/a?b=\"","headers":{"x":["y"]}},"bytes_read":0,"duration":0.000929675,"size":10900,"status":200}"#,
        )
        .unwrap();
        assert_eq!(entry.arrived, 1_646_861_401_524_102_400 - 929_675);
        assert_eq!(entry.took, Some(929_675));
        assert_eq!(
            (entry.client.as_str(), entry.route.as_str()),
            ("2001:db8::1", "/a")
        );
        assert_eq!((entry.status, entry.bytes), (Some(200), Some(10_900)));
    }

    #[test]
    fn dotted_names_lists_and_prefixes() {
        let entry = read(
            "arrived:log.at:ms,server:up,server-took:up_time:s,client:who,route:q",
            r#"<13>host: {"log.at":1700000000123,"up":"10.0.0.1:80, 10.0.0.2:80","up_time":"0.010, 0.020","who":["10.9.9.9","x"],"q":"GET /p?x HTTP/1.1"}"#,
        )
        .unwrap();
        assert_eq!(entry.arrived, 1_700_000_000_123_000_000);
        assert_eq!(entry.attempts.len(), 2);
        assert!(entry.attempts[0].failed && !entry.attempts[1].failed);
        assert_eq!(entry.attempts[1].began, entry.arrived + 10_000_000);
        assert_eq!(entry.attempts[1].took, Some(20_000_000));
        assert_eq!(
            (entry.client.as_str(), entry.route.as_str()),
            ("10.9.9.9", "/p")
        );
    }

    #[test]
    fn bad_lines_are_placed() {
        let columns = "arrived:ts,took:d:s";
        let fault = read(columns, r#"{"ts":"soon"}"#).unwrap_err();
        assert_eq!(fault.at, 6);
        let fault = read(columns, r#"{"ts":1,"d":"#).unwrap_err();
        assert!(fault.due.contains("JSON is due"), "{fault:?}");
        assert!(
            read(columns, r#"{"d":1}"#)
                .unwrap_err()
                .due
                .contains("does not tell its time")
        );
        assert!(read(columns, "plain text").is_err());
        assert!(read(columns, r#"{"ts":1,"ts":{}} x"#).is_err());
    }
}
