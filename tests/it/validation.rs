//! The quick form of `lbsim validate`: worlds that theory solves, and how often intervals hold the
//! truth.

use lbsim::validation::{Coverage, Effort, coverage, one_run, precision, theory};

/// 189 values, each within about three of its standard errors (tolerances are upper bounds of
/// three: a false alarm in some hundreds for each at most; the seed is fixed).
#[test]
fn simulated_worlds_agree_with_theory() {
    let findings = theory(Effort::Quick);
    assert!(findings.len() > 185, "{}", findings.len());
    let off: Vec<_> = findings.iter().filter(|finding| !finding.agrees).collect();
    assert!(off.is_empty(), "{off:#?}");
}

#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    let rows: Vec<Coverage> = [
        coverage(Effort::Quick),
        vec![one_run(Effort::Quick)],
        precision(Effort::Quick),
    ]
    .concat();
    for row in &rows {
        assert!(row.agrees, "{row:?}");
    }
}
