//! Whole files: what is read from them, and that weights can be written back.

use std::path::Path;

use super::{ReadError, read, read_text};
use crate::config::{Configuration, Pool, patch};

mod arbitrary;
mod carried;
mod faults;
mod included;
mod noted;
mod written;

/// The text of a file of `tests/config/nginx`.
macro_rules! text {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/config/nginx/",
            $name
        ))
    };
}

/// All of them that stand for themselves.
const TEXTS: [(&str, &str); 15] = [
    ("bluegreen.conf", text!("bluegreen.conf")),
    ("compose.conf", text!("compose.conf")),
    ("gateway.conf", text!("gateway.conf")),
    ("gunicorn.conf", text!("gunicorn.conf")),
    ("ingress.conf", text!("ingress.conf")),
    ("lua.conf", text!("lua.conf")),
    ("nextcloud.conf", text!("nextcloud.conf")),
    ("plus.conf", text!("plus.conf")),
    ("quoted.conf", text!("quoted.conf")),
    ("random.conf", text!("random.conf")),
    ("stream.conf", text!("stream.conf")),
    ("upstreams.conf", text!("conf.d/upstreams.conf")),
    (
        "forum.example.org",
        text!("sites-enabled/forum.example.org"),
    ),
    ("websocket.conf", text!("websocket.conf")),
    ("windows.conf", text!("windows.conf")),
];

/// Reads one of them.
fn config(name: &str) -> Configuration {
    let (_, text) = TEXTS.iter().find(|(known, _)| *known == name).unwrap();
    read_text(Path::new(name), text).unwrap_or_else(|error| panic!("{error}"))
}

/// A pool in few words: its strategy and further keys as TOML on one line, and its servers with
/// their weights.
fn show(pool: &Pool) -> String {
    let line = |table: &toml::Table| {
        let entries = table.iter().map(|(key, value)| format!("{key}={value}"));
        entries.collect::<Vec<_>>().join(" ").replace('"', "")
    };
    let mut text = format!("{} | {}", line(&pool.strategy), line(&pool.balancer));
    for server in &pool.servers {
        text.push_str(&format!(
            "\n{} {} {}",
            server.address,
            server.weight,
            line(&server.settings)
        ));
    }
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// Its notes with their lines.
fn notes(config: &Configuration) -> Vec<String> {
    let notes = config.notes.iter();
    notes
        .map(|note| format!("{} {}", config.line(&note.at), note.text))
        .collect()
}
