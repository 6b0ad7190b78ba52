//! What is wrong with a scenario and where, for people to read and for editors to place.

use std::fmt::Write;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use super::text::{Document, Path, PathStep, Stretch};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The scenario cannot be run.
    Error,
    /// The scenario can be run but is probably not what was meant.
    Warning,
}

/// What a diagnostic points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The value at a path, or the nearest table above it if there is none.
    Value(Path),
    /// The key that a path ends in.
    Key(Path),
    /// Some text.
    Text(Stretch),
}

impl Place {
    /// The path, where it is one.
    fn path(&self) -> Option<&Path> {
        match self {
            Place::Value(path) | Place::Key(path) => Some(path),
            Place::Text(_) => None,
        }
    }
}

impl From<Path> for Place {
    fn from(path: Path) -> Place {
        Place::Value(path)
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Place {
        Place::Value(path.clone())
    }
}

impl Place {
    /// The text that is meant.
    pub fn stretch(&self, document: &Document) -> Stretch {
        match self {
            Place::Value(path) => document.span(path),
            Place::Key(path) => document.key_span(path),
            Place::Text(stretch) => stretch.clone(),
        }
    }
}

/// One fault of a scenario.
///
/// The message says which value breaks which rule (``"`replications` is 0; it must be at least
/// 1"``), the label what stands at the place, the help how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The name of the rule that is broken, e.g. `unknown-key`.
    pub code: &'static str,
    /// The field, its value, and the rule.
    pub message: String,
    /// Where.
    pub at: Place,
    /// What is at the place; may be empty.
    pub label: String,
    /// How to mend it.
    pub help: Option<String>,
    /// A second place that matters, and why.
    pub also: Option<(Place, String)>,
}

impl Diagnostic {
    /// An error at `at`.
    pub fn error(
        code: &'static str,
        at: impl Into<Place>,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            at: at.into(),
            label: String::new(),
            help: None,
            also: None,
        }
    }

    /// A warning at `at`.
    pub fn warning(
        code: &'static str,
        at: impl Into<Place>,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(code, at, message)
        }
    }

    /// The same elsewhere.
    #[must_use]
    pub fn at(self, at: impl Into<Place>) -> Diagnostic {
        Diagnostic {
            at: at.into(),
            ..self
        }
    }

    /// Says what is at the place.
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Diagnostic {
        Diagnostic {
            label: label.into(),
            ..self
        }
    }

    /// Says how to mend it.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Diagnostic {
        Diagnostic {
            help: Some(help.into()),
            ..self
        }
    }

    /// Points also at a second place.
    #[must_use]
    pub fn also(self, at: impl Into<Place>, label: impl Into<String>) -> Diagnostic {
        Diagnostic {
            also: Some((at.into(), label.into())),
            ..self
        }
    }
}

/// The text that stands in for one that is missing, as a message quotes it.
const STANDS_IN: &str = "`…`";

/// Adds those of the `further` faults that do not follow from the ones already found: none that
/// stands where one of those stands, above it or below it; and no name that is not known where a
/// wrong name or number may be why.
pub(super) fn add_further(found: &mut Vec<Diagnostic>, further: Vec<Diagnostic>) {
    let paths: Vec<&Path> = found.iter().filter_map(|fault| fault.at.path()).collect();
    if paths.len() < found.len() {
        return;
    }
    let names_are_right = !paths.iter().any(|path| {
        matches!(path.steps().last(), Some(PathStep::Key(key)) if key == "name" || key == "count")
    });
    let messages: Vec<String> = found.iter().map(|fault| fault.message.clone()).collect();
    let on_the_way = |a: &Path, b: &Path| a.steps().iter().zip(b.steps()).all(|(a, b)| a == b);
    let own = |fault: &Diagnostic| {
        let place = fault.at.path();
        // What stands in for a text that is missing is nobody's name.
        let stands_in = fault.message.contains(STANDS_IN);
        // What is wrong with the file is wrong with each variant of it.
        let is_said = messages
            .iter()
            .any(|message| fault.message.ends_with(message.as_str()));
        !stands_in
            && !is_said
            && place.is_some_and(|at| !paths.iter().any(|path| on_the_way(path, at)))
            && (names_are_right || !matches!(fault.code, "unknown-name" | "repeated"))
    };
    let further: Vec<Diagnostic> = further.into_iter().filter(own).collect();
    found.extend(further);
}

/// Whether any of `diagnostics` forbids to run the scenario.
pub fn any_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|d| d.severity == Severity::Error)
}

/// The diagnostics with their places found, in the order of the text.
fn in_order<'a>(
    document: &Document,
    diagnostics: &'a [Diagnostic],
) -> Vec<(Stretch, &'a Diagnostic)> {
    let mut placed: Vec<_> = diagnostics
        .iter()
        .map(|d| (d.at.stretch(document), d))
        .collect();
    placed.sort_by_key(|(at, _)| (at.source, at.range.start));
    placed
}

/// The diagnostics as text for a terminal, in the order of the file, with a last line that counts
/// them. Empty if there are none.
pub fn render(document: &Document, diagnostics: &[Diagnostic], colour: bool) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let placed = in_order(document, diagnostics);
    let mut out = String::new();
    for (at, diagnostic) in &placed {
        out.push_str(&renderer.render(&[group(document, at, diagnostic)]));
        out.push_str("\n\n");
    }
    out.push_str(&summary(document, &placed));
    out.push('\n');
    out
}

fn group<'a>(document: &'a Document, at: &Stretch, diagnostic: &'a Diagnostic) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let also = diagnostic
        .also
        .as_ref()
        .map(|(place, text)| (place.stretch(document), text.as_str()));
    let mut here = vec![(
        AnnotationKind::Primary,
        at.clone(),
        diagnostic.label.as_str(),
    )];
    let mut elsewhere = Vec::new();
    if let Some((place, text)) = also {
        let list = if place.source == at.source {
            &mut here
        } else {
            &mut elsewhere
        };
        list.push((AnnotationKind::Context, place, text));
    }
    let title = level
        .primary_title(printable(&diagnostic.message))
        .id(diagnostic.code);
    let mut group = title.element(snippet(document, &here));
    if !elsewhere.is_empty() {
        group = group.element(snippet(document, &elsewhere));
    }
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(printable(help))),
        None => group,
    }
}

/// The lines from the first label to the last; those between that have none are elided.
fn snippet<'a>(
    document: &'a Document,
    labels: &[(AnnotationKind, Stretch, &'a str)],
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let source = &document.sources()[labels[0].1.source];
    let starts = labels
        .iter()
        .map(|(_, at, _)| at.range.start)
        .min()
        .unwrap_or(0);
    let ends = labels
        .iter()
        .map(|(_, at, _)| at.range.end)
        .max()
        .unwrap_or(0);
    let first = source.text[..starts].rfind('\n').map_or(0, |n| n + 1);
    let last = source.text[ends..]
        .find('\n')
        .map_or(source.text.len(), |n| ends + n);
    let line = source.text[..first].matches('\n').count() + 1;
    let annotation = |(kind, at, label): &(AnnotationKind, Stretch, &'a str)| {
        let label = (!label.is_empty()).then(|| printable(label));
        kind.span(at.range.start - first..at.range.end - first)
            .label(label)
    };
    Snippet::source(&source.text[first..last])
        .path(source.name.as_str())
        .line_start(line)
        .annotations(labels.iter().map(annotation))
}

/// `text` without the characters that would steer a terminal.
fn printable(text: &str) -> String {
    let show = |c: char| {
        if c.is_control() && c != '\n' {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().map(show).collect()
}

fn summary(document: &Document, placed: &[(Stretch, &Diagnostic)]) -> String {
    let mut out = String::new();
    for (severity, name) in [(Severity::Error, "error"), (Severity::Warning, "warning")] {
        let count = placed
            .iter()
            .filter(|(_, d)| d.severity == severity)
            .count();
        if count > 0 {
            let and = if out.is_empty() { "" } else { " and " };
            let plural = if count == 1 { "" } else { "s" };
            let _ = write!(out, "{and}{count} {name}{plural}");
        }
    }
    let mut names: Vec<&str> = placed
        .iter()
        .map(|(at, _)| document.sources()[at.source].name.as_str())
        .collect();
    names.dedup();
    format!("{out} in {}", names.join(" and "))
}

/// A diagnostic for programs. Lines and columns count from 1, columns in characters; the end is
/// behind the last character.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultEntry {
    /// How bad it is.
    pub severity: Severity,
    /// The name of the rule that is broken.
    pub code: &'static str,
    /// The file's name, or `--set`.
    pub file: String,
    /// The line where it begins.
    pub line: usize,
    /// The column where it begins.
    pub column: usize,
    /// The line where it ends.
    pub end_line: usize,
    /// The column where it ends.
    pub end_column: usize,
    /// The path of the value or key, if it has one.
    pub path: Option<String>,
    /// The field, its value, and the rule.
    pub message: String,
    /// What is at the place.
    pub label: String,
    /// How to mend it.
    pub help: Option<String>,
}

/// The diagnostics for programs, in the order of the file.
pub fn entries(document: &Document, diagnostics: &[Diagnostic]) -> Vec<FaultEntry> {
    let entry = |(at, diagnostic): (Stretch, &Diagnostic)| {
        let source = &document.sources()[at.source];
        let (line, column) = position(&source.text, at.range.start);
        let (end_line, end_column) = position(&source.text, at.range.end);
        let path = match &diagnostic.at {
            Place::Value(path) | Place::Key(path) => Some(path.to_string()),
            Place::Text(_) => None,
        };
        FaultEntry {
            severity: diagnostic.severity,
            code: diagnostic.code,
            file: source.name.clone(),
            line,
            column,
            end_line,
            end_column,
            path,
            message: diagnostic.message.clone(),
            label: diagnostic.label.clone(),
            help: diagnostic.help.clone(),
        }
    };
    in_order(document, diagnostics)
        .into_iter()
        .map(entry)
        .collect()
}

/// Line and column of byte `at`, both from 1.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |n| n + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}
