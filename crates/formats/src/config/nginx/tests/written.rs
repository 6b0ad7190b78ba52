//! Other weights in real text.

use super::*;
use crate::config::Server;

/// Weights for all servers of a configuration.
fn weights(
    config: &Configuration,
    weight: impl Fn(u32, usize) -> Option<u32>,
) -> Vec<Vec<Option<u32>>> {
    let mut number = 0;
    let mut next = |old: u32| {
        number += 1;
        weight(old, number)
    };
    let pools = config.pools.iter();
    pools
        .map(|pool| {
            pool.servers
                .iter()
                .map(|server| next(server.weight))
                .collect()
        })
        .collect()
}

/// Puts weights into a text.
fn patched(config: &Configuration, weights: &[Vec<Option<u32>>]) -> String {
    let patched = patch(config, weights);
    assert_eq!(patched.left, []);
    match patched.files.as_slice() {
        [] => config.files[0].text.clone(),
        [(0, text)] => text.clone(),
        other => panic!("{other:?}"),
    }
}

/// A configuration without places, weights and texts: all that other weights must not change.
fn but_weights(config: &Configuration) -> String {
    let notes = notes(config);
    let mut config = config.clone();
    for pool in &mut config.pools {
        pool.at.range = 0..0;
        for server in &mut pool.servers {
            server.at.range = 0..0;
            server.weight = 0;
            server.weight_at = None;
        }
    }
    format!("{:?} {:?} {notes:?}", config.pools, config.log_formats)
}

#[test]
fn the_same_weights_change_nothing() {
    for (name, _) in TEXTS {
        let config = config(name);
        let same = weights(&config, |old, _| Some(old));
        assert_eq!(patch(&config, &same).files, [], "{name}");
        let none = weights(&config, |_, _| None);
        assert_eq!(patch(&config, &none).files, [], "{name}");
    }
}

#[test]
fn other_weights_change_nothing_else() {
    for (name, text) in TEXTS {
        let config = config(name);
        let new = weights(&config, |old, number| Some(old + 90 * number as u32));
        let other = patched(&config, &new);
        let again = read_text(Path::new(name), &other).unwrap();
        assert_eq!(weights(&again, |old, _| Some(old)), new, "{name}");
        assert_eq!(but_weights(&again), but_weights(&config), "{name}");
        // Without what was written, at the places that are read again, the text is as before.
        let mut back = other.clone();
        let mut old = text.to_owned();
        let servers = |config: &Configuration| -> Vec<_> {
            let servers = config.pools.iter().flat_map(|pool| pool.servers.clone());
            servers.filter_map(|server| server.weight_at).collect()
        };
        let mut pairs: Vec<_> = servers(&again).into_iter().zip(servers(&config)).collect();
        pairs.sort_by_key(|(new, _)| std::cmp::Reverse(new.place.range.start));
        for (new, before) in pairs {
            let start = match before.is_written() {
                true => new.place.range.start,
                false => new.place.range.start - " weight=".len(),
            };
            back.replace_range(start..new.place.range.end, "");
            old.replace_range(before.place.range.clone(), "");
        }
        assert_eq!(back, old, "{name}");
    }
}

#[test]
fn what_is_written_is_written_back() {
    for (name, text) in TEXTS {
        let config = config(name);
        // Numbers that would be written as they are (`04` would not) go and come back.
        let is_same = |server: &Server| {
            let at = server.weight_at.as_ref();
            at.is_some_and(|at| text[at.place.range.clone()] == server.weight.to_string())
        };
        let new: Vec<Vec<Option<u32>>> = config
            .pools
            .iter()
            .map(|pool| {
                pool.servers
                    .iter()
                    .map(|server| is_same(server).then_some(server.weight + 1000))
                    .collect()
            })
            .collect();
        let again = read_text(Path::new(name), &patched(&config, &new)).unwrap();
        let old = weights(&config, |old, _| Some(old));
        assert_eq!(patched(&again, &old), text, "{name}");
    }
}

#[test]
fn weights_are_written_after_the_address() {
    let text = "upstream u {\n\tserver 'a:80'; server b:80\tbackup;\n\tserver c:80 max_fails=2 \
    \"weight=03\";\n}";
    let config = read_text(Path::new("u"), text).unwrap();
    assert_eq!(
        patched(&config, &[vec![Some(5), Some(6), Some(12)]]),
        "upstream u {\n\tserver 'a:80' weight=5; server b:80 weight=6\tbackup;\n\tserver c:80 \
        max_fails=2 \"weight=12\";\n}"
    );
}

#[test]
fn of_several_weights_the_last_counts() {
    let text = "upstream u { server a:80 weight=3 weight=4; }";
    let config = read_text(Path::new("u"), text).unwrap();
    assert_eq!(config.pools[0].servers[0].weight, 4);
    assert_eq!(
        patched(&config, &[vec![Some(9)]]),
        "upstream u { server a:80 weight=3 weight=9; }"
    );
}
