//! What all policies of Envoy have in common: a cluster of hosts, of which the labels of a request
//! may choose a subset.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::hosts::{Cluster, Hosts};
use super::outlier::OutlierDetection;
use super::subset::{Fallback, Subsets};
use crate::strategy::{
    Answer, BadSetting, Context, Labels, Member, MemberId, News, Pick, Product, Report, Request,
    standby,
};

/// How a host is picked among those that may be.
pub trait Policy: Clone + Debug {
    /// See [`News::READS_REPORTS`].
    const READS_REPORTS: bool = false;

    /// Settings.
    type Config: Clone + Default + PartialEq + Debug + Serialize + DeserializeOwned;

    /// See [`News::check`].
    ///
    /// # Errors
    /// The first setting that cannot be.
    fn check(_config: &Self::Config) -> Result<(), BadSetting> {
        Ok(())
    }

    /// See [`News::heeds_key`].
    fn heeds_key(_config: &Self::Config) -> bool {
        false
    }

    /// See [`News::heeds_requests`]; labels aside.
    fn heeds_requests(_config: &Self::Config) -> bool {
        true
    }

    /// See [`News::heeds_answers`].
    fn heeds_answers(_config: &Self::Config) -> bool {
        true
    }

    /// The policy over these hosts.
    fn new(config: &Self::Config, hosts: Hosts, cx: &mut Context<'_>) -> Self;

    /// The part of the settings that all policies have.
    fn cluster(config: &Self::Config) -> &Cluster;

    /// The hosts.
    fn hosts(&mut self) -> &mut Hosts;

    /// See [`News::sent`].
    fn sent(&mut self, _member: MemberId) {}

    /// The hosts, to look at.
    fn known(&self) -> &Hosts;

    /// See [`News::answered`]; the hosts have heard it.
    fn answered(&mut self, _answer: &Answer) {}

    /// See [`News::eligibility_changed`]; the hosts have heard it.
    fn eligibility_changed(&mut self, _member: MemberId, _cx: &mut Context<'_>) {}

    /// See [`News::reported`].
    fn reported(&mut self, _member: MemberId, _report: &Report, _cx: &mut Context<'_>) {}

    /// Picks a host; none where no host may be picked.
    fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Option<MemberId>;
}

/// A policy over a cluster, and over each of its subsets.
#[derive(Clone, Debug)]
pub struct LoadBalancer<P> {
    /// Over all hosts.
    any: P,
    /// What the labels of a request choose from, where they do.
    subsets: Option<Chosen<P>>,
}

#[derive(Clone, Debug)]
struct Chosen<P> {
    by_labels: Vec<(Labels, P)>,
    fallback: Fallback,
    default: Option<P>,
}

impl<P: Policy> LoadBalancer<P> {
    fn each(&mut self, mut tell: impl FnMut(&mut P)) {
        tell(&mut self.any);
        if let Some(subsets) = &mut self.subsets {
            let by_labels = subsets.by_labels.iter_mut().map(|(_, policy)| policy);
            by_labels.chain(&mut subsets.default).for_each(tell);
        }
    }

    /// The policy for a request with these labels. Whether a group has hosts is seen as it is now:
    /// the last one may have left since the group was last looked at.
    fn policy(&mut self, labels: &Labels, cx: &Context<'_>) -> Option<&mut P> {
        let Some(subsets) = &mut self.subsets else {
            return Some(&mut self.any);
        };
        let by_labels = subsets.by_labels.iter_mut();
        let mut fitting = by_labels.filter(|(own, _)| own == labels);
        let has_hosts = |policy: &mut P| {
            policy.hosts().advance(cx);
            !policy.hosts().is_empty()
        };
        if let Some((_, policy)) = fitting.find_map(|own| has_hosts(&mut own.1).then_some(own)) {
            return Some(policy);
        }
        match subsets.fallback {
            Fallback::Nowhere => None,
            Fallback::AnyEndpoint => Some(&mut self.any),
            Fallback::DefaultSubset => subsets.default.as_mut(),
        }
    }
}

impl<P: Policy> News for LoadBalancer<P> {
    const READS_REPORTS: bool = P::READS_REPORTS;
    const LEAVES_OUT: bool = true;
    type Config = P::Config;

    fn in_charge(config: &P::Config, members: &[Member]) -> Vec<bool> {
        standby::priorities(members, P::cluster(config).overprovisioning_factor)
    }

    fn notices_failures(config: &P::Config) -> bool {
        P::cluster(config).outlier_detection.is_some()
    }

    fn check(config: &P::Config) -> Result<(), BadSetting> {
        let detection = P::cluster(config).outlier_detection.as_ref();
        if let Some(Err(message)) = detection.map(OutlierDetection::times) {
            let setting = "cluster.outlier-detection.max-ejection-time";
            return Err(BadSetting { setting, message });
        }
        P::check(config)
    }

    fn heeds_requests(config: &P::Config) -> bool {
        P::heeds_requests(config) || P::cluster(config).subsets.is_some()
    }

    fn heeds_answers(config: &P::Config) -> bool {
        P::heeds_answers(config)
    }

    fn heeds_key(config: &P::Config) -> bool {
        P::heeds_key(config)
    }

    fn changes_of_mind(&self) -> u64 {
        self.any.known().changes_of_mind()
    }

    fn leaves_out(&self, member: MemberId) -> bool {
        self.any.known().is_ejected(member)
    }

    fn new(config: &P::Config, cx: &mut Context<'_>) -> Self {
        let cluster = P::cluster(config);
        let over = |labels: Option<&Labels>, cx: &mut Context<'_>| {
            let mut hosts = Hosts::new(cluster, cx);
            if let Some(labels) = labels {
                hosts.restrict(Subsets::scope(labels, cx.pool.members()), cx);
            }
            P::new(config, hosts, cx)
        };
        LoadBalancer {
            any: over(None, cx),
            subsets: cluster.subsets.as_ref().map(|subsets| Chosen {
                by_labels: subsets
                    .of(cx.pool.members())
                    .into_iter()
                    .map(|labels| {
                        let policy = over(Some(&labels), cx);
                        (labels, policy)
                    })
                    .collect(),
                fallback: subsets.fallback,
                default: (subsets.fallback == Fallback::DefaultSubset)
                    .then(|| over(Some(&subsets.default), cx)),
            }),
        }
    }

    fn sent(&mut self, member: MemberId, _: &mut Context<'_>) {
        self.each(|policy| policy.sent(member));
    }

    fn answered(&mut self, answer: &Answer, cx: &mut Context<'_>) {
        self.each(|policy| {
            policy.hosts().answered(answer, cx);
            policy.answered(answer);
        });
    }

    fn eligibility_changed(&mut self, member: MemberId, cx: &mut Context<'_>) {
        self.each(|policy| {
            policy.hosts().changed(cx);
            policy.eligibility_changed(member, cx);
        });
    }

    fn membership_changed(&mut self, _: MemberId, cx: &mut Context<'_>) {
        self.each(|policy| policy.hosts().changed(cx));
    }

    fn weight_changed(&mut self, _: MemberId, _: u32, cx: &mut Context<'_>) {
        self.each(|policy| policy.hosts().changed(cx));
    }

    fn reported(&mut self, member: MemberId, report: &Report, cx: &mut Context<'_>) {
        self.each(|policy| policy.reported(member, report, cx));
    }
}

impl<P: Policy> Product for LoadBalancer<P> {
    fn pick(&mut self, request: &Request<'_>, cx: &mut Context<'_>) -> Pick {
        let picked = self.policy(request.labels, cx).and_then(|policy| {
            policy.hosts().advance(cx);
            policy.pick(request, cx)
        });
        picked.map_or(Pick::Nobody, Pick::Member)
    }
}
