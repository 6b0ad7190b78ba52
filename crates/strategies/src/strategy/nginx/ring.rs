//! The ring of nginx's `hash ... consistent`, compatible with Cache::Memcached::Fast. (nginx 1.22,
//! src/http/modules/ngx_http_upstream_hash_module.c)

use std::collections::BTreeMap;

use crc32fast::Hasher;

use crate::strategy::{MemberId, Pool};

/// Points on the ring for each unit of weight.
const POINTS: u32 = 160;

/// Points in order, each of a server as its address is written: peers with the same text share
/// their points.
#[derive(Clone, Debug)]
pub(super) struct KetamaRing {
    /// Where the point is, and whose, as an index into `servers`.
    points: Vec<(u32, u32)>,
    servers: Vec<Vec<MemberId>>,
}

impl KetamaRing {
    pub(super) fn new(members: &[MemberId], pool: &Pool) -> KetamaRing {
        let mut ring = KetamaRing {
            points: Vec::new(),
            servers: Vec::new(),
        };
        let mut known: BTreeMap<&str, u32> = BTreeMap::new();
        for &member in members {
            let address = pool.members()[member as usize].address.as_str();
            let server = *known.entry(address).or_insert(ring.servers.len() as u32);
            if server as usize == ring.servers.len() {
                ring.servers.push(Vec::new());
            }
            ring.servers[server as usize].push(member);
            let (host, port) = host_and_port(address);
            let mut base = Hasher::new();
            base.update(host.as_bytes());
            base.update(&[0]);
            base.update(port.as_bytes());
            let mut point: u32 = 0;
            for _ in 0..POINTS.saturating_mul(pool.weight(member)) {
                let mut hasher = base.clone();
                hasher.update(&point.to_le_bytes());
                point = hasher.finalize();
                ring.points.push((point, server));
            }
        }
        ring.points.sort_by_key(|&(point, _)| point);
        ring.points.dedup_by_key(|&mut (point, _)| point);
        ring
    }

    pub(super) fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The first point at or after a key's, as an index.
    pub(super) fn locate(&self, key: &[u8]) -> usize {
        let hash = crc32fast::hash(key);
        self.points.partition_point(|&(point, _)| point < hash)
    }

    /// The peers of the point of this index, round the end.
    pub(super) fn peers(&self, index: usize) -> &[MemberId] {
        let (_, server) = self.points[index % self.points.len()];
        &self.servers[server as usize]
    }
}

/// The two parts of a server's address as they are hashed: the port is the digits after the last
/// colon.
fn host_and_port(address: &str) -> (&str, &str) {
    match address.get(..5) {
        Some(scheme) if scheme.eq_ignore_ascii_case("unix:") => (&address[5..], ""),
        _ => match address.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
            _ => (address, ""),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_split_as_nginx_splits_them() {
        assert_eq!(host_and_port("10.0.0.1:8080"), ("10.0.0.1", "8080"));
        assert_eq!(host_and_port("[::1]:80"), ("[::1]", "80"));
        assert_eq!(host_and_port("backend.example"), ("backend.example", ""));
        assert_eq!(host_and_port("Unix:/run/app.sock"), ("/run/app.sock", ""));
    }
}
