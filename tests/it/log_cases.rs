//! Logs that were once read wrongly: what is right is said with each. Small ones stand in
//! `tests/cases`; long ones are made here, of a system that is known: Poisson arrivals at 40 a
//! second, two servers in turn, exponential service, one slot, first come, first served.

mod recognized;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use rand::SeedableRng as _;
use rand::TryRng as _;

use crate::support::{lbsim, read_in, scratch, stderr};

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(name)
}

/// A folder with copies of these cases.
fn folder(name: &str, cases: &[&str]) -> PathBuf {
    let place = scratch(&format!("log-case-{name}"));
    for file in cases {
        fs::copy(case(file), place.join(file)).unwrap();
    }
    place
}

/// Imports, and gives what was said.
fn imported(place: &Path, args: &[&str]) -> String {
    let done = lbsim(place, &[&["import"], args].concat());
    assert!(done.status.success(), "{}", stderr(&done));
    stderr(&done)
}

fn refused(place: &Path, args: &[&str]) -> String {
    let done: Output = lbsim(place, &[&["import"], args].concat());
    assert_eq!(done.status.code(), Some(2), "{}", stderr(&done));
    stderr(&done)
}

/// One request: when it came and was answered in seconds, and which server it went to.
struct Request {
    came: f64,
    ended: f64,
    server: usize,
}

/// So many requests to servers with these mean service times in seconds, in order of arrival.
fn system(count: usize, means: [f64; 2], seed: u64) -> Vec<Request> {
    let mut rng = lbsim::rng::Rng::seed_from_u64(seed);
    let mut exponential = |mean: f64| {
        let Ok(word) = rng.try_next_u64();
        -mean * (((word >> 11) + 1) as f64 / (1u64 << 53) as f64).ln()
    };
    let (mut now, mut free) = (1_700_000_000.0, [0.0, 0.0]);
    (0..count)
        .map(|at| {
            now += exponential(1.0 / 40.0);
            let server = at % 2;
            free[server] = f64::max(now, free[server]) + exponential(means[server]);
            Request {
                came: now,
                ended: free[server],
                server,
            }
        })
        .collect()
}

fn by_end(mut requests: Vec<Request>) -> Vec<Request> {
    requests.sort_by(|a, b| a.ended.total_cmp(&b.ended));
    requests
}

fn server(request: &Request) -> String {
    format!("10.0.0.{}:80", request.server + 1)
}

/// The log is of servers of 20 and 8 ms with one slot each: of 3,000 service times the mean has a
/// standard error of 1.8%, so 8% is left by one seed in 100,000, and the seed is fixed.
fn is_known(place: &Path, log: &str, format: &str) {
    fs::write(place.join("a.log"), log).unwrap();
    let args = [
        "log-web.conf",
        "--log",
        "a.log",
        "--log-format",
        format,
        "-o",
        "web.toml",
    ];
    let said = imported(place, &args);
    let text = fs::read_to_string(place.join("web.toml")).unwrap();
    let scenario = read_in(place, &text);
    let groups = &scenario.variants[0].blueprint.services[0].groups;
    for (group, due) in groups.iter().zip([0.020, 0.008]) {
        let mean = group.service.mean();
        assert!(
            (mean / due - 1.0).abs() < 0.08,
            "{mean} for {due}: {said}{text}"
        );
        assert_eq!(group.slots, 1, "{said}{text}");
    }
}

#[test]
fn ends_with_the_time_at_the_server_alone() {
    let place = folder("ended", &["log-web.conf"]);
    let mut log = String::new();
    for request in by_end(system(6000, [0.020, 0.008], 5)) {
        let millis = ((request.ended - request.came) * 1e3).round();
        let _ = writeln!(
            log,
            r#"{{"t":{:.3},"rt":{millis},"up":"{}"}}"#,
            request.ended,
            server(&request)
        );
    }
    is_known(&place, &log, "json=ended:t,server-took:rt:ms,server:up");
}

#[test]
fn lengths_are_coarser_than_moments() {
    let place = folder("coarser", &["log-web.conf"]);
    let mut log = String::new();
    for request in system(6000, [0.020, 0.008], 5) {
        let millis = ((request.ended - request.came) * 1e3).round();
        let _ = writeln!(
            log,
            r#"{{"t":{:.6},"rt":{millis},"up":"{}"}}"#,
            request.came,
            server(&request)
        );
    }
    is_known(&place, &log, "json=arrived:t,server-took:rt:ms,server:up");
}

/// With services of 8 ms the mean response time is 8.5 ms; had all requests of a second come at
/// once, it would be 68. The mean of 60,000 requests has a standard error under 0.1 ms.
#[test]
fn arrivals_of_a_second_do_not_come_together() {
    let place = folder("seconds", &["log-web.conf"]);
    let mut log = String::new();
    for request in by_end(system(6000, [0.008, 0.008], 1)) {
        let when = jiff::Timestamp::from_second(request.ended as i64).unwrap();
        let took = request.ended - request.came;
        let (number, server) = (request.server + 1, server(&request));
        let _ = writeln!(
            log,
            "192.0.2.{number} - - [{}] \"GET /a HTTP/1.1\" 200 10 \"-\" \"x\" 30 {took:.3} [web] [] {server} 10 {took:.3} 200 0",
            when.strftime("%d/%b/%Y:%H:%M:%S +0000")
        );
    }
    fs::write(place.join("a.log"), log).unwrap();
    let args = [
        "log-web.conf",
        "--log",
        "a.log",
        "--log-format",
        "ingress-nginx",
        "--trace",
        "trace.csv",
        "-o",
        "web.toml",
    ];
    imported(&place, &args);
    let text = fs::read_to_string(place.join("web.toml")).unwrap();
    assert!(
        text.contains("within a step the arrivals of the trace are put at random"),
        "{text}"
    );
    assert!(text.contains("\"10ms\""), "{text}");
    fs::write(place.join("web.toml"), text.replace("\"10ms\"", "\"8ms\"")).unwrap();
    let ran = lbsim(&place, &["run", "web.toml", "-q"]);
    assert!(ran.status.success(), "{}", stderr(&ran));
    let mut rows = csv::Reader::from_path(place.join("results/web/summary.csv")).unwrap();
    let headers = rows.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|own| own == name).unwrap();
    let (metric, estimate) = (column("metric"), column("estimate"));
    let mean: Vec<f64> = rows
        .records()
        .map(Result::unwrap)
        .filter(|row| &row[metric] == "mean_ms")
        .map(|row| row[estimate].parse().unwrap())
        .collect();
    assert_eq!(mean.len(), 1);
    assert!((mean[0] - 8.5).abs() < 0.5, "{mean:?}");
}

#[test]
fn a_server_without_a_port_has_that_of_http() {
    let cases = ["log-default-port.conf", "log-default-port.log"];
    let place = folder("port", &cases);
    let said = imported(&place, &[cases[0], "--log", cases[1], "-o", "web.toml"]);
    assert!(
        said.contains("format of the log, by the configuration: nginx=$remote_addr"),
        "{said}"
    );
    for (server, visits) in [("10.0.0.1", 1), ("10.0.0.2", 2)] {
        let line = said
            .lines()
            .find(|line| line.starts_with(&format!("{server}: ")))
            .unwrap();
        assert!(
            line.contains(&format!(" {visits} ")) && !line.contains("no requests"),
            "{said}"
        );
    }
}

#[test]
fn a_pool_may_have_another_name_in_the_log() {
    let cases = ["log-web.conf", "log-other-pool-name.json"];
    let place = folder("pool", &cases);
    let args = [cases[0], "--log", cases[1], "-o", "web.toml"];
    let why = refused(&place, &args);
    assert!(
        why.contains("`web@docker`") && why.contains("`--pool-in-log`"),
        "{why}"
    );
    assert!(!place.join("web.toml").exists());
    let said = imported(
        &place,
        &[&args[..], &["--pool-in-log", "web@docker"]].concat(),
    );
    assert!(!said.contains("no requests"), "{said}");
}

#[test]
fn what_the_whole_took_is_known_of_one_server() {
    let place = folder("took", &["log-web.conf", "log-took-only.csv"]);
    let format = "csv=arrived:time,took:took_ms,server:server,client:client";
    let args = [
        "log-web.conf",
        "--log",
        "log-took-only.csv",
        "--log-format",
        format,
        "-o",
        "web.toml",
    ];
    let said = imported(&place, &args);
    assert!(
        !said.contains("no requests") && said.contains("what the whole request took"),
        "{said}"
    );
    let text = fs::read_to_string(place.join("web.toml")).unwrap();
    assert!(!text.contains("the log has no request to it"), "{text}");
}

#[test]
fn a_stray_moment_does_not_make_the_rate() {
    let place = folder("stray", &["log-web.cfg"]);
    let mut log = String::new();
    for (at, request) in system(6000, [0.008, 0.008], 5).iter().enumerate() {
        let moment = if at == 0 { 31.0 } else { request.came };
        let when = jiff::Timestamp::from_millisecond((moment * 1e3) as i64).unwrap();
        let took = ((request.ended - request.came) * 1e3).round().max(1.0);
        let _ = writeln!(
            log,
            "Nov 14 22:13:20 lb1 haproxy[9]: 192.0.2.7:4000 [{}] in web/s{} 0/0/0/{took}/{took} 200 10 - - ---- 1/1/1/1/0 0/0 \"GET / HTTP/1.1\"",
            when.strftime("%d/%b/%Y:%H:%M:%S.%3f"),
            at % 2 + 1
        );
    }
    fs::write(place.join("h.log"), log).unwrap();
    let said = imported(&place, &["log-web.cfg", "--log", "h.log", "-o", "web.toml"]);
    assert!(
        said.contains("warning: 1 of 6000 requests is left out, at 1970-01-01T00:00:31Z"),
        "{said}"
    );
    let text = fs::read_to_string(place.join("web.toml")).unwrap();
    let scenario = read_in(&place, &text);
    let plan = &scenario.variants[0].blueprint;
    let rate = plan.sources[0]
        .rate(plan.end - lbsim::time::Time::ZERO)
        .unwrap();
    // The rate of 6,000 arrivals has a standard error of 1.3%.
    assert!((rate / 40.0 - 1.0).abs() < 0.06, "{rate}: {text}");
}

#[test]
fn a_log_without_servers_tells_the_rate() {
    let place = folder("combined", &["log-web.conf"]);
    let mut log = String::new();
    for (at, request) in by_end(system(2000, [0.008, 0.008], 3)).iter().enumerate() {
        let when = jiff::Timestamp::from_second(request.ended as i64).unwrap();
        let when = when.strftime("%d/%b/%Y:%H:%M:%S +0000");
        let _ = writeln!(
            log,
            "192.0.2.{} - - [{when}] \"GET /a HTTP/1.1\" 200 10 \"-\" \"curl\"",
            at % 9
        );
    }
    fs::write(place.join("a.log"), log).unwrap();
    let said = imported(
        &place,
        &["log-web.conf", "--log", "a.log", "-o", "web.toml"],
    );
    assert!(
        said.contains("does not say which server answered"),
        "{said}"
    );
    let text = fs::read_to_string(place.join("web.toml")).unwrap();
    assert!(
        text.contains("ASSUMED") && !text.contains("has no request to it"),
        "{text}"
    );
    let scenario = read_in(&place, &text);
    let plan = &scenario.variants[0].blueprint;
    let rate = plan.sources[0]
        .rate(plan.end - lbsim::time::Time::ZERO)
        .unwrap();
    assert!((rate / 40.0 - 1.0).abs() < 0.1, "{rate}");
    assert!(text.contains("\npopulation = "), "{text}");
}

#[test]
fn names_of_servers_are_mapped() {
    let place = folder("names", &["log-web.conf"]);
    let log = "arrived,took_ms,server\n1700000000,5,web1\n1700000001,6,web2\n";
    fs::write(place.join("a.csv"), log).unwrap();
    fs::write(
        place.join("names.csv"),
        "\u{feff}name;address\r\nweb1;10.0.0.1:80\r\nweb2;10.0.0.2:80\r\n",
    )
    .unwrap();
    let args = ["log-web.conf", "--log", "a.csv", "-o", "web.toml"];
    let why = refused(&place, &args);
    assert!(
        why.contains("`web1`, `web2`") && why.contains("`--servers`"),
        "{why}"
    );
    let said = imported(&place, &[&args[..], &["--servers", "names.csv"]].concat());
    assert!(!said.contains("no requests"), "{said}");
    fs::write(
        place.join("names.csv"),
        "web1,10.0.0.1:80\nweb2,10.0.0.9:80\n",
    )
    .unwrap();
    let why = refused(&place, &[&args[..], &["--servers", "names.csv"]].concat());
    assert!(
        why.contains("`names.csv` line 2") && why.contains("`10.0.0.9:80`"),
        "{why}"
    );
}

#[test]
fn nothing_is_written_over_what_is_read() {
    let cases = ["log-web.conf", "log-prefix-syslog.log"];
    let place = folder("over", &cases);
    #[cfg(unix)]
    std::os::unix::fs::symlink(cases[1], place.join("link.csv")).unwrap();
    #[cfg(not(unix))]
    fs::hard_link(place.join(cases[1]), place.join("link.csv")).unwrap();
    let before = cases.map(|file| fs::read(place.join(file)).unwrap());
    for (more, due) in [
        (vec!["-o", cases[0]], "would write over `log-web.conf`"),
        (vec!["-o", "web.toml", "--trace", cases[1]], "which is read"),
        (
            vec!["-o", "web.toml", "--trace", "link.csv"],
            "which is read",
        ),
        (
            vec!["-o", "web.toml", "--trace", "./web.toml"],
            "over what `--output` writes",
        ),
        (
            vec!["-o", "web.toml", "--chart", "web.toml"],
            "over what `--output` writes",
        ),
    ] {
        let why = refused(
            &place,
            &[&[cases[0], "--log", cases[1]], &more[..]].concat(),
        );
        assert!(why.contains(due), "{more:?}: {why}");
    }
    assert_eq!(
        cases.map(|file| fs::read(place.join(file)).unwrap()),
        before
    );
    assert_eq!(fs::read_dir(&place).unwrap().count(), 3);
}

/// A scenario names its trace from where it stands, wherever both are written.
#[test]
fn a_trace_is_where_the_scenario_says() {
    let cases = ["log-web.conf", "log-prefix-syslog.log"];
    let place = folder("where", &cases);
    fs::create_dir(place.join("data")).unwrap();
    fs::create_dir(place.join("scenarios")).unwrap();
    let out = ["--trace", "data/t.csv", "-o", "scenarios/web.toml"];
    imported(&place, &[&[cases[0], "--log", cases[1]], &out[..]].concat());
    let text = fs::read_to_string(place.join("scenarios/web.toml")).unwrap();
    assert!(text.contains("\"../data/t.csv\""), "{text}");
    let checked = lbsim(&place, &["check", "scenarios/web.toml"]);
    assert!(checked.status.success(), "{}", stderr(&checked));
}
