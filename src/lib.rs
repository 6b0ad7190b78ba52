//! lbsim compares load-balancing strategies by discrete-event simulation.
//!
//! A [scenario] describes clients, balancers and servers, and asks a question. Every strategy that
//! it compares is run on the same requests, several times over, and the [report] says which is
//! better and how sure that is. The program does all of this from the command line ([`cli`]); this
//! page is a tour of the library.
//!
//! ```text
//!  scenario::Scenario ──► experiment::run ──────────────► Report ──────────► report::write
//!  text, checked           │  a cell for each variant       estimates,         results/<scenario>/
//!                          │  and replication, in parallel  differences
//!                          ▼
//!                        model::run ◄── strategy, balancer, distribution
//!                          │
//!                          ▼
//!                        events::run        observe: what is measured
//! ```
//!
//! # A run in a few lines
//!
//! ```
//! use lbsim::{Experiment, Scenario};
//!
//! let text = r#"
//!     question = "Does it pay to look at two of ten servers?"
//!     expect = "Yes: the longest queues are avoided."
//!     [run]
//!     duration = "20s"
//!     replications = 5
//!     compare = ["random", "power-of-d"]
//!     [[clients]]
//!     arrivals = { kind = "poisson", rate = "800/s" }
//!     [[services]]
//!     name = "web"
//!     [[services.servers]]
//!     count = 10
//!     service = { kind = "exponential", mean = "10ms" }
//! "#;
//! let scenario = Scenario::from_text("two-of-ten.toml", text)?;
//! let report = Experiment::new(scenario).threads(2).run()?;
//! println!("{report}");
//! let mean = |strategy| report.estimate(strategy, "mean_ms").unwrap();
//! assert!(mean("power-of-d") < mean("random"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Scenario::builder`] puts more to a text: settings, and rules of one's own ([`Custom`]);
//! [`Scenario::describe`] takes a value in place of a text. `examples/` has a program for each.
//!
//! # The same by hand
//!
//! ```
//! use lbsim::experiment::{self, METRICS, Progress};
//! use lbsim::scenario::Scenario;
//! use lbsim::stats::Verdict;
//!
//! let text = r#"
//! question = "Does it pay to look at two of ten servers?"
//! expect = "Yes: the longest queues are avoided."
//!
//! [run]
//! duration = "60s"
//! replications = 5
//! compare = ["random", "power-of-d"]
//!
//! [[clients]]
//! arrivals = { kind = "poisson", rate = "800/s" }
//!
//! [[services]]
//! name = "web"
//!
//! [[services.servers]]
//! count = 10
//! service = { kind = "exponential", mean = "10ms" }
//! "#;
//!
//! let scenario = Scenario::from_text("two-of-ten.toml", text)?;
//! let outcomes = experiment::run(&[(&scenario, None)], &Progress::default())?;
//! let [random, two_choices] = &outcomes[0].variants[..] else { unreachable!() };
//!
//! let mean = METRICS.iter().find(|metric| metric.name == "mean_ms").unwrap();
//! // Random routing makes ten M/M/1 queues: 10 ms / (1 - 0.8).
//! let figure = experiment::estimate(random, mean);
//! assert!((figure.estimate.unwrap() - 50.0).abs() < 5.0);
//!
//! let paired = experiment::difference(two_choices, random, mean).unwrap();
//! assert_eq!(paired.verdict(true), Verdict::Better);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to look
//!
//! | module | for |
//! |---|---|
//! | [`events`] | the calendar of events; its page is a whole M/M/1 queue |
//! | [`strategy`] | the picking rules, what they may see, and how to add one |
//! | [`strategy::custom`], [`strategy::contract`] | rules from outside; what every rule promises |
//! | [`distribution`], [`model::arrivals`] | service times and the like; when requests come |
//! | [`model`] | the simulated world, and one cell of it |
//! | [`experiment`] | cells in parallel, estimates, paired differences |
//! | [`figures`] | numbers as people write them |
//! | [`report`] | the report, and its views: CSV files, table, page, JSON, charts |
//! | [`stats`], [`theory`] | statistics of replications; closed forms of queueing theory |
//! | [`scenario`] | reading and checking scenario files |
//! | [`requirement`] | what must hold, in a line: `p99 < 200ms` |
//! | [`size`] | the fewest servers for an objective, or the highest load |
//! | [`tune`], [`import`] | better weights; scenarios of configurations and logs |
//! | [`config`], [`logs`] | configurations and access logs of real balancers |
//! | [`replay`] | recordings of real balancers, compared pick for pick |
//!
//! Parts of it are crates of their own, whose modules stand here under the same names; imports go
//! one way: `docs/design.md` has the order and the reasons.
//!
//! # Determinism
//!
//! The same scenario, seed and version give the same runs for any number of threads and on any
//! machine, and on one machine the same bytes in every file. Time is whole nanoseconds ([`time`]);
//! events of one time happen in the order in which they were scheduled ([`events`]). Random streams
//! are named after the thing they belong to ([`rng`]), so a request brings the same luck with it
//! under every strategy. A change that moves results is called value-breaking in the changelog.
//!
//! # What is not modelled
//!
//! Among other things: DNS, connections, autoscaling. The README has
//! the full list, and it should be read before a result is believed.

#[cfg(feature = "cli")]
pub mod cli;
pub mod compare;
pub mod experiment;
pub mod export;
mod face;
pub mod figures;
pub mod import;
mod parallel;
pub mod replay;
pub mod report;
pub mod requirement;
pub mod scenario;
#[cfg(feature = "tune")]
pub mod size;
#[cfg(feature = "tune")]
pub mod tune;
pub mod validation;

pub use face::{Error, Experiment};
pub use report::Report;
pub use scenario::Scenario;
pub use strategy::Custom;

pub use lbsim_engine::{distribution, events, rng, time, units};
pub use lbsim_formats::{config, logs, prose, spelling, tabular};
pub use lbsim_queueing::{stats, theory};
pub use lbsim_strategies::{balancer, strategy};
pub use lbsim_world::{model, observe};
