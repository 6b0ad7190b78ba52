//! How busy servers are: each over the measured window, and bands of servers over time, with how
//! many wait there, and for how long servers were dead.

use serde::{Deserialize, Serialize};

use super::occupancy::Occupancy;
use lbsim_engine::time::{Span, Time};

/// Bands in the heat map: with more servers, neighbours of one service share one. Each service has
/// its part of them by its servers, and one at least.
const BANDS: usize = 100;

/// Busy time, in slot-nanoseconds: two slots at work for one nanosecond are two.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Load {
    from: Time,
    to: Time,
    /// Cells that have been added up here.
    cells: u32,
    /// By server.
    pub servers: Vec<ServerLoad>,
    /// Slots at work over time.
    at_work: Occupancy,
    bands: usize,
    stretch: Span,
    /// For how long servers were there; `None` where all that counts is the whole window.
    stays: Option<Stays>,
    /// Attempts sent by stretch and band, one stretch after the other.
    sends: Vec<u64>,
    /// Attempts that waited for a slot.
    waiting: Occupancy,
    /// Servers that were dead; `None` while none has been.
    dead: Option<Dead>,
}

/// For how long servers were there, some of which come and go as an autoscaler has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stays {
    /// Nanoseconds in the measured window, by server.
    servers: Vec<u64>,
    /// Their slots over time.
    slots: Occupancy,
}

/// When servers were dead.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Dead {
    servers: Occupancy,
    /// Since when each is that is dead now. Of a run that goes on, and therefore not stored.
    #[serde(skip)]
    since: Vec<Option<Time>>,
}

/// A band of servers in one stretch of time, mean over cells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OverTime {
    /// Share of slot time in use, 0 to 1; 0 where nobody was there.
    pub utilization: f64,
    /// Attempts sent, to each server.
    pub sent: f64,
    /// Attempts that waited for a slot, at each server.
    pub waiting: f64,
    /// Share of time that servers were there, as an autoscaler has it, dead or alive.
    pub there: f64,
    /// Share of time that servers were dead.
    pub dead: f64,
}

/// What one server did in the measured window.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct ServerLoad {
    slots: u32,
    /// The band of the heat map that it is in: known from the plan, and therefore not stored.
    #[serde(skip)]
    band: u32,
    /// Busy time.
    busy: u64,
    /// Attempts sent to it for requests that arrived in the window; those below are among them.
    pub sent: u64,
    /// Attempts that failed on it.
    pub failed: u64,
    /// Those of them that it answered after a place in line, or a slot at once; none where it
    /// shares itself.
    pub answered: u64,
    /// How long those had waited for a slot, in all.
    pub waited: Span,
}

impl Load {
    /// Idle servers with these slots, by service; `stretches` of equal length divide the time from
    /// zero to `to`.
    pub fn new(from: Time, to: Time, stretches: usize, slots: &[&[u32]]) -> Load {
        let all: usize = slots.iter().map(|own| own.len()).sum();
        let mut bands = 0;
        let mut servers = Vec::with_capacity(all);
        for own in slots {
            let count = match all <= BANDS {
                true => own.len(),
                false => (BANDS * own.len() / all).max(1),
            };
            servers.extend(own.iter().enumerate().map(|(at, &slots)| ServerLoad {
                slots,
                band: (bands + at * count / own.len()) as u32,
                ..ServerLoad::default()
            }));
            bands += count;
        }
        let stretch = Span::from_nanos(to.nanos().div_ceil(stretches as u64));
        Load {
            from,
            to,
            cells: 1,
            servers,
            at_work: Occupancy::new(stretch, stretches, bands),
            bands,
            stretch,
            stays: None,
            sends: vec![0; stretches * bands],
            waiting: Occupancy::new(stretch, stretches, bands),
            dead: None,
        }
    }

    /// Counts servers from now on by the time that they are there, which [`Load::stay`] tells.
    pub fn keep_stays(&mut self) {
        self.stays = Some(Stays {
            servers: vec![0; self.servers.len()],
            slots: self.nobody(),
        });
    }

    /// `server` has been there from `since` to `until`.
    pub fn stay(&mut self, server: usize, since: Time, until: Time) {
        let Some(stays) = &mut self.stays else { return };
        stays.servers[server] += until.min(self.to).since(since.max(self.from)).nanos();
        let ServerLoad { slots, band, .. } = self.servers[server];
        stays.slots.add(band as usize, slots, since, until);
    }

    /// Whether a server has been there at any time of the measured window.
    pub fn was_there(&self, server: usize) -> bool {
        (self.stays.as_ref()).is_none_or(|stays| stays.servers[server] > 0)
    }

    /// Slot-nanoseconds that a server could have worked in the measured window, all cells together.
    fn room(&self, server: usize) -> f64 {
        let there = match &self.stays {
            Some(stays) => stays.servers[server] as f64,
            None => self.window(),
        };
        there * f64::from(self.servers[server].slots)
    }

    /// `slots` slots of `server` have been at work from `since` to `until`.
    #[inline]
    pub fn busy(&mut self, server: usize, slots: u32, since: Time, until: Time) {
        let inside = until.min(self.to).since(since.max(self.from));
        let own = &mut self.servers[server];
        own.busy += inside.nanos() * u64::from(slots);
        self.at_work.add(own.band as usize, slots, since, until);
    }

    /// A slot of `server` has been at work from `since` to `until`, on an attempt that it has
    /// answered after a wait, where that counts.
    #[inline(always)]
    pub(crate) fn served(&mut self, server: usize, since: Time, until: Time, waited: Option<Span>) {
        let inside = until.min(self.to).since(since.max(self.from));
        let own = &mut self.servers[server];
        own.busy += inside.nanos();
        if let Some(waited) = waited {
            own.answered += 1;
            own.waited += waited;
        }
        self.at_work.add(own.band as usize, 1, since, until);
    }

    /// An attempt is sent to `server` in this stretch of time, for a request that is measured or
    /// not.
    #[inline(always)]
    pub(crate) fn sent(&mut self, server: usize, stretch: u16, measured: bool) {
        let own = &mut self.servers[server];
        own.sent += u64::from(measured);
        let at = usize::from(stretch) * self.bands + own.band as usize;
        if let Some(sends) = self.sends.get_mut(at) {
            *sends += 1;
        }
    }

    /// An attempt has waited at `server` for a slot from `since` to `until`.
    #[inline(always)]
    pub(crate) fn waited(&mut self, server: usize, since: Time, until: Time) {
        if until > since {
            let band = self.servers[server].band as usize;
            self.waiting.add(band, 1, since, until);
        }
    }

    /// `server` dies at `now`, if it is not dead already.
    pub(crate) fn dies(&mut self, server: usize, now: Time) {
        let (servers, since) = (self.nobody(), vec![None; self.servers.len()]);
        let dead = (self.dead).get_or_insert(Dead { servers, since });
        dead.since[server].get_or_insert(now);
    }

    /// `server` is up again at `now`, if it was dead.
    pub(crate) fn revives(&mut self, server: usize, now: Time) {
        if let Some(dead) = &mut self.dead
            && let Some(since) = dead.since[server].take()
        {
            let band = self.servers[server].band as usize;
            dead.servers.add(band, 1, since, now);
        }
    }

    /// Measured time, all cells together.
    fn window(&self) -> f64 {
        (self.to - self.from).nanos() as f64 * f64::from(self.cells)
    }

    /// Makes this the sum of no cells.
    pub fn clear(&mut self) {
        self.cells = 0;
    }

    /// Adds all of `other`, a cell of the same scenario: shares are then means over cells.
    pub fn merge(&mut self, other: &Load) {
        self.cells += other.cells;
        self.at_work.merge(&other.at_work);
        if let (Some(sum), Some(more)) = (&mut self.stays, &other.stays) {
            sum.slots.merge(&more.slots);
            let pairs = sum.servers.iter_mut().zip(&more.servers);
            pairs.for_each(|(sum, more)| *sum += more);
        }
        for (sum, more) in self.sends.iter_mut().zip(&other.sends) {
            *sum += more;
        }
        self.waiting.merge(&other.waiting);
        match (&mut self.dead, &other.dead) {
            (Some(sum), Some(more)) => sum.servers.merge(&more.servers),
            (sum @ None, Some(_)) => sum.clone_from(&other.dead),
            (_, None) => {}
        }
        for (sum, more) in self.servers.iter_mut().zip(&other.servers) {
            sum.busy += more.busy;
            sum.sent += more.sent;
            sum.failed += more.failed;
            sum.answered += more.answered;
            sum.waited += more.waited;
        }
    }

    /// Share of slot time in use in the measured window, by server; 0 where one was never there.
    pub fn utilization(&self) -> Vec<f64> {
        let servers = self.servers.iter().enumerate();
        servers
            .map(|(at, server)| match server.busy {
                0 => 0.0,
                busy => busy as f64 / self.room(at),
            })
            .collect()
    }

    /// Share of the slot time of some servers that was in use in the measured window; `None` where
    /// none of them was there.
    pub fn utilization_of(&self, servers: &[usize]) -> Option<f64> {
        let there = servers.iter().filter(|&&server| self.was_there(server));
        let (busy, room) = there.fold((0.0, 0.0), |(busy, room), &server| {
            (
                busy + self.servers[server].busy as f64,
                room + self.room(server),
            )
        });
        (room > 0.0).then(|| busy / room)
    }

    /// Share of all slot time in use in the measured window.
    pub fn mean_utilization(&self) -> f64 {
        if self.stays.is_some() {
            let all: Vec<usize> = (0..self.servers.len()).collect();
            return self.utilization_of(&all).unwrap_or(f64::NAN);
        }
        let window = self.window();
        let slots: f64 = self.servers.iter().map(|s| f64::from(s.slots)).sum();
        self.servers.iter().map(|s| s.busy as f64).sum::<f64>() / (window * slots)
    }

    /// The first and last server of each band.
    pub fn bands(&self) -> Vec<(usize, usize)> {
        let mut bands: Vec<(usize, usize)> = Vec::with_capacity(self.bands);
        for (server, load) in self.servers.iter().enumerate() {
            match bands.get_mut(load.band as usize) {
                Some((_, last)) => *last = server,
                None => bands.push((server, server)),
            }
        }
        bands
    }

    /// Nobody over time, from whom what comes is counted.
    fn nobody(&self) -> Occupancy {
        let stretches = self.sends.len() / self.bands;
        Occupancy::new(self.stretch, stretches, self.bands)
    }

    /// How bands were over time: `[stretch][band]`.
    pub fn over_time(&self) -> Vec<Vec<OverTime>> {
        let bands = self.bands();
        let (at_work, waiting) = (self.at_work.integrals(), self.waiting.integrals());
        let stays = self.stays.as_ref().map(|stays| stays.slots.integrals());
        let dead = self.dead.as_ref().map(|dead| dead.servers.integrals());
        let time = self.stretch.nanos() as f64 * f64::from(self.cells);
        let one = |stretch: usize, band: usize| {
            let (first, last) = bands[band];
            let servers = &self.servers[first..=last];
            let slots: f64 = servers.iter().map(|s| f64::from(s.slots)).sum();
            let count = servers.len() as f64;
            let room = match &stays {
                Some(stays) => stays[stretch][band] as f64,
                None => time * slots,
            };
            OverTime {
                utilization: match at_work[stretch][band] {
                    0 => 0.0,
                    busy => busy as f64 / room,
                },
                sent: self.sends[stretch * self.bands + band] as f64
                    / (f64::from(self.cells) * count),
                waiting: waiting[stretch][band] as f64 / (time * count),
                there: room / (time * slots),
                dead: (dead.as_ref())
                    .map_or(0.0, |dead| dead[stretch][band] as f64 / (time * count)),
            }
        };
        (0..at_work.len())
            .map(|stretch| (0..self.bands).map(|band| one(stretch, band)).collect())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(load: &Load, band: usize) -> Vec<f64> {
        let rows = load.over_time().into_iter();
        rows.map(|row| row[band].utilization).collect()
    }

    #[test]
    fn busy_time_is_cut_at_the_window_and_shared_among_stretches() {
        let at = Time::from_nanos;
        let mut load = Load::new(at(100), at(400), 4, &[&[1, 2]]);
        load.busy(0, 1, at(50), at(250));
        load.busy(1, 2, at(390), at(500));
        load.busy(0, 1, at(250), at(260));
        assert_eq!(load.utilization(), [160.0 / 300.0, 20.0 / 600.0]);
        assert_eq!(used(&load, 0), [0.5, 1.0, 0.6, 0.0]);
        assert_eq!(used(&load, 1)[3], 0.1);
    }

    /// Two slots from 150 on, of which one is busy for 100 of 250; the other server never comes.
    #[test]
    fn who_comes_and_goes_counts_while_it_is_there() {
        let at = Time::from_nanos;
        let mut load = Load::new(at(100), at(400), 4, &[&[2, 2]]);
        load.keep_stays();
        load.stay(0, at(150), at(500));
        load.busy(0, 1, at(200), at(300));
        assert_eq!(load.utilization(), [0.2, 0.0]);
        assert_eq!(load.mean_utilization(), 0.2);
        assert!(load.was_there(0) && !load.was_there(1));
        assert_eq!(used(&load, 0), [0.0, 0.0, 0.5, 0.0]);
        let there: Vec<f64> = load.over_time().iter().map(|row| row[0].there).collect();
        assert_eq!(there, [0.0, 0.5, 1.0, 1.0]);
        let mut sum = Load::new(at(100), at(400), 4, &[&[2, 2]]);
        sum.keep_stays();
        sum.clear();
        sum.merge(&load);
        sum.merge(&load);
        assert_eq!(
            (sum.utilization(), sum.over_time()),
            (load.utilization(), load.over_time())
        );
    }

    #[test]
    fn merged_cells_keep_their_shares() {
        let at = Time::from_nanos;
        let mut cell = Load::new(at(0), at(100), 2, &[&[1]]);
        cell.busy(0, 1, at(10), at(60));
        cell.waited(0, at(20), at(70));
        cell.sent(0, 1, true);
        cell.sent(0, 1, false);
        cell.dies(0, at(90));
        cell.dies(0, at(95));
        cell.revives(0, at(100));
        let mut sum = Load::new(at(0), at(100), 2, &[&[1]]);
        sum.clear();
        sum.merge(&cell);
        sum.merge(&cell);
        assert_eq!(
            (sum.utilization(), sum.mean_utilization(), sum.over_time()),
            (cell.utilization(), 0.5, cell.over_time())
        );
        let told = |row: &Vec<OverTime>| (row[0].sent, row[0].waiting, row[0].dead);
        let told: Vec<_> = cell.over_time().iter().map(told).collect();
        assert_eq!(told, [(0.0, 0.6, 0.0), (2.0, 0.4, 0.2)]);
        assert_eq!(cell.servers[0].sent, 1);
    }

    #[test]
    fn bands_cover_all_servers_once() {
        for n in [1, 7, 99, 100, 101, 250, 1000, 12_345] {
            let load = Load::new(Time::ZERO, Time::from_nanos(10), 1, &[&vec![1; n]]);
            let bands = load.bands();
            assert_eq!(bands[0].0, 0);
            assert_eq!(bands.last().unwrap().1, n - 1);
            assert!(bands.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0));
            assert_eq!(bands.len(), n.min(BANDS));
            for (band, &(first, last)) in bands.iter().enumerate() {
                // As even as whole servers can be.
                assert!((n / bands.len()..=n.div_ceil(bands.len())).contains(&(last + 1 - first)));
                let own = &load.servers[first..=last];
                assert!(own.iter().all(|server| server.band as usize == band), "{n}");
            }
        }
    }

    #[test]
    fn no_band_spans_two_services() {
        for sizes in [&[7, 333, 1][..], &[250, 250], &[99, 2], &[1; 150], &[3, 97]] {
            let slots: Vec<Vec<u32>> = sizes.iter().map(|&size| vec![1; size]).collect();
            let slots: Vec<&[u32]> = slots.iter().map(Vec::as_slice).collect();
            let bands = Load::new(Time::ZERO, Time::from_nanos(10), 1, &slots).bands();
            let all: usize = sizes.iter().sum();
            assert_eq!(bands.last().unwrap().1, all - 1);
            assert!(bands.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0));
            assert!(bands.len() <= BANDS + sizes.len());
            let mut first = 0;
            for size in sizes {
                let last = first + size - 1;
                let inside = |at: usize| (first..=last).contains(&at);
                assert!(
                    bands
                        .iter()
                        .all(|&(one, other)| inside(one) == inside(other))
                );
                first += size;
            }
        }
    }
}
