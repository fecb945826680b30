//! Where random bytes come from: this crate has no source of its own.

use std::fmt;
use std::sync::Arc;

/// There are no random bytes to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoEntropy;

type Fill = dyn Fn(&mut [u8]) -> Result<(), NoEntropy> + Send + Sync;

/// A source of random bytes, fit for keys: the operating system's in production, a fixed one in tests.
///
/// Only CURVE uses it. Each connection takes from it the keys that are its own and thrown away with it.
#[derive(Clone)]
pub struct Entropy(Arc<Fill>);

impl Entropy {
    /// A source that fills each buffer it is given. It must not block for long: the I/O thread calls it, once or
    /// twice for each handshake.
    pub fn new(fill: impl Fn(&mut [u8]) -> Result<(), NoEntropy> + Send + Sync + 'static) -> Entropy {
        Entropy(Arc::new(fill))
    }

    /// A source that gives nothing. CURVE connections fail with it; the other mechanisms do not ask.
    #[must_use]
    pub fn none() -> Entropy {
        Entropy::new(|_| Err(NoEntropy))
    }

    /// Fills `bytes`.
    ///
    /// # Errors
    /// When the source gives nothing.
    pub fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        (self.0)(bytes)
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}
