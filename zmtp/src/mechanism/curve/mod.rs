//! CURVE (RFC 25, 26): X25519 keys, everything after the greeting encrypted and authenticated.
//!
//! | module | holds |
//! |---|---|
//! | `keys` | [`SecretKey`], [`PublicKey`] |
//! | `boxes` | sealing and opening, with the crates that do it |
//! | `client`, `server` | the handshake: `HELLO` → `WELCOME` → `INITIATE` → (the gate) → `READY` |
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

pub(crate) use channel::Channel;
pub(crate) use client::Client;
pub use keys::{KeyError, PublicKey, SecretKey};
pub(crate) use server::Server;

use crate::error::ProtocolError;

/// Bytes that a MESSAGE adds to a frame: name, nonce, tag, flags.
pub(crate) const OVERHEAD: usize = MESSAGE.len() + 8 + boxes::TAG + 1;

const HELLO: &[u8; 6] = b"\x05HELLO";
const WELCOME: &[u8; 8] = b"\x07WELCOME";
const INITIATE: &[u8; 9] = b"\x08INITIATE";
const READY: &[u8; 6] = b"\x05READY";
const MESSAGE: &[u8; 8] = b"\x07MESSAGE";

/// CurveZMQ 1.0, as a HELLO says it, and the zeros behind it that keep a HELLO longer than its WELCOME, so that a
/// server amplifies nothing (RFC 26 §"HELLO"; its text says 70 zeros, its grammar and libzmq 72).
const VERSION: [u8; 2] = [1, 0];
const PADDING: [u8; 72] = [0; 72];

const HELLO_LENGTH: usize = 200;
const WELCOME_LENGTH: usize = 168;
const COOKIE_LENGTH: usize = 96;
const VOUCH_LENGTH: usize = 96;

const HELLO_NONCE: &[u8; 16] = b"CurveZMQHELLO---";
const INITIATE_NONCE: &[u8; 16] = b"CurveZMQINITIATE";
const READY_NONCE: &[u8; 16] = b"CurveZMQREADY---";
const WELCOME_NONCE: &[u8; 8] = b"WELCOME-";
const COOKIE_NONCE: &[u8; 8] = b"COOKIE--";
const VOUCH_NONCE: &[u8; 8] = b"VOUCH---";

/// Takes `N` bytes off the front.
fn take<'a, const N: usize>(data: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, rest) = data.split_first_chunk()?;
    *data = rest;
    Some(taken)
}

/// Takes a counting nonce off the front.
fn take_count(data: &mut &[u8]) -> Option<u64> {
    take(data).map(|bytes| u64::from_be_bytes(*bytes))
}

impl From<crate::entropy::NoEntropy> for ProtocolError {
    fn from(_: crate::entropy::NoEntropy) -> ProtocolError {
        ProtocolError::NoEntropy
    }
}

#[cfg(test)]
mod tests;
