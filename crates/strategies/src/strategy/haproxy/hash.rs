//! Sends requests with the same value of any expression to the same server. This is HAProxy's
//! `balance hash`: the request's key is the value.
//!
//! `hash-type` says how hashes become servers: by their remainder in a map (`map-based`), which is
//! even but moves nearly all keys when a server comes or goes, or by the nearest point of a ring
//! (`consistent`). A full server is waited for in its own queue. A request without a key is sent in
//! turn.
//!
//! **Sees:** what it hashes, weights, its own requests in flight, `maxconn`, backups, what was
//! tried (`consistent` only).
//! **Cost of a pick:** constant with a map, log n with a ring, and a step more for each point
//! passed over.
//! **Fails when:** a key is hot: its server gets all of its traffic, unless `hash-balance-factor`
//! is set. `consistent` with a named function and without `avalanche` is very uneven for keys that
//! look alike.
//! **Source:** HAProxy 2.6.12, src/backend.c, src/lb_map.c, src/lb_chash.c.
//! **Differs:** from consistent hashing by the map that is the default, by the nearest point
//! instead of the next, and by `hash-balance-factor`, which bounds loads as Mirrokni, Thorup and
//! Zadimoghaddam do (2018).
//! **Verified:** picks equal to recordings.

use super::backend::Backend;
use super::hashed::{Hashed, WholeText};

/// `balance hash`.
pub type HaproxyHash = Backend<Hashed<WholeText>>;
