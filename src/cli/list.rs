//! `lbsim list`: strategies, distributions, arrival processes, faults, metrics, warnings, keys.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use serde_json::json;

use super::output::{Failure, Output};
use super::topics::{Topic, groups, topics};
use super::{Format, completions};
use crate::spelling;

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Of what: `strategies`, `products`, `oracles`, `distributions`, `arrivals`, `faults`,
    /// `disciplines`, `ejections`, `limits`, `autoscalers`, `metrics`, `warnings`, `keys`; of all
    /// but keys by default.
    #[arg(value_name = "GROUP", value_parser = group, add = ArgValueCandidates::new(completions::groups))]
    groups: Vec<&'static str>,
    /// How the list is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A group by its word, or by its singular.
fn group(word: &str) -> Result<&'static str, String> {
    let words: Vec<&'static str> = groups().iter().map(|group| group.word).collect();
    let is_it = |known: &&&str| {
        **known == word
            || known.strip_suffix('s') == Some(word)
            || known
                .strip_suffix("ies")
                .is_some_and(|stem| word.strip_suffix('y') == Some(stem))
    };
    words.iter().find(is_it).copied().ok_or_else(|| {
        format!(
            "there is no such group{}; there are {}",
            spelling::hint(word, words.iter().copied()),
            words.join(", ")
        )
    })
}

pub(super) fn list(args: &ListArgs, output: &Output) -> Result<(), Failure> {
    let is_asked = |topic: &Topic| match args.groups.as_slice() {
        [] => !topic.is_key(),
        groups => groups.contains(&topic.group.word),
    };
    let topics: Vec<Topic> = topics().into_iter().filter(is_asked).collect();
    if args.format == Format::Json {
        let list: Vec<_> = topics
            .iter()
            .map(|topic| json!({ "group": topic.group.title, "name": topic.name, "also": topic.also, "summary": topic.summary }))
            .collect();
        return output.print(&format!(
            "{}\n",
            serde_json::to_string_pretty(&list).unwrap_or_default()
        ));
    }
    let bold = anstyle::Style::new().bold();
    let mut text = String::new();
    for group in groups() {
        let own = topics.iter().filter(|topic| topic.group == group);
        let own: Vec<(&str, &str)> = own
            .map(|topic| (topic.name.as_str(), topic.summary.as_str()))
            .collect();
        if own.is_empty() {
            continue;
        }
        text += &format!("{bold}{}{bold:#}\n{}", group.title, output.named(&own));
        text.push('\n');
    }
    text += "`lbsim explain NAME` tells more of each";
    text += match args.groups.as_slice() {
        [] => ", `lbsim list keys` lists what may stand in a scenario.\n",
        _ => ".\n",
    };
    output.print(&text)
}
