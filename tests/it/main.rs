//! All integration tests in one binary: they share what they link.

mod docs;
mod scenarios;
