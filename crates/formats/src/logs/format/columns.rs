//! Which columns of a CSV file, or keys of a JSON line, say what:
//! `arrived:ts:ms,took:duration:ms,client:remote_ip`.

use std::fmt;
use std::str::FromStr;

use super::FormatError;
use crate::spelling::hint;

/// What a column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Role {
    /// When the request came.
    Arrived,
    /// When its answer had ended.
    Ended,
    /// How long it took, from its arrival to the end of its answer.
    Took,
    /// The server, or servers as nginx lists them.
    Server,
    /// How long the server took, likewise.
    ServerTook,
    /// The status that the server answered with, likewise.
    ServerStatus,
    /// The pool.
    Pool,
    /// The client.
    Client,
    /// The path, the target or the request line.
    Route,
    /// The status that the client got.
    Status,
    /// Bytes sent to the client.
    Bytes,
    /// Envoy's response flags.
    Flags,
}

/// The roles by their words.
const ROLES: [(&str, Role); 12] = [
    ("arrived", Role::Arrived),
    ("ended", Role::Ended),
    ("took", Role::Took),
    ("server", Role::Server),
    ("server-took", Role::ServerTook),
    ("server-status", Role::ServerStatus),
    ("pool", Role::Pool),
    ("client", Role::Client),
    ("route", Role::Route),
    ("status", Role::Status),
    ("bytes", Role::Bytes),
    ("flags", Role::Flags),
];

impl Role {
    /// How many there are.
    pub(super) const COUNT: usize = ROLES.len();

    /// Its word.
    pub fn word(self) -> &'static str {
        ROLES.get(self as usize).map_or("", |(word, _)| word)
    }

    fn is_time(self) -> bool {
        matches!(self, Role::Arrived | Role::Ended)
    }

    /// Whether one number stands there.
    pub(super) fn is_number(self) -> bool {
        self.is_time() || self.is_length()
    }

    fn is_length(self) -> bool {
        matches!(self, Role::Took | Role::ServerTook)
    }

    /// A sentence with all words.
    pub(super) fn list() -> String {
        let words: Vec<&str> = ROLES.iter().map(|(word, _)| *word).collect();
        format!("columns may say {}", words.join(", "))
    }
}

/// How a column writes times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// A number of so many nanoseconds.
    Number(i64),
    /// A date.
    Date,
    /// A date, or a number whose size tells its unit. For a length of time: the unit that each
    /// carries (`12ms`).
    Told,
}

const UNITS: [(&str, Unit); 5] = [
    ("s", Unit::Number(1_000_000_000)),
    ("ms", Unit::Number(1_000_000)),
    ("us", Unit::Number(1_000)),
    ("ns", Unit::Number(1)),
    ("date", Unit::Date),
];

/// Words of names that tell their unit, with its nanoseconds.
const WORDS: [(&str, i64); 27] = [
    ("ms", 1_000_000),
    ("msec", 1_000_000),
    ("msecs", 1_000_000),
    ("milli", 1_000_000),
    ("millis", 1_000_000),
    ("millisec", 1_000_000),
    ("millisecs", 1_000_000),
    ("millisecond", 1_000_000),
    ("milliseconds", 1_000_000),
    ("us", 1_000),
    ("usec", 1_000),
    ("usecs", 1_000),
    ("micro", 1_000),
    ("micros", 1_000),
    ("microsecond", 1_000),
    ("microseconds", 1_000),
    ("ns", 1),
    ("nsec", 1),
    ("nano", 1),
    ("nanos", 1),
    ("nanosecond", 1),
    ("nanoseconds", 1),
    ("s", 1_000_000_000),
    ("sec", 1_000_000_000),
    ("secs", 1_000_000_000),
    ("second", 1_000_000_000),
    ("seconds", 1_000_000_000),
];

/// Words for a length of time, to which a unit may be joined without a mark: `durationms`.
const STEMS: [&str; 8] = [
    "duration", "latency", "took", "taken", "elapsed", "time", "delay", "rtt",
];

/// Names whose unit is their owner's convention: nginx writes seconds (ngx_http_log_module,
/// ngx_http_upstream_module).
const OF_NGINX: [&str; 4] = [
    "request_time",
    "upstream_response_time",
    "upstream_connect_time",
    "upstream_header_time",
];

/// The words of a name: `requestDurationMs`, `request-duration_ms` and `RequestDurationMS` have the
/// same three.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, &letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            words.push(String::new());
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let begins = letter.is_uppercase()
            && (before.is_some_and(|c| c.is_lowercase() || c.is_ascii_digit())
                || before.is_some_and(|c| c.is_uppercase())
                    && after.is_some_and(|c| c.is_lowercase()));
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The nanoseconds of the unit that a length's name speaks of, whatever its style.
fn unit_of(name: &str) -> Option<i64> {
    if OF_NGINX.contains(&name) {
        return Some(1_000_000_000);
    }
    let key = name.rsplit('.').next().unwrap_or(name);
    let words = words(key);
    let (last, others) = words.split_last()?;
    let worth = |word: &str| {
        WORDS
            .iter()
            .find(|(known, _)| *known == word)
            .map(|&(_, worth)| worth)
    };
    worth(last)
        .or_else(|| {
            // Within a name, short words mean other things.
            let long = |word: &&String| word.len() > 2 || *word == "ms";
            others
                .iter()
                .rev()
                .filter(long)
                .find_map(|word| worth(word))
        })
        .or_else(|| {
            let joined = WORDS.iter().filter(|(word, _)| word.len() > 1);
            joined.copied().find_map(|(word, worth)| {
                let stem = last.strip_suffix(word)?;
                STEMS
                    .iter()
                    .any(|known| stem.ends_with(known))
                    .then_some(worth)
            })
        })
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) role: Role,
    /// Its name; in JSON dots lead into objects.
    pub(super) name: String,
    pub(super) unit: Unit,
}

/// Which columns say what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Of several for one role the first that a line has counts.
    pub(super) sources: Vec<Source>,
}

impl Columns {
    /// Whether a column says this.
    pub(super) fn say(&self, role: Role) -> bool {
        self.sources.iter().any(|source| source.role == role)
    }

    /// Only the columns for which `keep` holds; `None` where those that are left do not tell the
    /// time.
    pub(super) fn only(&self, keep: impl Fn(&str) -> bool) -> Option<Columns> {
        let sources: Vec<Source> = self
            .sources
            .iter()
            .filter(|source| keep(&source.name))
            .cloned()
            .collect();
        sources
            .iter()
            .any(|source| source.role.is_time())
            .then_some(Columns { sources })
    }
}

impl FromStr for Columns {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Columns, FormatError> {
        let mut sources = Vec::new();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let Some((word, name)) = part.split_once(':') else {
                return Err(FormatError(format!(
                    "`{}` is not role:name, as in arrived:timestamp; {}",
                    part.escape_debug(),
                    Role::list()
                )));
            };
            let word = word.trim().replace('_', "-");
            let role = ROLES
                .iter()
                .find(|(known, _)| *known == word)
                .map(|(_, role)| *role);
            let role = role.ok_or_else(|| {
                let near = hint(&word, ROLES.iter().map(|(word, _)| *word));
                FormatError(format!(
                    "unknown role `{}`{near} {}",
                    word.escape_debug(),
                    Role::list()
                ))
            })?;
            let (name, unit) = match name.rsplit_once(':') {
                Some((before, unit)) if !before.is_empty() => {
                    let found = UNITS.iter().find(|(known, _)| *known == unit.trim());
                    match found {
                        Some(&(_, unit)) if role.is_time() || role.is_length() => {
                            (before, Some(unit))
                        }
                        Some(_) => {
                            return Err(FormatError(format!(
                                "`{part}` has a unit, but a {word} is no time"
                            )));
                        }
                        None if role.is_time() || role.is_length() => {
                            return Err(FormatError(format!(
                                "unknown unit `{}`; use s, ms, us, ns or date",
                                unit.escape_debug()
                            )));
                        }
                        None => (name, None),
                    }
                }
                _ => (name, None),
            };
            let name = name.trim();
            if name.is_empty() {
                return Err(FormatError(format!("`{word}:` names no column")));
            }
            if unit == Some(Unit::Date) && role.is_length() {
                return Err(FormatError(format!(
                    "`{part}`: a length of time is no date"
                )));
            }
            let by_name = unit_of(name).filter(|_| role.is_length());
            let unit = unit.or(by_name.map(Unit::Number)).unwrap_or(Unit::Told);
            sources.push(Source {
                role,
                name: name.to_owned(),
                unit,
            });
        }
        if !sources.iter().any(|source| source.role.is_time()) {
            return Err(FormatError(
                "no column tells the time: name one by arrived:<name> or ended:<name>".to_owned(),
            ));
        }
        Ok(Columns { sources })
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, source) in self.sources.iter().enumerate() {
            if place > 0 {
                f.write_str(",")?;
            }
            write!(f, "{}:{}", source.role.word(), source.name)?;
            if let Some((word, _)) = UNITS.iter().find(|(_, unit)| *unit == source.unit) {
                write!(f, ":{word}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_read_and_print() {
        let columns: Columns =
            "arrived:@timestamp, took:duration_ms, server_took:rt:us, client:req.ip,route:a:b"
                .parse()
                .unwrap();
        let text =
            "arrived:@timestamp,took:duration_ms:ms,server-took:rt:us,client:req.ip,route:a:b";
        assert_eq!(columns.to_string(), text);
        assert_eq!(text.parse::<Columns>().unwrap(), columns);
    }

    #[test]
    fn names_tell_units_in_any_style() {
        for (name, due) in [
            ("durationMs", Some(1_000_000)),
            ("durationMS", Some(1_000_000)),
            ("DurationMillis", Some(1_000_000)),
            ("duration-ms", Some(1_000_000)),
            ("duration (ms)", Some(1_000_000)),
            ("durationms", Some(1_000_000)),
            ("request.took_in_milliseconds", Some(1_000_000)),
            ("latency_ms_total", Some(1_000_000)),
            ("tookMicros", Some(1_000)),
            ("elapsedUs", Some(1_000)),
            ("durationNanos", Some(1)),
            ("rttNS", Some(1)),
            ("tookSeconds", Some(1_000_000_000)),
            ("duration_s", Some(1_000_000_000)),
            ("upstream_response_time", Some(1_000_000_000)),
            ("duration", None),
            ("responseTime", None),
            ("times", None),
            ("items", None),
            ("ms.duration", None),
            ("us_latency", None),
        ] {
            assert_eq!(unit_of(name), due, "{name}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (text, due) in [
            ("took:x", "no column tells the time"),
            ("arived:x", "did you mean `arrived`?"),
            ("arrived", "role:name"),
            ("arrived:", "names no column"),
            ("arrived:x:min", "use s, ms, us, ns or date"),
            ("arrived:x,status:y:ms", "is no time"),
            ("arrived:x,took:y:date", "is no date"),
        ] {
            let error = text.parse::<Columns>().unwrap_err().to_string();
            assert!(error.contains(due), "{text}: {error}");
        }
    }

    #[test]
    fn roles_stand_in_order() {
        for (place, (_, role)) in ROLES.iter().enumerate() {
            assert_eq!(*role as usize, place);
        }
    }
}
