//! Sends each request to the member with the least score, which weighs its response time against
//! its queue to the third power, and sends no member more than it answers.
//!
//! The score is R - 1/μ + q³/μ: R is the response time and 1/μ the service time, as moving
//! averages, and q = 1 + own requests in flight × `clients` + the moving average of the queue that
//! the server reports in its answers. The third power punishes long queues, so that a quick server
//! does not attract everybody at once. Each member has a rate that grows with the cube of time
//! since it was last cut, and is cut when more is sent than comes back.
//!
//! **Sees:** response times, and what servers say in their answers of their queue and service time.
//! **Cost of a pick:** log n; more where members are passed over because their rate is used up.
//! **Fails when:** a balancer sends a member so little that its averages are old; `clients` does
//! not fit.
//! **Source:** Suresh, Canini, Schmid and Feldmann, "C3: cutting tail latency in cloud data stores
//! via adaptive replica selection", NSDI 2015, sections 3.1 and 3.2.
//! **Differs:** from least response time by the queue, and by limiting rates: where all rates are
//! used up a request waits at the balancer until an answer comes.
//! **Verified:** documented only; constants as in the paper.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::{Answer, Context, MemberId, News, Pick, Product, Request};
use lbsim_engine::time::{Span, Time};

/// Settings of `c3`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How many balancers send to the same servers: what one has in flight stands for as many.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub clients: u32,
    /// Weight of the newest value in the moving averages.
    #[schemars(range(min = 0.001, max = 1.0))]
    pub alpha: f64,
    /// Whether rates are limited.
    pub rate_control: bool,
    /// The time over which rates are counted.
    #[schemars(extend("x-least" = "1us"))]
    pub window: Span,
    /// Requests a window that a member gets at first.
    #[schemars(range(min = 1.0, max = 1e6))]
    pub initial_rate: f64,
    /// The share by which a rate is cut: the paper's β.
    #[schemars(range(min = 0.01, max = 0.99))]
    pub beta: f64,
    /// How long after a cut a rate is back where it was.
    #[schemars(extend("x-least" = "1us"))]
    pub saddle: Span,
    /// By how much a rate grows at once at most, in requests a window.
    #[schemars(range(min = 0.1, max = 1e6))]
    pub step_max: f64,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            clients: 1,
            alpha: 0.9,
            rate_control: true,
            window: Span::from_millis(20),
            initial_rate: 10.0,
            beta: 0.2,
            saddle: Span::from_millis(100),
            step_max: 10.0,
        }
    }
}

/// Picks by response time and the cube of the queue.
#[derive(Clone, Debug)]
pub struct C3 {
    config: Config,
    members: Vec<State>,
    /// Eligible members, the least score first. Scores are not negative here, and so are ordered as
    /// their bits.
    order: BTreeSet<(u64, MemberId)>,
}

/// What is known of one member.
#[derive(Clone, Copy, Debug)]
struct State {
    /// Its place in the order, where it is eligible.
    placed: Option<u64>,
    /// Moving averages, in seconds, and of a count.
    response_time: f64,
    service_time: f64,
    queue: f64,
    answers: u64,
    /// Requests a window that it may be sent.
    rate: f64,
    /// The rate before it was last cut.
    rate_at_cut: f64,
    cut: Time,
    grown: Time,
    /// The present window, and what was sent and answered in it.
    window: u64,
    sent: f64,
    answered: f64,
    /// Answers in the window before.
    answer_rate: f64,
}

impl C3 {
    /// The score. Its first part, time not spent in service, is negative only for a moment, where
    /// the averages disagree.
    fn score(&self, state: &State, in_flight: u32) -> f64 {
        let queue = 1.0 + f64::from(in_flight) * f64::from(self.config.clients) + state.queue;
        let waits = (state.response_time - state.service_time).max(0.0);
        waits + queue.powi(3) * state.service_time
    }

    fn place(&mut self, member: MemberId, cx: &Context<'_>) {
        let state = self.members[member as usize];
        if let Some(old) = state.placed {
            self.order.remove(&(old, member));
        }
        let score = self.score(&state, cx.pool.in_flight(member)).to_bits();
        let placed = cx.pool.is_eligible(member).then_some(score);
        if let Some(score) = placed {
            self.order.insert((score, member));
        }
        self.members[member as usize].placed = placed;
    }

    /// Moves a member's counts on to the present window.
    fn turn_window(&mut self, member: MemberId, now: Time) {
        let window = now.nanos() / self.config.window.nanos().max(1);
        let state = &mut self.members[member as usize];
        if window != state.window {
            let follows = window == state.window + 1;
            state.answer_rate = if follows { state.answered } else { 0.0 };
            (state.sent, state.answered, state.window) = (0.0, 0.0, window);
        }
    }

    /// Whether the rate of a member allows one more request.
    fn may_send(&mut self, member: MemberId, cx: &Context<'_>) -> bool {
        if !self.config.rate_control || cx.pool.in_flight(member) == 0 {
            return true;
        }
        self.turn_window(member, cx.now);
        let state = &self.members[member as usize];
        state.sent < state.rate
    }

    /// Cuts the rate of a member that answers less than it is sent, or lets it grow.
    fn adapt(&mut self, member: MemberId, now: Time) {
        let Config {
            window,
            beta,
            saddle,
            step_max,
            ..
        } = self.config;
        let state = &mut self.members[member as usize];
        let answered = state.answer_rate.max(state.answered);
        let settled = |since: Time| now - since > window + window;
        if state.rate > answered && settled(state.grown) {
            if settled(state.cut) {
                state.rate_at_cut = state.rate;
                state.rate = (state.rate * (1.0 - beta)).max(1.0);
                state.cut = now;
            }
        } else if state.rate < answered {
            let since = (now - state.cut).seconds() / saddle.seconds().max(1e-9) - 1.0;
            let cubic = state.rate_at_cut * (1.0 + beta * since.powi(3));
            state.rate = cubic.clamp(1.0, state.rate + step_max);
            state.grown = now;
        }
    }
}

impl News for C3 {
    const READS_FEEDBACK: bool = true;
    type Config = Config;

    fn heeds_requests(_: &Config) -> bool {
        false
    }

    fn new(config: &Config, cx: &mut Context<'_>) -> Self {
        let state = State {
            placed: None,
            response_time: 0.0,
            service_time: 0.0,
            queue: 0.0,
            answers: 0,
            rate: config.initial_rate,
            rate_at_cut: config.initial_rate,
            cut: Time::ZERO,
            grown: Time::ZERO,
            window: 0,
            sent: 0.0,
            answered: 0.0,
            answer_rate: 0.0,
        };
        let mut rule = C3 {
            config: config.clone(),
            members: vec![state; cx.pool.len()],
            order: BTreeSet::new(),
        };
        for member in 0..cx.pool.len() as MemberId {
            rule.place(member, cx);
        }
        rule
    }

    fn sent(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.turn_window(member, cx.now);
        self.members[member as usize].sent += 1.0;
        self.place(member, cx);
    }

    fn answered(&mut self, answer: &Answer, cx: &mut Context<'_>) {
        let member = answer.member;
        self.turn_window(member, cx.now);
        let alpha = self.config.alpha;
        let state = &mut self.members[member as usize];
        state.answered += 1.0;
        let newest = if state.answers == 0 { 1.0 } else { alpha };
        let average = |old: &mut f64, new: f64| *old += newest * (new - *old);
        average(&mut state.response_time, answer.response_time.seconds());
        if let Some(feedback) = answer.feedback {
            average(&mut state.service_time, feedback.service_time.seconds());
            average(&mut state.queue, f64::from(feedback.in_flight));
            state.answers += 1;
        }
        if self.config.rate_control {
            self.adapt(member, cx.now);
        }
        self.place(member, cx);
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.place(member, cx);
    }
}

impl Product for C3 {
    fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        let mut limited = false;
        let mut next = self.order.first().copied();
        while let Some((score, member)) = next {
            if !request.tried.contains(&member) {
                if self.may_send(member, cx) {
                    return Pick::Member(member);
                }
                limited = true;
            }
            next = self.order.range((score, member + 1)..).next().copied();
        }
        match self.order.first() {
            Some(_) if limited => Pick::Wait,
            Some(&(_, member)) => Pick::Member(member),
            None => Pick::Nobody,
        }
    }

    fn takes_waiting(&mut self, member: MemberId, cx: &mut Context<'_>) -> bool {
        cx.pool.is_eligible(member) && self.may_send(member, cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::StrategyConfig;
    use crate::strategy::contract::Bench;

    #[test]
    fn the_slow_one_gets_what_its_cubed_queue_is_worth() {
        let config = Config {
            rate_control: false,
            ..Config::default()
        };
        let mut bench = Bench::of(&StrategyConfig::C3(config), &[1, 1]);
        let (quick, slow) = (Span::from_millis(1), Span::from_millis(8));
        for (member, span) in [(0, quick), (1, slow)] {
            bench.send(member);
            bench.answer_after_service(member, span);
        }
        // 8 = 2³: with one in flight the quick one is worth as much as the slow idle one; with two
        // it is worse.
        let mut sent = [0, 0];
        for _ in 0..3 {
            let member = bench.pick(0);
            bench.send(member);
            sent[member as usize] += 1;
        }
        assert_eq!(sent, [2, 1]);
    }

    #[test]
    fn beyond_its_rate_a_member_is_passed_over_and_then_requests_wait() {
        let mut bench = Bench::new("c3", &[1, 1]);
        let mut sent = [0, 0];
        while let Pick::Member(member) = bench.ask(0) {
            bench.send_at_once(member);
            sent[member as usize] += 1;
        }
        assert_eq!((bench.ask(0), sent), (Pick::Wait, [10, 10]));
        bench.wait(Span::from_millis(20));
        assert!(matches!(bench.ask(0), Pick::Member(_)));
    }
}
