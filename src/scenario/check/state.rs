//! Where the state of sessions lives: what servers do for it, and what they keep.

use super::super::file::{File, OnConflict, Servers, Service, Shipping, State};
use super::super::text::Path;
use super::Check;
use super::clients::sampler;
use super::steps::delay;
use crate::distribution::{Dist, Sampler};
use crate::model::discipline::Standing;
use crate::model::state::{Access, CopyPlan, Home, KeepPlan, Shipping as ShippingPlan, TokenPlan};
use crate::model::step::{CallPlan, Only, Pause, StepKind, StepPlan};
use crate::time::Span;

/// Where the sessions live whose clients ask this service; `None` where that makes no sense, which
/// has been said where it stands.
pub(super) fn home(file: &File, index: usize) -> Option<Home> {
    let at = |name: &String| file.services.iter().position(|other| other.name == *name);
    Some(match &file.services.get(index)?.state {
        None | Some(State::Server(_) | State::Replicated(_)) => Home::Servers(index),
        Some(State::Store(store)) => Home::Servers(at(&store.service)?),
        Some(State::Client(_)) => Home::Client,
        Some(State::Token(token)) => Home::Token(TokenPlan {
            lifetime: token.lifetime,
            renews: token.renews,
            rotation: (token.rotation.as_ref()).map(|own| (own.every, own.grace)),
            looked_up: token.deny_list.is_some(),
        }),
    })
}

/// How the servers of a service keep what lives there.
pub(super) fn keeps(service: &Service, at: &Path, check: &mut Check<'_>) -> KeepPlan {
    let at = at.key("state");
    if memory_of(service).is_some_and(|memory| memory.value() == 0) {
        let message =
            "`memory` is 0B: no state would stay for a moment; leave it out for any number";
        check.fault(&at.key("memory"), "out-of-range", message);
    }
    let bytes = |memory: &Option<crate::units::Bytes>| memory.map(crate::units::Bytes::value);
    let plan = match &service.state {
        None | Some(State::Token(_)) => KeepPlan::default(),
        Some(State::Server(state)) => KeepPlan {
            memory: bytes(&state.memory),
            ttl: state.ttl,
            ..KeepPlan::default()
        },
        Some(State::Client(state)) => KeepPlan {
            memory: bytes(&state.memory),
            ..KeepPlan::default()
        },
        Some(State::Store(state)) => KeepPlan {
            cache: state.cache,
            ..KeepPlan::default()
        },
        Some(State::Replicated(state)) => {
            let servers: u64 = (service.servers.iter())
                .map(|group| u64::from(group.places()))
                .sum();
            if u64::from(state.copies) > servers {
                let message = format!(
                    "`copies` is {}, and `{}` has {servers} servers: no two may be on one",
                    state.copies, service.name
                );
                check.fault(&at.key("copies"), "out-of-range", message);
            }
            let shipping = match &state.shipping {
                Shipping::Synchronous => Some(ShippingPlan::Synchronous),
                Shipping::Asynchronous(own) => {
                    sampler(&own.lag, &at.key("shipping").key("lag"), check).map(ShippingPlan::Lag)
                }
                Shipping::Interval(own) => Some(ShippingPlan::Interval(own.every)),
            };
            if state.delay.is_some() && state.shipping != Shipping::Synchronous {
                let message = "only a change that is synchronous waits for its copies; remove `delay`, or use `shipping = \"synchronous\"`";
                check.fault(&at.key("delay"), "contradiction", message);
            }
            let copies = shipping.map(|shipping| CopyPlan {
                others: state.copies - 1,
                placement: state.placement,
                shipping,
                read: state.read_copies,
            });
            KeepPlan {
                memory: bytes(&state.memory),
                ttl: state.ttl,
                copies,
                ..KeepPlan::default()
            }
        }
    };
    KeepPlan {
        is_said: service.state.is_some(),
        ..plan
    }
}

/// Room for states on each server, where the service says it.
fn memory_of(service: &Service) -> Option<crate::units::Bytes> {
    match service.state.as_ref()? {
        State::Server(state) => state.memory,
        State::Replicated(state) => state.memory,
        State::Client(state) => state.memory,
        State::Store(_) | State::Token(_) => None,
    }
}

/// What servers do for the state of a session in the course of a request.
struct Steps<'a, 'c, 'd> {
    file: &'a File,
    group: &'a Servers,
    at: Path,
    check: &'c mut Check<'d>,
    /// The share of requests that change the state.
    writes: f64,
    before: Vec<StepPlan>,
    after: Vec<StepPlan>,
}

/// Puts what servers of a group do for sessions around the steps that they take besides.
pub(super) fn around(
    file: &File,
    (service, at): (&Service, &Path),
    group: &Servers,
    own: Vec<StepPlan>,
    check: &mut Check<'_>,
) -> Vec<StepPlan> {
    let Some(state) = &service.state else {
        return own;
    };
    let is_asked = asked_by(file, service).next().is_some();
    let mut steps = Steps {
        file,
        group,
        at: at.key("state"),
        check,
        writes: if is_asked {
            writes(file, service)
        } else {
            writing_calls(file, service)
        },
        before: Vec::new(),
        after: Vec::new(),
    };
    let known = steps.check.faults.len();
    // A store does for its callers' calls what servers do that keep states themselves. That it is
    // one that can keep any is said where it is called.
    let keeps = matches!(state, State::Server(_) | State::Replicated(_));
    if is_asked || keeps && stores_for(file, service).next().is_some() {
        steps.of(state);
    }
    let Steps {
        before,
        after,
        check,
        ..
    } = steps;
    // What is wrong with a store is told once, and not for each call and each group.
    for fault in check.faults.split_off(known) {
        if !check.faults.contains(&fault) {
            check.faults.push(fault);
        }
    }
    let mut all = before;
    if !all.is_empty() {
        all.push(step(StepKind::Own, Only::Drawn, 1.0));
    }
    all.extend(own);
    all.extend(after);
    all
}

/// The groups of clients whose sessions a service uses.
fn asked_by<'f>(
    file: &'f File,
    service: &Service,
) -> impl Iterator<Item = &'f super::super::file::Sessions> {
    let name = service.name.clone();
    let is_first = (file.services.first()).is_some_and(|first| first.name == name);
    file.clients.iter().filter_map(move |clients| {
        let sessions = clients.sessions.as_ref()?;
        let used_by = sessions.at.as_ref().or(clients.service.as_ref());
        used_by
            .map_or(is_first, |own| *own == name)
            .then_some(sessions)
    })
}

/// The services whose clients hold sessions that live in this one.
fn stores_for<'f>(file: &'f File, store: &'f Service) -> impl Iterator<Item = &'f Service> {
    file.services.iter().filter(move |service| {
        let is_theirs =
            matches!(&service.state, Some(State::Store(state)) if state.service == store.name);
        is_theirs && asked_by(file, service).next().is_some()
    })
}

/// The share of calls to a store that write, by services alike: each request reads, and some write.
fn writing_calls(file: &File, store: &Service) -> f64 {
    let shares: Vec<f64> = stores_for(file, store)
        .map(|service| writes(file, service))
        .map(|writes| writes / (1.0 + writes))
        .collect();
    shares.iter().sum::<f64>() / shares.len().max(1) as f64
}

/// The share of requests with sessions that change their state, by groups of clients alike.
fn writes(file: &File, service: &Service) -> f64 {
    let shares: Vec<f64> = asked_by(file, service)
        .map(|sessions| sessions.writes.value())
        .collect();
    shares.iter().sum::<f64>() / shares.len().max(1) as f64
}

fn step(kind: StepKind, only: Only, probability: f64) -> StepPlan {
    StepPlan {
        kind,
        repeat: 1,
        only,
        sources: None,
        share: 1.0,
        probability,
    }
}

impl Steps<'_, '_, '_> {
    fn of(&mut self, state: &State) {
        match state {
            State::Server(state) => self.rebuild(&state.rebuild),
            State::Client(state) => self.rebuild(&state.rebuild),
            State::Replicated(state) => {
                self.rebuild(&state.rebuild);
                if let Some(takes) = self.sampler(&state.fetch, "fetch") {
                    let pause = self.pause(takes);
                    self.before.push(step(pause, Only::Elsewhere, 0.0));
                }
                let writes = self.writes;
                if let Some(work) = self.sampler(&state.work, "work") {
                    let work = StepKind::Work(work);
                    self.after.push(step(work, Only::ChangingOrNew, writes));
                }
                if let Some(takes) = self.sampler(&state.delay, "delay") {
                    let pause = self.pause(takes);
                    self.after.push(step(pause, Only::ChangingOrNew, writes));
                }
            }
            State::Store(state) => {
                let key = self.at.key("service");
                let said = (state.optional, state.blocking, state.timeout);
                let (read, write) = (Some(Access::Read), Some(Access::Write));
                if let Some(call) = self.call(&state.service, &key, said, read) {
                    let only = if state.cache.is_some() {
                        Only::Unknown
                    } else {
                        Only::Drawn
                    };
                    let share = if state.cache.is_some() { 0.0 } else { 1.0 };
                    self.before.push(step(call, only, share));
                }
                self.rebuild(&state.rebuild);
                let writes = self.writes;
                if let Some(mut call) = self.call(&state.service, &key, said, write) {
                    if let StepKind::Call(plan) = &mut call {
                        plan.compares = state.on_conflict == OnConflict::Repeat;
                    }
                    self.after.push(step(call, Only::ChangingOrNew, writes));
                }
            }
            State::Token(state) => {
                if let Some(work) = self.sampler(&state.verify, "verify") {
                    self.before
                        .push(step(StepKind::Work(work), Only::Drawn, 1.0));
                }
                if let Some(list) = &state.deny_list {
                    let key = self.at.key("deny-list");
                    if let Some(call) = self.call(list, &key, (false, None, None), None) {
                        self.before.push(step(call, Only::Drawn, 1.0));
                    }
                }
                self.rebuild(&state.rebuild);
            }
        }
    }

    fn sampler(&mut self, dist: &Option<Dist<Span>>, key: &str) -> Option<Sampler> {
        sampler(dist.as_ref()?, &self.at.key(key), self.check)
    }

    fn rebuild(&mut self, dist: &Option<Dist<Span>>) {
        if let Some(work) = self.sampler(dist, "rebuild") {
            self.before.push(step(StepKind::Work(work), Only::New, 0.0));
        }
    }

    fn shares(&self) -> bool {
        self.group.discipline.standing() == Standing::Nowhere
    }

    fn pause(&self, takes: Sampler) -> StepKind {
        StepKind::Pause(Pause {
            takes,
            blocking: !self.shares(),
        })
    }

    /// A call to a store.
    fn call(
        &mut self,
        name: &str,
        at: &Path,
        (optional, blocking, timeout): (bool, Option<bool>, Option<Span>),
        access: Option<Access>,
    ) -> Option<StepKind> {
        let known = (self.file.services.iter()).map(|service| service.name.as_str());
        let service = self.check.find(at, "service", name, known)?;
        let keeps = match &self.file.services[service].state {
            Some(State::Store(_)) => Some("store"),
            Some(State::Token(_)) => Some("token"),
            Some(State::Client(_)) => Some("client"),
            _ => None,
        };
        if let (Some(kind), Some(_)) = (keeps, access) {
            let message = format!(
                "`{name}` is to keep states, and says itself that they are elsewhere (`state`, `kind = \"{kind}\"`)"
            );
            self.check.fault(at, "contradiction", message);
            return None;
        }
        Some(StepKind::Call(CallPlan {
            services: vec![service],
            wait_for: 1,
            optional,
            blocking: blocking.unwrap_or(!self.shares()),
            at_once: None,
            timeout,
            to_balancer: delay(self.file, self.group, self.check)?,
            access,
            compares: false,
        }))
    }
}
