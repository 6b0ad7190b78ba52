//! Configurations that were once read wrongly, or not at all, and what is right.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use lbsim::config::{self, Configuration, ReadError};
use lbsim::import::draft::{Wanted, draft};
use lbsim::scenario::Scenario;
use proptest::prelude::*;

use crate::support::{lbsim, scratch, stderr, stdout};

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(name)
}

/// Imports a case, with further arguments.
fn import(name: &str, arguments: &[&str]) -> Output {
    let path = case(name);
    let mut all = vec!["import", path.to_str().unwrap()];
    all.extend(arguments);
    lbsim(&scratch(&format!("case-{name}")), &all)
}

/// The scenario of a case.
fn scenario(name: &str) -> toml::Table {
    let done = import(name, &[]);
    assert!(done.status.success(), "{}", stderr(&done));
    stdout(&done).parse().unwrap()
}

/// The notes of a case: what follows the name of the file, such as `13: …`.
fn notes(done: &Output, name: &str) -> Vec<String> {
    let said = stderr(done);
    let lines = said
        .lines()
        .filter(|line| line.contains("not carried over"));
    let after = |line: &str| line.split(&format!("{name}:")).nth(1).unwrap().to_owned();
    lines.map(after).collect()
}

#[test]
fn only_the_first_priority_of_envoy_serves() {
    let scenario = scenario("config-envoy-priorities.yaml");
    let rate = scenario["clients"][0]["arrivals"]["rate"].as_str().unwrap();
    assert_eq!(rate, "50.00/s");
}

#[test]
fn no_errors_in_a_row_are_no_ejection() {
    let scenario = scenario("config-envoy-disabled-ejection.yaml");
    let outliers = &scenario["run"]["compare"][0]["cluster"]["outlier-detection"];
    let expected: toml::Table = "enforcing-consecutive-5xx = 0\nenforcing-success-rate = 0"
        .parse()
        .unwrap();
    assert_eq!(outliers.as_table(), Some(&expected));
}

/// Whole turns of 10: 70 to 30 but for the ends of ten replications.
#[test]
fn weights_of_localities_share_requests_out() {
    let place = scratch("case-localities");
    let file = case("config-envoy-locality-weights.yaml");
    let done = lbsim(
        &place,
        &["import", file.to_str().unwrap(), "-o", "web.toml"],
    );
    assert!(done.status.success(), "{}", stderr(&done));
    assert!(
        !stderr(&done).contains("not carried over"),
        "{}",
        stderr(&done)
    );
    let text = fs::read_to_string(place.join("web.toml")).unwrap();
    let locality = r#"locality = { kind = "locality-weighted", weights = { a = 70, b = 30 } }"#;
    assert!(text.contains(locality), "{text}");
    let ran = lbsim(&place, &["run", "web.toml", "-q"]);
    assert!(ran.status.success(), "{}", stderr(&ran));
    let rows = fs::read_to_string(place.join("results/web/servers.csv")).unwrap();
    let mut rows = rows.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let head = rows.next().unwrap();
    let share = head
        .iter()
        .position(|name| *name == "request_share")
        .unwrap();
    let shares: Vec<f64> = rows.map(|row| row[share].parse().unwrap()).collect();
    assert!(
        (shares[0] - 0.7).abs() < 0.002 && (shares[1] - 0.3).abs() < 0.002,
        "{shares:?}"
    );
}

#[test]
fn what_nginx_admits_keeps_and_copies_is_listed() {
    let done = import("config-nginx-admission.conf", &[]);
    let notes = notes(&done, "config-nginx-admission.conf");
    for start in [
        "12: `limit_req zone=r burst=10`",
        "13: `limit_conn c 100`",
        "14: `proxy_cache k`",
        "15: `mirror /copy`",
    ] {
        assert!(
            notes.iter().any(|note| note.starts_with(start)),
            "{start}: {notes:#?}"
        );
    }
    assert_eq!(notes.len(), 4, "{notes:#?}");
}

#[test]
fn what_haproxy_and_envoy_do_with_requests_is_listed() {
    let place = scratch("case-listed");
    let listed = |file: &str, text: &str, expected: &[(usize, &str)]| {
        fs::write(place.join(file), text).unwrap();
        let done = lbsim(&place, &["import", file]);
        assert!(done.status.success(), "{}", stderr(&done));
        let notes = notes(&done, file);
        for (line, words) in expected {
            let found = notes
                .iter()
                .any(|note| note.starts_with(&format!("{line}: ")) && note.contains(words));
            assert!(found, "{line}: {words} in {notes:#?}");
        }
        assert_eq!(notes.len(), expected.len(), "{notes:#?}");
    };
    let text = "\
defaults
    mode http
    retries 0
    timeout connect 5s
    timeout check 9s
frontend in
    bind :80
    maxconn 300
    http-request deny if { src 10.0.0.0/8 }
    default_backend web
frontend other
    bind :81
    maxconn 3
    http-request return status 204
backend web
    balance uri
    hash-type consistent
    hash-preserve-affinity maxconn
    http-request set-timeout server 3s if { path /slow }
    http-request set-retries 2
    http-request frobnicate
    server a 10.0.0.1:80 check
    server b 10.0.0.2:80 check
";
    listed(
        "web.cfg",
        text,
        &[
            (4, "`timeout connect 5s`"),
            (5, "`timeout check 9s`"),
            (8, "`maxconn 300`"),
            (9, "`http-request deny"),
            (18, "`hash-preserve-affinity maxconn`"),
            (19, "`http-request set-timeout"),
            (20, "`http-request set-retries 2`"),
            (21, "`http-request frobnicate` is not known"),
        ],
    );
    let text = "\
static_resources:
  listeners:
  - name: in
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          request_timeout: 3s
          http_filters:
          - name: envoy.filters.http.fault
          - name: envoy.filters.http.local_ratelimit
          - name: envoy.filters.http.adaptive_concurrency
          - name: envoy.filters.http.admission_control
          - name: envoy.filters.http.cors
          - name: org.example.homemade
          - name: envoy.filters.http.router
          route_config:
            virtual_hosts:
            - name: all
              routes:
              - match: { prefix: / }
                route: { cluster: web, timeout: 2s, hedge_policy: { hedge_on_per_try_timeout: true } }
  clusters:
  - name: web
    type: STATIC
    load_assignment:
      cluster_name: web
      endpoints:
      - lb_endpoints:
        - endpoint: { address: { socket_address: { address: 10.0.0.1, port_value: 80 } } }
        - endpoint: { address: { socket_address: { address: 10.0.0.2, port_value: 80 } } }
";
    listed(
        "web.yaml",
        text,
        &[
            (9, "`request_timeout`"),
            (11, "The filter `fault` is left out"),
            (12, "The filter `local_ratelimit` is left out"),
            (13, "The filter `adaptive_concurrency` is left out"),
            (14, "The filter `admission_control` is left out"),
            (16, "The filter `homemade` is not known"),
            (23, "`hedge_policy`"),
        ],
    );
}

#[test]
fn notes_of_other_pools_are_not_listed() {
    let name = "config-notes-of-other-pools.cfg";
    let done = import(name, &["--pool", "web"]);
    let notes = notes(&done, name);
    assert_eq!(notes.len(), 1, "{notes:#?}");
    assert!(notes[0].contains("`timeout server`"), "{notes:?}");
    let comments = stdout(&done);
    assert!(
        !comments.contains("url_param") && !comments.contains("m1"),
        "{comments}"
    );
}

#[test]
fn pools_whose_endpoints_are_discovered_are_named() {
    let name = "config-envoy-eds-only.yaml";
    let done = import(name, &[]);
    assert!(!done.status.success());
    let said = stderr(&done);
    for part in [
        "`web`, `mail` have no endpoints",
        "EDS",
        "/config_dump?include_eds",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let one = stderr(&import(name, &["--pool", "mail"]));
    assert!(
        one.contains("`mail` has no endpoints") && !one.contains("`web`"),
        "{one}"
    );
}

/// A backend of so many servers, each with a weight of its own.
fn backend(servers: usize, weight: impl Fn(usize) -> usize) -> String {
    let mut text = "defaults\n    mode http\n    timeout client 5s\n    timeout server 5s\n    timeout connect 1s\nbackend web\n    \
        balance random(2)\n"
        .to_owned();
    for at in 0..servers {
        let _ = writeln!(
            text,
            "    server s{at} 10.0.{}.{}:80 check weight {}",
            at / 250,
            at % 250 + 1,
            weight(at)
        );
    }
    text
}

#[test]
fn many_like_servers_are_one_group() {
    let place = scratch("case-many");
    fs::write(place.join("many.cfg"), backend(1200, |_| 1)).unwrap();
    let done = lbsim(&place, &["import", "many.cfg", "-o", "web.toml"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let text = fs::read_to_string(place.join("web.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let groups = table["services"][0]["servers"].as_array().unwrap();
    assert_eq!(
        (groups.len(), groups[0]["count"].as_integer()),
        (1, Some(1200))
    );
    assert!(table.get("tune").is_none() && text.contains("# There is no [tune]"));
    // What stands for all of them goes back to all of them.
    let other = text.replace("weight = 1\n", "weight = 7\n");
    fs::write(place.join("web.toml"), other).unwrap();
    let written = lbsim(
        &place,
        &["export", "web.toml", "--into", "many.cfg", "--write"],
    );
    assert!(written.status.success(), "{}", stderr(&written));
    let text = fs::read_to_string(place.join("many.cfg")).unwrap();
    assert_eq!(text.matches("weight 7\n").count(), 1200);
    // Where they are unlike, the reason speaks of the configuration.
    fs::write(place.join("unlike.cfg"), backend(1200, |at| at % 2 + 1)).unwrap();
    let refused = lbsim(&place, &["import", "unlike.cfg", "-o", "no.toml"]);
    let said = stderr(&refused);
    assert!(!refused.status.success() && !place.join("no.toml").exists());
    assert!(
        said.contains("unlike.cfg:6") && said.contains("1200 servers"),
        "{said}"
    );
    assert!(!said.contains(".toml"), "{said}");
}

#[test]
fn more_servers_than_can_be_tuned_are_a_scenario_without_that() {
    let place = scratch("case-101");
    fs::write(place.join("web.cfg"), backend(101, |_| 3)).unwrap();
    let done = lbsim(&place, &["import", "web.cfg", "-o", "web.toml"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let text = fs::read_to_string(place.join("web.toml")).unwrap();
    assert!(
        !text.contains("\n[tune]\n") && text.contains("# There is no [tune]: 101 values"),
        "{text}"
    );
    assert!(lbsim(&place, &["check", "web.toml", "-q"]).status.success());
}

#[test]
fn weights_beyond_those_of_a_scenario_are_scaled() {
    let place = scratch("case-weights");
    let text = fs::read_to_string(case("config-envoy-disabled-ejection.yaml")).unwrap();
    let heavy = text
        .replace("- endpoint: { address: { socket_address: { address: 10.0.0.1", "- load_balancing_weight: 300000\n          endpoint: { address: { socket_address: { address: 10.0.0.1")
        .replace("- endpoint: { address: { socket_address: { address: 10.0.0.2", "- load_balancing_weight: 100000\n          endpoint: { address: { socket_address: { address: 10.0.0.2");
    fs::write(place.join("web.yaml"), heavy).unwrap();
    let done = lbsim(&place, &["import", "web.yaml"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let table: toml::Table = stdout(&done).parse().unwrap();
    let weight = |at: usize| {
        table["services"][0]["servers"][at]["weight"]
            .as_integer()
            .unwrap()
    };
    assert_eq!(weight(0), 3 * weight(1));
    assert!(weight(0) <= 65_535);
}

/// A link stays a link, and the file behind it keeps its mode; and its owner, where the test may
/// give it another.
#[cfg(unix)]
#[test]
fn weights_are_written_behind_a_link() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
    let place = scratch("case-link");
    let file = place.join("available.conf");
    fs::write(
        &file,
        "upstream web {\n server 10.0.0.1:80 weight=5;\n server 10.0.0.2:80;\n}\n",
    )
    .unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let is_given = chown(&file, Some(1234), Some(5678)).is_ok();
    symlink("available.conf", place.join("enabled.conf")).unwrap();
    let done = lbsim(
        &place,
        &["import", "available.conf", "-q", "-o", "web.toml"],
    );
    assert!(done.status.success(), "{}", stderr(&done));
    let text = fs::read_to_string(place.join("web.toml")).unwrap();
    fs::write(
        place.join("web.toml"),
        text.replace("weight = 5", "weight = 7"),
    )
    .unwrap();
    let done = lbsim(
        &place,
        &["export", "web.toml", "--into", "enabled.conf", "--write"],
    );
    assert!(done.status.success(), "{}", stderr(&done));
    assert!(
        fs::symlink_metadata(place.join("enabled.conf"))
            .unwrap()
            .is_symlink()
    );
    assert!(fs::read_to_string(&file).unwrap().contains("weight=7"));
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o640
    );
    let behind = fs::metadata(&file).unwrap();
    assert!(!is_given || (behind.uid(), behind.gid()) == (1234, 5678));
}

/// A configuration that changed since it was imported is written only where that is asked for.
#[test]
fn servers_without_a_counterpart_are_named_and_nothing_is_written() {
    let place = scratch("case-changed");
    let conf = |second: &str| {
        format!(
            "upstream web {{\n server 10.0.0.1:80 weight=5;\n server {second}:80;\n server 10.0.0.3:80;\n}}\n"
        )
    };
    fs::write(place.join("web.conf"), conf("10.0.0.2")).unwrap();
    let done = lbsim(&place, &["import", "web.conf", "-q", "-o", "web.toml"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let text = fs::read_to_string(place.join("web.toml")).unwrap();
    fs::write(
        place.join("web.toml"),
        text.replace("weight = 5", "weight = 7"),
    )
    .unwrap();
    let changed = conf("10.0.0.9");
    fs::write(place.join("web.conf"), &changed).unwrap();
    let into = ["export", "web.toml", "--into", "web.conf"];
    let shown = lbsim(&place, &into);
    assert!(
        shown.status.success() && stdout(&shown).contains("weight=7"),
        "{}",
        stderr(&shown)
    );
    let refused = lbsim(&place, &[&into[..], &["--write"]].concat());
    assert!(!refused.status.success());
    for said in [stderr(&shown), stderr(&refused)] {
        assert!(
            said.contains("not in the configuration: 10.0.0.2-80"),
            "{said}"
        );
        assert!(
            said.contains("not in the scenario, so that the weight stays: 10.0.0.9:80 (weight 1)"),
            "{said}"
        );
    }
    assert_eq!(fs::read_to_string(place.join("web.conf")).unwrap(), changed);
    let partial = lbsim(&place, &[&into[..], &["--write", "--partial"]].concat());
    assert!(partial.status.success(), "{}", stderr(&partial));
    assert_eq!(
        fs::read_to_string(place.join("web.conf")).unwrap(),
        changed.replace("weight=5", "weight=7")
    );
}

#[test]
fn a_strategy_of_one_product_is_its_like_in_another() {
    let place = scratch("case-strategies");
    let text =
        "upstream web {\n least_conn;\n server 10.0.0.1:80 weight=5;\n server 10.0.0.2:80;\n}\n";
    fs::write(place.join("web.conf"), text).unwrap();
    let done = lbsim(&place, &["import", "web.conf", "-q", "-o", "web.toml"]);
    assert!(done.status.success(), "{}", stderr(&done));
    for (product, words) in [
        ("nginx", "least_conn;"),
        ("haproxy", "balance leastconn"),
        ("envoy", "lb_policy: LEAST_REQUEST"),
        ("ipvs", "--scheduler wlc"),
    ] {
        let done = lbsim(
            &place,
            &[
                "export",
                "web.toml",
                "--for",
                product,
                "--set",
                "services.web.balancer.strategy=nginx-least-conn",
            ],
        );
        assert!(
            stdout(&done).contains(words),
            "{product}: {} {}",
            stdout(&done),
            stderr(&done)
        );
    }
}

/// Files of each product, whole.
const TEXTS: [(&str, &str); 9] = [
    ("a.conf", include_str!("../config/nginx/ingress.conf")),
    ("b.conf", include_str!("../config/nginx/plus.conf")),
    (
        "c.conf",
        include_str!("../cases/config-nginx-admission.conf"),
    ),
    ("d.cfg", include_str!("../config/haproxy/webfarm.cfg")),
    ("e.cfg", include_str!("../config/haproxy/patroni.cfg")),
    (
        "f.cfg",
        include_str!("../cases/config-notes-of-other-pools.cfg"),
    ),
    ("g.yaml", include_str!("../config/envoy/block.yaml")),
    ("h.yaml", include_str!("../config/envoy/subsets.yaml")),
    (
        "i.yaml",
        include_str!("../cases/config-envoy-locality-weights.yaml"),
    ),
];

fn read(name: &str, text: &str) -> Result<Configuration, ReadError> {
    let path = Path::new(name);
    match path.extension().and_then(|end| end.to_str()) {
        Some("cfg") => config::haproxy::read_text(path, text),
        Some("yaml") => config::envoy::read_text(path, text),
        _ => config::nginx::read_text(path, text),
    }
}

/// Whatever is read becomes a scenario or a reason; nothing panics.
fn goes_through(name: &str, text: &str) {
    let Ok(configuration) = read(name, text) else {
        return;
    };
    for pool in configuration
        .pools
        .iter()
        .filter(|pool| !pool.servers.is_empty())
    {
        if let Ok(text) = draft(&configuration, pool, None, &Wanted::default()) {
            let parsed = Scenario::parse(Path::new("x.toml"), &text, &[]);
            let faults = parsed
                .err()
                .map(|rejected| rejected.diagnostics)
                .unwrap_or_default();
            let broken = faults.iter().find(|fault| fault.code == "syntax");
            assert!(broken.is_none(), "{broken:?}\n{text}");
        }
    }
}

#[test]
fn nesting_without_end_is_refused() {
    for (name, open, close) in [
        ("a.conf", "a {", "}"),
        ("a.conf", "if ($x) {", "}"),
        ("b.yaml", "[", "]"),
        ("b.yaml", "{a: ", "}"),
        ("b.yaml", "- ", ""),
        ("c.cfg", ".if x\n", ".endif\n"),
    ] {
        let text = open.repeat(100_000) + &close.repeat(100_000);
        let _ = read(name, &text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Texts with a piece cut out, doubled, moved or replaced by a value that means something.
    #[test]
    fn mutated_configurations_are_read_or_refused(
        which in 0..TEXTS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0usize..60, 0usize..16), 1..5),
    ) {
        let (name, text) = TEXTS[which];
        let mut text = text.to_owned();
        for (at, length, what) in changes {
            let floor = |mut at: usize| {
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let start = floor(at.index(text.len() + 1));
            let end = floor((start + length).min(text.len()));
            let piece = text[start..end].to_owned();
            let new = match what {
                0 => String::new(),
                1 => piece.repeat(2),
                2 => piece.chars().rev().collect(),
                3 => piece.replace(|c: char| c.is_ascii_digit(), "0"),
                4 => piece.replace(|c: char| c.is_ascii_digit(), "9"),
                5 => piece.replace(|c: char| c.is_ascii_digit(), "4294967296"),
                6 => format!("{piece}\u{0}"),
                7 => format!("{piece}'"),
                8 => format!("{piece}\""),
                9 => format!("{piece}\n"),
                10 => format!("{piece}é\u{2028}"),
                11 => format!("{piece}-1"),
                12 => format!("{piece}{{"),
                13 => format!("{piece}}}"),
                14 => format!("{piece}\\"),
                _ => format!("{piece} weight 0 "),
            };
            text.replace_range(start..end, &new);
        }
        goes_through(name, &text);
    }
}
