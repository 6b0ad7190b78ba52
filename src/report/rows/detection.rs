//! `detection.csv`.

use serde::{Deserialize, Serialize};

use crate::experiment::{DetectionOutcome, VariantOutcome};
use crate::model::blueprint::ServicePlan;
use crate::scenario::Variant;

/// `detection.csv`: what the balancers of one service noticed of failures under one strategy, where
/// they have health checks or eject members, and something can fail or be too busy. Each balancer's
/// opinion of each server counts for itself. A server is ill while a fault holds at it, or on the
/// way between it and the balancer; what is not ill is well, however busy it is. Whom a product's
/// rule leaves out by itself (nginx's `max_fails`, Envoy's outlier detection) is ejected, too.
/// Counts and times are those of the measured window, a replication.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DetectionRow {
    /// The strategy.
    pub strategy: String,
    /// The service.
    pub service: String,
    /// Times that a server became ill.
    pub failures: Option<f64>,
    /// Times that it was well again before it was left out.
    pub missed: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub missed_half_width_95: Option<f64>,
    /// Mean time from the beginning of an illness until it was left out, of those that were; 0
    /// where it was left out already.
    pub detect_mean_s: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub detect_mean_half_width_95: Option<f64>,
    /// Median of these times.
    pub detect_p50_s: Option<f64>,
    /// The longest.
    pub detect_max_s: Option<f64>,
    /// Mean time from the end of an illness until it was back.
    pub return_mean_s: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub return_mean_half_width_95: Option<f64>,
    /// Median of these times.
    pub return_p50_s: Option<f64>,
    /// The longest.
    pub return_max_s: Option<f64>,
    /// Attempts of measured requests that had no good answer, whose server was ill while they were
    /// under way and not left out when they were sent: refused, answered with an error, timed out,
    /// given up by the client (timeout, patience, deadline), overtaken by a hedge that was sent
    /// later, or without an end when the run is over. Each counts once. Not counted are those whose
    /// balancer died, and hedges that were called off because an earlier attempt was answered.
    pub attempts_hurt: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub attempts_hurt_half_width_95: Option<f64>,
    /// Times that health checks left out a server that was well.
    pub wrong_by_checks: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub wrong_by_checks_half_width_95: Option<f64>,
    /// How long such servers were left out while they were well, in all.
    pub wrong_by_checks_s: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub wrong_by_checks_s_half_width_95: Option<f64>,
    /// Times that an ejection left out a server that was well.
    pub wrong_by_ejection: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub wrong_by_ejection_half_width_95: Option<f64>,
    /// How long such servers were left out while they were well, in all.
    pub wrong_by_ejection_s: Option<f64>,
    /// Half the width of its 95% confidence interval.
    pub wrong_by_ejection_s_half_width_95: Option<f64>,
}

/// A row a service whose balancers have opinions; none where nothing could be noticed.
pub(super) fn rows(variant: &Variant, measured: &VariantOutcome) -> Vec<DetectionRow> {
    let named = variant.blueprint.services.iter().zip(&measured.detections);
    let has_opinions = |(service, _): &(&ServicePlan, &DetectionOutcome)| {
        service.balancer.ejection.is_some()
            || service.balancer.strategy.may_leave_out()
            || (service.groups.iter()).any(|group| group.health_check.is_some())
    };
    let row = |(service, outcome): (&ServicePlan, &DetectionOutcome)| {
        let figures = outcome.figures(measured.varies);
        let [checks, ejection] = figures.wrong;
        let [checks_s, ejection_s] = figures.wrong_s;
        DetectionRow {
            strategy: variant.name.clone(),
            service: service.name.clone(),
            failures: figures.failures.estimate,
            missed: figures.missed.estimate,
            missed_half_width_95: figures.missed.half_width,
            detect_mean_s: figures.detect_s.estimate,
            detect_mean_half_width_95: figures.detect_s.half_width,
            detect_p50_s: outcome.detected.quantile(0.5),
            detect_max_s: outcome.detected.max(),
            return_mean_s: figures.return_s.estimate,
            return_mean_half_width_95: figures.return_s.half_width,
            return_p50_s: outcome.returned.quantile(0.5),
            return_max_s: outcome.returned.max(),
            attempts_hurt: figures.hurt.estimate,
            attempts_hurt_half_width_95: figures.hurt.half_width,
            wrong_by_checks: checks.estimate,
            wrong_by_checks_half_width_95: checks.half_width,
            wrong_by_checks_s: checks_s.estimate,
            wrong_by_checks_s_half_width_95: checks_s.half_width,
            wrong_by_ejection: ejection.estimate,
            wrong_by_ejection_half_width_95: ejection.half_width,
            wrong_by_ejection_s: ejection_s.estimate,
            wrong_by_ejection_s_half_width_95: ejection_s.half_width,
        }
    };
    named.filter(has_opinions).map(row).collect()
}
