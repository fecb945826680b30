//! Receiving as a task.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use zeroxide_patterns::RoutingId;
use zeroxide_zmtp::Message;

use super::limit::{Limit, counted, must_yield, yields};
use crate::error::{Error, Op, Result};
use crate::signal::Place;
use crate::socket::Socket;
use crate::socket::base::SocketBase;
use crate::socket::ready::{Ready, readiness};
use crate::stats::Counters;

/// The future of [`Socket::recv_async`].
///
/// # Cancel safety
/// Dropping it takes no message: one that came meanwhile is received by the next call.
#[must_use = "a future does nothing unless it is polled"]
pub struct Recv {
    base: Arc<SocketBase>,
    place: Place,
    limit: Limit,
    /// Whether it has been pending, and counts as a call that waited.
    waits: bool,
}

impl Recv {
    pub(super) fn new(base: &Arc<SocketBase>) -> Recv {
        Recv::within(base, Limit::default())
    }

    /// Creates a future that waits until the end of `limit`, whatever RCVTIMEO is.
    pub(super) fn within(base: &Arc<SocketBase>, limit: Limit) -> Recv {
        Recv { base: Arc::clone(base), place: Place::default(), limit, waits: false }
    }

    /// Looks for a message, and waits as a task if there is none.
    #[inline]
    pub(super) fn poll_message(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<Message>> {
        // The common case: a message is there, and the future has no place in the list of waiters to give up.
        if !self.waits && !must_yield() {
            let mut received = Message::new();
            match self.base.attempt_to_take(|state| state.try_recv(&mut received)) {
                Ok(None) => self.place.register(&self.base.input, cx.waker()),
                Ok(Some(())) => return counted(Poll::Ready(Ok(received))),
                Err(error) => return counted(Poll::Ready(Err(*error))),
            }
        }
        self.poll_in_place(cx)
    }

    /// Does the same as [`Recv::poll_message`] for a future that may have waited: with its place among the waiters, and
    /// RCVTIMEO.
    #[inline(never)]
    fn poll_in_place(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<Message>> {
        let is_ready = || readiness(&self.base, Ready::IN).is_ok_and(Ready::is_in);
        if yields(cx, is_ready) {
            return Poll::Pending;
        }
        let received = self.look_or_wait(cx);
        if received.is_ready() {
            self.stop();
        }
        counted(received)
    }

    fn look_or_wait(&mut self, cx: &TaskContext<'_>) -> Poll<Result<Message>> {
        let Recv { base, place, limit, waits } = self;
        let look = || base.attempt_to_recv().map_err(|error| *error).transpose();
        if let Poll::Ready(received) = place.poll(&base.input, cx.waker(), look) {
            return Poll::Ready(received);
        }
        base.context.check_process()?;
        if !std::mem::replace(waits, true) {
            Counters::add(&base.counters.waits, 1);
            base.give_streams_back();
            // Reads what is in the streams already, without the I/O thread.
            base.enter(|state| state.pipes.pull_input());
        }
        let allowed = limit.begin(|| base.enter(|state| state.values.rcvtimeo));
        if allowed == Some(Duration::ZERO) {
            return Poll::Ready(Err(Error::WouldBlock(base.why_nothing_came(None))));
        }
        if limit.is_over(base, cx)? {
            return Poll::Ready(Err(Error::TimedOut(base.why_nothing_came(allowed))));
        }
        Poll::Pending
    }

    /// Gives up its place and its alarm.
    fn stop(&mut self) {
        self.place.leave(&self.base.input);
        self.limit.end(&self.base);
    }
}

impl Future for Recv {
    type Output = Result<Message>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<Message>> {
        self.poll_message(cx)
    }
}

impl Drop for Recv {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The future of [`Socket::recv_from_async`].
///
/// # Cancel safety
/// As [`Recv`].
#[must_use = "a future does nothing unless it is polled"]
pub struct RecvFrom(Recv);

impl Future for RecvFrom {
    type Output = Result<(RoutingId, Message)>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let socket = self.0.base.socket_type;
        let unsupported = || Error::NotSupported { socket, op: Op::Address };
        if !socket.addresses() {
            return Poll::Ready(Err(unsupported()));
        }
        self.0.poll_message(cx).map(|received| {
            let mut message = received?;
            let id = message.pop_front().and_then(|frame| RoutingId::new(frame).ok());
            Ok((id.ok_or_else(unsupported)?, message))
        })
    }
}

impl Socket {
    /// Receives a message; waits for it as a task, at most for RCVTIMEO.
    ///
    /// It runs on any executor, and beside threads and other tasks that use the same socket. Dropping the future, as a
    /// time-out or a `select!` does, loses no message.
    ///
    /// ```
    /// # use zeroxide::{Context, SocketType};
    /// # let context = Context::new();
    /// # let (pull, push) = (context.socket(SocketType::Pull)?, context.socket(SocketType::Push)?);
    /// # push.connect(pull.bind("inproc://tasks")?)?;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// # runtime.block_on(async {
    /// push.send_async("hello").await?;
    /// assert_eq!(pull.recv_async().await?[0], "hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns the errors of [`Socket::recv`], and [`Error::NoIoThread`] for a time-out in a context without I/O threads.
    pub fn recv_async(&self) -> Recv {
        Recv::new(self.base())
    }

    /// Receives a message and the routing id of its sender (ROUTER, STREAM); waits for it as a task, at most for RCVTIMEO.
    ///
    /// # Errors
    /// Returns the errors of [`Socket::recv_from`] and [`Socket::recv_async`].
    pub fn recv_from_async(&self) -> RecvFrom {
        RecvFrom(Recv::new(self.base()))
    }
}

debug!(Recv, RecvFrom);
