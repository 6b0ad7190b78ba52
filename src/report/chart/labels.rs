//! Labels that do not overlap.

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

    proptest! {
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
