//! Making a key pair of CURVE.

use crate::error::{Result, SecurityError};
use crate::security::{SecretKey, entropy};

/// Returns a new secret key of CURVE from the operating system's random bytes. `SecretKey::public` returns its public key.
///
/// ```
/// let key = zeroxide::generate_secret_key()?;
/// println!("give this to the others: {}", key.public());
/// # Ok::<(), zeroxide::Error>(())
/// ```
///
/// # Errors
/// Returns [`SecurityError::NoEntropy`].
pub fn generate_secret_key() -> Result<SecretKey> {
    SecretKey::generate(&entropy()).map_err(|_| SecurityError::NoEntropy.into())
}
