//! Results beside each other: the verdict of one scenario with both as variants, to the digit;
//! Welch where the luck is not the same; and what is said of it.

use std::path::Path;

use lbsim::experiment::METRICS;
use lbsim::report::comparing::rows::{ChangeRow, CompareRow};
use lbsim::report::comparing::{CompareReport, Incomparable};
use lbsim::stats::t_quantile;
use lbsim::{Experiment, Report, Scenario};

use crate::support::scratch;

/// Two unlike servers with a bounded queue; `run` are lines of `[run]`, `weight` is that of the
/// fast one.
pub(crate) fn unlike(run: &str, weight: u32) -> String {
    format!(
        "question = 'Which weight?'\nexpect = 'That of the speed.'\n[run]\nduration = '20s'\nwarmup = '2s'\n\
         replications = 6\n{run}\n[[clients]]\narrivals = {{ kind = 'poisson', rate = '150/s' }}\n\
         [[services]]\nname = 'web'\n[[services.servers]]\nname = 'slow'\nqueue-limit = 12\n\
         service = {{ kind = 'exponential', mean = '12ms' }}\n\
         [[services.servers]]\nname = 'fast'\nqueue-limit = 12\nweight = {weight}\n\
         service = {{ kind = 'exponential', mean = '5ms' }}\n"
    )
}

pub(crate) const WRR: &str =
    "compare = ['weighted-round-robin']\njudge-by = 'p90'\npercentiles = [80]";

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

pub(crate) fn compared(reports: &[(&str, &Report)]) -> CompareReport {
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
/// of them as variants, to the digit, each metric; and so with one whose short queues answer
/// faster,
/// for they refuse more.
#[test]
fn folders_say_what_variants_say_to_the_digit() {
    let place = scratch("compare-variants");
    let refusing = unlike(WRR, 1).replace("queue-limit = 12", "queue-limit = 0");
    let texts = [unlike(WRR, 1), unlike(WRR, 3), refusing];
    let names = ["base", "heavy", "refusing"];
    let folders: Vec<Report> = (names.iter().zip(&texts))
        .map(|(name, text)| read_back(&place.join(name), &report(text)))
        .collect();
    let heavy = "[[variants]]\nname = 'heavy'\nset = { 'services.web.servers.fast.weight' = 3 }\n";
    let refusing = "[[variants]]\nname = 'refusing'\nset = { 'services.web.servers.slow.queue-limit' = 0, \
                    'services.web.servers.fast.queue-limit' = 0 }\n";
    let mut verdicts: Vec<String> = Vec::new();
    for count in [2, 3] {
        let both: Vec<(&str, &Report)> = names.into_iter().zip(&folders).take(count).collect();
        let compared = compared(&both);
        // Of two it is one comparison, of three two: Holm's rule sees as many as in one scenario.
        let more = [heavy, refusing][..count - 1].concat();
        let whole = report(&(unlike(WRR, 1) + &more));
        let mut seen = 0;
        for pair in &whole.tables.paired {
            let name = &pair.strategy;
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
            let known = (estimate.estimate, estimate.half_width_95);
            if estimate.strategy == "weighted-round-robin" {
                let own = row(&compared, "heavy", "weighted-round-robin", &estimate.metric);
                assert_eq!((own.baseline_estimate, own.baseline_half_width_95), known);
            } else {
                let name = &estimate.strategy;
                let own = row(&compared, name, "weighted-round-robin", &estimate.metric);
                assert_eq!((own.estimate, own.half_width_95), known);
            }
        }
        let rows = compared.tables.compare.iter();
        verdicts.extend(rows.map(|row| row.verdict.clone()));
    }
    for verdict in [
        "better",
        "worse",
        "not shown",
        "different",
        "withheld: fails more",
        "",
    ] {
        assert!(
            verdicts.iter().any(|own| own == verdict),
            "{verdict}: {verdicts:?}"
        );
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
    let old = of(
        "'random', 'round-robin', { kind = 'power-of-d', d = 1 }, { kind = 'power-of-d', d = 3 }",
    );
    let new = of("{ kind = 'power-of-d', d = 3 }, 'least-connections', 'random'");
    let both = compared(&[("old", &old), ("new", &new)]);
    let notes = both.about.notes.join("\n");
    for said in [
        "`power-of-d` in `new` is compared with `power-of-d (d=3)` in `old`.",
        "Only in `old`, and not compared: `round-robin`, `power-of-d (d=1)`.",
        "Only in `new`, and not compared: `least-connections`.",
        "all of its runs are those of `old`",
    ] {
        assert!(notes.contains(said), "{said}: {notes}");
    }
    let pair = row(&both, "new", "power-of-d (d=3)", "mean_ms");
    assert_eq!(pair.result_strategy, "power-of-d");
    assert_eq!(both.tables.compare.len(), 2 * METRICS.len());
    // One alone against one alone: the question is which to take.
    let (one, other) = (of("'random'"), of("'least-connections'"));
    let swap = compared(&[("old", &one), ("new", &other)]);
    let said = &swap.about.findings[0];
    assert!(said.starts_with("`new` is better than `old`"), "{said}");
    let strange = of("'ip-hash'");
    let named = [("old".to_owned(), &old), ("new".to_owned(), &strange)];
    match CompareReport::new(&named, false).unwrap_err() {
        Incomparable::Strangers { theirs, ours, .. } => {
            assert_eq!((theirs.len(), &*ours[0]), (4, "ip-hash"));
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
