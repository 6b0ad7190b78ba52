//! Faults over a plot of time that are no bands in it. At drawn times each replication has its own,
//! so that each fault has a strip of the share of time in which it held, in which stretches stand
//! as high as they have of it, the highest as high as the strip. What happens at known times, but
//! not to all that a plot shows, has a strip that says to whom.

use super::canvas::{Align, Canvas, Colour, Type};
use super::palette::FAULT;
use super::scale::Scale;
use super::{Event, Study, events};
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
pub(super) struct Strip<'s> {
    /// What it is called, and how much it held.
    pub(super) label: String,
    /// Who has it of those that are shown.
    pub(super) whose: Vec<&'s str>,
    /// From when to when, in seconds, and the share of time in which it held.
    stretches: Vec<(f64, f64, f64)>,
    mean: f64,
    peak: f64,
    pub(super) colour: Colour,
}

/// The strips of faults at drawn times. Those that not all have who are shown say whose they are.
pub(super) fn drawn<'s>(study: &Study<'s>) -> Vec<Strip<'s>> {
    few(told(study, at_drawn_times(study)))
}

/// The strips over a plot of the lines of all: of faults at drawn times, and of what happens at
/// known times, but not to all.
pub(super) fn of_lines<'s>(study: &Study<'s>) -> Vec<Strip<'s>> {
    let mut found = at_drawn_times(study);
    found.extend(of_some(study));
    few(told(study, found))
}

/// A fault's name and its strip.
type NamedStrip<'s> = (String, Strip<'s>);

fn at_drawn_times<'s>(study: &Study<'s>) -> Vec<NamedStrip<'s>> {
    // Rows of one fault stand together, in order of time.
    let together = |one: &FaultRow, other: &FaultRow| {
        (&one.strategy, &one.fault) == (&other.strategy, &other.fault) && one.from_s < other.from_s
    };
    let mut found: Vec<NamedStrip<'s>> = Vec::new();
    for rows in study.rows.faults.chunk_by(together) {
        let mut shown = study.strategies.iter();
        let Some(series) = shown.find(|series| series.name == rows[0].strategy) else {
            continue;
        };
        let strip = Strip::new(rows, &series.name);
        // Mostly it is the same under all strategies.
        let same = |(fault, other): &&mut NamedStrip<'s>| {
            *fault == rows[0].fault
                && other.stretches == strip.stretches
                && !other.whose.contains(&series.name.as_str())
        };
        match found.iter_mut().find(same) {
            Some((_, other)) => other.whose.push(&series.name),
            None if strip.peak > 0.0 => found.push((rows[0].fault.clone(), strip)),
            None => {}
        }
    }
    found
}

/// What happens to some at known times: a strip for each kind of it and those to whom it happens.
fn of_some<'s>(study: &Study<'s>) -> Vec<NamedStrip<'s>> {
    let ends = study.rows.timeline.iter().map(|row| row.to_s);
    let end = ends.fold(0.0, f64::max);
    let mut groups: Vec<(Vec<&'s str>, Vec<&Event>)> = Vec::new();
    for event in study.events {
        let whose = events::whose(study, event);
        if whose.is_empty() || whose.len() == study.strategies.len() {
            continue;
        }
        let like = |(own, others): &&mut (Vec<&str>, Vec<&Event>)| {
            *own == whose && others[0].kind == event.kind
        };
        match groups.iter_mut().find(like) {
            Some((_, others)) => others.push(event),
            None => groups.push((whose, vec![event])),
        }
    }
    let strip = |(whose, mut own): (Vec<&'s str>, Vec<&Event>)| {
        own.sort_by(|one, other| one.from_s.total_cmp(&other.from_s));
        let [(first, name), ..] = &events::by_kind(&own)[..] else {
            return None;
        };
        let held = events::joined(&own, end);
        // What takes no time, as that a server joins, is to be seen all the same.
        let least = end / 400.0;
        let (mut stretches, mut at, mut all) = (Vec::new(), 0.0, 0.0);
        for (from, to) in held {
            let to = to.max(from + least).min(end);
            if from > at {
                stretches.push((at, from, 0.0));
            }
            stretches.push((from.max(at), to, 1.0));
            all += to - from;
            at = to;
        }
        stretches.push((at, end, 0.0));
        let strip = Strip {
            label: String::new(),
            whose,
            stretches,
            mean: all / end,
            peak: 1.0,
            colour: events::colour(first.kind),
        };
        Some((name.clone(), strip))
    };
    if end > 0.0 {
        groups.into_iter().filter_map(strip).collect()
    } else {
        Vec::new()
    }
}

/// Strips with their whole labels.
fn told<'s>(study: &Study<'s>, found: Vec<NamedStrip<'s>>) -> Vec<Strip<'s>> {
    let tell = |(fault, strip): NamedStrip<'s>| {
        let mut label = fault;
        if strip.whose.len() < study.strategies.len() {
            label = format!("{label} ({})", strip.whose.join("; "));
        }
        if !strip.label.is_empty() {
            label = format!("{label}: {}", strip.label);
        }
        Strip { label, ..strip }
    };
    found.into_iter().map(tell).collect()
}

/// Of very many strips those that hold the longest.
fn few(mut strips: Vec<Strip<'_>>) -> Vec<Strip<'_>> {
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

impl<'s> Strip<'s> {
    fn new(rows: &[FaultRow], whose: &'s str) -> Strip<'s> {
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
            whose: vec![whose],
            stretches,
            mean,
            peak,
            colour: FAULT,
        }
    }

    /// Draws it from `left` to `right` of `x`, between these heights.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, x: &Scale, (top, bottom): (f64, f64)) {
        let (Some(&(from, ..)), Some(&(_, to, _))) =
            (self.stretches.first(), self.stretches.last())
        else {
            return;
        };
        canvas.area((x.at(from), top), (x.at(to), bottom), self.colour, 0.10);
        let height = |share: f64| bottom - (bottom - top) * share / self.peak.max(1e-9);
        let mut outline = vec![(x.at(from), bottom)];
        for &(from, to, share) in &self.stretches {
            outline.extend([(x.at(from), height(share)), (x.at(to), height(share))]);
        }
        outline.push((x.at(to), bottom));
        canvas.shape(&outline, self.colour, 0.6);
    }
}

/// Room for strips, with their names or without.
pub(super) fn room(strips: &[Strip<'_>], named: bool) -> f64 {
    let each = if named { NAMED } else { BARE };
    each * strips.len() as f64
}

/// Draws strips above a plot, the lowest of which ends at `bottom`, with their names or without.
pub(super) fn draw(
    canvas: &Canvas<'_>,
    strips: &[Strip<'_>],
    x: &Scale,
    (left, right, bottom): (f64, f64, f64),
    named: bool,
) {
    for (at, strip) in strips.iter().enumerate() {
        let bottom = bottom - room(&strips[at + 1..], named);
        strip.draw(canvas, x, (bottom - STRIP, bottom));
        if named {
            let type_ = Type::new(SMALL.size, strip.colour);
            let text = type_.fit(&strip.label, right - left);
            canvas.text(&text, (left, bottom - STRIP - 9.0), Align::Left, type_);
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
        drawn(&study).into_iter().map(|strip| strip.label).collect()
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
