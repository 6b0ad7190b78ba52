//! How far simulated values are from exact ones: a dot a value, a row a model.

use super::canvas::{Align, Canvas, Type};
use super::frame::{self, AXIS, EDGE, LABEL, Plot, WIDTH};
use super::palette::{FAULT, GRID, INK, look};
use super::scale::Scale;
use super::{Chart, Study};
use crate::validation::Finding;

/// Beyond this many tolerances a dot stands at the edge.
const EDGE_AT: f64 = 1.6;

/// The chart of a validation.
pub fn draw(findings: &[Finding]) -> Chart {
    let mut groups: Vec<&str> = findings
        .iter()
        .map(|finding| finding.group.as_str())
        .collect();
    groups.dedup();
    let agree = findings.iter().filter(|finding| finding.agrees).count();
    let title = format!(
        "{agree} of {} simulated values agree with theory",
        findings.len()
    );
    let requests: u64 = findings
        .iter()
        .map(|finding| finding.requests)
        .max()
        .unwrap_or(0);
    let caption = format!(
        "up to {:.1} million requests a value",
        requests as f64 / 1e6
    );
    let study = Study::titled(&title, &caption, &[]);
    let row_height = 34.0;
    let top = frame::title_height(&study) + 10.0;
    let bottom = top + row_height * groups.len() as f64;
    let plot = Plot {
        left: EDGE + 150.0,
        top,
        right: WIDTH - EDGE - 120.0,
        bottom,
    };
    let x = Scale::linear(-EDGE_AT, EDGE_AT, plot.left, plot.right);
    let svg = Canvas::picture(WIDTH, bottom + 76.0, |canvas| {
        frame::title(
            canvas,
            &study,
            "Distance from the exact value, over what chance allows (about 3 standard errors); shaded: agreement",
        );
        canvas.area((x.at(-1.0), top), (x.at(1.0), bottom), GRID, 0.55);
        frame::x_axis(
            canvas,
            plot,
            &x,
            "Distance from the exact value (tolerances)",
        );
        canvas.line(
            &[(x.at(0.0), top), (x.at(0.0), bottom)],
            INK,
            0.8,
            1.2,
            None,
        );
        canvas.text("agree", (WIDTH - EDGE, top - 8.0), Align::Right, AXIS);
        for (at, group) in groups.iter().enumerate() {
            let y = top + (at as f64 + 0.5) * row_height;
            let name = Type::bold(LABEL, INK);
            canvas.text(
                &name.fit(group, 140.0),
                (plot.left - 12.0, y),
                Align::Right,
                name,
            );
            let own = || findings.iter().filter(|finding| finding.group == *group);
            for finding in own() {
                let colour = if finding.agrees {
                    look(0).colour
                } else {
                    FAULT
                };
                let off = finding.off().clamp(-EDGE_AT, EDGE_AT);
                canvas.dot((x.at(off), y), 5.0, colour, 0.6);
            }
            let share = format!(
                "{} of {}",
                own().filter(|finding| finding.agrees).count(),
                own().count()
            );
            canvas.text(
                &share,
                (WIDTH - EDGE, y),
                Align::Right,
                Type::new(13.0, INK),
            );
        }
    });
    Chart {
        name: "validation",
        svg,
    }
}
