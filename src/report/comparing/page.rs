//! A comparison as a page: for the terminal, and as Markdown for a pull request.

use super::CompareReport;
use super::rows::{ChangeRow, CompareRow};
use super::words::{SUCCESS, difference};
use crate::experiment::{Metric, Reading, Unit};
use crate::report::markdown::plain;
use crate::report::sheet::{Field, Rank, Sheet};
use crate::report::table::{self, Style, cell};

/// Metrics that are shown beside the one that decides, where they are known; those that count what
/// went wrong where anything did.
const SHOWN: [(&str, bool); 11] = [
    ("mean_ms", false),
    ("p50_ms", false),
    ("p99_ms", false),
    ("p999_ms", false),
    (SUCCESS, false),
    ("goodput_rps", false),
    ("utilization_spread", false),
    ("cost_per_hour", true),
    ("sessions_hurt_share", true),
    ("changes_lost_share", true),
    ("stale_reads_share", true),
];

/// Values of a scenario are cut behind so many letters; the files have the whole.
const LONGEST: usize = 60;

/// The tables for a terminal: what changed, and what came of it.
pub fn text(compared: &CompareReport, style: Style) -> String {
    let changed = compared.about.results.iter().filter_map(|result| {
        let rows = compared.tables.changes.iter();
        let rows: Vec<&ChangeRow> = rows.filter(|row| row.result == result.name).collect();
        (!rows.is_empty()).then(|| changes(&rows, style))
    });
    let mut parts: Vec<String> = changed.collect();
    parts.push(differences(compared, style));
    parts.join("\n\n")
}

/// The page: `summary.md`, whose first line is the answer.
pub fn markdown(compared: &CompareReport) -> String {
    let about = &compared.about;
    let mut page = String::new();
    for sentence in &about.findings {
        page += &format!("**{}**\n\n", plain(sentence));
    }
    page += &text(compared, Style::Markdown);
    page.push('\n');
    for note in about.notes.iter().map(String::as_str).chain([LEGEND]) {
        page += &format!("\n* {}", plain(note));
    }
    page.push('\n');
    page
}

/// What the signs of the tables mean.
pub const LEGEND: &str = "Response times are of requests that succeeded; no verdict by them where the faster one fails more; ± is half of a \
     95% interval; verdicts hold for all strategies and results together (Holm), by each metric for itself.";

/// Which values of the scenario changed.
fn changes(rows: &[&ChangeRow], style: Style) -> String {
    let mut sheet = Sheet::default();
    let first = rows[0];
    sheet.column("changed", Rank::Names);
    for name in [&first.baseline, &first.result] {
        sheet.column(table::text(style, name), Rank::Stays);
    }
    for row in rows {
        let values = [&row.before, &row.after].map(|value| {
            let value = value.as_deref().unwrap_or("–");
            match value.char_indices().nth(LONGEST) {
                Some((end, _)) => format!("{}…", &value[..end]),
                None => value.to_owned(),
            }
        });
        let texts = [&row.path, &values[0], &values[1]];
        sheet.row(texts.map(|own| Field::text(table::text(style, own))));
    }
    sheet.draw(style)
}

/// The metrics that are shown: what decides first, and of a sweep no more than that and success.
fn shown(compared: &CompareReport) -> Vec<&'static Metric> {
    let judge = compared.about.judge_by.as_str();
    let rows = &compared.tables.compare;
    let is_swept = rows.iter().any(|row| row.value.is_some());
    let is_known = |name: &str, is_rare: bool| {
        let told = |value: Option<f64>| value.is_some_and(|value| !is_rare || value != 0.0);
        let mut own = rows.iter().filter(|row| row.metric == name);
        own.any(|row| told(row.estimate) || told(row.baseline_estimate))
    };
    let others = (SHOWN.iter())
        .filter(|&&(name, _)| !is_swept || name == SUCCESS)
        .filter(|&&(name, is_rare)| is_known(name, is_rare))
        .filter_map(|&(name, _)| Metric::named(name));
    // What the scenario asks for beside the columns is wanted.
    let metrics = rows.iter().filter_map(|row| Metric::named(&row.metric));
    let asked = metrics.filter(|own| matches!(own.reading, Reading::Percentile(_)));
    let judge = rows.iter().find(|row| row.metric == judge);
    let judge = judge.and_then(|row| Metric::named(&row.metric));
    let mut shown: Vec<&Metric> = Vec::new();
    for metric in judge.into_iter().chain(others).chain(asked) {
        if shown.iter().all(|own| own.name != metric.name) {
            shown.push(metric);
        }
    }
    shown
}

/// What came of it: a line for each strategy and metric.
fn differences(compared: &CompareReport, style: Style) -> String {
    let about = &compared.about;
    let rows = &compared.tables.compare;
    let is_several = about.results.len() > 1;
    let is_swept = rows.iter().any(|row| row.value.is_some());
    let name = |name: &str| table::text(style, name);
    let base = name(&about.baseline.name);
    let result = match &about.results[..] {
        [only] => name(&only.name),
        _ => "result".to_owned(),
    };
    let mut sheet = Sheet::default();
    for (title, rank, is_there) in [
        ("result".to_owned(), Rank::Names, is_several),
        (name(&about.sweep), Rank::Stays, is_swept),
        ("strategy".to_owned(), Rank::Names, true),
        ("metric".to_owned(), Rank::Stays, true),
        (base.clone(), Rank::Stays, true),
        (result, Rank::Stays, true),
        (format!("less that of\n{base}"), Rank::Stays, true),
        ("verdict".to_owned(), Rank::Stays, true),
    ] {
        if is_there {
            sheet.column(title, rank);
        }
    }
    let metrics = shown(compared);
    // Rows of one strategy, at one value, stand together.
    let key = |row: &CompareRow| {
        (
            row.result.clone(),
            row.value.clone(),
            row.value_2.clone(),
            row.strategy.clone(),
        )
    };
    for group in rows.chunk_by(|one, other| key(one) == key(other)) {
        let own = metrics.iter().filter_map(|metric| {
            let row = group.iter().find(|row| row.metric == metric.name)?;
            Some((*metric, row))
        });
        for (metric, row) in own {
            let scale = metric.unit.scale();
            let unit = match metric.unit {
                Unit::Share => ", %",
                _ => "",
            };
            let strategy = match row.strategy == row.result_strategy {
                true => row.strategy.clone(),
                false => format!("{} → {}", row.strategy, row.result_strategy),
            };
            let mut cells = vec![
                Field::text(name(&strategy)),
                Field::text(format!("{}{unit}", metric.name)),
            ];
            if let Some(value) = &row.value {
                let second = row.value_2.as_ref();
                let second = second.map_or(String::new(), |second| format!(", {second}"));
                cells.insert(0, Field::text(name(&format!("{value}{second}"))));
            }
            if is_several {
                cells.insert(0, Field::text(name(&row.result)));
            }
            cells.push(Field::number(cell(
                row.baseline_estimate,
                row.baseline_half_width_95,
                scale,
            )));
            cells.push(Field::number(cell(row.estimate, row.half_width_95, scale)));
            cells.push(Field::number(difference(row)));
            cells.push(Field::verdict(&row.verdict));
            sheet.row(cells);
        }
    }
    sheet.draw(style)
}
