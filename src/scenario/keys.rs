//! Every key of the format: where it stands, what it takes, and what it means.

use serde_json::Value as Json;

use super::examples::{Example, Examples, address};
use super::{reference, shape};

/// A key of a table.
#[derive(Clone, Debug)]
pub struct FormatKey<'a> {
    /// Where it may stand, as `--set` has it: `services.balancer.retry.max`. Of several places the
    /// first of the shortest.
    pub path: String,
    /// All places where it may stand.
    pub places: Vec<String>,
    /// The key.
    pub name: &'a str,
    /// The table that has it, as the reference calls it: `Health check`.
    pub table: String,
    /// Of a table with a `kind`: which kinds have it.
    pub kinds: Vec<&'a str>,
    /// What it takes, in words.
    pub takes: String,
    /// Whether the table must have it.
    pub required: bool,
    /// What holds where it is left out, as TOML; `None` for nothing, or for a table whose keys have
    /// defaults.
    pub default: Option<String>,
    /// What it means.
    pub meaning: &'a str,
    /// What it may be, and what that means, where that is one of a few names.
    pub values: Vec<(&'a str, &'a str)>,
    /// The definition of the table that it takes, where it takes one.
    pub definition: Option<&'a str>,
    /// How a scenario writes it.
    pub example: Option<&'static Example>,
}

/// All keys, table by table, in the order in which the tables are first met. `schema` is as
/// [`schema_for`](shape::schema_for) makes it.
pub fn keys(schema: &Json) -> Vec<FormatKey<'_>> {
    let mut places = TablePlaces {
        root: schema,
        of: vec![("", vec![String::new()])],
        way: Vec::new(),
    };
    places.table("", schema);
    let mut found = Vec::new();
    for (definition, paths) in &places.of {
        let table = match *definition {
            "" => schema,
            definition => &schema["$defs"][definition],
        };
        found.extend(of_table(schema, definition, table, paths));
    }
    found
}

/// What holds where a key is left out, as TOML.
pub(super) fn default(part: &Json) -> Option<String> {
    match part.get("default")? {
        Json::Null => None,
        // A whole table would not fit; each of its keys has its own.
        Json::Object(table) if !table.is_empty() => table.get("kind").map(shape::literal),
        value if value.is_f64() => Some(reference::number(value)),
        value => Some(shape::literal(value)),
    }
}

/// What a key means: as it says itself, or as what it refers to does.
pub(super) fn meaning<'a>(root: &'a Json, part: &'a Json) -> &'a str {
    match reference::text(part, "description") {
        "" => reference::text(shape::resolve(root, part), "description"),
        own => own,
    }
}

/// What a value is, in words.
pub(super) fn takes(root: &Json, part: &Json) -> String {
    let words = shape::describe(root, part);
    match reference::numbers(part) {
        Some(range) => format!("{words}, {range}"),
        None => words,
    }
}

/// Where tables may stand: all paths of each definition, but none through itself, in the order in
/// which they are first met.
struct TablePlaces<'a> {
    root: &'a Json,
    of: Vec<(&'a str, Vec<String>)>,
    /// The definitions on the way to where we are.
    way: Vec<&'a str>,
}

impl<'a> TablePlaces<'a> {
    fn table(&mut self, path: &str, schema: &'a Json) {
        for choice in shape::alternatives(self.root, schema) {
            for (name, part) in shape::properties(choice) {
                self.value(&joined(path, name), part);
            }
            self.value(path, choice);
        }
    }

    /// Notes a place of a definition; says whether it is new.
    fn note(&mut self, definition: &'a str, path: &str) -> bool {
        match self.of.iter_mut().find(|(own, _)| *own == definition) {
            Some((_, paths)) if paths.iter().any(|own| own == path) => return false,
            Some((_, paths)) => paths.push(path.to_owned()),
            None => self.of.push((definition, vec![path.to_owned()])),
        }
        true
    }

    /// The tables that a value has in it.
    fn value(&mut self, path: &str, part: &'a Json) {
        if let Some(definition) = shape::reference_name(part) {
            if self.way.contains(&definition) || !self.note(definition, path) {
                return;
            }
            self.way.push(definition);
            self.table(path, &self.root["$defs"][definition]);
            self.way.pop();
            return;
        }
        for choice in shape::alternatives(self.root, part) {
            let listed = shape::array(choice, "prefixItems").chain(choice.get("items"));
            for items in listed {
                self.value(path, items);
            }
            if let Some(values) = choice.get("additionalProperties") {
                self.value(&joined(path, "<name>"), values);
            }
        }
    }
}

fn joined(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    }
}

/// The keys of a table, which may stand at each of `paths`; what several of its kinds have alike is
/// one.
fn of_table<'a>(
    root: &'a Json,
    definition: &'a str,
    table: &'a Json,
    paths: &[String],
) -> Vec<FormatKey<'a>> {
    let mut found: Vec<FormatKey<'a>> = Vec::new();
    for choice in shape::alternatives(root, table) {
        let tag = shape::tag(choice);
        for (name, part) in shape::properties(choice) {
            if tag.is_some_and(|(tag, _)| tag == name) {
                continue;
            }
            let mut key = of_choice(root, (definition, choice), (name, part), paths);
            let kind = tag.map(|(_, kind)| kind);
            let alike = |own: &&mut FormatKey<'a>| {
                own.name == key.name
                    && own.meaning == key.meaning
                    && own.takes == key.takes
                    && own.default == key.default
            };
            match found.iter_mut().find(alike) {
                Some(own) => own.kinds.extend(kind),
                None => {
                    key.kinds.extend(kind);
                    found.push(key);
                }
            }
        }
    }
    found
}

fn of_choice<'a>(
    root: &'a Json,
    (definition, choice): (&'a str, &'a Json),
    (name, part): (&'a str, &'a Json),
    paths: &[String],
) -> FormatKey<'a> {
    let choices = shape::alternatives(root, part);
    let values = choices.into_iter().flat_map(|choice| {
        let names = match shape::tag(choice) {
            Some((_, kind)) => vec![kind],
            // Bare names are names of kinds.
            None if names_are_kinds(choice) => Vec::new(),
            None => shape::names(choice),
        };
        let means = reference::text(choice, "description");
        names.into_iter().map(move |name| (name, means))
    });
    let places: Vec<String> = paths.iter().map(|path| joined(path, name)).collect();
    let shortest = places.iter().min_by_key(|place| place.matches('.').count());
    FormatKey {
        path: shortest.cloned().unwrap_or_default(),
        places,
        name,
        table: match definition {
            "" => "The file".to_owned(),
            definition => reference::heading(definition),
        },
        kinds: Vec::new(),
        takes: takes(root, part),
        required: shape::required(choice).any(|must| must == name),
        default: default(part),
        meaning: meaning(root, part),
        values: values.collect(),
        definition: shape::reference_name(items(part)),
        example: Examples::known().of(&address(definition, choice), name),
    }
}

/// What a list is of; anything else is itself.
fn items(part: &Json) -> &Json {
    part.get("items").unwrap_or(part)
}

/// Whether the names that a schema lists are those of kinds that may be written bare.
fn names_are_kinds(choice: &Json) -> bool {
    reference::text(choice, "description") == shape::BARE
}

#[cfg(test)]
mod tests {
    use crate::scenario;

    #[test]
    fn each_key_has_its_path_its_default_and_its_values() {
        let keys = super::keys(scenario::schema());
        let of = |path: &str| keys.iter().find(|key| key.path == path).unwrap();
        let warmup = of("run.warmup");
        assert!(warmup.takes.contains("a time") && !warmup.required);
        assert_eq!(
            of("clients.retry.max").places,
            ["clients.retry.max", "services.balancer.retry.max"]
        );
        assert!(of("question").required && of("question").table == "The file");
        assert_eq!(of("run.replications").default.as_deref(), Some("10"));
        assert_eq!(of("run.judge-by").default.as_deref(), Some("\"mean\""));
        let in_flight = of("faults.in-flight");
        assert!(in_flight.kinds.contains(&"crash"), "{in_flight:?}");
        assert!(in_flight.values.iter().any(|(name, _)| *name == "lost"));
        assert_eq!(of("services.balancer.retry").definition, Some("Retry"));
        assert!(keys.len() > 500 && keys.iter().all(|key| !key.meaning.is_empty()));
    }
}
