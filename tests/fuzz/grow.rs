//! Scenarios that grow from a small one: values made after the schema are put in at random, and
//! stay where the reader takes them. Whatever the schema comes to know (a strategy, a distribution,
//! a fault, a setting) is in it without being named here.

use std::path::Path;

use lbsim::scenario::{Scenario, schema};
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde_json::{Map, Value, json};

/// What every scenario begins as: short, and not too much for a debug build.
fn seedling() -> Value {
    json!({
        "question": "?",
        "expect": "!",
        "run": { "duration": "2s", "warmup": "200ms", "replications": 2, "compare": ["round-robin", "least-connections"] },
        "clients": [{ "arrivals": { "kind": "poisson", "rate": "300/s" } }],
        "services": [{ "name": "web", "servers": [
            { "name": "a", "count": 2, "service": { "kind": "exponential", "mean": "5ms" } },
            { "name": "b", "service": { "kind": "exponential", "mean": "8ms" } },
        ] }],
    })
}

/// As [`seedling`], with a second tier: servers that call others.
fn tiers() -> Value {
    let mut scenario = seedling();
    scenario["services"][0]["steps"] =
        json!([{ "call": "db" }, { "work": { "kind": "exponential", "mean": "1ms" } }]);
    if let Some(services) = scenario["services"].as_array_mut() {
        services.push(json!({ "name": "db", "servers": [
            { "name": "a", "count": 2, "service": { "kind": "exponential", "mean": "4ms" } },
        ] }));
    }
    scenario
}

/// As [`seedling`], with sessions whose state is in a store, and a crash.
fn states() -> Value {
    let mut scenario = seedling();
    scenario["clients"][0]["sessions"] = json!({ "idle": "500ms", "writes": "50%" });
    scenario["clients"][0]["population"] = json!({ "kind": "generated", "count": 60 });
    scenario["services"][0]["state"] = json!({ "kind": "store", "service": "store" });
    scenario["services"][0]["balancer"] = json!({ "sticky": "cookie", "retry": { "max": 1 } });
    scenario["faults"] =
        json!([{ "kind": "crash", "servers": "web/a-1", "at": "1s", "lasts": "300ms" }]);
    if let Some(services) = scenario["services"].as_array_mut() {
        services.push(json!({ "name": "store", "servers": [
            { "name": "a", "count": 3, "service": { "kind": "exponential", "mean": "1ms" } },
        ] }));
    }
    scenario
}

/// How long a run takes is bounded by these, which stay as they are; files and sweeps have tests of
/// their own.
const KEPT: [&str; 12] = [
    "duration",
    "replications",
    "max-replications",
    "max-requests",
    "precision",
    "sweep",
    "measured",
    "tune",
    "variants",
    "question",
    "expect",
    "file",
];

pub(crate) struct Grower {
    rng: Xoshiro256PlusPlus,
    schema: Value,
}

impl Grower {
    pub(crate) fn new(seed: u64) -> Grower {
        Grower {
            rng: Xoshiro256PlusPlus::seed_from_u64(seed),
            schema: schema().clone(),
        }
    }

    /// A scenario that the reader takes.
    pub(crate) fn grow(&mut self) -> Value {
        let mut scenario = match self.rng.random_range(0..3) {
            0 => tiers(),
            1 => states(),
            _ => seedling(),
        };
        for _ in 0..60 {
            let mut other = scenario.clone();
            let schema = self.schema.clone();
            self.change(&mut other, &schema, 0);
            if text(&other).is_some_and(|text| accepts(&text)) {
                scenario = other;
            }
        }
        scenario
    }

    fn one_of<'v, T>(&mut self, from: &'v [T]) -> &'v T {
        &from[self.rng.random_range(0..from.len())]
    }

    fn chance(&mut self, one_in: u32) -> bool {
        self.rng.next_u32().is_multiple_of(one_in)
    }

    /// Follows a reference, and chooses one of several shapes: that of the kind that is there,
    /// where there is one.
    fn resolve(&mut self, schema: &Value, there: Option<&Value>) -> Value {
        let mut schema = schema.clone();
        for _ in 0..20 {
            if let Some(name) = schema["$ref"].as_str() {
                let name = name.rsplit('/').next().unwrap_or_default();
                schema = self.schema["$defs"][name].clone();
                continue;
            }
            let shapes = ["oneOf", "anyOf"].map(|word| schema[word].as_array().cloned());
            let Some(shapes) = shapes.into_iter().flatten().next() else {
                break;
            };
            let kind = there.map(|there| there["kind"].clone());
            let same = shapes.iter().find(|shape| {
                kind.as_ref().is_some_and(|kind| {
                    !kind.is_null() && shape["properties"]["kind"]["const"] == *kind
                })
            });
            let real: Vec<&Value> = shapes
                .iter()
                .filter(|shape| shape["type"] != "null")
                .collect();
            schema = match same {
                Some(same) => same.clone(),
                None => (*self.one_of(&real)).clone(),
            };
        }
        schema
    }

    /// Changes something within `value`.
    fn change(&mut self, value: &mut Value, schema: &Value, depth: u32) {
        let schema = self.resolve(schema, Some(value));
        match value {
            Value::Object(own) if !self.chance(6) || depth == 0 => {
                let Some(properties) = schema["properties"].as_object() else {
                    return;
                };
                let keys: Vec<&String> = properties
                    .keys()
                    .filter(|key| !KEPT.contains(&key.as_str()) && *key != "kind")
                    .collect();
                if keys.is_empty() {
                    return;
                }
                let key = (*self.one_of(&keys)).clone();
                match own.get_mut(&key) {
                    Some(inner) => self.change(inner, &properties[&key], depth + 1),
                    None => {
                        own.insert(key.clone(), self.made(&properties[&key], depth + 1));
                    }
                }
            }
            Value::Array(own) if !own.is_empty() => {
                let at = self.rng.random_range(0..own.len());
                if self.chance(3) && own.len() < 4 {
                    own.push(self.made(&schema["items"], depth + 1));
                } else {
                    self.change(&mut own[at], &schema["items"], depth + 1);
                }
            }
            _ => *value = self.made(&schema, depth + 1),
        }
    }

    /// A value of a shape.
    fn made(&mut self, schema: &Value, depth: u32) -> Value {
        let schema = self.resolve(schema, None);
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        if let Some(values) = schema["enum"].as_array() {
            let values: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
            return (*self.one_of(&values)).clone();
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds
                .iter()
                .filter_map(Value::as_str)
                .find(|kind| *kind != "null")
                .unwrap_or("string"),
            kind => kind.as_str().unwrap_or("string"),
        };
        let least = schema["minimum"].as_f64().unwrap_or(0.0);
        let most = schema["maximum"].as_f64().unwrap_or(1e9);
        match kind {
            "boolean" => json!(self.chance(2)),
            "integer" => {
                let number: f64 = *self.one_of(&[0.0, 1.0, 2.0, 3.0, 7.0, 40.0]);
                json!(number.clamp(least, most) as u64)
            }
            "number" => json!(
                self.one_of(&[0.0f64, 0.1, 0.5, 1.0, 2.5, 30.0])
                    .clamp(least, most)
            ),
            "array" => {
                let few = schema["minItems"].as_u64().unwrap_or(0).max(1);
                let count = self.rng.random_range(few..few + 2);
                (0..count)
                    .map(|_| self.made(&schema["items"], depth + 1))
                    .collect()
            }
            "object" => self.table(&schema, depth),
            _ => json!(self.word(&schema)),
        }
    }

    fn table(&mut self, schema: &Value, depth: u32) -> Value {
        let required: Vec<&str> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut table = Map::new();
        for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
            let wanted = required.contains(&key.as_str())
                || (depth < 6 && !KEPT.contains(&key.as_str()) && self.chance(4));
            if wanted {
                table.insert(key.clone(), self.made(inner, depth + 1));
            }
        }
        Value::Object(table)
    }

    fn word(&mut self, schema: &Value) -> String {
        let words: &[&str] = match schema["format"].as_str() {
            Some("duration") => &["0s", "1ms", "7ms", "30ms", "250ms", "900ms", "3s"],
            Some("warm-up") => &["0s", "300ms"],
            Some("share") => &["0%", "3%", "50%", "100%"],
            Some("rate") => &["1/s", "40/s", "400/s"],
            Some("bytes") => &["1KiB", "3MiB"],
            _ => &[
                "web",
                "a",
                "b",
                "web/a",
                "web/*",
                "web/b",
                "db",
                "db/a",
                "east",
                "x",
                "zone:east",
                "balancers:web",
                "web/1",
                "balancers:db/1",
                "clients:clients",
            ],
        };
        (*self.one_of(words)).to_owned()
    }
}

/// A scenario as its file has it.
pub(crate) fn text(scenario: &Value) -> Option<String> {
    toml::to_string(scenario).ok()
}

pub(crate) fn accepts(text: &str) -> bool {
    Scenario::parse(Path::new("fuzz.toml"), text, &[]).is_ok()
}

/// The least scenario that still fails, found by leaving out one thing after the other.
pub(crate) fn least(scenario: &Value, fails: &dyn Fn(&Value) -> bool) -> Value {
    let mut least = scenario.clone();
    'again: loop {
        for pointer in pointers(&least, String::new()) {
            let mut other = least.clone();
            take(&mut other, &pointer);
            if text(&other).is_some_and(|text| accepts(&text)) && fails(&other) {
                least = other;
                continue 'again;
            }
        }
        return least;
    }
}

fn pointers(value: &Value, prefix: String) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(own) => own
            .iter()
            .map(|(key, inner)| (key.clone(), inner))
            .collect(),
        Value::Array(own) => (0..own.len())
            .map(|at| (at.to_string(), &own[at]))
            .collect(),
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (key, inner) in inner {
        let path = format!("{prefix}/{}", key.replace('~', "~0").replace('/', "~1"));
        found.push(path.clone());
        found.extend(pointers(inner, path));
    }
    found
}

fn take(value: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        return;
    };
    match value.pointer_mut(parent) {
        Some(Value::Object(own)) => {
            own.remove(&key.replace("~1", "/").replace("~0", "~"));
        }
        Some(Value::Array(own)) => {
            if let Ok(at) = key.parse::<usize>() {
                own.remove(at);
            }
        }
        _ => {}
    }
}
