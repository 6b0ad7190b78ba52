//! What is drawn, and what is read: rates that are what they say, keys that are their text, chance
//! that is repeated.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use lbsim::experiment::{self, Analysis, Outcome, Progress, cautions};
use lbsim::model;
use lbsim::model::arrivals::Trace;
use lbsim::observe::Ended;
use lbsim::scenario::Scenario;

use crate::support::{files, lbsim, read_in, scratch, stderr};

/// A system of three servers: requests at known times, served by `strategies`.
fn recorded(test: &str, strategies: &str, clients: &str, service: &str) -> (Scenario, Outcome) {
    let place = scratch(&format!("draws-{test}"));
    fs::write(place.join("t.csv"), "t,who,takes\n0,a,10\n5,b,20\n6,c,30\n").unwrap();
    let scenario = read_in(
        &place,
        &format!(
            r#"
question = "?"
expect = "!"
[run]
duration = "1s"
replications = 2
compare = [{strategies}]
[[clients]]
arrivals = {{ kind = "trace", file = "t.csv", columns = {{ time = "t", time-unit = "ms"{clients} }} }}
[[services]]
name = "web"
[[services.servers]]
count = 3
service = {service}
"#
        ),
    );
    let mut outcomes = experiment::run(&[(&scenario, None)], &Progress::default()).unwrap();
    (scenario, outcomes.remove(0))
}

/// Whether its replications can differ.
fn varies(test: &str, strategy: &str, clients: &str, service: &str) -> bool {
    recorded(test, strategy, clients, service).1.variants[0].varies
}

/// That chance is not repeated is said of those that it is true of.
#[test]
fn copies_are_named() {
    let first = r#"{ kind = "round-robin", start = "first" }"#;
    let constant = r#"{ kind = "constant", value = "10ms" }"#;
    let said = |test: &str, strategies: &str| {
        let (scenario, outcome) = recorded(test, strategies, "", constant);
        let warnings = cautions(&scenario, &outcome, &Analysis::of(&scenario, &outcome));
        let own = warnings
            .iter()
            .filter(|own| own.code == "chance-not-repeated");
        own.map(|own| own.text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(said("none", "\"random\""), Vec::<String>::new());
    let one = said("one", &format!("\"random\", {first}"));
    assert_eq!(one.len(), 1, "{one:?}");
    assert!(
        one[0].contains("under round-robin") && !one[0].contains("verdict"),
        "{one:?}"
    );
    let two = said(
        "two",
        &format!("\"random\", {first}, \"haproxy-roundrobin\""),
    );
    assert_eq!(two.len(), 1, "{two:?}");
    assert!(two[0].contains("no verdicts between them"), "{two:?}");
    let all = said("all", &format!("{first}, \"haproxy-roundrobin\""));
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0].starts_with("nothing is drawn"), "{all:?}");
}

#[test]
fn what_nobody_draws_does_not_vary() {
    let first = r#"{ kind = "round-robin", start = "first" }"#;
    let constant = r#"{ kind = "constant", value = "10ms" }"#;
    let exponential = r#"{ kind = "exponential", mean = "10ms" }"#;
    let takes = r#", service = "takes", service-unit = "ms""#;
    assert!(!varies("constant", first, "", constant));
    assert!(varies("service", first, "", exponential));
    assert!(!varies("recorded", first, takes, exponential));
    // The strategy draws: at each request, or where it begins.
    assert!(varies("rule", "\"random\"", "", constant));
    assert!(varies("start", "\"round-robin\"", "", constant));
    // Where a textbook's hash puts a client is drawn; where a product's own does is not.
    let who = r#", client = "who""#;
    assert!(varies("placement", "\"jump-hash\"", who, constant));
    assert!(!varies("product", "\"envoy-maglev\"", who, constant));
}

/// Constant gaps begin at a phase that is drawn, which moves all alike: where nothing else is left
/// to chance every replication is the same, and that is said. What else keeps the time makes it
/// count, and so does whoever looks at the clients that are drawn.
#[test]
fn a_phase_alone_is_no_chance() {
    let of = |strategy: &str, clients: &str, more: &str| {
        let scenario = read_in(
            Path::new("."),
            &format!(
                r#"
question = "?"
expect = "!"
{more}
[run]
duration = "1s"
replications = 3
compare = [{strategy}]
[[clients]]
name = "first"
arrivals = {{ kind = "constant", rate = "100/s" }}
{clients}
[[services]]
name = "web"
[[services.servers]]
count = 3
service = {{ kind = "constant", value = "10ms" }}
"#
            ),
        );
        let mut outcomes = experiment::run(&[(&scenario, None)], &Progress::default()).unwrap();
        let outcome = outcomes.remove(0);
        let warned = cautions(&scenario, &outcome, &Analysis::of(&scenario, &outcome));
        let warned = warned.iter().any(|own| own.code == "chance-not-repeated");
        assert_eq!(warned, !outcome.variants[0].varies, "{strategy} {clients}");
        let means = outcome.variants[0].runs.iter().map(|run| run.mean_ms);
        (outcome.variants[0].varies, means.collect::<Vec<_>>())
    };
    let in_turn = "\"haproxy-roundrobin\"";
    let (varies, means) = of(in_turn, "", "");
    assert!(!varies);
    assert!(means.iter().all(|mean| *mean == means[0]), "{means:?}");
    // Keys are drawn, and nobody looks at them.
    let keys = "keys = { count = 9 }";
    assert!(!of(in_turn, keys, "").0);
    assert!(of("\"haproxy-uri\"", keys, "").0);
    assert!(
        of("\"haproxy-uri\"", "", "").0,
        "each client asks for its own"
    );
    let one = "population = { kind = \"generated\", count = 1 }";
    assert!(!of("\"haproxy-uri\"", one, "").0);
    assert!(of(in_turn, "sessions = {}", "").0, "who has a session");
    let second =
        "[[clients]]\nname = \"second\"\narrivals = { kind = \"constant\", rate = \"70/s\" }";
    assert!(of(in_turn, second, "").0);
    let fault = "faults = [{ kind = \"drain\", servers = \"web/server-1\", at = \"500ms\" }]";
    assert!(of(in_turn, "", fault).0);
}

/// A case of `tests/cases`, as it stands there.
fn case(name: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(name);
    let text = fs::read_to_string(&path).unwrap();
    Scenario::parse(&path, &text, &[]).unwrap_or_else(|rejected| panic!("{rejected}"))
}

/// The servers that the requests of a scenario's first variant are sent to, by arrival.
fn servers(scenario: &Scenario) -> Vec<u32> {
    let mut ended = Vec::new();
    let mut witness = |request: &Ended| ended.push((request.arrived, request.server.unwrap()));
    model::run_witnessed(&scenario.variants[0].blueprint, 1, 0, &mut witness);
    ended.sort_unstable();
    ended.into_iter().map(|(_, server)| server).collect()
}

/// 10 runs of 100 s at 200/s: 200,000 requests in batches of 1.37 on average, whose square is 2.53
/// on average. 4.5 standard deviations of that count are 2,740 (false alarm 7e-6).
#[test]
fn batches_send_as_many_as_they_say() {
    let scenario = case("batches-rate.toml");
    let outcomes = experiment::run(&[(&scenario, None)], &Progress::default()).unwrap();
    let runs = &outcomes[0].variants[0].runs;
    let requests: u64 = runs.iter().map(|run| run.requests).sum();
    assert_eq!(runs.len(), 10);
    assert!(requests.abs_diff(200_000) < 2_740, "{requests}");
}

/// As nginx 1.22.1 itself sends them.
#[test]
fn keys_of_traces_are_their_text() {
    assert_eq!(servers(&case("trace-keys/k.toml")), [2, 0, 0, 3, 0]);
}

/// Where a request of this client for this key goes under each strategy, in a trace whose columns
/// have these names.
fn goes(test: &str, rows: &str, columns: &str, strategies: &[&str]) -> Vec<Vec<u32>> {
    let place = scratch(&format!("draws-{test}"));
    fs::write(place.join("t.csv"), format!("t,who,what\n{rows}")).unwrap();
    let goes = |strategy: &&str| {
        servers(&read_in(
            &place,
            &format!(
                r#"
question = "?"
expect = "!"
[run]
duration = "10s"
warmup = "0s"
compare = [{strategy}]
[[clients]]
arrivals = {{ kind = "trace", file = "t.csv", columns = {{ time = "t", {columns} }} }}
[[services]]
name = "web"
[[services.servers]]
count = 7
address = "10.1.0.1:80"
service = {{ kind = "constant", value = "1ms" }}
"#
            ),
        ))
    };
    strategies.iter().map(goes).collect()
}

const HASHES: [&str; 8] = [
    r#"{ kind = "nginx-hash", consistent = true }"#,
    r#"{ kind = "nginx-hash", key = "client" }"#,
    r#""haproxy-uri""#,
    r#""haproxy-hash""#,
    r#""envoy-maglev""#,
    r#""envoy-ring-hash""#,
    r#""consistent-hashing""#,
    r#""ipvs-dh""#,
];

/// A key goes where its text says, whatever number it has in its trace: the same in another trace,
/// after other keys.
#[test]
fn keys_do_not_depend_on_their_order() {
    let one = "0,ann,/a?x=1\n1,bob,/b\n2,10.2.3.4,10.9.9.9\n";
    let other = "0,zoe,/zzz\n1,ann,/a?x=1\n2,bob,/b\n3,10.2.3.4,10.9.9.9\n";
    let columns = r#"client = "who", key = "what""#;
    let (one, other) = (
        goes("keys-one", one, columns, &HASHES),
        goes("keys-other", other, columns, &HASHES),
    );
    for ((one, other), strategy) in one.iter().zip(&other).zip(HASHES) {
        assert_eq!(one[..], other[1..], "{strategy}");
    }
    // A client stands in for a key that the trace does not have: by its name.
    let key = goes(
        "keys-own",
        "0,x,ann\n1,y,bob\n2,z,cat\n",
        r#"key = "what""#,
        &HASHES,
    );
    let client = goes(
        "keys-client",
        "0,ann,\n1,bob,\n2,cat,\n",
        r#"client = "who""#,
        &HASHES,
    );
    for (at, (key, client)) in key.iter().zip(&client).enumerate() {
        assert!(key == client || at == 1, "{}", HASHES[at]);
    }
}

/// The addresses of a trace are hashed as these addresses, with a port or without one.
#[test]
fn clients_of_traces_have_their_addresses() {
    let rules = [
        r#""ip-hash""#,
        r#""nginx-ip-hash""#,
        r#""haproxy-source""#,
        r#""ipvs-sh""#,
        r#""ipvs-mh""#,
        r#"{ kind = "nginx-hash", key = "address" }"#,
        r#"{ kind = "consistent-hashing", on = "address" }"#,
    ];
    let client = r#"client = "who""#;
    let one = "0,192.0.2.7,\n1,198.51.100.20,\n2,2001:db8::5,\n";
    let other = "0,203.0.113.9:5000,\n1,192.0.2.7:32801,\n2,198.51.100.20:4,\n3,[2001:db8::5]:9,\n";
    let one = goes("addresses-one", one, client, &rules);
    let other = goes("addresses-other", other, client, &rules);
    for ((one, other), rule) in one.iter().zip(&other).zip(rules) {
        assert_eq!(one[..], other[1..], "{rule}");
    }
}

/// What no client is known by is drawn anew in each replication, and only rules that look at it
/// vary by that.
#[test]
fn made_up_addresses_vary() {
    let constant = r#"{ kind = "constant", value = "10ms" }"#;
    let named = r#", client = "who""#;
    assert!(varies("named", "\"ip-hash\"", named, constant));
    assert!(varies("numbered", "\"nginx-ip-hash\"", "", constant));
    assert!(varies("ports", "\"aws-nlb-flow-hash\"", named, constant));
    assert!(!varies("by-key", "\"nginx-hash\"", named, constant));
    assert!(!varies(
        "by-name",
        r#"{ kind = "nginx-hash", key = "client" }"#,
        named,
        constant
    ));
}

/// Six clients in ten behind one address, hashed: their server gets that share of the requests.
/// Four in ten are spread over four servers, so the busiest of the others has some 10%.
#[test]
fn a_proxy_has_one_address() {
    let place = scratch("draws-proxy");
    let scenario = read_in(
        &place,
        r#"
question = "?"
expect = "!"
[run]
duration = "20s"
warmup = "0s"
replications = 6
compare = [{ kind = "nginx-hash", key = "address" }]
[[clients]]
arrivals = { kind = "poisson", rate = "200/s" }
population = { kind = "generated", count = 5000 }
proxies = [{ share = "60%" }]
[[services]]
name = "web"
[[services.servers]]
count = 4
service = { kind = "constant", value = "1ms" }
"#,
    );
    let outcomes = experiment::run(&[(&scenario, None)], &Progress::default()).unwrap();
    for replication in 0..6 {
        let shares = outcomes[0].variants[0]
            .shares
            .iter()
            .map(|share| share[replication]);
        let mut shares: Vec<f64> = shares.collect();
        shares.sort_unstable_by(f64::total_cmp);
        assert!(shares[3] > 0.6 && shares[2] < 0.2, "{shares:?}");
    }
    // Which server that is, is chance.
    let busiest = |replication: usize| {
        let shares = &outcomes[0].variants[0].shares;
        (0..4).max_by(|&a: &usize, &b| shares[a][replication].total_cmp(&shares[b][replication]))
    };
    assert!((1..6).any(|replication| busiest(replication) != busiest(0)));
}

/// Runs the requests of a file, and how long each took; the file has the columns that are named.
fn arrivals(test: &str, file: &str, columns: &str) -> Result<Vec<u64>, String> {
    let trace: Trace = serde_json::from_str(&format!(
        r#"{{ "file": "{test}", "columns": {{ {columns} }} }}"#
    ))
    .unwrap();
    let rows =
        lbsim::scenario::trace::read(&trace, file.as_bytes()).map_err(|error| error.to_string())?;
    Ok(rows
        .rows
        .iter()
        .map(|row| row.time.nanos() / 1_000_000)
        .collect())
}

#[test]
fn traces_in_other_shapes() {
    let time = r#""time": "time""#;
    for file in [
        "\u{feff}time,x\n0.5,a\n1,b\n1.25,c\n",
        "\u{feff}time;x\r\n0,5;a\r\n1;b\r\n1,25;c\r\n;\r\n",
        "time x\n0.5   a\n1   b\n1.25 c\n",
        "{\"time\":0.5,\"x\":\"a\"}\n{\"time\":1}\n{\"x\":null,\"time\":\"1.25\"}\n",
    ] {
        assert_eq!(
            arrivals("shapes", file, time).unwrap(),
            [0, 500, 750],
            "{file}"
        );
    }
    // By the end and how long it took: the second came first.
    let ended = r#""ended": "end", "took": "took", "took-unit": "ms""#;
    let file = "end,took\n10.0,100\n10.2,1200\n";
    assert_eq!(arrivals("ended", file, ended).unwrap(), [0, 900]);
    let why = arrivals("half", file, r#""ended": "end""#).unwrap_err();
    assert!(why.contains("`ended` and `took`"), "{why}");
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_name() {
    let scenario = case("trace-with-bom.toml");
    assert_eq!(servers(&scenario).len(), 4);
}

/// One quote too many in the middle: refused with its row, not half read.
#[test]
fn an_open_quote_is_refused_with_its_row() {
    let rows: String = (0..2000)
        .map(|at| {
            format!(
                "{}.{:03},{}c{}\n",
                at / 1000,
                at % 1000,
                if at == 1000 { "\"" } else { "" },
                at % 50
            )
        })
        .collect();
    let columns = r#""time": "time", "client": "client""#;
    let why = arrivals("quote", &format!("time,client\n{rows}"), columns).unwrap_err();
    assert!(why.contains("row 1001: a quote is not closed"), "{why}");
}

/// Packed rows without end: refused at a limit that is named, in bounded memory.
#[test]
fn a_trace_that_unpacks_without_end_is_refused() {
    let place = scratch("draws-bomb");
    let mut packed =
        zstd::Encoder::new(fs::File::create(place.join("t.csv.zst")).unwrap(), 1).unwrap();
    packed.write_all(b"t\n").unwrap();
    let zeros = vec![b'0'; 1 << 22];
    for _ in 0..4 {
        packed.write_all(&zeros).unwrap();
    }
    packed.finish().unwrap();
    let trace: Trace =
        serde_json::from_str(r#"{ "file": "x", "columns": { "time": "t" } }"#).unwrap();
    let why = lbsim::scenario::trace::open(&trace, &place.join("t.csv.zst"))
        .unwrap_err()
        .to_string();
    assert!(
        why.contains("row 1 is longer than 1048576 bytes, which is the limit"),
        "{why}"
    );
}

/// Measured values as a spreadsheet saves them.
#[test]
fn data_files_of_spreadsheets() {
    let place = scratch("draws-data");
    fs::write(place.join("d.csv"), "\u{feff}ms;what\r\n10,5;a\r\n20;b\r\n").unwrap();
    let scenario = read_in(
        &place,
        r#"
question = "?"
expect = "!"
[run]
duration = "1s"
compare = ["random"]
[[clients]]
arrivals = { kind = "poisson", rate = "10/s" }
[[services]]
name = "web"
[[services.servers]]
service = { kind = "empirical", file = "d.csv", column = "ms", unit = "1ms" }
"#,
    );
    let mean = scenario.variants[0].blueprint.services[0].groups[0]
        .service
        .mean();
    assert!((mean - 0.01525).abs() < 1e-12, "{mean}");
}

/// What was asked for stands in the log of what was simulated.
#[test]
fn logs_have_the_keys_of_the_trace() {
    let place = scratch("draws-log");
    fs::write(place.join("t.csv"), "t,what\n0,/a?b=c\n1,x \"y\"\n").unwrap();
    fs::write(
        place.join("s.toml"),
        r#"
question = "?"
expect = "!"
[run]
duration = "3s"
warmup = "0s"
replications = 1
compare = ["random"]
[[clients]]
arrivals = { kind = "trace", file = "t.csv", columns = { time = "t", key = "what" } }
[[services]]
name = "web"
[[services.servers]]
service = { kind = "constant", value = "1ms" }
"#,
    )
    .unwrap();
    let output = lbsim(
        &place,
        &["run", "s.toml", "-o", "o", "-q", "--requests=nginx"],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let all = files(&place.join("o/s/requests"));
    let log = String::from_utf8(all[0].1.clone()).unwrap();
    assert!(log.contains("\"GET /a?b=c HTTP/1.1\""), "{log}");
    assert!(log.contains(r#""GET /x\x20\x22y\x22 HTTP/1.1""#), "{log}");
}
