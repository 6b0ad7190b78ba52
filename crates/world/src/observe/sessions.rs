//! What is measured of sessions and their state.

use serde::{Deserialize, Serialize};

use lbsim_engine::time::{Span, Time};

/// Why a session lost its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The server that held the state crashed.
    Crash,
    /// A request went to another server while the state was there to be had.
    Moved,
    /// The server that held the state took no requests, thought to be down or ejected.
    Unreachable,
    /// The server that held the state left the pool.
    ScaleIn,
    /// The server that held the state was being drained, and went down, or sent its clients away,
    /// before they had done.
    Drained,
    /// The server that held the state had no room for it.
    Evicted,
    /// The server, the cookie, the table or the token forgot it while the session went on.
    Expired,
    /// The table that bound the client was lost with its balancer, or was full.
    TableLost,
    /// The store that held the state crashed.
    StoreLost,
    /// The key that signed the token holds no longer.
    KeyRotated,
    /// The client drops cookies, and was sent elsewhere.
    CookieDropped,
    /// The store that holds the state did not answer, and the request went on as one of a visitor
    /// who is not known. The state is there all the same.
    StoreAway,
}

impl Loss {
    /// How many there are.
    pub const COUNT: usize = 12;

    /// All causes, in the order in which they are shown.
    pub const ALL: [Loss; Loss::COUNT] = [
        Loss::Crash,
        Loss::Moved,
        Loss::Unreachable,
        Loss::ScaleIn,
        Loss::Drained,
        Loss::Evicted,
        Loss::Expired,
        Loss::TableLost,
        Loss::StoreLost,
        Loss::KeyRotated,
        Loss::CookieDropped,
        Loss::StoreAway,
    ];

    /// The name in files and charts.
    pub fn name(self) -> &'static str {
        match self {
            Loss::Crash => "crash",
            Loss::Moved => "moved",
            Loss::Unreachable => "unreachable",
            Loss::ScaleIn => "scale-in",
            Loss::Drained => "drained",
            Loss::Evicted => "evicted",
            Loss::Expired => "expired",
            Loss::TableLost => "table-lost",
            Loss::StoreLost => "store-lost",
            Loss::KeyRotated => "key-rotated",
            Loss::CookieDropped => "cookie-dropped",
            Loss::StoreAway => "store-away",
        }
    }
}

/// What a loss of state is to its session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hurt {
    /// The first in the measured window.
    pub first: bool,
    /// The first of a session whose fate is followed, since it is.
    pub followed: bool,
}

/// Sessions and their state, in the measured window where nothing else is said.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SessionCount {
    /// All of them, whatever group their clients are of.
    pub whole: SessionPart,
    /// Requests that read a state.
    pub reads: u64,
    /// Those that read one that was not the newest. Sessions have their state for themselves: what
    /// is missing are their own changes (read your writes).
    pub stale: u64,
    /// Those that read an older one than their session had seen before (monotonic reads).
    pub backwards: u64,
    /// Changes that overwrote others which their request had not read (lost updates).
    pub lost_updates: u64,
    /// Changes that were refused because of that, and made again.
    pub conflicts: u64,
    /// Bytes of states that were sent.
    pub bytes: u64,
    /// States that were fetched from another server that had them.
    pub fetched: u64,
    /// Times that a server had to set up a state again or for the first time, at a cost.
    pub rebuilt: u64,
    /// Sessions that were revoked, and asked on.
    pub revoked: u64,
    /// How long they could be used after that, all together.
    pub revocation_delay: Span,
    /// Requests that were let in after their session had been revoked.
    pub used_after_revocation: u64,
    /// Attempts of clients' requests that were sent where their client was bound.
    pub bound: u64,
    /// Clients' requests that were sent to a server where it is known whom the strategy would have
    /// picked, were nobody bound.
    pub placed: u64,
    /// Those of them that went elsewhere, where their client was bound.
    pub elsewhere: u64,
    /// Over the whole run: what became of all states.
    pub states: States,
    /// When the sessions are counted whose fate is followed: where the first fault begins, or a
    /// server joins or leaves, in the measured window.
    pub cohort_from: Time,
    /// Sessions that were on then.
    pub cohort: u64,
    /// By stretch of time of the whole run: those of them that lost their state since, each at its
    /// first loss. Empty where no client holds sessions.
    pub cohort_hurt: Vec<u64>,
    /// By server: what the states there took. Empty where they have no sizes.
    pub memory: Vec<StateMemory>,
    /// By group of clients: what is told apart by groups. Empty where there is one, or where nobody
    /// holds sessions.
    pub parts: Vec<SessionPart>,
}

/// What is told apart by groups of clients: sessions and their state, in the measured window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionPart {
    /// Sessions: on at the beginning, or begun in the window. A session that loses its state goes
    /// on, so that there are as many whatever is lost.
    pub all: u64,
    /// Times that sessions lost their state, by [`Loss`].
    pub lost: [u64; Loss::COUNT],
    /// Sessions that lost their state, each once, by the [`Loss`] that was the first.
    pub hurt: [u64; Loss::COUNT],
    /// Answered requests that found the state of their session lost, or could not get at it.
    pub met: u64,
    /// Changes of state that were acknowledged; to begin one is one.
    pub writes: u64,
    /// Those of them that were lost, with the state or because a copy was old.
    pub writes_lost: u64,
    /// States that went on from a copy that was old.
    pub set_back: u64,
    /// How old those were, all together: from the oldest change that one lacked.
    pub set_back_by: Span,
}

/// What became of states over a whole run: begun = ended + lost + alive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct States {
    /// They began.
    pub begun: u64,
    /// They ended with their session, or by age.
    pub ended: u64,
    /// They were lost.
    pub lost: u64,
    /// They were there when the run ended.
    pub alive: u64,
}

/// Bytes of states on one server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StateMemory {
    /// On average over time.
    pub mean: f64,
    /// At most at once.
    pub most: u64,
}

impl SessionCount {
    /// Counts something of all, and of a group where groups are told apart.
    #[inline]
    fn count(&mut self, group: u16, more: impl Fn(&mut SessionPart)) {
        more(&mut self.whole);
        if let Some(part) = self.parts.get_mut(usize::from(group)) {
            more(part);
        }
    }

    /// Of a group, so many more sessions are on, or have begun.
    pub(crate) fn on(&mut self, group: u16, more: u64) {
        self.count(group, |part| part.all += more);
    }

    /// An answered request has found the state of its session lost.
    pub(crate) fn met(&mut self, group: u16, measured: bool) {
        self.count(group, |part| part.met += u64::from(measured));
    }

    /// A change of a state has been acknowledged.
    #[inline]
    pub(crate) fn wrote(&mut self, group: u16, measured: bool) {
        self.count(group, |part| part.writes += u64::from(measured));
    }

    /// So many acknowledged changes are lost.
    pub(crate) fn unwritten(&mut self, group: u16, lost: u64) {
        self.count(group, |part| part.writes_lost += lost);
    }

    /// A session has lost its state; for the first time, or not.
    pub(crate) fn lost(&mut self, group: u16, loss: Loss, is_first: bool) {
        self.count(group, |part| {
            part.lost[loss as usize] += 1;
            part.hurt[loss as usize] += u64::from(is_first);
        });
    }

    /// A revoked session has asked, which could be used for so long after it had been revoked.
    pub(crate) fn revoked(&mut self, measured: bool, delay: Span) {
        if measured {
            self.revoked += 1;
            self.revocation_delay += delay;
        }
    }

    /// A state goes on from a copy that lacks so many changes, the oldest of this age, in the
    /// measured window.
    pub(crate) fn set_back(&mut self, group: u16, lost: u64, age: Span) {
        self.unwritten(group, lost);
        self.count(group, |part| {
            part.set_back += 1;
            part.set_back_by += age;
        });
    }
}
