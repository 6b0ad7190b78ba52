//! The grammar of nginx's configuration file: words up to a semicolon, or up to a block of more of
//! the same.

/// One directive.
#[derive(Debug, PartialEq)]
pub(super) struct Directive {
    words: Vec<String>,
    /// What stands between its braces.
    pub(super) block: Vec<Directive>,
}

impl Directive {
    /// Its name and its parameters.
    pub(super) fn words(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }

    /// The sentence by which it is refused.
    pub(super) fn unknown(&self) -> String {
        format!("nothing is known of `{}`", self.words.join(" "))
    }
}

/// Reads directives; quotes and variables in braces are not known.
pub(super) fn parse(text: &str) -> Result<Vec<Directive>, String> {
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    let spaced: String = lines
        .flat_map(|line| line.chars().chain(['\n']))
        .flat_map(|c| match c {
            '{' | '}' | ';' => vec![' ', c, ' '],
            _ => vec![c],
        })
        .collect();
    let mut words = spaced.split_whitespace();
    let directives = block(&mut words, false)?;
    Ok(directives)
}

/// Reads up to the end of a block, or of the file.
fn block<'a>(
    words: &mut impl Iterator<Item = &'a str>,
    inner: bool,
) -> Result<Vec<Directive>, String> {
    let mut directives = Vec::new();
    let mut own: Vec<String> = Vec::new();
    loop {
        match words.next() {
            Some(";") if !own.is_empty() => directives.push(Directive {
                words: std::mem::take(&mut own),
                block: Vec::new(),
            }),
            Some("{") if !own.is_empty() => directives.push(Directive {
                words: std::mem::take(&mut own),
                block: block(words, true)?,
            }),
            Some("}") if own.is_empty() && inner => return Ok(directives),
            None if own.is_empty() && !inner => return Ok(directives),
            Some(word) if !matches!(word, ";" | "{" | "}") => own.push(word.to_owned()),
            _ => return Err(format!("`{}` lacks its `;` or its braces", own.join(" "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_nest() {
        let parsed = parse("a 1;\nb { c; d x { } } # e;").unwrap();
        assert_eq!(parsed.len(), 2);
        assert_eq!(parsed[0].words(), ["a", "1"]);
        assert_eq!(parsed[1].block[1].words(), ["d", "x"]);
        assert!(parsed[1].block[1].block.is_empty());
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        for text in ["a", "a {", "a { b }", "}", ";", "{ }"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
