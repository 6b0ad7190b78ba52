//! What happens to an attempt that fails, and how long it may take: settings of the place that
//! passes requests on.

use toml::Table;

use super::report::Report;
use super::scope::{Pass, Scope};
use super::server::number;
use super::tree::Directive;
use super::{health, time};
use crate::config::{Fault, Pool};

/// The most retries of a scenario.
const MOST_RETRIES: u64 = 100;

/// The longest time of a scenario in milliseconds: ten years of 365 days.
const LONGEST: u64 = 10 * 365 * 86_400_000;

/// The settings of a place that a scenario has too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    /// Milliseconds between two reads of an answer.
    timeout: u64,
    /// Most attempts; 0: as many as there are servers.
    tries: u64,
    /// Most milliseconds in which attempts may begin; 0: any.
    within: u64,
    /// `proxy_next_upstream`: after what another server is tried.
    conditions: Vec<String>,
}

impl Rules {
    /// The rules of a place; what is wrong with them is a fault.
    pub(super) fn read(pass: &Pass<'_>, report: &mut Report) -> Rules {
        let time = |setting: Option<&Directive>, default: u64, report: &mut Report| {
            setting
                .and_then(|setting| {
                    one(
                        setting,
                        "a time, such as `30s`",
                        |text| time::parse(text, false),
                        report,
                    )
                })
                .unwrap_or(default)
        };
        // Defaults: ngx_http_*_merge_loc_conf and ngx_stream_proxy_merge_srv_conf, nginx 1.22.
        let timeout = match pass.scope {
            Scope::Http => time(setting(pass, "_read_timeout"), 60_000, report),
            Scope::Stream => time(setting(pass, "_timeout"), 600_000, report),
        };
        let tries = setting(pass, "_next_upstream_tries")
            .and_then(|setting| one(setting, "a whole number", number, report));
        let conditions = match (setting(pass, "_next_upstream"), pass.scope) {
            (Some(setting), _) if setting.argument(0) == Some("on") => standard(),
            (Some(setting), _) => conditions(setting, report),
            (None, _) => standard(),
        };
        Rules {
            timeout,
            tries: tries.unwrap_or(0),
            within: time(setting(pass, "_next_upstream_timeout"), 0, report),
            conditions,
        }
    }

    /// nginx's defaults, for a pool to which nothing in the text passes.
    pub(super) fn standard(scope: Scope) -> Rules {
        Rules {
            timeout: if scope == Scope::Http {
                60_000
            } else {
                600_000
            },
            tries: 0,
            within: 0,
            conditions: standard(),
        }
    }

    /// Puts them into a pool.
    pub(super) fn apply(&self, pool: &mut Pool) {
        // nginx's limit is on the time between two reads from the server, not on the whole answer
        // (`ngx_http_upstream_process_header`). Simulated answers come all at once, so that the two
        // are the same but for long downloads.
        if (1..=LONGEST).contains(&self.timeout) {
            pool.balancer
                .insert("timeout".to_owned(), time::show(self.timeout).into());
        }
        // Each server is tried once at most, backups included (`u->peer.tries`); without a limit
        // that is all there is.
        let is_down = |settings: &Table| settings.contains_key("down");
        let servers = pool
            .servers
            .iter()
            .filter(|server| !is_down(&server.settings))
            .count() as u64;
        let tries = match self.tries {
            0 => servers,
            tries => tries.min(servers),
        };
        let has = |name: &str| self.conditions.iter().any(|condition| condition == name);
        let is_on = !has("off");
        let is_retried = is_on && CARRIED.iter().any(|condition| has(condition));
        let most = tries.saturating_sub(1).min(MOST_RETRIES);
        if is_retried && most > 0 {
            let mut retry = Table::from_iter([("max".to_owned(), (most as i64).into())]);
            if has("http_500") {
                retry.insert("error-answers".to_owned(), true.into());
            }
            pool.balancer.insert("retry".to_owned(), retry.into());
        }
        let answers = ["http_503", "http_500"].into_iter();
        let failures: Vec<&str> = answers.filter(|answer| is_on && has(answer)).collect();
        if !failures.is_empty() {
            pool.strategy
                .insert("next-upstream".to_owned(), failures.into());
        }
    }

    /// What differs from `other`, in nginx's words; `family` begins them.
    pub(super) fn difference(&self, other: &Rules, scope: Scope, family: &str) -> Vec<String> {
        let mut words = Vec::new();
        if self.timeout != other.timeout {
            let name = if scope == Scope::Http {
                "read_timeout"
            } else {
                "timeout"
            };
            words.push(format!("`{family}_{name} {}`", time::show(self.timeout)));
        }
        if self.conditions != other.conditions {
            words.push(format!(
                "`{family}_next_upstream {}`",
                self.conditions.join(" ")
            ));
        }
        if self.tries != other.tries {
            words.push(format!("`{family}_next_upstream_tries {}`", self.tries));
        }
        if self.within != other.within {
            words.push(format!(
                "`{family}_next_upstream_timeout {}`",
                time::show(self.within)
            ));
        }
        words
    }

    /// Says what of the settings of a place a scenario has no counterpart for.
    pub(super) fn notes(&self, pass: &Pass<'_>, pool: &mut Pool, report: &mut Report) {
        if let Some(setting) = setting(pass, "_next_upstream")
            && pass.scope == Scope::Http
        {
            self.note_conditions(setting, report);
        }
        if self.within > 0
            && let Some(setting) = setting(pass, "_next_upstream_timeout")
        {
            report.note(
                setting.at(),
                format!(
                    "`{}` was left out: retries may begin at any time.",
                    setting.show()
                ),
            );
        }
        if let Some(setting) = setting(pass, "_connect_timeout") {
            let text = format!(
                "`{}` was left out: requests of a scenario need no connection, and an attempt \
                has one timeout.",
                setting.show()
            );
            report.note(setting.at(), text);
        }
        if !(1..=LONGEST).contains(&self.timeout) {
            let text = format!(
                "A timeout of {} was left out: a scenario has none.",
                time::show(self.timeout)
            );
            report.note(pass.directive.at(), text);
        }
        if let Some(check) = pass.settings.get("health_check") {
            let health = health::plus(check, report);
            pool.balancer
                .insert("health-check".to_owned(), health.into());
        }
    }

    fn note_conditions(&self, setting: &Directive, report: &mut Report) {
        let left: Vec<&str> = self
            .conditions
            .iter()
            .map(String::as_str)
            .filter(|name| !CARRIED.contains(name) && *name != "off")
            .collect();
        if !left.is_empty() {
            let text = format!(
                "`{}` of `{}` was left out: servers of a scenario fail, take too long, or \
                answer that they are full (`http_503`) or with errors (`http_500`), and any request \
                may be sent again.",
                left.join(" "),
                setting.name.text
            );
            report.note(setting.at(), text);
        }
        let has = |name: &str| self.conditions.iter().any(|condition| condition == name);
        let is_whole = has("error") && has("timeout");
        if !(has("off") || is_whole) {
            let text = match CARRIED.iter().any(|condition| has(condition)) {
                true => {
                    "Attempts that fail without an answer are tried again whatever the cause: a \
                    scenario tells only errors apart."
                }
                false => "Nothing is tried again: no failure that a scenario has is in the list.",
            };
            report.note(setting.at(), text);
        }
    }
}

fn standard() -> Vec<String> {
    vec!["error".to_owned(), "timeout".to_owned()]
}

/// A setting that holds at a place: `proxy` and `_read_timeout`.
fn setting<'a>(pass: &Pass<'a>, end: &str) -> Option<&'a Directive> {
    pass.settings
        .get(format!("{}{end}", pass.family).as_str())
        .copied()
}

/// The value of a directive with one argument.
fn one<T>(
    setting: &Directive,
    what: &str,
    parse: impl Fn(&str) -> Option<T>,
    report: &mut Report,
) -> Option<T> {
    let value = match setting.arguments.as_slice() {
        [word] => parse(&word.text),
        _ => None,
    };
    if value.is_none() {
        let fault = Fault::new(
            setting.at(),
            format!("`{}` is not understood", setting.show()),
        );
        report.fault(fault.help(format!("`{}` takes {what}", setting.name.text)));
    }
    value
}

/// The conditions that a scenario has.
const CARRIED: [&str; 4] = ["error", "timeout", "http_503", "http_500"];

/// What `proxy_next_upstream` may list (`ngx_http_proxy_next_upstream_masks`, nginx 1.22; the other
/// families list some of them).
const CONDITIONS: [&str; 13] = [
    "error",
    "timeout",
    "invalid_header",
    "invalid_response",
    "non_idempotent",
    "http_500",
    "http_502",
    "http_503",
    "http_504",
    "http_403",
    "http_404",
    "http_429",
    "updating",
];

fn conditions(setting: &Directive, report: &mut Report) -> Vec<String> {
    for word in &setting.arguments {
        if !CONDITIONS.contains(&word.text.as_str())
            && !matches!(word.text.as_str(), "off" | "not_found")
        {
            let fault = Fault::new(
                setting.word(word),
                format!("`{}` is no condition of `{}`", word.text, setting.name.text),
            );
            report.fault(fault.help(format!(
                "expected {}, or `off`",
                CONDITIONS[..12].join(", ")
            )));
        }
    }
    if setting.arguments.is_empty() {
        report.fault(
            Fault::new(
                setting.at(),
                format!("`{}` has no conditions", setting.name.text),
            )
            .help("write `error timeout`, say"),
        );
    }
    let mut conditions: Vec<String> = setting
        .arguments
        .iter()
        .map(|word| word.text.clone())
        .collect();
    conditions.sort();
    conditions.dedup();
    conditions
}
