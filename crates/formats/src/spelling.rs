//! What a name was meant to be: the one measure of how near two names are, behind every "did you
//! mean".

/// Names longer than this are not compared: nobody mistypes one, and it would take long.
const LONGEST: usize = 200;

/// The one of `known` that `name` was probably meant to be: at most a third of its letters are
/// wrong, missing, too many or swapped; or else the only one that it is the beginning of.
///
/// ```
/// use lbsim_formats::spelling::nearest;
///
/// let known = ["weight", "backup", "max_fails", "max_conns"];
/// assert_eq!(nearest("wieght", known), Some("weight"));
/// assert_eq!(nearest("back", known), Some("backup"));
/// assert_eq!(nearest("max", known), None);
/// ```
pub fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let known: Vec<&str> = known.into_iter().collect();
    let length = name.chars().take(LONGEST).count();
    let allowed = (length / 3).max(1);
    known
        .iter()
        .copied()
        .filter(|k| k.chars().count().abs_diff(length) <= allowed && length < LONGEST && *k != name)
        .map(|k| (strsim::damerau_levenshtein(name, k), k))
        .filter(|(distance, k)| *distance <= allowed && *distance < k.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
        .or_else(|| begun(name, &known))
}

/// The only one of `known` that begins with `name`, which is at least three characters long.
fn begun<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let mut begun = known.iter().filter(|k| k.starts_with(name) && **k != name);
    let only = begun.next().filter(|_| name.chars().count() >= 3)?;
    begun.next().is_none().then_some(only)
}

/// The one of `known` that `name` is a slip of, where names of one's own may stand as well: at
/// least six letters, of which two at most are amiss. Shorter names are too near to each other to
/// tell.
pub fn slip<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let near = nearest(name, known).filter(|_| name.chars().count() >= 6)?;
    (strsim::damerau_levenshtein(name, near) <= 2).then_some(near)
}

/// ``did you mean `weight`?``, where one of `known` is near.
pub fn did_you_mean<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    nearest(name, known).map(|meant| format!("did you mean `{}`?", meant.escape_debug()))
}

/// [`did_you_mean`] as the end of a sentence, or nothing.
pub fn hint<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    did_you_mean(name, known).map_or(String::new(), |question| format!("; {question}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_of_the_letters_may_be_amiss() {
        let near = |name| nearest(name, ["server", "web", "least-connections"]);
        assert_eq!(near("sever"), Some("server"));
        assert_eq!(near("srevre"), Some("server"), "two swaps of six");
        assert_eq!(near("srevra"), None);
        assert_eq!(near("wbe"), Some("web"));
        assert_eq!(near("wxy"), None);
        assert_eq!(near("xxx"), None, "nothing of it is right");
        assert_eq!(near("server"), None, "it is known");
        assert_eq!(near("least"), Some("least-connections"));
        assert_eq!(near("le"), None, "too short for a beginning");
        assert_eq!(near(&"server".repeat(1_000_000)), None);
        assert_eq!(nearest("a", ["b"]), None);
    }

    #[test]
    fn a_name_of_ones_own_is_no_slip() {
        let known = ["request_time", "status"];
        assert_eq!(slip("requst_tme", known), Some("request_time"));
        assert_eq!(slip("rquest_tmes", known), None, "three letters");
        assert_eq!(slip("sttus", known), None, "too short to tell");
        assert_eq!(slip("request", known), None, "a beginning is a name too");
    }

    #[test]
    fn a_sentence_goes_on_or_ends() {
        assert_eq!(hint("wbe", ["web"]), "; did you mean `web`?");
        assert_eq!(hint("zzz", ["web"]), "");
    }
}
