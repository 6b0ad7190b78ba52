//! Lua between braces: where `content_by_lua_block { … }` and its like end.
//!
//! Its braces are counted as `ngx_http_lua_conf_lua_block_parse` does (lua-nginx-module 0.10):
//! those in strings and comments of Lua do not count. What stands there is no configuration, and no
//! word of it is read.

/// Where the block ends whose `{` ends at `from`: just after its `}`. `None` where it is not
/// closed.
pub(super) fn end(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut open = 1_usize;
    let mut at = from;
    loop {
        match (bytes.get(at)?, bytes.get(at + 1)) {
            (b'{', _) => open += 1,
            (b'}', _) if open == 1 => return Some(at + 1),
            (b'}', _) => open -= 1,
            (b'-', Some(b'-')) => {
                at = match long_bracket(text, at + 2) {
                    Some(end) => end?,
                    None => at + text.get(at..)?.find('\n')?,
                };
                continue;
            }
            (b'[', _) => {
                if let Some(end) = long_bracket(text, at) {
                    at = end?;
                    continue;
                }
            }
            (quote @ (b'"' | b'\''), _) => {
                at = string(bytes, at + 1, *quote)?;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
}

/// Where the string ends that was opened by `quote` before `at`.
fn string(bytes: &[u8], mut at: usize, quote: u8) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            b'\\' => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// Where a long bracket that begins at `at` ends, `[[ … ]]` or `[==[ … ]==]`: `Some(None)` where it
/// does not, `None` where none begins.
fn long_bracket(text: &str, at: usize) -> Option<Option<usize>> {
    let inner = text.get(at..)?.strip_prefix('[')?;
    let level = inner.len() - inner.trim_start_matches('=').len();
    inner.get(level..)?.strip_prefix('[')?;
    let close = format!("]{}]", "=".repeat(level));
    let from = at + level + 2;
    let found = text.get(from..)?.find(&close);
    Some(found.map(|n| from + n + close.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_in_strings_and_comments_do_not_count() {
        for lua in [
            " local t = { a = {} } ",
            " -- don't }\n ngx.say(\"}\") ",
            " local s = [[ it's } ]] ",
            " local s = [==[ ]] } ]==] ",
            " --[[ } ]] ngx.say('\\'}') ",
            " a[b[1]] = {} ",
        ] {
            let text = format!("{lua}}} rest");
            assert_eq!(end(&text, 0), Some(lua.len() + 1), "{lua}");
        }
        for lua in [" { } ", " '} ", " [[ } ", " -- } ", " \\"] {
            assert_eq!(end(lua, 0), None, "{lua}");
        }
    }
}
