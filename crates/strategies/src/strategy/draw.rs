//! Draws that several products and papers make: two choices, an order.

use lbsim_engine::rng::{Rng, below};

/// Puts things into an order drawn at random, each order as likely (Fisher and Yates, 1938; from
/// the end on, as Durstenfeld has it, CACM 7(7), 1964).
pub(super) fn shuffle<T>(rng: &mut Rng, all: &mut [T]) {
    for at in (1..all.len()).rev() {
        all.swap(at, below(rng, at + 1));
    }
}

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
