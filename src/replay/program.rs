//! What the replay must know of a program whose picks were recorded: one implementation a program,
//! in the file of its name.

use std::net::IpAddr;

use super::recording::{RecordedStep, Recording};
use crate::strategy::{Member, MemberId, Outcome, Report, StrategyConfig};
use crate::time::Time;

/// How the recordings of a program are read.
pub trait Program {
    /// The balancer that a recording asks for.
    ///
    /// # Errors
    /// What in the recording is not understood, in a sentence.
    fn setup(&self, recording: &Recording) -> Result<Setup, String>;

    /// What a step changes besides requests: the commands of the operator, health checks. Called
    /// before the step's own request, if it has one.
    ///
    /// # Errors
    /// What in the step is not understood, in a sentence.
    fn changes(&self, _step: &RecordedStep, _setup: &Setup) -> Result<Vec<MemberChange>, String> {
        Ok(Vec::new())
    }
}

/// A balancer to be compared with a recording.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its servers. Those before `recording.servers.len()` are the recording's, in its order.
    pub members: Vec<Member>,
    /// Its strategy: several where it began at a random place; the recording must agree with one of
    /// them.
    pub starts: Vec<StrategyConfig>,
    /// What can be compared.
    pub comparison: Compared,
    /// What a request's key is to the balancer.
    pub keyed_by: KeyedBy,
    /// Attempts made for one request at most.
    pub tries: u32,
    /// How an attempt ends at a server that is down.
    pub when_down: Outcome,
    /// The value of each server's cookie, by member; empty where there are none.
    pub cookies: Vec<String>,
    /// What servers report of their load before the first step.
    pub reports: Vec<(MemberId, Report)>,
    /// What changes before the first step: servers that join later are absent at first.
    pub before: Vec<MemberChange>,
    /// How long after the start of the program the first step happens.
    pub begins: Time,
}

/// What of a recording can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Each pick.
    Picks,
    /// That each pick was among the least loaded: the program drew among equals.
    LeastLoaded,
    /// The shares of the servers, by a chi-square test at 0.1%.
    Shares,
}

/// What a recorded key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyedBy {
    /// Nothing, or a text that the strategy hashes.
    Text,
    /// The client's address.
    Address,
    /// The client's address and port, `10.0.0.1:4000`.
    AddressAndPort,
}

/// What happens to the balancer besides requests.
#[derive(Clone, Debug, PartialEq)]
pub enum MemberChange {
    /// A member gets another weight.
    Weight(MemberId, u32),
    /// A member is marked as down, or no longer.
    Down(MemberId, bool),
    /// A member is drained, or no longer.
    Drain(MemberId, bool),
    /// A member leaves the pool, or joins it.
    Absent(MemberId, bool),
}

impl Setup {
    /// A balancer with this strategy over the recording's servers, whose picks are compared one by
    /// one.
    pub fn new(recording: &Recording, strategy: StrategyConfig) -> Setup {
        let members = recording
            .servers
            .iter()
            .enumerate()
            .map(|(at, server)| Member {
                name: server.name.clone(),
                address: server.addr.clone(),
                ..Member::new(at as u32, server.weight)
            });
        Setup {
            members: members.collect(),
            starts: vec![strategy],
            comparison: Compared::Picks,
            keyed_by: KeyedBy::Text,
            tries: 1,
            when_down: Outcome::Failure,
            cookies: Vec::new(),
            reports: Vec::new(),
            before: Vec::new(),
            begins: Time::ZERO,
        }
    }
}

/// The client of a recorded key: its address and port, as far as the key says them.
pub(super) fn client(keyed_by: KeyedBy, key: &str) -> Result<(IpAddr, u16), String> {
    let unknown = (IpAddr::from([127, 0, 0, 1]), 0);
    let address = |text: &str| {
        text.parse()
            .map_err(|_| format!("`{text}` is not an IP address"))
    };
    match keyed_by {
        KeyedBy::Text => Ok(unknown),
        KeyedBy::Address => Ok((address(key)?, 0)),
        KeyedBy::AddressAndPort => {
            let (host, port) = key
                .rsplit_once(':')
                .ok_or_else(|| format!("`{key}` has no port"))?;
            let port = port
                .parse()
                .map_err(|_| format!("`{port}` is not a port"))?;
            Ok((address(host)?, port))
        }
    }
}
