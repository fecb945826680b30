//! Secret bytes: they are not printed, and they are overwritten after use.

use std::fmt;

/// A password. It is not printed, and its memory is overwritten when it is dropped.
///
/// Safe Rust cannot overwrite copies that a caller or the network stack made earlier.
#[derive(Clone, Default)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Creates a secret from bytes. A vector or a string is not copied.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Secret {
        Secret(bytes.into())
    }

    /// Returns the bytes. Compare them in constant time.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl PartialEq for Secret {
    /// Compares all bytes, without stopping at the first difference, but its time reveals the length. It is meant for
    /// tests and tables.
    fn eq(&self, other: &Secret) -> bool {
        let differing = self.0.iter().zip(&other.0).fold(0, |differing, (a, b)| differing | (a ^ b));
        self.0.len() == other.0.len() && std::hint::black_box(differing) == 0
    }
}

impl Eq for Secret {}

/// Lends the bytes to a frame, which overwrites them when its last clone is dropped.
impl AsRef<[u8]> for Secret {
    fn as_ref(&self) -> &[u8] {
        self.expose()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Secret {
        Secret::new(text)
    }
}

impl From<&[u8]> for Secret {
    fn from(bytes: &[u8]) -> Secret {
        Secret::new(bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Overwrites the content and the spare capacity of a vector, and empties it.
pub(crate) fn wipe(bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.resize(bytes.capacity(), 0);
    overwrite(bytes);
    bytes.clear();
}

/// Overwrites bytes.
pub(crate) fn overwrite(bytes: &mut [u8]) {
    bytes.fill(0);
    // Keeps the compiler from removing a store whose value is not read.
    std::hint::black_box(&*bytes);
}

/// Appends to bytes that may be secret. When the vector grows, its old memory is overwritten.
pub(crate) fn append(bytes: &mut Vec<u8>, more: &[u8]) {
    if bytes.spare_capacity_mut().len() < more.len() {
        // Twice the size, so that many small appends stay cheap.
        let mut larger = Vec::with_capacity(bytes.len().saturating_add(more.len()).saturating_mul(2));
        larger.extend_from_slice(bytes);
        wipe(bytes);
        *bytes = larger;
    }
    bytes.extend_from_slice(more);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wiping_overwrites_in_place_and_allocates_nothing() {
        let mut bytes = b"hunter2hunter2".to_vec();
        bytes.truncate(3);
        let (at, capacity) = (bytes.as_ptr(), bytes.capacity());
        wipe(&mut bytes);
        assert_eq!((bytes.len(), bytes.as_ptr(), bytes.capacity()), (0, at, capacity));
    }

    #[test]
    fn what_is_appended_is_there_whole() {
        let mut bytes = Vec::new();
        for n in 0..100_u8 {
            append(&mut bytes, &[n; 7]);
        }
        assert_eq!(bytes.len(), 700);
        assert!(bytes.chunks(7).zip(0..).all(|(chunk, n)| chunk == [n; 7]));
    }
}
