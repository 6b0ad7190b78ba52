//! The formats of logs, one file each, and the words by which they are chosen.

mod alb;
mod columns;
pub(super) mod csv;
mod elb;
mod envoy;
mod fields;
mod guess;
mod haproxy;
mod haproxy_format;
mod json;
mod layout;
mod lists;
mod nginx;
mod template;
mod variables;
mod w3c;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::carrier::{self, Prefixes};
use super::text::{Spare, set};
use super::{Entry, Escape};
use crate::spelling::hint;

pub use columns::{Columns, Role};
pub use haproxy_format::HaproxyFormat;
pub use layout::Layout;
pub use nginx::{MEASURED, Nginx};

/// A kind of log.
#[derive(Clone, Debug)]
pub enum Format {
    /// nginx, and what else can be said as a `log_format` of nginx: the common and the combined
    /// format of web servers.
    Nginx(Box<Nginx>),
    /// HAProxy: `option httplog` and `option tcplog`.
    Haproxy,
    /// HAProxy with a `log-format`.
    HaproxyFormat(Box<HaproxyFormat>),
    /// AWS Application Load Balancer.
    Alb,
    /// AWS Classic Load Balancer.
    Elb,
    /// AWS Network Load Balancer.
    Nlb,
    /// The extended log file format of the W3C, with the nanoseconds of a unit of `time-taken`
    /// where the header does not tell it.
    W3c(Option<i64>),
    /// Lines of a layout of one's own.
    Layout(Box<Layout>),
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
pub struct NoEntry {
    /// The byte of the line at which reading stopped, from 0.
    pub at: usize,
    /// What was due there, in words.
    pub due: Cow<'static, str>,
    /// Whether it is no fault of the line: the user has to say something of the whole log, which
    /// `due` asks for.
    pub asks: bool,
}

impl NoEntry {
    /// At a byte of the line, from 0.
    pub fn new(at: usize, due: impl Into<Cow<'static, str>>) -> NoEntry {
        NoEntry {
            at,
            due: due.into(),
            asks: false,
        }
    }

    /// What only the user can say of the log: a sentence that goes on after its name.
    pub fn question(at: usize, due: impl Into<Cow<'static, str>>) -> NoEntry {
        NoEntry {
            asks: true,
            ..NoEntry::new(at, due)
        }
    }

    /// At a part of the line, which must be a slice of it.
    pub fn of(line: &[u8], part: &[u8], due: impl Into<Cow<'static, str>>) -> NoEntry {
        let at = (part.as_ptr() as usize).wrapping_sub(line.as_ptr() as usize);
        NoEntry::new(if at <= line.len() { at } else { 0 }, due)
    }

    /// With what stands there in the line.
    pub fn say(&self, line: &[u8]) -> String {
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
pub enum Kind {
    /// A request.
    Request,
    /// Something else that belongs there: a comment, a header, a notice.
    Other,
}

/// What is carried from line to line.
#[derive(Debug, Default)]
pub struct Work {
    pub(super) spare: Spare,
    /// The time as the log has it, before anything was added to it or taken from it.
    pub clock: i64,
    /// Whether the arrival could not be told, so that the end stands for it.
    pub end_only: bool,
    /// Whether the arrival was worked out from the end, and is as coarse as the length.
    pub from_end: bool,
    /// Whether what the whole took stands for what the server took, of which the format has
    /// nothing.
    pub whole_for_server: bool,
    csv: Option<csv::State>,
    w3c: w3c::W3cState,
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
        self.from_end = false;
        self.whole_for_server = false;
    }

    /// Where one server was asked and the format does not say how long it took, what the whole took
    /// is what is known of it.
    fn whole_for_server(&mut self, entry: &mut Entry) {
        if let ([attempt], Some(took)) = (&mut entry.attempts[..], entry.took)
            && attempt.took.is_none()
            && !attempt.failed
        {
            attempt.took = Some(took);
            self.whole_for_server = true;
        }
    }

    /// Sets the arrival from the clock, which shows the end of the request.
    fn ended(&mut self, entry: &mut Entry, clock: i64, took: Option<u64>) {
        self.clock = clock;
        self.end_only = took.is_none();
        self.from_end = true;
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
    /// Reads one line, without its end, into an entry: what a carrier put around it is taken away,
    /// unless the format wants it.
    pub fn line(&self, line: &[u8], entry: &mut Entry, work: &mut Work) -> Result<Kind, NoEntry> {
        if matches!(self, Format::Csv(_) | Format::W3c(_)) {
            return self.bare(line, entry, work);
        }
        let is_json = matches!(self, Format::Json(_) | Format::Envoy(_));
        let Some((key, inner)) = carrier::wrapped(line, is_json) else {
            return self.prefixed(line, entry, work);
        };
        self.prefixed(&inner, entry, work).map_err(|fault| {
            let due = format!(
                "within `{key}` at byte {}: {}",
                fault.at + 1,
                fault.say(&inner)
            );
            NoEntry {
                at: 0,
                due: due.into(),
                asks: fault.asks,
            }
        })
    }

    /// Reads a line that may have a prefix.
    fn prefixed(&self, line: &[u8], entry: &mut Entry, work: &mut Work) -> Result<Kind, NoEntry> {
        let prefixes = Prefixes::of(line);
        let mut first: Option<NoEntry> = None;
        for end in prefixes.ends() {
            if prefixes.is_part {
                return Err(NoEntry::new(
                    0,
                    "a whole line is due, and this is a part of one that the container runtime cut",
                ));
            }
            let rest = line.get(end..).unwrap_or_default();
            match self.bare(rest, entry, work) {
                Err(fault) => {
                    first.get_or_insert(NoEntry {
                        at: fault.at + end,
                        ..fault
                    });
                }
                read => return read,
            }
        }
        let own = self.bare(line, entry, work);
        own.map_err(|fault| first.unwrap_or(fault))
    }

    /// Reads a line that has nothing around it.
    fn bare(&self, line: &[u8], entry: &mut Entry, work: &mut Work) -> Result<Kind, NoEntry> {
        work.clear(entry);
        match self {
            Format::Nginx(nginx) => nginx.line(line, entry, work),
            Format::Haproxy => haproxy::line(line, entry, work),
            Format::HaproxyFormat(format) => format.line(line, entry, work),
            Format::Alb => alb::line(line, entry, work),
            Format::Elb => elb::classic(line, entry, work),
            Format::Nlb => elb::network(line, entry, work),
            Format::W3c(worth) => w3c::line(*worth, line, entry, work),
            Format::Layout(layout) => layout.line(line, entry, work),
            Format::Envoy(columns) => envoy::line(columns, line, entry, work),
            Format::Json(columns) => json::line(columns, line, entry, work),
            Format::Csv(columns) => csv::line(columns, line, entry, work),
        }
    }

    /// The shortest way to ask for it: a word of its own, where it has one.
    pub fn short(&self) -> String {
        let whole = self.to_string();
        let is_own = |word: &&str| {
            let named = word.parse::<Format>();
            named.is_ok_and(|named| named.to_string() == whole)
        };
        let own = WORDS.iter().map(|(word, _)| *word).find(is_own);
        own.map_or(whole, str::to_owned)
    }

    /// The word by which it is chosen, without what may follow it.
    pub fn word(&self) -> &'static str {
        match self {
            Format::Nginx(_) => "nginx",
            Format::Haproxy | Format::HaproxyFormat(_) => "haproxy",
            Format::Alb => "alb",
            Format::Elb => "elb",
            Format::Nlb => "nlb",
            Format::W3c(_) => "w3c",
            Format::Layout(_) => "text",
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
            Format::Haproxy | Format::Alb | Format::Elb | Format::Nlb | Format::W3c(None) => {
                f.write_str(self.word())
            }
            Format::HaproxyFormat(format) => write!(f, "haproxy={format}"),
            Format::W3c(Some(worth)) => {
                let unit = if *worth == w3c::MS { "ms" } else { "s" };
                write!(f, "w3c={unit}")
            }
            Format::Layout(layout) => write!(f, "text={layout}"),
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
    (
        "haproxy",
        "HAProxy with option httplog or option tcplog; haproxy='<log-format>' any other, as it stands in haproxy.cfg",
    ),
    ("haproxy-clf", "HAProxy with option httplog clf"),
    ("alb", "AWS Application Load Balancer"),
    ("elb", "AWS Classic Load Balancer"),
    ("nlb", "AWS Network Load Balancer, TLS connections"),
    ("cloudfront", "Amazon CloudFront, standard logs"),
    ("iis", "IIS, the extended format of the W3C"),
    (
        "w3c",
        "the extended format of the W3C; w3c=ms or w3c=s where the header does not tell the unit of time-taken",
    ),
    ("gcp", "Google Cloud's Application Load Balancers, JSON"),
    (
        "envoy",
        "Envoy's default format, Istio's, or JSON; envoy=<columns> for JSON with other keys",
    ),
    ("traefik", "Traefik with format json"),
    ("traefik-common", "Traefik with format common"),
    ("caddy", "Caddy's JSON"),
    (
        "json",
        "json=<columns>: JSON lines, for example json=arrived:ts:ms,took:duration:ms",
    ),
    ("csv", "csv=<columns>: CSV with a header line, likewise"),
    (
        "text",
        "text='<layout>': any line, for example text='$client [$arrived] \"$route\" $_ ${took:ms} $server'",
    ),
];

impl FromStr for Format {
    type Err = FormatError;

    /// A word, and for some of them more after `=`.
    ///
    /// ```
    /// use lbsim_formats::logs::Format;
    /// let template = "nginx=$remote_addr [$msec] \"$request\" $request_time";
    /// let format: Format = template.parse().unwrap();
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
            ("haproxy", Some(rest)) => Ok(Format::HaproxyFormat(Box::new(rest.parse()?))),
            ("haproxy-clf", None) => Ok(Format::HaproxyFormat(Box::new(
                haproxy_format::CLF.parse()?,
            ))),
            ("alb", None) => Ok(Format::Alb),
            ("elb", None) => Ok(Format::Elb),
            ("nlb", None) => Ok(Format::Nlb),
            ("w3c", None) => Ok(Format::W3c(None)),
            ("iis", None) | ("w3c", Some("ms")) => Ok(Format::W3c(Some(w3c::MS))),
            ("cloudfront", None) | ("w3c", Some("s")) => Ok(Format::W3c(Some(w3c::SECOND))),
            ("w3c", Some(unit)) => Err(FormatError(format!(
                "`w3c={}` is none of w3c, w3c=ms and w3c=s",
                unit.escape_debug()
            ))),
            ("gcp", None) => columns(guess::GCP).map(Format::Json),
            ("text", Some(rest)) => Ok(Format::Layout(Box::new(rest.parse()?))),
            ("text", None) => Err(FormatError(format!(
                "`text` needs to know the layout of a line: text='$client [$arrived] $server'; {}",
                Role::list()
            ))),
            ("traefik-common", None) => Ok(Format::Layout(Box::new(layout::TRAEFIK.parse()?))),
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
            (known, Some(_)) if WORDS.iter().any(|(word, _)| *word == known) => {
                Err(FormatError(format!(
                    "`{known}` takes nothing after it; only nginx, haproxy, envoy, w3c, json, csv and text do"
                )))
            }
            _ if text.contains('$') => Err(FormatError(
                "a log_format of nginx is written nginx='<log_format>'".to_owned(),
            )),
            _ => {
                let words: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
                Err(FormatError(format!(
                    "unknown format `{}`{}; known are {}",
                    word.escape_debug(),
                    hint(word, words.iter().copied()),
                    words.join(", ")
                )))
            }
        }
    }
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
            assert_eq!(
                parsed.is_err(),
                matches!(*word, "json" | "csv" | "text"),
                "{word}"
            );
            if let Ok(format) = parsed {
                let again: Format = format.to_string().parse().unwrap_or_else(|_| {
                    panic!("{format} does not read");
                });
                assert_eq!(again.word(), format.word());
                let short: Format = format.short().parse().unwrap();
                assert_eq!(short.to_string(), format.to_string());
                assert!(format.short().len() < 15, "{}", format.short());
            }
        }
        let error = |text: &str| text.parse::<Format>().unwrap_err().to_string();
        assert!(
            error("ngnix").contains("did you mean `nginx`?"),
            "{}",
            error("ngnix")
        );
        assert!(error("$remote_addr $msec").contains("nginx='"));
        assert!(error("alb=x").contains("takes nothing"));
        assert!(error("haproxy=x").contains("does not tell the time"));
        assert!(error("text=$client").contains("no column tells the time"));
        assert!(error("w3c=min").contains("w3c=ms"));
        assert!(error("json").contains("arrived"));
        assert!(error("").contains("known are"));
    }

    #[test]
    fn faults_show_what_stands_there() {
        let line = b"abc \"quoted\xff";
        assert_eq!(
            NoEntry::of(line, &line[4..], "a time is due").say(line),
            "a time is due, and there stands `\\\"quoted\u{fffd}`"
        );
        assert_eq!(
            NoEntry::new(99, "a time is due").say(line),
            "a time is due, and the line ends there"
        );
    }
}
