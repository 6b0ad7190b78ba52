//! Whether what is required holds: a line each, and all of them in a sentence.

use super::Report;
use super::rows::RequirementRow;
use super::sheet::{Field, Rank, Sheet};
use super::table::{Style, text};
use crate::figures::{number, with_half_width};
use crate::prose::counted;
use crate::requirement::Decision;

/// What is decided of the rows of all requirements, in a sentence: `2 requirements hold, 1 fails.`
/// `None` where nothing is required. A requirement holds where it does for everything that it is
/// asked of.
pub(super) fn sentence(report: &Report) -> Option<String> {
    let decided = decisions(report);
    let count = |decision: Decision| decided.iter().filter(|own| own.1 == decision).count();
    let (holds, fails, open) = (
        count(Decision::Holds),
        count(Decision::Fails),
        count(Decision::NotShown),
    );
    let all = counted(decided.len(), "requirement");
    let verb = |count: usize, one: &str, many: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {many}"),
    };
    match (decided.len(), holds) {
        (0, _) => None,
        (1, 1) => Some("The requirement holds.".to_owned()),
        (count, holds) if count == holds => Some(format!("All {all} hold.")),
        _ => {
            let mut parts = vec![verb(holds, "holds", "hold")];
            parts.extend((fails > 0).then(|| verb(fails, "fails", "fail")));
            parts.extend((open > 0).then(|| verb(open, "is not shown", "are not shown")));
            Some(format!("Of {all}: {}.", parts.join(", ")))
        }
    }
}

/// Each requirement, once, and what is decided of it.
pub(super) fn decisions(report: &Report) -> Vec<(&str, Decision)> {
    let mut found: Vec<(&str, Decision)> = Vec::new();
    for row in report.requirements() {
        let decision = row.decision();
        match found.iter_mut().find(|own| own.0 == row.requirement) {
            Some((_, own)) => *own = (*own).min(decision),
            None => found.push((&row.requirement, decision)),
        }
    }
    found
}

/// The table of requirements; nothing where nothing is required.
pub(super) fn draw(report: &Report, style: Style) -> Option<String> {
    let rows = report.requirements();
    if rows.is_empty() {
        return None;
    }
    let swept = rows.iter().any(|row| row.value.is_some());
    let compared = rows.iter().any(|row| row.against.is_some());
    let noted = rows.iter().any(|row| !row.note.is_empty());
    let mut sheet = Sheet::default();
    for (title, rank, is_there) in [
        ("", Rank::Stays, true),
        ("required", Rank::Sentences, true),
        ("at", Rank::Stays, swept),
        ("strategy", Rank::Names, true),
        ("against", Rank::Names, compared),
        ("measured", Rank::Stays, true),
        ("limit", Rank::Goes(0), true),
        ("margin", Rank::Goes(1), true),
        ("note", Rank::Sentences, noted),
    ] {
        if is_there {
            sheet.column(title, rank);
        }
    }
    for row in rows {
        let plain = |name: &str| Field::text(text(style, name));
        let mut cells = vec![word(row.decision()), plain(&row.requirement)];
        if swept {
            let both = [row.value.as_deref(), row.value_2.as_deref()];
            let both: Vec<&str> = both.into_iter().flatten().collect();
            cells.push(plain(&both.join(" and ")));
        }
        cells.push(plain(&row.strategy));
        if compared {
            cells.push(plain(row.against.as_deref().unwrap_or_default()));
        }
        cells.extend([
            Field::number(measured(row)),
            Field::number(limit(row)),
            Field::number(margin(row)),
        ]);
        if noted {
            cells.push(plain(&row.note));
        }
        sheet.row(cells);
    }
    Some(sheet.draw(style))
}

/// What is decided, so that it is seen without colour too.
fn word(decision: Decision) -> Field {
    let (sign, is_good) = match decision {
        Decision::Holds => ("✓", Some(true)),
        Decision::Fails => ("✗", Some(false)),
        Decision::NotShown => ("?", None),
    };
    Field::text(format!("{sign} {}", decision.name())).judged(is_good)
}

/// What was measured, with half of its interval.
pub(super) fn measured(row: &RequirementRow) -> String {
    // Of a share one end may be that of what is possible.
    let ends = row.high.zip(row.low).zip(row.estimate);
    let half = ends.map(|((high, low), own)| (high - own).max(own - low));
    figure(row.estimate, half, &row.unit)
}

/// By how much it is on the right side.
pub(super) fn margin(row: &RequirementRow) -> String {
    let half = row
        .margin_high
        .zip(row.margin)
        .map(|(high, own)| high - own);
    figure(row.margin, half, &row.unit)
}

/// The limit: a value as it is required, or what was measured elsewhere.
fn limit(row: &RequirementRow) -> String {
    let (scale, sign) = counted_in(&row.unit);
    match (row.limit, &row.against) {
        (Some(limit), None) => format!("{}{sign}", number(limit * scale)),
        (limit, _) => figure(limit, None, &row.unit),
    }
}

/// By what a number is multiplied where it is shown, and what stands behind it.
fn counted_in(unit: &str) -> (f64, &str) {
    match unit {
        "share" => (100.0, "%"),
        "ms" => (1.0, " ms"),
        "s" => (1.0, " s"),
        other => (1.0, other),
    }
}

/// A number in what it is counted in.
fn figure(value: Option<f64>, half_width: Option<f64>, unit: &str) -> String {
    let (scale, sign) = counted_in(unit);
    value.map_or("–".to_owned(), |value| {
        let half = half_width.map(|half| half * scale);
        format!("{}{sign}", with_half_width(value * scale, half))
    })
}
