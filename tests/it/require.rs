//! `[[require]]`: what holds, fails or is not shown, by hand and by theory; what is wrong with a
//! line; exit codes and files.

use std::fs;
use std::path::Path;

use lbsim::{Experiment, Report, Scenario};

use crate::support::lbsim;

/// M/M/1 at 80%: mean 50 ms, p99 of an exponential time of that mean, 230.3 ms.
const QUEUE: &str = "question = 'Does it hold?'\nexpect = 'It does.'\n[run]\nduration = '200s'\nreplications = 10\n\
    compare = ['random', 'least-connections']\n[[clients]]\narrivals = { kind = 'poisson', rate = '800/s' }\n\
    [[services]]\nname = 'web'\n[[services.servers]]\ncount = 10\nservice = { kind = 'exponential', mean = '10ms' }\n";

fn with(lines: &[&str]) -> String {
    let mut text = QUEUE.to_owned();
    for line in lines {
        text += &format!("[[require]]\nthat = {line:?}\n");
    }
    text
}

fn report(text: &str) -> Report {
    let scenario =
        Scenario::from_text("queue.toml", text).unwrap_or_else(|fault| panic!("{fault}"));
    Experiment::new(scenario).threads(2).run().unwrap()
}

/// What is decided of each line, in order; each is asked of one strategy.
fn decisions(text: &str) -> Vec<(String, String)> {
    let report = report(text);
    let rows = report.requirements().iter();
    rows.map(|row| (row.strategy.clone(), row.decision.clone()))
        .collect()
}

#[test]
fn what_theory_knows_is_decided_rightly() {
    // Of ten M/M/1 queues: mean 50 ms, p95 149.8 ms, p99 230.3 ms.
    let lines = [
        ("mean of random < 60ms", "holds"),
        ("mean of random < 40ms", "fails"),
        ("p95 of random < 170ms", "holds"),
        ("p95 of random < 130ms", "fails"),
        ("p95 of random > 130ms", "holds"),
        ("success of random >= 100%", "holds"),
        ("p99 of random < 7 * mean", "holds"),
        ("p99 of random < 4 * mean", "fails"),
        ("mean of least-connections < 0.5 * mean of random", "holds"),
        ("mean of random < mean of least-connections", "fails"),
        ("goodput of random > 700/s after 50s before 150s", "holds"),
        ("mean of random < 70ms after 100s", "holds"),
        ("p99.999 of random < 10s", "not shown"),
    ];
    let texts: Vec<&str> = lines.iter().map(|line| line.0).collect();
    for ((line, due), (_, decision)) in lines.iter().zip(decisions(&with(&texts))) {
        assert_eq!(decision, *due, "{line}");
    }
}

#[test]
fn a_comparison_is_that_of_the_paired_table() {
    let report = report(&with(&["mean of least-connections < mean of random"]));
    let row = &report.requirements()[0];
    let of = |row: &&lbsim::report::rows::PairedRow| row.metric == "mean_ms";
    let paired = report.tables.paired.iter().find(of).unwrap();
    assert_eq!(row.margin, paired.difference.map(|value| -value));
    let half = row.margin_high.unwrap() - row.margin.unwrap();
    assert!((half - paired.half_width_95.unwrap()).abs() < 1e-9);
    assert_eq!(row.against.as_deref(), Some("random"));
    let said = report.about.findings.last().unwrap();
    assert_eq!(said, "The requirement holds.");
}

#[test]
fn an_interval_decides_and_each_strategy_is_asked() {
    let text = with(&[
        "success >= 99.9%",
        "p99 < p99 of random",
        "mean of random < 50ms",
    ]);
    let found = decisions(&text);
    let due = [
        ("random", "holds"),
        ("least-connections", "holds"),
        // Not compared with itself.
        ("least-connections", "holds"),
        ("random", "not shown"),
    ];
    assert_eq!(
        found,
        due.map(|(name, decision)| (name.to_owned(), decision.to_owned()))
    );
}

/// Half of the servers die in the middle, and nobody notices: what arrives before fares well.
#[test]
fn a_stretch_of_time_is_asked_by_arrival() {
    let mut text = with(&[
        "success of random > 99.9% before 100s",
        "errors of random > 40% after 100s",
        "success of random > 60%",
    ]);
    for server in 1..=5 {
        text +=
            &format!("[[faults]]\nkind = 'crash'\nservers = 'web/server-{server}'\nat = '100s'\n");
    }
    let found = decisions(&text);
    assert!(found.iter().all(|own| own.1 == "holds"), "{found:?}");
}

#[test]
fn services_and_groups_of_clients_are_asked() {
    let text = "question = '?'\nexpect = '!'\n[run]\nduration = '100s'\nreplications = 5\ncompare = ['round-robin']\n\
        [[clients]]\nname = 'near'\narrivals = { kind = 'poisson', rate = '50/s' }\n\
        [[clients]]\nname = 'far'\nzone = 'away'\narrivals = { kind = 'poisson', rate = '50/s' }\n\
        [network.zones.away]\nclient-to-balancer = { kind = 'constant', value = '50ms' }\n\
        [[services]]\nname = 'web'\nservers = [{ slots = 50, service = { kind = 'constant', value = '5ms' } }]\nsteps = [{ call = 'db' }]\n\
        [[services]]\nname = 'db'\nservers = [{ slots = 50, service = { kind = 'constant', value = '20ms' } }]\n\
        [[require]]\nthat = 'p99 at db < 30ms'\n[[require]]\nthat = 'mean at db > 15ms'\n\
        [[require]]\nthat = 'success at db >= 99.9%'\n[[require]]\nthat = 'p95 for far > 100ms'\n\
        [[require]]\nthat = 'mean for far > 2 * mean for near'\n[[require]]\nthat = 'mean at db < mean at web'\n";
    let report = report(text);
    for row in report.requirements() {
        assert_eq!(row.decision, "holds", "{row:?}");
    }
    let of = |text: &str| {
        let mut rows = report.requirements().iter();
        rows.find(|row| row.requirement.starts_with(text)).unwrap()
    };
    assert!((of("mean at db >").estimate.unwrap() - 20.0).abs() < 0.2);
    assert!((of("mean for far").estimate.unwrap() - 125.0).abs() < 0.5);
}

/// Faster because it fails is no better.
/// What is asked of one cause or of some servers is what the files have of them.
#[test]
fn causes_and_servers_are_those_of_the_files() {
    let lines = [
        "sessions-lost by crash < 1000",
        "sessions-hurt by moved of random < 100%",
        "errors by crash < 100%",
        "utilization on web/web-2 < 100%",
        "attempts on web/web-2 < 100000",
        "failures-missed < 10",
        "left-out-wrongly < 10s",
        "utilization of random on web/web-2 < utilization on web/web-1 + 50%",
        "mean of random < mean of least-connections + 1s",
        "mean of random < mean of least-connections - 1ms",
    ];
    let mut text = with(&lines)
        .replace("count = 10", "name = 'web'\ncount = 4")
        .replace(
            "'800/s' }",
            "'200/s' }\npopulation = { kind = 'generated', count = 200 }\nsessions = {}",
        );
    let checked =
        "[services.balancer]\nhealth-check = { interval = '2s', fall = 2 }\n[[services.servers]]";
    text = text.replace("[[services.servers]]", checked);
    text += "[[faults]]\nkind = 'crash'\nservers = 'web/web-2'\nat = '50s'\nlasts = '50s'\n";
    let report = report(&text);
    let of = |line: &str, strategy: &str| {
        let mut rows = report.requirements().iter();
        rows.find(|row| row.requirement == line && row.strategy == strategy)
            .unwrap_or_else(|| panic!("{line}"))
    };
    let near = |found: Option<f64>, due: f64| {
        let found = found.unwrap();
        assert!((found - due).abs() <= 1e-9 * due.abs(), "{found} {due}");
    };
    let tables = &report.tables;
    let strategy = "random";
    let session = |cause: &str| {
        let mut rows = tables.sessions.iter();
        rows.find(|row| row.strategy == strategy && row.cause == cause)
            .unwrap()
    };
    let crash = of("sessions-lost by crash < 1000", strategy);
    assert!(session("crash").lost > 0.0);
    near(crash.estimate, session("crash").lost);
    assert_eq!(crash.metric, "sessions-lost by crash");
    let moved = of("sessions-hurt by moved of random < 100%", strategy);
    near(moved.estimate, session("moved").hurt_share.unwrap());
    let mut failures = tables.failures.iter();
    let failed = failures
        .find(|row| row.strategy == strategy && row.cause == "failed_crash")
        .unwrap();
    let errors = of("errors by crash < 100%", strategy);
    let share = failed.failed_share.unwrap();
    assert!(share > 0.0 && (errors.estimate.unwrap() / share - 1.0).abs() < 0.01);
    let mut servers = tables.servers.iter();
    let server = servers
        .find(|row| row.strategy == strategy && row.server == "web/web-2")
        .unwrap();
    let busy = of("utilization on web/web-2 < 100%", strategy);
    near(busy.estimate, server.utilization.unwrap());
    let half = busy.high.unwrap() - busy.estimate.unwrap();
    assert!((half - server.utilization_half_width_95.unwrap()).abs() < 1e-9);
    let detection = &tables.detection[0];
    near(
        of("failures-missed < 10", strategy).estimate,
        detection.missed.unwrap(),
    );
    let least = "mean of random < mean of least-connections";
    let (more, less) = (
        of(&format!("{least} + 1s"), strategy),
        of(&format!("{least} - 1ms"), strategy),
    );
    near(more.limit, less.limit.unwrap() + 1001.0);
    near(more.margin, less.margin.unwrap() + 1001.0);
    // Who is faster fails more: the server that refuses is always idle.
    assert_eq!((&*more.decision, &*less.decision), ("holds", "not shown"));
}

#[test]
fn who_fails_more_is_shown_to_be_faster_by_nothing() {
    let text = "question = '?'\nexpect = '!'\n[run]\nduration = '100s'\nreplications = 5\n\
        [[clients]]\narrivals = { kind = 'poisson', rate = '95/s' }\n\
        [[services]]\nname = 'web'\nservers = [{ service = { kind = 'exponential', mean = '10ms' } }]\n\
        [[variants]]\nname = 'all'\nstrategy = 'random'\n\
        [[variants]]\nname = 'few'\nstrategy = 'random'\nset = { 'services.web.servers[0].queue-limit' = 1 }\n\
        [[require]]\nthat = 'mean of few < mean of all'\n[[require]]\nthat = 'mean of few < 100ms'\n";
    let report = report(text);
    let rows = report.requirements();
    assert_eq!(rows[0].decision, "not shown");
    assert!(rows[0].note.contains("fails more"), "{}", rows[0].note);
    assert_eq!(rows[1].decision, "holds");
    assert!(rows[1].note.contains("that succeeded"), "{}", rows[1].note);
}

#[test]
fn a_sweep_is_asked_at_its_values() {
    let text = QUEUE.replace("200s", "50s")
        + "[sweep]\npath = 'load'\nvalues = ['50%', '90%', '120%']\n\
        [[require]]\nthat = 'mean of random < 30ms'\nvalues = ['50%']\n\
        [[require]]\nthat = 'mean of random > 60ms'\nvalues = ['90%']\n\
        [[require]]\nthat = 'mean of random < 31ms'\n";
    let report = report(&text);
    let found: Vec<(&str, &str)> = (report.requirements().iter())
        .map(|row| (row.value.as_deref().unwrap(), row.decision.as_str()))
        .collect();
    assert_eq!(found[0], ("50%", "holds"), "{found:?}");
    assert!(
        found.contains(&("90%", "holds")) && found.contains(&("90%", "fails")),
        "{found:?}"
    );
    let left = report
        .requirements()
        .iter()
        .find(|row| row.value.as_deref() == Some("120%"));
    let left = left.unwrap();
    assert_eq!(left.decision, "not shown");
    assert!(left.note.contains("not run"), "{}", left.note);
}

#[test]
fn what_is_wrong_is_said_all_at_once() {
    let text = with(&[
        "p95 of randon < 200ms",
        "p95 of random < 200",
        "latency < 1s",
        "p99 < 1s after 20min",
        "cost < 5 after 20s",
        "p99 at db < 1s",
        "p99 for far < 1s",
        "p99 < 1s after 20s before 21s",
        "p90 < 1s",
        "p90<1s",
    ]) + "[[require]]\nthat = 'p99 < 1s'\nvalues = [1]\n";
    let said = Scenario::from_text("queue.toml", &text)
        .unwrap_err()
        .to_string();
    for due in [
        "did you mean `random`?",
        "must be a time",
        "no metric `latency`",
        "nothing arrives at 20min",
        "`cost` is not known of a stretch of time",
        "here none has",
        "one group of clients",
        "so short a stretch",
        "nothing is swept here",
        "`p90 < 1s` is required twice",
    ] {
        assert!(said.contains(due), "{due}: {said}");
    }
}

fn run(place: &Path, text: &str, more: &[&str]) -> (i32, String, String) {
    let file = place.join("queue.toml");
    fs::write(&file, text).unwrap();
    let out = place.join("out");
    let mut args = vec![
        "run",
        file.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ];
    args.extend(more);
    let done = lbsim(place, &args);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        done.status.code().unwrap(),
        text(&done.stdout),
        text(&done.stderr),
    )
}

#[test]
fn one_that_fails_ends_with_3_and_says_why() {
    let place = tempfile::tempdir().unwrap();
    let short = |lines: &[&str]| with(lines).replace("'200s'", "'20s'");
    let junit = place.path().join("junit.xml");
    let broken = short(&["mean of random < 20ms", "success >= 99%", "p99.99 < 1s"]);
    let (code, said, fault) = run(place.path(), &broken, &["--junit", junit.to_str().unwrap()]);
    assert_eq!(code, 3);
    assert!(
        fault.contains(
            "queue.toml: what is required does not hold: `mean of random < 20ms` (fails)"
        ),
        "{fault}"
    );
    assert!(
        said.contains("✗ fails") && said.contains("? not shown"),
        "{said}"
    );
    assert!(
        said.contains("Of 3 requirements: 1 holds, 1 fails, 1 is not shown."),
        "{said}"
    );
    let xml = fs::read_to_string(&junit).unwrap();
    let tree = roxmltree::Document::parse(&xml).unwrap();
    let count = |tag: &str| {
        tree.descendants()
            .filter(|node| node.has_tag_name(tag))
            .count()
    };
    assert_eq!(
        (count("testcase"), count("failure"), count("skipped")),
        (5, 1, 2)
    );
    // What is not shown is no failure, unless somebody says so.
    let open = short(&["success >= 99%", "p99.99 < 1s"]);
    assert_eq!(run(place.path(), &open, &[]).0, 0);
    assert_eq!(run(place.path(), &open, &["--strict"]).0, 3);
    let holds = short(&["success >= 99%"]);
    assert_eq!(run(place.path(), &holds, &["--strict"]).0, 0);
    // All is written nevertheless, and read back as it was.
    let folder = place.path().join("out/queue");
    let report = Report::read(&folder).unwrap();
    assert_eq!(report.requirements().len(), 2);
    assert!(
        fs::read_to_string(folder.join("summary.md"))
            .unwrap()
            .contains("✓ holds")
    );
}

#[test]
fn any_percentile_is_a_metric() {
    let text = QUEUE.replace(
        "replications = 10",
        "replications = 4\njudge-by = 'p95'\npercentiles = [50, 97.5]",
    );
    let report = report(&text);
    // Exponential with mean 50 ms: -ln(0.05) * 50 and -ln(0.025) * 50.
    for (metric, due) in [("p95_ms", 149.8), ("p97.5_ms", 184.4)] {
        let found = report.estimate("random", metric).unwrap();
        assert!((found / due - 1.0).abs() < 0.1, "{metric}: {found}");
        assert!(report.tables.paired.iter().any(|row| row.metric == metric));
        assert_eq!(
            report
                .tables
                .percentiles
                .iter()
                .filter(|row| row.metric == metric)
                .count(),
            8
        );
    }
    assert_eq!(report.about.judge_by, "p95_ms");
    assert!(report.about.findings[0].starts_with("Best by p95_ms: least-connections"));
    let table = report.to_string();
    let head = table.lines().nth(1).unwrap();
    assert!(
        head.contains("p50") && head.contains("p97.5") && !head.contains("p99"),
        "{head}"
    );
    let bad = QUEUE.replace(
        "replications = 10",
        "judge-by = 'p95.5.5'\npercentiles = [101]",
    );
    let said = Scenario::from_text("queue.toml", &bad)
        .unwrap_err()
        .to_string();
    assert!(said.contains("p95.5.5") && said.contains("101"), "{said}");
}

/// What was never seen is no proof that it cannot be; what was the same each time is no difference.
#[test]
fn what_was_not_seen_is_not_taken_for_impossible() {
    let lossy = "[[services.servers]]\nname = 'other'\nservice = { kind = 'exponential', mean = '10ms' }\n\
        [[faults]]\nkind = 'errors'\nservers = 'web/other'\nshare = '0.001%'\nat = '0s'\n";
    let short = QUEUE
        .replace("'200s'", "'5s'")
        .replace("replications = 10", "replications = 3");
    let lines = [
        (
            "errors of random < errors of least-connections",
            "not shown",
        ),
        (
            "errors of random <= errors of least-connections",
            "not shown",
        ),
        ("errors of random < 0.001%", "not shown"),
        ("errors of random < 1%", "holds"),
    ];
    let required: String = lines
        .iter()
        .map(|(line, _)| format!("[[require]]\nthat = {line:?}\n"))
        .collect();
    let found = decisions(&format!("{short}{lossy}{required}"));
    for ((line, due), (_, decision)) in lines.iter().zip(found) {
        assert_eq!(decision, *due, "{line}");
    }
}

/// Of a strategy that is not compared nothing is shown.
#[test]
fn what_nobody_is_asked_is_not_shown() {
    let place = crate::support::scratch("require-not-asked");
    let text =
        QUEUE.replace("'200s'", "'20s'") + "[[require]]\nthat = 'mean of round-robin < 1s'\n";
    fs::write(place.join("q.toml"), text).unwrap();
    let code = |more: &[&str]| {
        let done = lbsim(&place, &[&["run", "q.toml"], more].concat());
        done.status.code()
    };
    assert_eq!(code(&[]), Some(0));
    assert_eq!(code(&["--strict"]), Some(3));
}

/// Under `a` half of the requests fail from 30 s to 40 s, under `b` from 80 s to 110 s: over the
/// run `b` fails more, in the stretch `a` does.
#[test]
fn a_stretch_is_compared_by_its_own_failures() {
    let failing = |name: &str, at: &str, lasts: &str| {
        format!(
            "[[variants]]\nname = '{name}'\nstrategy = 'random'\nset = {{ 'faults[+]' = {{ kind = 'errors', servers = 'web', \
             share = '50%', takes = '1ms', at = '{at}', lasts = '{lasts}' }} }}\n"
        )
    };
    let mut text = with(&[
        "mean of a < mean of b after 30s before 40s",
        "mean of a < mean of b + 10ms after 125s before 175s",
        "mean of a < 1s after 30s before 40s",
        "requests of a > 1000 after 50500ms before 60s",
    ])
    .replace("compare = ['random', 'least-connections']", "compare = []");
    text = text.replace(
        "[[clients]]",
        &format!(
            "{}{}[[clients]]",
            failing("a", "30s", "10s"),
            failing("b", "80s", "30s")
        ),
    );
    let report = report(&text);
    let rows = report.requirements();
    assert_eq!(rows[0].decision, "not shown", "{:?}", rows[0]);
    assert_eq!(rows[0].note, "it is faster, and fails more");
    assert_eq!(rows[1].decision, "holds", "{:?}", rows[1]);
    assert!(
        rows[2].note.starts_with("of the 4") || rows[2].note.starts_with("of the 5"),
        "{:?}",
        rows[2]
    );
    // Stretches of 200 s / 120.
    assert!(
        rows[3].note.starts_with("from 51.667s to 60s"),
        "{:?}",
        rows[3]
    );
}

/// A part is compared with the whole, and what nobody is asked is said.
#[test]
fn each_side_says_for_itself_and_nobody_is_left_out_in_silence() {
    let found = decisions(&with(&[
        "attempts of random on web/server-1 > 0.09 * attempts",
        "attempts of random on web/server-1 < 0.11 * attempts",
    ]));
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|own| own.1 == "holds"), "{found:?}");
    let alone = with(&["p50 of random < p50 of *"]).replace(", 'least-connections'", "");
    let scenario = Scenario::from_text("queue.toml", &alone).unwrap();
    let mut codes = scenario.warnings.iter().map(|own| own.code.as_ref());
    assert!(codes.any(|code| code == "not-asked"));
    let named = with(&["mean of random at night < 1ms"]).replace(
        "[[clients]]",
        "[[variants]]\nname = 'random at night'\nstrategy = 'random'\n[[clients]]",
    );
    let found = decisions(&named);
    assert_eq!(found, [("random at night".to_owned(), "fails".to_owned())]);
}

/// That no request failed under either does not show that one fails less than a millionth more.
#[test]
fn a_difference_of_what_was_never_seen_is_as_unsure_as_both() {
    let text = with(&[
        "errors of random < errors of least-connections + 0.0001%",
        "errors of random < errors of least-connections + 1%",
        "errors <= 0%",
        "success of random > 99.9999%",
    ])
    .replace("count = 10", "count = 10\nqueue-limit = 10000");
    let found: Vec<String> = decisions(&text).into_iter().map(|own| own.1).collect();
    assert_eq!(found, ["not shown", "holds", "holds", "holds", "not shown"]);
}

/// Two that fail alike in each replication differ by nothing for sure where something was seen; and
/// a percentile by whatever name needs its tail.
#[test]
fn a_difference_that_is_always_the_same_is_sure() {
    let twin = "[[variants]]\nname = 'twin'\nstrategy = 'random'\nset = { 'services.web.servers[0].cost' = 1 }\n[[clients]]";
    let text = with(&[
        "errors of twin < errors of random + 0.5%",
        "success of twin > success of random - 0.5%",
        "p99.9 of twin < p99.9 of random + 1s",
        "p99-all of random < 100 * p99-all of least-connections",
    ])
    .replacen("[[clients]]", twin, 1)
        + "[[faults]]\nkind = 'crash'\nservers = 'web'\nat = '60s'\nlasts = '20s'\n";
    let found: Vec<String> = decisions(&text).into_iter().map(|own| own.1).collect();
    assert_eq!(found, ["holds"; 4]);
    let few: Vec<String> = decisions(&text.replace("'800/s'", "'4/s'"))
        .into_iter()
        .map(|own| own.1)
        .collect();
    assert_eq!(found[0], few[0]);
    assert_eq!(few[2..], ["not shown", "not shown"]);
}
