//! What a scenario means before it runs: whom a fault strikes, which names may be, what is refused.

use lbsim::scenario::Scenario;

/// A scenario of one service `web` with groups of servers of these names and counts, and what else stands in it.
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
        let servers = plan.faults[0].servers.iter();
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
