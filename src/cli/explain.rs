//! `lbsim explain`: what a strategy, distribution, fault, metric, warning or key is; or what there
//! is on a subject.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use super::completions;
use super::output::{Failure, Output};
use super::topics::{self, Topic};
use crate::spelling;
use crate::strategy;

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

/// What is called so: things, and keys. Several of a thing are explained as one of it.
fn called<'a>(topics: &'a [Topic], word: &str) -> (Vec<&'a Topic>, Vec<&'a Topic>) {
    let (things, keys) = (things(topics, word), keys(topics, word));
    match word.strip_suffix('s') {
        Some(one) if things.is_empty() && keys.is_empty() => {
            (self::things(topics, one), self::keys(topics, one))
        }
        _ => (things, keys),
    }
}

/// All but keys that a word names, or that it is another word for.
fn things<'a>(topics: &'a [Topic], word: &str) -> Vec<&'a Topic> {
    let is_named = |topic: &&Topic| !topic.is_key() && topic.name == word;
    let named: Vec<&Topic> = topics.iter().filter(is_named).collect();
    if !named.is_empty() {
        return named;
    }
    let strategies: Vec<&str> = strategy::called(word).map(|entry| entry.name).collect();
    let is_meant = |topic: &&Topic| {
        let is_strategy = strategies.contains(&topic.name.as_str());
        !topic.is_key() && (is_strategy || topic.also.iter().any(|also| also == word))
    };
    topics.iter().filter(is_meant).collect()
}

/// Keys by their name, or by the end of their path.
fn keys<'a>(topics: &'a [Topic], word: &str) -> Vec<&'a Topic> {
    let ends_so = |path: &String| {
        let before = path.strip_suffix(word);
        before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    let named = topics
        .iter()
        .filter(|topic| topic.places.iter().any(ends_so));
    let named: Vec<&Topic> = named.collect();
    if !named.is_empty() {
        return named;
    }
    // As `--set` has it, with the names of services and groups, or their numbers.
    let given: Vec<&str> = word
        .split('.')
        .map(|part| part.split('[').next().unwrap_or(part))
        .collect();
    let is_within = |path: &String| {
        let mut rest = given.iter();
        let own: Vec<&str> = path.split('.').collect();
        own.first() == given.first()
            && own.last() == given.last()
            && own.iter().all(|part| rest.any(|given| given == part))
    };
    let meant = topics
        .iter()
        .filter(|topic| topic.places.iter().any(is_within));
    let longest = |topic: &&Topic| topic.name.split('.').count();
    let meant: Vec<&Topic> = meant.collect();
    let most = meant.iter().map(longest).max();
    meant
        .into_iter()
        .filter(|topic| Some(longest(topic)) == most)
        .collect()
}

/// All that all words occur in: first those that are called so, then those of whose summary they
/// are part, then the rest.
fn looked_for<'a>(topics: &'a [Topic], words: &str) -> Vec<&'a Topic> {
    let plain = |text: &str| text.to_lowercase().replace(['_', '-', '`'], " ");
    let words = plain(words);
    let words: Vec<&str> = words.split_whitespace().collect();
    let has = |text: &str| {
        let text = plain(text);
        !words.is_empty() && words.iter().all(|word| text.contains(word))
    };
    let rank = |topic: &Topic| {
        let name = topic.name.rsplit('.').next().unwrap_or_default();
        if has(name) || topic.also.iter().any(|also| has(also)) {
            Some(0)
        } else if has(&format!("{} {}", topic.name, topic.summary)) {
            Some(1)
        } else {
            has(&format!(
                "{} {} {}",
                topic.name,
                topic.also.join(" "),
                topic.text
            ))
            .then_some(2)
        }
    };
    let mut found: Vec<(u8, &Topic)> = topics
        .iter()
        .filter_map(|topic| Some((rank(topic)?, topic)))
        .collect();
    found.sort_by_key(|(rank, topic)| (*rank, topic.is_key()));
    found.into_iter().map(|(_, topic)| topic).collect()
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
