//! Takes servers in turn, in proportion to weight, with the turns of each spread evenly. This is
//! nginx without a method of its own in the `upstream` block.
//!
//! A server that fails `max-fails` times is left alone for `fail-timeout` and up to a second more
//! (the clock has whole seconds), then gets one request as a trial. Each failure also costs weight
//! / `max-fails` of the effective weight, which comes back by one at each pick that considers the
//! server: a soft start. Backups serve only where nobody else can, and where not even they can the
//! request fails (502). A single server is never given up.
//!
//! State is per balancer: each worker process of nginx counts turns and failures by itself unless
//! the upstream has a `zone`, so model W workers as W balancers, and one `zone` as one.
//!
//! **Sees:** weights, its own failures and requests in flight (`max_conns`), backups, what was
//! tried.
//! **Cost of a pick:** linear in the number of servers, as in nginx.
//! **Fails when:** requests are unlike, as any round robin; with several workers, each sends a dead
//! server a request every `fail-timeout`, and all begin with the same server.
//! **Source:** nginx 1.22.1, src/http/ngx_http_upstream_round_robin.c.
//! **Differs:** from weighted round robin by effective weights, failures, `max_conns` and backups.
//! A reload (servers or weights change) forgets all of that, as in nginx, but not the requests in
//! flight. Attempts are the scenario's to limit (`proxy_next_upstream_tries`), and only the last
//! three servers tried are known.
//! **Verified:** picks equal to recordings, also those of failures, backups and `max_conns`.

use super::peers::{self, Peers};
use super::upstream::{Method, Upstream};
use crate::strategy::{Context, Pick, Request};

/// The default method of nginx.
pub type NginxRoundRobin = Upstream<InTurn>;

/// Smooth weighted round robin.
#[derive(Clone, Debug)]
pub struct InTurn;

impl Method for InTurn {
    type Config = peers::Config;

    fn shared(config: &peers::Config) -> peers::Config {
        config.clone()
    }

    fn heeds_requests(_: &peers::Config) -> bool {
        false
    }

    fn heeds_answers(_: &peers::Config) -> bool {
        false
    }

    fn new(_: &peers::Config, _: &Peers, _: &Context<'_>) -> Self {
        InTurn
    }

    fn pick(&mut self, peers: &mut Peers, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        peers.round_robin(request, cx)
    }
}
