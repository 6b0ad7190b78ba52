//! `lbsim list`: strategies, distributions, arrival processes, faults.

use clap::Args;
use serde_json::json;

use super::Format;
use super::explain::{Topic, topics};
use super::output::{Failure, Output};

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// How the list is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn list(args: &ListArgs, output: &Output) -> Result<(), Failure> {
    let topics = topics();
    if args.format == Format::Json {
        let list: Vec<_> = topics
            .iter()
            .map(|topic| json!({ "group": topic.group, "name": topic.name, "summary": topic.summary }))
            .collect();
        return output.print(&format!(
            "{}\n",
            serde_json::to_string_pretty(&list).unwrap_or_default()
        ));
    }
    let bold = anstyle::Style::new().bold();
    let width = topics
        .iter()
        .map(|topic| topic.name.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    let mut group = "";
    for Topic {
        group: own,
        name,
        summary,
        ..
    } in &topics
    {
        if group != *own {
            text += &format!(
                "{}{bold}{own}{bold:#}\n",
                if group.is_empty() { "" } else { "\n" }
            );
            group = own;
        }
        text += &format!("  {name:width$}  {summary}\n");
    }
    text += "\n`lbsim explain NAME` tells more of each.\n";
    output.print(&text)
}
