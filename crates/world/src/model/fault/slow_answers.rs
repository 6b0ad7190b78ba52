//! Answers that take another time than usual, decided for each request when its work begins.

use lbsim_engine::status::Status;
use lbsim_engine::time::Span;
use lbsim_engine::units::Share;

use super::errors::{all, check_share};
use super::{Effect, Fault, Find, Kind, Refuse, planned};

planned! {
    /// Slow answers.
    SlowAnswers of servers, #[doc = "From when on."] #[serde(default)] at {
        /// The share of attempts that are answered so; 0% to 100%.
        #[serde(default = "all")]
        pub share: Share,
        /// How long such an attempt takes at the server's configured speed once it has a slot.
        pub takes: Span,
        /// Only requests for this key are answered so; all where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub key: Option<u32>,
    }
}

impl Kind for SlowAnswers {
    fn check(&self, refuse: &mut Refuse<'_>) {
        self.check_planned(refuse);
        check_share(self.share, refuse);
    }

    fn resolve(&self, find: &mut dyn Find) -> Vec<Fault> {
        let effect = Effect::Answers {
            share: self.share.value(),
            takes: Some(self.takes),
            status: Status::OK,
            key: self.key,
        };
        self.on_servers("slow answers", effect, find)
    }
}
