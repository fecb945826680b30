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

/// How many futures a thread finds ready before one yields.
pub(crate) const READY_BEFORE_A_YIELD: u32 = 128;

thread_local! {
    /// Futures that this thread has found ready since one yielded. Those that are pending do not count: a `select!` may poll one of
    /// them each time.
    static READY: Cell<u32> = const { Cell::new(0) };
}

/// Begins a simulation on this thread: no future has been found ready yet.
#[cfg(simulate)]
pub(crate) fn begin_simulation() {
    READY.set(0);
}

/// Returns whether the task is to yield now, and wakes it for the next poll. A future that is not ready does not yield: a `select!`
/// would go on with one that is.
pub(crate) fn yields(cx: &TaskContext<'_>, is_ready: impl FnOnce() -> bool) -> bool {
    if READY.get() < READY_BEFORE_A_YIELD || !is_ready() {
        return false;
    }
    READY.set(0);
    cx.waker().wake_by_ref();
    true
}

/// Counts a poll that has ended ready.
pub(crate) fn counted<T>(poll: Poll<T>) -> Poll<T> {
    READY.set(READY.get().saturating_add(u32::from(poll.is_ready())));
    poll
}

/// How long a future waits: known from its first poll on.
#[derive(Debug, Default)]
pub(crate) struct Limit {
    /// The end of the wait; the inner `None` is never.
    deadline: Option<Option<Instant>>,
    alarm: Option<Alarm>,
}

impl Limit {
    /// Returns a limit with the same end, for a part of the same wait.
    pub(super) fn part(&self) -> Limit {
        Limit { deadline: self.deadline, alarm: None }
    }

    /// Sets the end, unless it is set.
    pub(crate) fn begin(&mut self, limit: impl FnOnce() -> Option<Duration>) -> Option<Instant> {
        *self.deadline.get_or_insert_with(|| limit().and_then(|limit| clock::now().checked_add(limit)))
    }

    /// Returns whether the wait is over. If it is not and has an end, the task is woken then.
    pub(crate) fn is_over(&mut self, base: &Arc<SocketBase>, cx: &TaskContext<'_>) -> Result<bool> {
        let Some(deadline) = self.deadline.flatten() else { return Ok(false) };
        if clock::now() >= deadline {
            return Ok(true);
        }
        // The waker may be another one than before.
        if !self.alarm.is_some_and(|alarm| base.alarms.renew(alarm, cx.waker())) {
            self.alarm = Some(set_alarm(base, deadline, cx.waker().clone())?);
        }
        Ok(false)
    }

    pub(crate) fn end(&mut self, base: &SocketBase) {
        if let Some(alarm) = self.alarm.take() {
            base.alarms.clear(alarm);
        }
    }
}

/// Lets the I/O thread wake a task at a moment.
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
