//! Sending as a task.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use zeroxide_patterns::{Refusal, RoutingId};
use zeroxide_zmtp::Message;

use super::limit::{Limit, counted, yields};
use crate::clock;
use crate::error::{Error, Op, Result, SendError};
use crate::signal::Place;
use crate::socket::Socket;
use crate::socket::base::SocketBase;
use crate::socket::ready::{Ready, readiness};
use crate::socket::transfer::sent_or_refused;
use crate::stats::Counters;

/// The future of [`Socket::send_async`] and [`Socket::send_to_async`].
///
/// # Cancel safety
/// The poll that returns `Ok` sends the whole message; before that, nothing is sent. Dropping the future before that drops the
/// message. [`Sending::cancel`] returns it instead.
#[must_use = "a future does nothing unless it is polled"]
pub struct Sending {
    base: Arc<SocketBase>,
    message: Option<Message>,
    /// An error that was known before the first poll.
    failed: Option<Error>,
    /// The message begins with a routing id that this future has put there.
    addressed: bool,
    place: Place,
    pub(super) limit: Limit,
    /// When it began to wait, for `Socket::status`.
    since: Option<Instant>,
}

impl Sending {
    pub(super) fn new(base: &Arc<SocketBase>, message: Message) -> Sending {
        Sending {
            base: Arc::clone(base),
            message: Some(message),
            failed: None,
            addressed: false,
            place: Place::default(),
            limit: Limit::default(),
            since: None,
        }
    }

    /// Gives up, and returns the message if it is not sent.
    #[must_use = "the message is not sent"]
    pub fn cancel(mut self) -> Option<Message> {
        self.take_message()
    }

    fn take_message(&mut self) -> Option<Message> {
        let mut message = self.message.take()?;
        if std::mem::take(&mut self.addressed) {
            message.pop_front();
        }
        Some(message)
    }

    /// Gives up its place and its alarm, and waits no longer in `Socket::status`.
    fn stop(&mut self) {
        self.place.leave(&self.base.output);
        self.limit.end(&self.base);
        if let Some(since) = self.since.take() {
            self.base.sending.end(since);
        }
    }

    fn fail(&mut self, error: Error) -> SendError {
        self.stop();
        SendError { error, message: self.take_message().unwrap_or_default() }
    }

    /// Fails because there is no room in time, and counts that as refused.
    fn refuse(&mut self, error: Error) -> Poll<Result<(), SendError>> {
        self.base.enter(|state| state.refused += 1);
        Poll::Ready(Err(self.fail(error)))
    }

    /// Makes one attempt to send, without waiting.
    #[cfg(feature = "stream")]
    pub(super) fn send_now(&mut self) -> Result<()> {
        match self.base.attempt_to_send(&mut self.message) {
            Ok(None) => Ok(()),
            Ok(Some(refusal)) => Err(Error::WouldBlock(self.base.why_not_sent(&refusal))),
            Err(error) => Err(*error),
        }
    }

    pub(super) fn poll_sent(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), SendError>> {
        let is_ready = || readiness(&self.base, Ready::OUT).is_ok_and(Ready::is_out);
        // After its end a future may do anything when it is polled. This one stays pending.
        if self.message.is_none() || yields(cx, is_ready) {
            return Poll::Pending;
        }
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Err(self.fail(error)));
        }
        let Sending { base, message, place, .. } = self;
        let mut refusal = Refusal::NoPeer;
        let look = || sent_or_refused(base.attempt_to_send(message), &mut refusal);
        match place.poll(&base.output, cx.waker(), look) {
            Poll::Ready(Ok(())) => {
                self.stop();
                counted(Poll::Ready(Ok(())))
            }
            Poll::Ready(Err(error)) => counted(Poll::Ready(Err(self.fail(error)))),
            Poll::Pending => self.wait(&refusal, cx),
        }
    }

    /// There is no room yet. Returns pending, or fails if the time is over.
    fn wait(&mut self, refusal: &Refusal, cx: &TaskContext<'_>) -> Poll<Result<(), SendError>> {
        let base = Arc::clone(&self.base);
        if let Err(error) = base.context.check_process() {
            return Poll::Ready(Err(self.fail(error)));
        }
        if self.since.is_none() {
            Counters::add(&base.counters.waits, 1);
            let since = *self.since.insert(clock::now());
            base.sending.enter(since);
        }
        let allowed = self.limit.begin(|| base.enter(|state| state.values.sndtimeo));
        if allowed == Some(Duration::ZERO) {
            return self.refuse(Error::WouldBlock(base.why_not_sent(refusal)));
        }
        match self.limit.is_over(&base, cx) {
            Ok(false) => Poll::Pending,
            Ok(true) => self.refuse(Error::TimedOut(base.why_not_sent(refusal))),
            Err(error) => Poll::Ready(Err(self.fail(error))),
        }
    }
}

impl Future for Sending {
    type Output = Result<(), SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        self.poll_sent(cx)
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Socket {
    /// Sends a message; waits for room as a task, at most for SNDTIMEO.
    ///
    /// # Errors
    /// Returns the errors of [`Socket::send`], with the message itself, and [`Error::NoIoThread`] for a time-out in a context
    /// without I/O threads.
    pub fn send_async(&self, message: impl Into<Message>) -> Sending {
        Sending::new(self.base(), message.into())
    }

    /// Sends a message to the peer with this routing id (ROUTER, STREAM); waits for room as a task, at most for SNDTIMEO.
    ///
    /// # Errors
    /// Returns the errors of [`Socket::send_to`] and [`Socket::send_async`].
    pub fn send_to_async(&self, to: &RoutingId, message: impl Into<Message>) -> Sending {
        let mut sending = Sending::new(self.base(), message.into());
        if self.socket_type().addresses() {
            sending.message.iter_mut().for_each(|message| message.push_front(to.to_frame()));
            sending.addressed = true;
        } else {
            sending.failed = Some(self.no(Op::Address));
        }
        sending
    }
}

debug!(Sending);
