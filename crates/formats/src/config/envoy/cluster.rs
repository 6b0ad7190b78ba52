//! A cluster as a pool.

use std::collections::BTreeMap;

use super::endpoints::{Hashed, hosts, servers};
use super::filters;
use super::reader::{Reader, kebab, place, time};
use super::strategy::strategy;
use super::tree::Node;
use crate::config::Pool;

/// Fields of `Cluster` that are carried over, noted elsewhere, or without bearing on which host a
/// request goes to. (Envoy 1.40, api/envoy/config/cluster/v3/cluster.proto, and those of version 2)
const KNOWN: [&str; 59] = [
    "@type",
    "name",
    "type",
    "alt_stat_name",
    "metadata",
    "lb_policy",
    "load_balancing_policy",
    "load_assignment",
    "hosts",
    "eds_cluster_config",
    "cluster_type",
    "round_robin_lb_config",
    "least_request_lb_config",
    "ring_hash_lb_config",
    "maglev_lb_config",
    "original_dst_lb_config",
    "lb_subset_config",
    "common_lb_config",
    "outlier_detection",
    "health_checks",
    "circuit_breakers",
    "connect_timeout",
    "transport_socket",
    "transport_socket_matches",
    "transport_socket_matcher",
    "tls_context",
    "filters",
    "upstream_config",
    "upstream_bind_config",
    "upstream_connection_options",
    "upstream_http_protocol_options",
    "common_http_protocol_options",
    "http_protocol_options",
    "http2_protocol_options",
    "extension_protocol_options",
    "typed_extension_protocol_options",
    "protocol_selection",
    "per_connection_buffer_limit_bytes",
    "max_requests_per_connection",
    "preconnect_policy",
    "connection_pool_per_downstream_connection",
    "dns_refresh_rate",
    "dns_jitter",
    "dns_failure_refresh_rate",
    "dns_lookup_family",
    "dns_resolvers",
    "dns_resolution_config",
    "typed_dns_resolver_config",
    "respect_dns_ttl",
    "use_tcp_for_dns",
    "wait_for_warm_on_init",
    "cleanup_interval",
    "track_timeout_budgets",
    "track_cluster_stats",
    "lrs_server",
    "lrs_report_endpoint_metrics",
    "drain_connections_on_host_removal",
    "ignore_health_on_host_removal",
    "close_connections_on_host_health_failure",
];

/// `Cluster.DiscoveryType` by number.
const TYPES: [&str; 5] = ["STATIC", "STRICT_DNS", "LOGICAL_DNS", "EDS", "ORIGINAL_DST"];

/// A pool, and what its routes need to know of it.
#[derive(Debug)]
pub(super) struct ClusterRead {
    /// The pool.
    pub pool: Pool,
    /// Whether requests are told apart by a hash.
    pub hashes: bool,
    /// Where its hosts come from, where that is not the text.
    pub elsewhere: Option<&'static str>,
}

/// What is said of clusters whose endpoints are discovered.
const EDS: &str = "no endpoints in the text: they come from EDS, by a management server or a file that was not read. A running \
    Envoy has them: save what its administration interface gives for `/config_dump?include_eds`, as in `curl \
    'http://127.0.0.1:9901/config_dump?include_eds' > dump.json`, and import that";
const TYPED: &str =
    "no endpoints in the text: it has a type of its own, which finds them while Envoy runs";
const ORIGINAL: &str =
    "no endpoints: each connection goes where it was meant to go, and there is nothing to balance";

/// Reads a cluster; `assignments` are those of endpoint discovery, by the name that they are asked
/// for.
pub(super) fn read(
    reader: &mut Reader,
    cluster: &Node,
    assignments: &BTreeMap<String, Node>,
) -> Option<ClusterRead> {
    let Some(name) = reader.text(cluster, "name").filter(|name| !name.is_empty()) else {
        if cluster
            .get("name")
            .and_then(Node::scalar)
            .is_none_or(str::is_empty)
        {
            reader.fault(cluster, "a cluster has no name");
        }
        return None;
    };
    let at = cluster.get("name").map(place)?;
    let chosen = strategy(reader, cluster);
    let mut strategy = chosen.table();
    let hashed = Hashed {
        by_hostname: chosen.by_hostname,
        hashes: chosen.hashes(),
    };
    let discovery = discovery(reader, cluster);
    let mut servers = hosts(reader, cluster);
    let asked = cluster.find(&["eds_cluster_config", "service_name"]);
    let asked = asked.and_then(Node::scalar).unwrap_or(name);
    let inline = reader.map(cluster, "load_assignment");
    let assignment = match discovery {
        Some("EDS") => assignments.get(asked).or(inline),
        _ => inline,
    };
    if let Some(assignment) = assignment {
        let assigned = self::servers(reader, assignment, hashed);
        servers.extend(assigned.servers);
        let mut shared = toml::Table::new();
        if let Some(factor) = assigned.factor {
            shared.insert("overprovisioning-factor".to_owned(), factor);
        }
        // Where no locality has a weight, requests go to any host. (Envoy 1.40,
        // `HostSetImpl::chooseLocality` of source/common/upstream/upstream_impl.cc)
        if chosen.by_zone && !assigned.zones.is_empty() {
            let weights = assigned.zones.into_iter();
            let weights: toml::Table = weights
                .map(|(zone, weight)| (zone, i64::from(weight).into()))
                .collect();
            let mut locality = toml::Table::new();
            locality.insert("kind".to_owned(), "locality-weighted".into());
            locality.insert("weights".to_owned(), weights.into());
            shared.insert("locality".to_owned(), locality.into());
        }
        if !shared.is_empty() {
            let own = strategy
                .entry("cluster")
                .or_insert_with(|| toml::Table::new().into());
            if let Some(own) = own.as_table_mut() {
                own.extend(shared);
            }
        }
    } else if discovery == Some("EDS") {
        let at = reader.at(cluster);
        let text = format!(
            "The endpoints of `{asked}` come from a management server or a file that was not read."
        );
        reader.note(at, text);
    }
    let mut balancer = toml::Table::new();
    health_checks(reader, cluster, &mut balancer);
    others(reader, cluster);
    Some(ClusterRead {
        pool: Pool {
            name: name.to_owned(),
            at,
            strategy,
            balancer,
            servers,
        },
        hashes: chosen.hashes(),
        elsewhere: match discovery {
            Some("EDS") => Some(EDS),
            Some("ORIGINAL_DST") => Some(ORIGINAL),
            None => Some(TYPED),
            _ => None,
        },
    })
}

/// How hosts are found.
fn discovery(reader: &mut Reader, cluster: &Node) -> Option<&'static str> {
    if let Some(kind) = cluster.get("cluster_type") {
        let name = kind.get("name").and_then(Node::scalar).unwrap_or_default();
        let at = reader.key_at(cluster, "cluster_type");
        let text = format!(
            "The hosts of a cluster of type `{name}` are not in the file; those that are written are taken."
        );
        reader.note(at, text);
        return None;
    }
    let kind = match cluster.get("type") {
        None => "STATIC",
        Some(_) => reader.word(cluster, "type", &TYPES)?,
    };
    let at = reader.key_at(cluster, "type");
    match kind {
        "STRICT_DNS" => reader.note(
            at,
            "Each name stands for one server: Envoy would take one for each address that it resolves to.",
        ),
        "LOGICAL_DNS" => reader.note(
            at,
            "A name stands for one server: Envoy opens each connection to whatever address it resolves to then.",
        ),
        "ORIGINAL_DST" => reader.note(
            at,
            "Each connection goes where it was meant to go: there is nothing to balance.",
        ),
        _ => {}
    }
    Some(kind)
}

/// `health_checks`, of which a scenario has one.
fn health_checks(reader: &mut Reader, cluster: &Node, balancer: &mut toml::Table) {
    let checks = reader.list(cluster, "health_checks");
    let Some((check, others)) = checks.split_first() else {
        return;
    };
    for other in others {
        let at = reader.at(other);
        reader.note(
            at,
            "A further health check is left out: a scenario has one.",
        );
    }
    let mut table = toml::Table::new();
    let interval = reader.duration(check, "interval").filter(|time| *time > 0);
    if let Some(interval) = interval {
        table.insert("interval".to_owned(), time(interval));
    }
    let timeout = reader.duration(check, "timeout").filter(|time| *time > 0);
    if let Some(timeout) = timeout {
        // Envoy counts the interval from the end of a check, so that the timeout may be longer.
        let most = interval.unwrap_or(2_000_000_000);
        if timeout > most {
            let at = reader.key_at(check, "timeout");
            reader.note(at, "The timeout of health checks is cut to their interval.");
        }
        table.insert("timeout".to_owned(), time(timeout.min(most)));
    }
    for (name, key) in [
        ("unhealthy_threshold", "fall"),
        ("healthy_threshold", "rise"),
    ] {
        if let Some(number) = reader.whole_in(check, name, 1..=100) {
            table.insert(key.to_owned(), number);
        }
    }
    if check.get("http_health_check").is_some() {
        let at = reader.key_at(check, "http_health_check");
        reader.note(
            at,
            "An answer with a wrong status makes a host unhealthy at once in Envoy; in a scenario only `unhealthy_threshold` of them do.",
        );
    }
    let known = [
        "interval",
        "timeout",
        "unhealthy_threshold",
        "healthy_threshold",
        "http_health_check",
        "tcp_health_check",
        "grpc_health_check",
        "custom_health_check",
        "tls_options",
        "transport_socket_match_criteria",
        "event_log_path",
        "event_logger",
        "event_service",
        "always_log_health_check_failures",
        "always_log_health_check_success",
        "reuse_connection",
        "alt_port",
    ];
    reader.leave_others(check, "a health check", &known);
    balancer.insert("health-check".to_owned(), table.into());
}

/// What else bears on balancing.
fn others(reader: &mut Reader, cluster: &Node) {
    if let Some(breakers) = reader.map(cluster, "circuit_breakers") {
        for threshold in reader.list(breakers, "thresholds") {
            let limits = threshold.entries().iter().map(|entry| entry.name.as_str());
            let limits = limits.filter(|name| name.starts_with("max") || name.starts_with("retry"));
            let limits: Vec<String> = limits.map(|name| format!("`{name}`")).collect();
            if !limits.is_empty() {
                let at = reader.at(threshold);
                let limits = limits.join(", ");
                reader.note(
                    at,
                    format!("Limits of the cluster as a whole are left out: {limits}. A scenario has none."),
                );
            }
        }
        let why =
            "Envoy looks only at `max_connections` of it, and strategies of a scenario do not";
        reader.leave(breakers, "per_host_thresholds", why);
    }
    let why = "a scenario has one timeout for the whole attempt";
    reader.leave(cluster, "connect_timeout", why);
    if let Some(options) = reader.map(cluster, "common_http_protocol_options") {
        reader.leave(options, "max_stream_duration", why);
    }
    if let Some(extensions) = reader.map(cluster, "typed_extension_protocol_options") {
        for entry in extensions.entries() {
            if let Some(options) = entry.value.get("common_http_protocol_options") {
                reader.leave(options, "max_stream_duration", why);
            }
            filters::notes(reader, reader.list(&entry.value, "http_filters"));
        }
    }
    let why = "connections stay where they are";
    reader.leave(cluster, "close_connections_on_host_health_failure", why);
    let why = "hosts that leave get nothing new at once";
    reader.leave(cluster, "ignore_health_on_host_removal", why);
    let why = "there is nothing to balance";
    reader.leave(cluster, "original_dst_lb_config", why);
    reader.leave_others(cluster, "the cluster", &KNOWN);
}

/// `outlier_detection`, whose keys a scenario has under the same names.
pub(super) fn outlier_detection(reader: &mut Reader, node: &Node) -> toml::Table {
    let mut table = toml::Table::new();
    let durations = ["interval", "base_ejection_time", "max_ejection_time"];
    for name in durations {
        if let Some(duration) = reader.duration(node, name) {
            table.insert(kebab(name), time(duration));
        }
    }
    let truths = [
        "split_external_local_origin_errors",
        "always_eject_one_host",
    ];
    for name in truths {
        if let Some(truth) = reader.truth(node, name) {
            table.insert(kebab(name), truth.into());
        }
    }
    let numbers = [
        ("consecutive_5xx", 0..=u32::MAX),
        ("enforcing_consecutive_5xx", 0..=100),
        ("consecutive_gateway_failure", 0..=u32::MAX),
        ("enforcing_consecutive_gateway_failure", 0..=100),
        ("consecutive_local_origin_failure", 0..=u32::MAX),
        ("enforcing_consecutive_local_origin_failure", 0..=100),
        ("max_ejection_percent", 0..=100),
        ("success_rate_minimum_hosts", 0..=u32::MAX),
        ("success_rate_request_volume", 0..=u32::MAX),
        ("success_rate_stdev_factor", 0..=u32::MAX),
        ("enforcing_success_rate", 0..=100),
        ("failure_percentage_threshold", 0..=100),
        ("enforcing_failure_percentage", 0..=100),
        ("failure_percentage_minimum_hosts", 0..=u32::MAX),
        ("failure_percentage_request_volume", 0..=u32::MAX),
    ];
    let mut known: Vec<&str> = durations.into_iter().chain(truths).collect();
    for (name, range) in numbers {
        known.push(name);
        if let Some(number) = reader.whole_in(node, name, range) {
            table.insert(kebab(name), number);
        }
    }
    // Errors are counted before they are compared, so that 0 in a row never come and nobody is
    // ejected. (Envoy 1.40, `DetectorHostMonitorImpl::putHttpResponseCode` of
    // source/common/upstream/outlier_detection_impl.cc)
    for name in [
        "consecutive-5xx",
        "consecutive-gateway-failure",
        "consecutive-local-origin-failure",
    ] {
        if table.get(name).and_then(toml::Value::as_integer) == Some(0) {
            table.remove(name);
            table.insert(format!("enforcing-{name}"), 0.into());
        }
    }
    reader.leave_others(node, "`outlier_detection`", &known);
    table
}

/// `lb_subset_config`, or the newer policy `Subset`.
pub(super) fn subsets(reader: &mut Reader, node: &Node) -> Option<toml::Table> {
    let mut table = toml::Table::new();
    let mut selectors = Vec::new();
    for selector in reader.list(node, "subset_selectors") {
        let mut keys: Vec<toml::Value> = Vec::new();
        for key in reader.list(selector, "keys") {
            match key.scalar() {
                Some(text) => keys.push(text.into()),
                None => reader.fault(key, "a key of a selector must be a text"),
            }
        }
        selectors.push(toml::Value::from(keys));
        reader.leave_others(selector, "a selector", &["keys"]);
    }
    if selectors.is_empty() {
        // Without selectors Envoy makes no subsets.
        let at = reader.at(node);
        reader.note(at, "Subsets are left out: there are no selectors.");
        return None;
    }
    table.insert("selectors".to_owned(), selectors.into());
    let fallbacks = ["NO_FALLBACK", "ANY_ENDPOINT", "DEFAULT_SUBSET"];
    if let Some(fallback) = reader.word(node, "fallback_policy", &fallbacks) {
        let fallback = kebab(&fallback.to_ascii_lowercase());
        table.insert("fallback".to_owned(), fallback.into());
    }
    if let Some(default) = reader.map(node, "default_subset") {
        let labels = labels(reader, default);
        table.insert("default".to_owned(), labels.into());
    }
    let known = [
        "@type",
        "subset_selectors",
        "fallback_policy",
        "default_subset",
        "subset_lb_policy",
        "allow_redundant_keys",
    ];
    reader.leave_others(node, "the subsets", &known);
    Some(table)
}

/// Labels: entries whose values are scalars.
pub(super) fn labels(reader: &mut Reader, map: &Node) -> toml::Table {
    let mut table = toml::Table::new();
    for entry in map.entries() {
        match entry.value.scalar() {
            Some(text) => {
                table.insert(entry.name.clone(), text.into());
            }
            None => {
                let at = reader.key_at(map, &entry.name);
                let name = &entry.name;
                reader.note(
                    at,
                    format!("The label `{name}` is left out: its value is not a text."),
                );
            }
        }
    }
    table
}
