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
        self.enter(start);
        Wait(self, start)
    }

    /// Counts a task that waits since `start`, until [`Waits::end`].
    pub(super) fn enter(&self, start: Instant) {
        self.list().push(start);
    }

    /// Counts a task that has begun to wait at `start` no longer.
    pub(super) fn end(&self, start: Instant) {
        let mut list = self.list();
        if let Some(at) = list.iter().position(|other| *other == start) {
            list.swap_remove(at);
        }
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
        self.0.end(self.1);
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
    /// Takes the turn if it is free; [`Exchange::give_back`] is to follow.
    pub(super) fn try_take(&self) -> Option<()> {
        (!self.taken.swap(true, Ordering::SeqCst)).then_some(())
    }

    /// Gives the turn to the next call.
    pub(super) fn give_back(&self) {
        self.taken.store(false, Ordering::SeqCst);
        self.free.notify_one();
    }

    /// Where tasks wait for their turn.
    pub(super) fn free(&self) -> &Signal {
        &self.free
    }

    pub(super) fn take(&self, deadline: Option<Instant>) -> Option<MyTurn<'_>> {
        wait_until(&[&self.free], deadline, || self.try_take()).map(|()| MyTurn(self))
    }
}

impl Drop for MyTurn<'_> {
    fn drop(&mut self) {
        self.0.give_back();
    }
}
