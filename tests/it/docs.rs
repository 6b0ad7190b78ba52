//! What the documents say is so: generated pages are up to date, examples run, links lead
//! somewhere.
//!
//! `UPDATE=1 cargo test --release docs` writes the generated parts anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use lbsim::scenario::Scenario;
use lbsim::strategy::{self, Sight};

mod adding;
mod format;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The project's own documents.
fn documents() -> Vec<String> {
    let mut found: Vec<String> = [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "results/README.md",
    ]
    .map(str::to_owned)
    .into();
    for folder in ["docs", "docs/course"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                found.push(format!("{folder}/{name}"));
            }
        }
    }
    found.sort();
    found
}

/// The fenced blocks of one language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(tag) = line.strip_prefix("```") {
            let block: String = lines
                .by_ref()
                .take_while(|line| !line.starts_with("```"))
                .fold(String::new(), |text, line| text + line + "\n");
            if tag == language {
                found.push(block);
            }
        }
    }
    found
}

fn updating() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}

/// Demands that `path` holds `expected`, or makes it so.
fn demand(path: &str, expected: &str) {
    let file = root().join(path);
    if updating() {
        fs::write(&file, expected).unwrap();
        return;
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    let differs = found.lines().zip(expected.lines()).find(|(a, b)| a != b);
    assert!(
        found == expected,
        "{path} is not up to date ({differs:?}); UPDATE=1 writes it anew"
    );
}

const FROM_HERE: &str = "<!-- Generated from here on: UPDATE=1 cargo test --release docs -->\n";

/// As [`demand`], for what stands in `path` below the mark; the introduction above it is written by
/// hand.
fn demand_below_mark(path: &str, expected: &str) {
    let text = read(path);
    let (introduction, _) = text
        .split_once(FROM_HERE)
        .unwrap_or_else(|| panic!("{path} has no mark"));
    demand(path, &format!("{introduction}{FROM_HERE}\n{expected}"));
}

#[test]
fn the_table_of_strategies_is_up_to_date() {
    let mut page = String::new();
    page += "| strategy | oracle | what it does |\n|---|---|---|\n";
    for entry in strategy::CATALOGUE {
        let oracle = match entry.sight {
            Sight::Blind | Sight::Product => "",
            Sight::Oracle => "yes",
        };
        let _ = writeln!(
            page,
            "| [`{name}`](#{name}) | {oracle} | {} |",
            entry.summary(),
            name = entry.name
        );
    }
    for entry in strategy::CATALOGUE {
        let doc = entry.doc().replace("\n**", "\n* **");
        let _ = write!(page, "\n## {}\n\n{}\n", entry.name, doc.trim_end());
    }
    demand_below_mark("docs/strategies.md", &page);
}

/// A row of a CSV file, as its struct's comments describe it.
fn columns(source: &str, name: &str) -> String {
    let (above, body) = source
        .split_once(&format!("pub struct {name} {{\n"))
        .unwrap();
    let comments = |lines: &str| -> Vec<String> {
        lines
            .lines()
            .filter_map(|line| line.trim().strip_prefix("///"))
            .map(|line| line.trim().to_owned())
            .collect()
    };
    // The comment stands right above, with only attributes between.
    let last = above.rsplit("\n\n").next().unwrap();
    let about = comments(last).join(" ");
    // "`paired.csv`: one metric …" stands below a heading that names the file already.
    let about = about
        .split_once(".csv`: ")
        .map_or(&*about, |(_, rest)| rest);
    let (initial, rest) = about.split_at(1);
    let mut page = format!("{}{rest}\n\n", initial.to_uppercase());
    page += "| column | type | meaning |\n|---|---|---|\n";
    let mut comment = Vec::new();
    let is_column = |line: &&str| !matches!(line.trim(), "}" | "#[serde(skip)]");
    for line in body.lines().take_while(is_column) {
        if let Some(words) = line.trim().strip_prefix("///") {
            comment.push(words.trim());
        } else if let Some((column, kind)) = line
            .trim()
            .strip_prefix("pub ")
            .and_then(|field| field.trim_end_matches(',').split_once(": "))
        {
            let kind = match kind {
                "String" => "text",
                "u32" | "u64" => "whole number",
                "f64" => "number",
                "bool" => "true or false",
                "Option<f64>" => "number or empty",
                "Option<u64>" => "whole number or empty",
                "Option<String>" => "text or empty",
                other => panic!("no words for {other}"),
            };
            let meaning = std::mem::take(&mut comment).join(" ");
            assert!(!meaning.is_empty(), "{column} of {name} is not described");
            let _ = writeln!(page, "| `{column}` | {kind} | {meaning} |");
        }
    }
    page
}

#[test]
fn the_columns_of_results_are_up_to_date() {
    let mut page = String::new();
    let rows = |file: &str| format!("src/report/rows/{file}.rs");
    let [tune, size, compare] =
        ["tuning", "sizing", "comparing"].map(|room| move || format!("src/report/{room}/rows.rs"));
    for (file, source, name) in [
        ("runs.csv", "src/experiment/cell.rs".to_owned(), "Run"),
        ("percentiles.csv", rows("percentiles"), "PercentileRow"),
        ("summary.csv", rows("summary"), "SummaryRow"),
        ("paired.csv", rows("paired"), "PairedRow"),
        ("ranking.csv", rows("ranking"), "RankingRow"),
        ("requirements.csv", rows("requirements"), "RequirementRow"),
        ("theory.csv", rows("theory"), "TheoryRow"),
        ("settling.csv", rows("settling"), "SettlingRow"),
        ("latency.csv", rows("latency"), "LatencyRow"),
        ("exact-latency.csv", rows("theory"), "ExactLatencyRow"),
        ("measured.csv", rows("measured"), "MeasuredRow"),
        ("servers.csv", rows("servers"), "ServerRow"),
        ("failures.csv", rows("failures"), "FailureRow"),
        ("services.csv", rows("services"), "ServiceRow"),
        ("detection.csv", rows("detection"), "DetectionRow"),
        ("timeline.csv", rows("timeline"), "TimelineRow"),
        ("utilization.csv", rows("utilization"), "UtilizationRow"),
        ("faults.csv", rows("faults"), "FaultRow"),
        ("sessions.csv", rows("sessions"), "SessionRow"),
        ("clients.csv", rows("clients"), "ClientsRow"),
        ("topology.csv", rows("topology"), "TopologyRow"),
        ("sweep.csv", rows("sweep"), "SweepRow"),
        ("runs.csv of a sweep", rows("sweep"), "SweepRun"),
        ("paired.csv of a sweep", rows("sweep"), "SweepPairedRow"),
        ("weights.csv", tune(), "WeightRow"),
        ("check.csv", tune(), "CheckRow"),
        ("search.csv", tune(), "SearchRow"),
        ("sensitivity.csv", tune(), "SensitivityRow"),
        ("landscape.csv", tune(), "LandscapeRow"),
        ("front.csv", tune(), "FrontRow"),
        ("sizes.csv", size(), "SizeRow"),
        ("tried.csv", size(), "TriedRow"),
        ("compare.csv", compare(), "CompareRow"),
        ("changes.csv", compare(), "ChangeRow"),
    ] {
        let _ = write!(page, "## {file}\n\n{}\n", columns(&read(&source), name));
    }
    demand_below_mark("docs/results.md", &(page.trim_end().to_owned() + "\n"));
}

/// Every file that a run writes is described, with every one of its columns.
#[test]
fn what_a_run_writes_is_documented() {
    let place = tempfile::tempdir().unwrap();
    let done = lbsim(&["new", "web.toml"], place.path());
    assert!(done.status.success());
    let done = lbsim(
        &[
            "run",
            "web.toml",
            "--replications",
            "2",
            "--set",
            "run.duration=20s",
            "--set",
            "run.warmup=1s",
        ],
        place.path(),
    );
    assert!(done.status.success(), "{done:?}");
    let page = read("docs/results.md");
    for entry in fs::read_dir(place.path().join("results/web")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(
            page.contains(&format!("`{name}")) || page.contains(&format!("## {name}")),
            "{name}"
        );
        if name.ends_with(".csv") {
            let (_, section) = page.split_once(&format!("\n## {name}\n")).unwrap();
            let section = section.split("\n## ").next().unwrap();
            let text = fs::read_to_string(&path).unwrap();
            let described: Vec<&str> = section
                .lines()
                .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
                .collect();
            assert_eq!(text.lines().next().unwrap(), described.join(","), "{name}");
        }
    }
}

fn lbsim(arguments: &[&str], place: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lbsim"))
        .args(arguments)
        .current_dir(place)
        .output()
        .unwrap()
}

#[test]
fn scenarios_in_documents_are_scenarios() {
    let mut checked = 0;
    for document in documents() {
        for block in blocks(&read(&document), "toml") {
            if let Err(fault) = Scenario::from_text("document.toml", &block) {
                // The page on adding a strategy compares one that does not exist here; its own test
                // runs it.
                assert!(
                    document == "docs/add-a-strategy.md"
                        && fault.to_string().contains("failure-averse"),
                    "{document}: {fault}"
                );
            }
            checked += 1;
        }
    }
    assert!(checked >= 2, "{checked}");
}

/// Each command line of a document, without what starts the program.
fn command_lines() -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for document in documents() {
        for line in blocks(&read(&document), "sh")
            .iter()
            .flat_map(|block| block.lines())
        {
            let line = line.split(" #").next().unwrap().trim();
            let own = line
                .strip_prefix("cargo run --release -- ")
                .or_else(|| line.strip_prefix("lbsim "));
            if let Some(own) = own {
                let words = own
                    .split_whitespace()
                    .map(|word| word.trim_matches('\'').to_owned());
                found.push((document.clone(), words.collect()));
            }
        }
    }
    found
}

/// Every command line of the documents does what it says, with a single short replication where it
/// runs something.
#[test]
fn command_lines_work() {
    let place = tempfile::tempdir().unwrap();
    copy(&root().join("scenarios"), &place.path().join("scenarios"));
    let golden = place.path().join("tests/golden");
    fs::create_dir_all(golden.parent().unwrap()).unwrap();
    copy(&root().join("tests/golden"), &golden);
    let starter = lbsim(&["new", "my-system.toml"], place.path());
    assert!(starter.status.success(), "{starter:?}");
    let lines = command_lines();
    assert!(lines.len() >= 8, "{lines:?}");
    for (document, mut words) in lines {
        if words.iter().any(|word| word == "dead-server.toml") {
            continue; // Run by the test of that page.
        }
        if document.starts_with("docs/course/") {
            continue; // Run at full length by `.ci/course`, with what the lessons say of them.
        }
        match words[0].as_str() {
            "new" | "init" => {
                let file = words.last().unwrap();
                let _ = fs::remove_file(place.path().join(file));
            }
            // It ends by an interrupt; it has a test of its own.
            "watch" => continue,
            "run" => {
                let short = [
                    "--replications",
                    "1",
                    "--set",
                    "run.duration=3s",
                    "--set",
                    "run.warmup=0s",
                ];
                if let Some(at) = words.iter().position(|word| word == "--replications") {
                    words.drain(at..at + 2);
                }
                words.extend(short.map(str::to_owned));
            }
            "compare" if words.iter().any(|word| word == "--against") => {
                for short in ["run.duration=3s", "run.warmup=0s"] {
                    words.extend(["--set".to_owned(), short.to_owned()]);
                }
            }
            // So that every value will do.
            "size" => {
                for short in [
                    "run.duration=1s",
                    "run.warmup=0s",
                    "run.replications=2",
                    "size.objective=[\"mean < 100s\"]",
                ] {
                    words.extend(["--set".to_owned(), short.to_owned()]);
                }
            }
            "tune" => {
                for short in [
                    "run.duration=1s",
                    "tune.max-requests=100000",
                    "tune.confirmations=2",
                ] {
                    words.extend(["--set".to_owned(), short.to_owned()]);
                }
            }
            _ => {}
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let done = lbsim(&words, place.path());
        assert!(
            done.status.success(),
            "{document}: lbsim {}\n{}",
            words.join(" "),
            String::from_utf8_lossy(&done.stderr)
        );
    }
}

#[test]
fn links_lead_somewhere() {
    for document in documents() {
        let folder = root().join(&document).parent().unwrap().to_owned();
        let text = read(&document);
        for link in text.split("](").skip(1) {
            let link = link.split([')', ' ']).next().unwrap();
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                root().join(&document)
            } else {
                folder.join(file)
            };
            // Images are drawn from runs and may be missing altogether, but not one by one.
            if file.starts_with("docs/images/") && !root().join("docs/images").exists() {
                continue;
            }
            assert!(target.exists(), "{document}: {link}");
            if !anchor.is_empty() {
                let known = fs::read_to_string(&target).unwrap();
                assert!(
                    known
                        .lines()
                        .any(|line| line.starts_with('#') && slug(line) == anchor),
                    "{document}: {link}"
                );
            }
        }
    }
}

/// The anchor of a heading.
fn slug(heading: &str) -> String {
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let (path, target) = (
            entry.as_ref().unwrap().path(),
            to.join(entry.unwrap().file_name()),
        );
        if path.is_dir() {
            copy(&path, &target);
        } else {
            write(&target, &fs::read(&path).unwrap());
        }
    }
}

/// Writes only what differs, so that a second build finds its files as they were.
fn write(path: &Path, bytes: &[u8]) {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return;
    }
    fs::write(path, bytes).unwrap();
}
