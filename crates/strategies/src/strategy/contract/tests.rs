//! The promises, held by each line of the list.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::{ProptestConfig, TestCaseError, any, prop, prop_compose, proptest};

use super::super::{
    CATALOGUE, Candidates, Context, Custom, Entry, MemberId, News, Outcome, Pick, Report, Request,
    Rule, Sight, StrategyConfig, shares,
};
use super::promises::{self, Reads};
use super::{Bench, Life, Promise, check};

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

/// The share of 600 requests, twenty of which are under way at once, that goes to the first of two
/// members whose weights have become these.
fn share_of_the_first(entry: &Entry, weights: [u32; 2]) -> f64 {
    let mut bench = Bench::new(entry.name, &[100, 100]);
    for (member, weight) in (0..).zip(weights) {
        bench.set_weight(member, weight);
    }
    let mut under_way = std::collections::VecDeque::new();
    let mut first = 0;
    for who in 0..600 {
        let member = bench.pick(who);
        bench.send(member);
        under_way.push_back(member);
        first += u32::from(member == 0);
        if under_way.len() > 20
            && let Some(done) = under_way.pop_front()
        {
            bench.answer(
                done,
                Outcome::Success,
                lbsim_engine::time::Span::from_millis(20),
            );
        }
    }
    f64::from(first) / 600.0
}

/// Who says so gives a member whose weight falls to a tenth a sixth of the requests or less, and
/// nine times as much of the weight five sixths; the seed is fixed. A rule by size gives all of one
/// size to one member, whatever the weights.
#[test]
fn who_says_so_heeds_weights_that_change() {
    let heed = (CATALOGUE.iter()).filter(|entry| (entry.default)().heeds_weights());
    for entry in heed.filter(|entry| entry.name != "size-interval") {
        let less = share_of_the_first(entry, [10, 100]);
        let more = share_of_the_first(entry, [100, 10]);
        assert!(less < 0.17 && more > 0.83, "{}: {less} {more}", entry.name);
    }
}

/// Who is asked anew for whoever waits is asked for a request of which it sees nothing: to such a
/// rule all are alike.
#[test]
fn who_picks_for_those_who_wait_looks_at_no_request() {
    let asked: Vec<&str> = (CATALOGUE.iter())
        .filter(|entry| (entry.default)().picks_for_waiting())
        .inspect(|entry| assert!(!(entry.default)().heeds_requests(), "{}", entry.name))
        .map(|entry| entry.name)
        .collect();
    assert_eq!(asked, ["dialogue-balanced", "dialogue-pin-until-error"]);
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

/// Only rules that declare it are told what servers say, and where a request comes from; a rule
/// that forgets would read nothing in any world, and here it is seen to read.
#[test]
fn rules_repeat_and_declare_what_they_read() {
    let settings = [
        r#"{"kind":"nginx-hash","key":"address"}"#,
        r#"{"kind":"nginx-hash","key":"client"}"#,
        r#"{"kind":"consistent-hashing","on":"address"}"#,
        r#"{"kind":"consistent-hashing","on":"client"}"#,
        r#"{"kind":"ipvs-sh","sh-port":true}"#,
        r#"{"kind":"ipvs-mh","mh-port":true}"#,
        r#"{"kind":"nginx-random","two":"least_conn"}"#,
        r#"{"kind":"haproxy-hash","hash-type":"consistent","hash-balance-factor":110}"#,
        r#"{"kind":"envoy-ring-hash","hash-balance-factor":110}"#,
        r#"{"kind":"envoy-round-robin","cluster":{"outlier-detection":{}}}"#,
        r#"{"kind":"aws-alb-weighted-random","anomaly-mitigation":true}"#,
    ];
    let more = settings.map(|text| serde_json::from_str(text).unwrap());
    let defaults = CATALOGUE.iter().map(|entry| (entry.default)());
    for strategy in defaults.chain(more) {
        assert_eq!(promises::repeats(&strategy), Ok(()), "{}", strategy.label());
        assert_eq!(
            Reads::seen(&strategy),
            Reads::declared(&strategy),
            "{}",
            strategy.label()
        );
        assert_eq!(promises::declares_what_it_reads(&strategy), Ok(()));
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

/// What is said beforehand of a rule's shares is so: over many picks of many clients, within 4.5
/// standard deviations of a random draw (7e-6 a member).
#[test]
fn shares_that_are_known_beforehand_are_those_of_picks() {
    let weights = [4, 1, 3, 2];
    let mut known = 0;
    for entry in CATALOGUE {
        let mut bench = Bench::new(entry.name, &weights);
        let Some(due) = shares(&(entry.default)(), bench.pool().members()) else {
            continue;
        };
        let mut hits = [0u32; 4];
        for who in 0..100_000 {
            hits[bench.pick(who) as usize] += 1;
        }
        for (&hit, due) in hits.iter().zip(due) {
            let slack = 4.5 * (1e5 * due * (1.0 - due)).sqrt() + 1.0;
            assert!(
                (f64::from(hit) - due * 1e5).abs() <= slack,
                "{}: {hits:?}",
                entry.name
            );
        }
        known += 1;
    }
    assert!(known >= 15, "{known}");
}

/// Rules to whom their own pick is news: whose turn comes next, whose answer is used up, which
/// sizes come; estimates that fade when they are read, which rounds otherwise in two steps than in
/// one. That they forget nothing of those whom a request has tried is tested in their own files.
const PICKS_ARE_NEWS: [&str; 8] = [
    "nearest",
    "geolocation",
    "round-robin",
    "weighted-round-robin",
    "prequal",
    "join-idle-queue",
    "size-interval",
    "linkerd-peak-ewma",
];

prop_compose! {
    fn lives(members: Range<usize>, steps: Range<usize>)(
        weights in prop::collection::vec(1u32..20, members),
        steps in prop::collection::vec((0u8..9, any::<u32>()), steps),
        tried in prop::collection::vec(any::<u32>(), 1..4),
    ) -> Life {
        let n = weights.len() as u32;
        Life { weights, steps, tried: tried.into_iter().map(|word| word % n).collect() }
    }
}

/// A promise that is found broken, with whose it is.
fn kept(entry: &Entry, kept: Result<(), String>) -> Result<(), TestCaseError> {
    kept.map_err(|found| TestCaseError::fail(format!("{}: {found}", entry.name)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn who_was_tried_is_not_forgotten(life in lives(2..12, 0..120)) {
        for entry in CATALOGUE {
            if !PICKS_ARE_NEWS.contains(&entry.name) {
                kept(entry, promises::forgets_nobody(&(entry.default)(), &life))?;
            }
        }
    }

    #[test]
    fn picks_are_candidates(life in lives(1..40, 1..400)) {
        for entry in CATALOGUE {
            kept(entry, promises::picks_candidates(&(entry.default)(), &life))?;
        }
    }
}

/// What is public finds out to whom their own pick is news. To `size-interval` it is where sizes
/// differ, which they do not on the bench.
#[test]
fn rounds_cannot_promise_that_a_pick_is_no_news() {
    for entry in CATALOGUE {
        let found = check(&(entry.default)());
        if PICKS_ARE_NEWS.contains(&entry.name) && entry.name != "size-interval" {
            let broken = found.expect_err(entry.name);
            assert_eq!(broken.promise, Promise::ForgetsNobody, "{broken}");
        } else {
            assert_eq!(found, Ok(()), "{}", entry.name);
        }
    }
}

/// Breaks a promise: turns to whom a report came from, without saying that it reads reports.
#[derive(Clone, Debug)]
struct Eavesdropper(MemberId);

impl News for Eavesdropper {
    type Config = ();

    fn new(_: &(), _: &mut Context<'_>) -> Eavesdropper {
        Eavesdropper(0)
    }

    fn reported(&mut self, member: MemberId, report: &Report, _: &mut Context<'_>) {
        self.0 = member + report.in_flight;
    }
}

impl Rule for Eavesdropper {
    fn pick(&mut self, _: &Request<'_>, all: Candidates<'_>, _: &mut Context<'_>) -> MemberId {
        all.get(self.0 as usize % all.len())
    }
}

/// Breaks a promise: looks at what is in flight, and says that it heeds no answers.
#[derive(Clone, Debug)]
struct Denier;

impl News for Denier {
    type Config = ();

    fn heeds_answers(_: &()) -> bool {
        false
    }

    fn new(_: &(), _: &mut Context<'_>) -> Denier {
        Denier
    }
}

impl Rule for Denier {
    fn pick(&mut self, _: &Request<'_>, all: Candidates<'_>, cx: &mut Context<'_>) -> MemberId {
        let least = all.iter().min_by_key(|&member| cx.pool.in_flight(member));
        least.unwrap()
    }
}

/// Breaks a promise: what it picks depends on what another one has picked before.
#[derive(Clone, Debug)]
struct Unrepeatable;

impl News for Unrepeatable {
    type Config = ();

    fn new(_: &(), _: &mut Context<'_>) -> Unrepeatable {
        Unrepeatable
    }
}

impl Rule for Unrepeatable {
    fn pick(&mut self, _: &Request<'_>, all: Candidates<'_>, _: &mut Context<'_>) -> MemberId {
        static PICKS: AtomicU32 = AtomicU32::new(0);
        let picks = PICKS.fetch_add(1, Ordering::Relaxed);
        all.get(picks as usize / 3 % all.len())
    }
}

#[test]
fn a_rule_that_breaks_a_promise_is_found_out() {
    let broken = |custom: Custom| check(&custom.into()).unwrap_err();
    let found = broken(Custom::new::<Eavesdropper>("eavesdropper", ()));
    assert_eq!(found.promise, Promise::DeclaresWhatItReads, "{found}");
    assert!(found.to_string().contains("`READS_REPORTS`"), "{found}");
    let found = broken(Custom::new::<Denier>("denier", ()));
    assert_eq!(found.promise, Promise::DeclaresWhatItReads, "{found}");
    assert!(found.to_string().contains("`heeds_answers`"), "{found}");
    let found = broken(Custom::new::<Unrepeatable>("unrepeatable", ()));
    assert_eq!(found.promise, Promise::Repeats, "{found}");
}
