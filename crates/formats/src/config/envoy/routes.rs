//! What routes say of the requests to a cluster: timeouts, retries, and what is hashed.

use std::collections::BTreeMap;

use super::cluster::ClusterRead;
use super::filters;
use super::reader::{Reader, place, time};
use super::tree::Node;
use crate::config::Concerns;
use crate::prose::listed;

/// The timeout of a route that has none. (Envoy 1.40, `RouteAction.timeout`)
const TIMEOUT: u64 = 15_000_000_000;
/// The first pause before a retry, and how many times that the longest is.
/// (`RetryPolicy.RetryBackOff`)
const BACKOFF: u64 = 25_000_000;
const LONGEST: u64 = 10;

/// Pools, and what routes have said of them.
#[derive(Debug)]
pub(super) struct Routes<'a> {
    /// The clusters.
    pub clusters: &'a mut [ClusterRead],
    /// By cluster: keys of the balancer from the first route to it.
    said: BTreeMap<usize, toml::Table>,
}

/// What all routes of a connection manager share.
#[derive(Clone, Copy, Debug, Default)]
struct Shared<'n> {
    sticky: bool,
    retry: Option<&'n Node>,
    hash: Option<&'n Node>,
}

impl<'a> Routes<'a> {
    /// No routes yet.
    pub(super) fn new(clusters: &'a mut [ClusterRead]) -> Routes<'a> {
        Routes {
            clusters,
            said: BTreeMap::new(),
        }
    }

    /// A listener.
    pub(super) fn listener(&mut self, reader: &mut Reader, listener: &Node) {
        let chains = reader.list(listener, "filter_chains").iter();
        for chain in chains.chain(listener.get("default_filter_chain")) {
            let filters = reader.list(chain, "filters");
            reader.concerns = concerns(filters);
            filters::notes(reader, filters);
            for filter in filters {
                self.filter(reader, filter);
            }
            reader.concerns = Concerns::Any;
        }
        if let Some(manager) = listener.find(&["api_listener", "api_listener"]) {
            reader.concerns = concerns(std::slice::from_ref(manager));
            self.manager(reader, manager);
            reader.concerns = Concerns::Any;
        }
    }

    fn filter(&mut self, reader: &mut Reader, filter: &Node) {
        let config = filter.get("typed_config").or_else(|| filter.get("config"));
        let Some(config) = config else {
            return;
        };
        let name = filter
            .get("name")
            .and_then(Node::scalar)
            .unwrap_or_default();
        let kind = config
            .get("@type")
            .and_then(Node::scalar)
            .unwrap_or_default();
        let is = |message: &str, word: &str| {
            kind.ends_with(message) || kind.is_empty() && name.ends_with(word)
        };
        if is(".HttpConnectionManager", "http_connection_manager") {
            self.manager(reader, config);
        } else if is(".TcpProxy", "tcp_proxy") {
            self.proxy(reader, config);
        }
    }

    /// A TCP proxy: connections, which have neither timeouts nor retries.
    fn proxy(&mut self, reader: &mut Reader, config: &Node) {
        weighted(reader, config);
        let why = "a scenario says what is hashed by the keys of its clients";
        reader.leave(config, "hash_policy", why);
        let why = "connections are not opened again";
        reader.leave(config, "max_connect_attempts", why);
    }

    /// An HTTP connection manager.
    fn manager(&mut self, reader: &mut Reader, config: &Node) {
        let why = "a scenario has one timeout for the whole attempt";
        for name in ["request_timeout", "stream_idle_timeout"] {
            // 0 switches them off.
            if config.get(name).and_then(Node::scalar) != Some("0s") {
                reader.leave(config, name, why);
            }
        }
        if let Some(options) = reader.map(config, "common_http_protocol_options") {
            reader.leave(options, "max_stream_duration", why);
        }
        filters::notes(reader, reader.list(config, "http_filters"));
        let mut sticky = false;
        for filter in reader.list(config, "http_filters") {
            let name = filter
                .get("name")
                .and_then(Node::scalar)
                .unwrap_or_default();
            let kind = filter.find(&["typed_config", "@type"]);
            let kind = kind.and_then(Node::scalar).unwrap_or_default();
            if !name.contains("stateful_session") && !kind.contains("stateful_session") {
                continue;
            }
            let state = filter.find(&["typed_config", "session_state"]);
            let text = |name: &str| {
                let node = state.and_then(|state| state.find(&[name]));
                node.and_then(Node::scalar).unwrap_or_default()
            };
            let kind = state.and_then(|state| state.find(&["typed_config", "@type"]));
            let kind = kind.and_then(Node::scalar).unwrap_or_default();
            if text("name").contains("cookie") || kind.contains("cookie") {
                sticky = true;
            } else {
                let at = reader.at(filter);
                reader.note(
                    at,
                    "Sessions that are held by anything but a cookie are left out.",
                );
            }
        }
        if config.get("rds").is_some() || config.get("scoped_routes").is_some() {
            let name = match config.get("rds") {
                Some(_) => "rds",
                None => "scoped_routes",
            };
            reader.leave(
                config,
                name,
                "routes that are not in the file itself are not read here",
            );
        }
        if let Some(routes) = reader.map(config, "route_config") {
            self.table(reader, routes, sticky);
        }
    }

    /// A route configuration.
    pub(super) fn table(&mut self, reader: &mut Reader, table: &Node, sticky: bool) {
        let around = reader.concerns.clone();
        let why = "a scenario sends each request once";
        reader.leave(table, "request_mirror_policies", why);
        filters::some(reader, table);
        for host in reader.list(table, "virtual_hosts") {
            reader.concerns = concerns(std::slice::from_ref(host));
            let shared = Shared {
                sticky,
                retry: host.get("retry_policy"),
                hash: host.get("hash_policy"),
            };
            let why = "a scenario sends each request once";
            reader.leave(host, "request_mirror_policies", why);
            reader.leave(host, "hedge_policy", "a scenario sends each attempt once");
            reader.leave(host, "rate_limits", "a scenario lets all requests in");
            filters::some(reader, host);
            for route in reader.list(host, "routes") {
                reader.concerns = concerns(std::slice::from_ref(route));
                filters::some(reader, route);
                if let Some(runtime) = route.find(&["match", "runtime_fraction"]) {
                    let at = reader.at(runtime);
                    let text = "This route takes a share of the requests only, which a scenario does not know: give clients their rates.";
                    reader.note(at, text);
                }
                if let Some(action) = reader.map(route, "route") {
                    self.route(reader, action, shared);
                }
                if sticky
                    && !route
                        .get("typed_per_filter_config")
                        .is_none_or(Node::is_null)
                {
                    let at = reader.key_at(route, "typed_per_filter_config");
                    reader.note(
                        at,
                        "Filters of a single route are left out: sessions hold on all of them.",
                    );
                }
            }
        }
        reader.concerns = around;
    }

    fn route(&mut self, reader: &mut Reader, action: &Node, shared: Shared<'_>) {
        let mut names: Vec<&Node> = action.get("cluster").into_iter().collect();
        names.extend(weighted(reader, action));
        let targets: Vec<usize> = names
            .iter()
            .filter_map(|node| {
                let name = node.scalar()?;
                let same = |read: &ClusterRead| read.pool.name == name;
                let found = self.clusters.iter().position(same);
                if found.is_none() {
                    let text = format!("The cluster `{name}` of this route is not in the file.");
                    reader.note(place(node), text);
                }
                found
            })
            .collect();
        for (name, why) in [
            ("cluster_header", "requests do not say where they go"),
            (
                "cluster_specifier_plugin",
                "requests do not say where they go",
            ),
            (
                "inline_cluster_specifier_plugin",
                "requests do not say where they go",
            ),
            (
                "metadata_match",
                "the labels of requests are those of a scenario's clients",
            ),
            (
                "request_mirror_policies",
                "a scenario sends each request once",
            ),
            ("hedge_policy", "a scenario sends each attempt once"),
            ("rate_limits", "a scenario lets all requests in"),
            ("idle_timeout", "`timeout` stands for it"),
            ("max_stream_duration", "`timeout` stands for it"),
            ("max_grpc_timeout", "`timeout` stands for it"),
        ] {
            reader.leave(action, name, why);
        }
        if targets.is_empty() {
            return;
        }
        let said = said(reader, action, shared);
        self.hashing(reader, action, shared, &targets);
        for target in targets {
            let Some(read) = self.clusters.get_mut(target) else {
                continue;
            };
            match self.said.get(&target) {
                None => {
                    read.pool.balancer.extend(said.clone());
                    self.said.insert(target, said.clone());
                }
                Some(first) if *first != said => {
                    let at = reader.at(action);
                    let name = &read.pool.name;
                    let text = format!(
                        "An earlier route to `{name}` has another timeout or other retries: that one counts."
                    );
                    let around = reader.concerns.clone();
                    reader.concerns = Concerns::pools([name.as_str()]);
                    reader.note(at, text);
                    reader.concerns = around;
                }
                Some(_) => {}
            }
        }
    }

    fn hashing(&mut self, reader: &mut Reader, action: &Node, shared: Shared<'_>, at: &[usize]) {
        let hashes = |target: &usize| self.clusters.get(*target).is_some_and(|read| read.hashes);
        if !at.iter().any(hashes) {
            return;
        }
        let policies = action.get("hash_policy").or(shared.hash);
        let policies = policies.map(Node::members).unwrap_or_default();
        if policies.is_empty() {
            let at = reader.at(action);
            reader.note(
                at,
                "This route has no hash policy: Envoy would choose hosts at random, and a scenario hashes keys.",
            );
        }
        for policy in policies {
            let what = hashed(policy);
            let at = reader.at(policy);
            reader.note(
                at,
                format!("{what} is hashed: let the keys of the scenario's clients stand for it."),
            );
        }
    }
}

/// The clusters that requests go to from there: those named anywhere within; any, where the place
/// does not name them itself.
fn concerns(nodes: &[Node]) -> Concerns {
    let mut names: Vec<&str> = Vec::new();
    let mut elsewhere = false;
    let mut open: Vec<&Node> = nodes.iter().collect();
    while let Some(node) = open.pop() {
        open.extend(node.members());
        for entry in node.entries() {
            match entry.name.as_str() {
                "cluster" => names.extend(entry.value.scalar()),
                // `weighted_clusters.clusters[].name`
                "clusters" => {
                    let clusters = entry.value.members().iter();
                    names.extend(clusters.filter_map(|one| one.get("name")?.scalar()));
                }
                "rds" | "scoped_routes" | "scopedRoutes" | "vhds" | "cluster_header"
                | "clusterHeader" => {
                    elsewhere = true;
                }
                _ => open.push(&entry.value),
            }
        }
    }
    match elsewhere {
        true => Concerns::Any,
        false => Concerns::pools(names),
    }
}

/// What a hash policy names.
fn hashed(policy: &Node) -> String {
    let word = |path: &[&str]| policy.find(path).and_then(Node::scalar);
    if let Some(name) = word(&["header", "header_name"]) {
        format!("The header `{name}`")
    } else if let Some(name) = word(&["cookie", "name"]) {
        match word(&["cookie", "ttl"]) {
            Some(_) => format!("The cookie `{name}`, which Envoy sets where there is none,"),
            None => format!("The cookie `{name}`"),
        }
    } else if word(&["connection_properties", "source_ip"]).is_some() {
        "The client's address".to_owned()
    } else if let Some(name) = word(&["query_parameter", "name"]) {
        format!("The query parameter `{name}`")
    } else {
        "Something else".to_owned()
    }
}

/// The clusters of `weighted_clusters`, with a note on them.
fn weighted<'n>(reader: &mut Reader, action: &'n Node) -> Vec<&'n Node> {
    let Some(weighted) = reader.map(action, "weighted_clusters") else {
        return Vec::new();
    };
    let clusters = reader.list(weighted, "clusters");
    let shown: Vec<String> = clusters
        .iter()
        .map(|cluster| {
            let text = |name: &str| cluster.get(name).and_then(Node::scalar).unwrap_or("?");
            format!("`{}` {}", text("name"), text("weight"))
        })
        .collect();
    let at = reader.key_at(action, "weighted_clusters");
    let text = format!(
        "Requests are shared out among clusters by weight ({}): give each its share by the rates of clients.",
        listed(shown)
    );
    reader.note(at, text);
    clusters
        .iter()
        .filter_map(|cluster| cluster.get("name"))
        .collect()
}

/// Keys of a balancer that a route to a cluster brings.
fn said(reader: &mut Reader, action: &Node, shared: Shared<'_>) -> toml::Table {
    let mut said = toml::Table::new();
    let whole = reader.duration(action, "timeout").unwrap_or(TIMEOUT);
    let policy = action.get("retry_policy").or(shared.retry);
    let policy = policy.filter(|policy| policy.is_map());
    let mut attempt = whole;
    if let Some(policy) = policy {
        let each = reader.duration(policy, "per_try_timeout").unwrap_or(0);
        if each > 0 && (whole == 0 || each < whole) {
            attempt = each;
            if whole > 0 {
                let at = reader.key_at(policy, "per_try_timeout");
                let text =
                    "This is taken as the timeout; that of all attempts together is left out.";
                reader.note(at, text);
            }
        }
        if let Some(retry) = retry(reader, policy, each == 0 && whole > 0) {
            said.insert("retry".to_owned(), retry.into());
        }
    }
    // A timeout of 0 is none.
    if attempt > 0 {
        said.insert("timeout".to_owned(), time(attempt));
    }
    if shared.sticky {
        said.insert("sticky".to_owned(), "cookie".into());
    }
    said
}

fn retry(reader: &mut Reader, policy: &Node, bounded: bool) -> Option<toml::Table> {
    let on = reader.text(policy, "retry_on").unwrap_or_default();
    let max = match policy.get("num_retries") {
        None => Some(1_i64.into()),
        Some(_) => reader.whole_in(policy, "num_retries", 0..=100),
    };
    if on.trim().is_empty() {
        let at = reader.at(policy);
        reader.note(at, "There are no retries, as `retry_on` names nothing.");
        return None;
    }
    let at = reader.key_at(policy, "retry_on");
    let words: Vec<&str> = on.split(',').map(str::trim).collect();
    if !words.contains(&"5xx") {
        let text =
            format!("Retries are for `{on}` only: a scenario retries all that gets no answer.");
        reader.note(at.clone(), text);
    }
    reader.note(
        at.clone(),
        "That at most three retries, or `max_retries`, go on in a cluster at once is left out.",
    );
    if bounded {
        let text =
            "The timeout holds for each attempt: in Envoy it holds for all of them together.";
        reader.note(at, text);
    }
    let mut table = toml::Table::new();
    if let Some(max) = max {
        table.insert("max".to_owned(), max);
    }
    if words.contains(&"5xx") {
        table.insert("error-answers".to_owned(), true.into());
    }
    let mut another = false;
    for predicate in reader.list(policy, "retry_host_predicate") {
        let name = predicate
            .get("name")
            .and_then(Node::scalar)
            .unwrap_or_default();
        if name.ends_with("previous_hosts") {
            another = true;
        } else {
            let at = reader.at(predicate);
            reader.note(
                at,
                format!("The predicate `{name}` is left out: a scenario has none like it."),
            );
        }
    }
    let on = if another { "another" } else { "any" };
    table.insert("on".to_owned(), on.into());
    let back_off = reader.map(policy, "retry_back_off");
    let interval =
        |reader: &mut Reader, name| back_off.and_then(|node| reader.duration(node, name));
    let base = interval(reader, "base_interval").unwrap_or(BACKOFF);
    let longest = interval(reader, "max_interval").unwrap_or(base.saturating_mul(LONGEST));
    // The pause is uniform up to a bound that doubles from retry to retry. (Envoy 1.40,
    // source/common/common/backoff_strategy.cc)
    table.insert("backoff".to_owned(), time(base));
    table.insert("backoff-max".to_owned(), time(longest));
    table.insert("jitter".to_owned(), "full".into());
    let known = [
        "retry_on",
        "num_retries",
        "per_try_timeout",
        "retry_back_off",
        "retry_host_predicate",
        "host_selection_retry_max_attempts",
    ];
    reader.leave_others(policy, "the retry policy", &known);
    Some(table)
}
