//! ZMTP without I/O: bytes in, messages out.
//!
//! This crate holds the wire protocol and nothing else: no sockets, no threads, no clock (`now` is an argument).
//!
//! | module | holds |
//! |---|---|
//! | [`message`] | [`Message`], [`Frame`] |
//! | [`peer`] | [`Peer`], [`Version`]: what is known of the peer |
//! | [`socket_type`] | the table of socket types |
//! | [`traffic`] | [`Traffic`]: what travels once the handshake is over |
//! | [`queue`], [`run`] | traffic that waits; many short messages as one piece of bytes |
//! | [`memory`] | memory for what a peer sends, whose lack ends one connection and not the process |
//! | `config` | [`Config`]: the settings of a connection |
//! | [`connection`] | [`Connection`]: greeting, handshake, framing and heartbeats of one stream |
//! | [`encoder`] | [`Outbox`]: bytes to be written |
//! | [`groups`] | the groups of RADIO and DISH |
//! | [`error`] | [`ProtocolError`]: the faults of a peer |
//! | [`mechanism`] | NULL, PLAIN (feature `plain`), CURVE (feature `curve`): [`Settings`](mechanism::Settings), and the decision about a peer |
//! | [`entropy`] | [`Entropy`]: the source of random bytes |
//! | `gate` | whether a peer is admitted |
//! | `greeting` | detection of ZMTP 1.0, 2.0, 3.0, 3.1 |
//! | `frame`, `decoder` | headers in both framings; decodes bytes to messages and commands |
//! | `command` | commands and property lists |
//! | `heartbeat` | PING, PONG, time to live |
//! | `raw` | connections without ZMTP |
//! | `short` | a few bytes, stored in place |
//! | `values` | messages that carry values of the application's types (feature `serde`) |
//! | `pair`, `fuzzing` | for tests: two ends on a virtual clock; the bodies of the fuzz targets |
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::panic, clippy::unreachable))]
#![cfg_attr(not(test), warn(clippy::todo, clippy::unimplemented))]
#![cfg_attr(not(test), warn(clippy::dbg_macro, clippy::print_stderr, clippy::print_stdout))]
// Nothing that a peer sends may make this crate panic. Each exception has its reason beside it.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice))]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

mod command;
mod config;
pub mod connection;
mod decoder;
#[cfg_attr(
    not(test),
    expect(
        clippy::arithmetic_side_effects,
        reason = "sums of lengths of what is held in memory, and counters of 64 bits"
    )
)]
pub mod encoder;
pub mod entropy;
pub mod error;
mod frame;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod gate;
#[cfg(test)]
mod golden_tests;
mod greeting;
pub mod groups;
mod heartbeat;
pub mod mechanism;
pub mod memory;
pub mod message;
#[cfg(any(test, fuzzing))]
mod pair;
pub mod peer;
#[cfg_attr(
    not(test),
    expect(clippy::arithmetic_side_effects, reason = "sums of lengths of what is held in memory")
)]
pub mod queue;
mod raw;
#[cfg(test)]
mod round_trip_tests;
pub mod run;
mod short;
pub mod socket_type;
pub mod traffic;
#[cfg(feature = "serde")]
mod values;

pub use config::Config;
pub use connection::{Connection, Established, Stage};
pub use encoder::Outbox;
pub use entropy::Entropy;
pub use error::{ConnectionError, ProtocolError};
pub use message::{Frame, FrameCountError, Message};
pub use peer::{Peer, Version};
pub use socket_type::{SocketType, UnknownSocketType};
pub use traffic::{Next, Traffic};
#[cfg(feature = "serde")]
pub use values::Format;
