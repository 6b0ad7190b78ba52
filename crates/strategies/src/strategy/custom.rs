//! Rules from outside: handed in by code, compared like those of the list, and named by no scenario
//! file.
//!
//! ```
//! use lbsim_strategies::strategy::{
//!     Candidates, Context, Custom, MemberId, News, Request, Rule, StrategyConfig, contract,
//! };
//!
//! /// Takes the candidate with the lowest number.
//! #[derive(Clone, Debug)]
//! struct Lowest;
//!
//! impl News for Lowest {
//!     type Config = ();
//!
//!     fn new(_: &(), _: &mut Context<'_>) -> Lowest {
//!         Lowest
//!     }
//! }
//!
//! impl Rule for Lowest {
//!     fn pick(
//!         &mut self,
//!         _: &Request<'_>,
//!         candidates: Candidates<'_>,
//!         _: &mut Context<'_>,
//!     ) -> MemberId {
//!         candidates.iter().min().expect("there is always one")
//!     }
//! }
//!
//! let strategy: StrategyConfig = Custom::new::<Lowest>("lowest", ()).into();
//! assert_eq!(strategy.label(), "lowest");
//! contract::check(&strategy).unwrap();
//! ```

use std::any::Any;
use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{
    Answer, BadSetting, Candidates, Context, Member, MemberId, News, Origin, Pool, Probe, Report,
    Request, Rule, StrategyConfig,
};

/// A rule of somebody else's and its settings: what the name of a strategy and its settings are for
/// one of the list.
///
/// Two are equal where name, type of the rule and settings are. A scenario's resolved text says
/// `kind = "custom"` with name and settings, which says what was run and cannot be read back: the
/// code is not part of it. For the same reason no run with such a rule goes on from a journal.
#[derive(Clone)]
pub struct Custom {
    name: Arc<str>,
    kind: Arc<dyn Kind>,
}

impl Custom {
    /// The rule `R` with these settings, called `name` in tables and charts. The settings that are
    /// not at their default follow the name there, as for any strategy.
    pub fn new<R>(name: &str, config: R::Config) -> Custom
    where
        R: Rule + Clone + Debug + 'static,
        R::Config: Send + Sync + 'static,
    {
        Custom {
            name: name.into(),
            kind: Arc::new(Of::<R> {
                config,
                rule: PhantomData,
            }),
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its settings as JSON; null where it has none, and where they cannot be written.
    pub(super) fn settings(&self) -> Value {
        self.kind.settings()
    }

    /// Whether these settings, read anew, are its own.
    pub(super) fn is_set_to(&self, settings: &Value) -> bool {
        self.kind.is_set_to(settings)
    }

    /// See [`News::check`]; also, its name must be one of its own.
    pub(super) fn check(&self) -> Result<(), BadSetting> {
        let bad = |message: &str| {
            Err(BadSetting {
                setting: "name",
                message: message.to_owned(),
            })
        };
        if self.name.trim().is_empty() {
            return bad("of a custom rule is empty");
        }
        if super::CATALOGUE
            .iter()
            .any(|entry| entry.name == self.name())
        {
            return bad(&format!(
                "of a custom rule is `{}`, which is another strategy's",
                self.name
            ));
        }
        self.kind.check()
    }

    pub(super) fn kind(&self) -> &dyn Kind {
        &*self.kind
    }
}

impl From<Custom> for StrategyConfig {
    fn from(custom: Custom) -> StrategyConfig {
        StrategyConfig::Custom(custom)
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Custom) -> bool {
        self.name == other.name && self.kind.is_same(&*other.kind)
    }
}

impl Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custom")
            .field("name", &self.name)
            .field("rule", &self.kind)
            .finish()
    }
}

impl Serialize for Custom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let settings = Some(self.settings()).filter(|settings| !settings.is_null());
        let count = 1 + usize::from(settings.is_some());
        let mut fields = serializer.serialize_struct("Custom", count)?;
        fields.serialize_field("name", self.name())?;
        match &settings {
            Some(settings) => fields.serialize_field("settings", settings)?,
            None => fields.skip_field("settings")?,
        }
        fields.end()
    }
}

/// A rule that is not at work yet: [`News`] as far as it speaks of settings, for any type of rule.
pub(super) trait Kind: Any + Debug + Send + Sync {
    fn is_same(&self, other: &dyn Kind) -> bool;
    fn settings(&self) -> Value;
    fn is_set_to(&self, settings: &Value) -> bool;
    fn check(&self) -> Result<(), BadSetting>;
    fn reads_reports(&self) -> bool;
    fn heeds_weights(&self) -> bool;
    fn picks_for_waiting(&self) -> bool;
    fn places(&self) -> bool;
    fn hears_idle(&self) -> bool;
    fn goes_by_place(&self) -> bool;
    fn ranks(&self, pool: &Pool) -> Vec<Option<u64>>;
    fn reads_feedback(&self) -> bool;
    fn probes(&self) -> bool;
    fn in_charge(&self, members: &[Member]) -> Vec<bool>;
    fn leaves_out(&self) -> bool;
    fn notices_failures(&self) -> bool;
    fn heeds_requests(&self) -> bool;
    fn heeds_answers(&self) -> bool;
    fn heeds_key(&self) -> bool;
    fn origin(&self) -> Origin;
    fn build(&self, cx: &mut Context<'_>) -> Box<dyn Working>;
}

/// The settings of a rule of this type.
struct Of<R: News> {
    config: R::Config,
    rule: PhantomData<fn() -> R>,
}

impl<R: News> Debug for Of<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(std::any::type_name::<R>())
            .field(&self.config)
            .finish()
    }
}

impl<R> Kind for Of<R>
where
    R: Rule + Clone + Debug + 'static,
    R::Config: Send + Sync + 'static,
{
    fn is_same(&self, other: &dyn Kind) -> bool {
        let other: &dyn Any = other;
        other
            .downcast_ref::<Of<R>>()
            .is_some_and(|other| other.config == self.config)
    }

    fn settings(&self) -> Value {
        serde_json::to_value(&self.config).unwrap_or_default()
    }

    fn is_set_to(&self, settings: &Value) -> bool {
        serde_json::from_value::<R::Config>(settings.clone())
            .is_ok_and(|config| config == self.config)
    }

    fn check(&self) -> Result<(), BadSetting> {
        R::check(&self.config)
    }

    fn reads_reports(&self) -> bool {
        R::READS_REPORTS
    }

    fn heeds_weights(&self) -> bool {
        R::HEEDS_WEIGHTS
    }

    fn picks_for_waiting(&self) -> bool {
        R::PICKS_FOR_WAITING
    }

    fn places(&self) -> bool {
        R::PLACES
    }

    fn goes_by_place(&self) -> bool {
        R::GOES_BY_PLACE
    }

    fn ranks(&self, pool: &Pool) -> Vec<Option<u64>> {
        R::ranks(&self.config, pool)
    }

    fn hears_idle(&self) -> bool {
        R::HEARS_IDLE
    }

    fn reads_feedback(&self) -> bool {
        R::READS_FEEDBACK
    }

    fn probes(&self) -> bool {
        R::PROBES
    }

    fn in_charge(&self, members: &[Member]) -> Vec<bool> {
        R::in_charge(&self.config, members)
    }

    fn leaves_out(&self) -> bool {
        R::LEAVES_OUT
    }

    fn notices_failures(&self) -> bool {
        R::notices_failures(&self.config)
    }

    fn heeds_requests(&self) -> bool {
        R::heeds_requests(&self.config)
    }

    fn heeds_answers(&self) -> bool {
        R::heeds_answers(&self.config)
    }

    fn heeds_key(&self) -> bool {
        R::heeds_key(&self.config)
    }

    fn origin(&self) -> Origin {
        R::origin(&self.config)
    }

    fn build(&self, cx: &mut Context<'_>) -> Box<dyn Working> {
        Box::new(R::new(&self.config, cx))
    }
}

/// A rule at work: [`News`] and [`Rule`] for any type of rule.
pub(super) trait Working: Debug {
    fn boxed(&self) -> Box<dyn Working>;
    fn pick(
        &mut self,
        request: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId;
    fn changes_of_mind(&self) -> u64;
    fn leaves_out(&self, member: MemberId) -> bool;
    fn foresee(&self, member: MemberId);
    fn sent(&mut self, member: MemberId, cx: &mut Context<'_>);
    fn answered(&mut self, answer: &Answer, cx: &mut Context<'_>);
    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>);
    fn membership_changed(&mut self, member: MemberId, cx: &mut Context<'_>);
    fn weight_changed(&mut self, member: MemberId, before: u32, cx: &mut Context<'_>);
    fn reported(&mut self, member: MemberId, report: &Report, cx: &mut Context<'_>);
    fn probed(&mut self, member: MemberId, probe: &Probe, cx: &mut Context<'_>);
    fn idle(&mut self, member: MemberId, cx: &mut Context<'_>);
}

impl<R: Rule + Clone + Debug + 'static> Working for R {
    fn boxed(&self) -> Box<dyn Working> {
        Box::new(self.clone())
    }

    fn pick(
        &mut self,
        request: &Request<'_>,
        candidates: Candidates<'_>,
        cx: &mut Context<'_>,
    ) -> MemberId {
        Rule::pick(self, request, candidates, cx)
    }

    fn changes_of_mind(&self) -> u64 {
        News::changes_of_mind(self)
    }

    fn leaves_out(&self, member: MemberId) -> bool {
        News::leaves_out(self, member)
    }

    fn foresee(&self, member: MemberId) {
        News::foresee(self, member);
    }

    fn sent(&mut self, member: MemberId, cx: &mut Context<'_>) {
        News::sent(self, member, cx);
    }

    fn answered(&mut self, answer: &Answer, cx: &mut Context<'_>) {
        News::answered(self, answer, cx);
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        News::eligibility_changed(self, member, cx);
    }

    fn membership_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        News::membership_changed(self, member, cx);
    }

    fn weight_changed(&mut self, member: MemberId, before: u32, cx: &mut Context<'_>) {
        News::weight_changed(self, member, before, cx);
    }

    fn reported(&mut self, member: MemberId, report: &Report, cx: &mut Context<'_>) {
        News::reported(self, member, report, cx);
    }

    fn probed(&mut self, member: MemberId, probe: &Probe, cx: &mut Context<'_>) {
        News::probed(self, member, probe, cx);
    }

    fn idle(&mut self, member: MemberId, cx: &mut Context<'_>) {
        News::idle(self, member, cx);
    }
}

/// A rule from outside at work.
#[derive(Debug)]
pub struct CustomRule(Box<dyn Working>);

impl CustomRule {
    pub(super) fn new(custom: &Custom, cx: &mut Context<'_>) -> CustomRule {
        CustomRule(custom.kind.build(cx))
    }

    /// Asks the rule, and sees that it keeps to what it was asked.
    pub(super) fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> MemberId {
        let candidates = Candidates::new(cx.pool, request.tried);
        let picked = self.0.pick(request, candidates, cx);
        assert!(
            (picked as usize) < cx.pool.len() && candidates.contains(picked),
            "{:?} picked {picked}, which is not one of the candidates",
            self.0
        );
        picked
    }

    pub(super) fn news(&mut self) -> &mut dyn Working {
        &mut *self.0
    }

    pub(super) fn foresee(&self, member: MemberId) {
        self.0.foresee(member);
    }

    pub(super) fn changes_of_mind(&self) -> u64 {
        self.0.changes_of_mind()
    }

    pub(super) fn leaves_out(&self, member: MemberId) -> bool {
        self.0.leaves_out(member)
    }
}

impl Clone for CustomRule {
    fn clone(&self) -> CustomRule {
        CustomRule(self.0.boxed())
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::super::contract::{self, Promise};
    use super::*;

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct Config {
        nth: usize,
        reckless: bool,
    }

    /// Takes the candidate of a fixed number; a reckless one does not ask who is a candidate.
    #[derive(Clone, Debug)]
    struct Nth(Config);

    impl News for Nth {
        type Config = Config;

        fn new(config: &Config, _: &mut Context<'_>) -> Nth {
            Nth(config.clone())
        }

        fn check(config: &Config) -> Result<(), BadSetting> {
            if config.nth < 1000 {
                return Ok(());
            }
            Err(BadSetting {
                setting: "nth",
                message: "is too large".to_owned(),
            })
        }
    }

    impl Rule for Nth {
        fn pick(
            &mut self,
            _: &Request<'_>,
            candidates: Candidates<'_>,
            _: &mut Context<'_>,
        ) -> MemberId {
            if self.0.reckless {
                return self.0.nth as MemberId;
            }
            let mut members: Vec<MemberId> = candidates.iter().collect();
            members.sort_unstable();
            members[self.0.nth % members.len()]
        }
    }

    /// As [`Nth`], of another type.
    #[derive(Clone, Debug)]
    struct Other(Nth);

    impl News for Other {
        type Config = Config;

        fn new(config: &Config, cx: &mut Context<'_>) -> Other {
            Other(News::new(config, cx))
        }
    }

    impl Rule for Other {
        fn pick(
            &mut self,
            request: &Request<'_>,
            candidates: Candidates<'_>,
            cx: &mut Context<'_>,
        ) -> MemberId {
            Rule::pick(&mut self.0, request, candidates, cx)
        }
    }

    fn nth(nth: usize) -> Config {
        Config {
            nth,
            reckless: false,
        }
    }

    #[test]
    fn equal_are_name_rule_and_settings() {
        let one: StrategyConfig = Custom::new::<Nth>("nth", nth(3)).into();
        assert_eq!(one, one.clone());
        assert_eq!(one, Custom::new::<Nth>("nth", nth(3)).into());
        for other in [
            Custom::new::<Nth>("nth", nth(4)),
            Custom::new::<Nth>("other", nth(3)),
            Custom::new::<Other>("nth", nth(3)),
        ] {
            assert_ne!(one, other.into());
        }
        let shown = format!("{one:?}");
        assert!(shown.contains("nth: 3") && shown.contains("Nth"), "{shown}");
    }

    #[test]
    fn a_label_says_what_is_not_at_its_default() {
        let label = |config| StrategyConfig::from(Custom::new::<Nth>("nth", config)).label();
        assert_eq!(label(Config::default()), "nth");
        assert_eq!(label(nth(3)), "nth (nth=3)");
    }

    #[test]
    fn as_json_it_is_marked_and_cannot_be_read_back() {
        let strategy: StrategyConfig = Custom::new::<Nth>("nth", nth(3)).into();
        let text = serde_json::to_string(&strategy).unwrap();
        assert_eq!(
            text,
            r#"{"kind":"custom","name":"nth","settings":{"nth":3,"reckless":false}}"#
        );
        let error = serde_json::from_str::<StrategyConfig>(&text).unwrap_err();
        assert!(
            error.to_string().contains("unknown variant `custom`"),
            "{error}"
        );
    }

    #[test]
    fn names_are_its_own_and_settings_are_checked() {
        let fault = |name, config| {
            let strategy: StrategyConfig = Custom::new::<Nth>(name, config).into();
            strategy.check().err().map(|bad| bad.setting)
        };
        assert_eq!(fault("nth", nth(3)), None);
        assert_eq!(fault("", nth(3)), Some("name"));
        assert_eq!(fault("random", nth(3)), Some("name"));
        assert_eq!(fault("nth", nth(1000)), Some("nth"));
    }

    #[test]
    fn the_contract_holds_or_says_what_is_broken() {
        contract::check(&Custom::new::<Nth>("nth", nth(3)).into()).unwrap();
        let reckless = Config {
            nth: 1,
            reckless: true,
        };
        let broken = contract::check(&Custom::new::<Nth>("nth", reckless).into()).unwrap_err();
        assert_eq!(broken.promise, Promise::PicksCandidates);
        let said = broken.to_string();
        assert!(said.contains("not one of the candidates"), "{said}");
    }
}
