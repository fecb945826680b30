//! Endpoints, listeners, byte streams and message pipes under Zeroxide.
//!
//! | module | holds |
//! |---|---|
//! | `scheme` | [`Scheme`], and what the platform allows of each |
//! | [`endpoint`], [`error`] | [`Endpoint`]: the parsed text; [`EndpointError`] |
//! | [`options`] | [`SocketOptions`] |
//! | [`resolve`] | names to addresses: [`resolve::resolve`] answers what to [`dial`] |
//! | [`listener`] | [`Listener`]: one arm per scheme; [`BindError`] |
//! | `groups` | the groups of a user, which accept filters ask for |
//! | [`stream`] | [`Stream`], [`dial`]: one arm per scheme |
//! | [`tcp`], [`ipc`] | what the arms are made of; `system` is what they share |
//! | [`socks`] | SOCKS5 as its client, bytes in and bytes out |
//! | [`inproc`] | the name table of one context |
//! | [`pipe`] | whole messages between a socket and an engine, or between two sockets |
//!
//! # The contract of a transport
//!
//! The schemes are tcp, ipc and inproc. Inproc has no streams: its sockets are joined by pipes, and [`inproc::Names`]
//! only says who is joined to whom. A transport that moves bytes supplies:
//!
//! - an arm of [`Endpoint`], with its two parsers and its printer: `parse(print(e)) == e`. Parsing asks nobody;
//! - `bind`, which may block for a name, and answers a listener that knows its resolved endpoint. It never takes the
//!   place of a live listener, and a freed endpoint can be bound again at once;
//! - `accept`, `read`, `send`, which never block and answer `WouldBlock`. Readiness is edge-triggered: after an edge the
//!   caller goes on until `WouldBlock`, or remembers that it did not;
//! - `dial`, which starts a connection and never blocks; after the first writable edge, and never later than that,
//!   [`Stream::connected`] says what became of it. One dial is one attempt at one address;
//! - `send` takes up to [`Stream::quantum`] bytes well, and more correctly. It never raises SIGPIPE: a peer that went
//!   away is an error;
//! - every descriptor is non-blocking and closed on exec. Dropping a listener or stream closes it, and a listener takes
//!   its files with it; in a fork child it only closes.
//!
//! To add a byte-stream transport: one file, an arm in [`Scheme`], [`Endpoint`], [`Listener`], [`Stream`] and
//! [`resolve::Resolved`], and a line in `tests/conformance.rs`.
#![forbid(unsafe_code)]

mod credentials;
pub mod endpoint;
pub mod error;
mod groups;
pub mod inproc;
pub mod ipc;
pub mod listener;
pub mod options;
pub mod pipe;
pub mod resolve;
mod scheme;
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
pub use stream::{Stream, dial};
