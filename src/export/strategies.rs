//! Each strategy in the words of each product: its own ones as they are, others as the rule that
//! comes nearest.

use serde_json::{Map, Value};

use super::Plan;
use crate::config::Product;

/// How a product chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// The product's words, a line each: of nginx its directives, of HAProxy what follows
    /// `balance`, then other lines.
    pub words: Vec<String>,
    /// What is different, as the end of a sentence; `None` where nothing is.
    pub differs: Option<String>,
}

impl Rule {
    fn new(words: &[&str], differs: Option<&str>) -> Rule {
        Rule {
            words: words.iter().map(|&word| word.to_owned()).collect(),
            differs: differs.map(str::to_owned),
        }
    }
}

/// What strategies have in common that products have rules for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RuleFamily {
    /// Servers take turns, by weight.
    Turns,
    /// Drawn at random.
    Chance,
    /// The fewest requests, of all servers.
    Fewest,
    /// The fewest requests, of a few that are drawn.
    FewestOfSome,
    /// The quickest answers.
    Quickest,
    /// By a hash of the client's address.
    Address,
    /// By a hash of what is asked for.
    Key,
    /// The same, where few keys move when servers come and go.
    KeyRing,
    /// The first that has room.
    First,
}

/// The family of a strategy; `None` where no product has a rule of the kind.
fn family(strategy: &str, settings: &Map<String, Value>) -> Option<RuleFamily> {
    let consistent = settings.get("consistent") == Some(&Value::Bool(true))
        || settings.get("hash-type").and_then(Value::as_str) == Some("consistent");
    Some(match strategy {
        "round-robin"
        | "weighted-round-robin"
        | "nginx-round-robin"
        | "haproxy-roundrobin"
        | "haproxy-static-rr"
        | "envoy-round-robin"
        | "envoy-client-side-weighted-round-robin"
        | "grpc-round-robin"
        | "grpc-weighted-round-robin"
        | "ipvs-rr"
        | "ipvs-wrr"
        | "aws-alb-round-robin" => RuleFamily::Turns,
        "nginx-random" if settings.contains_key("two") => RuleFamily::FewestOfSome,
        "random"
        | "weighted-random"
        | "nginx-random"
        | "envoy-random"
        | "aws-alb-weighted-random" => RuleFamily::Chance,
        "least-connections"
        | "dialogue-balanced"
        | "nginx-least-conn"
        | "haproxy-leastconn"
        | "ipvs-lc"
        | "ipvs-wlc"
        | "ipvs-sed"
        | "ipvs-nq"
        | "aws-alb-least-outstanding-requests"
        | "join-idle-queue"
        | "join-shortest-queue"
        | "least-work-left"
        | "earliest-completion" => RuleFamily::Fewest,
        "power-of-d"
        | "haproxy-random"
        | "envoy-least-request"
        | "grpc-least-request"
        | "finagle-p2c-least-loaded"
        | "finagle-aperture"
        | "finagle-deterministic-aperture"
        | "yarp" => RuleFamily::FewestOfSome,
        "least-response-time"
        | "linkerd-peak-ewma"
        | "finagle-p2c-peak-ewma"
        | "c3"
        | "prequal" => RuleFamily::Quickest,
        "ip-hash" | "nginx-ip-hash" | "haproxy-source" | "ipvs-sh" | "ipvs-mh"
        | "aws-nlb-flow-hash" => RuleFamily::Address,
        "nginx-hash" | "haproxy-uri" | "haproxy-url-param" | "haproxy-hdr" | "haproxy-hash"
            if consistent =>
        {
            RuleFamily::KeyRing
        }
        "nginx-hash" | "haproxy-uri" | "haproxy-url-param" | "haproxy-hdr" | "haproxy-hash"
        | "ipvs-dh" | "ipvs-lblc" | "ipvs-lblcr" => RuleFamily::Key,
        "consistent-hashing"
        | "consistent-hashing-bounded-loads"
        | "rendezvous-hashing"
        | "jump-hash"
        | "envoy-ring-hash"
        | "envoy-maglev"
        | "grpc-ring-hash" => RuleFamily::KeyRing,
        "haproxy-first"
        | "ipvs-fo"
        | "ipvs-ovf"
        | "grpc-pick-first"
        | "dialogue-pin-until-error" => RuleFamily::First,
        _ => return None,
    })
}

const COUNTS: &str = "it counts requests in flight and does not look at response times";
const HASH: &str = "its hash sends clients to other servers";
const URI: &str = "the request's URI stands for what is hashed";
const POLICY: &str = "what is hashed is said by the `hash_policy` of the routes";
const NO_REQUESTS: &str = "IPVS sees no requests: it hashes the client's address";

/// The rule of a product that comes nearest to a family; `None` where there is none.
fn nearest(product: Product, family: RuleFamily) -> Option<Rule> {
    use RuleFamily::{Address, Chance, Fewest, FewestOfSome, First, Key, KeyRing, Quickest, Turns};
    Some(match (product, family) {
        (Product::Nginx, Turns) => Rule::new(&[], None),
        (Product::Nginx, Chance) => Rule::new(&["random"], None),
        (Product::Nginx, Fewest) => Rule::new(&["least_conn"], None),
        (Product::Nginx, FewestOfSome) => Rule::new(&["random two least_conn"], None),
        (Product::Nginx, Quickest) => Rule::new(&["least_conn"], Some(COUNTS)),
        (Product::Nginx, Address) => Rule::new(&["ip_hash"], Some(HASH)),
        (Product::Nginx, Key) => Rule::new(&["hash $request_uri"], Some(URI)),
        (Product::Nginx, KeyRing) => Rule::new(&["hash $request_uri consistent"], Some(URI)),
        (Product::Haproxy, Turns) => Rule::new(&["roundrobin"], None),
        (Product::Haproxy, Chance) => Rule::new(&["random(1)"], None),
        (Product::Haproxy, Fewest) => Rule::new(&["leastconn"], None),
        (Product::Haproxy, FewestOfSome) => Rule::new(&["random(2)"], None),
        (Product::Haproxy, Quickest) => Rule::new(&["leastconn"], Some(COUNTS)),
        (Product::Haproxy, Address) => Rule::new(&["source"], Some(HASH)),
        (Product::Haproxy, Key) => Rule::new(&["uri"], Some(URI)),
        (Product::Haproxy, KeyRing) => Rule::new(&["uri", "hash-type consistent"], Some(URI)),
        (Product::Haproxy, First) => Rule::new(
            &["first"],
            Some("it fills each server up to its `maxconn`, in the order of their `id`"),
        ),
        (Product::Envoy, Turns) => Rule::new(&["ROUND_ROBIN"], None),
        (Product::Envoy, Chance) => Rule::new(&["RANDOM"], Some("it does not look at weights")),
        (Product::Envoy, Fewest) => Rule::new(
            &["LEAST_REQUEST"],
            Some(
                "it draws two hosts and takes the one with fewer requests, unless `selection_method` is FULL_SCAN",
            ),
        ),
        (Product::Envoy, FewestOfSome) => Rule::new(&["LEAST_REQUEST"], None),
        (Product::Envoy, Quickest) => Rule::new(&["LEAST_REQUEST"], Some(COUNTS)),
        (Product::Envoy, Address) => Rule::new(
            &["RING_HASH"],
            Some("the routes need a `hash_policy` of `connection_properties: { source_ip: true }`"),
        ),
        (Product::Envoy, Key) => Rule::new(&["MAGLEV"], Some(POLICY)),
        (Product::Envoy, KeyRing) => Rule::new(&["RING_HASH"], Some(POLICY)),
        (Product::Ipvs, Turns) => Rule::new(&["wrr"], None),
        (Product::Ipvs, Chance) => Rule::new(
            &["wrr"],
            Some("IPVS leaves nothing to chance: servers take turns by weight"),
        ),
        (Product::Ipvs, Fewest) => Rule::new(&["wlc"], None),
        (Product::Ipvs, FewestOfSome) => Rule::new(&["wlc"], Some("it looks at all servers")),
        (Product::Ipvs, Quickest) => Rule::new(&["wlc"], Some(COUNTS)),
        (Product::Ipvs, Address) => Rule::new(&["sh"], Some(HASH)),
        (Product::Ipvs, Key) => Rule::new(&["sh"], Some(NO_REQUESTS)),
        (Product::Ipvs, KeyRing) => Rule::new(&["mh"], Some(NO_REQUESTS)),
        (Product::Ipvs, First) => {
            Rule::new(&["fo"], Some("it takes the server with the highest weight"))
        }
        _ => return None,
    })
}

/// A product's own strategy as the product writes it. Settings that are said so are taken out of
/// `settings`.
fn own(product: Product, strategy: &str, settings: &mut Map<String, Value>) -> Option<Rule> {
    match product {
        Product::Nginx => nginx(strategy, settings),
        Product::Haproxy => haproxy(strategy.strip_prefix("haproxy-")?, settings),
        Product::Envoy => {
            let word = match strategy {
                "envoy-round-robin" => "ROUND_ROBIN",
                "envoy-least-request" => "LEAST_REQUEST",
                "envoy-random" => "RANDOM",
                "envoy-ring-hash" => "RING_HASH",
                "envoy-maglev" => "MAGLEV",
                _ => return None,
            };
            Some(Rule::new(&[word], None))
        }
        Product::Ipvs => {
            let word = strategy.strip_prefix("ipvs-")?;
            let blind = matches!(word, "rr" | "lc");
            Some(Rule::new(
                &[word],
                blind.then_some("it does not look at weights, except for 0"),
            ))
        }
        _ => None,
    }
}

fn nginx(strategy: &str, settings: &mut Map<String, Value>) -> Option<Rule> {
    Some(match strategy {
        "nginx-round-robin" => Rule::new(&[], None),
        "nginx-least-conn" => Rule::new(&["least_conn"], None),
        "nginx-ip-hash" => Rule::new(&["ip_hash"], None),
        "nginx-random" => match settings.remove("two") {
            Some(_) => Rule::new(&["random two least_conn"], None),
            None => Rule::new(&["random"], None),
        },
        "nginx-hash" => {
            let key = settings.remove("key");
            let (variable, differs) = match key.as_ref().and_then(Value::as_str) {
                Some("address") => ("$remote_addr", None),
                Some("client") => (
                    "$remote_user",
                    Some("`$remote_user` stands for who the client is"),
                ),
                _ => ("$request_uri", Some(URI)),
            };
            let consistent = settings.remove("consistent") == Some(Value::Bool(true));
            let end = if consistent { " consistent" } else { "" };
            Rule::new(&[&format!("hash {variable}{end}")], differs)
        }
        _ => return None,
    })
}

fn haproxy(word: &str, settings: &mut Map<String, Value>) -> Option<Rule> {
    let mut differs = None;
    let mut words = vec![match word {
        "roundrobin" | "static-rr" | "leastconn" | "first" | "source" => word.to_owned(),
        "random" => match settings.remove("draws").and_then(|draws| draws.as_u64()) {
            Some(draws) => format!("random({draws})"),
            None => "random".to_owned(),
        },
        "uri" => {
            let mut text = "uri".to_owned();
            if settings.remove("whole") == Some(Value::Bool(true)) {
                text += " whole";
            }
            for key in ["len", "depth"] {
                if let Some(number) = settings.remove(key).and_then(|number| number.as_u64()) {
                    text += &format!(" {key} {number}");
                }
            }
            text
        }
        "url-param" | "hdr" | "hash" => {
            differs = Some("`key` stands for the name of what is hashed");
            match word {
                "url-param" => "url_param key",
                "hdr" => "hdr(key)",
                _ => "hash req.hdr(key)",
            }
            .to_owned()
        }
        _ => return None,
    }];
    let text = |value: Value| value.as_str().map(str::to_owned);
    let method = settings.remove("hash-type").and_then(text);
    let function = settings.remove("hash-function").and_then(text);
    let avalanche = settings.remove("avalanche") == Some(Value::Bool(true));
    if method.is_some() || function.is_some() || avalanche {
        let mut line = format!("hash-type {}", method.as_deref().unwrap_or("map-based"));
        if function.is_some() || avalanche {
            line += &format!(" {}", function.as_deref().unwrap_or("sdbm"));
        }
        words.push(if avalanche { line + " avalanche" } else { line });
    }
    for key in ["hash-balance-factor", "fullconn"] {
        if let Some(number) = settings.remove(key).and_then(|number| number.as_u64()) {
            words.push(format!("{key} {number}"));
        }
    }
    if settings.remove("allbackups") == Some(Value::Bool(true)) {
        words.push("option allbackups".to_owned());
    }
    Some(Rule {
        words,
        differs: differs.map(str::to_owned),
    })
}

/// What a product does where it is not told.
fn standard(product: Product) -> Rule {
    Rule::new(
        match product {
            Product::Haproxy => &["roundrobin"],
            Product::Envoy => &["ROUND_ROBIN"],
            Product::Ipvs => &["wrr"],
            _ => &[],
        },
        None,
    )
}

/// The rule of a product for a plan; what is different is said.
pub(super) fn rule(plan: &Plan, product: Product, remarks: &mut Vec<String>) -> Rule {
    let (name, title) = (&plan.strategy, product.title());
    let mut settings = plan.settings.clone();
    let chosen = own(product, name, &mut settings);
    let is_own = chosen.is_some();
    let chosen = chosen.or_else(|| nearest(product, family(name, &plan.settings)?));
    let Some(rule) = chosen else {
        remarks.push(format!(
            "{title} has no rule like `{name}`: it takes turns by weight instead, and weights that were tuned for the one are not \
             those for the other"
        ));
        return standard(product);
    };
    let words = match rule.words.first() {
        Some(word) => format!("`{word}`"),
        None => "turns by weight".to_owned(),
    };
    match &rule.differs {
        Some(differs) => remarks.push(format!("`{name}` is {words} in {title}: {differs}")),
        None if !is_own && is_of_another(name) => {
            remarks.push(format!(
                "`{name}` is {words} in {title}, the rule of its kind there"
            ));
        }
        None => {}
    }
    if is_own && !settings.is_empty() {
        let names: Vec<String> = settings.keys().map(|key| format!("`{key}`")).collect();
        remarks.push(format!(
            "settings of `{name}` that are not written: {}",
            names.join(", ")
        ));
    }
    rule
}

/// Whether a strategy is a product's: one of the textbooks is what each product calls so.
fn is_of_another(name: &str) -> bool {
    let products = [
        "nginx-", "haproxy-", "envoy-", "ipvs-", "grpc-", "aws-", "finagle-", "linkerd-",
    ];
    products.iter().any(|product| name.starts_with(product))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::CATALOGUE;

    fn words(product: Product, strategy: &str, settings: Value) -> (Vec<String>, Vec<String>) {
        let plan = Plan {
            name: "web".to_owned(),
            strategy: strategy.to_owned(),
            settings: settings.as_object().cloned().unwrap_or_default(),
            targets: Vec::new(),
        };
        let mut remarks = Vec::new();
        let rule = rule(&plan, product, &mut remarks);
        (rule.words, remarks)
    }

    const ALL: [Product; 4] = [
        Product::Nginx,
        Product::Haproxy,
        Product::Envoy,
        Product::Ipvs,
    ];

    #[test]
    fn a_family_stays_itself_in_every_product() {
        for (strategy, expected) in [
            (
                "nginx-least-conn",
                ["least_conn", "leastconn", "LEAST_REQUEST", "wlc"],
            ),
            (
                "haproxy-leastconn",
                ["least_conn", "leastconn", "LEAST_REQUEST", "wlc"],
            ),
            (
                "ipvs-wlc",
                ["least_conn", "leastconn", "LEAST_REQUEST", "wlc"],
            ),
            (
                "least-response-time",
                ["least_conn", "leastconn", "LEAST_REQUEST", "wlc"],
            ),
            (
                "envoy-least-request",
                ["random two least_conn", "random(2)", "LEAST_REQUEST", "wlc"],
            ),
            ("haproxy-source", ["ip_hash", "source", "RING_HASH", "sh"]),
            (
                "envoy-maglev",
                ["hash $request_uri consistent", "uri", "MAGLEV", "mh"],
            ),
            ("weighted-random", ["random", "random(1)", "RANDOM", "wrr"]),
        ] {
            for (product, word) in ALL.into_iter().zip(expected) {
                let (words, _) = words(product, strategy, Value::Null);
                assert_eq!(words[0], word, "{strategy} in {}", product.title());
            }
        }
        assert!(
            words(Product::Nginx, "haproxy-static-rr", Value::Null)
                .0
                .is_empty()
        );
        let two = words(
            Product::Haproxy,
            "nginx-random",
            serde_json::json!({ "two": "least_conn" }),
        );
        assert_eq!(two.0, ["random(2)"]);
        let consistent = words(
            Product::Haproxy,
            "nginx-hash",
            serde_json::json!({ "consistent": true }),
        );
        assert_eq!(consistent.0, ["uri", "hash-type consistent"]);
    }

    #[test]
    fn settings_of_the_same_product_are_written_or_named() {
        let settings = serde_json::json!({ "key": "address", "consistent": true, "max-fails": 3 });
        let (lines, remarks) = words(Product::Nginx, "nginx-hash", settings);
        assert_eq!(lines, ["hash $remote_addr consistent"]);
        assert!(remarks[0].contains("`max-fails`"), "{remarks:?}");
        let settings = serde_json::json!({ "draws": 4, "allbackups": true });
        let (lines, remarks) = words(Product::Haproxy, "haproxy-random", settings);
        assert_eq!(lines, ["random(4)", "option allbackups"]);
        assert!(remarks.is_empty(), "{remarks:?}");
    }

    /// A new strategy gets its family, or is said to have none: so are these.
    #[test]
    fn every_strategy_has_a_family_or_is_said_to_have_none() {
        for entry in CATALOGUE {
            let alone = matches!(
                entry.name,
                "resource-based" | "size-interval" | "failover" | "nearest" | "geolocation"
            );
            assert_eq!(
                family(entry.name, &Map::new()).is_none(),
                alone,
                "{}",
                entry.name
            );
            for product in ALL {
                let (_, remarks) = words(product, entry.name, Value::Null);
                assert!(
                    !alone || remarks[0].contains("has no rule like"),
                    "{remarks:?}"
                );
            }
        }
        let (words, remarks) = words(Product::Nginx, "haproxy-first", Value::Null);
        assert!(words.is_empty() && remarks[0].contains("has no rule like"));
    }
}
