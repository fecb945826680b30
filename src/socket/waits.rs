//! Calls that wait: those in `send`, and those of `request` that wait for their turn.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::signal::{Signal, wait_until};

/// Calls that wait, each with its beginning, for those who ask why nothing happens.
#[derive(Default)]
pub(crate) struct Waits(Mutex<Vec<Instant>>);

/// One call that waits.
pub(crate) struct Wait<'a>(&'a Waits, Instant);

impl Waits {
    pub(crate) fn begin(&self, start: Instant) -> Wait<'_> {
        self.list().push(start);
        Wait(self, start)
    }

    /// Returns how many wait, and since when the first of them.
    pub(crate) fn look(&self) -> (usize, Option<Instant>) {
        let list = self.list();
        (list.len(), list.iter().min().copied())
    }

    fn list(&self) -> MutexGuard<'_, Vec<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut list = self.0.list();
        if let Some(at) = list.iter().position(|start| *start == self.1) {
            list.swap_remove(at);
        }
    }
}

/// Whose turn it is to ask: exchanges of one REQ follow one another.
#[derive(Default)]
pub(crate) struct Exchange {
    taken: AtomicBool,
    free: Signal,
}

/// The right to ask, until it is dropped.
pub(super) struct MyTurn<'a>(&'a Exchange);

impl Exchange {
    pub(super) fn take(&self, deadline: Option<Instant>) -> Option<MyTurn<'_>> {
        let free = || (!self.taken.swap(true, Ordering::SeqCst)).then_some(());
        wait_until(&[&self.free], deadline, free).map(|()| MyTurn(self))
    }
}

impl Drop for MyTurn<'_> {
    fn drop(&mut self) {
        self.0.taken.store(false, Ordering::SeqCst);
        self.0.free.notify_one();
    }
}
