//! The keys of CURVE: 32 bytes each (RFC 26 §"Keys"), 40 characters in Z85.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use super::multiply;
use crate::entropy::{Entropy, NoEntropy};
use crate::mechanism::Secret;
use crate::mechanism::z85::{self, Z85Error};

/// A public key, which identifies a peer. It prints as Z85, as libzmq's tools write it.
///
/// ```
/// # mod zeroxide { pub use zeroxide_zmtp::mechanism::curve::PublicKey; }
/// use zeroxide::PublicKey;
/// let text = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
/// let key: PublicKey = text.parse()?;
/// assert_eq!(key.to_string(), text);
/// # Ok::<(), zeroxide_zmtp::mechanism::curve::KeyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

/// A secret key with its public key. It is not printed, and its memory is overwritten when it is dropped.
#[derive(Clone)]
pub struct SecretKey {
    /// Behind a pointer, because a move does not overwrite the old place.
    secret: Box<Zeroizing<[u8; 32]>>,
    public: PublicKey,
}

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The text has this number of characters instead of 40.
    Length(usize),
    /// The text is not valid Z85.
    Z85(Z85Error),
}

impl PublicKey {
    /// Returns the key with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> PublicKey {
        PublicKey(bytes)
    }

    /// Returns its bytes, as a ZAP request carries them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns whether a key pair can have this public key. X25519 ignores the topmost bit and reduces numbers modulo
    /// 2^255 - 19 (RFC 7748 §5), so a key has several spellings; key pairs use only the reduced one.
    pub(super) fn is_canonical(&self) -> bool {
        let [lowest, middle @ .., highest] = &self.0;
        let beyond = *highest == 0x7F && *lowest >= 0xED && middle.iter().all(|byte| *byte == 0xFF);
        *highest < 0x80 && !beyond
    }
}

impl SecretKey {
    /// Generates a new key.
    ///
    /// # Errors
    /// Returns [`NoEntropy`] if there are no random bytes.
    pub fn generate(entropy: &Entropy) -> Result<SecretKey, NoEntropy> {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(&mut *bytes)?;
        Ok(SecretKey::of(&bytes))
    }

    /// Returns the key with these bytes. The caller must overwrite its own copies of them.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> SecretKey {
        SecretKey::of(&Zeroizing::new(bytes))
    }

    /// Returns the public key that belongs to it.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Returns the secret bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.secret
    }

    /// Returns the secret key as Z85, to be stored where only its owner can read it.
    #[must_use]
    pub fn expose_z85(&self) -> Secret {
        // 32 is a multiple of four.
        Secret::new(z85::encode(&**self.secret).unwrap_or_default())
    }

    pub(super) fn of(bytes: &[u8; 32]) -> SecretKey {
        let public = PublicKey(multiply::public_of(bytes));
        let mut secret = Box::new(Zeroizing::new([0; 32]));
        secret.copy_from_slice(bytes);
        SecretKey { secret, public }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&z85::encode(&self.0).unwrap_or_default())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<PublicKey, KeyError> {
        read(text).map(|bytes| PublicKey(*bytes))
    }
}

impl FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<SecretKey, KeyError> {
        read(text).map(|bytes| SecretKey::of(&bytes))
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyError::Length(length) => write!(f, "a CURVE key has 40 characters, not {length}"),
            KeyError::Z85(error) => write!(f, "not a CURVE key: {error}"),
        }
    }
}

impl std::error::Error for KeyError {}

fn read(text: &str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    if text.len() != 40 {
        return Err(KeyError::Length(text.len()));
    }
    let bytes = Zeroizing::new(z85::decode(text).map_err(KeyError::Z85)?);
    let mut key = Zeroizing::new([0; 32]);
    key.copy_from_slice(&bytes);
    Ok(key)
}
