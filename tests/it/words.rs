//! What is said to users of small and of odd inputs: no verdict of three requests, no line of five
//! hundred names, no giant line where a file ends its lines in the way of old Macs.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::{lbsim, scratch, stderr, stdout};

const LOG: &str = "arrived,took_ms,server\n1700000000,5,10.0.0.1:80\n1700000001,6,10.0.0.2:80\n1700000003,5,10.0.0.1:80\n";

fn place(name: &str, servers: &str) -> std::path::PathBuf {
    let place = scratch(&format!("words-{name}"));
    let web = format!(
        "events {{}}\nhttp {{\n upstream web {{\n{servers}}}\n server {{ location / {{ proxy_pass http://web; }} }}\n}}\n"
    );
    fs::write(place.join("web.conf"), web).unwrap();
    place
}

const TWO: &str = "server 10.0.0.1:80;\nserver 10.0.0.2:80;\n";

fn scenario(place: &Path, trace: &str, run: &str) {
    fs::write(place.join("t.csv"), trace).unwrap();
    let text = format!(
        "question = \"q\"\nexpect = \"e\"\n[run]\nreplications = 1\ncompare = [\"random\"]\n{run}\n[[clients]]\n\
         arrivals = {{ kind = \"trace\", file = \"t.csv\", columns = {{ time = \"time\" }} }}\n[[services]]\n\
         name = \"web\"\n[[services.servers]]\nservice = {{ kind = \"constant\", value = \"1ms\" }}\n"
    );
    fs::write(place.join("t.toml"), text).unwrap();
}

#[test]
fn lines_may_end_as_old_macs_end_them() {
    let place = place("cr", TWO);
    let import = |log: &str| {
        fs::write(place.join("a.csv"), log).unwrap();
        let done = lbsim(
            &place,
            &["import", "web.conf", "--log", "a.csv", "-o", "web.toml"],
        );
        assert!(done.status.success(), "{}", stderr(&done));
        (stderr(&done), fs::read(place.join("web.toml")).unwrap())
    };
    let usual = import(LOG);
    assert!(usual.0.contains("3 requests, 0 bad lines"), "{}", usual.0);
    assert_eq!(import(&LOG.replace('\n', "\r")), usual);
    let trace = "time\n0\n0.5\n1\n";
    let check = |trace: &str| {
        scenario(&place, trace, "");
        let done = lbsim(&place, &["check", "t.toml"]);
        assert!(done.status.success(), "{}", stderr(&done));
        stdout(&done)
    };
    assert_eq!(check(&trace.replace('\n', "\r")), check(trace));
}

#[test]
fn one_request_tells_no_rate() {
    let place = scratch("words-one");
    for (trace, due) in [
        ("time\n5\n", "one request of the trace tells no rate"),
        ("time\n5\n5\n", "all 2 requests of the traces come within"),
    ] {
        scenario(&place, trace, "");
        let why = stderr(&lbsim(&place, &["run", "t.toml"]));
        assert!(
            why.contains(due) && why.contains("duration = \"10min\""),
            "{why}"
        );
    }
    scenario(&place, "time\n5\n", "duration = \"10s\"");
    let done = lbsim(&place, &["check", "t.toml"]);
    let said = stdout(&done);
    assert!(
        said.contains("0.1 requests/s on average"),
        "{said}{}",
        stderr(&done)
    );
    assert!(said.contains("web: 1 server; 1,000 requests"), "{said}");
}

#[test]
fn of_three_requests_there_is_no_verdict() {
    let place = place("three", TWO);
    fs::write(place.join("a.csv"), LOG).unwrap();
    let done = lbsim(&place, &["import", "web.conf", "--log", "a.csv"]);
    let text = stdout(&done) + &stderr(&done);
    assert!(
        text.contains("too few to tell how they are spread"),
        "{text}"
    );
    for verdict in [
        "poor fit",
        "is Poisson",
        "more than luck",
        "Zipf",
        "1 members",
    ] {
        assert!(!text.contains(verdict), "{verdict}: {text}");
    }
}

#[test]
fn hundreds_of_names_are_not_one_line() {
    let servers = (0..501).fold(String::new(), |mut text, at| {
        let _ = writeln!(text, "server web{at}.example;");
        text
    });
    let place = place("many", &servers);
    let done = lbsim(&place, &["import", "web.conf", "-o", "web.toml"]);
    let said = stderr(&done);
    assert!(
        said.contains("`web9.example:80` and 491 more are names")
            || said.contains("`web9.example` and 491 more are names"),
        "{said}"
    );
    let longest = said.lines().map(str::len).max();
    assert!(longest < Some(400), "{longest:?}: {said}");
}
