//! What happens to servers, over a plot of time: at known times as bands, with names above the
//! plot; at drawn times, and where it is not the same for all that the plot shows, as strips above
//! that.

use super::canvas::{Align, Canvas, Colour, Type};
use super::frame::Plot;
use super::palette::{COLD, FAULT, LOAD, MUTED};
use super::scale::Scale;
use super::{Event, Study, strips};
use crate::report::about::EventKind;

const SMALL: Type = Type::new(12.0, FAULT);

/// Rows of names at most, where each event has its own.
const ROWS: usize = 3;

/// A name above a plot.
#[derive(Clone, Debug, PartialEq)]
struct Name {
    text: String,
    kind: EventKind,
    x: f64,
    /// Counted upwards from the plot.
    row: usize,
}

/// The events of one variant.
pub(super) fn of<'s>(study: &Study<'s>, variant: &str) -> Vec<&'s Event> {
    let events = study.events.iter();
    let has = |event: &&Event| event.only.is_empty() || event.only.iter().any(|own| own == variant);
    events.filter(has).collect()
}

/// The events that all have who are shown.
pub(super) fn shared<'s>(study: &Study<'s>) -> Vec<&'s Event> {
    let events = study.events.iter();
    events
        .filter(|event| whose(study, event).len() == study.strategies.len())
        .collect()
}

/// Who has it of those that are shown.
pub(super) fn whose<'s>(study: &Study<'s>, event: &Event) -> Vec<&'s str> {
    let shown = study.strategies.iter().map(|series| series.name.as_str());
    shown
        .filter(|name| event.only.is_empty() || event.only.iter().any(|own| own == name))
        .collect()
}

/// The colour of a kind of events: a failure's aftermath and what clients do look unlike failures.
pub(super) fn colour(kind: EventKind) -> Colour {
    match kind {
        EventKind::Cold => COLD,
        EventKind::Load => LOAD,
        _ => FAULT,
    }
}

/// The events of each colour, in the order in which they are drawn: where one thing ends and
/// another begins, a fault's mark is the one to be seen.
pub(super) fn by_colour<'e>(events: &[&'e Event]) -> [(Colour, Vec<&'e Event>); 3] {
    [LOAD, COLD, FAULT].map(|own| {
        let events = events.iter().copied();
        (
            own,
            events.filter(|event| colour(event.kind) == own).collect(),
        )
    })
}

/// The names of `events`, in rows where they would touch. Where that takes too many rows, as in a
/// rolling restart, there is one name for all events of a kind, that says how many they are: none
/// is left out in silence.
fn names(events: &[&Event], plot: Plot, x: &Scale) -> Vec<Name> {
    let mut events = events.to_vec();
    events.sort_by(|one, other| one.from_s.total_cmp(&other.from_s));
    let each = events
        .iter()
        .map(|event| (event.from_s, event.kind, event.label.clone()));
    let each = rows(each.collect(), plot, x);
    if each.iter().all(|name| name.row < ROWS) {
        return each;
    }
    let told = by_kind(&events).into_iter();
    let told = told.map(|(first, text)| (first.from_s, first.kind, text));
    rows(told.collect(), plot, x)
}

/// The first event of each kind, and a name for all of the kind.
pub(super) fn by_kind<'e>(events: &[&'e Event]) -> Vec<(&'e Event, String)> {
    let mut kinds: Vec<(&'e Event, Vec<&str>)> = Vec::new();
    for &event in events {
        match kinds.iter_mut().find(|(first, _)| first.kind == event.kind) {
            // The same event at several times, as in several variants, is one.
            Some((_, labels)) if labels.contains(&event.label.as_str()) => {}
            Some((_, labels)) => labels.push(&event.label),
            None => kinds.push((event, vec![&event.label])),
        }
    }
    let told = |(first, labels): (&'e Event, Vec<&str>)| {
        let text = match labels.len() - 1 {
            0 => first.label.clone(),
            others => format!("{} and {others} more", first.label),
        };
        (first, text)
    };
    kinds.into_iter().map(told).collect()
}

/// Names, wanted at these times, in as few rows as keep them apart.
fn rows(wanted: Vec<(f64, EventKind, String)>, plot: Plot, x: &Scale) -> Vec<Name> {
    let mut free: Vec<f64> = Vec::new();
    let place = |(at, kind, label): (f64, EventKind, String)| {
        let text = SMALL.fit(&label, plot.right - plot.left);
        let width = SMALL.width(&text);
        let x = x.at(at).min(plot.right - width);
        let row = free.iter().position(|&free| x > free);
        let row = row.unwrap_or_else(|| {
            free.push(f64::MIN);
            free.len() - 1
        });
        free[row] = x + width + 12.0;
        Name { text, kind, x, row }
    };
    wanted.into_iter().map(place).collect()
}

/// Room above a plot for the names of events at known times.
pub(super) fn room_for_names(events: &[&Event], plot: Plot, x: &Scale) -> f64 {
    let rows = names(events, plot, x).iter().map(|name| name.row + 1).max();
    16.0 * rows.unwrap_or(0) as f64
}

/// Draws the names of events above a plot.
pub(super) fn name(canvas: &Canvas<'_>, events: &[&Event], plot: Plot, x: &Scale) {
    for name in names(events, plot, x) {
        let y = plot.top - 10.0 - 16.0 * name.row as f64;
        let type_ = Type::new(SMALL.size, colour(name.kind));
        canvas.text(&name.text, (name.x, y), Align::Left, type_);
    }
}

/// What is marked in a plot of time.
pub(super) struct Marks<'s> {
    events: Vec<&'s Event>,
    strips: Vec<strips::Strip<'s>>,
    warmup_s: f64,
}

impl<'s> Marks<'s> {
    /// In a plot of the lines of all: what happens to some is a strip.
    pub(super) fn of_lines(study: &Study<'s>) -> Marks<'s> {
        Marks {
            events: shared(study),
            strips: strips::of_lines(study),
            warmup_s: study.warmup_s,
        }
    }

    /// In a plot of one variant.
    pub(super) fn of(study: &Study<'s>, variant: &str) -> Marks<'s> {
        let mut strips = strips::drawn(study);
        strips.retain(|strip| strip.whose.contains(&variant));
        Marks {
            events: of(study, variant),
            strips,
            warmup_s: study.warmup_s,
        }
    }

    /// Room above a plot for what is said; where nothing is named, for strips alone.
    pub(super) fn room(&self, plot: Plot, x: &Scale, named: bool) -> f64 {
        let names = if named {
            room_for_names(&self.events, plot, x)
        } else {
            0.0
        };
        14.0 + names + strips::room(&self.strips, named)
    }

    /// Marks the events and the warm-up in a plot of time that ends at `end` seconds; `named`: with
    /// names above it.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, plot: Plot, x: &Scale, end: f64, named: bool) {
        if self.warmup_s > 0.0 {
            let warm = (x.at(self.warmup_s), plot.bottom);
            canvas.area((plot.left, plot.top), warm, MUTED, 0.10);
        }
        let layers = by_colour(&self.events);
        for (colour, own) in &layers {
            for (from, to) in joined(own, end) {
                let (from, to) = (x.at(from), x.at(to));
                canvas.area((from, plot.top), (to, plot.bottom), *colour, 0.10);
            }
        }
        let mut marked: Vec<f64> = Vec::new();
        for (colour, own) in layers.iter().rev() {
            for from in own.iter().map(|event| x.at(event.from_s)) {
                if !marked.contains(&from) {
                    let line = [(from, plot.top), (from, plot.bottom)];
                    canvas.line(&line, *colour, 0.7, 1.0, None);
                    marked.push(from);
                }
            }
        }
        let above = if named {
            room_for_names(&self.events, plot, x)
        } else {
            0.0
        };
        let ends = (plot.left, plot.right, plot.top - 5.0 - above);
        strips::draw(canvas, &self.strips, x, ends, named);
        if !named {
            return;
        }
        name(canvas, &self.events, plot, x);
        let muted = Type::new(12.0, MUTED);
        let width = x.at(self.warmup_s) - plot.left;
        if self.warmup_s > 0.0 && width > muted.width("warm-up") + 8.0 {
            let middle = (plot.left + width / 2.0, plot.top + 12.0);
            canvas.text("warm-up", middle, Align::Centre, muted);
        }
    }
}

/// When anything holds: events that overlap as one stretch, so that no band is darker than another.
pub(super) fn joined(events: &[&Event], end: f64) -> Vec<(f64, f64)> {
    let mut stretches: Vec<(f64, f64)> = events
        .iter()
        .map(|event| (event.from_s, event.to_s.unwrap_or(end)))
        .collect();
    stretches.sort_by(|one, other| one.0.total_cmp(&other.0));
    stretches.dedup_by(|next, kept| {
        let touches = next.0 <= kept.1;
        if touches {
            kept.1 = kept.1.max(next.1);
        }
        touches
    });
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::about::EventKind;

    fn turns(count: usize) -> Vec<Event> {
        let turn = |number: usize| {
            let at = 10.0 * number as f64;
            let event = |kind, what: &str, from_s: f64| Event {
                from_s,
                to_s: Some(from_s + 8.0),
                kind,
                label: format!("release: {what} {number} of {count}"),
                only: Vec::new(),
            };
            [
                event(EventKind::Drain, "drain", at),
                event(EventKind::Crash, "restart", at + 4.0),
            ]
        };
        (1..=count).flat_map(turn).collect()
    }

    const PLOT: Plot = Plot {
        left: 100.0,
        top: 50.0,
        right: 900.0,
        bottom: 300.0,
    };

    fn said(events: &[Event]) -> Vec<String> {
        let x = Scale::linear(0.0, 600.0, PLOT.left, PLOT.right);
        let names = names(&events.iter().collect::<Vec<_>>(), PLOT, &x);
        names.into_iter().map(|name| name.text).collect()
    }

    #[test]
    fn each_event_has_its_name_or_is_counted_in_that_of_its_kind() {
        assert_eq!(said(&turns(1)).len(), 2);
        // Of several variants: the same labels at other times count once.
        let mut many = turns(12);
        for mut event in turns(12) {
            event.from_s += 1.0;
            many.push(event);
        }
        let expected = [
            "release: drain 1 of 12 and 11 more",
            "release: restart 1 of 12 and 11 more",
        ];
        assert_eq!(said(&many), expected);
    }

    #[test]
    fn bands_that_overlap_are_one() {
        let events = turns(2);
        let events: Vec<&Event> = events.iter().collect();
        assert_eq!(joined(&events, 600.0), [(10.0, 32.0)]);
        assert_eq!(joined(&events[..1], 600.0), [(10.0, 18.0)]);
    }
}
