//! Jump consistent hash.
//!
//! Lamping and Veach, "A fast, minimal memory, consistent hash algorithm", arXiv 1406.2294, 2014,
//! figure 1.

/// The bucket of a key, below `buckets`, which is at least 1. When buckets are added at the end, a
/// key stays or moves to a new one.
///
/// ```
/// use lbsim_strategies::strategy::hash::jump::jump;
/// assert_eq!(jump(10_863_919_174_838_991, 11), 6);
/// ```
pub fn jump(mut key: u64, buckets: u32) -> u32 {
    let mut bucket = 0;
    let mut next = 0u64;
    while next < u64::from(buckets) {
        bucket = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        next = ((bucket + 1) as f64 * ((1u64 << 31) as f64 / ((key >> 33) + 1) as f64)) as u64;
    }
    bucket as u32
}
