//! Names, worked out by hand: answers of name servers that name several members, and tables that
//! say which place is served by whom.

use std::collections::BTreeMap;
use std::fs;

use lbsim::model;
use lbsim::observe::{Cause, Ended, Tally, Witness, laws};
use lbsim::scenario::Scenario;
use lbsim::time::Time;

use crate::support::{read_in, scratch};

/// Each request that has ended: when it came, its client, and its server where it was answered.
#[derive(Default)]
struct Asked(Vec<(Time, u32, Option<u32>)>);

impl Witness for Asked {
    fn ended(&mut self, ended: &Ended) {
        self.0.push((ended.arrived, ended.client, ended.server));
    }
}

const HEAD: &str = "question = \"?\"\nexpect = \"!\"\n";

fn live(scenario: &Scenario) -> (Tally, Asked) {
    let mut asked = Asked::default();
    let blueprint = &scenario.variants[0].blueprint;
    let tally = model::run_witnessed(blueprint, 3, 0, &mut asked);
    assert_eq!(laws::violations(&tally), []);
    asked.0.sort_unstable();
    (tally, asked)
}

/// Who answers one client each second, from 0 on, with what stands so in its name server and what
/// happens; and how many attempts were made.
fn each_second(
    test: &str,
    (sticky, client): (&str, &str),
    more: &str,
) -> (Vec<Option<u32>>, u64, [u64; Cause::COUNT]) {
    let place = scratch(&format!("names-{test}"));
    let rows: String = (0..6).map(|second| format!("{second},one\n")).collect();
    fs::write(place.join("trace.csv"), format!("at,client\n{rows}")).unwrap();
    let text = format!(
        r#"{HEAD}
[run]
duration = "10s"
warmup = "0s"
[[clients]]
arrivals = {{ kind = "trace", file = "trace.csv", columns = {{ time = "at", time-unit = "s", client = "client" }} }}
{client}
[[services]]
name = "dns"
servers = [
    {{ name = "a", service = {{ kind = "constant", value = "10ms" }} }},
    {{ name = "b", service = {{ kind = "constant", value = "10ms" }} }},
]
[services.balancer]
strategy = "failover"
sticky = {{ kind = "dns", ttl = "100s"{sticky} }}
{more}
[[variants]]
name = "it"
"#
    );
    let (tally, asked) = live(&read_in(&place, &text));
    let servers = asked.0.iter().map(|own| own.2).collect();
    (servers, tally.attempts, tally.failed)
}

fn crash(server: &str, at: &str, lasts: &str) -> String {
    format!(
        "[[faults]]\nname = \"{server}\"\nkind = \"crash\"\nservers = \"dns/{server}\"\nat = \"{at}\"\nlasts = \"{lasts}\"\n"
    )
}

const A: Option<u32> = Some(0);
const B: Option<u32> = Some(1);
const TWO: (&str, &str) = (", answers = 2", "");

/// The first server dies for good. Who has been told of it alone fails as long as the answer is
/// kept; who has been told of both fails once.
#[test]
fn who_knows_two_fails_once() {
    let dies = crash("a", "1500ms", "1h");
    let (servers, ..) = each_second("one", ("", ""), &dies);
    assert_eq!(servers, [A, A, None, None, None, None]);
    let (servers, attempts, failed) = each_second("two", TWO, &dies);
    assert_eq!((servers, attempts), (vec![A, A, None, B, B, B], 6));
    assert_eq!(failed.iter().sum::<u64>(), 1);
}

/// Tried again at once, the request goes to the next address, and those that come after it begin
/// there: one attempt more in all, whether it is to be another server or wherever the answer says.
/// The same server again is the same, and only what comes after goes on.
#[test]
fn a_retry_goes_to_the_next_and_that_is_remembered() {
    let dies = crash("a", "1500ms", "1h");
    for on in ["another", "any"] {
        let more = format!("retry = {{ max = 1, on = \"{on}\" }}\n{dies}");
        let (servers, attempts, _) = each_second("retry", TWO, &more);
        assert_eq!((servers, attempts), (vec![A, A, B, B, B, B], 7), "{on}");
    }
    let more = format!("retry = {{ max = 1, on = \"same\" }}\n{dies}");
    let (servers, attempts, _) = each_second("same", TWO, &more);
    assert_eq!((servers, attempts), (vec![A, A, None, B, B, B], 7));
    // The client itself may ask again.
    let (servers, attempts, _) = each_second("ask", (TWO.0, "retry = { max = 1 }"), &dies);
    assert_eq!((servers, attempts), (vec![A, A, B, B, B, B], 7));
}

/// At 2 and at 3 both are dead, at 4 the first is back: after the second comes the first again.
#[test]
fn behind_the_last_comes_the_first() {
    let both = crash("a", "1500ms", "2s") + &crash("b", "1500ms", "1h");
    let (servers, ..) = each_second("both", TWO, &both);
    assert_eq!(servers, [A, A, None, None, A, A]);
    // With more retries than addresses each is tried twice: at 2 s and at 3 s three attempts.
    let more = format!("retry = {{ max = 2 }}\n{both}");
    let (servers, attempts, _) = each_second("round", TWO, &more);
    assert_eq!(servers[..2], [A, A]);
    assert_eq!((&servers[2..4], attempts), (&[None, None][..], 2 + 6 + 2));
    assert_eq!(servers[4..], [A, A]);
}

/// A region that says nothing: no answer in time is as good as none, whoever waits for it. An
/// address that stands for nobody any more is a failure, too; a server that refuses what is too
/// much for it, or answers with an error, has been reached.
#[test]
fn what_cannot_be_reached_is_left() {
    let hangs = crash("a", "1500ms", "1h") + "answers = \"hang\"\n";
    let (servers, _, failed) = each_second("gave-up", (TWO.0, "timeout = \"300ms\""), &hangs);
    assert_eq!(servers, [A, A, None, B, B, B]);
    assert_eq!(failed[Cause::GaveUp as usize], 1);
    let more = format!("timeout = \"300ms\"\n{hangs}");
    let (servers, _, failed) = each_second("timeout", TWO, &more);
    assert_eq!(servers, [A, A, None, B, B, B]);
    assert_eq!(failed[Cause::Timeout as usize], 1);
    let leaves = |name: &str| {
        let text = format!(
            "[[faults]]\nkind = \"errors\"\nservers = \"dns/{name}\"\nat = \"1500ms\"\nlasts = \"1h\"\nshare = \"100%\"\n"
        );
        each_second("errors", TWO, &text).0
    };
    assert_eq!(leaves("a"), [A, A, None, None, None, None]);
}

#[test]
fn a_name_that_stands_for_nobody_is_left() {
    let text = format!(
        r#"{HEAD}
[run]
duration = "10s"
warmup = "0s"
[[clients]]
arrivals = {{ kind = "constant", rate = "1/s" }}
population = {{ kind = "generated", count = 1 }}
[[services]]
name = "dns"
servers = [
    {{ name = "a", leaves = "4500ms", service = {{ kind = "constant", value = "10ms" }} }},
    {{ name = "b", service = {{ kind = "constant", value = "10ms" }} }},
]
[services.balancer]
strategy = "failover"
sticky = {{ kind = "dns", ttl = "100s", answers = 2 }}
[[variants]]
name = "it"
"#
    );
    let (tally, asked) = live(&read_in(std::path::Path::new("."), &text));
    let servers: Vec<Option<u32>> = asked.0.iter().map(|own| own.2).collect();
    let failed = servers.iter().position(Option::is_none).unwrap();
    assert!(servers[..failed].iter().all(|&server| server == A));
    assert!(servers[failed + 1..].iter().all(|&server| server == B));
    assert_eq!(tally.failed[Cause::NoServer as usize], 1);
    assert!(failed >= 4 && failed + 1 < servers.len(), "{servers:?}");
}

/// Two servers, of which one dies at 20 s for good, and 600 clients that ask once in 3 s on
/// average; answers are kept for longer than the run lasts. By client: how often it failed.
fn failures(sticky: &str, more: &str) -> (BTreeMap<u32, u32>, Tally) {
    let text = format!(
        r#"{HEAD}
[run]
duration = "60s"
warmup = "0s"
[[clients]]
arrivals = {{ kind = "poisson", rate = "200/s" }}
population = {{ kind = "generated", count = 600 }}
[[services]]
name = "dns"
servers = [{{ name = "web", count = 2, slots = 999, service = {{ kind = "constant", value = "1ms" }} }}]
[services.balancer]
strategy = {{ kind = "round-robin", start = "first" }}
sticky = {{ kind = "dns", ttl = "1000h", {sticky} }}
{more}
[[faults]]
kind = "crash"
servers = "dns/web-1"
at = "20s"
lasts = "1h"
[[variants]]
name = "it"
"#
    );
    let (tally, asked) = live(&read_in(std::path::Path::new("."), &text));
    let mut failures = BTreeMap::new();
    for (_, client, server) in asked.0 {
        *failures.entry(client).or_insert(0) += u32::from(server.is_none());
    }
    (failures, tally)
}

/// Half of the clients, or those of half of the resolvers, are told of the dead one first: each of
/// them fails once, and then goes to the other for good. Of 600 that begin with any of two some 300
/// begin with it, with a standard deviation of 12; of 600 at 20 resolvers, half of which name it
/// first, too: five of them are allowed.
#[test]
fn each_client_fails_once_and_no_more() {
    for sticky in [
        "answers = 2",
        "answers = 8",
        "answers = 2, begin-with = \"any\"",
        "answers = 2, resolvers = 20",
        "answers = 2, resolvers = 1, begin-with = \"any\"",
    ] {
        let (failures, _) = failures(sticky, "");
        assert!(failures.values().all(|&count| count <= 1), "{sticky}");
        let once = failures.values().filter(|&&count| count == 1).count() as i32;
        assert!((once - 300).abs() < 60, "{sticky}: {once}");
        // Tried again, none fails, and each that would have made one attempt more.
        let (none, tally) = self::failures(sticky, "retry = { max = 1 }");
        assert!(none.values().all(|&count| count == 0), "{sticky}");
        let more = tally.attempts - tally.requests;
        assert_eq!(more as i32, once, "{sticky}");
    }
    // All of one resolver are told the same, and begin with it.
    let (failures, _) = failures("answers = 2, resolvers = 1", "");
    assert!(failures.values().all(|&count| count == 1));
}

/// Clients in three zones, and a table for two of them: 20, 10 and 5 requests a second.
fn by_table(strategy: &str, more: &str) -> String {
    let clients = |zone: &str, rate: u32| {
        format!(
            "[[clients]]\nname = \"{zone}\"\nzone = \"{zone}\"\narrivals = {{ kind = \"poisson\", rate = \"{rate}/s\" }}\n"
        )
    };
    let server = |name: &str, zone: &str| {
        format!(
            "{{ name = \"{name}\", zone = \"{zone}\", service = {{ kind = \"constant\", value = \"0ms\" }}, routes = [{{ to = \"at-{name}\" }}] }},\n"
        )
    };
    let web = |name: &str| {
        format!(
            "[[services]]\nname = \"at-{name}\"\nservers = [{{ slots = 9, service = {{ kind = \"constant\", value = \"1ms\" }} }}]\n"
        )
    };
    [
        HEAD,
        "[run]\nduration = \"20s\"\nwarmup = \"0s\"\n",
        &clients("eu", 20),
        &clients("us", 10),
        &clients("asia", 5),
        "[[services]]\nname = \"dns\"\nservers = [\n",
        &server("fra", "frankfurt"),
        &server("dub", "dublin"),
        &server("iad", "virginia"),
        "]\n[services.balancer]\n",
        &format!("strategy = {strategy}\n{more}\n"),
        &web("fra"),
        &web("dub"),
        &web("iad"),
        "[[variants]]\nname = \"it\"\n",
    ]
    .concat()
}

const TABLE: &str = r#"{ kind = "geolocation", places = [{ from = ["eu"], to = ["frankfurt", "dub"] }, { from = ["us"], to = ["virginia"] }] }"#;

/// Europe's take turns, and each other place has its own; who is in no row gets no answer, or the
/// default. What each place is asked for is known beforehand.
#[test]
fn each_place_is_served_by_its_row() {
    let scenario = read_in(
        std::path::Path::new("."),
        &by_table(TABLE, "spread = \"caller\""),
    );
    let plan = &scenario.variants[0].blueprint;
    let rates: Vec<f64> = (1..4).map(|at| plan.rate(at).unwrap_or(0.0)).collect();
    assert_eq!(rates, [10.0, 10.0, 10.0]);
    let (tally, asked) = live(&scenario);
    let asia = asked.0.iter().filter(|own| own.2.is_none()).count() as u64;
    assert_eq!(tally.failed[Cause::NoServer as usize], asia);
    assert!((60..140).contains(&asia), "{asia}");
    let sent = |tally: &Tally| -> Vec<u64> {
        let servers = tally.load.servers.iter().take(3);
        servers.map(|server| server.sent).collect()
    };
    let own = sent(&tally);
    assert!(own[0].abs_diff(own[1]) <= 1, "{own:?}");
    assert_eq!(own.iter().sum::<u64>(), tally.requests - asia);
    let with_default = TABLE.replace("}] }", "}], otherwise = [\"virginia\"] }");
    let text = by_table(&with_default, "spread = \"caller\"");
    let scenario = read_in(std::path::Path::new("."), &text);
    assert_eq!(scenario.variants[0].blueprint.rate(3), Some(15.0));
    let (tally, _) = live(&scenario);
    assert_eq!(tally.failed.iter().sum::<u64>(), 0);
    assert_eq!(sent(&tally)[2], own[2] + asia);
}

#[test]
fn a_table_of_places_names_what_there_is() {
    let refused = |strategy: &str, more: &str| {
        let text = by_table(strategy, more);
        match Scenario::from_text("test.toml", &text) {
            Ok(_) => panic!("taken: {text}"),
            Err(rejected) => rejected.to_string(),
        }
    };
    let has = |said: &str, parts: &[&str]| {
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
        assert!(said.contains("1 error in"), "{said}");
    };
    let caller = "spread = \"caller\"";
    let said = refused(&TABLE.replace("\"frankfurt\"", "\"frankfrut\""), caller);
    has(
        &said,
        &[
            "there is no zone with servers, or server, `frankfrut`",
            "did you mean `frankfurt`?",
        ],
    );
    let said = refused(&TABLE.replace("[\"us\"]", "[\"usa\"]"), caller);
    has(&said, &["there is no zone `usa`", "`us`"]);
    let said = refused(
        &TABLE.replace("}] }", "}], otherwise = [\"ird\"] }"),
        caller,
    );
    has(&said, &["there is no zone with servers, or server, `ird`"]);
    let said = refused(TABLE, "");
    has(
        &said,
        &[
            "the balancers of `dns` are in no zone",
            "spread = \"caller\"",
        ],
    );
    let said = refused(
        TABLE,
        "spread = \"caller\"\nown-zone = { while-well = \"50%\" }",
    );
    has(
        &said,
        &["`geolocation` says to whom a balancer sends, and so does `own-zone`"],
    );
    let said = refused(r#"{ kind = "geolocation", otherwise = ["iad"] }"#, caller);
    has(&said, &["`otherwise` is for who is in no row of `places`"]);
    // A variant's own, in its own world.
    let other = TABLE.replace("\"us\"", "\"uk\"");
    let text = by_table("\"random\"", caller)
        .replace(
            "name = \"it\"\n",
            &format!("name = \"it\"\nstrategy = {other}\n"),
        )
        .replace("[run]\n", "[run]\nservice = \"dns\"\n");
    let said = Scenario::from_text("test.toml", &text)
        .err()
        .unwrap()
        .to_string();
    has(&said, &["there is no zone `uk`", "in variant `it`"]);
}

#[test]
fn one_answer_has_one_to_begin_with() {
    let place = std::path::Path::new(".");
    let text = by_table(
        "\"random\"",
        "sticky = { kind = \"dns\", ttl = \"1s\", begin-with = \"any\" }",
    );
    let rejected = Scenario::parse(&place.join("test.toml"), &text, &[]);
    let said = rejected.err().unwrap().to_string();
    assert!(
        said.contains("an answer names one member, with which all begin"),
        "{said}"
    );
}

#[test]
fn names_of_one_server_are_warned_of() {
    let codes = |servers: u32| -> Vec<String> {
        let text = format!(
            "{HEAD}[run]\nduration = \"100s\"\nreplications = 5\n[[clients]]\narrivals = {{ kind = \"poisson\", rate = \"10/s\" }}\n\
             [[services]]\nname = \"dns\"\nbalancer = {{ sticky = {{ kind = \"dns\", ttl = \"10s\", answers = 2 }} }}\n\
             servers = [{{ count = {servers}, service = {{ kind = \"constant\", value = \"1ms\" }} }}]\n\
             [[variants]]\nname = \"it\"\n"
        );
        let scenario = read_in(std::path::Path::new("."), &text);
        let warnings = scenario.warnings.iter();
        warnings.map(|warning| warning.code.to_string()).collect()
    };
    assert_eq!(codes(1), ["without-effect"]);
    assert_eq!(codes(2), [""; 0]);
}

/// A row that is second everywhere stands by: it has no part in what the system can do.
#[test]
fn who_is_second_for_all_places_is_no_capacity() {
    let text = r#"
question = "?"
expect = "-"
[run]
duration = "60s"
replications = 2
compare = [{ kind = "geolocation", places = [{ from = ["a"], to = ["x"] }, { from = ["a"], to = ["y"] }] }]
[[clients]]
zone = "a"
arrivals = { kind = "poisson", rate = "50/s" }
[[services]]
name = "web"
balancer = { spread = "caller" }
servers = [
    { name = "x", service = { kind = "exponential", mean = "10ms" } },
    { name = "y", service = { kind = "exponential", mean = "10ms" } },
]
"#;
    let scenario = lbsim::Scenario::from_text("second.toml", text).unwrap();
    assert_eq!(
        scenario.variants[0].blueprint.services[0].in_charge(),
        [true, false]
    );
    let busy = scenario.variants[0].blueprint.utilization(0).unwrap();
    assert!((busy - 0.5).abs() < 1e-9, "{busy}");
    let nobody = text.replace("from = [\"a\"]", "from = [\"b\"]");
    let nobody = nobody.replace("{ name = \"y\"", "{ name = \"y\", zone = \"b\"");
    let scenario = lbsim::Scenario::from_text("nobody.toml", &nobody).unwrap();
    let codes: Vec<&str> = scenario.warnings.iter().map(|own| &*own.code).collect();
    assert!(codes.contains(&"no-answer"), "{codes:?}");
}
