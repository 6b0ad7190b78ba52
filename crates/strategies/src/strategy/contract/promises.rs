//! The promises, each a function of a strategy and of what it lives through.

use std::net::{IpAddr, Ipv4Addr};

use super::super::{
    Candidates, Feedback, MemberId, Origin, Outcome, Pick, Probe, Report, Sight, StrategyConfig,
};
use super::{Bench, Life};
use lbsim_engine::rng::{Domain, Seeds, below, mix};
use lbsim_engine::time::Span;
use rand::Rng as _;

/// Whether a strategy turns to members that are not eligible where too few are.
fn fails_open(strategy: &StrategyConfig) -> bool {
    strategy.entry().is_some_and(|entry| {
        ["envoy-", "aws-alb-", "finagle-"]
            .iter()
            .any(|family| entry.name.starts_with(family))
    })
}

/// Whatever happens, the strategy picks among the candidates.
pub(super) fn picks_candidates(strategy: &StrategyConfig, life: &Life) -> Result<(), String> {
    let is_product = strategy.sight() == Sight::Product;
    let mut bench = Bench::of(strategy, &life.weights);
    let n = life.weights.len() as u32;
    for &(step, word) in &life.steps {
        let member = word % n;
        match step {
            3 if !is_product && !bench.pool.eligible().is_empty() => {
                let tried = [member, word / 7 % n, word / 11 % n];
                let picked = pick_among(&mut bench, word % 1000, &tried)?;
                bench.send(picked);
            }
            0..=3 if !bench.pool.eligible().is_empty() => match bench.ask(word % 1000) {
                Pick::Member(picked) => {
                    if picked >= n || !(bench.pool.is_eligible(picked) || fails_open(strategy)) {
                        return Err(format!("it picked {picked}, which is not eligible"));
                    }
                    bench.send(picked);
                }
                _ if is_product => {}
                other => return Err(format!("{other:?} where somebody is eligible")),
            },
            4 | 5 if bench.pool.in_flight(member) > 0 => {
                let outcome = [
                    Outcome::Success,
                    Outcome::Failure,
                    Outcome::Timeout,
                    Outcome::Error,
                ][word as usize % 4];
                bench.answer(member, outcome, Span::from_nanos(u64::from(word)));
            }
            6 => bench.set_eligible(member, word & 64 == 0),
            7 => {
                let mut rng = Seeds::new(mix(u64::from(word)), 0).stream(Domain::Agent, 0);
                let used = below(&mut rng, 101) as f64 / 100.0;
                bench.report(
                    member,
                    Report {
                        cpu: used,
                        memory: 1.0 - used,
                        in_flight: word % 9,
                        rate: f64::from(word % 1000),
                        errors: 0.0,
                    },
                );
            }
            _ => {}
        }
    }
    Ok(())
}

/// Picks for a request that has been tried, and sees that the pick is a candidate.
fn pick_among(bench: &mut Bench, who: u32, tried: &[MemberId]) -> Result<MemberId, String> {
    let picked = bench.pick_after(who, tried);
    let among = Candidates::new(bench.pool(), tried);
    if (picked as usize) < bench.pool().len() && among.contains(picked) {
        Ok(picked)
    } else {
        Err(format!(
            "it picked {picked}, which is not one of the candidates"
        ))
    }
}

/// To have been tried is no news of a member: after picks that must avoid some members a rule goes
/// on as its twin does, who was not asked. No product's promise: they look at who was tried.
pub(super) fn forgets_nobody(strategy: &StrategyConfig, life: &Life) -> Result<(), String> {
    if strategy.sight() == Sight::Product {
        return Ok(());
    }
    let mut bench = Bench::of(strategy, &life.weights);
    for &(step, word) in &life.steps {
        live(&mut bench, step, word);
    }
    let mut twin = bench.clone();
    for who in 0..5 {
        pick_among(&mut bench, who, &life.tried)?;
    }
    // What chance decides is not what is known.
    bench.rng = twin.rng.clone();
    for who in 0..40 {
        let (picked, due) = (bench.pick(who), twin.pick(who));
        if picked != due {
            let tried = &life.tried;
            return Err(format!(
                "after requests that had been tried on {tried:?} it picked {picked}, and {due} without them"
            ));
        }
        bench.send(picked);
        twin.send(picked);
    }
    Ok(())
}

/// Whom the rule leaves out changes with its count of such changes alone.
pub(super) fn counts_its_changes_of_mind(
    strategy: &StrategyConfig,
    life: &Life,
) -> Result<(), String> {
    let mut bench = Bench::of(strategy, &life.weights);
    let left_out = |bench: &Bench| -> Vec<MemberId> {
        let all = 0..bench.pool().len() as MemberId;
        all.filter(|&member| bench.strategy().leaves_out(member))
            .collect()
    };
    let mut before = (bench.strategy().changes_of_mind(), left_out(&bench));
    if !before.1.is_empty() {
        return Err(format!("it begins by leaving out {:?}", before.1));
    }
    for &(step, word) in &life.steps {
        if step % 2 == 0 && !bench.pool().eligible().is_empty() {
            if let Pick::Member(picked) = bench.ask(word % 1000) {
                bench.send(picked);
            }
        } else {
            live(&mut bench, step, word);
        }
        let after = (bench.strategy().changes_of_mind(), left_out(&bench));
        if before.0 == after.0 && before.1 != after.1 {
            let (before, after) = (before.1, after.1);
            return Err(format!(
                "it left out {before:?}, and then {after:?}, without a change of mind"
            ));
        }
        if !strategy.may_leave_out() && !after.1.is_empty() {
            return Err(format!(
                "it left out {:?}, and does not say that it may",
                after.1
            ));
        }
        before = after;
    }
    Ok(())
}

/// Something happens between picks.
fn live(bench: &mut Bench, step: u8, word: u32) {
    let member = word % bench.pool().len() as u32;
    let span = Span::from_nanos(u64::from(word));
    match step {
        0..=2 => bench.send(member),
        3 | 4 if bench.pool().in_flight(member) > 0 => {
            let outcomes = [Outcome::Success, Outcome::Failure, Outcome::Timeout];
            bench.answer(member, outcomes[word as usize % 3], span);
        }
        5 => bench.report(member, report(word)),
        6 => bench.probe(member, probe(word)),
        7 => bench.idle(member),
        _ => bench.wait(span),
    }
}

fn report(word: u32) -> Report {
    Report {
        cpu: f64::from(word % 101) / 100.0,
        memory: 0.5,
        in_flight: word % 9,
        rate: 1.0,
        errors: 0.0,
    }
}

fn probe(word: u32) -> Probe {
    Probe {
        in_flight: word % 9,
        latency: Span::from_nanos(u64::from(word)),
    }
}

/// The same seed and the same news give the same picks.
pub(super) fn repeats(strategy: &StrategyConfig) -> Result<(), String> {
    let run = || {
        picks(Bench::of(strategy, &[3, 1, 2, 1]), |bench, member, who| {
            if who % 3 == 0 {
                bench.answer(member, Outcome::Success, Span::from_millis(10));
            }
        })
    };
    let (one, other) = (run(), run());
    match (0..one.len()).find(|&at| one[at] != other[at]) {
        None => Ok(()),
        Some(at) => Err(format!(
            "pick {at} was {:?} the first time, {:?} the second",
            one[at], other[at]
        )),
    }
}

/// Five hundred picks, each of which is sent where it goes, and `act` after each.
fn picks(mut bench: Bench, mut act: impl FnMut(&mut Bench, MemberId, u32)) -> Vec<Pick> {
    (0..500u32)
        .map(|who| {
            let pick = bench.ask(who % 17);
            if let Pick::Member(member) = pick {
                bench.send(member);
                act(&mut bench, member, who);
            }
            pick
        })
        .collect()
}

/// What a strategy can be seen to read, of what it would have to declare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reads {
    pub(super) feedback: bool,
    pub(super) reports: bool,
    pub(super) idle: bool,
    pub(super) placement: bool,
    /// Who asks for what.
    pub(super) requests: bool,
    /// What becomes of requests.
    pub(super) answers: bool,
    /// What is asked for, or the number of the client.
    pub(super) key: bool,
    pub(super) origin: Origin,
}

impl Reads {
    /// What changes its picks.
    pub(super) fn seen(strategy: &StrategyConfig) -> Reads {
        let from = |address: u32, port: u16, placement: u64| -> Vec<Pick> {
            let mut bench = Bench::placed(strategy, &[1; 7], placement);
            (0..40)
                .map(|who| {
                    let address = IpAddr::V4(Ipv4Addr::from_bits(address + who * 259));
                    bench.ask_from(who, &address, port + who as u16)
                })
                .collect()
        };
        let (here, there) = (0x0a00_0001, 0xc633_6405);
        let known = from(here, 1, 0);
        let by_port = known != from(here, 1000, 0);
        let by_address = known != from(there, 1, 0);
        Reads {
            feedback: Reads::differs(strategy, true, |bench, member, who| {
                // Whom it takes where all are alike says the worst of itself, and the next ones
                // less and less.
                bench.feedback = Some(Feedback {
                    in_flight: 7 * (3 - member),
                    service_time: Span::from_millis(u64::from(1 + (3 - member) * who % 50)),
                });
            }),
            reports: Reads::differs(strategy, false, |bench, member, who| {
                bench.report(member, report(who * 37));
            }),
            idle: Reads::differs(strategy, false, |bench, member, _| bench.idle(member)),
            placement: known != from(here, 1, 1),
            key: Reads::heeds_key(strategy),
            requests: by_port || by_address || Reads::heeds_requests(strategy),
            // The truth is what has become of requests.
            answers: strategy.sight() == Sight::Oracle || Reads::heeds_answers(strategy),
            origin: match (by_address, by_port) {
                (_, true) => Origin::Port,
                (true, false) => Origin::Address,
                (false, false) => Origin::Nothing,
            },
        }
    }

    /// What it says that it reads.
    pub(super) fn declared(strategy: &StrategyConfig) -> Reads {
        Reads {
            feedback: strategy.reads_feedback(),
            reports: strategy.reads_reports(),
            idle: strategy.hears_idle(),
            placement: strategy.places(),
            requests: strategy.heeds_requests(),
            answers: strategy.heeds_answers(),
            key: strategy.heeds_key(),
            origin: strategy.origin(),
        }
    }

    /// Whether picks are others where others ask for other things of other sizes.
    fn heeds_requests(strategy: &StrategyConfig) -> bool {
        let picks = |clients: u32| -> Vec<Pick> {
            let mut bench = Bench::of(strategy, &[3, 1, 2, 1]);
            (0..500)
                .map(|at| {
                    let who = mix(at) as u32 % clients;
                    let pick = bench.ask_for(who, who as f32 + 1.0);
                    if let Pick::Member(member) = pick {
                        bench.send(member);
                        bench.answer(member, Outcome::Success, Span::from_millis(5));
                    }
                    pick
                })
                .collect()
        };
        picks(1) != picks(1000)
    }

    /// Whether picks are others where requests are sent, and some of them answered, early or late,
    /// and where nothing becomes of them.
    fn heeds_answers(strategy: &StrategyConfig) -> bool {
        let picks = |news: bool| -> Vec<Pick> {
            let mut rng = Seeds::new(13, 0).stream(Domain::Agent, 0);
            let mut bench = Bench::of(strategy, &[3, 1, 2, 1]);
            (0..500)
                .map(|who| {
                    let pick = bench.ask(who % 17);
                    let word = rng.next_u64();
                    if let (true, Pick::Member(member)) = (news, pick) {
                        bench.send_at_once(member);
                        // Another than the one that was just picked, where it has any to answer.
                        let other = (word % 4) as MemberId;
                        let busy = bench.pool().in_flight(other) > 0;
                        let member = if busy { other } else { member };
                        if word & 16 == 0 {
                            let took = Span::from_nanos(word >> 36);
                            bench.answer_at_once(member, Outcome::Success, took);
                        }
                    }
                    bench.wait(Span::from_millis(1 + (word >> 60)));
                    pick
                })
                .collect()
        };
        picks(true) != picks(false)
    }

    /// Whether picks are others where all ask for the same, from one place and as one client.
    fn heeds_key(strategy: &StrategyConfig) -> bool {
        let picks = |keys: u32| -> Vec<Pick> {
            let mut bench = Bench::of(strategy, &[3, 1, 2, 1]);
            let address = IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0001));
            (0..200)
                .map(|who| {
                    let pick = bench.ask_from(who % keys, &address, 1);
                    if let Pick::Member(member) = pick {
                        bench.send(member);
                    }
                    pick
                })
                .collect()
        };
        picks(17) != picks(1)
    }

    /// Whether picks are others where something is said between them; `answers` are, too.
    fn differs(
        strategy: &StrategyConfig,
        answers: bool,
        say: impl Fn(&mut Bench, MemberId, u32),
    ) -> bool {
        let picks = |says: bool| {
            picks(Bench::of(strategy, &[3, 1, 2, 1]), |bench, member, who| {
                if says {
                    say(bench, member, who);
                }
                if answers {
                    bench.answer(member, Outcome::Success, Span::from_millis(10));
                }
                // Some rules wait until they believe what they are told.
                bench.wait(Span::from_millis(100));
            })
        };
        picks(true) != picks(false)
    }
}

/// Nothing that it does not declare to read changes its picks: in a world it would not be told.
pub(super) fn declares_what_it_reads(strategy: &StrategyConfig) -> Result<(), String> {
    let (seen, declared) = (Reads::seen(strategy), Reads::declared(strategy));
    let silent = [
        (seen.feedback && !declared.feedback, "`READS_FEEDBACK`"),
        (seen.reports && !declared.reports, "`READS_REPORTS`"),
        (seen.idle && !declared.idle, "`HEARS_IDLE`"),
        (seen.placement && !declared.placement, "`PLACES`"),
        (seen.requests && !declared.requests, "`heeds_requests`"),
        (seen.answers && !declared.answers, "`heeds_answers`"),
        (seen.key && !declared.key, "`heeds_key`"),
        (seen.origin > declared.origin, "`origin`"),
    ];
    match silent.iter().find(|(silent, _)| *silent) {
        None => Ok(()),
        Some((_, what)) => Err(format!("its picks depend on what {what} does not declare")),
    }
}
