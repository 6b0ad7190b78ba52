//! `lbsim schema`: the JSON Schema of scenario files, or their reference as Markdown.

use clap::Args;

use super::output::{Failure, Output};
use crate::scenario::examples::Examples;
use crate::scenario::{self, reference};

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// Print the reference of the format as Markdown instead.
    #[arg(long)]
    markdown: bool,
}

pub(super) fn schema(args: &SchemaArgs, output: &Output) -> Result<(), Failure> {
    let schema = scenario::schema();
    if args.markdown {
        return output.print(&reference::markdown(schema, Examples::known()));
    }
    output.print(&format!(
        "{}\n",
        serde_json::to_string_pretty(&schema).unwrap_or_default()
    ))
}
