//! What happens to a socket's endpoints and connections, as events (libzmq `zmq_socket_monitor`).
//!
//! A monitor never makes an I/O thread wait. It keeps at most 4096 events. When it is full, a new event replaces the oldest
//! one, and [`Monitor::missed`] counts that. [`Socket::peers`](crate::Socket::peers) returns the peers that are connected now,
//! and misses none.

pub(crate) mod task;

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::clock;
use crate::error::{Error, Result, Why};
use crate::events::{Event, EventKind};
use crate::history::History;
use crate::signal::{Signal, after, wait_until};

/// How many events a monitor keeps for its reader. Older ones are dropped, and counted as missed.
pub(crate) const CAPACITY: usize = 4096;

/// Receives the events of one socket. [`Socket::monitor`](crate::Socket::monitor) creates it. Each monitor of a socket receives
/// all events.
pub struct Monitor(Arc<Queue>);

#[derive(Default)]
struct Queue {
    events: Mutex<VecDeque<Event>>,
    missed: AtomicU64,
    closed: AtomicBool,
    signal: Signal,
}

impl Monitor {
    /// Returns the next event; waits for it.
    ///
    /// # Errors
    /// Returns [`Error::Closed`] after the last event of a closed socket.
    pub fn recv(&self) -> Result<Event> {
        self.wait(None)
    }

    /// Returns the next event, waiting at most for `limit`.
    ///
    /// # Errors
    /// Returns [`Error::TimedOut`]; [`Error::Closed`] after the last event of a closed socket.
    pub fn recv_timeout(&self, limit: Duration) -> Result<Event> {
        self.wait(Some(limit))
    }

    /// Returns the next event, if there is one.
    ///
    /// # Errors
    /// Returns [`Error::WouldBlock`]; [`Error::Closed`] after the last event of a closed socket.
    pub fn try_recv(&self) -> Result<Event> {
        self.0.take().unwrap_or(Err(Error::WouldBlock(Why::NoEvent)))
    }

    /// Returns how many events were dropped because the monitor was full.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.0.missed.load(Ordering::SeqCst)
    }

    /// Ends this monitor. It still returns the events that it has.
    #[cfg(feature = "face")]
    pub(crate) fn end(&self) {
        self.0.closed.store(true, Ordering::SeqCst);
        self.0.wake(true);
    }

    fn wait(&self, limit: Option<Duration>) -> Result<Event> {
        let deadline = limit.and_then(after);
        wait_until(&[&self.0.signal], deadline, || self.0.take())
            .unwrap_or(Err(Error::TimedOut(Why::NoEvent)))
    }
}

/// Returns each event, and waits for it. Ends after the last event of a closed socket.
impl Iterator for Monitor {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.recv().ok()
    }
}

impl Iterator for &Monitor {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.recv().ok()
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor")
            .field("waiting", &self.0.events().len())
            .field("missed", &self.missed())
            .finish()
    }
}

impl Queue {
    fn events(&self) -> MutexGuard<'_, VecDeque<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the next event, or [`Error::Closed`] if no more events come. Returns `None` if there is none yet.
    fn take(&self) -> Option<Result<Event>> {
        let closed = self.closed.load(Ordering::SeqCst);
        match self.events().pop_front() {
            Some(event) => Some(Ok(event)),
            None => closed.then_some(Err(Error::Closed)),
        }
    }

    fn push(&self, event: Event) {
        let closing = matches!(event.kind, EventKind::Closed);
        let mut events = self.events();
        if events.len() >= CAPACITY {
            events.pop_front();
            self.missed.fetch_add(1, Ordering::SeqCst);
        }
        events.push_back(event);
        drop(events);
        self.closed.fetch_or(closing, Ordering::SeqCst);
    }

    /// Wakes one waiter for the pushed event, or all waiters if no more events come (`closing`). A waker is code of
    /// the application, so it must not run under the lock of `events`.
    fn wake(&self, closing: bool) {
        if closing {
            self.signal.notify_all();
        } else {
            self.signal.notify_one();
        }
    }
}

/// The monitors of a socket.
#[derive(Default)]
pub(crate) struct Monitors {
    queues: Mutex<Vec<Weak<Queue>>>,
    seq: AtomicU64,
    any: AtomicBool,
    pub(crate) history: History,
    /// The socket is closed; changes under the lock of `queues`.
    closed: AtomicBool,
}

impl Monitors {
    /// Adds a monitor, which receives the events from now on. On a closed socket it receives none.
    pub(crate) fn add(&self) -> Monitor {
        let queue = Arc::new(Queue::default());
        let mut queues = self.queues();
        queue.closed.store(self.closed.load(Ordering::SeqCst), Ordering::SeqCst);
        queues.push(Arc::downgrade(&queue));
        drop(queues);
        self.any.store(true, Ordering::SeqCst);
        Monitor(queue)
    }

    /// Sends an event without a descriptor to every monitor.
    pub(crate) fn emit(&self, connection: u64, local: &str, remote: &str, kind: EventKind) {
        self.emit_at(connection, None, local, remote, kind);
    }

    /// Sends an event to every monitor, and notes it in the history. Without a monitor, most events cost no lock.
    pub(crate) fn emit_at(
        &self,
        connection: u64,
        descriptor: Option<i64>,
        local: &str,
        remote: &str,
        kind: EventKind,
    ) {
        self.history.note(remote, &kind);
        #[cfg(feature = "tracing")]
        tracing::debug!(target: "zeroxide", connection, local, remote, "{kind}");
        let last = matches!(kind, EventKind::Closed);
        if !self.any.load(Ordering::SeqCst) && !last {
            return;
        }
        let (local, remote) = (local.to_owned(), remote.to_owned());
        let mut receivers = Vec::new();
        let mut queues = self.queues();
        // Nothing follows the last event.
        if self.closed.fetch_or(last, Ordering::SeqCst) {
            return;
        }
        // Under the lock, so that the numbers are in the order of the events.
        let seq = self.seq.fetch_add(1, Ordering::SeqCst);
        let event = Event { seq, at: clock::now(), connection, local, remote, descriptor, kind };
        queues.retain(|queue| match queue.upgrade() {
            Some(queue) => {
                queue.push(event.clone());
                receivers.push(queue);
                true
            }
            None => false,
        });
        drop(queues);
        receivers.iter().for_each(|queue| queue.wake(last));
    }

    fn queues(&self) -> MutexGuard<'_, Vec<Weak<Queue>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
