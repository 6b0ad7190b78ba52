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

use super::peers::{Config, Peers};
use crate::strategy::{Answer, Context, Member, MemberId, News, Pick, Product, Request, standby};

/// The default method of nginx.
#[derive(Clone, Debug)]
pub struct NginxRoundRobin {
    peers: Peers,
}

impl News for NginxRoundRobin {
    type Config = Config;

    fn in_charge(_: &Config, members: &[Member]) -> Vec<bool> {
        standby::backups(members, usize::MAX)
    }

    fn notices_failures(config: &Config) -> bool {
        config.max_fails > 0
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        NginxRoundRobin {
            peers: Peers::new(config, cx),
        }
    }

    fn answered(&mut self, answer: &Answer, cx: &mut Context<'_>) {
        self.peers.answered(answer, cx);
    }

    fn membership_changed(&mut self, _: MemberId, _: &mut Context<'_>) {
        self.peers.reload();
    }

    fn weight_changed(&mut self, _: MemberId, _: u32, _: &mut Context<'_>) {
        self.peers.reload();
    }
}

impl Product for NginxRoundRobin {
    fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        self.peers.refresh(cx);
        self.peers.round_robin(request, cx)
    }
}
