//! Which values differ between two scenarios, every default filled in.

use serde_json::{Map, Value};

/// A value that is not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedValue {
    /// Where it stands: `services.web.servers.fast.weight`.
    pub path: String,
    /// What it was, as a scenario would write it; `None` where it was not there.
    pub before: Option<String>,
    /// What it is; `None` where it is not there any more.
    pub after: Option<String>,
}

/// All values that differ, in the order of the keys of `before`, what is new behind them. Elements
/// of lists belong together by their `name`, strategies and the like by their `kind`, others by
/// place. What is of another `kind` is one change, not one for each of its settings.
pub fn changes(before: &Value, after: &Value) -> Vec<ChangedValue> {
    let mut found = Vec::new();
    values("", before, after, &mut found);
    found
}

fn values(path: &str, before: &Value, after: &Value, found: &mut Vec<ChangedValue>) {
    let of_one_kind = |one: &Map<_, _>, other: &Map<_, _>| one.get("kind") == other.get("kind");
    match (before, after) {
        _ if are_equal(before, after) => {}
        (Value::Object(one), Value::Object(other)) if of_one_kind(one, other) => {
            tables(path, one, other, found);
        }
        (Value::Array(one), Value::Array(other)) if is_of_tables(one) && is_of_tables(other) => {
            lists(path, one, other, found);
        }
        _ => found.push(ChangedValue {
            path: path.to_owned(),
            before: written(before),
            after: written(after),
        }),
    }
}

fn tables(
    path: &str,
    one: &Map<String, Value>,
    other: &Map<String, Value>,
    to: &mut Vec<ChangedValue>,
) {
    let inside = |key: &str| match path {
        "" => quoted(key),
        _ => format!("{path}.{}", quoted(key)),
    };
    for (key, before) in one {
        let after = other.get(key).unwrap_or(&Value::Null);
        values(&inside(key), before, after, to);
    }
    for (key, after) in other.iter().filter(|(key, _)| !one.contains_key(*key)) {
        values(&inside(key), &Value::Null, after, to);
    }
}

fn lists(path: &str, one: &[Value], other: &[Value], found: &mut Vec<ChangedValue>) {
    let Some((word, own, others)) = keys(one, other) else {
        let none = Value::Null;
        for at in 0..one.len().max(other.len()) {
            let (before, after) = (one.get(at), other.get(at));
            let place = format!("{path}[{at}]");
            values(
                &place,
                before.unwrap_or(&none),
                after.unwrap_or(&none),
                found,
            );
        }
        return;
    };
    let place = |key: &str| match word {
        "name" => format!("{path}.{}", quoted(key)),
        _ => format!("{path}[{key}]"),
    };
    for (at, key) in own.iter().enumerate() {
        let after = others.iter().position(|other| other == key);
        let after = after.map_or(&Value::Null, |at| &other[at]);
        values(&place(key), &one[at], after, found);
    }
    for (at, key) in others.iter().enumerate() {
        if !own.contains(key) {
            values(&place(key), &Value::Null, &other[at], found);
        }
    }
    // What stays may stand in another order, which rules that go round see.
    let kept = |list: &[String], by: &[String]| -> Vec<String> {
        let both = list.iter().filter(|key| by.contains(key));
        both.cloned().collect()
    };
    let (before, after) = (kept(&own, &others), kept(&others, &own));
    if before != after {
        found.push(ChangedValue {
            path: format!("{path} (order)"),
            before: Some(before.join(", ")),
            after: Some(after.join(", ")),
        });
    }
}

/// By what word elements of two lists are known, and what that is of each: their names, else their
/// kinds; `None` where these do not tell them apart. A single element on each side is the same one,
/// whatever it is called.
fn keys(one: &[Value], other: &[Value]) -> Option<(&'static str, Vec<String>, Vec<String>)> {
    if one.len() == 1 && other.len() == 1 {
        let name = one[0]["name"]
            .as_str()
            .filter(|_| other[0]["name"].is_string())?;
        return Some(("name", vec![name.to_owned()], vec![name.to_owned()]));
    }
    let by = |word: &str, list: &[Value]| -> Option<Vec<String>> {
        let names = list.iter().map(|own| own[word].as_str().map(str::to_owned));
        let names: Vec<String> = names.collect::<Option<_>>()?;
        let differ = (1..names.len()).all(|at| !names[..at].contains(&names[at]));
        differ.then_some(names)
    };
    ["name", "kind"]
        .into_iter()
        .find_map(|word| Some((word, by(word, one)?, by(word, other)?)))
}

fn is_of_tables(list: &[Value]) -> bool {
    list.iter().all(Value::is_object)
}

/// Whether two values say the same: a number is the same however it is written, and a key without a
/// value is one that is not there.
fn are_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| are_equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let covers = |a: &Map<String, Value>, b: &Map<String, Value>| {
                let same = |(key, value)| are_equal(value, b.get(key).unwrap_or(&Value::Null));
                a.iter().all(same)
            };
            covers(a, b) && covers(b, a)
        }
        _ => one == other,
    }
}

/// A key as a path has it.
fn quoted(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    match !key.is_empty() && key.chars().all(is_bare) {
        true => key.to_owned(),
        false => Value::from(key).to_string(),
    }
}

/// A value as a scenario would write it, texts without their quotes; `None` for what is not there.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        value => Some(inline(value)),
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::Array(list) => {
            let list: Vec<String> = list.iter().map(inline).collect();
            format!("[{}]", list.join(", "))
        }
        Value::Object(table) if table.is_empty() => "{}".to_owned(),
        Value::Object(table) => {
            let known = table.iter().filter(|(_, value)| !value.is_null());
            let entries = known.map(|(key, value)| format!("{} = {}", quoted(key), inline(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn between(before: Value, after: Value) -> Vec<(String, String, String)> {
        let text = |value: Option<String>| value.unwrap_or("-".to_owned());
        let found = changes(&before, &after).into_iter();
        found
            .map(|own| (own.path, text(own.before), text(own.after)))
            .collect()
    }

    fn row(path: &str, before: &str, after: &str) -> (String, String, String) {
        (path.to_owned(), before.to_owned(), after.to_owned())
    }

    #[test]
    fn values_are_found_by_the_names_of_things() {
        let before = json!({ "services": [{ "name": "web", "servers": [
            { "name": "slow", "weight": 1 }, { "name": "fast", "weight": 1, "gone": true },
        ] }] });
        let after = json!({ "services": [{ "name": "web", "servers": [
            { "name": "fast", "weight": 3, "new": "1s" }, { "name": "slow", "weight": 1.0 },
        ] }] });
        assert_eq!(
            between(before.clone(), after),
            [
                row("services.web.servers.fast.weight", "1", "3"),
                row("services.web.servers.fast.gone", "true", "-"),
                row("services.web.servers.fast.new", "-", "1s"),
                row("services.web.servers (order)", "slow, fast", "fast, slow"),
            ]
        );
        assert_eq!(between(before.clone(), before), []);
    }

    #[test]
    fn what_comes_and_goes_is_whole() {
        let before = json!({ "run": { "compare": [{ "kind": "random" }, { "kind": "ring", "points": 2 }] },
            "faults": [{ "kind": "crash", "at": "1s" }], "x": null });
        let after = json!({ "run": { "compare": [{ "kind": "ring", "points": 3 }, { "kind": "new", "a b": [1, "c"] }] },
            "faults": [{ "kind": "pause", "at": "1s" }, { "kind": "pause", "at": "2s" }] });
        assert_eq!(
            between(before, after),
            [
                row("run.compare[random]", "{ kind = \"random\" }", "-"),
                row("run.compare[ring].points", "2", "3"),
                row(
                    "run.compare[new]",
                    "-",
                    "{ kind = \"new\", \"a b\" = [1, \"c\"] }"
                ),
                row(
                    "faults[0]",
                    "{ kind = \"crash\", at = \"1s\" }",
                    "{ kind = \"pause\", at = \"1s\" }"
                ),
                row("faults[1]", "-", "{ kind = \"pause\", at = \"2s\" }"),
            ]
        );
    }

    #[test]
    fn a_single_thing_is_the_same_whatever_it_is_called() {
        let of = |name: &str| json!({ "clients": [{ "name": name, "rate": "1/s" }] });
        assert_eq!(
            between(of("a.b"), of("c")),
            [row("clients.\"a.b\".name", "a.b", "c")]
        );
        // One of a kind becomes one of another.
        let of = |kind: &str| json!({ "arrivals": { "kind": kind, "rate": "1/s" } });
        assert_eq!(
            between(of("a"), of("b")),
            [row(
                "arrivals",
                "{ kind = \"a\", rate = \"1/s\" }",
                "{ kind = \"b\", rate = \"1/s\" }"
            )]
        );
        let lists = between(json!({ "l": [1, 2] }), json!({ "l": [1, 3] }));
        assert_eq!(lists, [row("l", "[1, 2]", "[1, 3]")]);
    }
}
