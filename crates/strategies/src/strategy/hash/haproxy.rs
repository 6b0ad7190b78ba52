//! The hash functions of HAProxy. (2.6, src/hash.c and include/haproxy/tools.h)

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The second word of `hash-type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    /// That of the sdbm database library.
    #[default]
    Sdbm,
    /// Bernstein's second.
    Djb2,
    /// Tarreau's, from his early work on HAProxy.
    Wt6,
    /// The CRC of Ethernet.
    Crc32,
}

impl Function {
    /// The hash of some bytes.
    pub fn hash(self, bytes: &[u8]) -> u32 {
        match self {
            Function::Sdbm => bytes.iter().fold(0, |hash: u32, &byte| {
                u32::from(byte)
                    .wrapping_add(hash << 6)
                    .wrapping_add(hash << 16)
                    .wrapping_sub(hash)
            }),
            Function::Djb2 => bytes.iter().fold(5381, |hash: u32, &byte| {
                hash.wrapping_mul(33).wrapping_add(u32::from(byte))
            }),
            Function::Wt6 => wt6(bytes),
            Function::Crc32 => crc32fast::hash(bytes),
        }
    }
}

fn wt6(bytes: &[u8]) -> u32 {
    let (mut h0, mut h1) = (0xa53c_965a_u32, 0x5ca6_953a_u32);
    let (mut s0, mut s1) = (6, 18);
    for &byte in bytes {
        let byte = u32::from(byte);
        h0 = !(h0 ^ byte);
        h1 = !h1.wrapping_add(byte);
        let rotated = h1.rotate_left(s0);
        h1 = h0.rotate_left(s1);
        h0 = rotated;
        let mixed = ((h0 >> 16) ^ h1) & 0xffff;
        s0 = mixed & 0x1f;
        s1 = mixed >> 11;
    }
    h0 ^ h1
}

/// `full_hash`, which `avalanche` adds and with which servers are placed on the ring: each bit of
/// the number changes half of the hash. Bob Jenkins's 6-shift integer hash, times a constant.
pub fn full_hash(number: u32) -> u32 {
    let mut a = number;
    a = a.wrapping_add(0x7ed5_5d16).wrapping_add(a << 12);
    a = (a ^ 0xc761_c23c) ^ (a >> 19);
    a = a.wrapping_add(0x1656_67b1).wrapping_add(a << 5);
    a = a.wrapping_add(0xd3a2_646c) ^ (a << 9);
    a = a.wrapping_add(0xfd70_46c5).wrapping_add(a << 3);
    a = (a ^ 0xb55a_4f09) ^ (a >> 16);
    a.wrapping_mul(3_221_225_473)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert_eq!(Function::Sdbm.hash(b"a"), 97);
        assert_eq!(Function::Djb2.hash(b"a"), 177_670);
        assert_eq!(Function::Crc32.hash(b"123456789"), 0xcbf4_3926);
        // Bits of neighbours differ about half and half.
        let differing: u32 = (0..1000)
            .map(|number| (full_hash(number) ^ full_hash(number + 1)).count_ones())
            .sum();
        assert!((14_000..18_000).contains(&differing), "{differing}");
    }
}
