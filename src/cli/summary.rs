//! What a run says on a terminal: question, table, what was expected and what is so.

use super::output::Output;
use crate::report::{Report, table};

/// The summary of a report.
pub(super) fn summary(report: &Report, output: &Output) -> String {
    let bold = anstyle::Style::new().bold();
    let dim = anstyle::Style::new().dimmed();
    let about = &report.about;
    let sure: String = (about.findings.iter())
        .map(|sentence| format!("{}\n", output.folded(sentence)))
        .collect();
    let note = output.folded("Response times are of requests that succeeded; no verdict by them where the faster one fails more; ± is half of a 95% interval.");
    let expect = about
        .expect
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let expected = match expect.is_empty() {
        true => String::new(),
        false => format!("{}\n", output.folded(&format!("Expected: {expect}"))),
    };
    format!(
        "\n{bold}{}{bold:#}\n{dim}{}{dim:#}\n\n{}\n\n{dim}{expected}{dim:#}{sure}{note}\n",
        about.question,
        about.caption,
        table::draw(report, output.style()),
    )
}
