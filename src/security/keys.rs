//! Keys of CURVE, and where random bytes come from. Without the feature `curve` there are no keys: their types are
//! there, so that the options are, and have no values.

use zeroxide_zmtp::Entropy;

#[cfg(feature = "curve")]
pub use zeroxide_zmtp::mechanism::curve::{PublicKey, SecretKey};

#[cfg(not(feature = "curve"))]
pub use none::{PublicKey, SecretKey};

/// Returns the operating system's random bytes.
#[cfg(feature = "curve")]
pub(crate) fn entropy() -> Entropy {
    Entropy::new(|bytes| getrandom::fill(bytes).map_err(|_| zeroxide_zmtp::entropy::NoEntropy))
}

/// Nobody needs any.
#[cfg(not(feature = "curve"))]
pub(crate) fn entropy() -> Entropy {
    Entropy::none()
}

#[cfg(not(feature = "curve"))]
mod none {
    use std::fmt;

    /// A public key of CURVE; the feature `curve` is off, and there is none.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum PublicKey {}

    impl fmt::Display for PublicKey {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            match *self {}
        }
    }

    /// A secret key of CURVE; the feature `curve` is off, and there is none.
    #[derive(Clone, Debug)]
    pub enum SecretKey {}
}
