//! The shortest first, without interrupting anybody.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::line::Line;
use super::{Queue, QueueOrder, Waiting};
use lbsim_engine::time::{Span, Time};

/// Settings of shortest first: there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShortestFirst {}

impl QueueOrder for ShortestFirst {
    fn queue(&self) -> Box<dyn Queue> {
        Box::<ByWork>::default()
    }
}

#[derive(Debug, Default)]
struct ByWork(Line<Span>);

impl Queue for ByWork {
    fn join(&mut self, one: Waiting, _: Time) {
        self.0.join(one.work, one);
    }

    fn next(&mut self, _: Time, _: &mut Vec<u32>) -> Option<u32> {
        self.0.pop_first().map(|one| one.id)
    }

    fn leave(&mut self, id: u32) {
        self.0.leave(id);
    }
}
