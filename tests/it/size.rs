//! Sizing: it finds what Erlang's formulas say, says what it could not decide, and refuses what it
//! could not find.

use std::fs;
use std::path::Path;

use lbsim::experiment::Progress;
use lbsim::scenario::{Scenario, Template};
use lbsim::size::{self, Sizes};
use lbsim::theory::Mmk;

use crate::support::{files, lbsim, scratch, stderr, stdout};

/// A pool of servers that work off 100 requests a second each; `run` and `size` are more of those
/// tables.
fn pool(rate: f64, compare: &str, run: &str, size: &str) -> String {
    format!(
        "question = 'How many?'\nexpect = 'As Erlang says.'\n[run]\nduration = '20s'\nwarmup = '2s'\n{run}\
         compare = [{compare}]\n[[clients]]\narrivals = {{ kind = 'poisson', rate = '{rate}/s' }}\n\
         [[services]]\nname = 'web'\nbalancer.health-check = {{ interval = '500ms' }}\n\
         [[services.servers]]\ncount = 4\nservice = {{ kind = 'exponential', mean = '10ms' }}\n\
         [size]\n{size}\n"
    )
}

/// One server with many slots: M/M/k for any strategy.
fn slots(rate: f64, run: &str, size: &str) -> String {
    pool(rate, "'random'", run, size).replace("count = 4", "slots = 4")
}

const SERVERS: &str = "vary = 'services.web.servers[0].count'\nmin = 1\nmax = 16\n";
const SLOTS: &str = "vary = 'services.web.servers[0].slots'\nmin = 1\nmax = 16\n";

fn sized(text: &str) -> (Scenario, Sizes) {
    let (template, base) = Template::parse(Path::new("pool.toml"), text, &[])
        .unwrap_or_else(|fault| panic!("{fault}"));
    let sizing = base.sizing.as_ref().unwrap();
    let sizes = size::size((&base, sizing, &template), None, &Progress::default()).unwrap();
    (base, sizes)
}

/// The answer of the first strategy, as it is written.
fn answer(text: &str) -> String {
    let (base, sizes) = sized(text);
    let strategy = &sizes.strategies[0];
    assert!(strategy.is_decided, "{:#?}", strategy.verge);
    let sizing = base.sizing.as_ref().unwrap();
    let holds = strategy.verge.holds.expect("it holds somewhere");
    sizing.value(holds).written.clone()
}

/// Six settings in which the limit lies between what k slots give and what one fewer gives, at
/// least 9% from both. Each answer is wrong, or not decided, with a chance of 5% at most; the seed
/// is fixed.
#[test]
fn the_fewest_are_as_erlang_says() {
    type Figure = fn(&Mmk) -> f64;
    let mean: Figure = |pool| pool.mean_response() * 1e3;
    let p90: Figure = |pool| pool.response_quantile(0.9) * 1e3;
    let p95: Figure = |pool| pool.response_quantile(0.95) * 1e3;
    for (rate, least, name, figure) in [
        (90.0, 2, "mean", mean),
        (150.0, 3, "p90", p90),
        (300.0, 5, "mean", mean),
        (300.0, 4, "p95", p95),
        (640.0, 8, "mean", mean),
        (900.0, 10, "p90", p90),
    ] {
        let with = |slots: u32| {
            figure(&Mmk {
                arrival_rate: rate,
                service_rate: 100.0,
                slots,
            })
        };
        let (enough, few) = (with(least), with(least - 1));
        let limit = match few.is_finite() {
            true => (enough * few).sqrt().round(),
            false => (enough * 1.4).round(),
        };
        assert!(
            enough * 1.09 < limit && limit * 1.09 < few,
            "{enough} {few}"
        );
        let size = format!("{SLOTS}objective = ['{name} < {limit}ms']");
        let found = answer(&slots(rate, "", &size));
        assert_eq!(found, least.to_string(), "{rate}/s, {name} < {limit}ms");
    }
}

/// Who sends to the server with the least work left makes one queue of all (M/M/k); with one of
/// them lost, one more is needed.
#[test]
fn one_lost_is_one_more() {
    let size = |lost: &str| format!("{SERVERS}objective = ['mean < 13ms']\n{lost}");
    let few = |lost: &str| answer(&pool(300.0, "'least-work-left'", "", &size(lost)));
    let with = |slots: u32| {
        let pool = Mmk {
            arrival_rate: 300.0,
            service_rate: 100.0,
            slots,
        };
        pool.mean_response()
    };
    assert!(with(5) < 0.012 && with(4) > 0.014);
    assert_eq!(few(""), "5");
    assert_eq!(few("also-with-lost = 'one-server'"), "6");
    let named = size("also-with-lost = 'web/server-1'").replace("min = 1", "min = 2");
    assert_eq!(answer(&pool(300.0, "'least-work-left'", "", &named)), "6");
}

/// M/M/1: the mean is 10 ms / (1 - load), below 45 ms up to a load of 77.8%.
#[test]
fn the_highest_load_is_found_and_the_highest_rate() {
    let text = |size: &str| slots(50.0, "", size).replace("slots = 4", "slots = 1");
    let load = "vary = 'load'\nmin = '30%'\nmax = '95%'\nstep = '5%'\nobjective = ['mean < 45ms']";
    assert_eq!(answer(&text(load)), "75%");
    let rate = "vary = 'clients[0].arrivals.rate'\nmin = '30/s'\nmax = '95/s'\nstep = '5/s'\nobjective = ['mean < 45ms']";
    assert_eq!(answer(&text(rate)), "75/s");
}

#[test]
fn each_strategy_has_an_answer_of_its_own() {
    let objective = "objective = ['p95 < 45ms', 'utilization of random < 31%']";
    let text = pool(
        300.0,
        "'random', 'least-work-left'",
        "",
        &format!("{SERVERS}{objective}"),
    );
    let (base, sizes) = sized(&text);
    let sizing = base.sizing.as_ref().unwrap();
    let of = |at: usize| {
        let strategy = &sizes.strategies[at];
        assert!(strategy.is_decided, "{:?}", strategy.verge);
        sizing.value(strategy.verge.holds.unwrap()).written.as_str()
    };
    // Random: 30% of 10. One queue: p95 is 42 ms with 4, 32 ms with 5.
    assert_eq!((of(0), of(1)), ("10", "4"));
    let parts = |at: usize| sizes.strategies[at].soundings[0].situations[0].judged.len();
    assert_eq!((parts(0), parts(1)), (2, 1));
}

fn said(place: &Path, text: &str, arguments: &[&str]) -> (Option<i32>, serde_json::Value, String) {
    fs::write(place.join("pool.toml"), text).unwrap();
    let mut all = vec!["size", "pool.toml", "--format", "json"];
    all.extend(arguments);
    let done = lbsim(place, &all);
    let json = serde_json::from_str(&stdout(&done)).unwrap_or_default();
    (done.status.code(), json, stderr(&done))
}

/// The limit is what five slots give, to a hair: no budget of a test decides that.
#[test]
fn what_the_budget_does_not_decide_is_said() {
    let place = scratch("size-tight");
    let exact = Mmk {
        arrival_rate: 300.0,
        service_rate: 100.0,
        slots: 5,
    };
    let limit = format!(
        "objective = ['mean < {:.0}us']\n",
        exact.mean_response() * 1e6
    );
    let size = format!("{SLOTS}{limit}max-replications = 10\n");
    let text = slots(300.0, "replications = 5\n", &size);
    let (code, said_of, error) = said(&place, &text, &[]);
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("not decided for random"), "{error}");
    assert_eq!(said_of["decided"], false);
    let row = &said_of["sizes"][0];
    assert_eq!(row["verdict"], "not decided");
    let ends = [&row["fails"], &row["undecided"], &row["value"]];
    assert_eq!(ends.map(|end| end.as_str().unwrap()), ["4", "5", "6"]);
    let sentence = said_of["verdict"][0].as_str().unwrap();
    for part in [
        "random: between 4 and services.web.servers[0].slots = 6; not decided:",
        "which does not decide < 11181us, after 10 replications",
    ] {
        assert!(sentence.contains(part), "{sentence}");
    }
    let advice = said_of["verdict"][1].as_str().unwrap();
    assert!(advice.contains("`max-replications` is 10"), "{advice}");
    // Some requests suffice for the ends, and not for what is between them.
    let few = text.replace(
        "max-replications",
        "max-requests = 40_000\nmax-replications",
    );
    let (code, said_of, _) = said(&place, &few, &["--replications", "2"]);
    assert_eq!((code, &said_of["decided"]), (Some(1), &false.into()));
    let sentence = said_of["verdict"][0].as_str().unwrap();
    assert!(
        sentence.contains("when the requests were used up"),
        "{sentence}"
    );
    assert!(said_of["requests_simulated"].as_u64().unwrap() < 80_000);
}

/// That nothing suffices is an answer, and that the least does already.
#[test]
fn ends_of_the_range_are_said_to_be_ends() {
    let place = scratch("size-ends");
    for (rate, limit, verdict, sentence) in [
        (
            300.0,
            "9ms",
            "none",
            "random: even the easiest does not do. 16 servers: mean",
        ),
        (
            50.0,
            "20s",
            "the end holds",
            "This is the least that was looked at",
        ),
    ] {
        let size = format!("{SERVERS}objective = ['mean < {limit}']");
        let (code, said, error) = said(&place, &pool(rate, "'random'", "", &size), &[]);
        assert_eq!(code, Some(0), "{error}");
        assert_eq!(said["sizes"][0]["verdict"], verdict);
        let found = said["verdict"][0].as_str().unwrap();
        assert!(found.contains(sentence), "{found}");
    }
}

#[test]
fn the_same_bytes_for_any_number_of_threads() {
    let place = scratch("size-jobs");
    let size = format!(
        "{SERVERS}objective = ['p95 < 50ms', 'errors < 2%']\nalso-with-lost = 'one-server'\nmax-replications = 20\n"
    );
    let text = pool(300.0, "'random', 'least-connections'", "", &size);
    fs::write(place.join("pool.toml"), text).unwrap();
    for (folder, jobs) in [("one", "1"), ("two", "2")] {
        let done = lbsim(
            &place,
            &["size", "pool.toml", "-q", "--out", folder, "--jobs", jobs],
        );
        assert!(
            done.status.code().is_some_and(|code| code < 2),
            "{}",
            stderr(&done)
        );
    }
    let one = files(&place.join("one/pool-sized"));
    assert_eq!(one, files(&place.join("two/pool-sized")));
    let names: Vec<String> = one
        .iter()
        .map(|(name, _)| name.display().to_string())
        .collect();
    for name in [
        "manifest.json",
        "sizes.csv",
        "summary.md",
        "tried.csv",
        "charts/required-2.svg",
    ] {
        assert!(names.contains(&name.to_owned()), "{names:?}");
    }
    let journals = fs::read_dir(place.join("one")).unwrap().count();
    assert_eq!(journals, 1, "no journal is left");
}

/// Each answer has its price, in the sentences and in the file; in the file alone where it is free.
#[test]
fn an_answer_says_what_it_costs() {
    let place = scratch("size-cost");
    let size = format!("{SERVERS}objective = ['p95 < 95ms']\n");
    let text = pool(300.0, "'least-connections', 'random'", "", &size);
    let priced = text.replace("count = 4", "count = 4\ncost = 0.25");
    let (_, found, _) = said(&place, &priced, &[]);
    let mut each = Vec::new();
    for row in found["sizes"].as_array().unwrap() {
        let servers: f64 = row["value"].as_str().unwrap().parse().unwrap();
        assert_eq!(row["cost_per_hour"].as_f64(), Some(servers / 4.0), "{row}");
        each.push((row["strategy"].as_str().unwrap(), servers / 4.0));
    }
    assert_eq!(each.len(), 2);
    let sentence = found["verdict"].as_array().unwrap().last().unwrap();
    let named = each.iter().map(|(name, cost)| format!("{name} {cost}"));
    let named: Vec<String> = named.collect();
    let sentence = sentence.as_str().unwrap();
    assert!(sentence.starts_with("Cost an hour: "), "{sentence}");
    for said in named {
        assert!(sentence.contains(&said), "{sentence}: {said}");
    }
    let (_, free, _) = said(&place, &text, &[]);
    assert!(free["sizes"][0]["cost_per_hour"].is_null(), "{free}");
}

/// What is wrong is said where it stands, all of it at once.
#[test]
fn bad_input_is_refused_with_its_place() {
    let objective = "objective = ['p99 < 1s']\n";
    let with = |size: &str| pool(300.0, "'random', 'least-connections'", "", size);
    let vary = |path: &str, more: &str| with(&format!("vary = '{path}'\n{more}{objective}"));
    let range = "min = 1\nmax = 9\n";
    for (text, message) in [
        (
            vary("services.wbe.servers[0].count", range),
            "has no element whose name is `wbe`",
        ),
        (vary("services.web.servers[0].cuont", range), "cuont"),
        (
            vary("services.web.servers[0].count", "min = 9\nmax = 1\n"),
            "`min` must be less than `max`",
        ),
        (
            vary("services.web.servers[0].count", "min = 0\nmax = 3\n"),
            "with 0: ",
        ),
        (
            vary("services.web.servers[0].count", "min = 1\nmax = '3s'\n"),
            "must be of one kind",
        ),
        (
            vary("services.web.servers[0].count", "min = 'few'\nmax = 3\n"),
            "must be a number",
        ),
        (
            vary(
                "services.web.servers[0].count",
                "min = 1\nmax = 3\nstep = 5\n",
            ),
            "at least 2 values",
        ),
        (
            vary("services.web.servers[0].count", "min = 1\nmax = 100_000\n"),
            "at most 10000",
        ),
        (vary("load", range), "a load is a share"),
        (
            vary("load.wbe", "min = '1%'\nmax = '9%'\n"),
            "did you mean `load.web`?",
        ),
        (
            vary("clients[0].arrivals.rate", "min = '1/s'\nmax = '9/s'\n"),
            "give `step`",
        ),
        (
            with(&format!("{SERVERS}objective = ['p99 < 200']")),
            "must be a time",
        ),
        (
            with(&format!("{SERVERS}objective = ['erors < 1%']")),
            "did you mean `errors`?",
        ),
        (
            with(&format!("{SERVERS}objective = ['p99 of randon < 1s']")),
            "did you mean `random`?",
        ),
        (
            with(&format!("{SERVERS}objective = ['p99 > 1s']")),
            "do not help that",
        ),
        (
            with(&format!("{SERVERS}objective = ['goodput < 1/s']")),
            "asks for little",
        ),
        (
            with(&format!("{SERVERS}objective = ['cost < 9']")),
            "not met by more servers",
        ),
        (with(&format!("{SERVERS}objective = []")), "objective"),
        (
            with(&format!("{SERVERS}{objective}also-with-lost = 'one-zone'")),
            "no two zones",
        ),
        (
            with(&format!("{SERVERS}{objective}also-with-lost = 'one-sever'")),
            "did you mean `one-server`?",
        ),
        (
            with(&format!(
                "{SERVERS}{objective}also-with-lost = 'web/server-9'"
            )),
            "with 1: ",
        ),
        (
            with(&format!("{SERVERS}{objective}confidence = '100%'")),
            "less than 100%",
        ),
        (
            with(&format!("{SERVERS}{objective}max-replications = 5")),
            "at least `run.replications`",
        ),
        (
            with(&format!("{SERVERS}{objective}max-replicatons = 5")),
            "max-replications",
        ),
        (
            vary("services.web.servers[0].count", range)
                .replace("warmup = '2s'", "replications = 1"),
            "says nothing of its error",
        ),
        (
            vary("services.web.servers[0].count", range).replace("'2s'", "'auto'"),
            "warm-up that is given",
        ),
    ] {
        let refused = Scenario::from_text("pool.toml", &text).map(|_| ());
        let said = refused.map_err(|fault| fault.to_string()).unwrap_err();
        assert!(said.contains(message), "{message}: {said}\n{text}");
        assert!(said.contains("pool.toml:"), "{said}");
    }
    let two = "min = 9\nmax = 1\nobjective = ['p99 < 1', 'wait < 1ms']";
    let said = Scenario::from_text("pool.toml", &with(&format!("vary = 'load'\n{two}")));
    let said = said.map(|_| ()).unwrap_err().to_string();
    for part in [
        "must be a time",
        "there is no metric `wait`",
        "less than `max`",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn a_scenario_that_does_not_say_what_is_looked_for_is_no_use() {
    let place = scratch("size-none");
    let text = pool(300.0, "'random'", "", "");
    let (code, _, error) = said(&place, text.split("[size]").next().unwrap(), &[]);
    assert_eq!(code, Some(2));
    assert!(error.contains("it has no `[size]`"), "{error}");
}

/// One server of 100 a second: what is asked for beyond that is answered for as long as a run
/// lasts, and never after.
#[test]
fn what_is_not_sustained_does_not_hold() {
    let size =
        "vary = 'load'\nmin = '10%'\nmax = '300%'\nstep = '10%'\nobjective = ['success > 99%']";
    let text = pool(60.0, "'random'", "replications = 5\n", size).replace("count = 4", "count = 1");
    let (base, sizes) = sized(&text);
    let holds = sizes.strategies[0].verge.holds.unwrap();
    let written = &base.sizing.as_ref().unwrap().value(holds).written;
    assert_eq!(written, "90%");
}

/// The one server of the second service is lost in its turn too, and nothing makes up for it.
#[test]
fn any_service_may_lose_a_server() {
    let size = "vary = 'services.web.servers[0].count'\nmin = 1\nmax = 4\nobjective = ['errors < 1%']\nalso-with-lost = 'one-server'";
    let db = "[[services]]\nname = 'db'\nservers = [{ slots = 9, service = { kind = 'constant', value = '1ms' } }]\n[size]";
    let text = pool(50.0, "'random'", "replications = 3\n", size)
        .replace(
            "name = 'web'\n",
            "name = 'web'\nsteps = [{ call = 'db' }]\n",
        )
        .replace("[size]", db);
    let (_, sizes) = sized(&text);
    assert_eq!(sizes.strategies[0].verge.holds, None);
    let (_, sizes) = sized(&text.replace("also-with-lost = 'one-server'", ""));
    assert_eq!(sizes.strategies[0].verge.holds, Some(0));
}

#[test]
fn what_an_autoscaler_orders_is_no_size() {
    let scaled = "count = 4\nautoscale = { least = 2, most = 9, interval = '5s', by = { kind = 'target-tracking', metric = { kind = 'utilization', target = '60%' } } }";
    let text = pool(
        200.0,
        "'random'",
        "",
        &format!("{SERVERS}objective = ['p99 < 1s']"),
    );
    let text = text.replace("count = 4", scaled);
    let said = Scenario::from_text("pool.toml", &text).unwrap_err();
    assert!(
        said.to_string().contains("an autoscaler decides how many"),
        "{said}"
    );
}
