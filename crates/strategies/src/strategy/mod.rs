//! The picking rules: one file each, and one list.
//!
//! To add a rule, write a file with a type that implements [`Rule`] (or [`Oracle`]) and [`News`],
//! and add its line to the list below, with the words (`alias`) by which people look for it. From
//! the list come the reader of scenario files, the dispatch, `lbsim list` and `lbsim explain`, the
//! documentation's table, the contract tests, and the colour in every chart.
//!
//! A rule sees what a real balancer sees ([`Context`]); an oracle also sees the [`Truth`], and is
//! called an oracle wherever it is shown. Whom it may pick is the balancer's business: a rule is
//! asked only where somebody is eligible, and must pick one of the [`Candidates`] that it is
//! handed.

mod candidates;
mod context;
mod draw;
pub mod hash;
pub mod index;
#[macro_use]
mod list;
#[cfg(test)]
mod broken;
pub mod contract;
pub mod custom;
pub mod load;
mod naming;
pub mod pool;
mod shares;
mod standby;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use candidates::Candidates;
pub use context::{
    Answer, BadSetting, Context, Feedback, Key, Labels, Origin, Outcome, Pick, Probe, Report,
    Request, Truth, UNLABELLED,
};
pub use custom::{Custom, CustomRule};
pub use list::{Entry, Sight, called};
pub use naming::short_names;
pub use pool::{Member, MemberId, Pool};
pub use shares::shares;

/// What a rule hears between picks. Each method defaults to not listening.
pub trait News: Sized {
    /// Whether the rule reads the reports of monitoring agents, which cost time to simulate.
    const READS_REPORTS: bool = false;

    /// Whether the rule gives a member of more weight more requests, also where weights change
    /// while it runs.
    const HEEDS_WEIGHTS: bool = false;

    /// Whether the rule is asked anew for whoever waits at its balancer whenever an attempt has
    /// ended; else the member where it ended takes the first of them. Only for rules to which all
    /// requests are alike ([`heeds_requests`](News::heeds_requests)).
    const PICKS_FOR_WAITING: bool = false;

    /// Whether it matters to the rule where its balancer stands: see [`ranks`](News::ranks).
    const GOES_BY_PLACE: bool = false;

    /// Whether the rule hears from servers that become idle.
    const HEARS_IDLE: bool = false;

    /// Whether the rule reads what servers say of themselves in their answers.
    const READS_FEEDBACK: bool = false;

    /// Whether an oracle wants to know when each server would begin with a request and how long
    /// that takes, which costs time to work out.
    const FORESEES: bool = false;

    /// Whether the rule hashes by [`Pool::placement`], which is drawn anew in each replication.
    const PLACES: bool = false;

    /// Whether the rule, where it [notices failures](News::notices_failures), leaves out servers
    /// for them, and says so by [`News::leaves_out`].
    const LEAVES_OUT: bool = false;

    /// Whether the rule probes servers.
    const PROBES: bool = false;

    /// What a scenario may say of the rule.
    type Config: Clone + Default + PartialEq + std::fmt::Debug + Serialize + DeserializeOwned;

    /// Which members can get requests while all are well, also where others are full; the rest
    /// stand by. By default all that are not marked as down and have a weight.
    fn in_charge(_config: &Self::Config, members: &[Member]) -> Vec<bool> {
        standby::nobody(members)
    }

    /// In which order a balancer turns to the members of its pool from where it stands (by its
    /// [zone](Pool::zone) or its [ways](Pool::way)): those of the least rank get all while any of
    /// them is well, and who has none never gets anything from there. Asked where a rule
    /// [goes by place](News::GOES_BY_PLACE). By default all are alike.
    fn ranks(_config: &Self::Config, pool: &Pool) -> Vec<Option<u64>> {
        vec![Some(0); pool.len()]
    }

    /// Whether the rule itself keeps away from servers that fail, without health checks. By default
    /// it does not.
    fn notices_failures(_config: &Self::Config) -> bool {
        false
    }

    /// Whether a pick may depend on who asks for what: on a request's client, address, port, key,
    /// labels or size. By default it may. Where a rule says that it does not, a plain system does
    /// not find out what nobody looks at.
    fn heeds_requests(_config: &Self::Config) -> bool {
        true
    }

    /// Whether a pick may depend on what has become of earlier ones: on news of requests sent and
    /// answered, on how many are in flight. By default it may. Where a rule says that it does not,
    /// and looks at nothing but requests, the time and its own picks, the response times of a plain
    /// system follow from these alone: they are worked out without a calendar, and the rule is told
    /// nothing.
    ///
    /// What a plain system does not have does not count: failures, limits of members, and what a
    /// rule reads besides (reports, feedback, probes, idle news).
    fn heeds_answers(_config: &Self::Config) -> bool {
        true
    }

    /// Whether a pick may depend on what is asked for (the key) or on the client's number. By
    /// default it does not.
    fn heeds_key(_config: &Self::Config) -> bool {
        false
    }

    /// What the rule looks at of where a request comes from. A rule that does not say so sees no
    /// address.
    fn origin(_config: &Self::Config) -> Origin {
        Origin::Nothing
    }

    /// What of the settings cannot be, beyond what the schema of each says; `Config::default()`
    /// always can.
    ///
    /// # Errors
    /// The first setting that cannot be.
    fn check(_config: &Self::Config) -> Result<(), BadSetting> {
        Ok(())
    }

    /// How often the rule has changed its mind about whom it leaves out; by default never.
    fn changes_of_mind(&self) -> u64 {
        0
    }

    /// Whether the rule itself leaves `member` out for how it has answered, or is only trying it:
    /// what it thinks at the last news that it has heard. Asked by whoever watches what balancers
    /// think of their members, and only where the count of
    /// [changes](News::changes_of_mind) has grown. Must not change anything.
    fn leaves_out(&self, _member: MemberId) -> bool {
        false
    }

    /// The rule as a balancer starts with it, over a pool in which every member is eligible.
    fn new(config: &Self::Config, cx: &mut Context<'_>) -> Self;

    /// An answer of `member` comes soon: what is known of it may be fetched from memory. Must not
    /// change anything.
    fn foresee(&self, _member: MemberId) {}

    /// A request has been sent to `member`; its count in the pool has already grown.
    fn sent(&mut self, _member: MemberId, _cx: &mut Context<'_>) {}

    /// An attempt has ended; the member's count in the pool has already shrunk.
    fn answered(&mut self, _answer: &Answer, _cx: &mut Context<'_>) {}

    /// `member` has become eligible, or no longer is; the pool already says which. Never told
    /// because a request has been tried there: see [`Candidates`].
    fn eligibility_changed(&mut self, _member: MemberId, _cx: &mut Context<'_>) {}

    /// `member` has become part of the pool, or no longer is; the pool already says which. Where
    /// that also makes it eligible, or no longer so,
    /// [`eligibility_changed`](News::eligibility_changed) comes after.
    fn membership_changed(&mut self, _member: MemberId, _cx: &mut Context<'_>) {}

    /// The weight of `member` was `before`; the pool says what it is now.
    fn weight_changed(&mut self, _member: MemberId, _before: u32, _cx: &mut Context<'_>) {}

    /// The monitoring agent of `member` has reported.
    fn reported(&mut self, _member: MemberId, _report: &Report, _cx: &mut Context<'_>) {}

    /// `member` has answered a probe.
    fn probed(&mut self, _member: MemberId, _probe: &Probe, _cx: &mut Context<'_>) {}

    /// `member` has become idle, and tells this balancer.
    fn idle(&mut self, _member: MemberId, _cx: &mut Context<'_>) {}
}

/// A rule that sees only what a real balancer could see.
pub trait Rule: News {
    /// Picks one of the candidates, of which there is at least one.
    fn pick(
        &mut self,
        request: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId;
}

/// The rule of a product, which decides more than a textbook rule does: whether a full member is
/// passed over, whether a request waits, who is tried again. It sees only what a real balancer
/// could see.
pub trait Product: News {
    /// Picks where `request` goes. Members tried before stand in the request, and are eligible.
    /// Also asked where nobody is.
    fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Pick;

    /// Whether `member` takes a request that waits for it, or for any.
    fn takes_waiting(&mut self, _member: MemberId, _cx: &mut Context<'_>) -> bool {
        false
    }
}

/// A rule that is allowed the truth: a bound to compare with, never a product.
pub trait Oracle: News {
    /// Picks one of the candidates, of which there is at least one.
    fn pick(
        &mut self,
        request: &Request<'_>,
        candidates: Candidates<'_>,
        truth: Truth<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId;

    /// The truth about `member` has changed.
    fn truth_changed(&mut self, _member: MemberId, _truth: Truth<'_>, _cx: &mut Context<'_>) {}
}

strategies! {
    /// The rules of the textbooks, and the oracles they are measured by.
    textbook(rings) {
        blind  "round-robin"          round_robin::RoundRobin
            alias "rr";
        blind  "weighted-round-robin" weighted_round_robin::WeightedRoundRobin
            alias "wrr";
        blind  "least-connections"    least_connections::LeastConnections
            alias "lc" "least_conn" "least_requests" "least_outstanding_requests" "lor";
        blind  "least-response-time"  least_response_time::LeastResponseTime
            alias "lrt" "least_time" "fastest";
        blind  "resource-based"       resource_based::ResourceBased
            alias "adaptive" "agent" "dynamic";
        blind  "ip-hash"              ip_hash::IpHash
            alias "source" "source_hash";
        blind  "consistent-hashing"   consistent_hashing::ConsistentHashing
            alias "chash" "ketama" "ring_hash" "consistent_hash";
        blind  "random"               random::Random;
        blind  "weighted-random"      weighted_random::WeightedRandom
            alias "wr";
        blind  "power-of-d"           power_of_d::PowerOfD
            alias "p2c" "po2c" "power_of_two" "power_of_two_choices" "two_random_choices" "random two";
        blind  "failover"             failover::Failover
            alias "active_standby" "primary_secondary" "vrrp" "pick_first";
        blind  "nearest"              nearest::Nearest
            alias "latency" "latency_based" "geo" "anycast" "closest";
        blind  "geolocation"          geolocation::Geolocation
            alias "geo" "geodns" "country" "by_country";
        oracle "join-shortest-queue"  join_shortest_queue::JoinShortestQueue
            alias "jsq";
        oracle "least-work-left"      least_work_left::LeastWorkLeft
            alias "lwl";
        oracle "earliest-completion"  earliest_completion::EarliestCompletion
            alias "shortest_expected_delay" "sed" "mct";
    }

    /// Rules of papers.
    papers() {
        blind   "prequal" prequal::Prequal
            alias "hcl";
        product "c3"      c3::C3;
        blind   "consistent-hashing-bounded-loads" bounded_loads::BoundedLoads
            alias "chwbl" "bounded_loads";
        blind   "rendezvous-hashing" rendezvous_hashing::RendezvousHashing
            alias "hrw" "rendezvous" "highest_random_weight";
        blind   "jump-hash" jump_hash::JumpHash
            alias "jump" "jump_consistent_hash";
        blind   "join-idle-queue" join_idle_queue::JoinIdleQueue
            alias "jiq";
        blind   "size-interval" size_interval::SizeInterval
            alias "sita" "sita_e";
        blind   "yarp" yarp::Yarp
            alias "yarp_po2c";
    }

    /// Schedulers of the Linux kernel's load balancer, IPVS.
    ipvs(address, locality, scan, service, table, walk) {
        product "ipvs-rr"    rr::IpvsRoundRobin
            alias "rr";
        product "ipvs-wrr"   wrr::IpvsWeightedRoundRobin
            alias "wrr";
        product "ipvs-lc"    lc::IpvsLeastConnections
            alias "lc";
        product "ipvs-wlc"   wlc::IpvsWeightedLeastConnections
            alias "wlc" "least_conn";
        product "ipvs-sed"   sed::IpvsShortestExpectedDelay
            alias "sed" "shortest_expected_delay";
        product "ipvs-nq"    nq::IpvsNeverQueue
            alias "nq" "never_queue";
        product "ipvs-fo"    fo::IpvsFailover
            alias "fo";
        product "ipvs-ovf"   ovf::IpvsOverflow
            alias "ovf";
        product "ipvs-sh"    sh::IpvsSourceHashing
            alias "sh" "source_hash";
        product "ipvs-dh"    dh::IpvsDestinationHashing
            alias "dh";
        product "ipvs-mh"    mh::IpvsMaglevHashing
            alias "mh" "maglev";
        product "ipvs-lblc"  lblc::IpvsLocality
            alias "lblc";
        product "ipvs-lblcr" lblcr::IpvsReplicatedLocality
            alias "lblcr";
    }

    /// nginx 1.22, its open-source version.
    nginx(peers, ring, smooth, upstream) {
        product "nginx-round-robin" round_robin::NginxRoundRobin
            alias "rr" "wrr" "smooth_wrr";
        product "nginx-least-conn"  least_conn::NginxLeastConn
            alias "least_conn";
        product "nginx-ip-hash"     ip_hash::NginxIpHash
            alias "ip_hash";
        product "nginx-hash"        hash::NginxHash
            alias "hash" "ketama" "chash";
        product "nginx-random"      random::NginxRandom
            alias "random two least_conn" "random two" "p2c";
    }

    /// HAProxy 2.6.
    haproxy(backend, fwrr, hashed, map, ring, servers) {
        product "haproxy-roundrobin" roundrobin::HaproxyRoundRobin
            alias "roundrobin" "rr" "wrr";
        product "haproxy-static-rr"  static_rr::HaproxyStaticRr
            alias "static_rr";
        product "haproxy-leastconn"  leastconn::HaproxyLeastConn
            alias "leastconn";
        product "haproxy-first"      first::HaproxyFirst
            alias "first";
        product "haproxy-source"     source::HaproxySource
            alias "source";
        product "haproxy-uri"        uri::HaproxyUri
            alias "uri";
        product "haproxy-url-param"  url_param::HaproxyUrlParam
            alias "url_param";
        product "haproxy-hdr"        hdr::HaproxyHdr
            alias "hdr" "header";
        product "haproxy-hash"       hash::HaproxyHash
            alias "hash";
        product "haproxy-random"     random::HaproxyRandom
            alias "random(2)" "p2c";
    }

    /// Envoy 1.40.
    envoy(bounded, edf, hashing, hosts, load_balancer, locality, outlier, schedule, slow_start, subset) {
        product "envoy-round-robin"   round_robin::EnvoyRoundRobin
            alias "round_robin" "rr" "wrr";
        product "envoy-least-request" least_request::EnvoyLeastRequest
            alias "least_request" "p2c";
        product "envoy-random"        random::EnvoyRandom;
        product "envoy-ring-hash"     ring_hash::EnvoyRingHash
            alias "ring_hash" "ketama";
        product "envoy-maglev"        maglev::EnvoyMaglev
            alias "maglev";
        product "envoy-client-side-weighted-round-robin" client_side_weighted_round_robin::EnvoyClientSideWeightedRoundRobin
            alias "client_side_weighted_round_robin" "cswrr";
    }

    /// Load-balancing policies of gRPC clients.
    grpc(stride) {
        product "grpc-pick-first"           pick_first::GrpcPickFirst
            alias "pick_first";
        product "grpc-round-robin"          round_robin::GrpcRoundRobin
            alias "round_robin" "rr";
        product "grpc-weighted-round-robin" weighted_round_robin::GrpcWeightedRoundRobin
            alias "weighted_round_robin" "wrr";
        product "grpc-ring-hash"            ring_hash::GrpcRingHash
            alias "ring_hash";
        product "grpc-least-request"        least_request::GrpcLeastRequest
            alias "least_request" "p2c";
    }

    /// Balancers of Finagle, Twitter's RPC library.
    finagle(nodes) {
        product "finagle-p2c-least-loaded"       p2c_least_loaded::FinagleP2cLeastLoaded
            alias "p2c" "least_loaded";
        product "finagle-p2c-peak-ewma"          p2c_peak_ewma::FinagleP2cPeakEwma
            alias "p2c" "peak_ewma" "ewma";
        product "finagle-aperture"               aperture::FinagleAperture
            alias "aperture";
        product "finagle-deterministic-aperture" deterministic_aperture::FinagleDeterministicAperture
            alias "deterministic_aperture" "aperture";
    }

    /// The balancer of Linkerd, a service mesh.
    linkerd() {
        blind "linkerd-peak-ewma" peak_ewma::LinkerdPeakEwma
            alias "peak_ewma" "ewma" "p2c";
    }

    /// The load balancers of AWS, as far as they are documented.
    aws(targets) {
        product "aws-alb-round-robin"                alb_round_robin::AwsAlbRoundRobin
            alias "round_robin" "rr";
        product "aws-alb-least-outstanding-requests" alb_least_outstanding_requests::AwsAlbLeastOutstandingRequests
            alias "least_outstanding_requests" "lor";
        product "aws-alb-weighted-random"            alb_weighted_random::AwsAlbWeightedRandom
            alias "weighted_random" "anomaly_mitigation";
        product "aws-nlb-flow-hash"                  nlb_flow_hash::AwsNlbFlowHash
            alias "flow_hash";
    }

    /// Node selection of dialogue, Palantir's HTTP client.
    dialogue() {
        product "dialogue-balanced"        balanced::DialogueBalanced
            alias "balanced" "round_robin" "rr";
        product "dialogue-pin-until-error" pin_until_error::DialoguePinUntilError
            alias "pin_until_error" "sticky";
    }
}
