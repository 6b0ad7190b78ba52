//! What is wrong with a configuration, and where.

use std::io;
use std::path::PathBuf;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::{Place, SourceFile};

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub at: Place,
    /// What was found and what was expected.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl Fault {
    /// A fault at a place.
    pub fn new(at: Place, message: impl Into<String>) -> Fault {
        Fault {
            at,
            message: message.into(),
            help: None,
        }
    }

    /// Says how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Fault {
        self.help = Some(help.into());
        self
    }
}

/// Why a configuration was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file cannot be read, or is not UTF-8.
    #[error("`{}` cannot be read: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something is wrong with what is written.
    #[error("{}", render(files, faults, false).trim_end())]
    Faulty {
        /// The files that were read.
        files: Vec<SourceFile>,
        /// What is wrong, in the order of the text; at least one.
        faults: Vec<Fault>,
    },
}

/// Faults as text for a terminal, in the order of the files.
pub fn render(files: &[SourceFile], faults: &[Fault], colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut faults: Vec<&Fault> = faults.iter().collect();
    faults.sort_by_key(|fault| (fault.at.file, fault.at.range.start));
    let mut out = String::new();
    for fault in faults {
        let file = &files[fault.at.file];
        let path = file.path.display().to_string();
        let range = &fault.at.range;
        let first = file.text[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let last = file.text[range.end..]
            .find('\n')
            .map_or(file.text.len(), |at| range.end + at);
        let line = file.text[..first].matches('\n').count() + 1;
        let snippet = Snippet::source(&file.text[first..last])
            .path(path.as_str())
            .line_start(line)
            .annotation(AnnotationKind::Primary.span(range.start - first..range.end - first));
        let mut group = Level::ERROR
            .primary_title(fault.message.as_str())
            .element(snippet);
        if let Some(help) = &fault.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        out.push_str(&renderer.render(&[group]));
        out.push_str("\n\n");
    }
    out
}
