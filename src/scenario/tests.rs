//! The room from end to end, on a small scenario of its own.

mod hostile;
mod overrides;
mod schema;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::conform::{conform, read};
use super::diagnostic::{Diagnostic, entries, render};
use super::shape::schema_for;
use super::text::{Document, Path};
use crate::time::Span;
use crate::units::Rate;

/// What is simulated.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the shape of it matters")]
struct File {
    /// What the scenario asks.
    question: String,
    /// How it is run.
    run: Run,
    /// Who sends requests.
    #[serde(default)]
    clients: Vec<Client>,
    /// Shares by name.
    #[serde(default)]
    weights: BTreeMap<String, f64>,
    /// A name or a list of names.
    tags: Option<Tags>,
    /// What to paint it in.
    #[serde(default)]
    colour: Colour,
    /// A pair.
    pair: Option<(u8, String)>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the shape of it matters")]
struct Run {
    /// How long.
    duration: Span,
    /// How often.
    #[serde(default = "twenty")]
    #[schemars(range(min = 1, max = 1000))]
    replications: u32,
    /// The rules to compare.
    #[serde(default)]
    #[schemars(length(min = 1))]
    compare: Vec<Rule>,
}

fn twenty() -> u32 {
    20
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Colour {
    /// As blood.
    #[default]
    Red,
    /// As a fir.
    DarkGreen,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only the shape of it matters")]
enum Tags {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the shape of it matters")]
struct Client {
    /// What it is called.
    #[schemars(length(min = 1))]
    name: String,
    /// When its requests come.
    arrivals: Arrivals,
}

/// When requests come.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[expect(dead_code, reason = "only the shape of it matters")]
enum Arrivals {
    /// At random.
    Poisson(Poisson),
    /// At equal distances.
    Fixed {
        /// From one to the next.
        gap: Span,
    },
}

#[derive(Debug, Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only the shape of it matters")]
struct Poisson {
    /// How many.
    rate: Rate,
    /// How scattered.
    #[serde(default)]
    #[schemars(extend("exclusiveMinimum" = 0))]
    cv: Option<f64>,
}

/// Which server is taken.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Rule {
    /// In turn.
    RoundRobin,
    /// The best of a few.
    PowerOfD {
        /// How many.
        #[serde(default)]
        d: u8,
    },
}

const GOOD: &str = r#"question = "why?"
weights = { a = 1, "b c" = 2.5 }
tags = ["x"]
pair = [1, "z"]

[run]
duration = "10min"
compare = ["round-robin", { kind = "power-of-d", d = 2 }]

[[clients]]
name = "shoppers"
arrivals = { kind = "poisson", rate = "800/s" }

[[clients]]
name = "crawler"

[clients.arrivals]
kind = "fixed"
gap = "1s"
"#;

fn check(text: &str) -> (Document, Vec<Diagnostic>) {
    let (document, mut faults) = Document::parse("web.toml", text);
    faults.extend(conform(&document, &schema_for::<File>()).1);
    (document, faults)
}

/// `line:column message (label) [help]` of every fault.
fn faults(text: &str) -> Vec<String> {
    let (document, faults) = check(text);
    lines(&document, &faults)
}

fn lines(document: &Document, faults: &[Diagnostic]) -> Vec<String> {
    let line = |e: super::diagnostic::FaultEntry| {
        let help = e.help.unwrap_or_default();
        format!(
            "{}:{} {} ({}) [{help}]",
            e.line, e.column, e.message, e.label
        )
    };
    entries(document, faults).into_iter().map(line).collect()
}

/// The faults of a scenario whose `run` is `run`.
fn in_run(run: &str) -> String {
    faults(&format!("question = \"\"\n[run]\n{run}\n")).join("\n")
}

#[test]
fn a_good_file_reads() {
    let (document, faults) = check(GOOD);
    assert_eq!(faults, []);
    let file: File = read(&document, &schema_for::<File>()).unwrap();
    assert_eq!(
        file.run.compare,
        [Rule::RoundRobin, Rule::PowerOfD { d: 2 }]
    );
    assert_eq!(file.clients.len(), 2);
    assert_eq!(file.weights["a"], 1.0);
}

const SIX: &str = r#"question = "why?"

[run]
duration = 250
replications = 0
compare = ["round-robbin"]

[[clients]]
nmae = "é"
arrivals = { kind = "poisson", rate = "800 per second", gap = "1s" }
"#;

#[test]
fn six_faults_at_once() {
    let (document, faults) = check(SIX);
    insta::assert_snapshot!(render(&document, &faults, false), @r#"
error[wrong-type]: `duration` is 250; it must be a time such as "10ms"
 --> web.toml:4:12
  |
4 | duration = 250
  |            ^^^ a number without a unit
  |
  = help: write e.g. "250ms" (units: ns, us, ms, s, min, h, d)

error[out-of-range]: `replications` is 0; it must be from 1 to 1000
 --> web.toml:5:16
  |
5 | replications = 0
  |                ^

error[unknown-name]: `compare[0]` is "round-robbin", which is not known
 --> web.toml:6:12
  |
6 | compare = ["round-robbin"]
  |            ^^^^^^^^^^^^^^ did you mean `round-robin`?
  |
  = help: known names: `round-robin`, `power-of-d`

error[unknown-key]: unknown key `nmae` in `clients[0]`
 --> web.toml:9:1
  |
9 | nmae = "é"
  | ^^^^ did you mean `name`?
  |
  = help: known keys: `name`, `arrivals`

error[bad-quantity]: `rate`: unknown unit `per second`
  --> web.toml:10:39
   |
10 | arrivals = { kind = "poisson", rate = "800 per second", gap = "1s" }
   |                                       ^^^^^^^^^^^^^^^^ expected a rate such as "800/s"
   |
   = help: use one of /s, k/s, M/s, /min, /h

error[unknown-key]: unknown key `gap` in `arrivals` of kind `poisson`
  --> web.toml:10:57
   |
10 | arrivals = { kind = "poisson", rate = "800 per second", gap = "1s" }
   |                                                         ^^^ a key of kind `fixed`
   |
   = help: known keys: `kind`, `rate`, `cv`

6 errors in web.toml
"#);
}

#[test]
fn the_form_for_programs() {
    let (document, faults) = check("question = \"é\" \n run = { duration = 'é', compar = [] }");
    insta::assert_snapshot!(serde_json::to_string_pretty(&entries(&document, &faults)).unwrap(), @r#"
[
  {
    "severity": "error",
    "code": "bad-quantity",
    "file": "web.toml",
    "line": 2,
    "column": 21,
    "end_line": 2,
    "end_column": 24,
    "path": "run.duration",
    "message": "`duration`: `é` does not begin with a number",
    "label": "expected a time such as \"10ms\"",
    "help": "write e.g. \"10ms\""
  },
  {
    "severity": "error",
    "code": "unknown-key",
    "file": "web.toml",
    "line": 2,
    "column": 26,
    "end_line": 2,
    "end_column": 32,
    "path": "run.compar",
    "message": "unknown key `compar` in `run`",
    "label": "did you mean `compare`?",
    "help": "known keys: `duration`, `replications`, `compare`"
  }
]
"#);
}

#[test]
fn types_and_bounds() {
    insta::assert_snapshot!([
        "duration = \"10 parsecs\"",
        "duration = 10",
        "duration = 1979-05-27",
        "duration = true",
        "duration = nan",
        "duration = {}",
        "duration = \"1s\"\nreplications = \"7\"",
        "duration = \"1s\"\nreplications = 7.0",
        "duration = \"1s\"\nreplications = 5_000",
        "duration = \"1s\"\nreplications = 99999999999999999999999999999999999999999999",
        "duration = \"1s\"\ncompare = []",
        "duration = \"1s\"\ncompare = [7, {}, { kind = 7 }, { kind = 'x' }, { kin = 'x' }, { kind = 'round-robin', d = 1 }]",
        "duration = \"1s\"\ncompare = \"round-robin\"",
        "replication = 7",
    ].map(in_run).join("\n"), @r#"
3:12 `duration`: unknown unit `parsecs` (expected a time such as "10ms") [use one of ns, us, ms, s, min, h, d]
3:12 `duration` is 10; it must be a time such as "10ms" (a number without a unit) [write e.g. "10ms" (units: ns, us, ms, s, min, h, d)]
3:12 `duration` is a date; it must be a time such as "10ms" (dates have no use here) []
3:12 `duration` is true; it must be a time such as "10ms" () []
3:12 `duration` is nan; it must be a time such as "10ms" (a number without a unit) [write e.g. "10ms"]
3:12 `duration` is a table; it must be a time such as "10ms" () []
4:16 `replications` is "7"; it must be a whole number (this is a string) [write 7 without quotes]
4:16 `replications` is 7.0; it must be a whole number (this is a number) [write 7]
4:16 `replications` is 5_000; it must be from 1 to 1000 () []
4:16 `replications` is 99999999999999999999999999999999999999999999; it must be from 1 to 1000 () []
4:11 `compare` has no elements; it must have at least one () []
4:12 `compare[0]` is 7; it must be one of `round-robin`, `power-of-d` (this is a number) []
4:15 `compare[1]` lacks `kind` (`kind` says which kind it is) [known kinds: `round-robin`, `power-of-d`]
4:28 `kind` of `compare[2]` is 7; it must be one of `round-robin`, `power-of-d` () []
4:42 `kind` of `compare[3]` is "x", which is not known () [known names: `round-robin`, `power-of-d`]
4:51 unknown key `kin` in `compare[4]` (did you mean `kind`?) [known kinds: `round-robin`, `power-of-d`]
4:88 unknown key `d` in `compare[5]` of kind `round-robin` (a key of kind `power-of-d`) [known keys: `kind`]
4:11 `compare` is "round-robin"; it must be an array (this is a string) []
2:1 `run` lacks `duration` () [add e.g. `duration = "10ms"`]
3:1 unknown key `replication` in `run` (did you mean `replications`?) [known keys: `duration`, `replications`, `compare`]
"#);
}

#[test]
fn forms_and_names() {
    let top = |line: &str| {
        faults(&format!(
            "{line}\nquestion = ''\nrun = {{ duration = '1s' }}"
        ))
        .join("\n")
    };
    insta::assert_snapshot!([
        "tags = 7",
        "tags = ['a', 7]",
        "colour = 'dark-gren'",
        "colour = 'mauve'",
        "colour = 1",
        "pair = [1]",
        "pair = [300, 2]",
        "weights = { a = inf, b = 'x' }",
        "clients = [{ name = '', arrivals = 'poisson' }]",
        "clients = [{ name = 'x', arrivals = 'fast' }]",
        "clients = [{ name = 'x', arrivals = { kind = 'poisson', rate = '1/s', cv = 0 } }]",
        "clients = [{ name = 'x', arrivals = { rate = '1/s' } }]",
        "[clients]",
    ].map(top).join("\n"), @r#"
1:8 `tags` is 7; it must be a string or an array (this is a number) []
1:14 `tags[1]` is 7; it must be a string (this is a number) []
1:10 `colour` is "dark-gren", which is not known (did you mean `dark-green`?) [known names: `red`, `dark-green`]
1:10 `colour` is "mauve", which is not known () [known names: `red`, `dark-green`]
1:10 `colour` is 1; it must be one of `red`, `dark-green` (this is a number) []
1:8 `pair` has 1 element; it must have 2 () []
1:9 `pair[0]` is 300; it must be from 0 to 255 () []
1:14 `pair[1]` is 2; it must be a string (this is a number) []
1:17 `a` is inf; it must be a finite number () []
1:26 `b` is "x"; it must be a number (this is a string) []
1:21 `name` is empty; it must not be () []
1:36 `arrivals` of kind `poisson` needs `rate` (its bare name is not enough) [write { kind = "poisson", rate = "800/s" }]
1:37 `arrivals` is "fast", which is not known () [known names: `poisson`, `fixed`]
1:76 `cv` is 0; it must be more than 0 () []
1:37 `arrivals` lacks `kind` (`kind` says which kind it is) [known kinds: `poisson`, `fixed`]
1:1 `clients` is a table; it must be an array () [write [[clients]], with doubled brackets, for each element]
1:1 the file lacks `question` () [add e.g. `question = "…"`]
1:1 the file lacks `run` () [add e.g. `run = { duration = "10ms" }`]
"#);
}

#[test]
fn what_is_missing() {
    insta::assert_snapshot!(faults("").join("\n"), @r#"
1:1 the file lacks `question` () [add e.g. `question = "…"`]
1:1 the file lacks `run` () [add e.g. `run = { duration = "10ms" }`]
"#);
    insta::assert_snapshot!(faults("[[clients]]\n[run]\n").join("\n"), @r#"
1:1 `clients[0]` lacks `name` () [add e.g. `name = "…"`]
1:1 `clients[0]` lacks `arrivals` () [add e.g. `arrivals = { kind = "poisson", rate = "800/s" }`]
1:1 the file lacks `question` () [add e.g. `question = "…"`]
2:1 `run` lacks `duration` () [add e.g. `duration = "10ms"`]
"#);
}

#[test]
fn syntax_errors_hide_nothing_else() {
    let text = "question = why\nrun.duration = \nnonsense\n[[clients]]\nname = 7\nname = 8\narrivals = [1,, 2\n";
    insta::assert_snapshot!(faults(text).join("\n"), @r#"
1:12 string values must be quoted () [write "why", with the quotes]
2:16 there is no value here () []
3:9 key with no value (expected `=`) []
5:8 `name` is 7; it must be a string (this is a number) []
6:1 duplicate key () []
7:12 this `[` is never closed () []
"#);
}

#[test]
fn paths_print_and_find() {
    let (document, _) = Document::parse("web.toml", GOOD);
    let path = Path::root().key("weights").key("b c");
    assert_eq!(path.to_string(), "weights.\"b c\"");
    assert_eq!(document.text(&document.key_span(&path)), "\"b c\"");
    assert_eq!(document.text(&document.span(&path)), "2.5");
    let path = Path::root()
        .key("clients")
        .index(1)
        .key("arrivals")
        .key("gap")
        .key("x");
    assert_eq!(path.to_string(), "clients[1].arrivals.gap.x");
    assert_eq!(document.text(&document.span(&path)), "\"1s\"");
}

#[test]
fn a_second_label_and_a_warning() {
    let (document, _) = Document::parse("web.toml", GOOD);
    let clients = Path::root().key("clients");
    let fault = Diagnostic::warning(
        "alike",
        clients.index(1).key("name"),
        "two names\u{1b}[31m are alike",
    )
    .label("this one")
    .also(clients.index(0).key("name"), "and this one");
    insta::assert_snapshot!(render(&document, std::slice::from_ref(&fault), false), @r#"
warning[alike]: two names�[31m are alike
  --> web.toml:15:8
   |
11 | name = "shoppers"
   |        ---------- and this one
...
15 | name = "crawler"
   |        ^^^^^^^^^ this one

1 warning in web.toml
"#);
    assert!(render(&document, &[fault], true).contains("\u{1b}["));
}

/// The same text is read alike where words have 32 bits.
#[test]
fn no_setting_is_as_wide_as_a_word() {
    let schema = super::schema().to_string();
    assert!(schema.contains(r#""format":"uint64""#), "{schema}");
    for word in [r#""format":"uint""#, r#""format":"int""#] {
        assert!(!schema.contains(word), "{word}");
    }
}
