//! Formats of logs.

use super::sections::{Section, SectionKind, defaults_name};

/// The format that a section sets, under its name: the text of `log-format`, or the name of a
/// format that HAProxy has. The last one of a section counts.
pub(super) fn format(section: &Section) -> Option<(String, String)> {
    if section.kind == SectionKind::Other || section.kind == SectionKind::Backend {
        return None;
    }
    let name = match section.kind {
        SectionKind::Defaults => defaults_name(section),
        _ => section.head.text(1).to_owned(),
    };
    let name = if name.is_empty() {
        section.head.text(0).to_owned()
    } else {
        name
    };
    let mut formats =
        section
            .lines
            .iter()
            .rev()
            .filter_map(|line| match (line.text(0), line.text(1)) {
                ("log-format", text) => Some(text.to_owned()),
                ("option", "httplog") if line.text(2) == "clf" => Some("httplog clf".to_owned()),
                ("option", format @ ("httplog" | "tcplog" | "httpslog")) => Some(format.to_owned()),
                _ => None,
            });
    formats.next().map(|text| (name, text))
}
