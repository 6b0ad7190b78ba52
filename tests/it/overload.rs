//! `overloaded-by-fault`: what the servers that a fault leaves are asked for.

use crate::warnings::scenario;

#[test]
fn servers_that_are_left_and_are_too_few() {
    let crash = |servers: &str, more: &str| {
        let fault = format!(
            "question = \"?\"\nfaults = [{{ kind = \"crash\", servers = \"{servers}\", at = \"50s\", lasts = \"9s\" }}]"
        );
        let balancer = "name = \"web\"\nbalancer = { health-check = { interval = \"1s\" } }";
        let mut changes = vec![
            ("question = \"?\"", fault.as_str()),
            ("name = \"web\"", balancer),
        ];
        changes.extend((!more.is_empty()).then_some(("rate = \"160/s\"", more)));
        let found = scenario(&changes).warnings;
        let found = found.iter().filter(|own| own.code == "overloaded-by-fault");
        found.map(|own| own.text.clone()).collect::<Vec<_>>()
    };
    // One of two at 80% each: the other is asked for 160%.
    let found = crash("web/server-1", "");
    assert_eq!(found.len(), 1);
    assert!(
        found[0].contains("what is left of `web`, 1 server, is asked for 160%"),
        "{found:?}"
    );
    assert!(found[0].contains("queues grow"), "{found:?}");
    assert!(crash("web/server-1", "rate = \"90/s\"").is_empty());
    assert!(crash("web", "").is_empty(), "nobody is left");
}

/// What counts is who is in the pool while a fault lasts, and all that are away then.
#[test]
fn faults_are_seen_together_and_in_their_time() {
    let servers = |more: &str| {
        format!(
            "count = 3\nservice = {{ kind = \"exponential\", mean = \"10ms\" }}\n[[services.servers]]\nname = \"tmp\"\n{more}"
        )
    };
    let with = |more: &str, faults: &str, rate: &str| -> Vec<String> {
        let faults = format!("question = \"?\"\nfaults = [{faults}]");
        let (servers, rate) = (servers(more), format!("rate = \"{rate}/s\""));
        let checks = "name = \"web\"\nbalancer = { health-check = { interval = \"1s\" } }";
        let changes = [
            ("question = \"?\"", faults.as_str()),
            ("name = \"web\"", checks),
            ("count = 2\n", &format!("{servers}\ncount = 3\n")),
            ("rate = \"160/s\"", &rate),
        ];
        let found = scenario(&changes).warnings;
        let found = found.iter().filter(|own| own.code == "overloaded-by-fault");
        found.map(|own| own.text.clone()).collect()
    };
    let crash = |servers: &str, at: u32| {
        format!(
            "{{ kind = \"crash\", servers = \"web/{servers}\", at = \"{at}s\", lasts = \"20s\" }},"
        )
    };
    // 350 a second: three of six are too few, six of six are not.
    assert_eq!(with("joins = \"0s\"", &crash("server", 60), "350").len(), 1);
    assert!(with("joins = \"0s\"", &crash("server-1", 60), "350").is_empty());
    // Those that have left, or come in time.
    assert!(with("leaves = \"50s\"", &crash("tmp", 60), "250").is_empty());
    assert_eq!(
        with("leaves = \"50s\"", &crash("server-1", 60), "250").len(),
        1
    );
    assert!(with("joins = \"50s\"", &crash("server", 60), "250").is_empty());
    // One alone may go, and two together not.
    let both = [crash("server-1", 60), crash("server-2", 65)].concat();
    let found = with("leaves = \"50s\"", &both, "190");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("web/server-1") && found[0].contains("web/server-2"));
}
