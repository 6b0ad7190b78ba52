//! The hosts of a cluster as servers, and where their weights stand.

use std::collections::BTreeMap;
use std::ops::Range;

use super::cluster::labels;
use super::reader::{Reader, place, spelling, unwrapped};
use super::tree::{Node, NodeKind, Pair};
use crate::config::{Place, Server, WeightPlace};

const WEIGHT: &str = "load_balancing_weight";

/// What hosts are hashed by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hashed {
    /// Whether their names count, and not their addresses.
    pub by_hostname: bool,
    /// Whether they are hashed at all.
    pub hashes: bool,
}

/// What a `ClusterLoadAssignment` holds.
#[derive(Debug, Default)]
pub(super) struct Assigned {
    /// Its hosts.
    pub servers: Vec<Server>,
    /// Its overprovisioning factor, where it has one.
    pub factor: Option<toml::Value>,
    /// The weight of each zone that has one.
    pub zones: BTreeMap<String, u32>,
}

/// The zones of an assignment: localities, told apart by priority where the same one has other
/// weights there.
#[derive(Debug, Default)]
struct Zones {
    weights: BTreeMap<String, Option<u32>>,
}

impl Zones {
    /// The zone of a locality of a priority; nothing for a locality without a name.
    fn zone(&mut self, reader: &mut Reader, locality: &Node, priority: u32) -> String {
        let mut name = String::new();
        if let Some(parts) = reader.map(locality, "locality") {
            let parts = ["region", "zone", "sub_zone"].map(|part| reader.text(parts, part));
            let parts: Vec<&str> = parts.into_iter().flatten().collect();
            let parts = parts.into_iter().filter(|part| !part.is_empty());
            name = parts.collect::<Vec<&str>>().join("/");
        }
        // 0 is as good as none: such a locality gets nothing. (Envoy 1.40,
        // `LocalityLbEndpoints.load_balancing_weight`)
        let weight = locality
            .get(WEIGHT)
            .and_then(|_| reader.whole(locality, WEIGHT));
        let weight = weight.filter(|weight| *weight > 0);
        if self.weights.get(&name).is_some_and(|own| *own != weight) {
            name = format!("{name} priority {priority}").trim().to_owned();
        }
        self.weights.insert(name.clone(), weight);
        name
    }
}

/// Reads a `ClusterLoadAssignment`.
pub(super) fn servers(reader: &mut Reader, assignment: &Node, hashed: Hashed) -> Assigned {
    let mut servers = Vec::new();
    let mut zones = Zones::default();
    for locality in reader.list(assignment, "endpoints") {
        let priority = reader.whole(locality, "priority").unwrap_or(0);
        let zone = zones.zone(reader, locality, priority);
        let name = match locality.get("lb_endpoints") {
            Some(_) => locality
                .entry("lb_endpoints")
                .map(|entry| entry.name.as_str()),
            None => None,
        };
        for endpoint in reader.list(locality, "lb_endpoints") {
            let mut server = match server(reader, endpoint, name.unwrap_or_default(), hashed) {
                Some(server) => server,
                None => continue,
            };
            if priority > 0 {
                server
                    .settings
                    .insert("priority".to_owned(), i64::from(priority).into());
            }
            if !zone.is_empty() {
                let zone = toml::Value::String(zone.clone());
                server.settings.insert("zone".to_owned(), zone);
            }
            servers.push(server);
        }
        let known = [
            "locality",
            WEIGHT,
            "priority",
            "lb_endpoints",
            "metadata",
            "proximity",
        ];
        reader.leave_others(locality, "a locality", &known);
    }
    let mut factor = None;
    if let Some(policy) = reader.map(assignment, "policy") {
        factor = reader.whole_in(policy, "overprovisioning_factor", 100..=10_000);
        let known = ["overprovisioning_factor", "endpoint_stale_after"];
        reader.leave_others(policy, "the load assignment", &known);
    }
    let known = ["@type", "cluster_name", "endpoints", "policy"];
    reader.leave_others(assignment, "the load assignment", &known);
    let weights = zones.weights.into_iter();
    Assigned {
        servers,
        factor,
        zones: weights
            .filter_map(|(zone, weight)| Some((zone, weight?)))
            .collect(),
    }
}

/// The hosts of `hosts`, a field of version 2, which have no weights.
pub(super) fn hosts(reader: &mut Reader, cluster: &Node) -> Vec<Server> {
    let mut servers = Vec::new();
    for host in reader.list(cluster, "hosts") {
        if let Some((address, _)) = address(reader, host, host) {
            servers.push(Server {
                name: address.clone(),
                address,
                count: 1,
                weight: 1,
                weight_at: None,
                settings: toml::Table::new(),
                at: reader.at(host),
            });
        }
    }
    servers
}

fn server(reader: &mut Reader, endpoint: &Node, like: &str, hashed: Hashed) -> Option<Server> {
    let Some(inner) = endpoint.get("endpoint").filter(|node| node.is_map()) else {
        if endpoint.get("endpoint_name").is_some() {
            let at = reader.at(endpoint);
            reader.note(at, "An endpoint that is only named is left out.");
        } else {
            reader.fault(endpoint, "an endpoint has no address");
        }
        return None;
    };
    let written = inner.get("address");
    let (name, host) = address(reader, written.unwrap_or(inner), inner)?;
    let mut settings = toml::Table::new();
    health(reader, endpoint, &mut settings);
    let mut hash_key = None;
    if let Some(metadata) = endpoint.find(&["metadata", "filter_metadata", "envoy.lb"]) {
        hash_key = metadata.get("hash_key").and_then(Node::scalar);
        let labels = labels(reader, metadata);
        if !labels.is_empty() {
            settings.insert("labels".to_owned(), labels.into());
        }
    }
    // A hash key of the host goes before its name, and that, where it is asked for, before its
    // address. (Envoy 1.40,
    // source/extensions/load_balancing_policies/common/thread_aware_lb_impl.cc)
    let hostname = inner
        .get("hostname")
        .and_then(Node::scalar)
        .unwrap_or(&host);
    let address = match hash_key {
        Some(key) if hashed.hashes => key.to_owned(),
        _ if hashed.by_hostname => hostname.to_owned(),
        _ => name.clone(),
    };
    let weight = weight(reader, endpoint);
    let known = ["endpoint", "health_status", "metadata", WEIGHT];
    reader.leave_others(endpoint, "an endpoint", &known);
    let known = ["address", "hostname", "health_check_config"];
    reader.leave_others(inner, "an endpoint", &known);
    Some(Server {
        name,
        address,
        count: 1,
        weight,
        weight_at: weight_at(reader, endpoint, like),
        settings,
        at: reader.at(inner),
    })
}

/// Host and port as Envoy writes them, and the host alone.
fn address(reader: &mut Reader, node: &Node, within: &Node) -> Option<(String, String)> {
    if let Some(socket) = reader.map(node, "socket_address") {
        let host = reader
            .text(socket, "address")
            .filter(|host| !host.is_empty());
        let Some(host) = host else {
            reader.fault(socket, "an endpoint has no address");
            return None;
        };
        let port = match socket.get("named_port").and_then(Node::scalar) {
            Some(port) if socket.get("port_value").is_none() => port.to_owned(),
            _ if socket.get("port_value").is_none() => {
                reader.fault(socket, "an endpoint has no port");
                return None;
            }
            _ => {
                let port = reader.whole(socket, "port_value")?;
                if port > 65_535 {
                    let node = socket.get("port_value").unwrap_or(socket);
                    reader.fault(node, "`port_value` must be at most 65535");
                    return None;
                }
                port.to_string()
            }
        };
        let shown = match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        };
        return Some((shown, host.to_owned()));
    }
    if let Some(path) = node.find(&["pipe", "path"]).and_then(Node::scalar) {
        return Some((path.to_owned(), path.to_owned()));
    }
    let internal = node.find(&["envoy_internal_address", "server_listener_name"]);
    if let Some(name) = internal.and_then(Node::scalar) {
        return Some((name.to_owned(), name.to_owned()));
    }
    reader.fault(within, "an endpoint has no address");
    None
}

/// `health_status`: `core.HealthStatus` by number.
fn health(reader: &mut Reader, endpoint: &Node, settings: &mut toml::Table) {
    let words = [
        "UNKNOWN",
        "HEALTHY",
        "UNHEALTHY",
        "DRAINING",
        "TIMEOUT",
        "DEGRADED",
    ];
    let status = reader.word(endpoint, "health_status", &words);
    let at = reader.key_at(endpoint, "health_status");
    match status {
        Some("UNHEALTHY" | "TIMEOUT") => {
            settings.insert("down".to_owned(), true.into());
        }
        Some("DRAINING") => {
            settings.insert("down".to_owned(), true.into());
            reader.note(at, "A host that is draining is taken for one that is down.");
        }
        Some("DEGRADED") => reader.note(
            at,
            "A degraded host is taken for a healthy one: Envoy would use it where healthy ones do not suffice.",
        ),
        _ => {}
    }
}

fn weight(reader: &mut Reader, endpoint: &Node) -> u32 {
    let Some(written) = endpoint.get(WEIGHT) else {
        return 1;
    };
    let node = unwrapped(written);
    let number = node.scalar().and_then(|text| text.parse::<u32>().ok());
    match number {
        Some(weight) if weight > 0 => {
            if weight > 65_535 {
                let at = place(node);
                reader.note(
                    at,
                    "A scenario takes weights up to 65535: those of this cluster are scaled down.",
                );
            }
            weight
        }
        _ => {
            reader.fault_help(
                node,
                format!("`{WEIGHT}` must be a whole number of at least 1"),
                Some("a host that is to get nothing has `health_status: DRAINING`".to_owned()),
            );
            1
        }
    }
}

/// Where the weight of an endpoint is, or would be, written: nowhere if that would write to several
/// places at once.
fn weight_at(reader: &Reader, endpoint: &Node, like: &str) -> Option<WeightPlace> {
    if endpoint.copied || reader.is_shared(endpoint.file, &endpoint.range) {
        return None;
    }
    let text = reader.files.get(endpoint.file)?.text.as_str();
    if let Some(entry) = endpoint.entry(WEIGHT).filter(|entry| !entry.merged) {
        let node = unwrapped(&entry.value);
        return match node.copied || reader.is_shared(node.file, &node.range) {
            true => None,
            false => digits(text, node).map(|range| WeightPlace {
                place: Place {
                    file: node.file,
                    range,
                },
                before: String::new(),
                after: String::new(),
            }),
        };
    }
    // A key without a value is there already; another of the same name must not come beside it.
    let empty = |entry: &Pair| super::tree::same_name(&entry.name, WEIGHT) && !entry.merged;
    if endpoint.entries().iter().any(empty) {
        return None;
    }
    let own = || endpoint.entries().iter().filter(|entry| !entry.merged);
    let first = own().find(|entry| entry.name == "endpoint");
    let mut keys = first.into_iter().chain(own()).map(|entry| entry.key.start);
    keys.find_map(|at| insertion(endpoint, text, at, like))
}

/// The digits of a number, without quotes.
fn digits(text: &str, node: &Node) -> Option<Range<usize>> {
    let written = text.get(node.range.clone())?;
    let start = written.find(|c: char| c.is_ascii_digit())?;
    let number = written.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number = number.get(start..)?;
    let whole = number.bytes().all(|byte| byte.is_ascii_digit());
    let start = node.range.start + start;
    (whole && node.scalar()? == number).then_some(start..start + number.len())
}

/// A weight before the key at `at`, in the style of the mapping.
fn insertion(endpoint: &Node, text: &str, at: usize, like: &str) -> Option<WeightPlace> {
    let before = text.get(..at)?;
    let line = &before[before.rfind('\n').map_or(0, |end| end + 1)..];
    let rest = &text[at..];
    let name = spelling(WEIGHT, like);
    let (name, after) = match endpoint.kind {
        NodeKind::Map(_, true) => {
            // `[endpoint: {…}]` is a mapping without braces, in which there is no room for a second
            // key.
            let braces = text[endpoint.range.start..].starts_with('{');
            let clean = before.trim_end().ends_with(['{', ',']);
            if !braces || !clean {
                return None;
            }
            let name = match rest.starts_with('"') {
                true => format!("\"{name}\""),
                false => name,
            };
            let alone = !line.is_empty() && line.trim().is_empty();
            let after = match alone {
                true => format!(",{}{line}", line_end(before)),
                false => ", ".to_owned(),
            };
            (name, after)
        }
        _ => {
            // Before the first key of a mapping there may be dashes on its line, and nothing else.
            if !line.chars().all(|c| matches!(c, ' ' | '-')) || line.contains("--") {
                return None;
            }
            let indent = " ".repeat(line.len());
            (name, format!("{}{indent}", line_end(text)))
        }
    };
    Some(WeightPlace {
        place: Place {
            file: endpoint.file,
            range: at..at,
        },
        before: format!("{name}: "),
        after,
    })
}

/// How lines end here.
fn line_end(text: &str) -> &'static str {
    let first = text.find('\n').map(|at| &text[..at]);
    match first.is_some_and(|line| line.ends_with('\r')) {
        true => "\r\n",
        false => "\n",
    }
}
