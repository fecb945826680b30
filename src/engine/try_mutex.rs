//! A lock that is entered by try-lock, with an *again* flag: no thread waits for it, and no request for work is lost.
//!
//! A thread that wants work done sets the flag and then tries the lock. The holder clears the flag before it works, and looks at
//! it once more after it has unlocked. So the holder sees a request that came while the lock was held, and a request that comes
//! after the holder's last look finds the lock free.

use std::sync::{PoisonError, TryLockError};

use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering, fence};

/// A state that one thread at a time works on.
pub(crate) struct TryMutex<T> {
    state: Mutex<T>,
    again: AtomicBool,
}

/// The result of an attempt to enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entered {
    /// All work is done.
    Done,
    /// Another thread has the lock and will do it.
    Busy,
    /// There is still work after the allowed rounds: a thread must enter again.
    Wanted,
}

impl<T> TryMutex<T> {
    pub(crate) fn new(state: T) -> TryMutex<T> {
        TryMutex { state: Mutex::new(state), again: AtomicBool::new(false) }
    }

    /// Works on the state, in up to `rounds` rounds while other threads want work done, too. The result of each round is passed to
    /// `after`, without the lock.
    pub(crate) fn enter<R>(
        &self,
        rounds: usize,
        mut work: impl FnMut(&mut T) -> R,
        mut after: impl FnMut(R),
    ) -> Entered {
        self.again.store(true, Ordering::SeqCst);
        for _ in 0..rounds {
            // Between flag and lock on both sides: if the try-lock fails, the holder sees the flag.
            fence(Ordering::SeqCst);
            let mut state = match self.state.try_lock() {
                Ok(state) => state,
                // A panic inside is a bug in this crate; the state stays as usable as the panic left it.
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return Entered::Busy,
            };
            self.again.store(false, Ordering::SeqCst);
            let result = work(&mut state);
            drop(state);
            after(result);
            fence(Ordering::SeqCst);
            if !self.again.load(Ordering::SeqCst) {
                return Entered::Done;
            }
        }
        Entered::Wanted
    }

    /// Locks the state, for its owner while no other thread knows it, or when the engine is over.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, loom))]
mod models {
    use loom::sync::Arc;
    use loom::sync::atomic::AtomicUsize;
    use loom::thread;

    use super::*;

    /// Two threads each want one piece of work done, as two edges of one engine: whoever enters does all there is.
    #[test]
    fn whatever_is_wanted_is_done_by_somebody() {
        loom::model(|| {
            let wants = Arc::new(AtomicUsize::new(0));
            let entry = Arc::new(TryMutex::new(0));
            let want = |entry: &TryMutex<usize>, wants: &AtomicUsize| {
                wants.fetch_add(1, Ordering::SeqCst);
                entry.enter(usize::MAX, |done| *done += wants.swap(0, Ordering::SeqCst), |()| ())
            };
            let other = {
                let (entry, wants) = (Arc::clone(&entry), Arc::clone(&wants));
                thread::spawn(move || want(&entry, &wants))
            };
            want(&entry, &wants);
            other.join().unwrap();
            assert_eq!(*entry.lock(), 2, "a want was lost");
        });
    }

    /// With few rounds the want is handed on, never dropped.
    #[test]
    fn a_want_beyond_the_rounds_is_handed_on() {
        loom::model(|| {
            let wants = Arc::new(AtomicUsize::new(0));
            let entry = Arc::new(TryMutex::new(0));
            let want = |entry: &TryMutex<usize>, wants: &AtomicUsize| {
                wants.fetch_add(1, Ordering::SeqCst);
                entry.enter(1, |done| *done += wants.swap(0, Ordering::SeqCst), |()| ())
            };
            let other = {
                let (entry, wants) = (Arc::clone(&entry), Arc::clone(&wants));
                thread::spawn(move || want(&entry, &wants))
            };
            let mine = want(&entry, &wants);
            let theirs = other.join().unwrap();
            let done = *entry.lock();
            assert!(done == 2 || mine == Entered::Wanted || theirs == Entered::Wanted);
        });
    }
}
