//! Load-balancing strategies, among them those of nginx, HAProxy, Envoy, IPVS, gRPC, Finagle,
//! Linkerd and AWS, which pick the same server as the programs do, request for request; what a rule
//! may see; and what a balancer knows of its servers.
//!
//! ```
//! use lbsim_strategies::strategy::StrategyConfig;
//!
//! let text = r#"{ "kind": "envoy-maglev", "table-size": 1009 }"#;
//! let strategy: StrategyConfig = serde_json::from_str(text).unwrap();
//! assert_eq!(strategy.name(), "envoy-maglev");
//! ```

pub mod balancer;
pub mod strategy;
