//! What the one list of strategies is turned into.

use std::fmt;

/// What a rule is allowed to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Only what a real balancer could see.
    Blind,
    /// As much, and the rule is that of a product.
    Product,
    /// The servers' true state: a bound to compare with, not a product.
    Oracle,
}

/// One line of the catalogue of strategies.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The name in scenario files.
    pub name: &'static str,
    /// Other words for it: those of products and papers, by which it is found but not named in
    /// scenario files.
    pub aliases: &'static [&'static str],
    /// What it may see.
    pub sight: Sight,
    /// The source text of the rule's file; its leading comment is the documentation.
    source: &'static str,
    /// The configuration with every setting at its default.
    pub default: fn() -> super::StrategyConfig,
}

impl Entry {
    pub(super) const fn new(
        name: &'static str,
        aliases: &'static [&'static str],
        sight: Sight,
        source: &'static str,
        default: fn() -> super::StrategyConfig,
    ) -> Entry {
        Entry {
            name,
            aliases,
            sight,
            source,
            default,
        }
    }

    /// Whether this is what people mean by a word: the name or one of the aliases, however it is
    /// spelt (`least_conn`, `LEAST_CONN`, `leastconn`).
    pub fn is_called(&self, word: &str) -> bool {
        let word = letters(word);
        let mut names = self.aliases.iter().chain([&self.name]);
        !word.is_empty() && names.any(|name| letters(name) == word)
    }

    /// What `lbsim explain` prints: the leading comment of the rule's file, as Markdown.
    pub fn doc(&self) -> String {
        let lines: Vec<&str> = self
            .source
            .lines()
            .map_while(|line| line.strip_prefix("//!"))
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        lines.join("\n")
    }

    /// The first sentence of the documentation.
    pub fn summary(&self) -> String {
        let doc = self.doc();
        let paragraph = doc
            .split("\n\n")
            .next()
            .unwrap_or_default()
            .replace('\n', " ");
        paragraph
            .split_once(". ")
            .map_or(paragraph.clone(), |(first, _)| format!("{first}."))
    }
}

/// The strategies that people mean by a word, in the order of the list.
pub fn called(word: &str) -> impl Iterator<Item = &'static Entry> {
    super::CATALOGUE
        .iter()
        .filter(move |entry| entry.is_called(word))
}

/// A word as it is compared: letters and figures alone, small ones.
fn letters(word: &str) -> String {
    let letters = word.chars().filter(|c| c.is_ascii_alphanumeric());
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("name", &self.name)
            .field("sight", &self.sight)
            .finish_non_exhaustive()
    }
}

/// Turns the list into modules, the configuration and dispatch enums, and the catalogue.
macro_rules! strategies {
    ($(
        $(#[$about:meta])*
        $family:ident ($($shared:ident),*) {
            $($sight:ident $name:literal $module:ident::$Rule:ident $(alias $($alias:literal)+)?;)*
        }
    )*) => {
        $(
            $(#[$about])*
            pub mod $family {
                $(pub(crate) mod $shared;)*
                $(pub mod $module;)*
            }
        )*

        /// A strategy and its settings, as a scenario names them.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(tag = "kind")]
        #[allow(missing_docs, reason = "each variant is the rule whose name it bears")]
        pub enum StrategyConfig {
            $($(#[serde(rename = $name)] $Rule(<$family::$module::$Rule as News>::Config),)*)*
            /// A rule from outside, which code hands in and no scenario file names.
            #[serde(skip_deserializing, rename = "custom")]
            #[schemars(skip)]
            Custom(Custom),
        }

        /// A strategy at work.
        #[derive(Clone, Debug)]
        #[allow(missing_docs, reason = "each variant is the rule whose name it bears")]
        pub enum Strategy {
            $($($Rule($family::$module::$Rule),)*)*
            /// A rule from outside.
            Custom(CustomRule),
        }

        /// All strategies, in the order in which they are listed and coloured.
        pub const CATALOGUE: &[Entry] = &[
            $($(Entry::new(
                $name,
                &[$($($alias,)+)?],
                strategies!(@sight $sight),
                include_str!(concat!(stringify!($family), "/", stringify!($module), ".rs")),
                || StrategyConfig::$Rule(Default::default()),
            ),)*)*
        ];

        impl StrategyConfig {
            /// What it is called, without its settings.
            pub fn name(&self) -> &str {
                match self { $($(StrategyConfig::$Rule(_) => $name,)*)* StrategyConfig::Custom(custom) => custom.name() }
            }

            /// What it may see.
            pub fn sight(&self) -> Sight {
                match self { $($(StrategyConfig::$Rule(_) => strategies!(@sight $sight),)*)* StrategyConfig::Custom(_) => Sight::Blind }
            }

            /// See [`News::check`].
            ///
            /// # Errors
            /// The first setting that cannot be.
            pub fn check(&self) -> Result<(), BadSetting> {
                match self { $($(StrategyConfig::$Rule(config) => <$family::$module::$Rule as News>::check(config),)*)* StrategyConfig::Custom(custom) => custom.check() }
            }

            /// Whether it reads the reports of monitoring agents.
            pub fn reads_reports(&self) -> bool {
                match self { $($(StrategyConfig::$Rule(_) => <$family::$module::$Rule as News>::READS_REPORTS,)*)* StrategyConfig::Custom(custom) => custom.kind().reads_reports() }
            }

            /// Whether it goes by weights.
            pub fn heeds_weights(&self) -> bool {
                match self { $($(StrategyConfig::$Rule(_) => <$family::$module::$Rule as News>::HEEDS_WEIGHTS,)*)* StrategyConfig::Custom(custom) => custom.kind().heeds_weights() }
            }

            /// Whether it is asked anew for whoever waits, whenever an attempt has ended.
            pub fn picks_for_waiting(&self) -> bool {
                match self { $($(StrategyConfig::$Rule(_) => <$family::$module::$Rule as News>::PICKS_FOR_WAITING,)*)* StrategyConfig::Custom(custom) => custom.kind().picks_for_waiting() }
            }

            /// Whether it hashes by the placement that each replication draws.
            pub fn places(&self) -> bool {
                match self { $($(StrategyConfig::$Rule(_) => <$family::$module::$Rule as News>::PLACES,)*)* StrategyConfig::Custom(custom) => custom.kind().places() }
            }

            /// Whether it may leave out servers by itself, for how they answer.
            pub fn may_leave_out(&self) -> bool {
                self.notices_failures() && match self { $($(StrategyConfig::$Rule(_) => <$family::$module::$Rule as News>::LEAVES_OUT,)*)* StrategyConfig::Custom(custom) => custom.kind().leaves_out() }
            }

            /// Whether it matters to it where its balancer stands.
            pub fn goes_by_place(&self) -> bool {
                match self { $($(StrategyConfig::$Rule(_) => <$family::$module::$Rule as News>::GOES_BY_PLACE,)*)* StrategyConfig::Custom(custom) => custom.kind().goes_by_place() }
            }

            /// See [`News::ranks`].
            pub fn ranks(&self, pool: &Pool) -> Vec<Option<u64>> {
                match self { $($(StrategyConfig::$Rule(config) => <$family::$module::$Rule as News>::ranks(config, pool),)*)* StrategyConfig::Custom(custom) => custom.kind().ranks(pool) }
            }

            /// Whether it hears from servers that become idle.
            pub fn hears_idle(&self) -> bool {
                match self { $($(StrategyConfig::$Rule(_) => <$family::$module::$Rule as News>::HEARS_IDLE,)*)* StrategyConfig::Custom(custom) => custom.kind().hears_idle() }
            }

            /// Whether it reads what servers say of themselves in their answers.
            pub fn reads_feedback(&self) -> bool {
                match self { $($(StrategyConfig::$Rule(_) => <$family::$module::$Rule as News>::READS_FEEDBACK,)*)* StrategyConfig::Custom(custom) => custom.kind().reads_feedback() }
            }

            /// Whether it is an oracle that wants to know when requests would be completed.
            pub fn foresees(&self) -> bool {
                match self { $($(StrategyConfig::$Rule(_) => <$family::$module::$Rule as News>::FORESEES,)*)* StrategyConfig::Custom(_) => false }
            }

            /// Whether it probes servers.
            pub fn probes(&self) -> bool {
                match self { $($(StrategyConfig::$Rule(_) => <$family::$module::$Rule as News>::PROBES,)*)* StrategyConfig::Custom(custom) => custom.kind().probes() }
            }

            /// See [`News::in_charge`].
            pub fn in_charge(&self, members: &[Member]) -> Vec<bool> {
                match self { $($(StrategyConfig::$Rule(config) => <$family::$module::$Rule as News>::in_charge(config, members),)*)* StrategyConfig::Custom(custom) => custom.kind().in_charge(members) }
            }

            /// See [`News::notices_failures`].
            pub fn notices_failures(&self) -> bool {
                match self { $($(StrategyConfig::$Rule(config) => <$family::$module::$Rule as News>::notices_failures(config),)*)* StrategyConfig::Custom(custom) => custom.kind().notices_failures() }
            }

            /// See [`News::heeds_requests`].
            pub fn heeds_requests(&self) -> bool {
                match self { $($(StrategyConfig::$Rule(config) => <$family::$module::$Rule as News>::heeds_requests(config),)*)* StrategyConfig::Custom(custom) => custom.kind().heeds_requests() }
            }

            /// See [`News::heeds_answers`].
            pub fn heeds_answers(&self) -> bool {
                match self { $($(StrategyConfig::$Rule(config) => <$family::$module::$Rule as News>::heeds_answers(config),)*)* StrategyConfig::Custom(custom) => custom.kind().heeds_answers() }
            }

            /// See [`News::heeds_key`].
            pub fn heeds_key(&self) -> bool {
                match self { $($(StrategyConfig::$Rule(config) => <$family::$module::$Rule as News>::heeds_key(config),)*)* StrategyConfig::Custom(custom) => custom.kind().heeds_key() }
            }

            /// What it looks at of where a request comes from.
            pub fn origin(&self) -> Origin {
                match self { $($(StrategyConfig::$Rule(config) => <$family::$module::$Rule as News>::origin(config),)*)* StrategyConfig::Custom(custom) => custom.kind().origin() }
            }

            /// The strategy as a balancer starts with it.
            pub fn build(&self, cx: &mut Context<'_>) -> Strategy {
                match self { $($(StrategyConfig::$Rule(config) => Strategy::$Rule(News::new(config, cx)),)*)* StrategyConfig::Custom(custom) => Strategy::Custom(CustomRule::new(custom, cx)) }
            }
        }

        impl Strategy {
            /// Picks where a request goes. A rule that is not a product's must have at least one
            /// eligible member.
            #[inline]
            pub fn pick(&mut self, request: &Request<'_>, truth: Truth<'_>, cx: &mut Context<'_>) -> Pick {
                match self { $($(Strategy::$Rule(rule) => strategies!(@pick $sight rule, request, truth, cx),)*)* Strategy::Custom(rule) => Pick::Member(rule.pick(request, cx)) }
            }

            /// See [`News::sent`].
            #[inline]
            pub fn sent(&mut self, member: MemberId, cx: &mut Context<'_>) {
                match self { $($(Strategy::$Rule(rule) => rule.sent(member, cx),)*)* Strategy::Custom(rule) => rule.news().sent(member, cx) }
            }

            /// See [`News::foresee`].
            #[inline]
            pub fn foresee(&self, member: MemberId) {
                match self { $($(Strategy::$Rule(rule) => rule.foresee(member),)*)* Strategy::Custom(rule) => rule.foresee(member) }
            }

            /// See [`News::answered`].
            #[inline]
            pub fn answered(&mut self, answer: &Answer, cx: &mut Context<'_>) {
                match self { $($(Strategy::$Rule(rule) => rule.answered(answer, cx),)*)* Strategy::Custom(rule) => rule.news().answered(answer, cx) }
            }

            /// See [`News::changes_of_mind`].
            pub fn changes_of_mind(&self) -> u64 {
                match self { $($(Strategy::$Rule(rule) => rule.changes_of_mind(),)*)* Strategy::Custom(rule) => rule.changes_of_mind() }
            }

            /// See [`News::leaves_out`].
            pub fn leaves_out(&self, member: MemberId) -> bool {
                match self { $($(Strategy::$Rule(rule) => rule.leaves_out(member),)*)* Strategy::Custom(rule) => rule.leaves_out(member) }
            }

            /// See [`News::eligibility_changed`].
            pub fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
                match self { $($(Strategy::$Rule(rule) => rule.eligibility_changed(member, cx),)*)* Strategy::Custom(rule) => rule.news().eligibility_changed(member, cx) }
            }

            /// See [`Product::takes_waiting`].
            pub fn takes_waiting(&mut self, member: MemberId, cx: &mut Context<'_>) -> bool {
                match self { $($(Strategy::$Rule(rule) => strategies!(@waiting $sight rule, member, cx),)*)* Strategy::Custom(_) => false }
            }

            /// See [`News::membership_changed`].
            pub fn membership_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
                match self { $($(Strategy::$Rule(rule) => rule.membership_changed(member, cx),)*)* Strategy::Custom(rule) => rule.news().membership_changed(member, cx) }
            }

            /// See [`News::weight_changed`].
            pub fn weight_changed(&mut self, member: MemberId, before: u32, cx: &mut Context<'_>) {
                match self { $($(Strategy::$Rule(rule) => rule.weight_changed(member, before, cx),)*)* Strategy::Custom(rule) => rule.news().weight_changed(member, before, cx) }
            }

            /// See [`News::probed`].
            pub fn probed(&mut self, member: MemberId, probe: &Probe, cx: &mut Context<'_>) {
                match self { $($(Strategy::$Rule(rule) => rule.probed(member, probe, cx),)*)* Strategy::Custom(rule) => rule.news().probed(member, probe, cx) }
            }

            /// See [`News::idle`].
            pub fn idle(&mut self, member: MemberId, cx: &mut Context<'_>) {
                match self { $($(Strategy::$Rule(rule) => rule.idle(member, cx),)*)* Strategy::Custom(rule) => rule.news().idle(member, cx) }
            }

            /// See [`News::reported`].
            pub fn reported(&mut self, member: MemberId, report: &Report, cx: &mut Context<'_>) {
                match self { $($(Strategy::$Rule(rule) => rule.reported(member, report, cx),)*)* Strategy::Custom(rule) => rule.news().reported(member, report, cx) }
            }

            /// See [`Oracle::truth_changed`]; nothing for a rule that cannot see it.
            #[inline]
            pub fn truth_changed(&mut self, member: MemberId, truth: Truth<'_>, cx: &mut Context<'_>) {
                match self { $($(Strategy::$Rule(rule) => strategies!(@truth $sight rule, member, truth, cx),)*)* Strategy::Custom(_) => {} }
            }
        }
    };
    (@sight blind) => { Sight::Blind };
    (@sight oracle) => { Sight::Oracle };
    (@sight product) => { Sight::Product };
    (@pick blind $rule:ident, $request:ident, $truth:ident, $cx:ident) => {
        Pick::Member(Rule::pick($rule, $request, Candidates::new($cx.pool, $request.tried), $cx))
    };
    (@pick product $rule:ident, $request:ident, $truth:ident, $cx:ident) => { Product::pick($rule, $request, $cx) };
    (@pick oracle $rule:ident, $request:ident, $truth:ident, $cx:ident) => {
        Pick::Member(Oracle::pick($rule, $request, Candidates::new($cx.pool, $request.tried), $truth, $cx))
    };
    (@waiting product $rule:ident, $member:ident, $cx:ident) => { Product::takes_waiting($rule, $member, $cx) };
    (@waiting $sight:ident $rule:ident, $member:ident, $cx:ident) => {{ let _ = ($rule, $member, $cx); false }};
    (@truth oracle $rule:ident, $member:ident, $truth:ident, $cx:ident) => { Oracle::truth_changed($rule, $member, $truth, $cx) };
    (@truth $sight:ident $rule:ident, $member:ident, $truth:ident, $cx:ident) => {{ let _ = $rule; }};
}

impl super::StrategyConfig {
    /// The line of the catalogue; a rule from outside has none.
    pub fn entry(&self) -> Option<&'static Entry> {
        super::CATALOGUE.get(self.index())
    }

    /// Where it stands in [`CATALOGUE`](super::CATALOGUE): a rule from outside after all.
    pub fn index(&self) -> usize {
        let listed = super::CATALOGUE.iter();
        match self {
            Self::Custom(_) => super::CATALOGUE.len(),
            _ => listed.take_while(|entry| entry.name != self.name()).count(),
        }
    }

    /// The settings that are not at their default, at any depth, each by its path: those that
    /// cannot be left out without another meaning.
    pub fn said(&self) -> Vec<(String, serde_json::Value)> {
        if let Self::Custom(custom) = self {
            return said(custom.settings(), |changed| custom.is_set_to(changed));
        }
        let settings = serde_json::to_value(self).unwrap_or_default();
        let mut said = said(settings, |changed| {
            serde_json::from_value::<Self>(changed.clone()).is_ok_and(|other| other == *self)
        });
        said.retain(|(path, _)| path != "kind");
        said
    }
}

/// What of `settings` cannot be left out without another meaning, each by its path.
fn said(
    settings: serde_json::Value,
    means_the_same: impl Fn(&serde_json::Value) -> bool,
) -> Vec<(String, serde_json::Value)> {
    let mut rest = settings;
    let mut paths = Vec::new();
    leaves(&rest, &mut Vec::new(), &mut paths);
    let mut said = Vec::new();
    for path in paths {
        let mut shorter = rest.clone();
        let Some(value) = take(&mut shorter, &path) else {
            continue;
        };
        if means_the_same(&shorter) {
            rest = shorter;
        } else {
            said.push((path.join("."), value));
        }
    }
    said
}

/// The paths of all values that hold no others by name, and of the objects around them, innermost
/// first.
fn leaves(value: &serde_json::Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    if let serde_json::Value::Object(map) = value {
        for (key, value) in map {
            path.push(key.clone());
            leaves(value, path, found);
            path.pop();
        }
    }
    if !path.is_empty() {
        found.push(path.clone());
    }
}

/// Takes what is at a path, unless it holds something that has been said already.
fn take(value: &mut serde_json::Value, path: &[String]) -> Option<serde_json::Value> {
    let (last, parents) = path.split_last()?;
    let parent = parents
        .iter()
        .try_fold(value, |value, key| value.get_mut(key))?;
    let taken = parent.as_object_mut()?.remove(last)?;
    let holds_more = taken.as_object().is_some_and(|map| !map.is_empty());
    (!holds_more).then_some(taken)
}

#[cfg(test)]
mod tests {
    use crate::strategy::{CATALOGUE, called};

    /// What people type leads to what they mean, and no word of one strategy hides the name of
    /// another.
    #[test]
    fn words_of_products_lead_to_strategies() {
        let found = |word: &str| called(word).map(|entry| entry.name).collect::<Vec<_>>();
        assert_eq!(found("MAGLEV"), ["ipvs-mh", "envoy-maglev"]);
        assert_eq!(found("leastconn"), found("least_conn"));
        for (word, meant) in [
            ("least_conn", "nginx-least-conn"),
            ("random two least_conn", "nginx-random"),
            ("p2c", "power-of-d"),
            ("chash", "consistent-hashing"),
            ("ring_hash", "envoy-ring-hash"),
            ("peak_ewma", "linkerd-peak-ewma"),
            (
                "least_outstanding_requests",
                "aws-alb-least-outstanding-requests",
            ),
            ("rr", "round-robin"),
            ("wrr", "ipvs-wrr"),
            ("lc", "ipvs-lc"),
            ("power_of_d", "power-of-d"),
        ] {
            assert!(found(word).contains(&meant), "{word}: {:?}", found(word));
        }
        assert!(found("").is_empty() && found("nothing-of-the-kind").is_empty());
        for entry in CATALOGUE {
            assert!(found(entry.name).contains(&entry.name), "{}", entry.name);
        }
    }
}
