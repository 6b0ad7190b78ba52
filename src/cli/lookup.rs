//! Which topics a word means, and which speak of it.

use super::topics::Topic;
use crate::strategy;

/// What is called so: things, and keys. Several of a thing are explained as one of it.
pub(super) fn called<'a>(topics: &'a [Topic], word: &str) -> (Vec<&'a Topic>, Vec<&'a Topic>) {
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
pub(super) fn looked_for<'a>(topics: &'a [Topic], words: &str) -> Vec<&'a Topic> {
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
