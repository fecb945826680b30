//! The byte budget of a socket: how much it may have received that the application has not taken.
//!
//! Each pipe that leads to a socket counts the bytes of its own messages (`pipe`), and the [`Budget`] counts those of
//! all of them. The writer of such a pipe stops at whichever limit comes first. Nothing is dropped: a connection
//! whose pipe has no room is not read.
//!
//! **No message is too large.** The writer may begin a message as soon as there is any room, so at most one message
//! for each pipe lies beyond a limit.
//!
//! **Nobody is kept out by others.** A writer whose pipe is empty may write one message although the sum is reached, so
//! every peer has a message in its turn. Only peers that are gone could add up so without end. So nobody may while what
//! they left reaches the limit by itself.
//!
//! **Waking**: the bytes fall when messages of any pipe are taken. Writers that were refused for the sum are told
//! together, once ([`Budget::owes_wake`]), when it has fallen to its half: nearer to the limit, the first of them would
//! take all the room. Those that were refused for what others had left are told as soon as that is below the limit.

use crate::sync::{Arc, AtomicBool, AtomicU64, Ordering};

/// What a socket has received and not taken, in bytes, and how much that may be. Clones are of the same budget.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Sum>);

#[derive(Debug)]
struct Sum {
    held: AtomicU64,
    /// `u64::MAX` for none.
    limit: AtomicU64,
    /// Of the bytes: those whose writer is gone.
    left: AtomicU64,
    /// A writer was refused for the sum since the last wake for that.
    refused: AtomicBool,
    /// A writer was refused for what others had left, likewise.
    shut_out: AtomicBool,
}

/// No limit.
impl Default for Budget {
    fn default() -> Budget {
        Budget::new(0)
    }
}

impl Budget {
    /// Creates a budget of `limit` bytes, 0 for no limit.
    #[must_use]
    pub fn new(limit: u64) -> Budget {
        Budget(Arc::new(Sum {
            held: AtomicU64::new(0),
            limit: AtomicU64::new(or_none(limit)),
            left: AtomicU64::new(0),
            refused: AtomicBool::new(false),
            shut_out: AtomicBool::new(false),
        }))
    }

    /// Sets another limit. Wake every writer afterwards.
    pub fn set_limit(&self, limit: u64) {
        self.0.limit.store(or_none(limit), Ordering::Release);
    }

    /// Returns the bytes that are received and not taken. A pipe counts what its reader has taken in batches.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.0.held.load(Ordering::SeqCst)
    }

    /// Returns whether writers that were refused for the sum, or for what others had left, must be woken now. It is `true`
    /// once for all of them.
    #[must_use]
    pub fn owes_wake(&self) -> bool {
        // Sequentially consistent, as in `refuse`: either this sees the refusal, or the writer sees what was released.
        let Sum { held, limit, left, refused, shut_out } = &*self.0;
        let limit = limit.load(Ordering::Relaxed);
        let owed = |refused: &AtomicBool, below: bool| {
            below && refused.load(Ordering::SeqCst) && refused.swap(false, Ordering::SeqCst)
        };
        let refused = owed(refused, held.load(Ordering::SeqCst) <= limit / 2);
        owed(shut_out, left.load(Ordering::SeqCst) < limit) || refused
    }

    /// Counts bytes that were flushed.
    pub(crate) fn add(&self, bytes: u64) {
        self.0.held.fetch_add(bytes, Ordering::SeqCst);
    }

    /// Counts bytes that were taken; of a writer that is gone, or not.
    pub(crate) fn release(&self, bytes: u64, gone: bool) {
        if gone {
            self.0.left.fetch_sub(bytes, Ordering::SeqCst);
        }
        self.0.held.fetch_sub(bytes, Ordering::SeqCst);
    }

    /// Notes that the writer of these bytes, which are counted already, is gone.
    pub(crate) fn leave(&self, bytes: u64) {
        self.0.left.fetch_add(bytes, Ordering::SeqCst);
    }

    /// Returns the number of bytes of its open batch at which the writer of a pipe must stop. `held` is what the pipe holds
    /// of the `most` bytes that it may.
    pub(crate) fn room(&self, most: u64, held: u64) -> u64 {
        let limit = self.0.limit.load(Ordering::Acquire);
        let room = most.saturating_sub(held).min(limit.saturating_sub(self.held()));
        if held == 0 && self.0.left.load(Ordering::SeqCst) < limit { room.max(1) } else { room }
    }

    /// Notes that a writer was refused, whose pipe is `empty` or not. It must look at its room once more.
    pub(crate) fn refuse(&self, empty: bool) {
        let flag = if empty { &self.0.shut_out } else { &self.0.refused };
        flag.store(true, Ordering::SeqCst);
    }
}

/// Returns a limit as it is compared: 0 is none.
pub(crate) fn or_none(limit: u64) -> u64 {
    if limit == 0 { u64::MAX } else { limit }
}

#[cfg(all(test, not(loom)))]
#[path = "budget_tests.rs"]
mod tests;
