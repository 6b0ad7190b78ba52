//! What stands after a server's address, or after `default-server` (section 5.2 of the
//! configuration manual).

use super::time::Time;
use super::words::ConfigWord;
use super::{Found, keywords};
use crate::config::{Fault, Place};

/// The parameters of a server. They begin with those of the `default-server` lines before it; its
/// own come last.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Params {
    pub(super) weight: u32,
    /// The last number after `weight` in the line that was read last.
    pub(super) weight_at: Option<Place>,
    pub(super) maxconn: u32,
    pub(super) minconn: u32,
    pub(super) maxqueue: u32,
    pub(super) backup: bool,
    pub(super) disabled: bool,
    pub(super) check: Check,
    pub(super) slowstart: Option<Time>,
    pub(super) observe: Observe,
    /// The value that a cookie has for it.
    pub(super) cookie: bool,
    /// Words that give it another place on a ring or in a row: `id`, `hash-key`.
    pub(super) order: Option<Place>,
}

/// How a server is checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Check {
    pub(super) on: bool,
    /// Whether it takes its state from another server, whose checks count for it.
    pub(super) tracks: bool,
    pub(super) inter: Time,
    /// The same while the outcomes speak against the present state.
    pub(super) fast_inter: Option<Time>,
    /// The same while the server is down.
    pub(super) down_inter: Option<Time>,
    pub(super) fall: u32,
    pub(super) rise: u32,
    /// Whether one failed check suffices at the start.
    pub(super) cautious: bool,
}

/// How traffic speaks for or against a server.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Observe {
    /// What of it is looked at, and where that is written; nothing where it is not.
    pub(super) layer: Option<(Layer, Place)>,
    /// Errors in a row after which something is done.
    pub(super) limit: u32,
    /// What is done, in a scenario's word.
    pub(super) on_error: &'static str,
}

/// What of the traffic is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// Connections.
    Four,
    /// Answers too.
    Seven,
}

/// HAProxy's words for what is done after too many errors, and a scenario's.
const ON_ERROR: [(&str, &str); 4] = [
    ("fastinter", "fast-interval"),
    ("fail-check", "fail-check"),
    ("sudden-death", "sudden-death"),
    ("mark-down", "mark-down"),
];

/// Parameters whose values are read.
const CARRIED: [&str; 11] = [
    "error-limit",
    "fall",
    "inter",
    "maxconn",
    "maxqueue",
    "minconn",
    "observe",
    "on-error",
    "rise",
    "slowstart",
    "weight",
];

impl Default for Params {
    fn default() -> Params {
        Params {
            weight: 1,
            weight_at: None,
            maxconn: 0,
            minconn: 0,
            maxqueue: 0,
            backup: false,
            disabled: false,
            check: Check {
                on: false,
                tracks: false,
                inter: Time::INTER,
                fast_inter: None,
                down_inter: None,
                fall: 3,
                rise: 2,
                cautious: true,
            },
            slowstart: None,
            observe: Observe {
                layer: None,
                limit: 10,
                on_error: "fail-check",
            },
            cookie: false,
            order: None,
        }
    }
}

impl Params {
    /// Adds the parameters of a line; where one comes twice the last one counts, as its parser sets
    /// it anew each time.
    pub(super) fn add(&mut self, words: &[ConfigWord], found: &mut Found) {
        self.weight_at = None;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match keywords::values(&word.text) {
                Some(0) => self.flag(word, found),
                Some(_) => match words.next() {
                    Some(value) => self.set(word, value, found),
                    None if CARRIED.contains(&word.text.as_str()) => found.faults.push(Fault::new(
                        word.at.clone(),
                        format!("`{}` ends the line: expected its value after it", word.text),
                    )),
                    None => {}
                },
                None => {
                    let hint = keywords::suggestion(&word.text, keywords::Vocabulary::Parameters);
                    found.note(
                        &word.at,
                        format!(
                            "`{}` is not known as a parameter of a server and is passed over{hint}",
                            word.text
                        ),
                    );
                }
            }
        }
    }

    fn flag(&mut self, word: &ConfigWord, found: &mut Found) {
        let note = match word.text.as_str() {
            "backup" => return self.backup = true,
            "no-backup" => return self.backup = false,
            "disabled" => return self.disabled = true,
            "enabled" | "no-disabled" => return self.disabled = false,
            "check" => return self.check.on = true,
            "no-check" => return self.check.on = false,
            "agent-check" => {
                "`agent-check` is not carried over: no agent changes weights or states in a scenario."
            }
            "strict-maxconn" => {
                "`strict-maxconn` is not carried over: a scenario counts requests, not connections."
            }
            "non-stick" => {
                "`non-stick` is not carried over: in a scenario clients are bound to all servers alike."
            }
            _ => return,
        };
        found.note(&word.at, note);
    }

    fn set(&mut self, word: &ConfigWord, value: &ConfigWord, found: &mut Found) {
        let what = word.text.as_str();
        let note = match what {
            "weight" => return self.set_weight(value, found),
            "maxconn" => return put(&mut self.maxconn, number(value, what, 0..=u32::MAX, found)),
            "minconn" => return put(&mut self.minconn, number(value, what, 0..=u32::MAX, found)),
            "maxqueue" => return put(&mut self.maxqueue, number(value, what, 0..=u32::MAX, found)),
            "fall" => return put(&mut self.check.fall, number(value, what, 1..=u32::MAX, found)),
            "rise" => return put(&mut self.check.rise, number(value, what, 1..=u32::MAX, found)),
            "inter" => return self.set_inter(value, found),
            "slowstart" => return self.slowstart = Time::read(value, what, found).or(self.slowstart),
            "cookie" => return self.cookie = true,
            "id" | "hash-key" => return self.order = Some(word.at.clone()),
            "fastinter" => return self.check.fast_inter = some_time(value, what, found),
            "downinter" => return self.check.down_inter = some_time(value, what, found),
            "track" => {
                self.check.tracks = true;
                format!(
                    "is not carried over: a scenario checks this server itself, where HAProxy gives it the state of `{}`",
                    value.text
                )
            }
            "error-limit" => return put(&mut self.observe.limit, number(value, what, 1..=u32::MAX, found)),
            "observe" | "on-error" => return self.set_observe(word, value, found),
            "on-marked-down" | "on-marked-up" => "is not carried over: a scenario breaks no sessions off".to_owned(),
            "tcp-ut" => "is not carried over: an attempt of a scenario has one timeout, `timeout server`".to_owned(),
            "redir" => "is not carried over: a scenario passes requests on, where HAProxy would redirect them".to_owned(),
            "init-state" if value.text.starts_with("fully") => {
                self.check.cautious = false;
                if value.text == "fully-up" {
                    return;
                }
                "is not carried over: a server of a scenario is up at the start".to_owned()
            }
            "init-state" if value.text == "down" => {
                "is not carried over: a server of a scenario is up at the start".to_owned()
            }
            _ => return,
        };
        found.note(&word.at, format!("`{what} {}` {note}.", value.text));
    }

    fn set_weight(&mut self, value: &ConfigWord, found: &mut Found) {
        self.weight_at = Some(value.value_at.clone());
        if value.variable {
            found.faults.push(
                Fault::new(
                    value.at.clone(),
                    format!(
                        "`weight` is `{}`, which an environment variable gives",
                        value.text
                    ),
                )
                .help("write the number itself, from 0 to 256, so that it can be read and changed"),
            );
        } else {
            // HAProxy 2.6 reads `abc` as 0 and `3x` as 3 (`atol`): nobody means that.
            put(&mut self.weight, number(value, "weight", 0..=256, found));
        }
    }

    fn set_observe(&mut self, word: &ConfigWord, value: &ConfigWord, found: &mut Found) {
        let what = word.text.as_str();
        let expected = if what == "observe" {
            self.observe.layer = match value.text.as_str() {
                "none" => return self.observe.layer = None,
                "layer4" => Some((Layer::Four, word.at.clone())),
                "layer7" => Some((Layer::Seven, word.at.clone())),
                _ => None,
            };
            if self.observe.layer.is_some() {
                return;
            }
            "`none`, `layer4` or `layer7`"
        } else {
            let known = ON_ERROR.iter().find(|(word, _)| *word == value.text);
            if let Some((_, ours)) = known {
                self.observe.on_error = ours;
                return;
            }
            "`fastinter`, `fail-check`, `sudden-death` or `mark-down`"
        };
        found.faults.push(Fault::new(
            value.at.clone(),
            format!("`{what}` is `{}`: expected {expected}", value.text),
        ));
    }

    fn set_inter(&mut self, value: &ConfigWord, found: &mut Found) {
        match Time::read(value, "inter", found) {
            Some(inter) if inter.is_zero() => found.faults.push(
                Fault::new(
                    value.at.clone(),
                    "`inter` is 0: expected a time between two checks",
                )
                .help("leave it out for 2 s"),
            ),
            Some(inter) => self.check.inter = inter,
            None => {}
        }
    }
}

/// A time between two checks, where one is given; none at all is not one.
fn some_time(value: &ConfigWord, what: &str, found: &mut Found) -> Option<Time> {
    Time::read(value, what, found).filter(|time| !time.is_zero())
}

fn put<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}

/// Reads a whole number; `what` names the setting in messages.
pub(super) fn number(
    word: &ConfigWord,
    what: &str,
    allowed: std::ops::RangeInclusive<u32>,
    found: &mut Found,
) -> Option<u32> {
    if word.variable {
        found.note(
            &word.at,
            format!("`{what}` is given by an environment variable and not carried over."),
        );
        return None;
    }
    let number = word
        .text
        .parse()
        .ok()
        .filter(|number| allowed.contains(number));
    if number.is_none() {
        let (low, high) = (allowed.start(), allowed.end());
        let range = match *high {
            u32::MAX => format!("a whole number of at least {low}"),
            _ => format!("a whole number from {low} to {high}"),
        };
        let message = format!("`{what}` is `{}`: expected {range}", word.text);
        found.faults.push(Fault::new(word.at.clone(), message));
    }
    number
}
