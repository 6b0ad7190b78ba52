//! Which versions of the program give the same values.

/// Versions between which nothing is value-breaking (CHANGELOG.md): each list holds programs, as
/// manifests name them, that give the same runs for the same scenario and seed.
const SAME_VALUES: &[&[&str]] = &[];

/// Whether two programs, by name and version, give the same runs for the same scenario and seed.
///
/// ```
/// use lbsim::compare::versions::same_values;
/// assert!(same_values("lbsim 0.1.0", "lbsim 0.1.0"));
/// assert!(!same_values("lbsim 0.1.0", "lbsim 0.0.9"));
/// ```
pub fn same_values(one: &str, other: &str) -> bool {
    let together = |list: &&[&str]| list.contains(&one) && list.contains(&other);
    one == other || SAME_VALUES.iter().any(together)
}
