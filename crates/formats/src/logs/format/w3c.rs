//! The extended log file format of the W3C (working draft WD-logfile-960323), as IIS and CloudFront
//! write it.
//!
//! `#Fields:` names the columns, and may come again with others. Dates are UTC, of the end of the
//! request (CloudFront developer guide, "Standard logging reference"; HTTP.sys writes its line when
//! the answer has been sent). `time-taken` is milliseconds with IIS and seconds with CloudFront,
//! which the header tells.

use super::{Kind, NoEntry, Work, set_route};
pub(super) use crate::logs::clock::SECOND;

use crate::logs::clock;
use crate::logs::text::{host, known, push};
use crate::logs::{Entry, Escape};

/// Nanoseconds of a millisecond.
pub(super) const MS: i64 = 1_000_000;

/// What is known of the columns, kept from line to line.
#[derive(Debug, Default)]
pub(super) struct W3cState {
    fields: Vec<String>,
    /// The day of `#Date:`, for logs whose lines have the time alone.
    day: Vec<u8>,
    /// The nanoseconds of a unit of `time-taken`, where the header tells it.
    worth: Option<i64>,
    is_microsoft: bool,
}

impl W3cState {
    fn directive(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let (word, rest) = text.split_once(':').unwrap_or((&text, ""));
        match word {
            "#Software" => self.is_microsoft = rest.contains("Microsoft"),
            "#Date" => {
                let day = rest.split_whitespace().next().unwrap_or_default();
                self.day = day.as_bytes().to_vec();
            }
            "#Fields" => {
                self.fields = rest.split_whitespace().map(str::to_owned).collect();
                let has = |name: &str| self.fields.iter().any(|field| field == name);
                self.worth = if self.is_microsoft || has("sc-win32-status") || has("s-sitename") {
                    Some(MS)
                } else if has("x-edge-location") || has("x-edge-request-id") {
                    Some(SECOND)
                } else {
                    None
                };
            }
            _ => {}
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field == name)
    }
}

/// Reads one line; `worth` is a unit of `time-taken` in nanoseconds, where the user has said it.
pub(super) fn line(
    worth: Option<i64>,
    line: &[u8],
    entry: &mut Entry,
    work: &mut Work,
) -> Result<Kind, NoEntry> {
    if line.starts_with(b"#") {
        work.w3c.directive(line);
        return Ok(Kind::Other);
    }
    let state = std::mem::take(&mut work.w3c);
    let read = row(&state, worth.or(state.worth), line, entry, work);
    work.w3c = state;
    read
}

fn row(
    state: &W3cState,
    worth: Option<i64>,
    line: &[u8],
    entry: &mut Entry,
    work: &mut Work,
) -> Result<Kind, NoEntry> {
    if state.fields.is_empty() {
        return Err(NoEntry::new(0, "a line with `#Fields:` is due before"));
    }
    let mark = if line.contains(&b'\t') { b'\t' } else { b' ' };
    let cells: Vec<&[u8]> = line.split(|&byte| byte == mark).collect();
    if cells.len() != state.fields.len() {
        return Err(NoEntry::new(
            0,
            format!("{} fields are due, not {}", state.fields.len(), cells.len()),
        ));
    }
    let cell = |name: &str| {
        state
            .place(name)
            .and_then(|place| cells.get(place))
            .copied()
    };
    let value = |name: &str| cell(name).and_then(known);
    let time = value("time").ok_or_else(|| NoEntry::new(0, "a `time` is due"))?;
    let day = value("date").unwrap_or(&state.day);
    let ended = clock::iso(&[day, b" ", time].concat()).ok_or_else(|| {
        NoEntry::of(
            line,
            time,
            "a date as 2023-11-14 and a time as 22:13:20 are due",
        )
    })?;
    let took = match value("time-taken") {
        None => None,
        Some(text) => Some(taken(line, text, worth)?),
    };
    work.ended(entry, ended, took);
    let number = |text: &[u8], due: &'static str| {
        clock::whole(text).ok_or_else(|| NoEntry::of(line, text, due))
    };
    if let Some(text) = value("sc-status") {
        let status = number(text, "a status is due")?;
        entry.status = u16::try_from(status).ok();
    }
    if let Some(text) = value("sc-bytes") {
        entry.bytes = Some(number(text, "a number of bytes is due")?);
    }
    if let Some(client) = value("c-ip") {
        push(&mut entry.client, host(client, false));
    }
    if let Some(asked) = value("cs-uri-stem").or_else(|| value("cs-uri")) {
        set_route(entry, asked, Escape::None);
    }
    // The server is the one that writes the log.
    if let (Some(own), Some(port)) = (value("s-ip"), value("s-port")) {
        let own = if own.contains(&b':') {
            [b"[", own, b"]:", port].concat()
        } else {
            [own, b":", port].concat()
        };
        let mut attempt = work.spare.take(&own);
        attempt.began = entry.arrived;
        attempt.took = None;
        attempt.failed = entry.status.is_some_and(|status| status >= 500);
        entry.attempts.push(attempt);
        work.whole_for_server(entry);
    }
    Ok(Kind::Request)
}

/// The nanoseconds of a `time-taken`.
fn taken(line: &[u8], text: &[u8], worth: Option<i64>) -> Result<u64, NoEntry> {
    // Only seconds are written with decimals.
    let worth = worth.or(text.contains(&b'.').then_some(SECOND));
    let Some(worth) = worth else {
        let shown = NoEntry::of(line, text, "");
        return Err(NoEntry::question(
            shown.at,
            "does not say in which unit its `time-taken` is: say so by w3c=ms or w3c=s",
        ));
    };
    clock::decimal(text, worth)
        .and_then(|nanos| u64::try_from(nanos).ok())
        .ok_or_else(|| NoEntry::of(line, text, "a length of time is due (`time-taken`)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(worth: Option<i64>, text: &str) -> Result<Vec<Entry>, NoEntry> {
        let mut work = Work::default();
        let mut entries = Vec::new();
        for row in text.lines() {
            let mut entry = Entry::default();
            if line(worth, row.as_bytes(), &mut entry, &mut work)? == Kind::Request {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    const IIS: &str = "\
#Software: Microsoft Internet Information Services 10.0
#Version: 1.0
#Date: 2023-11-14 22:00:00
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken
2023-11-14 22:13:20 10.0.0.1 GET /a b=c 80 - 192.0.2.7 Mozilla/5.0+(x) - 200 0 0 15
2023-11-14 22:13:21 10.0.0.1 GET /b - 80 - 192.0.2.8 - - 500 0 64 7
";

    #[test]
    fn iis() {
        let entries = read(None, IIS).unwrap();
        let first = &entries[0];
        assert_eq!(first.arrived, 1_700_000_000_000_000_000 - 15_000_000);
        assert_eq!((first.took, first.status), (Some(15_000_000), Some(200)));
        assert_eq!((&*first.client, &*first.route), ("192.0.2.7", "/a"));
        assert_eq!(
            (&*first.attempts[0].server, first.attempts[0].took),
            ("10.0.0.1:80", Some(15_000_000))
        );
        assert!(entries[1].attempts[0].failed);
    }

    #[test]
    fn cloudfront() {
        let text = "\
#Version: 1.0
#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken
2023-11-14\t22:13:20\tFRA2\t2390\t192.0.2.202\tGET\td1.cloudfront.net\t/soon.html\t200\t-\tMozilla/4.0\t-\t-\tHit\tMRVM==\td1.cloudfront.net\thttp\t301\t0.002
";
        let entries = read(None, text).unwrap();
        assert_eq!(entries[0].took, Some(2_000_000));
        assert_eq!(
            (entries[0].bytes, &*entries[0].client),
            (Some(2390), "192.0.2.202")
        );
        assert!(entries[0].attempts.is_empty());
    }

    #[test]
    fn columns_change_and_units_are_asked_for() {
        let text = "#Date: 2023-11-14 22:00:00\n#Fields: time time-taken c-ip\n22:13:20 12 a\n#Fields: c-ip time time-taken\nb 22:13:21 13\n";
        let fault = read(None, text).unwrap_err();
        assert!(fault.asks && fault.due.contains("w3c=ms"), "{fault:?}");
        let entries = read(Some(MS), text).unwrap();
        assert_eq!(
            (&*entries[1].client, entries[1].took),
            ("b", Some(13_000_000))
        );
        let seconds = text.replace("12 a", "1.5 a").replace("21 13", "21 0.25");
        assert_eq!(read(None, &seconds).unwrap()[0].took, Some(1_500_000_000));
        for (from, to) in [
            ("22:13:20 12 a", "22:13:20 12"),
            ("22:13:20", "soon"),
            ("12 a", "fast a"),
        ] {
            assert!(read(Some(MS), &text.replace(from, to)).is_err(), "{from}");
        }
        assert!(read(None, "a b c").unwrap_err().due.contains("#Fields:"));
    }
}
