//! An answer in words and tables: for the terminal, and as Markdown.

use super::TuneTables;
use crate::experiment::{self, Better, Metric, Unit};
use crate::figures::{change, change_with};
use crate::report::chart::Chart;
use crate::report::markdown::plain;
use crate::report::sheet::{Field, Rank, Sheet};
use crate::report::table::{self, Style};
use crate::stats::Verdict;
use crate::tune::verdict::{Gain, Role};
use crate::tune::{Answer, Ended, Space};

/// What metrics are looked at beside the objective.
const ELSEWHERE: [&str; 8] = [
    "mean_ms",
    "p50_ms",
    "p99_ms",
    "p999_ms",
    "success_share",
    "utilization_max",
    "sessions_lost",
    "cost_per_hour",
];

/// What a configuration is called in a sentence.
fn called(role: &Role) -> String {
    match role {
        Role::Capacity => "weights in proportion to capacity".to_owned(),
        Role::Current => "the current configuration".to_owned(),
        Role::Tuned => "the answer".to_owned(),
        Role::Variant(name) => format!("`{name}`"),
    }
}

/// A gain as a sentence's middle: `-12.3% ±1.2%`.
fn percent(gain: &Gain) -> String {
    let share = gain.paired.relative.unwrap_or(0.0);
    change_with(share, gain.paired.relative_half_width)
}

/// Why a gain is none: one of the two fails more.
fn who_fails(gain: &Gain, other: &str) -> String {
    if gain.paired.difference < 0.0 {
        format!("is faster than {other}, and fails more")
    } else {
        format!("is slower than {other}, and fails less")
    }
}

/// The verdict, a sentence each.
pub fn sentences(space: &Space<'_>, answer: &Answer, tables: &TuneTables) -> Vec<String> {
    let objective = match (space.tuning.situations.len(), space.tuning.worst) {
        (1, _) => experiment::metric(space.tuning.objective).name.to_owned(),
        (count, false) => format!(
            "{} over {count} situations",
            experiment::metric(space.tuning.objective).name
        ),
        (count, true) => format!(
            "{} in the worst of {count} situations",
            experiment::metric(space.tuning.objective).name
        ),
    };
    let objective = match space.tuning.and {
        None => objective,
        Some(and) => format!("{objective} and {}", experiment::metric(and).name),
    };
    let mut said = Vec::new();
    if let Some(and) = space.tuning.and {
        said.push(balance(space, tables, and));
    }
    let current = answer.check.gains.first().copied().flatten();
    said.push(match current {
        None => format!("No significant gain: nothing was found that is better in {objective} than what stands there now."),
        Some(gain) if gain.fails_more => format!(
            "No significant gain: what was found {} ({objective} {}), which this metric does not see.",
            who_fails(&gain, "the current configuration"),
            percent(&gain)
        ),
        Some(gain) => match gain.verdict() {
            Verdict::Better => format!("What was found is better than the current configuration: {objective} {}.", percent(&gain)),
            Verdict::Worse => format!(
                "No significant gain: on requests that the search had not seen, what was found is worse than the current configuration ({objective} {}).",
                percent(&gain)
            ),
            Verdict::NotShown => format!(
                "No significant gain over the current configuration: {objective} {} on requests that the search had not seen.",
                percent(&gain)
            ),
        },
    });
    for (other, gain) in answer
        .check
        .contenders
        .iter()
        .zip(&answer.check.gains)
        .skip(1)
    {
        if matches!(other.role, Role::Variant(_)) {
            said.extend(gain.filter(|gain| gain.verdict() == Verdict::Worse).map(|gain| {
                format!(
                    "But {}, which the scenario compares, is better than all weights that were tried: these are {} above it. Take that; \
                     `strategies = true` tunes its weights.",
                    called(&other.role),
                    percent(&gain)
                )
            }));
            continue;
        }
        said.push(match gain {
            Some(gain) if gain.paired.difference == 0.0 && gain.paired.half_width == Some(0.0) => {
                format!("It does exactly what {} do.", called(&other.role))
            }
            None => format!("It is {}.", called(&other.role)),
            Some(gain) if gain.fails_more => format!(
                "Nothing is said of which is better, it or {}: it {} ({}).",
                called(&other.role),
                who_fails(gain, "these"),
                percent(gain)
            ),
            Some(gain) => match gain.verdict() {
                Verdict::Better => format!(
                    "It is better than {} too: {}.",
                    called(&other.role),
                    percent(gain)
                ),
                Verdict::Worse => format!(
                    "But {} are better still: {}. Take those.",
                    called(&other.role),
                    percent(gain)
                ),
                Verdict::NotShown => format!(
                    "It is not shown to be better than {}: {}. These are simpler.",
                    called(&other.role),
                    percent(gain)
                ),
            },
        });
    }
    said.extend(unfinished(space, answer.ended));
    let broken = |at: usize| {
        answer
            .check
            .contenders
            .get(at)
            .is_some_and(|one| one.broken)
    };
    if broken(answer.check.contenders.len() - 1) {
        said.push(
            "What was found breaks a constraint: nothing that was tried keeps all of them."
                .to_owned(),
        );
    } else if broken(0) {
        said.push(
            "The current configuration breaks a constraint; what was found keeps all of them."
                .to_owned(),
        );
    }
    said
}

/// What is to be said where a search ended before nothing better was to be expected.
fn unfinished(space: &Space<'_>, ended: Ended) -> Option<String> {
    let tuning = space.tuning;
    let (what, more) = match ended {
        Ended::Tolerance => return None,
        Ended::Requests => (
            "its requests ran out",
            format!("raise `max-requests` (now {})", tuning.max_requests),
        ),
        Ended::Time => (
            "its time ran out",
            match tuning.max_time {
                Some(most) => format!("raise `max-time` (now {most})"),
                None => "raise `max-time`".to_owned(),
            },
        ),
        Ended::Astray => (
            "it went on without coming closer to a best one",
            "let it begin elsewhere (`starts`)".to_owned(),
        ),
    };
    Some(format!(
        "The search had not converged when {what}: {more}, let fewer values change, or make `run.duration` shorter."
    ))
}

/// With two metrics: what the middle of the front is against the current configuration, in each of
/// them.
fn balance(
    space: &Space<'_>,
    tables: &TuneTables,
    and: crate::scenario::file::Criterion,
) -> String {
    let situation = &space.tuning.situations[0].name;
    let parts: Vec<String> = [space.tuning.objective, and]
        .into_iter()
        .map(|metric| {
            let metric = experiment::metric(metric);
            let own = tables.check.iter().find(|row| {
                row.with == Role::Current.name()
                    && row.situation == *situation
                    && row.metric == metric.name
            });
            let share = own.and_then(|row| row.relative).unwrap_or(0.0);
            format!("{} {}", metric.name, change(share))
        })
        .collect();
    format!(
        "The middle of the front, which weighs both alike, against the current configuration: {}. What follows compares the mean of \
         both, each relative to what it is now.",
        parts.join(", ")
    )
}

/// The whole answer.
pub fn text(space: &Space<'_>, answer: &Answer, tables: &TuneTables, style: Style) -> String {
    let named = |name: &str| table::text(style, name);
    let mut page = String::new();
    let mut sheet = Sheet::default();
    let has_rule = tables.weights.iter().any(|row| !row.capacity.is_empty());
    sheet.column("value", Rank::Names);
    sheet.column("current", Rank::Stays);
    if has_rule {
        sheet.column("capacity", Rank::Goes(1));
    }
    sheet.column("tuned", Rank::Stays);
    sheet.column("may be multiplied\nby, at a loss < 1%", Rank::Goes(0));
    for row in &tables.weights {
        let mut cells = vec![Field::text(named(&row.value)), Field::number(&row.current)];
        cells.extend(has_rule.then(|| Field::number(&row.capacity)));
        cells.push(Field::number(&row.tuned));
        let end = |factor: f64, edge: f64, sign: &str| {
            if factor == edge {
                format!("{sign}{factor:.1}")
            } else {
                format!("{factor:.2}")
            }
        };
        let within = row.within_low.zip(row.within_high);
        cells.push(Field::number(
            within.map_or(String::new(), |(low, high)| {
                format!("{} to {}", end(low, 0.5, "≤ "), end(high, 2.0, "≥ "))
            }),
        ));
        sheet.row(cells);
    }
    page += &format!("{}\n", sheet.draw(style));
    if space.tuning.strategies {
        page += &format!(
            "strategy: {}\n",
            named(&space.base.variants[answer.tuned.variant].name)
        );
    }
    page.push('\n');
    let mut sheet = Sheet::default();
    for (title, rank) in [
        ("against", Rank::Names),
        ("situation", Rank::Names),
        ("metric", Rank::Stays),
        ("before", Rank::Stays),
        ("tuned", Rank::Stays),
        ("difference (95%)", Rank::Stays),
    ] {
        sheet.column(title, rank);
    }
    let own = [Some(space.tuning.objective), space.tuning.and];
    let own: Vec<&str> = own
        .iter()
        .flatten()
        .map(|&metric| experiment::metric(metric).name)
        .collect();
    for row in &tables.check {
        let Some(metric) = Metric::named(&row.metric) else {
            continue;
        };
        let shown = own.contains(&metric.name)
            || (ELSEWHERE.contains(&metric.name) && metric.better != Better::Neither);
        let unchanged = row.other == row.tuned && row.difference == 0.0;
        if !shown || unchanged {
            continue;
        }
        let scale = metric.unit.scale();
        let unit = if metric.unit == Unit::Share { " %" } else { "" };
        let number =
            |value: Option<f64>| value.map_or("–".to_owned(), |value| figure(value * scale));
        let difference = match (row.relative, row.half_width_95, row.other) {
            // Shares are compared in points.
            (Some(relative), Some(half), Some(_)) if metric.unit != Unit::Share => {
                let base = row.difference / relative;
                change_with(relative, Some((half / base).abs()))
            }
            (_, Some(half), _) => format!(
                "{} ±{}",
                signed(row.difference * scale),
                figure(half * scale)
            ),
            _ => signed(row.difference * scale),
        };
        let mark = if own.contains(&metric.name) { " *" } else { "" };
        sheet.row([
            Field::text(named(&row.with)),
            Field::text(named(&row.situation)),
            Field::text(format!("{}{unit}{mark}", metric.name)),
            Field::number(number(row.other)),
            Field::number(number(row.tuned)),
            Field::number(difference),
        ]);
    }
    page += &format!("{}\n* what was tuned for\n\n", sheet.draw(style));
    if !tables.front.is_empty() {
        let mut sheet = Sheet::default();
        let first = &tables.front[0];
        sheet.column(&first.metric, Rank::Stays);
        sheet.column(&first.and, Rank::Stays);
        sheet.column("values", Rank::Names);
        for row in &tables.front {
            sheet.row([
                Field::number(figure(row.mean)),
                Field::number(figure(row.and_mean)),
                Field::text(named(&row.values)),
            ]);
        }
        page += &format!(
            "The front: none of these is better than another in both. Now: {} and {}.\n{}\n\n",
            figure(first.current),
            figure(first.and_current),
            sheet.draw(style)
        );
    }
    page
}

/// Four digits.
fn figure(value: f64) -> String {
    let places = (3.0 - value.abs().max(1e-9).log10().floor()).clamp(0.0, 4.0) as usize;
    format!("{value:.places$}")
}

fn signed(value: f64) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{}", figure(value))
}

/// `summary.md`.
pub(super) fn markdown(
    space: &Space<'_>,
    answer: &Answer,
    tables: &TuneTables,
    charts: &[Chart],
) -> String {
    let mut page = format!(
        "# {}\n\n{}\n\n",
        plain(&space.base.question),
        plain(&caption(space, answer))
    );
    page += &plain(&sentences(space, answer, tables).join(" "));
    page += "\n\n";
    page += &text(space, answer, tables, Style::Markdown);
    page += "Differences are between means over replications on the same requests, none of which the search has seen; a verdict is given only \
        where the difference is significant at 95% for all comparisons together (Holm).\n";
    for chart in charts {
        page += &format!("\n![{}](charts/{}.svg)\n", chart.name, chart.name);
    }
    page
}

/// What was done, in a line.
pub fn caption(space: &Space<'_>, answer: &Answer) -> String {
    let duration = space.base.duration();
    format!(
        "{} · {} candidates, {:.0} million requests · checked on {} fresh replications of {duration} · seed {}",
        space.base.file_name,
        answer.evaluations.len(),
        answer.requests as f64 / 1e6,
        space.tuning.confirmations,
        space.base.seed
    )
}
