//! What autoscalers look at: a figure of a group of servers, and what it should be.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::fault::Refuse;
use lbsim_engine::time::Span;
use lbsim_engine::units::{Rate, Share};

/// A figure of the servers of a group that take requests, and what it should be. A figure is a mean
/// over the `window` and over these servers, as many as there were.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LoadMetric {
    /// The share of their slot time in which they worked, as an agent reports CPU: slots that are
    /// only kept while something that was called is waited for do not count.
    Utilization {
        /// What it should be.
        target: Share,
    },
    /// Requests at a server, waiting ones and those on their way to it included.
    InFlight {
        /// What it should be.
        #[schemars(range(min = 0.001, max = 1e9))]
        target: f64,
    },
    /// Response times of attempts that were answered well, as the balancers see them.
    ResponseTime {
        /// What it should be.
        #[schemars(extend("x-least" = "1us"))]
        target: Span,
    },
    /// Requests a second that were sent to a server (AWS: `ALBRequestCountPerTarget`).
    Rate {
        /// What it should be.
        target: Rate,
    },
}

impl LoadMetric {
    /// What it should be: a share, a number, seconds, or so many a second.
    pub(in crate::model) fn target(&self) -> f64 {
        match self {
            LoadMetric::Utilization { target } => target.value(),
            LoadMetric::InFlight { target } => *target,
            LoadMetric::ResponseTime { target } => target.seconds(),
            LoadMetric::Rate { target } => target.value(),
        }
    }

    pub(super) fn check(&self, refuse: &mut Refuse<'_>) {
        let message = match self {
            LoadMetric::Utilization { target }
                if !(target.value() > 0.0 && target.value() <= 1.0) =>
            {
                format!("`target` is {target}; it must be more than 0%, and 100% at most")
            }
            LoadMetric::Rate { target } if target.value() <= 0.0 => {
                "`target` is nothing; it must be more".to_owned()
            }
            _ => return,
        };
        refuse("metric.target", &message);
    }
}
