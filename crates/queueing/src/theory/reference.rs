//! The closed forms against values computed independently of this code.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::*;

#[derive(Deserialize)]
struct Reference {
    tolerance: f64,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    model: String,
    metric: String,
    parameters: Map<String, Value>,
    value: f64,
}

impl Entry {
    fn number(&self, name: &str) -> f64 {
        let value = self.parameters.get(name).and_then(Value::as_f64);
        value.unwrap_or_else(|| panic!("{} lacks {name}", self.id))
    }

    fn count(&self, name: &str) -> u32 {
        self.number(name) as u32
    }

    fn list(&self, name: &str) -> Vec<f64> {
        let list = self.parameters.get(name).and_then(Value::as_array);
        list.unwrap_or_else(|| panic!("{} lacks {name}", self.id))
            .iter()
            .filter_map(Value::as_f64)
            .collect()
    }

    /// What this crate says. Times are in mean service times: the service rate is 1 unless given.
    fn computed(&self) -> f64 {
        let rate = || self.number("rate");
        let slots = || self.count("slots");
        let q = || self.number("q");
        let metric = self.metric.as_str();
        let unknown = || -> f64 { panic!("{}: no {} of {}", self.id, metric, self.model) };
        match self.model.as_str() {
            "mm1" => {
                let queue = Mm1 {
                    arrival_rate: rate(),
                    service_rate: 1.0,
                };
                match metric {
                    "mean_response" => queue.mean_response(),
                    "mean_wait" => queue.mean_wait(),
                    "var_response" => queue.response_variance(),
                    "mean_in_system" => queue.mean_in_system(),
                    "in_system" => queue.in_system(self.count("n")),
                    "response_quantile" => queue.response_quantile(q()),
                    "wait_quantile" => queue.wait_quantile(q()),
                    _ => unknown(),
                }
            }
            "mmk" => {
                let pool = Mmk {
                    arrival_rate: rate(),
                    service_rate: 1.0,
                    slots: slots(),
                };
                match metric {
                    "prob_wait" => pool.probability_of_wait(),
                    "mean_response" => pool.mean_response(),
                    "mean_wait" => pool.mean_wait(),
                    "response_quantile" => pool.response_quantile(q()),
                    "wait_quantile" => pool.wait_quantile(q()),
                    _ => unknown(),
                }
            }
            "erlang_b" => erlang_b(rate(), slots()),
            "finite" => {
                let capacity = self.count("capacity");
                let queue = Finite {
                    arrival_rate: rate(),
                    service_rate: 1.0,
                    slots: slots(),
                    capacity,
                };
                match metric {
                    "loss" => queue.loss(),
                    "mean_response" => queue.mean_response(),
                    _ => unknown(),
                }
            }
            "mg1" => {
                let second_moment = self.number("second_moment");
                let queue = Mg1 {
                    arrival_rate: rate(),
                    mean_service: 1.0,
                    second_moment,
                };
                match metric {
                    "mean_wait" => queue.mean_wait(),
                    "var_response" => queue.response_variance(self.number("third_moment")),
                    _ => unknown(),
                }
            }
            "mdk" => {
                let pool = Mdk {
                    arrival_rate: rate(),
                    service_time: 1.0,
                    slots: slots(),
                };
                match metric {
                    "mean_wait" => pool.mean_wait(),
                    "wait_quantile" => pool.wait_quantile(q()).unwrap_or_else(unknown),
                    _ => unknown(),
                }
            }
            "ps" => {
                let server = Ps {
                    arrival_rate: rate(),
                    mean_service: 1.0,
                };
                match metric {
                    "mean_response" => server.mean_response(),
                    "var_response" => server.exponential_response_variance(),
                    "in_system" => server.in_system(self.count("n")),
                    _ => unknown(),
                }
            }
            "round_robin" | "constant_gaps" | "hyperexponential_gaps" => {
                let queue = match self.model.as_str() {
                    "round_robin" => Gim1::round_robin(rate(), self.count("servers"), 1.0),
                    "constant_gaps" => Gim1::constant(rate(), 1.0),
                    _ => Gim1::hyperexponential(rate(), self.number("scv"), 1.0),
                };
                match metric {
                    "mean_response" => queue.mean_response(),
                    "mean_wait" => queue.mean_wait(),
                    "response_quantile" => queue.response_quantile(q()),
                    _ => unknown(),
                }
            }
            "batch" => BatchArrivals::of_size(rate(), 1.0, self.count("size")).mean_response(),
            "power_of_d" => {
                let many = PowerOfD {
                    load: rate(),
                    choices: self.count("choices"),
                    service_rate: 1.0,
                };
                match metric {
                    "mean_response" => many.mean_response(),
                    "response_quantile" => many.response_quantile(q()),
                    _ => unknown(),
                }
            }
            "optimal_split" => {
                let speeds = self.list("speeds");
                let rates = split::optimal(rate(), &speeds).unwrap();
                split::mean_response(rate(), &speeds, &rates).unwrap()
            }
            "central_queue_of_two" => {
                let speeds = self.list("speeds");
                split::central_queue_of_two(rate(), speeds[0], speeds[1])
            }
            "closed_loop" => {
                let [users, slots] = ["users", "slots"].map(|name| self.count(name));
                let office = ClosedLoop {
                    users,
                    think_time: self.number("think"),
                    service_time: 1.0,
                    slots,
                };
                match metric {
                    "throughput" => office.throughput(),
                    "mean_response" => office.mean_response(),
                    _ => unknown(),
                }
            }
            "mva" => {
                mva(
                    self.count("users"),
                    self.number("think"),
                    &self.list("demands"),
                )
                .unwrap()
                .throughput
            }
            "erlang_a" => {
                let patience_rate = self.number("patience_rate");
                let pool = ErlangA {
                    arrival_rate: rate(),
                    service_rate: 1.0,
                    slots: slots(),
                    patience_rate,
                };
                match metric {
                    "prob_wait" => pool.probability_of_wait(),
                    "abandons" => pool.abandons(),
                    _ => unknown(),
                }
            }
            "wait_timeouts" => abandonment::wait_timeouts(rate(), 1.0, self.number("timeout")),
            // Whoever finds n joins with probability 1 / (n + 1).
            "discouraged" => {
                let joins = |n: u32| 1.0 / (f64::from(n) + 1.0);
                abandonment::mean_in_system_with_balking(rate(), 1.0, joins)
            }
            "priority" => {
                let classes: Vec<_> = self
                    .list("rates")
                    .into_iter()
                    .map(|rate| priority::Class::exponential(rate, 1.0))
                    .collect();
                priority::mean_waits(&classes)[self.count("class") as usize]
            }
            "hedge" => {
                let delay = self.number("delay");
                match metric {
                    "mean_response" => hedging::hedged_exponential_mean(1.0, delay),
                    "response_quantile" => hedging::hedged_quantile(q(), delay, |t| (-t).exp()),
                    "lognormal_quantile" => {
                        // Of mean 1.
                        let variance = (1.0 + self.number("scv")).ln();
                        let tail = |t: f64| {
                            let x = (t.ln() + variance / 2.0) / variance.sqrt();
                            libm::erfc(x / 2.0_f64.sqrt()) / 2.0
                        };
                        hedging::hedged_quantile(q(), delay, tail)
                    }
                    "extra_load" => (-delay).exp(),
                    _ => unknown(),
                }
            }
            "redundancy" => {
                hedging::redundancy_mean(rate(), 1.0, self.count("servers"), self.count("copies"))
            }
            "fan_out" => match metric {
                "mean_response" => fan_out::exponential_mean(1.0, self.count("n")),
                "response_quantile" => fan_out::exponential_quantile(1.0, self.count("n"), q()),
                _ => unknown(),
            },
            "fork_join_two" => fan_out::fork_join_two(rate(), 1.0),
            "up_fraction" => availability::up_fraction(self.number("mtbf"), self.number("mttr")),
            "at_least_up" => {
                availability::at_least_up(self.count("n"), self.count("k"), self.number("up"))
            }
            "all_down" => {
                let [fail, repair] = ["fail_rate", "repair_rate"].map(|name| self.number(name));
                availability::mean_time_to_all_down(self.count("n"), fail, repair)
            }
            "breakdowns" => {
                let [fail, repair] = ["fail_rate", "repair_rate"].map(|name| self.number(name));
                availability::mm1_with_breakdowns(rate(), 1.0, fail, repair)
            }
            "health_check" => {
                let [interval, timeout] = ["interval", "timeout"].map(|name| self.number(name));
                HealthCheck {
                    interval,
                    threshold: self.count("threshold"),
                    timeout,
                }
                .mean_delay()
            }
            "requests_lost" => {
                health::requests_lost(rate(), self.count("n"), self.number("detection"))
            }
            "retries" => {
                let [failure, attempts] = ["p_fail", "max_attempts"].map(|name| self.number(name));
                match metric {
                    "success" => retries::success(failure, attempts as u32),
                    "mean_attempts" => retries::mean_attempts(failure, attempts as u32),
                    "mean_backoff" => {
                        retries::mean_full_jitter(self.number("base"), failure, attempts as u32)
                    }
                    _ => unknown(),
                }
            }
            "distinct_retries" => {
                retries::mean_distinct_attempts(self.count("n"), self.count("down"))
            }
            "hashing" => match metric {
                "moved_at_least" => hashing::moved_at_least(self.count("n")),
                "moved_by_modulo" => hashing::moved_by_modulo(self.count("n")),
                "share_cv" => hashing::ring_share_cv(self.count("n"), self.count("vnodes")),
                "peak_to_mean" => hashing::ring_peak_to_mean(self.count("n")),
                _ => unknown(),
            },
            "dns" => match metric {
                "stale" => sessions::stale_addresses(self.number("ttl"), self.number("t")),
                "stale_on_demand" => sessions::stale_addresses_on_demand(
                    self.number("ttl"),
                    rate(),
                    self.number("t"),
                ),
                _ => unknown(),
            },
            "sessions_lost" => {
                sessions::lost(self.count("n"), self.count("crashed"), self.count("copies"))
            }
            "writes_lost" => match metric {
                "constant_lag" => sessions::write_lost(rate(), self.number("lag")),
                "exponential_lag" => sessions::last_write_lost(rate(), self.number("lag")),
                _ => unknown(),
            },
            "sinusoid" => {
                let [mean, amplitude, period, t] =
                    ["mean", "amplitude", "period", "t"].map(|name| self.number(name));
                changing::mean_in_service(mean, amplitude, period, 1.0, t)
            }
            "slow_start" => {
                changing::slow_start_requests(self.count("others"), self.number("ramp"))
            }
            _ => unknown(),
        }
    }
}

#[test]
fn every_value_agrees() {
    let reference: Reference = serde_json::from_str(include_str!("reference.json")).unwrap();
    assert!(reference.tolerance <= 1e-6 && reference.entries.len() > 200);
    let wrong: Vec<String> = reference
        .entries
        .iter()
        .map(|entry| (entry, entry.computed()))
        .filter(|(entry, computed)| {
            let off = (computed - entry.value).abs();
            off.is_nan() || off > reference.tolerance * entry.value.abs()
        })
        .map(|(entry, computed)| format!("{}: {computed} is not {}", entry.id, entry.value))
        .collect();
    assert!(
        wrong.is_empty(),
        "of {}:\n{}",
        reference.entries.len(),
        wrong.join("\n")
    );
}
