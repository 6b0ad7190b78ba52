//! Nothing that is written makes the reader panic, and what it reads can be written back.

use std::path::Path;

use proptest::prelude::*;

use super::super::{ReadError, read_text};
use super::FIXTURES;
use crate::config::{patch, render};

/// Reads a text, and puts other weights into what was read.
fn survive(text: &str) {
    match read_text(Path::new("haproxy.cfg"), text) {
        Ok(read) => {
            let weights: Vec<Vec<Option<u32>>> = read
                .pools
                .iter()
                .map(|pool| {
                    pool.servers
                        .iter()
                        .map(|server| Some((server.weight + 1) % 257))
                        .collect()
                })
                .collect();
            let patched = patch(&read, &weights);
            // Who is left has the weight that it had.
            let mut weights = weights;
            for (pool, weights) in read.pools.iter().zip(&mut weights) {
                for (server, weight) in pool.servers.iter().zip(weights) {
                    let name = (pool.name.clone(), server.name.clone());
                    if patched.left.contains(&name) {
                        *weight = Some(server.weight);
                    }
                }
            }
            for (_, text) in patched.files {
                let again =
                    read_text(Path::new("haproxy.cfg"), &text).expect("still a configuration");
                let new: Vec<Vec<Option<u32>>> = again
                    .pools
                    .iter()
                    .map(|pool| {
                        pool.servers
                            .iter()
                            .map(|server| Some(server.weight))
                            .collect()
                    })
                    .collect();
                assert_eq!(new, weights);
            }
            for note in &read.notes {
                read.show(&note.at);
            }
        }
        Err(ReadError::Faulty { files, faults }) => {
            render(&files, &faults, false);
        }
        Err(ReadError::Io { .. }) => {}
    }
}

/// Lines of words that mean something, in any order.
fn lines() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        prop::sample::select(vec![
            "backend",
            "listen",
            "defaults",
            "frontend",
            "from",
            "server",
            "server-template",
            "default-server",
            "balance",
            "weight",
            "check",
            "inter",
            "backup",
            "cookie",
            "hash-type",
            "consistent",
            "stick",
            "on",
            "src",
            "timeout",
            "option",
            "redispatch",
            "no",
            "a",
            "b",
            "10.0.0.1:80",
            "1-3",
            "3",
            "256",
            "5s",
            "\n",
            "\n",
            ".if",
            ".else",
            ".endif",
            "random(2)",
            "\"",
            "'",
            "\\",
            "#",
            "${X}",
            "maxconn",
            "minconn",
            "slowstart",
            "retries",
            "fullconn",
            "\r",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,4}",
    ];
    prop::collection::vec(word, 0..60).prop_map(|words| words.join(" "))
}

/// A real text with a piece of it put somewhere else, or something else put in its place.
fn mutated() -> impl Strategy<Value = String> {
    let fixture = prop::sample::select(FIXTURES);
    (
        fixture,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        "\\PC{0,6}",
    )
        .prop_map(|((_, text), from, to, new)| {
            let (from, to) = (from.index(text.len()), to.index(text.len()));
            let (from, to) = (from.min(to), from.max(to).min(from.min(to) + 40));
            match (text.get(..from), text.get(to..)) {
                (Some(before), Some(after)) => format!("{before}{new}{after}"),
                _ => new,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text(text in any::<String>()) {
        survive(&text);
    }

    #[test]
    fn lines_of_known_words(text in lines()) {
        survive(&text);
    }

    #[test]
    fn a_backslash_at_the_end_of_a_line_takes_no_weight(port in "[0-9]{0,4}") {
        survive(&format!("backend a\n    server x 10.0.0.1:{port}\\\n    server y 10.0.0.2:80\n"));
    }

    #[test]
    fn real_text_with_a_wound(text in mutated()) {
        survive(&text);
    }
}
