//! Memory for what a peer sends. Where there is none, its connection ends, and not the process.
//!
//! Everything goes through here whose size a peer chooses and no small limit bounds: bodies that arrive or that lie whole
//! in the input, and the list of the frames of a message. What is smaller than 2 KiB is allocated as everywhere, where
//! a failure ends the process. So that none fails, [`Headroom`] counts what a peer makes this side allocate, and asks from
//! time to time whether there is memory to go on.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::ProtocolError;

/// Bodies up to this many bytes are not worth a check each: [`Headroom`] counts them.
pub(crate) const SMALL: usize = 2048;

/// Whoever asks for so much leaves as much as [`SPARE`] to all others, who cannot go on without a little memory.
const LARGE: usize = 1024 * 1024;

/// See [`LARGE`] and [`Headroom`].
const SPARE: usize = 4 * 1024 * 1024;

/// While so much can be had, memory is asked for only once in [`STEP`] bytes.
///
/// It must be more than what [`STEP`] bytes of small allocations can take: in a nearly full address space the GNU allocator
/// gives each a page of its own, and 1 MiB of 64-byte pieces becomes 64 MiB. And it must be so much that the GNU allocator
/// maps it anew, instead of taking it from its heaps and changing them.
const PLENTY: usize = 64 * 1024 * 1024;

/// See [`PLENTY`].
const STEP: usize = 1024 * 1024;

/// Where there is not plenty, memory is asked for once in so many bytes of each peer.
const PIECE: usize = 16 * 1024;

/// Bytes taken by all since there was plenty.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

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
    // Asked before: memory that is refused must not be left in `bytes`.
    if more >= LARGE && !is_free(more.saturating_add(SPARE)) {
        return Err(none());
    }
    bytes.try_reserve_exact(more).map_err(|_| none())
}

/// Zeros for a short while, such as a read buffer: they may come from what is left to all, but for half of it.
///
/// # Errors
/// [`ProtocolError::OutOfMemory`].
pub fn zeros(count: usize) -> Result<Box<[u8]>, ProtocolError> {
    match is_free(count.saturating_add(SPARE / 2)) {
        true => Ok(vec![0; count].into_boxed_slice()),
        false => Err(ProtocolError::OutOfMemory { bytes: count as u64 }),
    }
}

/// Whether so many bytes could be allocated now.
fn is_free(bytes: usize) -> bool {
    #[cfg(test)]
    if bytes > GIVES.get() {
        return false;
    }
    let mut spare: Vec<u8> = Vec::new();
    let given = spare.try_reserve_exact(bytes);
    // The optimiser may not take an allocation that nobody uses away.
    std::hint::black_box(&spare);
    given.is_ok()
}

/// Counts what one peer makes this side allocate in small pieces. While memory is scarce, whoever takes more is refused
/// before the last 4 MiB are used, which are left to all others.
#[derive(Debug, Default)]
pub struct Headroom {
    /// Bytes taken that are not in [`TAKEN`] yet.
    taken: usize,
}

impl Headroom {
    /// Counts bytes that were allocated or are about to be; what is freed does not count.
    ///
    /// # Errors
    /// [`ProtocolError::OutOfMemory`] when there would be too little left.
    #[inline]
    pub fn take(&mut self, bytes: usize) -> Result<(), ProtocolError> {
        self.taken = self.taken.saturating_add(bytes);
        if self.taken < PIECE { Ok(()) } else { ask(std::mem::take(&mut self.taken)) }
    }
}

#[cold]
fn ask(taken: usize) -> Result<(), ProtocolError> {
    if TAKEN.fetch_add(taken, Ordering::Relaxed).saturating_add(taken) < STEP {
        return Ok(());
    }
    if is_free(taken.saturating_add(PLENTY)) {
        TAKEN.store(0, Ordering::Relaxed);
        return Ok(());
    }
    // What is taken stays counted, so that everybody asks until there is plenty again.
    if is_free(taken.saturating_add(SPARE)) {
        return Ok(());
    }
    Err(ProtocolError::OutOfMemory { bytes: taken as u64 })
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

    #[test]
    fn memory_that_is_refused_is_not_left_to_whoever_asked() {
        let mut bytes = vec![1, 2, 3];
        let before = bytes.capacity();
        GIVES.set(LARGE + SPARE / 2);
        assert_eq!(reserve(&mut bytes, LARGE), Err(ProtocolError::OutOfMemory { bytes: LARGE as u64 }));
        assert_eq!((bytes.len(), bytes.capacity()), (3, before));
        GIVES.set(LARGE + SPARE);
        assert_eq!(reserve(&mut bytes, LARGE), Ok(()));
        assert!(bytes.capacity() >= LARGE);
        GIVES.set(usize::MAX);
    }

    #[test]
    fn whoever_takes_much_is_refused_while_memory_is_scarce_and_others_are_not() {
        let (mut greedy, mut modest) = (Headroom::default(), Headroom::default());
        assert_eq!(greedy.take(4 * STEP), Ok(()));
        GIVES.set(PLENTY);
        assert_eq!(greedy.take(4 * STEP), Ok(()), "there is not plenty, but enough");
        GIVES.set(SPARE);
        assert_eq!(modest.take(PIECE - 1), Ok(()));
        assert_eq!(greedy.take(STEP), Err(ProtocolError::OutOfMemory { bytes: STEP as u64 }));
        let mut small = (0..).map(|_| greedy.take(100));
        let refused = small.by_ref().take(PIECE / 100 + 1).find_map(Result::err);
        assert!(refused.is_some(), "it stays so until there is plenty");
        assert_eq!(zeros(10).as_deref(), Ok(&[0; 10][..]));
        GIVES.set(SPARE / 2);
        assert_eq!(zeros(10), Err(ProtocolError::OutOfMemory { bytes: 10 }));
        GIVES.set(usize::MAX);
        assert_eq!(greedy.take(4 * STEP), Ok(()));
    }
}
