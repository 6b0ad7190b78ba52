//! What a system consists of, and without which of its parts requests cannot be answered.

use lbsim::Scenario;

const TIERS: &str = r#"
question = "?"
expect = "-"
[run]
duration = "10s"
service = "web"
compare = ["random"]
[[clients]]
arrivals = { kind = "poisson", rate = "10/s" }
[[services]]
name = "web"
steps = [{ call = ["db"] }]
servers = [{ name = "web", count = 2, service = { kind = "constant", value = "1ms" } }]
[[services]]
name = "db"
servers = [{ name = "db", service = { kind = "constant", value = "1ms" } }]
"#;

/// Servers, balancers and single points of failure, after some changes of the text.
fn parts(changes: &[(&str, &str)]) -> (usize, usize, Vec<String>) {
    let text = changes.iter().fold(TIERS.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    let scenario = Scenario::from_text("tiers.toml", &text).unwrap_or_else(|why| panic!("{why}"));
    let parts = scenario.variants[0].blueprint.parts();
    (parts.servers, parts.balancers, parts.single)
}

#[test]
fn a_part_that_all_need_is_a_single_point_of_failure() {
    let single = |changes: &[(&str, &str)]| parts(changes).2;
    let balancer = "the balancer of web".to_owned();
    assert_eq!(
        parts(&[]),
        (3, 1, vec!["db/db".to_owned(), balancer.clone()])
    );
    // What is only asked where it answers is not needed, and what clients choose themselves has no
    // balancer.
    let optional = ("call = [\"db\"]", "call = [\"db\"], optional = true");
    assert_eq!(single(&[optional]), [balancer.as_str()]);
    let caller = (
        "name = \"web\"\n",
        "name = \"web\"\nbalancer = { spread = \"caller\" }\n",
    );
    assert!(single(&[optional, caller]).is_empty());
    let two = (
        "name = \"web\"\n",
        "name = \"web\"\nbalancer = { instances = 2 }\n",
    );
    let twice = ("name = \"db\", ", "name = \"db\", count = 2, ");
    let found = parts(&[two, twice]);
    assert_eq!(found, (4, 3, vec!["the balancer of db".to_owned()]));
    // One server needs no choice: there is no balancer to fail.
    assert_eq!(parts(&[("count = 2, ", "")]).1, 0);
}

#[test]
fn of_a_quorum_one_may_fail() {
    let of = |waits: &str| {
        let step = format!("call = [\"db\", \"other\"]{waits}");
        let other = "[[services]]\nname = \"other\"\nservers = [{ name = \"own\", service = { kind = \"constant\", value = \"1ms\" } }]\n[[services]]\nname = \"db\"";
        let changes = [
            ("call = [\"db\"]", step.as_str()),
            ("[[services]]\nname = \"db\"", other),
        ];
        parts(&changes).2
    };
    assert_eq!(of(""), ["other/own", "db/db", "the balancer of web"]);
    assert_eq!(of(", wait-for = 1"), ["the balancer of web"]);
}

/// Who cannot take over is no replacement, and who stands by is.
#[test]
fn a_replacement_is_one_that_serves() {
    let second = |settings: &str| {
        let servers = format!(
            "count = 1, service = {{ kind = \"constant\", value = \"1ms\" }} }}, {{ name = \"b\", {settings}, "
        );
        let optional = ("call = [\"db\"]", "call = [\"db\"], optional = true");
        let single = parts(&[optional, ("count = 2, ", &servers)]).2;
        single.contains(&"web/web".to_owned())
    };
    assert!(!second("weight = 1"));
    assert!(second("weight = 0"));
    assert!(second("joins = \"1h\""));
    assert!(!second("joins = \"5s\""));
    let unlikely = ("call = [\"db\"]", "call = [\"db\"], probability = \"0%\"");
    assert_eq!(parts(&[unlikely]).2, ["the balancer of web"]);
    let hostile = parts(&[(
        "[[services]]",
        "[[clients]]\nname = \"bad\"\nhostile = true\nservice = \"db\"\narrivals = { kind = \"poisson\", rate = \"10/s\" }\n[[services]]",
    )]);
    assert_eq!(hostile.2, ["db/db", "the balancer of web"]);
}
