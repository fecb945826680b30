//! Which peer gets what: the routing rules of every socket type, without I/O, threads or clock.
//!
//! A socket owns one [`AnyPattern`] and a table of pipes, under one lock. The pattern decides, the table moves:
//! everything a pattern does to the world goes through [`Pipes`], so that the same rules run on plain queues in
//! tests.
//!
//! **Sending is two steps** (RFC 28 to 31 speak of them as one). [`Pattern::route`] looks at the first frame,
//! chooses the pipes and reserves credit; every refusal happens there and changes nothing. [`Pattern::commit`]
//! then moves the whole message and cannot fail: what a pipe lost in between would have carried is counted as
//! dropped.
//!
//! **Life of a pipe**: `attached` → (`established` → `lost`)* → `ended` → `detached`. A connecting endpoint attaches its
//! pipe before any peer exists. It keeps it over reconnections, unless the type answers connections (REP, SERVER,
//! STREAM): then each connection after the first attaches its own. An accepted connection attaches and is established in
//! one go. A pipe whose peer is gone for good stays attached, with [`Credit::Gone`], until its input is
//! read.
//!
//! | module | holds |
//! |---|---|
//! | `pattern`, `pipes` | the contract of a socket type, and what it may do with pipes |
//! | `any` | [`AnyPattern`]: one of the types below |
//! | `pair`, `pipeline`, `reqrep`, `pubsub`, `server`, `radio`, `dish`, `stream` | the socket types, by RFC |
//! | `load_balancer`, `addressed`, `distributor` | the ways to send: to one in turn, to the one named, to all who asked |
//! | `upstream`, `downstream` | publishers that are told what is wanted; subscribers that say it |
//! | `fair_queue` | the way to receive from several |
//! | `ring`, `chosen` | whose turn it is; what `route` leaves for `commit` |
//! | [`routing_ids`], [`subscriptions`] | names of peers; topics and who wants them |
//! | `seeded` | hashing and first numbers from a seed |
#![forbid(unsafe_code)]

mod addressed;
mod any;
mod chosen;
mod dish;
mod distributor;
mod downstream;
mod fair_queue;
#[cfg(test)]
mod fake;
mod load_balancer;
#[cfg(test)]
mod model_tests;
mod pair;
mod pattern;
mod pipeline;
mod pipes;
mod pubsub;
mod radio;
mod reqrep;
mod ring;
pub mod routing_ids;
mod seeded;
mod server;
mod stream;
pub mod subscriptions;
mod upstream;

pub use any::AnyPattern;
pub use pattern::{Origin, Pattern, PatternOptions, Refusal};
pub use pipes::{Cause, Credit, PipeId, Pipes};
pub use routing_ids::{RoutingId, RoutingIdError};
