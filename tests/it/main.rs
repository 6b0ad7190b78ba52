//! All integration tests in one binary: they share what they link.

mod architecture;
mod bad_input;
mod check;
mod cli;
mod config_cases;
mod determinism;
mod docs;
mod draws;
mod folders;
mod golden;
mod import;
mod measured;
mod pictures;
mod property;
mod real;
mod requests;
mod resume;
mod scenarios;
mod support;
mod sweep;
mod theory;
mod tune;
mod validation;
mod warnings;
mod world;
mod world_cases;
