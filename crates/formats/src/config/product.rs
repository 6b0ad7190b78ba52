//! The products whose configurations are read or written, and what weights they take.

use std::ops::RangeInclusive;

/// A product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    /// nginx: `server ... weight=N`.
    Nginx,
    /// HAProxy: `server ... weight N`.
    Haproxy,
    /// Envoy: `load_balancing_weight: N`.
    Envoy,
    /// Linux IPVS: `ipvsadm -w N`.
    Ipvs,
    /// Kubernetes' Gateway API: `backendRefs[].weight`.
    GatewayApi,
    /// Traefik: `weight` of a weighted service.
    Traefik,
    /// AWS Application Load Balancer: weights of target groups.
    Alb,
}

impl Product {
    /// All of them.
    pub const ALL: [Product; 7] = [
        Product::Nginx,
        Product::Haproxy,
        Product::Envoy,
        Product::Ipvs,
        Product::GatewayApi,
        Product::Traefik,
        Product::Alb,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Product::Nginx => "nginx",
            Product::Haproxy => "haproxy",
            Product::Envoy => "envoy",
            Product::Ipvs => "ipvs",
            Product::GatewayApi => "gateway-api",
            Product::Traefik => "traefik",
            Product::Alb => "alb",
        }
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Product::Nginx => "nginx",
            Product::Haproxy => "HAProxy",
            Product::Envoy => "Envoy",
            Product::Ipvs => "IPVS",
            Product::GatewayApi => "Gateway API",
            Product::Traefik => "Traefik",
            Product::Alb => "AWS Application Load Balancer",
        }
    }

    /// The weights it takes; a weight of 0, where it is among them, sends a server nothing new.
    ///
    /// nginx takes any whole number from 1 and refuses 0 (`ngx_http_upstream_server`, 1.22); a
    /// scenario takes 65,535 at most. HAProxy: 0 to 256 (configuration manual 2.6, `weight`).
    /// Envoy: at least 1 (`LbEndpoint.load_balancing_weight`). IPVS: 0 to 65,535 (`ipvsadm(8)`).
    /// Gateway API: 0 to 1,000,000 (`BackendRef`). Traefik: any whole number from 0. ALB: 0 to 999
    /// (`TargetGroupTuple`).
    pub fn weights(self) -> RangeInclusive<u32> {
        match self {
            Product::Nginx | Product::Envoy => 1..=65_535,
            Product::Haproxy => 0..=256,
            Product::Ipvs | Product::Traefik => 0..=65_535,
            Product::GatewayApi => 0..=1_000_000,
            Product::Alb => 0..=999,
        }
    }
}
