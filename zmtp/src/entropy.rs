//! The source of random bytes, which the owner of a connection supplies. This crate has no source of its own.

use std::fmt;
use std::sync::Arc;

/// The source has no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoEntropy;

type Fill = dyn Fn(&mut [u8]) -> Result<(), NoEntropy> + Send + Sync;

/// A source of random bytes fit for keys: the operating system's in production, a fixed one in tests.
///
/// Only CURVE uses it. Each connection takes its own keys from it and drops them when it ends.
#[derive(Clone)]
pub struct Entropy(Arc<Fill>);

impl Entropy {
    /// Creates a source from a function that fills the whole buffer. The function must not block for long: the I/O
    /// thread calls it once or twice for each handshake.
    pub fn new(fill: impl Fn(&mut [u8]) -> Result<(), NoEntropy> + Send + Sync + 'static) -> Entropy {
        Entropy(Arc::new(fill))
    }

    /// Creates a source without bytes. CURVE connections fail with it. The other mechanisms need no random bytes.
    #[must_use]
    pub fn none() -> Entropy {
        Entropy::new(|_| Err(NoEntropy))
    }

    /// Fills `bytes`.
    ///
    /// # Errors
    /// Returns [`NoEntropy`] if the source has no random bytes.
    pub fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        (self.0)(bytes)
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}
