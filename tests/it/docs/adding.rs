//! `docs/add-a-strategy.md` is true: what it adds is one file and one line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{blocks, copy, read, root, write};

/// Where the example goes.
const EXAMPLE: &str = "crates/strategies/src/strategy/textbook/failure_averse.rs";

/// Where its line goes.
const LIST: &str = "crates/strategies/src/strategy/mod.rs";

/// A copy of the crates with the strategy of `docs/add-a-strategy.md`: the file, and the line.
fn crate_with_the_example(page: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("add-a-strategy");
    let mut rust = blocks(page, "rust").into_iter();
    let (file, line) = (rust.next().unwrap(), rust.next().unwrap());
    // Files that are gone from the project must go from the copy, too; the example stays, to be
    // built once.
    for folder in ["src", "crates"] {
        fs::create_dir_all(place.join(folder)).unwrap();
        prune(&place.join(folder), &root().join(folder));
    }
    let list = read(LIST);
    let start = list.find("strategies! {").unwrap();
    let end = start + list[start..].find("\n    }").unwrap();
    let with_line = format!("{}\n{}{}", &list[..end], line.trim_end(), &list[end..]);
    for folder in ["src", "crates"] {
        copy_but(
            &root().join(folder),
            &place.join(folder),
            &root().join(LIST),
        );
    }
    copy(&root().join("tests/config"), &place.join("tests/config"));
    // `lbsim explain` reads there what columns mean.
    fs::create_dir_all(place.join("docs")).unwrap();
    write(
        &place.join("docs/results.md"),
        read("docs/results.md").as_bytes(),
    );
    write(&place.join(LIST), with_line.as_bytes());
    write(&place.join(EXAMPLE), file.as_bytes());
    let manifest = read("Cargo.toml");
    let (manifest, _benches) = manifest.split_once("\n[[bench]]").unwrap();
    write(&place.join("Cargo.toml"), manifest.as_bytes());
    write(&place.join("Cargo.lock"), read("Cargo.lock").as_bytes());
    write(&place.join("build.rs"), read("build.rs").as_bytes());
    place
}

fn copy_but(from: &Path, to: &Path, without: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_but(&path, &target, without);
        } else if path != without {
            write(&target, &fs::read(&path).unwrap());
        }
    }
}

fn prune(copy: &Path, original: &Path) {
    for entry in fs::read_dir(copy).unwrap() {
        let entry = entry.unwrap();
        let (path, other) = (entry.path(), original.join(entry.file_name()));
        match (path.is_dir(), other.exists()) {
            (true, true) => prune(&path, &other),
            (true, false) => fs::remove_dir_all(&path).unwrap(),
            (false, false) if !path.ends_with(EXAMPLE) => fs::remove_file(&path).unwrap(),
            (false, _) => {}
        }
    }
}

/// Adding a strategy is one file and one line: the example is added to a copy of the crate, passes
/// the contract tests there, and does in a run what its page says. The first time this builds the
/// dependencies without optimization, which takes about a minute; later times take seconds.
#[test]
fn adding_a_strategy_is_one_file_and_one_line() {
    let page = read("docs/add-a-strategy.md");
    let place = crate_with_the_example(&page);
    let cargo = |arguments: &[&str]| {
        let done = Command::new(env!("CARGO"))
            .args(arguments)
            .current_dir(&place)
            .env("CARGO_TARGET_DIR", place.join("target"))
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env("CARGO_PROFILE_TEST_DEBUG", "false")
            .env("CARGO_PROFILE_TEST_OPT_LEVEL", "0")
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "cargo {}\n{}{}",
            arguments.join(" "),
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    let tests = cargo(&[
        "test",
        "--offline",
        "-p",
        "lbsim-strategies",
        "--lib",
        "strategy::",
    ]);
    for name in [
        "failure_averse::tests::",
        "contract::tests::picks_are_candidates ... ok",
    ] {
        assert!(tests.contains(name), "{tests}");
    }
    let scenario = place.join("dead-server.toml");
    fs::write(&scenario, &blocks(&page, "toml")[0]).unwrap();
    cargo(&[
        "run",
        "--offline",
        "--",
        "run",
        "dead-server.toml",
        "--replications",
        "2",
    ]);
    let summary = fs::read_to_string(place.join("results/dead-server/summary.csv")).unwrap();
    let success = |strategy: &str| -> f64 {
        let row = format!("{strategy},success_share,");
        let line = summary.lines().find(|line| line.starts_with(&row)).unwrap();
        line[row.len()..]
            .split(',')
            .next()
            .unwrap()
            .parse()
            .unwrap()
    };
    assert!(success("power-of-d") < success("round-robin"), "{summary}");
    assert!(success("failure-averse") > 0.99, "{summary}");
    let explained = cargo(&["run", "--offline", "--", "explain", "failure-averse"]);
    assert!(
        explained.contains("How long a failure is held against a member."),
        "{explained}"
    );
}
