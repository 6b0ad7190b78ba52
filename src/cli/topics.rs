//! All that `lbsim list` lists and `lbsim explain` explains, from where each is declared.

use serde_json::{Value, json};

use crate::requirement::measure::{KnownMeasure, MEASURES};
use crate::scenario::file::Criterion;
use crate::scenario::keys::{self, FormatKey};
use crate::scenario::{self, warning};
use crate::strategy::{self, Sight};
use crate::{distribution, prose};

/// Things of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TopicGroup {
    /// How it is asked for: `lbsim list strategies`.
    pub(super) word: &'static str,
    /// Its heading.
    pub(super) title: &'static str,
}

const fn group(word: &'static str, title: &'static str) -> TopicGroup {
    TopicGroup { word, title }
}

/// Kinds of a union of the format, by its definition in the schema.
const UNIONS: [(TopicGroup, &str); 6] = [
    (group("arrivals", "arrival processes"), "Arrivals"),
    (group("faults", "faults"), "FaultConfig"),
    (group("disciplines", "disciplines of servers"), "Discipline"),
    (
        group("ejections", "ways to leave out who answers badly"),
        "Ejection",
    ),
    (group("limits", "kinds of limits"), "LimitKind"),
    (group("autoscalers", "rules of autoscalers"), "ScalingRule"),
];

const STRATEGIES: [(TopicGroup, Sight); 3] = [
    (group("strategies", "strategies"), Sight::Blind),
    (
        group("products", "strategies as products have them"),
        Sight::Product,
    ),
    (
        group(
            "oracles",
            "oracles: strategies that see what no balancer can",
        ),
        Sight::Oracle,
    ),
];

const DISTRIBUTIONS: TopicGroup = group("distributions", "distributions");
const METRICS: TopicGroup = group("metrics", "metrics");
const WARNINGS: TopicGroup = group("warnings", "warnings");
const KEYS: TopicGroup = group("keys", "keys of scenario files");

/// All groups, in the order of the list.
pub(super) fn groups() -> Vec<TopicGroup> {
    let strategies = STRATEGIES.iter().map(|(group, _)| *group);
    let unions = UNIONS.iter().map(|(group, _)| *group);
    strategies
        .chain([DISTRIBUTIONS])
        .chain(unions)
        .chain([METRICS, WARNINGS, KEYS])
        .collect()
}

/// Something that can be explained.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) group: TopicGroup,
    pub(super) name: String,
    /// What else it is called.
    pub(super) also: Vec<String>,
    /// Of a key, all places where it may stand.
    pub(super) places: Vec<String>,
    pub(super) summary: String,
    pub(super) text: String,
}

impl Topic {
    /// Whether it is a key of the format.
    pub(super) fn is_key(&self) -> bool {
        self.group == KEYS
    }
}

/// All that can be explained, group by group.
pub(super) fn topics() -> Vec<Topic> {
    let schema = scenario::schema();
    let mut topics = Vec::new();
    for (group, sight) in STRATEGIES {
        let entries = strategy::CATALOGUE.iter();
        topics.extend(entries.filter(|entry| entry.sight == sight).map(|entry| {
            let settings = settings(schema, "StrategyConfig", entry.name);
            Topic {
                group,
                name: entry.name.to_owned(),
                places: Vec::new(),
                also: entry.aliases.iter().map(|&word| word.to_owned()).collect(),
                summary: entry.summary(),
                text: format!("{}\n{settings}", entry.doc()),
            }
        }));
    }
    topics.extend(distribution::CATALOGUE.iter().map(|entry| {
        let settings: String = (entry.parameters().iter())
            .map(|p| {
                let optional = if p.required { "" } else { " (optional)" };
                format!("  {}{optional}: {}\n", p.name, p.doc)
            })
            .collect();
        Topic {
            group: DISTRIBUTIONS,
            name: entry.name.to_owned(),
            places: Vec::new(),
            also: Vec::new(),
            summary: entry.summary.to_owned(),
            text: format!(
                "{}\n\nSource: {}.\n\nSettings:\n{settings}",
                entry.summary, entry.source
            ),
        }
    }));
    for (group, union) in UNIONS {
        topics.extend(kinds(schema, union).into_iter().map(|(name, summary)| {
            let settings = settings(schema, union, &name);
            Topic {
                group,
                places: Vec::new(),
                also: Vec::new(),
                text: format!("{summary}\n{settings}"),
                summary,
                name,
            }
        }));
    }
    topics.push(percentiles());
    topics.extend(MEASURES.iter().map(metric));
    topics.extend(warning::CATALOGUE.iter().map(|entry| Topic {
        group: WARNINGS,
        name: entry.code.to_owned(),
        places: Vec::new(),
        also: Vec::new(),
        summary: entry.summary.to_owned(),
        text: format!("{}\n\n{}\n", entry.summary, entry.text),
    }));
    topics.extend(keys::keys(schema).iter().map(|key| of_key(schema, key)));
    topics
}

/// Percentiles, of which any will do.
fn percentiles() -> Topic {
    let summary = "Any percentile of the response time of the succeeded, by its number.";
    let text = "p50 is the median, p99 what one request in a hundred takes longer than, and p99.9 or p99.99 are \
                as good names as p95. `judge-by = \"p95\"`, `precision = \"1% of p95\"` and `[[require]]` take any; \
                `percentiles = [50, 95, 99.5]` of `[run]` says which are in the table. Percentiles are read off \
                all replications together and never averaged.";
    Topic {
        group: METRICS,
        name: "p99".to_owned(),
        places: Vec::new(),
        also: ["p50", "p90", "p95", "p99.9", "p999", "percentile"]
            .map(str::to_owned)
            .into(),
        summary: summary.to_owned(),
        text: format!("{summary}\n\n{text}\n"),
    }
}

/// A metric, as the documentation of the results describes its column.
fn metric(own: &KnownMeasure) -> Topic {
    let meaning = column(own.column).unwrap_or_default();
    let meaning = match own.is_rest {
        true => format!("All but `{}`, which is: {meaning}", own.column),
        false => meaning.to_owned(),
    };
    let better = if own.more_is_better { "more" } else { "less" };
    let mut some = match own.parts {
        [] => "It is required of a run as a whole alone.".to_owned(),
        parts => {
            let names = parts.iter().map(|part| part.name());
            format!(
                "It may be required of one of these alone: {}.",
                prose::listed(names)
            )
        }
    };
    if let Some(causes) = own.causes {
        let causes = causes.all();
        let names: Vec<&str> = causes.iter().map(|own| own.name()).collect();
        let names = names.join(", ");
        some += &format!(" With `by` it is required for one cause: {names}.");
    }
    let criterion = json!(own.name);
    let judges = match serde_json::from_value::<Criterion>(criterion) {
        Ok(_) => "`judge-by` and `[[require]]` take it.",
        Err(_) => "`[[require]]` takes it, `judge-by` does not.",
    };
    let also: Vec<String> = [own.also, own.column]
        .into_iter()
        .filter(|word| !word.is_empty() && *word != own.name)
        .map(str::to_owned)
        .collect();
    Topic {
        group: METRICS,
        name: own.name.to_owned(),
        summary: first_sentence(&meaning).to_owned(),
        text: format!(
            "{meaning}\n\nColumn of runs.csv: {}. In words, {better} of it is better. {judges} {some}\n",
            own.column
        ),
        places: Vec::new(),
        also,
    }
}

/// What the documentation says of a column of `runs.csv`.
fn column(name: &str) -> Option<&'static str> {
    let page = include_str!("../../docs/results.md");
    let (_, section) = page.split_once("\n## runs.csv\n")?;
    let (section, _) = section.split_once("\n## ")?;
    let row = section
        .lines()
        .find(|line| line.starts_with(&format!("| `{name}` |")))?;
    let (_, meaning) = row.trim_end_matches(" |").rsplit_once(" | ")?;
    Some(meaning)
}

/// A key of the format, with what it takes and an example.
fn of_key(schema: &Value, key: &FormatKey<'_>) -> Topic {
    let meaning = key.meaning.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut text = format!("{meaning}\n\n");
    let kinds = match key.kinds.as_slice() {
        [] => String::new(),
        kinds => format!(
            ", where `kind` is {}",
            prose::listed(kinds.iter().map(|kind| format!("\"{kind}\"")))
        ),
    };
    text += &format!("table      {}{kinds}\n", key.table);
    if key.places.len() > 1 {
        text += &format!("stands at  {}\n", prose::listed(&key.places));
    }
    text += &format!("takes      {}\n", key.takes.replace('`', ""));
    text += &match (&key.default, key.required) {
        (_, true) => "default    none: it must be there\n".to_owned(),
        (Some(value), _) => format!("default    {value}\n"),
        (None, _) => String::new(),
    };
    if let Some(example) = key.example {
        text += &format!(
            "as in      {}    (scenarios/{})\n",
            example.text, example.file
        );
    }
    let described = key.values.iter().filter(|(_, means)| !means.is_empty());
    let values: String = described
        .map(|(name, means)| format!("  {name}: {}\n", means.replace('\n', " ")))
        .collect();
    if !values.is_empty() {
        text += &format!("\nValues:\n{values}");
    } else if let Some(definition) = key.definition
        && schema["$defs"][definition]["properties"].is_object()
    {
        text += &settings_of(&schema["$defs"][definition]);
    }
    let of = match key.kinds.len() {
        0 => String::new(),
        1..=3 => format!("{}: ", prose::listed(&key.kinds)),
        many => format!("{} and {} others: ", key.kinds[0], many - 1),
    };
    Topic {
        group: KEYS,
        name: key.path.clone(),
        places: key.places.clone(),
        also: key
            .values
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect(),
        summary: format!("{of}{}", first_sentence(&meaning)),
        text,
    }
}

/// The first sentence of a text.
fn first_sentence(text: &str) -> &str {
    text.split_inclusive(". ").next().unwrap_or_default().trim()
}

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
