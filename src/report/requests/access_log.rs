//! Requests as lines of an access log, as nginx writes it: what `lbsim import --log` would find,
//! were the simulated system real.

use std::io::Write;

use super::lines::fixed;
use crate::model::blueprint::{Blueprint, SourcePlan};
use crate::observe::{Cause, Ended};
use crate::rng::Seeds;
use crate::time::Time;

/// The `log_format` of the lines: nginx's `combined`, then what the upstream module knows. It is
/// recognized by its looks.
pub use crate::logs::format::MEASURED as LOG_FORMAT;

/// When simulated time begins: 2026-01-01 00:00:00 UTC, in seconds since 1970.
const BEGINS: i64 = 1_767_225_600;

const MILLI: u64 = 1_000_000;

/// The addresses of a world.
pub(super) struct Addresses {
    clients: Vec<String>,
    /// The keys of each group of clients, as they stand in a request line; none where keys are
    /// numbers.
    keys: Vec<Vec<String>>,
    servers: Vec<String>,
}

impl Addresses {
    /// Those of one replication.
    pub(super) fn new(plan: &Blueprint, seeds: Seeds) -> Addresses {
        let sources = plan.sources.iter().zip(0..);
        let services = plan.services.iter();
        Addresses {
            clients: sources
                .flat_map(|(source, index)| {
                    let addresses = source.population.addresses.of(seeds, index);
                    let text = addresses.iter().map(ToString::to_string);
                    text.collect::<Vec<String>>()
                })
                .collect(),
            keys: plan.sources.iter().map(keys).collect(),
            servers: services
                .flat_map(|service| service.members.iter())
                .map(|member| member.address.clone())
                .collect(),
        }
    }

    /// Adds the line of a request. nginx reads a clock of whole milliseconds at the beginning and
    /// at the end of a request, and logs the difference (`ngx_http_log_request_time`, 1.22).
    pub(super) fn line(&self, text: &mut Vec<u8>, request: &Ended) {
        let ended = request.arrived + request.response_time;
        let millis = |time: Time| time.nanos() / MILLI;
        let took = |from: Time, to: Time| (millis(to) - millis(from)) * MILLI;
        let client = self.clients.get(request.client as usize);
        text.extend(client.map_or("-", String::as_str).as_bytes());
        text.extend(b" - - [");
        text.extend(time_local(BEGINS + (ended.nanos() / 1_000_000_000) as i64).as_bytes());
        // A buffer in memory takes all that is written.
        text.extend(b"] \"GET ");
        let keys = &self.keys[usize::from(request.group)];
        let key = usize::try_from(request.key)
            .ok()
            .and_then(|key| keys.get(key));
        match key {
            Some(key) => text.extend(key.as_bytes()),
            None => {
                let _ = write!(text, "/{}", request.key);
            }
        }
        let _ = write!(
            text,
            " HTTP/1.1\" {} {} \"-\" \"-\" ",
            status(request.failed),
            request.size
        );
        let since_1970 = BEGINS as u64 * 1000 + millis(ended);
        let _ = write!(text, "{}.{:03} ", since_1970 / 1000, since_1970 % 1000);
        seconds(text, took(request.arrived, ended));
        text.push(b' ');
        match request
            .server
            .and_then(|server| self.servers.get(server as usize))
        {
            Some(server) => {
                text.extend(server.as_bytes());
                text.push(b' ');
                let there = request.waited + request.service_time;
                let began = Time::from_nanos(ended.nanos() - there.nanos());
                seconds(text, took(began, ended));
            }
            None => text.extend(b"- -"),
        }
        text.push(b'\n');
    }
}

/// The keys of a group of clients as targets of requests: paths as they are, of other texts a path,
/// and what would break the line escaped as nginx does it.
fn keys(source: &SourcePlan) -> Vec<String> {
    let texts = source.key_texts.as_deref().unwrap_or_default();
    let target = |key: &str| {
        let mut target = String::with_capacity(key.len() + 1);
        if !key.starts_with('/') {
            target.push('/');
        }
        for byte in key.bytes() {
            match byte {
                b'"' | b'\\' | 0..=0x20 | 0x7f.. => {
                    target.push_str(&format!("\\x{byte:02X}"));
                }
                plain => target.push(char::from(plain)),
            }
        }
        target
    };
    texts.iter().map(|key| target(key)).collect()
}

fn status(failed: Option<Cause>) -> u16 {
    match failed {
        None => 200,
        Some(Cause::NoServer | Cause::Crash) => 502,
        Some(Cause::QueueFull) => 503,
        // Too many requests.
        Some(Cause::Limited) => 429,
        Some(Cause::Timeout) => 504,
        Some(Cause::Error) => 500,
        // nginx: the client has closed the connection.
        Some(Cause::GaveUp) => 499,
    }
}

/// Whole milliseconds as seconds.
fn seconds(text: &mut Vec<u8>, nanos: u64) {
    fixed(text, nanos / MILLI, 1_000);
}

/// A moment as `$time_local` has it, in UTC.
fn time_local(since_1970: i64) -> String {
    let moment = jiff::Timestamp::from_second(since_1970).unwrap_or_default();
    moment.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    #[test]
    fn a_line_is_as_nginx_writes_it() {
        let world = Addresses {
            clients: vec!["10.1.2.3".to_owned()],
            keys: vec![Vec::new()],
            servers: vec!["10.0.0.1:80".to_owned()],
        };
        let request = Ended {
            session: None,
            tries: 1,
            arrived: Time::from_nanos(1_999_900_000),
            client: 0,
            group: 0,
            key: 7,
            size: 1.0,
            server: Some(0),
            attempts: 1,
            service_time: Span::from_nanos(5_300_000),
            waited: Span::ZERO,
            response_time: Span::from_nanos(5_300_000),
            failed: None,
            measured: true,
        };
        let mut text = Vec::new();
        world.line(&mut text, &request);
        world.line(
            &mut text,
            &Ended {
                server: None,
                failed: Some(Cause::Timeout),
                ..request
            },
        );
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "10.1.2.3 - - [01/Jan/2026:00:00:02 +0000] \"GET /7 HTTP/1.1\" 200 1 \"-\" \"-\" 1767225602.005 0.006 10.0.0.1:80 0.006\n\
             10.1.2.3 - - [01/Jan/2026:00:00:02 +0000] \"GET /7 HTTP/1.1\" 504 1 \"-\" \"-\" 1767225602.005 0.006 - -\n"
        );
    }
}
