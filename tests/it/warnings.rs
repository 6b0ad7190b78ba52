//! What a careful colleague says: each warning where it belongs, and none where it does not.

use std::path::Path;

use lbsim::experiment::{self, Analysis, Progress, cautions};
use lbsim::scenario::Scenario;
use lbsim::scenario::warning::CATALOGUE;

use crate::support::{lbsim, read_in, scratch, stdout};

const PLAIN: &str = r#"
question = "?"
expect = "-"
[run]
duration = "100s"
replications = 5
compare = ["round-robin"]
[[clients]]
arrivals = { kind = "poisson", rate = "160/s" }
[[services]]
name = "web"
[[services.servers]]
count = 2
service = { kind = "exponential", mean = "10ms" }
"#;

pub(crate) fn scenario(changes: &[(&str, &str)]) -> Scenario {
    let text = changes.iter().fold(PLAIN.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    read_in(Path::new("."), &text)
}

pub(crate) fn of_scenario(changes: &[(&str, &str)]) -> Vec<String> {
    scenario(changes)
        .warnings
        .iter()
        .map(|warning| warning.code.to_string())
        .collect()
}

fn of_results(changes: &[(&str, &str)]) -> Vec<String> {
    let scenario = scenario(changes);
    let outcomes = experiment::run(&[(&scenario, None)], &Progress::default()).unwrap();
    cautions(
        &scenario,
        &outcomes[0],
        &Analysis::of(&scenario, &outcomes[0]),
    )
    .iter()
    .map(|warning| warning.code.to_string())
    .collect()
}

/// That nothing came is said, of all and of a group of clients.
#[test]
fn that_nothing_came_is_said() {
    let poisson = r#"{ kind = "poisson", rate = "160/s" }"#;
    let rare = r#"{ kind = "poisson", rate = "0.00001/s" }"#;
    assert_eq!(of_results(&[(poisson, rare)]), ["no-requests"]);
    let scenario = scenario(&[(
        &format!("[[clients]]\narrivals = {poisson}"),
        &format!(
            "[[clients]]\nname = \"robots\"\narrivals = {rare}\n[[clients]]\nname = \"people\"\narrivals = {poisson}"
        ),
    )]);
    let outcomes = experiment::run(&[(&scenario, None)], &Progress::default()).unwrap();
    let report = lbsim::Report::new(&scenario, &outcomes);
    let said: Vec<String> = report
        .about
        .warnings
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(
        said.iter()
            .any(|own| own.contains("no request of clients `robots` came")),
        "{said:?}"
    );
    assert!(
        report
            .markdown()
            .contains("no request of clients `robots` came")
    );
}

#[test]
fn each_is_given_where_it_belongs() {
    assert!(of_scenario(&[]).is_empty());
    assert_eq!(of_scenario(&[("160/s", "210/s")]), ["overloaded"]);
    let closed = r#"{ kind = "closed", users = 9, think = { kind = "constant", value = "1s" } }"#;
    let poisson = r#"{ kind = "poisson", rate = "160/s" }"#;
    assert_eq!(of_scenario(&[(poisson, closed)]), ["closed-loop"]);
    assert_eq!(
        of_scenario(&[("replications = 5", "replications = 2")]),
        ["few-replications"]
    );
    let heavy = r#"{ kind = "lognormal", mean = "10ms", cv = 5.0 }"#;
    assert_eq!(
        of_scenario(&[(r#"{ kind = "exponential", mean = "10ms" }"#, heavy)]),
        ["heavy-tail"]
    );
    let crash = "question = \"?\"\nfaults = [{ kind = \"crash\", servers = \"web\", at = \"5s\", lasts = \"9s\" }]";
    let checked = "name = \"web\"\nbalancer = { health-check = { interval = \"1s\" } }";
    assert_eq!(
        of_scenario(&[("question = \"?\"", crash), ("name = \"web\"", checked)]),
        ["fault-in-warmup"]
    );
    let few = "population = { kind = \"generated\", count = 1 }\n[[services]]";
    let hashed = ("\"round-robin\"", "\"ip-hash\"");
    assert_eq!(of_scenario(&[("[[services]]", few), hashed]), ["hot-key"]);
    assert!(
        of_scenario(&[("[[services]]", few)]).is_empty(),
        "no hash, no hot key"
    );
}

#[test]
fn faults_and_timeouts_that_cannot_be_meant() {
    let crash = |at: &str, lasts: &str| {
        format!(
            "question = \"?\"\nfaults = [{{ kind = \"crash\", servers = \"web\", at = \"{at}\", lasts = \"{lasts}\" }}]"
        )
    };
    let with = |fault: &str, balancer: &str| {
        of_scenario(&[
            ("question = \"?\"", fault),
            (
                "name = \"web\"",
                &format!("name = \"web\"\nbalancer = {{ {balancer} }}"),
            ),
        ])
    };
    let checks = "health-check = { interval = \"1s\" }";
    assert!(with(&crash("50s", "9s"), checks).is_empty());
    assert!(with(&crash("50s", "9s"), "retry = { max = 1 }").is_empty());
    assert_eq!(with(&crash("50s", "9s"), ""), ["crash-unnoticed"]);
    let rolling = |drain: &str| {
        format!(
            "question = \"?\"\nfaults = [{{ kind = \"rolling\", servers = \"web\", at = \"50s\", {drain}down = \"5s\" }}]"
        )
    };
    let drained = rolling("drain = \"5s\", ");
    // Nobody is sent there; one of two is too few, which is another question.
    assert_eq!(with(&drained, ""), ["overloaded-by-fault"]);
    assert!(
        with(&rolling(""), "")
            .iter()
            .any(|code| code == "crash-unnoticed")
    );
    assert!(
        with(&drained, "sticky = \"cookie\"")
            .iter()
            .any(|code| code == "crash-unnoticed")
    );
    assert_eq!(with(&crash("100s", "9s"), ""), ["fault-after-end"]);
    // A stretch of the timeline is 100 s / 120.
    assert_eq!(with(&crash("50s", "800ms"), checks), ["fault-too-short"]);
    assert!(with(&crash("50s", "900ms"), checks).is_empty());
    let nginx = [
        ("question = \"?\"", &*crash("50s", "9s")),
        ("\"round-robin\"", "\"nginx-round-robin\""),
    ];
    assert!(of_scenario(&nginx).is_empty(), "nginx finds out by itself");
    assert_eq!(
        with("question = \"?\"", "timeout = \"9ms\""),
        ["timeout-below-service"]
    );
    assert!(with("question = \"?\"", "timeout = \"11ms\"").is_empty());
    let of_clients = |timeout: &str| {
        let timeout = format!("timeout = \"{timeout}\"\n[[services]]");
        of_scenario(&[("[[services]]", &timeout)])
    };
    assert_eq!(of_clients("9ms"), ["timeout-below-service"]);
    assert!(of_clients("11ms").is_empty());
}

#[test]
fn what_decides_nothing_is_said() {
    let judged = (
        "replications = 5",
        "replications = 5\njudge-by = \"sessions-lost\"",
    );
    assert_eq!(of_scenario(&[judged]), ["no-sessions"]);
    let held = ("[[services]]", "sessions = { idle = \"9s\" }\n[[services]]");
    assert!(of_scenario(&[judged, held]).is_empty());
    let poisson = r#"{ kind = "poisson", rate = "160/s" }"#;
    let ramp =
        |to: &str| format!(r#"{{ kind = "ramp", from = "0/s", to = "{to}/s", over = "100s" }}"#);
    assert_eq!(of_scenario(&[(poisson, &ramp("240"))]), ["overloaded-peak"]);
    assert!(of_scenario(&[(poisson, &ramp("190"))]).is_empty());
    let variants =
        |set: &str| format!("[[variants]]\nname = \"v\"\nset = {{ {set} }}\n[[services]]");
    let same = variants(
        "\"services.web.servers[0].weight\" = 1, \"clients[0].arrivals.rate\" = \"160/s\"",
    );
    assert_eq!(
        of_scenario(&[("[[services]]", &same)]),
        ["same-as-baseline"]
    );
    let other = variants("\"services.web.servers[0].weight\" = 2");
    assert!(of_scenario(&[("[[services]]", &other)]).is_empty());
}

/// Settings that can do nothing are said to, and where something lets them act nothing is said.
#[test]
fn what_can_do_nothing_is_said() {
    let said = |strategy: &str, balancer: &str| -> Vec<String> {
        let balancer = format!("name = \"web\"\nbalancer = {{ {balancer} }}");
        let strategy = format!("\"{strategy}\"");
        let changes = [
            ("name = \"web\"", balancer.as_str()),
            ("\"round-robin\"", &strategy),
        ];
        let warnings = scenario(&changes).warnings;
        (warnings.iter())
            .map(|warning| {
                assert_eq!(warning.code, "without-effect", "{warning}");
                warning.text.clone()
            })
            .collect()
    };
    let one = |balancer: &str, part: &str| {
        let all = said("random", balancer);
        assert!(
            matches!(&all[..], [text] if text.contains(part)),
            "{balancer}: {all:?}"
        );
    };
    let none = |strategy: &str, balancer: &str| {
        assert_eq!(said(strategy, balancer), [""; 0], "{balancer}");
    };
    one(
        "health-check = { fast-interval = \"2s\" }",
        "`fast-interval` is 2s, and `interval` 2s",
    );
    let hasty = "health-check = { fast-interval = \"1s\", fall = 1, rise = 1 }";
    one(hasty, "`fast-interval` never comes");
    none(
        "random",
        "health-check = { fast-interval = \"1s\", fall = 1 }",
    );
    let errors = format!("{hasty}, ejection = {{ kind = \"error-limit\" }}");
    none("random", &errors);
    one(
        "health-check = {}, ejection = { kind = \"error-limit\", on-error = \"fast-interval\" }",
        "the `health-check` has no `fast-interval`",
    );
    one("queue-timeout = \"1s\"", "nobody waits whom it concerns");
    let waits = "limit = { by = { kind = \"fixed\", requests = 5 }, when-full = \"wait\" }";
    none("random", &format!("queue-timeout = \"1s\", {waits}"));
    none("c3", "queue-timeout = \"1s\"");
    one(
        "queue-timeout = \"1s\", connections = { by = { kind = \"fixed\", requests = 5 } }",
        "who waits for one of the `connections` waits any time",
    );
    one(
        "retry = { error-answers = true, statuses = [503] }",
        "`max` of `retry` is 0: nothing is tried again, whatever `statuses` says",
    );
    none(
        "random",
        "retry = { max = 1, error-answers = true, statuses = [503, \"429\"] }",
    );
    for (kind, most) in [
        ("circuit-breaker", "most = \"40%\""),
        ("slow-servers", "most = \"40%\""),
        ("outlier-detection", "max-ejection-percent = 40"),
    ] {
        let ejection = |most: &str| format!("ejection = {{ kind = \"{kind}\", {most} }}");
        one(&ejection(most), "40%");
        none("random", &ejection(&most.replace('4', "5")));
    }
    none(
        "random",
        "ejection = { kind = \"outlier-detection\", always-eject-one-host = true }",
    );
    let checked = "health-check = {}, panic-threshold";
    one(&format!("{checked} = \"0%\""), "fewer are never well");
    none("random", &format!("{checked} = \"50%\""));
    one(
        "panic-threshold = \"50%\"",
        "without a `health-check` or an `ejection`",
    );
    let nginx = said("nginx-random", &format!("{checked} = \"50%\""));
    assert!(nginx[0].contains("`nginx-random` makes of failures by itself"));
    one(
        "slow-start = { lasts = \"9s\", least = \"100%\" }",
        "members are back at once",
    );
}

/// Each case says in its question what is to be warned of.
#[test]
fn a_fault_after_the_end_is_said_by_check() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let said = crate::support::stderr(&lbsim(&cases, &["check", "late-fault.toml"]));
    assert!(
        said.contains("it never happens [fault-after-end]"),
        "{said}"
    );
}

/// What is true of some variants only names them, and servers that are away for a time are no
/// overload.
#[test]
fn what_is_true_of_some_variants_names_them() {
    let service = r#"service = { kind = "exponential", mean = "10ms" }"#;
    let variants = format!(
        "{service}\n[[variants]]\nname = \"whole\"\n[[variants]]\nname = \"half\"\n\
         set = {{ \"services.web.servers.s.count\" = 1 }}"
    );
    let some = scenario(&[
        ("compare = [\"round-robin\"]", ""),
        ("count = 2", "name = \"s\"\ncount = 2"),
        (service, &variants),
    ]);
    let said: Vec<String> = some.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("160% of what its servers can do") && said[0].contains("(under half)"),
        "{said:?}"
    );
    let all = &scenario(&[("160/s", "210/s")]).warnings;
    assert!(!all[0].text.contains("under"), "{all:?}");
    // For half of the run one of the two does the work of both.
    let late =
        format!("name = \"s\"\n{service}\n[[services.servers]]\nname = \"late\"\njoins = \"50s\"");
    assert_eq!(of_scenario(&[("count = 2", &late)]), ["servers-away"]);
}

#[test]
fn results_are_read_with_care() {
    assert!(of_results(&[]).is_empty());
    let short = [
        ("\"100s\"", "\"9s\""),
        ("replications = 5", "replications = 5\njudge-by = \"p999\""),
    ];
    assert_eq!(of_results(&short), ["too-few-above"]);
    let bounded = ("count = 2", "count = 2\nqueue-limit = 0");
    assert_eq!(of_results(&[bounded]), ["failures-hidden"]);
    // Half of the requests go to a server that can take a third of them.
    let slow = (
        "[[services.servers]]\ncount = 2",
        "[[services.servers]]\nname = \"slow\"\ncount = 1\nspeed = \"50%\"\nservice = { kind = \"exponential\", mean = \"10ms\" }\n[[services.servers]]\ncount = 1",
    );
    assert_eq!(of_results(&[slow, ("160/s", "120/s")]), ["not-settled"]);
}

#[test]
fn each_code_is_explained() {
    let place = scratch("warnings");
    for entry in CATALOGUE {
        let said = stdout(&lbsim(&place, &["explain", entry.code]));
        assert!(
            said.contains(entry.summary) && said.contains(entry.text),
            "{}",
            entry.code
        );
    }
}

/// Settings of sessions and their state that come to nothing, and neighbours of them that do not.
#[test]
fn what_does_nothing_for_sessions_is_said() {
    let said = |run: &str, clients: &str, web: &str| -> Vec<String> {
        let (run, clients) = (
            format!("replications = 5\n{run}"),
            format!("{clients}\n[[services]]"),
        );
        let web = format!("name = \"web\"\n{web}");
        let changes = [
            ("replications = 5", run.as_str()),
            ("[[services]]", &clients),
            ("name = \"web\"", &web),
        ];
        let warnings = scenario(&changes).warnings;
        (warnings.iter())
            .map(|warning| {
                assert_eq!(warning.code, "without-effect", "{warning}");
                warning.text.clone()
            })
            .collect()
    };
    let held = "sessions = { idle = \"9s\" }";
    let of = |web: &str| said("", held, web);
    let ends = |more: &str| said("", &format!("sessions = {{ idle = \"9s\", {more} }}"), "");
    let constant = |span: &str| format!("{{ kind = \"constant\", value = \"{span}\" }}");
    let revoked = |span: &str| {
        format!(
            "length = {}, revoked = {{ share = \"10%\", after = {} }}",
            constant("20s"),
            constant(span)
        )
    };
    let token = |every: &str| {
        of(&format!(
            "state = {{ kind = \"token\", lifetime = \"1min\", rotation = {{ every = \"{every}\", grace = \"10s\" }} }}"
        ))
    };
    let copied = |more: &str| of(&format!("state = {{ kind = \"replicated\", {more} }}"));
    let interval = |every: &str| {
        copied(&format!(
            "shipping = {{ kind = \"interval\", every = \"{every}\" }}"
        ))
    };
    let cookie = |idle: &str| {
        of(&format!(
            "balancer = {{ sticky = {{ kind = \"cookie\", max-idle = \"{idle}\", max-life = \"30s\" }} }}"
        ))
    };
    let zones = |placement: &str, rest: &str| {
        copied(&format!(
            "placement = \"{placement}\" }}\n[[services.servers]]\nname = \"away\"\n{rest}service = {} # ",
            constant("1ms")
        ))
    };
    let memory = |room: &str| {
        let sized = format!(
            "sessions = {{ idle = \"9s\", size = {} }}",
            constant("1KiB")
        );
        said(
            "",
            &sized,
            &format!("state = {{ kind = \"server\", memory = \"{room}\" }}"),
        )
    };
    let judged = |more: &str| {
        let sessions = format!("sessions = {{ idle = \"9s\"{more} }}");
        said("judge-by = \"revocation-delay\"", &sessions, "")
    };
    let share = format!(
        ", revoked = {{ share = \"10%\", after = {} }}",
        constant("1s")
    );
    let stateless = said("", "", "state = { kind = \"token\", lifetime = \"1h\" }");
    for (with, without, part) in [
        (stateless, of(""), "no session has its state there"),
        (
            ends(&revoked("20s")),
            ends(&revoked("19s")),
            "are over after 20 s",
        ),
        (token("50s"), token("51s"), "each ends with its key"),
        (
            interval("100s"),
            interval("99s"),
            "the run ends before that",
        ),
        (cookie("30s"), cookie("29s"), "holds for 30s at most"),
        (
            copied("placement = \"other-zone\""),
            copied("placement = \"same-zone\""),
            "2 of 2 servers find fewer than 1 others",
        ),
        (
            zones("same-zone", "zone = \"far\"\n"),
            zones("other-zone", "zone = \"far\"\n"),
            "1 of 3 servers find fewer than 1 others",
        ),
        (
            memory("8GiB"),
            memory("7GiB"),
            "beside what is always in use",
        ),
        (judged(""), judged(&share), "no session is `revoked`"),
    ] {
        assert!(
            matches!(&with[..], [text] if text.contains(part)),
            "{part}: {with:?}"
        );
        assert_eq!(without, [""; 0], "{part}");
    }
    let visits = |logs_out: bool| {
        let arrivals = format!(
            "{{ kind = \"visits\", rate = \"1/s\", requests = {{ kind = \"constant\", value = 3 }}, think = {}, logs-out = {logs_out} }}",
            constant("1s")
        );
        let poisson = r#"{ kind = "poisson", rate = "160/s" }"#;
        of_scenario(&[(poisson, arrivals.as_str())])
    };
    assert_eq!(visits(true), ["without-effect"]);
    assert_eq!(visits(false), [""; 0]);
}
