//! YAML as a tree whose every node knows its bytes. JSON is YAML too.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Options, Parser, ScalarStyle, StructureStyle};

/// Nodes that aliases may copy in all, and how deep the tree may become by them: a few lines of
/// aliases to aliases would otherwise stand for more than memory holds.
const MOST_COPIES: usize = 500_000;
const DEEPEST: usize = 1_000;

/// A value.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Which file it stands in.
    pub file: usize,
    /// Its bytes, without anchor and tag.
    pub range: Range<usize>,
    /// Whether it stands in for an alias: its bytes are those of the anchor.
    pub copied: bool,
}

/// Kinds of values.
#[derive(Clone, Debug)]
pub(super) enum NodeKind {
    /// A scalar, and whether it is written without quotes.
    Scalar(String, bool),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, and whether it is written in braces.
    Map(Vec<Pair>, bool),
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// The key.
    pub name: String,
    /// The bytes of the key, its quotes among them.
    pub key: Range<usize>,
    /// The value.
    pub value: Node,
    /// Whether it comes from a merge key, `<<`.
    pub merged: bool,
}

/// What a text holds.
#[derive(Debug, Default)]
pub(super) struct Documents {
    /// The documents, but for empty ones.
    pub roots: Vec<Node>,
    /// The bytes of all that an alias refers to: what is written there holds at several places.
    pub shared: Vec<Range<usize>>,
    /// Keys that are written twice.
    pub twice: Vec<(String, Range<usize>)>,
}

/// Why a text is not YAML, and where.
#[derive(Debug)]
pub(super) struct Broken {
    /// Where.
    pub range: Range<usize>,
    /// Why.
    pub message: String,
}

impl Node {
    /// An empty mapping in place of what is left out, of the place of the mapping that might hold
    /// it.
    pub(super) fn nothing(within: &Node) -> Node {
        Node {
            kind: NodeKind::Map(Vec::new(), true),
            file: within.file,
            range: within.range.clone(),
            copied: true,
        }
    }

    /// The entries of a mapping; none of anything else.
    pub(super) fn entries(&self) -> &[Pair] {
        match &self.kind {
            NodeKind::Map(entries, _) => entries,
            _ => &[],
        }
    }

    /// The members of a sequence; none of anything else.
    pub(super) fn members(&self) -> &[Node] {
        match &self.kind {
            NodeKind::List(members) => members,
            _ => &[],
        }
    }

    /// The text of a scalar.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// Whether it is nothing, which is as good as left out.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.kind, NodeKind::Scalar(text, true) if matches!(text.as_str(), "" | "~" | "null"))
    }

    /// Whether it is a mapping.
    pub(super) fn is_map(&self) -> bool {
        matches!(self.kind, NodeKind::Map(..))
    }

    /// An entry of a mapping, of those of one name the last, unless there is nothing in it.
    ///
    /// Envoy reads the JSON form of its messages, in which `lb_policy` may also be written
    /// `lbPolicy`.
    pub(super) fn entry(&self, name: &str) -> Option<&Pair> {
        let entries = self.entries().iter();
        let mut named = entries.filter(|entry| same_name(&entry.name, name));
        let entry = named.next_back()?;
        (!entry.value.is_null()).then_some(entry)
    }

    /// The value of an entry.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.entry(name).map(|entry| &entry.value)
    }

    /// A value further down.
    pub(super) fn find(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    fn count(&self) -> usize {
        let below: usize = match &self.kind {
            NodeKind::Scalar(..) => 0,
            NodeKind::List(members) => members.iter().map(Node::count).sum(),
            NodeKind::Map(entries, _) => entries.iter().map(|entry| entry.value.count()).sum(),
        };
        below + 1
    }

    fn height(&self) -> usize {
        let below = match &self.kind {
            NodeKind::Scalar(..) => None,
            NodeKind::List(members) => members.iter().map(Node::height).max(),
            NodeKind::Map(entries, _) => entries.iter().map(|entry| entry.value.height()).max(),
        };
        below.unwrap_or(0) + 1
    }

    fn mark_copied(&mut self) {
        self.copied = true;
        match &mut self.kind {
            NodeKind::Scalar(..) => {}
            NodeKind::List(members) => members.iter_mut().for_each(Node::mark_copied),
            NodeKind::Map(entries, _) => entries
                .iter_mut()
                .for_each(|entry| entry.value.mark_copied()),
        }
    }
}

/// Whether a key is a name of a field, in either of its two spellings.
pub(super) fn same_name(written: &str, name: &str) -> bool {
    written == name || !written.contains('_') && written == camel(name)
}

/// `lb_policy` as `lbPolicy`.
pub(super) fn camel(name: &str) -> String {
    let mut upper = false;
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else {
            out.push(if upper { c.to_ascii_uppercase() } else { c });
            upper = false;
        }
    }
    out
}

/// A collection that is being read.
struct Open {
    node: Node,
    anchor: usize,
    /// The key whose value comes next, and whether it is to be ignored.
    key: Option<(Node, bool)>,
    /// Whether the collection is itself such a key's: tagged `!ignore`.
    ignored: bool,
}

struct Builder<'a> {
    text: &'a str,
    file: usize,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    copies: usize,
    documents: Documents,
}

/// Reads a text.
pub(super) fn parse(text: &str, file: usize) -> Result<Documents, Broken> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut builder = Builder {
        text,
        file,
        open: Vec::new(),
        anchors: HashMap::new(),
        copies: 0,
        documents: Documents::default(),
    };
    for next in Parser::new_from_str_with_options(text, options) {
        match next {
            Ok((event, span)) => {
                let range = span.byte_range().unwrap_or(text.len()..text.len());
                builder.take(event, range)?;
            }
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(text.len());
                return Err(Broken {
                    range: character(text, at),
                    message: format!("this is not YAML: {}", error.info()),
                });
            }
        }
    }
    Ok(builder.documents)
}

/// The character at a byte, or the end of the text.
fn character(text: &str, at: usize) -> Range<usize> {
    let mut start = at.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let next = text.get(start..).and_then(|rest| rest.chars().next());
    start..start + next.filter(|c| *c != '\n').map_or(0, char::len_utf8)
}

impl Builder<'_> {
    fn node(&self, kind: NodeKind, range: Range<usize>) -> Node {
        Node {
            kind,
            file: self.file,
            range,
            copied: false,
        }
    }

    fn take(&mut self, event: Event<'_>, range: Range<usize>) -> Result<(), Broken> {
        let ignored = event.tag().is_some_and(|tag| tag.original() == "!ignore");
        match event {
            Event::DocumentStart(..) => self.anchors.clear(),
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                let node = self.node(NodeKind::Scalar(text.into_owned(), plain), range);
                self.finish(node, anchor, ignored)?;
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(broken(range, "this alias stands within what it refers to"));
                };
                let mut node = node.clone();
                self.copies += node.count();
                if self.copies > MOST_COPIES || self.open.len() + node.height() > DEEPEST {
                    return Err(broken(range, "aliases stand for too much"));
                }
                self.documents.shared.push(node.range.clone());
                node.mark_copied();
                self.finish(node, 0, false)?;
            }
            Event::SequenceStart(_, anchor, _) => {
                let node = self.node(NodeKind::List(Vec::new()), range);
                self.begin(node, anchor, ignored);
            }
            Event::MappingStart(style, anchor, _) => {
                let flow = style == StructureStyle::Flow;
                let node = self.node(NodeKind::Map(Vec::new(), flow), range);
                self.begin(node, anchor, ignored);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(mut open) = self.open.pop() {
                    open.node.range.end = self.end(&open.node, range);
                    self.finish(open.node, open.anchor, open.ignored)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Where a collection ends: at its bracket, or, where it has none, with its last member.
    fn end(&self, node: &Node, last: Range<usize>) -> usize {
        let own = |node: &Node| (!node.copied).then_some(node.range.end);
        let inside = match &node.kind {
            NodeKind::Map(entries, false) => {
                let ends = entries.iter().filter(|entry| !entry.merged);
                ends.map(|entry| own(&entry.value).unwrap_or(entry.key.end))
                    .max()
            }
            NodeKind::List(members) if !self.text[node.range.start..].starts_with('[') => {
                members.iter().filter_map(own).max()
            }
            _ => Some(last.end),
        };
        inside.unwrap_or(node.range.end).max(node.range.start)
    }

    fn begin(&mut self, node: Node, anchor: usize, ignored: bool) {
        self.open.push(Open {
            node,
            anchor,
            key: None,
            ignored,
        });
    }

    /// Puts a value that is read to its end where it belongs.
    fn finish(&mut self, node: Node, anchor: usize, ignored: bool) -> Result<(), Broken> {
        if anchor != 0 {
            self.copies += node.count();
            if self.copies > MOST_COPIES {
                return Err(broken(node.range, "anchors hold too much"));
            }
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            if !node.is_null() {
                self.documents.roots.push(node);
            }
            return Ok(());
        };
        match &mut open.node.kind {
            NodeKind::List(members) => members.push(node),
            NodeKind::Scalar(..) => {}
            NodeKind::Map(entries, _) => match open.key.take() {
                None => open.key = Some((node, ignored)),
                // Envoy leaves out what has a key tagged so; it serves to hold anchors. (Envoy
                // 1.40, source/common/protobuf/yaml_utility.cc)
                Some((_, true)) => {}
                Some((key, false)) => {
                    let NodeKind::Scalar(name, plain) = key.kind else {
                        return Err(broken(key.range, "a key must be a text"));
                    };
                    if name == "<<" && plain {
                        merge(entries, &node);
                    } else {
                        let same = |entry: &Pair| !entry.merged && entry.name == name;
                        if entries.iter().any(same) {
                            let twice = (name.clone(), key.range.clone());
                            self.documents.twice.push(twice);
                        }
                        entries.retain(|entry| !(entry.merged && entry.name == name));
                        entries.push(Pair {
                            name,
                            key: key.range,
                            value: node,
                            merged: false,
                        });
                    }
                }
            },
        }
        Ok(())
    }
}

/// Takes over from `node`, a mapping or several, the entries whose names are not there yet.
fn merge(entries: &mut Vec<Pair>, node: &Node) {
    for map in std::iter::once(node).chain(node.members()) {
        for entry in map.entries() {
            if entries.iter().all(|other| other.name != entry.name) {
                let mut entry = entry.clone();
                entry.merged = true;
                entries.push(entry);
            }
        }
    }
}

fn broken(range: Range<usize>, message: &str) -> Broken {
    Broken {
        range,
        message: message.to_owned(),
    }
}
