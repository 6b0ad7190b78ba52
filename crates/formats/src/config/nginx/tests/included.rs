//! Files that include others.

use std::fs;

use tempfile::TempDir;

use super::*;

/// A folder with files in it.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn read_main(folder: &TempDir) -> Result<Configuration, ReadError> {
    read(&folder.path().join("nginx.conf"))
}

/// What is said of a folder that is refused.
fn refused(folder: &TempDir) -> String {
    read_main(folder).unwrap_err().to_string()
}

#[test]
fn includes_are_followed_from_the_folder_of_the_first_file() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/config/nginx/main.conf"
    );
    let config = read(Path::new(path)).unwrap();
    let names: Vec<&str> = config
        .files
        .iter()
        .map(|file| file.path.file_name().unwrap().to_str().unwrap())
        .collect();
    // What begins with a dot is not matched, and what is included twice is one file.
    assert_eq!(
        names,
        [
            "main.conf",
            "upstreams.conf",
            "forum.example.org",
            "proxy.conf",
            "wiki.example.org"
        ]
    );
    let shown: Vec<String> = config.pools.iter().map(show).collect();
    assert_eq!(
        shown,
        [
            "kind=nginx-round-robin | timeout=45s retry={ max = 1 }\n10.9.0.1:4567 \
            2\n10.9.0.2:4567 1",
            "kind=nginx-round-robin | timeout=45s retry={ max = 1 }\n10.9.1.1:8080 \
            1\n10.9.1.2:8080 1",
        ]
    );
    assert_eq!(
        notes(&config),
        [
            "2 `worker_processes auto` was left out: each worker balances `forum`, `wiki` for \
            itself, as `instances` of a scenario's balancer do.",
            "19 `snippets/not-there.conf` is not there; what it holds is not known.",
        ]
    );
    let weights = [vec![Some(3), None], vec![None, Some(4)]];
    let patched = patch(&config, &weights);
    assert_eq!(patched.files.len(), 1);
    let (file, text) = &patched.files[0];
    assert_eq!(*file, 1);
    let expected = config.files[1]
        .text
        .replace("weight=2", "weight=3")
        .replace("10.9.1.2:8080;", "10.9.1.2:8080 weight=4;");
    assert_eq!(*text, expected);
}

#[test]
fn a_copy_is_read_from_its_own_folder() {
    let folder = folder(&[
        ("nginx.conf", "http { include /etc/nginx/conf.d/*.conf; }"),
        (
            "conf.d/a.conf",
            "upstream a { server 10.0.0.1; }\nserver { location / { proxy_pass \
            http://a; } }",
        ),
    ]);
    let config = read_main(&folder).unwrap();
    assert!(config.pool("a").is_some());
    assert!(
        config.notes[0].text.contains("a copy of `/etc/nginx`"),
        "{:?}",
        config.notes
    );
}

#[test]
fn circles_are_cut() {
    let circle = folder(&[
        ("nginx.conf", "include a.conf;"),
        ("a.conf", "include nginx.conf;"),
    ]);
    assert!(refused(&circle).contains("includes itself"));
    let deep: Vec<(String, String)> = (0..100)
        .map(|n| (format!("{n}.conf"), format!("include {}.conf;", n + 1)))
        .collect();
    let mut files: Vec<(&str, &str)> = deep
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    files.push(("nginx.conf", "include 0.conf;"));
    assert!(refused(&folder(&files)).contains("deep"));
}

#[test]
fn files_that_double_each_other_end() {
    let doubled: Vec<(String, String)> = (0..40)
        .map(|n| {
            (
                format!("{n}.conf"),
                format!("include {0}.conf; include {0}.conf;", n + 1),
            )
        })
        .collect();
    let mut files: Vec<(&str, &str)> = doubled
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    files.push(("nginx.conf", "include 0.conf;"));
    files.push(("40.conf", "a;"));
    assert!(refused(&folder(&files)).contains("more than"));
}

#[test]
fn a_file_of_other_bytes_is_refused() {
    let folder = folder(&[("nginx.conf", "include a.conf;")]);
    fs::write(folder.path().join("a.conf"), b"# caf\xe9\n").unwrap();
    assert!(refused(&folder).contains("cannot be read"));
}

#[test]
fn a_line_in_two_pools_is_written_for_one() {
    let folder = folder(&[
        (
            "nginx.conf",
            "upstream a { include s.conf; }\nupstream b { include s.conf; }",
        ),
        ("s.conf", "server 10.0.0.1 weight=2;"),
    ]);
    let config = read_main(&folder).unwrap();
    let places: Vec<bool> = config
        .pools
        .iter()
        .map(|pool| pool.servers[0].weight_at.is_some())
        .collect();
    assert_eq!(places, [true, false]);
    assert!(
        config
            .notes
            .iter()
            .any(|note| note.text.contains("stands in two pools"))
    );
    let patched = patch(&config, &[vec![Some(3)], vec![Some(4)]]);
    assert_eq!(patched.files, [(1, "server 10.0.0.1 weight=3;".to_owned())]);
    assert_eq!(patched.left, [("b".to_owned(), "10.0.0.1".to_owned())]);
}

#[test]
fn faults_stand_in_the_file_that_has_them() {
    let folder = folder(&[
        ("nginx.conf", "http { include a.conf; }"),
        (
            "a.conf",
            "\nupstream u \
            { server a weight=0; }",
        ),
    ]);
    let said = refused(&folder);
    assert!(said.contains("a.conf:2:23"), "{said}");
}
