//! The text of a scenario for another folder: the files that it names are still those it named.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::text::{Document, Node, Value};

/// The key under which a scenario names a file, wherever it does.
const FILE: &str = "file";

/// The files that a scenario's text names, as they are written there.
pub fn files(document: &Document) -> Vec<&Path> {
    let mut found = Vec::new();
    each(document.root(), &mut |_, file| found.push(Path::new(file)));
    found
}

/// A scenario's text for the folder `to`, where it stood in the folder `from`: relative paths lead
/// to the same files from there. A text that is no TOML stays as it is.
pub fn moved(text: &str, from: &Path, to: &Path) -> String {
    let (document, faults) = Document::parse("", text);
    if !faults.is_empty() || absolute(from) == absolute(to) {
        return text.to_owned();
    }
    let mut edits = Vec::new();
    each(document.root(), &mut |node, file| {
        if Path::new(file).is_relative() {
            let new = seen_from(to, &from.join(file));
            let new = toml::Value::String(new).to_string();
            edits.push((node.at.range.clone(), new));
        }
    });
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut text = text.to_owned();
    for (range, new) in edits {
        text.replace_range(range, &new);
    }
    text
}

/// A file's path as a scenario in `folder` names it: relative where the two have more in common
/// than the root of all.
pub fn seen_from(folder: &Path, file: &Path) -> String {
    let (folder, file) = (absolute(folder), absolute(file));
    let pairs = folder.components().zip(file.components());
    let common = pairs.take_while(|(one, other)| one == other).count();
    let is_named = |part: Component<'_>| matches!(part, Component::Normal(_));
    if !file.components().take(common).any(is_named) {
        return file.display().to_string();
    }
    let up = folder
        .components()
        .skip(common)
        .map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(file.components().skip(common)).collect();
    // Forward slashes are read everywhere.
    let parts: Vec<String> = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    parts.join("/")
}

/// The one absolute path of what may not be there yet.
fn absolute(path: &Path) -> PathBuf {
    let path = if path == Path::new("") {
        Path::new(".")
    } else {
        path
    };
    if let Ok(path) = fs::canonicalize(path) {
        return path;
    }
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => absolute(folder).join(name),
        _ => path.to_owned(),
    }
}

/// Walks over the strings of keys that name a file: `file`, and in the paths of a variant's `set`
/// what ends so.
fn each<'a>(node: &'a Node, found: &mut impl FnMut(&'a Node, &'a str)) {
    match &node.value {
        Value::Table(entries) => {
            for entry in entries {
                let last = entry.key.rsplit('.').next().unwrap_or_default();
                match &entry.node.value {
                    Value::String(file) if last == FILE => found(&entry.node, file),
                    _ => each(&entry.node, found),
                }
            }
        }
        Value::Array(nodes) => nodes.iter().for_each(|node| each(node, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_from_another_folder() {
        let place = tempfile::tempdir().unwrap();
        let from = place.path().join("here");
        let to = place.path().join("results").join("new");
        fs::create_dir(&from).unwrap();
        fs::create_dir(place.path().join("results")).unwrap();
        let text = "\
[[clients]]
arrivals = { kind = \"trace\", file = 'data/t.csv' } # ours
population = { kind = \"file\", file = \"../p.csv\", column = \"a\" }
[[services]]
[[services.servers]]
service = { kind = \"empirical\", file = \"/data/s.csv\" }
[[variants]]
set = { \"services[0].servers[0].service.file\" = \"other.csv\" }
";
        let expected = text
            .replace("'data/t.csv'", "\"../../here/data/t.csv\"")
            .replace("../p.csv", "../../p.csv")
            .replace("other.csv", "../../here/other.csv");
        assert_eq!(moved(text, &from, &to), expected);
        assert_eq!(
            moved(text, &from, &place.path().join("results/../here")),
            text
        );
        let (document, _) = Document::parse("", text);
        assert_eq!(files(&document).len(), 4);
        assert_eq!(files(&document)[0], Path::new("data/t.csv"));
    }

    #[test]
    fn paths_are_short_where_they_can_be() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        assert_eq!(seen_from(place.path(), &at("t.csv")), "t.csv");
        assert_eq!(seen_from(&at("a"), &at("b/t.csv")), "../b/t.csv");
        assert_eq!(
            seen_from(place.path(), Path::new("/proc/version")),
            "/proc/version"
        );
    }
}
