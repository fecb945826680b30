//! The heap that a session takes: it has a bound, and nothing of it is left at the end.

use std::alloc::System;
use std::sync::atomic::{AtomicBool, Ordering};

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::fault::{Checked, Fault};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Other threads play, too, so that what this one takes is not known.
static SHARED: AtomicBool = AtomicBool::new(false);

/// The most bytes that a session takes. Four sockets hold at most 7,000 messages of 70,000 bytes in theory; most sessions
/// take less than one MiB.
const MOST: usize = 64 << 20;

/// The bytes that were taken when a session began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heap(usize);

/// From now on nothing is known of one session.
pub(crate) fn share() {
    SHARED.store(true, Ordering::Relaxed);
}

/// The bytes that are taken now.
fn live() -> usize {
    let stats = HEAP.stats();
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated)
}

impl Heap {
    pub(crate) fn now() -> Heap {
        Heap(live())
    }

    /// The bytes that are taken more than then.
    fn grown(self) -> usize {
        if SHARED.load(Ordering::Relaxed) { 0 } else { live().saturating_sub(self.0) }
    }

    /// # Errors
    /// Returns a fault if the session takes too much.
    pub(crate) fn check(self) -> Checked {
        is_within(self.grown(), MOST).map_err(|text| Fault::new("memory has a bound", text))
    }

    /// # Errors
    /// Returns a fault if anything but `kept` bytes is left.
    pub(crate) fn check_end(self, kept: usize) -> Checked {
        is_within(self.grown(), kept).map_err(|text| Fault::new("nothing is left of a session", text))
    }
}

fn is_within(taken: usize, most: usize) -> Result<(), String> {
    if taken > most { Err(format!("{taken} bytes, at most {most}")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_seen() {
        // Other tests allocate meanwhile, much less than this.
        let before = live();
        let left = vec![1_u8; 256 << 20];
        assert!(is_within(live() - before, MOST).is_err());
        assert!(is_within(live() - before, 512 << 20).is_ok());
        drop(left);
        assert!(is_within(live().saturating_sub(before), MOST).is_ok());
    }
}
