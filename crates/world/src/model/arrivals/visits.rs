//! Visits, as those of people: each begins when it likes, makes some requests one after the other,
//! and ends. Between an open process and a closed loop: how many visits there are does not depend
//! on the system, when their next request comes does (Schroeder, Wierman and Harchol-Balter, Open
//! versus closed, NSDI 2006: a partly-open system).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Process;
use lbsim_engine::distribution::{Amount, Dist, Sampler};
use lbsim_engine::rng::{Luck, mix};
use lbsim_engine::time::Span;
use lbsim_engine::units::Rate;

/// Visits that begin independently of each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VisitsConfig {
    /// How many begin, on average.
    pub rate: Rate,
    /// How many requests each makes: rounded, and one at least.
    pub requests: Dist<Amount>,
    /// How long a visitor thinks between an answer and the next request.
    pub think: Dist<Span>,
    /// Whether a visitor logs out at the end: its session ends then. Otherwise it ends by idleness.
    /// Of several sessions of a client (`per-client`) it is that of the last request of the visit.
    #[serde(default)]
    pub logs_out: bool,
}

/// Visits, ready to draw from.
#[derive(Clone, Debug)]
pub struct Visits {
    /// When they begin.
    pub process: Process,
    /// Requests of each, before they are rounded.
    pub requests: Sampler,
    /// How many that are on average: within 1%, by drawing.
    mean_requests: f64,
    /// Pauses between them, in seconds.
    pub think: Sampler,
    /// Whether sessions end with them.
    pub logs_out: bool,
}

/// Draws of which the mean is taken.
const DRAWS: u64 = 40_000;

/// How many requests a visit makes of which so many are drawn.
pub(crate) fn whole(drawn: f64) -> u32 {
    (drawn.round() as u32).max(1)
}

impl Visits {
    /// Visits that begin so, of so many requests, with such pauses.
    pub fn new(process: Process, requests: Sampler, think: Sampler, logs_out: bool) -> Visits {
        let draw = |number| f64::from(whole(requests.sample(&mut Luck::new(mix(number), 0))));
        let mean_requests = (0..DRAWS).map(draw).sum::<f64>() / DRAWS as f64;
        Visits {
            process,
            requests,
            mean_requests,
            think,
            logs_out,
        }
    }

    /// Requests a second over the first `over` of time, once as many visits end as begin.
    pub fn rate(&self, over: Span) -> f64 {
        self.process.mean_rate(over) * self.mean_requests
    }

    /// Visits under way at a time, at the least: as if requests took no time.
    pub fn under_way(&self, over: Span) -> f64 {
        let pauses = self.mean_requests - 1.0;
        self.process.mean_rate(over) * pauses * self.think.mean()
    }
}
