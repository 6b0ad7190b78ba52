//! Laws that hold in each cell whatever is simulated. Each counts the same thing in two ways that
//! share no code; where they do not agree, the program is wrong, and so is every figure of the run.

use super::{SessionPart, Tally};

/// A law that does not hold: its name, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The law.
    pub law: &'static str,
    /// What was found.
    pub found: String,
}

/// All laws that a cell breaks; none where the program is right.
pub fn violations(tally: &Tally) -> Vec<Violation> {
    let mut broken = Vec::new();
    let mut demand = |law, holds: bool, found: String| {
        if !holds {
            broken.push(Violation { law, found });
        }
    };
    // Conservation: what came in was answered, has failed, or is still there.
    let failed: u64 = tally.failed.iter().sum();
    let ended = tally.succeeded_count() + failed;
    demand(
        "conservation of requests",
        tally.requests == ended + tally.unfinished,
        format!(
            "{} came, {} were answered, {failed} failed, {} are unfinished",
            tally.requests,
            tally.succeeded_count(),
            tally.unfinished
        ),
    );
    demand(
        "conservation of failures",
        tally.failures.count() == failed,
        format!(
            "{} failures were timed, {failed} counted",
            tally.failures.count()
        ),
    );
    // Little (1961): the number in the system over time, and the times that each spent there, are
    // one area. Here it holds to the nanosecond, where all that came has gone.
    let stays = (tally.latency.total() + tally.failures.total()) as u64;
    let law = tally.unfinished > 0 || stays == tally.presence.time();
    demand(
        "Little's law",
        law,
        format!(
            "the number in the system adds up to {} ns, the response times to {stays} ns",
            tally.presence.time()
        ),
    );
    // Flow balance: what balancers sent is what servers were sent; nobody begins more than came.
    let sent: u64 = tally.load.servers.iter().map(|server| server.sent).sum();
    let attempts = match &tally.services[..] {
        [] => tally.attempts,
        services => services.iter().map(|service| service.attempts).sum(),
    };
    demand(
        "flow balance",
        sent == attempts,
        format!("balancers sent {attempts} attempts, servers were sent {sent}"),
    );
    // What servers have done is of use, in vain, or still under way.
    if let Some(work) = tally.work {
        let all = work.useful + work.wasted + work.inside;
        demand(
            "conservation of work",
            all == work.done,
            format!(
                "servers worked {} ns; of use, in vain and under way are {work:?}",
                work.done
            ),
        );
    }
    // A state that began has ended, was lost, or is there.
    let states = tally.sessions.states;
    demand(
        "conservation of states",
        states.begun == states.ended + states.lost + states.alive,
        format!("{states:?}"),
    );
    // What is told apart by groups of clients is the whole.
    if !tally.sessions.parts.is_empty() {
        let parts = || tally.sessions.parts.iter();
        let sum = |of: fn(&SessionPart) -> u64| parts().map(of).sum::<u64>();
        let whole = tally.sessions.whole();
        let all: [fn(&SessionPart) -> u64; 7] = [
            |part| part.all,
            |part| part.lost.iter().sum(),
            |part| part.hurt.iter().sum(),
            |part| part.met,
            |part| part.writes,
            |part| part.writes_lost,
            |part| part.set_back,
        ];
        demand(
            "sessions of groups",
            all.into_iter().all(|of| sum(of) == of(&whole)),
            format!("{:?} are not {whole:?}", tally.sessions.parts),
        );
    }
    // A server is never busier than it can be.
    for (server, share) in tally.load.utilization().into_iter().enumerate() {
        let holds = (0.0..=1.0).contains(&share);
        demand(
            "utilization",
            holds,
            format!("server {server} is busy {share} of the time"),
        );
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Work;
    use lbsim_engine::time::{Span, Time};

    fn tally() -> Tally {
        let mut tally = Tally::new(Time::ZERO, Time::from_nanos(1000), 1, &[&[1]]);
        tally.requests = 2;
        tally.attempts = 2;
        tally.load.servers[0].sent = 2;
        tally.presence.enter(Time::from_nanos(100));
        tally.presence.enter(Time::from_nanos(150));
        tally
            .load
            .busy(0, 1, Time::from_nanos(100), Time::from_nanos(300));
        tally.presence.leave(Time::from_nanos(200), Span::ZERO);
        tally.succeeded(0, Span::from_nanos(100), true);
        tally.presence.leave(Time::from_nanos(300), Span::ZERO);
        tally.succeeded(0, Span::from_nanos(150), true);
        tally
    }

    #[test]
    fn a_right_cell_breaks_none() {
        assert_eq!(violations(&tally()), []);
    }

    /// Each way of being wrong is found, and called by its name.
    #[test]
    fn each_law_finds_its_fault() {
        type Fault = fn(&mut Tally);
        let faults: [(&str, Fault); 6] = [
            ("conservation of requests", |tally| tally.requests += 1),
            ("conservation of failures", |tally| {
                tally.failed[0] += 1;
                tally.requests += 1;
            }),
            ("Little's law", |tally| {
                tally.presence.enter(Time::from_nanos(400));
                tally.presence.leave(Time::from_nanos(401), Span::ZERO);
            }),
            ("flow balance", |tally| tally.attempts -= 1),
            ("conservation of work", |tally| {
                tally.work = Some(Work {
                    done: 10,
                    useful: 7,
                    wasted: 2,
                    inside: 0,
                });
            }),
            ("utilization", |tally| {
                tally
                    .load
                    .busy(0, 1, Time::from_nanos(0), Time::from_nanos(1000));
            }),
        ];
        for (law, fault) in faults {
            let mut tally = tally();
            fault(&mut tally);
            let broken = violations(&tally);
            assert!(
                broken.iter().any(|violation| violation.law == law),
                "{law}: {broken:?}"
            );
        }
    }
}
