//! Whoever wants to know of each request.

use super::Cause;
use lbsim_engine::time::{Span, Time};

/// A request that has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ended {
    /// When its client sent it.
    pub arrived: Time,
    /// Its client, among all clients of the world.
    pub client: u32,
    /// Its group of clients, in the scenario's order.
    pub group: u16,
    /// Its session, among all of the world; `None` where its group holds none.
    pub session: Option<u32>,
    /// What it asked for: a number, or the place of a text among those of a trace.
    pub key: u64,
    /// How large it was, in the scenario's unit.
    pub size: f32,
    /// The server that answered, among all servers of the world; `None` where the request failed.
    pub server: Option<u32>,
    /// How often its client asked for it; 255 for more.
    pub tries: u8,
    /// Attempts made, of the last time that its client asked.
    pub attempts: u8,
    /// How long the server worked on it; zero where the request failed.
    pub service_time: Span,
    /// How long it waited for a slot at the server that answered, and before at the balancer; zero
    /// where the request failed.
    pub waited: Span,
    /// From the client's sending to the client's having the answer, or the failure.
    pub response_time: Span,
    /// Why it failed, if it did.
    pub failed: Option<Cause>,
    /// Whether it arrived in the measured window.
    pub measured: bool,
}

/// Hears of each request when it ends: in the order of ends, not of arrivals.
pub trait Witness {
    /// A request has ended.
    fn ended(&mut self, request: &Ended);
}

impl<F: FnMut(&Ended)> Witness for F {
    fn ended(&mut self, request: &Ended) {
        self(request);
    }
}
