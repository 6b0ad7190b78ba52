//! What is told of a request, with names in place of numbers.

use crate::model::blueprint::Blueprint;
use crate::observe::{Cause, Ended};
use crate::time::{Span, Time};

/// A request that has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestRow<'a> {
    pub(super) arrived: Time,
    pub(super) client: u32,
    /// `None` where its client holds none.
    pub(super) session: Option<u32>,
    /// The service that its client asked.
    pub(super) service: &'a str,
    pub(super) key: AskedKey<'a>,
    /// Who answered; `None` where it failed.
    pub(super) server: Option<&'a str>,
    pub(super) tries: u8,
    pub(super) attempts: u8,
    /// `None` where it failed.
    pub(super) waited: Option<Span>,
    /// `None` where it failed.
    pub(super) worked: Option<Span>,
    pub(super) response_time: Span,
    pub(super) outcome: &'static str,
    pub(super) measured: bool,
}

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum AskedKey<'a> {
    /// By its number.
    Number(u64),
    /// As a trace has it.
    Text(&'a str),
}

/// The names of a world.
pub(super) struct RequestNames<'a> {
    plan: &'a Blueprint,
    servers: Vec<String>,
}

impl<'a> RequestNames<'a> {
    pub(super) fn of(plan: &'a Blueprint) -> RequestNames<'a> {
        RequestNames {
            plan,
            servers: plan.server_names().collect(),
        }
    }

    pub(super) fn row(&'a self, request: &Ended) -> RequestRow<'a> {
        let source = &self.plan.sources[usize::from(request.group)];
        let texts = source.key_texts.as_deref().unwrap_or_default();
        let text = usize::try_from(request.key)
            .ok()
            .and_then(|at| texts.get(at));
        let answered = request.failed.is_none();
        RequestRow {
            arrived: request.arrived,
            client: request.client,
            session: request.session,
            service: &self.plan.services[source.service].name,
            key: text.map_or(AskedKey::Number(request.key), |text| AskedKey::Text(text)),
            server: request
                .server
                .map(|server| self.servers[server as usize].as_str()),
            tries: request.tries,
            attempts: request.attempts,
            waited: answered.then_some(request.waited),
            worked: answered.then_some(request.service_time),
            response_time: request.response_time,
            outcome: request.failed.map_or("ok", Cause::name),
            measured: request.measured,
        }
    }
}
