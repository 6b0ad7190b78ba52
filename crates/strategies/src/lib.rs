//! Load-balancing strategies, among them those of nginx, HAProxy, Envoy, IPVS and gRPC, which pick the same server as the
//! programs do, request for request; what they may see; what a balancer knows; and recordings of the real programs, replayed.

pub mod balancer;
pub mod strategy;
