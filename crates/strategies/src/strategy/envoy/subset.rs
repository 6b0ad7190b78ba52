//! Subsets of a cluster: hosts grouped by their labels. (Envoy 1.40,
//! source/extensions/load_balancing_policies/subset)

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::strategy::{Labels, Member};

/// Settings of `subsets`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Subsets {
    /// Names of labels: each list groups the hosts that have them all by their values. A request
    /// goes to the group whose labels are exactly its own.
    pub selectors: Vec<Vec<String>>,
    /// Where a request goes that has no group.
    pub fallback: Fallback,
    /// With `default-subset`: the labels of the hosts that it goes to.
    pub default: BTreeMap<String, String>,
}

/// Where a request goes that has no group of hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fallback {
    /// Nowhere: it fails.
    #[default]
    #[serde(rename = "no-fallback")]
    Nowhere,
    /// To any host.
    AnyEndpoint,
    /// To those that have the labels of `default`.
    DefaultSubset,
}

impl Subsets {
    /// The labels of each group that these members make.
    pub(super) fn of(&self, members: &[Member]) -> BTreeSet<Labels> {
        let group = |selector: &Vec<String>, member: &Member| -> Option<Labels> {
            let entry = |name: &String| Some((name.clone(), member.labels.get(name)?.clone()));
            selector.iter().map(entry).collect()
        };
        let groups = self
            .selectors
            .iter()
            .filter(|selector| !selector.is_empty());
        groups
            .flat_map(|selector| {
                members
                    .iter()
                    .filter_map(move |member| group(selector, member))
            })
            .collect()
    }

    /// By member: whether it has all these labels.
    pub(super) fn scope(labels: &Labels, members: &[Member]) -> Arc<[bool]> {
        let has = |member: &Member| {
            let mut wanted = labels.iter();
            wanted.all(|(name, value)| member.labels.get(name) == Some(value))
        };
        members.iter().map(has).collect()
    }
}
