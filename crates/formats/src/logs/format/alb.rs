//! AWS Application Load Balancer (user guide, "Access logs for your Application Load Balancer",
//! access log entries).
//!
//! `time` is when the answer was made, `request_creation_time` when the request was received; older
//! logs lack the latter, and the arrival is then the time less the three processing times.
//! `target_processing_time` ends where the target begins to send its head. A time of -1 says that
//! the target was not reached, or did not answer.

use super::envoy::fields;
use super::{Kind, NoEntry, Work, set_route};
use crate::logs::clock::{self, SECOND};
use crate::logs::text::{host, known, push, target};
use crate::logs::{Entry, Escape};

/// Fields that are looked at; later versions have more.
const FIELDS: usize = 22;
/// Fields of the oldest version.
const LEAST: usize = 13;

/// The name of a target group in its ARN: `arn:…:targetgroup/NAME/ID`.
fn group(arn: &[u8]) -> &[u8] {
    let mut parts = arn.split(|&byte| byte == b'/');
    match (parts.next(), parts.next()) {
        (Some(before), Some(name)) if before.ends_with(b"targetgroup") => name,
        _ => arn,
    }
}

/// Reads one line.
pub(super) fn line(line: &[u8], entry: &mut Entry, work: &mut Work) -> Result<Kind, NoEntry> {
    if line.starts_with(b"#") {
        return Ok(Kind::Other);
    }
    let mut found: [&[u8]; FIELDS] = [&[]; FIELDS];
    let count = fields(line, &mut found)?;
    if count < LEAST {
        return Err(NoEntry::new(
            line.len(),
            format!("{LEAST} fields are due at least, not {count}"),
        ));
    }
    let [
        kind,
        time,
        _,
        client,
        server,
        request_time,
        target_time,
        response_time,
        status,
        target_status,
        _,
        sent,
        request,
        _,
        _,
        _,
        arn,
        _,
        _,
        _,
        _,
        creation,
    ] = found;
    if !matches!(kind, b"http" | b"https" | b"h2" | b"grpcs" | b"ws" | b"wss") {
        return Err(NoEntry::new(0, "http, https, h2, grpcs, ws or wss is due"));
    }
    let moment = |text: &[u8]| {
        clock::iso(text)
            .ok_or_else(|| NoEntry::of(line, text, "a date as 2018-07-02T22:23:00.186641Z is due"))
    };
    let length = |text: &[u8]| {
        clock::decimal(text, SECOND)
            .map(|nanos| u64::try_from(nanos).ok())
            .ok_or_else(|| NoEntry::of(line, text, "a processing time in seconds, or -1, is due"))
    };
    let ended = moment(time)?;
    let (before, during, after) = (
        length(request_time)?,
        length(target_time)?,
        length(response_time)?,
    );
    match known(creation) {
        Some(creation) => {
            let arrived = moment(creation)?;
            work.arrived(
                entry,
                arrived,
                u64::try_from(ended.saturating_sub(arrived)).ok(),
            );
        }
        None => {
            let parts = [before, during, after];
            let any = parts.iter().any(Option::is_some);
            let sum = parts.into_iter().flatten().fold(0u64, u64::saturating_add);
            work.ended(entry, ended, any.then_some(sum));
        }
    }
    let number = |text: &[u8], due: &'static str| {
        known(text)
            .map(|text| clock::whole(text).ok_or_else(|| NoEntry::of(line, text, due)))
            .transpose()
    };
    entry.status = number(status, "a status is due")?.and_then(|status| u16::try_from(status).ok());
    entry.bytes = number(sent, "a number of bytes is due")?;
    push(&mut entry.client, host(client, true));
    set_route(entry, target(request), Escape::Hex);
    if let Some(arn) = known(arn) {
        push(&mut entry.pool, group(arn));
    }
    if let Some(server) = known(server) {
        let answer = number(target_status, "a status of the target is due")?;
        let mut attempt = work.spare.take(server);
        attempt.began = entry.arrived.saturating_add_unsigned(before.unwrap_or(0));
        attempt.took = during.filter(|_| answer.is_some());
        attempt.failed = match answer {
            Some(answer) => answer >= 500,
            // 460 is a client that has gone.
            None => entry.status != Some(460),
        };
        entry.attempts.push(attempt);
    }
    Ok(Kind::Request)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Entry, NoEntry> {
        let (mut entry, mut work) = (Entry::default(), Work::default());
        line(text.as_bytes(), &mut entry, &mut work).map(|_| entry)
    }

    const HTTPS: &str = r#"https 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://www.example.com:443/a/b?c=\x22d HTTP/1.1" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 "Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" "arn:aws:acm:us-east-2:123456789012:certificate/12345678-1234-1234-1234-123456789012" 1 2018-07-02T22:22:48.364000Z "authenticate,forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID_123456"#;

    #[test]
    fn a_full_line() {
        let entry = read(HTTPS).unwrap();
        assert_eq!(entry.arrived, 1_530_570_168_364_000_000);
        assert_eq!(entry.took, Some(11_822_641_000));
        assert_eq!(
            (entry.pool.as_str(), entry.client.as_str()),
            ("my-targets", "192.168.131.39")
        );
        assert_eq!(
            (entry.route.as_str(), entry.status, entry.bytes),
            ("/a/b", Some(200), Some(57))
        );
        let attempt = &entry.attempts[0];
        assert_eq!(
            (attempt.server.as_str(), attempt.took),
            ("10.0.0.1:80", Some(48_000_000))
        );
        assert_eq!(attempt.began, entry.arrived + 86_000_000);
    }

    #[test]
    fn no_target_no_answer_and_old_lines() {
        let entry = read(r#"http 2018-11-30T22:23:00.186641Z app/my/50 [2001:db8::1]:2817 - 0.000 -1 -1 502 - 34 366 "GET http://example.com:80/ HTTP/1.1" "curl" - - arn:x:targetgroup/a/b "Root=1" "-" "-" 0 2018-11-30T22:22:48.364000Z "forward" "-" "LambdaInvalidResponse""#).unwrap();
        assert!(entry.attempts.is_empty());
        assert_eq!(
            (entry.client.as_str(), entry.status),
            ("2001:db8::1", Some(502))
        );
        let entry = read(&HTTPS.replace("0.086 0.048 0.037 200 200", "-1 -1 -1 504 -")).unwrap();
        assert!(entry.attempts[0].failed && entry.attempts[0].took.is_none());
        let old = HTTPS.split(" ECDHE").next().unwrap();
        let entry = read(old).unwrap();
        assert_eq!(entry.took, Some(171_000_000));
        assert_eq!(entry.arrived, 1_530_570_180_186_641_000 - 171_000_000);
    }

    #[test]
    fn bad_lines() {
        for (text, column) in [("", 0), ("http 2018", 9)] {
            assert_eq!(read(text).unwrap_err().at, column);
        }
        assert!(
            read(&HTTPS.replace("0.048", "fast"))
                .unwrap_err()
                .due
                .contains("processing time")
        );
        assert!(read(&HTTPS.replace("https 2018", "smtp 2018")).is_err());
        assert!(read(&HTTPS.replace("HTTP/1.1\"", "HTTP/1.1")).is_err());
    }
}
