//! `Socket::request`: a request and its reply in one call, from any thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use zeroxide_patterns::Pattern;
use zeroxide_zmtp::Message;

use super::Socket;
use super::base::SocketBase;
use super::transfer::WaitLimit;
use crate::clock;
use crate::error::{Error, Op, RequestError, RequestUnsent, Why};

impl Socket {
    /// Sends a request and waits for its reply, at most for `limit` in all (REQ).
    ///
    /// Any number of threads may call it: their calls take turns. Each request carries a number that the peer returns with
    /// its reply (as with `ZMQ_REQ_CORRELATE`). So a late reply is dropped and never taken for that of another request.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use zeroxide::{Context, SocketType};
    /// # let context = Context::new();
    /// # let rep = context.socket(SocketType::Rep)?;
    /// # rep.bind("inproc://oracle")?;
    /// let req = context.socket(SocketType::Req)?;
    /// req.connect("inproc://oracle")?;
    /// # let server = std::thread::spawn(move || { let q = rep.recv().unwrap(); rep.send(q).unwrap() });
    /// let reply = req.request("how late is it?", Duration::from_secs(1))?;
    /// # server.join().unwrap();
    /// # Ok::<(), zeroxide::Error>(())
    /// ```
    ///
    /// If there is no reply in time and no part of the request was written to a peer, the request is taken back: no peer
    /// receives it later.
    ///
    /// # Errors
    /// Returns [`RequestError`] with the cause, and with the request itself if no peer can have received it.
    pub fn request(&self, message: impl Into<Message>, limit: Duration) -> Result<Message, RequestError> {
        let message = message.into();
        let base = self.base();
        let deadline = base.deadline(limit);
        if !self.socket_type().expects_reply_envelope() {
            return Err(RequestError { error: self.no(Op::Request), unsent: Some(message) });
        }
        let Some(_turn) = base.exchange.take(deadline) else {
            let error = Error::TimedOut(Why::AwaitingReply { after: Some(limit) });
            return Err(RequestError { error, unsent: Some(message) });
        };
        base.exchange_one(message, deadline).map_err(|failed| failed.after(limit))
    }
}

impl RequestError {
    /// The same, with the time that it waited.
    fn after(mut self, limit: Duration) -> RequestError {
        match &mut self.error {
            Error::TimedOut(Why::AwaitingReply { after }) => *after = Some(limit),
            Error::TimedOut(Why::RequestUnsent(unsent)) => unsent.after = Some(limit),
            _ => {}
        }
        self
    }
}

impl SocketBase {
    /// Ends an exchange of a task whose reply did not come.
    pub(super) fn failed_exchange(self: &Arc<Self>, error: Error, limit: Duration) -> RequestError {
        self.without_reply(error).after(limit)
    }

    fn exchange_one(
        self: &Arc<Self>,
        message: Message,
        deadline: Option<Instant>,
    ) -> Result<Message, RequestError> {
        let left = || deadline.map_or(Duration::MAX, |at| at.saturating_duration_since(clock::now()));
        self.enter(|state| state.pattern.number_request(true));
        if let Err(unsent) = self.send(message, WaitLimit::For(left())) {
            self.enter(|state| state.pattern.number_request(false));
            return Err(unsent.into());
        }
        self.recv(WaitLimit::For(left())).map_err(|error| self.without_reply(error))
    }

    fn without_reply(self: &Arc<Self>, error: Error) -> RequestError {
        match error {
            // Another call of `recv` has received the reply, so there is no request to abandon.
            Error::WrongState { .. } => RequestError { error, unsent: None },
            error => self.give_up(error),
        }
    }

    /// Abandons a request after this error, and takes it back if it is still in its pipe's queue.
    fn give_up(self: &Arc<Self>, error: Error) -> RequestError {
        let recalled = self.enter(|state| {
            let (pipe, request) = state.pattern.abandon_request(&mut state.pipes)?;
            state.accepted -= 1;
            state.refused += 1;
            let offline = state.pipes.get(pipe).filter(|entry| !entry.is_up()).map(|entry| entry.endpoint);
            Some((request, offline))
        });
        let Some((request, offline)) = recalled else { return RequestError { error, unsent: None } };
        let row = offline.and_then(|endpoint| self.endpoints.get(endpoint));
        let at = row.map(|row| row.attachment());
        let why = Why::RequestUnsent(Box::new(RequestUnsent { after: None, at }));
        let error = match error {
            Error::TimedOut(_) => Error::TimedOut(why),
            Error::WouldBlock(_) => Error::WouldBlock(why),
            other => other,
        };
        RequestError { error, unsent: Some(request) }
    }
}
