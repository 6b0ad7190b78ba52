//! What nginx refuses, and how it is said.

use super::*;

/// The only fault of a text: the words it is about, what is said, and how to mend it.
fn fault(text: &str) -> (String, String, String) {
    match read_text(Path::new("nginx.conf"), text) {
        Err(ReadError::Faulty { files, faults }) => {
            assert_eq!(faults.len(), 1, "{text}: {faults:?}");
            let fault = &faults[0];
            let words = files[fault.at.file].text[fault.at.range.clone()].to_owned();
            (
                words,
                fault.message.clone(),
                fault.help.clone().unwrap_or_default(),
            )
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn faults_are_where_they_are_and_say_what_was_expected() {
    for (text, at, message, help) in [
        (
            "http {\n upstream u { server a; }\n",
            "http",
            "block of `http` is not closed",
            "`}` \
            is missing",
        ),
        (
            "upstream u {\n server a\n}",
            "a",
            "without its `;`",
            "put a `;`",
        ),
        (
            "upstream u {\n server a\n server b;\n}",
            "server",
            "`server` is no parameter",
            "`;` \
            missing at the end of the line before",
        ),
        (
            "upstream u { server a weight=0; }",
            "weight=0",
            "whole number, at least 1",
            "",
        ),
        (
            "upstream u { server a weight=abc; }",
            "weight=abc",
            "whole number, at least 1",
            "",
        ),
        (
            "upstream u { server a weight=$w; }",
            "weight=$w",
            "whole number, at least 1",
            "",
        ),
        (
            "upstream u { server a weight=+3; }",
            "weight=+3",
            "whole number, at least 1",
            "",
        ),
        (
            "upstream u { server a wieght=3; }",
            "wieght=3",
            "no parameter of `server`",
            "did you \
            mean `weight=`?",
        ),
        (
            "upstream u { server a quick; }",
            "quick",
            "no parameter of `server`",
            "expected `weight=`",
        ),
        (
            "upstream u { server a fail_timeout=500ms; }",
            "fail_timeout=500ms",
            "whole seconds",
            "",
        ),
        (
            "upstream u { server a max_conns=-1; }",
            "max_conns=-1",
            "whole number",
            "",
        ),
        (
            "upstream u { server $a:80; }",
            "$a:80",
            "holds a variable",
            "write the address",
        ),
        (
            "upstream u { server a:0; }",
            "a:0",
            "no number from 1 to 65535",
            "HOST:PORT",
        ),
        (
            "upstream u { server; }",
            "server",
            "has no address",
            "server ADDRESS;",
        ),
        (
            "upstream u { server { listen 80; } }",
            "server",
            "block in an upstream",
            "close the \
            upstream",
        ),
        (
            "upstream u { server a; }\nupstream U { server b; }",
            "U",
            "an upstream `u` already",
            "another name",
        ),
        (
            "upstream u { }",
            "upstream u",
            "no servers",
            "server ADDRESS;",
        ),
        (
            "upstream u { server a backup; }",
            "upstream u",
            "only backups",
            "server ADDRESS;",
        ),
        ("upstream u;", "upstream u", "has no block", "upstream NAME"),
        (
            "upstream { server a; }",
            "upstream",
            "takes one name",
            "upstream NAME",
        ),
        (
            "upstream u { ip_hash; server a; server b backup; }",
            "backup",
            "takes no `backup`",
            "leave out one",
        ),
        (
            "upstream u { hash $uri constant; server a; }",
            "constant",
            "no parameter of `hash`",
            "`consistent`",
        ),
        (
            "stream { upstream u { server a; } }",
            "a",
            "has no port",
            "HOST:PORT",
        ),
        (
            "proxy_read_timeout 10x;\nupstream u { server a; }\nlocation / { proxy_pass http://u; \
            }",
            "proxy_read_timeout 10x",
            "not understood",
            "a time",
        ),
        (
            "upstream u { server a; }\nlocation / { proxy_next_upstream eror; proxy_pass http://u; \
            }",
            "eror",
            "no condition",
            "error, timeout",
        ),
        (
            "upstream u { server a; }\nlocation / { proxy_pass http://u:80; }",
            "http://u:80",
            "may have no port",
            "leave out",
        ),
        (
            "upstream u { server a; }\nlocation / {\nproxy_set_header Host $host\nproxy_pass \
            http://u; }",
            "proxy_pass",
            "where `proxy_set_header` should have ended",
            "`;` is \
            missing",
        ),
        (
            "upstream u { server {{ host }}; }",
            "{",
            "where a directive should begin",
            "template",
        ),
        ("include a b;", "include a b", "takes one file", ""),
    ] {
        let (words, said, mended) = fault(text);
        assert_eq!(words, at, "{text}");
        assert!(said.contains(message), "{text}: {said}");
        assert!(mended.contains(help), "{text}: {mended}");
    }
}

#[test]
fn all_faults_are_said_in_the_order_of_the_text() {
    let text = "upstream u {\n  server a weight=x;\n  server b:y;\n}\nupstream u { server c \
    weight=0; }\n";
    let error = read_text(Path::new("nginx.conf"), text).unwrap_err();
    let ReadError::Faulty { faults, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(faults.len(), 4);
    assert!(faults.is_sorted_by_key(|fault| fault.at.range.start));
    let said = error.to_string();
    assert!(said.contains("--> nginx.conf:2:12"), "{said}");
}

#[test]
fn a_file_that_is_not_there_is_said() {
    let error = read(Path::new("no/such/nginx.conf")).unwrap_err();
    assert!(matches!(&error, ReadError::Io { .. }));
    assert!(
        error
            .to_string()
            .starts_with("`no/such/nginx.conf` cannot be read")
    );
}
