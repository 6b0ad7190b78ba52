//! The older load balancers of AWS.
//!
//! Classic (user guide, "Access logs for your Classic Load Balancer"): the stamp is when the
//! request came, processing times are seconds, -1 where there was none. Network (user guide,
//! "Access logs for your Network Load Balancer"): one line a TLS connection, whose stamp is its
//! end; it does not say which target it went to.

use super::envoy::fields;
use super::{Kind, NoEntry, Work, set_route};
use crate::logs::clock::{self, SECOND};
use crate::logs::text::{host, known, push, target};
use crate::logs::{Entry, Escape};

fn moment(line: &[u8], text: &[u8]) -> Result<i64, NoEntry> {
    clock::iso(text)
        .ok_or_else(|| NoEntry::of(line, text, "a date as 2015-05-13T23:39:43.945958Z is due"))
}

fn number(line: &[u8], text: &[u8], due: &'static str) -> Result<Option<u64>, NoEntry> {
    known(text)
        .map(|text| clock::whole(text).ok_or_else(|| NoEntry::of(line, text, due)))
        .transpose()
}

fn few(line: &[u8], least: usize, count: usize) -> NoEntry {
    NoEntry::new(
        line.len(),
        format!("{least} fields are due at least, not {count}"),
    )
}

/// Reads one line of a classic load balancer.
pub(super) fn classic(line: &[u8], entry: &mut Entry, work: &mut Work) -> Result<Kind, NoEntry> {
    let mut found: [&[u8]; 12] = [&[]; 12];
    let count = fields(line, &mut found)?;
    if count < found.len() {
        return Err(few(line, found.len(), count));
    }
    let [
        stamp,
        _,
        client,
        server,
        before,
        during,
        after,
        status,
        answer,
        _,
        sent,
        request,
    ] = found;
    let arrived = moment(line, stamp)?;
    let length = |text: &[u8]| {
        clock::decimal(text, SECOND)
            .map(|nanos| u64::try_from(nanos).ok())
            .ok_or_else(|| NoEntry::of(line, text, "a processing time in seconds, or -1, is due"))
    };
    let (before, during, after) = (length(before)?, length(during)?, length(after)?);
    let whole = match (before, during, after) {
        (Some(before), Some(during), Some(after)) => {
            Some(before.saturating_add(during).saturating_add(after))
        }
        _ => None,
    };
    work.arrived(entry, arrived, whole);
    let status = number(line, status, "a status is due")?;
    entry.status = status.and_then(|status| u16::try_from(status).ok());
    entry.bytes = number(line, sent, "a number of bytes is due")?;
    push(&mut entry.client, host(client, true));
    set_route(entry, target(request), Escape::Hex);
    if let Some(server) = known(server) {
        let answer = number(line, answer, "a status of the instance is due")?;
        let mut attempt = work.spare.take(server);
        attempt.began = entry.arrived.saturating_add_unsigned(before.unwrap_or(0));
        attempt.took = during;
        attempt.failed = during.is_none() || answer.is_some_and(|answer| answer >= 500);
        entry.attempts.push(attempt);
    }
    Ok(Kind::Request)
}

/// Reads one line of a network load balancer.
pub(super) fn network(line: &[u8], entry: &mut Entry, work: &mut Work) -> Result<Kind, NoEntry> {
    let mut found: [&[u8]; 11] = [&[]; 11];
    let count = fields(line, &mut found)?;
    let [kind, _, stamp, _, _, client, _, lasted, _, _, sent] = found;
    if kind != b"tls" {
        return Err(NoEntry::new(0, "tls is due"));
    }
    if count < found.len() {
        return Err(few(line, found.len(), count));
    }
    let ended = moment(line, stamp)?;
    let lasted = number(line, lasted, "a connection time in milliseconds is due")?;
    let lasted = lasted.map(|millis| millis.saturating_mul(1_000_000));
    work.ended(entry, ended, lasted);
    entry.bytes = number(line, sent, "a number of bytes is due")?;
    push(&mut entry.client, host(client, true));
    Ok(Kind::Request)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Reader = fn(&[u8], &mut Entry, &mut Work) -> Result<Kind, NoEntry>;

    fn read(reader: Reader, text: &str) -> Result<Entry, NoEntry> {
        let (mut entry, mut work) = (Entry::default(), Work::default());
        reader(text.as_bytes(), &mut entry, &mut work).map(|_| entry)
    }

    const HTTP: &str = r#"2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/a?b HTTP/1.1" "curl/7.38.0" - -"#;

    #[test]
    fn classic_lines() {
        let entry = read(classic, HTTP).unwrap();
        assert_eq!(entry.arrived, 1_431_560_383_945_958_000);
        assert_eq!(
            (entry.took, entry.status, entry.bytes),
            (Some(1_178_000), Some(200), Some(29))
        );
        assert_eq!((&*entry.client, &*entry.route), ("192.168.131.39", "/a"));
        let attempt = &entry.attempts[0];
        assert_eq!(
            (&*attempt.server, attempt.took, attempt.failed),
            ("10.0.0.1:80", Some(1_048_000), false)
        );
        assert_eq!(attempt.began, entry.arrived + 73_000);
        let tcp = read(classic, r#"2015-05-13T23:39:43.945958Z my-tcp 192.168.131.39:2817 10.0.0.1:80 0.001069 0.000028 0.000041 - - 82 305 "- - - " "-" - -"#).unwrap();
        assert_eq!((tcp.status, tcp.attempts[0].took), (None, Some(28_000)));
        let none = read(classic, r#"2015-05-13T23:39:43.945958Z my-lb 192.168.131.39:2817 - -1 -1 -1 503 0 0 0 "GET http://a:80/ HTTP/1.1" "-" - -"#).unwrap();
        assert!(none.attempts.is_empty() && none.took.is_none());
        let silent = read(
            classic,
            &HTTP.replace("0.000073 0.001048 0.000057 200 200", "0.000073 -1 -1 504 0"),
        )
        .unwrap();
        assert!(silent.attempts[0].failed && silent.attempts[0].took.is_none());
        assert!(read(classic, "2015-05-13T23:39:43.945958Z my-lb").is_err());
        assert!(read(classic, &HTTP.replace("0.001048", "fast")).is_err());
    }

    #[test]
    fn network_lines() {
        let text = "tls 2.0 2018-12-20T02:59:40 net/my-nlb/c6e77e28c25b2234 g3d4b5e8bb8464cd 72.21.218.154:51341 172.100.100.185:443 5 2 98 246 - arn:aws:acm:us-east-2:1:certificate/2a - ECDHE-RSA-AES128-SHA TLSv12 - my-nlb.elb.us-east-2.amazonaws.com - - - 2018-12-20T02:59:30";
        let entry = read(network, text).unwrap();
        assert_eq!(entry.arrived, 1_545_274_780_000_000_000 - 5_000_000);
        assert_eq!(
            (entry.took, entry.bytes, &*entry.client),
            (Some(5_000_000), Some(246), "72.21.218.154")
        );
        assert!(entry.attempts.is_empty());
        assert!(read(network, "tls 2.0 2018-12-20T02:59:40 net").is_err());
        assert!(read(network, HTTP).is_err());
    }
}
