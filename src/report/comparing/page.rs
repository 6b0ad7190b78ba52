//! A comparison as a page: for the terminal, and as Markdown for a pull request.

use comfy_table::{Cell, Table};

use super::CompareReport;
use super::rows::{ChangeRow, CompareRow};
use super::words::{SUCCESS, difference};
use crate::experiment::{Metric, Reading, Unit};
use crate::report::markdown::plain;
use crate::report::table::{self, Style, cell, fresh, number, title};

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
    let mut table = fresh(style);
    let first = rows[0];
    let names = [&first.baseline, &first.result];
    let names = names.map(|name| table::text(style, name));
    table.set_header(["changed".to_owned()].into_iter().chain(names));
    for row in rows {
        let values = [&row.before, &row.after].map(|value| {
            let value = value.as_deref().unwrap_or("–");
            match value.char_indices().nth(LONGEST) {
                Some((end, _)) => format!("{}…", &value[..end]),
                None => value.to_owned(),
            }
        });
        let texts = [&row.path, &values[0], &values[1]];
        table.add_row(texts.map(|own| Cell::new(table::text(style, own))));
    }
    drawn(table, style)
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
    let mut header = vec!["strategy".to_owned(), "metric".to_owned()];
    if is_swept {
        header.insert(0, name(&about.sweep));
    }
    if is_several {
        header.insert(0, "result".to_owned());
    }
    header.push(name(&about.baseline.name));
    header.push(match &about.results[..] {
        [only] => name(&only.name),
        _ => "result".to_owned(),
    });
    header.push(title(
        style,
        &format!("less that of\n{}", name(&about.baseline.name)),
    ));
    header.push("verdict".to_owned());
    let mut table = fresh(style);
    table.set_header(header);
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
                Cell::new(name(&strategy)),
                Cell::new(format!("{}{unit}", metric.name)),
            ];
            if let Some(value) = &row.value {
                let second = row.value_2.as_ref();
                let second = second.map_or(String::new(), |second| format!(", {second}"));
                cells.insert(0, Cell::new(name(&format!("{value}{second}"))));
            }
            if is_several {
                cells.insert(0, Cell::new(name(&row.result)));
            }
            cells.push(number(&cell(
                row.baseline_estimate,
                row.baseline_half_width_95,
                scale,
            )));
            cells.push(number(&cell(row.estimate, row.half_width_95, scale)));
            cells.push(number(&difference(row)));
            cells.push(table::verdict(&row.verdict, style));
            table.add_row(cells);
        }
    }
    drawn(table, style)
}

/// A table as text, in colours where it is to have them.
#[cfg_attr(not(feature = "cli"), allow(unused_mut))]
fn drawn(mut table: Table, style: Style) -> String {
    #[cfg(feature = "cli")]
    if let Style::Terminal(true) = style {
        table.enforce_styling();
    }
    #[cfg(not(feature = "cli"))]
    let _ = style;
    table.to_string()
}
