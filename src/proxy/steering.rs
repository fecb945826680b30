//! What the handle and the thread of a proxy share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ProxyStats;
use crate::signal::{Signal, wait_until};

/// The orders to a proxy's thread, and its counts.
///
/// Each order has a number. The thread stores the number of the last order it has seen, before it forwards more messages.
#[derive(Default)]
pub(super) struct Steering {
    paused: AtomicBool,
    stopped: AtomicBool,
    asked: AtomicU64,
    seen: AtomicU64,
    ended: AtomicBool,
    /// Notified when there is an order.
    pub(super) orders: Signal,
    /// Notified when the thread has seen an order.
    answers: Signal,
    stats: Mutex<ProxyStats>,
}

impl Steering {
    /// Pauses or resumes, and waits until the thread has seen it.
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

    /// Returns the last counts.
    pub(super) fn stats(&self) -> ProxyStats {
        *self.lock()
    }

    /// Looks at the orders (thread). The thread must act on them before it forwards more messages.
    pub(super) fn look(&self) {
        let asked = self.asked.load(Ordering::SeqCst);
        if self.seen.swap(asked, Ordering::SeqCst) != asked {
            self.answers.notify_all();
        }
    }

    /// Pauses or resumes for a command of the control socket (thread).
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

    /// Notes that the thread ends, so that no thread waits for it any more.
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
