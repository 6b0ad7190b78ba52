//! Pure functions on numbers; each cites its source.
