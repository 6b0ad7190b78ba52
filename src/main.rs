//! lbsim
fn main() {}
