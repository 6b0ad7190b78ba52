//! A report as a page of Markdown, for a design document.

use super::Report;
use super::chart::Chart;
use super::markdown::plain;
use super::table::{self, Style};

/// `summary.md`, with the charts that stand beside it.
pub(super) fn markdown(report: &Report, charts: &[Chart]) -> String {
    let about = &report.about;
    let mut page = format!("# {}\n\n", plain(&about.question));
    page += &format!("{}\n\n", about.expect.trim());
    page += &format!("{}\n\n", plain(&about.caption));
    page += &table::draw(report, Style::Markdown);
    for sentence in &about.findings {
        page += &format!("\n\n{}", plain(sentence));
    }
    page += "\n\nResponse times are of requests that succeeded; read them beside the success rate. Where the faster one fails more, \
        no verdict is given by response time. Each figure is ± half the \
        width of its 95% interval over replications; differences are paired replication by replication on the same \
        requests, and a verdict is given only where the difference is significant at 95% for all comparisons together (Holm). \
        A theoretical value stands where queueing theory is exact.\n";
    for warning in &about.warnings {
        page += &format!(
            "\n**Warning:** {}. (`lbsim explain {}`)\n",
            plain(&warning.text),
            warning.code
        );
    }
    for chart in charts {
        page += &format!("\n![{}](charts/{}.svg)\n", chart.name, chart.name);
    }
    page
}
