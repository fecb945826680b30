//! Boxes: NaCl's `crypto_box` and `crypto_secretbox`, the only cryptography that CURVE uses.
//!
//! The key of a box is HSalsa20 of the X25519 secret (NaCl's `beforenm`), computed once for each pair of keys. A box is
//! XSalsa20-Poly1305 with its tag in front (libsodium's "easy" layout).

use std::fmt;

#[cfg(not(feature = "curve-simd"))]
use crypto_secretbox::{AeadInPlace, KeyInit, XSalsa20Poly1305};
use salsa20::cipher::consts::U10;
use zeroize::{Zeroize, Zeroizing};

use super::keys::{PublicKey, SecretKey};
use super::multiply;

/// The length of a box's tag, in bytes.
pub(super) const TAG: usize = 16;

/// A nonce.
pub(super) type Nonce = [u8; 24];

/// The key of a box. It is not printed, and its memory is overwritten when it is dropped. It is behind a pointer: its
/// owner moves through the states of a handshake, and a move does not overwrite the old place.
#[derive(Clone)]
pub(super) struct BoxKey(Box<Zeroizing<[u8; 32]>>);

/// The error for a box that was not made with this key and nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forged;

impl BoxKey {
    /// Computes the key that `secret` and the owner of `public` share. Returns `None` for a public key of low order,
    /// with which the shared key is known to everybody (RFC 7748 §6.1). Returns `None` also for a second spelling of a
    /// key, which an authentication would take for another peer.
    pub(super) fn agree(secret: &SecretKey, public: &PublicKey) -> Option<BoxKey> {
        if !public.is_canonical() {
            return None;
        }
        let shared = multiply::shared(secret.expose(), public.as_bytes())?;
        let mut key = salsa20::hsalsa::<U10>((&*shared).into(), &[0; 16].into());
        let kept = BoxKey::of(key.into());
        key.as_mut_slice().zeroize();
        Some(kept)
    }

    /// Makes a key of random bytes, for a secret box.
    pub(super) fn of(bytes: [u8; 32]) -> BoxKey {
        BoxKey(Box::new(Zeroizing::new(bytes)))
    }

    /// Encrypts `body` in place. Returns the tag.
    #[cfg(not(feature = "curve-simd"))]
    pub(super) fn seal(&self, nonce: &Nonce, body: &mut [u8]) -> [u8; TAG] {
        let cipher = XSalsa20Poly1305::new((&**self.0).into());
        match cipher.encrypt_in_place_detached(nonce.into(), &[], body) {
            Ok(tag) => tag.into(),
            // Only a slice longer than any possible one fails. If it ever does, no clear text is sent.
            Err(_) => {
                body.zeroize();
                [0; TAG]
            }
        }
    }

    /// Decrypts `body` in place if its tag is right; else leaves it unchanged.
    #[cfg(not(feature = "curve-simd"))]
    pub(super) fn open(&self, nonce: &Nonce, tag: &[u8; TAG], body: &mut [u8]) -> Result<(), Forged> {
        let cipher = XSalsa20Poly1305::new((&**self.0).into());
        cipher.decrypt_in_place_detached(nonce.into(), &[], body, tag.into()).map_err(|_| Forged)
    }

    /// Encrypts `body` in place. Returns the tag.
    #[cfg(feature = "curve-simd")]
    pub(super) fn seal(&self, nonce: &Nonce, body: &mut [u8]) -> [u8; TAG] {
        let mut tag = [0; TAG];
        dryoc::classic::crypto_box::crypto_box_detached_afternm_inplace(body, &mut tag, nonce, &self.0);
        tag
    }

    /// Decrypts `body` in place if its tag is right; else leaves it unchanged.
    #[cfg(feature = "curve-simd")]
    pub(super) fn open(&self, nonce: &Nonce, tag: &[u8; TAG], body: &mut [u8]) -> Result<(), Forged> {
        dryoc::classic::crypto_box::crypto_box_open_detached_afternm_inplace(body, tag, nonce, &self.0)
            .map_err(|_| Forged)
    }

    /// Appends a whole box: tag, then ciphertext.
    pub(super) fn seal_onto(&self, nonce: &Nonce, body: &[u8], out: &mut Vec<u8>) {
        let at = out.len();
        out.extend_from_slice(&[0; TAG]);
        out.extend_from_slice(body);
        #[expect(clippy::indexing_slicing, reason = "just appended; it must not go on unsealed")]
        let (tag, body) = out[at..].split_at_mut(TAG);
        tag.copy_from_slice(&self.seal(nonce, body));
    }

    /// Opens a whole box. Returns its content.
    pub(super) fn open_box(&self, nonce: &Nonce, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Forged> {
        let (tag, body) = sealed.split_first_chunk().ok_or(Forged)?;
        let mut body = Zeroizing::new(body.to_vec());
        self.open(nonce, tag, &mut body)?;
        Ok(body)
    }
}

impl fmt::Debug for BoxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxKey")
    }
}

/// Returns a counting nonce (RFC 26 "short nonce").
#[inline]
pub(super) fn counted(prefix: &[u8; 16], count: u64) -> Nonce {
    let mut nonce = [0; 24];
    nonce[..16].copy_from_slice(prefix);
    nonce[16..].copy_from_slice(&count.to_be_bytes());
    nonce
}

/// Returns a random nonce (RFC 26 "long nonce").
pub(super) fn random(prefix: &[u8; 8], random: &[u8; 16]) -> Nonce {
    let mut nonce = [0; 24];
    nonce[..8].copy_from_slice(prefix);
    nonce[8..].copy_from_slice(random);
    nonce
}
