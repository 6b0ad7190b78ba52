//! Labels that do not overlap, and do not cover what is drawn.

/// A rectangle, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Area {
    /// Its point that is nearest to another.
    pub(super) fn nearest(&self, (x, y): (f64, f64)) -> (f64, f64) {
        // Not `clamp`, which panics where a rectangle is none.
        (
            x.max(self.left).min(self.right),
            y.max(self.top).min(self.bottom),
        )
    }

    /// How far a point is from it.
    pub(super) fn distance(&self, point: (f64, f64)) -> f64 {
        let nearest = self.nearest(point);
        (nearest.0 - point.0).hypot(nearest.1 - point.1)
    }

    fn overlaps(&self, other: &Area) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    /// How much of the straight line between two points lies in it, in pixels (Liang and Barsky
    /// 1984).
    fn covers(&self, from: (f64, f64), to: (f64, f64)) -> f64 {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let (mut enters, mut leaves) = (0f64, 1f64);
        for (along, room) in [
            (-dx, from.0 - self.left),
            (dx, self.right - from.0),
            (-dy, from.1 - self.top),
            (dy, self.bottom - from.1),
        ] {
            if along == 0.0 {
                if room < 0.0 {
                    return 0.0;
                }
            } else if along < 0.0 {
                enters = enters.max(room / along);
            } else {
                leaves = leaves.min(room / along);
            }
        }
        if enters > leaves {
            return 0.0;
        }
        // A line that only touches, or a point, is covered too.
        ((leaves - enters) * dx.hypot(dy)).max(1.0)
    }
}

/// A label that is nearer to its end than this needs no line to it.
pub(super) const CLOSE: f64 = 12.0;

/// How far from its end a label may go, in steps of [`STEP`] pixels.
const STEPS: i32 = 20;
const STEP: f64 = 8.0;

/// A label: its width and height, and the end of its line.
type Label = ((f64, f64), (f64, f64));

/// Places for labels of lines that end within `room`, given their sizes and ends: behind, before,
/// above or below the end, as near as may be without covering any of `lines`, each a row of points,
/// or one another. Where there is no such place, where they cover least.
pub(super) fn by_ends(wanted: &[Label], room: Area, lines: &[Vec<(f64, f64)>]) -> Vec<Area> {
    // The dots at the ends are to be seen as well.
    let dots = wanted.iter().map(|&(_, (x, y))| Area {
        left: x - 6.0,
        top: y - 6.0,
        right: x + 6.0,
        bottom: y + 6.0,
    });
    let mut taken: Vec<Area> = dots.collect();
    let mut places = Vec::with_capacity(wanted.len());
    for &(size, end) in wanted {
        let cost = |place: &Area| {
            let covered: f64 = (lines.iter())
                .flat_map(|line| {
                    let next = line.iter().skip(1).chain(line.last());
                    line.iter().zip(next)
                })
                .map(|(&from, &to)| place.covers(from, to))
                .sum();
            let overlapped = taken.iter().filter(|other| place.overlaps(other)).count();
            place.distance(end) + 20.0 * covered + 1000.0 * overlapped as f64
        };
        let best = candidates(size, end, room)
            .map(|place| (cost(&place), place))
            .min_by(|one, other| one.0.total_cmp(&other.0))
            .map_or(room, |(_, place)| place);
        taken.push(best);
        places.push(best);
    }
    places
}

/// The places that a label of this size may have, those that are preferred first.
fn candidates(
    (width, height): (f64, f64),
    (x, y): (f64, f64),
    room: Area,
) -> impl Iterator<Item = Area> {
    // Behind another line that ends near by, where there is no room before its own.
    let sides = [
        x + 7.0,
        x - 7.0 - width,
        x - width / 2.0,
        x + 31.0,
        x + 63.0,
    ];
    let lifts = (0..=STEPS).flat_map(|step| [-step, step]);
    lifts.flat_map(move |lift| {
        sides.map(|left| {
            let left = left.min(room.right - width).max(room.left);
            let top = y - height / 2.0 + f64::from(lift) * STEP;
            let top = top.min(room.bottom - height).max(room.top);
            Area {
                left,
                top,
                right: left + width,
                bottom: top + height,
            }
        })
    })
}

/// Moves labels of height `height`, wanted at these middles, apart as little as need be, within
/// `from` to `to`. The order stays. Where there is no room for all, they share what there is.
pub(super) fn push_apart(wanted: &[f64], height: f64, from: f64, to: f64) -> Vec<f64> {
    let n = wanted.len();
    if n == 0 {
        return Vec::new();
    }
    let height = height.min((to - from) / n as f64);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]).then(a.cmp(&b)));
    // Groups that touch: (members, sum of what each wants of the first one's place).
    let mut groups: Vec<(usize, f64)> = Vec::new();
    let place = |&(size, sum): &(usize, f64)| -> f64 {
        let ideal = sum / size as f64;
        let lowest = from + height / 2.0;
        let highest = to - height / 2.0 - (size - 1) as f64 * height;
        ideal.min(highest).max(lowest)
    };
    for &label in &order {
        groups.push((1, wanted[label]));
        while let [.., before, last] = &groups[..] {
            if place(before) + before.0 as f64 * height <= place(last) + 1e-9 {
                break;
            }
            let shifted = last.1 - (before.0 * last.0) as f64 * height;
            let joined = (before.0 + last.0, before.1 + shifted);
            groups.pop();
            groups.pop();
            groups.push(joined);
        }
    }
    let mut placed = vec![0.0; n];
    let mut next = order.into_iter();
    for group in &groups {
        let first = place(group);
        for (at, label) in next.by_ref().take(group.0).enumerate() {
            placed[label] = first + at as f64 * height;
        }
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_with_room_stay() {
        assert_eq!(
            push_apart(&[10.0, 50.0, 90.0], 20.0, 0.0, 100.0),
            [10.0, 50.0, 90.0]
        );
        assert_eq!(push_apart(&[50.0, 50.0], 20.0, 0.0, 100.0), [40.0, 60.0]);
    }

    const ROOM: Area = Area {
        left: 100.0,
        top: 50.0,
        right: 900.0,
        bottom: 450.0,
    };

    #[test]
    fn a_label_moves_off_the_lines_that_it_would_cover() {
        let size = (120.0, 17.0);
        let end = (300.0, 200.0);
        let alone = by_ends(&[(size, end)], ROOM, &[])[0];
        assert_eq!((alone.left, alone.top + 8.5), (307.0, 200.0));
        // One line falls behind the end, as after a spike; others go on beyond it.
        let lines = [
            vec![(290.0, 400.0), (298.0, 210.0), end],
            vec![(340.0, 100.0), (350.0, 200.0), (360.0, 400.0)],
            vec![(290.0, 185.0), (500.0, 190.0)],
        ];
        let place = by_ends(&[(size, end)], ROOM, &lines)[0];
        for line in &lines {
            for pair in line.windows(2) {
                assert_eq!(place.covers(pair[0], pair[1]), 0.0, "{place:?}");
            }
        }
        assert!(place.distance(end) < 40.0, "{place:?}");
    }

    /// Two lines rise beside each other, near the left edge: the second label goes behind both.
    #[test]
    fn a_label_goes_behind_a_neighbour() {
        let lines = [150.0, 165.0].map(|x| vec![(x - 40.0, 440.0), (x, 300.0), (x, 60.0)]);
        let wanted = [(165.0, 60.0), (150.0, 60.0)].map(|end| ((200.0, 17.0), end));
        for place in by_ends(&wanted, ROOM, &lines) {
            let pairs = lines.iter().flat_map(|line| line.windows(2));
            for pair in pairs {
                assert_eq!(place.covers(pair[0], pair[1]), 0.0, "{place:?}");
            }
        }
    }

    #[test]
    fn what_is_covered_is_measured() {
        let covers = |from, to| ROOM.covers(from, to);
        assert_eq!(covers((0.0, 100.0), (1000.0, 100.0)), 800.0);
        assert_eq!(covers((0.0, 0.0), (1000.0, 10.0)), 0.0);
        assert_eq!(covers((200.0, 100.0), (200.0, 100.0)), 1.0);
        assert_eq!(covers((0.0, 0.0), (0.0, 0.0)), 0.0);
        assert!((covers((500.0, 0.0), (500.0, 60.0)) - 10.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn labels_by_ends_stay_in_the_plot_and_apart(
            ends in prop::collection::vec((100.0f64..900.0, 50.0f64..450.0), 0..6),
            width in 20.0f64..200.0,
        ) {
            let wanted: Vec<_> = ends.iter().map(|&end| ((width, 17.0), end)).collect();
            let places = by_ends(&wanted, ROOM, &[]);
            for (at, place) in places.iter().enumerate() {
                prop_assert!(place.left >= 100.0 && place.right <= 900.0 + 1e-9);
                prop_assert!(place.top >= 50.0 && place.bottom <= 450.0 + 1e-9);
                prop_assert!(places[..at].iter().all(|other| !place.overlaps(other)));
            }
        }

        #[test]
        fn labels_do_not_overlap(wanted in prop::collection::vec(-50.0f64..550.0, 0..24), height in 5.0f64..30.0) {
            let placed = push_apart(&wanted, height, 0.0, 500.0);
            let height = height.min(500.0 / wanted.len().max(1) as f64);
            let mut sorted = placed.clone();
            sorted.sort_by(f64::total_cmp);
            prop_assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= height - 1e-6));
            prop_assert!(sorted.iter().all(|&y| y >= height / 2.0 - 1e-6 && y <= 500.0 - height / 2.0 + 1e-6));
            for a in 0..wanted.len() {
                for b in 0..wanted.len() {
                    prop_assert!(wanted[a] >= wanted[b] || placed[a] < placed[b] + 1e-6);
                }
            }
        }
    }
}
