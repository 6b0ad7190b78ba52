//! A scenario put together in code: a text or a value, overrides, and rules that no text can name.

use std::fmt::Display;
use std::path::{Path as FilePath, PathBuf};

use serde::Serialize;

use super::check;
use super::conform::conform;
use super::diagnostic::{self, Diagnostic};
use super::text::{Document, Path};
use super::{Rejected, Scenario, schema};
use crate::strategy::StrategyConfig;
use crate::time::Span;

/// A scenario that is being put together, from [`Scenario::builder`] or [`Scenario::describe`].
/// What is wrong with it, [`check`](Builder::check) says, all at once.
///
/// ```
/// use lbsim::{Custom, Scenario};
/// # use lbsim::strategy::{Candidates, Context, MemberId, News, Request, Rule};
/// # #[derive(Clone, Debug)]
/// # struct Lowest;
/// # impl News for Lowest {
/// #     type Config = ();
/// #     fn new(_: &(), _: &mut Context<'_>) -> Lowest { Lowest }
/// # }
/// # impl Rule for Lowest {
/// #     fn pick(&mut self, _: &Request<'_>, all: Candidates, _: &mut Context) -> MemberId {
/// #         all.iter().min().unwrap()
/// #     }
/// # }
/// let text = r#"
///     question = "Do low numbers suffice?"
///     expect = "No."
///     [run]
///     duration = "10s"
///     compare = ["random"]
///     [[clients]]
///     arrivals = { kind = "poisson", rate = "80/s" }
///     [[services]]
///     name = "web"
///     [[services.servers]]
///     count = 2
///     service = { kind = "exponential", mean = "10ms" }
/// "#;
/// let scenario = Scenario::builder("low.toml", text)
///     .compare(Custom::new::<Lowest>("lowest", ())) // a rule of one's own
///     .replications(3)
///     .seed(7)
///     .set("clients[0].arrivals.rate", "100/s")
///     .check()?;
/// let names: Vec<_> = scenario.variants.iter().map(|variant| &variant.name).collect();
/// assert_eq!(names, ["random", "lowest"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "it becomes a scenario where `check` is called"]
pub struct Builder {
    path: PathBuf,
    document: Document,
    faults: Vec<Diagnostic>,
}

impl Scenario {
    /// Begins with the text of a scenario file, called `name`.
    pub fn builder(name: &str, text: &str) -> Builder {
        Builder::read(FilePath::new(name), text)
    }

    /// Begins with a value of the same shape as a scenario file, called `name`: what
    /// [`serde_json::json!`] makes, or a [`File`](super::file::File). Faults are shown in the text
    /// that it amounts to.
    ///
    /// ```
    /// use lbsim::Scenario;
    /// use serde_json::json;
    ///
    /// let scenario = Scenario::describe("two-servers", &json!({
    ///     "question": "How long do requests take?",
    ///     "expect": "Twice as long as alone.",
    ///     "run": { "duration": "10s", "compare": ["round-robin"] },
    ///     "clients": [{ "arrivals": { "kind": "poisson", "rate": "100/s" } }],
    ///     "services": [{
    ///         "name": "web",
    ///         "servers": [{ "count": 2, "service": { "kind": "exponential", "mean": "10ms" } }],
    ///     }],
    /// }))
    /// .check()?;
    /// assert_eq!(scenario.duration().seconds(), 10.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn describe(name: &str, value: &impl Serialize) -> Builder {
        let text = serde_json::to_value(value)
            .map_err(|error| error.to_string())
            .and_then(|mut value| {
                check::strip_nulls(&mut value);
                toml::to_string_pretty(&value).map_err(|error| error.to_string())
            });
        let mut builder = Builder::read(FilePath::new(name), text.as_deref().unwrap_or(""));
        if let Err(why) = text {
            let message = format!("the value cannot be written as a scenario: {why}");
            builder.faults = vec![Diagnostic::error("not-understood", Path::root(), message)];
        }
        builder
    }
}

impl Builder {
    /// Begins with the text of the file at `path`, to whose folder the files that it names are
    /// relative.
    pub(super) fn read(path: &FilePath, text: &str) -> Builder {
        let (document, faults) = Document::parse(&path.display().to_string(), text);
        Builder {
            path: path.to_owned(),
            document,
            faults,
        }
    }

    /// Compares a strategy more, after those of the text and before its `[[variants]]`: one of the
    /// list, or a rule from outside ([`Custom`](crate::strategy::Custom)).
    pub fn compare(mut self, strategy: impl Into<StrategyConfig>) -> Builder {
        self.document.outside.push(strategy.into());
        self
    }

    /// Hands over what stands in a file that the text names: it is not looked for on disk. Packed
    /// files are unpacked as those on disk are.
    ///
    /// ```
    /// use lbsim::Scenario;
    ///
    /// let text = r#"
    ///     question = "How long do these five requests take?"
    ///     expect = "10 ms each, and 5 ms more where one comes within 5 ms of another."
    ///     [run]
    ///     compare = ["round-robin"]
    ///     [[clients]]
    ///     arrivals = { kind = "trace", file = "five.csv", columns = { time = "at" } }
    ///     [[services]]
    ///     name = "web"
    ///     [[services.servers]]
    ///     service = { kind = "constant", value = "10ms" }
    /// "#;
    /// let five = "at\n0\n0.1\n0.105\n0.2\n0.3\n";
    /// let scenario = Scenario::builder("five.toml", text).file("five.csv", five).check()?;
    /// assert_eq!(scenario.files.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn file(mut self, name: &str, contents: impl Into<Vec<u8>>) -> Builder {
        let contents: Vec<u8> = contents.into();
        self.document.files.insert(name.to_owned(), contents.into());
        self
    }

    /// How many independent repetitions.
    pub fn replications(self, count: u32) -> Builder {
        self.set("run.replications", count)
    }

    /// The root of all random streams.
    pub fn seed(self, seed: u64) -> Builder {
        self.set("run.seed", seed)
    }

    /// How long each replication is.
    pub fn duration(self, span: Span) -> Builder {
        self.set("run.duration", span)
    }

    /// Sets the value at a path, as `--set` does: `.set("services.web.servers[1].count", 4)`. An
    /// element of an array goes by its index or by its `name`.
    pub fn set(self, path: &str, value: impl Display) -> Builder {
        self.assign(&format!("{path}={value}"))
    }

    /// As [`set`](Self::set), both in one text: `path=value`.
    pub fn assign(mut self, assignment: &str) -> Builder {
        if let Err(fault) = self.document.set(assignment) {
            self.faults.push(*fault);
        }
        self
    }

    /// The scenario.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn check(self) -> Result<Scenario, Box<Rejected>> {
        let Builder {
            path,
            document,
            faults: mut diagnostics,
        } = self;
        let (value, faults) = conform(&document, schema());
        diagnostics.extend(faults);
        if diagnostic::any_error(&diagnostics) {
            if document.is_whole() {
                let further = check::check(&path, &document, value)
                    .err()
                    .unwrap_or_default();
                diagnostic::add_further(&mut diagnostics, further);
            }
        } else {
            match check::check(&path, &document, value) {
                Ok(scenario) => return Ok(scenario),
                Err(faults) => diagnostics = faults,
            }
        }
        Err(Box::new(Rejected {
            document,
            diagnostics,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::file::File;
    use crate::strategy::{BadSetting, Candidates, Context, Custom, MemberId, News, Request, Rule};

    /// Takes any; its setting changes nothing, and cannot be 13.
    #[derive(Clone, Debug)]
    struct Any;

    impl News for Any {
        type Config = u32;

        fn new(_: &u32, _: &mut Context<'_>) -> Any {
            Any
        }

        fn check(config: &u32) -> Result<(), BadSetting> {
            if *config != 13 {
                return Ok(());
            }
            Err(BadSetting {
                setting: "number",
                message: "must not be 13".to_owned(),
            })
        }
    }

    impl Rule for Any {
        fn pick(&mut self, _: &Request<'_>, all: Candidates<'_>, cx: &mut Context<'_>) -> MemberId {
            all.draw(cx.rng)
        }
    }

    const TEXT: &str = r#"
        question = "?"
        expect = "!"
        [run]
        duration = "10s"
        replications = 2
        compare = ["random"]
        baseline = "any"
        [[clients]]
        arrivals = { kind = "poisson", rate = "80/s" }
        [[services]]
        name = "web"
        [[services.servers]]
        count = 3
        service = { kind = "exponential", mean = "10ms" }
        [[variants]]
        name = "slow"
        strategy = "random"
        set = { "services.web.servers[0].speed" = "50%" }
        [sweep]
        path = "load"
        values = ["20%", "40%"]
    "#;

    fn any(number: u32) -> Custom {
        Custom::new::<Any>("any", number)
    }

    /// A rule from outside stands after the strategies of the text and before its variants, at each
    /// value of a sweep; the text can name it as the baseline.
    #[test]
    fn a_rule_from_outside_is_compared_wherever_the_others_are() {
        let scenario = Scenario::builder("any.toml", TEXT)
            .compare(any(0))
            .check()
            .unwrap();
        assert_eq!(scenario.baseline, 1);
        assert!(scenario.has_custom_rule());
        assert_eq!(scenario.runs().len(), 2);
        for run in scenario.runs() {
            let names: Vec<&str> = run.variants.iter().map(|own| own.name.as_str()).collect();
            assert_eq!(names, ["random", "any", "slow"]);
        }
        // What was run is said, and said to be none of the list.
        let marked = serde_json::json!({ "kind": "custom", "name": "any", "settings": 0 });
        assert_eq!(scenario.resolved["run"]["compare"][1], marked);
        let alone = Scenario::builder("any.toml", &TEXT.replace("\"any\"", "\"random\""));
        assert!(!alone.check().unwrap().has_custom_rule());
    }

    #[test]
    fn what_is_wrong_with_it_is_said() {
        let fault = |builder: Builder| builder.check().unwrap_err().to_string();
        let begun = || Scenario::builder("any.toml", TEXT);
        for (builder, says) in [
            (begun(), "there is no strategy or variant `any`"),
            (
                begun().compare(any(0)).compare(any(0)),
                "`any` is compared twice",
            ),
            (begun().compare(any(13)), "`number` must not be 13"),
            (
                begun().compare(Custom::new::<Any>("jump-hash", 0)),
                "another strategy's",
            ),
            (
                begun().compare(any(0)).replications(0),
                "it must be from 1 to 10000",
            ),
            (
                begun().compare(any(0)).set("run.sed", 3),
                "did you mean `seed`",
            ),
            (begun().compare(any(0)).set("run.", 3), "run."),
        ] {
            let found = fault(builder);
            assert!(found.contains(says), "{found}");
        }
    }

    #[test]
    fn what_is_set_is_set() {
        let scenario = Scenario::builder("any.toml", TEXT)
            .compare(any(0))
            .replications(5)
            .seed(42)
            .duration(Span::from_secs(90))
            .check()
            .unwrap();
        let said = (scenario.replications, scenario.seed, scenario.duration());
        assert_eq!(said, (5, 42, Span::from_secs(90)));
    }

    /// A scenario is the same from text, from JSON and from the struct; faults of a value are shown
    /// in the text that it amounts to.
    #[test]
    fn a_value_says_what_a_text_says() {
        let text = TEXT.replace("baseline = \"any\"", "");
        let from_text = Scenario::from_text("any.toml", &text).unwrap();
        let value: serde_json::Value = toml::from_str(&text).unwrap();
        let file: File = serde_json::from_value(from_text.resolved.clone()).unwrap();
        for scenario in [
            Scenario::describe("any.toml", &value).check().unwrap(),
            Scenario::describe("any.toml", &file).check().unwrap(),
        ] {
            assert_eq!(scenario.resolved, from_text.resolved);
            assert_eq!(scenario.name, "any");
        }
        let mut wrong = value;
        wrong["run"]["duration"] = "soon".into();
        let fault = Scenario::describe("any.toml", &wrong).check().unwrap_err();
        let said = fault.to_string();
        assert!(said.contains("duration = \"soon\""), "{said}");
        assert!(format!("{fault:?}").ends_with(&said));
        let fault = Scenario::describe("any.toml", &3).check().unwrap_err();
        assert!(
            fault
                .to_string()
                .contains("cannot be written as a scenario"),
            "{fault}"
        );
    }

    /// What is handed over is read as what stands on disk, packed or not, and goes before it.
    #[test]
    fn a_file_that_is_handed_over_counts_as_one_on_disk() {
        let place = tempfile::tempdir().unwrap();
        let rows = "at\n0\n0.1\n0.105\n0.2\n0.3\n";
        std::fs::write(place.path().join("five.csv"), rows).unwrap();
        let text = TEXT
            .replace(
                r#"{ kind = "poisson", rate = "80/s" }"#,
                r#"{ kind = "trace", file = "five.csv", columns = { time = "at" } }"#,
            )
            .replace("duration = \"10s\"", "")
            .replace("baseline = \"any\"", "");
        let text = &text[..text.find("[sweep]").unwrap()];
        let path = place.path().join("five.toml");
        let on_disk = Scenario::parse(&path, text, &[]).unwrap();
        let given = |contents: &[u8]| {
            Builder::read(&path, text)
                .file("five.csv", contents)
                .check()
        };
        let alike = given(rows.as_bytes()).unwrap();
        assert_eq!(alike.files, on_disk.files);
        assert_eq!(alike.duration(), on_disk.duration());
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, rows.as_bytes()).unwrap();
        let packed = given(&packed.finish().unwrap()).unwrap();
        assert_eq!(packed.duration(), on_disk.duration());
        assert_ne!(packed.files, on_disk.files);
        // Another file of that name is the one that counts; a run ends after its last row.
        let longer = given(b"at\n0\n0.6\n").unwrap();
        assert_eq!(longer.duration(), Span::from_nanos(600_000_001));
        let wrong = given(b"at\n0\nsoon\n").unwrap_err().to_string();
        assert!(wrong.contains("`five.csv` row 2"), "{wrong}");
    }
}
