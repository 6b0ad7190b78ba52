//! What a configuration holds that bears on balancing, with what each place inherits from those
//! around it.

use std::collections::BTreeMap;
use std::ops::Range;

use super::directives;
use super::tree::Directive;
use crate::config::notes::Fate;

/// Which of nginx's two proxies a directive belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Requests: `http { … }`.
    Http,
    /// Connections, or datagrams: `stream { … }`.
    Stream,
}

/// Directives by their names: of several around a place the nearest.
pub(super) type Settings<'a> = BTreeMap<&'a str, &'a Directive>;

/// What passes requests on.
#[derive(Clone, Debug)]
pub(super) struct Pass<'a> {
    pub(super) scope: Scope,
    /// The directive: `proxy_pass`, `fastcgi_pass` and others.
    pub(super) directive: &'a Directive,
    /// What its settings begin with: `proxy`.
    pub(super) family: &'static str,
    /// The settings that hold there.
    pub(super) settings: Settings<'a>,
}

/// What gives a variable one of several values: `split_clients`, `map`, `geo`, `set`.
#[derive(Clone, Debug)]
pub(super) struct Choice<'a> {
    pub(super) directive: &'a Directive,
    /// The variable, without `$`.
    pub(super) variable: &'a str,
    pub(super) values: Vec<&'a str>,
}

/// What bears on requests, or may, and is not carried over.
#[derive(Clone, Debug)]
pub(super) struct Left<'a> {
    pub(super) directive: &'a Directive,
    /// Why; `None` where nobody knows what it does.
    pub(super) why: Option<&'static str>,
    /// For which of [`Found::passes`] it holds.
    pub(super) passes: Range<usize>,
}

/// All of it, in the order of the text.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    pub(super) upstreams: Vec<(Scope, &'a Directive)>,
    pub(super) passes: Vec<Pass<'a>>,
    pub(super) choices: Vec<Choice<'a>>,
    pub(super) log_formats: Vec<&'a Directive>,
    pub(super) workers: Option<&'a Directive>,
    pub(super) left: Vec<Left<'a>>,
}

/// What may stand before `_pass`.
pub(super) const FAMILIES: [&str; 6] = ["proxy", "fastcgi", "uwsgi", "scgi", "grpc", "memcached"];

/// What may stand after a family's name, and matters here.
const SETTINGS: [&str; 6] = [
    "_read_timeout",
    "_next_upstream",
    "_next_upstream_tries",
    "_next_upstream_timeout",
    "_connect_timeout",
    "_timeout",
];

/// Looks through a whole configuration. A text without `http` and `stream` is a part of one, such
/// as a file of `sites-enabled`.
pub(super) fn find(tree: &[Directive]) -> Found<'_> {
    let mut found = Found::default();
    // Only in `stream` may a server pass on without a location.
    let passes = |server: &Directive| {
        server.is("server") && server.inside().iter().any(|inner| inner.is("proxy_pass"))
    };
    let scope = if tree.iter().any(passes) {
        Scope::Stream
    } else {
        Scope::Http
    };
    walk(tree, scope, &Settings::new(), &mut found);
    found
}

fn walk<'a>(block: &'a [Directive], scope: Scope, around: &Settings<'a>, found: &mut Found<'a>) {
    // Settings hold for what stands before them too.
    let mut settings = around.clone();
    settings.extend(
        block
            .iter()
            .filter(|one| is_setting(&one.name.text))
            .map(|one| (one.name.text.as_str(), one)),
    );
    let first = found.passes.len();
    let mut own: Vec<Left<'a>> = Vec::new();
    for directive in block {
        let why = match directives::fate(directive) {
            Some(Fate::Left(why)) => Some(Some(why)),
            None => Some(None),
            Some(Fate::Carried | Fate::Aside) => None,
        };
        own.extend(why.map(|why| Left {
            directive,
            why,
            passes: 0..0,
        }));
        match directive.name.text.as_str() {
            // What stands in them holds for the place around them.
            "if" | "limit_except" | "events" => {
                let before = found.left.len();
                walk(directive.inside(), scope, &settings, found);
                own.extend(found.left.drain(before..));
            }
            "upstream" => found.upstreams.push((scope, directive)),
            "log_format" => found.log_formats.push(directive),
            "worker_processes" => found.workers = Some(directive),
            "map" | "split_clients" | "geo" => found.choices.extend(choice(directive)),
            "set" => found.choices.extend(set(directive)),
            "types" | "match" | "mail" | "charset_map" => {}
            "http" => walk(directive.inside(), Scope::Http, &settings, found),
            "stream" => walk(directive.inside(), Scope::Stream, &settings, found),
            name => {
                if let Some(family) = name
                    .strip_suffix("_pass")
                    .and_then(|name| FAMILIES.into_iter().find(|family| *family == name))
                {
                    found.passes.push(Pass {
                        scope,
                        directive,
                        family,
                        settings: settings.clone(),
                    });
                }
                walk(directive.inside(), scope, &settings, found);
            }
        }
    }
    let passes = first..found.passes.len();
    found.left.extend(own.into_iter().map(|left| Left {
        passes: passes.clone(),
        ..left
    }));
}

fn is_setting(name: &str) -> bool {
    let of_family = |family: &&str| {
        name.strip_prefix(*family)
            .is_some_and(|end| SETTINGS.contains(&end))
    };
    name == "health_check" || FAMILIES.iter().any(of_family)
}

/// `map $key $variable { key value; … }`, and those like it.
fn choice(directive: &Directive) -> Option<Choice<'_>> {
    let variable = directive.arguments.last()?.text.strip_prefix('$')?;
    let values = directive
        .inside()
        .iter()
        .filter_map(|entry| entry.argument(0))
        .collect();
    Some(Choice {
        directive,
        variable,
        values,
    })
}

/// `set $variable value;`
fn set(directive: &Directive) -> Option<Choice<'_>> {
    let variable = directive.argument(0)?.strip_prefix('$')?;
    Some(Choice {
        directive,
        variable,
        values: vec![directive.argument(1)?],
    })
}
