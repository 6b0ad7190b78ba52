//! `lbsim compare`: its forms, its files, its exit codes, and what it refuses.

use std::fs;

use lbsim::Report;
use lbsim::figures::with_half_width;
use lbsim::report::comparing::CompareReport;
use lbsim::report::comparing::rows::{ChangeRow, CompareRow};
use lbsim::report::csv;
use lbsim::report::manifest::SCHEMA;
use serde_json::Value;

use crate::compare::{WRR, compared, unlike};
use crate::support::{LIVELY, files, lbsim, scratch, stderr, stdout};

/// Table, page, CSV and JSON are the same figures, and what is written is what is printed.
#[test]
fn all_forms_hold_the_same_figures() {
    let place = scratch("compare-forms");
    fs::write(
        place.join("web.toml"),
        unlike("compare = ['weighted-round-robin', 'random']", 1),
    )
    .unwrap();
    let set = "services.web.servers.fast.weight=3";
    assert!(lbsim(&place, &["run", "web.toml"]).status.success());
    let of = |more: &[&str]| {
        let words = [
            &[
                "compare",
                "results/web",
                "--against",
                "web.toml",
                "--set",
                set,
            ],
            more,
        ]
        .concat();
        let done = lbsim(&place, &words);
        assert!(done.status.success(), "{}", stderr(&done));
        stdout(&done)
    };
    let text = of(&[]);
    assert!(
        !place.join("results/web-compared").exists(),
        "nothing is written unasked"
    );
    let page = of(&["--format", "markdown", "--out", "out"]);
    let table = of(&["--format", "csv"]);
    let json: Value = serde_json::from_str(&of(&["--format", "json", "--jobs", "1"])).unwrap();
    let out = place.join("out/web-compared");
    let written = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    assert_eq!(written("summary.md"), page);
    assert_eq!(written("compare.csv"), table);
    let rows: Vec<CompareRow> = csv::read("compare.csv", table.as_bytes()).unwrap();
    let same: Vec<CompareRow> = serde_json::from_value(json["compare"].clone()).unwrap();
    assert_eq!(rows, same);
    let changes: Vec<ChangeRow> =
        csv::read("changes.csv", written("changes.csv").as_bytes()).unwrap();
    let same: Vec<ChangeRow> = serde_json::from_value(json["changes"].clone()).unwrap();
    assert_eq!(changes, same);
    // The first line is the answer.
    let answer = json["findings"][0].as_str().unwrap();
    assert_eq!(text.lines().next().unwrap(), answer);
    assert!(page.starts_with(&format!("**{answer}**\n")), "{page}");
    for own in &rows {
        let is_shown = ["mean_ms", "p50_ms", "p99_ms", "goodput_rps"].contains(&&*own.metric);
        let figures = [
            (own.baseline_estimate, own.baseline_half_width_95),
            (own.estimate, own.half_width_95),
            (own.difference, own.difference_half_width_95),
        ];
        for (value, half) in figures {
            if let Some(value) = value.filter(|_| is_shown) {
                let figure = with_half_width(value, half);
                let line = |page: &str| {
                    page.lines().any(|line| {
                        line.contains(&own.strategy)
                            && line.contains(&own.metric)
                            && line.contains(&figure)
                    })
                };
                assert!(
                    line(&text) && line(&page),
                    "{figure} of {} {}",
                    own.strategy,
                    own.metric
                );
            }
        }
    }
    for note in json["notes"].as_array().unwrap() {
        let note = note.as_str().unwrap();
        assert!(text.contains(note) && page.contains(note), "{note}");
    }
    // The run of the scenario is in the folder, whole, and comparing with it says the same.
    let ran = Report::read(&out.join("web")).unwrap();
    let again = compared(&[
        ("web", &Report::read(&place.join("results/web")).unwrap()),
        ("web.toml", &ran),
    ]);
    assert_eq!(again.tables.compare, rows);
    let manifest: Value = serde_json::from_str(&written("manifest.json")).unwrap();
    assert_eq!(manifest["kind"], "compare");
    let listed = manifest["files"].as_array().unwrap().len();
    assert_eq!(listed, files(&out).len());
    // A second time takes the first one's place, with the same bytes.
    let before = files(&out);
    of(&["--out", "out"]);
    assert_eq!(files(&out), before);
    assert_eq!(CompareReport::read(&out).unwrap().tables.compare, rows);
    // The page can be made again, and is the one that is there.
    let page = fs::read(out.join("report.html")).unwrap();
    fs::remove_file(out.join("report.html")).unwrap();
    assert!(
        lbsim(&place, &["report", "out/web-compared"])
            .status
            .success()
    );
    assert!(fs::read(out.join("report.html")).unwrap() == page);
    // It is no run.
    let done = lbsim(&place, &["compare", "results/web", "out/web-compared"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(
        stderr(&done).contains("does not hold the results of a run"),
        "{}",
        stderr(&done)
    );
}

#[test]
fn a_gate_says_what_got_worse() {
    let place = scratch("compare-gate");
    for (name, weight) in [("good", 3), ("bad", 9)] {
        fs::write(place.join(format!("{name}.toml")), unlike(WRR, weight)).unwrap();
        assert!(
            lbsim(&place, &["run", &format!("{name}.toml")])
                .status
                .success()
        );
    }
    let of = |one: &str, other: &str, more: &[&str]| {
        let words = [&["compare", one, other], more].concat();
        lbsim(&place, &words)
    };
    let (good, bad) = ("results/good", "results/bad");
    let gate = &["--fail-on-worse"][..];
    let worse = of(good, bad, gate);
    assert_eq!(worse.status.code(), Some(3), "{}", stdout(&worse));
    assert!(stderr(&worse).contains("got worse: "), "{}", stderr(&worse));
    assert_eq!(of(good, bad, &[]).status.code(), Some(0));
    assert_eq!(of(bad, good, gate).status.code(), Some(0));
}

#[test]
fn what_cannot_be_compared_is_refused_with_a_word() {
    let place = scratch("compare-refused");
    fs::write(
        place.join("web.toml"),
        LIVELY.replace("20s", "10s").replace("8s", "3s"),
    )
    .unwrap();
    fs::write(place.join("other.toml"), unlike(WRR, 1)).unwrap();
    for name in ["web.toml", "other.toml"] {
        assert!(lbsim(&place, &["run", name]).status.success());
    }
    let results = place.join("results");
    fs::create_dir_all(place.join("damaged")).unwrap();
    fs::create_dir_all(place.join("newer")).unwrap();
    for (path, bytes) in files(&results.join("web")) {
        if path.components().count() > 1 {
            continue;
        }
        let text = String::from_utf8(bytes).unwrap();
        let newer = text.replacen(&format!("\"schema\": {SCHEMA}"), "\"schema\": 99", 1);
        fs::write(place.join("newer").join(&path), newer).unwrap();
        let damaged = match path.ends_with("runs.csv") {
            true => text.replace("\nround-robin,1,", "\nround-robin,7,"),
            false => text,
        };
        fs::write(place.join("damaged").join(&path), damaged).unwrap();
    }
    for (arguments, said) in [
        (&["results/web"][..], "two results folders or more"),
        (&["results/web", "results/web"], "there twice"),
        (
            &["results/web", "nowhere"],
            "cannot read `nowhere/manifest.json`",
        ),
        (&["results/web", "results"], "it has no `manifest.json`"),
        (&["results/web", "other.toml"], "--against other.toml"),
        (&["results/web", "newer"], "schema 99"),
        (
            &["results/web", "damaged"],
            "`damaged` is not whole: the replications of `round-robin`",
        ),
        (&["results/web", "results/other"], "no strategy in common"),
        (
            &["results/web", "--against", "missing.toml"],
            "cannot read `missing.toml`",
        ),
        (
            &[
                "results/web",
                "--against",
                "web.toml",
                "--set",
                "run.duraton=5s",
            ],
            "did you mean `duration`",
        ),
        (
            &["results/web", "results/other", "--seed", "3"],
            "--against",
        ),
        (
            &["results/web", "results/other", "--format", "yaml"],
            "possible values",
        ),
    ] {
        let done = lbsim(&place, &[&["compare"], arguments].concat());
        assert_eq!(
            done.status.code(),
            Some(2),
            "{arguments:?}: {}",
            stderr(&done)
        );
        assert!(
            stderr(&done).contains(said),
            "{arguments:?}: {}",
            stderr(&done)
        );
        assert_eq!(stdout(&done), "", "{arguments:?}");
    }
}
