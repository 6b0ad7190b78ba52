//! Recordings of real balancers: what was configured, what happened, and which server each request
//! reached. The format is described in `tests/golden/README.md`.

use std::collections::{BTreeMap, BTreeSet};

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
    /// The part of its configuration that matters: its own text, or (Envoy, gRPC, tower) a JSON
    /// object.
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
    pub events: Vec<RecordedStep>,
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
pub struct RecordedStep {
    /// What: `open`, `close`, `request`, `down`, `up`, `admin`, `sample`, `load`, `start`,
    /// `finish`.
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
    /// Refuses what contradicts itself, of a recording of these servers: one of its parts is wrong
    /// then, and no comparison says which.
    ///
    /// # Errors
    /// What contradicts what, in a sentence.
    pub(super) fn check(&self, servers: &[&str]) -> Result<(), String> {
        self.check_lengths()?;
        for (at, name) in servers.iter().enumerate() {
            if servers[..at].contains(name) {
                return Err(format!("two servers are called `{name}`"));
            }
        }
        for at in 0..self.picks.len() {
            self.check_request(at, servers)
                .map_err(|why| format!("request {}: {why}", at + 1))?;
        }
        self.check_steps(servers)
    }

    /// What is written down for each request is written down for all.
    fn check_lengths(&self) -> Result<(), String> {
        let is_request = |step: &&RecordedStep| matches!(step.op.as_str(), "request" | "open");
        let requests = self.events.iter().filter(is_request).count();
        let picks = self.picks.len();
        if !self.events.is_empty() && requests != picks {
            return Err(format!(
                "there are {requests} requests among the events, but {picks} picks"
            ));
        }
        for (what, number) in [
            ("keys", self.keys.len()),
            ("lists in `tried`", self.tried.len()),
            ("values of `status`", self.status.len()),
        ] {
            if number > 0 && number != picks {
                return Err(format!("there are {picks} picks, but {number} {what}"));
            }
        }
        Ok(())
    }

    fn check_request(&self, at: usize, servers: &[&str]) -> Result<(), String> {
        let known = |name: &str| match servers.contains(&name) {
            true => Ok(()),
            false => Err(format!("there is no server `{name}`")),
        };
        let pick = match &self.picks[at] {
            Value::String(name) => Some(name.as_str()),
            Value::Null => None,
            other => return Err(format!("its pick is {other}, not a server's name")),
        };
        pick.map_or(Ok(()), known)?;
        if let Some(tried) = self.tried.get(at) {
            tried.iter().try_for_each(|name| known(name))?;
            if let Some(pick) = pick
                && tried.last().map(String::as_str) != Some(pick)
            {
                let tried = match tried.as_slice() {
                    [] => "nobody was tried".to_owned(),
                    tried => format!("what was tried is {}", tried.join(", then ")),
                };
                return Err(format!("its pick is {pick}, but {tried}"));
            }
        }
        match self.status.get(at) {
            Some(status @ 200..400) if pick.is_none() => Err(format!(
                "it went to nobody, but was answered with status {status}"
            )),
            _ => Ok(()),
        }
    }

    /// Time goes on, servers are known, and what ends has begun.
    fn check_steps(&self, servers: &[&str]) -> Result<(), String> {
        let mut open = BTreeSet::new();
        let mut last = 0;
        for (number, step) in (1..).zip(&self.events) {
            let fault = |what: String| Err(format!("event {number}, `{}`: {what}", step.op));
            if let Some(now) = step.t_ms {
                if now < last {
                    return fault(format!("it happens at {now} ms, after one at {last} ms"));
                }
                last = now;
            }
            if let Some(name) = step
                .server
                .as_deref()
                .filter(|name| !servers.contains(name))
            {
                return fault(format!("there is no server `{name}`"));
            }
            let Some(id) = step.id else { continue };
            match step.op.as_str() {
                "open" if !open.insert(id) => {
                    return fault(format!("request {id} is open already"));
                }
                "close" if !open.remove(&id) => return fault(format!("request {id} is not open")),
                "dequeued" if !open.contains(&id) => {
                    return fault(format!("request {id} is not open"));
                }
                _ => {}
            }
        }
        Ok(())
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(change: impl FnOnce(&mut Value)) -> Result<(), String> {
        let mut value = json!({
            "program": "nginx",
            "picks": ["a", "b", null],
            "tried": [["a"], ["a", "b"], ["a", "b"]],
            "status": [200, 200, 502],
            "events": [
                { "op": "open", "id": 1, "t_ms": 0 },
                { "op": "open", "id": 2, "t_ms": 5 },
                { "op": "down", "server": "a", "t_ms": 5 },
                { "op": "close", "id": 1, "t_ms": 7 },
                { "op": "request", "t_ms": 9 },
            ],
        });
        change(&mut value);
        let recording: Recording = serde_json::from_value(value).unwrap();
        recording.check(&["a", "b"])
    }

    #[test]
    fn contradictions_are_refused_with_their_place() {
        assert_eq!(said(|_| {}), Ok(()));
        let cases: [(&str, Value, &str); 12] = [
            (
                "/picks/1",
                json!("a"),
                "request 2: its pick is a, but what was tried is a, then b",
            ),
            (
                "/tried/0",
                json!([]),
                "request 1: its pick is a, but nobody was tried",
            ),
            (
                "/tried/2",
                json!(["a", "c"]),
                "request 3: there is no server `c`",
            ),
            ("/picks/0", json!("c"), "request 1: there is no server `c`"),
            (
                "/picks/0",
                json!(7),
                "request 1: its pick is 7, not a server's name",
            ),
            (
                "/status/2",
                json!(200),
                "request 3: it went to nobody, but was answered with status 200",
            ),
            (
                "/status",
                json!([200]),
                "there are 3 picks, but 1 values of `status`",
            ),
            (
                "/tried",
                json!([["a"]]),
                "there are 3 picks, but 1 lists in `tried`",
            ),
            (
                "/picks",
                json!(["a"]),
                "there are 3 requests among the events, but 1 picks",
            ),
            (
                "/events/1/id",
                json!(1),
                "event 2, `open`: request 1 is open already",
            ),
            (
                "/events/3/id",
                json!(3),
                "event 4, `close`: request 3 is not open",
            ),
            (
                "/events/4/t_ms",
                json!(6),
                "event 5, `request`: it happens at 6 ms, after one at 7 ms",
            ),
        ];
        for (place, value, says) in cases {
            let refused = said(|recording| *recording.pointer_mut(place).unwrap() = value);
            assert_eq!(refused, Err(says.to_owned()));
        }
        let refused = said(|recording| recording["events"][2]["server"] = json!("z"));
        assert_eq!(
            refused,
            Err("event 3, `down`: there is no server `z`".to_owned())
        );
    }
}
