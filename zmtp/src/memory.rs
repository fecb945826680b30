//! Memory for what a peer sends. Where there is none, its connection ends, and not the process.
//!
//! Everything goes through here whose size a peer chooses and no small limit bounds: bodies that arrive or that lie whole
//! in the input, and the list of the frames of a message. What is smaller than [`SMALL`] is allocated as everywhere.

use crate::error::ProtocolError;

/// Bodies up to this many bytes are not worth the check: the high-water mark bounds how many of them wait.
pub(crate) const SMALL: usize = 2048;

/// Whoever asks for so much leaves as much as [`SPARE`] to all others, who cannot go on without a little memory.
const LARGE: usize = 1024 * 1024;

/// See [`LARGE`].
const SPARE: usize = 4 * 1024 * 1024;

#[cfg(test)]
thread_local! {
    /// The most that one call gives in a test.
    pub(crate) static GIVES: std::cell::Cell<usize> = const { std::cell::Cell::new(usize::MAX) };
}

/// Makes room for exactly `more` bytes.
pub(crate) fn reserve(bytes: &mut Vec<u8>, more: usize) -> Result<(), ProtocolError> {
    let none = || ProtocolError::OutOfMemory { bytes: more as u64 };
    #[cfg(test)]
    if more > GIVES.get() {
        return Err(none());
    }
    bytes.try_reserve_exact(more).map_err(|_| none())?;
    if more >= LARGE {
        let mut spare: Vec<u8> = Vec::new();
        let left = spare.try_reserve_exact(SPARE);
        // The optimiser may not take an allocation that nobody uses away.
        std::hint::black_box(&spare);
        left.map_err(|_| none())?;
    }
    Ok(())
}

/// A copy of bytes in memory of exactly their size.
pub(crate) fn copy(bytes: &[u8]) -> Result<Vec<u8>, ProtocolError> {
    let mut copy = Vec::new();
    reserve(&mut copy, bytes.len())?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_allocated_is_an_error_and_changes_nothing() {
        let mut bytes = vec![1, 2, 3];
        let more = isize::MAX as usize;
        assert_eq!(reserve(&mut bytes, more), Err(ProtocolError::OutOfMemory { bytes: more as u64 }));
        assert_eq!(bytes, [1, 2, 3]);
        assert_eq!(copy(&bytes), Ok(bytes));
    }
}
