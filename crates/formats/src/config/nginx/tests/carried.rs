//! What is carried over.

use super::*;

#[track_caller]
fn assert_pool(file: &str, name: &str, expected: &[&str]) {
    let config = config(file);
    let shown = show(config.pool(name).unwrap());
    assert_eq!(
        shown.lines().collect::<Vec<_>>(),
        expected,
        "{file}, {name}"
    );
}

#[test]
fn round_robin_of_named_servers() {
    assert_pool(
        "compose.conf",
        "web",
        &[
            "kind=nginx-round-robin | timeout=60s retry={ max = 2 }",
            "web1:3000 3",
            "web2:3000 1",
            "web3:3000 1",
        ],
    );
    assert_pool(
        "compose.conf",
        "api",
        &[
            "kind=nginx-least-conn | timeout=20s retry={ max = 1 }",
            "api1:8080 1",
            "api2:8080 2",
        ],
    );
}

#[test]
fn retries_are_as_many_as_are_allowed_or_there_are_servers() {
    assert_pool(
        "ingress.conf",
        "shop-frontend-80",
        &[
            "kind=nginx-random two=least_conn next-upstream=[http_503] | timeout=30s retry={ \
            max = 1 }",
            "10.244.1.17:8080 1",
            "10.244.2.9:8080 1",
            "10.244.3.41:8080 1",
        ],
    );
    assert_pool(
        "ingress.conf",
        "shop-cart-9090",
        &[
            "kind=nginx-hash key=client consistent=true max-fails=3 fail-timeout=5s next-upstream=[http_503] | \
            timeout=60s retry={ max = 1 }",
            "10.244.1.18:9090 1 max-connections=64",
            "10.244.2.11:9090 1 max-connections=64",
        ],
    );
}

#[test]
fn sockets_backups_and_other_families() {
    assert_pool(
        "nextcloud.conf",
        "php-handler",
        &[
            "kind=nginx-round-robin | timeout=3600s",
            "unix:/run/php/php8.2-fpm.sock 4",
            "[fd00:10::21]:9000 1",
            "192.168.7.30:9000 1 backup=true",
        ],
    );
    assert_pool(
        "gunicorn.conf",
        "app_server",
        &[
            "kind=nginx-round-robin fail-timeout=0s | timeout=60s",
            "unix:/tmp/gunicorn.sock 1",
        ],
    );
}

#[test]
fn timeouts_are_inherited_and_those_that_are_down_are_not_tried() {
    assert_pool(
        "websocket.conf",
        "chat",
        &[
            "kind=nginx-ip-hash max-fails=2 fail-timeout=30s | timeout=604800s retry={ max = 2 }",
            "10.1.0.11:3000 2",
            "10.1.0.12:3000 2",
            "10.1.0.13:3000 1 max-fails=5 fail-timeout=60s",
            "10.1.0.14:3000 1 down=true",
        ],
    );
}

#[test]
fn connections_and_datagrams() {
    assert_pool(
        "stream.conf",
        "postgres",
        &[
            "kind=nginx-hash key=address consistent=true | timeout=3s retry={ max = 2 }",
            "db1.internal:5432 5",
            "db2.internal:5432 1 max-fails=3 fail-timeout=30s",
            "unix:/tmp/pg.sock 1 max-connections=3",
        ],
    );
    assert_pool(
        "stream.conf",
        "dns",
        &[
            "kind=nginx-round-robin | timeout=20s",
            "10.6.0.53:53 1",
            "[2001:db8::53]:53 1",
        ],
    );
}

#[test]
fn pools_that_a_variable_names() {
    assert_pool(
        "bluegreen.conf",
        "blue",
        &[
            "kind=nginx-round-robin next-upstream=[http_500] | timeout=60s retry={ max = 1, error-answers = true }",
            "10.20.0.1:8080 10",
            "10.20.0.2:8080 10",
        ],
    );
    assert_pool(
        "bluegreen.conf",
        "green",
        &[
            "kind=nginx-round-robin next-upstream=[http_500] | timeout=60s",
            "10.20.1.1:8080 1",
        ],
    );
}

#[test]
fn one_service_behind_another_family() {
    assert_pool(
        "gateway.conf",
        "orders_grpc",
        &[
            "kind=nginx-least-conn | timeout=1500ms retry={ max = 1 }",
            "10.0.3.10:50051 1",
            "10.0.3.11:50051 1",
        ],
    );
    assert_pool(
        "gateway.conf",
        "inventory_api",
        &[
            "kind=nginx-round-robin | timeout=15s retry={ max = 1 }",
            "10.0.1.10 1",
            "10.0.1.11 1",
            "10.0.1.12 1",
        ],
    );
}

#[test]
fn methods_after_their_servers_and_addresses_before_a_path() {
    assert_pool(
        "random.conf",
        "cache",
        &[
            "kind=nginx-random next-upstream=[http_503, http_500] | timeout=60s retry={ max = 2, error-answers = true }",
            "10.8.0.1:6081 100",
            "10.8.0.2:6081 150",
            "10.8.0.3:6081 50",
        ],
    );
    assert_pool(
        "random.conf",
        "objects",
        &[
            "kind=nginx-hash key=key next-upstream=[http_503, http_500] | timeout=60s retry={ max = 1, error-answers = true }",
            "10.8.1.1:80 1",
            "10.8.1.2:80 1",
            "10.8.1.3:80 1 down=true",
        ],
    );
}

#[test]
fn line_ends_of_windows_and_comments_inside_a_line() {
    assert_pool(
        "windows.conf",
        "iis",
        &[
            "kind=nginx-round-robin | timeout=60s retry={ max = 2 }",
            "10.5.0.1:8080 7",
            "10.5.0.2:8080 1 max-fails=0",
            "10.5.0.3:8080 1 backup=true",
        ],
    );
}

#[test]
fn quotes_around_words() {
    assert_pool(
        "quoted.conf",
        "quoted",
        &[
            "kind=nginx-round-robin | timeout=60s retry={ max = 2 }",
            "127.0.0.1:8001 1",
            "127.0.0.1:8002 3",
            "127.0.0.1:8003 2 max-fails=0",
        ],
    );
}

#[test]
fn health_checks_and_cookies() {
    assert_pool(
        "plus.conf",
        "app",
        &[
            "kind=nginx-least-conn | sticky=cookie timeout=60s retry={ max = 2 } \
            health-check={ interval = 10s, fall = 3, rise = 2 }",
            "app.internal 1",
            "10.3.0.1:80 5",
            "10.3.0.2:80 1",
        ],
    );
    assert_pool(
        "plus.conf",
        "tengine",
        &[
            "kind=nginx-round-robin | health-check={ interval = 3s, timeout = 1s, fall = 5, rise = 2 } \
            sticky=cookie timeout=60s retry={ max = 1 }",
            "10.4.0.1:80 1",
            "10.4.0.2:80 1",
        ],
    );
}

#[test]
fn formats_of_logs_are_put_together() {
    assert_eq!(
        config("quoted.conf").log_formats,
        [(
            "json lines".to_owned(),
            r#"{"time":"$time_iso8601","request_time":$request_time}"#.to_owned()
        )]
    );
    let names: Vec<String> = TEXTS
        .iter()
        .flat_map(|(name, _)| config(name).log_formats)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["main", "upstreaminfo", "json lines", "basic"]);
}

#[test]
fn places_are_where_things_stand() {
    let config = config("windows.conf");
    let pool = config.pool("iis").unwrap();
    let text = &config.files[0].text;
    assert_eq!(&text[pool.at.range.clone()], "iis");
    assert_eq!(config.show(&pool.servers[2].at), "windows.conf:9");
    assert_eq!(
        &text[pool.servers[2].at.range.clone()],
        "server 10.5.0.3:8080 backup"
    );
    assert_eq!(
        pool.groups()
            .unwrap()
            .into_iter()
            .map(|group| group.name)
            .collect::<Vec<_>>(),
        ["10.5.0.1-8080", "10.5.0.2-8080", "10.5.0.3-8080"]
    );
}
