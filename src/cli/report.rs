//! `lbsim report`: makes the page of results folders again, from their CSV files.

use std::path::{Path, PathBuf};

use clap::Args;

use super::output::{Failure, Output};
use crate::report::{again, whole};

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Results folders of `lbsim run`, `tune`, `size`, `validate` or `compare`.
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// Where the page of a single folder is written; by default `report.html` in the folder.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn report(args: &ReportArgs, output: &Output) -> Result<(), Failure> {
    if args.out.is_some() && args.folders.len() > 1 {
        let many = "`--out` names one file, and there are several folders";
        return Err(Failure::Usage(many.to_owned()));
    }
    for folder in &args.folders {
        let page = again::page(folder).map_err(|error| Failure::Usage(error.to_string()))?;
        let path = match &args.out {
            Some(path) => path.clone(),
            None => place(folder),
        };
        whole::whole(&path, page.as_bytes())?;
        if args.out.is_none() {
            again::listed(folder)?;
        }
        output.print(&format!("{}\n", path.display()))?;
    }
    Ok(())
}

/// Where the page of a folder stands.
fn place(folder: &Path) -> PathBuf {
    folder.join(again::PAGE)
}
