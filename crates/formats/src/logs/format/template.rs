//! A line as values with fixed texts between them: what `text=` and HAProxy's `log-format` have in
//! common.

use memchr::memmem::Finder;

use super::NoEntry;

/// A value and the text that follows it.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// What the format calls it, for messages.
    pub(super) name: Box<str>,
    /// What follows; empty only at the end of the line.
    then: Finder<'static>,
    /// Whether it is a list of servers or of their times, whose separators have spaces.
    is_list: bool,
    /// Whether it stands in braces, and may be missing along with the space after it (HAProxy's
    /// captured headers).
    in_braces: bool,
}

impl Piece {
    pub(super) fn new(name: &str, then: &str) -> Piece {
        Piece {
            name: name.into(),
            then: Finder::new(then.as_bytes()).into_owned(),
            is_list: false,
            in_braces: false,
        }
    }

    pub(super) fn list(self, is_list: bool) -> Piece {
        Piece { is_list, ..self }
    }

    pub(super) fn in_braces(self, in_braces: bool) -> Piece {
        Piece { in_braces, ..self }
    }

    pub(super) fn ends_line(&self) -> bool {
        self.then.needle().is_empty()
    }

    /// Where the value ends in the rest of a line, and where what follows it begins.
    fn end(&self, rest: &[u8]) -> Option<(usize, usize)> {
        let then = self.then.needle();
        if self.in_braces {
            if rest.first() != Some(&b'{') {
                return Some((0, 0));
            }
            let end = memchr::memchr(b'}', rest)? + 1;
            let after = rest.get(end..)?;
            return after.starts_with(then).then_some((end, end + then.len()));
        }
        // A value in quotes may hold anything but a quote that is not escaped.
        if rest.first() == Some(&b'"') && then.first() != Some(&b'"') {
            let end = closing(rest.get(1..)?)? + 2;
            let after = rest.get(end..)?;
            return after.starts_with(then).then_some((end, end + then.len()));
        }
        if then.is_empty() {
            return Some((rest.len(), rest.len()));
        }
        let mut from = 0;
        loop {
            let at = from + self.then.find(rest.get(from..)?)?;
            let (value, after) = rest.split_at_checked(at)?;
            let escaped = then.first() == Some(&b'"') && ends_in_escape(value);
            let within = self.is_list
                && then.first() == Some(&b' ')
                && (matches!(value.last(), Some(b',' | b':')) || after.starts_with(b" : "));
            if !escaped && !within {
                return Some((at, at + then.len()));
            }
            from = at + 1;
        }
    }
}

fn ends_in_escape(value: &[u8]) -> bool {
    let slashes = value.iter().rev().take_while(|&&byte| byte == b'\\');
    slashes.count() % 2 == 1
}

/// The quote that ends a quoted text.
fn closing(text: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'"', text).find(|&at| !ends_in_escape(text.get(..at).unwrap_or_default()))
}

/// A format of lines.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub(super) lead: Box<[u8]>,
    pub(super) pieces: Vec<Piece>,
}

impl Template {
    /// Takes a line apart: `each` hears of the values in order, without the quotes around them.
    pub(super) fn split<'a>(
        &self,
        line: &'a [u8],
        each: &mut impl FnMut(usize, &'a [u8]),
    ) -> Result<(), NoEntry> {
        let mut rest = line.strip_prefix(&*self.lead).ok_or_else(|| {
            let lead = String::from_utf8_lossy(&self.lead);
            NoEntry::new(0, format!("`{}` is due at the start", lead.escape_debug()))
        })?;
        for (place, piece) in self.pieces.iter().enumerate() {
            let (end, next) = piece.end(rest).ok_or_else(|| {
                let then = String::from_utf8_lossy(piece.then.needle());
                let due = if then.is_empty() {
                    format!("the end of the line is due after `{}`", piece.name)
                } else {
                    format!("`{}` is due after `{}`", then.escape_debug(), piece.name)
                };
                NoEntry::of(line, rest, due)
            })?;
            let value = rest.get(..end).unwrap_or_default();
            let bare = value
                .strip_prefix(b"\"")
                .and_then(|value| value.strip_suffix(b"\""));
            each(place, bare.unwrap_or(value));
            rest = rest.get(next..).unwrap_or_default();
        }
        if !rest.is_empty() {
            return Err(NoEntry::of(line, rest, "the format ends here"));
        }
        Ok(())
    }
}
