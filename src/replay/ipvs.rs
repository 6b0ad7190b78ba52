//! Recordings of Linux IPVS: the `ipvsadm` commands that made the virtual service, and those given
//! while it ran.

use super::program::{KeyedBy, MemberChange, Program, Setup};
use super::recording::{RecordedStep, Recording};
use crate::strategy::{Member, MemberId, StrategyConfig};

/// Linux IPVS.
#[derive(Debug)]
pub(super) struct Ipvs;

impl Program for Ipvs {
    fn setup(&self, recording: &Recording) -> Result<Setup, String> {
        let text = recording.config_text();
        let commands: Vec<Ipvsadm<'_>> = text.lines().map(parse).collect::<Result<_, _>>()?;
        let mut added = commands.iter();
        let Some(Ipvsadm::NewService { scheduler, flags }) = added.next() else {
            return Err("the commands do not begin with a new service, `ipvsadm -A`".to_owned());
        };
        let mut setup = Setup::new(recording, strategy(scheduler, flags)?);
        setup.keyed_by = match *scheduler {
            "sh" | "mh" if flags.iter().any(|flag| flag.ends_with("-port")) => {
                KeyedBy::AddressAndPort
            }
            "sh" | "mh" => KeyedBy::Address,
            _ => KeyedBy::Text,
        };
        let mut configured = 0;
        for command in added {
            let Ipvsadm::NewServer(server) = command else {
                // What comes after the servers were added happens to a running service.
                setup.before.extend(changes(command, &setup)?);
                continue;
            };
            let member = position(&setup.members, server.address)?;
            if member != configured {
                return Err(format!(
                    "`{}` is not the next of the servers",
                    server.address
                ));
            }
            configured += 1;
            let member = &mut setup.members[member as usize];
            member.weight = server.weight;
            member.max_connections = server.upper;
            member.min_connections = server.lower;
        }
        if configured as usize != recording.servers.len() {
            return Err("not all servers are added to the service".to_owned());
        }
        for step in &recording.events {
            if let Some(Ipvsadm::NewServer(server)) = step.cmd.as_deref().map(parse).transpose()?
                && position(&setup.members, server.address).is_err()
            {
                // With weight 0 it leaves nothing behind when it is taken out before the first
                // request.
                let member = setup.members.len() as MemberId;
                setup.members.push(Member {
                    name: format!("s{}", member + 1),
                    address: server.address.to_owned(),
                    ..Member::new(member, 0)
                });
                setup.before.push(MemberChange::Absent(member, true));
            }
        }
        Ok(setup)
    }

    fn changes(&self, step: &RecordedStep, setup: &Setup) -> Result<Vec<MemberChange>, String> {
        match &step.cmd {
            Some(text) => changes(&parse(text)?, setup),
            None => Ok(Vec::new()),
        }
    }
}

/// A command.
enum Ipvsadm<'a> {
    /// `-A`: a virtual service.
    NewService {
        scheduler: &'a str,
        flags: Vec<&'a str>,
    },
    /// `-a`: a server, at the head of the list.
    NewServer(RealServer<'a>),
    /// `-e`: another weight.
    Edit(RealServer<'a>),
    /// `-d`: a server leaves.
    Delete(&'a str),
}

/// A server as a command describes it.
#[derive(Default)]
struct RealServer<'a> {
    address: &'a str,
    weight: u32,
    upper: u32,
    lower: u32,
}

fn parse(line: &str) -> Result<Ipvsadm<'_>, String> {
    let mut words = line.split_whitespace();
    if words.next() != Some("ipvsadm") {
        return Err(format!("`{line}` is not a command of ipvsadm"));
    }
    let action = words.next().unwrap_or_default();
    let mut server = RealServer {
        weight: 1,
        ..RealServer::default()
    };
    let mut scheduler = "wlc";
    let mut flags = Vec::new();
    // A destination may be written in several words, between brackets.
    let mut words = words.peekable();
    while let Some(option) = words.next() {
        if option == "-m" {
            continue;
        }
        let value = words
            .next()
            .ok_or_else(|| format!("`{option}` has no value in `{line}`"))?;
        let number = || {
            value
                .parse::<u32>()
                .map_err(|_| format!("`{value}` is not a number in `{line}`"))
        };
        match option {
            "-t" | "-f" if value.starts_with('<') => {
                // Not one service but one for each key, alike: `<each key>:80`.
                while words.next_if(|word| !word.starts_with('-')).is_some() {}
            }
            "-t" | "-f" => {}
            "-s" => scheduler = value,
            "-b" => flags.extend(value.split(',')),
            "-r" => server.address = value,
            "-w" => server.weight = number()?,
            "-x" => server.upper = number()?,
            "-y" => server.lower = number()?,
            _ => return Err(format!("nothing is known of `{option}` in `{line}`")),
        }
    }
    match action {
        "-A" => Ok(Ipvsadm::NewService { scheduler, flags }),
        "-a" => Ok(Ipvsadm::NewServer(server)),
        "-e" => Ok(Ipvsadm::Edit(server)),
        "-d" => Ok(Ipvsadm::Delete(server.address)),
        _ => Err(format!("nothing is known of `{action}` in `{line}`")),
    }
}

/// The strategy of a scheduler with its flags.
fn strategy(scheduler: &str, flags: &[&str]) -> Result<StrategyConfig, String> {
    let mut config = serde_json::json!({ "kind": format!("ipvs-{scheduler}") });
    for flag in flags {
        config[*flag] = true.into();
    }
    serde_json::from_value(config).map_err(|error| format!("scheduler `{scheduler}`: {error}"))
}

/// The member of an address; one without a port (in services by firewall mark) is that of the
/// server there.
fn position(members: &[Member], address: &str) -> Result<MemberId, String> {
    let is_it = |member: &Member| {
        let rest = member.address.strip_prefix(address);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    };
    let at = members.iter().position(is_it);
    at.map(|at| at as MemberId)
        .ok_or_else(|| format!("there is no server at `{address}`"))
}

/// What a command changes in a running service.
fn changes(command: &Ipvsadm<'_>, setup: &Setup) -> Result<Vec<MemberChange>, String> {
    let member = |address: &str| position(&setup.members, address);
    match command {
        Ipvsadm::NewService { .. } => Err("a second service in one recording".to_owned()),
        Ipvsadm::NewServer(server) => {
            let member = member(server.address)?;
            Ok(vec![
                MemberChange::Weight(member, server.weight),
                MemberChange::Absent(member, false),
            ])
        }
        Ipvsadm::Edit(server) => {
            let member = member(server.address)?;
            let configured = &setup.members[member as usize];
            if (server.upper, server.lower)
                != (configured.max_connections, configured.min_connections)
            {
                return Err(format!("thresholds of `{}` change", server.address));
            }
            Ok(vec![MemberChange::Weight(member, server.weight)])
        }
        Ipvsadm::Delete(address) => Ok(vec![MemberChange::Absent(member(address)?, true)]),
    }
}
