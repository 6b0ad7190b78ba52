//! How a cluster chooses: `lb_policy` and `load_balancing_policy` as strategies of a scenario.

use super::cluster::{outlier_detection, subsets};
use super::reader::{Reader, kebab, place, time, unwrapped};
use super::tree::Node;

/// `Cluster.LbPolicy` by number; one that is gone has no name. (Envoy 1.40,
/// api/envoy/config/cluster/v3/cluster.proto)
const POLICIES: [&str; 8] = [
    "ROUND_ROBIN",
    "LEAST_REQUEST",
    "RING_HASH",
    "RANDOM",
    "",
    "MAGLEV",
    "CLUSTER_PROVIDED",
    "LOAD_BALANCING_POLICY_CONFIG",
];

/// A strategy that is being put together.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    /// The strategy's kind.
    pub kind: &'static str,
    /// Its settings.
    pub settings: toml::Table,
    /// Settings of the cluster that all strategies share.
    pub cluster: toml::Table,
    /// Whether hosts are hashed by their names.
    pub by_hostname: bool,
    /// Whether localities share requests out by their weights.
    pub by_zone: bool,
}

impl Chosen {
    /// Whether requests are told apart by a hash.
    pub(super) fn hashes(&self) -> bool {
        matches!(self.kind, "envoy-ring-hash" | "envoy-maglev")
    }

    /// As a scenario has it.
    pub(super) fn table(&self) -> toml::Table {
        let mut table = toml::Table::new();
        table.insert("kind".to_owned(), self.kind.into());
        table.extend(self.settings.clone());
        if !self.cluster.is_empty() {
            table.insert("cluster".to_owned(), self.cluster.clone().into());
        }
        table
    }

    fn set(&mut self, key: &str, value: Option<toml::Value>) {
        if let Some(value) = value {
            self.settings.insert(kebab(key), value);
        }
    }
}

/// The strategy of a cluster.
pub(super) fn strategy(reader: &mut Reader, cluster: &Node) -> Chosen {
    let mut chosen = Chosen {
        kind: "envoy-round-robin",
        ..Chosen::default()
    };
    let policy = match cluster.get("lb_policy") {
        None => "ROUND_ROBIN",
        Some(node) if node.scalar() == Some("") => "ROUND_ROBIN",
        Some(_) => reader
            .word(cluster, "lb_policy", &POLICIES)
            .unwrap_or("ROUND_ROBIN"),
    };
    // `load_balancing_policy` goes before `lb_policy`, and then none of the older settings counts
    // but those of outliers, and of `common_lb_config` the panic threshold and the merge window.
    // (Envoy 1.40, source/common/upstream/upstream_impl.cc)
    let newer = reader.map(cluster, "load_balancing_policy");
    match newer {
        Some(policies) => extensible(reader, policies, &mut chosen),
        None => classic(reader, cluster, policy, &mut chosen),
    }
    for (name, kinds) in [
        ("round_robin_lb_config", "envoy-round-robin"),
        ("least_request_lb_config", "envoy-least-request"),
        ("ring_hash_lb_config", "envoy-ring-hash"),
        ("maglev_lb_config", "envoy-maglev"),
    ] {
        if newer.is_some() || kinds != chosen.kind {
            reader.leave(
                cluster,
                name,
                "the policy of the cluster does not look at it",
            );
        }
    }
    if let Some(common) = reader.map(cluster, "common_lb_config") {
        common_settings(reader, common, newer.is_some(), &mut chosen);
    }
    if let Some(outliers) = reader.map(cluster, "outlier_detection") {
        let table = outlier_detection(reader, outliers);
        chosen
            .cluster
            .insert("outlier-detection".to_owned(), table.into());
    }
    if let Some(node) = reader.map(cluster, "lb_subset_config") {
        match newer {
            Some(_) => {
                let why = "`load_balancing_policy` goes before it";
                reader.leave(cluster, "lb_subset_config", why);
            }
            None => subset(reader, node, &mut chosen),
        }
    }
    chosen
}

fn subset(reader: &mut Reader, node: &Node, chosen: &mut Chosen) {
    if let Some(table) = subsets(reader, node) {
        chosen.cluster.insert("subsets".to_owned(), table.into());
    }
}

fn classic(reader: &mut Reader, cluster: &Node, policy: &str, chosen: &mut Chosen) {
    let settings = |reader: &mut Reader, name: &str| -> Node {
        let found = reader.map(cluster, name).cloned();
        found.unwrap_or_else(|| Node::nothing(cluster))
    };
    match policy {
        "LEAST_REQUEST" => {
            let node = settings(reader, "least_request_lb_config");
            least_request(reader, &node, chosen);
        }
        "RING_HASH" => {
            let node = settings(reader, "ring_hash_lb_config");
            ring_hash(reader, &node, chosen);
        }
        "MAGLEV" => {
            let node = settings(reader, "maglev_lb_config");
            maglev(reader, &node, chosen);
        }
        "RANDOM" => chosen.kind = "envoy-random",
        "CLUSTER_PROVIDED" | "LOAD_BALANCING_POLICY_CONFIG" => {
            let at = reader.key_at(cluster, "lb_policy");
            let text = format!(
                "`{policy}` leaves the choice to what is not here: round robin stands for it."
            );
            reader.note(at, text);
        }
        _ => {
            let node = settings(reader, "round_robin_lb_config");
            slow_start(reader, &node, chosen);
            let known = ["slow_start_config"];
            reader.leave_others(&node, "`round_robin_lb_config`", &known);
        }
    }
}

/// Takes the first policy of a list that is known, as Envoy does.
fn extensible(reader: &mut Reader, policies: &Node, chosen: &mut Chosen) {
    for policy in reader.list(policies, "policies") {
        let Some(extension) = reader.map(policy, "typed_extension_config") else {
            continue;
        };
        let name = extension.get("name").and_then(Node::scalar);
        let config = extension.get("typed_config");
        let kind = config.and_then(|config| config.get("@type"));
        let kind = kind.and_then(Node::scalar);
        // Messages are named `….load_balancing_policies.round_robin.v3.RoundRobin`, extensions
        // `envoy.load_balancing_policies.round_robin`.
        let text = kind.or(name).unwrap_or_default();
        let after = text.rsplit_once("load_balancing_policies.");
        let word = after.map_or(text, |(_, rest)| rest);
        let word = word.split('.').next().unwrap_or_default();
        let nothing = Node::nothing(policy);
        let config = config.unwrap_or(&nothing);
        match word {
            "round_robin" => {
                slow_start(reader, config, chosen);
                let known = ["@type", "slow_start_config", "locality_lb_config"];
                reader.leave_others(config, "the policy", &known);
            }
            "least_request" => least_request(reader, config, chosen),
            "ring_hash" => ring_hash(reader, config, chosen),
            "maglev" => maglev(reader, config, chosen),
            "random" => chosen.kind = "envoy-random",
            "client_side_weighted_round_robin" => client_side(reader, config, chosen),
            "wrr_locality" => {
                chosen.by_zone = true;
                if let Some(inner) = reader.map(config, "endpoint_picking_policy") {
                    extensible(reader, inner, chosen);
                }
            }
            "subset" => {
                subset(reader, config, chosen);
                if let Some(inner) = reader.map(config, "subset_lb_policy") {
                    extensible(reader, inner, chosen);
                }
            }
            "override_host" => {
                let at = reader.at(config);
                reader.note(
                    at,
                    "Hosts that requests name are left out: the policy beneath chooses.",
                );
                if let Some(inner) = reader.map(config, "fallback_policy") {
                    extensible(reader, inner, chosen);
                }
            }
            _ => {
                let at = reader.at(extension);
                let text = format!("The policy `{word}` is left out: a scenario has none like it.");
                reader.note(at, text);
                continue;
            }
        }
        zones(reader, config, chosen);
        if let Some(inner) = config.get("locality_lb_config") {
            zones(reader, inner, chosen);
        }
        return;
    }
    let at = reader.at(policies);
    reader.note(
        at,
        "No policy of the list is known: round robin stands for it.",
    );
}

/// How localities share requests out.
fn zones(reader: &mut Reader, node: &Node, chosen: &mut Chosen) {
    chosen.by_zone |= node.get("locality_weighted_lb_config").is_some();
    let why = "it depends on the zones of all proxies, which are not in the file; `locality` of a \
        scenario's strategy takes them";
    reader.leave(node, "zone_aware_lb_config", why);
}

fn slow_start(reader: &mut Reader, node: &Node, chosen: &mut Chosen) {
    let Some(node) = reader.map(node, "slow_start_config") else {
        return;
    };
    let mut table = toml::Table::new();
    if let Some(window) = reader.duration(node, "slow_start_window") {
        table.insert("window".to_owned(), time(window));
    }
    if let Some(aggression) = reader.number_in(node, "aggression", 0.01..=100.0) {
        table.insert("aggression".to_owned(), aggression);
    }
    if let Some(least) = reader.number_in(node, "min_weight_percent", 0.0..=100.0) {
        table.insert("min-weight-percent".to_owned(), least);
    }
    chosen
        .settings
        .insert("slow-start".to_owned(), table.into());
}

fn least_request(reader: &mut Reader, node: &Node, chosen: &mut Chosen) {
    chosen.kind = "envoy-least-request";
    let count = reader.whole_in(node, "choice_count", 2..=1000);
    chosen.set("choice_count", count);
    let bias = reader.number_in(node, "active_request_bias", 0.0..=100.0);
    chosen.set("active_request_bias", bias);
    let methods = ["N_CHOICES", "FULL_SCAN"];
    if let Some(method) = reader.word(node, "selection_method", &methods) {
        let method = kebab(&method.to_ascii_lowercase());
        chosen.set("selection_method", Some(method.into()));
    }
    slow_start(reader, node, chosen);
    let known = [
        "@type",
        "choice_count",
        "active_request_bias",
        "selection_method",
        "slow_start_config",
        "locality_lb_config",
    ];
    reader.leave_others(node, "the policy", &known);
}

fn ring_hash(reader: &mut Reader, node: &Node, chosen: &mut Chosen) {
    chosen.kind = "envoy-ring-hash";
    for name in ["minimum_ring_size", "maximum_ring_size"] {
        let size = reader.whole_in(node, name, 1..=8_388_608);
        chosen.set(name, size);
    }
    // The message of the older configuration has the same words without the first of those of the
    // newer.
    let functions = match node.get("@type") {
        Some(_) => ["DEFAULT_HASH", "XX_HASH", "MURMUR_HASH_2"].as_slice(),
        None => &["XX_HASH", "MURMUR_HASH_2"],
    };
    if let Some(function) = reader.word(node, "hash_function", functions) {
        let function = match function {
            "MURMUR_HASH_2" => "murmur-hash-2",
            _ => "xx-hash",
        };
        chosen.set("hash_function", Some(function.into()));
    }
    consistent(reader, node, chosen);
    let known = [
        "@type",
        "minimum_ring_size",
        "maximum_ring_size",
        "hash_function",
        "use_hostname_for_hashing",
        "hash_balance_factor",
        "consistent_hashing_lb_config",
        "locality_weighted_lb_config",
    ];
    reader.leave_others(node, "the policy", &known);
}

fn maglev(reader: &mut Reader, node: &Node, chosen: &mut Chosen) {
    chosen.kind = "envoy-maglev";
    let size = reader.whole_in(node, "table_size", 3..=5_000_011);
    chosen.set("table_size", size);
    consistent(reader, node, chosen);
    let known = [
        "@type",
        "table_size",
        "consistent_hashing_lb_config",
        "locality_weighted_lb_config",
    ];
    reader.leave_others(node, "the policy", &known);
}

fn consistent(reader: &mut Reader, node: &Node, chosen: &mut Chosen) {
    let inner = reader.map(node, "consistent_hashing_lb_config");
    for node in [Some(node), inner].into_iter().flatten() {
        if reader.truth(node, "use_hostname_for_hashing") == Some(true) {
            chosen.by_hostname = true;
        }
        let factor = reader.whole_in(node, "hash_balance_factor", 0..=100_000);
        chosen.set("hash_balance_factor", factor);
        reader.leave(
            node,
            "hash_policy",
            "a scenario says what is hashed by the keys of its clients",
        );
    }
}

fn client_side(reader: &mut Reader, node: &Node, chosen: &mut Chosen) {
    chosen.kind = "envoy-client-side-weighted-round-robin";
    for name in [
        "blackout_period",
        "weight_expiration_period",
        "weight_update_period",
    ] {
        let period = reader.duration(node, name).map(time);
        chosen.set(name, period);
    }
    let penalty = reader.number_in(node, "error_utilization_penalty", 0.0..=1000.0);
    chosen.set("error_utilization_penalty", penalty);
    let known = [
        "@type",
        "blackout_period",
        "weight_expiration_period",
        "weight_update_period",
        "error_utilization_penalty",
        "locality_lb_config",
    ];
    reader.leave_others(node, "the policy", &known);
}

/// `common_lb_config`.
fn common_settings(reader: &mut Reader, node: &Node, newer: bool, chosen: &mut Chosen) {
    let threshold = reader.number_in(node, "healthy_panic_threshold", 0.0..=100.0);
    if let Some(threshold) = threshold {
        chosen
            .cluster
            .insert("healthy-panic-threshold".to_owned(), threshold);
    }
    if let Some(window) = reader.duration(node, "update_merge_window") {
        chosen
            .cluster
            .insert("update-merge-window".to_owned(), time(window));
    }
    if newer {
        let why = "the policy of the cluster does not look at it";
        for name in ["zone_aware_lb_config", "locality_weighted_lb_config"] {
            reader.leave(node, name, why);
        }
    } else {
        zones(reader, node, chosen);
    }
    if let Some(inner) = reader.map(node, "consistent_hashing_lb_config") {
        if chosen.hashes() && !newer {
            if reader.truth(inner, "use_hostname_for_hashing") == Some(true) {
                chosen.by_hostname = true;
            }
            let factor = reader.whole_in(inner, "hash_balance_factor", 0..=100_000);
            chosen.set("hash_balance_factor", factor);
        } else {
            let why = "the policy of the cluster does not look at it";
            reader.leave(node, "consistent_hashing_lb_config", why);
        }
    }
    if let Some(healths) = node.get("override_host_status") {
        let at = place(unwrapped(healths));
        reader.note(
            at,
            "`override_host_status` is left out: sessions come back only to hosts that are up.",
        );
    }
    let known = [
        "healthy_panic_threshold",
        "update_merge_window",
        "zone_aware_lb_config",
        "locality_weighted_lb_config",
        "consistent_hashing_lb_config",
        "override_host_status",
    ];
    reader.leave_others(node, "`common_lb_config`", &known);
}
