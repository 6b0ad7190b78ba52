//! Faults at drawn times, over a plot of time: each replication has its own, so that each fault has
//! a strip of the share of time in which it held, in which stretches stand as high as they have of
//! it, the highest as high as the strip.

use super::Study;
use super::canvas::{Align, Canvas, Type};
use super::palette::FAULT;
use super::scale::Scale;
use crate::report::rows::FaultRow;

const SMALL: Type = Type::new(12.0, FAULT);

/// Strips at most: of more faults those that hold the longest.
const MOST: usize = 4;

/// Height of a strip, and with the room around it: without its name, and with it.
const STRIP: f64 = 12.0;
const BARE: f64 = STRIP + 3.0;
const NAMED: f64 = STRIP + 24.0;

/// One fault.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Strip {
    /// What it is called, and how much it held.
    pub(super) label: String,
    /// From when to when, in seconds, and the share of time in which it held.
    stretches: Vec<(f64, f64, f64)>,
    mean: f64,
    peak: f64,
}

/// Strips are of the faults of all strategies, which are mostly the same: those that differ say
/// whose they are.
pub(super) fn of(study: &Study<'_>) -> Vec<Strip> {
    // Rows of one fault stand together, in order of time.
    let together = |one: &FaultRow, other: &FaultRow| {
        (&one.strategy, &one.fault) == (&other.strategy, &other.fault) && one.from_s < other.from_s
    };
    let shown = |rows: &&[FaultRow]| {
        let mut strategies = study.strategies.iter();
        strategies.any(|series| series.name == rows[0].strategy)
    };
    let mut found: Vec<(&FaultRow, Strip)> = Vec::new();
    for rows in study.rows.faults.chunk_by(together).filter(shown) {
        let strip = Strip::new(rows);
        let same =
            |(first, other): &(&FaultRow, Strip)| first.fault == rows[0].fault && *other == strip;
        if strip.peak > 0.0 && !found.iter().any(same) {
            found.push((&rows[0], strip));
        }
    }
    let alone = |fault: &str| {
        found
            .iter()
            .filter(|(first, _)| first.fault == fault)
            .count()
            == 1
    };
    let named = |(first, strip): &(&FaultRow, Strip)| {
        let whose = match alone(&first.fault) {
            true => String::new(),
            false => format!(" ({})", first.strategy),
        };
        Strip {
            label: format!("{}{whose}: {}", first.fault, strip.label),
            ..strip.clone()
        }
    };
    let mut strips: Vec<Strip> = found.iter().map(named).collect();
    if let Some(left_out) = strips.len().checked_sub(MOST + 1) {
        let mut means: Vec<f64> = strips.iter().map(|strip| strip.mean).collect();
        means.sort_by(|one, other| other.total_cmp(one));
        strips.retain(|strip| strip.mean >= means[MOST - 1]);
        strips.truncate(MOST);
        let last = &mut strips[MOST - 1].label;
        *last = format!("{last}; and {} more, which hold less", left_out + 1);
    }
    strips
}

impl Strip {
    fn new(rows: &[FaultRow]) -> Strip {
        let share = |share: f64| {
            if share.is_finite() {
                share.clamp(0.0, 1.0)
            } else {
                0.0
            }
        };
        let stretches: Vec<(f64, f64, f64)> = rows
            .iter()
            .map(|row| (row.from_s, row.to_s, share(row.held_share)))
            .collect();
        let shares = || stretches.iter().map(|&(.., share)| share);
        let mean = shares().sum::<f64>() / stretches.len().max(1) as f64;
        let peak = shares().fold(0.0, f64::max);
        let each = match rows[0].targets {
            1 => String::new(),
            targets => format!("each of {targets} for "),
        };
        let (mean_percent, peak_percent) = (percent(mean), percent(peak));
        Strip {
            label: format!("{each}{mean_percent} of the time, at most {peak_percent} of a stretch"),
            stretches,
            mean,
            peak,
        }
    }

    /// Draws it from `left` to `right` of `x`, between these heights.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, x: &Scale, (top, bottom): (f64, f64)) {
        let (Some(&(from, ..)), Some(&(_, to, _))) =
            (self.stretches.first(), self.stretches.last())
        else {
            return;
        };
        canvas.area((x.at(from), top), (x.at(to), bottom), FAULT, 0.10);
        let height = |share: f64| bottom - (bottom - top) * share / self.peak.max(1e-9);
        let mut outline = vec![(x.at(from), bottom)];
        for &(from, to, share) in &self.stretches {
            outline.extend([(x.at(from), height(share)), (x.at(to), height(share))]);
        }
        outline.push((x.at(to), bottom));
        canvas.shape(&outline, FAULT, 0.6);
    }
}

/// Room for strips, with their names or without.
pub(super) fn room(strips: &[Strip], named: bool) -> f64 {
    let each = if named { NAMED } else { BARE };
    each * strips.len() as f64
}

/// Draws strips above a plot, the lowest of which ends at `bottom`, with their names or without.
pub(super) fn draw(
    canvas: &Canvas<'_>,
    strips: &[Strip],
    x: &Scale,
    (left, right, bottom): (f64, f64, f64),
    named: bool,
) {
    for (at, strip) in strips.iter().enumerate() {
        let bottom = bottom - room(&strips[at + 1..], named);
        strip.draw(canvas, x, (bottom - STRIP, bottom));
        if named {
            let text = SMALL.fit(&strip.label, right - left);
            canvas.text(&text, (left, bottom - STRIP - 9.0), Align::Left, SMALL);
        }
    }
}

/// A share in percent, with two digits or all before the point.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        0.0 => "0%".to_owned(),
        ..0.1 => "less than 0.1%".to_owned(),
        ..9.95 => format!("{percent:.1}%"),
        _ => format!("{percent:.0}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::Series;
    use crate::report::rows::Tables;

    fn rows(strategy: &str, fault: &str, targets: u32, shares: &[f64]) -> Vec<FaultRow> {
        let row = |(at, &held_share): (usize, &f64)| FaultRow {
            strategy: strategy.to_owned(),
            fault: fault.to_owned(),
            targets,
            from_s: at as f64,
            to_s: at as f64 + 1.0,
            held_share,
        };
        shares.iter().enumerate().map(row).collect()
    }

    fn said(faults: Vec<Vec<FaultRow>>) -> Vec<String> {
        let series = ["a", "b"].map(|name| Series {
            name: name.to_owned(),
            colour: 0,
            figure: None,
        });
        let tables = Tables {
            faults: faults.concat(),
            ..Tables::default()
        };
        let study = Study {
            rows: &tables,
            ..Study::titled("", "", &series)
        };
        of(&study).into_iter().map(|strip| strip.label).collect()
    }

    #[test]
    fn what_holds_under_all_is_one_strip() {
        let crashes = |strategy| rows(strategy, "crashes", 3, &[0.0, 0.25, 0.125]);
        let cuts = |strategy, share| rows(strategy, "cuts", 1, &[share, share]);
        let found = said(vec![
            crashes("a"),
            cuts("a", 0.01),
            crashes("b"),
            cuts("b", 0.5),
            // Not shown, and never.
            cuts("c", 0.7),
            rows("a", "never", 1, &[0.0]),
        ]);
        let expected = [
            "crashes: each of 3 for 12% of the time, at most 25% of a stretch",
            "cuts (a): 1.0% of the time, at most 1.0% of a stretch",
            "cuts (b): 50% of the time, at most 50% of a stretch",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn two_faults_of_one_name_are_two() {
        let one = rows("a", "crashes", 1, &[0.1, 0.1]);
        let other = rows("a", "crashes", 1, &[0.2, 0.3]);
        assert_eq!(said(vec![one, other]).len(), 2);
    }

    #[test]
    fn of_very_many_those_are_shown_that_hold_the_longest() {
        let fault = |at: usize| rows("a", &format!("fault {at}"), 1, &[at as f64 / 10.0]);
        let found = said((1..=7).map(fault).collect());
        assert_eq!(found.len(), MOST);
        assert!(found[0].starts_with("fault 4") && found[3].starts_with("fault 7"));
        assert!(
            found[3].ends_with("; and 3 more, which hold less"),
            "{found:?}"
        );
    }
}
