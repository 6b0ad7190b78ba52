//! Whole configurations: what is read of them, and that other weights touch nothing else.

use std::path::Path;

use super::*;
use crate::config::{Server, patch, render};

mod arbitrary;
mod faults;
mod lines;
mod pools;
mod weights;

macro_rules! fixtures {
    ($($name:literal),* $(,)?) => {
        /// Configurations of the kinds that projects publish: name and text.
        const FIXTURES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/config/haproxy/", $name, ".cfg")))),*
        ];
    };
}

fixtures![
    "bluegreen",
    "conditions",
    "crlf",
    "galera",
    "grpc",
    "kubernetes",
    "legacy",
    "patroni",
    "quotes",
    "rabbitmq",
    "redis",
    "router",
    "webfarm",
    "websocket",
];

fn configuration(text: &str) -> Configuration {
    match read_text(Path::new("haproxy.cfg"), text) {
        Ok(configuration) => configuration,
        Err(ReadError::Faulty { files, faults }) => panic!("{}", render(&files, &faults, false)),
        Err(error) => panic!("{error}"),
    }
}

fn fixture(name: &str) -> Configuration {
    let (_, text) = FIXTURES
        .iter()
        .find(|(known, _)| *known == name)
        .expect("a fixture");
    configuration(text)
}

/// A backend of two servers, with some lines before them.
fn backend(lines: &str) -> Configuration {
    configuration(&format!(
        "backend b\n mode http\n{lines}\n server a 10.0.0.1:80\n server b 10.0.0.2:80\n"
    ))
}

fn servers(pool: &Pool) -> Vec<String> {
    let show = |server: &Server| {
        let settings = server.settings.to_string().replace('\n', " ");
        let times = if server.count == 1 {
            String::new()
        } else {
            format!(" x{}", server.count)
        };
        let text = format!(
            "{} {}{times} weight {} {settings}",
            server.name, server.address, server.weight
        );
        text.trim_end().to_owned()
    };
    pool.servers.iter().map(show).collect()
}

fn table(text: &str) -> toml::Table {
    toml::from_str(text).expect("TOML")
}

/// Notes as `line: text`.
fn notes(configuration: &Configuration) -> Vec<String> {
    let show = |note: &Note| format!("{}: {}", configuration.line(&note.at), note.text);
    configuration.notes.iter().map(show).collect()
}

fn has_note(configuration: &Configuration, part: &str) -> bool {
    notes(configuration).iter().any(|note| note.contains(part))
}

#[test]
fn a_folder_is_read_in_the_order_of_its_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let write =
        |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    write(
        "10-defaults.cfg",
        "defaults\n mode http\n timeout server 7s\n",
    );
    write("20-b.cfg", "backend b\n server a 10.0.0.1:80 weight 3\n");
    write(".hidden.cfg", "nonsense\n");
    write("30-notes.txt", "nonsense\n");
    let configuration = read(folder.path()).expect("read");
    assert_eq!(configuration.files.len(), 2);
    assert_eq!(configuration.pools[0].balancer["timeout"], "7s".into());
    let patched = patch(&configuration, &[vec![Some(4)]]);
    assert_eq!(
        patched.files,
        [(1, "backend b\n server a 10.0.0.1:80 weight 4\n".to_owned())]
    );
    assert!(matches!(
        read(Path::new("no/such.cfg")),
        Err(ReadError::Io { .. })
    ));
}
