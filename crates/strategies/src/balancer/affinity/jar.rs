//! Cookies, which clients keep.

use super::{Bond, CookieConfig};
use crate::strategy::MemberId;
use lbsim_engine::time::{Span, Time};

const NONE: MemberId = MemberId::MAX;

/// The cookies that clients hold: four bytes a session, and 16 more where they grow old.
#[derive(Clone, Debug)]
pub struct Jar {
    max_idle: Option<Span>,
    max_life: Option<Span>,
    member: Vec<MemberId>,
    /// When each was set, and when it was last renewed; empty where they do not grow old.
    times: Vec<(Time, Time)>,
}

impl Jar {
    pub(super) fn new(config: &CookieConfig, sessions: usize) -> Jar {
        let grows_old = config.max_idle.is_some() || config.max_life.is_some();
        let times = if grows_old { sessions } else { 0 };
        Jar {
            max_idle: config.max_idle,
            max_life: config.max_life,
            member: vec![NONE; sessions],
            times: vec![(Time::ZERO, Time::ZERO); times],
        }
    }

    #[inline]
    pub(super) fn find(&self, session: u32, now: Time) -> Bond {
        let member = self.member[session as usize];
        if member == NONE {
            return Bond::None;
        }
        if let Some(&(set, renewed)) = self.times.get(session as usize) {
            let is_over =
                |since: Time, most: Option<Span>| most.is_some_and(|most| now > since + most);
            if is_over(set, self.max_life) || is_over(renewed, self.max_idle) {
                return Bond::Expired;
            }
        }
        Bond::To(member)
    }

    #[inline]
    pub(super) fn set(&mut self, session: u32, member: MemberId, now: Time) {
        if !self.times.is_empty() {
            let is_new = self.find(session, now) != Bond::To(member);
            let (set, renewed) = &mut self.times[session as usize];
            if is_new {
                *set = now;
            }
            *renewed = now;
        }
        self.member[session as usize] = member;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_grows_old_from_when_it_was_set_and_from_its_last_use() {
        let at = |seconds| Time::ZERO + Span::from_secs(seconds);
        let config = CookieConfig {
            max_idle: Some(Span::from_secs(10)),
            max_life: Some(Span::from_secs(25)),
            ..CookieConfig::default()
        };
        let mut jar = Jar::new(&config, 2);
        assert_eq!(jar.find(1, at(0)), Bond::None);
        jar.set(1, 7, at(0));
        assert_eq!(jar.find(1, at(10)), Bond::To(7));
        assert_eq!(jar.find(1, at(11)), Bond::Expired);
        jar.set(1, 7, at(9));
        jar.set(1, 7, at(18));
        assert_eq!(jar.find(1, at(25)), Bond::To(7));
        assert_eq!(jar.find(1, at(26)), Bond::Expired);
        // Whoever answers then binds it anew.
        jar.set(1, 7, at(27));
        assert_eq!(jar.find(1, at(37)), Bond::To(7));
        assert_eq!(jar.find(0, at(37)), Bond::None);
    }
}
