//! Classes of requests, the more important first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::line::Line;
use super::{Queue, QueueOrder, Waiting};
use lbsim_engine::time::Time;

/// Settings of priority queueing: there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Priority {}

impl QueueOrder for Priority {
    fn queue(&self) -> Box<dyn Queue> {
        Box::<Classes>::default()
    }
}

#[derive(Debug, Default)]
struct Classes(Line<u8>);

impl Queue for Classes {
    fn join(&mut self, one: Waiting, _: Time) {
        self.0.join(one.priority, one);
    }

    fn next(&mut self, _: Time, _: &mut Vec<u32>) -> Option<u32> {
        self.0.pop_first().map(|one| one.id)
    }

    fn leave(&mut self, id: u32) {
        self.0.leave(id);
    }

    fn make_room(&mut self, for_whom: &Waiting) -> Option<u32> {
        let is_lower = self.0.last()?.priority > for_whom.priority;
        is_lower.then(|| self.0.pop_last().map(|one| one.id))?
    }
}
