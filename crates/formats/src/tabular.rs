//! Tables of text as programs write them: with a byte order mark or without, with commas,
//! semicolons, tabs or bars between cells.
//!
//! No reader, but what all readers of tables go by. There are two. A log with a header
//! ([`logs::format`](crate::logs::format)) is read line by line among other logs, and a line that
//! does not fit is counted and passed over. A table that a scenario names
//! ([`Table`](crate::logs::Table)) may have other shapes, and its first bad row refuses the
//! whole. Both split their lines in one place.

/// The byte order mark of UTF-8, which spreadsheets put first. It is no part of the first name.
pub const MARK: &[u8] = b"\xef\xbb\xbf";

/// Delimiters that are recognized; of two that split alike the first counts.
pub const DELIMITERS: [u8; 4] = *b",;\t|";

/// A text without the mark.
pub fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(MARK).unwrap_or(text)
}

/// What stands between the cells of a table, by its header line: that which splits it into most of
/// them, outside of quotes. A line of one cell has commas.
pub fn delimiter(header: &[u8]) -> u8 {
    let mut counts = [0usize; DELIMITERS.len()];
    let mut quoted = false;
    for &byte in without_mark(header) {
        quoted ^= byte == b'"';
        if quoted {
            continue;
        }
        if let Some(place) = DELIMITERS.iter().position(|&known| known == byte) {
            counts[place] += 1;
        }
    }
    let mut best = 0;
    for (place, &count) in counts.iter().enumerate() {
        if count > counts[best] {
            best = place;
        }
    }
    DELIMITERS[best]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_told_by_the_header() {
        for (header, due) in [
            ("time,client", b','),
            ("\u{feff}time;client", b';'),
            ("time\tclient;or,so\tsize", b'\t'),
            ("\"a;b;c\",d", b','),
            ("a|b", b'|'),
            ("time", b','),
            ("", b','),
        ] {
            assert_eq!(delimiter(header.as_bytes()), due, "{header}");
        }
        assert_eq!(without_mark("\u{feff}a".as_bytes()), b"a");
    }
}
