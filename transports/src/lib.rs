//! Endpoints, listeners, byte streams and message pipes under Zeroxide.
//!
//! | module | holds |
//! |---|---|
//! | `scheme` | [`Scheme`], and what the platform supports |
//! | [`endpoint`], [`error`] | [`Endpoint`]: the parsed text; [`EndpointError`] |
//! | [`options`] | [`SocketOptions`] |
//! | [`resolve`] | names to addresses: [`resolve::resolve`] returns what to [`dial`] |
//! | [`listener`] | [`Listener`]: one arm per scheme; [`BindError`] |
//! | `groups` | the groups of a user, for accept filters |
//! | [`stream`] | [`Stream`], [`dial`]: one arm per scheme |
//! | [`tcp`], [`ipc`] | the implementations of the arms; `system` is what they share |
//! | [`socks`] | the client side of SOCKS5, without I/O |
//! | [`inproc`] | the name table of one context |
//! | [`pipe`] | whole messages between a socket and an engine, or between two sockets |
//!
//! # The contract of a transport
//!
//! The schemes are tcp, ipc and inproc. Inproc has no streams: its sockets are joined by pipes, and [`inproc::Names`]
//! only finds the socket for a name. A transport that moves bytes supplies:
//!
//! - an arm of [`Endpoint`], with its two parsers and its printer: `parse(print(e)) == e`. Parsing looks up no names;
//! - `bind`, which may block to look up a name, and returns a listener with its resolved endpoint. It never replaces a
//!   live listener, and a freed endpoint can be bound again at once;
//! - `accept`, `read`, `send`, which never block and return `WouldBlock`. Readiness is edge-triggered: after an edge
//!   the caller goes on until `WouldBlock`, or remembers that it stopped earlier;
//! - `dial`, which starts a connection and never blocks. At the latest after the first writable edge,
//!   [`Stream::connected`] returns the result. One dial is one attempt at one address;
//! - `send` is efficient up to [`Stream::quantum`] bytes, and correct for more. It never raises SIGPIPE: a peer that is
//!   gone is an error;
//! - every descriptor is non-blocking and closed on exec. Dropping a listener or stream closes it; a listener also
//!   removes its files, but not in a fork child.
//!
//! To add a byte-stream transport: one file, an arm in [`Scheme`], [`Endpoint`], [`Listener`], [`Stream`] and
//! [`resolve::Resolved`], and a line in `tests/conformance.rs`.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::panic, clippy::unreachable))]
#![cfg_attr(not(test), warn(clippy::todo, clippy::unimplemented))]
#![cfg_attr(not(test), warn(clippy::dbg_macro, clippy::print_stderr, clippy::print_stdout))]
// Nothing that a peer sends may make this crate panic. What remains has its reason on the line.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice))]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

pub mod budget;
mod credentials;
pub mod endpoint;
#[cfg(feature = "serde")]
mod endpoint_text;
pub mod error;
mod groups;
pub mod inproc;
pub mod ipc;
pub mod listener;
pub mod options;
#[cfg_attr(
    not(test),
    expect(
        clippy::arithmetic_side_effects,
        reason = "counters of 64 bits, and lengths of what is in memory"
    )
)]
pub mod pipe;
pub mod resolve;
mod scheme;
#[cfg(simulate)]
#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "no peer's bytes are in it, and a panic in a simulation is found"
)]
pub mod simulated;
pub mod socks;
pub mod stream;
mod sync;
mod system;
pub mod tcp;

pub use credentials::Credentials;
pub use endpoint::{Endpoint, EndpointText, Host, IpcAddress, Port, Source};
pub use error::EndpointError;
pub use listener::{Accepted, BindError, Listener};
pub use options::SocketOptions;
pub use resolve::{ResolveError, Resolved};
pub use scheme::Scheme;
pub use socks::{Refusal as SocksRefusal, SocksError};
pub use stream::{OwnedStream, Stream, dial};
