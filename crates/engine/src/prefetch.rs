//! A hint to the processor: this will be read soon.
//!
//! With many servers nearly each visit to one misses all caches, and waits longer than it works.
//! What the next events need is known ahead of time, so it can be on its way while the present one
//! is at work. A hint never changes a result.

/// Begins to fetch `things[at]`: the cache lines where it begins and ends.
#[inline(always)]
pub fn prefetch<T>(things: &[T], at: usize) {
    #[cfg(target_arch = "x86_64")]
    for place in [at, at + 1] {
        things.get(place).map(safe_arch::prefetch_t0);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (things, at);
}
