//! Answers of name servers, which are kept: whoever has one asks nobody before its time to live is
//! over.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::several::SeveralNames;
use super::{Bond, Callers};
use crate::balancer::Refuse;
use crate::strategy::MemberId;
use lbsim_engine::rng::{Luck, mix, uniform};
use lbsim_engine::time::{Span, Time};
use lbsim_engine::units::Share;

/// How answers of a name server are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DnsConfig {
    /// For how long an answer is kept (RFC 1035: TTL).
    #[schemars(extend("x-least" = "1ms"))]
    pub ttl: Span,
    /// How many resolvers each group of clients asks through; a client keeps to one of them, which
    /// keeps what it was told for all of its clients, and is asked so often that it has an answer
    /// at the start already, of any age. Where it is left out each client keeps its own answer,
    /// from the request on for which it had none. Servers that call keep their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub resolvers: Option<u32>,
    /// Those who keep answers for longer than they may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlong: Option<Overlong>,
    /// How many different members an answer names at most, all of them eligible when it is given
    /// (Route 53: multivalue answers, up to 8). The first is the one that the strategy picks; the
    /// next one is the one that it would pick if those before were out, as for a retry. A client
    /// to whose address no connection can be made, or from which no answer comes in time (`timeout`
    /// of the balancer or of the client), goes to the next one of its answer from then on, and
    /// after the last one begins again with the first. A full queue or an error answer changes
    /// nothing. With more than 1, retries stay within the answer: with `another` they go to the
    /// next address that has not been tried, and to one that has where there is none.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1, max = 8))]
    pub answers: u32,
    /// With which of the members that an answer names its client begins.
    #[serde(default, skip_serializing_if = "BeginWith::is_default")]
    pub begin_with: BeginWith,
}

/// With which of the members that an answer names a client begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BeginWith {
    /// With the first, as most do, and then in the order of the answer: all who have one from the
    /// same resolver begin with the same member (RFC 1794 has name servers change the order from
    /// answer to answer for that reason).
    #[default]
    First,
    /// With any, drawn for each client and each answer, and then in the order of the answer, as
    /// where the stub resolver of each client shuffles or turns what it is told.
    Any,
}

impl BeginWith {
    fn is_default(&self) -> bool {
        *self == BeginWith::default()
    }
}

fn one() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_one(count: &u32) -> bool {
    *count == 1
}

/// Who keeps answers for longer than it may.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Overlong {
    /// The share of resolvers, or of clients where these keep their own answers; which they are is
    /// drawn in each replication.
    pub share: Share,
    /// For how long they keep one.
    #[schemars(extend("x-least" = "1ms"))]
    pub ttl: Span,
}

impl DnsConfig {
    /// Says which settings may not be so, each with its key.
    pub fn check(&self, refuse: &mut Refuse<'_>) {
        if self.ttl.is_zero() {
            refuse(
                "ttl",
                "nothing is kept for no time at all; leave `sticky` out",
            );
        }
        if self.answers == 1 && self.begin_with != BeginWith::First {
            refuse(
                "begin-with",
                "an answer names one member, with which all begin; let it name more (`answers`)",
            );
        }
        let Some(overlong) = &self.overlong else {
            return;
        };
        if !(0.0..=1.0).contains(&overlong.share.value()) {
            let message = format!("it is {}; it must be 0% to 100%", overlong.share);
            refuse("overlong.share", &message);
        }
        if overlong.ttl <= self.ttl {
            let message = format!("{} is not longer than the `ttl` of all", overlong.ttl);
            refuse("overlong.ttl", &message);
        }
    }
}

/// Purposes of a keeper's luck.
const AGE: u64 = 1;
const OVERLONG: u64 = 2;

/// What is kept, by whom: twelve bytes a keeper.
#[derive(Clone, Debug)]
pub struct KeptAnswers {
    config: DnsConfig,
    /// The first client of each group.
    firsts: Vec<u32>,
    clients: u32,
    /// What each keeper was told last; [`MemberId::MAX`] where it has not asked yet.
    told: Vec<MemberId>,
    /// Until when it keeps that.
    until: Vec<Time>,
    /// The other members that answers name, where they name several.
    several: Option<Box<SeveralNames>>,
    word: u64,
}

impl KeptAnswers {
    pub(super) fn new(config: &DnsConfig, callers: &Callers, word: u64) -> KeptAnswers {
        let mut first = 0;
        let firsts = callers.clients.iter().map(|count| {
            first += count;
            first - count
        });
        let keepers = match config.resolvers {
            Some(each) => callers.clients.len() * each as usize + callers.servers as usize,
            None => callers.count(),
        };
        KeptAnswers {
            config: config.clone(),
            firsts: firsts.collect(),
            clients: callers.clients(),
            told: vec![MemberId::MAX; keepers],
            until: vec![Time::ZERO; keepers],
            several: SeveralNames::new(config, keepers, callers.count(), word).map(Box::new),
            word,
        }
    }

    /// Who keeps the answers for a caller.
    fn keeper(&self, caller: u32) -> usize {
        let Some(each) = self.config.resolvers else {
            return caller as usize;
        };
        if caller >= self.clients {
            let own = (caller - self.clients) as usize;
            return self.firsts.len() * each as usize + own;
        }
        let group = self.firsts.partition_point(|&first| first <= caller) - 1;
        let own = mix(self.word ^ mix(u64::from(caller))) % u64::from(each);
        group * each as usize + own as usize
    }

    fn luck(&self, keeper: usize, purpose: u64) -> f64 {
        uniform(&mut Luck::new(mix(self.word ^ mix(keeper as u64)), purpose))
    }

    /// How long a keeper keeps an answer.
    fn ttl(&self, keeper: usize) -> Span {
        match &self.config.overlong {
            Some(overlong) if self.luck(keeper, OVERLONG) < overlong.share.value() => overlong.ttl,
            _ => self.config.ttl,
        }
    }

    pub(super) fn find(&self, caller: u32, now: Time) -> Bond {
        let keeper = self.keeper(caller);
        match self.told[keeper] {
            MemberId::MAX => Bond::None,
            _ if now >= self.until[keeper] => Bond::Expired,
            first => Bond::To(match &self.several {
                None => first,
                Some(several) => several.current(caller, self.answer(keeper)),
            }),
        }
    }

    /// The answer that a keeper has: its number, the member named first, and until when it is kept.
    fn answer(&self, keeper: usize) -> (usize, MemberId, Time) {
        (keeper, self.told[keeper], self.until[keeper])
    }

    /// For how many members more there is room in the answer that a caller is about to get: for
    /// none where it has one.
    pub(super) fn room(&self, caller: u32, now: Time) -> usize {
        match (&self.several, self.find(caller, now)) {
            (Some(several), Bond::None | Bond::Expired) => several.most(),
            _ => 0,
        }
    }

    /// The answer that a caller has got names these members, too.
    pub(super) fn name_others(&mut self, caller: u32, others: &[MemberId]) {
        let keeper = self.keeper(caller);
        if let Some(several) = &mut self.several {
            several.set(keeper, others);
        }
    }

    /// A member has failed a caller, which goes on to the next of its answer if this is where it
    /// was.
    pub(super) fn failed(&mut self, caller: u32, member: MemberId, now: Time) {
        let keeper = self.keeper(caller);
        let answer = self.answer(keeper);
        if now < self.until[keeper]
            && let Some(several) = &mut self.several
        {
            several.failed(caller, answer, member);
        }
    }

    /// Where a caller that has tried these members goes within its answer; `None` where answers
    /// name one member each.
    pub(super) fn instead(&self, caller: u32, tried: &[MemberId]) -> Option<MemberId> {
        let several = self.several.as_ref()?;
        Some(several.instead(caller, self.answer(self.keeper(caller)), tried))
    }

    /// A caller has been told to go to a member, unless it has an answer already.
    pub(super) fn set(&mut self, caller: u32, member: MemberId, now: Time) {
        let keeper = self.keeper(caller);
        let is_first = self.told[keeper] == MemberId::MAX;
        if !is_first && now < self.until[keeper] {
            return;
        }
        let mut keeps = self.ttl(keeper);
        // A resolver has been asked by others before.
        if is_first && self.config.resolvers.is_some() && caller < self.clients {
            keeps = Span::from_seconds(keeps.seconds() * (1.0 - self.luck(keeper, AGE)));
        }
        self.told[keeper] = member;
        self.until[keeper] = now + keeps;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callers() -> Callers {
        Callers {
            clients: vec![10, 1000],
            servers: 3,
        }
    }

    fn at(seconds: u64) -> Time {
        Time::ZERO + Span::from_secs(seconds)
    }

    #[test]
    fn an_answer_is_kept_for_its_time_to_live() {
        let config = DnsConfig {
            ttl: Span::from_secs(60),
            resolvers: None,
            overlong: None,
            answers: 1,
            begin_with: BeginWith::First,
        };
        let mut answers = KeptAnswers::new(&config, &callers(), 7);
        assert_eq!(answers.find(12, at(5)), Bond::None);
        answers.set(12, 1, at(5));
        // Who is tried instead changes nothing.
        answers.set(12, 0, at(6));
        assert_eq!(answers.find(12, at(64)), Bond::To(1));
        assert_eq!(answers.find(12, at(65)), Bond::Expired);
        answers.set(12, 0, at(70));
        assert_eq!(answers.find(12, at(129)), Bond::To(0));
        assert_eq!(answers.find(1012, at(129)), Bond::None);
    }

    #[test]
    fn resolvers_keep_answers_for_their_clients_from_any_age_on() {
        let config = DnsConfig {
            ttl: Span::from_secs(60),
            resolvers: Some(5),
            overlong: None,
            answers: 1,
            begin_with: BeginWith::First,
        };
        let mut answers = KeptAnswers::new(&config, &callers(), 7);
        let keepers: Vec<usize> = (10..1010).map(|caller| answers.keeper(caller)).collect();
        assert_eq!(keepers.iter().min(), Some(&5));
        assert_eq!(keepers.iter().max(), Some(&9));
        assert_eq!(answers.keeper(1012), 12);
        for caller in 0..1013 {
            answers.set(caller, 2, Time::ZERO);
        }
        let clients = &answers.until[..10];
        assert!(clients.iter().all(|&until| until < at(60)), "{clients:?}");
        assert!(clients.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(answers.until[10..].iter().all(|&until| until == at(60)));
    }
}
