//! What a JSON Schema says of a value, and the schema of a type made fit to say it.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value as Json, json};

use crate::units::format_example;

/// What the schema says of the names of kinds that may stand alone.
pub(super) const BARE: &str = "A kind that needs no keys may be written as its name.";

/// The JSON Schema (2020-12) of `T`, one for the check, for editors and for the reference.
///
/// Differs from the derived one in three ways: a table takes no keys but those it names; each kind
/// of a tagged enum has its keys in one place, with the tag among them; and a kind without required
/// keys may be written as its bare name.
pub fn schema_for<T: JsonSchema>() -> Json {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    let derived = settings.into_generator().into_root_schema_for::<T>();
    let mut root = derived.to_value();
    let original = root.clone();
    tidy(&original, &mut root);
    forget_unused(&mut root);
    root
}

fn tidy(root: &Json, schema: &mut Json) {
    if let Json::Array(list) = schema {
        list.iter_mut().for_each(|item| tidy(root, item));
    }
    let Json::Object(object) = schema else {
        return;
    };
    for (keyword, part) in object.iter_mut() {
        match keyword.as_str() {
            "properties" | "$defs" => {
                if let Json::Object(parts) = part {
                    parts.values_mut().for_each(|part| tidy(root, part));
                }
            }
            "oneOf" | "anyOf" | "allOf" | "items" | "prefixItems" | "additionalProperties" => {
                tidy(root, part);
            }
            _ => {}
        }
    }
    if object.contains_key("properties") {
        inline_reference(root, object);
        let open = [
            "oneOf",
            "anyOf",
            "allOf",
            "additionalProperties",
            "unevaluatedProperties",
        ];
        if !open.iter().any(|keyword| object.contains_key(*keyword)) {
            object.insert("additionalProperties".to_owned(), Json::Bool(false));
        }
    }
    let bare: Vec<Json> = array(schema, "oneOf")
        .filter(|kind| is_bare(kind))
        .filter_map(|kind| tag(kind).map(|(_, name)| name.into()))
        .collect();
    if let Some(Json::Array(kinds)) = schema.get_mut("oneOf")
        && !bare.is_empty()
    {
        kinds.push(json!({
            "description": BARE,
            "type": "string",
            "enum": bare,
        }));
    }
}

/// Whether a kind may be written as its bare name: none of its keys is required, and it does not
/// need one of several.
pub(super) fn is_bare(kind: &Json) -> bool {
    required(kind).count() == 1 && kind.get("x-bare") != Some(&Json::Bool(false))
}

/// Replaces a reference beside properties, as a tagged newtype variant has it, by what it refers
/// to: `additionalProperties: false` on either side would refuse the keys of the other.
fn inline_reference(root: &Json, object: &mut Map<String, Json>) {
    let Some(target) = object
        .remove("$ref")
        .and_then(|r| definition(root, r.as_str()?).cloned())
    else {
        return;
    };
    let mut target = target;
    tidy(root, &mut target);
    let Json::Object(target) = target else {
        return;
    };
    for (keyword, part) in target {
        match (object.get_mut(&keyword), part) {
            (Some(Json::Object(own)), Json::Object(more)) => own.extend(more),
            (Some(Json::Array(own)), Json::Array(more)) => own.extend(more),
            (Some(_), _) => {}
            (None, part) => drop(object.insert(keyword, part)),
        }
    }
}

/// The presets of a table, and what each stands for where that is not so anyway: `fall = 2`.
pub fn presets(schema: &Json) -> impl Iterator<Item = (&str, String)> {
    let all = schema.get("x-presets").and_then(Json::as_object);
    all.into_iter().flatten().map(|(name, settings)| {
        let default = |key: &str| schema["properties"][key].get("default");
        let own = settings.as_object().into_iter().flatten();
        let said: Vec<String> = own
            .filter(|(key, value)| *key != "preset" && !value.is_null())
            .filter(|(key, value)| default(key) != Some(value))
            .map(|(key, value)| format!("`{key} = {}`", literal(value)))
            .collect();
        let said = match said.as_slice() {
            [] => "all as by default".to_owned(),
            some => some.join(", "),
        };
        (name.as_str(), said)
    })
}

/// Drops definitions that nothing refers to.
fn forget_unused(root: &mut Json) {
    loop {
        let text = root.to_string();
        let Some(Json::Object(defs)) = root.get_mut("$defs") else {
            return;
        };
        let before = defs.len();
        defs.retain(|name, _| text.contains(&format!("\"#/$defs/{name}\"")));
        if defs.len() == before {
            return;
        }
    }
}

fn definition<'a>(root: &'a Json, reference: &str) -> Option<&'a Json> {
    root.pointer(reference.strip_prefix('#')?)
}

/// What `schema` refers to, if it refers to something.
pub(super) fn resolve<'a>(root: &'a Json, schema: &'a Json) -> &'a Json {
    let mut schema = schema;
    for _ in 0..16 {
        match schema
            .get("$ref")
            .and_then(Json::as_str)
            .and_then(|r| definition(root, r))
        {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}

/// The name of the definition that `schema` refers to, also through an option.
pub(super) fn reference_name(schema: &Json) -> Option<&str> {
    let of = |schema: &'_ Json| -> Option<usize> { schema.get("$ref")?.as_str().map(|_| 0) };
    let target = match of(schema) {
        Some(_) => schema,
        None => array(schema, "anyOf").find(|branch| of(branch).is_some())?,
    };
    target.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

/// The alternatives that `schema` offers, null left out: TOML has none.
pub(super) fn alternatives<'a>(root: &'a Json, schema: &'a Json) -> Vec<&'a Json> {
    let mut found = Vec::new();
    collect(root, schema, 0, &mut found);
    found
}

fn collect<'a>(root: &'a Json, schema: &'a Json, depth: usize, found: &mut Vec<&'a Json>) {
    let schema = resolve(root, schema);
    let single = match schema.get("allOf").and_then(Json::as_array) {
        Some(all) if all.len() == 1 => Some("allOf"),
        _ => None,
    };
    match ["oneOf", "anyOf"]
        .into_iter()
        .find(|k| schema.get(k).is_some())
        .or(single)
    {
        Some(keyword) if depth < 16 => {
            array(schema, keyword).for_each(|branch| collect(root, branch, depth + 1, found));
        }
        _ if schema.get("type").and_then(Json::as_str) == Some("null") => {}
        _ => found.push(schema),
    }
}

/// The schemas in the list under `keyword`.
pub(super) fn array<'a>(schema: &'a Json, keyword: &str) -> impl Iterator<Item = &'a Json> {
    schema
        .get(keyword)
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
}

/// The keys that a table must have.
pub(super) fn required(schema: &Json) -> impl Iterator<Item = &str> {
    array(schema, "required").filter_map(Json::as_str)
}

/// The keys that a table may have, with their schemas.
pub(super) fn properties(schema: &Json) -> impl Iterator<Item = (&str, &Json)> {
    let properties = schema.get("properties").and_then(Json::as_object);
    properties
        .into_iter()
        .flatten()
        .map(|(key, schema)| (key.as_str(), schema))
}

/// The tag's key and the kind's name, if `schema` is one kind of a tagged enum.
pub(super) fn tag(schema: &Json) -> Option<(&str, &str)> {
    let must = |key: &str| required(schema).any(|r| r == key);
    properties(schema)
        .filter(|(key, _)| must(key))
        .find_map(|(key, schema)| Some((key, schema.get("const")?.as_str()?)))
}

/// The strings that `schema` lists as its only values.
pub(super) fn names(schema: &Json) -> Vec<&str> {
    array(schema, "enum")
        .chain(schema.get("const"))
        .filter_map(Json::as_str)
        .collect()
}

/// The JSON types that `schema` takes, null left out; none if it does not say.
pub(super) fn types(schema: &Json) -> Vec<&str> {
    let one = schema.get("type").and_then(Json::as_str);
    let several = array(schema, "type").filter_map(Json::as_str);
    one.into_iter()
        .chain(several)
        .filter(|t| *t != "null")
        .collect()
}

/// What `schema` takes, in words: `a whole number`, ``one of `red`, `green` ``.
pub(super) fn describe(root: &Json, schema: &Json) -> String {
    let mut choices: Vec<&str> = Vec::new();
    let mut words: Vec<String> = Vec::new();
    for schema in alternatives(root, schema) {
        let own = tag(schema).map_or_else(|| names(schema), |(_, name)| vec![name]);
        if own.is_empty() {
            words.push(describe_plain(schema));
        } else {
            choices.extend(own);
        }
    }
    if !choices.is_empty() {
        words.insert(0, format!("one of {}", list(choices)));
    }
    words.dedup();
    if words.is_empty() {
        "left out".to_owned()
    } else {
        words.join(" or ")
    }
}

fn describe_plain(schema: &Json) -> String {
    let format = schema
        .get("format")
        .and_then(Json::as_str)
        .and_then(format_example);
    if let (Some(title), Some(example)) = (schema.get("title").and_then(Json::as_str), format) {
        return format!("{title} such as \"{example}\"");
    }
    let words: Vec<&str> = types(schema)
        .into_iter()
        .map(|name| match name {
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "true or false",
            "array" => "an array",
            "object" => "a table",
            _ => "a string",
        })
        .collect();
    if words.is_empty() {
        "any value".to_owned()
    } else {
        words.join(" or ")
    }
}

/// `` `a`, `b`, `c` ``, each once, at most twelve of them.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    let quoted: Vec<String> = seen
        .iter()
        .take(12)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = match seen.len().saturating_sub(12) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    quoted.join(", ") + &more
}

/// A value that `schema` takes, as TOML, to show what may be written.
pub(super) fn example(root: &Json, schema: &Json) -> String {
    example_at(root, schema, 0)
}

/// A value that `schema` takes, where a wrong one stands or none.
pub(super) fn stand_in(root: &Json, schema: &Json) -> Json {
    let text = format!("value = {}", example(root, schema));
    let table: Option<Json> = toml::from_str(&text).ok();
    let value = table.map_or(Json::Null, |mut table| table["value"].take());
    // The bare name of a kind stands for a table.
    let kinds = alternatives(root, schema);
    let kind = kinds
        .iter()
        .find_map(|kind| tag(kind).filter(|(_, name)| value == *name));
    kind.map_or(value, |(tag, name)| serde_json::json!({ tag: name }))
}

fn example_at(root: &Json, schema: &Json, depth: usize) -> String {
    let given = array(schema, "examples")
        .next()
        .or_else(|| schema.get("default"));
    if let Some(value) = given.filter(|value| !value.is_null()) {
        return literal(value);
    }
    let choices = alternatives(root, schema);
    let bare = choices
        .iter()
        .find_map(|schema| names(schema).first().copied());
    if let Some(name) = bare {
        return format!("{name:?}");
    }
    let Some(schema) = choices.first().filter(|_| depth < 4) else {
        return "…".to_owned();
    };
    if let Some(value) = array(schema, "examples").next() {
        return literal(value);
    }
    let format = schema
        .get("format")
        .and_then(Json::as_str)
        .and_then(format_example);
    match types(schema).first() {
        Some(&"string") => format!("{:?}", format.unwrap_or("…")),
        Some(&"integer" | &"number") => match schema.get("minimum") {
            Some(minimum) => literal(minimum),
            None => "1".to_owned(),
        },
        Some(&"boolean") => "true".to_owned(),
        Some(&"array") => match schema.get("items") {
            Some(items) => format!("[{}]", example_at(root, items, depth + 1)),
            None => "[…]".to_owned(),
        },
        Some(&"object") => {
            let must = |key: &str| required(schema).any(|r| r == key);
            let pairs: Vec<String> = properties(schema)
                .filter(|(key, _)| must(key))
                .map(|(key, part)| format!("{key} = {}", example_at(root, part, depth + 1)))
                .collect();
            if pairs.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", pairs.join(", "))
            }
        }
        _ => "…".to_owned(),
    }
}

/// `value` as it is written in TOML.
pub(super) fn literal(value: &Json) -> String {
    match value {
        Json::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Json::Object(entries) => {
            let pairs: Vec<String> = entries
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| format!("{key} = {}", literal(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Json::Array(values) => {
            let values: Vec<String> = values.iter().map(literal).collect();
            format!("[{}]", values.join(", "))
        }
        other => other.to_string(),
    }
}
