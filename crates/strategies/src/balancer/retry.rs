//! Retries: how often a failed attempt is repeated, after what pause, and where.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Refuse;
use super::budget::Budget;
use lbsim_engine::rng::{Luck, uniform};
use lbsim_engine::status::{Status, Statuses};
use lbsim_engine::time::Span;

/// When and where failed attempts are repeated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Retry {
    /// Attempts after the first one. What finds no server at all is no attempt: it fails at once
    /// (`failed_no_server`), and is not tried again.
    #[schemars(range(min = 0, max = 100))]
    pub max: u8,
    /// Where the next attempt goes.
    pub on: On,
    /// Pause before the first retry; doubled for each further one.
    pub backoff: Span,
    /// Longest pause.
    pub backoff_max: Span,
    /// What chance does to the pause.
    pub jitter: Jitter,
    /// Whether an error answer (of a fault `errors`, or of a server whose call has failed) is tried
    /// again too. Balancers do so only where
    /// they are told to: nginx by `proxy_next_upstream http_500`, HAProxy by `retry-on 500`, Envoy
    /// by `retry_on: 5xx`.
    pub error_answers: bool,
    /// Which error answers, where that is not all that speak of the server, or of too many requests
    /// (5xx and 429). What a full queue or a `limit` of the server refuses is no such answer, and
    /// is tried again in any case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub statuses: Vec<Statuses>,
    /// How many retries a balancer makes at most, all its requests together; any number where it is
    /// left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// Where a retry goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// To a server that has not been tried for this request (of the last three tried), where there
    /// is one. Rules of products see to that as the products do: those of nginx, HAProxy and C3,
    /// and Envoy's hashes, pass over who was tried; the others of Envoy, and those of IPVS, gRPC,
    /// Finagle and AWS, may pick the same server again.
    #[default]
    Another,
    /// To the server tried last, as long as it is eligible, whatever cookie the client holds; else
    /// where the strategy says.
    Same,
    /// Wherever the strategy says.
    Any,
}

/// What chance does to a pause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Jitter {
    /// The pause is uniform between zero and its full length.
    #[default]
    Full,
    /// The pause is uniform between half and its full length.
    Equal,
    /// The pause has its full length.
    None,
}

impl Default for Retry {
    fn default() -> Retry {
        Retry {
            max: 0,
            on: On::Another,
            backoff: Span::ZERO,
            backoff_max: Span::from_secs(10),
            jitter: Jitter::Full,
            error_answers: false,
            statuses: Vec::new(),
            budget: None,
        }
    }
}

impl Retry {
    /// Whether an attempt that was answered with this error is repeated.
    pub fn repeats(&self, status: Status) -> bool {
        self.error_answers
            && match self.statuses.as_slice() {
                [] => status.is_server_error() || status == Status::TOO_MANY_REQUESTS,
                some => some.iter().any(|statuses| statuses.contains(status)),
            }
    }

    /// Says which settings may not be so, each with its key.
    pub fn check(&self, refuse: &mut Refuse<'_>) {
        if !self.statuses.is_empty() && !self.error_answers {
            refuse(
                "statuses",
                "no error answer is tried again; say `error-answers = true` beside, or leave this out",
            );
        }
    }

    /// The pause before retry number `retry` (from 1), by the luck of the request. Brooker,
    /// "Exponential backoff and jitter", AWS Architecture Blog, 2015.
    pub fn pause(&self, retry: u8, mut luck: Luck) -> Span {
        let doublings = u32::from(retry.saturating_sub(1)).min(40);
        let full = (self.backoff.seconds() * f64::from(2u32.pow(doublings.min(30))))
            .min(self.backoff_max.seconds());
        Span::from_seconds(match self.jitter {
            Jitter::Full => full * uniform(&mut luck),
            Jitter::Equal => full * (0.5 + 0.5 * uniform(&mut luck)),
            Jitter::None => full,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let retry = Retry {
            backoff: Span::from_millis(10),
            backoff_max: Span::from_millis(50),
            jitter: Jitter::None,
            ..Retry::default()
        };
        let pauses: Vec<u64> = (1..=5)
            .map(|r| retry.pause(r, Luck::new(1, 1)).nanos() / 1_000_000)
            .collect();
        assert_eq!(pauses, [10, 20, 40, 50, 50]);
        let full = Retry {
            jitter: Jitter::Full,
            ..retry.clone()
        };
        let equal = Retry {
            jitter: Jitter::Equal,
            ..retry
        };
        for luck in 0..1000 {
            assert!(full.pause(2, Luck::new(luck, 1)) <= Span::from_millis(20));
            let pause = equal.pause(2, Luck::new(luck, 1));
            assert!(pause >= Span::from_millis(10) && pause <= Span::from_millis(20));
        }
    }
}
