//! What is measured while a cell runs: response times, stretches of time, servers, sessions,
//! counters. Measuring never draws a random number and never changes the world.

mod detection;
mod fault_time;
mod histogram;
mod latency;
pub mod laws;
mod load;
mod occupancy;
mod pool;
mod presence;
mod sessions;
mod timeline;
mod traffic;
mod witness;

pub use detection::{Detection, LeftOutBy};
pub use fault_time::FaultTime;
pub use latency::Latency;
pub use load::{Load, OverTime, ServerLoad};
pub use pool::PoolCount;
pub use presence::Presence;
pub use sessions::{Hurt, Loss, SessionCount, SessionPart, StateMemory, States};
pub use timeline::{Stretch, Timeline};
pub use traffic::Traffic;
pub use witness::{Ended, Witness};

use serde::{Deserialize, Serialize};

use lbsim_engine::time::{Span, Time};
use lbsim_strategies::strategy::Outcome;

/// Why a request was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Nobody was eligible.
    NoServer,
    /// The server was dead, or died on the way.
    Crash,
    /// The server's queue was full, or its discipline dropped whoever waited.
    QueueFull,
    /// The last attempt ran into its timeout.
    Timeout,
    /// The server answered with an error.
    Error,
    /// The client had waited long enough.
    GaveUp,
    /// A limit of the balancer, or of all its servers, was reached.
    Limited,
}

impl Cause {
    /// How many there are.
    pub const COUNT: usize = 7;

    /// All of them, in the order in which they are shown.
    pub const ALL: [Cause; Cause::COUNT] = [
        Cause::NoServer,
        Cause::Crash,
        Cause::QueueFull,
        Cause::Timeout,
        Cause::Error,
        Cause::GaveUp,
        Cause::Limited,
    ];

    /// The name in files and requirements.
    pub fn name(self) -> &'static str {
        match self {
            Cause::NoServer => "no-server",
            Cause::Crash => "crash",
            Cause::QueueFull => "queue-full",
            Cause::Timeout => "timeout",
            Cause::Error => "error",
            Cause::GaveUp => "gave-up",
            Cause::Limited => "limited",
        }
    }

    /// How an attempt or a request has ended that ended for this.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Cause::QueueFull | Cause::Limited => Outcome::Rejected,
            Cause::Error => Outcome::Error,
            Cause::Timeout => Outcome::Timeout,
            Cause::NoServer | Cause::Crash => Outcome::Failure,
            Cause::GaveUp => Outcome::Cancelled,
        }
    }
}

/// What one of several groups of clients met with.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Part {
    /// Its requests that arrived in the measured window.
    pub requests: u64,
    /// Failed ones among them, by [`Cause`].
    pub failed: [u64; Cause::COUNT],
    /// Response times of those that succeeded.
    pub latency: Latency,
    /// Times to the end of those that failed.
    pub failures: Latency,
}

/// What became of the requests to one of several services, those of clients and those of servers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ServiceCount {
    /// Requests that were made.
    pub requests: u64,
    /// Attempts made for them.
    pub attempts: u64,
    /// Failed ones among them, by [`Cause`].
    pub failed: [u64; Cause::COUNT],
    /// Response times of those that succeeded, as whoever asked sees them.
    pub latency: Latency,
    /// How long those waited for a slot, at the server and at the balancer, of the attempt that was
    /// answered.
    pub waited: Span,
    /// How long they were worked on.
    pub worked: Span,
    /// How long they waited for what their servers had called.
    pub called: Span,
}

/// What became of the work that servers have done, over the whole run, in slot-nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// All of it, as the slots count it.
    pub done: u64,
    /// On attempts that were answered well while their balancer waited for them.
    pub useful: u64,
    /// On attempts that ended in any other way: for nobody, or in vain.
    pub wasted: u64,
    /// On attempts that had not ended when the run did.
    pub inside: u64,
}

/// Requests of clients that mean harm, that arrived in the measured window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hostile {
    /// How many there were.
    pub requests: u64,
    /// How many of them were answered.
    pub answered: u64,
    /// Attempts sent for them, by server; none where no client is hostile.
    pub sent: Vec<u64>,
}

/// All that one cell measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tally {
    /// Where the measured window begins.
    pub from: Time,
    /// Where it ends.
    pub to: Time,
    /// Requests that arrived in the measured window.
    pub requests: u64,
    /// Failed ones among them, by [`Cause`].
    pub failed: [u64; Cause::COUNT],
    /// Those that were still under way when the run was cut off.
    pub unfinished: u64,
    /// Times that their clients asked, again after failures included.
    pub tries: u64,
    /// What those sent that mean harm; no other count has it, but what servers worked.
    pub hostile: Hostile,
    /// Attempts made for them.
    pub attempts: u64,
    /// Connections opened for them; `None` where no balancer is one of layer 4.
    pub connections: Option<u64>,
    /// Those that were answered, and not at the first try: of their balancer, or of their client.
    pub answered_again: u64,
    /// What became of the work that servers have done; `None` where nothing can fail, and where
    /// servers share themselves, whose work is not told apart.
    pub work: Option<Work>,
    /// Response times of those that succeeded.
    pub latency: Latency,
    /// Times to the end of those that failed.
    pub failures: Latency,
    /// Stretches of simulated time, warm-up included.
    pub timeline: Timeline,
    /// Busy time of servers.
    pub load: Load,
    /// Sessions and their state.
    pub sessions: SessionCount,
    /// Measured requests under way.
    pub presence: Presence,
    /// Requests that arrived in the whole run: the work done.
    pub simulated: u64,
    /// Whether a strategy drew random numbers of its own.
    pub drew: bool,
    /// The measured requests by group of clients; empty where there is one group.
    pub parts: Vec<Part>,
    /// The measured requests and the calls made in their course, by service; empty where no server
    /// has steps.
    pub services: Vec<ServiceCount>,
    /// What balancers noticed of failures, by service; empty where nothing fails or nobody looks.
    pub detections: Vec<Detection>,
    /// For how long the faults held whose times are drawn, in the order of the plan.
    pub faults: Vec<FaultTime>,
    /// Servers in the pools; `None` where no autoscaler orders and removes any.
    pub pools: Option<Box<PoolCount>>,
    /// What is paid by the byte or by the request; `None` where nothing is.
    pub traffic: Option<Box<Traffic>>,
}

impl Tally {
    /// Nothing measured yet. `slots` has the slots of each server, by service; `stretches` of equal
    /// length divide the time from zero to `to`.
    pub fn new(from: Time, to: Time, stretches: usize, slots: &[&[u32]]) -> Tally {
        Tally {
            from,
            to,
            requests: 0,
            failed: [0; Cause::COUNT],
            unfinished: 0,
            tries: 0,
            connections: None,
            hostile: Hostile::default(),
            attempts: 0,
            answered_again: 0,
            work: None,
            latency: Latency::default(),
            failures: Latency::default(),
            timeline: Timeline::new(to, stretches),
            load: Load::new(from, to, stretches, slots),
            sessions: SessionCount::default(),
            presence: Presence::default(),
            simulated: 0,
            drew: false,
            parts: Vec::new(),
            services: Vec::new(),
            detections: Vec::new(),
            faults: Vec::new(),
            pools: None,
            traffic: None,
        }
    }

    /// As [`Tally::new`], for so many groups of clients.
    pub fn for_groups(mut self, groups: usize) -> Tally {
        if groups > 1 {
            self.parts.resize(groups, Part::default());
        }
        self
    }

    /// As [`Tally::new`], counting what is paid by the byte or by the request, if anything is.
    pub fn for_traffic(mut self, traffic: Option<Traffic>) -> Tally {
        self.traffic = traffic.map(Box::new);
        self
    }

    /// As [`Tally::new`], counting connections if there may be some.
    pub fn for_connections(mut self, may_be: bool) -> Tally {
        self.connections = may_be.then_some(0);
        self
    }

    /// As [`Tally::new`], counting for so many services what becomes of what they are asked.
    pub fn for_services(mut self, services: usize) -> Tally {
        self.services.resize(services, ServiceCount::default());
        self
    }

    /// As [`Tally::new`], counting over time who loses the state of a session of those that are on
    /// at this time, and for each of several groups of clients what becomes of its sessions.
    pub fn for_sessions(mut self, cohort_from: Option<Time>) -> Tally {
        if let Some(from) = cohort_from {
            let groups = self.parts.len();
            self.sessions.parts.resize(groups, SessionPart::default());
            self.sessions.cohort_from = from;
            self.sessions.cohort_hurt = vec![0; self.timeline.stretches().len()];
        }
        self
    }

    /// As [`Tally::new`], counting what becomes of the work of servers, if so.
    pub fn for_work(mut self, counts: bool) -> Tally {
        self.work = counts.then(Work::default);
        self
    }

    /// As [`Tally::new`], counting for how long these faults hold.
    pub fn for_faults(mut self, faults: Vec<FaultTime>) -> Tally {
        self.faults = faults;
        self
    }

    /// As [`Tally::new`], counting servers in the pools, if so: of each the time that it is there,
    /// and so many of them from the start.
    pub fn for_pools(mut self, count: Option<u32>) -> Tally {
        if let Some(count) = count {
            let (servers, stretches) = (self.load.servers.len(), self.timeline.stretches().len());
            let window = (self.from, self.to);
            let pools = PoolCount::new(window, stretches, (servers, count));
            self.pools = Some(Box::new(pools));
            self.load.keep_stays();
        }
        self
    }

    /// As [`Tally::new`], counting for so many services what their balancers notice.
    pub fn for_detections(mut self, services: usize) -> Tally {
        self.detections.resize(services, Detection::default());
        self
    }

    /// Where the requests of a group of clients are counted, if its own are.
    #[inline(always)]
    pub fn part(&mut self, group: u16) -> Option<&mut Part> {
        self.parts.get_mut(usize::from(group))
    }

    /// Whether a request that arrives at `now` is measured.
    #[inline]
    pub fn measures(&self, now: Time) -> bool {
        now >= self.from && now < self.to
    }

    /// A request that arrived in `stretch` has been answered.
    #[inline(always)]
    pub fn succeeded(&mut self, stretch: u16, response_time: Span, measured: bool) {
        let cell = histogram::cell(response_time.nanos());
        if measured {
            self.latency.record_in(cell, response_time);
        }
        self.timeline.succeeded(stretch, cell, response_time);
    }

    /// A request that arrived in `stretch` has failed.
    pub fn failed(&mut self, stretch: u16, after: Span, cause: Cause, measured: bool) {
        if measured {
            self.failed[cause as usize] += 1;
            self.failures.record(after);
        }
        self.timeline.failed(stretch);
    }

    /// A session of a group of clients has begun.
    pub fn session_begun(&mut self, group: u16, now: Time) {
        let more = u64::from(self.measures(now));
        self.sessions.on(group, more);
    }

    /// A session of a group has lost its state, with so many acknowledged changes.
    pub fn session_lost(
        &mut self,
        (group, now): (u16, Time),
        loss: Loss,
        hurt: Hurt,
        changes: u64,
    ) {
        self.sessions.states.lost += 1;
        if !self.measures(now) {
            return;
        }
        self.sessions.unwritten(group, changes);
        self.session_hurt((group, now), loss, hurt);
    }

    /// A request of a session has been answered as one of a visitor who is not known.
    pub fn session_unknown(&mut self, (group, now): (u16, Time), hurt: Hurt) {
        if self.measures(now) {
            self.sessions.met(group, true);
            self.session_hurt((group, now), Loss::StoreAway, hurt);
        }
    }

    /// A session is hurt in the measured window.
    fn session_hurt(&mut self, (group, now): (u16, Time), loss: Loss, hurt: Hurt) {
        self.sessions.lost(group, loss, hurt.first);
        if hurt.followed {
            let stretch = now.nanos() / self.timeline.length().nanos().max(1);
            if let Some(count) = self.sessions.cohort_hurt.get_mut(stretch as usize) {
                *count += 1;
            }
        }
    }

    /// Requests that succeeded.
    pub fn succeeded_count(&self) -> u64 {
        self.latency.count()
    }

    /// Length of the measured window in seconds.
    pub fn seconds(&self) -> f64 {
        (self.to - self.from).seconds()
    }
}
