//! The routing rules of every socket type, without I/O, threads or clock.
//!
//! A socket owns one [`AnyPattern`] and a table of pipes, under one lock. The pattern decides, and the table moves the
//! messages. A pattern acts only through [`Pipes`], so that tests can run the same rules on plain queues.
//!
//! **Sending has two steps**, which are one in RFC 28 to 31. [`Pattern::route`] reads the first frame, chooses the
//! pipes and reserves credit. Every refusal happens there and changes nothing. [`Pattern::commit`] then moves the whole
//! message and cannot fail. If a chosen pipe is gone by then, its copy counts as dropped.
//!
//! **Life of a pipe**: `attached` → (`established` → `lost`)* → `ended` → `detached`. A connecting endpoint attaches
//! its pipe before it has a peer, and keeps the pipe over reconnections. If the socket type answers connections (REP,
//! SERVER, STREAM), each connection after the first attaches its own pipe instead. An accepted connection is attached
//! and established at once. A pipe whose peer is gone for good stays attached, with [`Credit::Gone`], until its input
//! is read.
//!
//! | module | holds |
//! |---|---|
//! | `pattern`, `pipes` | the contract of a socket type, and the operations on pipes |
//! | `any` | [`AnyPattern`]: one of the types below |
//! | `pair`, `pipeline`, `reqrep`, `pubsub`, `server`, `radio`, `dish`, `stream` | the socket types, by RFC |
//! | `load_balancer`, `addressed`, `distributor` | the ways to send: to each peer in turn, to a named peer, to all subscribers |
//! | `upstream`, `downstream` | the peers that receive this socket's subscriptions; the peers that send theirs |
//! | `fair_queue` | receiving from several peers in turn |
//! | `by_pipe` | what a pattern knows of each pipe |
//! | `ring`, `chosen` | the order of turns; what `route` chose for `commit` |
//! | [`routing_ids`], [`subscriptions`] | names of peers; topics and their subscribers |
//! | `seeded` | hashing and first numbers from a seed |
//! | `fake`, `model`, `fuzzing` | for tests: plain queues instead of pipes; a model of five types; the bodies of the fuzz targets |
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::panic, clippy::unreachable))]
#![cfg_attr(not(test), warn(clippy::todo, clippy::unimplemented))]
#![cfg_attr(not(test), warn(clippy::dbg_macro, clippy::print_stderr, clippy::print_stdout))]
// Nothing that a peer or an application sends may make this crate panic. What remains has its reason on the line.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice))]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod addressed;
mod any;
mod by_pipe;
mod chosen;
mod dish;
#[cfg_attr(not(test), expect(clippy::arithmetic_side_effects, reason = "counts pipes and messages"))]
mod distributor;
mod downstream;
mod fair_queue;
#[cfg(any(test, fuzzing))]
#[cfg_attr(not(test), allow(dead_code))]
mod fake;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg_attr(not(test), expect(clippy::arithmetic_side_effects, reason = "counts pipes and messages"))]
mod load_balancer;
#[cfg(any(test, fuzzing))]
mod model;
mod pair;
mod pattern;
mod pipeline;
mod pipes;
mod pubsub;
mod radio;
mod reqrep;
#[cfg_attr(not(test), expect(clippy::arithmetic_side_effects, reason = "counts pipes and messages"))]
mod ring;
pub mod routing_ids;
mod seeded;
mod server;
mod stream;
pub mod subscriptions;
mod upstream;
mod waiting;

pub use any::AnyPattern;
pub use pattern::{Origin, Pattern, PatternOptions, Refusal};
pub use pipes::{Cause, Credit, PipeId, Pipes};
pub use routing_ids::{RoutingId, RoutingIdError};
