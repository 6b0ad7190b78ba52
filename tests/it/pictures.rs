//! Charts of runs: there is one, whatever came out.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{lbsim, scratch, stderr};

/// An input of `tests/cases`.
fn case(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    path.join(name).to_str().unwrap().to_owned()
}

/// With a hundred answers and a few, one point of the spectrum can be relied on, and its axis was
/// made of nothing.
#[test]
fn a_hundred_answers_make_a_chart() {
    let place = scratch("pictures-hundred");
    for name in ["few-requests-chart-hangs", "hundred-answers"] {
        let begun = Instant::now();
        let run = lbsim(&place, &["run", &case(&format!("{name}.toml"))]);
        assert!(run.status.success(), "{}", stderr(&run));
        assert!(begun.elapsed() < Duration::from_secs(20));
        let chart = place
            .join("results")
            .join(name)
            .join("charts/percentiles.svg");
        let svg = std::fs::read_to_string(chart).unwrap();
        assert!(svg.len() < 1_000_000 && svg.matches("<text").count() < 60);
    }
}

/// Three servers, one of which dies at 5 s and refuses at once: who counts what is in flight sends
/// it all that comes.
const TRAP: &str = r#"
question = "Who answers more after a crash that nobody checks for?"
expect = "Round robin: two thirds."
[run]
duration = "20s"
warmup = "0s"
replications = 5
judge-by = "mean"
compare = ["round-robin", "least-connections"]
[[clients]]
arrivals = { kind = "poisson", rate = "150/s" }
[[services]]
name = "web"
[[services.servers]]
name = "s"
count = 3
service = { kind = "exponential", mean = "10ms" }
[[faults]]
kind = "crash"
servers = "web/s-2"
at = "5s"
"#;

fn results(place: &Path, name: &str, text: &str) -> impl Fn(&str) -> String {
    let file = format!("{name}.toml");
    std::fs::write(place.join(&file), text).unwrap();
    let run = lbsim(place, &["run", &file]);
    assert!(run.status.success(), "{}", stderr(&run));
    let folder = place.join("results").join(name);
    move |file: &str| std::fs::read_to_string(folder.join(file)).unwrap()
}

/// The values of a column of the rows that have this metric.
fn column(csv: &str, metric: &str, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let at = |name: &str| headers.iter().position(|own| own == name).unwrap();
    let (own, wanted) = (at("metric"), at(name));
    let rows = reader.records().map(Result::unwrap);
    rows.filter(|row| &row[own] == metric)
        .map(|row| row[wanted].to_owned())
        .collect()
}

#[test]
fn who_fails_more_is_not_better() {
    let place = scratch("pictures-fails-more");
    let read = results(&place, "trap", TRAP);
    let paired = read("paired.csv");
    let difference: f64 = column(&paired, "mean_ms", "difference")[0].parse().unwrap();
    assert!(difference < 0.0, "what is left to answer has no queue");
    for metric in ["mean_ms", "p50_ms"] {
        assert_eq!(column(&paired, metric, "verdict"), ["withheld: fails more"]);
    }
    assert_eq!(column(&paired, "success_share", "verdict"), ["worse"]);
    assert_eq!(
        column(&read("ranking.csv"), "mean_ms", "verdict"),
        ["withheld: other fails more"]
    );
    let page = read("summary.md");
    assert!(page.contains("| withheld: fails more"), "{page}");
    assert!(
        page.contains("round-robin")
            && page.contains("left out, as they fail more: least-connections")
            && page.contains(" ms) fails least"),
        "{page}"
    );
    // The one that is selected is one of those that fail least.
    let goal = TRAP.replace(
        "replications = 5",
        "replications = 5\nprecision = \"until the best is known\"",
    );
    let read = results(&place, "goal", &goal);
    assert!(
        read("summary.md").contains("does not matter: round-robin"),
        "{}",
        read("summary.md")
    );
}

#[test]
fn failures_are_seen() {
    let place = scratch("pictures-failures");
    let read = results(&place, "trap", TRAP);
    let timeline = read("charts/timeline.svg");
    assert!(
        timeline.contains("Succeeded requests (a second)")
            && timeline.contains("thin where more than 1% failed")
    );
    let spectrum = read("charts/percentiles.svg");
    assert_eq!(
        spectrum.matches("% succeed\n").count(),
        2,
        "each says its share"
    );
    // Why: a third of round robin's requests goes to the dead server, for three quarters of the
    // time.
    let page = read("summary.md");
    let why = page.split("strategy (failed, %)").nth(1).expect(&page);
    let line = why.lines().find(|line| line.contains("round-robin"));
    let cells: Vec<&str> = line.unwrap().split('|').map(str::trim).collect();
    let failed: f64 = cells[2].parse().unwrap();
    assert!((failed - 25.0).abs() < 1.0 && cells.len() == 4, "{why}");
    assert!(spectrum.contains("Percentile of all requests, failures as the worst"));
    // Where nothing fails, there is nothing to say of it.
    let calm = TRAP.split("[[faults]]").next().unwrap();
    let read = results(&place, "calm", calm);
    assert!(!read("charts/timeline.svg").contains("Succeeded"));
    assert!(!read("summary.md").contains("(failed, %)"));
    assert!(!read("charts/percentiles.svg").contains("succeed\n"));
}

#[test]
fn copies_of_one_replication_decide_nothing() {
    let place = scratch("pictures-copies");
    let text = r#"
question = "Which of two orders is better?"
expect = "Nobody can say: nothing is drawn."
[run]
duration = "20s"
warmup = "0s"
replications = 5
compare = [{ kind = "round-robin", start = "first" }, "weighted-round-robin"]
[[clients]]
arrivals = { kind = "constant", rate = "100/s" }
[[services]]
name = "web"
[[services.servers]]
name = "quick"
weight = 3
service = { kind = "constant", value = "5ms" }
[[services.servers]]
name = "slow"
service = { kind = "constant", value = "12ms" }
"#;
    let read = results(&place, "copies", text);
    let paired = read("paired.csv");
    assert_ne!(column(&paired, "mean_ms", "difference"), ["0.0"]);
    assert_eq!(
        column(&paired, "mean_ms", "verdict"),
        ["no chance repeated"]
    );
    assert_eq!(column(&paired, "mean_ms", "half_width_95"), [""]);
    let page = read("summary.md");
    assert!(
        page.contains("no chance repeated") && !page.contains("with 95% confidence"),
        "{page}"
    );
}

/// A strategy's name says only what tells the compared apart; its files are named by it, and below
/// the table stands what is not at its default, at any depth.
#[test]
fn long_settings_have_short_names() {
    let place = scratch("pictures-names");
    let run = lbsim(
        &place,
        &["run", &case("run-requests-long-name.toml"), "--requests"],
    );
    assert!(run.status.success(), "{}", stderr(&run));
    let folder = place.join("results/run-requests-long-name");
    let runs = std::fs::read_to_string(folder.join("runs.csv")).unwrap();
    let name = runs.lines().nth(1).unwrap().split(',').next().unwrap();
    assert_eq!(name, "envoy-round-robin");
    let printed = String::from_utf8_lossy(&run.stdout).into_owned();
    let below = "Strategies: envoy-round-robin (cluster.outlier-detection.interval=1s).";
    assert!(printed.contains(below), "{printed}");
    assert_eq!(
        std::fs::read_dir(folder.join("requests")).unwrap().count(),
        2
    );
    let manifest = std::fs::read_to_string(folder.join("manifest.json")).unwrap();
    assert!(
        manifest.contains("consecutive"),
        "all settings are in the manifest"
    );
}

/// Names that differ in what no file's name can hold, and names that a table of Markdown could take
/// for its own.
#[test]
fn names_end_neither_cells_nor_files() {
    let place = scratch("pictures-markdown");
    let long = "very long".repeat(4);
    let text = format!(
        "question = \"Who | what?\"\nexpect = \"e\"\n[run]\nduration = \"5s\"\nreplications = 2\n\
         [[variants]]\nname = \"a|b {long}\"\nstrategy = \"random\"\n[[variants]]\nname = \"a/b {long}\"\nstrategy = \"round-robin\"\n\
         [[clients]]\narrivals = {{ kind = \"poisson\", rate = \"50/s\" }}\n[[services]]\nname = \"web\"\n\
         [[services.servers]]\ncount = 2\nservice = {{ kind = \"exponential\", mean = \"5ms\" }}\n"
    );
    std::fs::write(place.join("names.toml"), text).unwrap();
    let run = lbsim(&place, &["run", "names.toml", "--requests"]);
    assert!(run.status.success(), "{}", stderr(&run));
    let folder = place.join("results/names");
    assert_eq!(
        std::fs::read_dir(folder.join("requests")).unwrap().count(),
        4
    );
    let page = std::fs::read_to_string(folder.join("summary.md")).unwrap();
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let table: Vec<usize> = page
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(cells)
        .collect();
    assert_eq!(table.len(), 4);
    assert!(table.iter().all(|count| *count == table[0]), "{page}");
}

/// A chart shows as many lines as can be told apart, and says what it leaves out.
#[test]
fn charts_of_very_many_variants_show_some() {
    let place = scratch("pictures-many");
    let mut text = "question = \"q\"\nexpect = \"e\"\n[run]\nduration = \"1s\"\n[[clients]]\narrivals = { kind = \"poisson\", rate = \"400/s\" }\n\
        [[services]]\nname = \"web\"\n[[services.servers]]\ncount = 2\nservice = { kind = \"exponential\", mean = \"1ms\" }\n".to_owned();
    for at in 0..60 {
        text += &format!("[[variants]]\nname = \"v{at}\"\nstrategy = \"random\"\n");
    }
    let read = results(&place, "many", &text);
    for chart in ["summary", "percentiles", "shares"] {
        let svg = read(&format!("charts/{chart}.svg"));
        assert!(
            svg.contains("12 of 60 shown, the baseline and the best by"),
            "{chart}"
        );
        assert!(svg.contains("v0\n"), "{chart}");
    }
    assert_eq!(
        read("summary.csv")
            .lines()
            .filter(|line| line.contains(",mean_ms,"))
            .count(),
        60
    );
}

/// Three servers that crash at times of their own, a tenth of the time, and a link that slows for
/// all at once.
#[test]
fn faults_at_drawn_times_are_seen() {
    let place = scratch("pictures-drawn-faults");
    let calm = TRAP.split("[[faults]]").next().unwrap();
    let text = format!(
        "{calm}[[faults]]\nkind = \"random-crashes\"\nservers = \"web\"\nmtbf = \"900ms\"\nmttr = \"100ms\"\n\
         [[faults]]\nname = \"slow link\"\nkind = \"slow-link\"\nfrom = \"balancers:web\"\nto = \"web\"\nat = \"10s\"\nadds = \"5ms\"\n\
         again = {{ after = {{ kind = \"exponential\", mean = \"100ms\" }}, lasts = {{ kind = \"exponential\", mean = \"300ms\" }} }}\n"
    );
    let read = results(&place, "drawn", &text);
    let mut reader = csv::Reader::from_reader(read("faults.csv").into_bytes().leak() as &[u8]);
    let rows: Vec<(String, String, u32, f64, f64, f64)> =
        reader.deserialize().map(Result::unwrap).collect();
    let of = |strategy: &str, fault: &str| -> Vec<_> {
        let own = rows
            .iter()
            .filter(|row| row.0 == strategy && row.1 == fault);
        own.map(|row| (row.2, row.3, row.4, row.5)).collect()
    };
    let crashes = of("round-robin", "random crashes of web");
    assert_eq!(crashes.len(), 120);
    assert_eq!(crashes, of("least-connections", "random crashes of web"));
    let mean = |rows: &[(u32, f64, f64, f64)]| {
        rows.iter().map(|row| row.3).sum::<f64>() / rows.len() as f64
    };
    assert!((mean(&crashes) - 0.1).abs() < 0.03, "{}", mean(&crashes));
    assert!(
        crashes
            .iter()
            .all(|row| row.0 == 3 && (0.0..=1.0).contains(&row.3))
    );
    // It begins in the middle, and holds for three quarters of the time from then on.
    let slow = of("round-robin", "slow link");
    let (before, after): (Vec<_>, Vec<_>) = slow.iter().partition(|row| row.2 <= 10.0);
    assert_eq!((slow[0].0, mean(&before)), (1, 0.0));
    assert!((mean(&after) - 0.75).abs() < 0.08, "{}", mean(&after));
    for chart in ["timeline", "utilization"] {
        let svg = read(&format!("charts/{chart}.svg"));
        for part in ["random crashes of web: each of 3 for ", "slow link: 3"] {
            assert!(svg.contains(part), "{chart} lacks {part}");
        }
    }
    // Those at given times are in the manifest, each as what it is.
    let pause = TRAP.replace("kind = \"crash\"", "kind = \"pause\"");
    let given = results(&place, "given", &pause);
    assert!(given("manifest.json").contains("\"kind\": \"pause\""));
    assert_eq!(given("faults.csv").lines().count(), 1);
    assert!(!given("charts/timeline.svg").contains("of the time, at most"));
}

/// Two seconds of twice what a server can do; clients ask again what they did not get in time.
const SPIKE: &str = r#"
question = "Does it come back?"
expect = "Not with retries."
[run]
duration = "30s"
warmup = "0s"
replications = 2
judge-by = "success-share"
[[variants]]
name = "once"
strategy = "random"
[[variants]]
name = "again and again"
strategy = "random"
set = { "clients[0].retry" = { max = 3, backoff = "50ms" } }
[[clients]]
arrivals = { kind = "spike", rate = "160/s", peak = "400/s", at = "5s", lasts = "3s" }
timeout = "200ms"
[[services]]
name = "web"
[[services.servers]]
count = 2
service = { kind = "exponential", mean = "10ms" }
"#;

#[test]
fn a_way_that_leads_back_and_one_that_does_not() {
    let place = scratch("pictures-goodput");
    let read = results(&place, "spike", SPIKE);
    let svg = read("charts/goodput.svg");
    for part in [
        "back at ",
        "not back by 30 s",
        "Requests asked for (a second)",
    ] {
        assert!(svg.contains(part), "{part}");
    }
    let page = read("summary.md");
    assert!(
        page.contains("tries a request") && !page.contains("attempts a request"),
        "{page}"
    );
    // At a steady rate there is no way to go.
    let spike = SPIKE.split("arrivals = ").nth(1).unwrap();
    let spike = spike.split('\n').next().unwrap();
    let steady = SPIKE.replace(spike, "{ kind = \"poisson\", rate = \"160/s\" }");
    let steady = format!(
        "{steady}{}",
        &TRAP[TRAP.find("[[faults]]").unwrap()..].replace("s-2", "server-2")
    );
    // But one to see over time: one server of two is gone.
    let read = results(&place, "steady", &steady);
    let svg = read("charts/goodput.svg");
    for part in [
        "not back by 30 s",
        "Requests (a second)",
        "it was tried again",
        "crash of web",
    ] {
        assert!(svg.contains(part), "{part}");
    }
    assert!(!svg.contains("Requests asked for"));
    // What is tried again by the clock is what is tried again in all, but for what is so after the
    // end.
    let sum = |file: &str, column: &str| -> f64 {
        let text = read(file);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let headers = reader.headers().unwrap().clone();
        let at = headers.iter().position(|own| own == column).unwrap();
        let rows = reader.records().map(Result::unwrap);
        let own = rows.filter(|row| &row[0] == "again and again");
        own.map(|row| row[at].parse::<f64>().unwrap()).sum()
    };
    let repeats = 2.0 * sum("timeline.csv", "repeats");
    let again = sum("runs.csv", "attempts") - sum("runs.csv", "requests");
    assert!(
        repeats > 0.95 * again && repeats <= again,
        "{repeats} of {again}"
    );
}

/// A service whose server fails half of what it is asked: the balancer before it tries again.
#[test]
fn attempts_at_each_tier_are_seen() {
    let place = scratch("pictures-tiers");
    let text = r#"
question = "How many attempts does a request take?"
expect = "Two at the bottom."
[run]
duration = "20s"
replications = 2
compare = ["random"]
[[clients]]
arrivals = { kind = "poisson", rate = "100/s" }
[[services]]
name = "web"
steps = [{ call = "db" }]
[[services.servers]]
slots = 50
service = { kind = "constant", value = "1ms" }
[[services]]
name = "db"
balancer = { strategy = "random", retry = { max = 9, error-answers = true } }
[[services.servers]]
slots = 50
service = { kind = "constant", value = "1ms" }
[[faults]]
kind = "errors"
servers = "db"
at = "0s"
share = "50%"
"#;
    let read = results(&place, "tiers", text);
    let mut reader = csv::Reader::from_reader(read("services.csv").into_bytes().leak() as &[u8]);
    let headers = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let value = |row: usize, name: &str| -> f64 {
        let at = headers.iter().position(|own| own == name).unwrap();
        rows[row][at].parse().unwrap()
    };
    assert_eq!(value(0, "attempts_per_client_request"), 1.0);
    assert!((value(1, "attempts_per_client_request") - 2.0).abs() < 0.1);
    let failed = value(1, "failed_attempts") / value(1, "attempts");
    assert!((failed - 0.5).abs() < 0.03, "{failed}");
    let svg = read("charts/services.svg");
    assert!(svg.contains("Attempts for each request of a client") && svg.contains("failed\n"));
    let page = read("summary.md");
    assert!(page.contains("attempts a client's request"), "{page}");
    // Wait, work and calls of the first tier are all of its time but the attempts that failed.
    assert!(page.contains("of it rest"), "{page}");
    // The balancer of the clients tries nothing again.
    assert!(!page.contains("attempts a request"), "{page}");
}
