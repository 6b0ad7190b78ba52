//! From a configuration to a scenario and back, and from a log to what servers can do.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{lbsim, scratch, stderr, stdout};

const NGINX: &str = "\
log_format timed '$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent '
                 '\"$http_referer\" \"$http_user_agent\" $msec $request_time $upstream_addr $upstream_response_time';
upstream web {
    # Guessed years ago.
    server 10.0.0.1:80 weight=3;  # new
    server 10.0.0.2:80;
    server 10.0.0.3:80 weight=2 max_fails=2;
    keepalive 16;
}
server {
    location / { proxy_pass http://web; }
}
";

/// The system behind that configuration; the load of each server is that of the whole.
fn system(load: &str) -> String {
    format!(
        r#"
question = "What does its log tell?"
expect = "Rate, slots and service times."
[run]
duration = "{}"
warmup = "0s"
replications = 1
compare = ["nginx-round-robin"]
[[clients]]
arrivals = {{ kind = "poisson", rate = "{}/s" }}
[[services]]
name = "web"
[[services.servers]]
name = "a"
weight = 3
slots = 4
service = {{ kind = "lognormal", mean = "20ms", cv = 1.2 }}
[[services.servers]]
name = "b"
weight = 1
service = {{ kind = "exponential", mean = "15ms" }}
[[services.servers]]
name = "c"
weight = 2
slots = 2
service = {{ kind = "gamma", mean = "15ms", cv = 0.5 }}
"#,
        if load == "0.3" { "3000s" } else { "1000s" },
        // At load 1, `a` does 200/s, `b` 66.7/s and `c` 133.3/s: in proportion to weight.
        load.parse::<f64>().unwrap() * 400.0
    )
}

fn number(table: &toml::Table, key: &str) -> f64 {
    match &table[key] {
        toml::Value::Integer(number) => *number as f64,
        other => panic!("{key}: {other}"),
    }
}

/// A log that lbsim simulated and wrote as nginx does: rate, mean service time and slots of each
/// server come back within 5%.
#[test]
fn a_log_tells_what_servers_can_do() {
    for load in ["0.3", "0.8"] {
        let place = scratch(&format!("import-log-{load}"));
        fs::write(place.join("nginx.conf"), NGINX).unwrap();
        fs::write(place.join("real.toml"), system(load)).unwrap();
        let ran = lbsim(&place, &["run", "real.toml", "-q", "--requests=nginx"]);
        assert!(ran.status.success(), "{}", stderr(&ran));
        let log = "results/real/requests/1-nginx-round-robin-0.log";
        let done = lbsim(
            &place,
            &["import", "nginx.conf", "--log", log, "-o", "web.toml"],
        );
        assert!(done.status.success(), "{}", stderr(&done));
        let text = fs::read_to_string(place.join("web.toml")).unwrap();
        let scenario = crate::support::read_in(Path::new("."), &text);
        let plan = &scenario.variants[0].blueprint;
        let rate = plan.sources[0]
            .rate(plan.end - lbsim::time::Time::ZERO)
            .unwrap();
        let asked = load.parse::<f64>().unwrap() * 400.0;
        assert!((rate / asked - 1.0).abs() < 0.05, "{rate} is not {asked}");
        let due = [(4, 0.020), (1, 0.015), (2, 0.015)];
        for (group, (slots, mean)) in plan.services[0].groups.iter().zip(due) {
            assert_eq!(group.slots, slots, "{load}: {text}");
            let found = group.service.mean();
            assert!(
                (found / mean - 1.0).abs() < 0.05,
                "{found} is not {mean}: {text}"
            );
        }
    }
}

/// Import, other weights, export: of the configuration only the weights change.
#[test]
fn weights_go_back_where_they_came_from() {
    let place = scratch("import-export");
    fs::write(place.join("nginx.conf"), NGINX).unwrap();
    let done = lbsim(&place, &["import", "nginx.conf", "-o", "web.toml"]);
    assert!(done.status.success(), "{}", stderr(&done));
    assert!(stderr(&done).contains("nginx.conf:8"), "{}", stderr(&done));
    let text = fs::read_to_string(place.join("web.toml")).unwrap();
    let weights: Vec<f64> = text.parse::<toml::Table>().unwrap()["services"][0]["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|server| number(server.as_table().unwrap(), "weight"))
        .collect();
    assert_eq!(weights, [3.0, 1.0, 2.0]);
    // The same weights: nothing to do.
    let same = lbsim(
        &place,
        &["export", "web.toml", "--into", "nginx.conf", "--write"],
    );
    assert!(
        same.status.success() && stderr(&same).contains("already"),
        "{}",
        stderr(&same)
    );
    let other = text
        .replace("weight = 3", "weight = 17")
        .replace("weight = 1\n", "weight = 4\n");
    fs::write(place.join("web.toml"), other).unwrap();
    let shown = lbsim(&place, &["export", "web.toml", "--into", "nginx.conf"]);
    assert!(
        stdout(&shown).contains("+    server 10.0.0.1:80 weight=17;  # new"),
        "{}",
        stdout(&shown)
    );
    assert_eq!(fs::read_to_string(place.join("nginx.conf")).unwrap(), NGINX);
    let done = lbsim(
        &place,
        &["export", "web.toml", "--into", "nginx.conf", "--write"],
    );
    assert!(done.status.success(), "{}", stderr(&done));
    let new = NGINX
        .replace("weight=3;", "weight=17;")
        .replace("0.2:80;", "0.2:80 weight=4;");
    assert_eq!(fs::read_to_string(place.join("nginx.conf")).unwrap(), new);
}

#[test]
fn what_cannot_be_imported_is_refused_with_its_place() {
    let place = scratch("import-bad");
    let bad =
        "upstream web {\n    server 10.0.0.1:80 weight=0;\n    server 10.0.0.2:80 wieght=2;\n}\n";
    fs::write(place.join("bad.conf"), bad).unwrap();
    let done = lbsim(&place, &["import", "bad.conf", "-o", "web.toml"]);
    assert_eq!(done.status.code(), Some(2));
    let said = stderr(&done);
    assert!(
        said.contains("bad.conf:2") && said.contains("bad.conf:3"),
        "{said}"
    );
    assert!(!place.join("web.toml").exists());
    let two = "upstream a { server 10.0.0.1:80; }\nupstream b { server 10.0.0.2:80; }\n";
    fs::write(place.join("two.conf"), two).unwrap();
    let done = lbsim(&place, &["import", "two.conf"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(
        stderr(&done).contains("choose one with `--pool`"),
        "{}",
        stderr(&done)
    );
    let chosen = lbsim(&place, &["import", "two.conf", "--pool", "b"]);
    assert!(
        stdout(&chosen).contains("address = \"10.0.0.2:80\""),
        "{}",
        stdout(&chosen)
    );
}

/// All files of a folder, by name.
fn texts(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(texts(&path));
        } else {
            let text = fs::read_to_string(&path).unwrap();
            found.insert(path, text);
        }
    }
    found
}

/// A configuration without its weights: ` weight=3` of nginx, ` weight 3` of HAProxy, and without
/// white space.
fn weightless(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut out = String::new();
    let mut skip = false;
    for word in words {
        if std::mem::take(&mut skip) {
            continue;
        }
        if word == "weight" {
            skip = true;
            continue;
        }
        match word.find("weight=") {
            Some(at) => {
                let rest = word[at + 7..].trim_start_matches(|c: char| c.is_ascii_digit());
                out += &word[..at];
                out += rest;
            }
            None => out += word,
        }
    }
    out
}

/// The pools of a configuration: name, and the weights of the servers.
type Pools = Vec<(String, Vec<u32>)>;

/// A value that only the environment knows is said to be missing, and the rest is a scenario.
#[test]
fn addresses_that_a_scenario_does_not_take_are_left_out() {
    let place = scratch("import-addresses");
    let text = "backend web\n    balance source\n    server known 10.0.0.1:80\n    server variable \"${APP_HOST}:80\"\n    \
        server portless 10.0.0.3\n    server spaced \"unix@/run/a b.sock\"\n";
    fs::write(place.join("web.cfg"), text).unwrap();
    let done = lbsim(&place, &["import", "web.cfg", "-o", "web.toml"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let scenario = fs::read_to_string(place.join("web.toml")).unwrap();
    for due in [
        "name = \"known\"\naddress = \"10.0.0.1:80\"\n",
        "# Its address, `${APP_HOST}:80`, has a host that is neither a name nor an address",
        "# Its address, `10.0.0.3`, has no port",
        "# Its address, `unix@/run/a b.sock`, has no port",
        "web.cfg:4: The address `${APP_HOST}:80` names an environment variable",
    ] {
        assert!(scenario.contains(due), "{due}: {scenario}");
    }
    assert_eq!(scenario.matches("\naddress = ").count(), 1, "{scenario}");
    let done = lbsim(&place, &["check", "web.toml"]);
    assert!(done.status.success(), "{}", stderr(&done));
}

/// What `import` writes of each pool of each configuration is a scenario; with other weights
/// `export` changes weights alone.
fn go_round(folder: &str, ending: &str, read: fn(&Path) -> Pools) -> usize {
    let place = scratch(&format!("import-round-{folder}"));
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/config")
        .join(folder);
    let originals = texts(&source);
    let lay = || {
        for (path, text) in &originals {
            let target = place.join(path.strip_prefix(&source).unwrap());
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(target, text).unwrap();
        }
    };
    lay();
    let mut seen = 0;
    for entry in fs::read_dir(&source).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.ends_with(ending) {
            continue;
        }
        for (pool, weights) in read(&place.join(&name)) {
            let imported = place.join("pool.toml");
            let done = lbsim(
                &place,
                &["import", &name, "--pool", &pool, "-o", "pool.toml"],
            );
            assert!(done.status.success(), "{name}: {}", stderr(&done));
            let scenario = fs::read_to_string(&imported).unwrap();
            let lines = scenario
                .lines()
                .map(|line| match line.strip_prefix("weight = ") {
                    Some(weight) => {
                        format!("weight = {}", weight.parse::<u32>().unwrap() % 200 + 7)
                    }
                    None => line.to_owned(),
                });
            fs::write(&imported, lines.collect::<Vec<_>>().join("\n")).unwrap();
            let done = lbsim(
                &place,
                &[
                    "export",
                    "pool.toml",
                    "--into",
                    &name,
                    "--pool",
                    &pool,
                    "--write",
                ],
            );
            if stderr(&done).contains("cannot be written without touching anything else") {
                continue;
            }
            assert!(done.status.success(), "{name}: {}", stderr(&done));
            let due: Vec<u32> = weights.iter().map(|weight| weight % 200 + 7).collect();
            let again = read(&place.join(&name));
            let got = again.iter().find(|(own, _)| *own == pool).unwrap();
            assert_eq!(got.1, due, "{name}, {pool}");
            for (path, text) in &originals {
                let new =
                    fs::read_to_string(place.join(path.strip_prefix(&source).unwrap())).unwrap();
                assert_eq!(weightless(&new), weightless(text), "{}", path.display());
            }
            seen += 1;
            lay();
        }
    }
    seen
}

fn pools(configuration: &lbsim::config::Configuration) -> Pools {
    let weights =
        |pool: &lbsim::config::Pool| pool.servers.iter().map(|server| server.weight).collect();
    let all = configuration
        .pools
        .iter()
        .filter(|pool| !pool.servers.is_empty());
    all.map(|pool| (pool.name.clone(), weights(pool))).collect()
}

#[test]
fn configurations_of_nginx_go_round() {
    let seen = go_round("nginx", ".conf", |path| {
        pools(&lbsim::config::nginx::read(path).unwrap())
    });
    assert!(seen >= 12, "{seen}");
}

#[test]
fn configurations_of_haproxy_go_round() {
    let seen = go_round("haproxy", ".cfg", |path| {
        pools(&lbsim::config::haproxy::read(path).unwrap())
    });
    assert!(seen >= 12, "{seen}");
}
