//! Sending and receiving. The blocking, the non-blocking and the timed calls all repeat the same attempt.

use std::sync::Arc;
use std::time::{Duration, Instant};

use zeroxide_patterns::{Pattern, Refusal};
use zeroxide_zmtp::{Frame, Message};

use super::base::{SocketBase, SocketState};
use super::lead::{lead, note_awake};
use crate::clock;
use crate::error::{Error, GroupError, Op, Result, SendError, Turn, Why};
use crate::signal::{Signal, wait_interruptible};
use crate::stats::Counters;
use crate::user_code;

/// How long a call may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WaitLimit {
    /// Not at all.
    None,
    /// At most for SNDTIMEO or RCVTIMEO.
    Option,
    /// At most for this time.
    For(Duration),
}

impl WaitLimit {
    /// Returns whether the call does not wait, where `limit` is its limit or that of the option. A call that takes a limit waits: of
    /// no time, too, it says that the time is over.
    fn is_none(self, limit: Option<Duration>) -> bool {
        limit == Some(Duration::ZERO) && !matches!(self, WaitLimit::For(_))
    }
}

impl SocketBase {
    /// Sends a message; waits at most as long as `wait` says.
    #[inline]
    pub(crate) fn send(self: &Arc<Self>, message: Message, wait: WaitLimit) -> Result<(), SendError> {
        let mut held = Some(message);
        match self.attempt_to_send(&mut held) {
            Ok(None) => Ok(()),
            Ok(Some(refusal)) => self.wait_to_send(held, refusal, wait),
            Err(error) => Err(SendError { error: *error, message: held.unwrap_or_default() }),
        }
    }

    #[cold]
    fn wait_to_send(
        self: &Arc<Self>,
        mut held: Option<Message>,
        refusal: Refusal,
        wait: WaitLimit,
    ) -> Result<(), SendError> {
        let start = clock::now();
        let limit = match wait {
            WaitLimit::None => Some(Duration::ZERO),
            WaitLimit::For(limit) => Some(limit),
            WaitLimit::Option => self.enter(|state| state.values.sndtimeo),
        };
        let error = if wait.is_none(limit) || self.context.is_own_thread() {
            Error::WouldBlock(self.why_not_sent(&refusal))
        } else {
            let deadline = limit.and_then(|limit| start.checked_add(limit));
            match self.wait_for_room(refusal, deadline, false, || self.attempt_to_send(&mut held)) {
                Ok(None) => return Ok(()),
                Ok(Some(refusal)) => Error::TimedOut(self.why_not_sent(&refusal)),
                // The socket ended, or a signal of the system ended the wait: no peer was full.
                Err(error) => return Err(SendError { error, message: held.unwrap_or_default() }),
            }
        };
        self.enter(|state| state.refused += 1);
        Err(SendError { error, message: held.unwrap_or_default() })
    }

    /// Attempts to send, at once and whenever there may be room, until the deadline. Returns the last refusal if no attempt
    /// succeeds. If `interruptible`, a signal of the system ends the wait.
    pub(crate) fn wait_for_room(
        &self,
        mut refusal: Refusal,
        deadline: Option<Instant>,
        interruptible: bool,
        mut attempt: impl FnMut() -> Attempt<Option<Refusal>>,
    ) -> Result<Option<Refusal>> {
        self.context.check_process()?;
        let _wait = self.sending.begin(clock::now());
        let look = || sent_or_refused(attempt(), &mut refusal);
        let sent = self.wait_at(&self.output, deadline, interruptible, look);
        Ok(sent?.is_none().then_some(refusal))
    }

    /// Waits at a signal until `look` returns something. Returns `None` when the deadline has passed.
    fn wait_at<T>(
        &self,
        signal: &Signal,
        deadline: Option<Instant>,
        interruptible: bool,
        look: impl FnMut() -> Option<Result<T>>,
    ) -> Result<Option<T>> {
        Counters::add(&self.counters.waits, 1);
        let parkers = interruptible.then_some(&self.context.parkers);
        wait_interruptible(parkers, &[signal], deadline, look).transpose()?.transpose()
    }

    #[inline]
    pub(super) fn attempt_to_send(self: &Arc<Self>, held: &mut Option<Message>) -> Attempt<Option<Refusal>> {
        let attempt = self.attempt(|state| state.try_send(held));
        if let Ok(None) = attempt {
            dispose(held);
        }
        attempt
    }

    /// Makes one attempt to send. Returns the refusal if it may succeed later. Before a refusal it has flushed and driven
    /// the open batches, and tried once more.
    #[inline]
    pub(crate) fn attempt(
        self: &Arc<Self>,
        mut send: impl FnMut(&mut SocketState) -> Result<(), Refused>,
    ) -> Attempt<Option<Refusal>> {
        match self.enter_to_send(&mut send) {
            Ok(()) => Ok(None),
            // Leaving the lock has driven the engines, so a pipe that was full of unsent messages may have room now.
            Err(Refused::Now(_)) => self.attempt_once_more(send),
            Err(Refused::For(error)) => Err(error),
        }
    }

    /// Makes the second try of [`SocketBase::attempt`], after the engines were driven.
    #[cold]
    pub(crate) fn attempt_once_more(
        self: &Arc<Self>,
        send: impl FnOnce(&mut SocketState) -> Result<(), Refused>,
    ) -> Attempt<Option<Refusal>> {
        let sent = self.enter_to_send(|state| {
            state.pipes.driven = true;
            let sent = send(state);
            state.pipes.driven = false;
            sent
        });
        match sent {
            Ok(()) => Ok(None),
            Err(Refused::Now(refusal)) => Ok(Some(refusal)),
            Err(Refused::For(error)) => Err(error),
        }
    }

    pub(crate) fn why_not_sent(&self, refusal: &Refusal) -> Why {
        // The queue of a peer that was never there, or is not there now, says nothing of a peer.
        let highest_mark = || {
            let state = self.lock();
            let up = state.pipes.iter().filter(|(_, entry)| entry.is_up());
            up.map(|(_, entry)| entry.pipe.writer.hwm()).max()
        };
        let full = match refusal {
            Refusal::Full { pipes } => highest_mark().map(|hwm| (hwm, *pipes)),
            _ => None,
        };
        match full {
            Some((hwm, pipes)) => {
                Why::Full { socket: self.socket_type, hwm, peers: u32::try_from(pipes).unwrap_or(u32::MAX) }
            }
            None => Why::NoPeer { socket: self.socket_type, at: Box::new(self.endpoints.attachment()) },
        }
    }

    /// Receives a message; waits at most as long as `wait` says.
    #[inline]
    pub(crate) fn recv(self: &Arc<Self>, wait: WaitLimit) -> Result<Message> {
        match self.attempt_to_recv() {
            Ok(Some(message)) => Ok(message),
            Ok(None) => self.wait_to_recv(wait),
            Err(error) => Err(*error),
        }
    }

    #[cold]
    fn wait_to_recv(self: &Arc<Self>, wait: WaitLimit) -> Result<Message> {
        let start = clock::now();
        let limit = match wait {
            WaitLimit::None => Some(Duration::ZERO),
            WaitLimit::For(limit) => Some(limit),
            WaitLimit::Option => self.enter(|state| state.values.rcvtimeo),
        };
        if wait.is_none(limit) || self.context.is_own_thread() {
            return Err(Error::WouldBlock(self.why_nothing_came(None)));
        }
        let deadline = limit.and_then(|limit| start.checked_add(limit));
        self.wait_for_input(deadline, false, || self.attempt_to_recv())?
            .ok_or_else(|| Error::TimedOut(self.why_nothing_came(limit)))
    }

    /// Attempts to receive, at once and whenever there may be input, until the deadline. A signal of the system ends the wait
    /// of a caller who `interruptible`.
    pub(crate) fn wait_for_input<T>(
        self: &Arc<Self>,
        deadline: Option<Instant>,
        interruptible: bool,
        mut attempt: impl FnMut() -> Attempt<Option<T>>,
    ) -> Result<Option<T>> {
        self.context.check_process()?;
        let mut look = || attempt().map_err(|error| *error).transpose();
        if let Some(found) = lead(std::iter::once(self), deadline, &mut look) {
            return found.map(Some);
        }
        self.enter(|state| state.pipes.pull_input());
        let found = self.wait_at(&self.input, deadline, interruptible, look);
        if matches!(&found, Ok(Some(_))) {
            note_awake(std::iter::once(self));
        }
        found
    }

    /// Makes one attempt to receive a whole message.
    #[inline]
    pub(crate) fn attempt_to_recv(self: &Arc<Self>) -> Attempt<Option<Message>> {
        let mut received = Message::new();
        let taken = self.attempt_to_take(|state| state.try_recv(&mut received))?;
        Ok(taken.map(|()| received))
    }

    /// Makes one attempt to receive. Before it returns `None`, it has flushed the open batches, driven engines whose input
    /// waits, and tried once more.
    #[inline]
    pub(crate) fn attempt_to_take<T>(
        self: &Arc<Self>,
        mut take: impl FnMut(&mut SocketState) -> Attempt<Taken<T>>,
    ) -> Attempt<Option<T>> {
        let mut taken = self.enter(&mut take)?;
        if let Taken::Nothing { drives: true } = taken {
            taken = self.enter(take)?;
        }
        let Taken::Something(taken) = taken else { return Ok(None) };
        if self.input.waiting() > 0 {
            self.pass_on_input();
        }
        Ok(Some(taken))
    }

    /// Wakes the next waiting receiver if there is another message: each message wakes one receiver only.
    #[cold]
    fn pass_on_input(self: &Arc<Self>) {
        self.enter(|state| {
            if state.has_in() {
                state.pipes.after_unlock.wake_input = true;
                state.pipes.after_unlock.mark();
            }
        });
    }

    pub(crate) fn why_nothing_came(self: &Arc<Self>, after: Option<Duration>) -> Why {
        let socket = self.socket_type;
        let unsubscribed = socket.resubscribes() && self.enter(|state| state.pattern.topics() == 0);
        if unsubscribed {
            Why::NoSubscription { socket, after }
        } else if socket.expects_reply_envelope() {
            Why::AwaitingReply { after }
        } else {
            Why::NoMessage { socket, after }
        }
    }
}

/// Returns the result of an attempt to send. If it was refused, stores why and returns `None`: the caller waits for room.
pub(super) fn sent_or_refused(
    attempt: Attempt<Option<Refusal>>,
    refusal: &mut Refusal,
) -> Option<Result<()>> {
    match attempt {
        Ok(None) => Some(Ok(())),
        Ok(Some(why)) => {
            *refusal = why;
            None
        }
        Err(error) => Some(Err(*error)),
    }
}

/// Drops what is left of a message that was sent. Call it without a lock: a body that was copied may run code of the
/// application when it is dropped.
#[inline]
pub(crate) fn dispose(sent: &mut Option<Message>) {
    if let Some(rest) = sent.take() {
        if rest.first().is_some_and(Frame::is_shared) {
            user_code::free(rest);
        }
    }
}

/// Why an attempt to send has failed.
pub(crate) enum Refused {
    /// A later attempt may succeed.
    Now(Refusal),
    /// No later attempt can succeed.
    For(Box<Error>),
}

const _: () = assert!(size_of::<Result<(), Refused>>() <= 3 * size_of::<usize>());

impl From<Error> for Refused {
    #[cold]
    fn from(error: Error) -> Refused {
        Refused::For(Box::new(error))
    }
}

/// The result of an attempt to receive.
pub(crate) enum Taken<T> {
    Something(T),
    /// There is nothing. If `drives`, an engine is driven after the lock is released, and there may be something then.
    Nothing {
        drives: bool,
    },
}

/// The result of an attempt. The error is boxed, because the result is returned for each message and must be small.
pub(crate) type Attempt<T> = std::result::Result<T, Box<Error>>;

impl SocketState {
    #[inline]
    pub(crate) fn try_send(&mut self, held: &mut Option<Message>) -> Result<(), Refused> {
        self.alive()?;
        let Some(message) = held.as_mut() else { return Ok(()) };
        let Some(first) = message.first() else { return Err(Error::EmptyMessage.into()) };
        if self.socket_type.has_single_frames() {
            if message.len() > 1 && self.socket_type.sends() {
                return Err(self.too_many_frames().into());
            }
            self.pattern.address(message.routing_id());
            self.pattern.group(message.group());
        }
        if message.len() == 1 && self.socket_type.addresses() {
            return Err(Error::EmptyMessage.into());
        }
        match self.pattern.route(first, &mut self.pipes) {
            Ok(()) => {
                self.commit(message);
                Ok(())
            }
            Err(refusal) => Err(self.refuse(refusal)),
        }
    }

    #[cold]
    pub(crate) fn too_many_frames(&self) -> Error {
        Error::NotSupported { socket: self.socket_type, op: Op::Multipart }
    }

    /// Moves a message to the pipes that `route` has chosen.
    #[inline]
    pub(crate) fn commit(&mut self, message: &mut Message) {
        self.pattern.commit(message, &mut self.pipes);
        self.accepted += 1;
        if self.pipes.unmatched != self.unmatched {
            self.note_unmatched();
        }
    }

    /// Notes a message without a subscriber, and whether there was no subscription at all yet.
    #[cold]
    fn note_unmatched(&mut self) {
        let none_before = self.before_subscriptions == self.unmatched;
        self.unmatched = self.pipes.unmatched;
        if none_before && self.pattern.topics() == 0 {
            self.before_subscriptions = self.unmatched;
        }
    }

    /// Turns a refusal into what the caller needs. If a later attempt may succeed, flushes the open batches.
    #[cold]
    pub(crate) fn refuse(&mut self, refusal: Refusal) -> Refused {
        let socket = self.socket_type;
        let error = match refusal {
            Refusal::Full { .. } | Refusal::NoPeer => {
                self.flush_now();
                return Refused::Now(refusal);
            }
            Refusal::Unroutable(id) => Error::Unroutable { id, known: self.pipes.iter().count() },
            Refusal::WrongState => Error::WrongState { socket, next: Turn::Recv },
            Refusal::EmptyMessage => Error::EmptyMessage,
            Refusal::InvalidGroup => Error::Group(GroupError::Invalid),
            _ => Error::NotSupported { socket, op: Op::Send },
        };
        error.into()
    }

    /// Puts a message into `message` if there is one.
    #[inline]
    pub(crate) fn try_recv(&mut self, message: &mut Message) -> Attempt<Taken<()>> {
        self.alive()?;
        match self.pattern.recv(&mut self.pipes, message) {
            Ok(Some(pipe)) => {
                // The pattern of an XPUB or STREAM has made this message, so it has no peer yet.
                let reports = self.socket_type.publishes() || self.socket_type.is_raw();
                if reports && message.peer().is_none() {
                    message.set_peer(self.pipes.get(pipe).and_then(|entry| entry.peer.clone()));
                }
                Ok(Taken::Something(()))
            }
            Ok(None) => {
                self.flush_now();
                Ok(Taken::Nothing { drives: self.pipes.after_unlock.drives() })
            }
            Err(refusal) => Err(self.why_not_received(&refusal)),
        }
    }

    #[cold]
    fn why_not_received(&self, refusal: &Refusal) -> Box<Error> {
        let socket = self.socket_type;
        Box::new(match refusal {
            Refusal::WrongState => Error::WrongState { socket, next: Turn::Send },
            _ => Error::NotSupported { socket, op: Op::Recv },
        })
    }
}
