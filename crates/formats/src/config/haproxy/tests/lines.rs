//! Single lines and what becomes of them.

use super::{backend, table};

#[test]
fn algorithms_become_strategies() {
    for (line, strategy) in [
        ("balance roundrobin", "kind = 'haproxy-roundrobin'"),
        ("balance static-rr", "kind = 'haproxy-static-rr'"),
        ("balance first", "kind = 'haproxy-first'"),
        ("balance random", "kind = 'haproxy-random'"),
        ("balance random()", "kind = 'haproxy-random'"),
        (
            "balance random(5000)",
            "kind = 'haproxy-random'\ndraws = 1000",
        ),
        (
            "balance uri len 12 path-only",
            "kind = 'haproxy-uri'\nlen = 12",
        ),
        ("balance hdr(Host) use_domain_only", "kind = 'haproxy-hdr'"),
        ("balance hash req.cookie(x)", "kind = 'haproxy-hash'"),
        ("balance hash src,ipmask(24)", "kind = 'haproxy-source'"),
        ("balance rdp-cookie(mstshash)", "kind = 'haproxy-hash'"),
        ("hash-type consistent", "kind = 'haproxy-roundrobin'"),
        (
            "balance source\nhash-balance-factor 150",
            "kind = 'haproxy-source'",
        ),
    ] {
        assert_eq!(backend(line).pools[0].strategy, table(strategy), "{line}");
    }
}

#[test]
fn retries_go_where_haproxy_sends_them() {
    let same = "on = 'same'\nbackoff = '1s'\nbackoff-max = '1s'\njitter = 'none'";
    for (lines, retry) in [
        ("", format!("max = 3\n{same}")),
        (
            "retries 1\ntimeout connect 300",
            format!("max = 1\n{}", same.replace("1s", "300ms")),
        ),
        ("option redispatch", "max = 3\non = 'another'".to_owned()),
        ("option redispatch 0", format!("max = 3\n{same}")),
        (
            "option redispatch\nbalance source",
            format!("max = 3\n{same}"),
        ),
        (
            "option redispatch 1\nbalance source",
            "max = 3\non = 'another'".to_owned(),
        ),
        (
            "option redispatch\nno option redispatch",
            format!("max = 3\n{same}"),
        ),
    ] {
        assert_eq!(
            backend(lines).pools[0].balancer["retry"],
            table(&retry).into(),
            "{lines}"
        );
    }
    for lines in ["retries 0", "retry-on none"] {
        assert!(
            !backend(lines).pools[0].balancer.contains_key("retry"),
            "{lines}"
        );
    }
}
