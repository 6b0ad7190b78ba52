//! What is read of whole configurations.

use super::{configuration, fixture, has_note, notes, servers, table};

#[test]
fn a_cluster_of_databases_has_one_writer_and_two_backups() {
    let read = fixture("galera");
    let names: Vec<&str> = read.pools.iter().map(|pool| pool.name.as_str()).collect();
    assert_eq!(names, ["galera-write", "galera-read"]);
    assert_eq!(
        servers(&read.pools[0]),
        [
            "db1 10.20.0.11:3306 weight 100 max-connections = 256 max-queue = 128",
            "db2 10.20.0.12:3306 weight 100 max-connections = 256 max-queue = 128 backup = true",
            "db3 10.20.0.13:3306 weight 100 max-connections = 256 max-queue = 128 backup = true",
        ]
    );
    assert_eq!(read.pools[1].servers[0].weight, 20);
    assert_eq!(
        read.pools[1].strategy,
        table("kind = 'haproxy-leastconn'\nslowstart = '1min'")
    );
    assert_eq!(
        read.pools[1].balancer,
        table(
            "timeout = '8h'
             queue-timeout = '5s'
             retry = { max = 3, on = 'another' }
             health-check = { interval = '2s', down-interval = '5s', fall = 2, rise = 3, cautious-start = true }"
        )
    );
    assert_eq!(
        read.log_formats,
        [("defaults".to_owned(), "tcplog".to_owned())]
    );
    assert!(has_note(&read, "20: `galera-write` has no `balance`"));
}

/// `observe` becomes an ejection where there are checks to which traffic can speak.
#[test]
fn traffic_speaks_for_all_servers_as_for_most() {
    let pool = |mode: &str, lines: &str| {
        let text = format!("backend b\n mode {mode}\n balance roundrobin\n{lines}\n");
        let mut read = configuration(&text);
        let ejection = read.pools.remove(0).balancer.get("ejection").cloned();
        let notes: Vec<String> = read.notes.into_iter().map(|note| note.text).collect();
        (ejection.map(|own| own.to_string()), notes)
    };
    let all = " default-server check observe layer7 error-limit 5 on-error mark-down\n \
               server a 10.0.0.1:80\n server b 10.0.0.2:80 error-limit 5";
    let said = r#"{ kind = "error-limit", preset = "haproxy-layer7", errors = 5, on-error = "mark-down" }"#;
    assert_eq!(pool("http", all), (Some(said.to_owned()), vec![]));
    let (none, notes) = pool("tcp", all);
    assert_eq!(none, None);
    assert!(
        notes[0].contains("`layer7` is for backends in HTTP mode"),
        "{notes:?}"
    );
    let some = " server a 10.0.0.1:80 check observe layer4 on-error fastinter\n \
                server b 10.0.0.2:80 check\n \
                server c 10.0.0.3:80 observe layer4\n \
                server d 10.0.0.4:80 check observe layer4 error-limit 3\n \
                server e 10.0.0.5:80 check observe layer4 on-error fastinter";
    let (one, notes) = pool("tcp", some);
    let said = r#"{ kind = "error-limit", preset = "haproxy-layer4", on-error = "fast-interval" }"#;
    assert_eq!(one.as_deref(), Some(said));
    for part in [
        "`observe` of `c` is not carried over: without `check`",
        "`observe` of `d` is not carried over: in a scenario all servers",
        "also for `b`",
    ] {
        assert!(
            notes.iter().any(|note| note.contains(part)),
            "{part}: {notes:?}"
        );
    }
    assert_eq!(notes.len(), 3, "{notes:?}");
    assert_eq!(
        pool("http", " server a 10.0.0.1:80 check error-limit 5"),
        (None, vec![])
    );
}

#[test]
fn checks_of_most_servers_are_taken() {
    let read = fixture("patroni");
    assert_eq!(read.pools.len(), 2); // the page of statistics has no servers
    let check = table("interval = '3s'\nfall = 3\nrise = 2\ncautious-start = true");
    assert_eq!(read.pools[1].balancer["health-check"], check.into());
    // `pg-a` is checked less often than most.
    let own = |name: &str| {
        let mut servers = read.pools.iter().flat_map(|pool| &pool.servers);
        let server = servers.rfind(|server| server.name == name).unwrap();
        server.settings.get("health-check").cloned()
    };
    let expected = table("interval = '10s'\ntimeout = '5s'");
    assert_eq!(own("pg-a"), Some(expected.into()));
    assert_eq!(own("pg-b"), None);
    assert!(has_note(&read, "21: `option httpchk OPTIONS /primary`"));
}

#[test]
fn a_stick_table_of_addresses_binds_clients() {
    let read = fixture("rabbitmq");
    let rabbit = &read.pools[0];
    assert_eq!(rabbit.balancer["sticky"], "cookie".into());
    assert_eq!(rabbit.balancer["timeout"], "3h".into());
    assert_eq!(
        rabbit
            .servers
            .iter()
            .map(|server| server.weight)
            .collect::<Vec<_>>(),
        [3, 2, 1]
    );
    assert!(has_note(&read, "19: `stick on src` is carried over"));
    let admin = &read.pools[1];
    assert_eq!(
        admin.strategy,
        table(
            "kind = 'haproxy-source'\nhash-type = 'consistent'\nhash-function = 'sdbm'\navalanche = true"
        )
    );
    assert_eq!(admin.servers[1].settings, table("down = true"));
}

#[test]
fn what_defaults_say_holds_until_a_proxy_says_otherwise() {
    let read = fixture("webfarm");
    let [app, pages, api] = read.pools.as_slice() else {
        panic!("three pools")
    };
    assert_eq!(
        app.strategy,
        table("kind = 'haproxy-leastconn'\nallbackups = true\nfullconn = 2000")
    );
    assert_eq!(app.balancer["sticky"], "cookie".into());
    assert_eq!(
        app.servers[2].settings,
        table("max-connections = 200\nmin-connections = 50")
    );
    assert_eq!(
        pages.strategy,
        table(
            "kind = 'haproxy-uri'\nwhole = true\ndepth = 3\nhash-type = 'consistent'\nhash-balance-factor = 150"
        )
    );
    assert_eq!(
        api.strategy,
        table(
            "kind = 'haproxy-url-param'\nhash-type = 'map-based'\nhash-function = 'wt6'\navalanche = true"
        )
    );
    assert_eq!(api.balancer["queue-timeout"], "30s".into());
    for part in [
        "13: `option redispatch` sends some retries",
        "14: `option persist`",
        "28: `use_backend static if is_static` and one more rule like it",
        "34: `maxidle` and `maxlife`",
        "47: `id` and `hash-key`",
        "51: `balance url_param userid check_post` hashes a parameter",
        "54: `retry-on conn-failure 503 response-timeout`",
        "55: `agent-check` is not carried over",
        "(here and in one more line of this proxy)",
    ] {
        assert!(has_note(&read, part), "{part} in {:#?}", notes(&read));
    }
}

#[test]
fn sections_take_the_defaults_that_they_name() {
    let read = fixture("websocket");
    let timeout = |name: &str| read.pool(name).map(|pool| pool.balancer["timeout"].clone());
    assert_eq!(timeout("pages"), Some("25s".into()));
    assert_eq!(timeout("mqtt"), Some("2h".into()));
    let nodes = read.pool("ws-nodes").expect("a pool");
    assert_eq!(
        nodes.balancer["retry"],
        table("max = 3\non = 'another'").into()
    );
    assert!(!nodes.balancer.contains_key("sticky")); // servers have cookies, but there is no `cookie` line
    assert!(has_note(&read, "`track mqtt/broker1`"));
    assert_eq!(
        read.log_formats[0],
        (
            "http-base".to_owned(),
            "%ci [%t] %ft %b/%s %ST \"%r\"".to_owned()
        )
    );
}

#[test]
fn a_template_is_several_servers_of_one_line() {
    let read = fixture("grpc");
    assert_eq!(
        servers(&read.pools[0]),
        [
            "greeter greeter.service.internal:50051 x4 weight 10",
            "spare 127.0.0.1:50052 x2 weight 1 backup = true  [health-check] enabled = false",
        ]
    );
    assert_eq!(
        read.pools[0].strategy,
        table("kind = 'haproxy-random'\ndraws = 3")
    );
    assert!(!read.pools[0].balancer.contains_key("retry"));
}

#[test]
fn default_servers_hold_for_the_lines_after_them() {
    let read = fixture("bluegreen");
    let weights: Vec<u32> = read.pools[0]
        .servers
        .iter()
        .map(|server| server.weight)
        .collect();
    assert_eq!(weights, [90, 90, 10, 15, 0, 1]);
    let [blue, _, green, _, third, _] = read.pools[0].servers.as_slice() else {
        panic!("six servers")
    };
    assert_eq!(read.pools[0].strategy["slowstart"], "30s".into());
    assert_eq!(blue.settings, table("slow-start = '0s'"));
    assert_eq!(green.settings, table(""));
    assert_eq!(third.settings, table("health-check = { enabled = false }"));
}

#[test]
fn quotes_and_escapes_are_no_part_of_words() {
    let read = fixture("quotes");
    assert_eq!(
        servers(&read.pools[0]),
        [
            "quoted 10.4.0.1:80 weight 7 [health-check] enabled = false",
            "single 10.4.0.2:80 weight 8",
            "variable ${APP_HOST}:80 weight 1 [health-check] enabled = false",
            "escaped 10.4.0.4:80 weight 3 [health-check] enabled = false",
        ]
    );
    assert!(has_note(
        &read,
        "23: The address `${APP_HOST}:80` names an environment variable"
    ));
    assert_eq!(
        read.log_formats,
        [("defaults".to_owned(), "%{+Q}o %t %s %{-Q}r end".to_owned())]
    );
}

#[test]
fn conditions_are_read_as_if_they_held() {
    let read = fixture("conditions");
    let names: Vec<&str> = read.pools[0]
        .servers
        .iter()
        .map(|server| server.name.as_str())
        .collect();
    assert_eq!(names, ["canary", "secure", "always"]);
    assert!(has_note(
        &read,
        "11: `.if defined(CANARY)` is not evaluated"
    ));
}

#[test]
fn old_words_mean_what_they_meant() {
    let read = fixture("legacy");
    assert_eq!(read.pools[0].balancer["timeout"], "50s".into());
    assert!(has_note(&read, "`option redispatch` sends some retries"));
    assert!(has_note(&read, "`dispatch 192.168.135.17:80`"));
}

#[test]
fn other_fixtures_have_their_pools() {
    let pools = |name: &str| -> Vec<(String, usize)> {
        let read = fixture(name);
        let pools = read.pools.iter();
        pools
            .map(|pool| (pool.name.clone(), pool.servers.len()))
            .collect()
    };
    assert_eq!(pools("crlf"), [("appserver".to_owned(), 3)]);
    assert_eq!(
        pools("kubernetes"),
        [
            ("kube-apiserver".to_owned(), 3),
            ("ingress-https".to_owned(), 2)
        ]
    );
    assert_eq!(
        pools("redis"),
        [
            ("redis-master".to_owned(), 3),
            ("redis-replicas".to_owned(), 2)
        ]
    );
    assert_eq!(
        pools("router"),
        [
            ("be_http:shop:web".to_owned(), 3),
            ("be_edge:shop:canary".to_owned(), 3)
        ]
    );
}
