//! How each key of the format is written, taken from scenarios that run.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::shape;

/// Longer values are shown by their table's name alone.
const LONGEST: usize = 72;

/// A key as a scenario writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Example {
    /// The line: `warmup = "30s"`, or `[services.balancer]` where the value is a large table.
    pub text: String,
    /// The scenario, below `scenarios/`: `keys/retries.toml`.
    pub file: String,
}

/// The examples of a table, by key.
type OfTable = BTreeMap<String, Example>;

/// An example for each key, by table and key. Tables are named as [`address`] does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Examples(BTreeMap<String, OfTable>);

/// Those of the scenarios of the repository: a test writes the file anew, and demands that no key
/// is without.
static KNOWN: LazyLock<Examples> = LazyLock::new(|| {
    // The test reads it too; without it the reference has no examples, and is right nevertheless.
    serde_json::from_str(include_str!("examples.json")).unwrap_or_default()
});

/// What a table is called here: its definition in the schema (empty for the whole file), and the
/// kind where it is one of several: `FaultConfig/crash`.
pub fn address(definition: &str, choice: &Json) -> String {
    match shape::tag(choice) {
        Some((_, kind)) => format!("{definition}/{kind}"),
        None => definition.to_owned(),
    }
}

impl Examples {
    /// Those of the scenarios of the repository.
    pub fn known() -> &'static Examples {
        &KNOWN
    }

    /// The example of a key.
    pub fn of(&self, table: &str, key: &str) -> Option<&Example> {
        self.0.get(table)?.get(key)
    }

    /// Takes what a scenario of the repository has, where it is the shortest so far. `schema` is
    /// as [`schema_for`](shape::schema_for) makes it, `file` the path below `scenarios/`, and
    /// `scenario` its TOML as JSON.
    pub fn take(&mut self, schema: &Json, file: &str, scenario: &Json) {
        let mut taking = Taking {
            root: schema,
            file,
            examples: self,
        };
        taking.value(schema, scenario, "", &mut Vec::new());
    }
}

/// A walk through a scenario, beside its schema.
struct Taking<'a> {
    root: &'a Json,
    file: &'a str,
    examples: &'a mut Examples,
}

impl<'a> Taking<'a> {
    /// What a value has, at a path of headings.
    fn value(&mut self, schema: &'a Json, value: &Json, definition: &'a str, at: &mut Vec<String>) {
        let definition = shape::reference_name(schema).unwrap_or(definition);
        let choices = shape::alternatives(self.root, schema);
        match value {
            Json::Array(values) => {
                for choice in choices {
                    let parts = shape::array(choice, "prefixItems");
                    for (part, value) in parts.zip(values) {
                        self.value(part, value, definition, at);
                    }
                    if let Some(items) = choice.get("items") {
                        for value in values {
                            self.value(items, value, definition, at);
                        }
                    }
                }
            }
            Json::Object(entries) => {
                let fits = |choice: &&Json| {
                    let has = |key: &str| shape::properties(choice).any(|(own, _)| own == key);
                    let is_kind = shape::tag(choice)
                        .is_none_or(|(tag, kind)| entries.get(tag).is_some_and(|is| is == kind));
                    is_kind && entries.keys().all(|key| has(key))
                };
                match choices.iter().copied().find(fits) {
                    Some(choice) => self.table(choice, entries, definition, at),
                    None => {
                        let named = choices.iter().find_map(|choice| {
                            choice
                                .get("additionalProperties")
                                .filter(|it| it.is_object())
                        });
                        if let Some(values) = named {
                            for (name, value) in entries {
                                at.push(name.clone());
                                self.value(values, value, definition, at);
                                at.pop();
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn table(
        &mut self,
        choice: &'a Json,
        entries: &serde_json::Map<String, Json>,
        definition: &'a str,
        at: &mut Vec<String>,
    ) {
        let table = address(definition, choice);
        for (key, schema) in shape::properties(choice) {
            let Some(value) = entries.get(key) else {
                continue;
            };
            at.push(key.to_owned());
            let found = Example {
                text: written(key, value, &at.join(".")),
                file: self.file.to_owned(),
            };
            let own = self.examples.0.entry(table.clone()).or_default();
            let rank = |example: &Example| {
                let is_heading = example.text.starts_with('[');
                (is_heading, example.text.chars().count(), example.clone())
            };
            if own.get(key).is_none_or(|kept| rank(&found) < rank(kept)) {
                own.insert(key.to_owned(), found);
            }
            self.value(schema, value, definition, at);
            at.pop();
        }
    }
}

/// A key and its value on a line, or the heading of a value that is larger.
fn written(key: &str, value: &Json, path: &str) -> String {
    let line = format!("{key} = {}", shape::literal(value));
    let is_list = value.as_array().and_then(|list| list.first());
    match (value, is_list) {
        _ if line.chars().count() <= LONGEST => line,
        (Json::Object(_), _) => format!("[{path}]"),
        (_, Some(Json::Object(_))) => format!("[[{path}]]"),
        _ => format!("{}…", line.chars().take(LONGEST).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;

    #[test]
    fn the_shortest_use_of_a_key_is_kept_and_large_tables_are_headings() {
        let schema = scenario::schema();
        let mut examples = Examples::default();
        let text = |warmup: &str| {
            format!(
                "question = \"q\"\n[run]\nduration = \"10s\"\nwarmup = \"{warmup}\"\n\
                 compare = [{{ kind = \"power-of-d\", d = 3 }}, \"random\", \"round-robin\", \
                 \"least-connections\"]"
            )
        };
        for (file, warmup) in [("a.toml", "1500ms"), ("b.toml", "2s")] {
            let scenario: Json = toml::from_str(&text(warmup)).unwrap();
            examples.take(schema, file, &scenario);
        }
        let of = |table: &str, key: &str| {
            let found = examples.of(table, key).unwrap();
            (found.text.as_str(), found.file.as_str())
        };
        assert_eq!(of("Run", "warmup"), ("warmup = \"2s\"", "b.toml"));
        assert_eq!(of("StrategyConfig/power-of-d", "d"), ("d = 3", "a.toml"));
        assert_eq!(of("", "run"), ("[run]", "a.toml"));
        assert_eq!(examples.of("Run", "seed"), None);
    }
}
