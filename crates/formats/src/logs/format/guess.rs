//! Which format a log may have, by its first lines.

use std::borrow::Cow;

use super::columns::Columns;
use super::{Format, Kind, Work, csv, envoy, nginx};
use crate::logs::{Entry, carrier};
use crate::tabular;

/// Traefik's JSON (access logs, fields): `StartUTC` is the arrival, lengths are nanoseconds.
pub(super) const TRAEFIK: &str = "arrived:StartUTC,arrived:StartLocal,took:Duration:ns,server:ServiceAddr,\
    server-took:OriginDuration:ns,server-status:OriginStatus,pool:ServiceName,client:ClientHost,route:RequestPath,status:DownstreamStatus,\
    bytes:DownstreamContentSize";

/// Caddy's JSON (log encoders): `ts` is written at the end, `duration` in seconds.
pub(super) const CADDY: &str = "ended:ts,took:duration:s,client:request.client_ip,client:request.remote_ip,route:request.uri,\
    status:status,bytes:size";

/// Google Cloud's application load balancers ("HTTP(S) load balancing log records"): the stamp is
/// when the request came.
pub(super) const GCP: &str = "arrived:timestamp,took:httpRequest.latency,server:httpRequest.serverIp,\
    pool:resource.labels.backend_service_name,client:httpRequest.remoteIp,route:httpRequest.requestUrl,status:httpRequest.status,\
    bytes:httpRequest.responseSize";

/// JSON or CSV whose columns are called as the variables of nginx.
const NGINX: &str = "ended:msec,ended:time_iso8601,ended:time_local,ended:@timestamp,ended:timestamp,ended:time,\
    took:request_time,server:upstream_addr,server-took:upstream_response_time,server-status:upstream_status,\
    pool:proxy_upstream_name,pool:upstream_name,client:remote_addr,client:client_ip,client:http_x_forwarded_for,\
    route:request_uri,route:request,route:uri,status:status,bytes:bytes_sent,bytes:body_bytes_sent";

/// Columns as people call them who write their own.
const COMMON: &str = "arrived:arrived,arrived:start_time,arrived:start,ended:ended,ended:end_time,arrived:timestamp,\
    arrived:TIMESTAMP,arrived:@timestamp,arrived:time,arrived:ts,took:took,took:took_ms,took:tookMs,took:duration,took:duration_ms,took:durationMs,took:elapsed_ms,took:latency,\
    took:latency_ms,took:response_time,took:response_time_ms,server:server,server:upstream,server:backend,client:client,\
    client:client_ip,client:ip,route:route,route:path,route:url,status:status,status:status_code,bytes:bytes,pool:pool";

/// The share of lines that a format must read to be taken.
const ENOUGH: f64 = 0.8;

/// The number of lines that a format reads, among those that are requests, and how many there are.
fn score(format: &Format, lines: &[&[u8]]) -> (usize, usize) {
    let (mut entry, mut work) = (Entry::default(), Work::default());
    let (mut read, mut due) = (0, 0);
    for line in lines {
        match format.line(line, &mut entry, &mut work) {
            Ok(Kind::Request) => (read, due) = (read + 1, due + 1),
            Ok(Kind::Other) => {}
            // The format fits; something has to be said of the log yet.
            Err(fault) if fault.asks => (read, due) = (read + 1, due + 1),
            Err(_) => due += 1,
        }
    }
    (read, due)
}

/// The keys of a JSON line, those of objects within after a dot.
fn keys(line: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let start = memchr::memchr(b'{', line).unwrap_or(line.len());
    let text = line.get(start..).unwrap_or_default();
    if let Ok(serde_json::Value::Object(object)) = serde_json::from_slice(text) {
        keys_of(&object, "", &mut found);
    }
    found
}

fn keys_of(
    object: &serde_json::Map<String, serde_json::Value>,
    inside: &str,
    found: &mut Vec<String>,
) {
    for (key, value) in object {
        let name = format!("{inside}{key}");
        if let serde_json::Value::Object(inner) = value {
            keys_of(inner, &format!("{name}."), found);
        }
        found.push(name);
    }
}

/// Whether columns are called as variables of nginx.
fn is_nginx(names: &[String]) -> bool {
    names.iter().any(|name| {
        matches!(
            name.as_str(),
            "request_time" | "remote_addr" | "body_bytes_sent"
        )
    })
}

fn columns(text: &str, names: &[String]) -> Option<Columns> {
    let all: Columns = text.parse().ok()?;
    all.only(|name| names.iter().any(|known| known == name))
}

impl Format {
    /// The format of a log, guessed from its first lines; `None` where none fits. Some ten lines
    /// are enough; the first must be the first of the file, since it may be a header.
    pub fn guess(lines: &[&[u8]]) -> Option<Format> {
        let lines: Vec<&[u8]> = lines
            .iter()
            .map(|line| tabular::without_mark(line).trim_ascii())
            .filter(|line| !line.is_empty())
            .collect();
        // Lines within the JSON of a carrier are what the log is of.
        let inner: Vec<Cow<'_, [u8]>> = lines.iter().map(|line| carrier::unwrapped(line)).collect();
        if inner.iter().any(|line| matches!(line, Cow::Owned(_))) {
            let inner: Vec<&[u8]> = inner.iter().map(|line| &**line).collect();
            let of_docker = lines
                .iter()
                .any(|line| carrier::wrapped(line, true).is_some());
            let found = Format::of(&inner);
            // Of other carriers' JSON that holds JSON, nobody can tell which of both is the log.
            let is_json = matches!(found, Some(Format::Json(_) | Format::Envoy(_)));
            if found.is_some() && (of_docker || !is_json) {
                return found;
            }
        }
        Format::of(&lines)
    }

    fn of(lines: &[&[u8]]) -> Option<Format> {
        if lines.iter().any(|line| line.starts_with(b"#Fields:")) {
            return Some(Format::W3c(None)).filter(|format| score(format, lines).0 > 0);
        }
        let lines: Vec<&[u8]> = lines
            .iter()
            .copied()
            .filter(|line| !line.starts_with(b"#"))
            .collect();
        let first = lines.first()?;
        let mut candidates: Vec<Format> = Vec::new();
        // JSON after nothing, or after a short prefix.
        let names = keys(first);
        let has = |name: &str| names.iter().any(|known| known == name);
        if !names.is_empty() {
            if has("StartUTC") || has("OriginDuration") {
                candidates.extend(columns(TRAEFIK, &names).map(Box::new).map(Format::Json));
            }
            if has("httpRequest.requestUrl") && has("timestamp") {
                candidates.extend(columns(GCP, &names).map(Box::new).map(Format::Json));
            }
            if has("request.uri") && has("ts") {
                candidates.extend(columns(CADDY, &names).map(Box::new).map(Format::Json));
            }
            if has("response_code") || has("upstream_host") || has("response_flags") {
                candidates.extend(
                    columns(envoy::KEYS, &names)
                        .map(Box::new)
                        .map(Format::Envoy),
                );
            }
            if is_nginx(&names) {
                candidates.extend(columns(NGINX, &names).map(Box::new).map(Format::Json));
            }
            candidates.extend(columns(COMMON, &names).map(Box::new).map(Format::Json));
        } else {
            let words = [
                "haproxy",
                "haproxy-clf",
                "alb",
                "elb",
                "nlb",
                "envoy",
                "ingress-nginx",
                "traefik-common",
                "combined",
                "common",
            ];
            candidates.extend(words.iter().filter_map(|word| word.parse().ok()));
            let more = format!("{} \"$http_x_forwarded_for\"", nginx::COMBINED);
            for format in [
                nginx::MEASURED.to_owned(),
                format!("{more} $request_time"),
                format!("{more} $request_time $upstream_response_time"),
                format!("{} $request_time", nginx::COMBINED),
                format!("{} $request_time $upstream_response_time", nginx::COMBINED),
                more,
            ] {
                candidates.extend(format.parse().ok().map(Box::new).map(Format::Nginx));
            }
            if let Some((_, names)) = csv::header(first).filter(|(_, names)| names.len() > 1) {
                let text = if is_nginx(&names) { NGINX } else { COMMON };
                candidates.extend(columns(text, &names).map(Box::new).map(Format::Csv));
            }
        }
        let mut best: Option<(f64, Format)> = None;
        for format in candidates {
            let (read, due) = score(&format, &lines);
            let share = if due == 0 {
                0.0
            } else {
                read as f64 / due as f64
            };
            if share >= ENOUGH && best.as_ref().is_none_or(|(most, _)| share > *most) {
                best = Some((share, format));
            }
        }
        best.map(|(_, format)| format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(text: &str) -> String {
        let lines: Vec<&[u8]> = text.lines().map(str::as_bytes).collect();
        Format::guess(&lines).map_or("none".to_owned(), |format| format.to_string())
    }

    #[test]
    fn known_logs() {
        let combined = r#"83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 203023 "-" "Mozilla/5.0""#;
        assert!(guess(combined).ends_with("\"$http_user_agent\""));
        assert!(guess(&format!("{combined} \"-\"")).ends_with("\"$http_x_forwarded_for\""));
        assert!(
            guess(&format!("{combined} 0.003")).ends_with("\"$http_user_agent\" $request_time")
        );
        assert!(
            guess(r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 -"#)
                .ends_with("$body_bytes_sent")
        );
        assert_eq!(
            guess(
                r#"haproxy[9]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET / HTTP/1.1""#
            ),
            "haproxy"
        );
        assert!(guess(r#"[2016-04-15T20:17:00.310Z] "POST /a HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq2http" "cc21" "locations" "tcp://10.0.2.1:80""#).starts_with("envoy="));
        assert!(guess(r#"{"start_time":"2020-11-25T21:26:18.409Z","duration":4,"upstream_host":"127.0.0.1:80","response_code":200}"#).starts_with("envoy=arrived:start_time,took:duration:ms,server:upstream_host"));
        assert!(
            guess(r#"{"StartUTC":"2020-11-25T21:26:18.409Z","Duration":4000}"#)
                .starts_with("json=arrived:StartUTC,took:Duration:ns")
        );
        assert!(
            guess(r#"{"ts":1646861401.52,"request":{"uri":"/"},"duration":0.001}"#)
                .starts_with("json=ended:ts,took:duration:s,route:request.uri")
        );
        assert!(guess(r#"{"time_iso8601":"2020-11-25T21:26:18+00:00","request_time":"0.004","msec":"1606339578.409"}"#).starts_with("json=ended:msec,ended:time_iso8601,took:request_time"));
        assert_eq!(
            guess("timestamp,latency_ms,client\n1700000000.5,12,a\n"),
            "csv=arrived:timestamp,took:latency_ms:ms,client:client"
        );
        assert_eq!(
            guess("time,duration\n2023-11-14T22:13:20Z,12\n"),
            "csv=arrived:time,took:duration"
        );
        assert_eq!(
            guess(
                "#Software: Microsoft\n#Fields: date time c-ip time-taken\n2023-11-14 22:13:20 a 1\n"
            ),
            "w3c"
        );
        let line = format!("{combined} 1700000000.250 0.012 10.0.0.1:80 0.012");
        assert!(
            guess(&line).ends_with("$msec $request_time $upstream_addr $upstream_response_time")
        );
        let quoted = serde_json::Value::String(format!("{line}\n"));
        let docker =
            format!(r#"{{"log":{quoted},"stream":"stdout","time":"2023-11-14T22:13:20.3Z"}}"#);
        assert_eq!(guess(&docker), guess(&line));
        assert_eq!(
            guess(&format!(r#"{{"MESSAGE":{quoted},"_PID":"1"}}"#)),
            guess(&line)
        );
        assert_eq!(guess(&format!("web-1  | {line}")), guess(&line));
        for text in ["", "once upon a time", "a,b\n1,2", "{}", "{\"a\":1}"] {
            assert_eq!(guess(text), "none", "{text}");
        }
    }
}
