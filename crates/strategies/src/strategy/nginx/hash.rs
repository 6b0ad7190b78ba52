//! Sends requests for the same key to the same server, by a CRC-32 of the key. This is nginx with
//! `hash KEY`, or with `hash KEY consistent`.
//!
//! Plain, the hash falls on a server in proportion to weight; servers that are marked as down keep
//! their stretch. Where the server cannot serve, the key is hashed again with a count before it, up
//! to 20 times. `consistent` puts 160 points for each unit of weight on a ring, by a hash of the
//! server's address as it is written, and goes on to the next point, up to 20 times: points, not
//! servers. Then, and with an empty key, smooth weighted round robin decides. Failures and
//! `max_conns` are as in `nginx-round-robin`. State is per balancer: each worker process of nginx
//! counts its own failures unless the upstream has a `zone`, so model W workers as W balancers, and
//! one `zone` as one; where nobody fails, all agree.
//!
//! **Sees:** the key (or client, or address), weights, addresses of servers, its own failures, what
//! was tried.
//! **Cost of a pick:** log n for each server passed over, at most 20 of them; then linear.
//! `consistent`: the logarithm of the number of points.
//! **Fails when:** keys are hot; plain, when a server is added or taken out: nearly all keys move.
//! (Marked as down, only its own do.) Plain, with a total weight near or above 32,768: that is how
//! many values the hash has.
//! **Source:** nginx 1.22.1, src/http/modules/ngx_http_upstream_hash_module.c.
//! **Differs:** from consistent hashing by the hashes, by counting points passed over, and in that
//! a failed server is tried again with a live request. nginx refuses `backup` with it; here backups
//! serve where the round robin finds nobody else.
//! **Verified:** picks equal to recordings, also those of servers taken out or marked as down.

use crc32fast::Hasher;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::peers::{self, Condition, PASSED_OVER, Peers};
use super::ring::KetamaRing;
use super::smooth::in_turn;
use super::upstream::{Method, Upstream};
use crate::strategy::{Context, Origin, Pick, Request};
use lbsim_engine::time::Span;

/// Settings of `nginx-hash`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// What is hashed.
    pub key: HashKey,
    /// Whether servers and keys are put on a ring.
    pub consistent: bool,
    /// Failures after which a server is left alone for `fail-timeout`; 0: never.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub max_fails: u32,
    /// How long a server that failed too often is left alone; fractions of a second are dropped.
    pub fail_timeout: Span,
    /// How far into a second of the wall clock the run begins: failures are counted in whole
    /// seconds.
    pub clock_offset: Span,
    /// What counts as a failure besides errors and timeouts, which always do.
    pub next_upstream: Vec<Condition>,
}

/// What is hashed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HashKey {
    /// What is asked for, as by `$request_uri` or `$arg_NAME`.
    #[default]
    Key,
    /// The client's address, as by `$remote_addr`.
    Address,
    /// The client's number, as by a cookie that names it.
    Client,
}

impl Default for Config {
    fn default() -> Config {
        let peers::Config {
            max_fails,
            fail_timeout,
            clock_offset,
            next_upstream,
        } = peers::Config::default();
        Config {
            key: HashKey::Key,
            consistent: false,
            max_fails,
            fail_timeout,
            clock_offset,
            next_upstream,
        }
    }
}

/// nginx with `hash`.
pub type NginxHash = Upstream<ByHash>;

/// By a hash of what the request says.
#[derive(Clone, Debug)]
pub struct ByHash {
    key: HashKey,
    /// Where the hash is consistent.
    ring: Option<KetamaRing>,
}

impl ByHash {
    fn pick_by(
        &self,
        key: &[u8],
        peers: &mut Peers,
        request: &Request<'_>,
        cx: &mut Context<'_>,
    ) -> Pick {
        match &self.ring {
            _ if key.is_empty() => peers.round_robin(request, cx),
            None => plain(peers, key, request, cx),
            Some(ring) => consistent(peers, ring, key, request, cx),
        }
    }
}

fn plain(peers: &mut Peers, key: &[u8], request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
    let mut digits = itoa::Buffer::new();
    let (mut sum, mut rehash) = (0u32, 0u32);
    // A retry goes on where the attempt before it stopped: the way up to there is not counted.
    let passed_over = PASSED_OVER + request.tried.len();
    peers.seek(request, cx, passed_over, |_| {
        let mut hasher = Hasher::new();
        if rehash > 0 {
            hasher.update(digits.format(rehash).as_bytes());
        }
        hasher.update(key);
        rehash += 1;
        sum = sum.wrapping_add((hasher.finalize() >> 16) & 0x7fff);
        u64::from(sum)
    })
}

fn consistent(
    peers: &mut Peers,
    ring: &KetamaRing,
    key: &[u8],
    request: &Request<'_>,
    cx: &Context<'_>,
) -> Pick {
    if !peers.is_single() && !ring.is_empty() {
        let first = ring.locate(key);
        for point in first..=first + PASSED_OVER {
            let members = ring.peers(point);
            if let Some(pick) = peers.pick_among(members, request, cx, in_turn) {
                return pick;
            }
        }
    }
    peers.round_robin(request, cx)
}

impl Method for ByHash {
    type Config = Config;

    fn shared(config: &Config) -> peers::Config {
        peers::Config {
            max_fails: config.max_fails,
            fail_timeout: config.fail_timeout,
            clock_offset: config.clock_offset,
            next_upstream: config.next_upstream.clone(),
        }
    }

    fn origin(config: &Config) -> Origin {
        match config.key {
            HashKey::Address => Origin::Address,
            HashKey::Key | HashKey::Client => Origin::Nothing,
        }
    }

    fn heeds_answers(_: &Config) -> bool {
        false
    }

    fn heeds_key(config: &Config) -> bool {
        config.key != HashKey::Address
    }

    fn new(config: &Config, peers: &Peers, cx: &Context<'_>) -> Self {
        let ring = config
            .consistent
            .then(|| KetamaRing::new(peers.primaries(), cx.pool));
        ByHash {
            key: config.key,
            ring,
        }
    }

    fn reloaded(&mut self, peers: &Peers, cx: &Context<'_>) {
        if let Some(ring) = &mut self.ring {
            *ring = KetamaRing::new(peers.primaries(), cx.pool);
        }
    }

    fn pick(&mut self, peers: &mut Peers, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        let mut by = |key: &[u8]| self.pick_by(key, peers, request, cx);
        match self.key {
            HashKey::Key => request.key.bytes(by),
            HashKey::Address => by(request.address.to_string().as_bytes()),
            HashKey::Client => request.client.bytes(by),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::peers::tests::{Rig, servers};
    use crate::strategy::{MemberId, Outcome, Pick};

    fn member(pick: Pick) -> MemberId {
        match pick {
            Pick::Member(member) => member,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn keys_without_a_text_go_round() {
        for consistent in [false, true] {
            let config = json!({ "kind": "nginx-hash", "consistent": consistent });
            let mut upstream = Rig::new(config, servers(&[1, 1, 1]));
            let picks = [(); 4].map(|()| member(upstream.ask("10.0.0.1", "", &[])));
            assert_eq!(picks, [0, 1, 2, 0]);
        }
    }

    #[test]
    fn the_address_is_hashed_where_it_is_the_key() {
        let mut by_address = Rig::new(
            json!({ "kind": "nginx-hash", "key": "address" }),
            servers(&[1; 9]),
        );
        let mut by_key = Rig::new(json!({ "kind": "nginx-hash" }), servers(&[1; 9]));
        for host in 0..50 {
            let address = format!("10.0.0.{host}");
            let pick = by_address.ask(&address, "any", &[]);
            assert_eq!(pick, by_key.ask("10.9.9.9", &address, &[]));
        }
    }

    /// Where a failed server's keys go is where a retry goes.
    #[test]
    fn a_retry_goes_where_the_key_goes_next() {
        for consistent in [false, true] {
            let config = json!({ "kind": "nginx-hash", "consistent": consistent });
            for key in 0..50 {
                let key = key.to_string();
                let mut upstream = Rig::new(config.clone(), servers(&[3, 2, 2, 1]));
                let first = member(upstream.ask("10.0.0.1", &key, &[]));
                let second = member(upstream.ask("10.0.0.1", &key, &[first]));
                let third = member(upstream.ask("10.0.0.1", &key, &[second, first]));
                assert!(first != second && second != third && first != third);
                upstream.serve(first, Outcome::Failure);
                assert_eq!(member(upstream.ask("10.0.0.1", &key, &[])), second);
                upstream.serve(second, Outcome::Failure);
                assert_eq!(member(upstream.ask("10.0.0.1", &key, &[])), third);
            }
        }
    }

    /// 20 points are passed over, not 20 servers: of a failed server whose points lie in long rows,
    /// most keys are left to the round robin, and only those near a row's end have a next server.
    #[test]
    fn points_are_counted_and_not_servers() {
        let config = json!({ "kind": "nginx-hash", "consistent": true });
        let mut upstream = Rig::new(config, servers(&[100, 1, 1]));
        upstream.serve(0, Outcome::Failure);
        let goes_round = |key: &u32| {
            let turns = [(); 4].map(|()| upstream.ask("10.0.0.1", &key.to_string(), &[]));
            turns[1..].iter().any(|&turn| turn != turns[0])
        };
        // A point is another's with probability 2/102: of 300 keys, 100/102 to the 21st, 199, find
        // none within 21.
        let round = (0..300).filter(goes_round).count();
        assert!((150..250).contains(&round), "{round}");
    }
}
