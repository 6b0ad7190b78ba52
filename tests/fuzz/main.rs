//! Fuzzing: random scenarios with every feature on, and mutated input for every reader. Minutes as
//! it stands, hours with `LBSIM_FUZZ_CASES=100000 cargo test --release --test fuzz -- --nocapture`;
//! `LBSIM_FUZZ_SEED` begins elsewhere.

mod grow;
mod mutate;
mod run;

/// How many cases each test tries.
fn cases(usual: u64) -> u64 {
    number("LBSIM_FUZZ_CASES").unwrap_or(usual)
}

/// The seed of the first case; each next one has the next number.
fn first_seed() -> u64 {
    number("LBSIM_FUZZ_SEED").unwrap_or(0)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
