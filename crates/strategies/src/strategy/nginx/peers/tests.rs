//! What recordings do not show of failures, backups and what was tried, and an upstream to try the
//! methods with.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::strategy::{
    Answer, Context, Key, Member, MemberId, Outcome, Pick, Pool, Request, Strategy, StrategyConfig,
    Truth, UNLABELLED,
};
use lbsim_engine::rng::{Domain, Rng, Seeds};
use lbsim_engine::time::{Span, Time};

/// A strategy over its pool, driven by hand.
pub(in crate::strategy::nginx) struct Rig {
    pool: Pool,
    strategy: Strategy,
    rng: Rng,
    now: Time,
    probes: Vec<MemberId>,
}

impl Rig {
    pub(in crate::strategy::nginx) fn new(config: Value, members: Vec<Member>) -> Rig {
        let config: StrategyConfig = serde_json::from_value(config).unwrap();
        let pool = Pool::new(members.into());
        let mut rng = Seeds::new(5, 0).stream(Domain::Strategy, 0);
        let now = Time::ZERO + Span::from_secs(100);
        let mut probes = Vec::new();
        let strategy = config.build(&mut Context {
            now,
            pool: &pool,
            balancer: 0,
            rng: &mut rng,
            probes: &mut probes,
        });
        Rig {
            pool,
            strategy,
            rng,
            now,
            probes,
        }
    }

    fn tell<T>(&mut self, news: impl FnOnce(&mut Strategy, &mut Context<'_>) -> T) -> T {
        let mut cx = Context {
            now: self.now,
            pool: &self.pool,
            balancer: 0,
            rng: &mut self.rng,
            probes: &mut self.probes,
        };
        news(&mut self.strategy, &mut cx)
    }

    fn wait(&mut self, seconds: f64) {
        self.now += Span::from_seconds(seconds);
    }

    fn set_eligible(&mut self, member: MemberId, eligible: bool) {
        self.pool.set_eligible(member, eligible);
        self.tell(|strategy, cx| strategy.eligibility_changed(member, cx));
    }

    fn set_present(&mut self, member: MemberId, present: bool) {
        self.pool.set_present(member, present);
        self.tell(|strategy, cx| strategy.membership_changed(member, cx));
        self.set_eligible(member, present);
    }

    /// Where a request for `key` from `address` goes after `tried`, the last one first. Nothing is
    /// sent.
    pub(in crate::strategy::nginx) fn ask(
        &mut self,
        address: &str,
        key: &str,
        tried: &[MemberId],
    ) -> Pick {
        let address: IpAddr = address.parse().unwrap();
        let request = Request {
            client: Key::Number(0),
            address: &address,
            port: 0,
            key: Key::Text(key),
            labels: UNLABELLED,
            size: 1.0,
            tried,
        };
        let truth = Truth::default();
        self.tell(|strategy, cx| strategy.pick(&request, truth, cx))
    }

    /// As `ask`, of anybody for anything.
    fn pick(&mut self, tried: &[MemberId]) -> Option<MemberId> {
        match self.ask("10.0.0.1", "k", tried) {
            Pick::Member(member) => Some(member),
            Pick::Nobody => None,
            other => panic!("{other:?}"),
        }
    }

    fn send(&mut self, member: MemberId) {
        self.pool.sent(member);
        self.tell(|strategy, cx| strategy.sent(member, cx));
    }

    fn end(&mut self, member: MemberId, outcome: Outcome) {
        self.pool.ended(member);
        let answer = Answer {
            member,
            outcome,
            status: outcome.status(),
            response_time: Span::from_millis(1),
            feedback: None,
        };
        self.tell(|strategy, cx| strategy.answered(&answer, cx));
    }

    /// Sends a request to a member, and ends it.
    pub(in crate::strategy::nginx) fn serve(&mut self, member: MemberId, outcome: Outcome) {
        self.send(member);
        self.end(member, outcome);
    }
}

pub(in crate::strategy::nginx) fn servers(weights: &[u32]) -> Vec<Member> {
    (0..)
        .zip(weights)
        .map(|(at, &weight)| Member::new(at, weight))
        .collect()
}

fn round_robin(max_fails: u32) -> Value {
    json!({ "kind": "nginx-round-robin", "max-fails": max_fails, "fail-timeout": "3s" })
}

#[test]
fn a_failed_server_gets_one_trial_after_the_timeout_and_up_to_a_second() {
    let mut upstream = Rig::new(round_robin(1), servers(&[1, 1]));
    upstream.wait(0.9);
    upstream.serve(0, Outcome::Failure);
    for seconds in [2.0, 1.0] {
        // 100.9 to 103.9: three whole seconds are not more than three.
        upstream.wait(seconds);
        assert!((0..4).all(|_| upstream.pick(&[]) == Some(1)));
    }
    upstream.wait(0.1);
    let picks: Vec<_> = (0..4).map(|_| upstream.pick(&[])).collect();
    assert_eq!(picks.iter().filter(|&&pick| pick == Some(0)).count(), 1);
    upstream.serve(0, Outcome::Success);
    let picks: Vec<_> = (0..4).map(|_| upstream.pick(&[])).collect();
    assert_eq!(picks.iter().filter(|&&pick| pick == Some(0)).count(), 2);
}

/// The second server is left alone after two failures, for 7 s and up to 1 s more; the third is
/// never given up; the first does as the upstream says.
#[test]
fn what_a_server_says_of_its_failures_goes_before_what_the_upstream_says() {
    let mut members = servers(&[1, 1, 1]);
    members[1].max_fails = Some(2);
    members[1].fail_timeout = Some(Span::from_secs(7));
    members[2].max_fails = Some(0);
    for kind in ["nginx-round-robin", "nginx-least-conn", "nginx-hash"] {
        let config = json!({ "kind": kind, "fail-timeout": "3s" });
        let mut upstream = Rig::new(config, members.clone());
        let free = |upstream: &mut Rig| {
            let mut free = [false; 3];
            for who in 0..90 {
                if let Pick::Member(member) = upstream.ask("10.0.0.1", &who.to_string(), &[]) {
                    free[member as usize] = true;
                }
            }
            free
        };
        for member in 0..3 {
            upstream.serve(member, Outcome::Failure);
        }
        assert_eq!(free(&mut upstream), [false, true, true], "{kind}");
        upstream.serve(1, Outcome::Failure);
        assert_eq!(free(&mut upstream), [false, false, true], "{kind}");
        upstream.wait(4.5);
        assert_eq!(free(&mut upstream), [true, false, true], "{kind}");
        // The trial of the first has not ended, and the next one is due.
        upstream.wait(4.0);
        assert_eq!(free(&mut upstream), [true, true, true], "{kind}");
    }
}

#[test]
fn a_success_forgives_only_as_a_trial() {
    let mut upstream = Rig::new(round_robin(2), servers(&[1, 1]));
    upstream.serve(0, Outcome::Failure);
    upstream.serve(0, Outcome::Success);
    upstream.serve(0, Outcome::Timeout);
    assert!((0..4).all(|_| upstream.pick(&[]) == Some(1)));
}

#[test]
fn a_refusal_counts_where_it_is_listed() {
    for (listed, failed) in [(json!([]), false), (json!(["http_503"]), true)] {
        let mut config = round_robin(1);
        config["next-upstream"] = listed;
        let mut upstream = Rig::new(config, servers(&[1, 1]));
        upstream.serve(0, Outcome::Rejected);
        let left_alone = (0..4).all(|_| upstream.pick(&[]) == Some(1));
        assert_eq!(left_alone, failed);
    }
}

#[test]
fn weight_lost_by_failures_comes_back_by_one_a_pick() {
    let mut upstream = Rig::new(round_robin(4), servers(&[4, 1]));
    for _ in 0..3 {
        upstream.serve(0, Outcome::Failure);
    }
    // Effective weights 1, 2, 3, 4, 4, ... against 1.
    let picks: Vec<_> = (0..5).map(|_| upstream.pick(&[]).unwrap()).collect();
    assert_eq!(picks, [0, 1, 0, 0, 0]);
}

#[test]
fn a_single_server_is_never_given_up() {
    let mut upstream = Rig::new(round_robin(1), servers(&[1]));
    for _ in 0..5 {
        upstream.serve(0, Outcome::Failure);
        assert_eq!(upstream.pick(&[0]), Some(0));
    }
    upstream.set_eligible(0, false);
    assert_eq!(upstream.pick(&[]), None);
}

#[test]
fn backups_serve_where_nobody_else_can_and_keep_what_came_to_them() {
    let mut members = servers(&[1, 1, 1, 1]);
    members[2].backup = true;
    members[3].backup = true;
    let mut upstream = Rig::new(round_robin(1), members);
    assert!((0..9).all(|_| upstream.pick(&[]) < Some(2)));
    assert_eq!(upstream.pick(&[0]), Some(1));
    assert_eq!(upstream.pick(&[1, 0]), Some(2));
    assert_eq!(upstream.pick(&[2]), Some(3));
    assert_eq!(upstream.pick(&[3, 2]), None);
    upstream.serve(0, Outcome::Failure);
    upstream.serve(1, Outcome::Failure);
    assert!(upstream.pick(&[]) >= Some(2));
}

#[test]
fn full_servers_are_passed_over_and_where_all_are_the_request_fails() {
    let mut members = servers(&[1, 1]);
    members[0].max_connections = 1;
    members[1].max_connections = 2;
    for kind in [
        "nginx-round-robin",
        "nginx-least-conn",
        "nginx-ip-hash",
        "nginx-hash",
        "nginx-random",
    ] {
        let mut upstream = Rig::new(json!({ "kind": kind }), members.clone());
        for _ in 0..3 {
            let member = upstream.pick(&[]).unwrap();
            upstream.send(member);
        }
        assert_eq!(upstream.pick(&[]), None, "{kind}");
        upstream.end(0, Outcome::Success);
        assert_eq!(upstream.pick(&[]), Some(0), "{kind}");
    }
}

#[test]
fn a_reload_forgets_failures_and_knows_the_new_servers() {
    for config in [
        json!({ "kind": "nginx-round-robin" }),
        json!({ "kind": "nginx-least-conn" }),
        json!({ "kind": "nginx-hash", "consistent": true }),
        json!({ "kind": "nginx-hash" }),
    ] {
        let mut upstream = Rig::new(config.clone(), servers(&[1, 1, 1]));
        upstream.set_present(2, false);
        assert!(upstream.pick(&[]) < Some(2), "{config}");
        upstream.serve(0, Outcome::Failure);
        upstream.serve(1, Outcome::Failure);
        assert_eq!(upstream.pick(&[]), None, "{config}");
        upstream.set_present(2, true);
        let mut picked = [false; 3];
        for who in 0..60 {
            let pick = upstream.ask("10.0.0.1", &who.to_string(), &[]);
            let Pick::Member(member) = pick else {
                panic!("{config}: {pick:?}");
            };
            picked[member as usize] = true;
        }
        assert_eq!(picked, [true; 3], "{config}");
    }
}
