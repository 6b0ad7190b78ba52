//! An answer in words and tables: for the terminal, and as Markdown.

use super::SizeTables;
use crate::experiment::Judged;
use crate::figures::{percent, with_half_width};
use crate::prose::counted;
use crate::report::chart::Chart;
use crate::report::markdown::plain;
use crate::report::sheet::{Field, Rank, Sheet};
use crate::report::table::{self, Style};
use crate::requirement::{Amount, Decision, Requirement};
use crate::scenario::Scenario;
use crate::scenario::file::Seek;
use crate::scenario::sizing::Sizing;
use crate::size::{Sizes, Sounding, Strategy};

/// A figure with its half-width, in the unit in which it is shown: `183 ±4 ms`.
fn figure(amount: Amount, estimate: Option<f64>, half_width: Option<f64>) -> String {
    let (scale, sign) = match amount {
        Amount::Milliseconds => (1.0, " ms"),
        Amount::Seconds => (1.0, " s"),
        Amount::Share => (100.0, "%"),
        Amount::Rate => (1.0, "/s"),
        Amount::Number => (1.0, ""),
    };
    estimate.map_or("not known".to_owned(), |estimate| {
        let half_width = half_width.map(|half| half * scale);
        format!("{}{sign}", with_half_width(estimate * scale, half_width))
    })
}

/// What was measured of a requirement: `p99 183 ±4 ms < 200ms`.
fn judged(requirement: &Requirement, own: &Judged, situation: Option<&str>) -> String {
    let measure = requirement.measure();
    let said = figure(measure.amount(), own.figure.estimate, own.figure.half_width);
    let (sign, limit) = (requirement.side.sign(), requirement.limit_text());
    if own.decision == Decision::Fails && !own.note.is_empty() {
        let situation = situation.map_or(String::new(), |name| format!(" ({name})"));
        return format!("{}{situation}", own.note);
    }
    let ending = match own.decision {
        Decision::Holds => format!(" {sign} {limit}"),
        Decision::Fails => format!(", not {sign} {limit}"),
        Decision::NotShown => format!(", which does not decide {sign} {limit}"),
    };
    let situation = situation.map_or(String::new(), |name| format!(" ({name})"));
    format!("{measure} {said}{ending}{situation}")
}

/// What decides at a value: all that fails, or all that is not shown, or else each requirement
/// where it is nearest to its limit.
fn grounds(sizing: &Sizing, sounding: &Sounding) -> String {
    let is_several = sounding.situations.len() > 1;
    let mut grounds = Vec::new();
    for (at, requirement) in sizing.objective.iter().enumerate() {
        let own: Vec<(&str, &Judged)> = (sounding.situations.iter())
            .flat_map(|situated| {
                let own = situated.judged.iter().filter(move |(own, _)| *own == at);
                own.map(|(_, judged)| (situated.name.as_str(), judged))
            })
            .filter(|(_, judged)| judged.decision == sounding.decision)
            .collect();
        let margin = |judged: &Judged| {
            let estimate = judged.figure.estimate.unwrap_or(f64::INFINITY);
            (estimate - requirement.value().unwrap_or(f64::NAN)).abs()
        };
        let nearest = own
            .into_iter()
            .min_by(|(_, one), (_, other)| margin(one).total_cmp(&margin(other)));
        grounds.extend(
            nearest
                .map(|(situation, own)| judged(requirement, own, is_several.then_some(situation))),
        );
    }
    grounds.join(", ")
}

/// The answers, a sentence or a few each.
pub fn sentences(base: &Scenario, sizing: &Sizing, sizes: &Sizes) -> Vec<String> {
    let strategies = sizes.strategies.iter();
    let mut said: Vec<String> = strategies
        .map(|strategy| {
            let name = &base.variants[strategy.variant].name;
            format!("{name}: {}", sentence(sizing, sizes, strategy))
        })
        .collect();
    let costs: Vec<String> = (sizes.strategies.iter())
        .filter_map(|strategy| {
            let cost = strategy.cost();
            cost.estimate.filter(|_| strategy.is_decided)?;
            let name = &base.variants[strategy.variant].name;
            let said = figure(Amount::Number, cost.estimate, cost.half_width);
            Some(format!("{name} {said}"))
        })
        .collect();
    if !costs.is_empty() {
        said.push(format!("Cost an hour: {}.", costs.join(", ")));
    }
    if !sizes.is_decided() {
        said.push(format!(
            "What is not decided takes more replications (`max-replications` is {}), requests (`max-requests` is {}), a longer `run.duration`, \
             or a limit that is not so near to what is measured.",
            sizing.max_replications, sizing.max_requests
        ));
    }
    said
}

fn sentence(sizing: &Sizing, sizes: &Sizes, strategy: &Strategy) -> String {
    let verge = &strategy.verge;
    let count = sizing.values.len();
    let of = |ease: usize| {
        let grounds = strategy.sounding(ease).map(|own| grounds(sizing, own));
        format!("{}: {}", sizing.called(ease), grounds.unwrap_or_default())
    };
    let (least, beyond) = match sizing.find {
        Seek::Least => ("the least that was looked at", "fewer or less may do too"),
        Seek::Most => ("the most that was looked at", "more may do too"),
    };
    let spent = match sizes.is_spent {
        true => ", when the requests were used up",
        false => "",
    };
    let undecided = || -> String {
        let each = verge.undecided.iter().map(|&ease| {
            let replications = strategy.sounding(ease).map_or(0, |own| {
                own.situations
                    .iter()
                    .map(|own| own.replications)
                    .max()
                    .unwrap_or(0)
            });
            format!(
                "{}, after {}",
                of(ease),
                counted(u64::from(replications), "replication")
            )
        });
        each.collect::<Vec<_>>().join("; ")
    };
    match (verge.holds, verge.fails) {
        (Some(0), _) => format!("{}. This is {least}: {beyond}.", of(0)),
        (Some(holds), Some(fails)) if strategy.is_decided => {
            let step = strategy.last_step().map_or(String::new(), |(at, paired)| {
                let measure = sizing.objective[at].measure();
                let change = figure(measure.amount(), Some(paired.difference), paired.half_width);
                let sign = if paired.difference > 0.0 { "+" } else { "" };
                format!(" ({measure} {sign}{change} on the same requests)")
            });
            format!("{}. {}{step}.", of(holds), of(fails))
        }
        (Some(holds), fails) => {
            let other = fails.map_or(sizing.value(0).written.clone(), |fails| {
                sizing.value(fails).written.clone()
            });
            let ends = match fails {
                Some(fails) => format!("{}. {}.", of(holds), of(fails)),
                None => format!("{}.", of(holds)),
            };
            let between = match verge.undecided.is_empty() {
                true => "what is between them was not tried".to_owned(),
                false => format!("not decided: {}", undecided()),
            };
            format!(
                "between {other} and {}{spent}; {between}. {ends}",
                sizing.called(holds)
            )
        }
        (None, Some(fails)) if fails + 1 == count => {
            format!("even the easiest does not do. {}.", of(fails))
        }
        (None, _) if verge.undecided.is_empty() => format!("nothing was tried{spent}."),
        (None, _) => format!("not decided even at the easiest: {}.", undecided()),
    }
}

/// What was done, in a line.
pub fn caption(base: &Scenario, sizing: &Sizing, sizes: &Sizes) -> String {
    let tried: usize = sizes.strategies.iter().map(|own| own.soundings.len()).sum();
    format!(
        "{} · {} of {} values tried, {:.1} million requests · replications of {} · seed {}",
        base.file_name,
        tried,
        sizing.values.len() * sizes.strategies.len(),
        sizes.requests as f64 / 1e6,
        base.duration(),
        base.seed
    )
}

/// What ± means here.
fn note(sizing: &Sizing, sizes: &Sizes) -> String {
    format!(
        "± is half of a {} interval: all decisions that lead to an answer are then right together with {}% confidence, \
         if what holds at a value holds at all easier ones.",
        percent(sizes.level),
        (sizing.confidence * 1e4).round() / 1e2
    )
}

/// The figures around each answer.
pub fn text(sizing: &Sizing, sizes: &Sizes, tables: &SizeTables, style: Style) -> String {
    let mut sheet = Sheet::default();
    let value = if sizing.counts_servers() {
        "servers"
    } else {
        "value"
    };
    for (title, rank) in [
        ("strategy", Rank::Names),
        (value, Rank::Stays),
        ("situation", Rank::Names),
        ("required", Rank::Stays),
        ("measured", Rank::Stays),
        ("replications", Rank::Goes(0)),
        ("verdict", Rank::Stays),
    ] {
        sheet.column(title, rank);
    }
    let near: Vec<Vec<&str>> = (sizes.strategies.iter())
        .map(|strategy| {
            let verge = &strategy.verge;
            let ends = verge.holds.iter().chain(&verge.fails);
            let shown = ends.chain(&verge.undecided);
            shown
                .map(|&ease| sizing.value(ease).written.as_str())
                .collect()
        })
        .collect();
    let mut names: Vec<&str> = Vec::new();
    for row in &tables.tried {
        if !names.contains(&row.strategy.as_str()) {
            names.push(&row.strategy);
        }
        let requirement: Option<Requirement> = row.requirement.parse().ok();
        let amount = requirement.map_or(Amount::Number, |own| own.measure().amount());
        if !near[names.len() - 1].contains(&row.value.as_str()) {
            continue;
        }
        sheet.row([
            Field::text(table::text(style, &row.strategy)),
            Field::number(&row.value),
            Field::text(table::text(style, &row.situation)),
            Field::text(table::text(style, &row.requirement)),
            Field::number(figure(amount, row.estimate, row.half_width)),
            Field::number(row.replications.to_string()),
            Field::text(&row.verdict),
        ]);
    }
    let table = sheet.draw(style);
    format!("{table}\n\n{}\n", note(sizing, sizes))
}

/// `summary.md`.
pub(super) fn markdown(
    (base, sizing): (&Scenario, &Sizing),
    (sizes, tables): (&Sizes, &SizeTables),
    charts: &[Chart],
) -> String {
    let mut page = format!(
        "# {}\n\n{}\n\n",
        plain(&base.question),
        plain(&caption(base, sizing, sizes))
    );
    for sentence in sentences(base, sizing, sizes) {
        page += &format!("* {}\n", plain(&sentence));
    }
    page += &format!("\n{}", text(sizing, sizes, tables, Style::Markdown));
    for chart in charts {
        page += &format!("\n![{}](charts/{}.svg)\n", chart.name, chart.name);
    }
    page
}
