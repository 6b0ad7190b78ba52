//! Autoscalers that never get to do anything.

use super::{Warning, warning};
use crate::model::blueprint::Blueprint;
use crate::time::Time;

/// What comes after the end of the run.
pub(super) fn growth(plan: &Blueprint, found: &mut Vec<Warning>) {
    let run = plan.end - Time::ZERO;
    for service in &plan.services {
        for group in &service.groups {
            let Some(scale) = &group.autoscale else {
                continue;
            };
            let settings = &scale.settings;
            let planned = settings.by.planned();
            let what = if settings.by.metric().is_some() && settings.interval >= run {
                format!("looks for the first time after {}", settings.interval)
            } else if let Some(first) = planned.first().filter(|first| first.at >= run) {
                format!("plans its first change after {}", first.at)
            } else {
                continue;
            };
            let name = service.full_name(&group.name);
            let text = format!("`{name}`: `autoscale` {what}, when the run is over");
            found.push(warning("without-effect", text));
        }
    }
}
