//! Checks a document against a JSON Schema and reports every fault once, where it is.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Number, Value as Json};

use super::diagnostic::{Diagnostic, Place};
use super::shape;
use super::text::{Document, KeyValue, Node, Path, Value};
use super::words;
use crate::units::parse_format;
use crate::{spelling, strategy};

/// After so many faults no further ones are reported.
const MOST_FAULTS: usize = 200;

/// Checks `document` against `schema`, a root schema as [`schema_for`](shape::schema_for) makes it.
///
/// Returns the document as JSON, with the bare name of a kind made the table that it stands for,
/// and all faults. Without faults (and without syntax errors) the JSON is valid under the schema;
/// with faults an example stands in for each value that is wrong or missing, so that the rest can
/// be checked further.
pub fn conform(document: &Document, schema: &Json) -> (Json, Vec<Diagnostic>) {
    let mut check = Conforming {
        document,
        root: schema,
        faults: Vec::new(),
    };
    let value = check.value(document.root(), schema, &Path::root());
    let mut faults = check.faults;
    if faults.len() > MOST_FAULTS {
        faults.truncate(MOST_FAULTS);
        let message = format!("there are more than {MOST_FAULTS} faults; the rest are not shown");
        faults.push(Diagnostic::error("too-many", Path::root(), message));
    }
    (value, faults)
}

/// Reads a conforming document into `T`.
///
/// # Errors
/// All faults of the document; or, if the schema takes what the type does not, what the type says.
pub fn read<T: serde::de::DeserializeOwned>(
    document: &Document,
    schema: &Json,
) -> Result<T, Vec<Diagnostic>> {
    let (value, faults) = conform(document, schema);
    if !faults.is_empty() {
        return Err(faults);
    }
    serde_json::from_value(value).map_err(|error| {
        vec![Diagnostic::error(
            "not-understood",
            Path::root(),
            error.to_string(),
        )]
    })
}

/// One kind of a tagged enum: the tag's key, the kind's name, and the kind's keys.
type Kind<'a> = (&'a str, &'a str, &'a Json);

pub(super) struct Conforming<'a> {
    pub(super) document: &'a Document,
    pub(super) root: &'a Json,
    faults: Vec<Diagnostic>,
}

impl<'a> Conforming<'a> {
    /// Checks one value and returns it as JSON.
    fn value(&mut self, node: &Node, schema: &'a Json, path: &Path) -> Json {
        if matches!(node.value, Value::Broken) {
            return Json::Null;
        }
        let all = shape::resolve(self.root, schema);
        let faults = self.faults.len();
        let value = match shape::alternatives(self.root, schema).as_slice() {
            [one] if shape::tag(one).is_none() && shape::names(one).is_empty() => {
                self.plain(node, one, path)
            }
            choices => self.choice(node, choices, schema, path),
        };
        if shape::array(all, "allOf").count() > 1 {
            for part in shape::array(all, "allOf") {
                self.value(node, part, path);
            }
        }
        if value.is_null() && self.faults.len() > faults {
            return shape::stand_in(self.root, schema);
        }
        value
    }

    /// Checks a value of which the schema has several forms, or a few names.
    fn choice(&mut self, node: &Node, choices: &[&'a Json], schema: &'a Json, path: &Path) -> Json {
        let kinds: Vec<Kind<'a>> = choices
            .iter()
            .filter_map(|choice| shape::tag(choice).map(|(tag, name)| (tag, name, *choice)))
            .collect();
        let names: Vec<&str> = choices
            .iter()
            .flat_map(|choice| shape::names(choice))
            .collect();
        let fitting: Vec<&'a Json> = choices
            .iter()
            .filter(|choice| shape::names(choice).is_empty() && shape::tag(choice).is_none())
            .filter(|choice| takes(choice, &node.value))
            .copied()
            .collect();
        match &node.value {
            Value::String(name) => {
                if let Some((tag, _, kind)) = kinds.iter().find(|(_, kind, _)| kind == name) {
                    let mut table = self.table(node, &[], kind, &kinds, path);
                    table.shift_insert(0, (*tag).to_owned(), name.as_str().into());
                    return Json::Object(table);
                }
                if names.contains(&name.as_str()) {
                    return name.as_str().into();
                }
                if fitting.is_empty() && !(kinds.is_empty() && names.is_empty()) {
                    let known = kinds.iter().map(|kind| kind.1).chain(names);
                    self.unknown_name(path, &subject(path), name, known);
                    return Json::Null;
                }
                if !names.is_empty() && fitting.iter().all(|own| means_a_name(own, name)) {
                    let known = names.iter().copied();
                    let fault = self.not_known(path, &subject(path), name, known);
                    let expected = shape::describe(self.root, schema);
                    self.report(fault.help(format!("expected {expected}")));
                    return Json::Null;
                }
            }
            Value::Table(entries) if !kinds.is_empty() => {
                let tagged = entries.iter().any(|entry| entry.key == kinds[0].0);
                if tagged || fitting.is_empty() {
                    return self.kind(node, entries, &kinds, path);
                }
            }
            _ => {}
        }
        match fitting.as_slice() {
            [] => self.mismatch(node, schema, path),
            [one] => self.plain(node, one, path),
            several => {
                let attempts = several.iter().map(|choice| {
                    let mut attempt = Conforming {
                        faults: Vec::new(),
                        ..*self
                    };
                    let value = attempt.plain(node, choice, path);
                    (value, attempt.faults)
                });
                let (value, faults) = attempts
                    .min_by_key(|(_, faults)| faults.len())
                    .unwrap_or_default();
                self.faults.extend(faults);
                value
            }
        }
    }

    /// Checks a table that is one of several kinds, each with keys of its own.
    fn kind(&mut self, node: &Node, entries: &[KeyValue], kinds: &[Kind<'a>], path: &Path) -> Json {
        let tag = kinds[0].0;
        let known = || kinds.iter().map(|kind| kind.1);
        let Some(entry) = entries.iter().find(|entry| entry.key == tag) else {
            let keys = entries.iter().map(|entry| entry.key.as_str());
            let belongs = |key: &str| kinds.iter().any(|(_, _, kind)| has(kind, key));
            let meant = spelling::nearest(tag, keys.filter(|key| !belongs(key)));
            let fault = match meant {
                Some(key) => Diagnostic::error(
                    "unknown-key",
                    Place::Key(path.key(key)),
                    format!("unknown key `{key}` in {}", subject(path)),
                )
                .label(format!("did you mean `{tag}`?")),
                None => Diagnostic::error(
                    "missing-key",
                    path,
                    format!("{} lacks `{tag}`", subject(path)),
                )
                .label(format!("`{tag}` says which kind it is")),
            };
            self.report(fault.help(format!("known kinds: {}", shape::list(known()))));
            return Json::Null;
        };
        match &entry.node.value {
            Value::String(name) => match kinds.iter().find(|(_, kind, _)| kind == name) {
                Some((_, _, kind)) => Json::Object(self.table(node, entries, kind, kinds, path)),
                None => {
                    self.unknown_name(
                        &path.key(tag),
                        &format!("`{tag}` of {}", subject(path)),
                        name,
                        known(),
                    );
                    Json::Null
                }
            },
            Value::Broken => Json::Null,
            _ => {
                let message = format!(
                    "`{tag}` of {} is {}; it must be one of {}",
                    subject(path),
                    self.found(&entry.node),
                    shape::list(known())
                );
                self.report(Diagnostic::error("wrong-type", path.key(tag), message));
                Json::Null
            }
        }
    }

    /// Checks a value against a schema that has but one form.
    fn plain(&mut self, node: &Node, schema: &'a Json, path: &Path) -> Json {
        if !takes(schema, &node.value) {
            return self.mismatch(node, schema, path);
        }
        let faults = self.faults.len();
        let value = match &node.value {
            Value::String(text) => {
                self.string(text, schema, path);
                text.as_str().into()
            }
            Value::Integer(number) => {
                let whole = shape::types(schema).contains(&"integer");
                self.bounds(node, *number as f64, whole.then_some(*number), schema, path);
                json_integer(*number)
            }
            Value::Float(number) if !number.is_finite() => {
                self.rule("not-finite", node, "a finite number", path);
                Json::Null
            }
            Value::Float(number) => {
                self.bounds(node, *number, None, schema, path);
                Number::from_f64(*number).map_or(Json::Null, Json::Number)
            }
            Value::Boolean(value) => Json::Bool(*value),
            Value::Array(nodes) => return self.array(node, nodes, schema, path),
            Value::Table(entries) => {
                return Json::Object(self.table(node, entries, schema, &[], path));
            }
            Value::Date | Value::Broken => Json::Null,
        };
        if self.faults.len() > faults {
            return Json::Null;
        }
        value
    }

    fn array(&mut self, node: &Node, nodes: &[Node], schema: &'a Json, path: &Path) -> Json {
        let limit = |keyword: &str| schema.get(keyword).and_then(Json::as_u64);
        let (least, most) = (
            limit("minItems").unwrap_or(0),
            limit("maxItems").unwrap_or(u64::MAX),
        );
        let len = nodes.len() as u64;
        if len < least || len > most {
            let rule = match (least, most) {
                (1, u64::MAX) => "at least one".to_owned(),
                (least, u64::MAX) => format!("at least {least}"),
                (0, most) => format!("at most {most}"),
                (least, most) if least == most => format!("{least}"),
                (least, most) => format!("from {least} to {most}"),
            };
            let count = if len == 0 {
                "no".to_owned()
            } else {
                len.to_string()
            };
            let plural = if len == 1 { "" } else { "s" };
            let message = format!(
                "{} has {count} element{plural}; it must have {rule}",
                subject(path)
            );
            self.report(Diagnostic::error(
                "out-of-range",
                Place::Text(node.at.clone()),
                message,
            ));
        }
        let first: Vec<&'a Json> = shape::array(schema, "prefixItems").collect();
        let faults = self.faults.len();
        let mut values: Vec<Json> = Vec::with_capacity(nodes.len());
        for (i, node) in nodes.iter().enumerate() {
            let item = first.get(i).copied().or_else(|| schema.get("items"));
            let value = self.value(node, item.unwrap_or(&Json::Bool(true)), &path.index(i));
            values.push(value);
        }
        if schema.get("uniqueItems") == Some(&Json::Bool(true)) && self.faults.len() == faults {
            let mut seen = HashMap::new();
            for (i, value) in values.iter().enumerate() {
                let earlier = *seen.entry(value.to_string()).or_insert(i);
                if earlier != i {
                    let message = format!("{} repeats an earlier element", subject(&path.index(i)));
                    self.report(
                        Diagnostic::error("repeated", path.index(i), message)
                            .also(path.index(earlier), "first here"),
                    );
                }
            }
        }
        Json::Array(values)
    }

    /// Checks the keys of a table that has but one form. `node` is what stands for the table in the
    /// text, be it a kind's bare name.
    fn table(
        &mut self,
        node: &Node,
        entries: &[KeyValue],
        schema: &'a Json,
        kinds: &[Kind<'a>],
        path: &Path,
    ) -> Map<String, Json> {
        let others = schema
            .get("additionalProperties")
            .or_else(|| schema.get("unevaluatedProperties"));
        let tag = shape::tag(schema).map(|(tag, _)| tag);
        let bare = matches!(node.value, Value::String(_));
        let present: HashSet<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        let has = |key: &str| present.contains(key);
        let mut missing: Vec<&str> = shape::required(schema)
            .filter(|key| !(has(key) || bare && tag == Some(key)))
            .collect();
        let mut values = Map::new();
        for key in &missing {
            let part = schema.get("properties").and_then(|all| all.get(*key));
            let part = part.unwrap_or(&Json::Bool(true));
            values.insert((*key).to_owned(), shape::stand_in(self.root, part));
        }
        for entry in entries {
            let at = path.key(&entry.key);
            if let Some(part) = schema.get("properties").and_then(|all| all.get(&entry.key)) {
                let value = self.value(&entry.node, part, &at);
                values.insert(entry.key.clone(), value);
            } else if others == Some(&Json::Bool(false)) {
                let known = || shape::properties(schema).map(|(key, _)| key);
                // Rather one that is not there yet.
                let meant = spelling::nearest(&entry.key, known().filter(|key| !has(key)))
                    .or_else(|| spelling::nearest(&entry.key, known()));
                missing.retain(|key| Some(*key) != meant);
                self.unknown_key(&entry.key, meant, schema, kinds, path);
            } else {
                if let Some(c) = words::unprintable(&entry.key) {
                    let message = format!(
                        "a name in {} has a character that cannot be printed, U+{:04X}",
                        subject(path),
                        u32::from(c)
                    );
                    self.report(Diagnostic::error(
                        "unprintable",
                        Place::Key(at.clone()),
                        message,
                    ));
                }
                let value = self.value(&entry.node, others.unwrap_or(&Json::Bool(true)), &at);
                values.insert(entry.key.clone(), value);
            }
        }
        // What a preset stands for, as far as it is not written.
        let preset = values.get("preset").and_then(Json::as_str);
        let stands_for = preset.and_then(|name| schema.get("x-presets")?.get(name)?.as_object());
        for (key, value) in stands_for.into_iter().flatten() {
            if !present.contains(key.as_str()) && !value.is_null() {
                values.insert(key.clone(), value.clone());
            }
        }
        if self.document.is_whole() && !missing.is_empty() {
            let examples: Vec<String> = missing
                .iter()
                .map(|key| {
                    let part = schema.get("properties").and_then(|all| all.get(*key));
                    format!(
                        "{key} = {}",
                        shape::example(self.root, part.unwrap_or(&Json::Bool(true)))
                    )
                })
                .collect();
            if let (true, Value::String(name), Some(tag)) = (bare, &node.value, tag) {
                let message = format!(
                    "{} of kind `{name}` needs {}",
                    subject(path),
                    shape::list(missing)
                );
                let fix = format!("write {{ {tag} = {name:?}, {} }}", examples.join(", "));
                self.report(
                    Diagnostic::error("missing-key", path, message)
                        .label("its bare name is not enough")
                        .help(fix),
                );
            } else {
                for (key, example) in missing.iter().zip(examples) {
                    let message = format!("{} lacks `{key}`", subject(path));
                    self.report(
                        Diagnostic::error("missing-key", path, message)
                            .help(format!("add e.g. `{example}`")),
                    );
                }
            }
        }
        values
    }

    fn unknown_key(
        &mut self,
        key: &str,
        meant: Option<&str>,
        schema: &Json,
        kinds: &[Kind<'a>],
        path: &Path,
    ) {
        let owner = match shape::tag(schema) {
            Some((_, kind)) => format!("{} of kind `{kind}`", subject(path)),
            None => subject(path),
        };
        let message = format!("unknown key `{}` in {owner}", short(key));
        let fault = Diagnostic::error("unknown-key", Place::Key(path.key(key)), message);
        let others: Vec<&str> = kinds
            .iter()
            .filter(|kind| has(kind.2, key))
            .map(|kind| kind.1)
            .collect();
        let fault = match meant {
            _ if !others.is_empty() => {
                fault.label(format!("a key of kind {}", shape::list(others)))
            }
            Some(meant) => fault.label(format!("did you mean `{meant}`?")),
            None => fault,
        };
        let known = shape::properties(schema).map(|(key, _)| key);
        self.report(fault.help(format!("known keys: {}", shape::list(known))));
    }

    fn unknown_name<'n>(
        &mut self,
        at: &Path,
        subject: &str,
        name: &str,
        known: impl Iterator<Item = &'n str> + Clone,
    ) {
        let fault = self.not_known(at, subject, name, known.clone());
        self.report(fault.help(format!("known names: {}", shape::list(known))));
    }

    /// A name that is not known, and which is meant.
    fn not_known<'n>(
        &self,
        at: &Path,
        subject: &str,
        name: &str,
        known: impl Iterator<Item = &'n str> + Clone,
    ) -> Diagnostic {
        let message = format!("{subject} is {}, which is not known", quoted(name));
        let fault = Diagnostic::error("unknown-name", at, message);
        // What products call their strategies is what people type.
        let meant = strategy::called(name).map(|entry| entry.name);
        let mut near: Vec<&str> = meant
            .filter(|meant| known.clone().any(|known| known == *meant))
            .collect();
        if near.is_empty() {
            near.extend(spelling::nearest(name, known.clone()));
        }
        match near.as_slice() {
            [] => fault,
            near => fault.label(format!("did you mean {}?", either(near))),
        }
    }

    pub(super) fn report(&mut self, fault: Diagnostic) {
        if self.faults.len() <= MOST_FAULTS {
            self.faults.push(fault);
        }
    }
}

/// Whether who writes a text means a name: it is no quantity of the schema's format, and does not
/// look like one either, for it has no digit.
fn means_a_name(schema: &Json, text: &str) -> bool {
    let format = schema.get("format").and_then(Json::as_str);
    let is_word = !text.is_empty() && !text.contains(|c: char| c.is_ascii_digit());
    is_word && format.is_some_and(|format| parse_format(format, text).is_err())
}

/// `a`, `a` or `b`, `a`, `b` or `c`.
fn either(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// What the value at `path` is called in messages.
pub(super) fn subject(path: &Path) -> String {
    match path.steps() {
        [] => "the file".to_owned(),
        _ => format!("`{}`", short(&path.tail().to_string())),
    }
}

fn has(schema: &Json, key: &str) -> bool {
    schema
        .get("properties")
        .is_some_and(|all| all.get(key).is_some())
}

pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", short(text))
}

/// The beginning of a long text.
pub(super) fn short(text: &str) -> String {
    let mut chars = text.chars();
    let start: String = chars
        .by_ref()
        .take(60)
        .map(|c| if c == '\n' { ' ' } else { c })
        .collect();
    if chars.next().is_some() {
        start + "…"
    } else {
        start
    }
}

/// Whether `schema` takes values of this type at all.
pub(super) fn takes(schema: &Json, value: &Value) -> bool {
    let types = shape::types(schema);
    let says = |name: &str| types.contains(&name);
    match value {
        Value::Date => false,
        _ if types.is_empty() => true,
        Value::String(_) => says("string"),
        Value::Integer(_) => says("integer") || says("number"),
        Value::Float(_) => says("number"),
        Value::Boolean(_) => says("boolean"),
        Value::Array(_) => says("array"),
        Value::Table(_) => says("object"),
        Value::Broken => true,
    }
}

fn json_integer(number: i128) -> Json {
    match (i64::try_from(number), u64::try_from(number)) {
        (Ok(number), _) => number.into(),
        (_, Ok(number)) => number.into(),
        _ => Number::from_f64(number as f64).map_or(Json::Null, Json::Number),
    }
}
