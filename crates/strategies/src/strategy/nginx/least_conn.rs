//! Sends each request to the server with the fewest requests in flight for its weight; among
//! equals, smooth weighted round robin decides. This is nginx with `least_conn`.
//!
//! Failures, `max_conns` and backups are as in `nginx-round-robin`. State is per balancer: each
//! worker process of nginx counts its own connections and failures unless the upstream has a
//! `zone`, so model W workers as W balancers, and one `zone` as one.
//!
//! **Sees:** its own requests in flight, weights, its own failures, backups, what was tried.
//! **Cost of a pick:** linear in the number of servers, as in nginx.
//! **Fails when:** many workers each count a small part of the load; or a server fails fast: it
//! attracts requests until `max-fails` is reached.
//! **Source:** nginx 1.22.1, src/http/modules/ngx_http_upstream_least_conn_module.c.
//! **Differs:** from least connections by the ties: its own turns and not random ones; only ties
//! move the turns and give failed servers their weight back.
//! **Verified:** picks equal to recordings, also those of failures.

use super::peers::{self, Peers};
use super::smooth::Smooth;
use super::upstream::{Method, Upstream};
use crate::strategy::{Context, MemberId, Pick, Pool, Request};

/// nginx with `least_conn`.
pub type NginxLeastConn = Upstream<FewestConns>;

/// The fewest requests in flight for the weight.
#[derive(Clone, Debug)]
pub struct FewestConns;

/// The candidate with the fewest requests in flight for its weight; among equals, `smooth` decides.
fn least_conn(smooth: &mut Smooth, candidates: &[MemberId], pool: &Pool) -> Option<MemberId> {
    // Requests in flight over weight, compared without a division.
    let load = |member: MemberId, other: MemberId| {
        u64::from(pool.in_flight(member)) * u64::from(pool.weight(other))
    };
    let mut best = *candidates.first()?;
    for &member in candidates {
        if load(member, best) < load(best, member) {
            best = member;
        }
    }
    let is_tied = |&member: &MemberId| load(member, best) == load(best, member);
    let mut tied = candidates.iter().copied().filter(is_tied);
    // Without a tie the turns are not touched.
    match tied.clone().nth(1) {
        Some(_) => smooth.pick(tied, pool),
        None => tied.next(),
    }
}

impl Method for FewestConns {
    type Config = peers::Config;

    fn shared(config: &peers::Config) -> peers::Config {
        config.clone()
    }

    fn heeds_requests(_: &peers::Config) -> bool {
        false
    }

    fn new(_: &peers::Config, _: &Peers, _: &Context<'_>) -> Self {
        FewestConns
    }

    fn pick(&mut self, peers: &mut Peers, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        peers.pick(request, cx, least_conn)
    }
}
