//! Identifies the process, so that a fork child finds out that what it has inherited belongs to its parent. This makes no system
//! call.
//!
//! Only fork(3) counts. After vfork, posix_spawn or a bare system call a child must not use this library anyway.

use std::sync::atomic::{AtomicU32, Ordering};

/// The number of forks between the process that first called `count_forks` and this one, or a multiple of it.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// A process, to compare it with its parents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process(u32);

impl Process {
    /// Returns the calling process.
    #[inline]
    pub(crate) fn this() -> Process {
        Process(FORKS.load(Ordering::Relaxed))
    }
}

/// Begins to count forks. It must be called before anything is created that a child might inherit.
#[cfg(unix)]
pub(crate) fn count_forks() {
    static COUNTED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    // Counting twice does no harm. A lock could be inherited by a child while it is held.
    if !COUNTED.load(Ordering::Relaxed) {
        // SAFETY: the function does what a child of several threads may do.
        let failed = unsafe { libc::pthread_atfork(None, None, Some(forked)) };
        COUNTED.store(failed == 0, Ordering::Relaxed);
    }
}

/// Does nothing: there is no fork on this system.
#[cfg(not(unix))]
pub(crate) fn count_forks() {}

#[cfg(unix)]
extern "C" fn forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}
