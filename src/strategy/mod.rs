//! The picking rules: one file each, and one list.
//!
//! To add a rule, write a file with a type that implements [`Rule`] (or [`Oracle`]) and [`News`], and
//! add its line to the list below. From the list come the reader of scenario files, the dispatch, `lbsim
//! list` and `lbsim explain`, the documentation's table, the contract tests, and the colour in every
//! chart.
//!
//! A rule sees what a real balancer sees ([`Context`]); an oracle also sees the [`Truth`], and is called
//! an oracle wherever it is shown. Whom it may pick is the balancer's business: a rule is asked only where
//! somebody is eligible, and must pick one of the [`Candidates`] that it is handed.

mod candidates;
mod context;
mod draw;
pub mod hash;
pub mod index;
#[macro_use]
mod list;
#[cfg(test)]
mod broken;
#[cfg(test)]
mod contract;
pub mod load;
pub mod pool;
mod standby;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use candidates::Candidates;
pub use context::{
    Answer, Context, Feedback, Key, Labels, Origin, Outcome, Pick, Probe, Report, Request, Truth,
    UNLABELLED,
};
pub use list::{Entry, Sight};
pub use pool::{Member, MemberId, Pool};

/// What a rule hears between picks. Each method defaults to not listening.
pub trait News: Sized {
    /// Whether the rule reads the reports of monitoring agents, which cost time to simulate.
    const READS_REPORTS: bool = false;

    /// Whether the rule hears from servers that become idle.
    const HEARS_IDLE: bool = false;

    /// Whether the rule reads what servers say of themselves in their answers.
    const READS_FEEDBACK: bool = false;

    /// Whether the rule probes servers.
    const PROBES: bool = false;

    /// What a scenario may say of the rule.
    type Config: Clone + Default + PartialEq + std::fmt::Debug + Serialize + DeserializeOwned;

    /// Which members get requests while all are well and none is full; others stand by. By default all that are not marked as
    /// down and have a weight.
    fn in_charge(_config: &Self::Config, members: &[Member]) -> Vec<bool> {
        standby::nobody(members)
    }

    /// Whether the rule itself keeps away from servers that fail, without health checks. By default it does not.
    fn notices_failures(_config: &Self::Config) -> bool {
        false
    }

    /// What the rule looks at of where a request comes from. A rule that does not say so sees no address.
    fn origin(_config: &Self::Config) -> Origin {
        Origin::Nothing
    }

    /// The rule as a balancer starts with it, over a pool in which every member is eligible.
    fn new(config: &Self::Config, cx: &mut Context<'_>) -> Self;

    /// An answer of `member` comes soon: what is known of it may be fetched from memory. Must not change anything.
    fn foresee(&self, _member: MemberId) {}

    /// A request has been sent to `member`; its count in the pool has already grown.
    fn sent(&mut self, _member: MemberId, _cx: &mut Context<'_>) {}

    /// An attempt has ended; the member's count in the pool has already shrunk.
    fn answered(&mut self, _answer: &Answer, _cx: &mut Context<'_>) {}

    /// `member` has become eligible, or no longer is; the pool already says which. Never told because a request has been
    /// tried there: see [`Candidates`].
    fn eligibility_changed(&mut self, _member: MemberId, _cx: &mut Context<'_>) {}

    /// `member` has become part of the pool, or no longer is; the pool already says which. Where that also makes it
    /// eligible, or no longer so, [`eligibility_changed`](News::eligibility_changed) comes after.
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

/// The rule of a product, which decides more than a textbook rule does: whether a full member is passed over, whether a
/// request waits, who is tried again. It sees only what a real balancer could see.
pub trait Product: News {
    /// Picks where `request` goes. Members tried before stand in the request, and are eligible. Also asked where nobody is.
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
    textbook() {
        blind  "round-robin"          round_robin::RoundRobin;
        blind  "weighted-round-robin" weighted_round_robin::WeightedRoundRobin;
        blind  "least-connections"    least_connections::LeastConnections;
        blind  "least-response-time"  least_response_time::LeastResponseTime;
        blind  "resource-based"       resource_based::ResourceBased;
        blind  "ip-hash"              ip_hash::IpHash;
        blind  "consistent-hashing"   consistent_hashing::ConsistentHashing;
        blind  "random"               random::Random;
        blind  "weighted-random"      weighted_random::WeightedRandom;
        blind  "power-of-d"           power_of_d::PowerOfD;
        oracle "join-shortest-queue"  join_shortest_queue::JoinShortestQueue;
        oracle "least-work-left"      least_work_left::LeastWorkLeft;
    }

    /// Rules of papers.
    papers() {
        blind   "prequal" prequal::Prequal;
        product "c3"      c3::C3;
        blind   "consistent-hashing-bounded-loads" bounded_loads::BoundedLoads;
        blind   "rendezvous-hashing" rendezvous_hashing::RendezvousHashing;
        blind   "jump-hash" jump_hash::JumpHash;
        blind   "join-idle-queue" join_idle_queue::JoinIdleQueue;
        blind   "size-interval" size_interval::SizeInterval;
        blind   "yarp" yarp::Yarp;
    }

    /// Schedulers of the Linux kernel's load balancer, IPVS.
    ipvs(address, locality, scan, service, table, walk) {
        product "ipvs-rr"    rr::IpvsRoundRobin;
        product "ipvs-wrr"   wrr::IpvsWeightedRoundRobin;
        product "ipvs-lc"    lc::IpvsLeastConnections;
        product "ipvs-wlc"   wlc::IpvsWeightedLeastConnections;
        product "ipvs-sed"   sed::IpvsShortestExpectedDelay;
        product "ipvs-nq"    nq::IpvsNeverQueue;
        product "ipvs-fo"    fo::IpvsFailover;
        product "ipvs-ovf"   ovf::IpvsOverflow;
        product "ipvs-sh"    sh::IpvsSourceHashing;
        product "ipvs-dh"    dh::IpvsDestinationHashing;
        product "ipvs-mh"    mh::IpvsMaglevHashing;
        product "ipvs-lblc"  lblc::IpvsLocality;
        product "ipvs-lblcr" lblcr::IpvsReplicatedLocality;
    }

    /// nginx 1.22, its open-source version.
    nginx(peers, ring, smooth) {
        product "nginx-round-robin" round_robin::NginxRoundRobin;
        product "nginx-least-conn"  least_conn::NginxLeastConn;
        product "nginx-ip-hash"     ip_hash::NginxIpHash;
        product "nginx-hash"        hash::NginxHash;
        product "nginx-random"      random::NginxRandom;
    }

    /// HAProxy 2.6.
    haproxy(backend, fwrr, hashed, map, ring, servers) {
        product "haproxy-roundrobin" roundrobin::HaproxyRoundRobin;
        product "haproxy-static-rr"  static_rr::HaproxyStaticRr;
        product "haproxy-leastconn"  leastconn::HaproxyLeastConn;
        product "haproxy-first"      first::HaproxyFirst;
        product "haproxy-source"     source::HaproxySource;
        product "haproxy-uri"        uri::HaproxyUri;
        product "haproxy-url-param"  url_param::HaproxyUrlParam;
        product "haproxy-hdr"        hdr::HaproxyHdr;
        product "haproxy-hash"       hash::HaproxyHash;
        product "haproxy-random"     random::HaproxyRandom;
    }

    /// Envoy 1.40.
    envoy(bounded, edf, hashing, hosts, load_balancer, locality, outlier, schedule, slow_start, subset) {
        product "envoy-round-robin"   round_robin::EnvoyRoundRobin;
        product "envoy-least-request" least_request::EnvoyLeastRequest;
        product "envoy-random"        random::EnvoyRandom;
        product "envoy-ring-hash"     ring_hash::EnvoyRingHash;
        product "envoy-maglev"        maglev::EnvoyMaglev;
        product "envoy-client-side-weighted-round-robin" client_side_weighted_round_robin::EnvoyClientSideWeightedRoundRobin;
    }

    /// Load-balancing policies of gRPC clients.
    grpc(stride) {
        product "grpc-pick-first"           pick_first::GrpcPickFirst;
        product "grpc-round-robin"          round_robin::GrpcRoundRobin;
        product "grpc-weighted-round-robin" weighted_round_robin::GrpcWeightedRoundRobin;
        product "grpc-ring-hash"            ring_hash::GrpcRingHash;
        product "grpc-least-request"        least_request::GrpcLeastRequest;
    }

    /// Balancers of Finagle, Twitter's RPC library.
    finagle(nodes) {
        product "finagle-p2c-least-loaded"       p2c_least_loaded::FinagleP2cLeastLoaded;
        product "finagle-p2c-peak-ewma"          p2c_peak_ewma::FinagleP2cPeakEwma;
        product "finagle-aperture"               aperture::FinagleAperture;
        product "finagle-deterministic-aperture" deterministic_aperture::FinagleDeterministicAperture;
    }

    /// The balancer of Linkerd, a service mesh.
    linkerd() {
        blind "linkerd-peak-ewma" peak_ewma::LinkerdPeakEwma;
    }

    /// The load balancers of AWS, as far as they are documented.
    aws(targets) {
        product "aws-alb-round-robin"                alb_round_robin::AwsAlbRoundRobin;
        product "aws-alb-least-outstanding-requests" alb_least_outstanding_requests::AwsAlbLeastOutstandingRequests;
        product "aws-alb-weighted-random"            alb_weighted_random::AwsAlbWeightedRandom;
        product "aws-nlb-flow-hash"                  nlb_flow_hash::AwsNlbFlowHash;
    }
}
