//! Drives a balancer through the steps of a recording, up to the first pick that differs.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

use serde_json::Value;

use super::program::{Compared, MemberChange, Program, Setup, client};
use super::recording::{RecordedStep, Recording};
use super::{Difference, Verdict};
use crate::balancer::affinity::Breaking;
use crate::balancer::{Balancer, Reason};
use crate::rng::{Domain, Seeds};
use crate::stats::chi_square;
use crate::strategy::{
    Answer, Key, MemberId, Outcome, Pick, Pool, Request, StrategyConfig, Truth, UNLABELLED,
};
use crate::time::{Span, Time};

/// The chi-square test of shares rejects a true one so often.
const SHARES_LEVEL: f64 = 0.001;

/// Lines of a strategy's state that are shown.
const STATE_LINES: usize = 60;

/// Runs from which the shares of a strategy that draws are estimated.
const SHARES_RUNS: u64 = 200;

/// Compares a recording with the strategy that its program's configuration asks for.
///
/// # Errors
/// What in the recording is not understood, in a sentence.
pub(super) fn compare(recording: &Recording, program: &dyn Program) -> Result<Verdict, String> {
    let setup = program.setup(recording)?;
    let names: Vec<&str> = setup
        .members
        .iter()
        .map(|member| member.name.as_str())
        .collect();
    recording.check(&names)?;
    let steps = steps(recording);
    let drive = Drive {
        recording,
        program,
        setup: &setup,
        steps: &steps,
    };
    if setup.comparison == Compared::Shares {
        return drive.shares();
    }
    let mut best: Option<(usize, &StrategyConfig, Difference)> = None;
    for start in &setup.starts {
        let Some(difference) = drive.run(start, 0, None)?.difference else {
            return Ok(Verdict::Agrees {
                strategy: start.label(),
                compared: recording.picks.len(),
            });
        };
        if best
            .as_ref()
            .is_none_or(|(at, ..)| difference.request > *at)
        {
            best = Some((difference.request, start, difference));
        }
    }
    let (request, start, mut difference) =
        best.ok_or("the recording's program has nowhere to start")?;
    difference.state = drive.run(start, 0, Some(request))?.state;
    Ok(Verdict::Differs {
        strategy: start.label(),
        starts: setup.starts.len(),
        difference: Box::new(difference),
    })
}

/// The steps of a recording; where it has only keys or picks, a request for each.
fn steps(recording: &Recording) -> Vec<RecordedStep> {
    if !recording.events.is_empty() {
        return recording.events.clone();
    }
    let request = |at: usize| RecordedStep {
        op: "request".to_owned(),
        key: recording.keys.get(at).cloned(),
        ..RecordedStep::default()
    };
    (0..recording.picks.len()).map(request).collect()
}

/// One recording to be compared.
struct Drive<'a> {
    recording: &'a Recording,
    program: &'a dyn Program,
    setup: &'a Setup,
    steps: &'a [RecordedStep],
}

/// A balancer on its way through a recording.
struct Underway {
    balancer: Balancer,
    now: Time,
    /// Whether each server listens.
    up: Vec<bool>,
    /// Where each open request is.
    open: BTreeMap<u64, MemberId>,
    /// Requests that have left the balancer's queue, and where they went.
    dequeued: VecDeque<(u64, MemberId)>,
    /// Requests met so far.
    requests: usize,
    /// Where they went: how often each server was picked.
    hits: Vec<u64>,
    difference: Option<Difference>,
    /// The balancer as it stood before the request that was asked for.
    state: String,
}

/// Where a request went.
struct Way {
    /// The servers tried, in order.
    tried: Vec<MemberId>,
    /// The last pick.
    pick: Pick,
}

impl Drive<'_> {
    /// Follows the recording with the strategy `start` and the luck of `seed`; keeps the state
    /// before request `watched`.
    fn run(
        &self,
        start: &StrategyConfig,
        seed: u64,
        watched: Option<usize>,
    ) -> Result<Underway, String> {
        let rng = Seeds::new(seed, 0).stream(Domain::Strategy, 0);
        let members = self.setup.members.clone();
        let mut run = Underway {
            up: vec![true; members.len()],
            hits: vec![0; members.len()],
            balancer: Balancer::new(0, start, Pool::new(members.into()), rng),
            now: self.setup.begins,
            open: BTreeMap::new(),
            dequeued: VecDeque::new(),
            requests: 0,
            difference: None,
            state: String::new(),
        };
        for change in &self.setup.before {
            run.change(change);
        }
        for &(member, ref report) in &self.setup.reports {
            run.balancer.reported(member, report, run.now);
        }
        // Steps without a time stand close together where others have one.
        let timed = self.steps.iter().any(|step| step.t_ms.is_some());
        let pause = Span::from_millis(u64::from(!timed));
        for step in self.steps {
            run.now = match step.t_ms {
                Some(millis) => run.now.max(self.setup.begins + Span::from_millis(millis)),
                None => run.now + pause,
            };
            for change in self.program.changes(step, self.setup)? {
                run.change(&change);
            }
            if watched == Some(run.requests) && matches!(step.op.as_str(), "request" | "open") {
                run.state = self.state(&run);
            }
            self.step(step, &mut run)?;
            if run.difference.is_some() {
                break;
            }
        }
        if let (None, Some(&(id, member))) = (&run.difference, run.dequeued.front()) {
            let name = &self.setup.members[member as usize].name;
            run.difference =
                Some(run.differs(format!("request {id} waits"), format!("it goes to {name}")));
        }
        Ok(run)
    }

    fn step(&self, step: &RecordedStep, run: &mut Underway) -> Result<(), String> {
        let id = || step.id.ok_or_else(|| format!("`{}` has no id", step.op));
        match step.op.as_str() {
            "request" => self.request(step, run)?,
            "open" => self.open(step, id()?, run)?,
            "close" => run.close(id()?),
            "dequeued" => {
                let (id, member) = (id()?, self.member(step.server.as_deref())?);
                match run.dequeued.pop_front() {
                    Some(left) if left == (id, member) => {}
                    other => {
                        let recorded = format!(
                            "waiting request {id} goes to {}",
                            self.setup.members[member as usize].name
                        );
                        let here = other.map_or_else(
                            || "nobody leaves the queue".to_owned(),
                            |(id, to)| {
                                let name = &self.setup.members[to as usize].name;
                                format!("waiting request {id} goes to {name}")
                            },
                        );
                        run.difference = Some(run.differs(recorded, here));
                    }
                }
            }
            "down" | "up" => {
                let member = self.member(step.server.as_deref())?;
                run.up[member as usize] = step.op == "up";
            }
            "admin" | "sample" => {}
            other => return Err(format!("nothing is known of a step `{other}`")),
        }
        Ok(())
    }

    /// A request that begins and ends.
    fn request(&self, step: &RecordedStep, run: &mut Underway) -> Result<(), String> {
        if let Pick::Member(member) = self.ask(step, run)? {
            // With several tries what the client got says nothing of each.
            let failed = self.setup.tries == 1 && step.status.is_some_and(|status| status >= 500);
            let outcome = if failed {
                Outcome::Rejected
            } else {
                Outcome::Success
            };
            run.answer(member, outcome);
        }
        Ok(())
    }

    /// A request that stays open.
    fn open(&self, step: &RecordedStep, id: u64, run: &mut Underway) -> Result<(), String> {
        let waits_for = match self.ask(step, run)? {
            Pick::Member(member) => {
                run.open.insert(id, member);
                return Ok(());
            }
            Pick::Nobody | Pick::Refused => return Ok(()),
            Pick::Wait => None,
            Pick::WaitFor(member) => Some(member),
        };
        let id = u32::try_from(id).map_err(|_| format!("request {id} has too high a number"))?;
        run.balancer.enqueue(id, waits_for);
        Ok(())
    }

    /// Sends a request, compares where it went with what is recorded, and says where it is.
    fn ask(&self, step: &RecordedStep, run: &mut Underway) -> Result<Pick, String> {
        let number = run.requests;
        let recorded = match self.recording.picks.get(number) {
            Some(Value::String(name)) => Some(self.member(Some(name))?),
            Some(Value::Null) => None,
            _ => return Err(format!("request {} has no pick", number + 1)),
        };
        let least = run.least_loaded();
        let way = self.send(step, run)?;
        let picked = match way.pick {
            Pick::Member(member) => Some(member),
            _ => None,
        };
        let mut pick = way.pick;
        let agrees = match (self.setup.comparison, self.recording.tried.get(number)) {
            (Compared::Picks, Some(tried)) => {
                tried.iter().map(String::as_str).eq(self.names(&way.tried))
            }
            (Compared::Picks, None) => recorded == picked,
            (Compared::LeastLoaded, _) => {
                // Where the program drew among equals, the recording says where the request is.
                if let (Some(recorded), Some(picked)) = (recorded, picked) {
                    run.answer(picked, Outcome::Success);
                    run.balancer.sent(recorded, run.now);
                    pick = Pick::Member(recorded);
                }
                let is_least =
                    |member: Option<MemberId>| member.is_some_and(|member| least.contains(&member));
                is_least(recorded) && is_least(picked)
            }
            (Compared::Shares, _) => true,
        };
        if let Some(member) = picked {
            run.hits[member as usize] += 1;
        }
        if !agrees {
            let recorded = match (self.recording.tried.get(number), recorded) {
                (Some(tried), _) => tried.join(", then "),
                (None, Some(member)) => self.name(member).to_owned(),
                (None, None) => "nobody".to_owned(),
            };
            let here = match way.pick {
                Pick::Wait => "it waits".to_owned(),
                Pick::WaitFor(member) => format!("it waits for {}", self.name(member)),
                _ if way.tried.is_empty() => "nobody".to_owned(),
                _ => self.names(&way.tried).collect::<Vec<_>>().join(", then "),
            };
            run.difference = Some(run.differs(recorded, here));
        }
        run.requests += 1;
        Ok(pick)
    }

    /// Sends a request to one member after the other until one is up.
    fn send(&self, step: &RecordedStep, run: &mut Underway) -> Result<Way, String> {
        let text = match &step.key {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let (address, port) = client(self.setup.keyed_by, &text)?;
        let bound = step.cookie.as_ref().and_then(|cookie| {
            let at = self.setup.cookies.iter().position(|own| own == cookie)?;
            // Where its member does not take it, the bond is broken.
            let pick = (run.balancer).follow(at as MemberId, Breaking::default(), false, run.now);
            match pick {
                Some(Pick::Member(member)) => Some(member),
                _ => None,
            }
        });
        let mut tried: Vec<MemberId> = Vec::new();
        loop {
            // The rule sees those tried last first.
            let seen: Vec<MemberId> = tried.iter().rev().copied().collect();
            let request = Request {
                client: Key::Number(0),
                address: &address,
                port,
                key: Key::Text(&text),
                labels: UNLABELLED,
                size: 1.0,
                tried: &seen,
            };
            let truth = Truth::default();
            let pick = match bound.filter(|_| tried.is_empty()) {
                Some(member) => Pick::Member(member),
                None => run.balancer.pick(&request, truth, run.now),
            };
            let Pick::Member(member) = pick else {
                return Ok(Way { tried, pick });
            };
            run.balancer.sent(member, run.now);
            tried.push(member);
            if run.up[member as usize] {
                return Ok(Way { tried, pick });
            }
            run.answer(member, self.setup.when_down);
            if tried.len() >= self.setup.tries as usize {
                let pick = Pick::Nobody;
                return Ok(Way { tried, pick });
            }
        }
    }

    /// Compares how often each server was picked.
    fn shares(&self) -> Result<Verdict, String> {
        let start = self
            .setup
            .starts
            .first()
            .ok_or("there is nowhere to start")?;
        let mut hits = vec![0u64; self.setup.members.len()];
        for seed in 0..SHARES_RUNS {
            let run = self.run(start, seed, None)?;
            for (sum, own) in hits.iter_mut().zip(&run.hits) {
                *sum += own;
            }
        }
        let mut recorded = vec![0u64; hits.len()];
        for pick in &self.recording.picks {
            if let Value::String(name) = pick {
                recorded[self.member(Some(name))? as usize] += 1;
            }
        }
        let scale = recorded.iter().sum::<u64>() as f64 / hits.iter().sum::<u64>() as f64;
        let expected: Vec<f64> = hits.iter().map(|&own| own as f64 * scale).collect();
        let p = chi_square(&recorded, &expected).ok_or("shares need two servers at least")?;
        Ok(Verdict::Shares {
            strategy: start.label(),
            compared: self.recording.picks.len(),
            p,
            agrees: p >= SHARES_LEVEL,
        })
    }

    /// The members, and the strategy as it stands, in words.
    fn state(&self, run: &Underway) -> String {
        let pool = run.balancer.pool();
        let mut text = String::new();
        for (member, configured) in (0..).zip(pool.members()) {
            let note = |holds: bool, words: &'static str| if holds { words } else { "" };
            let _ = writeln!(
                text,
                "{}: weight {}, {} in flight{}{}",
                configured.name,
                pool.weight(member),
                pool.in_flight(member),
                note(!pool.is_eligible(member), ", takes no new requests"),
                note(!run.up[member as usize], ", is down"),
            );
        }
        let strategy = format!("{:#?}", run.balancer.strategy());
        let lines: Vec<&str> = strategy.lines().collect();
        for line in lines.iter().take(STATE_LINES) {
            let _ = writeln!(text, "{line}");
        }
        if lines.len() > STATE_LINES {
            let _ = writeln!(text, "... and {} lines more", lines.len() - STATE_LINES);
        }
        text
    }

    fn name(&self, member: MemberId) -> &str {
        &self.setup.members[member as usize].name
    }

    fn names<'a>(&'a self, members: &'a [MemberId]) -> impl Iterator<Item = &'a str> {
        members.iter().map(|&member| self.name(member))
    }

    fn member(&self, name: Option<&str>) -> Result<MemberId, String> {
        let name = name.ok_or("a step names no server")?;
        let at = self.setup.members.iter().position(|own| own.name == name);
        at.map(|at| at as MemberId)
            .ok_or_else(|| format!("there is no server `{name}`"))
    }
}

impl Underway {
    /// Ends an attempt.
    fn answer(&mut self, member: MemberId, outcome: Outcome) {
        let answer = Answer {
            member,
            outcome,
            status: outcome.status(),
            response_time: Span::from_millis(1),
            feedback: None,
        };
        self.balancer.answered(&answer, self.now);
        self.serve_waiting(member);
    }

    fn serve_waiting(&mut self, member: MemberId) {
        while let Some((id, member)) = self.balancer.dequeue(member, self.now) {
            self.balancer.sent(member, self.now);
            self.open.insert(u64::from(id), member);
            self.dequeued.push_back((u64::from(id), member));
        }
    }

    /// Ends a request that was open: one that waited gives up.
    fn close(&mut self, id: u64) {
        if let Some(member) = self.open.remove(&id) {
            self.answer(member, Outcome::Success);
        } else if let Ok(id) = u32::try_from(id) {
            self.balancer.give_up(id);
        }
    }

    fn change(&mut self, change: &MemberChange) {
        let (member, reason, holds) = match *change {
            MemberChange::Weight(member, weight) => {
                self.balancer.set_weight(member, weight, self.now);
                return;
            }
            MemberChange::Down(member, holds) => (member, Reason::Down, holds),
            MemberChange::Drain(member, holds) => (member, Reason::Draining, holds),
            MemberChange::Absent(member, holds) => (member, Reason::Absent, holds),
        };
        self.balancer.set(member, reason, holds, self.now);
        if !holds {
            self.serve_waiting(member);
        }
    }

    /// The eligible members with the fewest requests in flight.
    fn least_loaded(&self) -> Vec<MemberId> {
        let pool = self.balancer.pool();
        let counts = pool.eligible().iter().map(|&member| pool.in_flight(member));
        let least = counts.min();
        let all = pool.eligible().iter().copied();
        all.filter(|&member| Some(pool.in_flight(member)) == least)
            .collect()
    }

    fn differs(&self, recorded: String, here: String) -> Difference {
        Difference {
            request: self.requests,
            at: self.now,
            recorded,
            here,
            state: String::new(),
        }
    }
}
