//! Bad input gets a sentence, quickly, and never a panic; nothing is written.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{LIVELY, lbsim, scratch, stderr};

/// What the program says to a run of `test.toml`, which it must refuse with exit code 2 in well
/// under a second.
#[track_caller]
fn refused(place: &Path, more: &[&str]) -> String {
    let began = Instant::now();
    let done = lbsim(place, &[&["run", "test.toml"], more].concat());
    let said = stderr(&done);
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(began.elapsed() < Duration::from_secs(5), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    assert!(!place.join("results").exists());
    said
}

#[test]
fn six_faults_are_reported_at_once() {
    let place = scratch("bad-six");
    let text = LIVELY
        .replace("\"20s\"", "\"20 parsecs\"")
        .replace("replications = 4", "replicatons = 4")
        .replace("\"least-connections\"", "\"least-conections\"")
        .replace("instances = 2", "instances = -5")
        .replace("sticky = \"cookie\"", "sticky = 1")
        .replace("servers = \"web/server-2\"", "servers = \"web/server-9\"");
    fs::write(place.join("test.toml"), text).unwrap();
    let said = refused(&place, &[]);
    for (line, what) in [
        (5, "parsecs"),
        (6, "did you mean `replications`"),
        (7, "did you mean `least-connections`"),
        (20, "-5"),
        (21, "sticky"),
        (27, "server-9"),
    ] {
        assert!(
            said.contains(&format!("test.toml:{line}:")),
            "line {line} in {said}"
        );
        assert!(said.contains(what), "{what} in {said}");
    }
    assert!(said.contains("6 errors in test.toml"), "{said}");
}

/// What stands in for the value of a misspelt key, so that the rest can be checked, is not itself
/// found fault with.
#[test]
fn a_misspelt_key_is_one_fault() {
    let place = scratch("bad-key");
    let text = LIVELY.replace("servers = \"web/server-2\"", "server = \"web/server-2\"");
    fs::write(place.join("test.toml"), text).unwrap();
    let said = refused(&place, &[]);
    assert!(said.contains("did you mean `servers`"), "{said}");
    assert!(said.contains("1 error in test.toml"), "{said}");
}

#[test]
fn files_that_are_none() {
    let place = scratch("bad-files");
    let file = place.join("test.toml");
    assert!(refused(&place, &[]).contains("test.toml"));
    fs::create_dir(&file).unwrap();
    assert!(refused(&place, &[]).contains("directory"));
    fs::remove_dir(&file).unwrap();
    for junk in [
        &b""[..],
        b"\0\x01\x02\xff\xfe",
        b"\xef\xbb\xbf",
        b"[[[[[[[[",
        b"question = \"",
        b"PK\x03\x04aaaa",
    ] {
        fs::write(&file, junk).unwrap();
        refused(&place, &[]);
    }
    fs::write(&file, vec![b'['; 1 << 20]).unwrap();
    refused(&place, &[]);
}

#[test]
fn absurd_sizes() {
    let place = scratch("bad-sizes");
    for (from, to) in [
        ("\"20s\"", "\"365000000d\""),
        ("\"300/s\"", "\"1000000000000/s\""),
        ("\"300/s\"", "\"1e300/s\""),
        ("count = 5", "count = 1000000000"),
        ("count = 200", "count = 4000000000"),
        ("replications = 4", "replications = 1000000000000"),
        ("instances = 2", "instances = 1000000"),
        ("mean = \"10ms\"", "mean = \"1e400s\""),
        ("count = 5", "count = 99999999999999999999999"),
    ] {
        assert!(LIVELY.contains(from));
        fs::write(place.join("test.toml"), LIVELY.replacen(from, to, 1)).unwrap();
        refused(&place, &[]);
    }
}

/// The scenario of a trace, whose file is to be bad.
const TRACED: &str = r#"
question = "?"
expect = "!"
[run]
compare = ["random"]
[[clients]]
arrivals = { kind = "trace", file = "trace.csv", columns = { time = "at", service = "takes" } }
[[services]]
name = "web"
[[services.servers]]
service = { kind = "constant", value = "1ms" }
"#;

#[test]
fn traces_with_bad_rows_name_them() {
    let place = scratch("bad-traces");
    fs::write(place.join("test.toml"), TRACED).unwrap();
    let trace = place.join("trace.csv");
    assert!(refused(&place, &[]).contains("trace.csv"));
    for (text, what) in [
        ("", "empty"),
        ("at,takes\n", "row"),
        ("at,took\n1,2\n", "takes"),
        ("at,takes\n1,2\n2,x\n", "3"),
        ("at,takes\n1,2\n2,-1\n", "3"),
        ("at,takes\n1,2\nNaN,1\n", "3"),
        ("at,takes\n1,2\n2\n", "3"),
        ("at,takes\n1,2\n2,1e300\n", "3"),
    ] {
        fs::write(&trace, text).unwrap();
        let said = refused(&place, &[]);
        assert!(
            said.contains("trace.csv") && said.contains(what),
            "{text:?}: {said}"
        );
    }
    for junk in [&b"\0\xff\xfe\n\x80"[..], b"\x1f\x8b\x08\0\0\0"] {
        fs::write(&trace, junk).unwrap();
        refused(&place, &[]);
    }
    fs::remove_file(&trace).unwrap();
    fs::create_dir(&trace).unwrap();
    refused(&place, &[]);
}

#[test]
fn places_that_cannot_be_written() {
    let place = scratch("bad-places");
    fs::write(place.join("test.toml"), LIVELY).unwrap();
    fs::write(place.join("file"), "kept").unwrap();
    let done = lbsim(&place, &["run", "test.toml", "--out", "file/below"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(stderr(&done).contains("file"), "{}", stderr(&done));
    assert_eq!(fs::read_to_string(place.join("file")).unwrap(), "kept");
}

/// Settings of a strategy that no schema can judge by themselves are refused where they stand.
#[test]
fn settings_that_contradict_each_other_are_refused_with_their_place() {
    let place = scratch("bad-settings");
    let case = include_str!("../cases/scenario-cutoffs-out-of-order.toml");
    fs::write(place.join("test.toml"), case).unwrap();
    let said = refused(&place, &[]);
    assert!(
        said.contains("`cutoffs` must rise (3 comes after 5)"),
        "{said}"
    );
    assert!(said.contains("test.toml:5:"), "{said}");
    let rings = "{ kind = \"envoy-ring-hash\", minimum-ring-size = 9, maximum-ring-size = 8 }, \
                 { kind = \"grpc-ring-hash\", min-ring-size = 9, max-ring-size = 8 }";
    let text = LIVELY.replace("\"least-connections\"", rings);
    fs::write(place.join("test.toml"), text).unwrap();
    let said = refused(&place, &[]);
    assert!(
        said.contains("`minimum-ring-size` must not be more than `maximum-ring-size`"),
        "{said}"
    );
    assert!(
        said.contains("`min-ring-size` must not be more than `max-ring-size`"),
        "{said}"
    );
}

/// What could only be an oversight: settings of the same table that take each other's effect.
#[test]
fn settings_that_undo_each_other_are_refused_with_their_place() {
    let place = scratch("bad-pairs");
    let text = r#"
question = "?"
expect = "!"
[run]
duration = "5s"
compare = [{ kind = "envoy-random", cluster = { outlier-detection = { max-ejection-time = "10s" } } }]
[[clients]]
arrivals = { kind = "poisson", rate = "20/s" }
[[services]]
name = "web"
[services.balancer]
health-check = {}
ejection = { kind = "max-fails", against = ["error", "timeout", "error"] }
hedge = { after = "10ms", quantile = "0%" }
limit = { by = { kind = "gradient", least = 300 } }
[[services.servers]]
service = { kind = "constant", value = "1ms" }
health-check = { enabled = false, fall = 2 }
discipline = { kind = "codel", target = "200ms" }
[[services]]
name = "other"
[services.balancer]
ejection = { kind = "outlier-detection", max-ejection-time = "10s" }
hedge = { after = "10ms", quantile = "100%" }
[[services.servers]]
service = { kind = "constant", value = "1ms" }
"#;
    fs::write(place.join("test.toml"), text).unwrap();
    let said = refused(&place, &[]);
    for (line, what) in [
        (
            6,
            "`cluster.outlier-detection.max-ejection-time` must not be less",
        ),
        (13, "`against` has something twice"),
        (14, "`quantile` is 0%"),
        (
            15,
            "`least` is 300, which is more than `most`, 200 by default",
        ),
        (
            18,
            "not checked (`enabled = false`), and their checks are described",
        ),
        (
            19,
            "`target` is 200ms, which is more than `interval`, 100ms",
        ),
        (
            23,
            "must not be less than `base-ejection-time` (it is 10s, that is 30s)",
        ),
        (24, "`quantile` is 100%"),
        (21, "nobody asks `other`"),
    ] {
        assert!(said.contains(what), "{what} in {said}");
        assert!(
            said.contains(&format!("test.toml:{line}:")),
            "line {line} in {said}"
        );
    }
    assert!(said.contains("9 errors in test.toml"), "{said}");
}

#[test]
fn a_word_of_a_product_finds_the_strategies_that_it_means() {
    let place = scratch("bad-word");
    let text = LIVELY.replace("\"least-connections\"", "\"maglev\"");
    fs::write(place.join("test.toml"), text).unwrap();
    let said = refused(&place, &[]);
    assert!(
        said.contains("did you mean `ipvs-mh` or `envoy-maglev`?"),
        "{said}"
    );
}

/// Whom a variant alone asks is asked, and where something else is wrong no variant has been looked
/// at: nothing is said of it then.
#[test]
fn one_mistake_does_not_make_a_service_idle() {
    let text = "question = '?'\nexpect = '-'\n[run]\nduration = '10s'\nwarmup = '20s'\nservice = 'web'\n\
        [[clients]]\nservice = 'web'\narrivals = { kind = 'poisson', rate = '1/s' }\n\
        [[services]]\nname = 'web'\nservers = [{ service = { kind = 'constant', value = '1ms' } }]\n\
        [[services]]\nname = 'balancer'\nroutes = [{ to = 'web' }]\n\
        servers = [{ service = { kind = 'constant', value = '1ms' } }]\n\
        [[variants]]\nname = 'direct'\n[[variants]]\nname = 'balanced'\nset = { 'clients[0].service' = 'balancer' }\n";
    let found = |text: &str| match lbsim::Scenario::from_text("idle.toml", text) {
        Ok(_) => String::new(),
        Err(why) => why.to_string(),
    };
    let wrong = found(text);
    assert!(wrong.contains("warmup"), "{wrong}");
    assert!(!wrong.contains("nobody asks"), "{wrong}");
    assert_eq!(found(&text.replace("warmup = '20s'", "warmup = '2s'")), "");
    // Where no variant could, it is said at once.
    let both = found(&text.replace("set = { 'clients[0].service' = 'balancer' }\n", ""));
    assert!(
        both.contains("warmup") && both.contains("nobody asks"),
        "{both}"
    );
}
