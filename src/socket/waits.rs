//! Calls that wait: in `send` for room, and in `request` for their turn.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::signal::{Signal, wait_until};

/// The calls that wait in `send`, with the time at which each began. `Socket::status` shows them.
#[derive(Default)]
pub(crate) struct Waits(Mutex<Vec<Instant>>);

/// One call that waits.
pub(crate) struct Wait<'a>(&'a Waits, Instant);

impl Waits {
    pub(crate) fn begin(&self, start: Instant) -> Wait<'_> {
        self.list().push(start);
        Wait(self, start)
    }

    /// Returns how many calls wait, and since when the first one waits.
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

/// Lets the calls of `request` on one REQ take turns.
#[derive(Default)]
pub(crate) struct Exchange {
    taken: AtomicBool,
    free: Signal,
}

/// The turn of one call, until it is dropped.
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
