//! `lbsim validate`: is the simulator right, and are its intervals honest?

use std::path::PathBuf;

use clap::Args;

use super::Jobs;
use super::output::{Failure, Output};
use crate::figures::percent;
use crate::report::folder;
use crate::report::validation as report;
use crate::validation::{Coverage, Effort, coverage, one_run, precision, theory};

#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    /// Seconds instead of minutes: fewer requests, wider tolerances.
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    jobs: Jobs,
    /// Where a folder `validation` is made.
    #[arg(short, long, value_name = "FOLDER", default_value = "results")]
    out: PathBuf,
}

pub(super) fn validate(args: &ValidateArgs, output: &Output) -> Result<(), Failure> {
    let effort = if args.quick {
        Effort::Quick
    } else {
        Effort::Full
    };
    folder::prepare(&args.out, [report::FOLDER])?;
    let pool = args.jobs.pool()?;
    output.say("simulating worlds that theory solves ...");
    let findings = pool.install(|| theory(effort));
    output.say("counting how often intervals hold the truth ...");
    let rows: Vec<Coverage> =
        pool.install(|| [coverage(effort), vec![one_run(effort)], precision(effort)].concat());
    let folder = report::write(&args.out, &findings, &rows)?;
    let off: Vec<_> = findings.iter().filter(|finding| !finding.agrees).collect();
    let mut text = format!(
        "{} of {} simulated values agree with theory.\n",
        findings.len() - off.len(),
        findings.len()
    );
    for finding in &off {
        text += &format!(
            "  does not agree: {} of {}: exact {:.5}, simulated {:.5} ±{:.5} ({})\n",
            finding.metric,
            finding.world,
            finding.exact,
            finding.estimate,
            finding.half_width_95,
            finding.id
        );
    }
    for row in &rows {
        text += &format!(
            "{}, {}: {} of {} experiments (accepted: {} to {}){}\n",
            row.world,
            row.metric,
            percent(row.share),
            row.experiments,
            percent(row.least),
            percent(row.most),
            if row.agrees { "" } else { ": NOT ACCEPTED" }
        );
    }
    text += &format!("The page, its chart and CSV files: {}\n", folder.display());
    output.print(&text)?;
    if report::agrees(&findings, &rows) {
        Ok(())
    } else {
        Err(Failure::Run("the validation does not agree".to_owned()))
    }
}
