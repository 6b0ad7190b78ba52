//! Times as nginx writes them: `90`, `1m30s`, `500ms`.

/// Milliseconds, as `ngx_parse_time` reads them (`src/core/ngx_parse.c`, nginx 1.22); `None` where
/// that refuses. Units come in falling order, and a number without one is seconds. `whole` takes no
/// milliseconds: some directives count seconds.
pub fn parse(text: &str, whole: bool) -> Option<u64> {
    const UNITS: [(&str, u64); 9] = [
        ("y", 31_536_000_000),
        ("M", 2_592_000_000),
        ("w", 604_800_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("", 1_000),
        ("ms", 1),
    ];
    let mut rest = text;
    let mut total = 0_u64;
    let mut last = None;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(
            rest.find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len()),
        );
        let (unit, after) = after.split_at(
            after
                .find(|c: char| !c.is_ascii_alphabetic())
                .unwrap_or(after.len()),
        );
        let rank = UNITS.iter().position(|(name, _)| *name == unit)?;
        let (_, worth) = UNITS.get(rank)?;
        if last.is_some_and(|last| last >= rank) || (whole && unit == "ms") {
            return None;
        }
        last = Some(rank);
        let number: u64 = number.parse().ok()?;
        total = total.checked_add(number.checked_mul(*worth)?)?;
        rest = after.trim_start_matches(' ');
    }
    last.map(|_| total)
}

/// Milliseconds as a scenario writes them.
pub(super) fn show(millis: u64) -> String {
    match millis.is_multiple_of(1000) {
        true => format!("{}s", millis / 1000),
        false => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_nginx() {
        for (text, millis) in [
            ("10", Some(10_000)),
            ("0", Some(0)),
            ("10s", Some(10_000)),
            ("1m30s", Some(90_000)),
            ("1h 30m", Some(5_400_000)),
            ("500ms", Some(500)),
            ("1d", Some(86_400_000)),
            ("", None),
            ("s", None),
            ("10x", None),
            ("1s1m", None),
            ("-1", None),
            ("1.5s", None),
            ("$t", None),
            ("99999999999999999999", None),
            ("9999999999999999y", None),
        ] {
            assert_eq!(parse(text, false), millis, "{text}");
        }
        assert_eq!(parse("500ms", true), None);
        assert_eq!(
            [show(90_000), show(1_500), show(0)],
            ["90s", "1500ms", "0s"]
        );
    }
}
