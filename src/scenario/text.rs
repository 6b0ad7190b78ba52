//! The text of a scenario as a tree in which every value knows where it was written.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::diagnostic::{Diagnostic, Place};
use super::runaway::{Runaway, runaway};
use crate::strategy::StrategyConfig;

/// The longest text that is read; nobody writes a longer one by hand.
pub(super) const LONGEST: usize = 1 << 20;
/// With more syntax errors than this in a text, nothing else in it is worth judging.
const MOST_ERRORS: usize = 100;
/// Brackets that are not closed and yet passed by.
const MOST_RUNAWAYS: usize = 10;

/// A text and the name it goes by in messages.
#[derive(Clone, Debug)]
pub struct Source {
    /// A file's name, or `--set`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// Some bytes of one of a document's sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Which of [`Document::sources`].
    pub source: usize,
    /// The bytes; both ends are character boundaries.
    pub range: Range<usize>,
}

impl Stretch {
    /// The stretch of `text` nearest to `range` that begins and ends between characters.
    pub(super) fn within(source: usize, text: &str, range: Range<usize>) -> Stretch {
        let boundary = |mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = boundary(range.start);
        let end = boundary(range.end).max(start);
        Stretch {
            source,
            range: start..end,
        }
    }
}

/// One step from a table or an array to what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PathStep {
    /// To the value of a table's key.
    Key(String),
    /// To an array's element, counted from 0.
    Index(usize),
}

/// The way from the top of a document to a value, e.g. `services[0].servers[1].count`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path(Vec<PathStep>);

impl Path {
    /// The top of the document.
    pub const fn root() -> Path {
        Path(Vec::new())
    }
    /// The path to the value of `key` in the table that `self` leads to.
    pub fn key(&self, key: impl Into<String>) -> Path {
        self.step(PathStep::Key(key.into()))
    }
    /// The path to element `index` of the array that `self` leads to.
    pub fn index(&self, index: usize) -> Path {
        self.step(PathStep::Index(index))
    }
    /// The steps from the top.
    pub fn steps(&self) -> &[PathStep] {
        &self.0
    }
    /// The path from its last key on: `servers[1]` of `services[0].servers[1]`.
    pub(super) fn tail(&self) -> Path {
        let last = self.0.iter().rposition(|s| matches!(s, PathStep::Key(_)));
        Path(self.0[last.unwrap_or(0)..].to_vec())
    }
    pub(super) fn step(&self, step: PathStep) -> Path {
        Path(self.0.iter().cloned().chain([step]).collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Key(key) => {
                    let dot = if i == 0 { "" } else { "." };
                    if !key.is_empty() && key.chars().all(is_bare) {
                        write!(f, "{dot}{key}")?;
                    } else {
                        write!(f, "{dot}{key:?}")?;
                    }
                }
                PathStep::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

pub(super) fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// A value and where it was written. A table written with a header is at its header.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where.
    pub at: Stretch,
    /// What.
    pub value: Value,
}

/// What TOML can say.
#[derive(Clone, Debug)]
pub enum Value {
    /// A string.
    String(String),
    /// An integer; beyond 128 bits it is the nearest that fits.
    Integer(i128),
    /// A float, which may be infinite or not a number.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A date, a time or both, which no scenario wants.
    Date,
    /// Values in order.
    Array(Vec<Node>),
    /// Keys and their values in order.
    Table(Vec<KeyValue>),
    /// What a syntax error made unreadable; it has been reported, and nothing more is said of it.
    Broken,
}

/// A key of a table with its value.
#[derive(Clone, Debug)]
pub struct KeyValue {
    /// The key.
    pub key: String,
    /// Where the key was written.
    pub key_at: Stretch,
    /// The value.
    pub node: Node,
}

/// A scenario's text with the overrides from the command line, read as far as it can be.
#[derive(Clone, Debug)]
pub struct Document {
    pub(super) sources: Vec<Arc<Source>>,
    pub(super) root: Node,
    whole: bool,
    /// What is compared after all that the text names: rules from outside, which it cannot name.
    pub(super) outside: Vec<StrategyConfig>,
    /// What stands in files that it names, by name: those that are not looked for on disk.
    pub(super) files: BTreeMap<String, Arc<[u8]>>,
}

impl Document {
    /// Reads `text`, which messages call `name`. Returns all its syntax errors, and the tree as far
    /// as it could be read.
    pub fn parse(name: &str, text: &str) -> (Document, Vec<Diagnostic>) {
        let mut document = Document {
            sources: vec![Arc::new(Source {
                name: name.to_owned(),
                text: if text.len() > LONGEST { "" } else { text }.to_owned(),
            })],
            root: Node {
                at: Stretch::within(0, text, 0..0),
                value: Value::Broken,
            },
            whole: false,
            outside: Vec::new(),
            files: BTreeMap::new(),
        };
        if text.len() > LONGEST {
            let message = format!(
                "the file has {} KiB; the longest that is read has {} KiB",
                text.len() / 1024,
                LONGEST / 1024
            );
            return (
                document,
                vec![Diagnostic::error("too-long", Path::root(), message)],
            );
        }
        let (entries, errors) = recover(text);
        let diagnostics = errors
            .iter()
            .take(MOST_ERRORS)
            .map(|(range, message)| syntax_error(0, text, range.clone(), message))
            .collect();
        document.whole = errors.is_empty();
        if errors.len() <= MOST_ERRORS {
            document.root.value = Value::Table(entries);
        }
        (document, diagnostics)
    }

    /// The document without the values of these keys at its top.
    pub fn without(&self, keys: &[&str]) -> Document {
        let root = match &self.root.value {
            Value::Table(entries) => {
                let rest = entries
                    .iter()
                    .filter(|entry| !keys.contains(&entry.key.as_str()));
                Value::Table(rest.cloned().collect())
            }
            other => other.clone(),
        };
        Document {
            sources: self.sources.clone(),
            root: Node {
                at: self.root.at.clone(),
                value: root,
            },
            whole: self.whole,
            outside: self.outside.clone(),
            files: self.files.clone(),
        }
    }

    /// The texts that the document was read from: the file, then the overrides.
    pub fn sources(&self) -> &[Arc<Source>] {
        &self.sources
    }

    /// The overrides, in order.
    pub fn changes(&self) -> Vec<String> {
        let overrides = self.sources.iter().skip(1);
        overrides.map(|source| source.text.clone()).collect()
    }

    /// The tree.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// Whether all of the text could be read. If not, what seems to be missing may be there.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// The text of a stretch.
    pub fn text(&self, at: &Stretch) -> &str {
        &self.sources[at.source].text[at.range.clone()]
    }

    /// Where the value at `path` was written; failing that, the nearest table or array above it.
    pub fn span(&self, path: &Path) -> Stretch {
        self.find(path).0
    }

    /// Where the key that `path` ends in was written; failing that, [`span`](Document::span).
    pub fn key_span(&self, path: &Path) -> Stretch {
        let (at, key_at) = self.find(path);
        key_at.unwrap_or(at)
    }

    fn find(&self, path: &Path) -> (Stretch, Option<Stretch>) {
        let mut node = &self.root;
        let mut key_at = None;
        for step in path.steps() {
            (node, key_at) = match (step, &node.value) {
                (PathStep::Key(key), Value::Table(entries)) => match find(entries, key) {
                    Some(i) => (&entries[i].node, Some(entries[i].key_at.clone())),
                    None => return (node.at.clone(), None),
                },
                (PathStep::Index(index), Value::Array(nodes)) => match nodes.get(*index) {
                    Some(node) => (node, None),
                    None => return (node.at.clone(), None),
                },
                _ => return (node.at.clone(), None),
            };
        }
        (node.at.clone(), key_at)
    }
}

pub(super) fn find(entries: &[KeyValue], key: &str) -> Option<usize> {
    entries.iter().position(|entry| entry.key == key)
}

/// A syntax error: where, and what the parser says.
pub(super) type Fault = (Range<usize>, String);

/// Reads `text` as far as it can be read, and returns all syntax errors in order, each place once.
fn recover(text: &str) -> (Vec<KeyValue>, Vec<Fault>) {
    recover_past(text, MOST_RUNAWAYS)
}

/// Like [`recover`], past so many brackets that are not closed.
fn recover_past(text: &str, runaways: usize) -> (Vec<KeyValue>, Vec<Fault>) {
    let (table, mut errors) = DeTable::parse_recoverable(text);
    // A bracket that is not closed comes first: what it swallowed is set aside, and a number stands
    // for it.
    if runaways > 0
        && !errors.is_empty()
        && let Some(Runaway { at, value }) = runaway(text)
    {
        let mut bytes = text.as_bytes().to_vec();
        bytes[value.start] = b'0';
        for byte in &mut bytes[value.start + 1..value.end] {
            *byte = if *byte == b'\n' { b'\n' } else { b' ' };
        }
        let (mut entries, mut faults) =
            recover_past(&String::from_utf8(bytes).unwrap_or_default(), runaways - 1);
        break_at(&mut entries, value.start);
        let bracket = &text[at..=at];
        faults.push((at..at + 1, format!("this `{bracket}` is never closed")));
        faults.sort_by_key(|fault| fault.0.start);
        return (entries, faults);
    }
    // The parser reads on after most errors but gives up at a key without a value: read again
    // without such lines, to judge also what comes after them. Blanks keep every byte's place.
    let mut blanked = text.as_bytes().to_vec();
    let lost = errors
        .iter()
        .filter(|e| e.message().starts_with("key with no value"));
    for at in lost.filter_map(|error| error.span()) {
        let (before, after) = blanked.split_at_mut(at.start.min(text.len()));
        let line_start = before
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |n| n + 1);
        let line_end = after
            .iter()
            .position(|b| *b == b'\n')
            .unwrap_or(after.len());
        before[line_start..].fill(b' ');
        after[..line_end].fill(b' ');
    }
    let blanked = String::from_utf8(blanked).unwrap_or_default();
    let table = if blanked == text {
        table
    } else {
        let (table, more) = DeTable::parse_recoverable(&blanked);
        errors.extend(more);
        table
    };
    let faults = in_order(errors);
    let reader = Reader {
        source: 0,
        offset: 0,
        text,
        faults: &faults,
    };
    let entries = reader.table(table.get_ref());
    (entries, faults)
}

/// Makes broken what was written at a place.
fn break_at(entries: &mut [KeyValue], place: usize) {
    for entry in entries {
        if entry.node.at.range.start == place {
            entry.node.value = Value::Broken;
        }
        match &mut entry.node.value {
            Value::Table(inner) => break_at(inner, place),
            Value::Array(nodes) => {
                for node in nodes {
                    if let Value::Table(inner) = &mut node.value {
                        break_at(inner, place);
                    }
                }
            }
            _ => {}
        }
    }
}

pub(super) fn in_order(errors: Vec<toml::de::Error>) -> Vec<Fault> {
    let mut faults: Vec<Fault> = errors
        .into_iter()
        .map(|error| (error.span().unwrap_or(0..0), error.message().to_owned()))
        .collect();
    faults.sort_by_key(|fault| (fault.0.start, fault.0.end));
    faults.dedup_by_key(|fault| fault.0.start);
    faults
}

/// Makes nodes of what the parser read.
pub(super) struct Reader<'a> {
    pub(super) source: usize,
    /// Where in the source the parsed text begins.
    pub(super) offset: usize,
    pub(super) text: &'a str,
    pub(super) faults: &'a [Fault],
}

impl Reader<'_> {
    fn at(&self, range: Range<usize>) -> Stretch {
        let range = range.start + self.offset..range.end + self.offset;
        Stretch::within(self.source, self.text, range)
    }

    fn table(&self, table: &DeTable<'_>) -> Vec<KeyValue> {
        let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
            // After a faulty header the parser may take a key from far below for the header's.
            let (name, holder) = (key.span(), value.span());
            let sound =
                name.end <= holder.start || holder.start <= name.start && name.end <= holder.end;
            sound.then(|| KeyValue {
                key: str::to_owned(AsRef::<str>::as_ref(
                    key.get_ref() as &std::borrow::Cow<'_, str>
                )),
                key_at: self.at(name),
                node: self.node(value),
            })
        };
        table.iter().filter_map(entry).collect()
    }

    pub(super) fn node(&self, value: &toml::Spanned<DeValue<'_>>) -> Node {
        let range = value.span();
        let value = match value.get_ref() {
            _ if self.faulty(range.end..range.end) => Value::Broken,
            DeValue::Table(table) => Value::Table(self.table(table)),
            DeValue::Array(nodes) => {
                Value::Array(nodes.iter().map(|node| self.node(node)).collect())
            }
            _ if self.faulty(range.clone()) => Value::Broken,
            DeValue::String(text) => Value::String(text.clone().into_owned()),
            DeValue::Boolean(value) => Value::Boolean(*value),
            DeValue::Datetime(_) => Value::Date,
            DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Integer(int) => {
                Value::Integer(i128::from_str_radix(int.as_str(), int.radix()).unwrap_or(
                    if int.as_str().starts_with('-') {
                        i128::MIN
                    } else {
                        i128::MAX
                    },
                ))
            }
        };
        Node {
            at: self.at(range),
            value,
        }
    }

    /// Whether a fault touches `range`.
    fn faulty(&self, range: Range<usize>) -> bool {
        let until = self
            .faults
            .partition_point(|fault| fault.0.start <= range.end);
        // Not the very last alone: a fault may reach over others that begin later.
        self.faults[..until]
            .iter()
            .rev()
            .take(3)
            .any(|fault| fault.0.end >= range.start)
    }
}

pub(super) fn syntax_error(
    source: usize,
    text: &str,
    range: Range<usize>,
    message: &str,
) -> Diagnostic {
    let at = Stretch::within(source, text, range);
    let found = &text[at.range.clone()];
    let (message, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let error = |message: &str| Diagnostic::error("syntax", Place::Text(at.clone()), message);
    match (message, expected) {
        ("string values must be quoted", _) if found.is_empty() => error("there is no value here"),
        ("string values must be quoted", _) => {
            error(message).help(format!("write {found:?}, with the quotes"))
        }
        ("recursion limit", _) => error("this is nested too deeply"),
        (_, "" | "nothing") => error(message),
        _ => error(message).label(format!("expected {expected}")),
    }
}
