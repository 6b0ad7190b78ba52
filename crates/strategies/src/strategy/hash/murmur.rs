//! MurmurHash2, its version for 64-bit machines (Appleby, MurmurHash64A), with the seed of
//! libstdc++, as Envoy has it.

const SEED: u64 = 0xc70f_6907;
const M: u64 = 0xc6a4_a793_5bd1_e995;

/// The hash of some bytes.
///
/// ```
/// use lbsim_strategies::strategy::hash::murmur::murmur2;
/// assert_eq!(murmur2(b""), 0x553e_93901e462a6e);
/// assert_ne!(murmur2(b"1234567"), murmur2(b"12345678"));
/// ```
pub fn murmur2(bytes: &[u8]) -> u64 {
    let mut hash = SEED ^ (bytes.len() as u64).wrapping_mul(M);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        let mut k = u64::from_le_bytes(word).wrapping_mul(M);
        k ^= k >> 47;
        hash = (hash ^ k.wrapping_mul(M)).wrapping_mul(M);
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(M);
    }
    hash ^= hash >> 47;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 47)
}
