//! Requests as a task.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use zeroxide_patterns::Pattern;
use zeroxide_zmtp::Message;

use super::limit::Limit;
use super::receive::Recv;
use super::send::Sending;
use crate::error::{Error, Op, RequestError, Result, Why};
use crate::signal::Place;
use crate::socket::Socket;
use crate::socket::base::SocketBase;

/// The future of [`Socket::request_async`].
///
/// # Cancel safety
/// Dropping it takes the request back if it is not written to a peer. Otherwise its reply, when it comes, is dropped and counted.
/// The socket can send another request at once.
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
    /// Begins to send the message. It is this request's turn now.
    fn send(&mut self, message: Message) {
        self.base.enter(|state| state.pattern.number_request(true));
        let mut sending = Sending::new(&self.base, message);
        sending.limit = self.limit.part();
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
                    // On a closed socket a request does not wait for its turn: its send fails at once.
                    let look =
                        || if base.gone.load(Ordering::SeqCst) { Some(()) } else { base.exchange.try_take() };
                    let turn = place.poll(base.exchange.free(), cx.waker(), look);
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
                        self.stage = Stage::Receiving(Recv::within(&base, self.limit.part()));
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
                // It was polled again after its end, where a future may do anything. It stays pending.
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
    /// Sends a request and waits for its reply as a task, at most for `limit` in all (REQ). The requests on one socket take turns,
    /// also with those of threads in [`Socket::request`]. A request keeps its turn until its future ends or is dropped. So do not
    /// stop polling the future without dropping it.
    ///
    /// # Errors
    /// Returns the errors of [`Socket::request`], and [`Error::NoIoThread`] if it has to wait in a context without I/O threads.
    pub fn request_async(&self, message: impl Into<Message>, limit: Duration) -> Request {
        Request {
            base: Arc::clone(self.base()),
            allowed: limit,
            limit: Limit::default(),
            stage: Stage::Turn(Place::default(), message.into()),
        }
    }
}

debug!(Request);
