//! What is paid by the byte or by the request: who asked which balancers, and what messages
//! carried.

use serde::{Deserialize, Serialize};

/// Requests of the measured window and the calls made in their course, those of clients that mean
/// harm included, until each has come to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Requests that came to the balancers of each service, by service.
    pub requests: Vec<u64>,
    /// Bytes that went through them: each request once, and each good answer that was handed on.
    pub through: Vec<u64>,
    /// Bytes that went from zone to zone: by the zone that they left, and then by that where they
    /// came to.
    pub between: Vec<u64>,
    zones: usize,
}

impl Traffic {
    /// Nothing yet, for so many services and zones.
    pub fn new(services: usize, zones: usize) -> Traffic {
        Traffic {
            requests: vec![0; services],
            through: vec![0; services],
            between: vec![0; zones * zones],
            zones,
        }
    }

    /// So many bytes go from one zone to another, by number, or stay in one; who is in no zone has
    /// no way that is paid for.
    pub fn carry(&mut self, (from, to): (u16, u16), bytes: u64) {
        let (from, to) = (usize::from(from), usize::from(to));
        if from < self.zones && to < self.zones {
            self.between[from * self.zones + to] += bytes;
        }
    }

    /// Of the bytes that went from a place in one zone to a place in any, those that left their
    /// zone, 0 to 1; `None` where nothing went.
    pub fn cross_zone_share(&self) -> Option<f64> {
        let all: u64 = self.between.iter().sum();
        let within: u64 = self.between.iter().step_by(self.zones + 1).sum();
        (all > 0).then(|| (all - within) as f64 / all as f64)
    }
}
