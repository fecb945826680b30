//! ZMTP without I/O: bytes in, messages out.
//!
//! This crate knows the wire and nothing else: no sockets, no threads, no clock (`now` is an argument).
//!
//! | module | holds |
//! |---|---|
//! | [`message`] | [`Message`], [`Frame`] |
//! | [`peer`] | [`Peer`], [`Version`]: who is at the other end |
//! | [`socket_type`] | the table of socket types |
//! | [`traffic`] | [`Traffic`]: what travels once the handshake is over |
#![forbid(unsafe_code)]

pub mod message;
pub mod peer;
pub mod socket_type;
pub mod traffic;

pub use message::{Frame, Message};
pub use peer::{Peer, Version};
pub use socket_type::SocketType;
pub use traffic::Traffic;
