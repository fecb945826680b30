//! CURVE (RFC 25, 26): X25519 keys, everything after the greeting encrypted and authenticated.
//!
//! | module | holds |
//! |---|---|
//! | `keys` | [`SecretKey`], [`PublicKey`] |
//! | `boxes` | sealing and opening, with the crates that do it |
//! | `client`, `server` | the handshake: `HELLO` → `WELCOME` → `INITIATE` → (the gate) → `READY` |
//! | `wire` | names, lengths and nonces of its commands |
//! | `channel` | traffic: each frame in a `MESSAGE` |
//!
//! Names as in RFC 26: the long-term keys are C and S, those of one connection C' and S'. A new pair of these is made
//! for each connection, so that what was recorded cannot be read with a long-term key that is stolen later, and
//! nonces may count from 1.

#[cfg(any(test, fuzzing))]
pub(crate) mod bench;
mod boxes;
mod channel;
mod client;
mod keys;
mod server;
mod wire;

pub(crate) use channel::Channel;
pub(crate) use client::Client;
pub use keys::{KeyError, PublicKey, SecretKey};
pub(crate) use server::Server;
pub(in crate::mechanism) use server::ready;
pub(crate) use wire::OVERHEAD;

use crate::error::ProtocolError;

impl From<crate::entropy::NoEntropy> for ProtocolError {
    fn from(_: crate::entropy::NoEntropy) -> ProtocolError {
        ProtocolError::NoEntropy
    }
}

#[cfg(test)]
mod tests;
