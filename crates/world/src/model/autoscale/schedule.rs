//! So many servers from given times on (AWS: scheduled actions; Kubernetes: a cron scaler).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::fault::Refuse;
use super::Scaling;
use lbsim_engine::time::Span;

/// Settings of a schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScalingSchedule {
    /// How many servers there are to be from which times on, in the order of the times.
    #[schemars(length(min = 1, max = 10_000))]
    pub plan: Vec<Planned>,
}

/// So many servers from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// When: then they are ordered, or removed.
    #[schemars(extend("x-least" = "1us"))]
    pub at: Span,
    /// How many.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub count: u32,
}

impl Scaling for ScalingSchedule {
    type Memory = ();

    fn memory(&self, _start: u32) {}

    fn planned(&self) -> &[Planned] {
        &self.plan
    }

    fn check(&self, (least, most): (u32, u32), refuse: &mut Refuse<'_>) {
        for (at, planned) in self.plan.iter().enumerate() {
            if !(least..=most).contains(&planned.count) {
                let message = format!(
                    "`count` is {}; it must be between `least`, {least}, and `most`, {most}",
                    planned.count
                );
                refuse(&format!("plan[{at}].count"), &message);
            }
            if at > 0 && self.plan[at - 1].at >= planned.at {
                let message = format!(
                    "`at` is {}, which is not after the one before, {}",
                    planned.at,
                    self.plan[at - 1].at
                );
                refuse(&format!("plan[{at}].at"), &message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::refused;

    #[test]
    fn counts_are_within_bounds_and_times_in_order() {
        let plan = |plan: &str| {
            refused(
                &format!(r#"{{ "kind": "schedule", "plan": {plan} }}"#),
                (2, 5),
            )
        };
        let sound = r#"[{ "at": "1s", "count": 5 }, { "at": "2s", "count": 2 }]"#;
        assert_eq!(plan(sound), [""; 0]);
        let said = plan(r#"[{ "at": "2s", "count": 6 }, { "at": "2s", "count": 1 }]"#);
        let keys: Vec<&str> = said
            .iter()
            .filter_map(|one| one.split(':').next())
            .collect();
        assert_eq!(keys, ["plan[0].count", "plan[1].count", "plan[1].at"]);
    }
}
