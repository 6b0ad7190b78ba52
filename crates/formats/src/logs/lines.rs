//! Lines of a stream, one at a time, from a buffer that is used again and again.

use std::io::{self, Read};

use memchr::memchr;

/// Bytes that are asked for at once.
const CHUNK: usize = 256 * 1024;

/// What was found in the stream.
pub(super) enum Line<'a> {
    /// A line without its end, which may be `\n` or `\r\n`, or `\r` where no line ends otherwise.
    Whole(&'a [u8]),
    /// A line that is longer than allowed: its beginning.
    Long(&'a [u8]),
}

/// A stream of lines.
pub(super) struct Lines<R> {
    stream: R,
    buffer: Vec<u8>,
    /// What is filled and not yet handed out.
    from: usize,
    to: usize,
    ended: bool,
    longest: usize,
    /// Whether the rest of a long line is to be skipped.
    skipping: bool,
    /// What ends a line, once that is known.
    end: Option<u8>,
}

impl<R: Read> Lines<R> {
    /// Lines of at most `longest` bytes.
    pub(super) fn new(stream: R, longest: usize) -> Lines<R> {
        Lines {
            stream,
            buffer: vec![0; CHUNK],
            from: 0,
            to: 0,
            ended: false,
            longest: longest.max(1),
            skipping: false,
            end: None,
        }
    }

    /// Reads more behind what is there. Whether there is room for it was seen to before.
    fn more(&mut self) -> io::Result<()> {
        if self.from > 0 {
            self.buffer.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
        }
        if self.to == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let room = self.buffer.get_mut(self.to..).unwrap_or_default();
        let read = loop {
            match self.stream.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.to += read;
        self.ended = read == 0;
        Ok(())
    }

    /// What ends a line: `\r` where there is one in the first chunk and no `\n`, as old Macs wrote
    /// text and some spreadsheets still do, and `\n` else.
    fn end(&mut self) -> io::Result<u8> {
        if let Some(end) = self.end {
            return Ok(end);
        }
        while !self.ended && self.to < CHUNK && memchr(b'\n', self.filled()).is_none() {
            self.more()?;
        }
        let end = match memchr(b'\n', self.filled()) {
            None if memchr(b'\r', self.filled()).is_some() => b'\r',
            _ => b'\n',
        };
        self.end = Some(end);
        Ok(end)
    }

    fn filled(&self) -> &[u8] {
        self.buffer.get(self.from..self.to).unwrap_or_default()
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let ends = self.end()?;
        let mut seen = 0;
        loop {
            let filled = self.buffer.get(self.from..self.to).unwrap_or_default();
            let end = filled
                .get(seen..)
                .and_then(|rest| memchr(ends, rest))
                .map(|at| at + seen);
            let length = match end {
                Some(end) => end,
                None if self.skipping && !self.ended => {
                    self.from = self.to;
                    seen = 0;
                    self.more()?;
                    continue;
                }
                None if filled.len() > self.longest => {
                    // The rest of it is dropped as it comes.
                    let from = self.from;
                    self.from = self.to;
                    self.skipping = true;
                    let start = self.buffer.get(from..from + self.longest);
                    return Ok(Some(Line::Long(start.unwrap_or_default())));
                }
                None if self.ended => {
                    if filled.is_empty() || self.skipping {
                        return Ok(None);
                    }
                    filled.len()
                }
                None => {
                    seen = filled.len();
                    self.more()?;
                    continue;
                }
            };
            let from = self.from;
            self.from = (from + length + 1).min(self.to);
            if self.skipping {
                self.skipping = false;
                seen = 0;
                continue;
            }
            let line = self.buffer.get(from..from + length).unwrap_or_default();
            if line.len() > self.longest {
                return Ok(Some(Line::Long(line.get(..self.longest).unwrap_or(line))));
            }
            return Ok(Some(Line::Whole(line.strip_suffix(b"\r").unwrap_or(line))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8], longest: usize) -> Vec<(bool, Vec<u8>)> {
        let mut lines = Lines::new(bytes, longest);
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push(match line {
                Line::Whole(line) => (true, line.to_vec()),
                Line::Long(start) => (false, start.to_vec()),
            });
        }
        found
    }

    #[test]
    fn long_lines_are_passed_over() {
        let mut bytes = b"a\r\n".to_vec();
        bytes.extend(vec![b'x'; 3 * CHUNK]);
        bytes.extend(b"\nb\n\nc");
        let found = all(&bytes, CHUNK);
        let short: Vec<&[u8]> = found
            .iter()
            .filter(|(whole, _)| *whole)
            .map(|(_, line)| &line[..])
            .collect();
        assert_eq!(short, [b"a".as_slice(), b"b", b"", b"c"]);
        assert_eq!(found.len(), 5);
        assert_eq!(found[1].1.len(), CHUNK);
        bytes.truncate(2 * CHUNK);
        assert_eq!(all(&bytes, CHUNK).len(), 2);
    }

    /// Bytes one at a time, as slow pipes give them.
    struct Dribble<'a>(&'a [u8]);

    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let one = buffer.len().min(1);
            self.0.read(&mut buffer[..one])
        }
    }

    #[test]
    fn carriage_returns_end_lines_where_nothing_else_does() {
        let whole = |text: &str| (true, text.as_bytes().to_vec());
        assert_eq!(all(b"a\rb\r\rc", 9), ["a", "b", "", "c"].map(whole));
        assert_eq!(all(b"a\rb\nc\r", 9), ["a\rb", "c"].map(whole));
        let mut slow = Lines::new(Dribble(b"a\r\nb\r\n"), 9);
        assert!(matches!(slow.next(), Ok(Some(Line::Whole(b"a")))));
        assert!(matches!(slow.next(), Ok(Some(Line::Whole(b"b")))));
        assert!(matches!(slow.next(), Ok(None)));
        let mut long = vec![b'x'; 2 * CHUNK];
        long.extend(b"\ny");
        assert_eq!(all(&long, CHUNK)[1], whole("y"));
    }

    proptest! {
        #[test]
        fn they_are_those_of_the_standard_library(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..400),
        ) {
            prop_assume!(bytes.contains(&b'\n') || !bytes.contains(&b'\r'));
            let due: Vec<(bool, Vec<u8>)> = bytes
                .split_inclusive(|&byte| byte == b'\n')
                .map(|line| line.strip_suffix(b"\n").unwrap_or(line))
                .map(|line| (true, line.strip_suffix(b"\r").unwrap_or(line).to_vec()))
                .collect();
            prop_assert_eq!(all(&bytes, 1000), due);
        }
    }
}
