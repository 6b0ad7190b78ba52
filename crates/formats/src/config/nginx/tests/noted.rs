//! What is said of what is not carried over.

use super::*;

/// Asserts that a line has a note, and what it says.
#[track_caller]
fn assert_notes(file: &str, expected: &[(usize, &str)]) {
    let notes = notes(&config(file));
    for (line, said) in expected {
        let found = notes
            .iter()
            .any(|note| note.starts_with(&format!("{line} ")) && note.contains(said));
        assert!(found, "{file}:{line} has no note with `{said}`: {notes:#?}");
    }
    assert_eq!(notes.len(), expected.len(), "{file}: {notes:#?}");
}

#[test]
fn nothing_is_said_of_what_is_carried_over() {
    for file in ["gunicorn.conf", "nextcloud.conf"] {
        assert_notes(file, &[]);
    }
}

#[test]
fn names_workers_and_hosts() {
    assert_notes(
        "compose.conf",
        &[
            (2, "each worker balances `web`, `api` for itself"),
            (22, "`web1:3000`, `web2:3000`, `web3:3000` are names"),
            (29, "`api1:8080`, `api2:8080` are names"),
            (31, "`keepalive 16`"),
            (
                50,
                "`proxy_pass http://admin:9000` passes requests to no pool",
            ),
        ],
    );
}

#[test]
fn conditions_zones_and_keys() {
    assert_notes(
        "ingress.conf",
        &[
            (28, "`zone shop-frontend-80 256k`"),
            (35, "`keepalive 320`"),
            (39, "`zone shop-cart-9090 256k`"),
            (40, "`$cookie_session` stands as `key = \"client\"`"),
            (63, "`proxy_connect_timeout 5s`"),
            (64, "`proxy_send_timeout 60s`"),
            (68, "`http_502 http_504` of `proxy_next_upstream`"),
            (69, "`proxy_next_upstream_timeout 10s`"),
        ],
    );
}

#[test]
fn values_that_servers_do_not_share() {
    assert_notes(
        "websocket.conf",
        &[(29, "`proxy_read_timeout 90s` of this place")],
    );
}

#[test]
fn shares_of_pools() {
    assert_notes(
        "bluegreen.conf",
        &[
            (4, "The shares (5% green, * blue)"),
            (9, "`map` chooses by `$pool` among `blue`, `green`"),
            (27, "whatever the cause"),
            (28, "which may be `blue`, `green`"),
            (32, "which may be `blue`"),
            (32, "`proxy_next_upstream error timeout` of this place"),
            (36, "that cannot be told"),
        ],
    );
}

#[test]
fn places_after_the_first_and_pools_without_one() {
    assert_notes(
        "gateway.conf",
        &[
            (5, "`proxy_connect_timeout 2s`"),
            (10, "`zone inventory 64k`"),
            (11, "`zone pricing 64k`"),
            (12, "`zone orders 64k`"),
            (13, "Nothing here passes requests to `unused_api`"),
            (
                23,
                "`proxy_read_timeout 600s` and `proxy_next_upstream off`",
            ),
            (32, "`proxy_pass http://127.0.0.1:8001`"),
        ],
    );
}

#[test]
fn what_is_not_of_nginx_itself() {
    assert_notes(
        "lua.conf",
        &[
            (
                12,
                "the strategy is not known, and `nginx-round-robin` stands in",
            ),
            (18, "`keepalive 60`"),
            (29, "`access_by_lua_block` was left out"),
        ],
    );
    assert_notes(
        "plus.conf",
        &[
            (6, "`zone app 64k`"),
            (7, "`least_time last_byte` belongs to NGINX Plus"),
            (8, "`app.internal` is a name"),
            (8, "`service=http`"),
            (8, "`resolve`"),
            (9, "`slow_start=30s`"),
            (9, "`route=a`"),
            (10, "`drain`"),
            (11, "`queue 100 timeout=70s`"),
            (12, "`expires=1h`"),
            (13, "`ntlm`"),
            (15, "`managed` has no servers in the text"),
            (16, "`zone managed 64k`"),
            (17, "`state /var/lib/nginx/state/managed.conf`"),
            (22, "`type=http` of `check`"),
            (23, r"`check_http_send HEAD / HTTP/1.0\r\n\r\n`"),
            (24, "`session_sticky` belongs to a module"),
            (
                25,
                "`fancy_balancing on` was left out: it is not known what it does",
            ),
            (31, "`uri=/up` of `health_check`"),
            (34, "`proxy_pass http://managed` passes requests to no pool"),
        ],
    );
}

#[test]
fn lines_that_cannot_be_written_and_methods_that_are_overruled() {
    let text = r#"upstream u {
        least_conn;
        server 10.0.0.1:80 "weigh\t=3";
    }"#;
    assert!(read_text(Path::new("u"), text).is_err());
    let text = "upstream u {\n random two;\n server a:80 \"weight=\\\\\";\n}";
    assert!(read_text(Path::new("u"), text).is_err());
    let text = "upstream u {\nrandom two;\nserver 10.0.0.1:80 weight=70000;\nserver \
    10.0.0.2;\nleast_conn;\n}";
    let config = read_text(Path::new("u"), text).unwrap();
    assert_eq!(config.pools[0].servers[0].weight, 70_000);
    assert_eq!(
        notes(&config),
        [
            "1 Nothing here passes requests to `u`: its timeout and retries are nginx's defaults.",
            "2 `random two` is overruled by `least_conn`, which stands after it.",
            "3 A scenario's weights end at 65535: those of this upstream are scaled down for `weight=70000`.",
        ]
    );
}

#[test]
fn a_single_text_says_what_it_does_not_look_for() {
    let text = "http {\ninclude mime.types;\ninclude conf.d/*.conf;\n}";
    let config = read_text(Path::new("nginx.conf"), text).unwrap();
    assert_eq!(
        notes(&config),
        [
            "3 `include conf.d/*.conf` is not looked for: only this text \
            was given."
        ]
    );
}

#[test]
fn two_proxies_may_have_a_name_each() {
    let text = "http { upstream a { server 10.0.0.1; } }\nstream { upstream a { server \
    10.0.0.2:1; } }";
    let config = read_text(Path::new("nginx.conf"), text).unwrap();
    assert_eq!(config.pools.len(), 2);
    assert!(
        notes(&config)
            .iter()
            .any(|note| note.contains("by this name the first is meant"))
    );
}
