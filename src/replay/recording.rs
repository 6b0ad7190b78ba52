//! Recordings of real balancers: what was configured, what happened, and which server each request reached. The format
//! is described in `tests/golden/README.md`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// One recording: a JSON file.
#[derive(Clone, Debug, Deserialize)]
pub struct Recording {
    /// Whose picks these are.
    pub program: String,
    /// Which version of it.
    #[serde(default)]
    pub version: String,
    /// The part of its configuration that matters: its own text, or (Envoy, gRPC, tower) a JSON object.
    #[serde(default)]
    pub config: Value,
    /// The servers, in the order of the configuration.
    #[serde(default)]
    pub servers: Vec<Server>,
    /// What each request asked for, where the recording has requests one after another.
    #[serde(default)]
    pub keys: Vec<Value>,
    /// What happened, in order.
    #[serde(default)]
    pub events: Vec<Step>,
    /// Where each request went, or the request of each step that is one: a server's name, or none.
    #[serde(default)]
    pub picks: Vec<Value>,
    /// The servers tried for each request, in order.
    #[serde(default)]
    pub tried: Vec<Vec<String>>,
    /// What the client got.
    #[serde(default)]
    pub status: Vec<u16>,
    /// What the program's random numbers were, in order.
    #[serde(default)]
    pub draws: Vec<u32>,
    /// The program began at a random place, which is not known.
    #[serde(default)]
    pub random_start: bool,
    /// The program drew among equals.
    #[serde(default)]
    pub random_ties: bool,
    /// The program drew: only the shares of the servers can be compared.
    #[serde(default)]
    pub statistical: bool,
    /// Members that only some recordings have.
    #[serde(flatten)]
    pub further: BTreeMap<String, Value>,
}

/// A server of a recording.
#[derive(Clone, Debug, Deserialize)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Host and port.
    pub addr: String,
    /// Its weight.
    pub weight: u32,
    /// Members that only some recordings have.
    #[serde(flatten)]
    pub further: BTreeMap<String, Value>,
}

/// Something that happened.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Step {
    /// What: `open`, `close`, `request`, `down`, `up`, `admin`, `sample`, `load`, `start`, `finish`.
    pub op: String,
    /// Which request, where it may overlap others.
    pub id: Option<u64>,
    /// What it asks for.
    pub key: Option<Value>,
    /// Which server.
    pub server: Option<String>,
    /// When, in milliseconds.
    pub t_ms: Option<u64>,
    /// Whether the request reached no server yet.
    pub queued: bool,
    /// The cookie that the client sent: the server's value.
    pub cookie: Option<String>,
    /// The command of the operator.
    pub cmd: Option<String>,
    /// What the client got.
    pub status: Option<u16>,
    /// Members that only some steps have.
    #[serde(flatten)]
    pub further: BTreeMap<String, Value>,
}

impl Recording {
    /// The configuration as text.
    pub fn config_text(&self) -> String {
        match &self.config {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// The configuration as JSON, where it is that.
    pub fn config_json(&self) -> Option<Value> {
        match &self.config {
            Value::String(text) => serde_json::from_str(text).ok(),
            other => Some(other.clone()),
        }
    }

    /// The position of a server by its name.
    pub fn position(&self, name: &str) -> Option<u32> {
        let at = self.servers.iter().position(|server| server.name == name);
        at.map(|at| at as u32)
    }
}
