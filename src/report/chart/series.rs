//! Who is shown in charts, and in which colour.

use super::Series;
use super::palette::{COLOURS, MEASURED, are_alike};
use crate::report::about::{About, AboutVariant};
use crate::report::rows::Tables;
use crate::strategy::CATALOGUE;

/// Beyond as many as can be told apart, a chart shows so many, and says so.
const SHOWN: usize = 12;

/// The places of the variants that charts show: all that can be told apart; of more the baseline
/// and the best by the metric that decides (of a sweep the first), in the scenario's order.
pub(super) fn shown(about: &About) -> Vec<usize> {
    let count = about.variants.len();
    let mut order: Vec<usize> = (0..count).collect();
    if count <= COLOURS {
        return order;
    }
    order.sort_by_key(|&at| about.variants[at].rank);
    let is_baseline = |at: &usize| about.variants[*at].name == about.baseline;
    let mut shown: Vec<usize> = order.iter().copied().filter(is_baseline).collect();
    shown.extend(order.into_iter().filter(|at| !is_baseline(at)));
    shown.truncate(SHOWN);
    shown.sort_unstable();
    shown
}

/// What was run, in a line, and what of it charts show.
pub(super) fn caption(about: &About, shown: &[usize]) -> String {
    let count = about.variants.len();
    if shown.len() == count {
        return about.caption.clone();
    }
    let which = if about.sweep.is_some() {
        "first".to_owned()
    } else {
        format!("best by {}", about.judge_by)
    };
    format!(
        "{} of {count} shown, the baseline and the {which} · {}",
        shown.len(),
        about.caption
    )
}

/// What was measured at the real system.
pub(super) fn measured(rows: &Tables) -> Vec<Series> {
    let mut names: Vec<&str> = (rows.measured.iter())
        .map(|row| row.measurement.as_str())
        .collect();
    names.dedup();
    let series = |name: &str| Series {
        name: name.to_owned(),
        colour: MEASURED,
        figure: None,
    };
    names.into_iter().map(series).collect()
}

/// The place of a strategy in the list; of one that is not in it, the place after all.
fn place(compared: &AboutVariant) -> usize {
    let is_own = |name: &str| compared.strategy["kind"] == name;
    CATALOGUE
        .iter()
        .take_while(|entry| !is_own(entry.name))
        .count()
}

/// The name and colour of each variant that is shown. A strategy has the colour of its place in the
/// catalogue, in every scenario; where two variants share a strategy, or two strategies a colour,
/// the later ones take the next colours that are free.
pub(super) fn of(about: &About, shown: &[usize], measured: &[Series]) -> Vec<Series> {
    let mut taken: Vec<usize> = measured.iter().map(|series| series.colour).collect();
    let variants = || shown.iter().map(|&at| &about.variants[at]);
    let wanted: Vec<usize> = variants().map(|own| place(own) % COLOURS).collect();
    variants()
        .zip(&wanted)
        .map(|(variant, &own)| {
            let like = |colour: usize| taken.iter().any(|&other| are_alike(other, colour));
            let colour = if like(own) {
                let free = |&colour: &usize| !taken.contains(&colour) && !wanted.contains(&colour);
                (0..COLOURS)
                    .find(|colour| free(colour) && !like(*colour))
                    .or_else(|| Some(own).filter(|own| !taken.contains(own)))
                    .or_else(|| (0..).find(free))
                    .unwrap_or(own)
            } else {
                own
            };
            taken.push(colour);
            Series {
                name: variant.name.clone(),
                colour,
                figure: None,
            }
        })
        .collect()
}
