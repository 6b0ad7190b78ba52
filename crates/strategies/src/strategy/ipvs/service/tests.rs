//! The schedulers against the kernel's own loops over the list, written down as they are, on random
//! services.

use proptest::prelude::*;

use super::*;
use crate::strategy::ipvs::rr::IpvsRoundRobin;
use crate::strategy::ipvs::wlc::IpvsWeightedLeastConnections;
use crate::strategy::ipvs::wrr::IpvsWeightedRoundRobin;
use crate::strategy::{Key, Pool, UNLABELLED};
use lbsim_engine::rng::{Domain, Seeds};

/// `ip_vs_rr_schedule`, and its position as an index into the list; none at the head.
#[derive(Clone, Debug, Default)]
struct LinearRr(Option<MemberId>);

/// `ip_vs_wrr_schedule`: the mark's `cl`, `cw`, `mw` and `di`.
#[derive(Clone, Debug, Default)]
struct LinearWrr {
    cl: Option<MemberId>,
    cw: i64,
    mw: i64,
    di: i64,
}

/// `ip_vs_wlc_schedule`.
#[derive(Clone, Debug, Default)]
struct LinearWlc;

/// Those who stand behind `last` in the list; all of it behind the head.
fn behind(service: &Service, last: Option<MemberId>) -> Vec<MemberId> {
    let list = service.list();
    let at = last.and_then(|last| list.iter().position(|&member| member == last));
    list[at.map_or(0, |at| at + 1)..].to_vec()
}

impl Scheduler for LinearRr {
    type Config = Config;

    fn new(_: &Config, _: &[Member]) -> Self {
        LinearRr::default()
    }

    fn time_wait(config: &Config) -> Span {
        config.time_wait
    }

    fn dest_changed(&mut self, _: MemberId, _: &Service) {}

    fn schedule(&mut self, _: &Request<'_>, service: &Service, _: Time) -> Option<MemberId> {
        let round = behind(service, self.0).into_iter().chain(service.list());
        let found = round
            .into_iter()
            .find(|&member| service.dest(member).is_available())?;
        self.0 = Some(found);
        Some(found)
    }
}

impl Scheduler for LinearWrr {
    type Config = Config;

    fn new(_: &Config, _: &[Member]) -> Self {
        LinearWrr {
            di: 1,
            ..LinearWrr::default()
        }
    }

    fn time_wait(config: &Config) -> Span {
        config.time_wait
    }

    fn dest_changed(&mut self, _: MemberId, service: &Service) {
        let weights = || service.listed().map(|member| service.dest(member).weight);
        self.cl = None;
        self.di = i64::from(weights().fold(0, gcd).max(1));
        self.mw = i64::from(weights().max().unwrap_or(0)) - (self.di - 1);
        if self.cw > self.mw || self.cw == 0 {
            self.cw = self.mw;
        } else if self.di > 1 {
            self.cw = (self.cw / self.di) * self.di + 1;
        }
    }

    fn schedule(&mut self, _: &Request<'_>, service: &Service, _: Time) -> Option<MemberId> {
        if self.mw == 0 {
            return None;
        }
        let last = self.cl;
        let mut dest = last;
        let mut stop = None;
        let (mut last_pass, mut restarted) = (false, false);
        loop {
            for member in behind(service, dest) {
                dest = Some(member);
                let open = service.dest(member).is_available();
                if open && i64::from(service.dest(member).weight) >= self.cw {
                    self.cl = dest;
                    return dest;
                }
                if stop == Some(member) {
                    self.cl = dest;
                    return None;
                }
            }
            dest = None;
            self.cw -= self.di;
            if self.cw <= 0 {
                self.cw = self.mw;
                if last_pass || last.is_none() {
                    self.cl = dest;
                    return None;
                }
                restarted = true;
            }
            last_pass = self.cw <= self.di;
            if last_pass && restarted && last.is_some() {
                stop = last;
            }
        }
    }
}

impl Scheduler for LinearWlc {
    type Config = Config;

    fn new(_: &Config, _: &[Member]) -> Self {
        LinearWlc
    }

    fn time_wait(config: &Config) -> Span {
        config.time_wait
    }

    fn dest_changed(&mut self, _: MemberId, _: &Service) {}

    fn schedule(&mut self, _: &Request<'_>, service: &Service, _: Time) -> Option<MemberId> {
        let mut least: Option<&Dest> = None;
        let mut found = None;
        for member in service.list() {
            let dest = service.dest(member);
            let less = |least: &Dest| {
                least.overhead() * u64::from(dest.weight)
                    > dest.overhead() * u64::from(least.weight)
            };
            if dest.is_available() && least.is_none_or(less) {
                (least, found) = (Some(dest), Some(member));
            }
        }
        found
    }
}

/// A virtual service, driven by hand.
struct Run<S> {
    service: VirtualService<S>,
    pool: Pool,
    now: Time,
}

impl<S: Scheduler<Config = Config>> Run<S> {
    fn new(members: &[Member]) -> Run<S> {
        let mut pool = Pool::new(members.into());
        let service = Self::with(&pool, Time::ZERO, |cx| {
            VirtualService::new(&Config::default(), cx)
        });
        for (member, configured) in (0..).zip(members) {
            pool.set_eligible(member, configured.weight > 0);
        }
        Run {
            service,
            pool,
            now: Time::ZERO,
        }
    }

    fn with<T>(pool: &Pool, now: Time, tell: impl FnOnce(&mut Context<'_>) -> T) -> T {
        tell(&mut Context {
            now,
            pool,
            balancer: 0,
            rng: &mut Seeds::new(1, 0).stream(Domain::Strategy, 0),
            probes: &mut Vec::new(),
        })
    }

    /// One step of a random history; a pick where it is one.
    fn step(&mut self, step: u8, word: u32) -> Option<Pick> {
        self.now += Span::from_secs(1);
        let member = word % self.pool.len() as u32;
        let (service, pool, now) = (&mut self.service, &mut self.pool, self.now);
        match step {
            0..=5 => {
                let request = Request {
                    client: Key::Number(0),
                    address: &[127, 0, 0, 1].into(),
                    port: 0,
                    key: Key::Number(0),
                    labels: UNLABELLED,
                    size: 1.0,
                    tried: &[],
                };
                let pick = Self::with(pool, now, |cx| service.pick(&request, cx));
                if let Pick::Member(member) = pick {
                    pool.sent(member);
                    Self::with(pool, now, |cx| service.sent(member, cx));
                }
                return Some(pick);
            }
            6 | 7 if pool.in_flight(member) > 0 => {
                pool.ended(member);
                let outcome = [Outcome::Success, Outcome::Failure][usize::from(step - 6)];
                let answer = Answer {
                    member,
                    outcome,
                    status: outcome.status(),
                    response_time: Span::ZERO,
                    feedback: None,
                };
                Self::with(pool, now, |cx| service.answered(&answer, cx));
            }
            8 => {
                let before = pool.weight(member);
                pool.set_weight(member, word / 64 % 7);
                Self::with(pool, now, |cx| service.weight_changed(member, before, cx));
                let eligible = pool.weight(member) > 0 && pool.is_present(member);
                if pool.set_eligible(member, eligible) {
                    Self::with(pool, now, |cx| service.eligibility_changed(member, cx));
                }
            }
            9 => {
                let present = !pool.is_present(member);
                pool.set_present(member, present);
                pool.set_eligible(member, present && pool.weight(member) > 0);
                Self::with(pool, now, |cx| service.membership_changed(member, cx));
            }
            _ => self.now += Span::from_secs(30),
        }
        None
    }
}

fn agree<A, B>(members: &[Member], steps: &[(u8, u32)]) -> Result<(), TestCaseError>
where
    A: Scheduler<Config = Config>,
    B: Scheduler<Config = Config>,
{
    let (mut index, mut linear) = (Run::<A>::new(members), Run::<B>::new(members));
    for &(step, word) in steps {
        prop_assert_eq!(index.step(step, word), linear.step(step, word));
    }
    Ok(())
}

/// The scheduler of a rule.
trait Scheduled {
    type Scheduler: Scheduler<Config = Config>;
}

impl<S: Scheduler<Config = Config>> Scheduled for VirtualService<S> {
    type Scheduler = S;
}

proptest! {
    #[test]
    fn indexes_pick_as_the_kernel_does(
        servers in prop::collection::vec((0u32..7, 0u32..6, 0u32..4), 1..8),
        steps in prop::collection::vec((0u8..12, any::<u32>()), 1..200),
    ) {
        let member = |(at, &(weight, upper, lower)): (usize, &(u32, u32, u32))| Member {
            max_connections: upper,
            min_connections: lower,
            ..Member::new(at as u32, weight)
        };
        let members: Vec<Member> = servers.iter().enumerate().map(member).collect();
        agree::<<IpvsWeightedRoundRobin as Scheduled>::Scheduler, LinearWrr>(&members, &steps)?;
        agree::<<IpvsWeightedLeastConnections as Scheduled>::Scheduler, LinearWlc>(&members, &steps)?;
        // The linear one forgets its place when that server leaves; this one does not.
        let stays: Vec<(u8, u32)> = steps.into_iter().filter(|&(step, _)| step != 9).collect();
        agree::<<IpvsRoundRobin as Scheduled>::Scheduler, LinearRr>(&members, &stays)?;
    }
}

/// The marks of overload: at the upper threshold, and below the lower one, or three quarters of the
/// upper.
#[test]
fn thresholds() {
    for (upper, lower, clears) in [(4, 0, 2), (4, 2, 1), (0, 0, 0)] {
        let configured = Member {
            max_connections: upper,
            min_connections: lower,
            ..Member::new(0, 1)
        };
        let mut dest = Dest {
            listed: true,
            weight: 1,
            ..Dest::default()
        };
        for active in 1..=5 {
            dest.active = active;
            dest.judge(&configured, true);
            assert_eq!(dest.is_available(), upper == 0 || active < upper);
        }
        for active in (0..5).rev() {
            dest.active = active;
            dest.judge(&configured, false);
            assert_eq!(dest.is_available(), upper == 0 || active <= clears);
        }
    }
}

/// A closed connection counts for two minutes, and one that was reset for ten seconds.
#[test]
fn closed_connections_are_forgotten() {
    let mut run =
        Run::<crate::strategy::ipvs::scan::Scan<crate::strategy::ipvs::wlc::Wlc>>::new(&[
            Member::new(0, 1),
            Member::new(1, 1),
        ]);
    // The newest comes first; its connection is closed, and it is no longer the least loaded.
    assert_eq!(run.step(0, 0), Some(Pick::Member(1)));
    run.step(6, 1);
    assert_eq!(run.step(0, 0), Some(Pick::Member(0)));
    run.step(7, 0);
    run.step(10, 0);
    assert_eq!(run.step(0, 0), Some(Pick::Member(0)));
    run.step(6, 0);
    for _ in 0..3 {
        run.step(10, 0);
    }
    assert_eq!(run.step(0, 0), Some(Pick::Member(1)));
}
