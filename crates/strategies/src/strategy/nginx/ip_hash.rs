//! Sends a client always to the same server: the first three bytes of its IPv4 address, or all of
//! its IPv6 address, say which. This is nginx with `ip_hash`.
//!
//! The hash falls on a server in proportion to weight; servers that are marked as down keep their
//! stretch. Where the server cannot serve, the hash is continued to the next place, up to 20 times;
//! then smooth weighted round robin decides. Failures and `max_conns` are as in
//! `nginx-round-robin`. State is per balancer: each worker process of nginx counts its own failures
//! unless the upstream has a `zone`, so model W workers as W balancers, and one `zone` as one;
//! where nobody fails, all agree.
//!
//! **Sees:** the client's address, weights, its own failures and requests in flight, what was
//! tried.
//! **Cost of a pick:** log n for each server passed over, at most 20 of them; then linear.
//! **Fails when:** clients share a /24 (a company, a provider's gateway): one server gets them all;
//! a server is added or taken out: nearly all clients move.
//! **Source:** nginx 1.22.1, src/http/modules/ngx_http_upstream_ip_hash_module.c.
//! **Differs:** from ip-hash by the hash, by whole /24s, and in that a server marked as down moves
//! only its own clients. nginx refuses `backup` with it; here backups serve where the round robin
//! finds nobody else.
//! **Verified:** picks equal to recordings, also those of servers marked as down.

use std::net::IpAddr;

use super::peers::{self, PASSED_OVER, Peers};
use super::upstream::{Method, Upstream};
use crate::strategy::{Context, Origin, Pick, Request};

/// nginx with `ip_hash`.
pub type NginxIpHash = Upstream<ByNetwork>;

/// By a hash of the client's network.
#[derive(Clone, Debug)]
pub struct ByNetwork;

impl Method for ByNetwork {
    type Config = peers::Config;

    fn shared(config: &peers::Config) -> peers::Config {
        config.clone()
    }

    fn origin(_: &peers::Config) -> Origin {
        Origin::Address
    }

    fn heeds_answers(_: &peers::Config) -> bool {
        false
    }

    fn new(_: &peers::Config, _: &Peers, _: &Context<'_>) -> Self {
        ByNetwork
    }

    fn pick(&mut self, peers: &mut Peers, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        let mut hash: u32 = 89;
        let mut step = |bytes: &[u8]| {
            for &byte in bytes {
                hash = (hash * 113 + u32::from(byte)) % 6271;
            }
            u64::from(hash)
        };
        // A retry goes on where the attempt before it stopped: the way up to there is not counted.
        let passed_over = PASSED_OVER + request.tried.len();
        match request.address {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                peers.seek(request, cx, passed_over, |_| step(&[a, b, c]))
            }
            IpAddr::V6(address) => {
                let bytes = address.octets();
                peers.seek(request, cx, passed_over, |_| step(&bytes))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::peers::tests::{Rig, servers};
    use crate::strategy::{Outcome, Pick};

    #[test]
    fn clients_of_a_network_share_a_server_and_move_together() {
        let mut upstream = Rig::new(json!({ "kind": "nginx-ip-hash" }), servers(&[1; 7]));
        let mut ask = |host: u8, tried: &[u32]| upstream.ask(&format!("192.0.2.{host}"), "", tried);
        let Pick::Member(first) = ask(1, &[]) else {
            panic!("nobody");
        };
        assert!((2..=255).all(|host| ask(host, &[]) == Pick::Member(first)));
        let second = ask(1, &[first]);
        assert!(second != Pick::Member(first));
        assert!((2..=255).all(|host| ask(host, &[first]) == second));
        upstream.serve(first, Outcome::Failure);
        assert_eq!(upstream.ask("192.0.2.9", "", &[]), second);
    }

    /// The hash has 6,271 values and repeats itself: with 100 servers of which one is left, it may
    /// never come by.
    #[test]
    fn after_twenty_places_in_vain_the_round_robin_decides() {
        let mut upstream = Rig::new(json!({ "kind": "nginx-ip-hash" }), servers(&[1; 1000]));
        for server in 1..1000 {
            upstream.serve(server, Outcome::Failure);
        }
        for net in 0..200 {
            let pick = upstream.ask(&format!("10.1.{net}.1"), "", &[]);
            assert_eq!(pick, Pick::Member(0));
        }
    }
}
