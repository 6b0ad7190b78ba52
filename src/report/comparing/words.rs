//! What is said of a comparison: the answer, how it was found, and what is to be borne in mind.

use super::rows::CompareRow;
use super::tables::{At, Beside, CompareTables, Entrant};
use crate::compare::Method;
use crate::experiment::{Metric, Run};
use crate::prose::{counted, listed, quoted};
use crate::report::Report;
use crate::report::rows::RequirementRow;
use crate::report::table::{Apart, change};

/// The share of requests that succeeded.
pub(super) const SUCCESS: &str = "success_share";

/// What is said of a difference, in the order in which it is said, and how.
const SAID: [(&str, &str); 7] = [
    ("better", "better for"),
    ("worse", "worse for"),
    ("different", "different for"),
    ("not shown", "no difference shown for"),
    ("withheld: fails more", "no verdict, for it fails more, for"),
    (
        "withheld: other fails more",
        "no verdict, for the baseline fails more, for",
    ),
    (
        "no chance repeated",
        "no verdict, for no chance was repeated, for",
    ),
];

/// What is said where nothing tells how sure a difference is.
const UNKNOWN: &str = "not known for";

/// A difference in a sentence: `-12.3 ±1.1 (-8%)`.
pub(super) fn difference(row: &CompareRow) -> String {
    let metric = Metric::named(&row.metric);
    let apart = Apart {
        difference: row.difference,
        half_width: row.difference_half_width_95,
        relative: row.relative,
        verdict: &row.verdict,
    };
    change(apart, metric.map_or(1.0, |metric| metric.unit.scale()))
}

/// What is compared, in a line.
pub(super) fn caption(base: &Entrant<'_>, others: &[Beside<'_>]) -> String {
    let names = others.iter().map(|other| other.entrant.label);
    let count = |of: &Entrant<'_>| counted(of.report.about.replications, "replication");
    format!(
        "{} against {} · {} of {}",
        listed(names),
        base.label,
        count(base),
        base.report.about.duration
    )
}

/// The answer: a sentence for each result.
pub(super) fn findings(
    base: &Entrant<'_>,
    others: &[Beside<'_>],
    tables: &CompareTables,
) -> Vec<String> {
    let judge = &base.report.about.judge_by;
    let sentences = others.iter().map(|other| {
        let (result, baseline) = (other.entrant.label, base.label);
        let rows: Vec<&CompareRow> = (tables.compare.iter())
            .filter(|row| row.result == result && row.metric == *judge)
            .collect();
        match rows[..] {
            [] => format!(
                "`{result}` against `{baseline}`: {judge}, which decides, is not known by replication of a sweep."
            ),
            [row] if matches!(&*row.verdict, "better" | "worse") => format!(
                "`{result}` is {} than `{baseline}` by {judge}: {} for {}.",
                row.verdict,
                difference(row),
                row.result_strategy
            ),
            _ => {
                let groups = SAID.iter().filter_map(|(verdict, said)| {
                    group(said, rows.iter().filter(|row| row.verdict == *verdict))
                });
                let unknown = group(UNKNOWN, rows.iter().filter(|row| row.verdict.is_empty()));
                let groups: Vec<String> = groups.chain(unknown).collect();
                let groups = groups.join("; ");
                format!("`{result}` against `{baseline}` by {judge}: {groups}.")
            }
        }
    });
    sentences.collect()
}

/// Strategies of which the same is said, each with what it comes to; of a sweep, at how many
/// values.
fn group<'r>(said: &str, rows: impl Iterator<Item = &'r &'r CompareRow>) -> Option<String> {
    let rows: Vec<&CompareRow> = rows.copied().collect();
    let mut names: Vec<&str> = Vec::new();
    for row in &rows {
        if !names.contains(&row.result_strategy.as_str()) {
            names.push(&row.result_strategy);
        }
    }
    let each = names.into_iter().map(|name| {
        let mut own = rows.iter().filter(|row| row.result_strategy == name);
        match own.clone().next() {
            Some(row) if row.value.is_none() && row.difference.is_some() => {
                format!("{name} {}", difference(row))
            }
            Some(row) if row.value.is_some() => {
                format!("{name} at {}", counted(own.by_ref().count(), "value"))
            }
            _ => name.to_owned(),
        }
    });
    (!rows.is_empty()).then(|| format!("{said} {}", listed(each)))
}

/// How it was found, and what is to be borne in mind.
pub(super) fn notes(
    base: &Entrant<'_>,
    others: &[Beside<'_>],
    tables: &CompareTables,
    stable: bool,
) -> Vec<String> {
    let mut said = Vec::new();
    for other in others {
        said.push(method(base, other, tables, stable));
        said.extend(sameness(base, other, tables));
        said.extend(unlike(base, other));
        said.extend(unmatched(base, other));
        said.extend(required(base, other));
    }
    let all = [base]
        .into_iter()
        .chain(others.iter().map(|own| &own.entrant));
    for entrant in all {
        let mut codes: Vec<&str> = Vec::new();
        for warning in &entrant.report.about.warnings {
            let code: &str = &warning.code;
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        if !codes.is_empty() {
            said.push(format!(
                "`{}` comes with warnings: {}; `lbsim explain` says what they mean.",
                entrant.label,
                listed(codes)
            ));
        }
    }
    if tables
        .compare
        .iter()
        .any(|row| row.n == 1 || row.baseline_n == 1)
    {
        said.push("A single replication does not tell how sure a difference is.".to_owned());
    }
    said
}

/// How replications are compared, and what that is worth.
fn method(base: &Entrant<'_>, other: &Beside<'_>, tables: &CompareTables, stable: bool) -> String {
    let (one, two) = (&base.report.about, &other.entrant.report.about);
    let (baseline, result) = (base.label, other.entrant.label);
    match other.method {
        Method::Welch => format!(
            "`{result}` against `{baseline}` is not paired: seed {} is not seed {}, so that nothing of their luck is the same. Welch's interval for \
             independent samples takes more replications for the same width.",
            two.seed, one.seed
        ),
        Method::WelchDespiteSeed => format!(
            "`{result}` against `{baseline}` is not paired: {} and {} may give other values for the same seed (CHANGELOG.md: value-breaking). Welch's \
             interval takes the two for independent, which one seed does not promise; run one of them again with the other's version. If nothing \
             value-breaking concerns these scenarios, `--value-stable` says so.",
            two.program, one.program
        ),
        Method::Paired => {
            let pairs = one.replications.min(two.replications);
            let more = one.replications.max(two.replications);
            let counted = match pairs == more {
                true => counted(pairs, "pair"),
                false => format!("{}, the first of {more}", counted(pairs, "pair")),
            };
            let declared = match stable && one.program != two.program {
                true => format!(
                    ", {} and {} declared value-stable",
                    two.program, one.program
                ),
                false => String::new(),
            };
            format!(
                "`{result}` against `{baseline}` is paired, replication by replication: both have seed {}{declared}; {counted}{}.",
                one.seed,
                worth(base, other, tables)
            )
        }
    }
}

/// How much the luck is worth that both sides share.
fn worth(base: &Entrant<'_>, other: &Beside<'_>, tables: &CompareTables) -> String {
    let judge = &base.report.about.judge_by;
    let rows = tables.compare.iter();
    let own = rows.filter(|row| row.result == other.entrant.label && row.metric == *judge);
    let gains: Vec<f64> = own.filter_map(|row| row.gain).collect();
    let least = gains.iter().copied().reduce(f64::min);
    let most = gains.iter().copied().reduce(f64::max);
    let shown = |gain: f64| match gain {
        gain if gain < 10.0 => format!("{gain:.1}"),
        gain => format!("{gain:.0}"),
    };
    match least.zip(most) {
        Some((least, most)) if shown(least) == shown(most) => format!(
            ", worth {} times as many independent replications ({judge})",
            shown(least)
        ),
        Some((least, most)) => format!(
            ", worth {} to {} times as many independent replications ({judge})",
            shown(least),
            shown(most)
        ),
        None => String::new(),
    }
}

/// Where runs are the same, or the scenarios are and the runs are not.
fn sameness(base: &Entrant<'_>, other: &Beside<'_>, tables: &CompareTables) -> Option<String> {
    let (baseline, result) = (base.label, other.entrant.label);
    let is_changed = tables.changes.iter().any(|own| own.result == result);
    let alike = |at: &At, before: usize, after: usize| {
        let theirs = base.runs(at, before).iter();
        theirs.zip(other.entrant.runs(at, after)).all(|(one, two)| {
            let strategy = one.strategy.clone();
            *one == Run {
                strategy,
                ..two.clone()
            }
        })
    };
    let pairs = &other.matching.pairs;
    let is_same = |&&(before, after): &&(usize, usize)| {
        let mut points = other.points.iter();
        points.all(|at| alike(at, before, after))
    };
    let same: Vec<&(usize, usize)> = pairs.iter().filter(is_same).collect();
    match (is_changed, same.len() == pairs.len(), other.method) {
        (true, true, _) => Some(format!(
            "What changed in `{result}` makes no difference: all of its runs are those of `{baseline}`."
        )),
        (false, true, _) => Some(format!(
            "The scenarios of `{result}` and `{baseline}` say the same, and so do all of their runs."
        )),
        (false, false, Method::Paired) => Some(format!(
            "The scenarios of `{result}` and `{baseline}` say the same, and yet their runs differ: a file that they name has changed, or the program \
             has, without its version."
        )),
        _ if same.is_empty() => None,
        _ => {
            let names = same
                .iter()
                .map(|pair| &other.entrant.contestants[pair.1].name);
            Some(format!(
                "The runs of {} are the same in `{result}` and `{baseline}`.",
                quoted(names)
            ))
        }
    }
}

/// What makes the two less alike than figures beside each other look.
fn unlike(base: &Entrant<'_>, other: &Beside<'_>) -> Vec<String> {
    let (one, two) = (&base.report.about, &other.entrant.report.about);
    let (baseline, result) = (base.label, other.entrant.label);
    let mut said = Vec::new();
    if (one.duration, one.warmup) != (two.duration, two.warmup) {
        said.push(format!(
            "`{result}` measures {} after a warm-up of {}, and `{baseline}` {} after {}: what depends on the length of a run differs by that alone.",
            two.duration - two.warmup,
            two.warmup,
            one.duration - one.warmup,
            one.warmup
        ));
    }
    if one.judge_by != two.judge_by {
        said.push(format!(
            "`{result}` is judged by {}, and here by {}, as `{baseline}` is.",
            two.judge_by, one.judge_by
        ));
    }
    if one.question != two.question {
        said.push(format!(
            "They ask different questions: `{result}` asks \"{}\", `{baseline}` \"{}\".",
            two.question, one.question
        ));
    }
    let missing = |of: &Entrant<'_>, by: &Entrant<'_>| {
        let points = of.points.iter().filter(|at| !by.points.contains(at));
        let names = points.map(|(value, second)| {
            let first = value.clone().unwrap_or_default();
            second
                .as_ref()
                .map_or(first.clone(), |second| format!("{first} and {second}"))
        });
        let names: Vec<String> = names.collect();
        let label = of.label;
        (!names.is_empty()).then(|| format!("Only `{label}` was run at {}.", listed(names)))
    };
    said.extend(missing(base, &other.entrant));
    said.extend(missing(&other.entrant, base));
    said
}

/// Strategies that are called otherwise, and those that have nobody to be compared with.
fn unmatched(base: &Entrant<'_>, other: &Beside<'_>) -> Vec<String> {
    let (baseline, result) = (base.label, other.entrant.label);
    let (ours, theirs) = (&other.entrant.contestants, &base.contestants);
    let mut said = Vec::new();
    for &(before, after) in &other.matching.pairs {
        if theirs[before].name != ours[after].name {
            said.push(format!(
                "`{}` in `{result}` is compared with `{}` in `{baseline}`.",
                ours[after].name, theirs[before].name
            ));
        }
    }
    for (label, names, left) in [
        (baseline, theirs, &other.matching.only_before),
        (result, ours, &other.matching.only_after),
    ] {
        if !left.is_empty() {
            let names = left.iter().map(|&at| &names[at].name);
            said.push(format!(
                "Only in `{label}`, and not compared: {}.",
                quoted(names)
            ));
        }
    }
    said
}

/// What is decided otherwise of the requirements that both scenarios have.
fn required(base: &Entrant<'_>, other: &Beside<'_>) -> Vec<String> {
    let (baseline, result) = (base.label, other.entrant.label);
    let rows = |of: &'_ Report| -> Vec<RequirementRow> {
        let swept = of.sweep.requirements.iter();
        of.tables
            .requirements
            .iter()
            .chain(swept)
            .cloned()
            .collect()
    };
    let (theirs, ours) = (rows(base.report), rows(other.entrant.report));
    let mut said = Vec::new();
    for &(before, after) in &other.matching.pairs {
        let names = (
            &base.contestants[before].name,
            &other.entrant.contestants[after].name,
        );
        let own = ours.iter().filter(|row| row.strategy == *names.1);
        for (new, old) in own.filter_map(|new| {
            let alike = |old: &&RequirementRow| {
                old.strategy == *names.0
                    && (&old.requirement, &old.value, &old.value_2)
                        == (&new.requirement, &new.value, &new.value_2)
            };
            Some((new, theirs.iter().find(alike)?))
        }) {
            if new.decision != old.decision {
                let at = new.value.as_ref();
                let at = at.map_or(String::new(), |value| format!(" at {value}"));
                said.push(format!(
                    "Required `{}`, {}{at}: {} in `{baseline}`, {} in `{result}`.",
                    new.requirement, names.1, old.decision, new.decision
                ));
            }
        }
    }
    said
}
