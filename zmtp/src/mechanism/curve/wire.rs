//! The names, lengths and nonces of the commands of CURVE (RFC 26).

use super::boxes;

/// The bytes that a MESSAGE adds to a frame: name, nonce, tag, flags.
pub(crate) const OVERHEAD: usize = MESSAGE.len() + 8 + boxes::TAG + 1;

pub(super) const HELLO: &[u8; 6] = b"\x05HELLO";
pub(super) const WELCOME: &[u8; 8] = b"\x07WELCOME";
pub(super) const INITIATE: &[u8; 9] = b"\x08INITIATE";
pub(super) const READY: &[u8; 6] = b"\x05READY";
pub(super) const MESSAGE: &[u8; 8] = b"\x07MESSAGE";

/// The version of CurveZMQ in a HELLO, 1.0, and the zeros after it. The zeros make a HELLO longer than its WELCOME, so
/// that an attacker cannot use a server to amplify traffic (RFC 26 §"HELLO"; its text says 70 zeros, its grammar and
/// libzmq 72).
pub(super) const VERSION: [u8; 2] = [1, 0];
pub(super) const PADDING: [u8; 72] = [0; 72];

pub(super) const HELLO_LENGTH: usize = 200;
pub(super) const WELCOME_LENGTH: usize = 168;
pub(super) const COOKIE_LENGTH: usize = 96;
pub(super) const VOUCH_LENGTH: usize = 96;

pub(super) const HELLO_NONCE: &[u8; 16] = b"CurveZMQHELLO---";
pub(super) const INITIATE_NONCE: &[u8; 16] = b"CurveZMQINITIATE";
pub(super) const READY_NONCE: &[u8; 16] = b"CurveZMQREADY---";
pub(super) const WELCOME_NONCE: &[u8; 8] = b"WELCOME-";
pub(super) const COOKIE_NONCE: &[u8; 8] = b"COOKIE--";
pub(super) const VOUCH_NONCE: &[u8; 8] = b"VOUCH---";

/// Takes `N` bytes from the front.
pub(super) fn take<'a, const N: usize>(data: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, rest) = data.split_first_chunk()?;
    *data = rest;
    Some(taken)
}

/// Takes a counting nonce from the front.
pub(super) fn take_count(data: &mut &[u8]) -> Option<u64> {
    take(data).map(|bytes| u64::from_be_bytes(*bytes))
}
