//! The table that answers the scenario's question: a line a strategy.

use std::collections::HashMap;

use super::Report;
use super::rows::{CAUSES, FailureRow, RunRow, ServiceRow, SweepRow};
use super::sheet::{Field, Rank, Sheet, shortened, wrapped};
use crate::experiment::{Metric, Unit};
use crate::figures::{self, with_half_width};

pub use super::sheet::Style;

/// A figure and its half-width, in the unit in which it is shown.
pub(super) fn cell(estimate: Option<f64>, half_width: Option<f64>, scale: f64) -> String {
    estimate.map_or("–".to_owned(), |value| {
        with_half_width(value * scale, half_width.map(|half| half * scale))
    })
}

/// Draws the table of a report: a line a strategy, or, for a sweep, a line a value. Response times
/// are of succeeded requests; a dash stands where too few runs or requests tell.
pub fn draw(report: &Report, style: Style) -> String {
    let required = super::requirements::draw(report, style);
    if report.about.sweep.is_some() {
        let parts = [Some(sweep(report, style)), required];
        return parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n");
    }
    let mut parts = vec![strategies(report, &TableScope::whole(report), style)];
    parts.extend(failures(report, style));
    parts.extend(services(report, style));
    parts.extend(detection(report, style));
    if report.about.by_clients {
        let groups = TableScope::groups(report);
        parts.extend(groups.iter().map(|part| strategies(report, part, style)));
    }
    parts.extend(required);
    parts.join("\n\n")
}

/// Why requests failed, of each cause that there was the share of all requests, a line a strategy;
/// nothing where none failed.
fn failures(report: &Report, style: Style) -> Option<String> {
    let rows = &report.tables.failures;
    let mut causes = CAUSES.to_vec();
    causes.retain(|(cause, ..)| rows.iter().any(|row| row.cause == *cause));
    if causes.is_empty() {
        return None;
    }
    let mut sheet = Sheet::default();
    sheet.column("strategy\n(failed, %)", Rank::Names);
    for (_, name, _) in &causes {
        sheet.column(*name, Rank::Stays);
    }
    for variant in &report.about.variants {
        let mut own = vec![Field::text(text(style, &variant.name))];
        own.extend(causes.iter().map(|(cause, ..)| {
            let of = |row: &&FailureRow| row.strategy == variant.name && row.cause == *cause;
            let share = rows.iter().find(of).and_then(|row| row.failed_share);
            Field::number(cell(share, None, 100.0))
        }));
        sheet.row(own);
    }
    Some(sheet.draw(style))
}

/// What each service met with, a line a strategy and service; nothing where no server has steps.
fn services(report: &Report, style: Style) -> Option<String> {
    let rows = &report.tables.services;
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if !names.contains(&row.service.as_str()) {
            names.push(&row.service);
        }
    }
    if names.is_empty() {
        return None;
    }
    let mut sheet = Sheet::default();
    for (title, rank) in [
        ("service", Rank::Names),
        ("strategy", Rank::Names),
        ("requests", Rank::Goes(1)),
        ("attempts a\nclient's request", Rank::Goes(4)),
        ("mean\nms", Rank::Stays),
        ("of it\nwait", Rank::Goes(7)),
        ("of it\nwork", Rank::Goes(6)),
        ("of it\ncalls", Rank::Goes(5)),
        ("of it\nrest", Rank::Goes(0)),
        ("p99\nms", Rank::Goes(8)),
        ("success\n%", Rank::Goes(9)),
    ] {
        sheet.column(title, rank);
    }
    let of = |name: &str| -> Vec<&ServiceRow> {
        rows.iter().filter(|row| row.service == name).collect()
    };
    for row in names.into_iter().flat_map(of) {
        let numbers = [
            format!("{:.0}", row.requests),
            cell(
                row.attempts_per_client_request,
                row.attempts_per_client_request_half_width_95,
                1.0,
            ),
            cell(row.mean_ms, row.mean_half_width_95, 1.0),
            cell(row.wait_ms, row.wait_half_width_95, 1.0),
            cell(row.work_ms, row.work_half_width_95, 1.0),
            cell(row.called_ms, row.called_half_width_95, 1.0),
            cell(row.rest_ms, None, 1.0),
            cell(row.p99_ms, row.p99_half_width_95, 1.0),
            cell(row.success_share, row.success_share_half_width_95, 100.0),
        ];
        let names = [&row.service, &row.strategy].map(|name| Field::text(text(style, name)));
        sheet.row(names.into_iter().chain(numbers.map(Field::number)));
    }
    Some(sheet.draw(style))
}

/// What balancers noticed of failures, a line a strategy and service; nothing where nothing could
/// be noticed.
fn detection(report: &Report, style: Style) -> Option<String> {
    let rows = &report.tables.detection;
    if rows.is_empty() {
        return None;
    }
    let several = rows.iter().any(|row| row.service != rows[0].service);
    let ejects = rows.iter().any(|row| row.wrong_by_ejection > Some(0.0));
    let mut sheet = Sheet::default();
    if several {
        sheet.column("service", Rank::Names);
    }
    for (title, rank) in [
        ("strategy", Rank::Names),
        ("failures\n(a run)", Rank::Goes(0)),
        ("missed", Rank::Goes(3)),
        ("s until\nnoticed", Rank::Stays),
        ("s until\nback", Rank::Goes(2)),
        ("attempts\nhurt", Rank::Goes(4)),
        ("well, left out\nby checks, s", Rank::Goes(1)),
    ] {
        sheet.column(title, rank);
    }
    if ejects {
        sheet.column("well, left out\nby ejection, s", Rank::Goes(1));
    }
    for row in rows {
        let mut numbers = vec![
            cell(row.failures, None, 1.0),
            cell(row.missed, row.missed_half_width_95, 1.0),
            cell(row.detect_mean_s, row.detect_mean_half_width_95, 1.0),
            cell(row.return_mean_s, row.return_mean_half_width_95, 1.0),
            cell(row.attempts_hurt, row.attempts_hurt_half_width_95, 1.0),
            cell(
                row.wrong_by_checks_s,
                row.wrong_by_checks_s_half_width_95,
                1.0,
            ),
        ];
        if ejects {
            let half = row.wrong_by_ejection_s_half_width_95;
            numbers.push(cell(row.wrong_by_ejection_s, half, 1.0));
        }
        let mut names = vec![Field::text(text(style, &row.strategy))];
        if several {
            names.insert(0, Field::text(text(style, &row.service)));
        }
        sheet.row(
            names
                .into_iter()
                .chain(numbers.into_iter().map(Field::number)),
        );
    }
    Some(sheet.draw(style))
}

/// One metric of all strategies by the values of a sweep; the success rate too, where anything
/// failed.
fn sweep(report: &Report, style: Style) -> String {
    let (about, rows) = (&report.about, &report.sweep.sweep);
    let (Some(swept), Some(judge)) = (&about.sweep, about.judge()) else {
        return String::new();
    };
    let success = Metric::named(SUCCESS).filter(|success| {
        let failed = |row: &SweepRow| row.metric == success.name && row.estimate < Some(1.0);
        success.name != judge.name && rows.iter().any(|row| failed(row) && row.estimate.is_some())
    });
    let each = (rows.len() / swept.points.len().max(1)).max(1);
    let page = [Some(judge), success].into_iter().flatten().map(|metric| {
        let mut sheet = Sheet::default();
        let label = text(style, &swept.label);
        let unit = if metric.unit == Unit::Share {
            ", %"
        } else {
            ""
        };
        let head = format!("{label}\n({}{unit})", metric.name);
        sheet.column(head, Rank::Stays);
        if let Some(and) = &swept.and {
            sheet.column(wrapped(&text(style, and)), Rank::Stays);
        }
        sheet.goes_on();
        for own in &about.variants {
            sheet.column(wrapped(&text(style, &own.name)), Rank::Stays);
        }
        for (point, own) in swept.points.iter().zip(rows.chunks(each)) {
            let mut row = vec![Field::text(text(style, &point.value))];
            let second = point.value_2.as_ref();
            row.extend(second.map(|value| Field::text(text(style, value))));
            let own = own.iter().filter(|row| row.metric == metric.name);
            row.extend(own.map(|row| {
                Field::number(if point.overloaded {
                    "overloaded".to_owned()
                } else {
                    cell(row.estimate, row.half_width_95, metric.unit.scale())
                })
            }));
            sheet.row(row);
        }
        sheet.draw(style)
    });
    page.collect::<Vec<_>>().join("\n\n")
}

/// A text that a user wrote, as a cell of a table.
pub(super) fn text(style: Style, text: &str) -> String {
    match style {
        Style::Markdown => super::markdown::plain(text),
        Style::Terminal { .. } => text.to_owned(),
    }
}

/// The share of requests that succeeded, by the name of its column.
const SUCCESS: &str = "success_share";

/// The columns of the table: what a metric is called there. Where clients hold sessions, and where
/// all requests are shown, there are more.
const COLUMNS: [(&str, &str); 6] = [
    ("mean\nms", "mean_ms"),
    ("p50\nms", "p50_ms"),
    ("p99\nms", "p99_ms"),
    ("p99.9\nms", "p999_ms"),
    ("success\n%", SUCCESS),
    ("goodput\n/s", "goodput_rps"),
];
const OF_SERVERS: [(&str, &str); 1] = [("util.\nspread %", "utilization_spread")];
const OF_SESSIONS: [(&str, &str); 2] = [
    ("sessions\nlost", "sessions_lost"),
    ("sessions\nhurt %", "sessions_hurt_share"),
];
/// Those that are shown where any of it happened to anybody.
const OF_STATES: [(&str, &str); 4] = [
    ("changes\nlost %", "changes_lost_share"),
    ("stale\nreads %", "stale_reads_share"),
    ("updates\nlost %", "lost_updates_share"),
    ("revoked,\ngood for s", "revocation_delay_s"),
];

/// Those that are shown where autoscalers order servers, and where anything has a price.
const OF_COST: [(&str, &str); 6] = [
    ("servers\nmean", "servers_mean"),
    ("cost\nan hour", "cost_per_hour"),
    ("of it\nservers", "servers_cost_per_hour"),
    ("of it\nbalancers", "balancers_cost_per_hour"),
    ("of it\ntraffic", "traffic_cost_per_hour"),
    ("cost a\nmillion", "cost_per_million"),
];

/// Where clients ask again, and where balancers do.
const OF_CLIENTS: (&str, &str) = ("tries a\nrequest", "tries_per_request");
const OF_BALANCERS: (&str, &str) = ("attempts\na request", "attempts_per_request");

/// An estimate and its half-width.
pub(super) type Estimated = (Option<f64>, Option<f64>);

/// A difference to the baseline, and what is said of it.
#[derive(Clone, Copy, Default)]
pub(super) struct Apart<'a> {
    pub(super) difference: Option<f64>,
    pub(super) half_width: Option<f64>,
    pub(super) relative: Option<f64>,
    pub(super) verdict: &'a str,
}

/// What one table is of: all requests, or those of a group of clients.
struct TableScope<'a> {
    /// The name of the group.
    group: Option<&'a str>,
    /// By strategy and metric.
    figures: HashMap<(&'a str, &'a str), Estimated>,
    /// By strategy and metric.
    differences: HashMap<(&'a str, &'a str), Apart<'a>>,
}

impl<'a> TableScope<'a> {
    fn whole(report: &'a Report) -> TableScope<'a> {
        let figures = report.tables.summary.iter().map(|row| {
            let key = (row.strategy.as_str(), row.metric.as_str());
            (key, (row.estimate, row.half_width_95))
        });
        let differences = report.tables.paired.iter().map(|row| {
            let key = (row.strategy.as_str(), row.metric.as_str());
            let apart = Apart {
                difference: row.difference,
                half_width: row.half_width_95,
                relative: row.relative,
                verdict: &row.verdict,
            };
            (key, apart)
        });
        TableScope {
            group: None,
            figures: figures.collect(),
            differences: differences.collect(),
        }
    }

    fn groups(report: &'a Report) -> Vec<TableScope<'a>> {
        let mut parts: Vec<TableScope<'a>> = Vec::new();
        for row in &report.tables.clients {
            let key = (row.strategy.as_str(), row.metric.as_str());
            if parts.last().and_then(|part| part.group) != Some(&row.clients) {
                parts.push(TableScope {
                    group: Some(&row.clients),
                    figures: HashMap::new(),
                    differences: HashMap::new(),
                });
            }
            if let Some(part) = parts.last_mut() {
                part.figures.insert(key, (row.estimate, row.half_width_95));
                let apart = Apart {
                    difference: row.difference,
                    half_width: row.difference_half_width_95,
                    relative: row.relative,
                    verdict: &row.verdict,
                };
                part.differences.insert(key, apart);
            }
        }
        parts
    }
}

/// Draws the table of strategies: a line each, and one for each measurement.
fn strategies(report: &Report, part: &TableScope<'_>, style: Style) -> String {
    let about = &report.about;
    let is_whole = part.group.is_none();
    let judge = about.judge();
    let scale = judge.map_or(1.0, |judge| judge.unit.scale());
    let titles: Vec<(String, &str)> = (about.percentiles.iter())
        .map(|name| {
            (
                format!("{}\nms", name.trim_end_matches("_ms")),
                name.as_str(),
            )
        })
        .collect();
    let mut columns = COLUMNS.to_vec();
    if !titles.is_empty() {
        // Those that the scenario names stand where the usual ones do.
        let is_usual = |column: &(&str, &str)| matches!(column.1, "p50_ms" | "p99_ms" | "p999_ms");
        columns.retain(|column| !is_usual(column));
        let asked = titles.iter().map(|(title, name)| (title.as_str(), *name));
        columns.splice(1..1, asked);
    }
    if is_whole {
        columns.extend(OF_SERVERS);
        // As many sessions under every strategy; none where no client holds any.
        let holds = report.tables.runs.iter().any(|run| run.sessions > 0);
        columns.extend(OF_SESSIONS.iter().filter(|_| holds));
        let happened = |metric: &str| {
            let mut rows = report.tables.summary.iter();
            rows.any(|row| row.metric == metric && row.estimate.is_some_and(|value| value > 0.0))
        };
        columns.extend(OF_STATES.iter().filter(|(_, metric)| happened(metric)));
        // Where servers alone have a price, what they cost is all.
        let has_bill = happened("balancers_cost_per_hour") || happened("traffic_cost_per_hour");
        let is_said = |metric: &str| has_bill || metric != "servers_cost_per_hour";
        let of_cost = OF_COST.iter().filter(|(_, metric)| happened(metric));
        columns.extend(of_cost.filter(|(_, metric)| is_said(metric)));
        let repeats = |more: fn(&RunRow) -> bool| report.tables.runs.iter().any(more);
        let tries = repeats(|run| run.tries > run.requests);
        let attempts = repeats(|run| run.attempts > run.tries);
        columns.extend(tries.then_some(OF_CLIENTS));
        columns.extend(attempts.then_some(OF_BALANCERS));
    } else {
        let some = |metric: &str| {
            let mut figures = part.figures.iter();
            figures.any(|(key, own)| key.1 == metric && own.0.is_some_and(|value| value > 0.0))
        };
        columns.extend(OF_SESSIONS.iter().filter(|_| some("sessions")));
        columns.extend(OF_STATES.iter().filter(|(_, metric)| some(metric)));
    }
    // What is of all requests stands in the table of all.
    let theory: HashMap<&str, f64> = report
        .tables
        .theory
        .iter()
        .filter(|row| is_whole && row.metric == columns[0].1)
        .map(|row| (row.strategy.as_str(), row.exact))
        .collect();
    let with_theory = |row: &mut Vec<Field>, strategy: &str| {
        if !theory.is_empty() {
            let exact = theory.get(strategy);
            let exact = exact.map_or("–".to_owned(), |exact| figures::number(*exact));
            row.insert(2, Field::number(exact));
        }
    };
    let mut sheet = Sheet::default();
    let heading = part.group.map_or("strategy".to_owned(), |group| {
        format!("strategy\n(clients: {})", text(style, group))
    });
    sheet.column(heading, Rank::Names);
    for (at, (name, metric)) in columns.iter().enumerate() {
        sheet.column(*name, rank(metric, &about.judge_by));
        if at == 0 && !theory.is_empty() {
            sheet.column("mean in\ntheory", Rank::Goes(11));
        }
    }
    let base = match style {
        Style::Terminal { width: Some(_), .. } => shortened(&about.baseline),
        _ => text(style, &about.baseline),
    };
    let paired = format!("{} less that of\n{base} (paired)", about.judge_by);
    sheet.column(paired, Rank::Stays);
    sheet.column("verdict", Rank::Stays);
    for variant in &about.variants {
        let mut row = vec![Field::text(text(style, &variant.name))];
        row.extend(columns.iter().map(|&(_, metric)| {
            let known = part.figures.get(&(variant.name.as_str(), metric));
            let (estimate, half_width) = known.copied().unwrap_or_default();
            let unit = Metric::named(metric).map_or(1.0, |metric| metric.unit.scale());
            Field::number(cell(estimate, half_width, unit))
        }));
        with_theory(&mut row, &variant.name);
        let key = (variant.name.as_str(), about.judge_by.as_str());
        let apart = part.differences.get(&key).copied().unwrap_or_default();
        row.push(Field::number(change(apart, scale)));
        row.push(if variant.name == about.baseline {
            Field::text("baseline")
        } else {
            Field::verdict(apart.verdict)
        });
        sheet.row(row);
    }
    for measurement in measurements(report).iter().filter(|_| is_whole) {
        let mut row = vec![Field::text(text(style, measurement))];
        row.extend(columns.iter().map(|&(_, metric)| {
            let mut rows = report.tables.measured.iter();
            let own = rows.find(|row| row.measurement == *measurement && row.metric == metric);
            Field::number(cell(own.and_then(|row| row.value), None, 1.0))
        }));
        with_theory(&mut row, measurement);
        row.extend([Field::number("–"), Field::text("measured")]);
        sheet.row(row);
    }
    sheet.draw(style)
}

/// How much a column of the table says, where not all of them have room. What is judged stays.
fn rank(metric: &str, judge: &str) -> Rank {
    if metric == judge {
        return Rank::Stays;
    }
    const FROM_THE_LEAST: [&str; 21] = [
        "utilization_spread",
        "servers_cost_per_hour",
        "balancers_cost_per_hour",
        "traffic_cost_per_hour",
        "goodput_rps",
        "p999_ms",
        "sessions_lost",
        "p50_ms",
        "tries_per_request",
        "attempts_per_request",
        "servers_mean",
        "stale_reads_share",
        "lost_updates_share",
        "revocation_delay_s",
        "changes_lost_share",
        "cost_per_million",
        "cost_per_hour",
        "sessions_hurt_share",
        "mean_ms",
        "p99_ms",
        SUCCESS,
    ];
    let place = FROM_THE_LEAST.iter().position(|own| *own == metric);
    // Percentiles that the scenario names stand where the usual one does.
    Rank::Goes(place.unwrap_or(FROM_THE_LEAST.len() - 2) as u8)
}

/// The names of what was measured, each once.
fn measurements(report: &Report) -> Vec<&str> {
    let rows = report.tables.measured.iter();
    let mut names: Vec<&str> = rows.map(|row| row.measurement.as_str()).collect();
    names.dedup();
    names
}

/// A difference, and what share of the baseline's value it is.
pub(super) fn change(apart: Apart<'_>, scale: f64) -> String {
    apart.difference.map_or("–".to_owned(), |difference| {
        let sign = if difference > 0.0 { "+" } else { "" };
        let half_width = apart.half_width.map(|half| half * scale);
        let text = with_half_width(difference * scale, half_width);
        // What is rounded to nothing has no sign.
        let sign = if text.starts_with("0 ") { "" } else { sign };
        let share = apart.relative;
        let share = share.map_or(String::new(), |share| {
            format!(" ({})", figures::change(share))
        });
        format!("{sign}{text}{share}")
    })
}
