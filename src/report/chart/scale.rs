//! From values to pixels, and the ticks between.

/// How values map to an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ScaleKind {
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
    kind: ScaleKind,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

/// The least and the greatest of the values that are numbers; `None` where there is none.
pub(super) fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = values.into_iter().filter(|value| value.is_finite());
    finite.fold(None, |range, value| match range {
        None => Some((value, value)),
        Some((low, high)) => Some((f64::min(low, value), f64::max(high, value))),
    })
}

/// The range of the values that have a logarithm.
pub(super) fn positive_range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    range(values.into_iter().filter(|value| *value > 0.0))
}

/// The largest value of an axis, either way: what is beyond stands at its end.
const LARGEST: f64 = 1e15;
/// The least value of a logarithmic axis.
const LEAST: f64 = 1e-9;
/// Percentiles end here: ten nines.
const LAST_NINE: f64 = 100.0 - 1e-8;

/// A value that an axis can begin or end with.
fn bounded(value: f64) -> f64 {
    if value.is_nan() {
        0.0
    } else {
        value.clamp(-LARGEST, LARGEST)
    }
}

impl Scale {
    /// From `low` to `high`, whatever they are: an axis has a length, so that equal ends are moved
    /// apart.
    pub(super) fn linear(low: f64, high: f64, from: f64, to: f64) -> Scale {
        let (low, high) = (bounded(low), bounded(high));
        let (low, high) = if high > low {
            (low, high)
        } else {
            (low, low + f64::max(1.0, low.abs() * 1e-3))
        };
        Scale {
            kind: ScaleKind::Linear,
            low,
            high,
            from,
            to,
        }
    }

    /// A linear axis from zero whose top is a tick.
    pub(super) fn from_zero(high: f64, from: f64, to: f64) -> Scale {
        let high = bounded(high);
        let high = if high > 0.0 { high } else { 1.0 };
        let step = nice_step(high / 5.0);
        Scale::linear(0.0, (high / step).ceil() * step, from, to)
    }

    /// A linear axis of percents from zero, of a share that can be at most 100: it ends at 100%
    /// where it would go beyond.
    pub(super) fn percent(high: f64, from: f64, to: f64) -> Scale {
        let scale = Scale::from_zero(high.min(100.0), from, to);
        Scale {
            high: scale.high.min(100.0),
            ..scale
        }
    }

    /// By factor, with a little room at both ends.
    pub(super) fn log(low: f64, high: f64, from: f64, to: f64) -> Scale {
        let low = bounded(low).max(LEAST);
        let high = bounded(high).max(low);
        // At least a factor of two, so that equal values do not fill the chart.
        let room = (0.04 * (high / low).log10())
            .max(0.15 - 0.5 * (high / low).log10())
            .max(0.0);
        let factor = 10f64.powf(room);
        Scale {
            kind: ScaleKind::Log,
            low: low / factor,
            high: high * factor,
            from,
            to,
        }
    }

    /// Percentiles up to `highest`, below 100.
    pub(super) fn nines(highest: f64, from: f64, to: f64) -> Scale {
        Scale {
            kind: ScaleKind::Nines,
            low: 0.0,
            high: bounded(highest).clamp(90.0, LAST_NINE),
            from,
            to,
        }
    }

    fn bent(&self, value: f64) -> f64 {
        match self.kind {
            ScaleKind::Linear => value,
            ScaleKind::Log => value.max(LEAST * 1e-3).log10(),
            ScaleKind::Nines => -(1.0 - value.clamp(0.0, LAST_NINE) / 100.0).log10(),
        }
    }

    /// The pixel of a value; values off the axis stand at its end, what is no number at its
    /// beginning.
    pub(super) fn at(&self, value: f64) -> f64 {
        let (low, high) = (self.bent(self.low), self.bent(self.high));
        let part = (self.bent(value) - low) / (high - low);
        let part = if part.is_nan() {
            0.0
        } else {
            part.clamp(0.0, 1.0)
        };
        self.from + part * (self.to - self.from)
    }

    /// Whether a value is on the axis.
    pub(super) fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Ticks and their names, about `wanted` of them and at most three more.
    pub(super) fn ticks(&self, wanted: usize) -> Vec<(f64, String)> {
        match self.kind {
            ScaleKind::Linear => {
                let step = nice_step((self.high - self.low) / wanted.max(1) as f64);
                let first = (self.low / step).ceil();
                let count = (self.high / step + 1e-9).floor() - first;
                (0..=count.max(0.0) as usize)
                    .map(|at| (first + at as f64) * step)
                    .map(|value| (value, number(value, step)))
                    .collect()
            }
            ScaleKind::Log => log_ticks(self.low, self.high, wanted),
            ScaleKind::Nines => {
                let last = (self.bent(self.high) + 1e-9).floor() as i32;
                // The median is worth a tick where there is room for more than one.
                let median = (wanted > 1).then_some(50.0);
                let every = (last.max(1) as usize).div_ceil(wanted.max(1)) as i32;
                let nines = (1..=last).filter(|nine| (nine - 1) % every == 0);
                std::iter::once(0.0)
                    .chain(median)
                    .chain(nines.map(|nine| 100.0 - 100.0 * 10f64.powi(-nine)))
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
pub(super) fn nice_step(rough: f64) -> f64 {
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
    const MULTIPLES: [&[f64]; 5] = [
        &[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0],
        &[1.0, 2.0, 3.0, 5.0],
        &[1.0, 2.0, 5.0],
        &[1.0, 3.0],
        &[1.0],
    ];
    let room = wanted + 2;
    let decades = (last - first + 1).max(1) as usize;
    let dense = MULTIPLES.map(|multiples| pick(multiples, 1));
    let mut ticks = dense
        .into_iter()
        .find(|ticks| ticks.len() <= room)
        .unwrap_or_else(|| pick(&[1.0], decades.div_ceil(room) as i32));
    // What is usual lies at the lower end where a few peaks decide the upper one: it has a tick.
    let lowest = pick(&[1.0, 2.0, 5.0], 1).into_iter().next();
    if let Some(lowest) = lowest
        && decades < room
        && (ticks.first()).is_some_and(|(first, _)| *first >= 1.9 * lowest.0)
    {
        ticks.insert(0, lowest);
    }
    ticks
}

/// A number with the decimals that a step of this size needs, thousands set apart.
pub(super) fn number(value: f64, step: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    if value.abs() > LARGEST {
        return format!("{value:.0e}");
    }
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

    /// What is off an axis stands at its end, and is not on it.
    #[test]
    fn what_is_off_an_axis_is_known() {
        let log = Scale::log(10.0, 100.0, 0.0, 200.0);
        let linear = Scale::linear(0.0, 100.0, 0.0, 200.0);
        for (scale, value, is_on) in [
            (log, 50.0, true),
            (log, 1.0, false),
            (log, 500.0, false),
            (linear, 100.0, true),
            (linear, 101.0, false),
        ] {
            assert_eq!(scale.holds(value), is_on, "{value}");
            assert!((0.0..=200.0).contains(&scale.at(value)));
        }
    }

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
        // The usual level has a tick, wherever the peaks are.
        assert_eq!(
            names(Scale::log(40.0, 25_000.0, 0.0, 1.0), 4),
            [
                "50",
                "100",
                "300",
                "1000",
                "3000",
                "10\u{202f}000",
                "30\u{202f}000"
            ]
        );
        assert_eq!(
            names(Scale::nines(99.995, 0.0, 1.0), 9),
            ["0%", "50%", "90%", "99%", "99.9%", "99.99%"]
        );
        assert_eq!(number(1_234_567.0, 1.0), "1\u{202f}234\u{202f}567");
        assert_eq!(number(0.25, 0.05), "0.25");
        assert_eq!(number(2.5, 2.5), "2.5");
    }

    /// Values as they may come: usual ones, and none.
    fn any_value() -> impl Strategy<Value = f64> {
        prop_oneof![
            4 => -1e9f64..1e9,
            2 => 1e-9f64..1.0,
            1 => any::<f64>(),
            1 => prop::sample::select(vec![
                0.0, -0.0, 1.0, 100.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, f64::EPSILON,
                f64::INFINITY, f64::NEG_INFINITY, f64::NAN,
            ]),
        ]
    }

    /// An axis never makes more ticks than it has room for, each stands on it in order, and so does
    /// any value.
    fn holds(scale: Scale, value: f64, wanted: usize) -> Result<(), TestCaseError> {
        prop_assert!(
            (10.0..=20.0).contains(&scale.at(value)),
            "{scale:?} {value}"
        );
        let ticks = scale.ticks(wanted);
        prop_assert!(ticks.len() <= wanted + 3, "{scale:?} {wanted}: {ticks:?}");
        for (tick, name) in &ticks {
            prop_assert!((10.0..=20.0).contains(&scale.at(*tick)), "{scale:?} {tick}");
            prop_assert!(tick.is_finite() && name.len() < 40, "{scale:?} {name}");
        }
        prop_assert!(
            ticks.windows(2).all(|pair| pair[0].0 < pair[1].0),
            "{scale:?}: {ticks:?}"
        );
        Ok(())
    }

    /// The least and the greatest of nothing, as a fold from the largest number has them, made an
    /// axis of 2^31 decades.
    #[test]
    fn the_axis_of_nothing_has_few_ticks() {
        for scale in [Scale::log, Scale::linear] {
            holds(scale(f64::MAX, 0.0, 10.0, 20.0), 1.0, 5).unwrap();
            holds(scale(f64::MAX, f64::MAX, 10.0, 20.0), 1.0, 5).unwrap();
        }
        assert_eq!(range([]), None);
        assert_eq!(range([f64::NAN, f64::INFINITY]), None);
        assert_eq!(range([f64::NAN, 3.0, -1.0]), Some((-1.0, 3.0)));
        assert_eq!(
            positive_range([f64::INFINITY, 3.0, -1.0, 0.0]),
            Some((3.0, 3.0))
        );
    }

    #[test]
    fn shares_end_at_all() {
        let names = |high| {
            let ticks = Scale::percent(high, 0.0, 1.0).ticks(5);
            ticks.into_iter().map(|tick| tick.1).collect::<Vec<_>>()
        };
        assert_eq!(names(99.0), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(names(104.0), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(names(8.0), ["0", "2", "4", "6", "8"]);
    }

    proptest! {
        #[test]
        fn values_stay_on_the_axis(low in any_value(), high in any_value(), value in any_value(), wanted in 0usize..16) {
            holds(Scale::linear(low, high, 10.0, 20.0), value, wanted)?;
            holds(Scale::log(low, high, 10.0, 20.0), value, wanted)?;
            holds(Scale::from_zero(high, 20.0, 10.0), value, wanted)?;
            holds(Scale::percent(high, 20.0, 10.0), value, wanted)?;
            holds(Scale::nines(low, 10.0, 20.0), value, wanted)?;
        }
    }
}
