//! The formats of logs, one file each, and the words by which they are chosen.

mod alb;
mod columns;
pub(super) mod csv;
mod envoy;
mod fields;
mod guess;
mod haproxy;
mod json;
mod lists;
mod nginx;
mod variables;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::text::{Spare, set};
use super::{Entry, Escape};

pub use columns::{Columns, Role};
pub use nginx::Nginx;

/// A kind of log.
#[derive(Clone, Debug)]
pub enum Format {
    /// nginx, and what else can be said as a `log_format` of nginx: the common and the combined format of web servers.
    Nginx(Box<Nginx>),
    /// HAProxy: `option httplog` and `option tcplog`, with the prefix of a syslog daemon or without.
    Haproxy,
    /// AWS Application Load Balancer.
    Alb,
    /// Envoy: its default text format, that of Istio, and JSON lines with these keys.
    Envoy(Box<Columns>),
    /// JSON, an object a line.
    Json(Box<Columns>),
    /// CSV with a header line.
    Csv(Box<Columns>),
}

/// Why a word names no format: a sentence, with what was meant perhaps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FormatError(pub(super) String);

/// Why a line is no entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The byte of the line at which reading stopped, from 0.
    pub(crate) at: usize,
    /// What was due there, in words.
    pub(crate) due: Cow<'static, str>,
}

impl Fault {
    /// At a byte of the line, from 0.
    pub(crate) fn new(at: usize, due: impl Into<Cow<'static, str>>) -> Fault {
        Fault {
            at,
            due: due.into(),
        }
    }

    /// At a part of the line, which must be a slice of it.
    pub(crate) fn of(line: &[u8], part: &[u8], due: impl Into<Cow<'static, str>>) -> Fault {
        let at = (part.as_ptr() as usize).wrapping_sub(line.as_ptr() as usize);
        Fault::new(if at <= line.len() { at } else { 0 }, due)
    }

    /// With what stands there in the line.
    pub(crate) fn say(&self, line: &[u8]) -> String {
        let rest = line.get(self.at..).unwrap_or_default();
        let found = String::from_utf8_lossy(rest.get(..80).unwrap_or(rest));
        let mut shown: String = found
            .chars()
            .take(40)
            .flat_map(char::escape_debug)
            .collect();
        if rest.len() > 40 {
            shown.push('…');
        }
        if shown.is_empty() {
            format!("{}, and the line ends there", self.due)
        } else {
            format!("{}, and there stands `{shown}`", self.due)
        }
    }
}

/// What a line turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A request.
    Request,
    /// Something else that belongs there: a comment, a header, a notice.
    Other,
}

/// What is carried from line to line.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(super) spare: Spare,
    /// The time as the log has it, before anything was added to it or taken from it.
    pub(crate) clock: i64,
    /// Whether the arrival could not be told, so that the end stands for it.
    pub(crate) end_only: bool,
    csv: Option<csv::State>,
}

impl Work {
    /// Makes an entry ready for the next line; texts keep their memory.
    fn clear(&mut self, entry: &mut Entry) {
        self.spare.collect(&mut entry.attempts);
        entry.arrived = 0;
        entry.took = None;
        entry.status = None;
        entry.bytes = None;
        entry.pool.clear();
        entry.client.clear();
        entry.route.clear();
        self.clock = 0;
        self.end_only = false;
    }

    /// Sets the arrival from the clock, which shows the end of the request.
    fn ended(&mut self, entry: &mut Entry, clock: i64, took: Option<u64>) {
        self.clock = clock;
        self.end_only = took.is_none();
        entry.took = took;
        entry.arrived = clock.saturating_sub_unsigned(took.unwrap_or(0));
    }

    /// Sets the arrival, which the clock shows.
    fn arrived(&mut self, entry: &mut Entry, clock: i64, took: Option<u64>) {
        self.clock = clock;
        entry.took = took;
        entry.arrived = clock;
    }
}

impl Format {
    /// Reads one line, without its end, into an entry.
    pub(crate) fn line(
        &self,
        line: &[u8],
        entry: &mut Entry,
        work: &mut Work,
    ) -> Result<Kind, Fault> {
        work.clear(entry);
        match self {
            Format::Nginx(nginx) => nginx.line(line, entry, work),
            Format::Haproxy => haproxy::line(line, entry, work),
            Format::Alb => alb::line(line, entry, work),
            Format::Envoy(columns) => envoy::line(columns, line, entry, work),
            Format::Json(columns) => json::line(columns, line, entry, work),
            Format::Csv(columns) => csv::line(columns, line, entry, work),
        }
    }

    /// The word by which it is chosen, without what may follow it.
    pub fn word(&self) -> &'static str {
        match self {
            Format::Nginx(_) => "nginx",
            Format::Haproxy => "haproxy",
            Format::Alb => "alb",
            Format::Envoy(_) => "envoy",
            Format::Json(_) => "json",
            Format::Csv(_) => "csv",
        }
    }
}

/// What a `Format` is made from by its text, and made to a text as.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Format::Nginx(nginx) => write!(f, "nginx={}", nginx.text()),
            Format::Haproxy | Format::Alb => f.write_str(self.word()),
            Format::Envoy(columns) | Format::Json(columns) | Format::Csv(columns) => {
                write!(f, "{}={columns}", self.word())
            }
        }
    }
}

/// The words, each with what it chooses.
pub const WORDS: &[(&str, &str)] = &[
    (
        "nginx",
        "the combined format; nginx='<log_format>' any other, as it stands in nginx.conf",
    ),
    (
        "combined",
        "the combined format of nginx, Apache and others",
    ),
    ("common", "the common log format of Apache and others"),
    (
        "ingress-nginx",
        "the ingress controller of Kubernetes, with its own log_format",
    ),
    ("haproxy", "HAProxy with option httplog or option tcplog"),
    ("alb", "AWS Application Load Balancer"),
    (
        "envoy",
        "Envoy's default format, Istio's, or JSON; envoy=<columns> for JSON with other keys",
    ),
    ("traefik", "Traefik with format json"),
    ("caddy", "Caddy's JSON"),
    (
        "json",
        "json=<columns>: JSON lines, for example json=arrived:ts:ms,took:duration:ms",
    ),
    ("csv", "csv=<columns>: CSV with a header line, likewise"),
];

impl FromStr for Format {
    type Err = FormatError;

    /// A word, and for some of them more after `=`.
    ///
    /// ```
    /// use lbsim::logs::Format;
    /// let format: Format = "nginx=$remote_addr [$msec] \"$request\" $request_time".parse().unwrap();
    /// assert_eq!(format.word(), "nginx");
    /// let error = "haproxi".parse::<Format>().unwrap_err();
    /// assert!(error.to_string().contains("did you mean `haproxy`?"));
    /// ```
    fn from_str(text: &str) -> Result<Format, FormatError> {
        let (word, rest) = match text.split_once('=') {
            Some((word, rest)) => (word.trim(), Some(rest)),
            None => (text.trim(), None),
        };
        let nginx = |text: &str| Ok(Format::Nginx(Box::new(text.parse()?)));
        let columns = |text: &str| text.parse::<Columns>().map(Box::new);
        match (word, rest) {
            ("nginx" | "combined", None) => nginx(nginx::COMBINED),
            ("common", None) => nginx(nginx::COMMON),
            ("ingress-nginx", None) => nginx(nginx::INGRESS),
            ("nginx", Some(rest)) => nginx(rest),
            ("haproxy", None) => Ok(Format::Haproxy),
            ("alb", None) => Ok(Format::Alb),
            ("envoy", None) => Ok(Format::Envoy(columns(envoy::KEYS)?)),
            // What is not named is looked for under the usual names.
            ("envoy", Some(rest)) => columns(&format!("{rest},{}", envoy::KEYS)).map(Format::Envoy),
            ("traefik", None) => columns(guess::TRAEFIK).map(Format::Json),
            ("caddy", None) => columns(guess::CADDY).map(Format::Json),
            ("json", Some(rest)) => columns(rest).map(Format::Json),
            ("csv", Some(rest)) => columns(rest).map(Format::Csv),
            ("json" | "csv", None) => Err(FormatError(format!(
                "`{word}` needs to know which columns say what: {word}=arrived:<name>, or \
                 {word}=ended:<name>,took:<name>; {}",
                Role::list()
            ))),
            (known, Some(_)) if WORDS.iter().any(|(word, _)| *word == known) => Err(FormatError(
                format!("`{known}` takes nothing after it; only nginx, envoy, json and csv do"),
            )),
            _ if text.contains('$') => Err(FormatError(
                "a log_format of nginx is written nginx='<log_format>'".to_owned(),
            )),
            _ => {
                let words: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
                Err(FormatError(format!(
                    "unknown format `{}`{}; known are {}",
                    word.escape_debug(),
                    did_you_mean(word, words.iter().copied()),
                    words.join(", ")
                )))
            }
        }
    }
}

/// The nearest of some names, where one is near.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|word| (strsim::damerau_levenshtein(word, name), word))
        .min_by_key(|&(distance, _)| distance)
        .filter(|&(distance, _)| distance <= 1 + name.chars().count() / 4)
        .map(|(_, word)| word)
}

/// `; did you mean …?`, or nothing.
fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(name, known).map_or(String::new(), |word| format!("; did you mean `{word}`?"))
}

/// Sets the route of an entry from the target of a request.
fn set_route(entry: &mut Entry, target: &[u8], escape: Escape) {
    set(&mut entry.route, super::text::path(target), escape);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (word, _) in WORDS {
            let parsed = word.parse::<Format>();
            assert_eq!(parsed.is_err(), matches!(*word, "json" | "csv"), "{word}");
            if let Ok(format) = parsed {
                let again: Format = format.to_string().parse().unwrap_or_else(|_| {
                    panic!("{format} does not read");
                });
                assert_eq!(again.word(), format.word());
            }
        }
        let error = |text: &str| text.parse::<Format>().unwrap_err().to_string();
        assert!(
            error("ngnix").contains("did you mean `nginx`?"),
            "{}",
            error("ngnix")
        );
        assert!(error("$remote_addr $msec").contains("nginx='"));
        assert!(error("haproxy=x").contains("takes nothing"));
        assert!(error("json").contains("arrived"));
        assert!(error("").contains("known are"));
    }

    #[test]
    fn faults_show_what_stands_there() {
        let line = b"abc \"quoted\xff";
        assert_eq!(
            Fault::of(line, &line[4..], "a time is due").say(line),
            "a time is due, and there stands `\\\"quoted\u{fffd}`"
        );
        assert_eq!(
            Fault::new(99, "a time is due").say(line),
            "a time is due, and the line ends there"
        );
    }
}
