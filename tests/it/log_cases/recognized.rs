//! How a log is written: recognized by its lines, or told by whoever wrote them.

use super::*;

/// Google Cloud's entries: the moment is when the request came, and servers have no ports.
#[test]
fn entries_of_google_cloud_are_recognized() {
    let place = folder("gcp", &["log-web.conf"]);
    let mut log = String::new();
    for request in by_end(system(6000, [0.020, 0.008], 5)) {
        let came = jiff::Timestamp::from_nanosecond((request.came * 1e9) as i128).unwrap();
        let _ = writeln!(
            log,
            r#"{{"httpRequest":{{"latency":"{:.6}s","remoteIp":"192.0.2.7","requestMethod":"GET","requestUrl":"http://web.example/a","responseSize":"312","serverIp":"10.0.0.{}","status":200}},"insertId":"1x2y","resource":{{"labels":{{"backend_service_name":"web","zone":"global"}},"type":"http_load_balancer"}},"severity":"INFO","timestamp":"{came}"}}"#,
            request.ended - request.came,
            request.server + 1
        );
    }
    is_known(&place, &log, "gcp");
    let lines: Vec<&[u8]> = log.lines().take(10).map(str::as_bytes).collect();
    let guess = lbsim::logs::Format::guess(&lines).unwrap();
    let named: lbsim::logs::Format = "gcp".parse().unwrap();
    let mut requests = 0;
    for format in [guess, named] {
        let census = lbsim::logs::read(&place.join("a.log"), &format, &mut |entry| {
            let server = &entry.attempts[0];
            assert!(server.took.is_some() && server.server.starts_with("10.0.0."));
            assert_eq!(
                (entry.route.as_str(), entry.client.as_str()),
                ("/a", "192.0.2.7")
            );
            assert_eq!((entry.pool.as_str(), entry.status), ("web", Some(200)));
            requests += 1;
        });
        assert_eq!(census.unwrap().bad, 0);
    }
    assert_eq!(requests, 2 * 6000);
}

#[test]
fn units_stand_in_names_of_any_style_or_are_asked_for() {
    let place = folder("units", &["log-web.conf"]);
    let mut log = "time,durationMs,server\n".to_owned();
    for request in system(6000, [0.020, 0.008], 5) {
        let millis = (request.ended - request.came) * 1e3;
        let _ = writeln!(log, "{:.3},{millis:.2},{}", request.came, server(&request));
    }
    is_known(
        &place,
        &log,
        "csv=arrived:time,server-took:durationMs,server:server",
    );
    fs::write(place.join("b.log"), log.replace("durationMs", "duration")).unwrap();
    let format = "csv=arrived:time,server-took:duration,server:server";
    let why = refused(
        &place,
        &["log-web.conf", "--log", "b.log", "--log-format", format],
    );
    assert!(
        why.contains("in which unit") && why.contains("server-took:<name>:ms"),
        "{why}"
    );
    is_known(
        &place,
        &log.replace("durationMs", "duration"),
        &format.replace("duration,", "duration:ms,"),
    );
}

#[test]
fn a_prefix_is_no_part_of_the_client() {
    let place = folder("prefix", &["log-web.conf", "log-prefix-syslog.log"]);
    let clients = |log: &str| {
        let args = [
            "log-web.conf",
            "--log",
            log,
            "--trace",
            "t.csv",
            "-o",
            "web.toml",
        ];
        imported(&place, &args);
        let trace = fs::read_to_string(place.join("t.csv")).unwrap();
        let rows = trace.lines().skip(1);
        rows.map(|row| row.split(',').nth(1).unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let due = ["192.0.2.7", "192.0.2.7", "192.0.2.7", "192.0.2.8"];
    assert_eq!(clients("log-prefix-syslog.log"), due);
    let text = fs::read_to_string(place.join("log-prefix-syslog.log")).unwrap();
    let bare = |line: &str| line.split_once("nginx: ").unwrap().1.to_owned();
    for prefix in [
        "2023-11-14T22:13:20.330123456Z stdout F ",
        "web-1  | ",
        "Nov 14 22:13:20 lb1 nginx[7]: ",
        "<190>1 2023-11-14T22:13:20.123Z lb1 nginx 12 - - ",
    ] {
        let log: String = text
            .lines()
            .map(|line| format!("{prefix}{}\n", bare(line)))
            .collect();
        fs::write(place.join("other.log"), log).unwrap();
        assert_eq!(clients("other.log"), due, "{prefix}");
    }
    // One that is not known makes lines bad, and is shown.
    let log: String = text
        .lines()
        .map(|line| format!("carrier says {}\n", bare(line)))
        .collect();
    fs::write(place.join("other.log"), log).unwrap();
    let why = refused(
        &place,
        &[
            "log-web.conf",
            "--log",
            "other.log",
            "--log-format",
            "ingress-nginx",
        ],
    );
    assert!(
        why.contains("without a prefix") && why.contains("carrier says"),
        "{why}"
    );
}

#[test]
fn lines_that_docker_wraps_are_unwrapped() {
    let place = folder("docker", &["log-web.conf", "log-docker-wrapped.json"]);
    let said = imported(
        &place,
        &[
            "log-web.conf",
            "--log",
            "log-docker-wrapped.json",
            "-o",
            "web.toml",
        ],
    );
    assert!(
        said.contains("guessed by its first lines: envoy (") && said.contains("2 requests, 0 bad"),
        "{said}"
    );
    assert!(!said.contains("no requests"), "{said}");
}

#[test]
fn rubbish_fits_no_format() {
    let cases = ["log-web.conf", "log-guess-with-rubbish.log"];
    let place = folder("rubbish", &cases);
    let why = refused(&place, &[cases[0], "--log", cases[1]]);
    assert!(
        why.contains("in no format that is known by its looks"),
        "{why}"
    );
}

/// What `--requests=nginx` writes is read without being told how.
#[test]
fn simulated_logs_are_recognized() {
    let place = folder("measured", &["log-web.conf"]);
    let text = r#"
question = "q"
expect = "e"
[run]
duration = "60s"
replications = 1
compare = ["nginx-round-robin"]
[[clients]]
arrivals = { kind = "poisson", rate = "40/s" }
[[services]]
name = "web"
[[services.servers]]
name = "a"
count = 2
service = { kind = "exponential", mean = "10ms" }
"#;
    fs::write(place.join("real.toml"), text).unwrap();
    let ran = lbsim(&place, &["run", "real.toml", "-q", "--requests=nginx"]);
    assert!(ran.status.success(), "{}", stderr(&ran));
    let logs = fs::read_dir(place.join("results/real/requests")).unwrap();
    let log = logs.map(|entry| entry.unwrap().path()).next().unwrap();
    let lines = lbsim::logs::first_lines(&log, 10).unwrap();
    let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    let format = lbsim::logs::Format::guess(&lines).unwrap();
    assert_eq!(
        format.to_string(),
        format!("nginx={}", lbsim::logs::format::MEASURED)
    );
    let census = lbsim::logs::read(&log, &format, &mut |entry| {
        assert_eq!(entry.attempts.len(), 1);
        assert!(entry.attempts[0].took.is_some());
    });
    assert_eq!(census.unwrap().bad, 0);
}

/// A configuration of HAProxy says how its log is written.
#[test]
fn the_format_of_haproxy_is_that_of_its_configuration() {
    let place = folder("haproxy", &[]);
    let text = fs::read_to_string(case("log-web.cfg")).unwrap();
    let text = text.replace(
        "bind :8000",
        "bind :8000\n    log-format \"%ci [%tr] %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST\"",
    );
    fs::write(place.join("web.cfg"), text).unwrap();
    let log = "192.0.2.7 [14/Nov/2023:22:13:20.100] web/s1 0/0/0/5/6 200\n192.0.2.8 [14/Nov/2023:22:13:20.900] web/s2 0/0/0/7/8 200\n";
    fs::write(place.join("h.log"), log).unwrap();
    let said = imported(&place, &["web.cfg", "--log", "h.log", "-o", "web.toml"]);
    assert!(
        said.contains("by the configuration: haproxy=%ci [%tr]")
            && said.contains("2 requests, 0 bad"),
        "{said}"
    );
    assert!(!said.contains("no requests"), "{said}");
}
