//! The `lbsim` program: see [`lbsim::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    lbsim::cli::main()
}
