//! What a scenario means before it runs: whom a fault strikes, which names may be, what is refused.

mod intervals;

use std::path::Path;

use lbsim::scenario::{Scenario, schema};
use serde_json::Value as Json;

use crate::support::{lbsim, scratch, stderr, stdout};

/// A scenario of one service `web` with groups of servers of these names and counts, and what else
/// stands in it.
fn pool(groups: &[(&str, u32)], more: &str) -> String {
    let groups: String = groups
        .iter()
        .map(|(name, count)| {
            format!(
                "[[services.servers]]\nname = \"{name}\"\ncount = {count}\n\
                 service = {{ kind = \"exponential\", mean = \"10ms\" }}\n"
            )
        })
        .collect();
    format!(
        "question = \"?\"\nexpect = \"!\"\n[run]\nduration = \"100s\"\ncompare = [\"round-robin\"]\n\
         [[clients]]\narrivals = {{ kind = \"poisson\", rate = \"80/s\" }}\n\
         [[services]]\nname = \"web\"\n{groups}{more}"
    )
}

#[track_caller]
fn read(text: &str) -> Scenario {
    Scenario::from_text("test.toml", text).unwrap_or_else(|rejected| panic!("{rejected}"))
}

/// All that is wrong, as it is shown.
#[track_caller]
fn refused(text: &str) -> String {
    match Scenario::from_text("test.toml", text) {
        Ok(_) => panic!("taken: {text}"),
        Err(rejected) => rejected.to_string(),
    }
}

#[test]
fn a_fault_strikes_what_it_names() {
    let groups = [("fast", 2), ("fast-eu", 1), ("fast-us", 2), ("slow-7", 1)];
    let struck = |target: &str| -> Vec<String> {
        let crash = format!("[[faults]]\nkind = \"crash\"\nservers = \"{target}\"\nat = \"50s\"\n");
        let scenario = read(&pool(&groups, &crash));
        let plan = &scenario.variants[0].blueprint;
        let servers = plan.faults[0].servers().iter();
        servers
            .map(|&at| plan.services[0].servers[at as usize].name.clone())
            .collect()
    };
    assert_eq!(struck("web/fast"), ["fast-1", "fast-2"]);
    assert_eq!(struck("web/fast-2"), ["fast-2"]);
    assert_eq!(struck("web/fast-eu"), ["fast-eu"]);
    assert_eq!(struck("web/fast-us"), ["fast-us-1", "fast-us-2"]);
    assert_eq!(struck("web/slow-7"), ["slow-7"]);
    assert_eq!(struck("web").len(), 6);
    assert_eq!(struck("web/*-1"), ["fast-1", "fast-us-1"]);
    // `slow` is no group: only what is left of `slow-7` when it is cut at its last hyphen.
    let crash = "[[faults]]\nkind = \"crash\"\nservers = \"web/slow\"\nat = \"50s\"\n";
    let said = refused(&pool(&groups, crash));
    assert!(said.contains("did you mean `web/slow-7`?"), "{said}");
}

/// How requests leave a zone is said once, and not for rules that say it themselves.
#[test]
fn ways_to_leave_a_zone_are_said_once() {
    let refused = |own_zone: &str, strategy: &str| {
        let more = format!("[services.balancer]\nzones = [\"a\"]\nown-zone = {{ {own_zone} }}\n");
        refused(&pool(&[("a", 2)], &more).replace("round-robin", strategy))
    };
    let proportion = "spill = \"in-proportion\"";
    let said = refused("overprovisioning = \"120%\"", "random");
    assert!(said.contains("they leave all at once"), "{said}");
    let said = refused(&format!("{proportion}, while-well = \"60%\""), "random");
    assert!(said.contains("they leave in proportion"), "{said}");
    let said = refused(
        &format!("{proportion}, overprovisioning = \"90%\""),
        "random",
    );
    assert!(said.contains("must be 100% to 10000%"), "{said}");
    let said = refused(proportion, "nginx-round-robin");
    assert!(
        said.contains("`nginx-round-robin` is the rule of a product"),
        "{said}"
    );
    read(&pool(
        &[("a", 2)],
        &format!("[services.balancer]\nzones = [\"a\"]\nown-zone = {{ {proportion} }}\n"),
    ));
}

#[test]
fn equal_names_are_refused_with_both_places() {
    let both = |groups: &[(&str, u32)], message: &str, lines: [u32; 2]| {
        let said = refused(&pool(groups, ""));
        assert!(said.contains(message), "{said}");
        assert!(said.contains("1 error in"), "{said}");
        for (line, label) in lines.iter().zip(["and this one", "this one"]) {
            assert!(
                said.contains(&format!("\n{line} |")) && said.contains(label),
                "{line}: {said}"
            );
        }
    };
    both(
        &[("a", 1), ("a", 2)],
        "two groups of servers of `web` are called `a`",
        [11, 15],
    );
    // Two servers would be called `fast-1`.
    let message = "`fast-1` is called as a server of the group `fast`, which has 2";
    both(&[("fast", 2), ("fast-1", 1)], message, [11, 15]);
    both(&[("fast-1", 1), ("fast", 2)], message, [15, 11]);
    // A group and a server would be called `fast-1`.
    both(&[("fast", 2), ("fast-1", 2)], message, [11, 15]);
    for groups in [
        [("fast", 2), ("fast-3", 1)],
        [("fast", 2), ("fast-01", 1)],
        [("fast", 1), ("fast-1", 1)],
    ] {
        read(&pool(&groups, ""));
    }
    let clients = "[[clients]]\narrivals = { kind = \"poisson\", rate = \"80/s\" }\n";
    let said = refused(&pool(&[("a", 1)], clients));
    assert!(
        said.contains("two groups of clients are called `clients`"),
        "{said}"
    );
    let again = "[[services]]\nname = \"web\"\nservers = [{ service = { kind = \"constant\", value = \"1ms\" } }]\n";
    let said = refused(&pool(&[("a", 1)], again));
    assert!(
        said.contains("two services are called `web`") && said.contains("and this one"),
        "{said}"
    );
}

fn case(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// The utilization of the first service, by variant.
fn utilizations(scenario: &Scenario) -> Vec<f64> {
    let plans = scenario.variants.iter().map(|one| &one.blueprint);
    plans.map(|plan| plan.utilization(0).unwrap()).collect()
}

#[test]
fn load_is_that_of_those_who_serve() {
    let text = case("check-backups.toml");
    assert_eq!(utilizations(&read(&text)), [1.5, 1.5]);
    assert!(
        read(&text)
            .warnings
            .iter()
            .any(|own| own.code == "overloaded")
    );
    // A rule that does not look at backups uses all four; nobody uses one that is down, or has no
    // weight.
    let other = |from: &str, to: &str| {
        let compared = text.replace("\"nginx-round-robin\"", "\"round-robin\", \"envoy-random\"");
        utilizations(&read(&compared.replace(from, to)))
    };
    assert_eq!(other("", ""), [1.5, 0.375, 0.375]);
    assert_eq!(other("backup = true", "down = true"), [1.5, 1.5, 1.5]);
    assert_eq!(other("backup = true", "weight = 0"), [1.5, 1.5, 1.5]);
    assert_eq!(other("backup = true", "priority = 1"), [0.375, 0.375, 1.5]);
    // One after another: the first that has no limit takes all that comes to it.
    let one_by_one = |main: &str, rest: &str| {
        let rules = "\"haproxy-first\", \"ipvs-fo\", \"grpc-pick-first\", \"ipvs-ovf\"";
        let compared = text.replace("\"haproxy-roundrobin\", \"nginx-round-robin\"", rules);
        let compared = compared.replace("backup = true", rest);
        utilizations(&read(
            &compared.replace("name = \"main\"", &format!("name = \"main\"\n{main}")),
        ))
    };
    assert_eq!(one_by_one("", ""), [1.5, 1.5, 1.5, 0.375]);
    assert_eq!(
        one_by_one("", "max-connections = 5"),
        [1.5, 0.375, 1.5, 0.375]
    );
    let limited = "weight = 2\nmax-connections = 5";
    assert_eq!(one_by_one(limited, ""), [0.75, 0.75, 1.5, 0.375]);
    // Half of the run with one server, half with four.
    assert_eq!(other("backup = true", "joins = \"10s\""), [0.6, 0.6, 0.6]);
    let place = scratch("check-backups");
    std::fs::write(place.join("backups.toml"), &text).unwrap();
    let said = stdout(&lbsim(&place, &["check", "backups.toml"]));
    assert!(
        said.contains("4 servers, of which 3 get nothing while all are well; 100 requests/s"),
        "{said}"
    );
    // `load` is set by the same capacity.
    let sweep = "[sweep]\npath = \"load\"\nvalues = [\"50%\", \"80%\"]\n";
    let swept = read(&format!("{text}{sweep}"));
    let points = swept.runs();
    assert_eq!(utilizations(points[0]), [0.5, 0.5]);
    assert_eq!(utilizations(points[1]), [0.8, 0.8]);
}

#[test]
fn a_variant_runs_the_strategy_that_is_meant() {
    let strategies = |compare: &str, more: &str| -> Vec<String> {
        let text = pool(&[("a", 2)], more).replace("[\"round-robin\"]", compare);
        let scenario = read(&text);
        let variants = scenario.variants.iter();
        variants.map(|own| own.strategy.label()).collect()
    };
    let variant =
        "[[variants]]\nname = \"v\"\nset = { \"services.web.servers.a.speed\" = \"50%\" }\n";
    let one = "[\"least-connections\"]";
    assert_eq!(
        strategies(one, variant),
        ["least-connections", "least-connections"]
    );
    assert_eq!(strategies("[]", variant), ["round-robin"]);
    let text = pool(
        &[("a", 2)],
        &variant.replace(
            "}\n",
            ", \"services.web.balancer.strategy\" = \"random\" }\n",
        ),
    );
    let several = "[\"least-connections\", \"power-of-d\"]";
    let text = text.replace("[\"round-robin\"]", several);
    assert_eq!(read(&text).variants[2].strategy.label(), "random");
    let text = pool(&[("a", 2)], variant).replace("[\"round-robin\"]", several);
    let said = refused(&text);
    assert!(
        said.contains("in variant `v`: there is no `strategy`, and 2 are compared"),
        "{said}"
    );
    let named = text.replace("name = \"v\"", "name = \"v\"\nstrategy = \"random\"");
    let place = scratch("check-strategies");
    std::fs::write(place.join("v.toml"), named).unwrap();
    let said = stdout(&lbsim(&place, &["check", "v.toml", "--resolved"]));
    assert!(said.contains("v (random)"), "{said}");
    let brief = stdout(&lbsim(&place, &["check", "v.toml"]));
    assert!(!brief.contains("resolved scenario"), "{brief}");
}

/// What is wrong with a thousand variants in one way is said once, with how many there are; what is
/// wrong with one of them in another way, by itself.
#[test]
fn what_is_wrong_with_many_variants_is_said_once() {
    let variants: String = (0..1000)
        .map(|n| match n {
            7 => (n, "count", "0"),
            n if n % 2 == 0 => (n, "wieght", "3"),
            n => (n, "weight", "\"much\""),
        })
        .map(|(n, key, value)| {
            format!(
                "[[variants]]\nname = \"v{n}\"\nstrategy = \"random\"\nset = {{ \"services.web.servers.a.{key}\" = {value} }}\n"
            )
        })
        .collect();
    let said = refused(&pool(&[("a", 1)], &variants));
    assert!(said.contains("3 errors"), "{said}");
    assert!(said.contains("in variant `v7`: "), "{said}");
    for first in ["`v0`, `v2`", "`v1`, `v3`"] {
        assert!(said.contains(&format!("in variants {first}")), "{said}");
    }
    assert!(
        said.contains(" and 490 more: ") && said.contains(" and 489 more: "),
        "{said}"
    );
    assert!(said.len() < 3000, "{}", said.len());
}

/// A variant costs what it differs in, and no more for those beside it.
#[test]
fn many_variants_are_read_in_proportion() {
    let text = |count: u32| {
        let one = |n: u32| {
            format!(
                "[[variants]]\nname = \"v{n}\"\nset = {{ \"services.web.servers.a.weight\" = {} }}\n",
                n + 1
            )
        };
        pool(&[("a", 1)], &(0..count).map(one).collect::<String>())
    };
    let time = |count: u32| {
        let text = text(count);
        let began = std::time::Instant::now();
        assert_eq!(read(&text).variants.len() as u32, count + 1);
        began.elapsed().as_secs_f64()
    };
    time(50);
    let (few, many) = (time(250), time(1000));
    // Four times as many; were each read with all others, it would be sixteen. Others use the
    // machine too.
    assert!(many < 10.0 * few + 0.2, "{few} s and {many} s");
}

#[test]
fn what_hangs_does_not_finish() {
    let crash = "[[faults]]\nkind = \"crash\"\nservers = \"web\"\nat = \"20s\"\nin-flight = \"finish\"\nanswers = \"hang\"\n";
    let said = refused(&pool(&[("a", 2)], crash));
    assert!(said.contains("cannot finish what it has"), "{said}");
}

#[test]
fn names_and_addresses_are_looked_at_at_the_door() {
    let with = |from: &str, to: &str| {
        let text = pool(&[("a", 2)], "");
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    for (from, to) in [
        ("question = \"?\"", "question = \"a\\u0007b\""),
        ("question = \"?\"", "question = \"a\\nb\""),
        ("name = \"web\"", "name = \"we\\u001bb\""),
        ("name = \"a\"", "name = \"a\\n\""),
        ("[[clients]]", "[[clients]]\nname = \"a\\u202eb\""),
        ("[[clients]]", "[[clients]]\nlabels = { \"a\\tb\" = \"c\" }"),
        (
            "\"round-robin\"",
            "{ kind = \"haproxy-hdr\", header = \"\\u0000\" }",
        ),
    ] {
        let said = refused(&with(from, to));
        // Where a rule has no such setting, that is said.
        let is_found = said.contains("cannot be printed, U+00") || said.contains("U+202E");
        assert!(is_found || said.contains("unknown key"), "{to}: {said}");
    }
    for name in ["a/b", "a*", " a"] {
        let said = refused(&with("name = \"a\"", &format!("name = \"{name}\"")));
        assert!(said.contains("`name` is"), "{said}");
    }
    for address in [
        "10.0.0.1:80; reboot",
        "$(reboot):80",
        "10.0.0.1",
        "a b:1",
        "10.0.0.1:65535",
    ] {
        let said = refused(&with(
            "count = 2",
            &format!("count = 2\naddress = \"{address}\""),
        ));
        assert!(said.contains("`address`"), "{said}");
    }
    read(&with(
        "count = 2",
        "count = 2\naddress = \"[2001:db8::1]:65534\"",
    ));
    read(&with(
        "expect = \"!\"",
        "expect = \"\"\"one\ntwo | three\"\"\"",
    ));
}

#[test]
fn suggestions_are_right_themselves() {
    let text = pool(&[("a", 2)], "");
    let service = "service = { kind = \"exponential\", mean = \"10ms\" }";
    let said = refused(&text.replace(service, "speed = 0.5"));
    assert!(
        said.contains("write \"50%\"") && !said.contains("0.5%"),
        "{said}"
    );
    let suggested = said
        .split("add e.g. `")
        .nth(1)
        .unwrap()
        .split('`')
        .next()
        .unwrap();
    assert!(suggested.starts_with("service = "), "{said}");
    read(&text.replace(service, suggested));
    let said = refused(&text.replace("\"exponential\"", "\"exp\""));
    assert!(
        said.contains("did you mean `exponential`?") && said.contains("1 error"),
        "{said}"
    );
    let said = refused(&text.replace(service, "service = \"empirical\""));
    assert!(said.contains("1 error"), "{said}");
}

#[test]
fn a_bracket_that_is_not_closed_is_one_error() {
    let text = pool(&[("a", 2)], "");
    for (from, to, place) in [
        ("[\"round-robin\"]", "[\"round-robin\"", "5:11"),
        ("rate = \"80/s\" }", "rate = \"80/s\"", "7:12"),
    ] {
        assert!(text.contains(from), "{from}");
        let said = refused(&text.replace(from, to));
        assert!(said.contains(&format!("test.toml:{place}")), "{said}");
        assert!(
            said.contains("is never closed") && said.contains("1 error"),
            "{said}"
        );
    }
    // What comes after it is judged nevertheless.
    let both = text
        .replace("rate = \"80/s\" }", "rate = \"80/s\"")
        .replace("count = 2", "count = 0");
    let said = refused(&both);
    assert!(
        said.contains("is never closed") && said.contains("`count` is 0"),
        "{said}"
    );
}

#[test]
fn a_rolling_restart_stands_for_its_parts() {
    let rolling = "[[faults]]\nkind = \"rolling\"\nname = \"release\"\nservers = \"web\"\nat = \"20s\"\nat-once = 2\ndrain = \"5s\"\ndown = \"2s\"\n";
    let by_hand: String = [("a-1", "a-2", 20), ("a-3", "b", 27)]
        .iter()
        .flat_map(|(one, two, at)| {
            let fault = |kind: &str, server: &str, at: u32, lasts: u32| {
                format!("[[faults]]\nkind = \"{kind}\"\nservers = \"web/{server}\"\nat = \"{at}s\"\nlasts = \"{lasts}s\"\n")
            };
            ["drain", "crash"].map(|kind| {
                let (at, lasts) = if kind == "drain" { (*at, 7) } else { (at + 5, 2) };
                fault(kind, one, at, lasts) + &fault(kind, two, at, lasts)
            })
        })
        .collect();
    let groups = [("a", 3), ("b", 1)];
    let strikes = |more: &str| {
        let scenario = read(&pool(&groups, more));
        let faults = scenario.variants[0].blueprint.faults.clone();
        let mut strikes: Vec<_> = faults
            .iter()
            .flat_map(|fault| {
                let said = format!("{:?} {:?}", fault.schedule, fault.effect());
                fault
                    .servers()
                    .iter()
                    .map(move |&server| (server, said.clone()))
            })
            .collect();
        strikes.sort();
        strikes
    };
    assert_eq!(strikes(rolling), strikes(&by_hand));
    let place = scratch("check-rolling");
    std::fs::write(place.join("r.toml"), pool(&groups, rolling)).unwrap();
    let said = stdout(&lbsim(
        &place,
        &["check", "r.toml", "--set", "faults.release.at=30s"],
    ));
    assert!(
        said.contains("release: restart 2 of 2: 42s to 44s, 2 servers, web/a-3 to web/b"),
        "{said}"
    );
    let said = refused(&pool(
        &groups,
        &rolling.replace("drain = \"5s\"\ndown = \"2s\"\n", ""),
    ));
    assert!(said.contains("give `drain`, `down`, or both"), "{said}");
    let said = refused(&pool(&groups, &format!("{rolling}{rolling}")));
    assert!(said.contains("two faults are called `release`"), "{said}");
    let place = scratch("check-fault-name");
    std::fs::write(place.join("r.toml"), pool(&groups, rolling)).unwrap();
    let said = stderr(&lbsim(
        &place,
        &["check", "r.toml", "--set", "faults.relase.at=30s"],
    ));
    assert!(said.contains("did you mean `release`?"), "{said}");
}

/// Work that takes no time has no end, and how often a state has to be set up only a run can tell.
#[test]
fn what_a_check_cannot_tell_it_says() {
    let place = scratch("check-endless");
    let said = |more: &str| {
        let text = pool(&[("a", 2)], "")
            .replace(
                "kind = \"exponential\", mean = \"10ms\"",
                "kind = \"constant\", value = \"0s\"",
            )
            .replace(
                "[[services]]\n",
                "sessions = { idle = \"9s\" }\n[[services]]\n",
            )
            .replace("name = \"web\"", &format!("name = \"web\"\n{more}"));
        std::fs::write(place.join("endless.toml"), text).unwrap();
        stdout(&lbsim(&place, &["check", "endless.toml"]))
    };
    let plain = said("");
    assert!(plain.contains("any number of requests/s"), "{plain}");
    assert!(!plain.contains("inf") && !plain.contains("without `rebuild`"));
    let rebuilt =
        "state = { kind = \"server\", rebuild = { kind = \"constant\", value = \"1ms\" } }";
    assert!(said(rebuilt).contains("Utilization is without `rebuild`"));
}

/// What a blind strategy will do to each server is known before anything is run, and a run agrees.
#[test]
fn how_busy_a_blind_strategy_makes_each_server_is_predicted() {
    let text = pool(&[("fast", 3), ("slow", 1)], "")
        .replace(
            "[\"round-robin\"]",
            "[\"round-robin\", \"weighted-random\", \"least-connections\", \"ip-hash\"]",
        )
        .replace("name = \"slow\"", "name = \"slow\"\nspeed = \"50%\"");
    let scenario = read(&text);
    let predicted = |at: usize| scenario.variants[at].blueprint.blind_utilization(0);
    let whole = scenario.variants[0].blueprint.utilization(0).unwrap();
    // Four equal shares of 3.5 servers' worth: 7/8 of the mean for the fast, 7/4 for the slow.
    let due = [0.875, 0.875, 0.875, 1.75].map(|share| share * whole);
    for (found, due) in predicted(0).unwrap().iter().zip(due) {
        assert!((found - due).abs() < 1e-12, "{found} is not {due}");
    }
    assert_eq!(predicted(0), predicted(1), "all weigh the same");
    assert_eq!(predicted(2), None, "it looks at what is in flight");
    assert_eq!(predicted(3), None, "it looks at who asks");
    let place = scratch("check-blind");
    std::fs::write(place.join("b.toml"), &text).unwrap();
    let said = stdout(&lbsim(&place, &["check", "b.toml"]));
    assert!(
        said.contains("under round-robin; weighted-random"),
        "{said}"
    );
    let run = ["run", "b.toml", "-q", "--replications", "4"];
    assert!(lbsim(&place, &run).status.success());
    let mut servers = csv::Reader::from_path(place.join("results/b/servers.csv")).unwrap();
    let header = servers.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    let mut seen = 0;
    for row in servers.records().map(Result::unwrap) {
        if &row[at("strategy")] == "round-robin" {
            let found: f64 = row[at("utilization")].parse().unwrap();
            let due = due[if row[at("server")].contains("slow") {
                3
            } else {
                0
            }];
            // Work is drawn: some thousands of requests a server, 10% is beyond six deviations.
            assert!((found / due - 1.0).abs() < 0.1, "{row:?}: {due}");
            seen += 1;
        }
    }
    assert_eq!(seen, 4);
}

/// A table that is set replaces the whole of what stands there, which is said where keys are
/// missed.
#[test]
fn a_table_that_is_set_replaces_the_whole() {
    let said = refused(&pool(
        &[("a", 2)],
        "[[variants]]\nname = \"more\"\n[variants.set.\"services.web.servers.a\"]\ncount = 6\n",
    ));
    assert!(
        said.contains("lacks `service`") && said.contains("set `\"services.web.servers.a.count\"`"),
        "{said}"
    );
}

/// Tables that a variant sets may stand under headers of their own.
#[test]
fn tables_of_a_set_may_have_headers() {
    let faults = |text: &str| {
        let scenario = read(&pool(&[("a", 2)], text));
        scenario.variants[1].blueprint.faults.len()
    };
    let with_headers = "[[variants]]\nname = \"crash\"\nstrategy = \"random\"\n\
        [[variants.set.faults]]\nkind = \"crash\"\nservers = \"web/a-1\"\nat = \"20s\"\nlasts = \"5s\"\n\
        [[variants.set.faults]]\nkind = \"crash\"\nservers = \"web/a-2\"\nat = \"40s\"\nlasts = \"5s\"\n";
    assert_eq!(faults(with_headers), 2);
}
