//! A report as one page for a browser, `report.html`: it opens from disk, loads nothing, and holds
//! the rows of the CSV files, from which the scripts beside this file make its tables and charts.
//!
//! What the page shows are these numbers and no others; nothing is computed in it but how they are
//! written and where they are drawn.

use serde_json::{Map, Value, json};

use super::table::{self, Style};
use super::{Report, chart};

/// What a page is made of, whatever it is of.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// What it is of: `run`, `tune`, `size`, `validate` or `compare`.
    pub kind: &'a str,
    /// Its title.
    pub title: &'a str,
    /// The manifest.
    pub about: Value,
    /// Rows by the name of their file without its ending: lists of objects, as JSON has them.
    pub tables: Value,
    /// The number of each variant's colour in the palette of the charts; none where nothing is
    /// compared.
    pub looks: Vec<usize>,
    /// What is there where no script runs.
    pub plain: String,
}

/// The frame; each marker is replaced by what its name says.
const FRAME: &str = include_str!("page.html");

/// The styles.
const STYLES: &[&str] = &[include_str!("page.css")];

/// The library that draws: Apache ECharts 6.1.0 (Apache-2.0; `echarts.LICENSE`, `echarts.NOTICE`).
const ECHARTS: &str = include_str!("echarts.min.js");

/// The scripts, in the order in which they need each other.
const SCRIPTS: &[&str] = &[
    include_str!("js/10-data.js"),
    include_str!("js/11-metrics.js"),
    include_str!("js/12-numbers.js"),
    include_str!("js/13-dom.js"),
    include_str!("js/14-looks.js"),
    include_str!("js/20-state.js"),
    include_str!("js/21-legend.js"),
    include_str!("js/30-sort.js"),
    include_str!("js/31-answer.js"),
    include_str!("js/32-sweep-answer.js"),
    include_str!("js/33-header.js"),
    include_str!("js/34-requirements.js"),
    include_str!("js/35-strategies.js"),
    include_str!("js/36-sweep-table.js"),
    include_str!("js/37-warnings.js"),
    include_str!("js/38-compare.js"),
    include_str!("js/39-tune.js"),
    include_str!("js/40-figure.js"),
    include_str!("js/41-axes.js"),
    include_str!("js/42-time.js"),
    include_str!("js/43-labels.js"),
    include_str!("js/44-presence.js"),
    include_str!("js/50-summary.js"),
    include_str!("js/51-paired.js"),
    include_str!("js/52-percentiles.js"),
    include_str!("js/53-timeline.js"),
    include_str!("js/54-utilization.js"),
    include_str!("js/55-servers.js"),
    include_str!("js/56-causes.js"),
    include_str!("js/58-detection.js"),
    include_str!("js/59-services.js"),
    include_str!("js/60-topology.js"),
    include_str!("js/61-tradeoff.js"),
    include_str!("js/62-clients.js"),
    include_str!("js/63-sweep.js"),
    include_str!("js/64-grid.js"),
    include_str!("js/65-compare-charts.js"),
    include_str!("js/66-tune-charts.js"),
    include_str!("js/67-size.js"),
    include_str!("js/68-validate.js"),
    include_str!("js/80-details.js"),
    include_str!("js/90-page.js"),
];

/// Bytes that a page may have: rows have what its other parts leave. What is escaped takes the rest
/// of 2 MB.
const MOST: usize = 1_960_000;

/// What is left out first where rows are too many, and where it stands then.
const DISPENSABLE: [&str; 3] = ["utilization", "servers", "timeline"];

/// What no page shows: each replication. It stands in the files.
const UNSEEN: [&str; 2] = ["runs", "percentiles"];

/// The page of a run.
pub fn page(report: &Report) -> String {
    let about = &report.about;
    let tables = match about.sweep {
        None => serde_json::to_value(&report.tables),
        Some(_) => serde_json::to_value(&report.sweep),
    };
    Page {
        kind: "run",
        title: &about.question,
        about: serde_json::to_value(about).unwrap_or_default(),
        tables: tables.unwrap_or_default(),
        looks: chart::colours(report),
        plain: plain(report),
    }
    .html()
}

/// A report without scripts.
fn plain(report: &Report) -> String {
    let about = &report.about;
    let mut body = format!(
        "<noscript>\n<h1>{}</h1>\n<p>{}</p>\n",
        escaped(&about.question),
        escaped(about.expect.trim())
    );
    for sentence in &about.findings {
        body += &format!("<p>{}</p>\n", escaped(sentence));
    }
    for warning in &about.warnings {
        body += &format!("<p>Warning: {}</p>\n", escaped(&warning.to_string()));
    }
    let whole = Style::Terminal {
        coloured: false,
        width: None,
    };
    let drawn = table::draw(report, whole);
    body += &format!("<pre>{}</pre>\n</noscript>", escaped(&drawn));
    body
}

/// A page of what is no run: what is said of it in its manifest (`question`, `caption`, `findings`,
/// `notes`), and its tables.
pub fn page_of(about: &Value, tables: Value) -> String {
    let text = |key: &str| about[key].as_str().unwrap_or_default();
    let mut body = format!(
        "<noscript>\n<h1>{}</h1>\n<p>{}</p>\n",
        escaped(text("question")),
        escaped(text("caption"))
    );
    let said = ["findings", "notes"].map(|key| about[key].as_array());
    for sentence in said.into_iter().flatten().flatten() {
        body += &format!(
            "<p>{}</p>\n",
            escaped(sentence.as_str().unwrap_or_default())
        );
    }
    body += "<p>Tables and charts take scripts; they stand in the files beside this page too.</p>\n</noscript>";
    Page {
        kind: about["kind"].as_str().unwrap_or_default(),
        title: text("question"),
        about: about.clone(),
        tables,
        looks: Vec::new(),
        plain: body,
    }
    .html()
}

impl Page<'_> {
    /// The page.
    pub fn html(&self) -> String {
        let (tables, left_out) = self.columns();
        let data = json!({
            "kind": self.kind,
            "about": self.about,
            "tables": tables,
            "left_out": left_out,
            "looks": self.looks,
        });
        // A `<` in a text must not end the element; JSON knows it by its number too.
        let data = data.to_string().replace('<', "\\u003c");
        let script = |text: &str| format!("<script>\n{}\n</script>", text.trim_end());
        let styles = STYLES.concat();
        let parts = [
            ("title", escaped(self.title)),
            ("style", format!("<style>\n{}\n</style>", styles.trim_end())),
            ("body", self.plain.clone()),
            (
                "data",
                format!("<script type=\"application/json\" id=\"lbsim-data\">{data}</script>"),
            ),
            ("echarts", script(ECHARTS)),
            ("script", script(&SCRIPTS.concat())),
        ];
        let mut page = String::with_capacity(ECHARTS.len() + data.len() + 200_000);
        for line in FRAME.lines() {
            let marker = line
                .strip_prefix("<!--lbsim:")
                .and_then(|rest| rest.strip_suffix("-->"));
            let part = marker.and_then(|name| parts.iter().find(|part| part.0 == name));
            page += part.map_or(line, |part| part.1.as_str());
            page.push('\n');
        }
        page
    }

    /// The tables by column, and what is left out of them, a sentence each.
    fn columns(&self) -> (Map<String, Value>, Vec<String>) {
        let mut tables = Map::new();
        for (name, rows) in self.tables.as_object().into_iter().flatten() {
            if let Some(rows) = rows.as_array().filter(|_| !UNSEEN.contains(&name.as_str())) {
                tables.insert(name.clone(), by_column(rows));
            }
        }
        let size = |table: &Value| table.to_string().len();
        let parts = [
            STYLES,
            SCRIPTS,
            &[FRAME, ECHARTS, &self.plain, &self.about.to_string()],
        ];
        let room = MOST.saturating_sub(parts.concat().iter().map(|part| part.len()).sum());
        let mut all: usize = tables.values().map(size).sum();
        let mut left_out = Vec::new();
        for name in DISPENSABLE {
            if all <= room {
                break;
            }
            if let Some(table) = tables.remove(name) {
                all -= size(&table);
                left_out.push(format!(
                    "The {} rows of {name}.csv are too many for a page: they stand in the file.",
                    table["rows"]
                ));
            }
        }
        (tables, left_out)
    }
}

/// Rows as columns: numbers as they are, texts by their place in a list of those that there are, as
/// numbers are too where that is shorter, and what is the same in all rows once.
fn by_column(rows: &[Value]) -> Value {
    let mut columns = Map::new();
    for name in rows
        .first()
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::keys)
    {
        let mut cells = rows.iter().map(|row| &row[name]);
        let first = cells.clone().next();
        let column = if cells.clone().all(|cell| Some(cell) == first) {
            json!({ "all": first })
        } else if cells.any(Value::is_string) {
            words(rows.iter().map(|row| &row[name]))
        } else {
            let plain: Value = rows.iter().map(|row| row[name].clone()).collect();
            let listed = listed(rows.iter().map(|row| &row[name]));
            match listed.to_string().len() < plain.to_string().len() {
                true => listed,
                false => plain,
            }
        };
        columns.insert(name.clone(), column);
    }
    json!({ "rows": rows.len(), "columns": columns })
}

/// A column of texts.
fn words<'a>(cells: impl Iterator<Item = &'a Value>) -> Value {
    let mut words: Vec<&str> = Vec::new();
    let mut places = std::collections::HashMap::new();
    let at: Vec<Value> = cells
        .map(|cell| {
            let text = cell.as_str()?;
            let place = *places.entry(text).or_insert_with(|| {
                words.push(text);
                words.len() - 1
            });
            Some(place)
        })
        .map(|place| place.map_or(Value::Null, Value::from))
        .collect();
    json!({ "words": words, "at": at })
}

/// A column of numbers, of which few differ.
fn listed<'a>(cells: impl Iterator<Item = &'a Value>) -> Value {
    let mut words: Vec<&Value> = Vec::new();
    let mut places = std::collections::HashMap::new();
    let at: Vec<usize> = cells
        .map(|cell| {
            *places.entry(cell.to_string()).or_insert_with(|| {
                words.push(cell);
                words.len() - 1
            })
        })
        .collect();
    json!({ "words": words, "at": at })
}

/// A text in HTML.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(title: &str, tables: Value) -> String {
        Page {
            kind: "run",
            title,
            about: json!({ "question": title }),
            tables,
            looks: vec![3],
            plain: String::new(),
        }
        .html()
    }

    #[test]
    fn what_users_write_ends_no_element() {
        let evil = "</script><script>alert(1)</script><!-- \"&";
        let page = page(
            evil,
            json!({ "summary": [{ "strategy": evil, "estimate": 1.5 }] }),
        );
        assert!(!page.contains("alert(1)</script>"));
        assert!(!page.contains("<!-- \""));
        assert!(page.contains("&lt;/script&gt;"));
        let begin = page.find("id=\"lbsim-data\">").unwrap() + "id=\"lbsim-data\">".len();
        let data = &page[begin..];
        let data: Value = serde_json::from_str(&data[..data.find("</script>").unwrap()]).unwrap();
        assert_eq!(
            data["tables"]["summary"]["columns"]["strategy"]["all"],
            evil
        );
        assert_eq!(data["tables"]["summary"]["columns"]["estimate"]["all"], 1.5);
    }

    #[test]
    fn rows_are_columns_and_what_is_too_much_is_said() {
        let rows: Vec<Value> = (0..60_000)
            .map(|at| json!({ "strategy": if at % 2 == 0 { "a" } else { "b" }, "share": f64::from(at) / 7.0, "gone": null }))
            .collect();
        let one = by_column(&rows[..3]);
        assert_eq!(
            one["columns"]["strategy"],
            json!({ "words": ["a", "b"], "at": [0, 1, 0] })
        );
        assert_eq!(one["columns"]["gone"], json!({ "all": null }));
        let few: Vec<Value> = (0..90u32)
            .map(|at| (at % 2 == 1).then_some(40.0 / 3.0))
            .map(|mean| json!({ "mean": mean }))
            .collect();
        let column = &by_column(&few)["columns"]["mean"];
        assert_eq!(column["words"], json!([null, 40.0 / 3.0]));
        assert_eq!(column["at"].as_array().unwrap().len(), 90);
        let page = page("?", json!({ "utilization": rows, "summary": [{ "n": 1 }] }));
        assert!(page.len() < 2_000_000, "{}", page.len());
        assert!(page.contains("60000 rows of utilization.csv"));
        for loads in ["src=\"", "<link rel=\"stylesheet", "@import", "fetch("] {
            assert!(!page.replace(ECHARTS, "").contains(loads), "{loads}");
        }
    }
}
