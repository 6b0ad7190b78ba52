//! Who passes requests to which upstream, and by what rules.

use super::method::variables;
use super::report::Report;
use super::retry::Rules;
use super::scope::{Choice, Found, Pass, Scope};
use super::upstream::Upstream;
use crate::config::{Concerns, Fault, Place};
use crate::prose::listed;

/// Gives each upstream the rules of the first place that passes to it.
pub(super) fn apply(found: &Found<'_>, upstreams: &mut [Upstream], report: &mut Report) {
    // For each upstream the first place and its rules.
    let mut first: Vec<Option<(Place, Rules)>> = upstreams.iter().map(|_| None).collect();
    // For each pass the upstreams that it may go to.
    let mut reached: Vec<Concerns> = Vec::with_capacity(found.passes.len());
    for pass in &found.passes {
        let Some(targets) = targets(pass, found, upstreams, report) else {
            reached.push(std::mem::take(&mut report.concerns));
            continue;
        };
        report.concerns = concerned(&targets, upstreams);
        reached.push(report.concerns.clone());
        let rules = Rules::read(pass, report);
        for target in targets {
            let (Some(upstream), Some(first)) = (upstreams.get_mut(target), first.get_mut(target))
            else {
                continue;
            };
            report.concerns = Concerns::pools([upstream.pool.name.as_str()]);
            match first {
                None => {
                    rules.apply(&mut upstream.pool);
                    rules.notes(pass, &mut upstream.pool, report);
                    *first = Some((pass.directive.at(), rules.clone()));
                }
                Some((_, stands)) => {
                    let differs = rules.difference(stands, pass.scope, pass.family);
                    if !differs.is_empty() {
                        let text = format!(
                            "{} of this place cannot be carried over: for `{}` stands what \
                            the first place that passes to it says.",
                            differs.join(" and "),
                            upstream.pool.name
                        );
                        report.note(pass.directive.at(), text);
                    }
                }
            }
        }
    }
    for (upstream, first) in upstreams.iter_mut().zip(first) {
        if first.is_none() {
            report.concerns = Concerns::pools([upstream.pool.name.as_str()]);
            Rules::standard(upstream.scope).apply(&mut upstream.pool);
            let text = format!(
                "Nothing here passes requests to `{}`: its timeout and retries are nginx's \
                defaults.",
                upstream.pool.name
            );
            report.note(upstream.pool.at.clone(), text);
        }
    }
    for choice in &found.choices {
        note_choice(choice, upstreams, report);
    }
    note_left(found, &reached, report);
    report.concerns = Concerns::Any;
}

/// Pools by their indices.
fn concerned(targets: &[usize], upstreams: &[Upstream]) -> Concerns {
    let of = |at: &usize| upstreams.get(*at).map(|one| one.pool.name.as_str());
    Concerns::pools(targets.iter().filter_map(of))
}

/// Says what bears on the requests of a place and is not carried over.
fn note_left(found: &Found<'_>, reached: &[Concerns], report: &mut Report) {
    for left in &found.left {
        let own = reached.get(left.passes.clone()).unwrap_or_default();
        // A text without any pass is a part of a configuration: what it bears on is not known.
        report.concerns = match reached {
            [] => Concerns::Any,
            _ => own
                .iter()
                .cloned()
                .fold(Concerns::pools::<&str>([]), Concerns::and),
        };
        let show = left.directive.show();
        let text = match left.why {
            Some(why) => format!("`{show}` was left out: {why}."),
            None => format!(
                "`{}` is not known: whether it bears on balance, time or failures cannot be told.",
                left.directive.name.text
            ),
        };
        report.note(left.directive.at(), text);
    }
}

/// Says that a variable shares requests out among upstreams.
fn note_choice(choice: &Choice<'_>, upstreams: &[Upstream], report: &mut Report) {
    let mut targets = named(choice, Scope::Http, upstreams);
    targets.extend(named(choice, Scope::Stream, upstreams));
    report.concerns = concerned(&targets, upstreams);
    let mut names: Vec<String> = targets
        .iter()
        .filter_map(|at| upstreams.get(*at))
        .map(|one| format!("`{}`", one.pool.name))
        .collect();
    names.dedup();
    if names.is_empty() || choice.directive.is("set") {
        return;
    }
    let name = &choice.directive.name.text;
    let what = match name.as_str() {
        "split_clients" => {
            let shares: Vec<String> = choice
                .directive
                .inside()
                .iter()
                .map(|entry| entry.show())
                .collect();
            format!("The shares ({})", listed(shares))
        }
        _ => "That".to_owned(),
    };
    let text = format!(
        "`{name}` chooses by `${}` among {}. {what} cannot be carried over: each is a service \
        of its own.",
        choice.variable,
        listed(names)
    );
    report.note(choice.directive.at(), text);
}

/// The upstreams that a variable may name.
fn named(choice: &Choice<'_>, scope: Scope, upstreams: &[Upstream]) -> Vec<usize> {
    let mut targets: Vec<usize> = Vec::new();
    for value in &choice.values {
        if let Target::Host { host, .. } = target(value)
            && let Some(at) = upstream(host, scope, upstreams)
            && !targets.contains(&at)
        {
            targets.push(at);
        }
    }
    targets
}

/// The upstream of a name; nginx does not tell capitals from small letters.
fn upstream(name: &str, scope: Scope, upstreams: &[Upstream]) -> Option<usize> {
    upstreams
        .iter()
        .position(|one| one.scope == scope && one.pool.name.eq_ignore_ascii_case(name))
}

/// The upstreams to which a place passes requests; `None` where there are none, which a note or a
/// fault says.
fn targets(
    pass: &Pass<'_>,
    found: &Found<'_>,
    upstreams: &[Upstream],
    report: &mut Report,
) -> Option<Vec<usize>> {
    let directive = pass.directive;
    // Where it cannot be told, any pool may be meant.
    report.concerns = Concerns::Any;
    let [word] = directive.arguments.as_slice() else {
        let fault = Fault::new(
            directive.at(),
            format!(
                "`{}` takes one address, {} are given",
                directive.name.text,
                directive.arguments.len()
            ),
        );
        report.fault(fault.help("is a `;` missing?"));
        return None;
    };
    match target(&word.text) {
        Target::Variable(name) => {
            let choices = found
                .choices
                .iter()
                .filter(|choice| Some(choice.variable) == name);
            let mut targets: Vec<usize> = choices
                .flat_map(|choice| named(choice, pass.scope, upstreams))
                .collect();
            targets.sort_unstable();
            targets.dedup();
            let names: Vec<String> = targets
                .iter()
                .filter_map(|at| upstreams.get(*at))
                .map(|one| format!("`{}`", one.pool.name))
                .collect();
            let text = match names.is_empty() {
                true => format!(
                    "`{}` passes requests to where a variable says: that cannot be told, and \
                    was left out.",
                    directive.show()
                ),
                false => format!(
                    "`{}` passes requests to where a variable says, which may be {}.",
                    directive.show(),
                    listed(names)
                ),
            };
            if !targets.is_empty() {
                report.concerns = concerned(&targets, upstreams);
            }
            report.note(directive.at(), text);
            (!targets.is_empty()).then_some(targets)
        }
        Target::Host { host, has_port } => {
            let Some(at) = upstream(host, pass.scope, upstreams) else {
                let text = format!(
                    "`{}` passes requests to no pool: there is nothing to balance, and it \
                    was left out.",
                    directive.show()
                );
                report.concerns = Concerns::pools::<&str>([]);
                report.note(directive.at(), text);
                return None;
            };
            if has_port {
                let message = format!("`{host}` is an upstream, and may have no port here");
                report.fault(Fault::new(directive.word(word), message).help("leave out the port"));
            }
            Some(vec![at])
        }
    }
}

/// What an address of `proxy_pass` and its like names.
#[derive(Debug, PartialEq)]
enum Target<'a> {
    /// Host, and whether a port follows.
    Host { host: &'a str, has_port: bool },
    /// What a variable says; its name where the host is nothing else.
    Variable(Option<&'a str>),
}

fn target(address: &str) -> Target<'_> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    if rest.starts_with("unix:") {
        return Target::Host {
            host: rest,
            has_port: false,
        };
    }
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    // These begin with a slash, and so end the host.
    let paths = ["$request_uri", "$uri", "$document_uri"];
    let end = paths.iter().filter_map(|path| host.find(path)).min();
    let host = match end {
        Some(end @ 1..) => host.get(..end).unwrap_or_default(),
        _ => host,
    };
    if host.contains('$') {
        let name = variables(host).into_iter().next();
        let alone =
            name.filter(|name| host == format!("${name}") || host == format!("${{{name}}}"));
        return Target::Variable(alone);
    }
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => Target::Host {
            host: name,
            has_port: true,
        },
        _ => Target::Host {
            host,
            has_port: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_in_addresses() {
        let host = |host, has_port| Target::Host { host, has_port };
        for (address, found) in [
            ("http://web", host("web", false)),
            ("http://web/", host("web", false)),
            ("http://web:8080/a?b", host("web", true)),
            ("web", host("web", false)),
            ("grpc://web", host("web", false)),
            ("http://web$request_uri", host("web", false)),
            ("http://[::1]/", host("[::1]", false)),
            ("http://[::1]:80", host("[::1]", true)),
            ("unix:/run/a.sock", host("unix:/run/a.sock", false)),
            (
                "http://unix:/run/a.sock:/x",
                host("unix:/run/a.sock:/x", false),
            ),
            ("http://$up", Target::Variable(Some("up"))),
            ("http://${up}/x", Target::Variable(Some("up"))),
            ("$up", Target::Variable(Some("up"))),
            ("http://$up.example", Target::Variable(None)),
            ("http://$up:80", Target::Variable(None)),
            ("http://$uri", Target::Variable(Some("uri"))),
            ("", host("", false)),
        ] {
            assert_eq!(target(address), found, "{address}");
        }
    }
}
