//! Whole logs: as they are packed, as they are broken, and made up ones read back.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

const LINE: &str =
    r#"10.0.0.1 - - [17/May/2015:10:05:03 +0000] "GET /a?b HTTP/1.1" 200 12 "-" "curl""#;

fn format(text: &str) -> Format {
    text.parse().unwrap()
}

fn from(bytes: &[u8], format: &Format) -> Result<(Census, Vec<Entry>), LogError> {
    let mut entries = Vec::new();
    let census = read_from(bytes, format, Limits::default(), &mut |entry| {
        entries.push(entry.clone())
    })?;
    Ok((census, entries))
}

/// A file of these bytes, read as the combined format.
fn packed(bytes: &[u8]) -> Result<Census, LogError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    read(file.path(), &format("combined"), &mut |_| {})
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn packed_logs() {
    let two = format!("{LINE}\r\n{LINE}\n");
    let members = [gzip(&two), gzip(LINE)].concat();
    assert_eq!(packed(&members).unwrap().entries, 3);
    let frames = [
        zstd::encode_all(two.as_bytes(), 1).unwrap(),
        zstd::encode_all(LINE.as_bytes(), 1).unwrap(),
    ]
    .concat();
    assert_eq!(packed(&frames).unwrap().entries, 3);
    let census = packed(format!("\n# rotated\n{two}").as_bytes()).unwrap();
    assert_eq!((census.lines, census.entries, census.skipped), (4, 2, 2));
    assert_eq!(
        (census.resolution, census.length(), census.end_only),
        (Duration::from_secs(1), Duration::ZERO, 2)
    );

    let broken = packed(&members[..members.len() - 9]).unwrap_err();
    assert!(matches!(broken, LogError::Read { .. }), "{broken}");
    assert!(
        packed(b"BZh91AY")
            .unwrap_err()
            .to_string()
            .contains("bzip2")
    );
    assert!(packed(b"").unwrap_err().to_string().contains("no requests"));
    assert!(
        packed(&gzip("\n\n"))
            .unwrap_err()
            .to_string()
            .contains("2 lines")
    );
    let missing = read(
        &PathBuf::from("no/such/log"),
        &format("combined"),
        &mut |_| {},
    );
    assert!(matches!(missing, Err(LogError::Open(_))));
}

#[test]
fn bad_lines_are_counted_and_too_many_refused() {
    let good = format!("{LINE}\n").repeat(99);
    let (census, entries) =
        from(format!("{good}nonsense\n").as_bytes(), &format("combined")).unwrap();
    assert_eq!((census.bad, census.entries, entries.len()), (1, 99, 99));
    assert_eq!(
        census.examples[0].to_string(),
        "line 100, column 1: ` - ` is due after `$remote_addr`, and there stands `nonsense`"
    );
    let text = format!("{good}{}", "nonsense\n".repeat(6));
    let error = from(text.as_bytes(), &format("combined"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("6 of 105 lines cannot be read, more than 5%"),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1 + Census::EXAMPLES);
    let mut seen = 0;
    let lenient = Limits {
        bad_share: 0.1,
        ..Limits::default()
    };
    assert!(
        read_from(text.as_bytes(), &format("combined"), lenient, &mut |_| {
            seen += 1
        })
        .is_ok()
    );
    assert_eq!(seen, 99);
    // Not read to its end.
    let hopeless = "nonsense\n".repeat(50_000);
    let Err(LogError::Bad { census, .. }) = from(hopeless.as_bytes(), &format("haproxy")) else {
        panic!("it was read");
    };
    assert_eq!(census.lines, 10_000);
    let long = format!("{good}{}\n{good}", "x".repeat(2 << 20));
    let (census, _) = from(long.as_bytes(), &format("combined")).unwrap();
    assert_eq!((census.bad, census.entries), (1, 198));
    assert!(
        census.examples[0]
            .reason
            .contains("longer than 1048576 bytes")
    );
}

#[test]
fn invalid_text_is_no_obstacle() {
    let mut bytes = LINE.replace("/a?b", "/\u{1}?b").into_bytes();
    bytes
        .iter_mut()
        .filter(|byte| **byte == 1)
        .for_each(|byte| *byte = 0xff);
    let (_, entries) = from(&bytes, &format("combined")).unwrap();
    assert_eq!(entries[0].route, "/\u{fffd}");
    let json = b"{\"ts\":1,\"who\":\"\xff\"}";
    let (_, entries) = from(json, &format("json=arrived:ts,client:who")).unwrap();
    assert_eq!(entries[0].client, "\u{fffd}");
}

#[test]
fn csv_without_its_columns_is_refused() {
    let error = from(b"time,x\n1,2\n", &format("csv=arrived:tme"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("did you mean `time`?"), "{error}");
    let (census, entries) = from(b"time,x\n2,2\n1.5,2\n", &format("csv=arrived:time")).unwrap();
    assert_eq!(
        (entries.len(), census.out_of_order, census.latest_by),
        (2, 1, 500_000_000)
    );
    assert_eq!(census.resolution, Duration::from_millis(100));
}

#[test]
fn first_lines_are_enough_to_guess() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&gzip(&format!("{LINE}\n").repeat(30)))
        .unwrap();
    let lines = first_lines(file.path(), 10).unwrap();
    let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    assert_eq!(
        (lines.len(), Format::guess(&lines).unwrap().word()),
        (10, "nginx")
    );
}

/// One line of each format, to be broken.
fn samples() -> Vec<(Format, String)> {
    [
        ("combined", LINE),
        ("ingress-nginx", r#"10.9.9.9 - - [17/May/2015:10:05:03 +0000] "POST /pay HTTP/1.1" 200 12 "-" "curl" 90 1.250 [shop-pay-80] [] 10.0.0.1:80, [fd00::2]:80 : 10.0.0.3:80 0, 0, 12 0.100, 0.500 : 0.250 502, 504 : 200 5f2b"#),
        ("haproxy", r#"haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/20/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html?x HTTP/1.1""#),
        ("haproxy", "10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 3/7/5007 212 -- 0/0/0/0/3 0/0"),
        ("alb", r#"http 2018-11-30T22:23:00.186641Z app/my/50 [2001:db8::1]:2817 - 0.000 -1 -1 502 - 34 366 "GET http://example.com:80/ HTTP/1.1" "curl" - - arn:x:targetgroup/a/b "Root=1" "-" "-" 0 2018-11-30T22:22:48.364000Z "forward""#),
        ("envoy", r#"[2016-04-15T20:17:00.310Z] "POST /a HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq2http" "cc21" "locations" "tcp://10.0.2.1:80""#),
        ("caddy", r#"{"ts":1646861401.52,"request":{"remote_ip":"::1","uri":"/\u00e4"},"duration":0.001,"size":10900,"status":200}"#),
        ("csv=arrived:10.0.0.1", "10.0.0.1,\"a\""),
    ]
    .into_iter()
    .map(|(word, line)| (format(word), line.to_owned()))
    .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for (format, _) in samples() {
            let _ = from(&bytes, &format);
        }
        let lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
        let _ = Format::guess(&lines);
    }

    #[test]
    fn broken_lines_never_panic(
        which in 0usize..8,
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0u8..4, any::<u8>()), 1..6),
    ) {
        let (format, line) = samples().swap_remove(which);
        let mut bytes = line.clone().into_bytes();
        for (place, what, byte) in cuts {
            if bytes.is_empty() {
                break;
            }
            let at = place.index(bytes.len());
            match what {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, byte),
                _ => bytes.truncate(at),
            }
        }
        let whole = [line.as_bytes(), b"\n", &bytes, b"\n"].concat();
        let _ = from(&whole, &format);
        let _ = Format::guess(&[&bytes]);
    }

    #[test]
    fn arbitrary_words_never_panic(text in "(nginx=|json=|csv=|envoy=|)[ -~äß]{0,60}") {
        let _ = text.parse::<Format>();
        let _ = format!("nginx=$msec {text}").parse::<Format>();
    }

    /// What is written as nginx would is read as it was.
    #[test]
    fn generated_logs_are_read_back(
        requests in proptest::collection::vec(
            (1_400_000_000_000i64..1_900_000_000_000, 0u64..100_000, "/[a-z\"\\\\ä]{0,12}", 100u16..600, 0u64..1_000_000,
             proptest::collection::vec((0u8..255, 0u64..5000, any::<bool>()), 0..4)),
            1..20,
        ),
    ) {
        let format = format(r#"nginx=[$msec] $request_time $remote_addr "$request" $status $bytes_sent up=$upstream_addr t=$upstream_response_time h=$upstream_header_time s=$upstream_status p=$proxy_host"#);
        let seconds = |millis: u64| format!("{}.{:03}", millis / 1000, millis % 1000);
        let (mut log, mut due) = (Vec::new(), Vec::new());
        for (ended, took, path, status, bytes, tries) in requests {
            let arrived = (ended - took as i64) * 1_000_000;
            let mut lists = [const { String::new() }; 4];
            let (mut attempts, mut now) = (Vec::new(), arrived);
            for (place, (server, millis, answered)) in tries.iter().enumerate() {
                let comma = if place == 0 { "" } else { ", " };
                let last = place + 1 == tries.len();
                let answered = last && *answered;
                let cells = [
                    format!("10.0.0.{server}:80"),
                    seconds(*millis),
                    if answered { seconds(*millis) } else { "-".to_owned() },
                    if answered { "200" } else { "502" }.to_owned(),
                ];
                for (list, cell) in lists.iter_mut().zip(&cells) {
                    list.push_str(comma);
                    list.push_str(cell);
                }
                attempts.push(Attempt {
                    server: cells[0].clone(),
                    began: now,
                    took: answered.then_some(millis * 1_000_000),
                    failed: !answered,
                });
                now += *millis as i64 * 1_000_000;
            }
            let lists = lists.map(|list| if list.is_empty() { "-".to_owned() } else { list });
            let mut escaped = String::new();
            for &byte in path.as_bytes() {
                if byte == b'"' || byte == b'\\' || !(32..127).contains(&byte) {
                    escaped.push_str(&format!("\\x{byte:02X}"));
                } else {
                    escaped.push(char::from(byte));
                }
            }
            writeln!(
                log,
                "[{}] {} 10.1.2.3 \"GET {escaped}?q=1 HTTP/1.1\" {status} {bytes} up={} t={} h={} s={} p=web",
                seconds(ended as u64), seconds(took), lists[0], lists[1], lists[2], lists[3],
            ).unwrap();
            due.push(Entry {
                arrived,
                took: Some(took * 1_000_000),
                pool: "web".to_owned(),
                attempts,
                client: "10.1.2.3".to_owned(),
                route: path,
                status: Some(status),
                bytes: Some(bytes),
            });
        }
        let (census, entries) = from(&log, &format).unwrap();
        prop_assert_eq!(&entries, &due);
        prop_assert_eq!(census.bad, 0);
        prop_assert_eq!(census.first, due.iter().map(|entry| entry.arrived).min());
        prop_assert_eq!(census.last, due.iter().map(|entry| entry.arrived).max());
    }
}

/// Real arrivals, gzipped, as they stand in the project.
#[test]
fn a_real_trace() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/data");
    let path = folder.join("azure-llm-conversation-2023.csv.gz");
    let lines = first_lines(&path, 10).unwrap();
    let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    let format = Format::guess(&lines).unwrap();
    let census = read(&path, &format, &mut |_| {}).unwrap();
    assert_eq!((census.entries, census.bad), (19_366, 0));
    // It is written in steps of 100 ns, the last of which is always 0.
    assert_eq!(census.resolution, Duration::from_micros(1));
    assert!(
        census.length() > Duration::from_secs(3500) && census.length() < Duration::from_secs(3600)
    );
}
