//! Autoscalers at work: they look at what their servers do, order some and remove some. Whoever
//! joins or leaves does so as `membership` has it.

use super::autoscale::{Look, ScalePlan, ScalingMemory};
use super::gauges::{Gauge, Totals};
use super::{Event, World};
use lbsim_engine::events::Calendar;
use lbsim_engine::rng::{Domain, Rng, Seeds};
use lbsim_engine::time::{Span, Time};
use lbsim_strategies::balancer::Reason;

use super::blueprint::Blueprint;

/// All autoscalers of a world.
#[derive(Debug)]
pub(super) struct Growth<'a> {
    fleets: Vec<Fleet<'a>>,
    /// By server of the world.
    instances: Vec<Instance>,
}

/// The servers of a group under an autoscaler.
#[derive(Debug)]
struct Fleet<'a> {
    plan: &'a ScalePlan,
    /// Its first server, and the one behind its last.
    servers: (u32, u32),
    slots: u32,
    memory: ScalingMemory,
    gauge: Gauge,
    /// How many servers there are to be.
    desired: u32,
    /// How many of the planned changes have come.
    passed: usize,
    /// The numbers of the next window that begins, and of the next that ends: each look has one.
    next: (u64, u64),
    /// When servers were added last.
    added: Option<Time>,
    /// When servers were added or removed last.
    changed: Option<Time>,
}

/// A server that may come and go.
#[derive(Debug, Default)]
struct Instance {
    /// Its fleet; `None` where it is in none, and always there.
    fleet: Option<u32>,
    life: Life,
    /// When it has booted, or has been drained; an event that says otherwise is stale.
    due: Time,
    /// Draws how long it boots.
    rng: Option<Rng>,
    /// What it had worked when it was first measured.
    worked: u64,
    /// Since when it is there: in its pool, or at work for those who came while it was.
    there_since: Option<Time>,
    /// Since when it costs something.
    paid_since: Option<Time>,
}

/// Where a server stands between its order and its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Life {
    /// It is not there.
    #[default]
    Away,
    /// It is ordered.
    Booting,
    /// It takes requests.
    Serving,
    /// It is being drained before it leaves.
    Draining,
}

/// What an autoscaler's event is about: the lower bits of its number.
const PLANNED: u32 = 0;
const OPENS: u32 = 1;
const CLOSES: u32 = 2;
const LOOKS: u32 = 3;

fn event(fleet: usize, what: u32) -> Event {
    Event::Scale((fleet as u32) << 2 | what)
}

/// So long before a time; the start of the run where it had not begun.
fn before(time: Time, span: Span) -> Time {
    Time::from_nanos(time.nanos().saturating_sub(span.nanos()))
}

impl Fleet<'_> {
    /// The time of a look, counted from 1.
    fn look_at(&self, number: u64) -> Time {
        let interval = self.plan.settings.interval.nanos();
        Time::from_nanos(interval.saturating_mul(number))
    }

    /// When the window of a look begins.
    fn opens_at(&self, number: u64) -> Time {
        let settings = &self.plan.settings;
        before(
            before(self.look_at(number), settings.delay),
            settings.window,
        )
    }

    /// When it ends.
    fn closes_at(&self, number: u64) -> Time {
        before(self.look_at(number), self.plan.settings.delay)
    }
}

impl Blueprint {
    /// The autoscalers of a world: of each its first server and the one behind its last, and its
    /// plan.
    pub fn autoscalers(&self) -> impl Iterator<Item = ((u32, u32), &ScalePlan)> {
        let mut first = 0;
        self.services.iter().flat_map(move |service| {
            let base = first;
            first += service.servers.len() as u32;
            let groups = service.groups.iter().enumerate();
            groups.filter_map(move |(number, group)| {
                let plan = group.autoscale.as_ref()?;
                let own = service.servers.iter().position(|one| one.group == number);
                let own = base + own? as u32;
                Some(((own, own + plan.settings.most), plan))
            })
        })
    }

    /// How many servers are in the pools from the start.
    pub fn servers_at_start(&self) -> u32 {
        let groups = self.server_groups();
        let there = groups.filter(|group| group.joins == Time::ZERO).count() as u32;
        let away = self
            .autoscalers()
            .map(|((first, behind), plan)| behind - first - plan.start);
        there - away.sum::<u32>()
    }
}

impl<'a> Growth<'a> {
    /// Those of a world; `None` where it has none.
    pub(super) fn new(plan: &'a Blueprint) -> Option<Box<Growth<'a>>> {
        let all: usize = plan.services.iter().map(|own| own.servers.len()).sum();
        let mut instances: Vec<Instance> = Vec::new();
        let mut fleets = Vec::new();
        for (servers, own) in plan.autoscalers() {
            instances.resize_with(all, Instance::default);
            for server in servers.0..servers.1 {
                let instance = &mut instances[server as usize];
                instance.fleet = Some(fleets.len() as u32);
                if server < servers.0 + own.start {
                    instance.life = Life::Serving;
                    instance.there_since = Some(Time::ZERO);
                    instance.paid_since = Some(Time::ZERO);
                }
            }
            let mut gauge = Gauge::default();
            for _ in 0..own.start {
                gauge.include(0, Time::ZERO);
            }
            let mut groups = plan.server_groups();
            fleets.push(Fleet {
                plan: own,
                servers,
                slots: groups
                    .nth(servers.0 as usize)
                    .map_or(1, |group| group.slots),
                memory: own.settings.by.memory(own.start),
                gauge,
                desired: own.start,
                passed: 0,
                next: (1, 1),
                added: None,
                changed: None,
            });
        }
        (!fleets.is_empty()).then(|| Box::new(Growth { fleets, instances }))
    }

    /// Whether a server may come and go.
    pub(super) fn has(&self, server: u32) -> bool {
        self.instances[server as usize].fleet.is_some()
    }

    /// The fleet of a server that takes requests.
    fn serving(&mut self, server: u32) -> Option<&mut Fleet<'a>> {
        let instance = &self.instances[server as usize];
        let fleet = instance.fleet? as usize;
        (instance.life == Life::Serving).then(|| &mut self.fleets[fleet])
    }

    /// A request sets out for a server.
    pub(super) fn came(&mut self, server: u32, now: Time) {
        if let Some(fleet) = self.serving(server) {
            fleet.gauge.came(now);
        }
    }

    /// A request has left a server.
    pub(super) fn went(&mut self, server: u32, now: Time) {
        if let Some(fleet) = self.serving(server) {
            fleet.gauge.went(now);
        }
    }

    /// A server has answered an attempt well after so long.
    pub(super) fn answered(&mut self, server: u32, took: Span) {
        if let Some(fleet) = self.serving(server) {
            fleet.gauge.answered(took);
        }
    }

    /// The servers of a fleet that stand so, the last first.
    fn those(&self, fleet: usize, so: impl Fn(Life) -> bool) -> impl Iterator<Item = u32> {
        let (first, behind) = self.fleets[fleet].servers;
        (first..behind)
            .rev()
            .filter(move |&server| so(self.instances[server as usize].life))
    }

    /// Draws how long a server boots.
    fn boot(&mut self, server: u32, seeds: Seeds) -> Span {
        let instance = &mut self.instances[server as usize];
        let fleet = instance.fleet.map(|fleet| &self.fleets[fleet as usize]);
        let Some(boot) = fleet.and_then(|fleet| fleet.plan.boot.as_ref()) else {
            return Span::ZERO;
        };
        let rng =
            (instance.rng).get_or_insert_with(|| seeds.stream(Domain::Boot, u64::from(server)));
        Span::from_seconds(boot.sample(rng))
    }
}

/// Whether a server is there or comes.
fn counts(life: Life) -> bool {
    matches!(life, Life::Booting | Life::Serving)
}

impl World<'_> {
    /// The servers that come later are away, and autoscalers begin to look.
    pub(super) fn schedule_growth(&mut self, calendar: &mut Calendar<Event>) {
        let Some(growth) = &self.growth else { return };
        let fleets = growth.fleets.len();
        for fleet in 0..fleets {
            let Some(growth) = &self.growth else { return };
            for server in growth
                .those(fleet, |life| life == Life::Away)
                .collect::<Vec<_>>()
            {
                self.keep_out(server, calendar);
            }
            let Some(growth) = &mut self.growth else {
                return;
            };
            let own = &mut growth.fleets[fleet];
            let settings = &own.plan.settings;
            for at in own.plan.planned() {
                calendar.at(at, event(fleet, PLANNED));
            }
            if settings.by.metric().is_some() {
                calendar.at(own.opens_at(1), event(fleet, OPENS));
                calendar.at(own.look_at(1), event(fleet, LOOKS));
                if !settings.delay.is_zero() {
                    // Windows that end before the run begins are none.
                    own.next.1 = settings.delay.nanos() / settings.interval.nanos() + 1;
                    calendar.at(own.closes_at(own.next.1), event(fleet, CLOSES));
                }
            }
        }
    }

    /// Something is due at an autoscaler.
    pub(super) fn scale(&mut self, number: u32, calendar: &mut Calendar<Event>) {
        let (fleet, what) = ((number >> 2) as usize, number & 3);
        let now = calendar.now();
        match what {
            PLANNED => self.follow_plan(fleet, calendar),
            OPENS => {
                let totals = self.totals(fleet, now);
                if let Some(growth) = &mut self.growth {
                    let own = &mut growth.fleets[fleet];
                    own.gauge.open(totals);
                    own.next.0 += 1;
                    calendar.at(own.opens_at(own.next.0), event(fleet, OPENS));
                }
            }
            CLOSES => {
                let totals = self.totals(fleet, now);
                if let Some(growth) = &mut self.growth {
                    let own = &mut growth.fleets[fleet];
                    own.gauge.close(totals);
                    own.next.1 += 1;
                    calendar.at(own.closes_at(own.next.1), event(fleet, CLOSES));
                }
            }
            _ => self.look_at_load(fleet, calendar),
        }
    }

    fn follow_plan(&mut self, fleet: usize, calendar: &mut Calendar<Event>) {
        let Some(growth) = &mut self.growth else {
            return;
        };
        let own = &mut growth.fleets[fleet];
        let planned = own.plan.settings.by.planned().get(own.passed);
        own.passed += 1;
        if let Some(planned) = planned {
            self.set_desired(fleet, planned.count, calendar);
        }
    }

    /// What the measured servers of a fleet have done so far.
    fn totals(&mut self, fleet: usize, now: Time) -> Totals {
        let Some(growth) = &self.growth else {
            return Totals::default();
        };
        let measured: Vec<(u32, u64)> = growth
            .those(fleet, |life| life == Life::Serving)
            .map(|server| (server, growth.instances[server as usize].worked))
            .collect();
        let each = measured.into_iter();
        let worked =
            each.map(|(server, before)| self.slot_time_worked(server, now).saturating_sub(before));
        let worked = worked.sum();
        let Some(growth) = &mut self.growth else {
            return Totals::default();
        };
        growth.fleets[fleet].gauge.read(worked, now)
    }

    /// An autoscaler looks at its figure, and orders or removes servers.
    fn look_at_load(&mut self, fleet: usize, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let totals = self.totals(fleet, now);
        let Some(growth) = &mut self.growth else {
            return;
        };
        let ready = growth.those(fleet, |life| life == Life::Serving).count() as u32;
        let own = &mut growth.fleets[fleet];
        let settings = &own.plan.settings;
        calendar.after(settings.interval, event(fleet, LOOKS));
        let Some(metric) = settings.by.metric() else {
            return;
        };
        let figure = if before(now, settings.delay) == Time::ZERO {
            own.gauge.look_away();
            None
        } else {
            let at_once = settings.delay.is_zero().then_some(totals);
            own.gauge.look(at_once, (metric, own.slots))
        };
        let look = Look {
            now,
            ratio: figure.map(|figure| figure / metric.target()),
            ready,
            count: own.desired,
            bounds: (settings.least, settings.most),
        };
        let wanted = settings.by.wants(&mut own.memory, &look);
        let rests =
            |since: Option<Time>, cooldown: Span| since.is_some_and(|since| now < since + cooldown);
        let rests = if wanted > own.desired {
            rests(own.added, settings.cooldown_out)
        } else {
            rests(own.changed, settings.cooldown_in)
        };
        if !rests {
            self.set_desired(fleet, wanted, calendar);
        }
    }

    /// There are to be so many servers from now on.
    fn set_desired(&mut self, fleet: usize, count: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let Some(growth) = &mut self.growth else {
            return;
        };
        let own = &mut growth.fleets[fleet];
        if count == own.desired {
            return;
        }
        let out = count > own.desired;
        if out {
            own.added = Some(now);
        }
        own.changed = Some(now);
        own.desired = count;
        if let Some(pools) = &mut self.tally.pools {
            pools.scaled(out, now);
        }
        self.order_and_remove(fleet, calendar);
    }

    /// Orders servers, or removes some, until there are as many as there are to be. Where places
    /// are still taken by those that are drained, it is done when these have left.
    fn order_and_remove(&mut self, fleet: usize, calendar: &mut Calendar<Event>) {
        loop {
            let Some(growth) = &self.growth else { return };
            let desired = growth.fleets[fleet].desired as usize;
            let there = growth.those(fleet, counts).count();
            if there < desired {
                let first_away = growth.those(fleet, |life| life == Life::Away).last();
                let Some(server) = first_away else { return };
                self.order(server, calendar);
            } else if there > desired {
                // One that still boots is of no use to anybody yet.
                let boots = growth.those(fleet, |life| life == Life::Booting).next();
                let last = boots.or_else(|| growth.those(fleet, counts).next());
                let Some(server) = last else { return };
                self.remove(server, calendar);
            } else {
                return;
            }
        }
    }

    /// A server is ordered.
    fn order(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let seeds = self.seeds;
        let Some(growth) = &mut self.growth else {
            return;
        };
        let boots = growth.boot(server, seeds);
        let instance = &mut growth.instances[server as usize];
        instance.life = Life::Booting;
        if boots.is_zero() {
            self.begin_to_serve(server, calendar);
        } else {
            let due = calendar.now() + boots;
            instance.due = due;
            calendar.at(due, Event::Membership(server));
            self.settle_instance(server, calendar.now());
        }
    }

    /// A server takes requests from now on.
    fn begin_to_serve(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        self.join_pool(server, calendar);
        let worked = self.slot_time_worked(server, now);
        let present = self.known.in_system(server);
        let Some(growth) = &mut self.growth else {
            return;
        };
        let instance = &mut growth.instances[server as usize];
        (instance.life, instance.worked) = (Life::Serving, worked);
        if let Some(fleet) = growth.serving(server) {
            fleet.gauge.include(present, now);
        }
        self.settle_instance(server, now);
    }

    /// A server is removed: it is ordered no longer, or drained, or it leaves.
    fn remove(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let worked = self.slot_time_worked(server, now);
        let present = self.known.in_system(server);
        let Some(growth) = &mut self.growth else {
            return;
        };
        let before = growth.instances[server as usize].worked;
        let Some(fleet) = growth.serving(server) else {
            growth.instances[server as usize].life = Life::Away;
            self.settle_instance(server, now);
            return;
        };
        fleet
            .gauge
            .exclude(present, worked.saturating_sub(before), now);
        let drain = fleet.plan.settings.drain;
        let instance = &mut growth.instances[server as usize];
        if drain.is_zero() {
            instance.life = Life::Away;
            self.leave_pool(server, calendar);
            self.settle_instance(server, now);
        } else {
            (instance.life, instance.due) = (Life::Draining, now + drain);
            calendar.at(now + drain, Event::Membership(server));
            self.set_everywhere(server, Reason::Draining, true, calendar);
        }
        self.count_in_pool(false, now);
    }

    /// A server has booted, or has been drained.
    pub(super) fn go_on_growing(&mut self, server: u32, calendar: &mut Calendar<Event>) {
        let now = calendar.now();
        let Some(growth) = &mut self.growth else {
            return;
        };
        let instance = &mut growth.instances[server as usize];
        let fleet = instance.fleet;
        match instance.life {
            _ if instance.due != now => {}
            Life::Booting => self.begin_to_serve(server, calendar),
            Life::Draining => {
                instance.life = Life::Away;
                self.leave_pool(server, calendar);
                let drained = self.is_drained(server);
                self.set_everywhere(server, Reason::Draining, drained, calendar);
                self.settle_instance(server, now);
                if let Some(fleet) = fleet {
                    self.order_and_remove(fleet as usize, calendar);
                }
            }
            Life::Away | Life::Serving => {}
        }
    }

    /// Whether an autoscaler drains a server.
    pub(super) fn is_removed(&self, server: u32) -> bool {
        (self.growth.as_ref())
            .is_some_and(|growth| growth.instances[server as usize].life == Life::Draining)
    }

    /// Counts a server that may come and go while it is there, and while it costs something.
    pub(super) fn settle_instance(&mut self, server: u32, now: Time) {
        let works = self.known.in_system(server) > 0;
        let Some(growth) = &mut self.growth else {
            return;
        };
        let instance = &mut growth.instances[server as usize];
        if instance.fleet.is_none() {
            return;
        }
        let is_in = matches!(instance.life, Life::Serving | Life::Draining);
        let ended = |since: &mut Option<Time>, goes_on: bool| match goes_on {
            true => {
                since.get_or_insert(now);
                None
            }
            false => since.take(),
        };
        let place = server as usize;
        if let Some(since) = ended(&mut instance.there_since, is_in || works) {
            self.tally.load.stay(place, since, now);
        }
        let costs = instance.life != Life::Away || works;
        if let Some(since) = ended(&mut instance.paid_since, costs)
            && let Some(pools) = &mut self.tally.pools
        {
            pools.pay(place, since, now);
        }
    }

    /// Counts what is there when the run is over.
    pub(super) fn close_growth(&mut self, reached: Time) {
        let (Some(growth), Some(pools)) = (&mut self.growth, &mut self.tally.pools) else {
            return;
        };
        pools.settle(reached);
        for (server, instance) in growth.instances.iter_mut().enumerate() {
            if instance.fleet.is_none() {
                self.tally.load.stay(server, Time::ZERO, reached);
                continue;
            }
            if let Some(since) = instance.there_since.take() {
                self.tally.load.stay(server, since, reached);
            }
            if let Some(since) = instance.paid_since.take() {
                pools.pay(server, since, reached);
            }
        }
    }
}
