//! The shape of the code, as `docs/design.md` draws it: who may know whom.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

/// A file's code without its tests and comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn src() -> PathBuf {
    root().join("src")
}

/// The code of the program and of its crates.
fn all_code() -> Vec<PathBuf> {
    let crates = sources(&root().join("crates")).into_iter();
    let code = crates.filter(|path| path.components().any(|part| part.as_os_str() == "src"));
    sources(&src()).into_iter().chain(code).collect()
}

/// The modules of the program, each with those it may use: none that stands later in the list. What
/// stands below them is in crates of its own, whose order the compiler holds.
const LAYERS: &[&[&str]] = &[
    &[
        "distribution",
        "events",
        "rng",
        "time",
        "units",
        "config",
        "logs",
        "prose",
        "spelling",
        "tabular",
        "stats",
        "theory",
        "balancer",
        "strategy",
        "model",
        "observe",
        "parallel",
    ],
    &["figures"],
    &["requirement"],
    &["scenario", "replay"],
    &["experiment"],
    &["validation", "tune", "size", "compare", "import", "export"],
    &["report"],
    &["face"],
    &["cli"],
];

#[test]
fn dependencies_point_one_way() {
    let layer = |module: &str| LAYERS.iter().position(|names| names.contains(&module));
    let mut faults = BTreeSet::new();
    let mut uses = 0;
    for path in sources(&src()) {
        let inside = path.strip_prefix(src()).unwrap();
        let first = inside.iter().next().unwrap().to_string_lossy();
        let module = first.trim_end_matches(".rs");
        let Some(own) = layer(module) else {
            assert!(
                matches!(module, "lib" | "main"),
                "{module} stands in no layer"
            );
            continue;
        };
        for part in code(&path).split("crate::").skip(1) {
            let used: String = part
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            uses += 1;
            if used != module && layer(&used).is_some_and(|other| other >= own) {
                faults.insert(format!("{} uses {used}", inside.display()));
            }
        }
    }
    assert!(uses > 100, "{uses}");
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn nothing_reads_the_clock_or_an_unordered_map_where_results_are_made() {
    for part in ["engine", "strategies", "world", "queueing/src/stats"] {
        for path in sources(&root().join("crates").join(part)) {
            let code = code(&path);
            for word in [
                "Instant",
                "SystemTime",
                "HashMap",
                "HashSet",
                "thread_rng",
                "from_os_rng",
                "f64::exp(",
                ".ln()",
                ".powf(",
            ] {
                assert!(!code.contains(word), "{}: {word}", path.display());
            }
        }
    }
}

/// What a browser has none of stands where a feature says so.
#[test]
fn threads_and_clocks_are_known_in_few_places() {
    let parts = ["crates", "src/scenario", "src/experiment", "src/report"];
    for path in parts.iter().flat_map(|part| sources(&root().join(part))) {
        let mut parts = path.components().map(|part| part.as_os_str());
        if parts.any(|part| part == "tests" || part == "tests.rs") {
            continue;
        }
        let code = code(&path);
        for word in ["rayon", "thread::spawn", "Instant", "SystemTime"] {
            let is_journal = path.ends_with("experiment/journal.rs") && word == "Instant";
            assert!(
                is_journal || !code.contains(word),
                "{}: {word}",
                path.display()
            );
        }
    }
}

#[test]
fn a_strategy_cannot_reach_the_servers() {
    let manifest = root().join("crates/strategies/Cargo.toml");
    let manifest = fs::read_to_string(manifest).unwrap();
    assert!(!manifest.contains("lbsim-world"), "{manifest}");
}

/// How near two names are is said once, so that no reader is quicker to guess than another; and so
/// is what a server is called among all services.
#[test]
fn what_repeats_is_written_once() {
    for (what, place) in [
        ("strsim::", "formats/src/spelling.rs"),
        ("0xbf58_476d_1ce4_e5b9", "engine/src/rng.rs"),
        ("{}/{}\", service.name", "nowhere"),
        ("{service}/{", "world/src/model/blueprint.rs"),
    ] {
        for path in all_code() {
            let is_there = code(&path).contains(what);
            assert!(
                !is_there || path.ends_with(place),
                "{}: {what}",
                path.display()
            );
        }
    }
}

/// Within a crate a type's name means one thing. Every rule has its `Config` and every
/// distribution its `Draw`; and what stands in for the journal where there are no files has its
/// names.
#[test]
fn a_name_means_one_thing() {
    let mut crates: Vec<PathBuf> = fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().path().join("src"))
        .collect();
    crates.push(src());
    let mut seen = 0;
    for folder in crates {
        let mut places: BTreeMap<String, PathBuf> = BTreeMap::new();
        for path in sources(&folder) {
            let of_tests = path.ends_with("tests.rs")
                || path.components().any(|part| part.as_os_str() == "tests")
                || ["broken.rs", "testing.rs", "experiment/unnoted.rs"]
                    .iter()
                    .any(|own| path.ends_with(own));
            if of_tests {
                continue;
            }
            let code = code(&path);
            for name in code.lines().filter_map(defined) {
                seen += 1;
                if name == "Config" || name == "Draw" {
                    continue;
                }
                if let Some(other) = places.insert(name.to_owned(), path.clone()) {
                    panic!("`{name}` in {} and {}", other.display(), path.display());
                }
            }
        }
    }
    assert!(seen > 800, "{seen}");
}

/// The name of the type that a line begins to define.
fn defined(line: &str) -> Option<&str> {
    let line = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
        Some(rest) => rest.trim_start(),
        None => line,
    };
    let (kind, rest) = line.split_once(' ')?;
    let name = rest.split(|c: char| !c.is_alphanumeric()).next()?;
    matches!(kind, "struct" | "enum" | "trait" | "type").then_some(name)
}

/// `rustfmt` leaves comments as they are.
#[test]
fn comments_end_within_a_hundred_columns() {
    let mut seen = 0;
    for path in all_files().iter().chain([&root().join("build.rs")]) {
        let text = fs::read_to_string(path).unwrap();
        for (line, number) in text.lines().zip(1..) {
            let is_comment = line.trim_start().starts_with("//");
            let columns = line.chars().count();
            assert!(
                !is_comment || columns <= 100,
                "{}:{number}: {columns} columns",
                path.display()
            );
            seen += usize::from(is_comment);
        }
    }
    assert!(seen > 1000, "{seen}");
}

/// The files of code and tests.
fn all_files() -> Vec<PathBuf> {
    ["src", "crates", "tests", "benches", "examples"]
        .map(|folder| sources(&root().join(folder)))
        .concat()
}

#[test]
fn files_have_one_idea_each() {
    for path in all_files() {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 600, "{}: {lines} lines", path.display());
    }
}

/// A file that no other names is not built, and nobody notices: each module stands in the file
/// above it, or, as rules do, in a list.
#[test]
fn each_file_is_built() {
    for path in all_code() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut folder = path.parent().unwrap().to_path_buf();
        let name = match name.as_str() {
            "lib" | "main" => continue,
            "mod" => {
                let own = folder.file_name().unwrap().to_string_lossy().into_owned();
                folder.pop();
                own
            }
            _ => name,
        };
        let list = root().join("crates/strategies/src/strategy/mod.rs");
        let above = ["mod.rs", "lib.rs", "main.rs"].map(|file| folder.join(file));
        let named = above.into_iter().chain([folder.with_extension("rs"), list]);
        let is_named = named
            .filter_map(|file| fs::read_to_string(file).ok())
            .any(|text| {
                text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .any(|word| word == name)
            });
        assert!(is_named, "{}: nothing names it", path.display());
    }
}

/// Where the files of a scenario are is known in one place, which notes what stands in them: an
/// interrupted run does not go on with other files.
#[test]
fn files_of_scenarios_are_noted() {
    let parts = [
        "src/scenario",
        "src/experiment",
        "src/tune",
        "crates/engine",
        "crates/strategies",
        "crates/world",
    ];
    for part in parts {
        for path in sources(&root().join(part)) {
            let code = code(&path);
            let may = ["scenario/check/data.rs", "experiment/journal.rs"];
            for word in ["File::open", "fs::read", "Table::open("] {
                let is_trace = path.ends_with("scenario/trace.rs") && word == "Table::open(";
                assert!(
                    may.iter().any(|own| path.ends_with(own)) || is_trace || !code.contains(word),
                    "{}: {word}",
                    path.display()
                );
            }
        }
    }
    let data = code(&src().join("scenario/check/data.rs"));
    assert_eq!(data.matches("folder.join(").count(), 1);
}
