//! Addresses as IPVS hashes them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::strategy::{Key, Member, Request};

/// The address as one word: that of version 4 as it is, the four words of version 6 by exclusive
/// or.
pub(super) fn fold(address: &IpAddr) -> u32 {
    match address {
        IpAddr::V4(v4) => v4.to_bits(),
        IpAddr::V6(v6) => {
            let bits = v6.to_bits();
            (bits >> 96) as u32 ^ (bits >> 64) as u32 ^ (bits >> 32) as u32 ^ bits as u32
        }
    }
}

/// What `sh` and `mh` hash of a request: where it comes from.
pub(super) fn source(request: &Request<'_>, with_port: bool) -> u32 {
    let port = if with_port { request.port } else { 0 };
    fold(request.address).wrapping_add(u32::from(port))
}

/// Where a request goes to, for the schedulers that look at that (caches, proxies): its key, where
/// that is an address. A number `n` stands for the address 10.0.0.0 + `n`, and any other text for a
/// hash of it.
pub(super) fn destination(key: &Key<'_>) -> IpAddr {
    let unnamed = |number: u32| IpAddr::V4(Ipv4Addr::from_bits(number.wrapping_add(0x0a00_0000)));
    match key {
        Key::Number(number) => unnamed(*number as u32),
        Key::Text(text) => text.parse().unwrap_or_else(|_| unnamed(key.word() as u32)),
    }
}

/// What `mh` hashes of a server: its address and port. A name that is not an address is that of the
/// server's position.
pub(super) fn server(member: &Member) -> u32 {
    let text = &member.address;
    let (address, port) = match (text.parse::<SocketAddr>(), text.parse::<IpAddr>()) {
        (Ok(socket), _) => (socket.ip(), socket.port()),
        (_, Ok(address)) => (address, 0),
        _ => (destination(&Key::Number(u64::from(member.id))), 0),
    };
    fold(&address).wrapping_add(u32::from(port))
}
