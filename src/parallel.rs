//! Many small works of one kind: on threads where there are any, one after another where not.

/// What `work` makes of each item, in the order of the items; on the threads of the current rayon
/// pool, one item at a time on each, for items differ widely in length.
#[cfg(feature = "threads")]
pub(crate) fn map<T: Send, R: Send>(
    items: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> R + Sync + Send,
) -> Vec<R> {
    use rayon::prelude::*;
    let items: Vec<T> = items.into_iter().collect();
    items.into_par_iter().with_max_len(1).map(work).collect()
}

/// What `work` makes of each item, in the order of the items.
#[cfg(not(feature = "threads"))]
pub(crate) fn map<T, R>(items: impl IntoIterator<Item = T>, work: impl Fn(T) -> R) -> Vec<R> {
    items.into_iter().map(work).collect()
}

/// As [`map`], up to an error: what was not begun by then is left.
///
/// # Errors
/// That of one of the works.
#[cfg(feature = "threads")]
pub(crate) fn try_map<T: Send, R: Send, E: Send>(
    items: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> Result<R, E> + Sync + Send,
) -> Result<Vec<R>, E> {
    use rayon::prelude::*;
    let items: Vec<T> = items.into_iter().collect();
    items.into_par_iter().with_max_len(1).map(work).collect()
}

/// As [`map`], up to the first error.
///
/// # Errors
/// That of one of the works.
#[cfg(not(feature = "threads"))]
pub(crate) fn try_map<T, R, E>(
    items: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> Result<R, E>,
) -> Result<Vec<R>, E> {
    items.into_iter().map(work).collect()
}
