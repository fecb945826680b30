//! What the handle of a proxy and its thread share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ProxyStats;
use crate::signal::{Signal, wait_until};

/// Orders to a proxy's thread, and what it tells.
///
/// Each order has a number; the thread says which it has seen before it forwards anything more.
#[derive(Default)]
pub(super) struct Steering {
    paused: AtomicBool,
    stopped: AtomicBool,
    asked: AtomicU64,
    seen: AtomicU64,
    ended: AtomicBool,
    /// The thread waits for orders here.
    pub(super) orders: Signal,
    /// The handle waits here for its order to be seen.
    answers: Signal,
    stats: Mutex<ProxyStats>,
}

impl Steering {
    /// Pauses or resumes, and waits until the thread knows.
    pub(super) fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::SeqCst);
        let order = self.ask();
        let seen = || self.seen.load(Ordering::SeqCst) >= order || self.ended.load(Ordering::SeqCst);
        wait_until(&[&self.answers], None, || seen().then_some(()));
    }

    /// Ends the proxy.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.ask();
    }

    fn ask(&self) -> u64 {
        let order = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.orders.notify_all();
        order
    }

    /// Returns the counts that were told last.
    pub(super) fn stats(&self) -> ProxyStats {
        *self.lock()
    }

    /// For the thread: looks at its orders. Afterwards it must act on them before it forwards anything.
    pub(super) fn look(&self) {
        let asked = self.asked.load(Ordering::SeqCst);
        if self.seen.swap(asked, Ordering::SeqCst) != asked {
            self.answers.notify_all();
        }
    }

    /// For the thread: a command of the control socket.
    pub(super) fn command_pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::SeqCst);
    }

    pub(super) fn command_stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::SeqCst)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    pub(super) fn tell(&self, stats: ProxyStats) {
        *self.lock() = stats;
    }

    /// The thread ends; nobody may go on waiting for it.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.answers.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, ProxyStats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Steering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Steering").field("paused", &self.is_paused()).finish_non_exhaustive()
    }
}
