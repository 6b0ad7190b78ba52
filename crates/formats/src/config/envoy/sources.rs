//! The resources of a configuration, wherever they stand: in the bootstrap, in lists of discovery,
//! in files that those name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::reader::{Reader, place};
use super::tree::{self, Node, NodeKind};
use crate::config::{Concerns, Fault, Place, SourceFile};

/// Reads another file: the path as it is to be shown, and the text.
pub(super) type Load<'a> = &'a dyn Fn(&Path) -> Option<(PathBuf, String)>;

/// All resources, in the order of the text.
#[derive(Debug, Default)]
pub(super) struct Resources {
    /// `Cluster`s.
    pub clusters: Vec<Node>,
    /// `ClusterLoadAssignment`s by name.
    pub assignments: BTreeMap<String, Node>,
    /// `Listener`s.
    pub listeners: Vec<Node>,
    /// `RouteConfiguration`s.
    pub routes: Vec<Node>,
}

/// Reads a file and those that it names.
pub(super) fn collect(reader: &mut Reader, path: &Path, text: &str, load: Load<'_>) -> Resources {
    let mut resources = Resources::default();
    let mut wanted = file(reader, path.to_owned(), text.to_owned(), &mut resources);
    let mut read: Vec<String> = Vec::new();
    while let Some(WantedSource { name, at, concerns }) = wanted.pop() {
        if read.contains(&name) {
            continue;
        }
        match load(Path::new(&name)) {
            Some((path, text)) => {
                wanted.extend(file(reader, path, text, &mut resources));
                read.push(name);
            }
            None => {
                reader.concerns = concerns;
                reader.note(at, format!("The file `{name}` was not read."));
                reader.concerns = Concerns::Any;
            }
        }
    }
    resources
}

/// A file that another one names.
struct WantedSource {
    name: String,
    /// Where it is named.
    at: Place,
    /// Whose hosts it may hold.
    concerns: Concerns,
}

/// Reads one file; gives the names of others.
fn file(
    reader: &mut Reader,
    path: PathBuf,
    text: String,
    resources: &mut Resources,
) -> Vec<WantedSource> {
    let number = reader.files.len();
    let parsed = tree::parse(&text, number);
    reader.files.push(SourceFile { path, text });
    let at = |range| Place {
        file: number,
        range,
    };
    let documents = match parsed {
        Ok(documents) => documents,
        Err(broken) => {
            let fault = Fault::new(at(broken.range), broken.message);
            reader.faults.push(fault);
            return Vec::new();
        }
    };
    reader.shared.extend(documents.shared.into_iter().map(at));
    for (name, range) in documents.twice {
        reader.note(
            at(range),
            format!("`{name}` is written twice: the last one counts."),
        );
    }
    let before = resources.clusters.len();
    for root in &documents.roots {
        resources.document(reader, root);
    }
    let mut wanted = Vec::new();
    for root in &documents.roots {
        if let Some(dynamic) = root.get("dynamic_resources") {
            for name in ["cds_config", "lds_config"] {
                discovery(reader, dynamic, name, &mut wanted);
            }
        }
    }
    for cluster in &resources.clusters[before..] {
        if let Some(discovered) = cluster.get("eds_cluster_config") {
            let concerns = Concerns::pools(cluster.get("name").and_then(Node::scalar));
            path_of(discovered.get("eds_config"), &concerns, &mut wanted);
        }
    }
    // The last of them is read first.
    wanted.reverse();
    wanted
}

/// A source of resources that a bootstrap names.
fn discovery(reader: &mut Reader, map: &Node, name: &str, wanted: &mut Vec<WantedSource>) {
    if map.get(name).is_some() && !path_of(map.get(name), &Concerns::Any, wanted) {
        let why = "what a management server sends is not in the file";
        reader.leave(map, name, why);
    }
}

/// Whether a source of resources is a file.
fn path_of(source: Option<&Node>, concerns: &Concerns, wanted: &mut Vec<WantedSource>) -> bool {
    let newer = source.and_then(|source| source.find(&["path_config_source", "path"]));
    let path = newer.or_else(|| source.and_then(|source| source.get("path")));
    let file = path.and_then(|path| {
        Some(WantedSource {
            name: path.scalar()?.to_owned(),
            at: place(path),
            concerns: concerns.clone(),
        })
    });
    let found = file.is_some();
    wanted.extend(file);
    found
}

impl Resources {
    fn document(&mut self, reader: &mut Reader, root: &Node) {
        if let NodeKind::List(_) = root.kind {
            for member in root.members() {
                self.resource(member);
            }
            return;
        }
        if !root.is_map() {
            reader.fault(
                root,
                "this is not a configuration of Envoy: a mapping is expected",
            );
            return;
        }
        if let Some(statics) = reader.map(root, "static_resources") {
            self.lists(reader, statics);
        }
        let why = "a balancer of a scenario takes any number of requests at once";
        reader.leave(root, "overload_manager", why);
        let why = "values that it sets while Envoy runs are not in the file";
        reader.leave(root, "layered_runtime", why);
        for resource in reader.list(root, "resources") {
            self.resource(resource);
        }
        self.dump(reader, root);
        if root.get("clusters").is_some() || root.get("listeners").is_some() {
            self.lists(reader, root);
        } else {
            self.resource(root);
        }
    }

    fn lists(&mut self, reader: &mut Reader, map: &Node) {
        let clusters = reader.list(map, "clusters");
        self.clusters.extend(clusters.iter().cloned());
        let listeners = reader.list(map, "listeners");
        self.listeners.extend(listeners.iter().cloned());
    }

    /// What the administration interface shows under `/config_dump`, in which what is static stands
    /// twice: as the bootstrap has it, and as it is in force.
    fn dump(&mut self, reader: &mut Reader, root: &Node) {
        let configs = reader.list(root, "configs");
        let in_force = |config: &Node| {
            let lists = ["static_clusters", "dynamic_active_clusters"];
            lists.iter().any(|name| config.get(name).is_some())
        };
        let any = configs.iter().any(in_force);
        for config in configs {
            if let Some(statics) = config
                .find(&["bootstrap", "static_resources"])
                .filter(|_| !any)
            {
                self.lists(reader, statics);
            }
            for (list, inside) in [
                ("static_clusters", &["cluster"] as &[&str]),
                ("dynamic_active_clusters", &["cluster"]),
                ("static_endpoint_configs", &["endpoint_config"]),
                ("dynamic_endpoint_configs", &["endpoint_config"]),
                ("static_listeners", &["listener"]),
                ("dynamic_listeners", &["active_state", "listener"]),
                ("static_route_configs", &["route_config"]),
                ("dynamic_route_configs", &["route_config"]),
            ] {
                for member in reader.list(config, list) {
                    if let Some(resource) = member.find(inside) {
                        self.resource(resource);
                    }
                }
            }
        }
    }

    /// A resource by its type, or, where it does not say that, by its fields.
    fn resource(&mut self, node: &Node) {
        let kind = node.get("@type").and_then(Node::scalar).unwrap_or_default();
        let message = kind.rsplit('.').next().unwrap_or_default();
        let has = |name: &str| node.get(name).is_some();
        match message {
            "Resource" => {
                if let Some(inner) = node.get("resource") {
                    self.resource(inner);
                }
            }
            "Cluster" => self.clusters.push(node.clone()),
            "ClusterLoadAssignment" => self.assign(node),
            "Listener" => self.listeners.push(node.clone()),
            "RouteConfiguration" => self.routes.push(node.clone()),
            "" if has("cluster_name") && has("endpoints") => self.assign(node),
            "" if has("virtual_hosts") => self.routes.push(node.clone()),
            "" if has("filter_chains") => self.listeners.push(node.clone()),
            "" if ["lb_policy", "load_assignment", "connect_timeout", "hosts"]
                .iter()
                .any(|name| has(name)) =>
            {
                self.clusters.push(node.clone());
            }
            _ => {}
        }
    }

    fn assign(&mut self, node: &Node) {
        if let Some(name) = node.get("cluster_name").and_then(Node::scalar) {
            self.assignments.insert(name.to_owned(), node.clone());
        }
    }
}
