//! The bench: a strategy without a world.

use std::net::{IpAddr, Ipv4Addr};

use super::super::{
    Answer, CATALOGUE, Context, Feedback, Key, Member, MemberId, Outcome, Pick, Pool, Probe,
    Report, Request, Strategy, StrategyConfig, Truth, UNLABELLED,
};
use lbsim_engine::rng::{Domain, Rng, Seeds};
use lbsim_engine::status::Status;
use lbsim_engine::time::{Span, Time};

/// One strategy over one pool, driven by hand. The truth is what this balancer has sent, at 10 ms a
/// request.
#[derive(Clone, Debug)]
pub struct Bench {
    pub(super) pool: Pool,
    strategy: Strategy,
    pub(super) rng: Rng,
    now: Time,
    free_at: Vec<Time>,
    probes: Vec<MemberId>,
    /// What members say of themselves in their answers.
    pub(super) feedback: Option<Feedback>,
}

impl Bench {
    /// A strategy of the list with its default settings, over idle members of these weights.
    ///
    /// # Panics
    /// Where the list has no such name.
    pub fn new(name: &str, weights: &[u32]) -> Bench {
        let entry = CATALOGUE.iter().find(|entry| entry.name == name);
        let entry = entry.expect("a strategy of the list");
        Bench::of(&(entry.default)(), weights)
    }

    /// A strategy over idle members of these weights.
    pub fn of(config: &StrategyConfig, weights: &[u32]) -> Bench {
        Bench::placed(config, weights, 0)
    }

    /// As [`of`](Self::of), with this [placement](Pool::placement).
    pub fn placed(config: &StrategyConfig, weights: &[u32], placement: u64) -> Bench {
        let members = (0u32..)
            .zip(weights)
            .map(|(position, &weight)| Member::new(position, weight));
        let pool = Pool::new(members.collect()).placed_by(placement);
        let mut probes = Vec::new();
        let mut rng = Seeds::new(11, 0).stream(Domain::Strategy, 0);
        let strategy = config.build(&mut Context {
            now: Time::ZERO,
            pool: &pool,
            balancer: 0,
            rng: &mut rng,
            probes: &mut probes,
        });
        Bench {
            strategy,
            rng,
            now: Time::ZERO,
            free_at: vec![Time::ZERO; pool.len()],
            probes,
            feedback: None,
            pool,
        }
    }

    /// The pool as the balancer counts it.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    fn tell(&mut self, news: impl FnOnce(&mut Strategy, &mut Context<'_>)) {
        news(
            &mut self.strategy,
            &mut Context {
                now: self.now,
                pool: &self.pool,
                balancer: 0,
                rng: &mut self.rng,
                probes: &mut self.probes,
            },
        );
    }

    fn tell_truth(&mut self, member: MemberId) {
        let in_system: Vec<u32> = (0..self.pool.len() as u32)
            .map(|m| self.pool.in_flight(m))
            .collect();
        let free_at = self.free_at.clone();
        self.tell(|s, cx| {
            s.truth_changed(
                member,
                Truth {
                    in_system: &in_system,
                    free_at: &free_at,
                    ..Truth::default()
                },
                cx,
            )
        });
    }

    /// Asks where a request of client `who` for key `who` goes.
    pub fn ask(&mut self, who: u32) -> Pick {
        self.ask_after(who, &[])
    }

    /// As [`ask`](Self::ask), where the request has been tried before.
    pub fn ask_after(&mut self, who: u32, tried: &[MemberId]) -> Pick {
        let address = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + who));
        self.ask_of(who, (&address, who as u16), 1.0, tried)
    }

    /// As [`ask`](Self::ask), of a client with this address and port.
    pub fn ask_from(&mut self, who: u32, address: &IpAddr, port: u16) -> Pick {
        self.ask_of(who, (address, port), 1.0, &[])
    }

    /// As [`ask`](Self::ask), with a request of this size.
    pub fn ask_for(&mut self, who: u32, size: f32) -> Pick {
        let address = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + who));
        self.ask_of(who, (&address, who as u16), size, &[])
    }

    fn ask_of(
        &mut self,
        who: u32,
        (address, port): (&IpAddr, u16),
        size: f32,
        tried: &[MemberId],
    ) -> Pick {
        let request = Request {
            client: Key::Number(u64::from(who)),
            address,
            port,
            key: Key::Number(u64::from(who)),
            labels: UNLABELLED,
            size,
            tried,
        };
        let in_system: Vec<u32> = (0..self.pool.len() as u32)
            .map(|m| self.pool.in_flight(m))
            .collect();
        let truth = Truth {
            in_system: &in_system,
            free_at: &self.free_at,
            starts_at: &self.free_at,
            takes: &vec![Span::from_millis(1); in_system.len()],
        };
        self.strategy.pick(
            &request,
            truth,
            &mut Context {
                now: self.now,
                pool: &self.pool,
                balancer: 0,
                rng: &mut self.rng,
                probes: &mut self.probes,
            },
        )
    }

    /// As [`ask`](Self::ask), where somebody is to be found.
    ///
    /// # Panics
    /// Where the rule of a product sends the request nowhere.
    pub fn pick(&mut self, who: u32) -> MemberId {
        self.pick_after(who, &[])
    }

    /// As [`ask_after`](Self::ask_after), where somebody is to be found.
    ///
    /// # Panics
    /// Where the rule of a product sends the request nowhere.
    pub fn pick_after(&mut self, who: u32, tried: &[MemberId]) -> MemberId {
        match self.ask_after(who, tried) {
            Pick::Member(member) => member,
            other => panic!("{other:?} where somebody is eligible"),
        }
    }

    /// The rule at work.
    pub fn strategy(&self) -> &Strategy {
        &self.strategy
    }

    /// Lets a member answer a probe.
    pub fn probe(&mut self, member: MemberId, probe: Probe) {
        self.tell(|s, cx| s.probed(member, &probe, cx));
    }

    /// Lets time pass.
    pub fn wait(&mut self, span: Span) {
        self.now += span;
    }

    /// Sends a request to a member, a millisecond later.
    pub fn send(&mut self, member: MemberId) {
        self.now += Span::from_millis(1);
        self.pool.sent(member);
        self.free_at[member as usize] =
            self.now.max(self.free_at[member as usize]) + Span::from_millis(10);
        self.tell(|s, cx| s.sent(member, cx));
        self.tell_truth(member);
    }

    /// As [`send`](Self::send), in no time.
    pub fn send_at_once(&mut self, member: MemberId) {
        self.pool.sent(member);
        self.tell(|s, cx| s.sent(member, cx));
    }

    /// A good answer that says how long the service took.
    pub fn answer_after_service(&mut self, member: MemberId, span: Span) {
        self.pool.ended(member);
        let answer = Answer {
            member,
            outcome: Outcome::Success,
            status: Status::OK,
            response_time: span,
            feedback: Some(Feedback {
                in_flight: 0,
                service_time: span,
            }),
        };
        self.tell(|s, cx| s.answered(&answer, cx));
    }

    /// Ends an attempt at a member, a millisecond later.
    pub fn answer(&mut self, member: MemberId, outcome: Outcome, response_time: Span) {
        self.now += Span::from_millis(1);
        self.answer_at_once(member, outcome, response_time);
    }

    /// As [`answer`](Self::answer), in no time.
    pub fn answer_at_once(&mut self, member: MemberId, outcome: Outcome, response_time: Span) {
        self.pool.ended(member);
        let feedback = self.feedback;
        self.tell(|s, cx| {
            s.answered(
                &Answer {
                    member,
                    outcome,
                    status: outcome.status(),
                    response_time,
                    feedback,
                },
                cx,
            )
        });
        self.tell_truth(member);
    }

    /// Makes a member eligible, or no longer so.
    pub fn set_eligible(&mut self, member: MemberId, eligible: bool) {
        if self.pool.set_eligible(member, eligible) {
            self.tell(|s, cx| s.eligibility_changed(member, cx));
        }
    }

    /// Gives a member another weight.
    pub fn set_weight(&mut self, member: MemberId, weight: u32) {
        let before = self.pool.weight(member);
        self.pool.set_weight(member, weight);
        self.tell(|s, cx| s.weight_changed(member, before, cx));
    }

    /// Lets a member say that it is idle.
    pub fn idle(&mut self, member: MemberId) {
        self.tell(|s, cx| s.idle(member, cx));
    }

    /// Lets the agent of a member report.
    pub fn report(&mut self, member: MemberId, report: Report) {
        self.tell(|s, cx| s.reported(member, &report, cx));
    }
}
