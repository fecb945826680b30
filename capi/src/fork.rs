//! Which process this is: a child of fork is to find out that what it inherits is its parent's, without a call of the
//! system each time.
//!
//! Only fork(3) counts. After vfork, posix_spawn or a bare system call a child may not use this library anyway.

use std::sync::atomic::{AtomicU32, Ordering};

/// The forks between the process that first asked and this one, or a multiple of them.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// A process, as far as it and its parents are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process(u32);

impl Process {
    /// This one.
    #[inline]
    pub(crate) fn this() -> Process {
        Process(FORKS.load(Ordering::Relaxed))
    }
}

/// From now on forks are counted. To be called before anything is made that a child might inherit.
#[cfg(unix)]
pub(crate) fn count_forks() {
    static COUNTED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    // Twice does no harm, and a lock would be one that a child can inherit.
    if !COUNTED.load(Ordering::Relaxed) {
        // SAFETY: the function does what a child of several threads may do.
        let failed = unsafe { libc::pthread_atfork(None, None, Some(forked)) };
        COUNTED.store(failed == 0, Ordering::Relaxed);
    }
}

/// There is no fork here.
#[cfg(not(unix))]
pub(crate) fn count_forks() {}

#[cfg(unix)]
extern "C" fn forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}
