//! The reference of the scenario format, written from its schema.

use std::fmt::Write;

use serde_json::Value as Json;

use super::examples::{Examples, address};
use super::{keys, shape};
use crate::strategy;

/// The format as Markdown: a section for each table, and in it a row for each key, in the order in
/// which they are declared. `schema` is as [`schema_for`](shape::schema_for) makes it.
pub fn markdown(schema: &Json, examples: &Examples) -> String {
    let mut pages = Pages {
        root: schema,
        examples,
        out: String::new(),
        names: Vec::new(),
    };
    pages.section("The file", schema, "");
    let mut next = 0;
    while let Some(name) = pages.names.get(next).copied() {
        next += 1;
        if let Some(schema) = schema.get("$defs").and_then(|defs| defs.get(name)) {
            pages.section(&heading(name), schema, name);
        }
    }
    pages.out
}

struct Pages<'a> {
    root: &'a Json,
    examples: &'a Examples,
    out: String,
    /// The definitions that have been mentioned, each of which gets a section.
    names: Vec<&'a str>,
}

impl<'a> Pages<'a> {
    fn section(&mut self, title: &str, schema: &'a Json, definition: &str) {
        let _ = write!(self.out, "## {title}\n\n");
        if text(schema, "description").trim_end_matches('.') != title {
            self.description(schema);
        }
        let choices = shape::alternatives(self.root, schema);
        let single = choices.len() == 1;
        let tagged = choices.iter().any(|choice| shape::tag(choice).is_some());
        for (at, choice) in choices.iter().enumerate() {
            if let Some((tag, name)) = shape::tag(choice) {
                let _ = write!(self.out, "### `{tag} = {name:?}`\n\n");
                match summary(definition, name) {
                    Some(summary) => {
                        let _ = write!(self.out, "{summary}\n\n");
                    }
                    None => self.description(choice),
                }
                if shape::is_bare(choice) {
                    let _ = write!(self.out, "May be written as `{name:?}` alone.\n\n");
                }
                self.keys(choice, definition);
            } else if choice.get("properties").is_some() {
                if !single {
                    self.description(choice);
                }
                self.keys(choice, definition);
            } else if shape::names(choice).is_empty() {
                let kind = self.kind(choice);
                let _ = writeln!(self.out, "- {kind}{}", own_description(choice, single));
                if at + 1 == choices.len() {
                    self.out.push('\n');
                }
            }
        }
        let named: Vec<&Json> = choices
            .into_iter()
            .filter(|c| !tagged && !shape::names(c).is_empty())
            .collect();
        if !named.is_empty() {
            self.out.push_str("| value | meaning |\n|---|---|\n");
            for choice in named {
                let meaning = if single {
                    ""
                } else {
                    text(choice, "description")
                };
                for name in shape::names(choice) {
                    let _ = writeln!(self.out, "| `{name:?}` | {} |", cell(meaning));
                }
            }
            self.out.push('\n');
        }
    }

    fn description(&mut self, schema: &Json) {
        let description = text(schema, "description");
        if !description.is_empty() {
            let _ = write!(self.out, "{description}\n\n");
        }
    }

    fn keys(&mut self, schema: &'a Json, definition: &str) {
        let table = address(definition, schema);
        let tag = shape::tag(schema).map(|(tag, _)| tag);
        let rows: Vec<(&str, &Json)> = shape::properties(schema)
            .filter(|(key, _)| Some(*key) != tag)
            .collect();
        if rows.is_empty() {
            return;
        }
        let has_examples = (rows.iter()).any(|(key, _)| self.examples.of(&table, key).is_some());
        self.out.push_str(match has_examples {
            true => "| key | type | default | meaning | example |\n|---|---|---|---|---|\n",
            false => "| key | type | default | meaning |\n|---|---|---|---|\n",
        });
        for (key, part) in rows {
            let kind = self.kind(part);
            let must = shape::required(schema).any(|must| must == key);
            let is_table = part.get("default").is_some_and(Json::is_object);
            let default = match keys::default(part) {
                _ if must => "**required**".to_owned(),
                Some(value) => format!("`{value}`"),
                // A whole table would not fit; its own section has each default.
                None if is_table => "see there".to_owned(),
                None => "—".to_owned(),
            };
            let example = match self.examples.of(&table, key) {
                _ if !has_examples => String::new(),
                Some(found) => format!(" [`{}`](../scenarios/{}) |", found.text, found.file),
                None => " |".to_owned(),
            };
            let meaning = keys::meaning(self.root, part);
            let _ = writeln!(
                self.out,
                "| `{key}` | {} | {} | {} |{example}",
                cell(&kind),
                cell(&default),
                cell(meaning)
            );
        }
        self.out.push('\n');
        for (name, settings) in shape::presets(schema) {
            let _ = writeln!(self.out, "* `preset = {name:?}`: {settings}");
        }
        if shape::presets(schema).next().is_some() {
            self.out.push('\n');
        }
    }

    /// The type of a value, with a link if it has a section of its own.
    fn kind(&mut self, schema: &'a Json) -> String {
        if let Some(name) = shape::reference_name(schema) {
            if !self.names.contains(&name) {
                self.names.push(name);
            }
            let heading = heading(name);
            return format!("[{heading}](#{})", heading.to_lowercase().replace(' ', "-"));
        }
        let items = |schema: &'a Json| {
            schema
                .get("items")
                .or_else(|| shape::array(schema, "prefixItems").next())
        };
        match (items(schema), schema.get("additionalProperties")) {
            (Some(_), _) if schema.get("prefixItems").is_some() => {
                let parts: Vec<String> = shape::array(schema, "prefixItems")
                    .map(|part| self.kind(part))
                    .collect();
                format!("[{}]", parts.join("; "))
            }
            (Some(items), _) => {
                let count = range(schema, "minItems", "maxItems")
                    .map_or(String::new(), |r| format!(" ({r})"));
                let kind = self.kind(items);
                // "an array of a string" is "an array of strings", but only of plain types.
                let kind = match kind.strip_prefix("a ") {
                    Some(plain) if !plain.contains(' ') => format!("{plain}s"),
                    _ => kind,
                };
                format!("array{count} of {kind}")
            }
            (_, Some(values @ Json::Object(_))) => {
                format!("table of names, each with {}", self.kind(values))
            }
            _ => keys::takes(self.root, schema),
        }
    }
}

pub(super) fn numbers(schema: &Json) -> Option<String> {
    let bound = |keyword: &str, word: &str| {
        schema
            .get(keyword)
            .map(|limit| format!("{word} {}", number(limit)))
    };
    let least = text(schema, "x-least");
    range(schema, "minimum", "maximum")
        .into_iter()
        .chain(bound("exclusiveMinimum", "more than"))
        .chain(bound("exclusiveMaximum", "less than"))
        .chain((!least.is_empty()).then(|| format!("at least {least}")))
        .reduce(|a, b| format!("{a}, {b}"))
}

fn range(schema: &Json, least: &str, most: &str) -> Option<String> {
    let show = |keyword: &str| schema.get(keyword).map(number);
    match (show(least), show(most)) {
        (Some(least), Some(most)) if least == most => Some(least),
        (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        (Some(least), None) => Some(format!("at least {least}")),
        (None, Some(most)) => Some(format!("at most {most}")),
        (None, None) => None,
    }
}

fn own_description(schema: &Json, single: bool) -> String {
    match text(schema, "description") {
        "" => String::new(),
        _ if single => String::new(),
        description => format!(": {}", cell(description)),
    }
}

pub(super) fn text<'a>(schema: &'a Json, keyword: &str) -> &'a str {
    schema
        .get(keyword)
        .and_then(Json::as_str)
        .unwrap_or_default()
}

/// `text` fit for one cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}

/// A number as people write it: `1,000,000` for 1000000.0.
pub(super) fn number(value: &Json) -> String {
    let plain = match value.as_f64() {
        Some(float) if float.fract() == 0.0 && float.abs() < 1e15 => format!("{float:.0}"),
        _ => return shape::literal(value),
    };
    if plain.trim_start_matches('-').len() < 5 {
        return plain;
    }
    let mut grouped = String::new();
    for (i, digit) in plain.chars().enumerate() {
        if i > 0 && (plain.len() - i).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// What a strategy does, in a sentence: more than the description of its settings.
fn summary(definition: &str, name: &str) -> Option<String> {
    strategy::CATALOGUE
        .iter()
        .find(|entry| definition == "StrategyConfig" && entry.name == name)
        .map(|entry| match entry.sight {
            strategy::Sight::Blind | strategy::Sight::Product => entry.summary(),
            strategy::Sight::Oracle => format!("{} An oracle.", entry.summary()),
        })
}

/// What a definition is called: mostly its type's name as words, `ServerGroup` becomes `Server
/// group`. The type is named after its place in the code, which a reader of the reference does not
/// see.
pub(super) fn heading(name: &str) -> String {
    let known = match name {
        "Dist" => "Distribution of amounts",
        "Dist2" => "Distribution of times",
        "Dist3" => "Distribution of bytes",
        "Part" => "Part of a mixture of amounts",
        "Part2" => "Part of a mixture of times",
        "Part3" => "Part of a mixture of bytes",
        "By" => "What a table goes by",
        "Breaking" => "When a bond breaks",
        "Every" => "Interval",
        "StrategyConfig" => "Strategy",
        "FaultConfig" => "Fault",
        "HashOn" => "What is hashed",
        "On" => "Where a retry goes",
        "Start" => "Where a round begins",
        "Choice" => "How reports decide",
        "Abandoned" => "Abandoned work",
        "Skew" => "Popularity",
        "ColumnTime" => "Times in a column",
        "Columns" => "Columns of a trace",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let mut words = String::new();
    for (i, c) in name.chars().enumerate() {
        match c {
            c if i > 0 && c.is_uppercase() => {
                words.push(' ');
                words.extend(c.to_lowercase());
            }
            c => words.push(c),
        }
    }
    words
}
