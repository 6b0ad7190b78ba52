//! Messages between balancers and servers that are no requests: health checks, probes, reports of
//! monitoring agents, and the news that a server is idle. Each goes over the link that requests go
//! over, and takes as long.

use super::fault::Place;
use super::link::{FROM_SERVER, TO_SERVER};
use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::{Luck, mix};
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::strategy::{MemberId, Probe, Report};

/// Between whom a message goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Between {
    pub(super) service: u16,
    pub(super) balancer: u16,
    pub(super) member: MemberId,
    /// Its delays and losses follow from it.
    pub(super) luck: u64,
}

/// What a balancer asks a server.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question {
    /// Are you well? Asked then.
    Check(Time),
    /// How many requests do you have?
    Probe,
}

/// What a server tells a balancer.
#[derive(Clone, Copy, Debug)]
pub(super) enum News {
    /// The answer to a probe.
    Probed(Probe),
    /// What its monitoring agent says.
    Report(Report),
    /// It has nothing to do.
    Idle,
}

/// Purposes of the luck of a message that delays it, to the server and back.
const THERE: u64 = 0x600;
const BACK: u64 = 0x601;

impl World<'_> {
    /// The luck of a message that is sent at `now` and has nothing to do with any request; `what`
    /// tells those of one time apart.
    pub(super) fn luck_of(&self, what: u64, now: Time) -> u64 {
        mix(self.messages ^ mix(what) ^ now.nanos())
    }

    /// Asks a server. Says whether the question comes there, at once or in time; if not, it is
    /// lost.
    pub(super) fn ask_server(
        &mut self,
        between: Between,
        question: Question,
        calendar: &mut Calendar<Event>,
    ) -> bool {
        match self.way_there(&between) {
            None => return false,
            Some(Span::ZERO) => self.asked(between, question, calendar),
            Some(takes) => {
                let id = self.questions.insert((between, question));
                calendar.after(takes, Event::Asked(id));
            }
        }
        true
    }

    /// Tells a balancer.
    pub(super) fn tell_balancer(
        &mut self,
        between: Between,
        news: News,
        calendar: &mut Calendar<Event>,
    ) {
        match self.way_back(&between) {
            None => {}
            Some(Span::ZERO) => self.told(between, news, calendar.now()),
            Some(takes) => {
                let id = self.news.insert((between, news));
                calendar.after(takes, Event::Told(id));
            }
        }
    }

    /// A question is at its server.
    pub(super) fn question(&mut self, id: u32, calendar: &mut Calendar<Event>) {
        let (between, question) = self.questions[id];
        self.questions.remove(id);
        self.asked(between, question, calendar);
    }

    fn asked(&mut self, between: Between, question: Question, calendar: &mut Calendar<Event>) {
        match question {
            Question::Check(sent) => self.checked(between, sent, calendar),
            Question::Probe => self.probed(between, calendar),
        }
    }

    /// News are at their balancer.
    pub(super) fn news(&mut self, id: u32, now: Time) {
        let (between, news) = self.news[id];
        self.news.remove(id);
        self.told(between, news, now);
    }

    fn told(&mut self, between: Between, news: News, now: Time) {
        let service = &mut self.services[usize::from(between.service)];
        if service.is_dead(between.balancer) {
            return;
        }
        let balancer = &mut service.balancers[usize::from(between.balancer)];
        match news {
            News::Probed(probe) => balancer.probed(between.member, &probe, now),
            News::Report(report) => balancer.reported(between.member, &report, now),
            News::Idle => balancer.idle(between.member, now),
        }
    }

    /// How long a message takes to its server; `None` where it is lost.
    pub(super) fn way_there(&self, between: &Between) -> Option<Span> {
        let (balancer, server) = self.ends(between);
        let longer = self.passage(balancer, server, (between.luck, TO_SERVER))?;
        Some(self.way(between, THERE) + longer)
    }

    /// How long a message takes to its balancer; `None` where it is lost.
    pub(super) fn way_back(&self, between: &Between) -> Option<Span> {
        let (balancer, server) = self.ends(between);
        let longer = self.passage(server, balancer, (between.luck, FROM_SERVER))?;
        Some(self.way(between, BACK) + longer)
    }

    fn ends(&self, between: &Between) -> (Place, Place) {
        let first = self.services[usize::from(between.service)].first;
        (
            Place::Balancer(between.service, between.balancer),
            Place::Server(first + between.member),
        )
    }

    /// How long a message takes where nothing is wrong.
    fn way(&self, between: &Between, purpose: u64) -> Span {
        let service = &self.services[usize::from(between.service)];
        let group = service.plan.servers[between.member as usize].group as u16;
        let way = if purpose == BACK {
            service.legs.back(between.balancer, group)
        } else {
            service.legs.out(between.balancer, group)
        };
        way.delay().draw(Luck::new(between.luck, purpose))
    }
}
