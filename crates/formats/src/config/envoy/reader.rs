//! Values as Envoy's messages have them, with faults where they are none and notes on what is left
//! out.

use std::ops::{Range, RangeInclusive};

use super::tree::{Node, NodeKind, camel, same_name};
use crate::config::{Concerns, Fault, Note, Place, SourceFile};
use crate::spelling;

/// What has been read, and found in it.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The files.
    pub files: Vec<SourceFile>,
    /// What is wrong.
    pub faults: Vec<Fault>,
    /// What is not carried over.
    pub notes: Vec<Note>,
    /// Which pools the notes that come next are about.
    pub concerns: Concerns,
    /// What aliases refer to, file and bytes.
    pub shared: Vec<Place>,
}

/// The place of a node.
pub(super) fn place(node: &Node) -> Place {
    Place {
        file: node.file,
        range: node.range.clone(),
    }
}

impl Reader {
    /// The first line of a node: a cluster as a whole is too long to be shown.
    pub(super) fn at(&self, node: &Node) -> Place {
        self.first_line(node.file, node.range.clone())
    }

    fn first_line(&self, file: usize, range: Range<usize>) -> Place {
        let text = self.files.get(file).map_or("", |file| file.text.as_str());
        let part = text.get(range.clone()).unwrap_or_default();
        let line = part.lines().next().unwrap_or_default().trim_end();
        Place {
            file,
            range: range.start..range.start + line.len(),
        }
    }

    /// A key of a mapping, or the mapping where it has none of that name of its own.
    pub(super) fn key_at(&self, map: &Node, name: &str) -> Place {
        match map.entry(name) {
            Some(entry) => Place {
                file: entry.value.file,
                range: entry.key.clone(),
            },
            None => self.at(map),
        }
    }

    /// Something is wrong with a value.
    pub(super) fn fault(&mut self, node: &Node, message: impl Into<String>) {
        let fault = Fault::new(self.at(node), message);
        self.faults.push(fault);
    }

    /// Something is wrong with a value, and this mends it.
    pub(super) fn fault_help(
        &mut self,
        node: &Node,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let mut fault = Fault::new(self.at(node), message);
        fault.help = help;
        self.faults.push(fault);
    }

    /// Something is not carried over.
    pub(super) fn note(&mut self, at: Place, text: impl Into<String>) {
        let text = text.into();
        let concerns = self.concerns.clone();
        self.notes.push(Note { at, text, concerns });
    }

    /// A key of a mapping is not carried over, where it is there.
    pub(super) fn leave(&mut self, map: &Node, name: &str, why: &str) {
        if map.get(name).is_some() {
            let at = self.key_at(map, name);
            self.note(at, format!("`{name}` is left out: {why}."));
        }
    }

    /// Notes on all keys that are not among these.
    pub(super) fn leave_others(&mut self, map: &Node, what: &str, known: &[&str]) {
        for entry in map.entries() {
            let known = known.iter().any(|name| same_name(&entry.name, name));
            if !known && !entry.value.is_null() {
                let at = Place {
                    file: entry.value.file,
                    range: entry.key.clone(),
                };
                let name = &entry.name;
                self.note(
                    at,
                    format!("`{name}` of {what} is left out: a scenario has nothing for it."),
                );
            }
        }
    }

    /// A key that holds a mapping.
    pub(super) fn map<'n>(&mut self, map: &'n Node, name: &str) -> Option<&'n Node> {
        let node = map.get(name)?;
        if !node.is_map() {
            self.fault(node, format!("`{name}` must be a mapping"));
            return None;
        }
        Some(node)
    }

    /// The members of a key that holds a sequence. A single value stands for a sequence of one,
    /// which older versions of Envoy take.
    pub(super) fn list<'n>(&self, map: &'n Node, name: &str) -> &'n [Node] {
        match map.get(name) {
            None => &[],
            Some(node) if matches!(node.kind, NodeKind::List(_)) => node.members(),
            Some(node) => std::slice::from_ref(node),
        }
    }

    /// A key that holds a text.
    pub(super) fn text<'n>(&mut self, map: &'n Node, name: &str) -> Option<&'n str> {
        let node = map.get(name)?;
        if node.scalar().is_none() {
            self.fault(node, format!("`{name}` must be a text"));
        }
        node.scalar()
    }

    /// A key that holds a whole number, as such or in a wrapper: `{value: 3}`.
    pub(super) fn whole(&mut self, map: &Node, name: &str) -> Option<u32> {
        let node = unwrapped(map.get(name)?);
        let number = node.scalar().and_then(|text| text.parse().ok());
        if number.is_none() {
            self.fault(
                node,
                format!("`{name}` must be a whole number from 0 to {}", u32::MAX),
            );
        }
        number
    }

    /// A whole number within what a scenario takes: for others the nearest that it does.
    pub(super) fn whole_in(
        &mut self,
        map: &Node,
        name: &str,
        range: RangeInclusive<u32>,
    ) -> Option<toml::Value> {
        let number = self.whole(map, name)?;
        let nearest = number.clamp(*range.start(), *range.end());
        if nearest != number {
            let at = self.key_at(map, name);
            self.note(
                at,
                format!(
                    "`{name}: {number}` stands as {nearest}, the nearest that a scenario takes."
                ),
            );
        }
        Some(i64::from(nearest).into())
    }

    /// A key that holds a number: as such, as a percentage (`{value: 50}`), or with a default
    /// (`{default_value: 1.0}`). For one that a scenario does not take stands the nearest that it
    /// does.
    pub(super) fn number_in(
        &mut self,
        map: &Node,
        name: &str,
        range: RangeInclusive<f64>,
    ) -> Option<toml::Value> {
        let written = map.get(name)?;
        let node = unwrapped(written);
        if written.get("runtime_key").is_some() {
            let at = self.key_at(written, "runtime_key");
            self.note(
                at,
                format!("`runtime_key` of `{name}` is left out: its default value stands."),
            );
        }
        // An empty message is one whose value is 0.
        let number = match node.scalar() {
            None if node.is_map() && node.entries().is_empty() => Some(0.0),
            text => text.and_then(|text| text.parse::<f64>().ok()),
        };
        let Some(number) = number.filter(|number| number.is_finite()) else {
            self.fault(node, format!("`{name}` must be a number"));
            return None;
        };
        let nearest = number.clamp(*range.start(), *range.end());
        if nearest != number {
            let at = self.key_at(map, name);
            self.note(
                at,
                format!(
                    "`{name}: {number}` stands as {nearest}, the nearest that a scenario takes."
                ),
            );
        }
        Some(nearest.into())
    }

    /// A key that holds `true` or `false`.
    pub(super) fn truth(&mut self, map: &Node, name: &str) -> Option<bool> {
        let node = unwrapped(map.get(name)?);
        match node.scalar() {
            Some("true" | "True" | "TRUE") => Some(true),
            Some("false" | "False" | "FALSE") => Some(false),
            _ => {
                self.fault(node, format!("`{name}` must be true or false"));
                None
            }
        }
    }

    /// A key that holds a duration, in nanoseconds.
    pub(super) fn duration(&mut self, map: &Node, name: &str) -> Option<u64> {
        let node = map.get(name)?;
        let duration = node.scalar().and_then(nanoseconds);
        if duration.is_none() {
            self.fault_help(
                node,
                format!("`{name}` must be a duration"),
                Some("durations are seconds, such as `0.25s`".to_owned()),
            );
        }
        duration
    }

    /// A key that holds one of these words, in any case, or the number of one. (Envoy 1.40 reads
    /// enumerations so, source/common/protobuf/utility.cc.)
    pub(super) fn word<'w>(
        &mut self,
        map: &Node,
        name: &str,
        words: &[&'w str],
    ) -> Option<&'w str> {
        let node = map.get(name)?;
        let written = node.scalar().unwrap_or_default();
        let as_number = written.parse().ok().and_then(|at: usize| words.get(at));
        let plain = written.replace('-', "_").to_ascii_uppercase();
        let found = words.iter().find(|word| **word == plain).or(as_number);
        if found.is_none() {
            let help = spelling::did_you_mean(&plain, words.iter().copied())
                .unwrap_or_else(|| format!("there are {}", listed(words)));
            self.fault_help(
                node,
                format!("`{name}: {written}` is not known"),
                Some(help),
            );
        }
        found.copied()
    }

    /// Whether what stands at these bytes also stands elsewhere, by an alias.
    pub(super) fn is_shared(&self, file: usize, range: &Range<usize>) -> bool {
        let within = |place: &Place| {
            place.file == file && place.range.start <= range.start && range.end <= place.range.end
        };
        self.shared.iter().any(within)
    }
}

/// Words one after the other, without those that have no name.
fn listed(words: &[&str]) -> String {
    let named: Vec<&str> = words
        .iter()
        .filter(|word| !word.is_empty())
        .copied()
        .collect();
    named.join(", ")
}

/// What is in a wrapper, or the node itself.
pub(super) fn unwrapped(node: &Node) -> &Node {
    let inner = node.get("value").or_else(|| node.get("default_value"));
    inner.unwrap_or(node)
}

/// Nanoseconds of a duration as protocol buffers write it: seconds with at most nine decimals, and
/// an `s`.
fn nanoseconds(text: &str) -> Option<u64> {
    let seconds = text.strip_suffix('s')?;
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && part.is_empty() || !digits(whole) || !digits(part) || part.len() > 9 {
        return None;
    }
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let part: u64 = format!("{part:0<9}").parse().ok()?;
    whole.checked_mul(1_000_000_000)?.checked_add(part)
}

/// A duration as a scenario has it.
pub(super) fn time(nanoseconds: u64) -> toml::Value {
    let units = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)];
    let unit = units
        .iter()
        .find(|(_, size)| nanoseconds.is_multiple_of(*size));
    let (name, size) = unit.copied().unwrap_or(("ns", 1));
    format!("{}{name}", nanoseconds / size).into()
}

/// A key of a scenario: `choice_count` as `choice-count`.
pub(super) fn kebab(name: &str) -> String {
    name.replace('_', "-")
}

/// A name in the spelling that a file uses elsewhere.
pub(super) fn spelling(name: &str, like: &str) -> String {
    let snake = like.contains('_') || !like.contains(|c: char| c.is_ascii_uppercase());
    if snake { name.to_owned() } else { camel(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        let shown = |text| nanoseconds(text).map(|n| time(n).as_str().map(str::to_owned));
        let is = |text, wanted: &str| assert_eq!(shown(text), Some(Some(wanted.to_owned())));
        is("0.25s", "250ms");
        is("5s", "5s");
        is("0s", "0s");
        is(".5s", "500ms");
        is("1.000000001s", "1000000001ns");
        is("0.000025s", "25us");
        for wrong in [
            "",
            "s",
            ".s",
            "5",
            "5ms",
            "-1s",
            "1.0000000001s",
            "99999999999999999999s",
        ] {
            assert_eq!(nanoseconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn names_have_two_spellings() {
        assert!(same_name("lbPolicy", "lb_policy") && same_name("lb_policy", "lb_policy"));
        assert!(
            same_name("consecutive5xx", "consecutive_5xx") && !same_name("lbpolicy", "lb_policy")
        );
        assert_eq!(
            spelling("load_balancing_weight", "lbEndpoints"),
            "loadBalancingWeight"
        );
        assert_eq!(
            spelling("load_balancing_weight", "endpoint"),
            "load_balancing_weight"
        );
    }
}
