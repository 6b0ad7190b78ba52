//! Hashes of the Linux kernel.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// `hash_32` of `include/linux/hash.h`: multiplication by 2^32 over the golden ratio, of which the
/// highest `bits` (1 to 32) are kept.
pub fn hash_32(value: u32, bits: u32) -> u32 {
    value.wrapping_mul(0x61c8_8647) >> (32 - bits)
}

/// `hsiphash` of a word, `lib/siphash.c`, on a machine of 64 bits: SipHash-1-3 of its four bytes,
/// cut to 32 bits.
pub fn hsiphash(word: u32, key: (u64, u64)) -> u32 {
    let mut hasher = SipHasher13::new_with_keys(key.0, key.1);
    hasher.write(&word.to_le_bytes());
    hasher.finish() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert_eq!(hash_32(1, 8), 0x61);
        assert_eq!(hash_32(1, 32), 0x61c8_8647);
        assert_eq!(hash_32(2, 8), 0xc3);
        // `test_vectors_hsiphash` of lib/siphash_kunit.c for 64 bits, four bytes 00 01 02 03.
        let key = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
        assert_eq!(hsiphash(0x0302_0100, key), 0x88d3_8328);
    }
}
