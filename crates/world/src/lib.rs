//! The simulated world of lbsim: clients, balancers, servers, network, faults, sessions; and what
//! is measured in it.
//!
//! A [`Blueprint`](model::blueprint::Blueprint) is a world as it is before it runs; [`model::run`]
//! lives one cell of it, a pure function of the blueprint, the seed and the replication, and gives
//! a [`Tally`](observe::Tally).
//!
//! ```
//! # let text = "question = '?'\nexpect = '!'\n[run]\nduration = '10s'\ncompare = ['random']\n\
//! #   [[clients]]\narrivals = { kind = 'poisson', rate = '80/s' }\n[[services]]\nname = 'web'\n\
//! #   [[services.servers]]\nservice = { kind = 'exponential', mean = '10ms' }\n";
//! # let file = lbsim::scenario::Scenario::from_text("web.toml", text).unwrap();
//! # let blueprint = &file.variants[0].blueprint;
//! use lbsim_world::{model, observe::laws};
//!
//! let tally = model::run(blueprint, 1, 0);
//! assert_eq!(tally.requests, tally.succeeded_count());
//! assert_eq!(laws::violations(&tally), []);
//! ```

pub mod model;
pub mod observe;
