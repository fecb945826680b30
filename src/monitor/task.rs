//! Receiving events as a task.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use super::{Monitor, Queue};
use crate::error::Result;
use crate::events::Event;
use crate::signal::Place;

/// The future of [`Monitor::recv_async`].
///
/// # Cancel safety
/// Dropping it takes no event.
#[must_use = "a future does nothing unless it is polled"]
pub struct NextEvent {
    queue: Arc<Queue>,
    place: Place,
}

impl Future for NextEvent {
    type Output = Result<Event>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<Event>> {
        let NextEvent { queue, place } = &mut *self;
        place.poll(&queue.signal, cx.waker(), || queue.take())
    }
}

impl Drop for NextEvent {
    fn drop(&mut self) {
        self.place.leave(&self.queue.signal);
    }
}

impl fmt::Debug for NextEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NextEvent").finish_non_exhaustive()
    }
}

impl Monitor {
    /// Returns the next event; waits for it as a task.
    ///
    /// # Errors
    /// Returns [`Error::Closed`](crate::Error::Closed) after the last event of a closed socket.
    pub fn recv_async(&self) -> NextEvent {
        NextEvent { queue: Arc::clone(&self.0), place: Place::default() }
    }

    /// Returns the events as a stream, which ends after the last event of a closed socket. (A monitor is no stream itself:
    /// it is an iterator, and both would have a method `next`.)
    #[cfg(feature = "stream")]
    pub fn events(&self) -> Events {
        Events(self.recv_async())
    }
}

/// The stream of [`Monitor::events`].
#[cfg(feature = "stream")]
#[must_use = "a stream does nothing unless it is polled"]
#[derive(Debug)]
pub struct Events(NextEvent);

#[cfg(feature = "stream")]
impl futures_core::Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Event>> {
        Pin::new(&mut self.0).poll(cx).map(Result::ok)
    }
}
