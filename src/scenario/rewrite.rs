//! A scenario's text with other values in a few places: comments, order and everything else stay as
//! they are.

use super::assign::steps_of;
use super::text::{Document, Node, PathStep, Stretch, Value, find};

/// Where a path leads.
enum Led<'a> {
    /// To a value that is written.
    Value(&'a Node),
    /// Into a table that does not have it: the table, and the steps that are left.
    Missing(&'a Node, &'a [PathStep]),
}

impl Document {
    /// What is written at a path such as `services.web.servers[0].weight`; `None` where nothing is.
    pub fn written(&self, path: &str) -> Option<&str> {
        match self.follow(&steps_of(path)?)? {
            Led::Value(node) => Some(self.text(&node.at)),
            Led::Missing(..) => None,
        }
    }

    /// The text of the file with each value put at its path: in place of what stands there, or as a
    /// new key. The second list names the paths that could not be written.
    pub fn rewritten(&self, changes: &[(String, String)]) -> (String, Vec<String>) {
        let text = &self.sources()[0].text;
        let mut edits: Vec<(std::ops::Range<usize>, String)> = Vec::new();
        let mut left = Vec::new();
        for (path, value) in changes {
            let steps = steps_of(path).unwrap_or_default();
            match self
                .follow(&steps)
                .and_then(|found| edit(text, &found, value))
            {
                Some(edit) => edits.push(edit),
                None => left.push(path.clone()),
            }
        }
        // From the end on, so that places before stay where they are.
        edits.sort_by_key(|(range, _)| std::cmp::Reverse((range.start, range.end)));
        let mut text = text.clone();
        for (range, new) in edits {
            text.replace_range(range, &new);
        }
        (text, left)
    }

    fn follow<'a>(&'a self, steps: &'a [PathStep]) -> Option<Led<'a>> {
        let mut node = self.root();
        for (at, step) in steps.iter().enumerate() {
            node = match (&node.value, step) {
                (Value::Table(entries), PathStep::Key(key)) => match find(entries, key) {
                    Some(i) => &entries[i].node,
                    None => return Some(Led::Missing(node, &steps[at..])),
                },
                (Value::Array(nodes), PathStep::Index(index)) => nodes.get(*index)?,
                (Value::Array(nodes), PathStep::Key(name)) => {
                    nodes.iter().find(|node| is_called(node, name))?
                }
                _ => return None,
            };
        }
        Some(Led::Value(node))
    }
}

fn is_called(node: &Node, name: &str) -> bool {
    let Value::Table(entries) = &node.value else {
        return false;
    };
    find(entries, "name")
        .is_some_and(|i| matches!(&entries[i].node.value, Value::String(own) if own == name))
}

/// What to put where; `None` where the file has no such place.
fn edit(text: &str, found: &Led<'_>, value: &str) -> Option<(std::ops::Range<usize>, String)> {
    let in_file = |stretch: &Stretch| stretch.source == 0;
    match found {
        Led::Value(node) => in_file(&node.at).then(|| (node.at.range.clone(), value.to_owned())),
        Led::Missing(table, steps) => {
            let Value::Table(entries) = &table.value else {
                return None;
            };
            let keys: Option<Vec<&str>> = steps
                .iter()
                .map(|step| match step {
                    PathStep::Key(key) => Some(key.as_str()),
                    PathStep::Index(_) => None,
                })
                .collect();
            let key = keys?.join(".");
            // Before the first key of the table that is written there: those with headers of their
            // own come after.
            let first = entries
                .iter()
                .map(|entry| &entry.key_at)
                .filter(|at| in_file(at) && at.range.start >= table.at.range.start)
                .min_by_key(|at| at.range.start)?;
            let at = first.range.start;
            let is_inline = text[table.at.range.clone()].starts_with('{');
            let new = if is_inline {
                format!("{key} = {value}, ")
            } else {
                let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
                let indent = &text[line..at];
                if !indent.trim().is_empty() {
                    return None;
                }
                format!("{key} = {value}\n{indent}")
            };
            Some((at..at, new))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_change_and_nothing_else() {
        let text = "\
# Ours.
[run]
seed = 1 # any

[[services]]
name = \"web\"
  [[services.servers]]
  name = \"fast\"
  weight = 3   # guessed
  [[services.servers]]
  # No weight yet.
  name = \"slow\"

[[services]]
name = \"db\"
servers = [{ name = 'a', weight = 2 }, { name = 'b' }]
";
        let (document, faults) = Document::parse("x.toml", text);
        assert!(faults.is_empty());
        assert_eq!(
            document.written("services.web.servers.fast.weight"),
            Some("3")
        );
        assert_eq!(document.written("services.web.servers.slow.weight"), None);
        let change = |path: &str, value: &str| (path.to_owned(), value.to_owned());
        let (new, left) = document.rewritten(&[
            change("services.web.servers.fast.weight", "17"),
            change("services[0].servers[1].weight", "5"),
            change("services.db.servers[0].weight", "1"),
            change("services.db.servers.b.weight", "9"),
            change("services.web.balancer.timeout", "\"2s\""),
            change("services.none.x", "1"),
        ]);
        assert_eq!(left, ["services.none.x"]);
        let expected = text
            .replace("weight = 3 ", "weight = 17 ")
            .replace("  name = \"slow\"", "  weight = 5\n  name = \"slow\"")
            .replace("weight = 2", "weight = 1")
            .replace("{ name = 'b' }", "{ weight = 9, name = 'b' }")
            .replacen(
                "name = \"web\"",
                "balancer.timeout = \"2s\"\nname = \"web\"",
                1,
            );
        assert_eq!(new, expected);
        let (again, faults) = Document::parse("x.toml", &new);
        assert!(faults.is_empty());
        assert_eq!(again.written("services.db.servers.b.weight"), Some("9"));
    }
}
