//! `lbsim explain`: what a strategy, distribution, arrival process or fault does.

use clap::Args;
use serde_json::Value;

use super::output::{Failure, Output};
use crate::scenario::warning;
use crate::strategy::{self, Sight};
use crate::{distribution, scenario, spelling};

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A name from `lbsim list`, or a product's word for a strategy, such as `least_conn`.
    name: String,
}

/// Something that can be explained.
pub(super) struct Topic {
    pub(super) group: &'static str,
    pub(super) name: String,
    pub(super) summary: String,
    text: String,
}

/// All that can be explained, group by group.
pub(super) fn topics() -> Vec<Topic> {
    let schema = scenario::schema();
    let (mut topics, mut warnings) = (Vec::new(), Vec::new());
    for (sight, group) in [
        (Sight::Blind, "strategies"),
        (Sight::Product, "strategies as products have them"),
        (
            Sight::Oracle,
            "oracles: strategies that see what no balancer can",
        ),
    ] {
        let entries = strategy::CATALOGUE.iter();
        for entry in entries.filter(|entry| entry.sight == sight) {
            let settings = settings(schema, "StrategyConfig", entry.name);
            topics.push(Topic {
                group,
                name: entry.name.to_owned(),
                summary: entry.summary(),
                text: format!("{}\n{settings}", entry.doc()),
            });
        }
    }
    for entry in warning::CATALOGUE {
        warnings.push(Topic {
            group: "warnings",
            name: entry.code.to_owned(),
            summary: entry.summary.to_owned(),
            text: format!("{}\n\n{}\n", entry.summary, entry.text),
        });
    }
    for entry in distribution::CATALOGUE {
        let settings: String = entry
            .parameters()
            .iter()
            .map(|p| {
                format!(
                    "  {}{}: {}\n",
                    p.name,
                    if p.required { "" } else { " (optional)" },
                    p.doc
                )
            })
            .collect();
        topics.push(Topic {
            group: "distributions",
            name: entry.name.to_owned(),
            summary: entry.summary.to_owned(),
            text: format!(
                "{}\n\nSource: {}.\n\nSettings:\n{settings}",
                entry.summary, entry.source
            ),
        });
    }
    for (group, union) in [
        ("arrival processes", "Arrivals"),
        ("faults", "FaultConfig"),
        ("disciplines of servers", "Discipline"),
        ("ways to leave out who answers badly", "Ejection"),
        ("kinds of limits", "LimitKind"),
        ("rules of autoscalers", "ScalingRule"),
    ] {
        for (name, summary) in kinds(schema, union) {
            let settings = settings(schema, union, &name);
            topics.push(Topic {
                group,
                text: format!("{summary}\n{settings}"),
                summary,
                name,
            });
        }
    }
    for (group, name, table) in TABLES {
        let table = &schema["$defs"][table];
        let summary = table["description"].as_str().unwrap_or_default();
        let summary = summary.replace('\n', " ");
        topics.push(Topic {
            group,
            name: name.to_owned(),
            text: format!("{summary}\n{}", settings_of(table)),
            summary,
        });
    }
    topics.extend(warnings);
    topics
}

/// Settings that are tables and no kinds: the group, the key, and the table in the schema.
const TABLES: [(&str, &str, &str); 8] = [
    ("health checks", "health-check", "HealthCheck"),
    ("limits of balancers and servers", "limit", "Limit"),
    ("limits of balancers and servers", "server-limit", "Limit"),
    (
        "limits of balancers and servers",
        "connections",
        "Connections",
    ),
    ("attempts beside and after the first", "retry", "Retry"),
    ("attempts beside and after the first", "hedge", "Hedge"),
    ("servers under load", "under-load", "UnderLoad"),
    ("servers that come and go", "autoscale", "Autoscale"),
];

fn variants<'a>(schema: &'a Value, union: &str) -> impl Iterator<Item = &'a Value> {
    let union = &schema["$defs"][union];
    ["oneOf", "anyOf"]
        .into_iter()
        .filter_map(|key| union[key].as_array())
        .flatten()
}

fn kind(variant: &Value) -> Option<&str> {
    variant["properties"]["kind"]["const"].as_str()
}

/// The kinds of a union and what they are.
fn kinds(schema: &Value, union: &str) -> Vec<(String, String)> {
    variants(schema, union)
        .filter_map(|variant| {
            let text = variant["description"]
                .as_str()
                .unwrap_or_default()
                .replace('\n', " ");
            Some((kind(variant)?.to_owned(), text))
        })
        .collect()
}

/// The settings of one kind of a union, as the schema describes them.
fn settings(schema: &Value, union: &str, name: &str) -> String {
    variants(schema, union)
        .find(|variant| kind(variant) == Some(name))
        .map_or(String::new(), settings_of)
}

/// The settings of a table.
fn settings_of(table: &Value) -> String {
    let required: Vec<&str> = table["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let lines: String = table["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| *key != "kind")
        .map(|(key, field)| {
            let text = field["description"]
                .as_str()
                .unwrap_or_default()
                .replace('\n', " ");
            let note = match &field["default"] {
                _ if required.contains(&key.as_str()) => String::new(),
                Value::Null => " (optional)".to_owned(),
                default => format!(
                    " (default {})",
                    default
                        .as_str()
                        .map_or_else(|| default.to_string(), str::to_owned)
                ),
            };
            format!("  {key}{note}: {text}\n")
        })
        .collect();
    let presets: String = scenario::shape::presets(table)
        .map(|(name, settings)| format!("  {name}: {}\n", settings.replace('`', "")))
        .collect();
    match (lines.is_empty(), presets.is_empty()) {
        (true, _) => "\nNo settings.\n".to_owned(),
        (false, true) => format!("\nSettings:\n{lines}"),
        (false, false) => format!("\nSettings:\n{lines}\nPresets:\n{presets}"),
    }
}

pub(super) fn explain(args: &ExplainArgs, output: &Output) -> Result<(), Failure> {
    let topics = topics();
    let called =
        |name: &str| -> Vec<&Topic> { topics.iter().filter(|topic| topic.name == name).collect() };
    let found = match (called(&args.name), args.name.strip_suffix('s')) {
        // Several of a thing are explained as one of it.
        (none, Some(one)) if none.is_empty() => called(one),
        (found, _) => found,
    };
    let bold = anstyle::Style::new().bold();
    let meant: Vec<&Topic> = strategy::called(&args.name)
        .filter_map(|entry| topics.iter().find(|topic| topic.name == entry.name))
        .collect();
    let found = match (found.as_slice(), meant.as_slice()) {
        ([], [one]) => vec![*one],
        ([], [_, _, ..]) => {
            let width = meant
                .iter()
                .map(|topic| topic.name.len())
                .max()
                .unwrap_or(0);
            let mut text = format!(
                "`{}` is the word for several strategies; `lbsim explain NAME` tells more of each:\n\n",
                args.name.escape_debug()
            );
            for Topic { name, summary, .. } in meant {
                text += &format!("  {bold}{name:width$}{bold:#}  {summary}\n");
            }
            return output.print(&text);
        }
        _ => found,
    };
    if found.is_empty() {
        let names = topics.iter().map(|topic| topic.name.as_str());
        let near = spelling::did_you_mean(&args.name, names)
            .map_or(String::new(), |question| format!(" ({question})"));
        return Err(Failure::Usage(format!(
            "there is nothing called `{}`{near}; `lbsim list` shows what there is",
            args.name.escape_debug()
        )));
    }
    let mut text = String::new();
    for topic in found {
        text += &format!(
            "{bold}{}{bold:#} ({})\n\n{}\n",
            topic.name,
            topic.group,
            topic.text.replace("**", "")
        );
    }
    output.print(&text)
}
