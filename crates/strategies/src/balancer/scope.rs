//! To which members a balancer sends at all: to some of many, or to those of its own zone first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Balancer, Reason, Refuse};
use crate::strategy::{MemberId, Pick, Request, Truth};
use lbsim_engine::rng::{Luck, Rng, below, mix, uniform};
use lbsim_engine::time::Time;
use lbsim_engine::units::Share;

/// Which members each of several balancers sends to, where there are too many for all to know all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Subset {
    /// How many; all where there are no more.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub size: u32,
    /// How they are dealt out.
    #[serde(default)]
    pub kind: DealtOut,
}

/// How members are dealt out to balancers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DealtOut {
    /// In rounds: the members are shuffled, and as many balancers as there are whole subsets get
    /// one each; the next round is shuffled anew. So all members have as many balancers, but for
    /// one round (Beyer and others, "Site Reliability Engineering", 2016, chapter 20: deterministic
    /// subsetting).
    #[default]
    Deterministic,
    /// Each balancer draws its own: some members have many more than others.
    Random,
}

impl Subset {
    /// The members in the order in which balancer number `balancer` takes them: the first `size`
    /// that are in the pool are its own. `word` is a random word of the run that belongs to the
    /// service.
    pub fn order(&self, balancer: u16, members: usize, word: u64) -> Vec<MemberId> {
        let size = (self.size as usize).min(members);
        let subsets = (members / size) as u64;
        let (round, place) = match self.kind {
            DealtOut::Deterministic => {
                (u64::from(balancer) / subsets, u64::from(balancer) % subsets)
            }
            DealtOut::Random => (u64::from(balancer), 0),
        };
        let mut order: Vec<MemberId> = (0..members as MemberId).collect();
        let luck = &mut Luck::new(mix(word ^ mix(round)), 0);
        // From the front: each place draws one of those that are left (Fisher and Yates).
        for at in 0..members.saturating_sub(1) {
            let other = at + below(luck, members - at);
            order.swap(at, other);
        }
        order.rotate_left(place as usize * size);
        order
    }
}

/// The subset of a balancer.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    order: Vec<MemberId>,
    size: u32,
}

impl Scope {
    pub(super) fn new(order: Vec<MemberId>, size: u32) -> Scope {
        Scope { order, size }
    }
}

/// Members of a balancer's own zone come first, whatever its strategy.
///
/// Where all of them that are eligible are at their `server-limit`, requests go to those of all
/// zones alike until one has room, as where members of other zones are added by load (Linkerd's
/// HAZL). Envoy does not do so: localities take over by health alone, and what is too much for its
/// circuit breakers is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct OwnZone {
    /// The share of the members of its own zone that must be well: while fewer are, requests go to
    /// those of all zones alike. With `spill = "in-proportion"` that is what `overprovisioning`
    /// says.
    pub while_well: Share,
    /// How requests leave a zone that has too few who are well.
    #[serde(skip_serializing_if = "Spill::is_default")]
    pub spill: Spill,
    /// With `spill = "in-proportion"`: how much more the members of a zone can do together than is
    /// meant for them. Of its requests the share of its members that are well times this stays, at
    /// most all (Envoy: `overprovisioning_factor`, for priorities and localities, 140). At least
    /// 100%.
    #[serde(skip_serializing_if = "is_as_envoy_has_it")]
    pub overprovisioning: Share,
}

/// How requests leave a zone that has too few who are well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Spill {
    /// All at once: requests go to members of all zones alike.
    #[default]
    AllAtOnce,
    /// In proportion to its health: each request stays or goes to the other zones, which is drawn.
    /// In each of the two the strategy goes on by itself. Not for rules of products, which have
    /// settings of their own.
    InProportion,
}

impl Spill {
    fn is_default(&self) -> bool {
        *self == Spill::default()
    }
}

const OVERPROVISIONING: f64 = 1.4;

fn is_as_envoy_has_it(factor: &Share) -> bool {
    *factor == Share::fraction(OVERPROVISIONING)
}

impl Default for OwnZone {
    fn default() -> OwnZone {
        OwnZone {
            while_well: Share::fraction(0.7),
            spill: Spill::default(),
            overprovisioning: Share::fraction(OVERPROVISIONING),
        }
    }
}

impl OwnZone {
    /// Says which settings may not be so, each with its key.
    pub fn check(&self, refuse: &mut Refuse<'_>) {
        let usual = OwnZone::default();
        let (share, factor) = (self.while_well, self.overprovisioning);
        if !(0.0..=1.0).contains(&share.value()) {
            let message = format!("`while-well` is {share}; it must be 0% to 100%");
            refuse("while-well", &message);
        }
        if !(1.0..=100.0).contains(&factor.value()) {
            let message = format!("`overprovisioning` is {factor}; it must be 100% to 10000%");
            refuse("overprovisioning", &message);
        }
        match self.spill {
            Spill::AllAtOnce if factor != usual.overprovisioning => refuse(
                "overprovisioning",
                "`overprovisioning` says how much of a zone's requests stays, and they leave all at once; say `spill = \"in-proportion\"` beside, or `while-well` instead",
            ),
            Spill::InProportion if share != usual.while_well => refuse(
                "while-well",
                "`while-well` says when requests leave all at once, and they leave in proportion; say `overprovisioning` instead",
            ),
            _ => {}
        }
    }
}

/// A balancer that sends to its own zone first.
#[derive(Clone, Debug)]
pub(super) struct Preferring {
    /// Whether each member is in its zone.
    own: Vec<bool>,
    /// The share that must be well if all requests are to stay.
    while_well: f64,
    /// The stream for who leaves, where requests do so in proportion.
    draws: Option<Rng>,
    /// Whether all of these that are eligible are at their limits.
    full: bool,
    /// How many of these are in the pool, and how many of them are well.
    present: u32,
    well: u32,
    /// Whether they get all requests at present.
    pub(super) holds: bool,
}

impl Preferring {
    pub(super) fn new(own: Vec<bool>, plan: &OwnZone, draws: Rng) -> Preferring {
        let in_proportion = plan.spill == Spill::InProportion;
        let count = own.iter().filter(|&&own| own).count() as u32;
        Preferring {
            own,
            while_well: match plan.spill {
                Spill::AllAtOnce => plan.while_well.value(),
                Spill::InProportion => 1.0 / plan.overprovisioning.value(),
            },
            draws: in_proportion.then_some(draws),
            full: false,
            present: count,
            well: count,
            holds: false,
        }
    }

    /// Whether its own zone can do with its members.
    fn is_due(&self) -> bool {
        !self.full
            && self.well > 0
            && f64::from(self.well) + 1e-9 >= self.while_well * f64::from(self.present)
    }
}

impl Preferring {
    /// Whether the request at hand stays in its own zone; `None` where it goes where it may.
    fn stays(&mut self) -> Option<bool> {
        if self.holds || self.full || self.well == 0 {
            return None;
        }
        let share = f64::from(self.well) / f64::from(self.present) / self.while_well;
        Some(uniform(self.draws.as_mut()?) < share)
    }
}

/// Reasons for which a member is no part of what its zone has.
const NO_PART: u8 = Reason::Absent as u8 | Reason::Weightless as u8 | Reason::Disabled as u8;

impl Balancer {
    /// Sends to the first of its members that are in the pool, as many as its subset has.
    pub(super) fn deal_out(&mut self, now: Time) {
        let Some(scope) = self.scope.take() else {
            return;
        };
        let mut left = scope.size;
        for &member in &scope.order {
            let is_there = self.reasons[member as usize] & Reason::Absent as u8 == 0;
            let is_own = is_there && left > 0;
            left -= u32::from(is_own);
            if self.holds(member, Reason::Outside) == is_own {
                self.set(member, Reason::Outside, !is_own, now);
            }
        }
        self.scope = Some(scope);
    }

    /// Counts who is well in its own zone, where a member's reasons have changed, and sends there
    /// alone or to all.
    pub(super) fn prefer_own_zone(&mut self, member: MemberId, before: u8, now: Time) {
        let Some(preferring) = &mut self.preferring else {
            return;
        };
        if preferring.own[member as usize] {
            let after = self.reasons[member as usize];
            let is_there = |reasons: u8| u32::from(reasons & NO_PART == 0);
            let is_well = |reasons: u8| u32::from(reasons == 0);
            preferring.present = preferring.present + is_there(after) - is_there(before);
            preferring.well = preferring.well + is_well(after) - is_well(before);
        }
        self.send_where_due(now);
    }

    /// Picks where a request goes that stays in the zone of its balancer or leaves it.
    #[inline(never)]
    pub(super) fn pick_by_zone(
        &mut self,
        request: &Request<'_>,
        truth: Truth<'_>,
        now: Time,
    ) -> Pick {
        self.look_for_room(now);
        let Some(preferring) = &mut self.preferring else {
            return self.pick_any(request, truth, now);
        };
        let Some(stays) = preferring.stays() else {
            return self.pick_any(request, truth, now);
        };
        let eligible = self.pool.eligible().iter().copied();
        let is_out = |member: &MemberId| preferring.own[*member as usize] != stays;
        let mut left_out: Vec<MemberId> = eligible.filter(is_out).collect();
        if left_out.len() == self.pool.eligible().len() {
            return self.pick_any(request, truth, now);
        }
        left_out.extend_from_slice(request.tried);
        let within = Request {
            tried: &left_out,
            ..*request
        };
        let pick = if stays {
            self.pick_any(&within, truth, now)
        } else {
            self.pick_elsewhere(&within, truth, now)
        };
        match pick {
            // Its zone has no room, and the other may have some.
            Pick::Refused | Pick::Wait => self.pick_any(request, truth, now),
            pick => pick,
        }
    }

    /// Picks as the strategy does for other zones.
    fn pick_elsewhere(&mut self, request: &Request<'_>, truth: Truth<'_>, now: Time) -> Pick {
        let Some(mut elsewhere) = self.elsewhere.take() else {
            return self.pick_any(request, truth, now);
        };
        std::mem::swap(&mut self.strategy, &mut *elsewhere);
        let pick = self.pick_any(request, truth, now);
        std::mem::swap(&mut self.strategy, &mut *elsewhere);
        self.elsewhere = Some(elsewhere);
        pick
    }

    /// Looks whether its own zone has room: where all who may have requests there are at their
    /// limits, others get some.
    fn look_for_room(&mut self, now: Time) {
        if !self.limits() {
            return;
        }
        let Some(mut preferring) = self.preferring.take() else {
            return;
        };
        let (mut is_there, mut has_room) = (false, false);
        for (member, _) in (0..).zip(&preferring.own).filter(|(_, own)| **own) {
            if self.pool.is_eligible(member) {
                is_there = true;
                has_room = !self.is_full(member, now);
            }
            if has_room {
                break;
            }
        }
        let full = is_there && !has_room;
        let changed = std::mem::replace(&mut preferring.full, full) != full;
        self.preferring = Some(preferring);
        if changed {
            self.send_where_due(now);
        }
    }

    /// Sends to its own zone alone, where that is due, or to all zones.
    pub(super) fn send_where_due(&mut self, now: Time) {
        let Some(preferring) = &mut self.preferring else {
            return;
        };
        let is_due = preferring.is_due();
        if std::mem::replace(&mut preferring.holds, is_due) == is_due {
            return;
        }
        let others = (0..preferring.own.len()).filter(|&member| !preferring.own[member]);
        let others: Vec<MemberId> = others.map(|member| member as MemberId).collect();
        let mut panics_otherwise = false;
        for &member in &others {
            let reasons = &mut self.reasons[member as usize];
            let before = *reasons;
            if is_due {
                *reasons |= Reason::Outside as u8;
            } else {
                *reasons &= !(Reason::Outside as u8);
            }
            let after = *reasons;
            panics_otherwise ^= self.changes_panic(before, after);
        }
        let changed = if panics_otherwise {
            (0..self.pool.len() as MemberId).collect()
        } else {
            others
        };
        for member in changed {
            self.update_eligibility(member, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balancer::Care;
    use crate::balancer::limit::Limit;
    use crate::strategy::{Answer, Member, Outcome, Pool, StrategyConfig};
    use lbsim_engine::rng::{Domain, Seeds};
    use lbsim_engine::time::Span;

    /// Members in turn, the first half of them in the zone of their balancer.
    fn preferring(members: u32, plan: &str, limit: Option<&Limit>) -> Balancer {
        let rng = |domain| Seeds::new(1, 0).stream(domain, 0);
        let plan: OwnZone = serde_json::from_str(plan).unwrap();
        let own = (0..members).map(|member| member < members / 2).collect();
        let care = Care {
            own_zone: Some((own, &plan, rng(Domain::Spill))),
            server_limit: limit,
            ..Care::default()
        };
        let strategy: StrategyConfig =
            serde_json::from_str(r#"{ "kind": "round-robin", "start": "first" }"#).unwrap();
        let pool = Pool::new((0..members).map(|at| Member::new(at, 1)).collect());
        Balancer::with_care(0, &strategy, pool, (rng(Domain::Strategy), care))
    }

    fn pick(balancer: &mut Balancer) -> Pick {
        balancer.pick(Request::UNSEEN, Truth::default(), Time::ZERO)
    }

    /// How many of so many requests each of 20 members gets, ten of which are in the own zone and
    /// of these so many down.
    fn hits(picks: u32, down: u32) -> [u32; 20] {
        let plan = r#"{ "spill": "in-proportion" }"#;
        let mut balancer = preferring(20, plan, None);
        for member in 0..down {
            balancer.set(member, Reason::Down, true, Time::ZERO);
        }
        let mut hits = [0; 20];
        for _ in 0..picks {
            let Pick::Member(member) = pick(&mut balancer) else {
                panic!("somebody is well");
            };
            hits[member as usize] += 1;
        }
        hits
    }

    /// Of ten five are well: 50% times 1.4 stay, of 10,000 requests 7000 with a standard deviation
    /// of 46, of which five are allowed. In each zone the members take turns as if there were no
    /// other.
    #[test]
    fn what_a_zone_cannot_do_leaves_in_proportion() {
        let of = |down| {
            let hits = hits(10_000, down);
            let even = |zone: &[u32]| {
                let well = zone.iter().filter(|&&hits| hits > 0);
                let (least, most) = (well.clone().min(), well.clone().max());
                assert!(
                    most.zip(least)
                        .is_none_or(|(most, least)| most - least <= 1),
                    "{zone:?}"
                );
                (well.count(), zone.iter().sum::<u32>())
            };
            (even(&hits[..10]), even(&hits[10..]))
        };
        let ((own, stay), (others, _)) = of(5);
        assert_eq!((own, others), (5, 10));
        assert!(stay.abs_diff(7000) < 230, "{stay}");
        // A tenth that is well does 14%, with a standard deviation of 35.
        let ((own, stay), _) = of(9);
        assert!(own == 1 && stay.abs_diff(1400) < 175, "{stay}");
        // Eight of ten are enough, for 80% times 1.4 is more than all; seven are not: 98% stay.
        assert_eq!(of(2), ((8, 10_000), (0, 0)));
        let (_, (_, leave)) = of(3);
        assert!(leave.abs_diff(200) < 70, "{leave}");
        assert_eq!(of(10), ((0, 0), (10, 10_000)));
    }

    /// Two members at home with room for one request each: the third goes to the other zone, and
    /// the next one stays again when one of them has ended.
    #[test]
    fn who_finds_no_room_at_home_goes_elsewhere() {
        let limit: Limit =
            serde_json::from_str(r#"{ "by": { "kind": "fixed", "requests": 1 } }"#).unwrap();
        for plan in ["{}", r#"{ "spill": "in-proportion" }"#] {
            let mut balancer = preferring(4, plan, Some(&limit));
            let send = |balancer: &mut Balancer| {
                let pick = pick(balancer);
                if let Pick::Member(member) = pick {
                    balancer.sent(member, Time::ZERO);
                    balancer.enter_limit(member, Time::ZERO);
                }
                pick
            };
            let at_home = [(); 2].map(|()| send(&mut balancer));
            assert_eq!(at_home, [Pick::Member(0), Pick::Member(1)]);
            let away = send(&mut balancer);
            assert!(matches!(away, Pick::Member(2 | 3)), "{away:?}");
            let outcome = Outcome::Success;
            let answer = Answer {
                member: 1,
                outcome,
                status: outcome.status(),
                response_time: Span::from_millis(1),
                feedback: None,
            };
            balancer.answered(&answer, Time::ZERO);
            balancer.leave_limit(&answer, 1);
            assert_eq!(send(&mut balancer), Pick::Member(1));
            let away = send(&mut balancer);
            assert!(matches!(away, Pick::Member(2 | 3)), "{away:?}");
            assert_eq!(send(&mut balancer), Pick::Refused);
        }
    }

    #[test]
    fn rounds_deal_out_evenly() {
        let subset = Subset {
            size: 5,
            kind: DealtOut::Deterministic,
        };
        // 20 members are four subsets a round; 40 balancers are ten rounds.
        let mut balancers_of = [0; 20];
        for balancer in 0..40 {
            for &member in &subset.order(balancer, 20, 7)[..5] {
                balancers_of[member as usize] += 1;
            }
        }
        assert_eq!(balancers_of, [10; 20]);
        let drawn = Subset {
            kind: DealtOut::Random,
            ..subset
        };
        let of_first = (0..40)
            .filter(|&balancer| drawn.order(balancer, 20, 7)[..5].contains(&0))
            .count();
        assert!(of_first != 10 && (2..20).contains(&of_first), "{of_first}");
        let mut all = drawn.order(3, 4, 7);
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3]);
    }
}
