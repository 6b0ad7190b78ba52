//! What every strategy promises, tested on each line of the list.

use std::net::{IpAddr, Ipv4Addr};

use super::{Strategy, *};
use lbsim_engine::rng::{Domain, Rng, Seeds, below, mix};
use lbsim_engine::time::{Span, Time};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};

/// One strategy over one pool, driven by hand. The truth is what this balancer has sent.
#[derive(Clone)]
pub(super) struct Bench {
    pub(super) pool: Pool,
    strategy: Strategy,
    rng: Rng,
    now: Time,
    free_at: Vec<Time>,
    probes: Vec<MemberId>,
    /// What members say of themselves in their answers.
    feedback: Option<Feedback>,
}

impl Bench {
    pub(super) fn new(name: &str, weights: &[u32]) -> Bench {
        let entry = CATALOGUE.iter().find(|entry| entry.name == name).unwrap();
        Bench::of(&(entry.default)(), weights)
    }

    pub(super) fn with(config: textbook::power_of_d::Config, weights: &[u32]) -> Bench {
        Bench::of(&StrategyConfig::PowerOfD(config), weights)
    }

    pub(super) fn of(config: &StrategyConfig, weights: &[u32]) -> Bench {
        Bench::placed(config, weights, 0)
    }

    pub(super) fn placed(config: &StrategyConfig, weights: &[u32], placement: u64) -> Bench {
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
    pub(super) fn ask(&mut self, who: u32) -> Pick {
        self.ask_after(who, &[])
    }

    /// As [`ask`](Self::ask), where the request has been tried before.
    pub(super) fn ask_after(&mut self, who: u32, tried: &[MemberId]) -> Pick {
        let address = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + who));
        self.ask_of(who, (&address, who as u16), tried)
    }

    /// As [`Bench::ask`], of a client with this address and port.
    fn ask_from(&mut self, who: u32, address: &IpAddr, port: u16) -> Pick {
        self.ask_of(who, (address, port), &[])
    }

    fn ask_of(&mut self, who: u32, (address, port): (&IpAddr, u16), tried: &[MemberId]) -> Pick {
        let request = Request {
            client: Key::Number(u64::from(who)),
            address,
            port,
            key: Key::Number(u64::from(who)),
            labels: UNLABELLED,
            size: 1.0,
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
    pub(super) fn pick(&mut self, who: u32) -> MemberId {
        self.pick_after(who, &[])
    }

    /// As [`ask_after`](Self::ask_after), where somebody is to be found.
    pub(super) fn pick_after(&mut self, who: u32, tried: &[MemberId]) -> MemberId {
        match self.ask_after(who, tried) {
            Pick::Member(member) => member,
            other => panic!("{other:?} where somebody is eligible"),
        }
    }

    pub(super) fn strategy(&self) -> &Strategy {
        &self.strategy
    }

    /// Lets a member answer a probe.
    pub(super) fn probe(&mut self, member: MemberId, probe: Probe) {
        self.tell(|s, cx| s.probed(member, &probe, cx));
    }

    /// Lets time pass.
    pub(super) fn wait(&mut self, span: Span) {
        self.now += span;
    }

    pub(super) fn send(&mut self, member: MemberId) {
        self.now += Span::from_millis(1);
        self.pool.sent(member);
        self.free_at[member as usize] =
            self.now.max(self.free_at[member as usize]) + Span::from_millis(10);
        self.tell(|s, cx| s.sent(member, cx));
        self.tell_truth(member);
    }

    /// As [`send`](Self::send), in no time.
    pub(super) fn send_at_once(&mut self, member: MemberId) {
        self.pool.sent(member);
        self.tell(|s, cx| s.sent(member, cx));
    }

    /// A good answer that says how long the service took.
    pub(super) fn answer_after_service(&mut self, member: MemberId, span: Span) {
        self.pool.ended(member);
        let answer = Answer {
            member,
            outcome: Outcome::Success,
            response_time: span,
            feedback: Some(Feedback {
                in_flight: 0,
                service_time: span,
            }),
        };
        self.tell(|s, cx| s.answered(&answer, cx));
    }

    pub(super) fn answer(&mut self, member: MemberId, outcome: Outcome, response_time: Span) {
        self.now += Span::from_millis(1);
        self.pool.ended(member);
        let feedback = self.feedback;
        self.tell(|s, cx| {
            s.answered(
                &Answer {
                    member,
                    outcome,
                    response_time,
                    feedback,
                },
                cx,
            )
        });
        self.tell_truth(member);
    }

    pub(super) fn set_eligible(&mut self, member: MemberId, eligible: bool) {
        if self.pool.set_eligible(member, eligible) {
            self.tell(|s, cx| s.eligibility_changed(member, cx));
        }
    }

    /// Lets a member say that it is idle.
    pub(super) fn idle(&mut self, member: MemberId) {
        self.tell(|s, cx| s.idle(member, cx));
    }

    pub(super) fn report(&mut self, member: MemberId, report: Report) {
        self.tell(|s, cx| s.reported(member, &report, cx));
    }
}

#[test]
fn names_are_unique_and_kebab_case_and_read_back() {
    for (at, entry) in CATALOGUE.iter().enumerate() {
        assert!(
            entry
                .name
                .chars()
                .all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-')),
            "{}",
            entry.name
        );
        assert!(
            CATALOGUE[..at].iter().all(|other| other.name != entry.name),
            "{} twice",
            entry.name
        );
        let config = (entry.default)();
        assert_eq!(config.index(), at);
        let text = serde_json::to_string(&config).unwrap();
        assert!(
            text.contains(&format!("\"kind\":\"{}\"", entry.name)),
            "{text}"
        );
        assert_eq!(
            serde_json::from_str::<StrategyConfig>(&text).unwrap(),
            config
        );
        let bare = format!("{{\"kind\":\"{}\"}}", entry.name);
        assert_eq!(
            serde_json::from_str::<StrategyConfig>(&bare).unwrap(),
            config
        );
    }
}

/// Whether a strategy turns to members that are not eligible where too few are.
fn fails_open(entry: &Entry) -> bool {
    ["envoy-", "aws-alb-", "finagle-"]
        .iter()
        .any(|family| entry.name.starts_with(family))
}

/// The hash functions of textbooks and papers differ from replication to replication, and products'
/// own do not.
#[test]
fn placements_are_drawn_where_no_product_fixes_them() {
    let salted = [
        "ip-hash",
        "consistent-hashing",
        "consistent-hashing-bounded-loads",
        "rendezvous-hashing",
        "jump-hash",
    ];
    for entry in CATALOGUE {
        let picks = |placement: u64| -> Vec<Pick> {
            let mut bench = Bench::placed(&(entry.default)(), &[1; 5], placement);
            (0..200).map(|who| bench.ask(who)).collect()
        };
        let differs = picks(1) != picks(2);
        assert_eq!(differs, salted.contains(&entry.name), "{}", entry.name);
    }
}

#[test]
fn each_is_explained() {
    for entry in CATALOGUE {
        let doc = entry.doc();
        for part in [
            "**Sees:**",
            "**Cost of a pick:**",
            "**Fails when:**",
            "**Source:**",
        ] {
            assert!(doc.contains(part), "{} does not say {part}", entry.name);
        }
        for part in ["**Differs:**", "**Verified:**"] {
            let says = doc.contains(part) || entry.sight != Sight::Product;
            assert!(says, "{} does not say {part}", entry.name);
        }
        assert!(
            entry.summary().ends_with('.') && entry.summary().len() > 30,
            "{}",
            entry.summary()
        );
        assert_eq!(
            entry.sight == Sight::Oracle,
            (entry.default)().label().ends_with(" (oracle)")
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_picks() {
    for entry in CATALOGUE {
        let run = || {
            let mut bench = Bench::new(entry.name, &[3, 1, 2, 1]);
            (0..500)
                .map(|who| {
                    let pick = bench.ask(who % 17);
                    if let Pick::Member(member) = pick {
                        bench.send(member);
                        if who % 3 == 0 {
                            bench.answer(member, Outcome::Success, Span::from_millis(10));
                        }
                    }
                    pick
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(run(), run(), "{}", entry.name);
    }
}

/// Only rules that declare it are told what servers say of themselves; a rule that forgets would
/// read nothing in any world, and here it is seen to read. Whom a rule takes where all are alike
/// says the worst of itself, and the next ones less and less.
#[test]
fn only_rules_that_say_so_read_feedback() {
    for entry in CATALOGUE {
        let picks = |says: bool| {
            let mut bench = Bench::new(entry.name, &[3, 1, 2, 1]);
            (0..500u32)
                .map(|who| {
                    let pick = bench.ask(who % 17);
                    if let Pick::Member(member) = pick {
                        bench.send(member);
                        bench.feedback = says.then_some(Feedback {
                            in_flight: 7 * (3 - member),
                            service_time: Span::from_millis(u64::from(1 + (3 - member) * who % 50)),
                        });
                        bench.answer(member, Outcome::Success, Span::from_millis(10));
                    }
                    pick
                })
                .collect::<Vec<_>>()
        };
        let reads = picks(true) != picks(false);
        assert_eq!(reads, (entry.default)().reads_feedback(), "{}", entry.name);
    }
}

/// Rules that claim to follow weights do, over many clients: within 4.5 standard deviations of a
/// random draw (7e-6 a member). Those with a ring also within 4.5 of its unevenness, those with a
/// table within what its places leave over.
#[test]
fn shares_follow_weights_where_the_rule_says_so() {
    const EXACT: (f64, f64) = (f64::INFINITY, f64::INFINITY);
    /// A ring of so many points for each unit of weight.
    const fn ring(points: f64) -> (f64, f64) {
        (points, f64::INFINITY)
    }
    /// A table of so many places.
    const fn table(places: f64) -> (f64, f64) {
        (f64::INFINITY, places)
    }
    for (name, (points, places)) in [
        ("weighted-round-robin", EXACT),
        ("weighted-random", EXACT),
        ("ip-hash", EXACT),
        ("resource-based", EXACT),
        ("consistent-hashing", ring(64.0)),
        ("consistent-hashing-bounded-loads", ring(64.0)),
        ("rendezvous-hashing", EXACT),
        ("ipvs-wrr", EXACT),
        ("ipvs-sh", table(256.0)),
        ("ipvs-mh", table(4093.0)),
        ("nginx-round-robin", EXACT),
        ("nginx-least-conn", EXACT),
        ("nginx-random", EXACT),
        ("nginx-hash", EXACT),
        ("haproxy-roundrobin", EXACT),
        ("haproxy-static-rr", EXACT),
        ("haproxy-source", EXACT),
        ("haproxy-uri", EXACT),
        ("haproxy-url-param", EXACT),
        ("haproxy-hdr", EXACT),
        ("haproxy-hash", EXACT),
        ("haproxy-random", ring(16.0)),
        ("envoy-round-robin", EXACT),
        ("envoy-least-request", EXACT),
        ("envoy-ring-hash", ring(102.4)),
        ("envoy-maglev", table(65_537.0)),
        ("grpc-ring-hash", ring(102.4)),
        ("finagle-deterministic-aperture", EXACT),
    ] {
        let weights = [4, 1, 3, 2];
        let mut bench = Bench::new(name, &weights);
        let mut hits = [0u32; 4];
        for who in 0..100_000 {
            hits[bench.pick(who) as usize] += 1;
        }
        for (&hit, weight) in hits.iter().zip(weights) {
            let due = f64::from(weight) * 10_000.0;
            let slack = 4.5 * (due * (1.0 - due / 1e5)).sqrt()
                + 4.5 * due / (points * f64::from(weight)).sqrt()
                + 4.0 * 1e5 / places;
            assert!((f64::from(hit) - due).abs() < slack, "{name}: {hits:?}");
        }
    }
}

/// Rules to whom their own pick is news: whose turn comes next, whose answer is used up, which
/// sizes come; estimates that fade when they are read, which rounds otherwise in two steps than in
/// one. That they forget nothing of those whom a request has tried is tested in their own files.
const PICKS_ARE_NEWS: [&str; 6] = [
    "round-robin",
    "weighted-round-robin",
    "prequal",
    "join-idle-queue",
    "size-interval",
    "linkerd-peak-ewma",
];

impl Bench {
    /// Something happens between picks.
    fn live(&mut self, step: u8, word: u32) {
        let member = word % self.pool.len() as u32;
        let span = Span::from_nanos(u64::from(word));
        match step {
            0..=2 => self.send(member),
            3 | 4 if self.pool.in_flight(member) > 0 => {
                let outcomes = [Outcome::Success, Outcome::Failure, Outcome::Timeout];
                self.answer(member, outcomes[word as usize % 3], span);
            }
            5 => self.report(
                member,
                Report {
                    cpu: f64::from(word % 101) / 100.0,
                    memory: 0.5,
                    in_flight: word % 9,
                    rate: 1.0,
                    errors: 0.0,
                },
            ),
            6 => self.probe(
                member,
                Probe {
                    in_flight: word % 9,
                    latency: span,
                },
            ),
            7 => self.idle(member),
            _ => self.wait(span),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// To have been tried is no news of a member: after picks that must avoid some members a rule
    /// goes on as its twin does, who was not asked.
    #[test]
    fn who_was_tried_is_not_forgotten(
        weights in prop::collection::vec(1u32..5, 2..12),
        steps in prop::collection::vec((0u8..9, any::<u32>()), 0..120),
        tried in prop::collection::vec(any::<u32>(), 1..4),
    ) {
        let n = weights.len() as u32;
        let tried: Vec<MemberId> = tried.into_iter().map(|word| word % n).collect();
        for entry in CATALOGUE.iter().filter(|entry| entry.sight != Sight::Product) {
            let mut bench = Bench::new(entry.name, &weights);
            for &(step, word) in &steps {
                bench.live(step, word);
            }
            let mut twin = bench.clone();
            for who in 0..5 {
                let picked = bench.pick_after(who, &tried);
                let among = Candidates::new(&bench.pool, &tried);
                prop_assert!(among.contains(picked), "{} picked {picked}", entry.name);
            }
            if PICKS_ARE_NEWS.contains(&entry.name) {
                continue;
            }
            // What chance decides is not what is known.
            bench.rng = twin.rng.clone();
            for who in 0..40 {
                let picked = bench.pick(who);
                prop_assert_eq!(picked, twin.pick(who), "{}", entry.name);
                bench.send(picked);
                twin.send(picked);
            }
        }
    }

    /// Whatever happens, every rule picks among the eligible, and does not panic.
    #[test]
    fn picks_are_eligible(
        weights in prop::collection::vec(1u32..20, 1..40),
        steps in prop::collection::vec((0u8..8, any::<u32>()), 1..400),
    ) {
        for entry in CATALOGUE {
            let mut bench = Bench::new(entry.name, &weights);
            let n = weights.len() as u32;
            for &(step, word) in &steps {
                let member = word % n;
                match step {
                    3 if entry.sight != Sight::Product && !bench.pool.eligible().is_empty() => {
                        let tried = [member, word / 7 % n, word / 11 % n];
                        let picked = bench.pick_after(word % 1000, &tried);
                        let among = Candidates::new(&bench.pool, &tried);
                        prop_assert!(among.contains(picked), "{} picked {picked}", entry.name);
                        bench.send(picked);
                    }
                    0..=3 if !bench.pool.eligible().is_empty() => {
                        match bench.ask(word % 1000) {
                            Pick::Member(picked) => {
                                let fits = bench.pool.is_eligible(picked) || fails_open(entry);
                                prop_assert!(fits, "{} picked {picked}", entry.name);
                                bench.send(picked);
                            }
                            _ => prop_assert_eq!(entry.sight, Sight::Product),
                        }
                    }
                    4 | 5 if bench.pool.in_flight(member) > 0 => {
                        let outcome = [Outcome::Success, Outcome::Failure, Outcome::Timeout, Outcome::Error][word as usize % 4];
                        bench.answer(member, outcome, Span::from_nanos(u64::from(word)));
                    }
                    6 => bench.set_eligible(member, word & 64 == 0),
                    7 => {
                        let mut rng = Seeds::new(mix(u64::from(word)), 0).stream(Domain::Agent, 0);
                        let used = below(&mut rng, 101) as f64 / 100.0;
                        bench.report(member, Report { cpu: used, memory: 1.0 - used, in_flight: word % 9, rate: f64::from(word % 1000), errors: 0.0 });
                    }
                    _ => {}
                }
            }
        }
    }
}

/// A rule that looks at addresses or ports says so, and one that does not picks by neither.
#[test]
fn origins_are_what_rules_say() {
    let settings = [
        r#"{"kind":"nginx-hash","key":"address"}"#,
        r#"{"kind":"nginx-hash","key":"client"}"#,
        r#"{"kind":"consistent-hashing","on":"address"}"#,
        r#"{"kind":"consistent-hashing","on":"client"}"#,
        r#"{"kind":"ipvs-sh","sh-port":true}"#,
        r#"{"kind":"ipvs-mh","mh-port":true}"#,
    ];
    let more = settings.map(|text| serde_json::from_str(text).unwrap());
    let defaults = CATALOGUE.iter().map(|entry| (entry.default)());
    for config in defaults.chain(more) {
        let picks = |address: u32, port: u16| -> Vec<Pick> {
            let mut bench = Bench::of(&config, &[1; 7]);
            (0..40)
                .map(|who| {
                    let address = IpAddr::V4(Ipv4Addr::from_bits(address + who * 259));
                    bench.ask_from(who, &address, port + who as u16)
                })
                .collect()
        };
        let (here, there) = (0x0a00_0001, 0xc633_6405);
        let label = config.label();
        assert_eq!(picks(here, 1), picks(here, 1), "{label}");
        let by_address = picks(here, 1) != picks(there, 1);
        let by_port = picks(here, 1) != picks(here, 1000);
        assert_eq!(by_address, config.origin() >= Origin::Address, "{label}");
        assert_eq!(by_port, config.origin() == Origin::Port, "{label}");
    }
}

/// A rule that hashes by the placement says so, and one that does not picks alike under any.
#[test]
fn rules_that_place_say_so() {
    for entry in CATALOGUE {
        let config = (entry.default)();
        let picks = |placement: u64| -> Vec<Pick> {
            let mut bench = Bench::placed(&config, &[1; 7], placement);
            (0..40)
                .map(|who| {
                    let address = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0001 + who * 259));
                    bench.ask_from(who, &address, 1)
                })
                .collect()
        };
        assert_eq!(picks(1) != picks(2), config.places(), "{}", entry.name);
    }
}
