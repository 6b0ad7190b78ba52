//! Active health checks: NGINX Plus has them, and modules bring them to nginx and Tengine.

use toml::Table;

use super::report::Report;
use super::time;
use super::tree::Directive;

/// `health_check [interval=5s] [fails=1] [passes=1] …` of a location, as NGINX Plus has it
/// (`ngx_http_upstream_hc_module`).
pub(super) fn plus(directive: &Directive, report: &mut Report) -> Table {
    let fields = Fields {
        interval: ("interval", 5_000),
        fall: ("fails", 1),
        rise: ("passes", 1),
        timeout: None,
        bare: 1_000,
    };
    fields.read(directive, report)
}

/// `check interval=MS fall=N rise=N timeout=MS …` of an upstream, as nginx_upstream_check_module
/// and Tengine have it. A bare number is milliseconds.
pub(super) fn module(directive: &Directive, report: &mut Report) -> Table {
    let fields = Fields {
        interval: ("interval", 30_000),
        fall: ("fall", 5),
        rise: ("rise", 2),
        timeout: Some(("timeout", 1_000)),
        bare: 1,
    };
    fields.read(directive, report)
}

/// The parameters that a scenario has too, by name and default.
struct Fields {
    interval: (&'static str, u64),
    fall: (&'static str, u64),
    rise: (&'static str, u64),
    timeout: Option<(&'static str, u64)>,
    /// What a number without a unit is worth, in milliseconds.
    bare: u64,
}

impl Fields {
    fn read(&self, directive: &Directive, report: &mut Report) -> Table {
        let mut left: Vec<&str> = Vec::new();
        let mut written: Vec<(&str, &str)> = Vec::new();
        let known = [
            Some(self.interval),
            Some(self.fall),
            Some(self.rise),
            self.timeout,
        ];
        for word in &directive.arguments {
            match word.text.split_once('=') {
                Some((name, value)) if known.iter().flatten().any(|(known, _)| *known == name) => {
                    written.push((name, value))
                }
                _ => left.push(&word.text),
            }
        }
        let value = |(name, default): (&str, u64)| {
            let text = written
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| *value);
            (text, default)
        };
        let span = |field| match value(field) {
            (Some(text), default) => match text.parse::<u64>() {
                Ok(number) => number.saturating_mul(self.bare),
                Err(_) => time::parse(text, false).unwrap_or(default),
            },
            (None, default) => default,
        };
        let count = |field| match value(field) {
            (Some(text), default) => text.parse().unwrap_or(default).clamp(1, 100),
            (None, default) => default,
        };
        let interval = span(self.interval).max(1);
        let mut health = Table::new();
        health.insert("interval".to_owned(), time::show(interval).into());
        if let Some(timeout) = self.timeout {
            // A scenario's check is over before the next one.
            health.insert(
                "timeout".to_owned(),
                time::show(span(timeout).clamp(1, interval)).into(),
            );
        }
        health.insert("fall".to_owned(), (count(self.fall) as i64).into());
        health.insert("rise".to_owned(), (count(self.rise) as i64).into());
        if !left.is_empty() {
            let text = format!(
                "`{}` of `{}` was left out: a check finds out whether a server answers, and no \
                more.",
                left.join(" "),
                directive.name.text
            );
            report.note(directive.at(), text);
        }
        health
    }
}
