//! Bytes that nobody shall see.

use std::fmt;

/// A password: it does not print, and its memory is overwritten when it goes.
///
/// The overwriting is what safe Rust can do: copies that were made on the way here, by a caller or by the network
/// stack, are out of its reach.
#[derive(Clone, Default)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes the bytes, without a copy from a vector or a string.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Secret {
        Secret(bytes.into())
    }

    /// The bytes. Compare them in constant time.
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
    /// For tests and tables: it does not stop at the first difference, but tells the length.
    fn eq(&self, other: &Secret) -> bool {
        let differing = self.0.iter().zip(&other.0).fold(0, |differing, (a, b)| differing | (a ^ b));
        self.0.len() == other.0.len() && std::hint::black_box(differing) == 0
    }
}

impl Eq for Secret {}

/// Lends the bytes to a frame, which wipes them when its last clone goes.
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

/// Overwrites what a vector holds and has held, and empties it.
pub(crate) fn wipe(bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.resize(bytes.capacity(), 0);
    overwrite(bytes);
    bytes.clear();
}

/// Overwrites bytes.
pub(crate) fn overwrite(bytes: &mut [u8]) {
    bytes.fill(0);
    // Keeps the compiler from leaving out a store that nobody reads.
    std::hint::black_box(&*bytes);
}

/// Appends to what may be secret. Where it has to grow, no copy stays behind.
pub(crate) fn append(bytes: &mut Vec<u8>, more: &[u8]) {
    if bytes.capacity() - bytes.len() < more.len() {
        // Twice as much, so that appending by pieces stays cheap.
        let mut larger = Vec::with_capacity(2 * (bytes.len() + more.len()));
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
