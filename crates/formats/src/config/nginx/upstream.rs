//! An `upstream` block: its servers, its method, and what else stands in it.

use std::collections::HashMap;
use std::hash::Hash;

use toml::Table;

use super::report::Report;
use super::scope::Scope;
use super::server::{self, ServerLine};
use super::tree::Directive;
use super::{health, method, time};
use crate::config::{Absent, Fault, Pool};
use crate::prose::quoted;

/// An upstream that was read.
#[derive(Debug)]
pub(super) struct Upstream {
    pub(super) scope: Scope,
    pub(super) pool: Pool,
    /// Whether its workers share what they count (`zone`).
    pub(super) is_shared: bool,
}

/// Reads an upstream; `None` where it is faulty, or none of its servers stand in the text.
pub(super) fn read(scope: Scope, directive: &Directive, report: &mut Report) -> Option<Upstream> {
    let [name] = directive.arguments.as_slice() else {
        let fault = Fault::new(directive.at(), "`upstream` takes one name");
        report.fault(fault.help("write `upstream NAME { … }`"));
        return None;
    };
    if directive.block.is_none() {
        let fault = Fault::new(directive.at(), "`upstream` has no block");
        report.fault(fault.help("write `upstream NAME { server ADDRESS; }`"));
        return None;
    }
    let mut inside = Inside::default();
    for one in directive.inside() {
        inside.read(scope, one, report);
    }
    let method = inside.method.as_ref().map(|(_, strategy)| strategy.clone());
    let strategy = method.unwrap_or_else(|| method::plain("nginx-round-robin"));
    let is_backup = |line: &ServerLine| line.server.settings.contains_key("backup");
    if inside.lines.iter().all(is_backup) && !inside.is_refused {
        let what = if inside.lines.is_empty() {
            "no servers"
        } else {
            "only backups"
        };
        let text = format!("`{}` has {what}", name.text);
        // NGINX Plus takes servers by its API, and needs but a `zone` to keep them in.
        if inside.lines.is_empty() && (inside.from_elsewhere || inside.is_shared) {
            report.note(
                directive.at(),
                format!("{text} in the text: they come from elsewhere, and it was left out."),
            );
            report.absent.push(Absent {
                pool: name.text.clone(),
                why: "no servers in the text: they come by the API of NGINX Plus, from its `state` file, or from a module; write \
                    them there as `server` lines and import that",
            });
        } else {
            let fault = Fault::new(directive.at(), text);
            report.fault(fault.help("write `server ADDRESS;` in it"));
        }
        return None;
    }
    inside.names(report);
    let strategy = inside.failures(strategy);
    Some(Upstream {
        scope,
        pool: Pool {
            name: name.text.clone(),
            at: directive.word(name),
            strategy,
            balancer: inside.balancer,
            servers: inside.lines.into_iter().map(|line| line.server).collect(),
        },
        is_shared: inside.is_shared,
    })
}

/// What stands in the block, read so far.
#[derive(Default)]
struct Inside<'a> {
    lines: Vec<ServerLine>,
    /// The last method, and the directive.
    method: Option<(&'a Directive, Table)>,
    balancer: Table,
    is_shared: bool,
    /// Whether something brings servers that do not stand here.
    from_elsewhere: bool,
    /// Whether a server was refused, of which a fault speaks.
    is_refused: bool,
}

impl<'a> Inside<'a> {
    fn read(&mut self, scope: Scope, directive: &'a Directive, report: &mut Report) {
        let left = |report: &mut Report, why: &str| {
            report.note(
                directive.at(),
                format!("`{}` was left out: {why}.", directive.show()),
            );
        };
        match directive.name.text.as_str() {
            "server" => {
                // Only methods that stand before refuse backups: nginx reads line by line.
                let method = self.method.as_ref().map(|(method, _)| *method);
                let no_backups = method.filter(|method| !method::takes_backups(method));
                let no_backups = no_backups.map(|method| method.name.text.as_str());
                match server::read(scope, directive, no_backups, report) {
                    Some(line) => self.lines.push(line),
                    None => self.is_refused = true,
                }
            }
            "zone" => {
                self.is_shared = true;
                left(
                    report,
                    "the balancers of a scenario share nothing, so that one of them stands for \
                    all workers",
                );
            }
            "keepalive" | "keepalive_requests" | "keepalive_time" | "keepalive_timeout"
            | "ntlm" => {
                left(report, "requests of a scenario need no connection");
            }
            "queue" => left(report, "requests that find no server fail at once"),
            "sticky" | "sticky_cookie_insert" | "session_sticky" => self.sticky(directive, report),
            "check" => {
                let health = health::module(directive, report);
                self.balancer
                    .insert("health-check".to_owned(), health.into());
            }
            name if name.starts_with("check_") => left(
                report,
                "a check finds out whether a server answers, and no more",
            ),
            "state" | "resolver" | "resolver_timeout" | "dynamic_resolve" => {
                self.from_elsewhere |= directive.is("state");
                left(
                    report,
                    "servers that do not stand in the text are not known",
                );
            }
            _ => match method::read(directive, report) {
                Some(strategy) => self.method(directive, strategy, report),
                // A faulty method has said so itself.
                None if matches!(directive.name.text.as_str(), "hash" | "random") => {}
                None => {
                    self.from_elsewhere = true;
                    left(report, "it is not known what it does");
                }
            },
        }
    }

    fn method(&mut self, directive: &'a Directive, strategy: Table, report: &mut Report) {
        if let Some((before, _)) = self.method.replace((directive, strategy)) {
            let text = format!(
                "`{}` is overruled by `{}`, which stands after it.",
                before.show(),
                directive.show()
            );
            report.note(before.at(), text);
        }
        // nginx takes the method late without a word, and then uses backups only where it falls
        // back to round robin.
        let backup = |line: &&ServerLine| line.server.settings.contains_key("backup");
        if !method::takes_backups(directive)
            && let Some(line) = self.lines.iter().find(backup)
        {
            let text = format!(
                "`{}`, which stands after it, makes little use of a `backup`.",
                directive.name.text
            );
            report.note(line.server.at.clone(), text);
        }
    }

    /// `sticky cookie`, `route` and `learn` of NGINX Plus and of nginx from 1.29.6; modules call
    /// theirs `sticky` and `session_sticky`.
    fn sticky(&mut self, directive: &Directive, report: &mut Report) {
        let show = directive.show();
        let how = if directive.is("sticky") {
            directive.argument(0)
        } else {
            None
        };
        let text = match how {
            Some("route") => {
                let text =
                    format!("`{show}` was left out: sessions are not bound by names of servers.");
                report.note(directive.at(), text);
                return;
            }
            Some("learn") => Some(format!(
                "`{show}` stands as `sticky = \"cookie\"`: the cookie of a scenario is set by \
                the balancer, at the first answer."
            )),
            Some("cookie") => directive
                .arguments
                .iter()
                .find(|word| word.text.starts_with("expires="))
                .map(|word| {
                    format!(
                        "`{}` was left out: a cookie lasts as long as its client comes back.",
                        word.text
                    )
                }),
            _ => Some(format!(
                "`{show}` belongs to a module, and stands as `sticky = \"cookie\"`."
            )),
        };
        if let Some(text) = text {
            report.note(directive.at(), text);
        }
        self.balancer.insert("sticky".to_owned(), "cookie".into());
    }

    /// Says which servers may be several.
    fn names(&self, report: &mut Report) {
        let names: Vec<&ServerLine> = self.lines.iter().filter(|line| line.is_name).collect();
        let Some(first) = names.first() else { return };
        let list = quoted(names.iter().map(|line| &line.server.name));
        let text = match names.len() {
            1 => {
                format!("{list} is a name: it counts as one server, however many addresses it has.")
            }
            _ => format!(
                "{list} are names: each counts as one server, however many addresses it has."
            ),
        };
        report.note(first.server.at.clone(), text);
    }

    /// What a scenario says of failures: for the pool as a whole what most servers have, and for
    /// the others their own.
    fn failures(&mut self, mut strategy: Table) -> Table {
        // Those that are down never fail.
        let is_up = |line: &&ServerLine| !line.server.settings.contains_key("down");
        let lines: Vec<&ServerLine> = self.lines.iter().filter(is_up).collect();
        let fails = most_common(lines.iter().map(|line| line.max_fails)).unwrap_or(1);
        let timeout = most_common(lines.iter().map(|line| line.fail_timeout)).unwrap_or(10_000);
        if fails != 1 {
            strategy.insert("max-fails".to_owned(), (fails as i64).into());
        }
        if timeout != 10_000 {
            strategy.insert("fail-timeout".to_owned(), time::show(timeout).into());
        }
        for line in &mut self.lines {
            let settings = &mut line.server.settings;
            if settings.contains_key("down") {
                continue;
            }
            if line.max_fails != fails {
                settings.insert("max-fails".to_owned(), (line.max_fails as i64).into());
            }
            if line.fail_timeout != timeout {
                let timeout = time::show(line.fail_timeout);
                settings.insert("fail-timeout".to_owned(), timeout.into());
            }
        }
        strategy
    }
}

/// The value that comes most often; of several the first.
fn most_common<T: Copy + Eq + Hash>(values: impl Iterator<Item = T>) -> Option<T> {
    let values: Vec<T> = values.collect();
    let mut counts: HashMap<T, usize> = HashMap::new();
    for value in &values {
        *counts.entry(*value).or_default() += 1;
    }
    let count = |value: &T| counts.get(value).copied().unwrap_or_default();
    values
        .iter()
        .rev()
        .max_by_key(|value| count(value))
        .copied()
}
