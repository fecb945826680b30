//! CURVE (RFC 25, 26): X25519 keys; everything after the greeting is encrypted and authenticated.
//!
//! | module | holds |
//! |---|---|
//! | `keys` | [`SecretKey`], [`PublicKey`] |
//! | `multiply` | X25519 |
//! | `boxes` | sealing and opening, with the cryptographic crates |
//! | `client`, `server` | the handshake: `HELLO` → `WELCOME` → `INITIATE` → (the gate) → `READY` |
//! | `wire` | names, lengths and nonces of its commands |
//! | `channel` | traffic: each frame in a `MESSAGE` |
//!
//! The names are those of RFC 26: C and S are the long-term keys, C' and S' those of one connection. Each connection
//! makes new keys. So a recorded connection cannot be decrypted with a long-term key that is stolen later, and nonces
//! can count from 1.

#[cfg(any(test, fuzzing))]
pub(crate) mod bench;
mod boxes;
mod channel;
mod client;
mod keys;
mod multiply;
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
