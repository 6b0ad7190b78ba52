//! Where clients connect from: addresses that are known, and addresses that are made up.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use rand::Rng as _;

use lbsim_engine::rng::{Domain, Rng, Seeds, number_below, uniform};

/// The addresses of a group of clients.
#[derive(Clone, Debug)]
pub enum Addresses {
    /// As recorded: one for each client, the same in every replication.
    Known(Vec<IpAddr>),
    /// Made up. No real client has them, so that they are drawn anew in each replication: what a
    /// hash makes of them is chance.
    Drawn(Drawn),
}

/// Addresses that are made up.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// How many clients there are.
    pub count: u32,
    /// Clients whose address is known nevertheless; shorter than `count`, or empty, where none of
    /// the others is.
    pub known: Vec<Option<IpAddr>>,
    /// Where the addresses lie.
    pub network: IpNet,
    /// Length of the prefix that neighbours share: at least that of the network, at most that of an
    /// address.
    pub subnet: u8,
    /// Clients behind one such prefix.
    pub per_subnet: u32,
    /// Clients that share an address with others.
    pub proxies: Vec<Proxy>,
}

/// A proxy, or a router that translates addresses: many clients come from its few addresses.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// The share of clients behind it, 0 to 1: each is behind it with this probability.
    pub share: f64,
    /// How many addresses it has, neighbours in one prefix. A client keeps the one that it is
    /// given.
    pub addresses: u32,
}

impl Addresses {
    /// The address of each client of group `index` in the replication of these seeds.
    pub fn of(&self, seeds: Seeds, index: u64) -> Cow<'_, [IpAddr]> {
        match self {
            Addresses::Known(known) => Cow::Borrowed(known),
            Addresses::Drawn(drawn) => {
                Cow::Owned(drawn.all(&mut seeds.stream(Domain::Address, index)))
            }
        }
    }
}

impl Drawn {
    fn all(&self, rng: &mut Rng) -> Vec<IpAddr> {
        let proxies: Vec<u128> = self.proxies.iter().map(|_| self.prefix(rng)).collect();
        let mut subnet = 0;
        let address = |client: u32| {
            let within = client % self.per_subnet;
            if within == 0 {
                subnet = self.prefix(rng);
            }
            let own = self.host(subnet, within);
            if self.proxies.is_empty() {
                return own;
            }
            let mut chance = uniform(rng);
            for (proxy, &prefix) in self.proxies.iter().zip(&proxies) {
                if chance < proxy.share {
                    return self.host(prefix, number_below(rng, u64::from(proxy.addresses)) as u32);
                }
                chance -= proxy.share;
            }
            own
        };
        let mut addresses: Vec<IpAddr> = (0..self.count).map(address).collect();
        for (address, known) in addresses.iter_mut().zip(&self.known) {
            *address = known.unwrap_or(*address);
        }
        addresses
    }

    /// A prefix of the network.
    fn prefix(&self, rng: &mut Rng) -> u128 {
        let word = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
        word & low_bits(u32::from(self.subnet - self.network.prefix_len()))
    }

    /// A host within a prefix. Numbers begin at 1 where the prefix has room for hosts.
    fn host(&self, prefix: u128, number: u32) -> IpAddr {
        let base = match self.network.network() {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        let host_bits = u32::from(self.network.max_prefix_len() - self.subnet);
        let host = (u128::from(number) + u128::from(host_bits > 0)) & low_bits(host_bits);
        let bits = base | prefix.checked_shl(host_bits).unwrap_or(0) | host;
        match self.network {
            IpNet::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(bits as u32)),
            IpNet::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        }
    }
}

fn low_bits(count: u32) -> u128 {
    1u128.checked_shl(count).map_or(u128::MAX, |bit| bit - 1)
}

/// The host of a member, where its address is no name.
pub(super) fn host(address: &str) -> Option<IpAddr> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_matches(['[', ']']).parse().ok()
}

/// Where a server calls from of which only the name is known: each from an address of its own.
pub(super) fn unnamed(number: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number + 1))
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    fn drawn(count: u32, per_subnet: u32, proxies: Vec<Proxy>) -> Addresses {
        Addresses::Drawn(Drawn {
            count,
            known: Vec::new(),
            network: "10.0.0.0/8".parse().unwrap(),
            subnet: 24,
            per_subnet,
            proxies,
        })
    }

    #[test]
    fn each_replication_has_its_own() {
        let addresses = drawn(100, 10, Vec::new());
        let of = |replication| addresses.of(Seeds::new(1, replication), 0).into_owned();
        assert_eq!(of(0), of(0));
        assert!(of(0).iter().zip(&of(1)).all(|(one, other)| one != other));
        // Ten neighbours share a prefix.
        let prefix = |address: &IpAddr| match address {
            IpAddr::V4(v4) => v4.to_bits() >> 8,
            IpAddr::V6(_) => unreachable!(),
        };
        let prefixes: HashSet<u32> = of(0).iter().map(prefix).collect();
        assert_eq!(prefixes.len(), 10);
        assert!(of(0)[0].to_string().ends_with(".1"));
    }

    #[test]
    fn what_is_known_stays() {
        let home: IpAddr = "192.0.2.7".parse().unwrap();
        let Addresses::Drawn(mut some) = drawn(3, 1, Vec::new()) else {
            unreachable!()
        };
        some.known = vec![None, Some(home)];
        let some = Addresses::Drawn(some);
        for replication in 0..3 {
            assert_eq!(some.of(Seeds::new(1, replication), 0)[1], home);
        }
    }

    /// The share behind each proxy within 4.5 standard deviations of its due (false alarm 7e-6
    /// each).
    #[test]
    fn many_clients_come_from_few_addresses() {
        let proxies = vec![
            Proxy {
                share: 0.3,
                addresses: 1,
            },
            Proxy {
                share: 0.2,
                addresses: 4,
            },
        ];
        let addresses = drawn(20_000, 1, proxies);
        let all = addresses.of(Seeds::new(2, 0), 0);
        let mut counts: HashMap<IpAddr, u32> = HashMap::new();
        for &address in all.iter() {
            *counts.entry(address).or_default() += 1;
        }
        let mut counts: Vec<u32> = counts.into_values().collect();
        counts.sort_unstable_by(|one, other| other.cmp(one));
        let near = |count: u32, share: f64| {
            let due = 20_000.0 * share;
            (f64::from(count) - due).abs() < 4.5 * (due * (1.0 - share)).sqrt()
        };
        assert!(near(counts[0], 0.3), "{}", counts[0]);
        assert!(
            counts[1..5].iter().all(|&count| near(count, 0.05)),
            "{counts:?}"
        );
        // The others have networks of their own, of which there are 65,536.
        assert!(counts[5] < 8, "{}", counts[5]);
    }
}
