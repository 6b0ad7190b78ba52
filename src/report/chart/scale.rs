//! From values to pixels, and the ticks between.

/// How values map to an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// Evenly.
    Linear,
    /// Evenly by factor.
    Log,
    /// Percentiles: each nine as wide as the next.
    Nines,
}

/// One axis: values from `low` to `high` on pixels from `from` to `to`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    kind: Kind,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// From zero, or the least value, to a round number above the greatest.
    pub(super) fn linear(low: f64, high: f64, from: f64, to: f64) -> Scale {
        let high = if high > low { high } else { low + 1.0 };
        Scale {
            kind: Kind::Linear,
            low,
            high,
            from,
            to,
        }
    }

    /// A linear axis from zero whose top is a tick.
    pub(super) fn from_zero(high: f64, from: f64, to: f64) -> Scale {
        let high = if high > 0.0 { high } else { 1.0 };
        let step = nice_step(high / 5.0);
        Scale::linear(0.0, (high / step).ceil() * step, from, to)
    }

    /// By factor, with a little room at both ends.
    pub(super) fn log(low: f64, high: f64, from: f64, to: f64) -> Scale {
        let low = if low > 0.0 { low } else { 1e-6 };
        let high = high.max(low);
        // At least a factor of two, so that equal values do not fill the chart.
        let room = (0.04 * (high / low).log10())
            .max(0.15 - 0.5 * (high / low).log10())
            .max(0.0);
        let factor = 10f64.powf(room);
        Scale {
            kind: Kind::Log,
            low: low / factor,
            high: high * factor,
            from,
            to,
        }
    }

    /// Percentiles up to `highest`, below 100.
    pub(super) fn nines(highest: f64, from: f64, to: f64) -> Scale {
        Scale {
            kind: Kind::Nines,
            low: 0.0,
            high: highest.clamp(90.0, 100.0 - 1e-10),
            from,
            to,
        }
    }

    fn bent(&self, value: f64) -> f64 {
        match self.kind {
            Kind::Linear => value,
            Kind::Log => value.max(1e-12).log10(),
            Kind::Nines => -(1.0 - value.min(100.0 - 1e-10) / 100.0).log10(),
        }
    }

    /// The pixel of a value; values off the axis stand at its end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let (low, high) = (self.bent(self.low), self.bent(self.high));
        let part = ((self.bent(value) - low) / (high - low)).clamp(0.0, 1.0);
        self.from + part * (self.to - self.from)
    }

    /// Ticks and their names, about `wanted` of them.
    pub(super) fn ticks(&self, wanted: usize) -> Vec<(f64, String)> {
        match self.kind {
            Kind::Linear => {
                let step = nice_step((self.high - self.low) / wanted.max(1) as f64);
                let first = (self.low / step).ceil() as i64;
                let last = (self.high / step + 1e-9).floor() as i64;
                (first..=last)
                    .map(|i| i as f64 * step)
                    .map(|value| (value, number(value, step)))
                    .collect()
            }
            Kind::Log => log_ticks(self.low, self.high, wanted),
            Kind::Nines => {
                let mut ticks = vec![0.0, 50.0, 90.0];
                let mut left = 1.0;
                while 100.0 - left <= self.high + 1e-9 && left > 1e-9 {
                    ticks.push(100.0 - left);
                    left /= 10.0;
                }
                ticks
                    .into_iter()
                    .map(|value| (value, format!("{}%", number(value, nines_step(value)))))
                    .collect()
            }
        }
    }
}

fn nines_step(value: f64) -> f64 {
    let mut step = 1.0;
    while (value / step - (value / step).round()).abs() > 1e-6 && step > 1e-9 {
        step /= 10.0;
    }
    step
}

/// A tick at least as wide as `rough`: 1, 2 or 5 times a power of ten.
fn nice_step(rough: f64) -> f64 {
    let rough = if rough.is_finite() && rough > 0.0 {
        rough
    } else {
        1.0
    };
    let power = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * power)
}

fn log_ticks(low: f64, high: f64, wanted: usize) -> Vec<(f64, String)> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let pick = |multiples: &[f64], every: i32| -> Vec<(f64, String)> {
        (first..=last)
            .filter(|power| power.rem_euclid(every) == 0)
            .flat_map(|power| multiples.iter().map(move |m| m * 10f64.powi(power)))
            .filter(|value| (low..=high).contains(value))
            .map(|value| (value, number(value, value)))
            .collect()
    };
    let candidates = [
        pick(&[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0], 1),
        pick(&[1.0, 2.0, 3.0, 5.0], 1),
        pick(&[1.0, 2.0, 5.0], 1),
        pick(&[1.0, 3.0], 1),
        pick(&[1.0], 1),
        pick(&[1.0], 2),
        pick(&[1.0], 3),
        pick(&[1.0], 6),
    ];
    let fits = |ticks: &&Vec<(f64, String)>| ticks.len() <= wanted + 2;
    candidates
        .iter()
        .find(fits)
        .or(candidates.last())
        .cloned()
        .unwrap_or_default()
}

/// A number with the decimals that a step of this size needs, thousands set apart.
pub(super) fn number(value: f64, step: f64) -> String {
    let decimals = (-(step.abs().max(1e-12)).log10().floor()).max(0.0) as usize;
    // 2.5 needs a decimal more than its power of ten says.
    let decimals = if decimals < 9 && ((step * 10f64.powi(decimals as i32)).fract() > 1e-6) {
        decimals + 1
    } else {
        decimals
    };
    let text = format!("{value:.decimals$}");
    let (whole, part) = text
        .split_once('.')
        .map_or((text.as_str(), None), |(w, p)| (w, Some(p)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |d| ("-", d));
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && digits.len() > 4 {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    match part {
        Some(part) => format!("{sign}{grouped}.{part}"),
        None => format!("{sign}{grouped}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_are_round() {
        let names = |scale: Scale, wanted| {
            scale
                .ticks(wanted)
                .into_iter()
                .map(|t| t.1)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            names(Scale::from_zero(87.0, 0.0, 1.0), 5),
            ["0", "20", "40", "60", "80", "100"]
        );
        assert_eq!(
            names(Scale::log(3.0, 4000.0, 0.0, 1.0), 5),
            ["3", "10", "30", "100", "300", "1000", "3000"]
        );
        assert_eq!(
            names(Scale::nines(99.995, 0.0, 1.0), 9),
            ["0%", "50%", "90%", "99%", "99.9%", "99.99%"]
        );
        assert_eq!(number(1_234_567.0, 1.0), "1\u{202f}234\u{202f}567");
        assert_eq!(number(0.25, 0.05), "0.25");
        assert_eq!(number(2.5, 2.5), "2.5");
    }

    proptest! {
        #[test]
        fn values_stay_on_the_axis(low in 1e-9f64..1e9, high in 1e-9f64..1e9, value in -1e9f64..1e9, wanted in 1usize..12) {
            for scale in [Scale::linear(low, high, 10.0, 20.0), Scale::log(low, high, 10.0, 20.0), Scale::from_zero(high, 20.0, 10.0), Scale::nines(low, 10.0, 20.0)] {
                prop_assert!((10.0..=20.0).contains(&scale.at(value)));
                prop_assert!(scale.ticks(wanted).len() < 60);
            }
        }
    }
}
