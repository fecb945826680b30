//! Memory for what a peer sends. If there is not enough, the peer's connection ends instead of the process.
//!
//! This module allocates everything whose size a peer chooses without a small limit: the bodies, and the list of the
//! frames of a message. Allocations below 2 KiB are made as usual, and there a failure ends the process. So
//! [`Headroom`] counts them for each peer and checks from time to time that enough memory is left.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::ProtocolError;

/// Bodies of up to this many bytes are not checked one by one: [`Headroom`] counts them.
pub(crate) const SMALL: usize = 2048;

/// An allocation of at least this size must leave [`SPARE`] bytes free for everything else in the process.
const LARGE: usize = 1024 * 1024;

/// See [`LARGE`] and [`Headroom`].
const SPARE: usize = 4 * 1024 * 1024;

/// While this much is free, memory is checked only once in [`STEP`] bytes.
///
/// It must be more than what [`STEP`] bytes of small allocations can take. In a nearly full address space the GNU
/// allocator gives each of them a page of its own, so that 1 MiB in pieces of 64 bytes becomes 64 MiB. It must also be
/// so large that the GNU allocator maps it separately instead of taking it from its heaps and changing them.
const PLENTY: usize = 64 * 1024 * 1024;

/// See [`PLENTY`].
const STEP: usize = 1024 * 1024;

/// While less than [`PLENTY`] is free, memory is checked once in this many bytes of each peer.
const PIECE: usize = 16 * 1024;

/// Bytes taken by all peers since [`PLENTY`] was last free.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

#[cfg(test)]
thread_local! {
    /// The largest allocation that succeeds in a test.
    pub(crate) static GIVES: std::cell::Cell<usize> = const { std::cell::Cell::new(usize::MAX) };
}

/// The most memory that all connections of the process together reserve for bodies that have not arrived ([`Ahead`]).
pub(crate) const ALL_AHEAD: usize = 64 * 1024 * 1024;

/// How many bytes all [`Ahead`] values have reserved now, at most [`ALL_AHEAD`].
static AHEAD: AtomicUsize = AtomicUsize::new(0);

/// Memory that one connection has reserved for a body before its bytes have arrived. The total of all connections is
/// limited, because peers may announce bodies and never send them. Dropping this value releases the reservation.
#[derive(Debug, Default)]
pub(crate) struct Ahead(usize);

impl Ahead {
    /// Reserves `bytes`. Returns `false`, and reserves nothing, if the total would exceed [`ALL_AHEAD`].
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let add = |all: usize| all.checked_add(bytes).filter(|all| *all <= ALL_AHEAD);
        let granted = AHEAD.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok();
        if granted {
            self.0 = self.0.saturating_add(bytes);
        }
        granted
    }

    /// Releases the reservation. Called when the body is complete, or when there is no memory for it.
    pub(crate) fn give_back(&mut self) {
        if self.0 > 0 {
            AHEAD.fetch_sub(std::mem::take(&mut self.0), Ordering::Relaxed);
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Reserves room for exactly `more` bytes.
pub(crate) fn reserve(bytes: &mut Vec<u8>, more: usize) -> Result<(), ProtocolError> {
    let none = || ProtocolError::OutOfMemory { bytes: more as u64 };
    #[cfg(test)]
    if more > GIVES.get() {
        return Err(none());
    }
    // Checked first: refused memory must not stay allocated in `bytes`.
    if more >= LARGE && !is_free(more.saturating_add(SPARE)) {
        return Err(none());
    }
    bytes.try_reserve_exact(more).map_err(|_| none())
}

/// Allocates zeros for a short time, such as a read buffer. They may use up to half of the spare 4 MiB that is
/// otherwise left free.
///
/// # Errors
/// Returns [`ProtocolError::OutOfMemory`] if too little memory would be left.
pub fn zeros(count: usize) -> Result<Box<[u8]>, ProtocolError> {
    if is_free(count.saturating_add(SPARE / 2)) {
        Ok(vec![0; count].into_boxed_slice())
    } else {
        Err(ProtocolError::OutOfMemory { bytes: count as u64 })
    }
}

/// Returns whether this many bytes could be allocated now.
fn is_free(bytes: usize) -> bool {
    #[cfg(test)]
    if bytes > GIVES.get() {
        return false;
    }
    let mut spare: Vec<u8> = Vec::new();
    let given = spare.try_reserve_exact(bytes);
    // Keeps the optimiser from removing an unused allocation.
    std::hint::black_box(&spare);
    given.is_ok()
}

/// Counts what one peer makes this side allocate in small pieces. While memory is scarce, a peer that takes more is
/// refused before the last 4 MiB are used, which stay free for everything else.
#[derive(Debug, Default)]
pub struct Headroom {
    /// Bytes taken that are not in [`TAKEN`] yet.
    taken: usize,
}

impl Headroom {
    /// Counts bytes that were allocated or are about to be. Freed bytes are not subtracted.
    ///
    /// # Errors
    /// Returns [`ProtocolError::OutOfMemory`] if too little memory would be left.
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
    // `TAKEN` is not reset, so that every peer checks until there is plenty again.
    if is_free(taken.saturating_add(SPARE)) {
        return Ok(());
    }
    Err(ProtocolError::OutOfMemory { bytes: taken as u64 })
}

/// Copies bytes into memory of exactly their size.
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
