//! What is wrong is said at its place, with what was expected.

use std::path::Path;

use super::super::{ReadError, read_text};
use crate::config::render;

/// The words at which the faults of a text stand, and all that is said of them.
fn faults(text: &str) -> (Vec<String>, String) {
    match read_text(Path::new("haproxy.cfg"), text) {
        Err(ReadError::Faulty { files, faults }) => {
            let at = |range: &std::ops::Range<usize>| files[0].text[range.clone()].to_owned();
            let places = faults.iter().map(|fault| at(&fault.at.range)).collect();
            (places, render(&files, &faults, false))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_fault_each() {
    for (text, place, message) in [
        (
            "worker_processes 4;\nevents {\n}\n",
            "worker_processes 4;",
            "outside of any section",
        ),
        (
            "backend b\n server a 10.0.0.1:80 weight 300",
            "300",
            "expected a whole number from 0 to 256",
        ),
        (
            "backend b\n server a 10.0.0.1:80 weight abc",
            "abc",
            "`weight` is `abc`: expected a whole number from 0 to 256",
        ),
        (
            "backend b\n server a 10.0.0.1:80 weight",
            "weight",
            "expected its value after it",
        ),
        (
            "backend b\n server a 10.0.0.1:80 weight \"$W\"",
            "\"$W\"",
            "which an environment variable gives",
        ),
        (
            "backend b\n server a 10.0.0.1:80 weight ${W}",
            "${W}",
            "write the number itself",
        ),
        (
            "backend b\n server a # 10.0.0.1:80",
            "server a",
            "has no address",
        ),
        (
            "backend b\n server a 10.0.0.1:80\n server a 10.0.0.2:80",
            "a",
            "a second server called `a`",
        ),
        (
            "backend b\n server-template a 1-3 x:80\n server a2 10.0.0.2:80",
            "a2",
            "a second server called `a2`",
        ),
        (
            "backend b\n server a 10.0.0.1:80\nlisten b\n server a 10.0.0.1:80",
            "b",
            "a second proxy of the name `b`",
        ),
        (
            "backend b\n server a \"10.0.0.1:80 check",
            "\"10.0.0.1:80 check",
            "not closed",
        ),
        (
            "backend b\n server-template a 3-1 x:80",
            "3-1",
            "no number of servers",
        ),
        (
            "backend\n server a 10.0.0.1:80",
            "backend",
            "without a name",
        ),
        (
            "backend b from x\n server a 10.0.0.1:80",
            "x",
            "no `defaults` section called `x`",
        ),
        (
            "defaults\n server a 10.0.0.1:80",
            "server a 10.0.0.1:80",
            "in a `defaults` section",
        ),
        (
            "backend b\n balance Roundrobin\n server a 10.0.0.1:80",
            "Roundrobin",
            "is not an algorithm of HAProxy",
        ),
        (
            "backend b\n balance random(0)\n server a 10.0.0.1:80",
            "random(0)",
            "at least 1",
        ),
        (
            "backend b\n balance uri\n hash-type ring\n server a 10.0.0.1:80",
            "ring",
            "expected `map-based` or `consistent`",
        ),
        (
            "backend b\n hash-balance-factor 50\n server a 10.0.0.1:80",
            "50",
            "more than 100 percent",
        ),
        (
            "backend b\n timeout server 1.5s\n server a 10.0.0.1:80",
            "1.5s",
            "expected a time of at most 24.8 days",
        ),
        (
            "backend b\n server a 10.0.0.1:80 check inter 0",
            "0",
            "a time between two checks",
        ),
        (
            "backend b\n server a 10.0.0.1:80 check fall 0",
            "0",
            "at least 1",
        ),
        ("global\n.if 1\n daemon", ".if 1", "no `.endif`"),
    ] {
        let (places, said) = faults(text);
        assert_eq!(places, [place], "{said}");
        assert!(said.contains(message), "{said}");
    }
}

#[test]
fn faults_of_defaults_are_said_once() {
    let text = "defaults\n timeout server soon\nbackend a\n server a 10.0.0.1:80\nbackend b\n server a 10.0.0.1:80";
    assert_eq!(faults(text).0, ["soon"]);
}

#[test]
fn faults_look_so() {
    let text = "backend web\n    server web1 10.0.0.1:80 weight 300 check\n";
    insta::assert_snapshot!(faults(text).1, @r"
    error: `weight` is `300`: expected a whole number from 0 to 256
     --> haproxy.cfg:2:36
      |
    2 |     server web1 10.0.0.1:80 weight 300 check
      |                                    ^^^
    ");
}
