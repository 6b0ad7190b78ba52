//! Other weights touch nothing else.

use super::{FIXTURES, backend, configuration};
use crate::config::{Configuration, Pool, Server, patch};

#[test]
fn a_weight_is_written_after_the_address_where_there_is_none() {
    let read = backend("");
    let other = patch(&read, &[vec![Some(5), None]]);
    assert!(
        other.files[0]
            .1
            .contains(" server a 10.0.0.1:80 weight 5\n server b 10.0.0.2:80\n")
    );
    let commented = configuration("backend b\n server a 10.0.0.1:80#comment");
    let other = patch(&commented, &[vec![Some(5)]]);
    assert_eq!(
        other.files[0].1,
        "backend b\n server a 10.0.0.1:80 weight 5#comment"
    );
}

/// What is left when each weight is taken out, with ` weight ` before it where `inserted` says that
/// it was not there.
fn without_weights(read: &Configuration, inserted: &[Vec<bool>]) -> String {
    let mut text = read.files[0].text.clone();
    let mut places = Vec::new();
    for (pool, inserted) in read.pools.iter().zip(inserted) {
        for (server, inserted) in pool.servers.iter().zip(inserted) {
            let place = server.weight_at.clone().expect("a place").place.range;
            let margin = if *inserted { " weight ".len() } else { 0 };
            places.push(place.start - margin..place.end);
        }
    }
    places.sort_by_key(|place| std::cmp::Reverse(place.start));
    for place in places {
        text.replace_range(place, "");
    }
    text
}

fn weights(read: &Configuration, new: impl Fn(&Server) -> u32) -> Vec<Vec<Option<u32>>> {
    let of = |pool: &Pool| {
        pool.servers
            .iter()
            .map(|server| Some(new(server)))
            .collect()
    };
    read.pools.iter().map(of).collect()
}

#[test]
fn other_weights_touch_nothing_else() {
    for (name, text) in FIXTURES {
        let read = configuration(text);
        let same = patch(&read, &weights(&read, |server| server.weight));
        assert_eq!(same.files, [], "{name}");

        let changed = |server: &Server| (server.weight + 7) % 257;
        let patched = patch(&read, &weights(&read, changed));
        assert_eq!(patched.left, [], "{name}");
        let again = configuration(&patched.files[0].1);
        assert_eq!(again.log_formats, read.log_formats, "{name}");
        let texts = |read: &Configuration| -> Vec<String> {
            read.notes.iter().map(|note| note.text.clone()).collect()
        };
        assert_eq!(texts(&again), texts(&read), "{name}");
        for (old, new) in read.pools.iter().zip(&again.pools) {
            assert_eq!(
                (&old.strategy, &old.balancer),
                (&new.strategy, &new.balancer),
                "{name}"
            );
            assert_eq!(old.servers.len(), new.servers.len(), "{name}");
            for (old, new) in old.servers.iter().zip(&new.servers) {
                assert_eq!(
                    (&old.name, &old.address, &old.settings),
                    (&new.name, &new.address, &new.settings)
                );
                assert_eq!(changed(old), new.weight, "{name}: {}", old.name);
            }
        }
        let written = |server: &Server| {
            server
                .weight_at
                .as_ref()
                .is_some_and(|place| place.is_written())
        };
        let inserted: Vec<Vec<bool>> = read
            .pools
            .iter()
            .map(|pool| pool.servers.iter().map(|server| !written(server)).collect())
            .collect();
        let none: Vec<Vec<bool>> = inserted
            .iter()
            .map(|pool| vec![false; pool.len()])
            .collect();
        assert_eq!(
            without_weights(&read, &none),
            without_weights(&again, &inserted),
            "{name}"
        );

        // Back again: the same bytes where weights were written, unless one was escaped.
        let back: Vec<Vec<Option<u32>>> = read
            .pools
            .iter()
            .map(|pool| {
                pool.servers
                    .iter()
                    .map(|server| written(server).then_some(server.weight))
                    .collect()
            })
            .collect();
        let there: Vec<Vec<Option<u32>>> = read
            .pools
            .iter()
            .map(|pool| {
                pool.servers
                    .iter()
                    .map(|server| written(server).then(|| changed(server)))
                    .collect()
            })
            .collect();
        let Some((_, other)) = patch(&read, &there).files.into_iter().next() else {
            continue;
        };
        let returned = patch(&configuration(&other), &back);
        let expected = if *name == "quotes" {
            text.replace("\\x33", "3")
        } else {
            (*text).to_owned()
        };
        assert_eq!(returned.files[0].1, expected, "{name}");
    }
}
