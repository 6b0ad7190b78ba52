//! Step scaling: so many servers more or fewer by how far a metric is from its target. Amazon Web
//! Services, "Amazon EC2 Auto Scaling User Guide", step and simple scaling policies: the step holds
//! within whose bounds the figure is, shares are rounded as said there, and servers that are not
//! ready yet count as a part of what a step adds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::fault::Refuse;
use super::{LoadMetric, Look, Scaling, check_positive};
use lbsim_engine::units::Share;

/// Settings of step scaling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StepScaling {
    /// What it looks at, and what that should be: thresholds are shares of it.
    pub metric: LoadMetric,
    /// What is added: the step holds that is highest of those below the figure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub out: Vec<StepOut>,
    /// What is removed: the step holds that is lowest of those above the figure.
    #[serde(default, rename = "in", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub inward: Vec<StepIn>,
}

/// What is added where the figure is above this share of its target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepOut {
    /// Above what.
    pub above: Share,
    /// So many servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub servers: Option<u32>,
    /// As many as this share of those that take requests comes to, rounded down, one at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
}

/// What is removed where the figure is below this share of its target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepIn {
    /// Below what.
    pub below: Share,
    /// So many servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub servers: Option<u32>,
    /// As many as this share of all comes to, rounded down, one at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
}

/// A hair beyond a threshold is not beyond it: figures are quotients, and shares are percent.
const HAIR: f64 = 1e-9;

/// How many servers that is, of so many.
fn adjustment(servers: Option<u32>, share: Option<Share>, of: u32) -> u32 {
    match (servers, share) {
        (Some(servers), _) => servers,
        (None, Some(share)) => (f64::from(of) * share.value() + 1e-9).max(1.0) as u32,
        (None, None) => 0,
    }
}

impl Scaling for StepScaling {
    type Memory = ();

    fn memory(&self, _start: u32) {}

    fn metric(&self) -> Option<&LoadMetric> {
        Some(&self.metric)
    }

    fn wants(&self, _memory: &mut (), look: &Look) -> u32 {
        let Some(ratio) = look.ratio else {
            return look.count;
        };
        let out = self
            .out
            .iter()
            .filter(|step| ratio > step.above.value() + HAIR);
        let out = out.max_by(|one, other| one.above.value().total_cmp(&other.above.value()));
        if let Some(step) = out {
            let more = adjustment(step.servers, step.share, look.ready);
            return look.count.max(look.ready.saturating_add(more));
        }
        let inward = self
            .inward
            .iter()
            .filter(|step| ratio < step.below.value() - HAIR);
        let inward = inward.min_by(|one, other| one.below.value().total_cmp(&other.below.value()));
        match inward {
            Some(step) => {
                let fewer = adjustment(step.servers, step.share, look.count);
                look.count.saturating_sub(fewer)
            }
            None => look.count,
        }
    }

    fn check(&self, _bounds: (u32, u32), refuse: &mut Refuse<'_>) {
        self.metric.check(refuse);
        if self.out.is_empty() && self.inward.is_empty() {
            refuse("out", "there are no steps; give `out`, `in` or both");
        }
        let out = (self.out.iter().enumerate()).map(|(at, step)| {
            (
                format!("out[{at}]"),
                "above",
                step.above,
                step.servers,
                step.share,
            )
        });
        let inward = (self.inward.iter().enumerate()).map(|(at, step)| {
            (
                format!("in[{at}]"),
                "below",
                step.below,
                step.servers,
                step.share,
            )
        });
        for (place, key, threshold, servers, share) in out.chain(inward) {
            match (servers, share) {
                (None, None) => refuse(&place, "nothing says how many; give `servers` or `share`"),
                (Some(_), Some(_)) => refuse(
                    &place,
                    "how many is said twice; leave out `servers` or `share`",
                ),
                _ => {}
            }
            let mut within = |own: &str, message: &str| refuse(&format!("{place}.{own}"), message);
            check_positive(key, threshold, &mut within);
            if let Some(share) = share {
                check_positive("share", share, &mut within);
            }
        }
        let lowest = self.out.iter().map(|step| step.above.value());
        let lowest = lowest.fold(f64::INFINITY, f64::min);
        for (at, step) in self.inward.iter().enumerate() {
            if step.below.value() > lowest {
                let message = format!(
                    "`below` is {}, and servers are added above {} already",
                    step.below,
                    Share::fraction(lowest)
                );
                refuse(&format!("in[{at}].below"), &message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Trial, refused};

    const RULE: &str = r#"{
        "kind": "steps", "metric": { "kind": "utilization", "target": "60%" },
        "out": [{ "above": "110%", "servers": 1 }, { "above": "140%", "share": "30%" }],
        "in": [{ "below": "70%", "servers": 1 }, { "below": "40%", "share": "25%" }]
    }"#;

    #[test]
    fn the_step_holds_within_whose_bounds_the_figure_is() {
        let mut trial = Trial::new(RULE, 10, (1, 20));
        assert_eq!(trial.wants(15, (10, 10), 1.1), 10, "not above it");
        assert_eq!(trial.wants(30, (10, 10), 1.2), 11);
        // Those that are ordered are a part of the step; a higher one asks for the rest.
        assert_eq!(trial.wants(45, (10, 11), 1.3), 11);
        assert_eq!(trial.wants(60, (10, 11), 1.5), 13);
        assert_eq!(trial.wants(75, (2, 2), 1.5), 3, "one at least");
        assert_eq!(trial.wants(90, (10, 10), 0.7), 10);
        assert_eq!(trial.wants(105, (10, 10), 0.5), 9);
        assert_eq!(trial.wants(120, (10, 10), 0.2), 8, "2.5, rounded down");
        assert_eq!(trial.wants(135, (10, 10), None), 10);
        assert_eq!(trial.wants(150, (1, 1), 0.2), 1);
    }

    #[test]
    fn settings_that_may_not_be_are_refused() {
        assert_eq!(refused(RULE, (1, 2)), [""; 0]);
        let none = r#"{ "kind": "steps", "metric": { "kind": "utilization", "target": "60%" } }"#;
        assert_eq!(refused(none, (1, 2)).len(), 1);
        let bad = r#"{ "kind": "steps", "metric": { "kind": "utilization", "target": "60%" },
            "out": [{ "above": "0%", "servers": 1 }, { "above": "100%" }],
            "in": [{ "below": "120%", "servers": 1, "share": "10%" }] }"#;
        let said = refused(bad, (1, 2));
        let keys: Vec<&str> = said
            .iter()
            .filter_map(|one| one.split(':').next())
            .collect();
        assert_eq!(keys, ["out[0].above", "out[1]", "in[0]", "in[0].below"]);
    }
}
