//! Lengths of time that are none: each has a least value, and what is below is refused by name.

use super::*;

/// All durations of the format: those that are waited for again and again have a lower bound; of
/// the others nothing bad comes if they are no time at all.
#[test]
fn every_interval_has_a_lower_bound() {
    const MAY_BE_NOTHING: &[&str] = &[
        // Moments, not lengths.
        "at",
        "joins",
        "leaves",
        "rolled-back",
        "peak",
        "rates",
        "clock-offset",
        "interval-offset",
        // Held against a bound of its own: the stretches of the timeline.
        "duration",
        // An answer in no time, as a refused connection is. Clients that ask again at once make
        // time stand still by it, which ends the run.
        "takes",
        // Two attempts at once.
        "after",
        // Nothing for none.
        "pause",
        "grace",
        "per-size",
        "backoff",
        "backoff-max",
        "slowstart",
        "slow-start",
        "window",
        "update-merge-window",
        "time-wait",
        "fail-timeout",
        "base-ejection-time",
        "max-ejection-time",
        "penalty",
        "default-rtt",
        "smooth-window",
        "age-limit",
        "blackout-period",
        "weight-expiration-period",
        // Parameters of distributions, which hold their own bounds.
        "value",
        "mean",
        "min",
        "max",
        "stdev",
        "scale",
        "observations",
        "quantiles",
        "unit",
        // A check that takes no work.
        "work",
        // Autoscalers that know at once, never rest, remove at once, and do not look back.
        "delay",
        "cooldown-out",
        "cooldown-in",
        "drain",
        "out-stabilization",
        "in-stabilization",
    ];
    fn walk(key: &str, schema: &Json, loose: &mut Vec<String>, bounded: &mut usize) {
        if schema["format"] == "duration" {
            *bounded += usize::from(schema.get("x-least").is_some());
            if schema.get("x-least").is_none() && !MAY_BE_NOTHING.contains(&key) {
                loose.push(key.to_owned());
            }
        }
        match schema {
            Json::Object(map) => {
                for (name, part) in map {
                    let structural = [
                        "properties",
                        "$defs",
                        "items",
                        "anyOf",
                        "oneOf",
                        "allOf",
                        "prefixItems",
                    ];
                    let key = if structural.contains(&name.as_str()) {
                        key
                    } else {
                        name
                    };
                    walk(key, part, loose, bounded);
                }
            }
            Json::Array(list) => list.iter().for_each(|part| walk(key, part, loose, bounded)),
            _ => {}
        }
    }
    let (mut loose, mut bounded) = (Vec::new(), 0);
    walk("", schema(), &mut loose, &mut bounded);
    assert!(loose.is_empty(), "{loose:?}");
    assert!(bounded > 20, "{bounded}");
}

#[test]
fn intervals_of_nothing_are_refused_by_name() {
    let text = |rule: &str| pool(&[("a", 2)], "").replace("\"round-robin\"", rule);
    let said = refused(&text(
        "{ kind = \"envoy-random\", cluster = { outlier-detection = { interval = \"0s\" } } }",
    ));
    assert!(
        said.contains("`interval` is 0s; it must be at least 1ms"),
        "{said}"
    );
    for (from, to, what) in [
        (
            "count = 2",
            "count = 2\nagent-interval = \"1ns\"",
            "`agent-interval` is 1ns; it must be at least 1ms",
        ),
        (
            "name = \"web\"",
            "name = \"web\"\nbalancer = { health-check = { interval = \"1ns\" } }",
            "`interval` is 1ns",
        ),
        (
            "name = \"web\"",
            "name = \"web\"\nbalancer = { timeout = \"0s\" }",
            "`timeout` is 0s",
        ),
        (
            "kind = \"poisson\", rate = \"80/s\"",
            "kind = \"on-off\", on-rate = \"1/s\", off-rate = \"0/s\", on = \"1ns\", off = \"1s\"",
            "`on` is 1ns; it must be at least 10us",
        ),
    ] {
        let text = pool(&[("a", 2)], "");
        assert!(text.contains(from), "{from}");
        let said = refused(&text.replacen(from, to, 1));
        assert!(said.contains(what) && said.contains("1 error"), "{said}");
    }
    let crash =
        "[[faults]]\nkind = \"random-crashes\"\nservers = \"web\"\nmtbf = \"1us\"\nmttr = \"1s\"\n";
    let said = refused(&pool(&[("a", 2)], crash));
    assert!(
        said.contains("`mtbf` is 1us; it must be at least 1ms"),
        "{said}"
    );
}
