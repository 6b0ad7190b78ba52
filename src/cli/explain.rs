//! `lbsim explain`: what a strategy, distribution, fault, metric, warning or key is; or what there
//! is on a subject.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use super::completions;
use super::lookup::{called, looked_for};
use super::output::{Failure, Output};
use super::topics::{self, Topic};
use crate::spelling;

/// So many keys of one name are explained at once; of more there is a list.
const AT_ONCE: usize = 3;

/// So many things are listed.
const LISTED: usize = 40;

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A name from `lbsim list`, a key of scenario files (`fall`, `clients.retry.max`), a product's
    /// word (`least_conn`, `p2c`), or any words to look for (`nginx`, `slow start`).
    #[arg(required = true, value_name = "NAME", add = ArgValueCompleter::new(completions::names))]
    words: Vec<String>,
}

pub(super) fn explain(args: &ExplainArgs, output: &Output) -> Result<(), Failure> {
    let topics = topics::topics();
    let word = args.words.join(" ");
    let (named, keys) = called(&topics, &word);
    match (named.as_slice(), keys.as_slice()) {
        ([], []) => {}
        ([], keys) if keys.len() > AT_ONCE => {
            let head = format!(
                "`{}` is a key of several tables; `lbsim explain PATH` tells more of each:",
                word.escape_debug()
            );
            return output.print(&listed(&head, keys, output));
        }
        ([], keys) => return output.print(&told(keys, output)),
        (named, keys) => {
            // One word of several products: which of them is meant?
            let are_synonyms =
                named.len() > 1 && named.iter().any(|topic| topic.name != named[0].name);
            let is_another_word = named.iter().all(|topic| topic.name != word);
            if is_another_word && !are_synonyms && !keys.is_empty() {
                let head = format!(
                    "`{}` is a key, and a word for a thing; `lbsim explain NAME` tells more of each:",
                    word.escape_debug()
                );
                let both: Vec<&Topic> = keys.iter().chain(named).copied().collect();
                return output.print(&listed(&head, &both, output));
            }
            let mut text = if are_synonyms {
                let head = format!(
                    "`{}` is the word for several strategies; `lbsim explain NAME` tells more of each:",
                    word.escape_debug()
                );
                listed(&head, named, output)
            } else {
                told(named, output)
            };
            if !keys.is_empty() {
                let paths: Vec<&str> = keys.iter().map(|topic| topic.name.as_str()).collect();
                text += &format!("\nAlso a key of scenario files: {}.\n", paths.join(", "));
            }
            return output.print(&text);
        }
    }
    let found = looked_for(&topics, &word);
    match found.as_slice() {
        [] => {
            let names = topics.iter().map(|topic| topic.name.as_str());
            let near = spelling::did_you_mean(&word, names)
                .map_or(String::new(), |question| format!(" ({question})"));
            Err(Failure::Usage(format!(
                "there is nothing called `{}`{near}; `lbsim list` shows what there is",
                word.escape_debug()
            )))
        }
        [one] => output.print(&told(&[*one], output)),
        several => {
            let head = format!(
                "On `{}` there is, the most fitting first; `lbsim explain NAME` tells more of each:",
                word.escape_debug()
            );
            output.print(&listed(&head, several, output))
        }
    }
}

/// Topics, each whole.
fn told(topics: &[&Topic], output: &Output) -> String {
    let bold = anstyle::Style::new().bold();
    let each = topics.iter().map(|topic| {
        format!(
            "{bold}{}{bold:#} ({})\n\n{}\n",
            topic.name,
            topic.group.title,
            output.folded(&topic.text.replace("**", ""))
        )
    });
    each.collect()
}

/// Topics, a line each.
fn listed(head: &str, topics: &[&Topic], output: &Output) -> String {
    let shown = &topics[..topics.len().min(LISTED)];
    let lines: Vec<(&str, &str)> = (shown.iter())
        .map(|topic| (topic.name.as_str(), topic.summary.as_str()))
        .collect();
    let more = match topics.len() - shown.len() {
        0 => String::new(),
        more => format!("\nand {more} more; further words narrow it down.\n"),
    };
    format!("{head}\n\n{}{more}", output.named(&lines))
}
