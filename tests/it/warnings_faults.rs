//! What a careful colleague says of faults, and of what they swallow where nobody has a timeout.

use crate::warnings::of_scenario;

/// A world of two servers, with these faults and whatever else.
fn with_faults(rest: &str) -> Vec<String> {
    let text = format!(
        r#"
question = "?"
expect = "!"
[run]
duration = "5min"
warmup = "10s"
compare = ["round-robin"]
[[clients]]
arrivals = {{ kind = "poisson", rate = "10/s" }}
[[services]]
name = "web"
[[services.servers]]
count = 2
service = {{ kind = "exponential", mean = "10ms" }}
{rest}
"#
    );
    let scenario = lbsim::scenario::Scenario::from_text("faults.toml", &text)
        .unwrap_or_else(|rejected| panic!("{rejected}"));
    let mut codes: Vec<String> = (scenario.warnings.iter())
        .map(|warning| warning.code.to_string())
        .collect();
    codes.sort();
    codes
}

#[test]
fn faults_that_come_again_are_warned_of_as_others_are() {
    let pause = |at: &str, after: &str, lasts: &str| {
        with_faults(&format!(
            "[[faults]]\nkind = \"pause\"\nservers = \"web\"\nat = \"{at}\"\nlasts = \"{lasts}\"\nagain = {{ after = {{ kind = \"constant\", value = \"{after}\" }} }}"
        ))
    };
    assert!(pause("20s", "10s", "20s").is_empty());
    assert_eq!(pause("20s", "10min", "20s"), ["fault-after-end"]);
    assert_eq!(pause("1s", "2s", "20s"), ["fault-in-warmup"]);
    assert_eq!(pause("20s", "10s", "100ms"), ["fault-too-short"]);
}

#[test]
fn faults_that_change_nothing_are_warned_of() {
    let fault = |text: &str| {
        with_faults(&format!(
            "[[faults]]\nat = \"1min\"\nlasts = \"1min\"\n{text}"
        ))
    };
    for (kind, nothing, something) in [
        ("errors", "share = \"0%\"", "share = \"1%\""),
        ("slowdown", "speed = \"100%\"", "speed = \"99%\""),
    ] {
        let of = |rest: &str| fault(&format!("kind = \"{kind}\"\nservers = \"web\"\n{rest}"));
        assert_eq!(of(nothing), ["without-effect"]);
        assert_eq!(of(something), [""; 0]);
    }
}

/// Two slots and three places in line hold five: above five there is never anybody.
#[test]
fn a_server_that_never_has_too_many_is_warned_of() {
    let of = |bound: u32, more: &str| {
        of_scenario(&[(
            "count = 2",
            &format!(
                "count = 2\nslots = 2\nqueue-limit = 3\nunder-load = {{ errs-above = {bound} }}{more}"
            ),
        )])
    };
    assert_eq!(of(5, ""), ["without-effect"]);
    assert_eq!(of(4, ""), [""; 0]);
}

#[test]
fn what_a_cut_swallows_is_warned_of_where_nobody_has_a_timeout() {
    let cut = "[[faults]]\nkind = \"cut\"\nfrom = \"balancers:web\"\nto = \"web/server-1\"\nat = \"1min\"\nlasts = \"1min\"\n";
    assert_eq!(with_faults(cut), ["waits-for-ever"]);
    let timeout = format!("{cut}[services.balancer]\ntimeout = \"1s\"\n");
    assert!(!with_faults(&timeout).contains(&"waits-for-ever".to_owned()));
    let lossy = cut.replace("\"cut\"", "\"lossy-link\"") + "share = \"1%\"\n";
    assert_eq!(with_faults(&lossy), ["waits-for-ever"]);
    assert!(with_faults(&(lossy + "retransmit = \"200ms\"\n")).is_empty());
}

/// A cut between servers and the balancers that they call: a timeout of these does not help, one of
/// the call does. Clients on this side who have a balancer here lose nothing by it.
#[test]
fn what_is_lost_between_a_server_and_whom_it_calls_is_warned_of() {
    let of = |timeout: &str| {
        let rest = r#"
zone = "here"
steps = [{ call = "db"TIMEOUT }]
[services.balancer]
zones = ["here"]
[[services]]
name = "db"
balancer = { zones = ["there"], timeout = "500ms" }
[[services.servers]]
zone = "there"
service = { kind = "constant", value = "5ms" }
[[faults]]
kind = "cut"
from = "zone:here"
to = "zone:there"
at = "1min"
lasts = "10s"
[[clients]]
name = "near"
zone = "here"
arrivals = { kind = "poisson", rate = "10/s" }
"#;
        with_faults(&rest.replace("TIMEOUT", timeout))
    };
    assert_eq!(of(""), ["waits-for-ever"]);
    assert_eq!(of(", timeout = \"1s\""), [""; 0]);
}
