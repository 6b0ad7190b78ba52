//! What strategies are called where several are compared: as short as tells them apart.

use serde_json::Value;

use super::{Sight, StrategyConfig};

/// Values of a setting that a name shows at most; of more it only says how many they are.
const LISTED: usize = 8;

/// Settings that a [brief](StrategyConfig::brief) name shows at most.
const BRIEF: usize = 3;

/// So many settings are tried together; of more each that tells some apart is taken.
const TOGETHER: usize = 3;

/// What follows the name of an oracle.
const ORACLE: &str = " (oracle)";

/// A setting that is not at its default: its path, and its value as text.
type Said = (String, String);

impl StrategyConfig {
    /// The whole name: the kind, all settings that are not at their default, and `oracle` where it
    /// is one.
    ///
    /// ```
    /// use lbsim_strategies::strategy::{StrategyConfig, CATALOGUE};
    /// let entry = CATALOGUE.iter().find(|entry| entry.name == "power-of-d").unwrap();
    /// assert_eq!((entry.default)().label(), "power-of-d");
    /// let text = r#"{ "kind": "power-of-d", "d": 5 }"#;
    /// let five: StrategyConfig = serde_json::from_str(text).unwrap();
    /// assert_eq!(five.label(), "power-of-d (d=5)");
    /// ```
    pub fn label(&self) -> String {
        self.named(&texts(self))
    }

    /// The name with three settings at most, and how many more there are.
    pub fn brief(&self) -> String {
        let mut said = texts(self);
        if said.len() > BRIEF {
            let more = said.split_off(BRIEF).len();
            let parts: Vec<String> = said.iter().map(shown).collect();
            return self.with(&format!("{} and {more} more", parts.join(", ")));
        }
        self.named(&said)
    }

    /// The name with these settings.
    fn named(&self, said: &[Said]) -> String {
        let parts: Vec<String> = said.iter().map(shown).collect();
        self.with(&parts.join(", "))
    }

    fn with(&self, settings: &str) -> String {
        let oracle = match self.sight() {
            Sight::Oracle => ORACLE,
            _ => "",
        };
        match settings {
            "" => format!("{}{oracle}", self.name()),
            some => format!("{} ({some}){oracle}", self.name()),
        }
    }
}

/// The names in tables and charts of strategies that are compared: the kind, and where several are
/// of one kind the fewest settings that tell them apart, as far as these are not at their default.
/// Strategies that are equal have equal names, and no others.
///
/// ```
/// use lbsim_strategies::strategy::{StrategyConfig, short_names};
/// let all = r#"[
///     { "kind": "power-of-d" },
///     { "kind": "power-of-d", "d": 3 },
///     { "kind": "least-response-time", "decay": "1min" }
/// ]"#;
/// let all: Vec<StrategyConfig> = serde_json::from_str(all).unwrap();
/// assert_eq!(short_names(&all), ["power-of-d", "power-of-d (d=3)", "least-response-time"]);
/// ```
pub fn short_names(all: &[StrategyConfig]) -> Vec<String> {
    let said: Vec<Vec<Said>> = all.iter().map(texts).collect();
    let names = (0..all.len()).map(|at| {
        let kin: Vec<&[Said]> = (0..all.len())
            .filter(|&other| all[other].name() == all[at].name())
            .map(|other| said[other].as_slice())
            .collect();
        let telling = telling(&kin);
        let own = said[at]
            .iter()
            .filter(|(path, _)| telling.contains(&path.as_str()));
        all[at].named(&own.cloned().collect::<Vec<_>>())
    });
    let names: Vec<String> = names.collect();
    // What differs only in long lists of values, of which a name says how many they are.
    let numbered = names.iter().enumerate().map(|(at, name)| {
        let mut others: Vec<&StrategyConfig> = Vec::new();
        for earlier in (0..=at).filter(|&earlier| names[earlier] == *name) {
            if !others.contains(&&all[earlier]) {
                others.push(&all[earlier]);
            }
        }
        match others.iter().position(|other| **other == all[at]) {
            None | Some(0) => name.clone(),
            Some(place) => format!("{name} no. {}", place + 1),
        }
    });
    numbered.collect()
}

/// The fewest paths whose values tell all of these apart that differ at all, those that come first
/// in the settings before others.
fn telling<'a>(kin: &[&'a [Said]]) -> Vec<&'a str> {
    let mut paths: Vec<&str> = Vec::new();
    for (path, _) in kin.iter().copied().flatten() {
        if !paths.contains(&path.as_str()) && value_differs(kin, path) {
            paths.push(path);
        }
    }
    let most = kinds(kin, &paths);
    for size in 0..=TOGETHER.min(paths.len()) {
        let mut chosen: Vec<usize> = (0..size).collect();
        loop {
            let some: Vec<&str> = chosen.iter().map(|&at| paths[at]).collect();
            if kinds(kin, &some) == most {
                return some;
            }
            if !advance(&mut chosen, paths.len()) {
                break;
            }
        }
    }
    let mut some = Vec::new();
    for path in paths {
        let before = kinds(kin, &some);
        some.push(path);
        if kinds(kin, &some) == before {
            some.pop();
        }
    }
    some
}

fn value_differs(kin: &[&[Said]], path: &str) -> bool {
    kin.iter()
        .any(|own| value(own, path) != value(kin[0], path))
}

/// How many of these differ in what is at the paths.
fn kinds(kin: &[&[Said]], paths: &[&str]) -> usize {
    let mut seen: Vec<Vec<Option<&str>>> = kin
        .iter()
        .map(|own| paths.iter().map(|path| value(own, path)).collect())
        .collect();
    seen.sort();
    seen.dedup();
    seen.len()
}

fn value<'a>(said: &'a [Said], path: &str) -> Option<&'a str> {
    let own = said.iter().find(|(other, _)| other == path);
    own.map(|(_, value)| value.as_str())
}

/// The next choice of as many places out of `count`, in order; `false` after the last.
fn advance(chosen: &mut [usize], count: usize) -> bool {
    let size = chosen.len();
    let Some(at) = (0..size).rev().find(|&at| chosen[at] < count - size + at) else {
        return false;
    };
    chosen[at] += 1;
    for later in at + 1..size {
        chosen[later] = chosen[later - 1] + 1;
    }
    true
}

fn shown((path, value): &Said) -> String {
    format!("{path}={value}")
}

fn texts(strategy: &StrategyConfig) -> Vec<Said> {
    let said = strategy.said().into_iter();
    said.map(|(path, value)| (path, text(value))).collect()
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Array(values) if values.len() > LISTED => format!("{} values", values.len()),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::strategy::CATALOGUE;

    fn names(text: &str) -> Vec<String> {
        let all: Vec<StrategyConfig> = serde_json::from_str(text).unwrap();
        short_names(&all)
    }

    #[test]
    fn what_tells_apart_is_said_and_no_more() {
        let one = r#"[
            { "kind": "envoy-round-robin", "slow-start": { "window": "30s", "aggression": 2.0 } },
            { "kind": "random" }
        ]"#;
        assert_eq!(names(one), ["envoy-round-robin", "random"]);
        let two = r#"[
            { "kind": "envoy-round-robin", "slow-start": { "window": "30s", "aggression": 2.0 } },
            { "kind": "envoy-round-robin", "slow-start": { "window": "60s", "aggression": 2.0 } }
        ]"#;
        let [first, second] = &names(two)[..] else {
            panic!("two")
        };
        assert_eq!(first, "envoy-round-robin (slow-start.window=30s)");
        assert_eq!(second, "envoy-round-robin (slow-start.window=1min)");
    }

    #[test]
    fn two_settings_are_said_where_one_does_not_do() {
        let points = |on: &str, points: u32| {
            format!(r#"{{ "kind": "consistent-hashing", "on": "{on}", "points": {points} }}"#)
        };
        let four = [("key", 10), ("key", 20), ("address", 10), ("address", 20)];
        let four: Vec<String> = four.iter().map(|&(on, count)| points(on, count)).collect();
        let all = names(&format!("[{}]", four.join(",")));
        assert_eq!(all[3], "consistent-hashing (on=address, points=20)");
        let mut apart = all.clone();
        apart.sort();
        apart.dedup();
        assert_eq!(apart.len(), 4, "{all:?}");
    }

    #[test]
    fn a_brief_name_has_three_settings() {
        let text = r#"{ "kind": "envoy-round-robin", "slow-start": { "window": "30s",
            "aggression": 2.0, "min-weight-percent": 5.0 }, "seed": 7,
            "cluster": { "healthy-panic-threshold": 0.0 } }"#;
        let strategy: StrategyConfig = serde_json::from_str(text).unwrap();
        assert!(
            strategy.brief().ends_with(" and 2 more)"),
            "{}",
            strategy.brief()
        );
        assert!(strategy.label().len() > strategy.brief().len());
    }

    proptest! {
        /// Names are equal where strategies are, and nowhere else; a strategy that is alone of its
        /// kind has the name of its kind.
        #[test]
        fn names_are_unique(ds in prop::collection::vec((1u32..6, 0usize..3), 1..12)) {
            let all: Vec<StrategyConfig> = ds
                .iter()
                .map(|&(d, kind)| match kind {
                    0 => serde_json::json!({ "kind": "power-of-d", "d": d }),
                    1 => serde_json::json!({ "kind": "consistent-hashing", "points": d * 10, "on": if d > 3 { "key" } else { "address" } }),
                    _ => serde_json::json!({ "kind": "random" }),
                })
                .map(|value| serde_json::from_value(value).unwrap())
                .collect();
            let names = short_names(&all);
            for one in 0..all.len() {
                for other in 0..all.len() {
                    prop_assert_eq!(all[one] == all[other], names[one] == names[other], "{:?}", names);
                }
                let alone = all.iter().filter(|own| own.name() == all[one].name()).count() == 1;
                prop_assert!(!alone || names[one] == all[one].name());
            }
        }
    }

    #[test]
    fn all_of_the_catalogue_have_their_plain_names() {
        let all: Vec<StrategyConfig> = CATALOGUE.iter().map(|entry| (entry.default)()).collect();
        for (name, entry) in short_names(&all).iter().zip(CATALOGUE) {
            assert_eq!(name.trim_end_matches(ORACLE), entry.name);
        }
    }
}
