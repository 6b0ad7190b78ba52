//! Two choices: what several products and papers do before they compare loads.

use lbsim_engine::rng::{Rng, below};

/// Two different numbers below `n`, each pair as likely, in the order drawn; the same twice where
/// `n` is 1.
///
/// As Finagle draws them (`loadbalancer/p2c/P2CPick.scala`); the method of tower gives the same
/// chances.
#[inline]
pub(super) fn two(rng: &mut Rng, n: usize) -> (usize, usize) {
    if n < 2 {
        return (0, 0);
    }
    let a = below(rng, n);
    let b = below(rng, n - 1);
    (a, if b >= a { b + 1 } else { b })
}
