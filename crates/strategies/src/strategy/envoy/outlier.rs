//! Outlier detection: hosts that answer with errors are left out for a while. (Envoy 1.40,
//! source/common/upstream/outlier_detection_impl.cc)

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::balancer::preset::presets;
use crate::strategy::{MemberId, Outcome};
use lbsim_engine::rng::{Luck, below};
use lbsim_engine::status::Status;
use lbsim_engine::time::{Span, Time};

/// Settings of `outlier-detection`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("x-presets" = OutlierPreset::all()))]
pub struct OutlierDetection {
    /// Settings as a product has them by default; what is written beside goes before them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<OutlierPreset>,
    /// Errors in a row after which a host is ejected.
    #[schemars(range(min = 1))]
    pub consecutive_5xx: u32,
    /// In how many of 100 such cases it is.
    #[schemars(range(min = 0, max = 100))]
    pub enforcing_consecutive_5xx: u32,
    /// Gateway errors in a row (502, 503, 504: connections that fail, refusals, timeouts) after
    /// which a host is ejected.
    #[schemars(range(min = 1))]
    pub consecutive_gateway_failure: u32,
    /// In how many of 100 such cases it is.
    #[schemars(range(min = 0, max = 100))]
    pub enforcing_consecutive_gateway_failure: u32,
    /// Whether errors that the proxy itself sees (connections that fail, timeouts) are told apart
    /// from those that a host answers with, and count only as such.
    pub split_external_local_origin_errors: bool,
    /// With the split: errors seen by the proxy in a row after which a host is ejected.
    #[schemars(range(min = 1))]
    pub consecutive_local_origin_failure: u32,
    /// In how many of 100 such cases it is.
    #[schemars(range(min = 0, max = 100))]
    pub enforcing_consecutive_local_origin_failure: u32,
    /// Time between two looks at success rates and at hosts that may come back.
    #[schemars(extend("x-least" = "1ms"))]
    pub interval: Span,
    /// How long before the run the first interval began.
    pub interval_offset: Span,
    /// How long a host is ejected the first time; the second time twice as long, and so on.
    pub base_ejection_time: Span,
    /// How long at most.
    pub max_ejection_time: Span,
    /// Hosts ejected at once at most, in percent.
    #[schemars(range(min = 0, max = 100))]
    pub max_ejection_percent: u32,
    /// Whether one host may be ejected whatever `max-ejection-percent` says.
    pub always_eject_one_host: bool,
    /// Hosts with enough requests in an interval that are needed to compare success rates.
    pub success_rate_minimum_hosts: u32,
    /// Requests in an interval that are enough.
    pub success_rate_request_volume: u32,
    /// How many thousandths of a standard deviation below the mean a host's success rate must lie
    /// to be ejected.
    pub success_rate_stdev_factor: u32,
    /// In how many of 100 such cases it is.
    #[schemars(range(min = 0, max = 100))]
    pub enforcing_success_rate: u32,
    /// The percentage of errors in an interval at which a host is ejected.
    #[schemars(range(min = 0, max = 100))]
    pub failure_percentage_threshold: u32,
    /// In how many of 100 such cases it is.
    #[schemars(range(min = 0, max = 100))]
    pub enforcing_failure_percentage: u32,
    /// Hosts with enough requests in an interval that are needed for that.
    pub failure_percentage_minimum_hosts: u32,
    /// Requests in an interval that are enough for that.
    pub failure_percentage_request_volume: u32,
}

impl Default for OutlierDetection {
    fn default() -> OutlierDetection {
        OutlierDetection {
            preset: None,
            consecutive_5xx: 5,
            enforcing_consecutive_5xx: 100,
            consecutive_gateway_failure: 5,
            enforcing_consecutive_gateway_failure: 0,
            split_external_local_origin_errors: false,
            consecutive_local_origin_failure: 5,
            enforcing_consecutive_local_origin_failure: 100,
            interval: Span::from_secs(10),
            interval_offset: Span::ZERO,
            base_ejection_time: Span::from_secs(30),
            max_ejection_time: Span::from_secs(300),
            max_ejection_percent: 10,
            always_eject_one_host: false,
            success_rate_minimum_hosts: 5,
            success_rate_request_volume: 100,
            success_rate_stdev_factor: 1900,
            enforcing_success_rate: 100,
            failure_percentage_threshold: 85,
            enforcing_failure_percentage: 0,
            failure_percentage_minimum_hosts: 5,
            failure_percentage_request_volume: 50,
        }
    }
}

presets! {
    /// Whose outlier detection it is.
    OutlierPreset of OutlierDetection {
        /// Envoy's own values: five errors in a row, success rates, and 10% of the hosts at most.
        "envoy" Envoy {
            consecutive_5xx: 5,
            max_ejection_percent: 10,
        }
        /// What Istio makes of an `outlierDetection` in which nothing is written: success rates are
        /// not compared.
        "istio" Istio {
            enforcing_success_rate: 0,
        }
    }
}

impl OutlierDetection {
    /// The longest ejection may not be shorter than the first, which Envoy refuses likewise; the
    /// value by default gives way to a longer first one.
    ///
    /// # Errors
    /// What is wrong with `max-ejection-time`, to be read after its name.
    pub(crate) fn times(&self) -> Result<(), String> {
        let (most, base) = (self.max_ejection_time, self.base_ejection_time);
        if most >= base || most == OutlierDetection::default().max_ejection_time {
            return Ok(());
        }
        Err(format!(
            "must not be less than `base-ejection-time` (it is {most}, that is {base})"
        ))
    }
}

/// Which hosts are ejected, and what is held against the others.
#[derive(Clone, Debug)]
pub(crate) struct Outliers {
    config: OutlierDetection,
    hosts: Vec<Host>,
    ejected: u32,
    next_look: Time,
}

#[derive(Clone, Copy, Debug, Default)]
struct Host {
    ejected_at: Option<Time>,
    /// Errors in a row: those that the host answered with, and with no split all.
    errors: u32,
    /// With the split: errors in a row that the proxy saw.
    local_errors: u32,
    /// Those of `errors` that were gateway errors, since the last other one.
    gateway_errors: u32,
    /// How often it has been ejected of late: its next ejection is as many times the base.
    backoff: u32,
    requests: u32,
    successes: u32,
}

impl Outliers {
    pub(crate) fn new(config: &OutlierDetection, count: usize) -> Outliers {
        let interval = config.interval.nanos().max(1);
        let into = config.interval_offset.nanos() % interval;
        Outliers {
            config: config.clone(),
            hosts: vec![Host::default(); count],
            ejected: 0,
            next_look: Time::from_nanos(interval - into),
        }
    }

    /// When the next look is due.
    pub(crate) fn next_look(&self) -> Time {
        self.next_look
    }

    /// Whether a host is ejected.
    pub(crate) fn is_ejected(&self, member: MemberId) -> bool {
        self.hosts[member as usize].ejected_at.is_some()
    }

    /// Counts how an attempt ended; says whether the host is ejected for it, `hosts` being all
    /// there are.
    pub(crate) fn answered(
        &mut self,
        member: MemberId,
        (outcome, status): (Outcome, Status),
        now: Time,
        hosts: usize,
    ) -> bool {
        if outcome == Outcome::Cancelled {
            return false;
        }
        let config = &self.config;
        let host = &mut self.hosts[member as usize];
        host.requests += 1;
        // An answer that blames the client is none that speaks against the host.
        if outcome == Outcome::Success || status.code() < 500 {
            host.successes += 1;
            (host.errors, host.gateway_errors, host.local_errors) = (0, 0, 0);
            return false;
        }
        let is_answer = matches!(outcome, Outcome::Rejected | Outcome::Error);
        if config.split_external_local_origin_errors && !is_answer {
            host.local_errors += 1;
            let enforcing = config.enforcing_consecutive_local_origin_failure;
            return host.local_errors == config.consecutive_local_origin_failure
                && self.eject(member, enforcing, now, hosts);
        }
        host.errors += 1;
        // Other errors than those of a gateway end the row of these.
        host.gateway_errors = match status.code() {
            502..=504 => host.gateway_errors + 1,
            _ => 0,
        };
        let (errors, gateway_errors) = (host.errors, host.gateway_errors);
        let (all, gateway) = (config.consecutive_5xx, config.consecutive_gateway_failure);
        let (enforcing, enforcing_gateway) = (
            config.enforcing_consecutive_5xx,
            config.enforcing_consecutive_gateway_failure,
        );
        (gateway_errors == gateway && self.eject(member, enforcing_gateway, now, hosts))
            || (errors == all && self.eject(member, enforcing, now, hosts))
    }

    /// Ejects a host if as many of 100 cases as `enforcing` says include this one and enough others
    /// are left.
    fn eject(&mut self, member: MemberId, enforcing: u32, now: Time, hosts: usize) -> bool {
        let percent = 100 * (self.ejected as usize + 1) / hosts.max(1);
        let allowed = percent <= self.config.max_ejection_percent as usize
            || (self.config.always_eject_one_host && self.ejected == 0);
        // The subsets of a cluster each ask, and must be told the same.
        let luck = || below(&mut Luck::new(now.nanos(), u64::from(member)), 100);
        let enforced = enforcing >= 100 || (enforcing > 0 && luck() < enforcing as usize);
        let host = &mut self.hosts[member as usize];
        if host.ejected_at.is_some() || !allowed || !enforced {
            return false;
        }
        host.ejected_at = Some(now);
        host.backoff += 1;
        (host.errors, host.gateway_errors, host.local_errors) = (0, 0, 0);
        self.ejected += 1;
        true
    }

    /// Lets the looks happen that are due by `now`; says when the last one was that changed who is
    /// ejected.
    pub(crate) fn look(&mut self, now: Time, all: &[MemberId]) -> Option<Time> {
        let mut changed = None;
        while self.next_look <= now {
            let at = self.next_look;
            self.next_look = at + self.config.interval;
            let mut changes = false;
            for &member in all {
                changes |= self.come_back(member, at);
            }
            changes |= self.compare_success_rates(all, at);
            if changes {
                changed = Some(at);
            }
        }
        changed
    }

    fn come_back(&mut self, member: MemberId, now: Time) -> bool {
        let base = self.config.base_ejection_time;
        let most = self.config.max_ejection_time.max(base);
        let host = &mut self.hosts[member as usize];
        match host.ejected_at {
            Some(since) => {
                let lasts = Span::from_nanos(base.nanos().saturating_mul(u64::from(host.backoff)));
                if now < since + lasts.min(most) {
                    return false;
                }
                host.ejected_at = None;
                host.errors = 0;
                self.ejected -= 1;
                true
            }
            None => {
                host.backoff = host.backoff.saturating_sub(1);
                false
            }
        }
    }

    /// Ejects hosts whose success rate lies far below that of the others, and those with too many
    /// errors.
    fn compare_success_rates(&mut self, all: &[MemberId], now: Time) -> bool {
        let config = self.config.clone();
        let far_below = self.success_rates(
            all,
            config.success_rate_request_volume,
            config.success_rate_minimum_hosts,
        );
        let too_many = self.success_rates(
            all,
            config.failure_percentage_request_volume,
            config.failure_percentage_minimum_hosts,
        );
        for &member in all {
            let host = &mut self.hosts[member as usize];
            (host.requests, host.successes) = (0, 0);
        }
        let count = far_below.len() as f64;
        let rates = || far_below.iter().map(|&(_, rate)| rate);
        let mean = rates().sum::<f64>() / count;
        let variance = rates().map(|rate| (rate - mean).powi(2)).sum::<f64>() / count;
        let factor = f64::from(config.success_rate_stdev_factor) / 1000.0;
        let threshold = mean - factor * variance.sqrt();
        let mut changes = false;
        for &(member, rate) in &far_below {
            if rate < threshold {
                changes |= self.eject(member, config.enforcing_success_rate, now, all.len());
            }
        }
        for &(member, rate) in &too_many {
            if 100.0 - rate >= f64::from(config.failure_percentage_threshold) {
                changes |= self.eject(member, config.enforcing_failure_percentage, now, all.len());
            }
        }
        changes
    }

    /// The success rates, in percent, of the hosts that had `volume` requests in the interval; none
    /// where they are fewer than `least`.
    fn success_rates(&self, all: &[MemberId], volume: u32, least: u32) -> Vec<(MemberId, f64)> {
        let rates: Vec<(MemberId, f64)> = all
            .iter()
            .map(|&member| (member, self.hosts[member as usize]))
            .filter(|(_, host)| host.ejected_at.is_none() && host.requests >= volume.max(1))
            .map(|(member, host)| {
                let rate = 100.0 * f64::from(host.successes) / f64::from(host.requests);
                (member, rate)
            })
            .collect();
        if rates.len() < least as usize {
            return Vec::new();
        }
        rates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An outcome, with what a proxy would say of it.
    fn told(outcome: Outcome) -> (Outcome, Status) {
        (outcome, outcome.status())
    }

    #[test]
    fn statuses_decide_which_row_an_error_is_part_of() {
        let config = OutlierDetection {
            consecutive_5xx: 100,
            consecutive_gateway_failure: 3,
            enforcing_consecutive_gateway_failure: 100,
            ..OutlierDetection::default()
        };
        let ejected = |statuses: &[u16]| {
            let mut outliers = outliers(config.clone());
            let mut answered = |&status: &u16| {
                let told = (Outcome::Error, Status::new(status));
                outliers.answered(3, told, Time::ZERO, 10)
            };
            statuses.iter().map(&mut answered).collect::<Vec<_>>()
        };
        assert_eq!(ejected(&[503, 502, 504]), [false, false, true]);
        assert_eq!(ejected(&[503, 503, 500, 503]), [false; 4]);
        assert_eq!(ejected(&[503, 503, 429, 503]), [false; 4], "429 is no 5xx");
    }

    fn outliers(config: OutlierDetection) -> Outliers {
        Outliers::new(&config, 10)
    }

    #[test]
    fn errors_in_a_row_eject_for_ever_longer() {
        let mut outliers = outliers(OutlierDetection::default());
        let all: Vec<MemberId> = (0..10).collect();
        let fail = |outliers: &mut Outliers, second| {
            let now = Time::ZERO + Span::from_secs(second);
            (0..5)
                .map(|_| outliers.answered(3, told(Outcome::Failure), now, 10))
                .collect::<Vec<_>>()
        };
        assert_eq!(fail(&mut outliers, 1), [false, false, false, false, true]);
        let look = |outliers: &mut Outliers, second| {
            outliers.look(Time::ZERO + Span::from_secs(second), &all)
        };
        assert_eq!(look(&mut outliers, 30), None);
        assert!(look(&mut outliers, 40).is_some() && !outliers.is_ejected(3));
        assert_eq!(fail(&mut outliers, 41).pop(), Some(true));
        assert_eq!(look(&mut outliers, 100), None);
        assert!(look(&mut outliers, 110).is_some());
    }

    #[test]
    fn of_few_hosts_none_is_ejected_by_default() {
        let mut outliers = outliers(OutlierDetection::default());
        for _ in 0..30 {
            assert!(!outliers.answered(0, told(Outcome::Timeout), Time::ZERO, 4));
        }
    }

    #[test]
    fn a_success_rate_far_below_the_others_ejects() {
        let mut outliers = outliers(OutlierDetection::default());
        let all: Vec<MemberId> = (0..10).collect();
        for member in 0..10 {
            for request in 0..200 {
                let good = request % 2 == 0 || member != 7;
                let outcome = if good {
                    Outcome::Success
                } else {
                    Outcome::Failure
                };
                outliers.answered(member, told(outcome), Time::ZERO, 10);
            }
        }
        outliers.look(Time::ZERO + Span::from_secs(10), &all);
        let ejected: Vec<MemberId> = all
            .into_iter()
            .filter(|&m| outliers.is_ejected(m))
            .collect();
        assert_eq!(ejected, [7]);
    }

    #[test]
    fn too_many_errors_eject_where_that_is_enforced() {
        let eject = |enforcing| {
            let mut outliers = outliers(OutlierDetection {
                consecutive_5xx: 1000,
                enforcing_success_rate: 0,
                enforcing_failure_percentage: enforcing,
                ..OutlierDetection::default()
            });
            let all: Vec<MemberId> = (0..10).collect();
            for member in 0..10 {
                for request in 0..60 {
                    let outcome = match member == 4 && request % 10 != 0 {
                        true => Outcome::Rejected,
                        false => Outcome::Success,
                    };
                    outliers.answered(member, told(outcome), Time::ZERO, 10);
                }
            }
            outliers.look(Time::ZERO + Span::from_secs(10), &all);
            all.into_iter()
                .filter(|&m| outliers.is_ejected(m))
                .collect::<Vec<_>>()
        };
        assert_eq!(eject(100), [4]);
        assert!(eject(0).is_empty());
    }

    #[test]
    fn errors_that_the_proxy_sees_are_counted_apart_where_they_are_split() {
        let mut outliers = outliers(OutlierDetection {
            split_external_local_origin_errors: true,
            ..OutlierDetection::default()
        });
        let mut fail = |outcome| outliers.answered(2, told(outcome), Time::ZERO, 10);
        for _ in 0..4 {
            assert!(!fail(Outcome::Timeout) && !fail(Outcome::Rejected));
        }
        assert!(fail(Outcome::Failure));
    }
}
