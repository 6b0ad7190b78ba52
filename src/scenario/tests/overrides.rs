//! Values given by `--set`: where they go, and what is said where they cannot.

use super::super::conform::conform;
use super::super::diagnostic::render;
use super::super::shape::schema_for;
use super::super::text::Document;
use super::{File, GOOD, lines};

#[test]
fn overrides_point_into_the_argument() {
    let (mut document, _) = Document::parse("web.toml", GOOD);
    for assignment in [
        "run.duration=5min",
        "run.replications=0",
        "clients.shoppers.arrivals.rate=900",
        "clients[1].arrivals = { kind = \"fixed\", gap = \"1x\" }",
        "run.\"compare\"[0].d = 3",
        "run.wieght=1",
    ] {
        document.set(assignment).unwrap();
    }
    let faults = conform(&document, &schema_for::<File>()).1;
    insta::assert_snapshot!(render(&document, &faults, false), @r#"
error[out-of-range]: `replications` is 0; it must be from 1 to 1000
 --> --set:1:18
  |
1 | run.replications=0
  |                  ^

error[wrong-type]: `rate` is 900; it must be a rate such as "800/s"
 --> --set:1:32
  |
1 | clients.shoppers.arrivals.rate=900
  |                                ^^^ a number without a unit
  |
  = help: write e.g. "900/min" (units: /s, k/s, M/s, /min, /h)

error[bad-quantity]: `gap`: unknown unit `x`
 --> --set:1:47
  |
1 | clients[1].arrivals = { kind = "fixed", gap = "1x" }
  |                                               ^^^^ expected a time such as "10ms"
  |
  = help: use one of ns, us, ms, s, min, h, d

error[unknown-key]: unknown key `d` in `compare[0]` of kind `round-robin`
 --> --set:1:18
  |
1 | run."compare"[0].d = 3
  |                  ^ a key of kind `power-of-d`
  |
  = help: known keys: `kind`

error[unknown-key]: unknown key `wieght` in `run`
 --> --set:1:5
  |
1 | run.wieght=1
  |     ^^^^^^
  |
  = help: known keys: `duration`, `replications`, `compare`

5 errors in --set
"#);
}

#[test]
fn bad_overrides() {
    let (document, _) = Document::parse("web.toml", GOOD);
    let fault = |assignment: &str| {
        let mut document = document.clone();
        let fault = document.set(assignment).unwrap_err();
        lines(&document, &[*fault]).remove(0)
    };
    insta::assert_snapshot!([
        "", "run", "run.=1", "=1", "run.duration=", "run duration=1", "run[=1", "clients[7].name=x", "clients[x]=1",
        "clients.shopper.name=x", "clients.zzz.name=x", "run[0]=1", "weights.a.b=1", "a='b", "a=[1,", "\"a=1",
    ].map(fault).join("\n"), @r#"
1:1 there is no `=` with a value () [write e.g. `run.duration=5min` or `services[0].name=web`]
1:4 there is no `=` with a value () [write e.g. `run.duration=5min` or `services[0].name=web`]
1:5 a key is expected here () [write e.g. `run.duration=5min` or `services[0].name=web`]
1:1 a key is expected here () [write e.g. `run.duration=5min` or `services[0].name=web`]
1:14 there is no value after `=` () [write `""` for an empty string]
1:5 `.`, `[` or `=` is expected here () [write e.g. `run.duration=5min` or `services[0].name=web`]
1:4 an index is a number in brackets, e.g. `[0]` () [write e.g. `run.duration=5min` or `services[0].name=web`]
1:8 `clients` has 2 elements, counted from 0; there is no [7] () []
1:8 an index is a number in brackets, e.g. `[0]` () [write e.g. `run.duration=5min` or `services[0].name=web`]
1:9 `clients` has no element whose name is `shopper` (did you mean `shoppers`?) []
1:9 `clients` has no element whose name is `zzz` () [known names: `shoppers`, `crawler`]
1:4 `run` is a table; it has keys, not indexes () []
1:11 `weights.a` is one value; there is nothing inside it () []
1:5 invalid literal string (expected `'`) []
1:6 unclosed array (expected `]`) []
1:1 this quote is not closed () [write e.g. `run.duration=5min` or `services[0].name=web`]
"#);
}

/// `[+]` is the place behind the last element, also of a list that is not written, and of nothing
/// but lists.
#[test]
fn one_more_is_added() {
    let (mut document, _) = Document::parse("web.toml", GOOD);
    for assignment in [
        "clients[+]={ name = \"more\", arrivals = { kind = \"fixed\", gap = \"1s\" } }",
        "clients.more.arrivals.gap=2s",
        "others[+]={ a = 1 }",
        "others[+].a=2",
    ] {
        document.set(assignment).unwrap();
    }
    let written = |path: &str| document.written(path).unwrap_or("nothing").to_owned();
    assert_eq!(written("clients[2].arrivals.gap"), "2s");
    assert_eq!(
        ["others[0].a", "others[1].a", "others[2].a"].map(&written),
        ["1", "2", "nothing"]
    );
    assert_eq!(written("clients[1].name"), "\"crawler\"");
    let fault = document.set("run[+]=1").unwrap_err();
    assert_eq!(fault.message, "`run` is a table; it has keys, not indexes");
}
