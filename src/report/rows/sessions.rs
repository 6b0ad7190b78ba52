//! `sessions.csv`.

use serde::{Deserialize, Serialize};

use crate::experiment::VariantOutcome;
use crate::observe::Loss;
use crate::scenario::Variant;
use crate::stats::Estimate;

/// `sessions.csv`: sessions lost for one cause under one strategy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SessionRow {
    /// The strategy.
    pub strategy: String,
    /// Why: `crash` (the state died with its server), `moved` (a request went to another server),
    /// `unreachable` (the server was thought to be down), and, where they happened, `scale-in` (it
    /// left the pool), `drained` (it was being drained), `evicted` (it had no room), `expired` (it,
    /// the cookie, the table or the token forgot the session too early), `table-lost` (the
    /// balancer's table was), `store-lost` (the state died with the store), `key-rotated` (the key
    /// of the token holds no longer), `cookie-dropped` (the client keeps no cookies), `store-away`
    /// (the store did not answer, and the request was a stranger's; `optional`).
    pub cause: String,
    /// Sessions in the measured window (on at its beginning, or begun in it), a replication: as
    /// many under every strategy, unless some are revoked, which ends sooner where it is seen
    /// sooner.
    pub sessions: f64,
    /// Times that a session lost its state for this cause, a replication; of `store-away` requests
    /// that were answered so.
    pub lost: f64,
    /// Half the width of the 95% confidence interval of `lost`.
    pub lost_half_width_95: Option<f64>,
    /// Sessions whose first loss in the measured window had this cause, a replication.
    pub hurt: f64,
    /// Half the width of the 95% confidence interval of `hurt`.
    pub hurt_half_width_95: Option<f64>,
    /// Those over all sessions; over the causes the shares add up to that of sessions that lost
    /// their state at all.
    pub hurt_share: Option<f64>,
}

/// The first causes have a row whether they happened or not.
const ALWAYS: usize = 3;

/// A row a cause; none where no client holds sessions.
pub(super) fn rows(variant: &Variant, measured: &VariantOutcome) -> Vec<SessionRow> {
    let all = measured
        .runs
        .iter()
        .map(|run| run.sessions as f64)
        .sum::<f64>()
        / measured.runs.len() as f64;
    if variant
        .blueprint
        .sources
        .iter()
        .all(|source| source.sessions.is_none())
    {
        return Vec::new();
    }
    Loss::ALL
        .iter()
        .filter_map(|&loss| {
            let of = |counts: &[[u64; Loss::COUNT]]| {
                let counts: Vec<f64> = counts
                    .iter()
                    .map(|count| count[loss as usize] as f64)
                    .collect();
                Estimate::of(&counts)
            };
            let (lost, hurt) = (of(&measured.losses)?, of(&measured.hurt)?);
            if loss as usize >= ALWAYS && lost.mean == 0.0 {
                return None;
            }
            Some(SessionRow {
                strategy: variant.name.clone(),
                cause: loss.name().to_owned(),
                sessions: all,
                lost: lost.mean,
                lost_half_width_95: lost.half_width,
                hurt: hurt.mean,
                hurt_half_width_95: hurt.half_width,
                hurt_share: (all > 0.0).then(|| hurt.mean / all),
            })
        })
        .collect()
}
