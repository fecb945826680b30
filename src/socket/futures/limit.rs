//! How long a future waits, and when it yields.

use std::cell::Cell;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant};

use crate::clock;
use crate::error::Result;
use crate::socket::alarms::Alarm;
use crate::socket::base::SocketBase;
use crate::socket::orders::Order;

/// How many polls may end ready on a thread before a future yields.
pub(crate) const READY_BEFORE_A_YIELD: u32 = 128;

thread_local! {
    /// How many polls on this thread have ended ready since a future yielded. Pending polls do not count, because a `select!` may
    /// poll a pending future each time that it polls a ready one.
    static READY: Cell<u32> = const { Cell::new(0) };
}

/// Begins a simulation on this thread: no future has been found ready yet.
#[cfg(simulate)]
pub(crate) fn begin_simulation() {
    READY.set(0);
}

/// Returns whether a future that is ready must yield now.
#[inline]
pub(crate) fn must_yield() -> bool {
    READY.get() >= READY_BEFORE_A_YIELD
}

/// Returns whether the future must yield now. If so, wakes the task, so that it is polled again. A future that is not ready does
/// not yield: in a `select!`, the count would begin again, and another future that is ready would go on.
pub(crate) fn yields(cx: &TaskContext<'_>, is_ready: impl FnOnce() -> bool) -> bool {
    if !must_yield() || !is_ready() {
        return false;
    }
    READY.set(0);
    cx.waker().wake_by_ref();
    true
}

/// Counts a poll that has ended ready.
#[inline]
pub(crate) fn counted<T>(poll: Poll<T>) -> Poll<T> {
    READY.set(READY.get().saturating_add(u32::from(poll.is_ready())));
    poll
}

/// How long a future waits. The end is known once the future has begun to wait.
#[derive(Debug, Default)]
pub(crate) struct Limit {
    /// The end of the wait; the inner `None` is never.
    deadline: Option<Option<Instant>>,
    /// How long the whole wait may last, if this is not a part of one.
    allowed: Option<Duration>,
    alarm: Option<Alarm>,
}

impl Limit {
    /// Returns a limit with the same end, for a future that is one step of this one.
    pub(super) fn part(&self) -> Limit {
        Limit { deadline: self.deadline, allowed: None, alarm: None }
    }

    /// Sets the end to `limit` from now, unless it is set already. Returns how long the wait may last; `None` is for ever, or as
    /// long as the wait that this is a part of.
    pub(crate) fn begin(&mut self, limit: impl FnOnce() -> Option<Duration>) -> Option<Duration> {
        if self.deadline.is_none() {
            self.allowed = limit();
            self.deadline = Some(self.allowed.and_then(|limit| clock::now().checked_add(limit)));
        }
        self.allowed
    }

    /// Returns whether the wait is over. If it is not, the I/O thread wakes the task at the end, if there is one.
    pub(crate) fn is_over(&mut self, base: &Arc<SocketBase>, cx: &TaskContext<'_>) -> Result<bool> {
        let Some(deadline) = self.deadline.flatten() else { return Ok(false) };
        if clock::now() >= deadline {
            return Ok(true);
        }
        // The task may have another waker than at its last poll.
        if !self.alarm.is_some_and(|alarm| base.alarms.renew(alarm, cx.waker())) {
            self.alarm = Some(set_alarm(base, deadline, cx.waker().clone())?);
        }
        Ok(false)
    }

    /// Clears the alarm.
    pub(crate) fn end(&mut self, base: &SocketBase) {
        if let Some(alarm) = self.alarm.take() {
            base.alarms.clear(alarm);
        }
    }
}

/// Asks the I/O thread to wake a task at the time `at`.
///
/// # Errors
/// Returns [`Error::NoIoThread`](crate::Error::NoIoThread) in a context without I/O threads, and the errors of their start.
fn set_alarm(base: &Arc<SocketBase>, at: Instant, waker: Waker) -> Result<Alarm> {
    let affinity = base.enter(|state| state.values.affinity);
    let reactor = base.reactor(affinity)?;
    let (alarm, earlier) = base.alarms.set(at, waker);
    if earlier {
        reactor.send(Order::Alarm(at, base.id, Arc::downgrade(&base.alarms)));
    }
    Ok(alarm)
}
