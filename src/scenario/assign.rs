//! Overrides from the command line, put into the tree where the file's own values are.

use std::ops::Range;
use std::sync::Arc;

use toml::de::DeValue;

use super::diagnostic::{Diagnostic, Place};
use super::shape::list;
use super::text::{
    Document, Fault, KeyValue, LONGEST, Node, Path, PathStep, Reader, Source, Stretch, Value, find,
    in_order, is_bare, syntax_error,
};
use crate::prose::counted;
use crate::spelling::did_you_mean;

/// The longest path that an override may have.
const DEEPEST: usize = 32;
/// The index behind the last element of a list, written `[+]`.
const ONE_MORE: usize = usize::MAX;

impl Document {
    /// Puts a value from the command line into the tree: `run.duration=5min`,
    /// `services.web.servers[1].count=4`. An element of an array goes by its index or by its
    /// `name`; `faults[+]={ … }` adds one at its end. What does not read as a TOML value is taken
    /// as a string.
    ///
    /// # Errors
    /// A message that points into `assignment`; the tree is then as it was.
    pub fn set(&mut self, assignment: &str) -> Result<(), Box<Diagnostic>> {
        let source = self.sources.len();
        let text = if assignment.len() > LONGEST {
            ""
        } else {
            assignment
        };
        self.sources.push(Arc::new(Source {
            name: "--set".to_owned(),
            text: text.to_owned(),
        }));
        let place = |range| Place::Text(Stretch::within(source, text, range));
        let (steps, value_at) = split_assignment(text).map_err(|(range, message)| {
            let fault = Diagnostic::error("bad-override", place(range), message);
            Box::new(fault.help("write e.g. `run.duration=5min` or `services[0].name=web`"))
        })?;
        let value = assigned(source, text, value_at)?;
        let mut root = self.root.clone();
        let mut node = &mut root;
        let mut path = Path::root();
        for (i, (step, range)) in steps.iter().enumerate() {
            let at = Stretch::within(source, text, range.clone());
            let last = i + 1 == steps.len();
            let place = match (&node.value, step) {
                (Value::Array(nodes), PathStep::Index(ONE_MORE)) => PathStep::Index(nodes.len()),
                (_, PathStep::Index(ONE_MORE)) => PathStep::Index(0),
                _ => step.clone(),
            };
            node = descend(node, step, &at, last, &path)
                .map_err(|fault| Box::new(fault.at(Place::Text(at))))?;
            path = path.step(place);
        }
        *node = value;
        self.root = root;
        Ok(())
    }
}

/// The steps of a path; `None` where it is none.
pub(super) fn steps_of(path: &str) -> Option<Vec<PathStep>> {
    let (steps, _) = split_assignment(&format!("{path}=")).ok()?;
    Some(steps.into_iter().map(|(step, _)| step).collect())
}

/// The steps of `path=value`, each with its place, and where the value is.
type Assignment = (Vec<(PathStep, Range<usize>)>, Range<usize>);

fn split_assignment(text: &str) -> Result<Assignment, Fault> {
    let fault = |range, message: &str| Err((range, message.to_owned()));
    let mut steps: Vec<(PathStep, Range<usize>)> = Vec::new();
    let mut at = 0;
    loop {
        if steps.len() > DEEPEST {
            return fault(at..at, "the path has too many steps");
        }
        let rest = &text[at..];
        at += rest.len() - rest.trim_start().len();
        let rest = &text[at..];
        let end = |len: usize| at..at + len;
        let Some(first) = rest.chars().next() else {
            return fault(at..at, "there is no `=` with a value");
        };
        let expects_key = steps.is_empty() || text[..at].trim_end().ends_with('.');
        match first {
            '"' | '\'' if expects_key => {
                let Some(len) = rest[1..].find(first) else {
                    return fault(end(rest.len()), "this quote is not closed");
                };
                steps.push((PathStep::Key(rest[1..=len].to_owned()), end(len + 2)));
                at += len + 2;
            }
            c if expects_key && is_bare(c) => {
                let len = rest.find(|c| !is_bare(c)).unwrap_or(rest.len());
                steps.push((PathStep::Key(rest[..len].to_owned()), end(len)));
                at += len;
            }
            _ if expects_key => return fault(end(first.len_utf8()), "a key is expected here"),
            '[' => {
                let index = rest.find(']').map(|len| match rest[1..len].trim() {
                    "+" => (len, Ok(ONE_MORE)),
                    digits => (len, digits.parse()),
                });
                let Some((len, Ok(index))) = index else {
                    return fault(end(1), "an index is a number in brackets, e.g. `[0]`");
                };
                steps.push((PathStep::Index(index), end(len + 1)));
                at += len + 1;
            }
            '.' => at += 1,
            '=' => return Ok((steps, at + 1..text.len())),
            c => return fault(end(c.len_utf8()), "`.`, `[` or `=` is expected here"),
        }
    }
}

/// The value of an override.
fn assigned(source: usize, text: &str, range: Range<usize>) -> Result<Node, Box<Diagnostic>> {
    let value = text[range.clone()].trim();
    let offset = range.start + (text[range.clone()].len() - text[range].trim_start().len());
    let at = Stretch::within(source, text, offset..offset + value.len());
    if value.is_empty() {
        let fault = Diagnostic::error(
            "bad-override",
            Place::Text(at),
            "there is no value after `=`",
        );
        return Err(Box::new(fault.help("write `\"\"` for an empty string")));
    }
    let (parsed, errors) = DeValue::parse_recoverable(value);
    let faults = in_order(errors);
    match faults.first() {
        None => Ok(Reader {
            source,
            offset,
            text,
            faults: &faults,
        }
        .node(&parsed)),
        Some((range, message)) if value.starts_with(['"', '\'', '[', '{']) => {
            let range = range.start + offset..range.end + offset;
            Err(Box::new(syntax_error(source, text, range, message)))
        }
        Some(_) => Ok(Node {
            at,
            value: Value::String(value.to_owned()),
        }),
    }
}

/// The node one step below `node`. What does not exist yet becomes a table, and the bare name of a
/// kind becomes the table of that kind.
fn descend<'a>(
    node: &'a mut Node,
    step: &PathStep,
    at: &Stretch,
    last: bool,
    path: &Path,
) -> Result<&'a mut Node, Box<Diagnostic>> {
    let fault = |message: String| {
        Err(Box::new(Diagnostic::error(
            "bad-override",
            Path::root(),
            message,
        )))
    };
    let kind = match &node.value {
        Value::String(kind) if matches!(step, PathStep::Key(_)) => Some(kind.clone()),
        _ => None,
    };
    if let Some(kind) = kind {
        let kind = Node {
            at: node.at.clone(),
            value: Value::String(kind),
        };
        let key_at = at.clone();
        node.at = at.clone();
        node.value = Value::Table(vec![KeyValue {
            key: "kind".to_owned(),
            key_at,
            node: kind,
        }]);
    }
    if matches!(node.value, Value::Broken) {
        node.value = Value::Table(Vec::new());
    }
    // A list that is not written yet came to be as a table just now.
    let is_new = matches!(&node.value, Value::Table(entries) if entries.is_empty());
    if is_new && *step == PathStep::Index(ONE_MORE) {
        node.value = Value::Array(Vec::new());
    }
    match (&mut node.value, step) {
        (Value::Array(nodes), PathStep::Index(ONE_MORE)) => {
            nodes.push(Node {
                at: at.clone(),
                value: Value::Table(Vec::new()),
            });
            let last = nodes.len() - 1;
            Ok(&mut nodes[last])
        }
        (Value::Table(entries), PathStep::Key(key)) => {
            let i = find(entries, key).unwrap_or_else(|| {
                let node = Node {
                    at: at.clone(),
                    value: Value::Table(Vec::new()),
                };
                entries.push(KeyValue {
                    key: key.clone(),
                    key_at: at.clone(),
                    node,
                });
                entries.len() - 1
            });
            if last {
                entries[i].key_at = at.clone();
            }
            Ok(&mut entries[i].node)
        }
        (Value::Array(nodes), PathStep::Index(index)) => match nodes.len() {
            0 => fault(format!("`{path}` is empty")),
            len if *index < len => Ok(&mut nodes[*index]),
            len => fault(format!(
                "`{path}` has {}, counted from 0; there is no [{index}]",
                counted(len as u64, "element")
            )),
        },
        (Value::Array(nodes), PathStep::Key(name)) => {
            let names: Vec<&str> = nodes.iter().filter_map(name_of).collect();
            match nodes.iter().position(|node| name_of(node) == Some(name)) {
                Some(i) => Ok(&mut nodes[i]),
                None => {
                    let message = format!("`{path}` has no element whose name is `{name}`");
                    let fault = Diagnostic::error("bad-override", Path::root(), message);
                    Err(Box::new(match did_you_mean(name, names.iter().copied()) {
                        Some(question) => fault.label(question),
                        None if names.is_empty() => {
                            fault.help("give the element by its index, e.g. `[0]`")
                        }
                        None => fault.help(format!("known names: {}", list(names))),
                    }))
                }
            }
        }
        (Value::Table(_), PathStep::Index(_)) => {
            fault(format!("`{path}` is a table; it has keys, not indexes"))
        }
        _ => fault(format!("`{path}` is one value; there is nothing inside it")),
    }
}

fn name_of(node: &Node) -> Option<&str> {
    let Value::Table(entries) = &node.value else {
        return None;
    };
    match &entries[find(entries, "name")?].node.value {
        Value::String(name) => Some(name),
        _ => None,
    }
}
