//! A scenario that is read again and again with other values in it.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Mutex;

use super::check::{data::Data, point, size::lost_set};
use super::diagnostic::Diagnostic;
use super::text::Document;
use super::{Rejected, Scenario};

/// A document and the data that it names, both read once.
pub struct Template {
    path: PathBuf,
    document: Document,
    data: Mutex<Data>,
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Template").field(&self.path).finish()
    }
}

impl Template {
    /// Reads a scenario as [`Scenario::parse`] does, and keeps its text. A sweep is left out.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(
        path: &FilePath,
        text: &str,
        sets: &[String],
    ) -> Result<(Template, Scenario), Box<Rejected>> {
        let scenario = Scenario::parse(path, text, sets)?;
        let (mut document, _) = Document::parse(&path.display().to_string(), text);
        for set in sets {
            // It has been set without a fault just now.
            let _ = document.set(set);
        }
        let template = Template {
            path: path.to_owned(),
            data: Mutex::new(Data::new(path, &document)),
            document: document.without(&["sweep"]),
        };
        Ok((template, scenario))
    }

    /// The scenario with some values set, each as `path=value`.
    ///
    /// # Errors
    /// What is wrong with it then.
    pub fn with(&self, sets: &[String]) -> Result<Scenario, Vec<Diagnostic>> {
        let mut data = self
            .data
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        point(sets, &self.path, &self.document, &mut data)
    }

    /// The scenario with some values set, and servers lost for the whole run: names as faults have
    /// them.
    ///
    /// # Errors
    /// What is wrong with it then.
    pub fn without(&self, sets: &[String], lost: &str) -> Result<Scenario, Vec<Diagnostic>> {
        let mut sets = sets.to_vec();
        sets.push(lost_set(lost));
        self.with(&sets)
    }

    /// The document.
    pub fn document(&self) -> &Document {
        &self.document
    }
}
