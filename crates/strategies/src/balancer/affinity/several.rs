//! Answers of name servers that name several members: each client has its own place in the answer
//! that it, or its resolver, has got, and goes on to the next when that fails it.

use super::dns::{BeginWith, DnsConfig};
use crate::strategy::MemberId;
use lbsim_engine::rng::{Luck, below, mix};
use lbsim_engine::time::Time;

/// The purpose of a caller's luck that says with which member of an answer it begins.
const BEGIN: u64 = 3;

/// An answer: who keeps it, the member that it names first, and until when it is kept.
type KeptAnswer = (usize, MemberId, Time);

/// What answers name besides their first member, and how far callers have come in theirs.
#[derive(Clone, Debug)]
pub(super) struct SeveralNames {
    begin_with: BeginWith,
    /// How many others an answer names at most.
    most: usize,
    /// The others, so many places for each keeper; [`MemberId::MAX`] in those that are free.
    others: Vec<MemberId>,
    /// By caller: how often it has gone on to the next, and until when the answer is kept in which
    /// it has. In any other answer it has not yet: no two of one keeper end at the same time.
    steps: Vec<(u32, Time)>,
    word: u64,
}

impl SeveralNames {
    /// Nothing has been named yet; `None` where answers name one member each.
    pub(super) fn new(
        config: &DnsConfig,
        keepers: usize,
        callers: usize,
        word: u64,
    ) -> Option<SeveralNames> {
        let most = config.answers as usize - 1;
        (most > 0).then(|| SeveralNames {
            begin_with: config.begin_with,
            most,
            others: vec![MemberId::MAX; keepers * most],
            steps: vec![(0, Time::ZERO); callers],
            word,
        })
    }

    /// How many members an answer names at most besides the first.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// A keeper has been told these besides the first.
    pub(super) fn set(&mut self, keeper: usize, others: &[MemberId]) {
        let places = &mut self.others[keeper * self.most..][..self.most];
        places.fill(MemberId::MAX);
        for (place, &other) in places.iter_mut().zip(others) {
            *place = other;
        }
    }

    /// The members that an answer names, from the place on where a caller is.
    fn onwards(
        &self,
        caller: u32,
        (keeper, first, until): KeptAnswer,
    ) -> impl Iterator<Item = MemberId> {
        let others = &self.others[keeper * self.most..][..self.most];
        let free = others.iter().position(|&other| other == MemberId::MAX);
        let others = &others[..free.unwrap_or(self.most)];
        let count = 1 + others.len();
        let begins = match self.begin_with {
            BeginWith::First => 0,
            BeginWith::Any => {
                let own = mix(self.word ^ mix(u64::from(caller))) ^ mix(until.nanos());
                below(&mut Luck::new(own, BEGIN), count)
            }
        };
        let (steps, since) = self.steps[caller as usize];
        let place = begins + if since == until { steps as usize } else { 0 };
        (0..count).map(move |at| match (place + at) % count {
            0 => first,
            other => others[other - 1],
        })
    }

    /// The member to which a caller goes by its answer.
    pub(super) fn current(&self, caller: u32, answer: KeptAnswer) -> MemberId {
        self.onwards(caller, answer).next().unwrap_or(answer.1)
    }

    /// Where it goes that has tried these members: to the next that it has not tried, or else where
    /// it is.
    pub(super) fn instead(&self, caller: u32, answer: KeptAnswer, tried: &[MemberId]) -> MemberId {
        let mut named = self.onwards(caller, answer);
        named
            .find(|member| !tried.contains(member))
            .unwrap_or_else(|| self.current(caller, answer))
    }

    /// A member has failed a caller. Where several of its requests were under way there, it goes on
    /// once.
    pub(super) fn failed(&mut self, caller: u32, answer: KeptAnswer, member: MemberId) {
        if self.current(caller, answer) != member {
            return;
        }
        let (steps, since) = &mut self.steps[caller as usize];
        if *since != answer.2 {
            (*steps, *since) = (0, answer.2);
        }
        *steps = steps.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Bond, Callers, dns::KeptAnswers};
    use super::*;
    use lbsim_engine::time::Span;

    fn at(seconds: u64) -> Time {
        Time::ZERO + Span::from_secs(seconds)
    }

    fn answers(resolvers: Option<u32>, begin_with: BeginWith) -> KeptAnswers {
        let config = DnsConfig {
            ttl: Span::from_secs(60),
            resolvers,
            overlong: None,
            answers: 3,
            begin_with,
        };
        let callers = Callers {
            clients: vec![3000],
            servers: 0,
        };
        KeptAnswers::new(&config, &callers, 7)
    }

    /// One resolver has the answer 5, 2, 9 for all; each client goes through it by itself, and
    /// begins again behind the last. In the next answer all begin with the first.
    #[test]
    fn each_goes_through_the_answer_by_itself() {
        let mut kept = answers(Some(1), BeginWith::First);
        let ends = |kept: &KeptAnswers| (0..61).find(|&s| kept.find(0, at(s)) == Bond::Expired);
        assert_eq!(kept.room(0, at(0)), 2);
        kept.set(0, 5, at(0));
        kept.name_others(0, &[2, 9]);
        assert_eq!((kept.room(0, at(0)), kept.room(1, at(0))), (0, 0));
        let went = |kept: &KeptAnswers, caller| kept.find(caller, at(0));
        kept.failed(0, 5, at(0));
        // What was under way there fails, too, and changes nothing.
        kept.failed(0, 5, at(0));
        assert_eq!((went(&kept, 0), went(&kept, 1)), (Bond::To(2), Bond::To(5)));
        assert_eq!(kept.instead(0, &[2, 5]), Some(9));
        assert_eq!(kept.instead(0, &[9, 2, 5]), Some(2));
        kept.failed(0, 2, at(0));
        assert_eq!(went(&kept, 0), Bond::To(9));
        kept.failed(0, 9, at(0));
        assert_eq!(went(&kept, 0), Bond::To(5));
        kept.failed(0, 5, at(0));
        let later = ends(&kept).unwrap();
        assert_eq!(kept.room(0, at(later)), 2);
        kept.set(0, 2, at(later));
        kept.name_others(0, &[5]);
        assert_eq!(kept.find(0, at(later)), Bond::To(2));
        kept.failed(0, 2, at(later));
        assert_eq!(kept.find(0, at(later)), Bond::To(5));
        kept.failed(0, 5, at(later));
        assert_eq!(kept.find(0, at(later)), Bond::To(2));
    }

    /// Of 3000 clients 1000 begin with each of three members, with a standard deviation of 26: five
    /// of them are allowed.
    #[test]
    fn who_shuffles_begins_with_any() {
        let mut kept = answers(Some(1), BeginWith::Any);
        kept.set(0, 0, at(0));
        kept.name_others(0, &[1, 2]);
        let mut begin = [0_i32; 3];
        for caller in 0..3000 {
            let Bond::To(member) = kept.find(caller, at(0)) else {
                panic!("there is an answer");
            };
            begin[member as usize] += 1;
            // Its next one is the next of the answer.
            kept.failed(caller, member, at(0));
            assert_eq!(kept.find(caller, at(0)), Bond::To((member + 1) % 3));
        }
        assert!(
            begin.iter().all(|count| (count - 1000).abs() < 130),
            "{begin:?}"
        );
    }
}
