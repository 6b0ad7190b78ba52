//! A report for programs.

use std::path::Path;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Report;

/// What was run, what is said of it, and the rows of every file under its name; `folder` is where
/// it was written, if it was.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a> {
    /// The report.
    pub report: &'a Report,
    /// Its folder.
    pub folder: Option<&'a Path>,
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Report {
            about,
            tables,
            sweep,
        } = self.report;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("scenario", &about.name)?;
        map.serialize_entry("question", &about.question)?;
        map.serialize_entry("expect", &about.expect)?;
        map.serialize_entry("caption", &about.caption)?;
        if let Some(folder) = self.folder {
            map.serialize_entry("folder", folder)?;
        }
        map.serialize_entry("baseline", &about.baseline)?;
        map.serialize_entry("judge_by", &about.judge_by)?;
        map.serialize_entry("variants", &about.variants)?;
        map.serialize_entry("findings", &about.findings)?;
        map.serialize_entry("warnings", &about.warnings)?;
        match &about.sweep {
            None => tables.entries(&mut map)?,
            Some(_) => sweep.entries(&mut map)?,
        }
        map.end()
    }
}

/// Values for programs, as text.
pub fn text(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
