//! Random quantities: one file a family, one list.
