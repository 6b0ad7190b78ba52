//! nginx: lines of any `log_format` (ngx_http_log_module).
//!
//! A line is written when the request has ended, so its times are those of the end: the arrival is
//! the end less `$request_time`. Of several clocks the finest is taken: `$msec` has milliseconds,
//! `$time_local` and `$time_iso8601` whole seconds. Where there is no `$request_time`, the sum of
//! `$upstream_response_time` stands for it.

use std::str::FromStr;

use memchr::memmem::Finder;

use super::lists::{Lists, seconds, total};
use super::variables::{MEANINGS, Meaning, clocks, is_silent_list, meaning};
use super::{FormatError, Kind, NoEntry, Work, set_route};
use crate::logs::clock;
use crate::logs::text::{first_host, known, set, target};
use crate::logs::{Entry, Escape};
use crate::spelling::hint;

/// The format that nginx has from the start, also that of Apache and many others.
pub(super) const COMBINED: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#;

/// The common log format.
pub(super) const COMMON: &str =
    r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent"#;

/// The `log-format-upstream` of the ingress controller of Kubernetes (ingress-nginx, user guide,
/// "Log format").
pub(super) const INGRESS: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id"#;

/// The combined format, then what lbsim writes of simulated requests.
pub const MEASURED: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $msec $request_time $upstream_addr $upstream_response_time"#;

/// A variable and the text that follows it.
#[derive(Clone, Debug)]
struct FormatVariable {
    name: Box<str>,
    meaning: Meaning,
    /// Whether its value is the best that the format has for its meaning.
    used: bool,
    is_list: bool,
    /// What follows; empty only at the end of the line.
    then: Finder<'static>,
    /// Whether the value ends at the next slash, since another variable follows at once.
    until_slash: bool,
}

/// A `log_format`, ready to read lines by.
#[derive(Clone, Debug)]
pub struct Nginx {
    lead: Box<[u8]>,
    pieces: Vec<FormatVariable>,
    escape: Escape,
    text: String,
}

/// What stands in a configuration: the strings put together, and how they are escaped.
fn unquote(text: &str) -> Result<(Escape, String), FormatError> {
    let mut rest = text.trim();
    let is_directive = rest
        .strip_prefix("log_format")
        .is_some_and(|after| after.starts_with(char::is_whitespace));
    if is_directive {
        rest = rest.trim_start_matches("log_format").trim_start();
        rest = rest
            .split_once(char::is_whitespace)
            .map_or("", |(_, after)| after.trim_start());
    }
    let mut escape = Escape::Hex;
    if let Some(after) = rest.strip_prefix("escape=") {
        let (word, after) = after.split_once(char::is_whitespace).unwrap_or((after, ""));
        escape = match word {
            "default" => Escape::Hex,
            "json" => Escape::Json,
            "none" => Escape::None,
            _ => {
                return Err(FormatError(format!(
                    "`escape={}` is none of escape=default, escape=json, escape=none",
                    word.escape_debug()
                )));
            }
        };
        rest = after.trim_start();
    }
    if !is_directive && !rest.starts_with('\'') {
        return Ok((escape, rest.to_owned()));
    }
    let mut format = String::new();
    loop {
        rest = rest.trim_start();
        let mut letters = rest.chars();
        let quote = match letters.next() {
            None | Some(';') => break,
            Some(quote @ ('\'' | '"')) => quote,
            Some(_) => {
                let end = rest.find([';', ' ', '\n']).unwrap_or(rest.len());
                format.push_str(rest.get(..end).unwrap_or_default());
                rest = rest.get(end..).unwrap_or_default();
                continue;
            }
        };
        loop {
            match letters.next() {
                None => {
                    return Err(FormatError(format!(
                        "the log_format has a {quote} that is not closed"
                    )));
                }
                Some(letter) if letter == quote => break,
                Some('\\') => match letters.next() {
                    Some('t') => format.push('\t'),
                    Some('n') => format.push('\n'),
                    Some('r') => format.push('\r'),
                    Some(letter @ ('"' | '\'' | '\\')) => format.push(letter),
                    Some(letter) => format.extend(['\\', letter]),
                    None => {}
                },
                Some(letter) => format.push(letter),
            }
        }
        rest = letters.as_str();
    }
    Ok((escape, format))
}

/// The name of a variable, and the text after it.
type NameAndText<'a> = (&'a str, &'a str);

/// Splits a format: the text at its start, then variables, each with the text after it.
fn split(format: &str) -> Result<(&str, Vec<NameAndText<'_>>), FormatError> {
    let mut parts = format.split('$');
    let lead = parts.next().unwrap_or_default();
    let mut variables = Vec::new();
    for part in parts {
        let (name, then) = match part.strip_prefix('{') {
            Some(inner) => inner.split_once('}').ok_or_else(|| {
                FormatError("the log_format has a `${` that is not closed by `}`".to_owned())
            })?,
            None => part.split_at(
                part.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                    .unwrap_or(part.len()),
            ),
        };
        if name.is_empty() {
            return Err(FormatError(format!(
                "the log_format has a `$` without a name, before `{}`",
                then.chars().take(20).collect::<String>().escape_debug()
            )));
        }
        variables.push((name, then));
    }
    Ok((lead, variables))
}

impl FromStr for Nginx {
    type Err = FormatError;

    /// From a format as it stands in `nginx.conf`: the bare text, the quoted strings, or the whole
    /// directive.
    fn from_str(text: &str) -> Result<Nginx, FormatError> {
        let (escape, format) = unquote(text)?;
        let (lead, variables) = split(&format)?;
        let mut pieces: Vec<FormatVariable> = Vec::new();
        let mut best = [usize::MAX; MEANINGS];
        for (place, &(name, then)) in variables.iter().enumerate() {
            let (meaning, rank) = meaning(name).map_err(|meant| {
                FormatError(format!(
                    "unknown variable `${name}`; did you mean `${meant}`?"
                ))
            })?;
            let next = variables.get(place + 1).map(|&(name, _)| name);
            let until_slash =
                then.is_empty() && matches!(next, Some("request_uri" | "uri" | "document_uri"));
            if let (true, false, Some(next)) = (then.is_empty(), until_slash, next) {
                return Err(FormatError(format!(
                    "nothing stands between `${name}` and `${next}`, so nobody can tell where one ends"
                )));
            }
            if let Some(best) = best.get_mut(meaning as usize) {
                *best = (*best).min(rank);
            }
            pieces.push(FormatVariable {
                name: name.into(),
                meaning,
                used: false,
                is_list: meaning.is_list() || is_silent_list(name),
                then: Finder::new(then.as_bytes()).into_owned(),
                until_slash,
            });
        }
        // Of two variables with one meaning the better one counts, of two alike the first.
        for piece in &mut pieces {
            let rank = super::variables::meaning(&piece.name).map_or(usize::MAX, |(_, rank)| rank);
            if let Some(best) = best.get_mut(piece.meaning as usize)
                && *best == rank
                && rank != usize::MAX
            {
                piece.used = true;
                *best = usize::MAX;
            }
        }
        let is_clock = |piece: &FormatVariable| {
            matches!(piece.meaning, Meaning::Msec | Meaning::Iso | Meaning::Local)
        };
        if !pieces.iter().any(is_clock) {
            let near = pieces
                .iter()
                .map(|piece| hint(&piece.name, clocks()))
                .find(|text| !text.is_empty())
                .unwrap_or_default();
            return Err(FormatError(format!(
                "the log_format does not tell the time: it has none of $msec, $time_iso8601 and $time_local{near}"
            )));
        }
        Ok(Nginx {
            lead: lead.as_bytes().into(),
            pieces,
            escape,
            text: match escape {
                Escape::Hex => format,
                Escape::Json => format!("escape=json {format}"),
                Escape::None => format!("escape=none {format}"),
            },
        })
    }
}

impl Nginx {
    /// The format as one text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the value of a piece ends in the rest of a line.
    #[inline]
    fn end(
        &self,
        piece: &FormatVariable,
        next: Option<&FormatVariable>,
        rest: &[u8],
    ) -> Option<usize> {
        if let (true, Some(next)) = (piece.until_slash, next) {
            let both = self.end(next, None, rest)?;
            return memchr::memchr(b'/', rest.get(..both)?).or(Some(both));
        }
        let then = piece.then.needle();
        let Some(&first) = then.first() else {
            return Some(rest.len());
        };
        let mut from = 0;
        loop {
            let part = rest.get(from..)?;
            let at = from
                + if then.len() == 1 {
                    memchr::memchr(first, part)?
                } else {
                    piece.then.find(part)?
                };
            let (value, after) = rest.split_at_checked(at)?;
            // A quote that is escaped ends nothing (escape=json, and Apache).
            let escaped = first == b'"'
                && self.escape != Escape::None
                && value
                    .iter()
                    .rev()
                    .take_while(|&&byte| byte == b'\\')
                    .count()
                    % 2
                    == 1;
            // Nor does the space of a list's separator.
            let within = first == b' '
                && piece.is_list
                && (matches!(value.last(), Some(b',' | b':')) && !value.ends_with(b"::")
                    || after.starts_with(b" : "));
            if !escaped && !within {
                return Some(at);
            }
            from = at + 1;
        }
    }

    /// Reads one line.
    pub(super) fn line(
        &self,
        line: &[u8],
        entry: &mut Entry,
        work: &mut Work,
    ) -> Result<Kind, NoEntry> {
        let mut rest = line.strip_prefix(&*self.lead).ok_or_else(|| {
            let lead = String::from_utf8_lossy(&self.lead);
            NoEntry::new(0, format!("`{}` is due at the start", lead.escape_debug()))
        })?;
        let mut values: [Option<&[u8]>; MEANINGS] = [None; MEANINGS];
        for (place, piece) in self.pieces.iter().enumerate() {
            let next = self.pieces.get(place + 1);
            let end = self.end(piece, next, rest).ok_or_else(|| {
                let then = String::from_utf8_lossy(piece.then.needle());
                let due = format!("`{}` is due after `${}`", then.escape_debug(), piece.name);
                NoEntry::of(line, rest, due)
            })?;
            let (value, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            if piece.used
                && let Some(slot) = values.get_mut(piece.meaning as usize)
            {
                // A head or a status that never came (`-`) says more than a format without the
                // variable.
                *slot = match piece.meaning {
                    Meaning::UpstreamHeader | Meaning::UpstreamStatus => Some(value),
                    _ => known(value),
                };
            }
            rest = after.get(piece.then.needle().len()..).unwrap_or_default();
        }
        if !rest.is_empty() {
            return Err(NoEntry::of(line, rest, "the format ends here"));
        }
        let value = |meaning: Meaning| values.get(meaning as usize).copied().flatten();
        self.fill(line, value, entry, work)
    }

    fn fill<'a>(
        &self,
        line: &[u8],
        value: impl Fn(Meaning) -> Option<&'a [u8]>,
        entry: &mut Entry,
        work: &mut Work,
    ) -> Result<Kind, NoEntry> {
        let number = |meaning, due: &'static str| {
            value(meaning)
                .map(|text| clock::whole(text).ok_or_else(|| NoEntry::of(line, text, due)))
                .transpose()
        };
        let ended = if let Some(text) = value(Meaning::Msec) {
            clock::decimal(text, clock::SECOND)
                .ok_or_else(|| NoEntry::of(line, text, "a time in seconds is due"))?
        } else if let Some(text) = value(Meaning::Iso) {
            clock::iso(text).ok_or_else(|| {
                NoEntry::of(line, text, "a date as 2015-05-17T10:05:03+00:00 is due")
            })?
        } else if let Some(text) = value(Meaning::Local) {
            clock::common(text).ok_or_else(|| {
                NoEntry::of(line, text, "a date as 17/May/2015:10:05:03 +0000 is due")
            })?
        } else {
            return Err(NoEntry::new(
                0,
                "a time is due, but the line has `-` for it",
            ));
        };
        let took = value(Meaning::RequestTime)
            .map(|text| {
                seconds(text).ok_or_else(|| NoEntry::of(line, text, "a length of time is due"))
            })
            .transpose()?;
        work.ended(entry, ended, took);
        // What is no list of lengths makes the line bad, whether it is wanted or not.
        for meaning in [Meaning::UpstreamConnect, Meaning::UpstreamHeader] {
            total(line, value(meaning))?;
        }
        let at_servers = total(line, value(Meaning::UpstreamTime))?;
        if let (None, Some(total)) = (took, at_servers) {
            work.ended(entry, ended, Some(total));
            entry.took = None;
        }
        entry.status = number(Meaning::Status, "a status is due")?
            .map(|status| {
                u16::try_from(status).map_err(|_| NoEntry::new(0, "the status is no status"))
            })
            .transpose()?;
        entry.bytes = match number(Meaning::Bytes, "a number of bytes is due")? {
            None => number(Meaning::BodyBytes, "a number of bytes is due")?,
            bytes => bytes,
        };
        // A client at a Unix socket is `unix:`: whoever stands before it knows better.
        match value(Meaning::Client).filter(|client| *client != b"unix:") {
            // It has no spaces; what a carrier put before the line would.
            Some(client) if client.contains(&b' ') => {
                return Err(NoEntry::of(
                    line,
                    client,
                    "the client's address is due, without a prefix",
                ));
            }
            Some(client) => set(&mut entry.client, client, self.escape),
            None => {
                if let Some(list) = value(Meaning::ClientElse) {
                    set(&mut entry.client, first_host(list), self.escape);
                }
            }
        }
        let asked = value(Meaning::RequestUri)
            .or_else(|| value(Meaning::Request).map(target))
            .or_else(|| value(Meaning::Uri));
        if let Some(asked) = asked {
            set_route(entry, asked, self.escape);
        }
        if let Some(pool) = value(Meaning::Pool) {
            set(&mut entry.pool, pool, self.escape);
        }
        if value(Meaning::UpstreamAddr).is_some() {
            let lists = Lists {
                servers: value(Meaning::UpstreamAddr),
                took: value(Meaning::UpstreamTime),
                connect: value(Meaning::UpstreamConnect),
                header: value(Meaning::UpstreamHeader),
                status: value(Meaning::UpstreamStatus),
            };
            lists.fill(line, entry, work)?;
            let times = |piece: &FormatVariable| piece.meaning == Meaning::UpstreamTime;
            if !self.pieces.iter().any(times) {
                work.whole_for_server(entry);
            }
        }
        Ok(Kind::Request)
    }
}

#[cfg(test)]
mod tests;
