//! Results beside each other: the same verdict, to the digit, as one scenario with both variants;
//! Welch where the luck is not the same; and what is refused or said.

use std::fs;
use std::path::Path;

use lbsim::experiment::METRICS;
use lbsim::figures::with_half_width;
use lbsim::report::comparing::rows::{ChangeRow, CompareRow};
use lbsim::report::comparing::{CompareReport, Incomparable};
use lbsim::report::csv;
use lbsim::report::manifest::SCHEMA;
use lbsim::stats::t_quantile;
use lbsim::{Experiment, Report, Scenario};
use serde_json::Value;

use crate::support::{LIVELY, files, lbsim, scratch, stderr, stdout};

/// Two unlike servers with a bounded queue; `run` are lines of `[run]`, `weight` is that of the
/// fast one.
fn unlike(run: &str, weight: u32) -> String {
    format!(
        "question = 'Which weight?'\nexpect = 'That of the speed.'\n[run]\nduration = '20s'\nwarmup = '2s'\n\
         replications = 6\n{run}\n[[clients]]\narrivals = {{ kind = 'poisson', rate = '150/s' }}\n\
         [[services]]\nname = 'web'\n[[services.servers]]\nname = 'slow'\nqueue-limit = 12\n\
         service = {{ kind = 'exponential', mean = '12ms' }}\n\
         [[services.servers]]\nname = 'fast'\nqueue-limit = 12\nweight = {weight}\n\
         service = {{ kind = 'exponential', mean = '5ms' }}\n"
    )
}

const WRR: &str = "compare = ['weighted-round-robin']\njudge-by = 'p90'\npercentiles = [80]";

fn variants(weights: &[u32]) -> String {
    let each = weights.iter().map(|weight| {
        format!(
            "[[variants]]\nname = 'weight {weight}'\nset = {{ 'services.web.servers.fast.weight' = {weight} }}\n"
        )
    });
    each.collect()
}

fn report(text: &str) -> Report {
    let scenario = Scenario::from_text("web.toml", text).unwrap_or_else(|fault| panic!("{fault}"));
    Experiment::new(scenario).run().unwrap()
}

/// As it stands in a folder.
fn read_back(place: &Path, report: &Report) -> Report {
    Report::read(&report.write(place).unwrap()).unwrap()
}

fn compared(reports: &[(&str, &Report)]) -> CompareReport {
    let named = reports.iter().map(|(name, own)| ((*name).to_owned(), *own));
    let named: Vec<(String, &Report)> = named.collect();
    CompareReport::new(&named, false).unwrap_or_else(|why| panic!("{why}"))
}

fn row<'a>(
    compared: &'a CompareReport,
    result: &str,
    strategy: &str,
    metric: &str,
) -> &'a CompareRow {
    let mut rows = compared.tables.compare.iter();
    rows.find(|row| row.result == result && row.strategy == strategy && row.metric == metric)
        .unwrap_or_else(|| panic!("no {metric} of {strategy} in {result}"))
}

/// What was to be shown: folders that differ in a weight have the verdict of one scenario with all
/// of them as variants, to the digit, each metric, requests that fail among them.
#[test]
fn folders_say_what_variants_say_to_the_digit() {
    let place = scratch("compare-variants");
    let weights = [1, 3, 9];
    let folders = weights.map(|weight| {
        let own = place.join(weight.to_string());
        read_back(&own, &report(&unlike(WRR, weight)))
    });
    let together = report(&(unlike(WRR, 1) + &variants(&weights[1..])));
    for count in [2, 3] {
        let names = ["1", "3", "9"];
        let both: Vec<(&str, &Report)> = names.into_iter().zip(&folders).take(count).collect();
        let compared = compared(&both);
        // Of two it is one comparison, of three two: Holm's rule sees as many as in one scenario.
        let whole = match count {
            3 => together.clone(),
            _ => report(&(unlike(WRR, 1) + &variants(&weights[1..2]))),
        };
        let mut seen = 0;
        for pair in &whole.tables.paired {
            let name = pair.strategy.trim_start_matches("weight ");
            let own = row(&compared, name, "weighted-round-robin", &pair.metric);
            assert_eq!(
                (own.difference, own.difference_half_width_95, own.relative),
                (pair.difference, pair.half_width_95, pair.relative),
                "{name} {}",
                pair.metric
            );
            assert_eq!(
                (own.p_adjusted, &own.verdict, own.gain, own.n),
                (pair.p_adjusted, &pair.verdict, pair.gain, pair.n),
                "{name} {}",
                pair.metric
            );
            assert!(own.method == "paired" && own.baseline_n == own.n);
            seen += 1;
        }
        assert_eq!(seen, (METRICS.len() + 1) * (count - 1));
        for estimate in &whole.tables.summary {
            let name = match &*estimate.strategy {
                "weighted-round-robin" => "1",
                name => name.trim_start_matches("weight "),
            };
            let known = (estimate.estimate, estimate.half_width_95);
            if name == "1" {
                let own = row(&compared, "3", "weighted-round-robin", &estimate.metric);
                assert_eq!((own.baseline_estimate, own.baseline_half_width_95), known);
            } else {
                let own = row(&compared, name, "weighted-round-robin", &estimate.metric);
                assert_eq!((own.estimate, own.half_width_95), known);
            }
        }
        let verdicts: Vec<&str> = (compared.tables.compare.iter())
            .map(|row| row.verdict.as_str())
            .collect();
        for verdict in ["better", "not shown", "different", ""] {
            assert!(verdicts.contains(&verdict), "{verdict}: {verdicts:?}");
        }
    }
    let two = compared(&[("old", &folders[0]), ("new", &folders[1])]);
    let changed = &two.tables.changes;
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!(changed[0].path, "services.web.servers.fast.weight");
    assert_eq!(changed[0].before.as_deref(), Some("1"));
    assert_eq!(changed[0].after.as_deref(), Some("3"));
    let said = &two.about.findings[0];
    assert!(
        said.starts_with("`new`") && said.contains("p90_ms"),
        "{said}"
    );
}

/// The same of a sweep, at each value.
#[test]
fn sweeps_are_compared_value_by_value() {
    let sweep = |values: &str| {
        format!("{WRR}\n[sweep]\npath = 'clients[0].arrivals.rate'\nvalues = [{values}]\n")
    };
    let place = scratch("compare-sweep");
    let values = "'60/s', '120/s', '180/s'";
    let [old, new] =
        [1, 3].map(|weight| read_back(&place, &report(&unlike(&sweep(values), weight))));
    let whole = report(&(unlike(&sweep(values), 1) + &variants(&[3])));
    let compared = compared(&[("old", &old), ("new", &new)]);
    let mut seen = 0;
    for own in &compared.tables.compare {
        let mut pairs = whole.sweep.paired.iter();
        let pair = pairs
            .find(|pair| Some(&pair.value) == own.value.as_ref() && pair.metric == own.metric)
            .unwrap();
        assert_eq!(
            (own.difference, own.difference_half_width_95, &own.verdict),
            (pair.difference, pair.half_width_95, &pair.verdict)
        );
        seen += 1;
    }
    assert_eq!(seen, 3 * 11);
    // What one of them did not try is named; what is not swept is no sweep.
    let fewer = report(&unlike(&sweep("'60/s', '90/s'"), 3));
    let some = self::compared(&[("old", &old), ("new", &fewer)]);
    assert_eq!(some.tables.compare.len(), 11);
    let notes = some.about.notes.join("\n");
    assert!(
        notes.contains("Only `old` was run at 120/s, 180/s.")
            && notes.contains("Only `new` was run at 90/s."),
        "{notes}"
    );
    let plain = report(&unlike(WRR, 3));
    let named = [("old".to_owned(), &old), ("new".to_owned(), &plain)];
    let refused = CompareReport::new(&named, false).unwrap_err().to_string();
    assert!(refused.contains("`new` sweeps nothing"), "{refused}");
}

/// Seeds that differ: means less means, with the error of independent samples, by hand.
#[test]
fn other_seeds_are_other_luck() {
    let place = scratch("compare-welch");
    let text = unlike(WRR, 1);
    let old = read_back(&place.join("old"), &report(&text));
    let other = unlike(WRR, 3).replace("replications = 6", "replications = 9\nseed = 7");
    let new = read_back(&place.join("new"), &report(&other));
    let compared = compared(&[("old", &old), ("new", &new)]);
    let own = row(&compared, "new", "weighted-round-robin", "mean_ms");
    assert_eq!(
        (&*own.method, own.n, own.baseline_n, own.gain),
        ("welch", 9, 6, None)
    );
    let moments = |report: &Report| {
        let values: Vec<f64> = (report.tables.runs.iter())
            .map(|run| run.mean_ms.unwrap())
            .collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        (mean, squares / (n - 1.0) / n, n - 1.0)
    };
    let ((a, va, na), (b, vb, nb)) = (moments(&new), moments(&old));
    assert!((own.difference.unwrap() - (a - b)).abs() < 1e-9);
    assert!((own.relative.unwrap() - (a - b) / b).abs() < 1e-9);
    // Satterthwaite's degrees of freedom lie between two whole numbers, and so does t.
    let freedom = (va + vb).powi(2) / (va * va / na + vb * vb / nb);
    let t = own.difference_half_width_95.unwrap() / (va + vb).sqrt();
    let at = |freedom: f64| t_quantile(freedom as usize + 1, 0.95).unwrap();
    assert!(
        (at(freedom.ceil())..=at(freedom.floor())).contains(&t),
        "{t} at {freedom}"
    );
    let notes = compared.about.notes.join("\n");
    assert!(notes.contains("seed 7 is not seed 1"), "{notes}");
    let seeds: Vec<&ChangeRow> = (compared.tables.changes.iter())
        .filter(|own| own.path == "run.seed")
        .collect();
    assert_eq!(seeds[0].after.as_deref(), Some("7"));
}

/// Where nothing changed but the seed, one comparison in twenty is to be called a difference: of
/// 120 six, and more than 14 with a chance of one in a thousand.
#[test]
fn welch_is_seldom_wrong() {
    let of = |seed: u32| {
        let seed = format!("seed = {seed}\n{WRR}");
        report(&unlike(&seed, 2).replace(
            "duration = '20s'\nwarmup = '2s'",
            "duration = '4s'\nwarmup = '1s'",
        ))
    };
    let mut wrong = 0;
    for at in 0..120 {
        let (old, new) = (of(2 * at + 1), of(2 * at + 2));
        let compared = compared(&[("old", &old), ("new", &new)]);
        let own = row(&compared, "new", "weighted-round-robin", "mean_ms");
        assert_eq!(own.method, "welch");
        wrong += u32::from(own.verdict != "not shown");
    }
    assert!((1..=14).contains(&wrong), "{wrong}");
}

/// Versions that may give other values: named, no pairs, unless it is declared that they do not.
#[test]
fn other_versions_are_no_pairs_unless_that_is_declared() {
    let [old, new] = [1, 3].map(|weight| report(&unlike(WRR, weight)));
    let mut aged = old.clone();
    aged.about.program = "lbsim 0.0.9".to_owned();
    let results = [("old".to_owned(), &aged), ("new".to_owned(), &new)];
    let apart = CompareReport::new(&results, false).unwrap();
    let notes = apart.about.notes.join("\n");
    assert!(
        notes.contains("lbsim 0.0.9")
            && notes.contains("not paired")
            && notes.contains("--value-stable"),
        "{notes}"
    );
    assert!(apart.tables.compare.iter().all(|row| row.method == "welch"));
    let declared = CompareReport::new(&results, true).unwrap();
    let notes = declared.about.notes.join("\n");
    assert!(
        notes.contains("lbsim 0.0.9 declared value-stable"),
        "{notes}"
    );
    assert_eq!(
        declared.tables,
        compared(&[("old", &old), ("new", &new)]).tables
    );
}

/// Strategies are known by their names, else by their kind, and who has nobody is named.
#[test]
fn strategies_are_matched_by_name_and_kind() {
    let of = |compare: &str| report(&unlike(&format!("compare = [{compare}]"), 1));
    let old = of("'random', 'round-robin', 'power-of-d'");
    let new = of("{ kind = 'power-of-d', d = 1 }, 'least-connections', 'random'");
    let both = compared(&[("old", &old), ("new", &new)]);
    let notes = both.about.notes.join("\n");
    for said in [
        "Only in `old`, and not compared: `round-robin`.",
        "Only in `new`, and not compared: `least-connections`.",
        "makes no difference to `random`",
    ] {
        assert!(notes.contains(said), "{said}: {notes}");
    }
    let pair = row(&both, "new", "power-of-d", "mean_ms");
    assert_eq!(pair.result_strategy, "power-of-d");
    assert_eq!(both.tables.compare.len(), 2 * METRICS.len());
    // One alone against one alone: the question is which to take.
    let (one, other) = (of("'random'"), of("'least-connections'"));
    let swap = compared(&[("old", &one), ("new", &other)]);
    let said = &swap.about.findings[0];
    assert!(said.starts_with("`new` is better than `old`"), "{said}");
    let named = [("old".to_owned(), &old), ("new".to_owned(), &other)];
    match CompareReport::new(&named, false).unwrap_err() {
        Incomparable::Strangers { theirs, ours, .. } => {
            assert_eq!((theirs.len(), &*ours[0]), (3, "least-connections"));
        }
        other => panic!("{other}"),
    }
}

/// What was never left to chance, and what a single replication does not tell.
#[test]
fn no_verdict_without_chance_or_repetition() {
    let place = scratch("compare-chance");
    let steady = |milliseconds: u32| {
        format!(
            "question = '?'\nexpect = '!'\n[run]\nduration = '10s'\nwarmup = '1s'\nreplications = 3\n\
             compare = [{{ kind = 'round-robin', start = 'first' }}]\n\
             [[clients]]\narrivals = {{ kind = 'constant', rate = '20/s' }}\n[[services]]\nname = 'web'\n\
             [[services.servers]]\nservice = {{ kind = 'constant', value = '{milliseconds}ms' }}\n"
        )
    };
    let [old, new] = [10, 12].map(|ms| read_back(&place, &report(&steady(ms))));
    assert!(!old.about.variants[0].varies, "it is written and read back");
    let both = compared(&[("old", &old), ("new", &new)]);
    let own = row(&both, "new", &old.about.variants[0].name, "mean_ms");
    assert_eq!(
        (own.verdict.as_str(), own.difference_half_width_95),
        ("no chance repeated", None)
    );
    assert!((own.difference.unwrap() - 2.0).abs() < 1e-9);
    let once =
        |weight| report(&unlike(WRR, weight).replace("replications = 6", "replications = 1"));
    let both = compared(&[("old", &once(1)), ("new", &once(3))]);
    assert_eq!(
        row(&both, "new", "weighted-round-robin", "mean_ms").verdict,
        ""
    );
    let notes = both.about.notes.join("\n");
    assert!(notes.contains("single replication"), "{notes}");
    // Fewer replications on one side: as many pairs as there are.
    let more = report(&unlike(WRR, 3));
    let fewer = report(&unlike(WRR, 1).replace("replications = 6", "replications = 4"));
    let both = compared(&[("old", &fewer), ("new", &more)]);
    assert_eq!(row(&both, "new", "weighted-round-robin", "mean_ms").n, 4);
    assert!(
        both.about.notes[0].contains("4 pairs, the first of 6"),
        "{:?}",
        both.about.notes
    );
}

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
            true => text
                .lines()
                .filter(|line| !line.starts_with("round-robin,1,"))
                .map(|line| format!("{line}\n"))
                .collect(),
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
