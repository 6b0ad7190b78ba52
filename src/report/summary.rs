//! The summary as a page of Markdown, for a design document.

use super::chart::Chart;
use super::markdown::plain;
use super::sureness;
use super::table::{self, Style};
use crate::experiment::Outcome;
use crate::scenario::Scenario;

/// `summary.md`.
pub fn markdown(scenario: &Scenario, outcomes: &[Outcome], charts: &[Chart]) -> String {
    let mut page = format!("# {}\n\n", plain(&scenario.question));
    page += &format!("{}\n\n", scenario.expect.trim());
    page += &format!("{}\n\n", plain(&scenario.caption(Outcome::span(outcomes))));
    page += &table::draw(scenario, outcomes, Style::Markdown);
    for sentence in sureness::sentences(scenario, outcomes) {
        page += &format!("\n\n{}", plain(&sentence));
    }
    page += "\n\nResponse times are of requests that succeeded; read them beside the success rate. Where the faster one fails more, \
        no verdict is given by response time. Each figure is ± half the \
        width of its 95% interval over replications; differences are paired replication by replication on the same \
        requests, and a verdict is given only where the difference is significant at 95% for all comparisons together (Holm). \
        A theoretical value stands where queueing theory is exact.\n";
    for warning in sureness::warnings(scenario, outcomes) {
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
