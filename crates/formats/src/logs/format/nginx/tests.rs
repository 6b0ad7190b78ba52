//! Lines of nginx.

use super::*;

fn read(format: &str, text: &str) -> Result<Entry, NoEntry> {
    let format: Nginx = format.parse().unwrap();
    let (mut entry, mut work) = (Entry::default(), Work::default());
    format
        .line(text.as_bytes(), &mut entry, &mut work)
        .map(|_| entry)
}

const END: i64 = 1_431_857_103_000_000_000;

#[test]
fn combined() {
    let entry = read(COMBINED, r#"2001:db8::1 - frank o [17/May/2015:10:05:03 +0000] "GET /a\x22b?c HTTP/1.1" 200 203023 "-" "Mozilla/5.0 \"x\" (X11)""#).unwrap();
    assert_eq!((entry.arrived, entry.took), (END, None));
    assert_eq!(
        (entry.client.as_str(), entry.route.as_str()),
        ("2001:db8::1", "/a\"b")
    );
    assert_eq!((entry.status, entry.bytes), (Some(200), Some(203_023)));
    assert!(entry.attempts.is_empty());
    let entry = read(
        COMBINED,
        r#"10.0.0.1 - - [17/May/2015:10:05:03 +0000] "\x16\x03\x01" 400 - "-" "-""#,
    )
    .unwrap();
    assert_eq!((entry.route.as_str(), entry.bytes), ("", None));
}

#[test]
fn ingress_with_retries() {
    let entry = read(INGRESS, r#"10.9.9.9 - - [17/May/2015:10:05:03 +0000] "POST /pay HTTP/1.1" 200 12 "-" "curl" 90 1.250 [shop-pay-80] [] 10.0.0.1:80, [fd00::2]:80 : 10.0.0.3:80 0, 0, 12 0.100, 0.500 : 0.250 502, 504 : 200 5f2b"#).unwrap();
    assert_eq!(entry.arrived, END - 1_250_000_000);
    assert_eq!(
        (entry.took, entry.pool.as_str()),
        (Some(1_250_000_000), "shop-pay-80")
    );
    let found: Vec<(&str, i64, Option<u64>, bool)> = entry
        .attempts
        .iter()
        .map(|attempt| {
            (
                attempt.server.as_str(),
                (attempt.began - entry.arrived) / 1_000_000,
                attempt.took,
                attempt.failed,
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("10.0.0.1:80", 0, None, true),
            ("[fd00::2]:80", 100, None, true),
            ("10.0.0.3:80", 600, Some(250_000_000), false)
        ]
    );
    let entry = read(INGRESS, r#"10.9.9.9 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 499 0 "-" "curl" 90 0.010 [shop] [] - - - - 5f2b"#).unwrap();
    assert!(entry.attempts.is_empty());
}

#[test]
fn clocks_clients_and_timers() {
    let format = r#"$time_iso8601|$msec|$http_x_forwarded_for|$remote_addr|$host$request_uri|$request_time|$upstream_addr|$upstream_connect_time|$upstream_header_time|$upstream_response_time|$upstream_status|${bytes_sent}"#;
    let entry = read(format, "2015-05-17T10:05:03+00:00|1431857103.250|192.0.2.7, 10.0.0.5|unix:|example.org/x/y?z|0.030|10.0.0.1:80|0.002|0.010|0.020|200|77").unwrap();
    assert_eq!(entry.arrived, END + 220_000_000);
    assert_eq!(
        (entry.client.as_str(), entry.route.as_str(), entry.bytes),
        ("192.0.2.7", "/x/y", Some(77))
    );
    let attempt = &entry.attempts[0];
    assert_eq!(
        (attempt.began, attempt.took),
        (entry.arrived + 2_000_000, Some(18_000_000))
    );
    let entry = read(
        format,
        "2015-05-17T10:05:03+00:00|-|-|10.0.0.5|-|-|10.0.0.1:80|-|-|0.020|-|-",
    )
    .unwrap();
    assert_eq!((entry.arrived, entry.took), (END - 20_000_000, None));
    assert_eq!(entry.attempts[0].took, None);
    // No server could be chosen: the name of the group stands there.
    let entry = read(
        format,
        "-|1431857103.250|-|10.0.0.5|-|0.000|10.0.0.1:80, web|-, -|-, -|0.000, 0.000|502, 502|-",
    )
    .unwrap();
    assert_eq!((entry.attempts.len(), entry.pool.as_str()), (1, "web"));
    assert!(entry.attempts[0].failed && entry.attempts[0].took.is_none());
}

#[test]
fn json_by_hand() {
    let format = r#"log_format main escape=json '{"time":"$time_iso8601","ip":"$remote_addr",'
        '"request":"$request","status":$status,'
        '"took":$request_time,"up":"$upstream_addr","up_took":"$upstream_response_time","agent":"$http_user_agent"}';"#;
    let entry = read(format, r#"{"time":"2015-05-17T10:05:03+00:00","ip":"10.0.0.9","request":"GET /a\"b HTTP/1.1","status":200,"took":0.004,"up":"10.0.0.1:80, 10.0.0.2:80","up_took":"0.001, 0.002","agent":"say \"hi\","}"#).unwrap();
    assert_eq!(
        (entry.route.as_str(), entry.took),
        ("/a\"b", Some(4_000_000))
    );
    assert_eq!(entry.attempts.len(), 2);
    let entry = read(format, r#"{"time":"2015-05-17T10:05:03+00:00","ip":"10.0.0.9","request":"","status":400,"took":0.000,"up":"","up_took":"","agent":""}"#).unwrap();
    assert!(entry.attempts.is_empty() && entry.route.is_empty());
}

#[test]
fn formats_that_cannot_be() {
    for (format, due) in [
        (
            "$remote_addr $request_tme [$time_local]",
            "did you mean `$request_time`?",
        ),
        (
            "$remote_addr $status",
            "none of $msec, $time_iso8601 and $time_local",
        ),
        (
            "$msec$status",
            "nothing stands between `$msec` and `$status`",
        ),
        ("$msec ${status", "not closed"),
        ("$msec $ x", "without a name"),
        ("escape=yaml $msec", "escape=yaml"),
        ("log_format main '$msec", "not closed"),
        ("", "does not tell the time"),
    ] {
        let error = format.parse::<Nginx>().unwrap_err().to_string();
        assert!(error.contains(due), "{format}: {error}");
    }
    // Variables of one's own are let be.
    assert!("$msec $tenant $my_pool_name".parse::<Nginx>().is_ok());
}

#[test]
fn bad_lines_say_where() {
    for (text, at, due) in [
        ("", 0, "` - ` is due after `$remote_addr`"),
        (
            r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5"#,
            62,
            "is due after `$body_bytes_sent`",
        ),
        (
            r#"1.2.3.4 - - [17/Mai/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5 "-" "-""#,
            13,
            "a date as",
        ),
        (
            r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" ok 5 "-" "-""#,
            58,
            "a status is due",
        ),
        (
            r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5 "-" "-" 0.1"#,
            71,
            "ends here",
        ),
        (
            r#"1.2.3.4 - - [-] "GET / HTTP/1.1" 200 5 "-" "-""#,
            0,
            "a time is due",
        ),
    ] {
        let fault = read(COMBINED, text).unwrap_err();
        assert!(
            fault.due.contains(due) && fault.at == at,
            "{text}: {fault:?}"
        );
    }
}
