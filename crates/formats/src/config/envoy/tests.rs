//! Files of all kinds, read, patched, broken.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::config::{Configuration, Pool, patch};

mod faults;

macro_rules! text {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../tests/config/envoy/",
                $name
            )),
        )
    };
}

const FILES: [(&str, &str); 12] = [
    text!("block.yaml"),
    text!("flow.yaml"),
    text!("plain.json"),
    text!("anchors.yaml"),
    text!("windows.yaml"),
    text!("zones.yaml"),
    text!("subsets.yaml"),
    text!("version2.yaml"),
    text!("cds.yaml"),
    text!("eds.yaml"),
    text!("documents.yaml"),
    text!("dump.json"),
];

fn text_of(name: &str) -> &'static str {
    let file = FILES.iter().find(|(other, _)| *other == name);
    file.expect("one of the files").1
}

fn configuration(name: &str) -> Configuration {
    read_text(Path::new(name), text_of(name)).expect("sound")
}

fn servers(pool: &Pool) -> Vec<(&str, u32, bool)> {
    let of = |server| {
        let server: &crate::config::Server = server;
        let placed = server.weight_at.is_some();
        (server.address.as_str(), server.weight, placed)
    };
    pool.servers.iter().map(of).collect()
}

fn strategy(pool: &Pool) -> String {
    pool.strategy.to_string()
}

fn has_note(configuration: &Configuration, line: usize, words: &str) {
    let found = configuration
        .notes
        .iter()
        .any(|note| configuration.line(&note.at) == line && note.text.contains(words));
    assert!(found, "line {line}, {words}: {:#?}", configuration.notes);
}

fn table(text: &str) -> toml::Table {
    text.parse().expect("TOML")
}

#[test]
fn block_style() {
    let read = configuration("block.yaml");
    let [api, web] = read.pools.as_slice() else {
        panic!("two pools")
    };
    assert_eq!(
        servers(api),
        [
            ("10.0.0.1:8080", 3, true),
            ("10.0.0.2:8080", 1, true),
            ("[::1]:8080", 2, true),
            ("10.0.0.4:8080", 1, true)
        ]
    );
    assert_eq!(api.servers[3].settings, table("down = true"));
    let wanted = "kind = 'envoy-least-request'\nchoice-count = 3\nactive-request-bias = 0.5\n\
        slow-start = { window = '60s', aggression = 2.0, min-weight-percent = 5.0 }\n\
        cluster = { healthy-panic-threshold = 30.0 }";
    assert_eq!(api.strategy, table(wanted));
    let wanted = "timeout = '750ms'\n\
        health-check = { interval = '5s', timeout = '1s', fall = 3, rise = 2 }\n\
        retry = { max = 2, error-answers = true, on = 'another', backoff = '10ms', backoff-max = '100ms', jitter = 'full' }";
    assert_eq!(api.balancer, table(wanted));
    assert_eq!(servers(web), [("/run/web.sock", 1, true)]);
    assert_eq!(web.balancer, table("timeout = '15s'"));
    let wanted = "kind = 'envoy-round-robin'\n[cluster]\noverprovisioning-factor = 200\n[cluster.outlier-detection]\n\
        consecutive-5xx = 3\nbase-ejection-time = '15s'\nmax-ejection-percent = 50\nalways-eject-one-host = true";
    assert_eq!(web.strategy, table(wanted));
    has_note(&read, 37, "that of all attempts together is left out");
    has_note(&read, 44, "An earlier route to `api`");
    has_note(&read, 61, "`runtime_key`");
    has_note(&read, 70, "`max_connections`, `max_requests`");
    has_note(&read, 77, "wrong status");
    has_note(&read, 99, "draining");
    has_note(&read, 113, "`max_ejection_time_jitter`");
    let format = "[%START_TIME%] %RESPONSE_CODE% %DURATION% %UPSTREAM_HOST%\n";
    assert_eq!(
        read.log_formats,
        [("/dev/stdout".to_owned(), format.to_owned())]
    );
}

#[test]
fn flow_style() {
    let read = configuration("flow.yaml");
    // They are hashed by their names where they have one, else by their host.
    assert_eq!(
        servers(&read.pools[0]),
        [
            ("a", 5, true),
            ("b", 1, true),
            ("10.1.0.3", 1, true),
            ("10.1.0.4", 7, true)
        ]
    );
    assert_eq!(read.pools[0].servers[0].name, "10.1.0.1:80");
    let wanted = "kind = 'envoy-ring-hash'\nminimum-ring-size = 2048\nhash-function = 'murmur-hash-2'\nhash-balance-factor = 150";
    assert_eq!(read.pools[0].strategy, table(wanted));
}

#[test]
fn json_and_the_other_spelling() {
    let read = configuration("plain.json");
    assert_eq!(
        servers(&read.pools[0]),
        [
            ("10.2.0.1:80", 1, true),
            ("10.2.0.2:80", 4, true),
            ("10.2.0.3:80", 1, true)
        ]
    );
    assert_eq!(
        read.pools[0].strategy,
        table("kind = 'envoy-maglev'\ntable-size = 1009")
    );
}

#[test]
fn aliases_have_no_place() {
    let read = configuration("anchors.yaml");
    assert_eq!(
        servers(&read.pools[0]),
        [
            ("10.3.0.1:8080", 2, false),
            ("10.3.0.2:8080", 1, true),
            ("10.3.0.1:8080", 2, true),
            ("10.3.0.3:80", 1, false),
            ("10.3.0.3:80", 1, false)
        ]
    );
    assert_eq!(strategy(&read.pools[0]), "kind = \"envoy-random\"\n");
    assert_eq!(strategy(&read.pools[1]), "kind = \"envoy-round-robin\"\n");
    assert_eq!(
        read.pools[0]
            .groups()
            .unwrap()
            .into_iter()
            .map(|group| group.name)
            .collect::<Vec<_>>(),
        [
            "10.3.0.1-8080",
            "10.3.0.2-8080",
            "10.3.0.1-8080-2",
            "10.3.0.3-80",
            "10.3.0.3-80-2"
        ]
    );
}

#[test]
fn zones_and_priorities() {
    let read = configuration("zones.yaml");
    assert_eq!(read.pools[0].servers[3].settings, table("priority = 1"));
    has_note(&read, 4, "Each name stands for one server");
    let zones: Vec<_> = read.pools[0]
        .servers
        .iter()
        .map(|one| one.settings.get("zone"))
        .collect();
    let zone = |name: &str| toml::Value::String(name.to_owned());
    let (one, two) = (zone("eu/eu-1"), zone("eu/eu-2"));
    assert_eq!(zones, [Some(&one), Some(&one), Some(&two), None]);
    let wanted = "update-merge-window = '0s'\n\
        locality = { kind = 'locality-weighted', weights = { 'eu/eu-1' = 60, 'eu/eu-2' = 40 } }";
    assert_eq!(read.pools[0].strategy["cluster"], table(wanted).into());
}

#[test]
fn subsets_sessions_and_the_newer_policies() {
    let read = configuration("subsets.yaml");
    let wanted = "kind = 'envoy-random'\n[cluster.subsets]\nselectors = [['version'], ['version', 'canary']]\n\
        fallback = 'default-subset'\ndefault = { version = 'v1' }";
    assert_eq!(read.pools[0].strategy, table(wanted));
    // A timeout of 0 is none.
    assert_eq!(read.pools[0].balancer, table("sticky = 'cookie'"));
    let labels = table("labels = { version = 'v2', canary = 'true' }");
    assert_eq!(read.pools[0].servers[1].settings, labels);
    let wanted = "kind = 'envoy-ring-hash'\nmaximum-ring-size = 4096\nhash-function = 'xx-hash'\nhash-balance-factor = 125";
    assert_eq!(read.pools[1].strategy, table(wanted));
    assert_eq!(read.pools[1].servers[0].address, "one");
    has_note(&read, 23, "`labelled` 90, `newer` 10, `gone` 0");
    has_note(&read, 27, "`gone`");
    has_note(&read, 29, "`x-user`");
    has_note(&read, 40, "`single_host_per_subset`");
    has_note(&read, 50, "`odd`");
    has_note(&read, 55, "`unheard_of`");
}

#[test]
fn version_2() {
    let read = configuration("version2.yaml");
    assert_eq!(
        servers(&read.pools[0]),
        [("first:8001", 1, false), ("second:8002", 1, false)]
    );
    // Enumerations may be given by number.
    assert_eq!(strategy(&read.pools[1]), "kind = \"envoy-least-request\"\n");
    assert_eq!(servers(&read.pools[1]), [("only:80", 1, false)]);
}

#[test]
fn discovery_by_files() {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/config/envoy"
    ));
    let read = read(&folder.join("cds.yaml")).expect("sound");
    assert_eq!(
        servers(&read.pools[0]),
        [("10.6.0.1:80", 12, true), ("10.6.0.2:80", 1, true)]
    );
    assert_eq!(read.files.len(), 2);
    let at = read.pools[0].servers[0].weight_at.as_ref();
    assert_eq!(at.map(|at| at.place.file), Some(1));
    let changed = patch(&read, &[vec![Some(5), None], vec![]]);
    assert_eq!(changed.files.len(), 1);
    assert!(changed.files[0].1.contains("load_balancing_weight: 5\n"));
    let alone = configuration("cds.yaml");
    assert!(alone.pools[0].servers.is_empty());
    has_note(&alone, 8, "`/etc/envoy/eds.yaml` was not read");
    has_note(&alone, 21, "`CLUSTER_PROVIDED`");
}

#[test]
fn documents_and_dumps() {
    let read = configuration("documents.yaml");
    let names: Vec<&str> = read.pools.iter().map(|pool| pool.name.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
    let read = configuration("dump.json");
    assert_eq!(servers(&read.pools[0]), [("10.8.0.1:80", 2, true)]);
}

/// What weights must not change.
fn rest(read: &Configuration) -> impl PartialEq + std::fmt::Debug {
    let mut pools = read.pools.clone();
    for pool in &mut pools {
        pool.at.range = 0..0;
        for server in &mut pool.servers {
            server.weight = 1;
            server.weight_at = None;
            server.at.range = 0..0;
        }
    }
    let notes: Vec<String> = read.notes.iter().map(|note| note.text.clone()).collect();
    (pools, notes, read.log_formats.clone())
}

#[test]
fn weights_go_in_and_nothing_else_changes() {
    for (name, text) in FILES {
        let read = configuration(name);
        let own: Vec<Vec<Option<u32>>> = read
            .pools
            .iter()
            .map(|pool| {
                pool.servers
                    .iter()
                    .map(|server| Some(server.weight))
                    .collect()
            })
            .collect();
        assert!(patch(&read, &own).files.is_empty(), "{name}");
        let other: Vec<Vec<Option<u32>>> = own
            .iter()
            .map(|pool| (100..).take(pool.len()).map(Some).collect())
            .collect();
        let changed = patch(&read, &other);
        let Some((_, new)) = changed.files.first() else {
            continue;
        };
        let again = read_text(Path::new(name), new).expect(name);
        assert_eq!(rest(&read), rest(&again), "{name}");
        for (before, after) in read.pools.iter().zip(&again.pools) {
            let pairs = before.servers.iter().zip(&after.servers).zip(100..);
            for ((before, after), weight) in pairs {
                let wanted = match before.weight_at {
                    Some(_) => weight,
                    None => before.weight,
                };
                assert_eq!(after.weight, wanted, "{name}");
            }
        }
        // Weights that were written are written as they were again; others stay, as the default.
        let back = patch(&again, &own);
        let back = back.files.first().map_or(new.as_str(), |(_, text)| text);
        let all_written = read
            .pools
            .iter()
            .flat_map(|pool| &pool.servers)
            .filter_map(|server| server.weight_at.as_ref())
            .all(|at| at.is_written());
        if all_written {
            assert_eq!(back, text, "{name}");
        } else {
            let lines = |text: &str| text.lines().count();
            assert!(lines(back) >= lines(text), "{name}");
        }
        let windows = text.contains("\r\n");
        assert_eq!(
            new.matches('\n').count() == new.matches("\r\n").count(),
            windows
        );
    }
}

#[test]
fn new_weights_are_in_the_style_of_their_place() {
    let patched = |name: &str| {
        let read = configuration(name);
        let weights: Vec<_> = read
            .pools
            .iter()
            .map(|pool| vec![Some(9); pool.servers.len()])
            .collect();
        patch(&read, &weights).files.remove(0).1
    };
    let block = patched("block.yaml");
    let first = "              - load_balancing_weight: 9\n                endpoint:\n";
    assert!(block.contains(first));
    assert!(block.contains(
        "              - health_status: DRAINING\n                load_balancing_weight: 9\n"
    ));
    assert!(block.contains("load_balancing_weight: 9   # the large one\n"));
    assert!(block.contains("load_balancing_weight: { value: 9 }"));
    let flow = patched("flow.yaml");
    assert!(flow.contains("{ load_balancing_weight: 9, endpoint: {hostname: b"));
    assert!(flow.contains("{\n         load_balancing_weight: 9,\n         endpoint"));
    assert!(flow.contains("load_balancing_weight: \"9\""));
    let json = patched("plain.json");
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
    assert!(json.contains("{ \"loadBalancingWeight\": 9, \"endpoint\""));
    let windows = patched("windows.yaml");
    assert!(windows.contains("        - load_balancing_weight: 9\r\n          endpoint:\r\n"));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(?s).{0,200}") {
        check(&text);
    }

    #[test]
    fn yaml_like_text_is_read_or_refused(words in prop::collection::vec(word(), 0..60)) {
        check(&words.concat());
    }

    #[test]
    fn damaged_files_are_read_or_refused(file in 0..FILES.len(), at in any::<prop::sample::Index>(), cut in 0_usize..40, new in word()) {
        let text = FILES[file].1;
        let boundary = |mut at: usize| {
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = boundary(at.index(text.len()));
        let end = boundary((start + cut).min(text.len()));
        check(&format!("{}{new}{}", &text[..start], &text[end..]));
    }
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "static_resources:",
        "clusters:",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "\n      ",
        "name: a",
        "endpoint:",
        "{",
        "}",
        "[",
        "]",
        ", ",
        ": ",
        "lb_endpoints:",
        "load_assignment:",
        "endpoints:",
        "load_balancing_weight: 3",
        "\"",
        "'",
        "&a ",
        "*a",
        "<<: ",
        "address: {socket_address: {address: é, port_value: 1}}",
        "# c",
        "|",
        ">",
        "? ",
        "!ignore ",
        "---\n",
        "\r\n",
        "\t",
        "~",
        "🐎",
    ])
    .prop_map(str::to_owned)
}

/// Whatever is read can be shown and patched, and all places are characters of the text.
fn check(text: &str) {
    match read_text(Path::new("x.yaml"), text) {
        Ok(read) => {
            for note in &read.notes {
                let _ = read.show(&note.at);
                assert!(text.get(note.at.range.clone()).is_some());
            }
            let weights: Vec<_> = read
                .pools
                .iter()
                .map(|pool| vec![Some(77); pool.servers.len()])
                .collect();
            for (_, new) in patch(&read, &weights).files {
                let again = read_text(Path::new("x.yaml"), &new);
                let again = again.unwrap_or_else(|error| panic!("{error}\n{text}\n->\n{new}"));
                assert_eq!(rest(&read), rest(&again), "{text}\n->\n{new}");
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
