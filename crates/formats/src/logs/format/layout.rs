//! Lines of any layout, described by roles: `$client - $_ [$arrived] "$route" $status ${took:ms}`.
//!
//! A name after `$` is a role, with a unit after a colon where it stands in braces; `$_` is
//! anything else.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::columns::{Columns, Role};
use super::fields::{self, Value, Values, give};
use super::template::{Piece, Template};
use super::{FormatError, Kind, NoEntry, Work};
use crate::logs::Entry;

/// Traefik's common format (access logs, "Common Log Format"): the date is that of the arrival, in
/// whole seconds.
pub(super) const TRAEFIK: &str = r#"$client - $_ [${arrived:date}] "$route" $status $bytes "$_" "$_" $_ "$_" "$server" ${took:ms}ms"#;

/// A layout, ready to read lines by.
#[derive(Clone, Debug)]
pub struct Layout {
    template: Template,
    /// The column of each piece that says something, among `columns`.
    places: Vec<Option<usize>>,
    columns: Columns,
    text: String,
}

impl FromStr for Layout {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Layout, FormatError> {
        let mut parts = text.split('$');
        let lead = parts.next().unwrap_or_default();
        let (mut pieces, mut places, mut roles) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            let (name, then) = match part.strip_prefix('{') {
                Some(inner) => inner.split_once('}').ok_or_else(|| {
                    FormatError("the layout has a `${` that is not closed by `}`".to_owned())
                })?,
                None => part.split_at(
                    part.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                        .unwrap_or(part.len()),
                ),
            };
            if pieces.last().is_some_and(Piece::ends_line) {
                return Err(FormatError(format!(
                    "nothing stands before `${name}`, so nobody can tell where it begins"
                )));
            }
            let (word, unit) = name.split_once(':').unwrap_or((name, ""));
            let word = word.replace('_', "-");
            let is_list = matches!(&*word, "server" | "server-took" | "server-status");
            pieces.push(Piece::new(name, then).list(is_list));
            if word == "-" {
                places.push(None);
                continue;
            }
            places.push(Some(roles.len()));
            let unit = if unit.is_empty() {
                String::new()
            } else {
                format!(":{unit}")
            };
            roles.push(format!("{word}:{word}{unit}"));
        }
        Ok(Layout {
            template: Template {
                lead: lead.as_bytes().into(),
                pieces,
            },
            places,
            columns: roles.join(",").parse()?,
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Layout {
    /// Reads one line.
    pub(super) fn line(
        &self,
        line: &[u8],
        entry: &mut Entry,
        work: &mut Work,
    ) -> Result<Kind, NoEntry> {
        let mut values: Values<'_> = Default::default();
        self.template.split(line, &mut |place, text| {
            let column = self.places.get(place).copied().flatten();
            if let Some(rank) = column
                && let Some(source) = self.columns.sources.get(rank)
            {
                let value = Value {
                    text: Cow::Borrowed(text),
                    unit: source.unit,
                    at: (text.as_ptr() as usize).wrapping_sub(line.as_ptr() as usize),
                    rank,
                };
                give(&mut values, source.role, value);
            }
        })?;
        if let Some(client) = values.get(Role::Client as usize).and_then(Option::as_ref)
            && client.text.contains(&b' ')
            && !client.text.contains(&b',')
        {
            return Err(NoEntry::new(
                client.at,
                "the client's address is due, without a prefix",
            ));
        }
        fields::fill(&values, self.columns.say(Role::ServerTook), entry, work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(layout: &str, line: &str) -> Result<Entry, NoEntry> {
        let layout: Layout = layout.parse().unwrap();
        let (mut entry, mut work) = (Entry::default(), Work::default());
        layout.line(line.as_bytes(), &mut entry, &mut work)?;
        Ok(entry)
    }

    #[test]
    fn traefik() {
        let entry = read(
            TRAEFIK,
            r#"192.0.2.7 - - [14/Nov/2023:22:13:20 +0000] "GET /a?b HTTP/1.1" 200 12 "-" "curl/8 \"x\"" 17 "web@docker" "http://10.0.0.1:80" 12ms"#,
        )
        .unwrap();
        assert_eq!(entry.arrived, 1_700_000_000_000_000_000);
        assert_eq!(
            (entry.took, entry.status, entry.bytes),
            (Some(12_000_000), Some(200), Some(12))
        );
        assert_eq!((&*entry.client, &*entry.route), ("192.0.2.7", "/a"));
        assert_eq!(entry.attempts[0].server, "http://10.0.0.1:80");
        assert_eq!(entry.attempts[0].took, Some(12_000_000));
        let nobody = read(
            TRAEFIK,
            r#"192.0.2.7 - - [14/Nov/2023:22:13:20 +0000] "GET / HTTP/1.1" 404 19 "-" "-" 18 "-" "-" 0ms"#,
        );
        assert!(nobody.unwrap().attempts.is_empty());
    }

    #[test]
    fn layouts_of_ones_own() {
        let entry = read(
            "<$arrived> ${server_took:ms} $server|$_",
            "<2023-11-14T22:13:20.5Z> 10, 20 10.0.0.1:80, 10.0.0.2:80|rest | of it",
        )
        .unwrap();
        assert_eq!(entry.attempts.len(), 2);
        assert_eq!(entry.attempts[1].took, Some(20_000_000));
        for (layout, due) in [
            ("$client $took", "no column tells the time"),
            ("$arived x", "did you mean `arrived`?"),
            ("$arrived$client", "nothing stands before"),
            ("${arrived", "not closed"),
        ] {
            let error = layout.parse::<Layout>().unwrap_err().to_string();
            assert!(error.contains(due), "{layout}: {error}");
        }
        let fault = read(
            "$client [$arrived]",
            "web: 192.0.2.7 [2023-11-14T22:13:20Z]",
        )
        .unwrap_err();
        assert!(fault.due.contains("without a prefix"), "{fault:?}");
    }
}
