//! Every row of the textbook's tables has a scenario that shows it.

use std::fs;
use std::path::Path;

/// The tables, and how many rows each has.
const TABLES: [(&str, usize); 13] = [
    ("Roles of a load balancer", 7),
    ("When to use a load balancer", 5),
    ("When not to use a load balancer", 4),
    ("Challenges of load balancing", 6),
    ("Advantages of using a load balancer", 6),
    ("Load balancing algorithms: static", 3),
    ("Load balancing algorithms: dynamic", 4),
    ("Types of load balancers", 3),
    ("Example architecture", 3),
    ("Session management: solutions", 3),
    ("Stateful applications: solutions", 3),
    ("Stateful against stateless", 5),
    ("Summary of sessions", 2),
];

#[test]
fn each_row_of_the_textbook_has_a_scenario() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/textbook.md")).unwrap();
    let mut found: Vec<(&str, usize)> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            found.push((name, 0));
            continue;
        }
        let Some(row) = line
            .strip_prefix("| ")
            .filter(|row| !row.starts_with("row |"))
        else {
            continue;
        };
        found.last_mut().expect("rows stand in tables").1 += 1;
        let files: Vec<&str> = (row.split("(../").skip(1))
            .filter_map(|rest| rest.split_once(')').map(|(file, _)| file))
            .collect();
        assert!(!files.is_empty(), "no scenario shows: {row}");
        for file in files {
            assert!(root.join(file).is_file(), "there is no {file}");
        }
        assert!(
            row.trim_end_matches(" |").split(" | ").count() == 3,
            "{row}"
        );
    }
    assert_eq!(found, TABLES);
}
