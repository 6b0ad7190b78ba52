//! Configurations and access logs of real balancers, read as they are found.
//!
//! | module | reads |
//! |---|---|
//! | [`config`] | pools, weights and settings of nginx, HAProxy and Envoy; writes other weights |
//! | [`logs`] | access logs of nginx, HAProxy, Envoy, AWS and others, of any size |
//! | [`tabular`], [`prose`] | what tables of text have in common; counts and lists in sentences |
//! | [`spelling`] | what a name was meant to be |
//!
//! ```
//! use std::path::Path;
//! use lbsim_formats::config::nginx;
//!
//! let text = "upstream web { least_conn; server 10.0.0.1:80 weight=3; server 10.0.0.2:80; }";
//! let configuration = nginx::read_text(Path::new("nginx.conf"), text).unwrap();
//! assert_eq!(configuration.pools[0].name, "web");
//! assert_eq!(configuration.pools[0].servers.len(), 2);
//! ```

pub mod config;
pub mod logs;
pub mod prose;
pub mod spelling;
pub mod tabular;
