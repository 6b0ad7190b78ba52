//! Names as parts of file names.

/// The longest that a name may be as part of a file's name: file systems take 255 bytes, and the
/// rest needs some.
const LONGEST: usize = 80;

/// A name as part of a file's name. It need not be distinct: a number goes before it.
pub(crate) fn slug(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let mut slug: String = name.chars().map(plain).collect();
    while slug.contains("--") {
        slug = slug.replace("--", "-");
    }
    let slug = slug.trim_matches('-');
    slug[..slug.len().min(LONGEST)]
        .trim_end_matches('-')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_plain() {
        assert_eq!(
            slug("weighted-round-robin 10:3"),
            "weighted-round-robin-10-3"
        );
        assert_eq!(slug("least-work-left (oracle)"), "least-work-left-oracle");
    }
}
