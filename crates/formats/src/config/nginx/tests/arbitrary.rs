//! Text of any kind is read or refused, and what is said of it can be shown.

use proptest::prelude::*;

use super::*;

/// Reads a text; places must be characters of it, and weights must be where they are said to be.
fn check(text: &str) {
    match read_text(Path::new("nginx.conf"), text) {
        Ok(config) => {
            for note in &config.notes {
                assert!(text.get(note.at.range.clone()).is_some());
                assert!(!config.show(&note.at).is_empty());
            }
            for server in config.pools.iter().flat_map(|pool| &pool.servers) {
                let Some(at) = &server.weight_at else {
                    continue;
                };
                let written = text.get(at.place.range.clone()).unwrap();
                let weight = written.parse().unwrap_or(u64::from(server.weight));
                assert_eq!(weight.min(u64::from(u32::MAX)), u64::from(server.weight));
            }
            let weights: Vec<Vec<Option<u32>>> = config
                .pools
                .iter()
                .map(|pool| {
                    pool.servers
                        .iter()
                        .map(|server| Some(server.weight % 1000 + 1))
                        .collect()
                })
                .collect();
            let patched = patch(&config, &weights);
            for (_, text) in patched.files {
                let again = read_text(Path::new("nginx.conf"), &text).unwrap();
                assert_eq!(again.pools.len(), config.pools.len());
            }
        }
        Err(error) => assert!(error.to_string().contains("nginx.conf")),
    }
}

/// Pieces of the grammar, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let pieces = [
        "upstream u {",
        "server 10.0.0.1:80",
        " weight=3",
        " weight=",
        ";",
        "}",
        "{",
        "\"",
        "'",
        "\\",
        "$",
        "${",
        "#",
        "\n",
        "\r\n",
        " ",
        "é",
        "\u{a0}",
        "http {",
        "stream {",
        "location / {",
        "proxy_pass http://u",
        "hash $uri",
        "consistent",
        "random two",
        "ip_hash",
        "x_by_lua_block {",
        "[[",
        "]]",
        "--",
        "include a",
        "map $a $b {",
        "split_clients $a $b {",
        "set $b u",
        "proxy_pass http://$b",
        "proxy_read_timeout 1s",
        "proxy_next_upstream error",
        "check interval=1",
        "sticky cookie",
        "backup",
        "down",
        "log_format a b",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..60)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_text(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_grammar(text in pieces()) {
        check(&text);
    }

    #[test]
    fn changed_text(
        which in 0..TEXTS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..12_usize, pieces()), 1..4),
    ) {
        let mut text: Vec<char> = TEXTS[which].1.chars().collect();
        for (at, gone, new) in changes {
            let at = at.index(text.len() + 1);
            let end = (at + gone).min(text.len());
            let new: Vec<char> = new.chars().take(20).collect();
            text.splice(at..end, new);
        }
        check(&text.into_iter().collect::<String>());
    }
}
