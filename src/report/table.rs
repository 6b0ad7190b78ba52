//! The table that answers the scenario's question: a line a strategy.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use super::tables::groups;
use crate::experiment::{
    Estimator, Exact, Figure, METRICS, Metric, Outcome, Unit, Withheld, comparisons, estimate,
    metric, milliseconds,
};
use crate::scenario::{Scenario, Sweep};
use crate::stats::{Verdict, estimable};

/// How a table is dressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// For a terminal; with colour or without.
    Terminal(bool),
    /// As Markdown.
    Markdown,
}

/// One number and its half-width, with as many digits as that leaves meaning in: `29.22 ±0.11`.
///
/// ```
/// use lbsim::report::table::with_half_width;
/// assert_eq!(with_half_width(29.2174, Some(0.108)), "29.22 ±0.11");
/// assert_eq!(with_half_width(13_456.7, Some(210.0)), "13457 ±210");
/// assert_eq!(with_half_width(0.5, None), "0.500");
/// assert_eq!(with_half_width(100.0, Some(0.0)), "100 ±0");
/// ```
pub fn with_half_width(value: f64, half_width: Option<f64>) -> String {
    let digits = |scale: f64| -> usize {
        if scale > 0.0 {
            (1.0 - scale.log10().floor()).clamp(0.0, 6.0) as usize
        } else {
            0
        }
    };
    match half_width {
        Some(half) if half > 0.0 => {
            let places = digits(half);
            format!("{value:.places$} ±{half:.places$}")
        }
        Some(_) => format!("{} ±0", with_half_width(value, None)),
        None if value == value.round() => format!("{value}"),
        None => format!(
            "{value:.*}",
            digits(value.abs()) + 1 - usize::from(value.abs() >= 10.0)
        ),
    }
}

fn find(name: &str) -> &'static Metric {
    METRICS
        .iter()
        .find(|metric| metric.name == name)
        .expect("a metric of the list")
}

fn cell(figure: Figure, scale: f64) -> String {
    figure.estimate.map_or("–".to_owned(), |value| {
        with_half_width(value * scale, figure.half_width.map(|half| half * scale))
    })
}

/// Shares are shown in percent.
pub(super) fn scale_of(metric: &Metric) -> f64 {
    if metric.unit == Unit::Share {
        100.0
    } else {
        1.0
    }
}

/// Draws the table of a scenario: a line a strategy, or, for a sweep, a line a value.
pub fn draw(scenario: &Scenario, outcomes: &[Outcome], style: Style) -> String {
    match &scenario.sweep {
        Some(sweep) => draw_sweep(scenario, sweep, outcomes, style),
        None => {
            let mut page = draw_one(scenario, &outcomes[0], None, style);
            page.extend(draw_services(scenario, &outcomes[0], style));
            if scenario.by_clients {
                for (name, variants) in groups(scenario, &outcomes[0]) {
                    let part = Outcome {
                        variants,
                        reached: None,
                    };
                    page += "\n\n";
                    page += &draw_one(scenario, &part, Some(&name), style);
                }
            }
            page
        }
    }
}

/// What each service met with, a line a strategy and service; nothing where no server has steps.
fn draw_services(scenario: &Scenario, outcome: &Outcome, style: Style) -> Option<String> {
    if outcome
        .variants
        .iter()
        .all(|variant| variant.services.is_empty())
    {
        return None;
    }
    let mut table = fresh(style);
    table.set_header(
        [
            "service",
            "strategy",
            "requests",
            "mean\nms",
            "of it\nwait",
            "of it\nwork",
            "of it\ncalls",
            "p99\nms",
            "success\n%",
        ]
        .map(|title| match style {
            Style::Markdown => title.replace('\n', " "),
            Style::Terminal(_) => title.to_owned(),
        }),
    );
    for (index, service) in scenario.variants[0].blueprint.services.iter().enumerate() {
        for (variant, measured) in scenario.variants.iter().zip(&outcome.variants) {
            let Some(own) = measured.services.get(index) else {
                continue;
            };
            let figures = own.figures(measured.varies);
            let numbers = [
                format!("{:.0}", figures.requests),
                cell(figures.mean_ms, 1.0),
                cell(figures.wait_ms, 1.0),
                cell(figures.work_ms, 1.0),
                cell(figures.called_ms, 1.0),
                cell(figures.p99_ms, 1.0),
                cell(figures.success_share, 100.0),
            ];
            let mut row = vec![
                Cell::new(text(style, &service.name)),
                Cell::new(text(style, &variant.name)),
            ];
            row.extend(numbers.map(|number| Cell::new(number).set_alignment(CellAlignment::Right)));
            table.add_row(row);
        }
    }
    Some(format!("\n\n{table}"))
}

/// One metric of all strategies by the values of a sweep; the success rate too, where anything
/// failed.
fn draw_sweep(scenario: &Scenario, sweep: &Sweep, outcomes: &[Outcome], style: Style) -> String {
    let judge = metric(scenario.judge_by);
    let success = find("success_share");
    let failed = outcomes
        .iter()
        .flat_map(|outcome| &outcome.variants)
        .any(|variant| {
            estimate(variant, success)
                .estimate
                .is_some_and(|share| share < 1.0)
        });
    let mut metrics = vec![judge];
    metrics.extend(Some(success).filter(|_| failed && judge.name != success.name));
    let mut page = String::new();
    for metric in metrics {
        let mut table = fresh(style);
        let unit = if scale_of(metric) == 100.0 { ", %" } else { "" };
        let mut header = vec![format!(
            "{} ({}{unit})",
            text(style, &sweep.label),
            metric.name
        )];
        header.extend(sweep.and.as_ref().map(|label| text(style, label)));
        let names = scenario.variants.iter();
        header.extend(names.map(|variant| text(style, &variant.name)));
        table.set_header(header);
        for (point, outcome) in sweep.points.iter().zip(outcomes) {
            let mut row = vec![Cell::new(text(style, &point.value))];
            let and = point.and.as_ref();
            row.extend(and.map(|(value, _)| Cell::new(text(style, value))));
            row.extend(outcome.variants.iter().map(|variant| {
                let figure = if point.is_skipped {
                    "overloaded".to_owned()
                } else {
                    cell(estimate(variant, metric), scale_of(metric))
                };
                Cell::new(figure).set_alignment(CellAlignment::Right)
            }));
            table.add_row(row);
        }
        if !page.is_empty() {
            page += "\n\n";
        }
        page += &table.to_string();
    }
    page
}

/// A text that a user wrote, as a cell of a table.
pub(super) fn text(style: Style, text: &str) -> String {
    match style {
        Style::Markdown => super::markdown::plain(text),
        Style::Terminal(_) => text.to_owned(),
    }
}

/// An empty table.
pub(super) fn fresh(style: Style) -> Table {
    let mut table = Table::new();
    match style {
        Style::Terminal(_) => {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.load_style(presets::UTF8_BORDERS_ONLY);
        }
        Style::Markdown => {
            table.load_style(presets::ASCII_MARKDOWN);
        }
    }
    table
}

/// Draws the table. Response times are of succeeded requests; a dash stands where too few runs or
/// requests tell. `group` names the group of clients that the outcome is of, where it is not of
/// all.
fn draw_one(scenario: &Scenario, outcome: &Outcome, group: Option<&str>, style: Style) -> String {
    let sessions = outcome
        .variants
        .iter()
        .any(|variant| variant.runs.iter().any(|run| run.sessions > 0));
    let judge = metric(scenario.judge_by);
    let by_judge = comparisons(&outcome.variants, scenario.baseline, judge);
    let mut table = fresh(style);
    let mut columns = vec![
        ("mean\nms", find("mean_ms"), 1.0),
        ("p50\nms", find("p50_ms"), 1.0),
        ("p99\nms", find("p99_ms"), 1.0),
        ("p99.9\nms", find("p999_ms"), 1.0),
        ("success\n%", find("success_share"), 100.0),
        ("goodput\n/s", find("goodput_rps"), 1.0),
    ];
    if group.is_none() {
        columns.push(("util.\nspread %", find("utilization_spread"), 100.0));
    }
    if sessions {
        columns.push(("sessions\nlost", find("sessions_lost"), 1.0));
        columns.push(("sessions\nhurt %", find("sessions_hurt_share"), 100.0));
    }
    // Theory and measurements are of all requests.
    let whole = |variant| group.is_none().then(|| Exact::of(variant)).flatten();
    let theory: Vec<Option<Exact>> = scenario.variants.iter().map(whole).collect();
    let has_theory = theory.iter().any(Option::is_some);
    let title = |text: &str| match style {
        Style::Markdown => text.replace('\n', " "),
        Style::Terminal(_) => text.to_owned(),
    };
    let base = text(style, &scenario.variants[scenario.baseline].name);
    let mut header = vec![group.map_or("strategy".to_owned(), |group| {
        title(&format!("strategy\n(clients: {})", text(style, group)))
    })];
    header.extend(columns.iter().map(|(name, ..)| title(name)));
    if has_theory {
        header.insert(2, title("mean in\ntheory"));
    }
    header.push(title(&format!(
        "{} less that of\n{base} (paired)",
        judge.name
    )));
    header.push("verdict".to_owned());
    table.set_header(header);
    for (at, (variant, measured)) in scenario.variants.iter().zip(&outcome.variants).enumerate() {
        let mut row = vec![Cell::new(text(style, &variant.name))];
        row.extend(columns.iter().map(|&(_, metric, scale)| {
            Cell::new(cell(estimate(measured, metric), scale)).set_alignment(CellAlignment::Right)
        }));
        if has_theory {
            let exact = theory[at].as_ref();
            let text = exact.map_or("–".to_owned(), |exact| {
                format!("{:.4}", milliseconds(exact.mean()))
            });
            row.insert(2, Cell::new(text).set_alignment(CellAlignment::Right));
        }
        let comparison = by_judge[at];
        let paired = comparison.map(|comparison| comparison.paired);
        let change = paired.map_or("–".to_owned(), |p| {
            let scale = scale_of(judge);
            let sign = if p.difference > 0.0 { "+" } else { "" };
            let difference =
                with_half_width(p.difference * scale, p.half_width.map(|half| half * scale));
            let share = p
                .relative
                .map_or(String::new(), |share| format!(" ({:+.0}%)", share * 100.0));
            format!("{sign}{difference}{share}")
        });
        row.push(Cell::new(change).set_alignment(CellAlignment::Right));
        let verdict = comparison.and_then(|comparison| comparison.verdict(judge.better));
        row.push(if at == scenario.baseline {
            Cell::new("baseline")
        } else {
            match verdict {
                Some(Verdict::Better) => coloured(Cell::new("better"), true, style),
                Some(Verdict::Worse) => coloured(Cell::new("worse"), false, style),
                Some(Verdict::NotShown) => Cell::new("not shown"),
                None => {
                    let withheld = comparison.and_then(|comparison| comparison.withheld);
                    Cell::new(withheld.map_or("–", Withheld::name))
                }
            }
        });
        table.add_row(row);
    }
    for measurement in scenario.measured.iter().filter(|_| group.is_none()) {
        let mut row = vec![Cell::new(text(style, &measurement.name))];
        row.extend(columns.iter().map(|(_, metric, _)| {
            let value = match metric.estimator {
                Estimator::MeanOfTimes => Some(measurement.mean_ms()),
                _ => metric
                    .quantile()
                    .filter(|&q| estimable(measurement.sorted_ms.len() as u64, q))
                    .map(|q| measurement.quantile_ms(q)),
            };
            let text = value.map_or("–".to_owned(), |value| with_half_width(value, None));
            Cell::new(text).set_alignment(CellAlignment::Right)
        }));
        if has_theory {
            row.insert(2, Cell::new("–").set_alignment(CellAlignment::Right));
        }
        row.extend([
            Cell::new("–").set_alignment(CellAlignment::Right),
            Cell::new("measured"),
        ]);
        table.add_row(row);
    }
    #[cfg(feature = "cli")]
    if let Style::Terminal(true) = style {
        table.enforce_styling();
    }
    table.to_string()
}

/// A cell in the colour of what is good or bad, where the table has colours.
#[cfg(feature = "cli")]
fn coloured(cell: Cell, is_good: bool, style: Style) -> Cell {
    use comfy_table::{Attribute, Color};
    let colour = if is_good { Color::Green } else { Color::Red };
    match style {
        Style::Terminal(true) => cell.fg(colour).add_attribute(Attribute::Bold),
        _ => cell,
    }
}

/// A cell as it is: colours are for terminals.
#[cfg(not(feature = "cli"))]
fn coloured(cell: Cell, _: bool, _: Style) -> Cell {
    cell
}
