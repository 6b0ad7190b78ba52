//! Envoy's outlier detection for any strategy: Envoy's own rules have it among their settings, with
//! what their cluster makes of it.

use super::{Change, EjectionKind, Moment, OutlierDetection, Refuse, Watch};
use crate::strategy::envoy::outlier::Outliers;
use crate::strategy::{Answer, MemberId};
use lbsim_engine::time::Time;

/// Who is ejected at one balancer.
#[derive(Clone, Debug)]
pub(super) struct Detection {
    outliers: Outliers,
    ejected: Vec<MemberId>,
}

impl EjectionKind for OutlierDetection {
    type Watch = Detection;

    fn watch(&self, members: usize, _: f64) -> Detection {
        Detection {
            outliers: Outliers::new(self, members),
            ejected: Vec::new(),
        }
    }

    fn check(&self, refuse: &mut Refuse<'_>) {
        if self.interval.is_zero() {
            refuse("interval", "`interval` is no time at all; it must be more");
        }
        if let Err(fault) = self.times() {
            refuse("max-ejection-time", &format!("`max-ejection-time` {fault}"));
        }
    }

    fn leaves_out_nobody(&self, members: usize) -> Option<String> {
        let most = self.max_ejection_percent;
        let is_kept = !self.always_eject_one_host && 100 / members.max(1) > most as usize;
        is_kept.then(|| format!("`max-ejection-percent` is {most}%"))
    }
}

impl Watch for Detection {
    fn answered(&mut self, answer: &Answer, moment: &mut Moment<'_>) {
        let (member, hosts) = (answer.member, moment.present());
        if (self.outliers).answered(member, (answer.outcome, answer.status), moment.now, hosts) {
            self.ejected.push(member);
            moment.changes.push(Change::Out(member));
        }
    }

    fn next_look(&self) -> Time {
        self.outliers.next_look()
    }

    fn look(&mut self, moment: &mut Moment<'_>) {
        let all: Vec<MemberId> = (0..moment.pool.len() as MemberId)
            .filter(|&member| moment.pool.is_present(member))
            .collect();
        if self.outliers.look(moment.now, &all).is_none() {
            return;
        }
        let outliers = &self.outliers;
        let before = std::mem::take(&mut self.ejected);
        let after = all
            .into_iter()
            .filter(|&member| outliers.is_ejected(member));
        self.ejected.extend(after);
        let back = before
            .iter()
            .filter(|member| !self.ejected.contains(member));
        moment
            .changes
            .extend(back.map(|&member| Change::In(member)));
        let new = self
            .ejected
            .iter()
            .filter(|member| !before.contains(member));
        moment
            .changes
            .extend(new.map(|&member| Change::Out(member)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ejection;
    use super::super::testing::Driven;
    use super::*;
    use crate::strategy::Outcome;

    #[test]
    fn of_ten_it_ejects_one_and_of_four_nobody() {
        let ejected = |members| {
            let ejection = Ejection::OutlierDetection(OutlierDetection::default());
            let mut driven = Driven::new(&ejection, members);
            let changes: Vec<Change> = (0..8)
                .flat_map(|millis| driven.ends(2, Outcome::Timeout, (millis, 1)))
                .collect();
            (
                changes,
                driven.look(10_000),
                driven.look(20_000),
                driven.look(40_000),
            )
        };
        assert_eq!(
            ejected(10),
            (vec![Change::Out(2)], vec![], vec![], vec![Change::In(2)])
        );
        assert_eq!(ejected(4).0, []);
    }
}
