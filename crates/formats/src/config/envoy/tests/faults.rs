//! What is wrong is named, at its place.

use super::*;
use crate::config::render;

const HEAD: &str = "static_resources:\n  clusters:\n  - name: a\n";

fn cluster(rest: &str) -> String {
    format!("{HEAD}{rest}")
}

fn endpoint(rest: &str) -> String {
    let head = "    load_assignment:\n      endpoints:\n      - lb_endpoints:\n        - ";
    cluster(&format!("{head}{rest}\n"))
}

/// The text has one fault, with these words, on these bytes.
#[track_caller]
fn refused(text: &str, at: &str, words: &str) {
    let Err(ReadError::Faulty { files, faults }) = read_text(Path::new("envoy.yaml"), text) else {
        panic!("it was read");
    };
    assert_eq!(faults.len(), 1, "{faults:?}");
    let shown = &files[0].text[faults[0].at.range.clone()];
    assert_eq!(shown, at);
    let message = render(&files, &faults, false);
    assert!(message.contains(words), "{message}");
}

#[test]
fn yaml() {
    refused("a: [1, 2\n", "[", "this is not YAML");
    refused("a: b: c\n", ":", "this is not YAML");
    refused("just words\n", "just words", "a mapping is expected");
    refused("a: *nowhere\n", "*", "anchor");
    refused("a: &a [*a]\n", "*a", "within what it refers to");
    let mut bomb = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let below = format!("*a{}, ", level - 1).repeat(9);
        bomb += &format!("b{level}: &a{level} [{below}]\n");
    }
    let Err(error) = read_text(Path::new("x"), &bomb) else {
        panic!("it was read");
    };
    assert!(error.to_string().contains("too much"), "{error}");
}

#[test]
fn weights() {
    let with = |weight: &str| {
        let address = "{endpoint: {address: {socket_address: {address: b, port_value: 1}}}";
        endpoint(&format!("{address}, load_balancing_weight: {weight}}}"))
    };
    let message = "must be a whole number of at least 1";
    refused(&with("0"), "0", message);
    refused(&with("abc"), "abc", message);
    refused(&with("-1"), "-1", message);
    refused(&with("1.5"), "1.5", message);
    refused(&with("{value: 0}"), "0", message);
    refused(&with("99999999999"), "99999999999", message);
}

#[test]
fn policies() {
    let text = cluster("    lb_policy: LEAST_REQUESTS\n");
    refused(&text, "LEAST_REQUESTS", "did you mean `LEAST_REQUEST`?");
    let text = cluster("    lb_policy: \"quantum\"\n");
    refused(
        &text,
        "\"quantum\"",
        "there are ROUND_ROBIN, LEAST_REQUEST,",
    );
    let text = cluster("    lb_policy: 4\n");
    assert!(read_text(Path::new("x"), &text).is_ok());
}

#[test]
fn endpoints() {
    refused(
        &endpoint("{endpoint: {}}"),
        "{}",
        "an endpoint has no address",
    );
    refused(&endpoint("{}"), "{}", "an endpoint has no address");
    let text = "{endpoint: {address: {socket_address: {port_value: 1}}}}";
    refused(
        &endpoint(text),
        "{port_value: 1}",
        "an endpoint has no address",
    );
    let text = "{endpoint: {address: {socket_address: {address: a}}}}";
    refused(&endpoint(text), "{address: a}", "an endpoint has no port");
    let text = "{endpoint: {address: {socket_address: {address: a, port_value: PORT}}}}";
    refused(
        &endpoint(text),
        "PORT",
        "`port_value` must be a whole number",
    );
    let text = "{endpoint: {address: {socket_address: {address: a, port_value: 70000}}}}";
    refused(&endpoint(text), "70000", "at most 65535");
}

#[test]
fn clusters() {
    let twice = format!("{HEAD}  - name: \"a\"\n");
    refused(&twice, "\"a\"", "there is a cluster `a` already");
    refused(
        "static_resources: {clusters: [{type: STATIC}]}",
        "{type: STATIC}",
        "a cluster has no name",
    );
    refused(
        &cluster("    health_checks: [{interval: 5}]\n"),
        "5",
        "must be a duration",
    );
    let outliers = "    outlier_detection: {always_eject_one_host: maybe}\n";
    refused(&cluster(outliers), "maybe", "must be true or false");
    let threshold = "    common_lb_config: {healthy_panic_threshold: {value: much}}\n";
    refused(&cluster(threshold), "much", "must be a number");
}
