//! Other weights in a configuration, and nothing else.

use super::{Configuration, SourceFile, WeightPlace};

/// A configuration with other weights in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patched {
    /// The files that are changed: which of [`Configuration::files`], and the new text.
    pub files: Vec<(usize, String)>,
    /// Servers whose weight could not be written: pool and name.
    pub left: Vec<(String, String)>,
}

/// Whether what would be written there would belong to the word before, which ends with a
/// backslash.
fn is_escaped(at: &WeightPlace, configuration: &Configuration) -> bool {
    let text = &configuration.files[at.place.file].text;
    !at.is_written() && text[..at.place.range.start].ends_with('\\')
}

/// Puts `weights` into a configuration, by pool and server, in the order of
/// [`Configuration::pools`] and their servers; `None` leaves a server as it is, and so does the
/// weight that it has.
pub fn patch(configuration: &Configuration, weights: &[Vec<Option<u32>>]) -> Patched {
    let mut edits: Vec<(&WeightPlace, u32)> = Vec::new();
    let mut left = Vec::new();
    for (pool, weights) in configuration.pools.iter().zip(weights) {
        for (server, weight) in pool.servers.iter().zip(weights) {
            let Some(weight) = weight.filter(|weight| *weight != server.weight) else {
                continue;
            };
            match &server.weight_at {
                Some(at) if !is_escaped(at, configuration) => edits.push((at, weight)),
                _ => left.push((pool.name.clone(), server.name.clone())),
            }
        }
    }
    // From the end on, so that places before stay where they are.
    edits.sort_by_key(|(at, _)| std::cmp::Reverse((at.place.file, at.place.range.start)));
    let mut files: Vec<(usize, String)> = Vec::new();
    for (at, weight) in edits {
        let file = at.place.file;
        if files.last().is_none_or(|(last, _)| *last != file) {
            let SourceFile { text, .. } = &configuration.files[file];
            files.push((file, text.clone()));
        }
        let new = match at.is_written() {
            true => weight.to_string(),
            false => format!("{}{weight}{}", at.before, at.after),
        };
        if let Some((_, text)) = files.last_mut() {
            text.replace_range(at.place.range.clone(), &new);
        }
    }
    files.reverse();
    Patched { files, left }
}
