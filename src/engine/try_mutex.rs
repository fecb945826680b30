//! TryMutex by try-lock with an *again* flag: the rule by which nobody waits for an engine and nothing wanted is lost.
//!
//! Who wants something sets the flag, then tries the lock. The holder clears the flag before it works, and after
//! unlocking looks at it once more. So a want that came while the lock was held is seen by the holder, and a want that
//! came after the holder's last look finds the lock free.

#[cfg(loom)]
use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, Ordering, fence},
};
#[cfg(not(loom))]
use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, Ordering, fence},
};

use std::sync::{PoisonError, TryLockError};

/// A state that is entered by turns.
pub(crate) struct TryMutex<T> {
    state: Mutex<T>,
    again: AtomicBool,
}

/// How an attempt to enter came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entered {
    /// Whatever was wanted has been done.
    Done,
    /// Somebody else is inside and will do it.
    Busy,
    /// It is still wanted after the rounds allowed: somebody must enter again.
    Wanted,
}

impl<T> TryMutex<T> {
    pub(crate) fn new(state: T) -> TryMutex<T> {
        TryMutex { state: Mutex::new(state), again: AtomicBool::new(false) }
    }

    /// Works on the state, by up to `rounds` rounds while others want it too. What a round returns is handed to
    /// `after` without the lock.
    pub(crate) fn enter<R>(
        &self,
        rounds: usize,
        mut work: impl FnMut(&mut T) -> R,
        mut after: impl FnMut(R),
    ) -> Entered {
        self.again.store(true, Ordering::SeqCst);
        for _ in 0..rounds {
            // Between the flag and the lock on both sides: of two that miss each other's lock, one sees the flag.
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

    /// Returns the state itself, for its owner while nobody else knows it or when it is over.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, loom))]
mod tests {
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
