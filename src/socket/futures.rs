//! Sending and receiving as futures, on any executor: they use `std::future` alone. A task waits where threads wait
//! (`signal`), so threads and tasks may use one socket at once. Time-outs are kept by the socket's I/O thread (`alarms`).
//!
//! What holds for all of them:
//!
//! - a future does nothing before it is polled;
//! - dropping one never loses a message: a message is received in the poll that returns it, and sent in the poll that returns
//!   `Ok`. Its wake, if it has one that it did not use, goes to the next waiter;
//! - when the socket is closed, they end with [`Error::Closed`];
//! - a task that always finds something ready yields after [`READY_IN_A_ROW`] of them, so that others of its executor run;
//! - wakers are called without a lock.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant};

use zeroxide_patterns::{Pattern, Refusal, RoutingId};
use zeroxide_zmtp::Message;

use super::alarms::Alarm;
use super::base::SocketBase;
use super::orders::Order;
use super::transfer::Attempt;
use super::{Op, Socket};
use crate::clock;
use crate::error::{Error, RequestError, Result, SendError, Why};
use crate::signal::Place;

/// How many futures in a row a task finds ready before it yields once.
const READY_IN_A_ROW: u32 = 128;

thread_local! {
    /// Futures that this thread has found ready since one was pending.
    static READY: Cell<u32> = const { Cell::new(0) };
}

/// Returns whether the task is to yield now, and wakes it for the next poll.
fn yields(cx: &TaskContext<'_>) -> bool {
    if READY.get() < READY_IN_A_ROW {
        return false;
    }
    READY.set(0);
    cx.waker().wake_by_ref();
    true
}

/// Counts how a poll has ended.
fn counted<T>(poll: Poll<T>) -> Poll<T> {
    READY.set(if poll.is_ready() { READY.get().saturating_add(1) } else { 0 });
    poll
}

/// How long a future waits: known from its first poll on.
#[derive(Debug, Default)]
struct Limit {
    /// The end of the wait; the inner `None` is never.
    deadline: Option<Option<Instant>>,
    alarm: Option<Alarm>,
}

impl Limit {
    /// Sets the end, unless it is set.
    fn begin(&mut self, limit: impl FnOnce() -> Option<Duration>) -> Option<Instant> {
        *self.deadline.get_or_insert_with(|| limit().and_then(|limit| clock::now().checked_add(limit)))
    }

    /// Returns whether the wait is over. If it is not and has an end, the task is woken then.
    fn is_over(&mut self, base: &Arc<SocketBase>, cx: &TaskContext<'_>) -> Result<bool> {
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

    fn end(&mut self, base: &SocketBase) {
        if let Some(alarm) = self.alarm.take() {
            base.alarms.clear(alarm);
        }
    }
}

/// Lets the I/O thread wake a task at a moment.
///
/// # Errors
/// Returns [`Error::NoIoThread`] in a context without I/O threads, and the errors of their start.
fn set_alarm(base: &Arc<SocketBase>, at: Instant, waker: Waker) -> Result<Alarm> {
    let affinity = base.enter(|state| state.values.affinity);
    let reactor = base.reactor(affinity)?;
    let (alarm, earlier) = base.alarms.set(at, waker);
    if earlier {
        reactor.send(Order::Alarm(at, base.id, Arc::downgrade(&base.alarms)));
    }
    Ok(alarm)
}

/// The future of [`Socket::recv_async`].
///
/// # Cancel safety
/// Dropping it takes no message: one that came meanwhile is received by the next call.
#[must_use = "a future does nothing unless it is polled"]
pub struct Recv {
    base: Arc<SocketBase>,
    place: Place,
    limit: Limit,
}

impl Recv {
    pub(super) fn new(base: &Arc<SocketBase>) -> Recv {
        Recv { base: Arc::clone(base), place: Place::default(), limit: Limit::default() }
    }

    /// One that waits until `deadline`, whatever RCVTIMEO says.
    fn until(base: &Arc<SocketBase>, deadline: Option<Instant>) -> Recv {
        let mut recv = Recv::new(base);
        recv.limit.deadline = Some(deadline);
        recv
    }

    fn poll_message(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<Message>> {
        if yields(cx) {
            return Poll::Pending;
        }
        let Recv { base, place, limit } = self;
        if limit.deadline.is_none() {
            // The first poll. What is in the streams already need not wait for the I/O thread.
            base.context.check_process()?;
        }
        let look = || base.attempt_to_recv().map_err(|error| *error).transpose();
        let found = place.poll(&base.input, cx.waker(), look);
        if let Poll::Ready(message) = found {
            limit.end(base);
            return counted(Poll::Ready(message));
        }
        let mut allowed = None;
        limit.begin(|| {
            base.enter(|state| state.pipes.pull_input());
            allowed = base.enter(|state| state.values.rcvtimeo);
            allowed
        });
        if allowed == Some(Duration::ZERO) {
            place.leave(&base.input);
            return counted(Poll::Ready(Err(Error::WouldBlock(base.why_nothing_came(None)))));
        }
        match limit.is_over(base, cx) {
            Ok(false) => counted(Poll::Pending),
            Ok(true) => {
                place.leave(&base.input);
                Poll::Ready(Err(Error::TimedOut(base.why_nothing_came(None))))
            }
            Err(error) => Poll::Ready(Err(error)),
        }
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
        self.place.leave(&self.base.input);
        self.limit.end(&self.base);
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
        let no = || Error::NotSupported { socket, op: Op::Address };
        if !socket.addresses() {
            return Poll::Ready(Err(no()));
        }
        self.0.poll_message(cx).map(|received| {
            let mut message = received?;
            let id = message.pop_front().and_then(|frame| RoutingId::new(frame).ok());
            Ok((id.ok_or_else(no)?, message))
        })
    }
}

/// The future of [`Socket::send_async`] and [`Socket::send_to_async`].
///
/// # Cancel safety
/// The message is sent whole in the poll that returns `Ok`, or not at all. Dropping the future drops a message that is not
/// sent; [`Sending::cancel`] returns it.
#[must_use = "a future does nothing unless it is polled"]
pub struct Sending {
    base: Arc<SocketBase>,
    message: Option<Message>,
    /// An error that was known before the first poll.
    failed: Option<Error>,
    /// The message begins with a routing id that this future has put there.
    addressed: bool,
    place: Place,
    limit: Limit,
    /// When it began to wait, for `Socket::status`.
    since: Option<Instant>,
}

impl Sending {
    fn new(base: &Arc<SocketBase>, message: Message) -> Sending {
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

    /// Fails for want of time.
    fn refuse(&mut self, error: Error) -> Poll<Result<(), SendError>> {
        self.base.enter(|state| state.refused += 1);
        Poll::Ready(Err(self.fail(error)))
    }

    fn poll_sent(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), SendError>> {
        if yields(cx) {
            return Poll::Pending;
        }
        let early = self.failed.take().map_or_else(|| self.base.context.check_process(), Err);
        if let Err(error) = early {
            return Poll::Ready(Err(self.fail(error)));
        }
        let Sending { base, message, place, .. } = self;
        let mut refusal = Refusal::NoPeer;
        let attempt: Poll<Attempt<()>> =
            place.poll(&base.output, cx.waker(), || match base.attempt_to_send(message) {
                Ok(None) => Some(Ok(())),
                Ok(Some(why)) => {
                    refusal = why;
                    None
                }
                Err(error) => Some(Err(error)),
            });
        match attempt {
            Poll::Ready(Ok(())) => {
                self.stop();
                return counted(Poll::Ready(Ok(())));
            }
            Poll::Ready(Err(error)) => return counted(Poll::Ready(Err(self.fail(*error)))),
            Poll::Pending => {}
        }
        let mut allowed = None;
        let base = Arc::clone(&self.base);
        self.limit.begin(|| {
            allowed = base.enter(|state| state.values.sndtimeo);
            allowed
        });
        let why = |base: &SocketBase| base.why_not_sent(&refusal);
        if allowed == Some(Duration::ZERO) {
            return self.refuse(Error::WouldBlock(why(&base)));
        }
        match self.limit.is_over(&base, cx) {
            Ok(false) => {
                if self.since.is_none() {
                    let since = *self.since.insert(clock::now());
                    base.sending.enter(since);
                }
                counted(Poll::Pending)
            }
            Ok(true) => self.refuse(Error::TimedOut(why(&base))),
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

/// The future of [`Socket::request_async`].
///
/// # Cancel safety
/// When it is dropped, a request that is not written to a peer is taken back, and a reply that comes later is dropped and
/// counted. The socket can be used at once.
#[must_use = "a future does nothing unless it is polled"]
pub struct Request {
    base: Arc<SocketBase>,
    allowed: Duration,
    limit: Limit,
    stage: Stage,
}

/// How far a request is.
enum Stage {
    /// Waits for its turn among the requests of its socket.
    Turn(Place, Message),
    Sending(Sending),
    Receiving(Recv),
    Over,
}

impl Request {
    /// Begins with the send: it is this request's turn.
    fn send(&mut self, message: Message) {
        self.base.enter(|state| state.pattern.number_request(true));
        let mut sending = Sending::new(&self.base, message);
        sending.limit.deadline = Some(self.limit.deadline.flatten());
        self.stage = Stage::Sending(sending);
    }

    /// Gives the turn to the next request.
    fn end(&mut self) {
        self.limit.end(&self.base);
        self.base.exchange.give_back();
    }

    fn poll_reply(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<Message, RequestError>> {
        let allowed = self.allowed;
        self.limit.begin(|| Some(allowed));
        loop {
            let base = Arc::clone(&self.base);
            match &mut self.stage {
                Stage::Turn(place, message) => {
                    let turn = place.poll(base.exchange.free(), cx.waker(), || base.exchange.try_take());
                    let message = std::mem::take(message);
                    if turn.is_ready() {
                        self.send(message);
                        continue;
                    }
                    let error = match self.limit.is_over(&base, cx) {
                        Ok(false) => {
                            if let Stage::Turn(_, kept) = &mut self.stage {
                                *kept = message;
                            }
                            return Poll::Pending;
                        }
                        Ok(true) => Error::TimedOut(Why::AwaitingReply { after: Some(allowed) }),
                        Err(error) => error,
                    };
                    if let Stage::Turn(mut place, _) = std::mem::replace(&mut self.stage, Stage::Over) {
                        place.leave(base.exchange.free());
                    }
                    self.limit.end(&base);
                    return Poll::Ready(Err(RequestError { error, unsent: Some(message) }));
                }
                Stage::Sending(sending) => match sending.poll_sent(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(())) => {
                        let deadline = self.limit.deadline.flatten();
                        self.stage = Stage::Receiving(Recv::until(&base, deadline));
                    }
                    Poll::Ready(Err(unsent)) => {
                        base.enter(|state| state.pattern.number_request(false));
                        self.stage = Stage::Over;
                        self.end();
                        return Poll::Ready(Err(unsent.into()));
                    }
                },
                Stage::Receiving(recv) => {
                    let received = match recv.poll_message(cx) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(received) => received,
                    };
                    self.stage = Stage::Over;
                    let reply = received.map_err(|error| base.failed_exchange(error, allowed));
                    self.end();
                    return Poll::Ready(reply);
                }
                // Polled again after its end: it stays pending, as a future may.
                Stage::Over => return Poll::Pending,
            }
        }
    }
}

impl Future for Request {
    type Output = Result<Message, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        if !self.base.socket_type.expects_reply_envelope() {
            let error = Error::NotSupported { socket: self.base.socket_type, op: Op::Request };
            let stage = std::mem::replace(&mut self.stage, Stage::Over);
            let unsent = if let Stage::Turn(_, message) = stage { Some(message) } else { None };
            return Poll::Ready(Err(RequestError { error, unsent }));
        }
        self.poll_reply(cx)
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Turn(mut place, _) => {
                place.leave(self.base.exchange.free());
                self.limit.end(&self.base);
            }
            Stage::Sending(sending) => {
                drop(sending);
                self.base.enter(|state| state.pattern.number_request(false));
                self.end();
            }
            Stage::Receiving(recv) => {
                drop(recv);
                let abandoned = Error::WouldBlock(Why::AwaitingReply { after: None });
                drop(self.base.failed_exchange(abandoned, self.allowed));
                self.end();
            }
            Stage::Over => {}
        }
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

    /// Sends a request and waits for its reply as a task, at most for `limit` in all (REQ). Calls on one socket take turns, those
    /// of threads by [`Socket::request`] among them.
    ///
    /// # Errors
    /// Returns the errors of [`Socket::request`].
    pub fn request_async(&self, message: impl Into<Message>, limit: Duration) -> Request {
        Request {
            base: Arc::clone(self.base()),
            allowed: limit,
            limit: Limit::default(),
            stage: Stage::Turn(Place::default(), message.into()),
        }
    }
}

macro_rules! debug {
    ($($future:ident),+) => {
        $(impl fmt::Debug for $future {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($future)).finish_non_exhaustive()
            }
        })+
    };
}

debug!(Recv, RecvFrom, Sending, Request);
