//! What both ends of one direction of a pipe share.

use zeroxide_zmtp::Traffic;
use zeroxide_zmtp::queue::TrafficQueue;

use super::counts::Came;
use super::flow::{self, Flow};
use crate::budget::Budget;
use crate::sync::{AtomicBool, AtomicU64, Mutex, MutexGuard, Ordering, fence};

/// A batch of more bytes than this is released in parts of this size, so its reader weighs each item. A smaller one is released
/// as a whole. With the default high-water mark no batch of small messages is larger.
pub(super) const HEAVY: u64 = 1 << 20;

/// What both ends share. Only the swap lock is used for each message, and its cache line contains nothing else: reading
/// a line that another processor writes is slow.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Queue {
    pub(super) swap: Mutex<Swap>,
    pub(super) apart: Apart,
    pub(super) conflate: bool,
    /// The current high-water mark; `u64::MAX` for none.
    pub(super) limit: AtomicU64,
    /// Acknowledged messages are those written and those lost. Both counters only grow. So a thread that loads the two during
    /// a change never counts a message twice, and never sees the sum fall.
    pub(super) written: AtomicU64,
    pub(super) lost: AtomicU64,
    /// The writer has reached the high-water mark and waits for an acknowledgement.
    pub(super) starved: AtomicBool,
    pub(super) reader_gone: AtomicBool,
    /// The budget in which the bytes of this direction count, if there is one.
    pub(super) budget: Option<Budget>,
}

/// A field of this type begins a new cache line.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Apart;

/// What writer and reader exchange under the swap lock.
#[derive(Debug, Default)]
pub(super) struct Swap {
    pub(super) items: TrafficQueue,
    /// The reader has found nothing and waits for a flush.
    pub(super) drained: bool,
    /// The writer writes no more.
    pub(super) finished: bool,
    /// Bytes that are flushed and not released. Only with a budget.
    pub(super) held: u64,
    /// The number of held bytes at which the writer stops; `u64::MAX` for none.
    pub(super) most: u64,
    /// The writer has found no room in bytes, and waits for a release.
    pub(super) hungry: bool,
    /// The connections that the reader has lost, and whose subscriptions the writer has not dropped yet. While there are any,
    /// every subscription is for one of those.
    pub(super) lost: u32,
    /// Those of these subscriptions that the reader has found.
    pub(super) stale: Vec<Traffic>,
    /// What has come through [`Writer::flush`], counted for each batch.
    pub(super) came: Came,
}

impl Queue {
    pub(super) fn new(flow: Flow) -> Queue {
        Queue {
            swap: Mutex::new(Swap { items: queue_of(flow), ..Swap::default() }),
            apart: Apart,
            conflate: flow.conflate,
            limit: AtomicU64::new(flow::limit(flow.hwm, flow.conflate)),
            written: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            starved: AtomicBool::new(false),
            reader_gone: AtomicBool::new(false),
            budget: None,
        }
    }

    /// Counts bytes that the reader is done with. Returns `true` if the writer must be woken.
    pub(super) fn release(&self, swap: &mut Swap, bytes: u64) -> bool {
        let Some(budget) = self.budget.as_ref().filter(|_| bytes > 0) else { return false };
        swap.held -= bytes;
        budget.release(bytes, swap.finished);
        std::mem::take(&mut swap.hungry)
    }

    pub(super) fn swap(&self) -> MutexGuard<'_, Swap> {
        // No panic can happen while a Swap is inconsistent, so the content of a poisoned lock is valid.
        self.swap.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Sets another high-water mark. Returns `true` if the writer must be woken to check it.
    pub(super) fn set_hwm(&self, hwm: u32) -> bool {
        self.limit.store(flow::limit(hwm, self.conflate), Ordering::Release);
        self.is_starved()
    }

    pub(super) fn low_water(&self) -> u64 {
        low_water(self.limit.load(Ordering::Relaxed))
    }

    /// Returns the number of messages that no longer count against the high-water mark.
    pub(super) fn acked(&self) -> u64 {
        self.written.load(Ordering::Acquire) + self.lost.load(Ordering::Acquire)
    }

    /// Returns whether the writer waits for credit and must be woken: once for each wait. Call it after a store that gives credit.
    pub(super) fn is_starved(&self) -> bool {
        fence(Ordering::SeqCst);
        self.starved.load(Ordering::Relaxed) && self.starved.swap(false, Ordering::Relaxed)
    }
}

/// Releases the bytes of items that nobody took.
impl Drop for Queue {
    fn drop(&mut self) {
        let mut swap = self.swap();
        let held = swap.held;
        self.release(&mut swap, held);
    }
}

/// Returns the number of messages in a lot of credit.
pub(super) fn low_water(limit: u64) -> u64 {
    // Without a high-water mark no writer waits for credit, but the counters must be updated now and then.
    if limit == u64::MAX { 256 } else { limit.div_ceil(2) }
}

pub(super) fn queue_of(flow: Flow) -> TrafficQueue {
    if flow.packs { TrafficQueue::packed() } else { TrafficQueue::new() }
}
