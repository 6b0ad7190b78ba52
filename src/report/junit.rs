//! Requirements as test cases, in the XML of JUnit that CI servers read: a suite a scenario, a case
//! a requirement and strategy.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::Report;
use super::requirements::{margin, measured};
use super::rows::RequirementRow;
use crate::requirement::Decision;
use crate::scenario::Warning;

/// The file of several reports; what is not shown has failed where that is `strict`, and is skipped
/// elsewhere. It holds no time of day.
///
/// # Errors
/// Where it cannot be written.
pub fn junit(reports: &[&Report], strict: bool) -> Result<String, quick_junit::SerializeError> {
    let mut file = quick_junit::Report::new("lbsim");
    for report in reports {
        let mut suite = TestSuite::new(report.about.name.as_str());
        for row in report.requirements() {
            suite.add_test_case(case(report, row, strict));
        }
        let warnings = report.about.warnings.iter();
        for warning in warnings.filter(|own| own.code == "not-asked") {
            suite.add_test_case(not_asked(report, warning, strict));
        }
        file.add_test_suite(suite);
    }
    let text = file.to_string()?;
    // The schema of Jenkins (jenkins-junit.xsd) has no number of the skipped for all suites
    // together, and each suite has its own.
    let (before, after) = text.split_once(" skipped=\"").unwrap_or((&text, ""));
    let (_, after) = after.split_once('"').unwrap_or(("", after));
    Ok(format!("{before}{after}"))
}

fn case(report: &Report, row: &RequirementRow, strict: bool) -> TestCase {
    let said = said(row);
    let status = match row.decision() {
        Decision::Holds => TestCaseStatus::success(),
        Decision::NotShown if !strict => {
            let mut skipped = TestCaseStatus::skipped();
            // As text: that is all that the schema of Jenkins lets it have.
            skipped.set_description(said.clone());
            skipped
        }
        _ => {
            let mut failed = TestCaseStatus::non_success(NonSuccessKind::Failure);
            failed
                .set_message(said.clone())
                .set_type(row.decision.clone());
            failed
        }
    };
    let mut name = format!("{}: {}", row.requirement, row.strategy);
    if let Some(against) = &row.against {
        name += &format!(" against {against}");
    }
    let at: Vec<&str> = [&row.value, &row.value_2]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    if !at.is_empty() {
        name += &format!(" at {}", at.join(" and "));
    }
    let mut case = TestCase::new(name, status);
    case.set_classname(report.about.name.as_str());
    case.set_time(std::time::Duration::ZERO);
    case.set_system_out(said);
    case
}

/// A requirement that is asked of nobody.
fn not_asked(report: &Report, warning: &Warning, strict: bool) -> TestCase {
    let mut status = match strict {
        true => TestCaseStatus::non_success(NonSuccessKind::Failure),
        false => TestCaseStatus::skipped(),
    };
    match strict {
        true => status
            .set_message(warning.text.clone())
            .set_type("not asked"),
        false => status.set_description(warning.text.clone()),
    };
    let mut case = TestCase::new(warning.text.clone(), status);
    case.set_classname(report.about.name.as_str());
    case.set_time(std::time::Duration::ZERO);
    case
}

/// What was measured, and by how much it is on the right side.
fn said(row: &RequirementRow) -> String {
    let note = match row.note.as_str() {
        "" => String::new(),
        note => format!(" ({note})"),
    };
    format!(
        "{}: measured {}, margin {}{note}",
        row.decision,
        measured(row),
        margin(row)
    )
}
