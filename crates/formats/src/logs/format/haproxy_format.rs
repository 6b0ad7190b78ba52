//! HAProxy: lines of any `log-format` (configuration manual, 8.2.6, "Custom log format").
//!
//! Aliases that say something are read, the others and sample expressions (`%[…]`) passed over.
//! Values in quotes are recognized whatever the flags. The arrival is the date of the request
//! (`%tr`, `%trg`, `%trl`), or that of the connection and what came before the request (`%t`, `%T`,
//! `%Tl`, `%Ts`; `%Th`, `%Ti`).

use std::fmt;
use std::str::FromStr;

use super::haproxy::{attempt, by_server, timer};
use super::template::{Piece, Template};
use super::{FormatError, Kind, NoEntry, Work, set_route};
use crate::logs::clock::{self, SECOND};
use crate::logs::text::{host, known, push, target};
use crate::logs::{Entry, Escape};

/// `option httplog clf` (configuration manual, 8.2.4).
pub(super) const CLF: &str = r#"%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl"#;

/// What an alias says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
enum Alias {
    Client,
    /// The date of the request.
    Request,
    /// The date of the connection.
    Accepted,
    /// The same in whole seconds since 1970.
    AcceptedSeconds,
    Millis,
    Backend,
    Server,
    Queued,
    Connect,
    Answer,
    /// Receiving the request, from its first byte.
    Received,
    /// All before the request was there: handshake, idle time, and receiving it.
    Before,
    Handshake,
    Idle,
    /// From the first byte of the request to the end.
    Active,
    /// From the connection to the end.
    Total,
    Status,
    Bytes,
    Line,
    Uri,
    State,
}

/// How many there are.
const ALIASES: usize = Alias::State as usize + 1;

const SPEAKING: [(&str, Alias); 28] = [
    ("ci", Alias::Client),
    ("tr", Alias::Request),
    ("trg", Alias::Request),
    ("trl", Alias::Request),
    ("t", Alias::Accepted),
    ("T", Alias::Accepted),
    ("Tl", Alias::Accepted),
    ("Ts", Alias::AcceptedSeconds),
    ("ms", Alias::Millis),
    ("b", Alias::Backend),
    ("s", Alias::Server),
    ("Tw", Alias::Queued),
    ("Tc", Alias::Connect),
    ("Tr", Alias::Answer),
    ("TR", Alias::Received),
    ("Tq", Alias::Before),
    ("Th", Alias::Handshake),
    ("Ti", Alias::Idle),
    ("Ta", Alias::Active),
    ("Tt", Alias::Total),
    ("ST", Alias::Status),
    ("B", Alias::Bytes),
    ("r", Alias::Line),
    ("HU", Alias::Uri),
    ("HP", Alias::Uri),
    ("HPO", Alias::Uri),
    ("ts", Alias::State),
    ("tsc", Alias::State),
];

/// A `log-format`, ready to read lines by.
#[derive(Clone, Debug)]
pub struct HaproxyFormat {
    template: Template,
    aliases: Vec<Option<Alias>>,
    text: String,
}

/// What stands in a configuration: without the directive, quotes around it and slashes before
/// spaces.
fn unquote(text: &str) -> String {
    let mut rest = text.trim();
    if let Some(after) = rest.strip_prefix("log-format") {
        rest = after.trim_start();
    }
    let quoted = rest
        .strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'))
        .filter(|inner| inner.contains("\\\"") || !inner.contains('"'));
    let text = quoted.unwrap_or(rest);
    text.replace("\\\"", "\"").replace("\\ ", " ")
}

/// Takes the variable after a `%`: its alias, or nothing for an expression and for `%o`, which
/// writes nothing; and the rest.
fn variable(text: &str) -> Result<(Option<&str>, &str), FormatError> {
    let open = |mark| FormatError(format!("the log-format has a `%{mark}` that is not closed"));
    let mut rest = text;
    // A name and a type may come first, then flags.
    if let Some(inner) = rest.strip_prefix('(') {
        rest = inner.split_once(')').ok_or_else(|| open('('))?.1;
    }
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner.split_once('}').ok_or_else(|| open('{'))?.1;
    }
    if let Some(inner) = rest.strip_prefix('[') {
        let mut depth = 1;
        let end = inner.find(|letter| {
            depth += match letter {
                '[' => 1,
                ']' => -1,
                _ => 0,
            };
            depth == 0
        });
        let end = end.ok_or_else(|| open('['))?;
        return Ok((Some("[…]"), inner.get(end + 1..).unwrap_or_default()));
    }
    let end = rest
        .find(|letter: char| !letter.is_ascii_alphanumeric())
        .unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    match name {
        "" => Err(FormatError(
            "the log-format has a `%` without a name".to_owned(),
        )),
        "o" => Ok((None, rest)),
        name => Ok((Some(name), rest)),
    }
}

impl FromStr for HaproxyFormat {
    type Err = FormatError;

    /// From a format as it stands in `haproxy.cfg`.
    fn from_str(text: &str) -> Result<HaproxyFormat, FormatError> {
        let whole = unquote(text);
        let mut lead = String::new();
        let mut names: Vec<(&str, String)> = Vec::new();
        let mut rest = whole.as_str();
        // Of several spaces one is written, and none at the start.
        let mut fixed = |names: &mut Vec<(&str, String)>, text: &str| {
            let (into, starts) = match names.last_mut() {
                Some((_, then)) => (then, false),
                None => (&mut lead, true),
            };
            for letter in text.chars() {
                let again = into.ends_with(' ') || starts && into.is_empty();
                if letter != ' ' || !again {
                    into.push(letter);
                }
            }
        };
        while let Some(at) = rest.find('%') {
            let (before, after) = rest.split_at(at);
            fixed(&mut names, before);
            let after = after.get(1..).unwrap_or_default();
            if let Some(after) = after.strip_prefix('%') {
                fixed(&mut names, "%");
                rest = after;
                continue;
            }
            let (name, after) = variable(after)?;
            if let Some(name) = name {
                names.push((name, String::new()));
            }
            rest = after;
        }
        fixed(&mut names, rest);
        let mut pieces: Vec<Piece> = Vec::new();
        let mut aliases = Vec::new();
        for (name, then) in &names {
            if pieces.last().is_some_and(Piece::ends_line) {
                return Err(FormatError(format!(
                    "nothing stands before `%{name}`, so nobody can tell where it begins"
                )));
            }
            let in_braces = matches!(*name, "hr" | "hs");
            pieces.push(Piece::new(name, then).in_braces(in_braces));
            let alias = SPEAKING.iter().find(|(known, _)| known == name);
            aliases.push(alias.map(|&(_, alias)| alias));
        }
        let tells = |alias| aliases.contains(&Some(alias));
        if ![Alias::Request, Alias::Accepted, Alias::AcceptedSeconds]
            .into_iter()
            .any(tells)
        {
            return Err(FormatError(
                "the log-format does not tell the time: it has none of %tr, %trg, %trl, %t, %T, %Tl and %Ts"
                    .to_owned(),
            ));
        }
        Ok(HaproxyFormat {
            template: Template {
                lead: lead.as_bytes().into(),
                pieces,
            },
            aliases,
            text: whole,
        })
    }
}

impl fmt::Display for HaproxyFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl HaproxyFormat {
    /// Reads one line.
    pub(super) fn line(
        &self,
        line: &[u8],
        entry: &mut Entry,
        work: &mut Work,
    ) -> Result<Kind, NoEntry> {
        let mut values: [Option<&[u8]>; ALIASES] = [None; ALIASES];
        self.template.split(line, &mut |place, text| {
            if let Some(alias) = self.aliases.get(place).copied().flatten()
                && let Some(value) = values.get_mut(alias as usize)
            {
                *value = value.or(known(text));
            }
        })?;
        let value = |alias: Alias| values.get(alias as usize).copied().flatten();
        let span = |alias: Alias| match value(alias) {
            Some(text) => timer(line, text),
            None => Ok((None, false)),
        };
        let length = |alias: Alias| span(alias).map(|(nanos, _)| nanos);
        let (handshake, idle) = (length(Alias::Handshake)?, length(Alias::Idle)?);
        let waited = handshake.unwrap_or(0).saturating_add(idle.unwrap_or(0));
        let is_request = value(Alias::Request).is_some();
        let arrived = arrival(line, value)?;
        let arrived = match is_request {
            true => arrived,
            false => arrived.saturating_add_unsigned(waited),
        };
        let (active, still_active) = span(Alias::Active)?;
        let (total, still_open) = span(Alias::Total)?;
        let took = match active.filter(|_| !still_active) {
            None => total
                .filter(|_| !still_open)
                .map(|total| total.saturating_sub(waited)),
            known => known,
        };
        work.arrived(entry, arrived, took);
        if let Some(text) = value(Alias::Status) {
            let status = clock::decimal(text, 1)
                .ok_or_else(|| NoEntry::of(line, text, "a status, or -1, is due"))?;
            entry.status = u16::try_from(status).ok();
        }
        if let Some(text) = value(Alias::Bytes) {
            let digits = text.strip_prefix(b"+").unwrap_or(text);
            let bytes = clock::whole(digits)
                .ok_or_else(|| NoEntry::of(line, text, "a number of bytes is due"))?;
            entry.bytes = Some(bytes).filter(|_| digits.len() == text.len());
        }
        let asked = value(Alias::Line).map(target).or_else(|| value(Alias::Uri));
        if let Some(asked) = asked {
            set_route(entry, asked, Escape::None);
        }
        if let Some(client) = value(Alias::Client) {
            if client.contains(&b' ') {
                return Err(NoEntry::of(
                    line,
                    client,
                    "the client's address is due, without a prefix",
                ));
            }
            push(&mut entry.client, host(client, false));
        }
        if let Some(backend) = value(Alias::Backend) {
            push(&mut entry.pool, backend);
        }
        if let Some(server) = value(Alias::Server) {
            // `%Tq` has the handshake and the idle time in it.
            let received = match length(Alias::Received)? {
                None => length(Alias::Before)?.map(|before| before.saturating_sub(waited)),
                known => known,
            };
            let (queued, connect) = (length(Alias::Queued)?, length(Alias::Connect)?);
            let began = [received, queued, connect]
                .into_iter()
                .flatten()
                .fold(0, u64::saturating_add);
            let answer = if self.has(Alias::Answer) {
                length(Alias::Answer)?
            } else if self.has(Alias::Connect) {
                // As with `option tcplog`: what is left of the whole once it was connected.
                took.map(|took| took.saturating_sub(began))
                    .filter(|_| connect.is_some())
            } else {
                None
            };
            let failed = entry.status.is_some_and(|status| status >= 500)
                || value(Alias::State).is_some_and(by_server);
            attempt(server, began, answer, failed, entry, work);
            if !self.has(Alias::Answer) && !self.has(Alias::Connect) {
                work.whole_for_server(entry);
            }
        }
        Ok(Kind::Request)
    }

    fn has(&self, alias: Alias) -> bool {
        self.aliases.contains(&Some(alias))
    }
}

/// The moment that a line tells, of the request or of the connection.
fn arrival<'a>(line: &[u8], value: impl Fn(Alias) -> Option<&'a [u8]>) -> Result<i64, NoEntry> {
    if let Some(text) = value(Alias::Request) {
        return clock::common(text)
            .ok_or_else(|| NoEntry::of(line, text, "a date as 06/Feb/2009:12:14:14.655 is due"));
    }
    let seconds = if let Some(text) = value(Alias::Accepted) {
        clock::common(text)
            .ok_or_else(|| NoEntry::of(line, text, "a date as 06/Feb/2009:12:14:14.655 is due"))?
    } else if let Some(text) = value(Alias::AcceptedSeconds) {
        clock::decimal(text, SECOND)
            .ok_or_else(|| NoEntry::of(line, text, "seconds since 1970 are due"))?
    } else {
        return Err(NoEntry::new(
            0,
            "a date is due, but the line has `-` for it",
        ));
    };
    match value(Alias::Millis) {
        Some(text) if seconds % SECOND == 0 => {
            let millis = clock::whole(text)
                .filter(|&millis| millis < 1000)
                .ok_or_else(|| NoEntry::of(line, text, "milliseconds are due"))?;
            Ok(seconds.saturating_add_unsigned(millis * 1_000_000))
        }
        _ => Ok(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn read(format: &str, line: &str) -> Result<Entry, NoEntry> {
        let format: HaproxyFormat = format.parse().unwrap();
        let (mut entry, mut work) = (Entry::default(), Work::default());
        format.line(line.as_bytes(), &mut entry, &mut work)?;
        Ok(entry)
    }

    /// The format of `option httplog` (configuration manual, 8.2.3).
    const HTTPLOG: &str = r#""%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r""#;

    #[test]
    fn the_format_of_httplog_reads_as_httplog() {
        for line in [
            r#"10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/20/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html?x HTTP/1.1""#,
            r#"10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/20/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET /index.html?x HTTP/1.1""#,
            r#"10.0.1.2:33318 [06/Feb/2009:12:14:14.655] fe be/<NOSRV> 2/-1/-1/-1/5002 503 212 - - sQ-- 1/1/1/0/0 0/3 "GET / HTTP/1.1""#,
            r#"10.0.1.2:1 [06/Feb/2009:12:14:14.655] fe be/s1 0/0/1/-1/+30 -1 +0 - - CH-- 1/1/1/0/0 0/0 "GET /""#,
        ] {
            let (mut entry, mut work) = (Entry::default(), Work::default());
            super::super::haproxy::line(line.as_bytes(), &mut entry, &mut work).unwrap();
            assert_eq!(read(HTTPLOG, line).unwrap(), entry, "{line}");
        }
    }

    #[test]
    fn httplog_clf() {
        let entry = read(
            CLF,
            r#"192.0.2.7 - - [14/Nov/2023:22:13:20 +0000] "GET /a?b HTTP/1.1" 200 1234 "" "" 47660 325 "in" "web" "s1" 1 2 3 8 14 "----" 1 1 0 0 0 0 0 "" "" "" """#,
        )
        .unwrap();
        assert_eq!(entry.arrived, 1_700_000_000_000_000_000);
        assert_eq!(
            (entry.took, entry.status, entry.bytes),
            (Some(14 * MS), Some(200), Some(1234))
        );
        assert_eq!(
            (&*entry.client, &*entry.pool, &*entry.route),
            ("192.0.2.7", "web", "/a")
        );
        let attempt = &entry.attempts[0];
        assert_eq!((&*attempt.server, attempt.took), ("s1", Some(8 * MS)));
        assert_eq!(attempt.began, entry.arrived + 6 * MS as i64);
    }

    #[test]
    fn formats_of_ones_own() {
        let format =
            r"%ci\ [%t]\ %b\ %s\ %Th/%Ti/%TR/%Tw/%Tc/%Tr/%Tt\ %[req.hdr(host)]\ 100%%\ %HM";
        let entry = read(
            format,
            "192.0.2.7 [14/Nov/2023:22:13:20.500] web s1 1/100/2/0/1/8/120 a.example 100% GET",
        )
        .unwrap();
        // The request began 101 ms after the connection.
        assert_eq!(entry.arrived, 1_700_000_000_601_000_000);
        assert_eq!(entry.took, Some(19 * MS));
        assert_eq!(entry.attempts[0].began, entry.arrived + 3 * MS as i64);
        let epoch = read("%Ts.%ms %ci %s %Ta", "1700000000.250 192.0.2.7 s2 9").unwrap();
        assert_eq!(epoch.arrived, 1_700_000_000_250_000_000);
        assert_eq!(epoch.attempts[0].took, Some(9 * MS));
        for (format, due) in [
            ("%ci %s", "does not tell the time"),
            ("%ci%t", "nothing stands before"),
            ("%[x %t", "not closed"),
            ("% %t", "without a name"),
        ] {
            let error = format.parse::<HaproxyFormat>().unwrap_err().to_string();
            assert!(error.contains(due), "{format}: {error}");
        }
        let fault = |line: &str| read("%ci [%t] %Ta", line).unwrap_err().due.into_owned();
        assert!(
            fault("lb1 a: 192.0.2.7 [14/Nov/2023:22:13:20.500] 5").contains("without a prefix")
        );
        assert!(fault("192.0.2.7 [14/Nov/2023:22:13:20.500] fast").contains("a timer"));
    }
}
