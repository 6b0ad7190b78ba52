//! Classes served in order of importance.

/// One class of requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Class {
    /// Requests of this class per second.
    pub arrival_rate: f64,
    /// E\[S\] of the class, seconds.
    pub mean_service: f64,
    /// E\[S^2\] of the class, seconds squared.
    pub second_moment: f64,
}

impl Class {
    /// A class with exponential service: E\[S^2\] = 2 E\[S\]^2.
    pub fn exponential(arrival_rate: f64, mean_service: f64) -> Class {
        Class {
            arrival_rate,
            mean_service,
            second_moment: 2.0 * mean_service * mean_service,
        }
    }
}

/// The mean wait of each class, most important first, at one server that never interrupts a
/// request: W_i = W0 / ((1 - rho_1 - .. - rho_(i-1)) (1 - rho_1 - .. - rho_i)), W0 = sum lambda
/// E\[S^2\] / 2. Cobham, "Priority assignment in waiting line problems", Operations Research 2
/// (1954).
///
/// A class that, with those before it, fills the server waits for ever.
///
/// ```
/// use lbsim_queueing::theory::priority::{Class, mean_waits};
/// let waits = mean_waits(&[Class::exponential(0.3, 1.0), Class::exponential(0.5, 1.0)]);
/// assert!((waits[0] - 8.0 / 7.0).abs() < 1e-12 && (waits[1] - 40.0 / 7.0).abs() < 1e-12);
/// ```
pub fn mean_waits(classes: &[Class]) -> Vec<f64> {
    let residual: f64 = classes
        .iter()
        .map(|class| class.arrival_rate * class.second_moment / 2.0)
        .sum();
    let mut before = 0.0;
    classes
        .iter()
        .map(|class| {
            let through = before + class.arrival_rate * class.mean_service;
            let free = (1.0 - before) * (1.0 - through);
            let keeps_up = super::numeric::keeps_up(through);
            before = through;
            if keeps_up {
                residual / free
            } else {
                f64::INFINITY
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::Mg1;

    #[test]
    fn one_class_is_pollaczek_khinchine() {
        let waits = mean_waits(&[Class {
            arrival_rate: 0.8,
            mean_service: 1.0,
            second_moment: 5.0,
        }]);
        assert!((waits[0] - Mg1::with_cv(0.8, 1.0, 2.0).mean_wait()).abs() < 1e-12);
        assert!(mean_waits(&[]).is_empty());
    }

    /// Order changes who waits, not how much work waits (Kleinrock's conservation law).
    #[test]
    fn conservation() {
        let waits = mean_waits(&[Class::exponential(0.3, 1.0), Class::exponential(0.25, 2.0)]);
        let work = 0.3 * waits[0] + 0.5 * waits[1];
        let residual = 0.3 + 0.25 * 4.0;
        assert!((work - 0.8 * residual / 0.2).abs() < 1e-9);
    }

    #[test]
    fn only_the_last_suffer_overload() {
        let waits = mean_waits(&[Class::exponential(0.5, 1.0), Class::exponential(0.6, 1.0)]);
        assert!(waits[0].is_finite());
        assert_eq!(waits[1], f64::INFINITY);
    }
}
